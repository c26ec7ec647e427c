//! H.265: its encoders, and how each is set.
//!
//! - **`tune=zerolatency`** (`x265enc`) makes x265 work at one frame at a time (`frame-threads=1`) and without look-ahead.
//! - **`open-gop=0`**: each key frame is an IDR picture, with which any decoder can begin.
//! - **`pools`, `wpp`**: x265 starts a thread for each core of the machine otherwise, for each camera. A picture's rows
//!   are worked at side by side where it needs more than one thread.
//! - **`strict-cbr` with `hrd`** fills each picture up with filler NAL units (type 38).

use super::{ELEMENT, EncoderElement, QUANTIZER, Rate, Wish, hardware, words};
use crate::launch::{debian, syntax::launch_quoted};

const BYTE_STREAM: &str = "video/x-h265,stream-format=byte-stream,alignment=au";

pub(in crate::launch) const ENCODERS: [EncoderElement; 6] = [
    EncoderElement {
        name: "x265enc",
        fills_up: true,
        // Ultrafast was measured to do some 60 million on one core.
        pixels_per_thread: 24_000_000,
        properties: x265,
        caps: Some("video/x-h265,profile=main,stream-format=byte-stream,alignment=au"),
        ..ELEMENT
    },
    EncoderElement {
        name: "vah265enc",
        format: hardware::FORMAT,
        properties: hardware::va,
        caps: Some(BYTE_STREAM),
        ..ELEMENT
    },
    EncoderElement {
        name: "vah265lpenc",
        format: hardware::FORMAT,
        properties: hardware::va,
        caps: Some(BYTE_STREAM),
        ..ELEMENT
    },
    EncoderElement {
        name: "qsvh265enc",
        format: hardware::FORMAT,
        properties: hardware::qsv,
        caps: Some(BYTE_STREAM),
        ..ELEMENT
    },
    EncoderElement {
        name: "nvh265enc",
        format: hardware::FORMAT,
        properties: hardware::nv,
        caps: Some(BYTE_STREAM),
        ..ELEMENT
    },
    EncoderElement {
        name: "v4l2h265enc",
        package: debian::GOOD,
        format: hardware::FORMAT,
        properties: |wish| hardware::v4l2(wish, words!["repeat_sequence_header=1"]),
        caps: Some(BYTE_STREAM),
        ..ELEMENT
    },
];

fn x265(wish: &Wish) -> Vec<String> {
    let key_frame_interval = wish.key_frame_interval;
    let mut words = words![
        "tune=zerolatency",
        "speed-preset=ultrafast",
        "key-int-max={key_frame_interval}"
    ];
    words.push(match wish.rate {
        Rate::Crisp => format!("qp={QUANTIZER}"),
        Rate::Average(kbps) | Rate::Constant(kbps) => format!("bitrate={kbps}"),
    });
    let buffer = match wish.rate {
        // A buffer would not change with the bitrate while the stream plays.
        Rate::Crisp | Rate::Average(_) => String::new(),
        Rate::Constant(kbps) => format!(":vbv-maxrate={kbps}:vbv-bufsize={kbps}:strict-cbr=1:hrd=1"),
    };
    let threads = match wish.threads {
        1 => "pools=none:wpp=0".to_owned(),
        threads => format!("pools={threads}:wpp=1"),
    };
    let options = format!("bframes=0:scenecut=0:open-gop=0:{threads}{buffer}");
    words.push(format!("option-string={}", launch_quoted(&options)));
    words
}
