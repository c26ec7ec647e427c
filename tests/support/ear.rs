//! Hears ticks of `clocktone`: where each begins, between two samples where need be.

use std::ops::Range;

use clockface::tick::{FADE, LENGTH, Sound};

/// The default tick at full volume: only its shape is held against what is heard.
const SOUND: Sound = Sound {
    frequency: 1000.0,
    volume: 1.0,
};
/// What is louder than this part of the loudest sample belongs to a tick; what an encoder smears around it does not.
const LOUD: f64 = 0.3;
/// Ticks are further apart than this (seconds).
const PAUSE: f64 = 0.05;
/// What is softer is no tick (of full scale).
const AUDIBLE: f64 = 0.05;
/// How far a first guess may be off (seconds): half a period, for the next one would sound alike.
const GUESS: f64 = 0.0005;
/// Seconds.
const STEP: f64 = 2e-6;

/// Where ticks begin in `samples` of `rate` a second, in seconds after the first sample. One that is cut off at either
/// end is left out.
pub fn onsets(samples: &[f64], rate: f64) -> Vec<f64> {
    loud_parts(samples, rate)
        .into_iter()
        .filter_map(|part| onset(samples, &part, rate))
        .collect()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)]
fn loud_parts(samples: &[f64], rate: f64) -> Vec<Range<usize>> {
    let loudest = samples
        .iter()
        .fold(0.0_f64, |loudest, sample| loudest.max(sample.abs()));
    let mut parts: Vec<Range<usize>> = Vec::new();
    let threshold = (LOUD * loudest).max(AUDIBLE);
    for (index, _) in samples
        .iter()
        .enumerate()
        .filter(|(_, sample)| sample.abs() > threshold)
    {
        match parts.last_mut() {
            Some(part) if (index - part.end) as f64 / rate < PAUSE => part.end = index + 1,
            _ => parts.push(index..index + 1),
        }
    }
    parts
}

/// The beginning of the tick of which a part is loud: a guess by the middle of its energy, as a tick is symmetric; then
/// where the known waveform fits best.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)]
fn onset(samples: &[f64], part: &Range<usize>, rate: f64) -> Option<f64> {
    let length = LENGTH as f64 * 1e-9;
    let margin = (FADE as f64 * 2e-9 * rate) as usize;
    let around = part.start.checked_sub(margin)?..part.end + margin;
    let heard = samples.get(around.clone())?;
    let time = |index: usize| (around.start + index) as f64 / rate;
    let energy: f64 = heard.iter().map(|sample| sample * sample).sum();
    let moment: f64 = heard
        .iter()
        .enumerate()
        .map(|(index, sample)| time(index) * sample * sample)
        .sum();
    let guess = moment / energy - length / 2.0;
    let fit = |begin: f64| -> f64 {
        let pairs = heard.iter().enumerate();
        pairs
            .map(|(index, sample)| sample * SOUND.at(time(index) - begin))
            .sum()
    };
    let steps = (GUESS / STEP) as i32;
    (-steps..=steps)
        .map(|step| guess + f64::from(step) * STEP)
        .max_by(|one, other| fit(*one).total_cmp(&fit(*other)))
}

/// Sound as it comes, buffer by buffer.
#[derive(Debug, Default)]
pub struct Recording {
    samples: Vec<f64>,
    /// Samples a second.
    rate: f64,
    /// Where each buffer begins: the number of its first sample, and its time in seconds.
    buffers: Vec<(usize, f64)>,
}

impl Recording {
    /// Adds the bytes of a mono buffer of F64LE that begins at `time` (ns).
    #[allow(clippy::cast_precision_loss)]
    pub fn push(&mut self, time: u64, bytes: &[u8], rate: u32) {
        self.rate = f64::from(rate);
        self.buffers.push((self.samples.len(), time as f64 * 1e-9));
        let values = bytes
            .chunks_exact(8)
            .flat_map(|value| value.try_into().map(f64::from_le_bytes));
        self.samples.extend(values);
    }

    /// When ticks begin, in seconds, by the time of the buffer in which each does.
    #[allow(clippy::cast_precision_loss)]
    pub fn ticks(&self) -> Vec<f64> {
        let time = |onset: f64| {
            let sample = onset * self.rate;
            let next = self.buffers.partition_point(|(first, _)| *first as f64 <= sample);
            let (first, time) = self.buffers[next.saturating_sub(1)];
            time + (sample - first as f64) / self.rate
        };
        onsets(&self.samples, self.rate).into_iter().map(time).collect()
    }
}
