//! How recordings are judged: by limits, without a stamp, and in several segments.

use crate::call::{assert_status, json, run, scratch, written};
use crate::recording::{Recording, blank, frames, in_a_row};

#[test]
fn a_limit_decides_the_exit_status() {
    let all = frames(60);
    let mut placed = in_a_row(&all);
    placed.retain(|(place, _)| ![10, 11, 30].contains(place));
    let recording = Recording::write("limits", &placed);
    for (allowed, status) in [("2", 1), ("3", 0)] {
        let output = run(&[recording.name(), "--max-lost", allowed, "--json"]);
        assert_status(&output, status);
        let limit = &json(&output.stdout)["limits"][0];
        assert_eq!(
            (limit["name"].as_str(), limit["found"].as_str()),
            (Some("--max-lost"), Some("3"))
        );
        assert_eq!(limit["kept"].as_bool(), Some(status == 0));
    }
    // The longest gap is from frame 9 to frame 12.
    for (limits, status) in [
        (["--max-gap", "120ms", "--min-fps", "20"], 0),
        (["--max-gap", "119ms", "--min-fps", "20"], 1),
        (["--max-gap", "1s", "--min-fps", "25.1"], 1),
        (["--max-drift", "100", "--max-gap", "1s"], 1),
        (["--max-sound-offset", "10ms", "--max-gap", "1s"], 1),
    ] {
        let output = run(&[&[recording.name()], &limits[..]].concat());
        assert_status(&output, status);
    }
    // A recording has no latency that could be kept.
    assert_status(&run(&[recording.name(), "--max-p99", "1h"]), 1);
}

/// A recording in three segments, of which frames 20 to 29 are missing between the first two and 45 to 49 are in the last
/// two; the files' names say nothing of their order.
#[test]
fn segments_are_one_time_line_in_the_order_of_their_stamps() {
    let all = frames(80);
    let segment = |name: &str, range: std::ops::Range<usize>| Recording::write(name, &in_a_row(&all[range]));
    let folder = scratch("segments");
    std::fs::create_dir_all(&folder).expect("a folder");
    let parts = [("c", 0..20), ("a", 30..50), ("b", 45..80)];
    let mut playlist = String::from("#EXTM3U\n");
    for (name, range) in parts {
        let recording = segment(name, range);
        std::fs::copy(recording.name(), folder.join(format!("{name}.mkv"))).expect("a copy");
        playlist.extend(["#EXTINF:1,\n", name, ".mkv\n"]);
    }
    std::fs::write(folder.join("index.m3u8"), playlist).expect("a file");
    let folder_name = folder.to_str().expect("UTF-8").to_owned();
    let files = ["b.mkv", "a.mkv", "c.mkv"].map(|name| format!("{folder_name}/{name}"));
    let by_files: Vec<&str> = files.iter().map(String::as_str).collect();
    for named in [
        by_files,
        vec![&folder_name],
        vec![&format!("{folder_name}/index.m3u8")],
    ] {
        let output = run(&[&named[..], &["--join", "--json", "--max-lost", "10"]].concat());
        assert_status(&output, 0);
        let figures = json(&output.stdout);
        let [stream] = figures["streams"].as_array().expect("a list").as_slice() else {
            panic!("one time line: {figures}");
        };
        let segments = stream["segments"].as_array().expect("a list").iter();
        let segments = segments.map(|segment| {
            let file = segment["file"].as_str().expect("a name");
            let number = |name: &str| segment[name].as_u64().expect("a number");
            (
                file.chars().rev().nth(4).expect("a name"),
                number("missing"),
                number("overlap"),
            )
        });
        assert_eq!(
            segments.collect::<Vec<_>>(),
            [('c', 0, 0), ('a', 10, 0), ('b', 0, 5)]
        );
        let counts = &stream["counts"];
        assert_eq!(
            (counts["lost"].as_u64(), counts["frames"].as_u64()),
            (Some(10), Some(75))
        );
        assert_eq!(counts["restarts"], 0);
    }
    assert_status(&run(&[&folder_name, "--join", "--max-gap", "439ms"]), 1);
    assert_status(&run(&[&folder_name, "--join", "--max-gap", "440ms"]), 0);
    let table = run(&[&folder_name, "--join"]);
    assert!(
        written(&table).contains("1 (440 ms, 10 frames)"),
        "{}",
        written(&table)
    );
    assert_status(&run(&["rtsp://127.0.0.1/live", "--join"]), 2);
    std::fs::remove_dir_all(&folder).expect("it was there");
}

/// Grey pictures, each a little brighter than the one before, but for some that are the same.
fn unstamped(name: &str) -> Recording {
    let pictures: Vec<gst::Buffer> = (0..60_u8)
        .map(|place| {
            let mut picture = blank();
            let bright = 60 + if (20..40).contains(&place) { 20 } else { place };
            let bytes = picture.make_mut();
            bytes.map_writable().expect("memory").fill(bright);
            picture
        })
        .collect();
    Recording::write(name, &in_a_row(&pictures))
}

#[test]
fn a_stream_without_a_stamp_is_judged_by_what_can_be_judged() {
    let recording = unstamped("unstamped");
    for (limits, status) in [
        (&["--min-fps", "24", "--max-gap", "41ms"][..], 0),
        (&["--min-fps", "26"], 1),
        (&["--max-gap", "39ms"], 1),
        (&["--max-frozen", "1"], 0),
        (&["--max-frozen", "0"], 1),
        (&["--max-lost", "0"], 1),
        (&["--max-p99", "1h"], 1),
    ] {
        let output = run(&[&[recording.name(), "--json"], limits].concat());
        assert_status(&output, status);
        let figures = json(&output.stdout);
        let stream = &figures["streams"][0];
        assert_eq!(
            (&stream["counts"]["frozen"], &stream["counts"]["frames"]),
            (&1.into(), &60.into())
        );
        assert!(
            (stream["delivery"]["timestamps"]["p50"]
                .as_f64()
                .unwrap_or_default()
                - 40.0)
                .abs()
                < 0.1
        );
        assert!(
            stream["delivery"]["bitrateKbps"]
                .as_f64()
                .is_some_and(|kbps| kbps > 1.0),
            "{stream}"
        );
        assert_eq!(
            stream["problems"].as_array().map(Vec::len),
            Some(1),
            "{}",
            stream["problems"]
        );
        if limits[0] == "--max-lost" {
            let found = figures["limits"][0]["found"].as_str().unwrap_or_default();
            assert!(found.contains("needs a stamp"), "{found}");
        }
    }
}
