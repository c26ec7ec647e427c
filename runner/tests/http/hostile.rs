//! Clients who mean harm, or know no better: whatever they do, somebody who plays a stream does not notice, others are
//! answered, and what the attack took of memory and descriptors is bounded, and comes back.
//!
//! `scripts/soak.sh` runs it at full size. Variables set the size:
//!
//! | variable | what | default |
//! | --- | --- | --- |
//! | `HTTP_CONNECTIONS` | connections that are opened at once and say nothing | 400 |
//! | `HTTP_SLOW` | connections that send a byte at a time, of each kind | 10 |
//! | `HTTP_GARBAGE` | connections that send garbage | 100 |
//! | `HTTP_SESSIONS` | sessions that are begun | 300 |
//!
//! | module | what |
//! | --- | --- |
//! | [`raw`] | bytes to the server and from it |
//! | [`strange`] | requests that no client would send |
//! | [`curious`] | a user who asks for what is not theirs |

mod curious;
mod raw;
mod strange;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use rtsp_clock_server::ffi::process::raise_descriptor_limit;
use serde_json::{Value, json};

use crate::{
    Server,
    common::{
        RtspClient,
        burden::{Recovery, alone, assert_ends_without_bugs, size},
        footprint::Footprint,
        holds_within,
    },
    playing::while_somebody_plays,
};
use raw::{is_closed, open, open_narrow};

/// What is answered to requests that nobody reads is to be gone by then. glibc's malloc keeps what it once had.
const RECOVERY: Recovery = Recovery {
    time: Duration::from_mins(1),
    memory: 16 * 1024,
};
/// How long the server waits for a request.
const PATIENCE_OF_SERVER: Duration = Duration::from_secs(10);
/// Twice that time, and more.
const CLOSING: Duration = Duration::from_secs(30);
/// How many descriptors more the server may have: its streams and its log open some of their own.
const OWN_DESCRIPTORS: usize = 16;
/// How many connections the server serves, and how many more it tells that there are too many.
const MOST_CONNECTIONS: usize = 256 + 64;

fn camera() -> Value {
    json!({ "rtspStreamPath": "/played", "videoResolution": "160x120", "framesPerSecond": 25 })
}

fn viewer(server: &Server) -> RtspClient {
    RtspClient::connect_port(server.process.port()).at("/played")
}

/// Attacks a server while somebody plays; it comes back from that, and ends without a complaint.
fn under_attack(cameras: &Value, attack: impl FnOnce(&Server, Footprint)) {
    let _alone = alone();
    let server = Server::start(cameras);
    while_somebody_plays(viewer(&server), || {
        // What is made once and kept is made by now.
        assert!(is_answered(&server), "it serves");
        let before = RECOVERY.before(&server.process);
        attack(&server, before);
        RECOVERY.assert_of(&server.process, before);
        assert!(is_answered(&server), "it serves again");
    });
    assert_ends_without_bugs(server.process, &["HTTP server has ended"]);
}

/// Whether the server has closed it.
fn is_over(connection: &TcpStream) -> bool {
    is_closed(&mut connection.try_clone().expect("a descriptor"))
}

/// Whether somebody who comes now is answered; they leave again.
fn is_answered(server: &Server) -> bool {
    let Ok(mut connection) = TcpStream::connect(raw::address(server)) else {
        return false;
    };
    let asked =
        connection.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    let read = connection.read_to_string(&mut answer);
    asked.is_ok() && read.is_ok() && raw::status(&answer) == 200
}

#[test]
fn who_sends_a_byte_at_a_time_is_not_waited_for() {
    under_attack(&camera(), |server, _| {
        let heads = [
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
            "POST /api/v1/streams HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: 1000000\r\n\r\n",
            "POST /api/v1/streams HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Transfer-Encoding: chunked\r\n\r\n100000\r\n",
            // Answered, and silent from then on.
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "",
        ];
        let all = heads.iter().cycle().take(heads.len() * size("HTTP_SLOW", 10));
        let mut slow: Vec<_> = all
            .map(|head| {
                let mut connection = open(server);
                connection.write_all(head.as_bytes()).expect("it is heard");
                (connection, head.contains("X-Slow") || head.contains("POST"))
            })
            .collect();
        let asked = Instant::now();
        let are_closed = holds_within(CLOSING, || {
            slow.retain_mut(|(connection, goes_on)| {
                // It may be closed by now.
                let _ = if *goes_on { connection.write(b" ") } else { Ok(0) };
                !is_closed(connection)
            });
            slow.is_empty()
        });
        assert!(are_closed, "{} stand after {:?}", slow.len(), asked.elapsed());
        println!("the last one was closed after {:?}", asked.elapsed());
    });
}

