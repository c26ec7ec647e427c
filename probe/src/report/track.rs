//! Samples to curves and marks over time.

use clockface::Stamp;

use super::words;
use crate::figures::{ClockRelation, Evidence, Loss, Sample, StreamFigures};

/// A place in time, in seconds since the beginning, and a value there in ms.
pub(super) type Point = (f64, f64);

/// What happened to a stream over time. Places are in seconds since the beginning of the measurement; for a
/// file, since PTS 0.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Track {
    /// Latency, corrected as the figures are; for a file: how far PTS moved against the stamp since the first
    /// reading.
    pub(super) values: Vec<Point>,
    /// From a new frame to the one before it; none where the samples are too far apart to tell.
    pub(super) intervals: Vec<Point>,
    /// Where a stamp could not be read.
    pub(super) unreadable: Vec<f64>,
    /// Where frames are missing.
    pub(super) losses: Vec<(f64, Loss)>,
    /// From where to where the picture stood still.
    pub(super) freezes: Vec<(f64, f64)>,
    /// From the beginning of the measurement, or of a file's pictures, to the last picture.
    pub(super) span: (f64, f64),
}

/// A picture with a stamp and its place.
type Placed = (f64, Stamp, Sample);

impl Track {
    /// The track of a stream; `origin` is the measurement's beginning in ns since the Unix epoch.
    pub(super) fn new(stream: &StreamFigures, evidence: &Evidence, origin: u64) -> Self {
        let place = |sample: &Sample| {
            let ns = if stream.live {
                Some(sample.arrival)
            } else {
                sample.pts
            };
            ns.map(|ns| words::difference(ns, if stream.live { origin } else { 0 }) / 1e3)
        };
        let places: Vec<_> = evidence
            .samples
            .iter()
            .filter_map(|it| Some((place(it)?, *it)))
            .collect();
        let read: Vec<Placed> = places
            .iter()
            .filter_map(|&(at, it)| Some((at, it.stamp?, it)))
            .collect();
        let unreadable: Vec<_> = places
            .iter()
            .filter(|(_, it)| it.stamp.is_none())
            .map(|&(at, _)| at)
            .collect();
        let fresh = fresh(&read);
        let thinned =
            u64::try_from(evidence.samples.len()).is_ok_and(|samples| samples < stream.counts.frames);
        Self {
            values: if stream.live {
                latencies(stream, &read)
            } else {
                moved(&read)
            },
            intervals: intervals(&fresh, &unreadable, thinned),
            losses: losses(stream, &read),
            freezes: freezes(stream, &fresh, &unreadable, places.last().map(|&(at, _)| at)),
            span: span(
                stream
                    .live
                    .then_some(0.0)
                    .into_iter()
                    .chain(places.iter().map(|&(at, _)| at)),
            ),
            unreadable,
        }
    }
}

/// When the first picture of any live stream came, in ns since the Unix epoch.
pub(super) fn origin(streams: &[StreamFigures], evidence: &[Evidence]) -> u64 {
    let live = streams.iter().zip(evidence).filter(|(stream, _)| stream.live);
    live.flat_map(|(_, evidence)| &evidence.samples)
        .map(|sample| sample.arrival)
        .min()
        .unwrap_or_default()
}

/// The lowest and the highest of some values; zeros where there are none.
pub(super) fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values
        .filter(|value| value.is_finite())
        .fold(None, |span, value| match span {
            None => Some((value, value)),
            Some((low, high)) => Some((value.min(low), value.max(high))),
        })
        .unwrap_or_default()
}

/// The frames that show something new: no repetitions, and none that came after a later one.
fn fresh(read: &[Placed]) -> Vec<Placed> {
    let mut fresh: Vec<Placed> = Vec::with_capacity(read.len());
    for &placed in read {
        let newer = fresh
            .last()
            .is_none_or(|last| placed.1.run != last.1.run || placed.1.frame > last.1.frame);
        if newer {
            fresh.push(placed);
        }
    }
    fresh
}

