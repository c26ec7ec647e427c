//! The JSON Schema and the sample say what the server does.

use rtsp_clock_server::{
    config::{Config, FrameRate, VideoCodec},
    config_file::{self, schema},
};
use serde_json::{Value, json};

use crate::{File, file_with, read, refusal};

/// The repository's sample, which is also what the schema is about.
fn sample() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../config.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_sample_is_the_seeds_example_with_an_open_camera() {
    let config = read(&sample().to_string());
    assert_eq!(config.login, None);
    assert_eq!(
        (
            config.streams[0].mounts[0].address.to_string().as_str(),
            config.streams[0].mounts[0].port
        ),
        ("0.0.0.0", 8554)
    );
    let stream = &config.streams[0];
    assert_eq!(
        (stream.mounts[0].path.as_str(), stream.codec),
        ("/live", VideoCodec::H264)
    );
    assert_eq!((stream.width, stream.height), (1280, 720));
    assert_eq!(
        (stream.frames_per_second, stream.key_frame_interval),
        (FrameRate::whole(25), 50)
    );
}

#[test]
fn the_schema_has_every_key_with_the_seeds_nine_among_them() {
    let schema = schema::schema().to_value();
    let keys: Vec<&str> = schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let sample = sample();
    let seeds: Vec<&str> = sample.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(seeds.len(), 9);
    let missing: Vec<_> = seeds.iter().filter(|key| !keys.contains(key)).collect();
    assert_eq!(missing, Vec::<&&str>::new());
    assert!(
        keys.into_iter().eq(config_file::keys()
            .filter(|key| key.section().is_none())
            .map(|key| key.name)),
        "{schema:#}"
    );
    let takes = |file: &Value| jsonschema::is_valid(&schema, file);
    assert!(takes(
        &json!({"streams": [{"framesPerSecond": 5}, {"serverPort": "8553+{n}", "count": 7}]})
    ));
    assert!(takes(&json!({"authentication": "digest", "users": [
        {"username": "u", "password": ""}, {"username": "v", "password": "p", "streams": ["/cam{n}"]}
    ]})));
    for wrong in [
        json!({"colour": 1}),
        json!({"streams": []}),
        json!({"streams": [{"colour": 1}]}),
        json!({"streams": [{"viewerUsername": "user"}]}),
        json!({"streams": [{"reload": true}]}),
        json!({"streams": [{"framesPerSecond": 0}]}),
        json!({"authentication": "none"}),
        json!({"users": []}),
        json!({"users": [{"username": "", "password": "p"}]}),
        json!({"users": [{"username": "u"}]}),
        json!({"users": [{"username": "u", "password": "p", "streams": []}]}),
        json!({"users": [{"username": "u", "password": "p", "colour": 1}]}),
        json!({"streams": [{"users": [{"username": "u", "password": "p"}]}]}),
    ] {
        assert!(!takes(&wrong), "{wrong}");
    }
}

#[test]
fn the_schemas_defaults_are_the_servers() {
    let schema = schema::schema().to_value();
    let properties = schema["properties"].as_object().unwrap();
    // Those that are for nothing unless set have none.
    let defaults: Value = properties
        .iter()
        .filter(|(key, value)| {
            !["streams", "users"].contains(&key.as_str()) && value.get("default").is_some()
        })
        .map(|(key, value)| (key.clone(), value["default"].clone()))
        .collect();
    assert_eq!(read(&defaults.to_string()), Config::default(), "{defaults}");
    assert!(
        properties.values().all(|value| value["description"].is_string()),
        "{schema:#}"
    );
}

/// The schema's limits are the reader's: what lies on them is read, what lies behind them is refused.
#[test]
fn the_schemas_limits_are_the_servers() {
    let schema = schema::schema().to_value();
    // Whether it is within the limits; what it takes beside other keys is another matter.
    let is_within = |key: &str, value: i64| {
        let read = File::new(file_with(key, &json!(value)).to_string()).load(&[]);
        read.map_or_else(
            |error| !error.to_string().contains("expected a whole number"),
            |_| true,
        )
    };
    let mut seen = 0;
    for key in config_file::keys().map(|key| key.name) {
        let property = match key.split_once('.') {
            Some((section, name)) => &schema["properties"][section]["anyOf"][1]["properties"][name],
            None => &schema["properties"][key],
        };
        let limits = property["anyOf"].get(0).unwrap_or(property);
        if limits["type"] != "integer" {
            continue;
        }
        seen += 1;
        let limit = |name: &str| limits[name].as_i64().unwrap();
        let (minimum, maximum) = (limit("minimum"), limit("maximum"));
        for (value, is_inside) in [
            (minimum - 1, false),
            (minimum, true),
            (maximum, true),
            (maximum + 1, false),
        ] {
            assert_eq!(is_within(key, value), is_inside, "{key} {value}");
        }
    }
    assert!(seen > 10, "{seen} keys have limits");
    assert_eq!(schema["properties"]["viewerUsername"]["maxLength"], json!(255));
    let pattern = schema["properties"]["viewerUsername"]["pattern"]
        .as_str()
        .unwrap();
    assert!(pattern.starts_with(r#"^[^:"\\"#), "{pattern}");
    read(&json!({"viewerUsername": "é".repeat(255)}).to_string());
    refusal("viewerUsername", &json!("é".repeat(256)));
}