#[test]
fn connections_that_say_nothing_take_no_more_than_there_may_be() {
    raise_descriptor_limit().expect("descriptors");
    under_attack(&camera(), |server, before| {
        let began = Instant::now();
        let idle: Vec<_> = (0..size("HTTP_CONNECTIONS", 400)).map(|_| open(server)).collect();
        // The server catches up with a crowd that comes at once: what is too many is closed once its turn comes.
        let beyond = idle.len().saturating_sub(MOST_CONNECTIONS);
        let are_closed = holds_within(CLOSING, || {
            idle.iter().filter(|one| is_over(one)).count() >= beyond
        });
        let now = Footprint::of(server.process.id());
        println!("{} connections: {before:?} before, {now:?} then", idle.len());
        assert!(are_closed, "those beyond are closed");
        let is_first_over = idle.first().is_some_and(is_over);
        assert!(
            !is_first_over || began.elapsed() >= PATIENCE_OF_SERVER,
            "those who came first are waited for"
        );
        assert!(
            now.descriptors <= before.descriptors + MOST_CONNECTIONS + OWN_DESCRIPTORS,
            "{before:?}, {now:?}"
        );
        assert!(now.memory <= before.memory + RECOVERY.memory, "{now:?}");
        drop(idle);
        assert!(
            holds_within(CLOSING, || is_answered(server)),
            "there is room again"
        );
    });
}

#[test]
fn who_reads_nothing_is_sent_nothing_for_long() {
    let cameras = json!({ "videoResolution": "160x120", "framesPerSecond": 25,
                          "streams": [{ "rtspStreamPath": "/played" }, { "rtspStreamPath": "/cam{n}", "count": 20 }] });
    under_attack(&cameras, |server, before| {
        let list = "GET /api/v1/streams HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(200);
        let watch = json!({ "watch": { "streams": server.ids(), "pictures": ["cam1", "cam2"], "fps": 25 } });
        let asked = [
            list.into_bytes(),
            b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
            b"GET /api/v1/streams/cam3/preview.mjpeg?fps=25 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
            [
                strange::upgrade("13", "dGhlIHNhbXBsZSBub25jZQ=="),
                strange::message(&watch),
            ]
            .concat(),
        ];
        let readers: Vec<_> = asked
            .iter()
            .map(|bytes| {
                let mut connection = open_narrow(server);
                connection.write_all(bytes).expect("it is heard");
                connection
            })
            .collect();
        let mut number = 0;
        let mut most = 0;
        let are_gone = holds_within(RECOVERY.time, || {
            number += 1;
            change_label(server, number);
            let now = Footprint::of(server.process.id());
            most = most.max(now.memory);
            now.descriptors <= before.descriptors
        });
        println!("{number} changes, {most} KiB at the most, {before:?} before");
        let now = Footprint::of(server.process.id());
        assert!(are_gone, "some are still sent something: {before:?}, {now:?}");
        assert!(
            most <= before.memory + 2 * RECOVERY.memory,
            "{most} KiB, {before:?}"
        );
        drop(readers);
    });
}

/// Has something happen that is told.
fn change_label(server: &Server, number: u32) {
    let body = json!({ "label": format!("Change {number}") }).to_string();
    let request = format!(
        "PATCH /api/v1/streams/cam20/config HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = raw::answer_to(server, request.as_bytes());
    assert_eq!(raw::status(&answer), 200, "{answer}");
}

#[test]
fn sessions_are_bounded() {
    const TOKEN: &str = "0123456789abcdef";
    let mut cameras = camera();
    cameras["http"] = json!({ "token": TOKEN });
    under_attack(&cameras, |server, _| {
        let begin = format!(
            "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Authorization: Bearer {TOKEN}\r\n\r\n"
        );
        let count = size("HTTP_SESSIONS", 300);
        let cookies: std::collections::HashSet<_> = (0..count)
            .map(|_| {
                let answer = raw::answer_to(server, begin.as_bytes());
                let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
                cookie.expect("a session").to_owned()
            })
            .collect();
        assert_eq!(cookies.len(), count, "each is another one");
    });
}
