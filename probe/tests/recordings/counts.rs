//! What was done to a recording on purpose is what is counted.

use rtsp_clock_probe::figures::{Alteration, Counts, StreamFigures};
use rtsp_clock_probe::target::Target;
use rtsp_clock_probe::{Options, Outcome, measure};

use crate::recording::{PERIOD, Placed, Recording, blank, frames, in_a_row};

fn outcome(name: &str, placed: &[Placed<'_>]) -> Outcome {
    let recording = Recording::write(name, placed);
    let target = Target::parse(recording.name(), None).expect("a file");
    measure(&Options::of(target)).expect("it is measured")
}

fn figures(name: &str, placed: &[Placed<'_>]) -> StreamFigures {
    let mut outcome = outcome(name, placed);
    assert!(outcome.is_good(), "{:#?}", outcome.measurement);
    outcome.measurement.streams.remove(0)
}

/// Counts of a recording of so many frames, all of them readable.
fn counts(frames: u64) -> Counts {
    Counts {
        frames,
        readings: frames,
        ..Counts::default()
    }
}

#[test]
fn a_whole_recording_lacks_nothing() {
    let outcome = outcome("whole", &in_a_row(&frames(60)));
    assert!(outcome.is_good());
    let figures = &outcome.measurement.streams[0];
    assert_eq!(figures.counts, counts(60));
    assert_eq!(
        (figures.losses.as_slice(), figures.problems.as_slice()),
        (&[][..], &[][..])
    );
    assert_eq!((figures.live, figures.latency), (false, None));
    assert_eq!(
        (figures.width, figures.height, figures.stream_id),
        (320, 240, Some(7))
    );
    assert_eq!(figures.codec.as_deref(), Some("MJPEG"));
    assert_eq!(figures.key_frames.count, 60);
    let interval = figures.interval.expect("frames");
    #[expect(clippy::cast_precision_loss, reason = "40")]
    let period = PERIOD as f64;
    assert_eq!((interval.count, interval.min, interval.max), (59, period, period));
    assert!(
        figures
            .frames_per_second
            .is_some_and(|fps| (fps - 25.0).abs() < 0.01)
    );
    // Two seconds tell no drift.
    assert_eq!(figures.drift_ppm, None);
    let evidence = &outcome.evidence[0];
    assert_eq!(evidence.samples.len(), 60);
    let still = evidence.still.as_ref().expect("a picture");
    assert_eq!(
        (still.width, still.height, still.rgb.len()),
        (320, 240, 320 * 240 * 3)
    );
}

#[test]
fn dropped_frames_are_lost_where_they_were() {
    let all = frames(60);
    let mut placed = in_a_row(&all);
    placed.retain(|(place, _)| ![10, 11, 30].contains(place));
    let figures = figures("dropped", &placed);
    assert_eq!(
        figures.counts,
        Counts {
            lost: 3,
            ..counts(57)
        }
    );
    let gaps = figures.losses.iter().map(|gap| (gap.first, gap.count));
    assert_eq!(gaps.collect::<Vec<_>>(), [(10, 2), (30, 1)]);
}

/// The brightness of a frame of 320x240 px, moved and changed pixel by pixel.
fn altered(
    frame: &gst::Buffer,
    from: impl Fn(usize, usize) -> (usize, usize),
    to: impl Fn(u8) -> u8,
) -> gst::Buffer {
    const WIDTH: usize = 320;
    const HEIGHT: usize = 240;
    let mut bytes = frame.map_readable().expect("memory").to_vec();
    let before = bytes[..WIDTH * HEIGHT].to_vec();
    for (at, pixel) in bytes[..WIDTH * HEIGHT].iter_mut().enumerate() {
        let (x, y) = from(at % WIDTH, at / WIDTH);
        *pixel = to(before[y * WIDTH + x]);
    }
    gst::Buffer::from_mut_slice(bytes)
}

#[test]
fn pictures_that_were_mirrored_turned_or_inverted_are_read_and_it_is_told() {
    let mirror = |x: usize, y: usize| (319 - x, y);
    let flip = |x: usize, y: usize| (x, 239 - y);
    let turn = |x: usize, y: usize| (319 - x, 239 - y);
    let stay = |x: usize, y: usize| (x, y);
    let all = frames(30);
    let read = |name: &str, frames: Vec<gst::Buffer>| {
        let figures = figures(name, &in_a_row(&frames));
        assert_eq!(figures.counts, counts(30), "{name}");
        figures.alteration.expect("stamps")
    };
    let alteration = |mirrored, turned, inverted| Alteration {
        mirrored,
        turned,
        inverted,
    };
    let same = |value| value;
    let of = |from: &dyn Fn(usize, usize) -> (usize, usize), to: &dyn Fn(u8) -> u8| {
        all.iter()
            .map(|frame| altered(frame, from, to))
            .collect::<Vec<_>>()
    };
    assert_eq!(read("as-made", of(&stay, &same)), alteration(false, 0, false));
    assert_eq!(read("hflip", of(&mirror, &same)), alteration(true, 0, false));
    assert_eq!(read("vflip", of(&flip, &same)), alteration(true, 180, false));
    assert_eq!(read("turned", of(&turn, &same)), alteration(false, 180, false));
    assert_eq!(
        read("negative", of(&stay, &|value| 255 - value)),
        alteration(false, 0, true)
    );
    assert_eq!(
        read("both", of(&flip, &|value| 255 - value)),
        alteration(true, 180, true)
    );
}

#[test]
fn frames_that_come_again_are_repeated() {
    let all = frames(60);
    let placed = in_a_row(all.iter().flat_map(|frame| [frame, frame]));
    let figures = figures("repeated", &placed);
    assert_eq!(
        figures.counts,
        Counts {
            repeated: 60,
            ..counts(120)
        }
    );
}

#[test]
fn swapped_frames_are_out_of_order_and_not_lost() {
    let mut all = frames(60);
    all.swap(20, 21);
    all.swap(40, 41);
    let figures = figures("swapped", &in_a_row(&all));
    assert_eq!(
        figures.counts,
        Counts {
            out_of_order: 2,
            ..counts(60)
        }
    );
    assert_eq!(figures.losses, []);
}

#[test]
fn a_picture_that_stands_still_is_one_freeze_with_its_time() {
    let all = frames(60);
    let shown = (0..60).map(|place: usize| {
        if (20..=40).contains(&place) {
            &all[20]
        } else {
            &all[place]
        }
    });
    let figures = figures("frozen", &in_a_row(shown));
    let expected = Counts {
        repeated: 20,
        lost: 20,
        frozen: 1,
        frozen_time: 21 * PERIOD,
        ..counts(60)
    };
    assert_eq!(figures.counts, expected);
}

#[test]
fn a_pause_without_pictures_is_a_freeze() {
    let all = frames(60);
    let placed: Vec<Placed<'_>> = in_a_row(&all)
        .into_iter()
        .map(|(place, frame)| (if place < 30 { place } else { place + 25 }, frame))
        .collect();
    let figures = figures("pause", &placed);
    let expected = Counts {
        frozen: 1,
        frozen_time: 26 * PERIOD,
        ..counts(60)
    };
    assert_eq!(figures.counts, expected);
}

#[test]
fn what_cannot_be_read_is_not_lost() {
    let (all, blank) = (frames(60), blank());
    let shown = (0..60).map(|place: usize| {
        if (20..23).contains(&place) {
            &blank
        } else {
            &all[place]
        }
    });
    let figures = figures("unreadable", &in_a_row(shown));
    let expected = Counts {
        unreadable: 3,
        readings: 57,
        ..counts(60)
    };
    assert_eq!(figures.counts, expected);
}

#[test]
fn a_camera_that_began_anew_is_no_loss() {
    let (first, second) = (frames(30), frames(30));
    let figures = figures("restart", &in_a_row(first.iter().chain(&second)));
    assert_eq!(
        figures.counts,
        Counts {
            restarts: 1,
            ..counts(60)
        }
    );
}

#[test]
fn another_recording_of_the_same_camera_shows_what_it_lacks() {
    let all = frames(60);
    let direct = Recording::write("direct", &in_a_row(&all));
    let mut placed = in_a_row(&all);
    placed.retain(|(place, _)| ![25, 26].contains(place));
    let other = Recording::write("other", &placed);
    let target = |recording: &Recording| Target::parse(recording.name(), None).expect("a file");
    let options = Options {
        vias: vec![target(&other)],
        ..Options::of(target(&direct))
    };
    let measurement = measure(&options).expect("it is measured").measurement;
    let [added] = measurement.added.as_slice() else {
        panic!("{:?}", measurement.added);
    };
    assert_eq!(
        (added.from.as_str(), added.via.as_str()),
        (direct.name(), other.name())
    );
    // When they were played says nothing.
    assert_eq!((added.latency, added.both, added.missing), (None, 58, 2));
}
