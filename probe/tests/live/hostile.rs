//! Servers that answer without an end, or send the probe on without one: it ends all the same, and says why.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longer than any of it takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_mins(1);
/// What a hostile server may have the probe hold, in bytes: what it sends between two looks, and then some.
const MOST: u64 = 512 << 20;

/// What a server has done.
#[derive(Debug, Default)]
struct Deeds {
    connections: AtomicU64,
    sent: AtomicU64,
}

/// A request: its first line, and its number.
struct Request {
    line: String,
    number: String,
}

impl Request {
    fn next(lines: &mut impl Iterator<Item = String>) -> Option<Self> {
        let line = lines.find(|line| !line.is_empty())?;
        let mut number = String::new();
        for header in lines.take_while(|line| !line.is_empty()) {
            if let Some(value) = header.strip_prefix("CSeq:") {
                value.trim().clone_into(&mut number);
            }
        }
        Some(Self { line, number })
    }

    fn answer(&self, status: &str, headers: &str) -> String {
        format!("RTSP/1.0 {status}\r\nCSeq: {}\r\n{headers}", self.number)
    }
}

/// How a server answers a DESCRIBE; at which port it is.
type Describe = fn(&Request, u16, &mut TcpStream, &AtomicU64);

/// A server on loopback that takes any OPTIONS, and answers a DESCRIBE in its own way.
fn server(describe: Describe) -> (u16, Arc<Deeds>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let deeds = Arc::new(Deeds::default());
    let done = deeds.clone();
    thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            done.connections.fetch_add(1, Ordering::Relaxed);
            let done = done.clone();
            thread::spawn(move || serve(&connection, port, describe, &done));
        }
    });
    (port, deeds)
}

fn serve(connection: &TcpStream, port: u16, describe: Describe, deeds: &Deeds) {
    let mut answers = connection.try_clone().expect("a socket");
    let mut lines = BufReader::new(connection).lines().map_while(Result::ok);
    while let Some(request) = Request::next(&mut lines) {
        if request.line.starts_with("OPTIONS") {
            let answer = request.answer("200 OK", "Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n");
            // Whoever is gone asks nothing more.
            let _ = answers.write_all(answer.as_bytes());
        } else {
            describe(&request, port, &mut answers, &deeds.sent);
        }
    }
}

/// Sends `block` again and again, until nobody takes it.
fn without_end(to: &mut TcpStream, block: &[u8], sent: &AtomicU64) {
    while to.write_all(block).is_ok() {
        sent.fetch_add(block.len() as u64, Ordering::Relaxed);
    }
}

fn endless_body(request: &Request, _port: u16, to: &mut TcpStream, sent: &AtomicU64) {
    let head = request.answer(
        "200 OK",
        "Content-Type: application/sdp\r\nContent-Length: 4000000000\r\n\r\n",
    );
    let _ = to.write_all(head.as_bytes());
    without_end(to, &vec![b'a'; 1 << 16], sent);
}

fn endless_header(request: &Request, _port: u16, to: &mut TcpStream, sent: &AtomicU64) {
    let _ = to.write_all(request.answer("200 OK", "").as_bytes());
    without_end(to, &b"X-More: and more and more of it\r\n".repeat(1000), sent);
}

fn endless_line(request: &Request, _port: u16, to: &mut TcpStream, sent: &AtomicU64) {
    let _ = to.write_all(request.answer("200 OK", "X-Line: ").as_bytes());
    without_end(to, &vec![b'a'; 1 << 16], sent);
}

/// A letter now and then: never silent for long, never done.
fn dripping(request: &Request, _port: u16, to: &mut TcpStream, sent: &AtomicU64) {
    let _ = to.write_all(request.answer("200 OK", "X-Line: ").as_bytes());
    while to.write_all(b"a").is_ok() {
        sent.fetch_add(1, Ordering::Relaxed);
        thread::sleep(Duration::from_millis(50));
    }
}

fn redirect(request: &Request, to: &mut TcpStream, location: &str) {
    let _ = to.write_all(
        request
            .answer("302 Moved", &format!("Location: {location}\r\n\r\n"))
            .as_bytes(),
    );
}

fn on_and_on(request: &Request, port: u16, to: &mut TcpStream, sent: &AtomicU64) {
    let number = sent.fetch_add(1, Ordering::Relaxed);
    redirect(request, to, &format!("rtsp://127.0.0.1:{port}/{number}"));
}