fn latencies(stream: &StreamFigures, read: &[Placed]) -> Vec<Point> {
    let correction = match stream.clock {
        ClockRelation::Ntp { correction } => correction.value,
        _ => 0.0,
    };
    read.iter()
        .filter_map(|(at, _, sample)| Some((*at, words::latency(sample)? - correction)))
        .collect()
}

/// How far PTS moved against the stamp since the first reading of each run.
fn moved(read: &[Placed]) -> Vec<Point> {
    let mut first: Option<(u32, f64)> = None;
    let mut values = Vec::with_capacity(read.len());
    for (at, stamp, sample) in read {
        let instant = u64::try_from(stamp.instant)
            .ok()
            .and_then(|us| us.checked_mul(1000));
        let (Some(pts), Some(instant)) = (sample.pts, instant) else {
            continue;
        };
        let apart = words::difference(pts, instant);
        let start = match first {
            Some((run, start)) if run == stamp.run => start,
            _ => apart,
        };
        first = Some((stamp.run, start));
        values.push((*at, apart - start));
    }
    values
}

/// Intervals between new frames with no unreadable picture between them, none that waited for the decoder to be set up. Samples that were thinned out leave
/// those between frames that follow each other.
fn intervals(fresh: &[Placed], unreadable: &[f64], thinned: bool) -> Vec<Point> {
    let before = |place: f64| unreadable.partition_point(|at| *at < place);
    let whole = |from: &Placed, to: &Placed| {
        from.1.run == to.1.run
            && !from.2.joining
            && before(from.0) == before(to.0)
            && (!thinned || to.1.frame.checked_sub(from.1.frame) == Some(1))
    };
    let pairs = fresh.windows(2).filter(|pair| whole(&pair[0], &pair[1]));
    pairs
        .map(|pair| (pair[1].0, (pair[1].0 - pair[0].0) * 1e3))
        .collect()
}

/// Losses, each at the picture that came after it.
fn losses(stream: &StreamFigures, read: &[Placed]) -> Vec<(f64, Loss)> {
    let mut places: Vec<(u64, f64)> = read
        .iter()
        .filter_map(|(at, stamp, _)| Some((u64::try_from(stamp.instant).ok()?.checked_mul(1000)?, *at)))
        .collect();
    places.sort_by_key(|&(instant, _)| instant);
    let place = |instant: u64| {
        let after = places.partition_point(|&(other, _)| other < instant);
        let near = [after.checked_sub(1), Some(after)]
            .into_iter()
            .flatten()
            .filter_map(|at| places.get(at));
        near.min_by_key(|(other, _)| other.abs_diff(instant))
            .map(|&(_, at)| at)
    };
    stream
        .losses
        .iter()
        .filter_map(|loss| Some((place(loss.instant)?, *loss)))
        .collect()
}

