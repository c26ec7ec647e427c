//! The tick: what it sounds like, and how it is heard.
//!
//! A tick is [`LENGTH`] of a sine that fades in and out along half a period of a cosine ([`FADE`] each).
//!
//! | module | job |
//! | --- | --- |
//! | [`ear`] | hears ticks in sound |

pub mod ear;

use std::f64::consts::{PI, TAU};

/// How long a tick sounds, in ns.
pub const LENGTH: i64 = 20_000_000;
/// How long it fades in, and out, in ns.
pub const FADE: i64 = 2_000_000;
/// What a tick sounds like unless somebody says otherwise, and the only one that is heard, in Hz.
pub const FREQUENCY: f64 = 1_000.0;

const SECONDS_PER_NANOSECOND: f64 = 1e-9;

/// What a tick sounds like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sound {
    /// In Hz.
    pub frequency: f64,
    /// The amplitude; 1 is full scale.
    pub volume: f64,
}

impl Sound {
    /// The value, between -1 and 1, at so many seconds after the tick's beginning.
    #[must_use]
    pub fn at(self, seconds: f64) -> f64 {
        let length = seconds_of(LENGTH);
        if !(0.0..length).contains(&seconds) {
            return 0.0;
        }
        let from_edge = seconds.min(length - seconds);
        self.volume * envelope(from_edge) * (TAU * self.frequency * seconds).sin()
    }
}

/// How loud a tick is at so many seconds from its nearer edge; 1 is as loud as it gets.
fn envelope(from_edge: f64) -> f64 {
    let fade = seconds_of(FADE);
    if from_edge <= 0.0 {
        0.0
    } else if from_edge < fade {
        (1.0 - (PI * from_edge / fade).cos()) / 2.0
    } else {
        1.0
    }
}

#[allow(clippy::cast_precision_loss, reason = "no length is anywhere near 2^53 ns")]
const fn seconds_of(nanoseconds: i64) -> f64 {
    nanoseconds as f64 * SECONDS_PER_NANOSECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: Sound = Sound {
        frequency: 1000.0,
        volume: 0.5,
    };

    #[test]
    fn the_waveform_is_a_sine_that_fades_in_and_out() {
        assert_eq!(SOUND.at(-1e-9).to_bits(), 0.0_f64.to_bits());
        assert_eq!(SOUND.at(0.020).to_bits(), 0.0_f64.to_bits());
        assert!(SOUND.at(0.000_01).abs() < 1e-5, "it begins softly");
        for periods in [5.25, 10.25] {
            assert!((SOUND.at(periods / 1000.0) - 0.5).abs() < 1e-9);
        }
        assert!((SOUND.at(0.001_25) - 0.25 * (1.0 - (PI * 0.625).cos())).abs() < 1e-9);
    }
}
