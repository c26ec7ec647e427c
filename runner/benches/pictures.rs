//! The figures in `docs/figures.md` about pictures by HTTP: `cargo bench -p rtsp-clock-server --bench pictures`.
//!
//! Names on the command line choose rows: `… --bench pictures -- snapshot`. The server is a process of its own, and idle but for
//! what is asked of it here.

#[path = "../tests/common/mod.rs"]
mod common;
mod measure;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use common::{PATIENCE, process::Process, wait_until};
use jiff::Timestamp;
use measure::{Measure, Row, beside_sleeps, config_file, cpu_while, percentile, print_table};

/// How many snapshots are taken.
const SNAPSHOTS: u32 = 100;
/// How many cameras there are, and how many of them a screen shows.
const CAMERAS: usize = 100;
const ON_SCREEN: usize = 12;
/// How long CPU is measured.
const TIME: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1);
    let chosen: Vec<String> = arguments.filter(|name| !name.starts_with("--")).collect();
    let rows: [Measure; 2] = [("snapshot", snapshot), ("previews", previews)];
    print_table(&rows, &chosen)
}

/// A server with so many cameras, and where it answers.
fn serve(size: &str, count: usize) -> (Process, String) {
    let config = format!(
        r#"{{"videoResolution": "{size}", "framesPerSecond": 25, "stamp": "qr",
             "streams": [{{"rtspStreamPath": "/cam{{n}}", "count": {count}}}]}}"#
    );
    let config = config_file("pictures.json", &config);
    let server = Process::start(|command| {
        command.arg("--config").arg(config);
    });
    let mut address = None;
    wait_until("it says where it answers", || {
        address = server.log().lines().iter().find_map(|line| {
            let (_, address) = line.split_once("http: http://")?;
            address.strip_suffix('/').map(String::from)
        });
        address.is_some()
    });
    (server, address.expect("it says so"))
}

/// Asks for what is at `path` of that camera.
fn ask(address: &str, camera: usize, path: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).expect("it is let in");
    connection.set_read_timeout(Some(PATIENCE)).expect("a time");
    let request = format!("GET /api/v1/streams/cam{camera}/{path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    connection.write_all(request.as_bytes()).expect("it is heard");
    connection
}

// ---- a snapshot -----------------------------------------------------------------------------------------------

fn snapshot() -> Row {
    let (server, address) = serve("1920x1080", 1);
    // The first one draws the digits for all.
    lateness_of_one(&address);
    let begin = Instant::now();
    let measured = || {
        cpu_while(server.id(), Duration::ZERO, |_| {
            (0..SNAPSHOTS)
                .map(|number| at_any_time(number, &address))
                .collect::<Vec<_>>()
        })
    };
    let ((cpu, lateness), sleeps) = beside_sleeps(measured);
    let (cpu, median) = (cpu / f64::from(SNAPSHOTS), percentile(&lateness, 50.0));
    Row {
        what: "a snapshot as JPEG, 1080p at 25 fps, of a stream that nobody watches: the frame's own instant → all of it has \
               come, median; CPU"
            .into(),
        bound: "30 ms; 20 ms".into(),
        measured: format!(
            "{median:.1} ms (p90 {:.1} ms); {cpu:.1} ms ({SNAPSHOTS} in {:.0} s; {})",
            percentile(&lateness, 90.0),
            begin.elapsed().as_secs_f64(),
            noise(&sleeps)
        ),
        met: median <= 30.0 && cpu <= 20.0,
    }
}

/// The lateness of a snapshot that is asked for at another time between two frames than others are.
fn at_any_time(number: u32, address: &str) -> f64 {
    thread::sleep(Duration::from_millis(u64::from(number * 7 % 40)));
    lateness_of_one(address)
}

/// How many ms after its own instant a snapshot has come.
fn lateness_of_one(address: &str) -> f64 {
    let mut answer = Vec::new();
    let mut connection = ask(address, 1, "snapshot.jpg");
    connection.read_to_end(&mut answer).expect("an answer");
    let now = Timestamp::now();
    let head = String::from_utf8_lossy(&answer);
    let line = head.lines().find_map(|line| line.strip_prefix("x-instant: "));
    let instant: Timestamp = line.expect("an instant").parse().expect("an instant");
    now.duration_since(instant).as_secs_f64() * 1e3
}

// ---- many previews --------------------------------------------------------------------------------------------

fn previews() -> Row {
    let (server, address) = serve("1280x720", CAMERAS);
    let idle = cpu_while(server.id(), TIME, sleep_until).0;
    for camera in 1..=ON_SCREEN {
        let mut connection = ask(&address, camera, "preview.mjpeg?width=320&fps=5");
        // It ends with the server.
        thread::spawn(move || while connection.read(&mut [0; 8192]).is_ok_and(|length| length > 0) {});
    }
    sleep_until(Instant::now() + Duration::from_secs(3));
    let ((busy, ()), sleeps) = beside_sleeps(|| cpu_while(server.id(), TIME, sleep_until));
    let more = (busy - idle) / (TIME.as_secs_f64() * 10.0);
    Row {
        what: format!(
            "{CAMERAS} cameras of 720p at 25 fps, previews of {ON_SCREEN} of them, 320 px wide at 5 fps: CPU more than without"
        ),
        bound: "10 % of a core".into(),
        measured: format!("{more:.1} % ({})", noise(&sleeps)),
        met: more <= 10.0,
    }
}

fn sleep_until(end: Instant) {
    thread::sleep(end.saturating_duration_since(Instant::now()));
}

fn noise(lateness: &[f64]) -> String {
    let (p50, p99) = (percentile(lateness, 50.0), percentile(lateness, 99.0));
    format!("a 5 ms sleep late by p50 {p50:.2} ms, p99 {p99:.2} ms")
}
