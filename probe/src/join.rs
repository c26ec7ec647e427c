//! Measures the segments of one recording as one time line, in the order of their stamps.
//!
//! | module | job |
//! | --- | --- |
//! | `files` | the segments that a folder or a playlist stands for |
//! | `seams` | where one segment ends and the next begins |

mod files;
mod seams;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::figures::{Distribution, Evidence, Loss, Measurement, Sample, Segment, Sound, StreamFigures};
use crate::live::Progress;
use crate::measure::{Observer, Options, Outcome, measure_until};
pub(crate) use files::segments;
use seams::{Ends, Seam};

/// Segments that are read at a time.
const AT_ONCE: usize = 4;
/// Pictures of all segments that the report is given at most.
const KEPT: usize = 200_000;

/// Measures the targets, all of them files, as one recording: its figures are one stream's. Each file is played to its
/// end, or until `options.duration` is over.
///
/// # Errors
/// As [`measure_until`].
pub fn measure_joined(
    options: &Options,
    stop: &AtomicBool,
    observer: &mut dyn Observer,
) -> anyhow::Result<Outcome> {
    let begin = Instant::now();
    let mut reader = Reader {
        observer,
        ends: HashMap::new(),
    };
    let mut parts: Vec<Outcome> = Vec::new();
    for targets in options.targets.chunks(AT_ONCE) {
        let left = options.duration.map(|all| all.saturating_sub(begin.elapsed()));
        if !parts.is_empty() && (stop.load(Ordering::Relaxed) || left == Some(Duration::ZERO)) {
            break;
        }
        let some = Options {
            targets: targets.to_vec(),
            vias: Vec::new(),
            duration: left,
            ..options.clone()
        };
        parts.push(measure_until(&some, stop, &mut reader)?);
    }
    Ok(join(parts, &reader.ends, options))
}

/// Looks at the pictures of all segments on their way to an observer.
struct Reader<'a> {
    observer: &'a mut dyn Observer,
    ends: HashMap<String, Ends>,
}

impl Observer for Reader<'_> {
    fn picture(&mut self, url: &str, sample: &Sample) -> anyhow::Result<()> {
        self.ends.entry(url.to_owned()).or_default().picture(sample);
        self.observer.picture(url, sample)
    }

    fn problem(&mut self, url: &str, sentence: &str) {
        self.observer.problem(url, sentence);
    }

    fn wants_progress(&self) -> bool {
        self.observer.wants_progress()
    }

    fn progress(&mut self, streams: &[Progress]) {
        self.observer.progress(streams);
    }
}

fn join(parts: Vec<Outcome>, ends: &HashMap<String, Ends>, options: &Options) -> Outcome {
    let failed = parts.iter().any(|part| part.failed);
    let seconds = parts.iter().map(|part| part.measurement.seconds).sum();
    let mut head: Option<Measurement> = None;
    let mut pieces = Vec::new();
    for mut part in parts {
        let figures = std::mem::take(&mut part.measurement.streams);
        let known = figures.into_iter().zip(part.evidence);
        pieces.extend(known.map(|(figures, evidence)| Piece {
            ends: ends.get(&figures.url).copied().unwrap_or_default(),
            figures,
            evidence,
        }));
        head.get_or_insert(part.measurement);
    }
    pieces.sort_by_key(|piece| piece.ends.first.map_or(i64::MAX, |first| first.instant));
    let (figures, evidence, is_whole) = of_pieces(pieces);
    let limits = options.limits.check(&figures);
    let measurement = head.map(|head| Measurement {
        seconds,
        streams: vec![figures],
        limits,
        ..head
    });
    Outcome {
        measurement: measurement.unwrap_or_default(),
        evidence: vec![evidence],
        failed: failed || !is_whole,
    }
}

/// What is known of a segment.
struct Piece {
    ends: Ends,
    figures: StreamFigures,
    evidence: Evidence,
}

/// One time line of all pieces, and whether each of them has its place on it.
fn of_pieces(pieces: Vec<Piece>) -> (StreamFigures, Evidence, bool) {
    let is_whole = pieces.iter().all(|piece| piece.ends.first.is_some());
    let mut line = Line::default();
    for piece in pieces {
        line.append(piece);
    }
    let (figures, evidence) = line.finish();
    (figures, evidence, is_whole)
}

/// The time line so far.
#[derive(Default)]
struct Line {
    figures: StreamFigures,
    evidence: Evidence,
    ends: Option<Ends>,
    intervals: Vec<Distribution>,
    frames_per_second: Vec<(f64, u64)>,
    offsets: Vec<f64>,
    begin: Option<i64>,
}

