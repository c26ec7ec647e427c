//! Buffers of sound to ticks and their running times.

use std::collections::VecDeque;

use clockface::tick::ear::{Ear, MIN_RATE};
use gst::prelude::*;
use gst_audio::{AudioFormat, AudioInfo};

/// The formats that are listened to, interleaved.
pub(super) const FORMATS: [AudioFormat; 4] = [
    AudioFormat::F32le,
    AudioFormat::S16le,
    AudioFormat::S32le,
    AudioFormat::F64le,
];

/// Sound goes on where it stopped unless its PTS says that this much is missing or doubled. Jitter is less.
const GAP: gst::ClockTime = gst::ClockTime::from_mseconds(20);

/// A tick that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heard {
    /// The running time of its first sample.
    pub(super) running: gst::ClockTime,
    /// When the buffer with it came, in ns since the Unix epoch.
    pub(super) arrival: i64,
}

/// Listens to one stream of sound.
#[derive(Debug, Default)]
pub(super) struct Listener {
    segment: Option<gst::FormattedSegment<gst::ClockTime>>,
    hearing: Option<Hearing>,
}

impl Listener {
    /// What comes next has these caps.
    pub(super) fn set_caps(&mut self, caps: &gst::CapsRef) {
        let info = AudioInfo::from_caps(caps).ok();
        self.hearing = info.filter(|info| info.rate() >= MIN_RATE).map(Hearing::new);
    }

    /// What comes next lies in this segment; `None` while that is not known.
    pub(super) fn set_segment(&mut self, segment: Option<gst::FormattedSegment<gst::ClockTime>>) {
        self.segment = segment;
    }

    /// Forgets what was heard, for what comes next does not follow it.
    pub(super) fn interrupt(&mut self) {
        if let Some(hearing) = &mut self.hearing {
            hearing.restart();
        }
    }

    /// Listens to a buffer that came at `arrival`.
    pub(super) fn hear(&mut self, buffer: &gst::BufferRef, arrival: i64) -> Vec<Heard> {
        let (Some(hearing), Some(segment)) = (&mut self.hearing, &self.segment) else {
            return Vec::new();
        };
        let running = buffer.pts().and_then(|pts| segment.to_running_time(pts));
        match buffer.map_readable() {
            Ok(bytes) => hearing.hear(&bytes, running, arrival),
            Err(_) => Vec::new(),
        }
    }

    /// Nothing comes any more: what is left to be heard.
    pub(super) fn finish(&mut self) -> Vec<Heard> {
        self.hearing.as_mut().map(Hearing::finish).unwrap_or_default()
    }
}

/// What listening to one kind of sound needs.
#[derive(Debug)]
struct Hearing {
    info: AudioInfo,
    ear: Ear,
    /// Samples that the ear has heard.
    samples: u64,
    /// The last second's buffers.
    blocks: VecDeque<Block>,
    /// Where the next buffer goes on.
    next: Option<gst::ClockTime>,
}

/// Where a buffer's first sample lies.
#[derive(Debug, Clone, Copy)]
struct Block {
    /// Samples before it.
    first: u64,
    running: gst::ClockTime,
    arrival: i64,
}

impl Hearing {
    fn new(info: AudioInfo) -> Self {
        Self {
            ear: Ear::new(info.rate()),
            info,
            samples: 0,
            blocks: VecDeque::new(),
            next: None,
        }
    }

    fn restart(&mut self) {
        *self = Self::new(self.info.clone());
    }

    fn hear(&mut self, bytes: &[u8], running: Option<gst::ClockTime>, arrival: i64) -> Vec<Heard> {
        let goes_on = |next: gst::ClockTime| running.is_none_or(|running| running.absdiff(next) < GAP);
        if !self.next.is_none_or(goes_on) {
            self.restart();
        }
        let Some(running) = running.or(self.next) else {
            return Vec::new();
        };
        self.remember(Block {
            first: self.samples,
            running,
            arrival,
        });
        let frames = u64::try_from(bytes.len()).unwrap_or(0) / u64::from(self.info.bpf().max(1));
        self.samples += frames;
        self.next = Some(running.saturating_add(self.duration(frames)));
        let onsets = self.ear.hear(mono(bytes, &self.info));
        self.ticks(&onsets)
    }

    fn finish(&mut self) -> Vec<Heard> {
        let onsets = self.ear.finish();
        let ticks = self.ticks(&onsets);
        self.restart();
        ticks
    }

    fn remember(&mut self, block: Block) {
        let second_ago = block.first.saturating_sub(u64::from(self.info.rate()));
        while self
            .blocks
            .get(1)
            .is_some_and(|second| second.first <= second_ago)
        {
            self.blocks.pop_front();
        }
        self.blocks.push_back(block);
    }

    fn ticks(&self, onsets: &[f64]) -> Vec<Heard> {
        onsets.iter().filter_map(|&onset| self.tick(onset)).collect()
    }

    /// A tick that begins so many samples after the first one.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "the place lies within a second of its block"
    )]
    fn tick(&self, onset: f64) -> Option<Heard> {
        let before = |block: &&Block| block.first as f64 <= onset;
        let block = self.blocks.iter().rev().find(before)?;
        let seconds = (onset - block.first as f64) / f64::from(self.info.rate());
        Some(Heard {
            running: block.running + gst::ClockTime::from_nseconds((seconds * 1e9).round() as u64),
            arrival: block.arrival,
        })
    }

    fn duration(&self, frames: u64) -> gst::ClockTime {
        let rate = u64::from(self.info.rate());
        gst::ClockTime::SECOND
            .mul_div_floor(frames, rate)
            .unwrap_or(gst::ClockTime::MAX)
    }
}

/// The mean of all channels, between -1 and 1.
fn mono(bytes: &[u8], info: &AudioInfo) -> impl Iterator<Item = f64> {
    let format = info.format();
    let width = usize::try_from(info.bps()).unwrap_or(0).max(1);
    let frame = usize::try_from(info.bpf()).unwrap_or(0).max(1);
    let channels = f64::from(info.channels().max(1));
    bytes.chunks_exact(frame).map(move |frame| {
        let samples = frame.chunks_exact(width).map(|bytes| sample(bytes, format));
        samples.sum::<f64>() / channels
    })
}

/// A sample, between -1 and 1; 0 where there is none that is a number.
fn sample(bytes: &[u8], format: AudioFormat) -> f64 {
    let value = match format {
        AudioFormat::S16le => bytes
            .try_into()
            .map(|bytes| f64::from(i16::from_le_bytes(bytes)) / 32_768.0),
        AudioFormat::S32le => bytes
            .try_into()
            .map(|bytes| f64::from(i32::from_le_bytes(bytes)) / 2_147_483_648.0),
        AudioFormat::F32le => bytes.try_into().map(|bytes| f64::from(f32::from_le_bytes(bytes))),
        AudioFormat::F64le => bytes.try_into().map(f64::from_le_bytes),
        _ => Ok(0.0),
    };
    value.ok().filter(|value| value.is_finite()).unwrap_or_default()
}
