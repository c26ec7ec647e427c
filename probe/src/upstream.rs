//! Finds where a stream comes from.

use gst::prelude::*;

/// No chain is longer.
const STEPS: usize = 1000;

/// The nearest wanted element that `pad`'s stream comes out of, in whatever bins.
pub(crate) fn find(pad: &gst::Pad, is_wanted: impl Fn(&gst::ElementFactory) -> bool) -> Option<gst::Element> {
    let mut pads = vec![pad.clone()];
    for _ in 0..STEPS {
        let pad = pads.pop()?;
        if let Some(element) = pad.parent_element()
            && element.factory().is_some_and(|factory| is_wanted(&factory))
        {
            return Some(element);
        }
        let inputs = pad.iterate_internal_links().into_iter().flatten();
        pads.extend(inputs.filter_map(|input| input.peer()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_found_through_bins_and_not_beside_the_stream() {
        gst::init().expect("GStreamer");
        let pipeline = gst::Pipeline::new();
        let bin = gst::parse::bin_from_description("identity name=wanted ! queue ! multiqueue", true);
        let bin: gst::Element = bin.expect("a bin").upcast();
        let beside = gst::ElementFactory::make("identity").build().expect("identity");
        let [source, end] =
            ["fakesrc", "fakesink"].map(|name| gst::ElementFactory::make(name).build().expect("an element"));
        pipeline
            .add_many([&source, &bin, &beside, &end])
            .expect("they fit");
        gst::Element::link_many([&source, &bin, &end]).expect("they link");
        let pad = bin.static_pad("src").expect("a ghost pad");
        let is = |name: &'static str| move |factory: &gst::ElementFactory| factory.name() == name;
        let found = |name| find(&pad, is(name)).map(|element| element.name().to_string());
        assert_eq!(found("identity").as_deref(), Some("wanted"));
        assert_eq!(find(&pad, is("fakesrc")), Some(source));
        assert_eq!(found("fakesink"), None);
    }
}
