//! H.264: its encoders, and how each is set.
//!
//! - **`tune=zerolatency bframes=0`** (`x264enc`): each picture leaves the encoder before the next one goes in, and PTS
//!   never run backwards.
//! - **A constant quantizer** in place of a bitrate: a clock is cheap (0.6 Mbit/s at 720p25), and x264 without its rate
//!   control takes a quarter less CPU.
//! - **`key-int-max` with `scenecut=0`**: no key frame comes because many digits changed at once.
//! - **Constrained baseline**: what ultrafast encodes anyway, said in the SDP, so that browsers behind a gateway take it.
//! - **`stream-format=avc aud=false`**: the payloader need not search for start codes, and no packet is spent on a
//!   delimiter that RTP's marker bit makes superfluous.
//! - **`repeat-headers=0`**: SPS and PPS go out with each key frame, from the payloader and not from the encoder a second
//!   time.
//! - **`nal-hrd=cbr`** fills each picture up with filler NAL units (type 12), where its buffer would run over otherwise. A
//!   buffer of a second lets a key frame be larger than other frames, as a camera's is. From GStreamer 1.26 on this is a
//!   property of `x264enc`, which overrides the option of that name, even unset.

use super::{ELEMENT, EncoderElement, QUANTIZER, Rate, Wish, hardware, words};
use crate::launch::{debian, syntax::launch_quoted};

pub(in crate::launch) const ENCODERS: [EncoderElement; 7] = [
    EncoderElement {
        name: "x264enc",
        package: debian::UGLY,
        fills_up: true,
        // Ultrafast was measured to do more than 200 million on one core.
        pixels_per_thread: 64_000_000,
        properties: x264,
        caps: Some("video/x-h264,profile=constrained-baseline,stream-format=avc,alignment=au"),
        ..ELEMENT
    },
    EncoderElement {
        name: "openh264enc",
        // Half as fast as x264's ultrafast.
        pixels_per_thread: 32_000_000,
        properties: openh264,
        caps: Some("video/x-h264,profile=constrained-baseline,stream-format=byte-stream,alignment=au"),
        ..ELEMENT
    },
    EncoderElement {
        name: "vah264enc",
        format: hardware::FORMAT,
        properties: hardware::va,
        caps: Some(BYTE_STREAM),
        ..ELEMENT
    },
    EncoderElement {
        name: "vah264lpenc",
        format: hardware::FORMAT,
        properties: hardware::va,
        caps: Some(BYTE_STREAM),
        ..ELEMENT
    },
    EncoderElement {
        name: "qsvh264enc",
        format: hardware::FORMAT,
        properties: hardware::qsv,
        caps: Some(BYTE_STREAM),
        ..ELEMENT
    },
    EncoderElement {
        name: "nvh264enc",
        format: hardware::FORMAT,
        properties: hardware::nv,
        caps: Some(BYTE_STREAM),
        ..ELEMENT
    },
    EncoderElement {
        name: "v4l2h264enc",
        package: debian::GOOD,
        format: hardware::FORMAT,
        properties: v4l2,
        // The driver wants a level.
        caps: Some("video/x-h264,stream-format=byte-stream,alignment=au,level=(string)4.1"),
        ..ELEMENT
    },
];

const BYTE_STREAM: &str = "video/x-h264,stream-format=byte-stream,alignment=au";

fn x264(wish: &Wish) -> Vec<String> {
    let key_frame_interval = wish.key_frame_interval;
    let mut words = words![
        "tune=zerolatency",
        "speed-preset=ultrafast",
        "bframes=0",
        "key-int-max={key_frame_interval}"
    ];
    words.extend(match wish.rate {
        Rate::Crisp => words!["pass=quant", "quantizer={QUANTIZER}"],
        Rate::Average(kbps) => words!["pass=cbr", "bitrate={kbps}"],
        Rate::Constant(kbps) => words!["pass=cbr", "bitrate={kbps}", "vbv-buf-capacity=1000"],
    });
    let mut options = "scenecut=0:repeat-headers=0".to_owned();
    if let Rate::Constant(_) = wish.rate {
        if (wish.has_property)("x264enc", "nal-hrd") {
            words.push("nal-hrd=cbr".into());
        } else {
            options += ":nal-hrd=cbr";
        }
    }
    let options = launch_quoted(&options);
    let threads = wish.threads;
    words.extend(words![
        "threads={threads}",
        "aud=false",
        "option-string={options}"
    ]);
    words
}

fn openh264(wish: &Wish) -> Vec<String> {
    let Wish {
        key_frame_interval,
        threads,
        ..
    } = wish;
    let mut words = words![
        "complexity=low",
        "scene-change-detection=false",
        "background-detection=false",
        "gop-size={key_frame_interval}",
        "slice-mode=auto",
        "multi-thread={threads}",
    ];
    words.extend(match wish.rate {
        // Without rate control openh264 goes by a quantizer of its own.
        Rate::Crisp => words![
            "rate-control=quality",
            "bitrate=100000000",
            "qp-min={QUANTIZER}",
            "qp-max={QUANTIZER}",
        ],
        Rate::Average(kbps) | Rate::Constant(kbps) => words!["rate-control=bitrate", "bitrate={kbps}000"],
    });
    words
}

fn v4l2(wish: &Wish) -> Vec<String> {
    let interval = wish.key_frame_interval;
    hardware::v4l2(
        wish,
        words!["repeat_sequence_header=1", "h264_i_frame_period={interval}"],
    )
}
