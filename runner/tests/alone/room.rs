//! A machine that has no room for one more: whoever comes is refused, nobody who watches notices, and the process goes on.

use std::process::Command;

use crate::common::{
    RtspClient,
    burden::{alone, assert_ends_without_bugs},
    process::Process,
};

/// Cameras that nobody watches yet.
const CAMERAS: u16 = 6;
/// What may be added to the address space, in bytes: enough for what runs, and not for all cameras.
const ROOMS: [u64; 4] = [24 << 20, 48 << 20, 96 << 20, 256 << 20];

/// Bounds the address space of the server to what it has by now and `room` more; `None`: to nothing.
fn bound(server: &Process, room: Option<u64>) {
    let limit = match room {
        Some(room) => (size(server) + room).to_string(),
        None => "unlimited".to_owned(),
    };
    let done = Command::new("prlimit")
        .args([
            "--pid",
            &server.id().to_string(),
            &format!("--as={limit}:unlimited"),
        ])
        .status()
        .expect("util-linux has it");
    assert!(done.success());
}

/// The address space that it has, in bytes.
fn size(server: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let kib: u64 = line
        .and_then(|line| line.split_whitespace().next()?.parse().ok())
        .expect("Linux tells it");
    kib * 1024
}

/// What a camera answers who is asked for by somebody new; `None` where the server has no room for him.
fn describe(server: &Process, camera: u16) -> Option<u16> {
    use std::io::{Read as _, Write as _};
    let url = format!("rtsp://127.0.0.1:{}/cam/{camera}", server.port());
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.port())).ok()?;
    let request = format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).ok()?;
    std::str::from_utf8(&answer[9..]).ok()?.parse().ok()
}

#[test]
fn who_cannot_be_served_is_refused_and_nobody_else_notices() {
    let _alone = alone();
    let server = Process::start(|command| {
        let config = format!(r#"{{"streams":[{{"rtspStreamPath":"/cam/{{n}}","count":{CAMERAS}}}]}}"#);
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("room.json");
        std::fs::write(&path, config).expect("a file");
        command.arg("--config").arg(path).env("MALLOC_ARENA_MAX", "2");
    });
    let mut watching = RtspClient::watch_path(server.port(), "/cam/1");
    let mut newest = watching.next_rtp().sequence_number();
    let mut goes_on = |watching: &mut RtspClient| {
        for _ in 0..50 {
            let number = watching.next_rtp().sequence_number();
            assert_eq!(number.wrapping_sub(newest), 1, "packets are missing");
            newest = number;
        }
    };
    // What it allocates once and for all, it has by then.
    goes_on(&mut watching);
    let mut answers = Vec::new();
    for room in ROOMS {
        bound(&server, Some(room));
        answers.extend((2..=CAMERAS).map(|camera| describe(&server, camera)));
        goes_on(&mut watching);
    }
    println!("{answers:?}");
    let is_one = |answer: &Option<u16>| matches!(answer, None | Some(200 | 503));
    assert!(answers.iter().all(is_one), "{answers:?}");
    assert!(
        answers.iter().any(|answer| *answer != Some(200)),
        "there was room for all"
    );
    bound(&server, None);
    for camera in 2..=CAMERAS {
        RtspClient::watch_path(server.port(), &format!("/cam/{camera}")).next_rtp();
    }
    goes_on(&mut watching);
    drop(watching);
    let log = assert_ends_without_bugs(server, &[]);
    assert!(log.contains("no room for"), "{log}");
}
