//! The encoders: which elements there are for each codec, and how each is set.
//!
//! | module | codec |
//! | --- | --- |
//! | `h264` | H.264 |
//! | `h265` | H.265 |
//! | `mjpeg` | JPEG |
//! | `vpx` | VP8 and VP9 |
//! | `hardware` | the words that a family of hardware's encoders shares |
//! | [`sound`] | PCMU, PCMA, AAC and Opus, which are set once and for all |
//!
//! Whatever the encoder, each picture leaves it before the next one goes in: no B-frames, no look-ahead, and no threads
//! that work at several frames. It makes a key frame when it is asked for one, and otherwise only at the interval that
//! was asked for.
//!
//! # Which one is the best
//!
//! `auto` takes the first of a codec's table that this machine has: encoders in software, and hardware's only where
//! there is none in software. A test camera is to make the same stream on every machine, so that a measurement on one
//! can be compared with that on another; which hardware is there, what its driver makes of each setting, and how much
//! it adds to the latency would differ. A clock is cheap besides: a picture of 720p costs x264 some 2 ms of one core.
//! And hardware runs out: an NVIDIA card for desktops takes a few streams at once and refuses the next, which shows
//! only when somebody plays it. Whoever wants hardware names it.
//!
//! # What is wanted of it
//!
//! Without a bitrate the quantizer is constant: each frame is as crisp as any other, however many digits changed. With
//! one the encoder aims at it on average; a clock may need less, and then takes less. A constant bitrate is filled up.

use super::debian;
use crate::config::{Encoder, StreamConfig};

pub(super) mod h264;
pub(super) mod h265;
mod hardware;
pub(super) mod mjpeg;
pub mod sound;
pub(super) mod vpx;

/// An encoder's element, and how it is set.
#[derive(Debug)]
pub struct EncoderElement {
    /// The element.
    pub name: &'static str,
    /// The Debian package that has it.
    pub(crate) package: &'static str,
    /// Whether it can fill up to a constant bitrate.
    pub(crate) fills_up: bool,
    /// The raw format that it takes without a conversion.
    pub(crate) format: &'static str,
    /// How many px a second one of its threads takes on, so that a picture is done after a third of its period.
    pixels_per_thread: u64,
    /// Its properties, each as a word of launch syntax.
    properties: fn(&Wish) -> Vec<String>,
    /// The caps behind it; `None` where it makes one format only.
    pub(crate) caps: Option<&'static str>,
}

/// What most elements have in common: a hardware's encoder counts no threads.
const ELEMENT: EncoderElement = EncoderElement {
    name: "",
    package: debian::BAD,
    fills_up: false,
    format: "I420",
    pixels_per_thread: u64::MAX,
    properties: |_| Vec::new(),
    caps: None,
};

/// The crispness of H.264 and H.265; 18 to 28 is usual. At 20 white text on black comes back at a PSNR of 58 dB.
const QUANTIZER: u32 = 20;

/// Whether the element of the first name has the property of the second.
pub(crate) type HasProperty = fn(&str, &str) -> bool;

/// What is wanted of an encoder.
#[derive(Debug, Clone, Copy)]
struct Wish {
    /// Frames from one key frame to the next.
    pub(crate) key_frame_interval: u32,
    pub(crate) rate: Rate,
    /// The crispness of JPEG, 1 to 100.
    pub(crate) jpeg_quality: u32,
    /// How many threads it may use.
    pub(crate) threads: u64,
    /// Whether this machine's version of an element has a property.
    pub(crate) has_property: HasProperty,
}

/// How many bits there may be, in kbit/s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rate {
    /// As many bits as a constant quantizer takes.
    Crisp,
    /// This many on average, or fewer.
    Average(u32),
    /// This many, filled up where there are fewer.
    Constant(u32),
}

impl EncoderElement {
    /// Its words in launch syntax, for a stream on a machine that can run `cores` threads at once and has the properties
    /// for which `has_property` holds.
    pub(crate) fn words(&self, stream: &StreamConfig, cores: u64, has_property: HasProperty) -> Vec<String> {
        let wish = Wish {
            key_frame_interval: stream.key_frame_interval,
            rate: Rate::of(stream),
            jpeg_quality: stream.jpeg_quality,
            threads: self.threads(stream, cores),
            has_property,
        };
        let mut words = vec![self.name.to_owned()];
        words.extend((self.properties)(&wish));
        words
    }

