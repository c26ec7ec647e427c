//! A stream that gets another source while it is measured: the camera behind a restreamer began anew, or the connection
//! ended and was made again.

use std::time::Duration;

use rtsp_clock_probe::figures::StreamFigures;
use rtsp_clock_probe::target::Target;
use rtsp_clock_probe::{Options, Outcome, Transport, measure};

use crate::camera::{
    Camera, Medium, PERIOD, Step, goodbye, h264, in_time, is_of_key_picture, pictures, report, sounds,
};

const SIZE: (u32, u32) = (320, 240);
const FRAMES: usize = 30;
/// Longer than any of it takes.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(1500);
const FREEZE: Duration = Duration::from_secs(1);

fn measured(camera: &Camera, frames: usize, reconnect: bool) -> Outcome {
    let target = Target::parse(&camera.url(), None).expect("a URL");
    measure(&Options {
        transport: Transport::Tcp,
        frames: Some(frames as u64),
        duration: Some(PATIENCE),
        freeze_threshold: FREEZE,
        reconnect,
        ..Options::of(target)
    })
    .expect("it is measured")
}

/// The only stream of two runs of a camera, of which every picture came.
#[track_caller]
fn two_runs(outcome: &Outcome) -> &StreamFigures {
    let stream = &outcome.measurement.streams[0];
    assert!(outcome.is_good(), "{stream:#?}");
    let counts = stream.counts;
    assert_eq!(counts.restarts, 1, "{counts:?}");
    // What is under way in the old chain when the new one takes over is thrown away.
    assert!(counts.readings >= 2 * FRAMES as u64 - 2, "{counts:?}");
    assert_eq!((counts.unreadable, counts.lost), (0, 0), "{counts:?}");
    stream
}

#[track_caller]
fn assert_frozen(stream: &StreamFigures) {
    let pause = u64::try_from(PAUSE.as_millis()).expect("short");
    assert!(
        stream.counts.frozen >= 1 && stream.counts.frozen_time >= pause - 40,
        "{:?}",
        stream.counts
    );
}

#[test]
fn a_new_source_takes_the_place_of_the_old_one() {
    for says_goodbye in [false, true] {
        let mut steps = in_time(pictures(FRAMES, SIZE, 1000));
        if says_goodbye {
            steps.push(Step::Send(Medium::Picture, vec![goodbye(1000)]));
        }
        steps.push(Step::Wait(PAUSE));
        steps.extend(in_time(pictures(FRAMES, SIZE, 2000)));
        let camera = Camera::start(vec![steps]);
        let outcome = measured(&camera, 2 * FRAMES, false);
        let stream = two_runs(&outcome);
        assert_frozen(stream);
        assert_eq!(
            stream.key_frames.count,
            2 * FRAMES as u64,
            "{:?}",
            stream.key_frames
        );
    }
}

#[test]
fn a_new_source_may_have_another_size_and_come_again_and_again() {
    let sizes = [(320, 240), (640, 480), (320, 240), (640, 368)];
    let parts = sizes.iter().zip(1000..);
    let steps = parts.flat_map(|(size, ssrc)| in_time(pictures(FRAMES, *size, ssrc)));
    let camera = Camera::start(vec![steps.collect()]);
    let outcome = measured(&camera, sizes.len() * FRAMES, false);
    let stream = &outcome.measurement.streams[0];
    assert!(outcome.is_good(), "{stream:#?}");
    assert_eq!(
        (stream.width, stream.height, stream.counts.restarts),
        (640, 368, 3)
    );
    assert_eq!(stream.counts.unreadable, 0, "{:?}", stream.counts);
}

#[test]
fn an_old_source_that_goes_on_sending_is_heard_no_more() {
    let old = pictures(2 * FRAMES, SIZE, 1000);
    let (first, rest) = old.split_at(FRAMES);
    let mut steps = in_time(first.to_vec());
    for (old, new) in rest.iter().zip(pictures(FRAMES, SIZE, 2000)) {
        steps.push(Step::Send(Medium::Picture, old.clone()));
        steps.push(Step::Send(Medium::Picture, new));
        steps.push(Step::Wait(PERIOD));
    }
    let camera = Camera::start(vec![steps]);
    // Until the new one is decoded, the old one is.
    let outcome = measured(&camera, 2 * FRAMES, false);
    let stream = &outcome.measurement.streams[0];
    assert!(outcome.is_good(), "{stream:#?}");
    assert_eq!(
        (stream.counts.restarts, stream.counts.out_of_order),
        (1, 0),
        "{:?}",
        stream.counts
    );
}

