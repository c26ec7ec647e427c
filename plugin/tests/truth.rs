//! The picture read back: what a frame says is the wall-clock time of its own PTS, whatever happens meanwhile.
//! It needs a program to itself: for a while it takes all that the machine has.

#[allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part of it"
)]
#[path = "../../tests/support/reader.rs"]
mod reader;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gst::glib;
use gst::prelude::*;
use reader::{DAY, Reader, Said, apart, time_of_day};

const WIDTH: usize = 320;
const HEIGHT: usize = 240;
/// The frame period at 25 frames a second, in ms.
const PERIOD: i64 = 40;
const PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(30);

/// A playing pipeline of `clocksrc`, something, and a sink that hands frames over when they are due.
struct Clock {
    pipeline: gst::Pipeline,
    sink: gst_app::AppSink,
    reader: Reader,
}

/// A frame as it came out.
struct Seen {
    said: Said,
    /// Running time, in ns.
    pts: i128,
    buffer: gst::Buffer,
}

impl Clock {
    fn play(middle: &str, clock: Option<&gst::Clock>) -> Self {
        gst::init().unwrap();
        gstclocksrc::register_static().unwrap();
        let line = format!(
            "clocksrc name=source ! video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate=25/1 {middle} \
             ! appsink name=sink max-buffers=100"
        );
        let pipeline = gst::parse::launch(&line)
            .unwrap()
            .downcast::<gst::Pipeline>()
            .unwrap();
        if clock.is_some() {
            pipeline.use_clock(clock);
        }
        let sink = pipeline
            .by_name("sink")
            .unwrap()
            .downcast::<gst_app::AppSink>()
            .unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let played = Self {
            pipeline,
            sink,
            reader: Reader::new(WIDTH, HEIGHT),
        };
        // The first frame is on its way until the pipeline plays; those that were due meanwhile were never to be made.
        let first = played.next();
        assert_eq!(first.buffer.offset(), 0);
        played.truth(&first);
        played
    }

    fn next(&self) -> Seen {
        let sample = self.sink.try_pull_sample(PATIENCE).expect("a frame");
        let buffer = sample.buffer_owned().unwrap();
        let said = self.reader.read(&buffer.map_readable().unwrap(), WIDTH);
        let pts = i128::from(buffer.pts().unwrap().nseconds());
        Seen { said, pts, buffer }
    }

    /// The wall clock at a running time, by what both say now, in ns since the Unix epoch.
    fn wall_at(&self, running: i128) -> i128 {
        let wall = || std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos().cast_signed();
        let clock = self.pipeline.clock().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            let base_time = self.pipeline.base_time().unwrap();
            let (before, now, after) = (wall(), clock.time(), wall());
            if (0..200_000).contains(&(after - before)) {
                return before + running - i128::from(now.nseconds()) + i128::from(base_time.nseconds());
            }
        }
        panic!("the clocks cannot be read within 0.2 ms of each other");
    }

    /// Asserts that a frame tells the time of its PTS, and answers it.
    #[track_caller]
    fn truth(&self, frame: &Seen) -> i64 {
        let due = time_of_day(self.wall_at(frame.pts) + 500_000);
        let distance = apart(frame.said.time_of_day, due);
        assert!(
            distance <= 1,
            "frame {} says {:?}, but is of {due}",
            frame.buffer.offset(),
            frame.said
        );
        assert_eq!(
            frame.said.time_of_day % PERIOD,
            0,
            "off the grid: {:?}",
            frame.said
        );
        frame.said.time_of_day
    }

    fn dropped(&self) -> u64 {
        let source = self.pipeline.by_name("source").unwrap();
        source.property::<gst::Structure>("stats").get("dropped").unwrap()
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.pipeline.set_state(gst::State::Null).unwrap();
    }
}

/// A clock of the test's own, that runs as it is told.
fn own_clock() -> gst::Clock {
    gst::init().unwrap();
    let clock = glib::Object::builder::<gst::SystemClock>()
        .property("name", "own")
        .build();
    clock.upcast()
}

/// From now on, `clock` runs `num`/`den` times as fast, after a jump forward.
fn run(clock: &gst::Clock, num: u64, den: u64, jump: Duration) {
    let internal = clock.internal_time();
    let external = clock.adjust_unlocked(internal) + gst::ClockTime::try_from(jump).unwrap();
    clock.set_calibration(internal, external, num, den);
}