impl Line {
    fn append(&mut self, piece: Piece) {
        let Piece {
            ends,
            mut figures,
            evidence,
        } = piece;
        let seam = self.ends.and_then(|before| Seam::between(&before, &ends));
        self.note_seam(seam.as_ref(), &ends);
        self.figures.segments.push(Segment {
            file: figures.url.clone(),
            first: ends.first.map(|stamp| nanoseconds(stamp.instant)),
            last: ends.last.map(|stamp| nanoseconds(stamp.instant)),
            frames: figures.counts.frames,
            gap: seam.map_or(0.0, |seam| seam.gap),
            missing: seam.map_or(0, |seam| seam.missing),
            overlap: seam.map_or(0, |seam| seam.overlap),
        });
        self.take_figures(&mut figures);
        self.take_evidence(evidence, &ends);
        self.ends = match (self.ends, ends.first) {
            (Some(before), Some(_)) => Some(before.and(&ends)),
            (before, None) => before,
            (None, Some(_)) => Some(ends),
        };
    }

    fn note_seam(&mut self, seam: Option<&Seam>, next: &Ends) {
        let (Some(seam), Some(before), Some(first)) =
            (seam, self.ends.and_then(|ends| ends.last), next.first)
        else {
            return;
        };
        self.figures.counts.restarts += u64::from(before.run != first.run);
        self.figures.counts.lost += seam.missing;
        if seam.missing > 0 {
            self.figures.losses.push(Loss {
                instant: nanoseconds(first.instant),
                first: before.frame + 1,
                count: seam.missing,
            });
        }
        if seam.gap > 0.0 {
            self.note_interval(seam.gap);
        }
    }

    /// A time between two new frames, in ms, as a distribution of its own.
    fn note_interval(&mut self, ms: f64) {
        self.intervals.push(Distribution {
            count: 1,
            min: ms,
            mean: ms,
            p50: ms,
            p90: ms,
            p99: ms,
            max: ms,
        });
    }

    fn take_figures(&mut self, of: &mut StreamFigures) {
        let line = &mut self.figures;
        line.counts = line.counts.and(&of.counts);
        line.codec = line.codec.take().or(of.codec.take());
        if line.width == 0 {
            (line.width, line.height) = (of.width, of.height);
        }
        line.stream_id = of.stream_id.or(line.stream_id);
        line.viewers = of.viewers.or(line.viewers);
        line.key_frames.count += of.key_frames.count;
        line.losses.append(&mut of.losses);
        let told = of
            .problems
            .drain(..)
            .map(|problem| format!("{}: {problem}", of.url));
        line.problems.extend(told);
        self.intervals.extend(of.interval);
        self.frames_per_second
            .extend(of.frames_per_second.map(|fps| (fps, of.counts.frames)));
        if let Some(sound) = of.sound {
            line.sound = Some(line.sound.map_or(sound, |before| and(before, sound)));
            self.offsets.extend(sound.offset_median);
        }
    }

    /// Puts the pictures of a file on the time line of the stamps, as each file's own begins at zero.
    fn take_evidence(&mut self, evidence: Evidence, ends: &Ends) {
        let begin = *self
            .begin
            .get_or_insert(ends.first.map_or(0, |first| first.instant));
        let place = |sample: &Sample| {
            let since = sample.stamp.map(|stamp| stamp.instant.saturating_sub(begin));
            Sample {
                pts: since.map(nanoseconds).or(sample.pts),
                ..*sample
            }
        };
        let room = KEPT.saturating_sub(self.evidence.samples.len());
        self.evidence
            .samples
            .extend(evidence.samples.iter().take(room).map(place));
        self.evidence.still = self.evidence.still.take().or(evidence.still);
    }

    fn finish(mut self) -> (StreamFigures, Evidence) {
        let names: Vec<&str> = self
            .figures
            .segments
            .iter()
            .map(|segment| segment.file.as_str())
            .collect();
        self.figures.url = match names.as_slice() {
            [] => String::new(),
            [one] => (*one).to_owned(),
            [first, .., last] => format!("{first} … {last} ({} segments)", names.len()),
        };
        self.figures.interval = seams::together(&self.intervals);
        self.figures.frames_per_second = seams::rate(&self.frames_per_second);
        self.offsets.sort_by(f64::total_cmp);
        if let Some(sound) = &mut self.figures.sound {
            sound.offset_median = self.offsets.get(self.offsets.len() / 2).copied();
        }
        (self.figures, self.evidence)
    }
}

fn and(before: Sound, next: Sound) -> Sound {
    let farther = |a: f64, b: f64| if a.abs() < b.abs() { b } else { a };
    Sound {
        ticks: before.ticks + next.ticks,
        offset_max: match (before.offset_max, next.offset_max) {
            (Some(before), Some(next)) => Some(farther(before, next)),
            (before, next) => before.or(next),
        },
        ..before
    }
}

/// An instant in µs as ns; one before the Unix epoch becomes the epoch.
fn nanoseconds(microseconds: i64) -> u64 {
    u64::try_from(microseconds)
        .unwrap_or_default()
        .saturating_mul(1000)
}
