//! Hears ticks: 20 ms of 1 kHz that fade in and out, alone. Pure arithmetic.
//!
//! A tick is what its waveform explains: at each candidate place, the tick of any phase that fits best (least
//! squares) has to make up most of the energy, with far less energy before and after it. Its place is then
//! where it fits best, between samples too.

use std::f64::consts::TAU;

use super::{FREQUENCY, envelope, seconds_of};

/// Seconds that a tick sounds.
const LENGTH: f64 = seconds_of(super::LENGTH);
/// Seconds from one look to the next: well within the width of the fit's peak.
const HOP: f64 = 0.001;
/// Seconds before and after a tick that have to be quiet ...
const QUIET: f64 = 0.020;
/// ... but for these beside it, into which codecs smear it.
const SMEAR: f64 = 0.002;
/// A place is a candidate where a tick explains so much of the energy, ...
const CANDIDATE: f64 = 0.5;
/// ... and a tick if it explains so much where it fits best.
const TICK: f64 = 0.7;
/// How loud its surroundings may be beside it, by energy.
const SURROUNDINGS: f64 = 0.2;
/// The mean square of what is silence: -66 dB of full scale.
const SILENCE: f64 = 2.5e-7;
/// The place is searched until it is known to so many seconds.
const PRECISION: f64 = 1e-6;
/// Below it, 1 kHz and its fades have too few samples.
pub const MIN_RATE: u32 = 4_000;

/// Listens to one channel of sound.
#[derive(Debug)]
pub struct Ear {
    /// Samples a second.
    rate: f64,
    tick: Template,
    /// What has been heard of late.
    samples: Vec<f64>,
    /// How many samples were heard before those.
    forgotten: usize,
    /// The middle of the next place to look at.
    next: usize,
    best: Option<Candidate>,
}

/// A place that may be that of a tick.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    /// The sample in its middle.
    middle: usize,
    /// The energy that a tick explains there.
    explained: f64,
}

impl Ear {
    /// An ear for sound of so many samples a second, at least [`MIN_RATE`].
    #[must_use]
    pub fn new(rate: u32) -> Self {
        let rate = f64::from(rate.max(MIN_RATE));
        let tick = Template::new(rate, 0.0);
        Self {
            rate,
            next: tick.half(),
            tick,
            samples: Vec::new(),
            forgotten: 0,
            best: None,
        }
    }

    /// Listens to more samples, between -1 and 1. Answers where ticks begin that are certain by now: in
    /// samples since the first one.
    pub fn hear(&mut self, samples: impl IntoIterator<Item = f64>) -> Vec<f64> {
        self.samples.extend(samples);
        let mut ticks = Vec::new();
        while self.next + self.tick.half() < self.forgotten + self.samples.len() {
            self.look();
            ticks.extend(self.decide());
            self.next += self.count(HOP).max(1);
        }
        self.forget();
        ticks
    }

    /// Listens to silence for long enough to be certain of what came before it.
    pub fn finish(&mut self) -> Vec<f64> {
        let silence = self.count(2.0 * (LENGTH + QUIET));
        self.hear((0..silence).map(|_| 0.0))
    }

    /// Looks at the next place.
    fn look(&mut self) {
        let middle = self.next;
        let Some(samples) = self.around(middle) else {
            return;
        };
        let energy = energy(samples);
        if energy <= SILENCE * count_to_f64(samples.len()) {
            return;
        }
        let explained = self.tick.explains(samples);
        if explained > CANDIDATE * energy && self.best.is_none_or(|best| explained > best.explained) {
            self.best = Some(Candidate { middle, explained });
        }
    }

    /// Settles the candidate once all that matters has been heard.
    fn decide(&mut self) -> Option<f64> {
        let best = self.best?;
        let heard = self.next + self.tick.half();
        if heard < best.middle + self.count(LENGTH / 2.0 + SMEAR + QUIET + 2.0 * HOP) {
            return None;
        }
        self.best = None;
        let (shift, explained) = self.search(best.middle)?;
        let samples = self.around(best.middle)?;
        if explained < TICK * energy(samples) || !self.is_alone(best.middle) {
            return None;
        }
        Some(count_to_f64(best.middle) + (shift - LENGTH / 2.0) * self.rate)
    }

    /// By how many seconds a tick fits better beside that sample, and the energy that it explains there.
    fn search(&self, middle: usize) -> Option<(f64, f64)> {
        let samples = self.around(middle)?;
        let explained = |shift: f64| Template::new(self.rate, shift).explains(samples);
        // Golden section: the fit has one peak within a hop of the best look.
        let part = (5.0_f64.sqrt() - 1.0) / 2.0;
        let (mut from, mut to) = (-1.5 * HOP, 1.5 * HOP);
        while to - from > PRECISION {
            let (left, right) = (to - part * (to - from), from + part * (to - from));
            if explained(left) < explained(right) {
                from = left;
            } else {
                to = right;
            }
        }
        let shift = f64::midpoint(from, to);
        Some((shift, explained(shift)))
    }

