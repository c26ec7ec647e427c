//! Each key has a row with all that is to be said of it.

use std::collections::BTreeSet;

use rtsp_clock_server::{
    config::Config,
    config_file::{self, Change, Environment, Key, Level, Source, parse, schema},
};
use serde_json::{Value, json};

use crate::{file_with, read};

#[test]
fn every_row_has_all_its_parts_and_a_name_of_its_own() {
    let mut names = BTreeSet::new();
    for key in config_file::keys() {
        let name = key.name;
        assert!(names.insert(name), "{name} is there twice");
        let is_list = matches!(name, "streams" | "users");
        let section = config_file::keys().find(|other| Some(other.name) == key.section());
        assert_eq!(section.is_some(), key.section().is_some(), "{name}");
        assert_eq!(key.variable.is_none(), is_list, "{name}");
        assert!(
            key.variable.is_none_or(|variable| names.insert(variable)),
            "{name}"
        );
        assert!(key.documentation.ends_with('.'), "{name}");
        assert!(!key.expected().is_empty(), "{name}: null may stand there");
        // What changes with a restart is the server's.
        assert!(
            !matches!(key.change, Change::Restart(_)) || key.level == Level::Server,
            "{name}"
        );
    }
    let newer = config_file::keys().filter_map(|key| key.older_name_of);
    assert!(newer.into_iter().all(|name| names.contains(name)));
}

/// Whatever the server takes, an editor takes as well.
#[test]
fn the_schema_takes_what_the_readers_take() {
    let schema = jsonschema::validator_for(&schema::schema().to_value()).expect("a schema");
    let texts = [
        "",
        "a",
        "0",
        "::1",
        "127.0.0.1",
        "8553+{n}",
        "h265",
        "64x64",
        "30000/1001",
        "/a?b={n}",
        "auto",
        "none",
        "opus",
        "50000-50019",
        "qr",
        "top-left",
        "%H",
        "UTC",
        "#aBcDeF",
        "#00000000",
        "left",
        "bottom",
        "udp",
        "239.1.1.1",
        "239.1.1.0-239.1.1.9",
        "basic",
        "json",
        "info,gstreamer=warn",
        "ntp://a:1",
        "ptp:7",
        "0123456789abcdef",
        "camera.example",
        "https://lab.example",
        "clocksrc ! x264enc ! rtph264pay name=pay0",
    ];
    let numbers = [
        json!(0),
        json!(1),
        json!(0.5),
        json!(29.97),
        json!(500),
        json!(-1),
        json!(1e9),
    ];
    let others = [
        json!(null),
        json!(true),
        json!([]),
        json!(["udp", "http"]),
        json!(["udp", "udp"]),
        json!(["camera.example"]),
        json!(["https://lab.example:8443", "https://lab.example:8443"]),
        json!({ "port": 0 }),
        json!({}),
    ];
    let values = texts.map(Value::from).into_iter().chain(numbers).chain(others);
    for value in values.collect::<Vec<_>>() {
        for key in config_file::keys() {
            let file = file_with(key.name, &value);
            let read = parse(
                Source::Usual,
                Some(file.to_string().as_bytes()),
                &Environment::default(),
            );
            assert!(read.is_err() || schema.is_valid(&file), "{file}");
        }
    }
}

/// Of the keys that need a restart each says so, and nothing else does.
#[test]
fn a_restart_is_asked_for_by_the_keys_that_differ() {
    let asks = |runs: &Config, wanted: &Config| {
        let asks = |key: &&Key| matches!(key.change, Change::Restart(differs) if differs(runs, wanted));
        config_file::keys()
            .filter(asks)
            .map(|key| key.name)
            .collect::<Vec<_>>()
    };
    let before = json!({ "multicastAddressRange": "239.1.1.1" });
    for (name, value) in [
        ("rtpPortRange", json!("50000-50019")),
        ("multicastAddressRange", json!("239.1.1.2")),
        ("multicastPortRange", json!("16000-16999")),
        ("multicastTtl", json!(2)),
        ("sessionTimeoutSeconds", json!(60)),
        ("logFormat", json!("json")),
        ("clock", json!("ntp://a")),
        ("http", json!(false)),
        ("http.address", json!("::1")),
        ("http.port", json!(0)),
    ] {
        let mut after = before.clone();
        match name.split_once('.') {
            Some((section, name)) => after[section] = json!({ name: value }),
            None => after[name] = value,
        }
        let (before, after) = (read(&before.to_string()), read(&after.to_string()));
        assert_eq!(asks(&before, &after), [name]);
    }
    let plain = read(r#"{"multicastTtl": 2, "label": "a", "maxViewers": 7, "logLevel": "debug"}"#);
    assert_eq!(asks(&Config::default(), &plain), [""; 0]);
}