    /// How many threads it may use: a hundred small cameras do best with one each, and a large picture must be done
    /// within its lead time.
    fn threads(&self, stream: &StreamConfig, cores: u64) -> u64 {
        let rate = stream.frames_per_second;
        let picture = u64::from(stream.width) * u64::from(stream.height);
        let pixels = (picture * u64::from(rate.numerator())).div_ceil(u64::from(rate.denominator()));
        pixels.div_ceil(self.pixels_per_thread).clamp(1, cores)
    }
}

impl Rate {
    fn of(stream: &StreamConfig) -> Self {
        match stream.bitrate_kbps {
            Some(kbps) if stream.constant_bitrate => Self::Constant(kbps),
            Some(kbps) => Self::Average(kbps),
            None => Self::Crisp,
        }
    }
}

/// The encoder of `stream` among `all` encoders of its codec, on a machine that has the elements for which
/// `is_installed` holds. Where the machine has none of them, it is the one to install.
pub(crate) fn choose(
    all: &'static [EncoderElement],
    stream: &StreamConfig,
    is_installed: impl Fn(&str) -> bool,
) -> &'static EncoderElement {
    let eligible = || {
        all.iter()
            .filter(|element| element.fills_up || !stream.constant_bitrate)
    };
    let named = match &stream.encoder {
        Encoder::Auto => None,
        Encoder::Named(name) => all.iter().find(|element| element.name == name),
    };
    named
        .or_else(|| eligible().find(|element| is_installed(element.name)))
        .or_else(|| eligible().next())
        .unwrap_or(&all[0])
}

/// Makes formatted words.
macro_rules! words {
    ($($word:literal),* $(,)?) => { vec![$(format!($word)),*] };
}
use words;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FrameRate;

    fn chosen(stream: &StreamConfig, installed: &[&str]) -> &'static str {
        choose(&h264::ENCODERS, stream, |name| installed.contains(&name)).name
    }

    #[test]
    fn the_first_of_those_that_are_there_is_chosen() {
        let chosen = |there: &[&str]| chosen(&StreamConfig::default(), there);
        assert_eq!(chosen(&["nvh264enc", "openh264enc", "x264enc"]), "x264enc");
        assert_eq!(chosen(&["nvh264enc", "openh264enc"]), "openh264enc");
        assert_eq!(chosen(&["nvh264enc"]), "nvh264enc");
        assert_eq!(chosen(&[]), "x264enc");
    }

    #[test]
    fn the_one_that_is_named_is_chosen_whatever_is_there() {
        let stream = StreamConfig {
            encoder: Encoder::Named("vah264enc".into()),
            ..StreamConfig::default()
        };
        assert_eq!(chosen(&stream, &["x264enc"]), "vah264enc");
    }

    #[test]
    fn a_constant_bitrate_is_for_one_that_fills_up() {
        let stream = StreamConfig {
            bitrate_kbps: Some(1000),
            constant_bitrate: true,
            ..StreamConfig::default()
        };
        assert_eq!(chosen(&stream, &["openh264enc"]), "x264enc");
    }

    #[test]
    fn large_pictures_get_more_threads_as_far_as_there_are_cores() {
        let threads = |element: &EncoderElement, width, height, frames_per_second, cores| {
            let stream = StreamConfig {
                width,
                height,
                frames_per_second: FrameRate::whole(frames_per_second),
                ..StreamConfig::default()
            };
            element.threads(&stream, cores)
        };
        let x264 = &h264::ENCODERS[0];
        assert_eq!(threads(x264, 32, 32, 1, 64), 1);
        assert_eq!(threads(x264, 640, 480, 15, 64), 1);
        assert_eq!(threads(x264, 1280, 720, 60, 64), 1);
        assert_eq!(threads(x264, 1920, 1080, 30, 64), 1);
        assert_eq!(threads(x264, 1920, 1080, 60, 64), 2);
        assert_eq!(threads(x264, 3840, 2160, 30, 64), 4);
        assert_eq!(threads(x264, 3840, 2160, 30, 2), 2);
        assert_eq!(threads(x264, 7680, 4320, 240, 16), 16);
        let x265 = &h265::ENCODERS[0];
        assert_eq!(threads(x265, 1280, 720, 25, 64), 1);
        assert_eq!(threads(x265, 1920, 1080, 25, 64), 3);
    }
}