    /// Whether it is quiet before and after a tick in that place.
    fn is_alone(&self, middle: usize) -> bool {
        let Some(tick) = self.around(middle) else {
            return false;
        };
        let (near, far) = (LENGTH / 2.0 + SMEAR, LENGTH / 2.0 + SMEAR + QUIET);
        let before = self.heard(
            middle.checked_sub(self.count(far)),
            middle.checked_sub(self.count(near)),
        );
        let after = self.heard(Some(middle + self.count(near)), Some(middle + self.count(far)));
        let quiet = |samples: &[f64]| mean_square(samples) < SURROUNDINGS * mean_square(tick);
        before.is_some_and(quiet) && after.is_some_and(quiet)
    }

    /// The samples of a tick's length around one.
    fn around(&self, middle: usize) -> Option<&[f64]> {
        let half = self.tick.half();
        self.heard(middle.checked_sub(half), Some(middle + half + 1))
    }

    /// What was heard from a sample to another; `None` unless all of it is still known.
    fn heard(&self, from: Option<usize>, to: Option<usize>) -> Option<&[f64]> {
        let index = |at: Option<usize>| at?.checked_sub(self.forgotten);
        self.samples.get(index(from)?..index(to)?)
    }

    /// Forgets what no look will need any more.
    fn forget(&mut self) {
        let keep = self.count(2.0 * (LENGTH + SMEAR + QUIET));
        let old = self.next.saturating_sub(keep).saturating_sub(self.forgotten);
        // Not each time, for what stays has to be moved.
        if old > keep {
            self.samples.drain(..old.min(self.samples.len()));
            self.forgotten += old;
        }
    }

    /// How many samples these seconds are.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some ms of samples"
    )]
    fn count(&self, seconds: f64) -> usize {
        (seconds * self.rate).round() as usize
    }
}

/// A tick of any phase and loudness: what is left of its freedom is its place.
#[derive(Debug)]
struct Template {
    /// Its envelope times a cosine and a sine, around its middle.
    waves: Vec<[f64; 2]>,
    /// The inverse of the waves' scalar products: of the cosine with itself, of both, of the sine with
    /// itself.
    inverse: [f64; 3],
}

impl Template {
    /// A tick whose middle is so many seconds after the sample in the middle.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some ms of samples"
    )]
    fn new(rate: f64, shift: f64) -> Self {
        let half = (LENGTH / 2.0 * rate).ceil() as i32;
        let wave = |index: i32| {
            let time = f64::from(index) / rate - shift;
            let (sin, cos) = (TAU * FREQUENCY * time).sin_cos();
            [cos, sin].map(|value| value * envelope(LENGTH / 2.0 - time.abs()))
        };
        let waves: Vec<[f64; 2]> = (-half..=half).map(wave).collect();
        let product = |a: usize, b: usize| waves.iter().map(|wave| wave[a] * wave[b]).sum::<f64>();
        let [cc, cs, ss] = [product(0, 0), product(0, 1), product(1, 1)];
        let determinant = cc * ss - cs * cs;
        let inverse = [ss, -cs, cc].map(|value| value / determinant);
        Self { waves, inverse }
    }

    /// Samples before and after the middle.
    fn half(&self) -> usize {
        self.waves.len() / 2
    }

    /// How much of the samples' energy it explains at best.
    fn explains(&self, samples: &[f64]) -> f64 {
        let (mut cos, mut sin) = (0.0, 0.0);
        for (sample, wave) in samples.iter().zip(&self.waves) {
            cos += sample * wave[0];
            sin += sample * wave[1];
        }
        let [cc, cs, ss] = self.inverse;
        cc * cos * cos + 2.0 * cs * cos * sin + ss * sin * sin
    }
}

fn energy(samples: &[f64]) -> f64 {
    samples.iter().map(|sample| sample * sample).sum()
}

fn mean_square(samples: &[f64]) -> f64 {
    energy(samples) / count_to_f64(samples.len().max(1))
}

