//! Clocks that are set to a time that nothing can tell: frames stay in step, and it is said once.

use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;

use crate::{DEADLINE, MS, harness, init, pts, reference};

/// The frame period, in ns.
const PERIOD: u64 = 40 * MS;
const LAST_INSTANT: u64 = i64::MAX.unsigned_abs();
const PAST_2262: &str = "the clock is past 2262-04-11T23:47:16Z";
const BEFORE_1970: &str = "the clock is before 1970";

/// The warnings on a bus.
fn warnings(bus: &gst::Bus) -> Vec<String> {
    let messages = std::iter::from_fn(|| bus.pop_filtered(&[gst::MessageType::Warning]));
    let texts = messages.filter_map(|message| match message.view() {
        gst::MessageView::Warning(warning) => Some(warning.error().message().to_owned()),
        _ => None,
    });
    texts.collect()
}

#[test]
fn the_picture_stays_at_the_last_instant_that_can_be_told() {
    let start = LAST_INSTANT - 3 * PERIOD;
    let mut harness = harness(&[
        ("start-time", start.cast_signed().to_value()),
        ("align", false.to_value()),
    ]);
    let bus = gst::Bus::new();
    harness.element().unwrap().set_bus(Some(&bus));
    for number in 0..50 {
        if number > 0 {
            assert_eq!(
                harness.buffers_in_queue(),
                0,
                "frame {number} left before its time"
            );
            harness.crank_single_clock_wait().unwrap();
        }
        let buffer = harness.pull().unwrap();
        assert_eq!((buffer.offset(), pts(&buffer)), (number, number * PERIOD));
        assert_eq!(buffer.duration().unwrap().nseconds(), PERIOD);
        let shown = (start + number * PERIOD).min(LAST_INSTANT);
        assert_eq!(reference(&buffer, "timestamp/x-unix"), shown);
    }
    let warnings = warnings(&bus);
    assert!(
        warnings.len() == 1 && warnings[0].starts_with(PAST_2262),
        "{warnings:?}"
    );
}

/// A clock for pipelines. `libfaketime` takes the system clock's waits for waits of the clock that it fakes: some of them
/// last for years then.
mod quartz {
    use super::*;

    pub struct Imp {
        started: Instant,
    }

    impl Default for Imp {
        fn default() -> Self {
            Self {
                started: Instant::now(),
            }
        }
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Imp {
        const NAME: &'static str = "TestQuartz";
        type Type = Quartz;
        type ParentType = gst::Clock;
    }

    impl ObjectImpl for Imp {}
    impl GstObjectImpl for Imp {}

    impl ClockImpl for Imp {
        fn internal_time(&self) -> gst::ClockTime {
            gst::ClockTime::try_from(self.started.elapsed()).unwrap()
        }

        fn wait(
            &self,
            id: &gst::ClockId,
        ) -> (Result<gst::ClockSuccess, gst::ClockError>, gst::ClockTimeDiff) {
            let late = |now: gst::ClockTime| {
                i64::try_from(i128::from(now.nseconds()) - i128::from(id.time().nseconds())).unwrap()
            };
            let early = u64::try_from(-late(self.obj().time())).unwrap_or(0);
            // Nobody sends.
            let (_sender, never) = mpsc::channel::<()>();
            let _timeout = never.recv_timeout(Duration::from_nanos(early));
            (Ok(gst::ClockSuccess::Ok), late(self.obj().time()))
        }
    }

