//! The command as it is called: what it writes, how it exits, and what it never shows.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use crate::call::{assert_status, command, json, run, scratch, written};
use crate::recording::{Recording, blank, frames, in_a_row};

/// A recording of 60 frames that lacks 3.
fn lacking(name: &str) -> Recording {
    let all = frames(60);
    let mut placed = in_a_row(&all);
    placed.retain(|(place, _)| ![10, 11, 30].contains(place));
    Recording::write(name, &placed)
}

#[test]
fn a_wrong_command_line_is_status_2() {
    for arguments in [
        &[][..],
        &["no such file"],
        &["rtsp://127.0.0.1/live", "--duration", "soon"],
        &["rtsp://127.0.0.1/live", "--max-lost", "-1"],
        &["rtsp://127.0.0.1/live", "--every", "0"],
        &["rtsp://127.0.0.1/live", "--min-fps", "-1"],
        &["rtsp://127.0.0.1/live", "--max-drift", "nan"],
        &["rtsp://127.0.0.1/live", "--password", "secret"],
        &[
            "rtsp://127.0.0.1/live",
            "--via",
            "rtsp://127.0.0.1/other",
            "--every",
            "2",
        ],
        &["rtsp://viewer:12#secret@127.0.0.1/live"],
        &["viewer:secret@127.0.0.1/live"],
        &["127.0.0.1/live?password=secret"],
    ] {
        let output = run(arguments);
        assert_status(&output, 2);
        assert!(
            output.stdout.is_empty() && !output.stderr.is_empty(),
            "{arguments:?}"
        );
        assert!(!written(&output).contains("secret"), "{}", written(&output));
    }
}

#[test]
fn the_schema_is_printed_without_a_url() {
    let output = run(&["--print-schema"]);
    assert_status(&output, 0);
    assert!(json(&output.stdout).get("properties").is_some());
}

