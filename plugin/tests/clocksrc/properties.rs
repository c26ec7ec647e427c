//! What the properties change, also while it plays, and what they refuse.

use std::sync::mpsc;

use gst::prelude::*;

use crate::{CAPS_25, DEADLINE, START, bytes, clocksrc, fast, harness};

#[test]
fn the_number_of_viewers_shows_in_the_next_frame_and_notifies() {
    let mut harness = harness(&[]);
    let element = harness.element().unwrap();
    let (notify, notified) = mpsc::channel();
    element.connect_notify(Some("clients"), move |element, _| {
        notify.send(element.property::<u32>("clients")).unwrap();
    });
    let alone = bytes(&harness.pull().unwrap());
    harness.wait_for_clock_id_waits(1, 20).unwrap();
    element.set_property("clients", 3_u32);
    assert_eq!(notified.recv_timeout(DEADLINE).unwrap(), 3);
    harness.crank_single_clock_wait().unwrap();
    let shown = bytes(&harness.pull().unwrap());
    let start = ("start-time", (START + 40_000_000).to_value());
    assert!(shown == bytes(&fast(&[start.clone(), ("clients", 3_u32.to_value())], CAPS_25, 1)[0]));
    assert!(shown != bytes(&fast(&[start], CAPS_25, 1)[0]) && shown != alone);
}

#[test]
fn text_properties_change_the_picture_and_take_any_string() {
    let plain = bytes(&fast(&[], CAPS_25, 1)[0]);
    let hostile = "\"quotes\" 'single' ! \\ <b>&amp; שלום {} %H";
    for name in ["text", "clients-format", "font-desc"] {
        let value = if name == "font-desc" {
            "serif italic"
        } else {
            hostile
        };
        let changed = fast(&[(name, value.to_value())], CAPS_25, 1);
        assert!(bytes(&changed[0]) != plain, "{name} changes nothing");
        assert_eq!(
            clocksrc(&[(name, value.to_value())]).property::<String>(name),
            value
        );
    }
    fast(
        &[
            ("text", None::<&str>.to_value()),
            ("font-desc", "no such font !".to_value()),
        ],
        CAPS_25,
        1,
    );
}

#[test]
fn an_impossible_value_is_refused_and_the_old_one_stays() {
    let element = clocksrc(&[]);
    element.set_property("time-zone", "Europe/Berlin");
    element.set_property("time-zone", "Nowhere/Land");
    assert_eq!(element.property::<String>("time-zone"), "Europe/Berlin");
    element.set_property("time-format", "%T");
    element.set_property("time-format", "%H:%!");
    assert_eq!(element.property::<String>("time-format"), "%T");
}

#[test]
fn changes_while_playing_show_in_the_next_frame() {
    let mut harness = harness(&[]);
    let element = harness.element().unwrap();
    harness.pull().unwrap();
    harness.wait_for_clock_id_waits(1, 20).unwrap();
    element.set_property("text", "Yard");
    element.set_property("time-format", "%S%.3f");
    element.set_property("foreground-color", 0xff80_8080_u32);
    harness.crank_single_clock_wait().unwrap();
    let shown = bytes(&harness.pull().unwrap());
    let expected = fast(
        &[
            ("start-time", (START + 40_000_000).to_value()),
            ("text", "Yard".to_value()),
            ("time-format", "%S%.3f".to_value()),
            ("foreground-color", 0xff80_8080_u32.to_value()),
        ],
        CAPS_25,
        1,
    );
    assert!(shown == bytes(&expected[0]));
}

/// The warnings that a pipeline with this text posts until its end, and then with another one.
fn warnings(text: &str, then: &str) -> [Vec<String>; 2] {
    let element = clocksrc(&[
        ("text", text.to_value()),
        ("is-live", false.to_value()),
        ("num-buffers", 2.to_value()),
    ]);
    let sink = gst::ElementFactory::make("fakesink").build().unwrap();
    let pipeline = gst::Pipeline::new();
    pipeline.add_many([&element, &sink]).unwrap();
    element.link(&sink).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let bus = pipeline.bus().unwrap();
    let until_end = [
        gst::MessageType::Eos,
        gst::MessageType::Error,
        gst::MessageType::Warning,
    ];
    let mut first = Vec::new();
    while let Some(message) = bus.timed_pop_filtered(gst::ClockTime::from_seconds(20), &until_end) {
        match message.view() {
            gst::MessageView::Warning(warning) => first.push(warning.error().to_string()),
            gst::MessageView::Eos(_) => break,
            other => panic!("{other:?}"),
        }
    }
    element.set_property("text", then);
    let mut second = Vec::new();
    while let Some(message) = bus.pop_filtered(&[gst::MessageType::Warning]) {
        let gst::MessageView::Warning(warning) = message.view() else {
            continue;
        };
        second.push(warning.error().to_string());
    }
    pipeline.set_state(gst::State::Null).unwrap();
    [first, second]
}

/// No font has what Unicode leaves to whoever uses it.
#[test]
fn characters_that_no_font_has_are_told_on_the_bus_at_the_start_and_when_they_come() {
    let said = |c: char| format!("no installed font has {c} (U+{:04X}): boxes stand", u32::from(c));
    let [first, second] = warnings("Yard \u{F0F0F}", "Yard \u{F0F10}");
    for (warnings, character) in [(first, '\u{F0F0F}'), (second, '\u{F0F10}')] {
        let [warning] = warnings.as_slice() else {
            panic!("{warnings:?}");
        };
        assert!(warning.starts_with(&said(character)), "{warning}");
    }
    assert_eq!(warnings("Größe", "Yard"), [Vec::<String>::new(), Vec::new()]);
}
