//! VP8 and VP9: their encoders, and how each is set.
//!
//! - **`deadline=1`** (`vp8enc`, `vp9enc`) is libvpx's word for real time, and `cpu-used` says how much of the quality it may
//!   spend on it.
//! - **`lag-in-frames=0`**: no look-ahead, and so no picture that is decoded and never shown.
//! - **`error-resilient=default`**: a picture can be read without the probabilities that the one before it told, so
//!   that a lost packet costs one picture's blocks and not all up to the next key frame.
//! - **The smallest and the largest quantizer the same**: each frame is as crisp as any other. The bitrate beside them
//!   is one that no picture reaches: libvpx goes by it all the same.
//! - **`buffer-size` of a second**, where a bitrate is asked for: it is six by default, in which the bits of a late
//!   viewer's key frame would never have to be saved again.

use super::{ELEMENT, EncoderElement, Rate, Wish, hardware, words};
use crate::launch::debian;

/// The quantizer of VP8, 0 to 63: white text on black comes back at a PSNR of 56 dB, with H.264's 20 at 57 dB.
const VP8_QUANTIZER: u32 = 10;
const VP9_QUANTIZER: u32 = 12;

pub(in crate::launch) const VP8_ENCODERS: [EncoderElement; 2] = [
    EncoderElement {
        name: "vp8enc",
        package: debian::GOOD,
        pixels_per_thread: 64_000_000,
        properties: |wish| {
            let mut words = libvpx(wish, VP8_QUANTIZER);
            words.push("cpu-used=16".into());
            words
        },
        ..ELEMENT
    },
    EncoderElement {
        name: "v4l2vp8enc",
        package: debian::GOOD,
        format: hardware::FORMAT,
        properties: |wish| hardware::v4l2(wish, Vec::new()),
        ..ELEMENT
    },
];

pub(in crate::launch) const VP9_ENCODERS: [EncoderElement; 2] = [
    EncoderElement {
        name: "vp9enc",
        package: debian::GOOD,
        pixels_per_thread: 40_000_000,
        properties: |wish| {
            let mut words = libvpx(wish, VP9_QUANTIZER);
            // Threads work at columns of tiles, and at their rows.
            let columns = wish.threads.next_power_of_two().ilog2();
            words.extend(words!["cpu-used=8", "row-mt=true", "tile-columns={columns}"]);
            words
        },
        ..ELEMENT
    },
    EncoderElement {
        name: "v4l2vp9enc",
        package: debian::GOOD,
        format: hardware::FORMAT,
        properties: |wish| hardware::v4l2(wish, Vec::new()),
        ..ELEMENT
    },
];

fn libvpx(wish: &Wish, quantizer: u32) -> Vec<String> {
    let Wish {
        key_frame_interval,
        threads,
        ..
    } = wish;
    let mut words = words![
        "deadline=1",
        "lag-in-frames=0",
        "error-resilient=default",
        "keyframe-max-dist={key_frame_interval}",
        "threads={threads}",
    ];
    words.extend(match wish.rate {
        Rate::Crisp => words![
            "end-usage=vbr",
            "min-quantizer={quantizer}",
            "max-quantizer={quantizer}",
            "target-bitrate=100000000",
        ],
        Rate::Average(kbps) | Rate::Constant(kbps) => words![
            "end-usage=cbr",
            "target-bitrate={kbps}000",
            "buffer-size=1000",
            "buffer-initial-size=500",
            "buffer-optimal-size=600",
        ],
    });
    words
}
