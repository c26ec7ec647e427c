//! What a configuration takes from the machine: its time zone and its fonts.

use serde_json::json;

use crate::{File, mistakes, read_with};

#[test]
fn a_time_zone_variable_is_held_to_as_strictly_as_the_key() {
    for wrong in ["Europe/Berln", "CET-1CEST,M3.5.0", "/dev/zero"] {
        let said = mistakes("{}", &[("TZ", wrong)]);
        let [said] = said.as_slice() else {
            panic!("{said:?}");
        };
        assert!(
            said.starts_with(&format!(
                "TZ: found {wrong:?}, expected a time zone: an IANA name such as"
            )),
            "{said}"
        );
        // Nobody shows it.
        read_with(r#"{"timeZone": "UTC"}"#, &[("TZ", wrong)]);
    }
    let some = r#"{"streams": [{"timeZone": "UTC"}, {"rtspStreamPath": "/b"}]}"#;
    assert_eq!(mistakes(some, &[("TZ", "Mars")]).len(), 1);
    for right in [
        "",
        "UTC0",
        ":Europe/Berlin",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "<+03>-3",
        "/usr/share/zoneinfo/Europe/Berlin",
    ] {
        read_with("{}", &[("TZ", right)]);
    }
}

/// No font has what Unicode leaves to whoever uses it.
#[test]
fn characters_that_no_font_has_are_warned_about_with_their_place() {
    const NOBODYS: char = '\u{F0F0F}';
    let file = File::new(
        json!({
            "timeFormat": format!("%H:%M {NOBODYS}"),
            "streams": [
                {"rtspStreamPath": "/a", "label": format!("Yard {NOBODYS}")},
                {"rtspStreamPath": "/b", "label": "Größe"},
                {"rtspStreamPath": "/c", "label": "{n}", "clientsFormat": format!("{{}}{NOBODYS}")},
                {"rtspStreamPath": "/d", "pipeline": "clocksrc ! jpegenc ! rtpjpegpay name=pay0", "label": "d"},
            ]
        })
        .to_string(),
    );
    let warnings = file.load(&[]).expect("a configuration").warnings;
    let path = file.0.display();
    let warned: Vec<_> = warnings
        .iter()
        .filter(|warning| warning.contains("no installed font"))
        .collect();
    let places = ["streams[0].label", "streams[2].clientsFormat", "timeFormat"];
    assert_eq!(warned.len(), places.len(), "{warnings:?}");
    for (warning, place) in warned.iter().zip(places) {
        let begins = format!("{path}: {place}: no installed font has {NOBODYS} (U+F0F0F): boxes stand");
        assert!(warning.starts_with(&begins), "{warning}");
    }
}