/// As many as were counted, of the longest times without a new frame. What could not be read may have been new.
fn freezes(
    stream: &StreamFigures,
    fresh: &[Placed],
    unreadable: &[f64],
    end: Option<f64>,
) -> Vec<(f64, f64)> {
    let starts = fresh.iter().map(|&(at, ..)| at);
    let ends = starts.clone().skip(1).chain(end);
    let before = |place: f64| unreadable.partition_point(|at| *at < place);
    let is_known = |&(start, end): &(f64, f64)| end > start && before(start) == before(end);
    let mut waits: Vec<_> = starts.zip(ends).filter(is_known).collect();
    waits.sort_by(|one, other| (other.1 - other.0).total_cmp(&(one.1 - one.0)));
    let usual = waits.get(waits.len() / 2).map_or(0.0, |(start, end)| end - start);
    let counted = usize::try_from(stream.counts.frozen).unwrap_or(usize::MAX);
    // Samples that were thinned out lie apart by themselves.
    waits
        .into_iter()
        .take(counted)
        .filter(|(start, end)| end - start > 2.0 * usual)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{Counts, Estimate, KeyFrames, Times};

    /// A picture of frame `frame` whose stamp was read, 25 a second, 10 ms after its instant.
    fn picture(frame: u64) -> Sample {
        Sample {
            arrival: 1_767_225_600_000_000_000 + frame * 40_000_000 + 10_000_000,
            packet: None,
            pts: Some(frame * 40_000_000),
            stamp: Some(Stamp {
                instant: 1_767_225_600_000_000 + i64::try_from(frame).unwrap() * 40_000,
                frame,
                viewers: 0,
                stream: 0,
                run: 1,
            }),
            joining: false,
        }
    }

    fn stream(frames: u64, frozen: u64) -> StreamFigures {
        StreamFigures {
            url: String::new(),
            live: true,
            transport: None,
            codec: None,
            width: 0,
            height: 0,
            stream_id: None,
            viewers: None,
            alteration: None,
            frames_per_second: None,
            counts: Counts {
                frames,
                frozen,
                ..Counts::default()
            },
            latency: None,
            network: None,
            decoder: None,
            interval: None,
            drift_ppm: None,
            drift_uncertainty_ppm: None,
            first_picture: None,
            key_frames: KeyFrames::default(),
            clock: ClockRelation::Ntp {
                correction: Estimate {
                    value: 4.0,
                    uncertainty: 1.0,
                },
            },
            times: Times::default(),
            sound: None,
            losses: Vec::new(),
            spots: Vec::new(),
            differences: Vec::new(),
            problems: Vec::new(),
            ..StreamFigures::default()
        }
    }

    fn track(stream: &StreamFigures, samples: Vec<Sample>) -> Track {
        let evidence = Evidence { samples, still: None };
        Track::new(stream, &evidence, picture(0).arrival)
    }

    fn rounded(points: &[Point]) -> Vec<(String, String)> {
        points
            .iter()
            .map(|(at, value)| (format!("{at:.2}"), format!("{value:.1}")))
            .collect()
    }

    #[test]
    fn a_latency_is_corrected_as_the_figures_are() {
        let track = track(&stream(2, 0), [0, 1].map(picture).to_vec());
        let expected = [("0.00", "6.0"), ("0.04", "6.0")].map(|(at, ms)| (at.to_owned(), ms.to_owned()));
        assert_eq!(rounded(&track.values), expected);
    }

    #[test]
    fn an_interval_is_between_new_frames_and_not_across_an_unreadable_one() {
        let mut samples = [0, 1, 1, 3, 4, 5].map(picture).to_vec();
        samples[2].arrival += 20_000_000;
        samples[4].stamp = None;
        let track = track(&stream(6, 0), samples);
        let expected = [("0.04", "40.0"), ("0.12", "80.0")].map(|(at, ms)| (at.to_owned(), ms.to_owned()));
        assert_eq!(rounded(&track.intervals), expected);
        assert_eq!(track.unreadable.len(), 1);
    }

    #[test]
    fn what_waited_for_the_decoder_is_on_no_curve() {
        let mut samples = [0, 1, 2, 3].map(picture).to_vec();
        for waited in &mut samples[..2] {
            waited.joining = true;
            waited.arrival += 400_000_000;
        }
        let track = track(&stream(4, 0), samples);
        assert_eq!((track.values.len(), track.intervals.len()), (2, 1));
    }

    #[test]
    fn samples_that_were_thinned_out_make_no_intervals() {
        let samples: Vec<_> = (0..50).map(|n| picture(n * 10)).collect();
        assert_eq!(track(&stream(500, 0), samples).intervals, []);
    }

    #[test]
    fn a_freeze_is_the_longest_time_without_a_new_frame() {
        let samples: Vec<_> = (0..50).chain(80..120).map(picture).collect();
        let none = track(&stream(90, 0), samples.clone());
        assert_eq!(none.freezes, []);
        let one = track(&stream(90, 2), samples);
        assert_eq!(rounded(&one.freezes), [("1.96".to_owned(), "3.2".to_owned())]);
    }
}