#[test]
fn every_output_is_written_and_quiet_otherwise() {
    let recording = lacking("outputs");
    let [json_file, csv, page] = ["a.json", "a.csv", "a.html"].map(scratch);
    let output = command()
        .arg(recording.name())
        .arg(format!("--json={}", json_file.display()))
        .arg("--csv")
        .arg(&csv)
        .arg("--report")
        .arg(&page)
        .output()
        .expect("it runs");
    assert_status(&output, 0);
    assert!(
        output.stderr.is_empty(),
        "no terminal, no progress: {}",
        written(&output)
    );
    assert!(
        String::from_utf8_lossy(&output.stdout).contains(recording.name()),
        "the table"
    );
    let read = |path: &Path| std::fs::read_to_string(path).expect("it was written");
    assert_eq!(
        json(read(&json_file).as_bytes())["streams"][0]["counts"]["lost"],
        3
    );
    assert_eq!(read(&csv).lines().count(), 1 + 57);
    assert!(
        read(&page).contains("data:image/png;base64,"),
        "the page has a picture"
    );
    for file in [json_file, csv, page] {
        std::fs::remove_file(file).expect("it was there");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_told_before_anything_is_measured() {
    let recording = lacking("unwritable");
    let output = run(&[recording.name(), "--report", "/no/such/folder/report.html"]);
    assert_status(&output, 1);
    assert!(
        output.stdout.is_empty() && written(&output).contains("/no/such/folder"),
        "{}",
        written(&output)
    );
}

#[test]
fn a_picture_without_a_stamp_is_told_with_what_to_do() {
    let blank = blank();
    let recording = Recording::write("blank", &in_a_row([&blank; 10]));
    let output = run(&[recording.name(), "--json"]);
    assert_status(&output, 0);
    let figures = json(&output.stdout);
    let problem = figures["streams"][0]["problems"][0].as_str().unwrap_or_default();
    assert!(
        problem.contains("needs a stamp")
            && problem.contains("RTSP_STAMP=qr")
            && problem.contains("\"stamp\": \"qr\""),
        "{problem}"
    );
    assert_eq!(figures["streams"][0]["counts"]["unreadable"], 10);
}

#[test]
fn what_cannot_be_played_is_told() {
    let file = scratch("not-a-film.mp4");
    std::fs::write(&file, "Once upon a time").expect("a file");
    let output = run(&[file.to_str().expect("UTF-8")]);
    std::fs::remove_file(&file).expect("it was there");
    assert_status(&output, 1);
    assert!(
        written(&output).contains("nothing that can be played"),
        "{}",
        written(&output)
    );
}

/// An RTSP server that answers everything with `status`, for as long as it is asked.
fn server(status: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    std::thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut answers = connection.try_clone().expect("a socket");
                let mut number = String::new();
                for line in BufReader::new(connection).lines().map_while(Result::ok) {
                    if let Some(cseq) = line.strip_prefix("CSeq:") {
                        cseq.trim().clone_into(&mut number);
                    }
                    if line.is_empty() {
                        let login = "WWW-Authenticate: Basic realm=\"camera\"";
                        let answer = format!("RTSP/1.0 {status}\r\nCSeq: {number}\r\n{login}\r\n\r\n");
                        if answers.write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    port
}

#[track_caller]
fn assert_hidden(text: &str) {
    // As it is, percent-encoded, and as Basic sends it.
    for secret in ["s3cr@t", "s3cr%40t", "dmlld2VyOnMzY3JAdA"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn credentials_are_shown_nowhere_when_they_are_refused() {
    let port = server("401 Unauthorized");
    let page = scratch("refused.html");
    let url = format!("rtsp://127.0.0.1:{port}/live");
    let with_credentials = format!("rtsp://viewer:s3cr%40t@127.0.0.1:{port}/live");
    let common = ["--duration", "20s", "--transport", "tcp", "--json", "--report"];
    let mut by_url = command();
    by_url.arg(&with_credentials);
    let mut by_option = command();
    by_option.args([&url, "--user", "viewer", "--password", "s3cr@t"]);
    let mut by_environment = command();
    by_environment
        .arg(&url)
        .env("RTSP_PROBE_USERNAME", "viewer")
        .env("RTSP_PROBE_PASSWORD", "s3cr@t");
    for mut command in [by_url, by_option, by_environment] {
        let output = command.args(common).arg(&page).output().expect("it runs");
        assert_status(&output, 1);
        let text = written(&output) + &std::fs::read_to_string(&page).expect("the page");
        assert_hidden(&text);
        let figures = json(&output.stdout);
        assert_eq!(figures["streams"][0]["url"].as_str(), Some(url.as_str()));
        let problem = figures["streams"][0]["problems"][0].as_str().unwrap_or_default();
        assert!(
            problem.contains("refuses the user name or the password"),
            "{problem}"
        );
    }
    std::fs::remove_file(page).expect("it was there");
    let output = run(&[&url, "--duration", "20s", "--transport", "tcp"]);
    assert!(
        written(&output).contains("RTSP_PROBE_PASSWORD"),
        "{}",
        written(&output)
    );
}

#[test]
fn a_url_that_cannot_be_read_does_not_show_its_password() {
    let output = run(&["rtsp://viewer:s3cr@t@127.0.0.1:99999/live"]);
    assert_status(&output, 2);
    assert_hidden(&written(&output));
}

#[test]
fn a_secret_in_a_query_is_sent_and_not_shown() {
    let url = format!(
        "rtsp://127.0.0.1:{}/live?user=viewer&password=s3cr@t",
        server("404 Not Found")
    );
    let output = run(&[
        &url.replace('@', "%40"),
        "--duration",
        "20s",
        "--transport",
        "tcp",
        "--json",
    ]);
    assert_status(&output, 1);
    let text = written(&output);
    assert_hidden(&text);
    assert!(text.contains("user=***&password=***"), "{text}");
}

#[test]
fn a_duration_without_an_end_is_none() {
    let recording = lacking("endless");
    let endless = format!("{}s", i64::MAX);
    assert_status(&run(&[recording.name(), "--duration", &endless, "--json"]), 0);
}

#[test]
fn one_that_fails_does_not_stop_the_others() {
    let recording = lacking("others");
    let missing = format!("rtsp://127.0.0.1:{}/nothing", server("404 Not Found"));
    let output = run(&[&missing, recording.name(), "--transport", "tcp", "--json"]);
    assert_status(&output, 1);
    let figures = json(&output.stdout);
    let problem = figures["streams"][0]["problems"][0].as_str().unwrap_or_default();
    assert!(problem.contains("404"), "{problem}");
    assert_eq!(figures["streams"][1]["counts"]["frames"], 57);
    assert_eq!(figures["streams"][1]["counts"]["lost"], 3);
}

/// Runs it with a stdout, or a stderr too, that nobody reads.
fn unread(mut command: Command, also_errors: bool) -> Output {
    let unread = || {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        writer
    };
    command.stdout(unread());
    if also_errors {
        command.stderr(unread());
    }
    command.output().expect("it runs")
}

#[test]
fn whoever_stops_reading_does_not_end_it() {
    let recording = lacking("unread");
    for arguments in [
        &["--help"][..],
        &["-h"],
        &["--version"],
        &["--print-schema"],
        &[recording.name()],
        &[recording.name(), "--json"],
    ] {
        for also_errors in [false, true] {
            let mut command = command();
            command.args(arguments);
            let output = unread(command, also_errors);
            assert_status(&output, 0);
            assert!(output.stderr.is_empty(), "{arguments:?}: {}", written(&output));
        }
    }
    for (arguments, status) in [(&["--no-such-option"][..], 2), (&["no such file"], 2)] {
        let mut command = command();
        command.args(arguments);
        assert_status(&unread(command, true), status);
    }
}

#[test]
fn a_name_that_is_not_utf_8_is_a_name() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let recording = lacking("latin-1");
    let name = [recording.name().as_bytes(), b"-caf\xe9.mkv"].concat();
    let name = Path::new(OsStr::from_bytes(&name));
    std::fs::copy(recording.name(), name).expect("a copy");
    let csv = scratch("latin-1.csv");
    let output = command()
        .arg(name)
        .arg("--csv")
        .arg(&csv)
        .output()
        .expect("it runs");
    let rows = std::fs::read_to_string(&csv).expect("it was written");
    for file in [name, &csv] {
        std::fs::remove_file(file).expect("it was there");
    }
    assert_status(&output, 0);
    assert!(
        written(&output).contains("caf\u{fffd}.mkv"),
        "{}",
        written(&output)
    );
    assert_eq!(rows.lines().count(), 1 + 57);
    for wrong in [
        &b"no\xe9"[..],
        b"rtsp://127.0.0.1/\xe9",
        b"--no\xe9",
        b"--duration=\xe9",
    ] {
        let output = command().arg(OsStr::from_bytes(wrong)).output().expect("it runs");
        assert_status(&output, 2);
        assert!(!output.stderr.is_empty());
    }
}

/// A port of loopback at which nobody listens.
fn closed() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

#[test]
fn what_cannot_be_reached_or_played_is_told_in_one_line() {
    let port = closed();
    for (url, cause) in [
        (
            format!("http://127.0.0.1:{port}/live.ts"),
            "No server can be reached",
        ),
        (format!("rtmp://127.0.0.1:{port}/one"), "No server can be reached"),
        (
            format!("rtsp://127.0.0.1:{port}/live"),
            "No server can be reached",
        ),
        ("rtmp://host.invalid/one".into(), "no address"),
        ("http://host.invalid/one".into(), "no address"),
        ("foo://127.0.0.1/one".into(), "is the URL's scheme right"),
    ] {
        let output = run(&[&url, "--duration", "20s", "--transport", "tcp", "--json"]);
        assert_status(&output, 1);
        let figures = json(&output.stdout);
        let problems = figures["streams"][0]["problems"].as_array().expect("a list");
        let [problem] = problems.as_slice() else {
            panic!("{url}: {problems:?}");
        };
        assert!(
            problem.as_str().is_some_and(|told| told.contains(cause)),
            "{url}: {problem}"
        );
        assert_eq!(
            written(&output).matches("rtsp-clock-probe: ").count(),
            1,
            "{}",
            written(&output)
        );
    }
    let folder = run(&[env!("CARGO_TARGET_TMPDIR")]);
    assert_status(&folder, 2);
    assert!(written(&folder).contains("is a folder"), "{}", written(&folder));
}
