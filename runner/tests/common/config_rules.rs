//! What holds of every configuration, whatever bytes it is made of. The fuzz target `config` and `config/fuzz.rs` feed it.

use std::collections::BTreeSet;

use rtsp_clock_server::config::{Access, Config, Multicast, StreamConfig, VideoCodec};

use rtsp_clock_server::config_file::{Environment, Error, Source, parse};

/// Shorter ones stand in many a word by chance.
const SHORTEST_SECRET: usize = 8;

/// Takes `input` for a file, a NUL, and variables: a NAME=VALUE in each line. Answers whether it is a configuration.
///
/// # Panics
/// When a rule is broken.
pub fn check(input: &[u8]) -> bool {
    let mut parts = input.splitn(2, |byte| *byte == 0);
    let file = parts.next().unwrap_or_default();
    let variables = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let variables: Vec<(&str, &str)> = variables
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    let environment: Environment = variables.iter().copied().collect();
    let read = parse(Source::Named("c.json".into()), Some(file), &environment);
    let is_good = read.is_ok();
    let said = match read {
        Ok(loaded) => {
            check_limits(&loaded.config);
            format!("{:?} {:?}", loaded.config, loaded.warnings)
        }
        Err(error) => {
            check_error(&error);
            format!("{error} {error:?}")
        }
    };
    for secret in secrets(file, &variables) {
        assert!(!said.contains(&secret), "the password {secret} is in {said}");
    }
    is_good
}

fn check_error(error: &Error) {
    let Error::Mistakes(mistakes) = error else {
        panic!("nothing was read from a file: {error}");
    };
    assert!(!mistakes.is_empty());
    for mistake in mistakes {
        assert!(
            !mistake.place.is_empty() && !mistake.problem.is_empty(),
            "{mistake:?}"
        );
        assert!(!mistake.to_string().contains('\n'), "{mistake:?}");
    }
}

/// The limits that `docs/configuration.md` states.
fn check_limits(config: &Config) {
    for login in config.all_users().iter().map(|user| &user.login) {
        assert!(!login.username.is_empty() && !login.username.contains([':', '"', '\\']));
        for text in [&login.username, &login.password] {
            assert!(text.chars().count() <= 255 && !text.chars().any(char::is_control));
        }
    }
    let mounts: BTreeSet<_> = config.streams.iter().flat_map(|stream| &stream.mounts).collect();
    for user in &config.users {
        if let Access::Only(places) = &user.access {
            assert!(
                !places.is_empty() && places.iter().all(|place| mounts.contains(place)),
                "{user:?}"
            );
        }
    }
    let names: Vec<_> = config
        .all_users()
        .into_iter()
        .map(|user| user.login.username)
        .collect();
    assert!(
        (1..names.len()).all(|index| !names[..index].contains(&names[index])),
        "{names:?}"
    );
    if let Some(ports) = config.rtp_ports {
        assert!(ports.first >= 1024 && ports.first.is_multiple_of(2) && ports.first < ports.last);
    }
    if let Some(Multicast { groups, ports, ttl }) = config.multicast {
        assert!(groups.first.is_multicast() && groups.last.is_multicast() && groups.first <= groups.last);
        assert!(ports.first >= 1024 && ports.first < ports.last && ttl > 0);
    }
    assert!(config.tls.is_some() || config.listens_at().iter().all(|at| !at.tls));
    assert!(!config.streams.is_empty());
    config.streams.iter().for_each(check_stream);
}

fn check_stream(stream: &StreamConfig) {
    assert!((32..=7680).contains(&stream.width), "{stream:?}");
    assert!((32..=4320).contains(&stream.height), "{stream:?}");
    let multiple = match stream.codec {
        VideoCodec::Mjpeg => 8,
        _ => 2,
    };
    let fits = stream.width.is_multiple_of(multiple) && stream.height.is_multiple_of(multiple);
    assert!(fits || stream.pipeline.is_some(), "{stream:?}");
    assert!(
        (0.1..=240.0).contains(&stream.frames_per_second.per_second()),
        "{stream:?}"
    );
    assert!((1..=3600).contains(&stream.key_frame_interval), "{stream:?}");
    assert!(stream.phase < stream.frames_per_second.period(), "{stream:?}");
    assert!(!stream.transports.is_empty(), "{stream:?}");
    assert!(!stream.mounts.is_empty(), "{stream:?}");
    for mount in &stream.mounts {
        assert!(mount.path.starts_with('/') && mount.path.is_ascii(), "{mount:?}");
        assert!(!mount.path.contains(['{', '}', ' ', '#']), "{mount:?}");
    }
}

/// The passwords of an input that stand nowhere else in it: others may be told as another key's value.
fn secrets(file: &[u8], variables: &[(&str, &str)]) -> Vec<String> {
    let json: Option<serde_json::Value> = serde_json::from_slice(file).ok();
    let of_pair = json
        .as_ref()
        .and_then(|json| json.get("viewerPassword")?.as_str());
    let users = json.as_ref().and_then(|json| json.get("users")?.as_array());
    let of_users = users
        .into_iter()
        .flatten()
        .filter_map(|user| user.get("password")?.as_str());
    let in_file = of_pair.into_iter().chain(of_users);
    let in_variable = variables
        .iter()
        .rev()
        .find(|(name, _)| *name == "RTSP_VIEWER_PASSWORD");
    let everything = format!("{} {variables:?}", String::from_utf8_lossy(file));
    let candidates = in_file.chain(in_variable.map(|(_, value)| *value));
    candidates
        .filter(|secret| secret.len() >= SHORTEST_SECRET && everything.matches(secret).count() == 1)
        .map(str::to_owned)
        .collect()
}
