//! A configuration that is no file, or far more than one: it is refused at once, with what may stand there.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use rtsp_clock_server::config_file::{Error, load};
use serde_json::json;

use crate::{File, mistake, mistakes, refusal};

/// What is said of a file that cannot be read.
#[track_caller]
fn unreadable(path: &Path) -> String {
    let none: [(&str, &str); 0] = [];
    match load(Some(path), &none.into_iter().collect()) {
        Err(error @ Error::Unreadable { .. }) => error.to_string(),
        other => panic!("{}: {other:?}", path.display()),
    }
}

/// Files that are none, in the folder of `file`: a name, what makes it, and what is said of it.
fn no_files(file: &File) -> Vec<(std::path::PathBuf, &'static str)> {
    let at = |name: &str| file.0.with_file_name(name);
    let (pipe, link, large) = (at("pipe"), at("link"), at("large"));
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
    assert!(made.success());
    symlink("/dev/zero", &link).expect("it can be linked");
    let hole = std::fs::File::create(&large).expect("it can be made");
    hole.set_len(1 << 40).expect("a size");
    vec![
        (pipe, "it is a pipe (FIFO), and no regular file"),
        (link, "it is a device, and no regular file"),
        (large, "it has more than 16 MiB"),
        (at(""), "Is a directory"),
    ]
}

#[test]
fn what_is_no_file_is_refused_whoever_names_it() {
    let file = File::new("{}");
    for (path, cause) in no_files(&file) {
        let said = unreadable(&path);
        assert!(said.contains(cause), "{said}");
        for key in ["logo", "tlsCertificate", "tlsPrivateKey"] {
            let said = refusal(key, &json!(path));
            assert!(said.contains(cause), "{key}: {said}");
        }
    }
}

#[test]
fn a_million_mistakes_are_not_all_told() {
    let keys: Vec<String> = (0..300_000).map(|key| format!("\"{key}\": 1")).collect();
    let file = File::new(format!("{{{}}}", keys.join(",")));
    let said = file.load(&[]).expect_err("they are mistakes").to_string();
    assert!(
        said.starts_with("the configuration has 1000 mistakes or more\n"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1001);
}

#[test]
fn a_key_that_is_repeated_without_end_is_one_mistake() {
    let file = format!("{{{}}}", vec!["\"flash\": true"; 300_000].join(","));
    assert_eq!(
        mistake(&file),
        format!(
            "flash: found 300000 times ({}…), expected once",
            "true, ".repeat(8)
        )
    );
}

#[test]
fn a_name_or_a_text_without_end_is_not_kept() {
    let said = mistake(&json!({ "x".repeat(3_000_000): 1 }).to_string());
    assert!(said.contains(": unknown key, expected one of "), "{said}");
    for key in ["pipeline", "rtspStreamPath", "encoder", "logo", "font"] {
        let said = refusal(key, &json!(format!("/{}", "a".repeat(3_000_000))));
        assert!(
            said.ends_with("…, expected a text of at most 4096 bytes"),
            "{key}: {said}"
        );
    }
}

#[test]
fn more_streams_than_any_machine_holds_are_refused() {
    let entries = vec!["{}"; 10_001].join(",");
    assert_eq!(
        mistake(&format!("{{\"streams\": [{entries}]}}")),
        "streams: found 10001 streams, expected at most 10000"
    );
    let entry = |path: &str| json!({"count": 6000, "rtspStreamPath": path});
    let said = mistakes(
        json!({"streams": [entry("/a{n}"), entry("/b{n}")]}).to_string(),
        &[],
    );
    assert_eq!(
        said,
        [
            "streams[1].count: found 6000, with which the streams are 12000 or more, expected at most 10000 of all entries \
          together"
        ]
    );
}