#[test]
fn sound_has_a_new_source_too() {
    let mut steps = Vec::new();
    for ssrc in [1000, 2000] {
        // Two seconds, in each of which there is a tick.
        let frames = pictures(50, SIZE, ssrc).into_iter().zip(sounds(50, ssrc + 1));
        for (picture, sound) in frames {
            steps.push(Step::Send(Medium::Sound, vec![sound]));
            steps.push(Step::Send(Medium::Picture, picture));
            steps.push(Step::Wait(PERIOD));
        }
    }
    let camera = Camera::start(vec![steps]);
    let outcome = measured(&camera, 95, false);
    let stream = &outcome.measurement.streams[0];
    assert!(outcome.is_good(), "{stream:#?}");
    let ticks = stream.sound.expect("sound").ticks;
    assert!((3..=4).contains(&ticks), "{ticks} ticks of four");
}

#[test]
fn a_connection_that_ended_is_made_anew_and_the_time_between_is_told() {
    let part = |ssrc| {
        let mut steps = in_time(pictures(FRAMES, SIZE, ssrc));
        steps.push(Step::HangUp);
        steps
    };
    let camera = Camera::start(vec![part(1000), part(2000)]);
    let outcome = measured(&camera, 2 * FRAMES - 2, true);
    let stream = two_runs(&outcome);
    let [absence] = stream.absences.as_slice() else {
        panic!("{:?}", stream.absences);
    };
    // It is asked again a second after it left.
    assert!(
        absence.time >= 1000.0 && absence.cause.contains("ended"),
        "{absence:?}"
    );
    assert_eq!(stream.problems, Vec::<String>::new());
    let fps = stream.frames_per_second.expect("pictures");
    assert!(fps > 2.0, "the absence counts as the stream's time: {fps}");
}

#[test]
fn without_reconnect_the_end_is_the_end() {
    let mut steps = in_time(pictures(FRAMES, SIZE, 1000));
    steps.push(Step::HangUp);
    let camera = Camera::start(vec![steps]);
    let outcome = measured(&camera, 2 * FRAMES, false);
    assert!(!outcome.is_good());
    let stream = &outcome.measurement.streams[0];
    assert!(
        matches!(stream.problems.as_slice(), [problem] if problem.contains("ended the stream")),
        "{:?}",
        stream.problems
    );
}

#[test]
fn sound_without_sender_reports_says_what_is_missing() {
    let frames = pictures(60, SIZE, 1000).into_iter().zip(sounds(60, 1001));
    let steps = frames.flat_map(|(picture, sound)| {
        [
            Step::Send(Medium::Sound, vec![sound]),
            Step::Send(Medium::Picture, picture),
            Step::Wait(PERIOD),
        ]
    });
    let camera = Camera::start(vec![steps.collect()]);
    let outcome = measured(&camera, 58, false);
    let stream = &outcome.measurement.streams[0];
    assert!(outcome.is_good(), "{stream:#?}");
    assert!(
        matches!(stream.problems.as_slice(), [problem] if problem.contains("no RTCP sender reports")),
        "{:?}",
        stream.problems
    );
}

#[test]
fn what_a_server_had_in_store_is_told_and_makes_no_stream_faster() {
    let stored = 50;
    let mut all = pictures(100, SIZE, 1000);
    let live = all.split_off(stored);
    let mut steps: Vec<Step> = all
        .into_iter()
        .map(|packets| Step::Send(Medium::Picture, packets))
        .collect();
    steps.push(Step::Wait(PERIOD));
    steps.extend(in_time(live));
    let camera = Camera::start(vec![steps]);
    let outcome = measured(&camera, 100, false);
    let stream = &outcome.measurement.streams[0];
    assert!(outcome.is_good(), "{stream:#?}");
    let fps = stream.frames_per_second.expect("pictures");
    // All of them, in the time of those that were sent as they were made, were 50 a second. A busy machine is late with some
    // of the stored, which then are none: the exact sums are tested where they are made.
    assert!(fps < 40.0, "{fps} frames a second of 25");
    assert!(
        (stored as u64 - 25..=stored as u64 + 1).contains(&stream.backlog),
        "{} in store",
        stream.backlog
    );
}