/// Reads frames for that long, from the second one on. Each is true, and follows the one before it by whole periods: by
/// one, but for those that the source counted as dropped.
fn assert_true_and_gapless(clock: &Clock, time: Duration) {
    let first = clock.next();
    let dropped_before = first.buffer.offset() - 1;
    let (mut last, mut missing) = (clock.truth(&first), 0);
    let mut offset = first.buffer.offset();
    let end = Instant::now() + time;
    while Instant::now() < end {
        let frame = clock.next();
        let told = clock.truth(&frame);
        let step = (told - last).rem_euclid(DAY);
        assert!(step > 0 && step % PERIOD == 0, "{told} after {last}");
        let skipped = u64::try_from(step / PERIOD).unwrap() - 1;
        assert_eq!(
            frame.buffer.offset() - offset,
            skipped + 1,
            "numbers are used up by skipped frames alone"
        );
        assert_eq!(
            frame.buffer.flags().contains(gst::BufferFlags::DISCONT),
            skipped > 0
        );
        missing += skipped;
        (last, offset) = (told, frame.buffer.offset());
    }
    // What is on its way to the sink may have been counted already.
    let dropped = clock.dropped();
    assert!(
        dropped_before + missing <= dropped,
        "{missing} frames are missing, and {dropped_before} before the first; {dropped} were dropped"
    );
}

#[test]
fn every_frame_tells_the_time_of_its_pts_and_the_next_one_a_period_later() {
    assert_true_and_gapless(&Clock::play("", None), Duration::from_secs(10));
}

#[test]
fn the_truth_survives_a_drawing_element_downstream() {
    let clock = Clock::play(
        "! videoconvert ! textoverlay text=X valignment=top halignment=left font-desc=12 ! identity",
        None,
    );
    assert_true_and_gapless(&clock, Duration::from_secs(3));
}

#[test]
fn the_truth_survives_pauses() {
    let clock = Clock::play("", None);
    let mut last = clock.next();
    for pause in [50, 333, 1111] {
        clock.pipeline.set_state(gst::State::Paused).unwrap();
        let (_, state, _) = clock.pipeline.state(PATIENCE);
        assert_eq!(state, gst::State::Paused);
        // Time that passes is what this test is about.
        let until = Instant::now() + Duration::from_millis(pause);
        while Instant::now() < until {
            std::thread::park_timeout(until - Instant::now());
        }
        clock.pipeline.set_state(gst::State::Playing).unwrap();
        // Frames from before the pause may still be in the sink.
        let resumed = (0..200).map(|_| clock.next()).find(|frame| {
            let moved = apart(frame.said.time_of_day, last.said.time_of_day);
            let running = (frame.pts - last.pts) / 1_000_000;
            let gap = i128::from(moved) - running;
            assert!(frame.pts > last.pts, "PTS go on");
            last = Seen {
                said: frame.said,
                pts: frame.pts,
                buffer: frame.buffer.clone(),
            };
            gap >= i128::from(pause) / 2
        });
        clock.truth(&resumed.expect("a frame from after the pause"));
        for _ in 0..10 {
            last = clock.next();
            clock.truth(&last);
        }
    }
}

#[test]
fn the_truth_survives_a_clock_that_is_slewed() {
    let own = own_clock();
    let clock = Clock::play("", Some(&own));
    for (num, den) in [(1001, 1000), (999, 1000), (1, 1)] {
        run(&own, num, den, Duration::ZERO);
        let mut last: Option<i64> = None;
        for index in 0..50 {
            let frame = clock.next();
            assert!(
                !frame.buffer.flags().contains(gst::BufferFlags::DISCONT)
                    || clock.dropped() > 0
                    || index == 0
            );
            // The frame on its way when the rate changed is of the rate before.
            if index > 2 {
                let told = clock.truth(&frame);
                assert_eq!(last.map_or(0, |last| (told - last).rem_euclid(DAY) % PERIOD), 0);
                last = Some(told);
            }
        }
    }
}

#[test]
fn the_truth_survives_a_clock_that_is_stepped() {
    let own = own_clock();
    let clock = Clock::play("", Some(&own));
    for jump in [25, 90, 3_600_007] {
        for _ in 0..4 {
            clock.next();
        }
        let before = clock.next();
        run(&own, 1, 1, Duration::from_millis(jump));
        // Frames from before the step may still be in the sink.
        let mut frames = (0..100).map(|_| clock.next());
        let stepped = frames.find(|frame| {
            let moved = apart(frame.said.time_of_day, before.said.time_of_day);
            let running = (frame.pts - before.pts) / 1_000_000;
            running - i128::from(moved) >= i128::from(jump) / 2
        });
        let stepped = stepped.unwrap_or_else(|| panic!("no step by {jump} ms"));
        assert!(
            stepped.buffer.flags().contains(gst::BufferFlags::DISCONT),
            "a step by {jump} ms"
        );
        assert!(stepped.pts > before.pts, "PTS go on");
        clock.truth(&stepped);
        for _ in 0..10 {
            clock.truth(&clock.next());
        }
    }
}

#[test]
fn the_truth_survives_full_load() {
    static DONE: AtomicBool = AtomicBool::new(false);
    let cores = std::thread::available_parallelism().unwrap().get();
    let busy: Vec<_> = (0..cores)
        .map(|_| {
            std::thread::spawn(|| {
                while !DONE.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        })
        .collect();
    let clock = Clock::play("! videoconvert ! queue", None);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        assert_true_and_gapless(&clock, Duration::from_secs(5));
    }));
    DONE.store(true, Ordering::Relaxed);
    for thread in busy {
        thread.join().unwrap();
    }
    result.unwrap();
}
