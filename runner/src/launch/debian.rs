//! The Debian packages that have GStreamer's elements: in Debian 12 and 13.

pub(super) const CORE: &str = "libgstreamer1.0-0";
pub(super) const BASE: &str = "gstreamer1.0-plugins-base";
pub(super) const GOOD: &str = "gstreamer1.0-plugins-good";
pub(super) const BAD: &str = "gstreamer1.0-plugins-bad";
pub(super) const UGLY: &str = "gstreamer1.0-plugins-ugly";
pub(super) const LIBAV: &str = "gstreamer1.0-libav";