#[test]
fn pictures_before_the_first_key_picture_are_counted_apart() {
    let mut frames = h264(60, SIZE, 1000);
    let [first, ..] = frames.as_mut_slice() else {
        panic!("no frames");
    };
    let before = first.len();
    first.retain(|packet| !is_of_key_picture(packet));
    assert!((1..before).contains(&first.len()), "parameter sets stay");
    let camera = Camera::start(vec![in_time(frames)]);
    let outcome = measured(&camera, 50, false);
    let stream = &outcome.measurement.streams[0];
    let counts = stream.counts;
    assert!(outcome.is_good(), "{stream:#?}");
    assert_eq!(counts.unreadable, 0, "{counts:?}");
    assert!((1..10).contains(&counts.before_key_picture), "{counts:?}");
    assert_eq!(
        counts.frames,
        counts.readings + counts.before_key_picture,
        "{counts:?}"
    );
}

/// What the packets of a camera tell whatever is in the picture: numbers, reports, sizes.
#[test]
fn packets_are_counted_and_reports_are_held_against_each_other() {
    let mut frames = pictures(100, SIZE, 1000);
    let sent: usize = frames.iter().map(Vec::len).sum();
    // One is lost, one comes twice, two change places.
    frames[20].remove(1);
    let again = frames[40][0].clone();
    frames[40].push(again);
    frames[60].swap(1, 2);
    let mut steps = Vec::new();
    for (place, packets) in frames.into_iter().enumerate() {
        if place % 25 == 0 {
            steps.push(Step::Send(
                Medium::Picture,
                vec![report(&packets[0], place as u64)],
            ));
        }
        steps.extend(in_time(vec![packets]));
    }
    let camera = Camera::start(vec![steps]);
    let outcome = measured(&camera, 98, false);
    let stream = &outcome.measurement.streams[0];
    assert!(outcome.is_good(), "{stream:#?}");
    let delivery = &stream.delivery;
    let packets = delivery.packets.expect("RTP");
    assert_eq!(
        (packets.lost, packets.reordered, packets.duplicates),
        (1, 1, 1),
        "{packets:?}"
    );
    assert!(
        packets.received <= sent as u64 && packets.jitter_max > 0.0,
        "{packets:?} of {sent}"
    );
    let reports = delivery.sender_reports.expect("sender reports");
    assert!((3..=4).contains(&reports.count), "{reports:?}");
    assert!(
        delivery.bitrate_kbps.is_some_and(|kbps| kbps > 100.0),
        "{delivery:?}"
    );
    assert!(
        delivery
            .key_frame_bytes
            .zip(delivery.key_frame_bytes_max)
            .is_some(),
        "{delivery:?}"
    );
}

#[test]
fn how_much_later_sound_comes_than_its_picture_is_told_by_reports() {
    let late = 5;
    let (frames, tones) = (pictures(75, SIZE, 1000), sounds(75, 1001));
    let mut steps = vec![
        Step::Send(Medium::Picture, vec![report(&frames[0][0], 0)]),
        Step::Send(Medium::Sound, vec![report(&tones[0], 0)]),
    ];
    for (place, picture) in frames.into_iter().enumerate() {
        let tone = place.checked_sub(late).map(|place| tones[place].clone());
        steps.extend(tone.map(|tone| Step::Send(Medium::Sound, vec![tone])));
        steps.push(Step::Send(Medium::Picture, picture));
        steps.push(Step::Wait(PERIOD));
    }
    let camera = Camera::start(vec![steps]);
    let outcome = measured(&camera, 70, false);
    let stream = &outcome.measurement.streams[0];
    assert!(outcome.is_good(), "{stream:#?}");
    let offset = stream.delivery.sound_minus_picture.expect("reports of both");
    // Five frames late, and a busy machine sends no faster.
    assert!(offset > 190.0, "{offset} ms");
}
