//! The look of `clocksrc`: what its properties change while it plays, and what it says of values it cannot use.

use std::path::PathBuf;

use gst::glib;
use gst::prelude::*;
use gst_check::Harness;
use gstclocksrc::clocksrc::{ClockSrcCorner, ClockSrcHAlign, ClockSrcVAlign};

const MS: i64 = 1_000_000;
/// 2026-01-01T00:00:00Z, which is on every grid of whole seconds.
const START: i64 = 1_767_225_600_000_000_000;
const WIDTH: usize = 160;
const CAPS: &str = "video/x-raw,format=GRAY8,width=160,height=120,framerate=25/1";
/// How long anything that has to happen may take to happen.
const DEADLINE: gst::ClockTime = gst::ClockTime::from_seconds(20);

fn clocksrc(properties: &[(&str, glib::Value)]) -> gst::Element {
    gst::init().unwrap();
    gstclocksrc::register_static().unwrap();
    let element = gst::ElementFactory::make("clocksrc")
        .property("time-zone", "UTC")
        .property("start-time", START)
        .build()
        .unwrap();
    for (name, value) in properties {
        element.set_property_from_value(name, value);
    }
    element
}

fn play(element: &gst::Element) -> Harness {
    let mut harness = Harness::with_element(element, None, Some("src"));
    harness.use_testclock();
    harness.set_sink_caps_str(CAPS);
    harness.play();
    harness
}

/// The first frame of a `clocksrc` that shows so many ms after [`START`].
fn frame(properties: &[(&str, glib::Value)], milliseconds: i64) -> Vec<u8> {
    let element = clocksrc(properties);
    element.set_property("start-time", START + milliseconds * MS);
    bytes(&play(&element).pull().unwrap())
}

fn bytes(buffer: &gst::BufferRef) -> Vec<u8> {
    buffer.map_readable().unwrap().to_vec()
}

/// A PNG file of one grey, gone when dropped.
struct File(PathBuf);