fn to_itself(request: &Request, _port: u16, to: &mut TcpStream, _sent: &AtomicU64) {
    let url = request.line.split(' ').nth(1).unwrap_or_default();
    redirect(request, to, url);
}

fn to_a_file(request: &Request, _port: u16, to: &mut TcpStream, _sent: &AtomicU64) {
    redirect(request, to, "file:///etc/hostname");
}

fn to_the_web(request: &Request, _port: u16, to: &mut TcpStream, _sent: &AtomicU64) {
    redirect(request, to, "http://127.0.0.1:1/film.mp4");
}

fn hang_up(_request: &Request, _port: u16, to: &mut TcpStream, _sent: &AtomicU64) {
    let _ = to.shutdown(Shutdown::Both);
}

fn probe(url: &str, duration: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtsp-clock-probe"));
    command
        .args([url, "--duration", duration, "--transport", "tcp", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("it runs")
}

/// The most memory that a process has held so far, in bytes; `None` once it has ended.
fn peak(process: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes << 10)
}

/// Its end, and the most memory that it was seen to hold.
#[track_caller]
fn ended(mut process: Child) -> (Output, u64) {
    let begin = Instant::now();
    let mut most = 0;
    while process.try_wait().expect("a process").is_none() {
        most = most.max(peak(&process).unwrap_or_default());
        if begin.elapsed() > PATIENCE {
            process.kill().expect("it runs");
            panic!("the probe does not end; it holds {most} bytes");
        }
        thread::sleep(Duration::from_millis(5));
    }
    (process.wait_with_output().expect("its output"), most)
}

/// What is wrong with the only stream.
#[track_caller]
fn problem(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let figures: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let problems = figures["streams"][0]["problems"].as_array().expect("a list");
    let [problem] = problems.as_slice() else {
        panic!("one cause: {problems:?}");
    };
    problem.as_str().expect("a sentence").to_owned()
}

#[test]
fn an_answer_without_an_end_costs_neither_memory_nor_time() {
    for describe in [endless_body, endless_header, endless_line] {
        let (port, deeds) = server(describe);
        let (output, most) = ended(probe(&format!("rtsp://127.0.0.1:{port}/live"), "4s"));
        let sent = deeds.sent.load(Ordering::Relaxed);
        assert!(most < MOST && sent < MOST, "{most} bytes held, {sent} sent");
        let problem = problem(&output);
        assert!(problem.contains("has no end"), "{problem}");
    }
}

#[test]
fn an_answer_that_never_comes_to_its_end_does_not_hold_up_the_end() {
    let (port, _) = server(dripping);
    let (output, _) = ended(probe(&format!("rtsp://127.0.0.1:{port}/live"), "1s"));
    let problem = problem(&output);
    assert!(problem.contains("No picture came"), "{problem}");
}

#[test]
fn three_redirects_are_followed_and_the_fourth_is_told() {
    let (port, deeds) = server(on_and_on);
    let (output, _) = ended(probe(&format!("rtsp://127.0.0.1:{port}/live"), "20s"));
    let problem = problem(&output);
    assert!(
        problem.contains("three redirects") && problem.contains(&format!("rtsp://127.0.0.1:{port}/3")),
        "{problem}"
    );
    assert_eq!(deeds.sent.load(Ordering::Relaxed), 4, "answers to DESCRIBE");
}

#[test]
fn a_redirect_to_what_is_no_other_rtsp_stream_is_not_followed() {
    for (describe, to) in [
        (to_a_file as Describe, "file:///etc/hostname"),
        (to_the_web, "http://127.0.0.1:1/film.mp4"),
        (to_itself, "/live"),
    ] {
        let (port, deeds) = server(describe);
        let (output, _) = ended(probe(&format!("rtsp://127.0.0.1:{port}/live"), "20s"));
        let problem = problem(&output);
        assert!(
            problem.contains("redirects to") && problem.contains(to),
            "{problem}"
        );
        let connections = deeds.connections.load(Ordering::Relaxed);
        assert!(connections <= 4, "{connections} connections");
    }
}

#[test]
fn a_server_that_hangs_up_is_asked_a_few_times_at_most() {
    let (port, deeds) = server(hang_up);
    let (output, _) = ended(probe(&format!("rtsp://127.0.0.1:{port}/live"), "20s"));
    let connections = deeds.connections.load(Ordering::Relaxed);
    assert!(connections <= 30, "{connections} connections");
    assert!(!problem(&output).is_empty());
}