#[allow(clippy::cast_precision_loss, reason = "2^53 samples are thousands of years")]
fn count_to_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: [u32; 7] = [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000];

    /// Numbers that look random, evenly between -1 and 1 (xorshift64*).
    struct Noise(u64);

    impl Noise {
        #[allow(clippy::cast_precision_loss, reason = "a random number has bits to spare")]
        fn next(&mut self) -> f64 {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
            bits as f64 / (1_u64 << 52) as f64 - 1.0
        }
    }

    /// So many seconds of sound.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some seconds of samples"
    )]
    fn sound(rate: u32, seconds: f64, at: impl FnMut(f64) -> f64) -> Vec<f64> {
        let rate = f64::from(rate);
        let samples = (seconds * rate) as u32;
        (0..samples)
            .map(|index| f64::from(index) / rate)
            .map(at)
            .collect()
    }

    /// A tick that begins at `start` seconds.
    fn tick(time: f64, start: f64, phase: f64) -> f64 {
        let since = time - start;
        envelope(since.min(LENGTH - since)) * (TAU * FREQUENCY * since + phase).sin()
    }

    /// Where ticks are heard, in seconds, when sound comes in buffers of so many samples.
    fn heard(rate: u32, sound: &[f64], buffer: usize) -> Vec<f64> {
        let mut ear = Ear::new(rate);
        let mut ticks: Vec<f64> = sound
            .chunks(buffer)
            .flat_map(|chunk| ear.hear(chunk.iter().copied()))
            .collect();
        ticks.extend(ear.finish());
        ticks.iter().map(|tick| tick / f64::from(rate)).collect()
    }

    #[track_caller]
    fn assert_ticks(heard: &[f64], expected: &[f64], tolerance: f64) {
        let close = heard
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() <= tolerance);
        assert!(
            heard.len() == expected.len() && close,
            "heard {heard:?}, not {expected:?}"
        );
    }

    #[test]
    fn ticks_are_found_between_samples_at_any_rate() {
        for rate in RATES {
            for (phase, volume) in [(0.0, 0.5), (1.0, 0.05), (4.0, 1.0)] {
                let starts = [0.123_456_7, 1.0, 1.999_99];
                let sound = sound(rate, 2.02, |time| {
                    starts
                        .iter()
                        .map(|&start| volume * tick(time, start, phase))
                        .sum()
                });
                for buffer in [160, 1024, 1_000_000] {
                    assert_ticks(&heard(rate, &sound, buffer), &starts, 5e-6);
                }
            }
        }
    }

    #[test]
    fn ticks_in_noise_are_found() {
        let mut noise = Noise(1);
        let starts: Vec<f64> = (1..20).map(f64::from).collect();
        for rate in [8_000, 48_000] {
            let sound = sound(rate, 20.5, |time| {
                let ticks: f64 = starts.iter().map(|&start| 0.5 * tick(time, start, 0.0)).sum();
                ticks + 0.1 * noise.next()
            });
            assert_ticks(&heard(rate, &sound, 480), &starts, 3e-4);
        }
    }

    #[test]
    fn other_sounds_are_no_ticks() {
        let mut noise = Noise(7);
        let mut brown = 0.0;
        let pulse = |time: f64, length: f64, frequency: f64| {
            if time.fract() < length {
                0.5 * (TAU * frequency * time).sin()
            } else {
                0.0
            }
        };
        let mut sounds: Vec<(&str, Vec<f64>)> = vec![("silence", sound(16_000, 3.0, |_| 0.0))];
        sounds.push(("white noise", sound(16_000, 60.0, |_| noise.next())));
        sounds.push((
            "brown noise",
            sound(16_000, 60.0, |_| {
                brown = 0.98 * brown + 0.1 * noise.next();
                brown
            }),
        ));
        sounds.push(("a tone", sound(16_000, 5.0, |time| (TAU * 1000.0 * time).sin())));
        sounds.push((
            "a voice",
            sound(16_000, 30.0, |time| voice(time) + 0.02 * noise.next()),
        ));
        sounds.push((
            "short beeps",
            sound(16_000, 5.0, |time| pulse(time, 0.008, 1000.0)),
        ));
        sounds.push((
            "long beeps",
            sound(16_000, 5.0, |time| pulse(time, 0.060, 1000.0)),
        ));
        sounds.push((
            "higher beeps",
            sound(16_000, 5.0, |time| pulse(time, 0.020, 1100.0)),
        ));
        sounds.push((
            "clicks",
            sound(16_000, 5.0, |time| if time.fract() < 1e-4 { 1.0 } else { 0.0 }),
        ));
        for (name, sound) in sounds {
            assert_eq!(heard(16_000, &sound, 320), [0.0; 0], "in {name}");
        }
    }

    /// Syllables of 120 Hz and its harmonics, loud around two formants that move.
    fn voice(time: f64) -> f64 {
        let pitch = 120.0 + 20.0 * (TAU * 0.7 * time).sin();
        let loudness = (TAU * 2.0 * time).sin().max(0.0) * 0.1;
        let formants = [
            600.0 + 300.0 * (TAU * 0.9 * time).sin(),
            1400.0 + 500.0 * (TAU * 0.4 * time).cos(),
        ];
        (1..25)
            .map(|harmonic| {
                let frequency = pitch * f64::from(harmonic);
                let near = formants.map(|formant| (-((frequency - formant) / 150.0).powi(2)).exp());
                loudness * (near[0] + near[1]) * (TAU * f64::from(harmonic) * 120.0 * time).sin()
            })
            .sum()
    }

    #[test]
    fn half_a_tick_at_the_beginning_is_none() {
        let sound = sound(48_000, 0.5, |time| tick(time, -0.008, 0.0));
        assert_ticks(&heard(48_000, &sound, 480), &[], 0.0);
    }

    #[test]
    fn an_ear_forgets() {
        let mut ear = Ear::new(8_000);
        for _ in 0..1_000 {
            ear.hear((0..800).map(|_| 0.0));
        }
        assert!(ear.samples.len() < 4_000, "{}", ear.samples.len());
    }
}
