//! `--healthcheck`, as a container's engine calls it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::Run;

/// Runs a health check against a server that answers one request with this, and hands back the request.
fn healthcheck(answer: &'static str) -> (Run, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let request = read_request(&mut stream);
        stream.write_all(answer.as_bytes()).unwrap();
        request
    });
    (
        Run::new(&["--healthcheck"])
            .variable("RTSP_SERVER_PORT", &port.to_string())
            .variable("RTSP_HTTP", "false"),
        server,
    )
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        request.push(byte[0]);
    }
    String::from_utf8(request).unwrap()
}

#[test]
fn a_server_that_answers_or_asks_for_a_log_in_is_healthy() {
    for answer in [
        "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n",
        "RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n\r\n",
    ] {
        let (run, server) = healthcheck(answer);
        run.prints();
        let request = server.join().unwrap();
        assert!(request.starts_with("OPTIONS rtsp://127.0.0.1:"), "{request}");
        assert!(request.contains("/live RTSP/1.0\r\nCSeq: 1\r\n"), "{request}");
    }
}

#[test]
fn any_other_answer_is_no_health_and_shown() {
    for (answer, expected) in [
        (
            "RTSP/1.0 503 Service Unavailable\r\n\r\n",
            " answered \"RTSP/1.0 503 Service Unavailable\"\n",
        ),
        ("HTTP/1.1 200 OK\r\n\r\n", " answered \"HTTP/1.1 200 OK\"\n"),
        ("", ": it closed the connection\n"),
    ] {
        let (run, server) = healthcheck(answer);
        let said = run.fails();
        server.join().unwrap();
        assert!(said.ends_with(expected) && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn no_server_is_no_health() {
    // An address of this machine that no other test listens at, so that the port stays free.
    let free = TcpListener::bind("127.0.0.77:0").unwrap().local_addr().unwrap();
    let run = Run::new(&["--healthcheck"]).variable("RTSP_SERVER_IP", "127.0.0.77");
    let said = run.variable("RTSP_SERVER_PORT", &free.port().to_string()).fails();
    assert!(
        said.contains(&format!("no answer from {free}: Connection refused")),
        "{said}"
    );
}

#[test]
fn a_server_that_hangs_is_no_health() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let said = Run::new(&["--healthcheck"])
        .variable("RTSP_SERVER_PORT", &port)
        .fails();
    assert!(
        said.contains(&format!("no answer from 127.0.0.1:{port}: ")),
        "{said}"
    );
}
