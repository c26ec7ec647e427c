//! Requests that no client would send.

use std::io::{Read as _, Write as _};

use serde_json::{Value, json};

use super::{
    camera,
    raw::{answer_to, is_closed, open, shortened, status},
    under_attack,
};
use crate::{
    Server,
    common::{burden::size, holds_within, random::Random},
};

const HOST: &str = "Host: localhost\r\nConnection: close\r\n";

/// A request to upgrade to a WebSocket of that version, with that key.
pub(super) fn upgrade(version: &str, key: &str) -> Vec<u8> {
    format!(
        "GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: {version}\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    .into_bytes()
}

/// A text message by WebSocket, of a client (RFC 6455, section 5.2), with a mask of zeros.
pub(super) fn message(said: &Value) -> Vec<u8> {
    let text = said.to_string().into_bytes();
    let length = u16::try_from(text.len()).expect("a short one");
    let head = [0x81, 0x80 | 0x7e];
    [&head[..], &length.to_be_bytes(), &[0; 4], &text].concat()
}

#[track_caller]
fn assert_refused(server: &Server, bytes: &[u8], statuses: &[u16]) {
    let answer = answer_to(server, bytes);
    let status = status(&answer);
    let shown = shortened(bytes);
    assert!(
        statuses.contains(&status),
        "{shown}: {}",
        shortened(answer.as_bytes())
    );
}

#[test]
fn requests_that_are_too_large_are_refused() {
    under_attack(&camera(), |server, _| {
        let large = "x".repeat(2 * 1024 * 1024);
        let post = format!("POST /api/v1/streams HTTP/1.1\r\n{HOST}Content-Type: application/json\r\n");
        let length = large.len() + 2;
        let by_length = format!("{post}Content-Length: {length}\r\n\r\n\"{large}\"");
        let chunk = format!("{:x}\r\n{}\r\n", 64 * 1024, "x".repeat(64 * 1024)).repeat(32);
        let by_chunks = format!("{post}Transfer-Encoding: chunked\r\n\r\n1\r\n\"\r\n{chunk}0\r\n\r\n");
        // What is refused before it has all been read may be taken back with the connection.
        assert_refused(server, by_length.as_bytes(), &[413, 0]);
        assert_refused(server, by_chunks.as_bytes(), &[413, 0]);
        // A length that is only said.
        let said = format!("{post}Content-Length: 99999999999\r\n\r\n\"");
        assert_refused(server, said.as_bytes(), &[413, 408]);
        let header = format!("GET /healthz HTTP/1.1\r\n{HOST}X-Large: {large}\r\n\r\n");
        assert_refused(server, header.as_bytes(), &[431, 0]);
        let headers = format!(
            "GET /healthz HTTP/1.1\r\n{HOST}{}\r\n",
            "X-More: 1\r\n".repeat(100_000)
        );
        assert_refused(server, headers.as_bytes(), &[431, 0]);
        let target = format!("GET /{large} HTTP/1.1\r\n{HOST}\r\n");
        assert_refused(server, target.as_bytes(), &[414, 431, 0]);
    });
}

#[test]
fn paths_lead_nowhere_else() {
    let long = "a".repeat(60_000);
    let paths = [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/page.js/../../../etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "//api/v1/streams",
        "/api/v1//streams",
        "/api/v1/streams/",
        "/api/v1/streams//config",
        "/api/v1/streams/../config",
        "/api/v1/streams/%2e%2e/config",
        "/api/v1/streams/..%2fconfig",
        "/api/v1/streams/played%2fconfig",
        "/api/v1/streams/%00",
        "/api/v1/streams/played%00",
        "/api/v1/streams/played%0d%0aX-Injected:%201",
        "/api/v1/streams/%ff%fe",
        "/api/v1/streams/%",
        "/api/v1/streams/%d0%ba%d0%b0%d0%bc%d0%b5%d1%80%d0%b0",
        "/api/v1/streams/%e3%82%ab%e3%83%a1%e3%83%a9/snapshot.jpg",
        "/api/v1/streams/%f0%9f%95%92/viewers",
        "/api/v1/streams/PLAYED",
        "/api/v1/streams/played./config",
        "/API/V1/streams",
        "/healthz/",
        "*",
        "http://[::1/api/v1/streams",
        "api/v1/streams",
        "/api/v1/streams/\u{0}",
        "/api/v1/streams/\\..\\config",
        "/api/v1/streams/{id}",
    ];
    under_attack(&camera(), |server, _| {
        let longest = format!("/api/v1/streams/{long}/config");
        for path in paths.iter().copied().chain([longest.as_str()]) {
            for method in ["GET", "DELETE", "HEAD"] {
                let request = format!("{method} {path} HTTP/1.1\r\n{HOST}\r\n");
                assert_refused(server, request.as_bytes(), &[400, 404, 405, 414]);
            }
        }
        // A whole URL is as good as a path.
        let absolute = format!("GET http://localhost/api/v1/streams HTTP/1.1\r\n{HOST}\r\n");
        assert_refused(server, absolute.as_bytes(), &[200]);
    });
}

#[test]
fn names_of_others_and_pages_elsewhere_are_sent_away_however_they_are_written() {
    under_attack(&camera(), |server, _| {
        let get = "GET /api/v1/streams HTTP/1.1\r\nConnection: close\r\n";
        for (headers, statuses) in [
            ("", [400, 421]),
            ("Host: \r\n", [400, 421]),
            ("Host: evil.example\r\n", [421, 421]),
            ("Host: localhost\r\nHost: evil.example\r\n", [400, 421]),
            ("Host: localhost.\r\n", [421, 400]),
            ("Host: localhost:80@evil.example\r\n", [421, 400]),
            ("Host: 127.0.0.1.evil.example\r\n", [421, 421]),
            ("Host: \u{202e}tsohlacol\r\n", [421, 400]),
            ("Host: localhost\r\nOrigin: http://localhost.evil\r\n", [403, 403]),
            ("Host: localhost\r\nOrigin: https://localhost\r\n", [403, 403]),
            (
                "Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://evil.example\r\n",
                [403, 400],
            ),
        ] {
            assert_refused(server, format!("{get}{headers}\r\n").as_bytes(), &statuses);
        }
    });
}

#[test]
fn old_and_impatient_clients_are_answered() {
    under_attack(&camera(), |server, _| {
        let old = answer_to(server, b"GET /healthz HTTP/1.0\r\n\r\n");
        assert_eq!((status(&old), old.starts_with("HTTP/1.0")), (200, true), "{old}");
        assert_refused(
            server,
            b"GET /api/v1/streams HTTP/1.0\r\nHost: localhost\r\n\r\n",
            &[200],
        );
        assert_refused(server, b"GET /api/v1/streams HTTP/1.0\r\n\r\n", &[400]);
        let one = "GET /api/v1/streams/played HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let last = format!("GET /healthz HTTP/1.1\r\n{HOST}\r\n");
        let all = answer_to(server, format!("{}{last}", one.repeat(99)).as_bytes());
        assert_eq!(all.matches("HTTP/1.1 200 OK").count(), 100, "in one go");
        // Two lengths: what one reads as a body, another one reads as a request.
        let smuggled = format!(
            "POST /api/v1/streams HTTP/1.1\r\n{HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n\
             0\r\n\r\nGET /api/v1/server HTTP/1.1\r\nHost: localhost\r\n\r\n"
        );
        let answer = answer_to(server, smuggled.as_bytes());
        assert!(
            !answer.contains("gstreamer") && !answer.contains(" 200 "),
            "{answer}"
        );
    });
}

#[test]
fn garbage_is_no_request() {
    under_attack(&camera(), |server, _| {
        let mut random = Random::new(1);
        let mut known = vec![
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            b"OPTIONS rtsp://localhost/live RTSP/1.0\r\nCSeq: 1\r\n\r\n".to_vec(),
            b"GET / HTTP/9.9\r\n\r\n".to_vec(),
            b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
            b"GET / HTTP/1.1\r\nHost: localhost\r\n folded: 1\r\n\r\n".to_vec(),
            b"GET / HTTP/1.1\r\nContent-Length: -1\r\nHost: localhost\r\n\r\n".to_vec(),
            b"POST /api/v1/streams HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n".to_vec(),
            b"$\x00\x00\x10".to_vec(),
        ];
        known.extend((0..size("HTTP_GARBAGE", 100)).map(|_| {
            let length = 1 + random.below(4000);
            random.bytes(length)
        }));
        for bytes in known {
            let mut connection = open(server);
            // It may have heard enough.
            let _ = connection.write_all(&bytes);
            let _ = connection.shutdown(std::net::Shutdown::Write);
            let mut answer = Vec::new();
            let _ = connection.read_to_end(&mut answer);
            let answer = String::from_utf8_lossy(&answer);
            let status = status(&answer);
            assert!(
                answer.is_empty() || (400..500).contains(&status) || status == 505,
                "{}: {answer}",
                shortened(&bytes)
            );
        }
    });
}

#[test]
fn a_web_socket_that_is_none_is_refused() {
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    under_attack(&camera(), |server, _| {
        let head = |text: &str| format!("{text}{HOST}\r\n").into_bytes();
        assert_refused(server, &upgrade("8", KEY), &[400, 426]);
        assert_refused(server, &head("GET /api/v1/live HTTP/1.1\r\n"), &[400, 426]);
        assert_refused(
            server,
            &head("GET /api/v1/live HTTP/1.1\r\nUpgrade: h2c\r\n"),
            &[400, 426],
        );
        assert_refused(server, &head("POST /api/v1/live HTTP/1.1\r\n"), &[405]);
        let watch = message(&json!({ "watch": { "streams": ["played"] } }));
        let mut unmasked = watch.clone();
        unmasked[1] = 126;
        let endless = [&[0x82, 0xff][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat();
        let large = [&[0x81, 0xff][..], &100_000_u64.to_be_bytes(), &[0; 4]].concat();
        let no_text = vec![0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe];
        let no_kind = vec![0x83, 0x80, 0, 0, 0, 0];
        let other = message(&json!({ "watch": { "streams": 7 } }));
        for frame in [unmasked, endless, large, no_text, no_kind, other] {
            let mut connection = open(server);
            connection
                .write_all(&[upgrade("13", KEY), frame.clone()].concat())
                .expect("it is heard");
            assert!(
                holds_within(super::CLOSING, || is_closed(&mut connection)),
                "it stands after {frame:x?}"
            );
        }
    });
}