impl File {
    fn new(name: &str, level: u8) -> Self {
        let path = std::env::temp_dir().join(format!("clocksrc-{}-{name}.png", std::process::id()));
        let mut encoder = png::Encoder::new(std::fs::File::create(&path).unwrap(), 20, 10);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[level; 200]).unwrap();
        Self(path)
    }

    fn location(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn every_property_of_the_look_shows_in_the_next_frame_and_is_read_back() {
    let (white, grey) = (File::new("white", 255), File::new("grey", 128));
    let base = [
        ("text-scale", 0.5_f64.to_value()),
        ("logo-location", white.location().to_value()),
        ("text", "Gate".to_value()),
    ];
    let plain = frame(&base, 40);
    for (name, value) in [
        ("text", "Yard\nNorth".to_value()),
        ("time-format", "%F%n%T%.3f".to_value()),
        ("time-zone", "Europe/Berlin".to_value()),
        ("clients-format", "".to_value()),
        ("font-desc", "serif italic".to_value()),
        ("foreground-color", 0xff80_8080_u32.to_value()),
        ("background-color", 0xff20_2020_u32.to_value()),
        ("halignment", ClockSrcHAlign::Right.to_value()),
        ("valignment", ClockSrcVAlign::Top.to_value()),
        ("text-scale", 1.0_f64.to_value()),
        ("logo-location", grey.location().to_value()),
        ("logo-location", "".to_value()),
        ("logo-position", ClockSrcCorner::TopLeft.to_value()),
        ("logo-scale", 0.3_f64.to_value()),
    ] {
        let mut harness = play(&clocksrc(&base));
        let element = harness.element().unwrap();
        harness.pull().unwrap();
        harness.wait_for_clock_id_waits(1, 20).unwrap();
        element.set_property_from_value(name, &value);
        harness.crank_single_clock_wait().unwrap();
        let shown = bytes(&harness.pull().unwrap());
        assert!(shown != plain, "{name}={value:?} changes nothing");
        let mut changed = base.to_vec();
        changed.push((name, value.clone()));
        assert!(
            shown == frame(&changed, 40),
            "{name}={value:?} leaves something of the old look"
        );
        let read = element.property_value(name);
        assert_eq!(read.serialize().unwrap(), value.serialize().unwrap(), "{name}");
    }
}

#[test]
fn text_that_moves_to_another_edge_stays_the_same() {
    let counted = |align: ClockSrcHAlign| {
        let mut levels = [0; 256];
        for level in frame(
            &[("text-scale", 0.4.to_value()), ("halignment", align.to_value())],
            0,
        ) {
            levels[usize::from(level)] += 1;
        }
        levels
    };
    let center = counted(ClockSrcHAlign::Center);
    assert_eq!(counted(ClockSrcHAlign::Left), center);
    assert_eq!(counted(ClockSrcHAlign::Right), center);
}

#[test]
fn another_logo_changes_its_own_corner_alone() {
    let (white, grey) = (File::new("corner-white", 255), File::new("corner-grey", 128));
    let with = |file: &File| frame(&[("logo-location", file.location().to_value())], 0);
    let pairs = with(&white).into_iter().zip(with(&grey)).enumerate();
    let changed: Vec<usize> = pairs.filter(|(_, (a, b))| a != b).map(|(at, _)| at).collect();
    // 15 % of 120 px, and twice as wide.
    assert_eq!(changed.len(), 18 * 36);
    assert!(
        changed.iter().all(|at| at % WIDTH >= 80 && at / WIDTH >= 60),
        "{changed:?}"
    );
}

/// What a pipeline says of a `clocksrc` first, errors and warnings: the message, and whether it is an error.
fn first_complaint(pipeline: &gst::Pipeline) -> (String, bool) {
    let types = [gst::MessageType::Error, gst::MessageType::Warning];
    let message = pipeline.bus().unwrap().timed_pop_filtered(DEADLINE, &types);
    match message.expect("a message").view() {
        gst::MessageView::Error(error) => (error.error().to_string(), true),
        gst::MessageView::Warning(warning) => (warning.error().to_string(), false),
        _ => unreachable!("only these two were asked for"),
    }
}

fn pipeline(element: &gst::Element) -> gst::Pipeline {
    let pipeline = gst::Pipeline::new();
    let sink = gst::ElementFactory::make("fakesink").build().unwrap();
    pipeline.add_many([element, &sink]).unwrap();
    element.link(&sink).unwrap();
    pipeline
}

const IMPOSSIBLE: [(&str, &str, &str); 3] = [
    ("time-format", "%H:%E", "cannot be used"),
    ("time-zone", "Nowhere/Land", "no time zone"),
    ("logo-location", "/nowhere/logo.png", "No such file"),
];

#[test]
fn an_impossible_value_is_an_error_when_the_element_starts() {
    for (name, value, cause) in IMPOSSIBLE {
        let element = clocksrc(&[(name, value.to_value())]);
        let pipeline = pipeline(&element);
        assert!(pipeline.set_state(gst::State::Paused).is_err(), "{name} starts");
        let (said, is_error) = first_complaint(&pipeline);
        assert!(is_error);
        assert!(
            said.contains(name) && said.contains(value) && said.contains(cause),
            "{said}"
        );
        pipeline.set_state(gst::State::Null).unwrap();
        // Once put right, it starts.
        element.set_property(name, "");
        assert!(pipeline.set_state(gst::State::Paused).is_ok(), "{name}");
        pipeline.set_state(gst::State::Null).unwrap();
    }
}

#[test]
fn all_impossible_values_are_named_at_once() {
    let element = clocksrc(&[
        ("time-format", "%H:%E".to_value()),
        ("time-zone", "Nowhere/Land".to_value()),
    ]);
    let pipeline = pipeline(&element);
    assert!(pipeline.set_state(gst::State::Paused).is_err());
    let (said, _) = first_complaint(&pipeline);
    assert!(said.contains("%H:%E") && said.contains("Nowhere/Land"), "{said}");
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn an_impossible_value_while_playing_is_a_warning_and_the_old_one_stays() {
    let logo = File::new("stays", 255);
    let element = clocksrc(&[("logo-location", logo.location().to_value())]);
    let pipeline = pipeline(&element);
    pipeline.set_state(gst::State::Playing).unwrap();
    pipeline.state(DEADLINE).0.unwrap();
    for (name, value, cause) in IMPOSSIBLE {
        let before: String = element.property(name);
        element.set_property(name, value);
        let (said, is_error) = first_complaint(&pipeline);
        assert!(
            !is_error && said.contains(value) && said.contains(cause),
            "{said}"
        );
        assert_eq!(element.property::<String>(name), before);
    }
    pipeline.set_state(gst::State::Null).unwrap();
    assert!(
        pipeline.set_state(gst::State::Paused).is_ok(),
        "what was refused is forgotten"
    );
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn an_impossible_value_while_playing_leaves_the_picture_as_it_was() {
    let logo = File::new("picture", 255);
    let base = [("logo-location", logo.location().to_value())];
    let mut harness = play(&clocksrc(&base));
    let element = harness.element().unwrap();
    harness.pull().unwrap();
    harness.wait_for_clock_id_waits(1, 20).unwrap();
    for (name, value, _) in IMPOSSIBLE {
        element.set_property(name, value);
    }
    harness.crank_single_clock_wait().unwrap();
    assert!(bytes(&harness.pull().unwrap()) == frame(&base, 40));
}

#[test]
fn a_logo_is_read_anew_when_the_element_starts_again() {
    let logo = File::new("again", 255);
    let element = clocksrc(&[("logo-location", logo.location().to_value())]);
    let pipeline = pipeline(&element);
    assert!(pipeline.set_state(gst::State::Paused).is_ok());
    pipeline.set_state(gst::State::Null).unwrap();
    std::fs::write(&logo.0, "no picture any more").unwrap();
    assert!(pipeline.set_state(gst::State::Paused).is_err());
    let (said, _) = first_complaint(&pipeline);
    assert!(said.contains("no sound PNG file"), "{said}");
    pipeline.set_state(gst::State::Null).unwrap();
}
