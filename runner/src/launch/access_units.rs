//! A picture of several slices stays one picture.
//!
//! With `config-interval=-1` the payloaders of H.264 and H.265 send the parameter sets before each slice of a key
//! frame, and parameter sets behind a slice begin another picture (ITU-T H.264, 7.4.1.2.3; H.265, 7.4.2.4.4): a
//! recorder keeps two where there was one, and a player shows neither. The parsers put them before the first slice
//! only. A picture that the server makes has a parser in its launch string; a pipeline of one's own is given one here.

use gst::{Caps, prelude::*};

use super::codecs;

/// Puts a parser before `payloader` in `bin`, if it would split pictures.
///
/// A payloader that is given single slices stays as it is: no more is known of them than it is told.
pub fn keep_whole(bin: &gst::Bin, payloader: &gst::Element) {
    if let Some(parser) = mend(bin, payloader) {
        tracing::debug!(target: "stream", "{} stands before {}", parser.name(), payloader.name());
    }
}

/// Puts a parser there, and answers it.
fn mend(bin: &gst::Bin, payloader: &gst::Element) -> Option<gst::Element> {
    let name = payloader.factory()?.name();
    let (parser, media_type) = codecs::of_payloader(&name)?.parser?;
    if payloader.property::<i32>("config-interval") != -1 {
        return None;
    }
    let sink = payloader.static_pad("sink")?;
    let source = sink.peer()?;
    let whole = Caps::builder(media_type).field("alignment", "au").build();
    if !source.query_caps(None).can_intersect(&whole) {
        return None;
    }
    let parser = gst::ElementFactory::make(parser)
        .property("config-interval", -1)
        .build()
        .ok()?;
    bin.add(&parser).ok()?;
    let is_linked = relink(&source, &parser, &sink);
    if is_linked.is_none() {
        // The bin stays as it was.
        let _absent = bin.remove(&parser);
        source.link(&sink).ok()?;
        return None;
    }
    payloader.set_property("config-interval", 0);
    Some(parser)
}

fn relink(source: &gst::Pad, parser: &gst::Element, sink: &gst::Pad) -> Option<()> {
    source.unlink(sink).ok()?;
    source.link(&parser.static_pad("sink")?).ok()?;
    parser.static_pad("src")?.link(sink).ok()?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bin(launch: &str) -> (gst::Bin, gst::Element) {
        gst::init().unwrap();
        let bin = gst::parse::launch(launch)
            .unwrap()
            .downcast::<gst::Bin>()
            .unwrap();
        let payloader = bin.by_name("pay0").unwrap();
        (bin, payloader)
    }

    fn before(payloader: &gst::Element) -> String {
        let pad = payloader.static_pad("sink").unwrap().peer().unwrap();
        let element = pad.parent_element().unwrap();
        element.factory().unwrap().name().into()
    }

    #[test]
    fn a_payloader_that_would_split_pictures_gets_a_parser() {
        for (encoder, payloader, parser) in [
            ("x264enc", "rtph264pay", "h264parse"),
            ("x265enc", "rtph265pay", "h265parse"),
        ] {
            let (bin, payloader) = bin(&format!(
                "( videotestsrc ! {encoder} ! {payloader} name=pay0 config-interval=-1 )"
            ));
            keep_whole(&bin, &payloader);
            assert_eq!(before(&payloader), parser);
            assert_eq!(payloader.property::<i32>("config-interval"), 0);
            assert!(mend(&bin, &payloader).is_none(), "it has one");
        }
    }

    #[test]
    fn every_other_pipeline_stays_as_it_was_written() {
        for (launch, last) in [
            ("x264enc ! rtph264pay name=pay0", "x264enc"),
            ("x264enc ! rtph264pay name=pay0 config-interval=2", "x264enc"),
            ("jpegenc ! rtpjpegpay name=pay0", "jpegenc"),
            (
                "x264enc ! h264parse ! capsfilter caps=video/x-h264,stream-format=byte-stream,alignment=nal ! rtph264pay \
                 name=pay0 config-interval=-1",
                "capsfilter",
            ),
        ] {
            let (bin, payloader) = bin(&format!("( videotestsrc ! {launch} )"));
            assert!(mend(&bin, &payloader).is_none(), "{launch}");
            assert_eq!(before(&payloader), last, "{launch}");
        }
    }
}
