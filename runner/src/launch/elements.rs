//! The elements that serving a stream takes, and where Debian keeps them.

use gst::{glib, prelude::*};

/// What gst-rtsp-server itself makes, besides what the launch string names.
const SERVING: [&str; 8] = [
    "rtpbin",
    "tee",
    "queue",
    "funnel",
    "appsink",
    "appsrc",
    "multiudpsink",
    "udpsrc",
];

/// The elements that cannot be made on this machine, of those that `launch` names and those that serving it takes.
///
/// # Errors
/// When the launch string itself is wrong.
pub fn missing(launch: &str) -> Result<Vec<String>, glib::Error> {
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
            .filter(|name| is_missing(name))
            .map(str::to_owned),
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
pub fn has_property(name: &str, property: &str) -> bool {
    let loaded = gst::ElementFactory::find(name).and_then(|factory| factory.load().ok());
    let class = loaded.and_then(|factory| glib::object::ObjectClass::from_type(factory.element_type()));
    class.is_some_and(|class| class.find_property(property).is_some())
}

/// Whether the property of that name can be changed while the element plays, as the element itself says.
#[must_use]
pub fn is_changed_while_playing(element: &str, property: &str) -> bool {
    let made = gst::ElementFactory::make(element).build();
    let pspec = made.ok().and_then(|element| element.find_property(property));
    pspec.is_some_and(|pspec| pspec.flags().contains(gst::PARAM_FLAG_MUTABLE_PLAYING))
}

/// The Debian package that has the element `name`, as far as this server itself can come to need it: in Debian 12 and 13.
#[must_use]
pub fn debian_package(name: &str) -> Option<&'static str> {
    Some(match name {
        "tee" | "queue" | "funnel" | "capsfilter" => "libgstreamer1.0-0",
        "appsink" | "appsrc" | "videoconvert" | "opusenc" => "gstreamer1.0-plugins-base",
        "x264enc" => "gstreamer1.0-plugins-ugly",
        "avenc_aac" => "gstreamer1.0-libav",
        "voaacenc" | "x265enc" | "openh264enc" | "vah264enc" | "vah264lpenc" | "vah265enc"
        | "vah265lpenc" | "vajpegenc" | "qsvh264enc" | "qsvh265enc" | "qsvjpegenc" | "nvh264enc"
        | "nvh265enc" | "nvjpegenc" | "h264parse" | "h265parse" => "gstreamer1.0-plugins-bad",
        "jpegenc" | "vp8enc" | "vp9enc" | "v4l2h264enc" | "v4l2h265enc" | "v4l2jpegenc" | "v4l2vp8enc"
        | "v4l2vp9enc" | "multiudpsink" | "udpsrc" | "rtpbin" | "rtph264pay" | "rtph265pay"
        | "rtpjpegpay" | "rtpvp8pay" | "rtpvp9pay" | "mulawenc" | "rtppcmupay" | "alawenc" | "rtppcmapay"
        | "rtpmp4gpay" | "rtpopuspay" => "gstreamer1.0-plugins-good",
        _ => return None,
    })
}

/// `name`, and the package to install for it.
#[must_use]
pub fn with_package(name: &str) -> String {
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
