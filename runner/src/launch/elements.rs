//! The elements that serving a stream takes, and where Debian keeps them.

use gst::{glib, prelude::*};

use super::{codecs, debian, still};

/// The elements that gst-rtsp-server itself makes, besides those that the launch string names, each with the Debian
/// package that has it.
const SERVING: [(&str, &str); 8] = [
    ("rtpbin", debian::GOOD),
    ("tee", debian::CORE),
    ("queue", debian::CORE),
    ("funnel", debian::CORE),
    ("appsink", debian::BASE),
    ("appsrc", debian::BASE),
    ("multiudpsink", debian::GOOD),
    ("udpsrc", debian::GOOD),
];

/// The elements that every launch string names, besides those of a codec.
const NAMED: [(&str, &str); 2] = [("capsfilter", debian::CORE), ("videoconvert", debian::BASE)];

/// The elements that cannot be made on this machine, of those that `launch` names and those that serving it takes.
///
/// # Errors
/// When the launch string itself is wrong.
pub(crate) fn missing(launch: &str) -> Result<Vec<String>, glib::Error> {
    let mut context = gst::ParseContext::new();
    let parsed = gst::parse::launch_full(launch, Some(&mut context), gst::ParseFlags::empty());
    // An element that is there but refuses a property's value is listed as well.
    let mut missing: Vec<String> = context
        .missing_elements()
        .into_iter()
        .filter(|name| is_missing(name))
        .collect();
    if missing.is_empty() {
        parsed?;
    }
    missing.extend(
        SERVING
            .into_iter()
            .filter(|(name, _)| is_missing(name))
            .map(|(name, _)| name.to_owned()),
    );
    missing.dedup();
    Ok(missing)
}

fn is_missing(name: &str) -> bool {
    !is_installed(name)
}

/// Whether this machine has the element `name`. GStreamer must have been initialised.
#[must_use]
pub fn is_installed(name: &str) -> bool {
    gst::ElementFactory::find(name).is_some()
}

/// Whether this machine's element `name` has the property `property`, which another version of GStreamer may lack.
/// GStreamer must have been initialised.
#[must_use]
pub(crate) fn has_property(name: &str, property: &str) -> bool {
    find_property(name, property).is_some()
}

fn find_property(element: &str, property: &str) -> Option<glib::ParamSpec> {
    let factory = gst::ElementFactory::find(element)?.load().ok()?;
    let class = glib::object::ObjectClass::from_type(factory.element_type())?;
    class.find_property(property)
}

/// Whether the property of that name can be changed while the element plays, as the element itself says.
#[must_use]
pub(crate) fn is_changed_while_playing(element: &str, property: &str) -> bool {
    let property = find_property(element, property);
    property.is_some_and(|property| property.flags().contains(gst::PARAM_FLAG_MUTABLE_PLAYING))
}

/// The Debian package that has the element `name`, as far as this server itself can come to need it: in Debian 12 and 13.
#[must_use]
fn debian_package(name: &str) -> Option<&'static str> {
    let all = SERVING.into_iter().chain(NAMED).chain(still::ELEMENTS);
    let mut all = all.chain(codecs::elements());
    all.find(|(element, _)| *element == name)
        .map(|(_, package)| package)
}

/// `name`, and the package to install for it.
#[must_use]
pub(crate) fn with_package(name: &str) -> String {
    match debian_package(name) {
        Some(package) => format!("{name} (Debian package {package})"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_element_is_named_with_its_package() {
        gst::init().expect("GStreamer");
        let missing =
            missing("( videotestsrc ! nosuchenc ! rtph264pay name=pay0 )").expect("a valid launch string");
        assert_eq!(missing, ["nosuchenc"]);
        assert_eq!(
            with_package("x264enc"),
            "x264enc (Debian package gstreamer1.0-plugins-ugly)"
        );
        assert_eq!(with_package("nosuchenc"), "nosuchenc");
    }

    #[test]
    fn a_property_is_found_where_there_is_one() {
        gst::init().expect("GStreamer");
        assert!(has_property("filesrc", "location"));
        assert!(!has_property("filesrc", "nosuchproperty"));
        assert!(!has_property("nosuchenc", "location"));
    }

    #[test]
    fn a_wrong_launch_string_is_an_error() {
        gst::init().expect("GStreamer");
        let error = missing("( videotestsrc nosuchproperty=1 ! fakesink )").expect_err("no such property");
        assert!(error.to_string().contains("nosuchproperty"), "{error}");
    }
}
