//! Encoders in hardware: the words that a family's H.264 and H.265 encoders share.
//!
//! No machine of ours has the hardware, and none of these was run. The names and values are those of GStreamer 1.22's and
//! 1.26's sources; what V4L2's `extra-controls` take is up to each driver.

use super::{QUANTIZER, Rate, Wish, words};
use crate::launch::syntax::launch_quoted;

/// The raw format that all encoders in hardware take.
pub(super) const FORMAT: &str = "NV12";

/// The words of VA-API's encoders, for Intel and AMD.
pub(super) fn va(wish: &Wish) -> Vec<String> {
    let key_frame_interval = wish.key_frame_interval;
    let mut words = words![
        "b-frames=0",
        "ref-frames=1",
        "target-usage=7",
        "key-int-max={key_frame_interval}"
    ];
    words.extend(match wish.rate {
        Rate::Crisp => words!["rate-control=cqp", "qpi={QUANTIZER}", "qpp={QUANTIZER}"],
        Rate::Average(kbps) | Rate::Constant(kbps) => words!["rate-control=cbr", "bitrate={kbps}"],
    });
    words
}

/// The words of Intel's Quick Sync Video.
pub(super) fn qsv(wish: &Wish) -> Vec<String> {
    let key_frame_interval = wish.key_frame_interval;
    let mut words = words![
        "low-latency=true",
        "b-frames=0",
        "target-usage=7",
        "gop-size={key_frame_interval}"
    ];
    words.extend(match wish.rate {
        Rate::Crisp => words!["rate-control=cqp", "qp-i={QUANTIZER}", "qp-p={QUANTIZER}"],
        Rate::Average(kbps) | Rate::Constant(kbps) => words!["rate-control=cbr", "bitrate={kbps}"],
    });
    words
}

/// The words of NVIDIA's NVENC. Its B-frames are off unless asked for.
pub(super) fn nv(wish: &Wish) -> Vec<String> {
    let key_frame_interval = wish.key_frame_interval;
    let mut words = words!["zerolatency=true", "gop-size={key_frame_interval}"];
    words.extend(match wish.rate {
        Rate::Crisp => words!["rc-mode=constqp", "qp-const={QUANTIZER}"],
        Rate::Average(kbps) | Rate::Constant(kbps) => words!["rc-mode=cbr", "bitrate={kbps}"],
    });
    words
}

/// The words of Video for Linux, for the boards: the driver's own controls, and `more` of them. It has no quantizer
/// that all drivers know, and chooses a bitrate where none is given. The element warns of a control that a driver does
/// not know.
pub(super) fn v4l2(wish: &Wish, more: Vec<String>) -> Vec<String> {
    let interval = format!("video_gop_size={}", wish.key_frame_interval);
    let bitrate = match wish.rate {
        Rate::Crisp => None,
        Rate::Average(kbps) | Rate::Constant(kbps) => Some(format!("video_bitrate={kbps}000")),
    };
    let controls: Vec<String> = ["controls".into(), interval]
        .into_iter()
        .chain(bitrate)
        .chain(more)
        .collect();
    vec![format!("extra-controls={}", launch_quoted(&controls.join(",")))]
}
