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
