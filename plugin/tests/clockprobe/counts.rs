//! What `clockprobe` counts: frames that were lost, repeated, swapped and frozen on purpose.

use gst::prelude::*;

use crate::stamped::{MS, PERIOD, Probe, blank, caps, init, picture, play_to_the_end, stamp};

const FAULTS: [&str; 6] = [
    "lost",
    "repeated",
    "out-of-order",
    "frozen",
    "frozen-time",
    "runs",
];

#[test]
fn faults_count_as_what_they_are() {
    // Numbers of a row of frames, `None` for a picture without a stamp; lost, repeated, out of order.
    let f = Some;
    for (row, expected) in [
        (vec![f(0), f(1), f(2), f(3)], [0, 0, 0]),
        (vec![f(0), f(1), f(4), f(5), f(7)], [3, 0, 0]),
        (vec![f(0), f(1), f(1), f(2), f(2)], [0, 2, 0]),
        (vec![f(0), f(2), f(1), f(3)], [0, 0, 1]),
        (vec![f(0), None, f(2), f(3)], [0, 0, 0]),
        (vec![f(0), None, f(3), None], [1, 0, 0]),
        (vec![None, None, None], [0, 0, 0]),
    ] {
        let mut probe = Probe::new();
        for (time, frame) in (0..).map(|index| index * PERIOD).zip(&row) {
            probe.push(frame.map_or_else(|| blank(time), |frame| picture(&stamp(1, frame), time)));
        }
        let counts = probe.counts(["lost", "repeated", "out-of-order"]);
        assert_eq!(counts, expected, "{row:?}");
        let read = row.iter().flatten().count() as u64;
        let all = row.len() as u64;
        let counts = probe.counts(["frames", "readings", "unreadable"]);
        assert_eq!(counts, [all, read, all - read], "{row:?}");
    }
}

/// A source that does its frames some harm and keeps the books.
struct Saboteur {
    random: u64,
    run: u32,
    next: u64,
    time: u64,
    frames: Vec<(u32, u64, u64)>,
    /// As in [`FAULTS`].
    books: [u64; 6],
}

impl Saboteur {
    /// Xorshift64*.
    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    fn send(&mut self, number: u64) {
        self.frames.push((self.run, number, self.time));
        self.time += PERIOD;
    }

    fn send_next(&mut self) {
        self.send(self.next);
        self.next += 1;
    }

    fn fault(&mut self) {
        let some = 1 + self.below(9);
        match self.below(5) {
            0 => {
                self.next += some;
                self.books[0] += some;
            }
            1 => {
                (0..some).for_each(|_| self.send(self.next - 1));
                self.books[1] += some;
            }
            2 => {
                self.send(self.next + 1);
                self.send(self.next);
                self.next += 2;
                self.books[2] += 1;
            }
            3 => {
                // The frame before and these are on for more than 500 ms.
                let repeated = 12 + some;
                (0..repeated).for_each(|_| self.send(self.next - 1));
                self.books[1] += repeated;
                self.books[3] += 1;
                self.books[4] += (repeated + 1) * PERIOD;
            }
            _ => {
                self.run += 1;
                self.next = self.below(1000);
                self.books[5] += 1;
            }
        }
    }
}

#[test]
fn random_faults_are_counted_exactly() {
    for seed in 1..=5 {
        let mut source = Saboteur {
            random: seed,
            run: 1,
            next: 500,
            time: 0,
            frames: Vec::new(),
            books: [0, 0, 0, 0, 0, 1],
        };
        for _ in 0..40 {
            let good = 2 + source.below(6);
            (0..good).for_each(|_| source.send_next());
            source.fault();
        }
        (0..3).for_each(|_| source.send_next());
        let mut probe = Probe::new();
        for (run, number, time) in &source.frames {
            probe.push(picture(&stamp(*run, *number), *time));
        }
        assert_eq!(probe.counts(FAULTS), source.books, "{FAULTS:?} with seed {seed}");
        let all = source.frames.len() as u64;
        assert_eq!(probe.counts(["frames", "readings"]), [all; 2]);
    }
}

#[test]
fn frames_between_those_examined_are_not_lost() {
    let mut probe = Probe::new();
    probe.element().set_property("every", 4_u32);
    // 40 frames without two that are not examined, and without one that would have been.
    let numbers = (0..40).filter(|number| ![5, 6, 20].contains(number));
    for (time, number) in (0..).map(|index| index * PERIOD).zip(numbers) {
        probe.push(picture(&stamp(1, number), time));
    }
    let counts = probe.counts(["frames", "readings", "unreadable", "lost", "repeated"]);
    assert_eq!(counts, [37, 10, 0, 3, 0]);
}

