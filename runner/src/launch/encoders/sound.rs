//! Sound: its encoders, how each is set, and how much later sound comes out of a decoder than it went into the encoder.
//!
//! An encoder that looks ahead, or that overlaps its frames, begins with samples that nobody put in, and RTP has no field
//! that would tell a receiver to leave them out (a file has: Opus's pre-skip, an edit list). So the source's time stamps
//! are early by as much. `tests/picture/encoder_delay.rs` measures each figure again.
//!
//! - **`tolerance`**, in ns: an encoder takes a gap of up to 40 ms for none by default, and everything after it would be early by
//!   the gap. A millisecond is more than time stamps are rounded by, and less than a buffer.
//! - **`bitrate`**: with it the tick comes out of either codec as it went in.
//! - **`restricted-lowdelay`**: Opus without its speech mode, whose look-ahead is longer and which has no use for ticks.

use crate::launch::debian;

const TOLERANCE: &str = "tolerance=1000000";
const BITRATE: &str = "bitrate=64000";

/// An element that encodes sound, and how it is set.
#[derive(Debug)]
pub struct SoundEncoder {
    /// The element.
    pub name: &'static str,
    /// The Debian package that has it.
    pub(crate) package: &'static str,
    /// Its properties, each as a word of launch syntax.
    properties: &'static [&'static str],
    /// How many samples a second it is given.
    pub rate: u32,
    /// How many samples late the sound is behind the encoder and a decoder.
    pub(crate) delay: u32,
}

impl SoundEncoder {
    /// Its words in launch syntax.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let words = std::iter::once(self.name).chain(self.properties.iter().copied());
        words.map(str::to_owned).collect()
    }

    /// Its delay in ns.
    #[must_use]
    pub fn delay_in_nanoseconds(&self) -> u64 {
        u64::from(self.delay) * 1_000_000_000 / u64::from(self.rate)
    }
}

/// What both kinds of G.711 have in common: each byte is a sample.
const G711: SoundEncoder = SoundEncoder {
    name: "",
    package: debian::GOOD,
    properties: &[TOLERANCE],
    rate: 8_000,
    delay: 0,
};

pub(in crate::launch) const PCMU_ENCODERS: [SoundEncoder; 1] = [SoundEncoder {
    name: "mulawenc",
    ..G711
}];

pub(in crate::launch) const PCMA_ENCODERS: [SoundEncoder; 1] = [SoundEncoder {
    name: "alawenc",
    ..G711
}];

pub(in crate::launch) const AAC_ENCODERS: [SoundEncoder; 2] = [
    SoundEncoder {
        name: "voaacenc",
        package: debian::BAD,
        properties: &[BITRATE, TOLERANCE],
        rate: 48_000,
        delay: 1600,
    },
    // This one comes with all of libav, and begins with one frame of priming.
    SoundEncoder {
        name: "avenc_aac",
        package: debian::LIBAV,
        properties: &[BITRATE, TOLERANCE],
        rate: 48_000,
        delay: 1024,
    },
];

pub(in crate::launch) const OPUS_ENCODERS: [SoundEncoder; 1] = [SoundEncoder {
    name: "opusenc",
    package: debian::BASE,
    properties: &[BITRATE, TOLERANCE, "audio-type=restricted-lowdelay"],
    rate: 48_000,
    // The encoder takes its look-ahead (2.5 ms) back itself: its second packet begins that much less than a packet
    // after its first.
    delay: 0,
}];