    glib::wrapper! {
        pub struct Quartz(ObjectSubclass<Imp>) @extends gst::Clock, gst::Object;
    }
}

/// Set for a test that runs with a clock of its own.
const INSIDE: &str = "TEST_INSIDE_FAKETIME";
/// Where libfaketime reads what to add to the clock.
const FILE: &str = "FAKETIME_TIMESTAMP_FILE";

/// Runs the test `name` once more, in which the machine's clock says what the file [`FILE`] has: at first `time`. What
/// pipelines run by stays as it is.
#[track_caller]
fn run_at(time: &str, name: &str) {
    let file = std::env::temp_dir().join(format!("far-times-{}-{name}", std::process::id()));
    std::fs::write(&file, time).unwrap();
    let status = Command::new("faketime")
        .args(["--exclude-monotonic", "-f", "+0", "env", "-u", "FAKETIME"])
        .arg(std::env::current_exe().expect("a test has a path"))
        .args(["--exact", &format!("far_times::{name}"), "--nocapture"])
        .env(INSIDE, time)
        .env(FILE, &file)
        .env("FAKETIME_NO_CACHE", "1")
        .status();
    std::fs::remove_file(&file).unwrap();
    assert!(
        status.expect("faketime is installed").success(),
        "{name} at {time}"
    );
}

/// PTS of frames from a live `clocksrc`, what they show (ns since 1970), and the warnings meanwhile. `before` is done
/// before each frame is taken.
fn live_frames(count: usize, mut before: impl FnMut(usize)) -> (Vec<(u64, u64)>, Vec<String>) {
    init();
    let line =
        "clocksrc name=source ! video/x-raw,width=64,height=64,framerate=25/1 ! fakesink name=sink sync=true";
    let pipeline = gst::parse::launch(line)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    pipeline.use_clock(Some(&glib::Object::new::<quartz::Quartz>()));
    let (sender, receiver) = mpsc::sync_channel(0);
    let pad = pipeline.by_name("sink").unwrap().static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        if let Some(buffer) = info.buffer() {
            // Nobody takes those behind the last one.
            let _ = sender.send(buffer.to_owned());
        }
        gst::PadProbeReturn::Ok
    });
    pipeline.set_state(gst::State::Playing).unwrap();
    let frames = (0..count).map(|number| {
        before(number);
        let buffer = receiver.recv_timeout(DEADLINE).expect("a frame");
        (pts(&buffer), reference(&buffer, "timestamp/x-unix"))
    });
    let frames: Vec<_> = frames.collect();
    drop(receiver);
    let warnings = warnings(&pipeline.bus().unwrap());
    pipeline.set_state(gst::State::Null).unwrap();
    (frames, warnings)
}

/// Whole periods, of which a busy machine may leave some out.
#[track_caller]
fn assert_in_step(frames: &[(u64, u64)]) {
    for pair in frames.windows(2) {
        let step = pair[1].0 - pair[0].0;
        let off = step % PERIOD;
        assert!(
            step > PERIOD / 2 && off.min(PERIOD - off) <= 3 * MS,
            "{step} ns in {frames:?}"
        );
    }
}

#[test]
fn a_machine_whose_clock_is_far_off_makes_frames_in_step_and_says_so_once() {
    const NAME: &str = "a_machine_whose_clock_is_far_off_makes_frames_in_step_and_says_so_once";
    let Ok(time) = std::env::var(INSIDE) else {
        for time in ["@2300-01-01 00:00:00", "@1960-01-01 00:00:00"] {
            run_at(time, NAME);
        }
        return;
    };
    let (shown, said) = if time.starts_with("@2300") {
        (LAST_INSTANT, PAST_2262)
    } else {
        (0, BEFORE_1970)
    };
    let (frames, warnings) = live_frames(25, |_| {});
    assert_in_step(&frames);
    assert!(frames.iter().all(|frame| frame.1 == shown), "{frames:?}");
    assert!(
        warnings.len() == 1 && warnings[0].starts_with(said),
        "{warnings:?}"
    );
}

#[test]
fn a_clock_that_jumps_far_off_and_back_breaks_no_step() {
    const NAME: &str = "a_clock_that_jumps_far_off_and_back_breaks_no_step";
    if std::env::var_os(INSIDE).is_none() {
        return run_at("+0", NAME);
    }
    let file = std::env::var_os(FILE).unwrap();
    let set = |time: &str| std::fs::write(&file, time).unwrap();
    let (frames, warnings) = live_frames(40, |number| match number {
        10 => set("@2300-01-01 00:00:00"),
        20 => set("@1960-01-01 00:00:00"),
        30 => set("+0"),
        _ => {}
    });
    for part in frames.chunks(10) {
        // One or two frames had been painted before the clock was set.
        assert_in_step(&part[3..]);
    }
    let ends = [9, 19, 29, 39].map(|number| frames[number].1);
    let is_now = |instant: u64| (1_700_000_000_000_000_000..LAST_INSTANT).contains(&instant);
    assert!(is_now(ends[0]) && is_now(ends[3]), "{frames:?}");
    assert_eq!(ends[1..3], [LAST_INSTANT, 0], "{frames:?}");
    assert!(frames.windows(2).all(|pair| pair[0].0 < pair[1].0), "{frames:?}");
    assert!(
        warnings.len() == 1 && warnings[0].starts_with(PAST_2262),
        "{warnings:?}"
    );
}
