//! The elements that serving a stream takes, and where Debian keeps them.

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
pub fn missing(launch: &str) -> Result<Vec<String>, gst::glib::Error> {
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
    gst::ElementFactory::find(name).is_none()
}

/// The Debian package that has the element `name`, as far as this server can come to need it.
#[must_use]
pub fn debian_package(name: &str) -> Option<&'static str> {
    Some(match name {
        "tee" | "queue" | "funnel" | "capsfilter" => "libgstreamer1.0-0",
        "appsink" | "appsrc" | "videoconvert" => "gstreamer1.0-plugins-base",
        "x264enc" => "gstreamer1.0-plugins-ugly",
        "jpegenc" | "multiudpsink" | "udpsrc" | "rtpbin" | "rtph264pay" | "rtpjpegpay" => {
            "gstreamer1.0-plugins-good"
        }
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
    fn a_wrong_launch_string_is_an_error() {
        gst::init().expect("GStreamer");
        let error = missing("( videotestsrc nosuchproperty=1 ! fakesink )").expect_err("no such property");
        assert!(error.to_string().contains("nosuchproperty"), "{error}");
    }
}
