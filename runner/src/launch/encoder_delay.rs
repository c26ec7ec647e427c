//! How much later sound comes out of a decoder than it went into the encoder, by the time stamps of both.
//!
//! An encoder that looks ahead, or that overlaps its frames, begins with samples that nobody put in, and RTP has no field
//! that would tell a receiver to leave them out (a file has: Opus's pre-skip, an edit list). So the source's time stamps
//! are early by as much. `tests/picture/encoder_delay.rs` measures each figure again.

/// In samples of the encoder's own rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// The encoder's element.
    pub encoder: &'static str,
    /// How many samples.
    pub samples: u32,
    /// Samples a second.
    pub rate: u32,
}

/// The delays, by encoder, with the settings of [`crate::launch::audio`].
pub const DELAYS: [Delay; 5] = [
    // Each byte is a sample.
    Delay {
        encoder: "mulawenc",
        samples: 0,
        rate: 8_000,
    },
    Delay {
        encoder: "alawenc",
        samples: 0,
        rate: 8_000,
    },
    Delay {
        encoder: "voaacenc",
        samples: 1600,
        rate: 48_000,
    },
    // One frame of priming.
    Delay {
        encoder: "avenc_aac",
        samples: 1024,
        rate: 48_000,
    },
    // It takes its look-ahead (2.5 ms) back itself: its second packet begins that much less than a packet after its first.
    Delay {
        encoder: "opusenc",
        samples: 0,
        rate: 48_000,
    },
];

impl Delay {
    /// That of the element `encoder`; `None` for one that this server does not use.
    #[must_use]
    pub fn of(encoder: &str) -> Option<Self> {
        DELAYS.into_iter().find(|delay| delay.encoder == encoder)
    }

    /// In ns.
    #[must_use]
    pub fn nanoseconds(self) -> u64 {
        u64::from(self.samples) * 1_000_000_000 / u64::from(self.rate)
    }
}
