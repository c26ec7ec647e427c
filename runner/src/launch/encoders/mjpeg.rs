//! JPEG: its encoders, and how each is set.
//!
//! - **`idct-method=islow`** (`jpegenc`): slightly more exact than the default (`ifast`), and no slower.
//! - **4:2:0**, whatever the encoder: RFC 2435 knows no other sampling but 4:2:2.

use super::{ELEMENT, EncoderElement, Wish, hardware, words};
use crate::launch::debian;

pub(in crate::launch) const ENCODERS: [EncoderElement; 5] = [
    EncoderElement {
        name: "jpegenc",
        package: debian::GOOD,
        properties: |wish| {
            let mut words = quality(wish);
            words.push("idct-method=islow".into());
            words
        },
        ..ELEMENT
    },
    EncoderElement {
        name: "vajpegenc",
        format: hardware::FORMAT,
        properties: quality,
        ..ELEMENT
    },
    EncoderElement {
        name: "qsvjpegenc",
        format: hardware::FORMAT,
        properties: quality,
        ..ELEMENT
    },
    EncoderElement {
        name: "nvjpegenc",
        properties: quality,
        ..ELEMENT
    },
    EncoderElement {
        name: "v4l2jpegenc",
        package: debian::GOOD,
        format: hardware::FORMAT,
        properties: |wish| {
            let quality = wish.jpeg_quality;
            words![r#"extra-controls="controls,compression_quality={quality}""#]
        },
        ..ELEMENT
    },
];

fn quality(wish: &Wish) -> Vec<String> {
    let quality = wish.jpeg_quality;
    words!["quality={quality}"]
}
