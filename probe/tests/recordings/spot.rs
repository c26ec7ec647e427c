//! Several stamps in one picture: screenshots of camera and player, and recordings of a screen.

use std::path::{Path, PathBuf};

use gst::prelude::*;
use rtsp_clock_probe::figures::StreamFigures;
use rtsp_clock_probe::target::Target;
use rtsp_clock_probe::{Options, measure, report};

/// 2026-01-01 in ns.
const START: u64 = 1_767_225_600_000_000_000;
const MS: u64 = 1_000_000;

/// A file in the tests' own folder; gone with this.
struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        // It may never have been written.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A window on a screen: the stream in it, how many ms late it is, and what is done to its picture.
struct Window {
    stream: u32,
    late: u64,
    through: &'static str,
}

/// A picture or more of windows side by side.
fn screen(name: &str, windows: &[Window], pictures: u32, encoder: &str) -> File {
    rtsp_clock_probe::init().expect("GStreamer and clocksrc");
    let file = File(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id())));
    let places =
        (0..windows.len()).map(|at| format!("sink_{at}::xpos={} sink_{at}::ypos={}", at * 340, at * 20));
    let screen = format!(
        "compositor name=screen background=black {} ! video/x-raw,width={},height=320 ! videoconvert ! {encoder} \
         ! filesink location={}",
        places.collect::<Vec<_>>().join(" "),
        windows.len() * 340,
        file.0.display()
    );
    let windows = windows.iter().enumerate().map(|(at, window)| {
        format!(
            "clocksrc is-live=false start-time={} stamp=qr stamp-id={} num-buffers={pictures} \
             ! video/x-raw,format=I420,width=320,height=240,framerate=25/1 {} ! screen.sink_{at}",
            START - window.late * MS,
            window.stream,
            window.through
        )
    });
    let line = std::iter::once(screen)
        .chain(windows)
        .collect::<Vec<_>>()
        .join(" ");
    let pipeline = gst::parse::launch(&line).expect("a pipeline");
    pipeline.set_state(gst::State::Playing).expect("it plays");
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    let bus = pipeline.bus().expect("a bus");
    let message = bus.timed_pop_filtered(gst::ClockTime::from_seconds(120), &end);
    pipeline.set_state(gst::State::Null).expect("it stops");
    assert_eq!(
        message.map(|message| message.type_()),
        Some(gst::MessageType::Eos),
        "{name}"
    );
    file
}

/// What `--spot` finds, and how the table tells it.
fn spotted(file: &File) -> (StreamFigures, String) {
    let target = Target::parse(file.0.to_str().expect("UTF-8"), None).expect("a file");
    let options = Options {
        spot: true,
        ..Options::of(target)
    };
    let mut outcome = measure(&options).expect("it is measured");
    assert!(outcome.is_good(), "{:#?}", outcome.measurement);
    let table = report::table(&outcome.measurement);
    let page = report::html(&outcome.measurement, &outcome.evidence);
    assert!(page.contains("Stamps in one picture of"));
    (outcome.measurement.streams.remove(0), table)
}

const CAMERA_AND_PLAYER: [Window; 2] = [
    Window {
        stream: 7,
        late: 440,
        through: "",
    },
    Window {
        stream: 7,
        late: 0,
        through: "",
    },
];

#[test]
fn a_screenshot_tells_how_far_the_player_is_behind_the_camera() {
    for (name, encoder) in [("shot.png", "pngenc"), ("shot.jpg", "jpegenc quality=80")] {
        let (figures, table) = spotted(&screen(name, &CAMERA_AND_PLAYER, 1, encoder));
        let places: Vec<_> = figures
            .spots
            .iter()
            .map(|spot| (spot.name.as_str(), spot.stream_id))
            .collect();
        assert_eq!(places, [("A", 7), ("B", 7)], "{name}");
        assert!(
            figures.spots[0].x > 340 && figures.spots[1].x < 340,
            "{:?}",
            figures.spots
        );
        let [difference] = figures.differences.as_slice() else {
            panic!("{:?}", figures.differences)
        };
        assert_eq!(
            (difference.latency.count, difference.latency.p50),
            (1, 440.0),
            "{name}"
        );
        assert!(table.contains("B is 440 ms behind A"), "{table}");
    }
}

#[test]
fn a_recording_of_a_screen_tells_it_of_each_two_whatever_was_done_to_them() {
    let windows = [
        Window {
            stream: 1,
            late: 120,
            through: "! videoflip video-direction=horiz",
        },
        Window {
            stream: 2,
            late: 0,
            through: "",
        },
        Window {
            stream: 3,
            late: 1_360,
            through: "! videoflip video-direction=180",
        },
    ];
    let file = screen("screen.mkv", &windows, 30, "jpegenc quality=90 ! matroskamux");
    let (figures, table) = spotted(&file);
    let spots: Vec<_> = figures
        .spots
        .iter()
        .map(|spot| (spot.stream_id, spot.pictures))
        .collect();
    assert_eq!(spots, [(2, 30), (1, 30), (3, 30)]);
    let altered = figures
        .spots
        .iter()
        .map(|spot| (spot.alteration.mirrored, spot.alteration.turned));
    assert_eq!(altered.collect::<Vec<_>>(), [(false, 0), (true, 0), (false, 180)]);
    let told = figures.differences.iter().map(|difference| {
        let latency = &difference.latency;
        assert_eq!((latency.count, latency.min), (30, latency.max));
        (difference.ahead.as_str(), difference.behind.as_str(), latency.p50)
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [("A", "B", 120.0), ("A", "C", 1_360.0), ("B", "C", 1_240.0)]
    );
    assert!(table.contains("p50 / p99 / max of 30 pictures"), "{table}");
}

#[test]
fn a_picture_with_one_stamp_has_nothing_to_hold_it_against_and_it_is_told() {
    let file = screen("alone.png", &CAMERA_AND_PLAYER[..1], 1, "pngenc");
    let (figures, table) = spotted(&file);
    assert_eq!((figures.spots.len(), figures.differences.len()), (1, 0));
    assert!(
        table.contains("No picture has two stamps that can be read"),
        "{table}"
    );
}

#[test]
fn without_being_asked_the_probe_reads_one_stamp() {
    let file = screen("unasked.png", &CAMERA_AND_PLAYER, 1, "pngenc");
    let target = Target::parse(file.0.to_str().expect("UTF-8"), None).expect("a file");
    let outcome = measure(&Options::of(target)).expect("it is measured");
    let stream = &outcome.measurement.streams[0];
    assert_eq!((stream.counts.readings, stream.spots.len()), (1, 0));
}