#[test]
fn a_live_picture_is_frozen_while_nothing_comes() {
    let mut probe = Probe::new();
    for frame in 0..10 {
        probe.push_at(&stamp(1, frame), frame * PERIOD);
    }
    let last = 9 * PERIOD;
    probe.set_time(last + 500 * MS);
    assert_eq!(probe.counts(["frozen", "frozen-time"]), [0, 0]);
    probe.set_time(last + 700 * MS);
    assert_eq!(probe.counts(["frozen", "frozen-time"]), [1, 700 * MS]);
    probe.push_at(&stamp(1, 35), 35 * PERIOD);
    probe.push_at(&stamp(1, 36), 36 * PERIOD);
    assert_eq!(
        probe.counts(["frozen", "frozen-time", "lost"]),
        [1, 26 * PERIOD, 25]
    );
    // After the end there is nothing that could stand still.
    probe.harness.push_event(gst::event::Eos::new());
    probe.set_time(100_000 * MS);
    assert_eq!(probe.counts(["frozen", "frozen-time"]), [1, 26 * PERIOD]);
}

#[test]
fn a_pause_is_neither_frozen_nor_lost() {
    let mut probe = Probe::new();
    let element = probe.element();
    for round in 0..3 {
        // A source that is live counts on while the pipeline pauses.
        for frame in round * 250..round * 250 + 5 {
            probe.push_at(&stamp(1, frame), frame * PERIOD);
        }
        element.set_state(gst::State::Paused).unwrap();
        probe.set_time((round + 1) * 10_000 * MS);
        assert_eq!(probe.counts(FAULTS), [0, 0, 0, 0, 0, 1]);
        element.set_state(gst::State::Playing).unwrap();
    }
    assert_eq!(probe.count("readings"), 15);
}

#[test]
fn the_threshold_of_a_freeze_is_a_setting() {
    let mut probe = Probe::new();
    probe.element().set_property("freeze-threshold", 100 * MS);
    for (frame, time) in [(0, 0), (1, 1), (1, 2), (1, 3), (2, 4), (3, 7)] {
        probe.push(picture(&stamp(1, frame), time * PERIOD));
    }
    assert_eq!(probe.counts(["frozen", "frozen-time"]), [2, 6 * PERIOD]);
}

#[test]
fn a_file_that_is_read_slowly_is_not_frozen() {
    init();
    let frames = 20;
    let pipeline = gst::parse::launch(
        "appsrc name=source format=time is-live=false ! clockprobe name=probe freeze-threshold=1 ! fakesink",
    );
    let pipeline = pipeline.unwrap().downcast::<gst::Pipeline>().unwrap();
    let probe = pipeline.by_name("probe").unwrap();
    let source = pipeline
        .by_name("source")
        .unwrap()
        .downcast::<gst_app::AppSrc>()
        .unwrap();
    source.set_caps(Some(&caps("GRAY8").parse().unwrap()));
    for frame in 0..frames {
        // All at the same running time, which is no standing still.
        source.push_buffer(picture(&stamp(1, frame), 0)).unwrap();
    }
    source.end_of_stream().unwrap();
    play_to_the_end(&pipeline);
    let stats = probe.property::<gst::Structure>("stats");
    assert_eq!(stats.get("readings"), Ok(frames));
    // The last frame's duration is the only time in which one picture is shown.
    assert_eq!(stats.get("frozen-time"), Ok(PERIOD));
}

#[test]
fn a_seek_loses_nothing() {
    let mut probe = Probe::new();
    for frame in [0, 1, 2] {
        probe.push(picture(&stamp(1, frame), frame * PERIOD));
    }
    let flush = |probe: &mut Probe| {
        probe.harness.push_event(gst::event::FlushStart::new());
        probe.harness.push_event(gst::event::FlushStop::new(true));
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        probe.harness.push_event(gst::event::Segment::new(&segment));
    };
    for frames in [[100, 101], [50, 51]] {
        flush(&mut probe);
        for frame in frames {
            probe.push(picture(&stamp(1, frame), frame * PERIOD));
        }
    }
    assert_eq!(probe.counts(FAULTS), [0, 0, 0, 0, 0, 1]);
    assert_eq!(probe.count("readings"), 7);
}

#[test]
fn statistics_begin_anew_with_each_start_and_stay_after_it() {
    init();
    let element = gst::ElementFactory::make("clockprobe").build().unwrap();
    let readings = || element.property::<gst::Structure>("stats").get::<u64>("readings");
    for frames in [3, 2] {
        let mut probe = Probe::of(&element);
        assert_eq!(readings(), Ok(0));
        for frame in 0..frames {
            probe.push(picture(&stamp(1, frame), frame * PERIOD));
        }
        // The harness stops it.
        drop(probe);
        assert_eq!(element.current_state(), gst::State::Null);
        assert_eq!(readings(), Ok(frames));
    }
}
