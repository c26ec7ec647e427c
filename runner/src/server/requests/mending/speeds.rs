//! At which speed a PLAY may ask for a live camera: its own.

use gst_rtsp::RTSPHeaderField;
use gst_rtsp_server::RTSPContext;

use crate::ffi::rtsp;

/// Whether the request asks for another speed. A live camera has one, and some values of these headers end the process in
/// gst-rtsp-server before 1.24.10 (CVE-2024-44331).
pub(in crate::server) fn asks_for_another_speed(context: &RTSPContext) -> bool {
    let Some(request) = context.request() else {
        return false;
    };
    [RTSPHeaderField::Scale, RTSPHeaderField::Speed]
        .into_iter()
        .filter_map(|field| rtsp::header(request, field))
        .any(|value| !is_live_speed(&value))
}

fn is_live_speed(value: &str) -> bool {
    value
        .trim()
        .parse()
        .is_ok_and(|speed: f64| (speed - 1.0).abs() < 1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_the_live_speed() {
        for value in ["1", "1.0", " 1.000000 "] {
            assert!(is_live_speed(value), "{value}");
        }
        for value in [
            "", "0", "-1", "2.0", "nan", "inf", "-inf", "1e400", "abc", "1.0.0", "0x1",
        ] {
            assert!(!is_live_speed(value), "{value}");
        }
    }
}
