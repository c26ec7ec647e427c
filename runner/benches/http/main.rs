//! The figures in `docs/figures.md` about the HTTP server: `cargo bench -p rtsp-clock-server --bench http`.
//!
//! Names on the command line choose rows: `… --bench http -- list idle`. `--percent=10` makes the crowds and the times a tenth
//! as large, to try it. The server is a process of its own; the viewers and who asks are in this one.

mod client;
#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "../many/connection.rs"]
mod connection;
#[path = "../many/crowd.rs"]
#[allow(dead_code, reason = "another bench uses the rest of it")]
mod crowd;
mod lateness;
#[path = "../measure/mod.rs"]
mod measure;

use std::process::ExitCode;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use client::{Client, Echo};
use common::process::Process;
use common::{RtspClient, milliseconds_between, wait_until};
use crowd::{Crowd, Tally};
use lateness::Lateness;
use measure::{
    Measure, Row, beside_sleeps, broken, config_file, memory_of, noise, percentile, precise_cpu_of,
    print_table,
};

/// Until everybody sees something, or it is broken.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long what starting takes is left alone.
const SETTLING: Duration = Duration::from_secs(5);
/// How often both sides of a comparison are measured; the median is shown.
const ROUNDS: usize = 5;

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1);
    let chosen: Vec<String> = arguments.filter(|name| !name.starts_with("--")).collect();
    let rows: [Measure; 4] = [("list", list), ("labels", labels), ("soon", soon), ("idle", idle)];
    print_table(&rows, &chosen)
}

/// `--percent=`, of crowds and times.
fn percent() -> u32 {
    let percent = std::env::args().find_map(|argument| Some(argument.strip_prefix("--percent=")?.to_owned()));
    percent.map_or(100, |text| text.parse().expect("--percent takes a number"))
}

/// That share of them, two at least.
fn scaled(count: u32) -> u32 {
    (count * percent() / 100).max(2)
}

fn scaled_time(seconds: u32) -> Duration {
    Duration::from_secs(scaled(seconds).into())
}

/// A server with these cameras, and where it answers by HTTP, if it does.
fn serve(cameras: &str, http: bool) -> (Process, String) {
    let config = config_file("http.json", &format!("{{{cameras}}}"));
    let server = Process::start(|command| {
        command
            .env("RTSP_HTTP", http.to_string())
            .arg("--config")
            .arg(config);
    });
    let mut address = None;
    wait_until("it says where it answers", || {
        let lines = server.log().lines();
        address = lines.iter().find_map(|line| {
            let (_, address) = line.split_once("http: http://")?;
            address.strip_suffix('/').map(String::from)
        });
        address.is_some() || !http
    });
    (server, address.unwrap_or_default())
}

/// `/1` and so on.
fn numbered(count: u32) -> Vec<String> {
    (1..=count).map(|number| format!("/{number}")).collect()
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    percentile(&values.into_iter().collect::<Vec<_>>(), 50.0)
}

/// Has `act` happen so many times a second for `time`, and answers what each time answers.
fn at_a_rate<T>(rate: u32, time: Duration, mut act: impl FnMut(u32) -> T) -> Vec<T> {
    let start = Instant::now();
    let turns = (0..).map(|number| (number, Duration::from_secs(1) * number / rate));
    let turns = turns.take_while(|(_, turn)| *turn < time);
    turns
        .map(|(number, turn)| {
            thread::sleep(turn.saturating_sub(start.elapsed()));
            act(number)
        })
        .collect()
}

// ---- a list of many -------------------------------------------------------------------------------------------

/// What one round finds.
#[derive(Debug, Default)]
struct Round {
    /// How long answers took, in ms, and echoes beside them.
    answers: Vec<f64>,
    echoes: Vec<f64>,
    /// How late frames left in ms, median and p99, while nobody asked, and while somebody did.
    quiet: [f64; 2],
    asked: [f64; 2],
}

fn list() -> Row {
    const RATE: u32 = 10;
    let count = scaled(100);
    let what = format!(
        "`GET /streams` of {count} streams of 640x480 at 5 fps with a viewer each, {RATE} times a second: p99, less that of an \
         echo; how late frames leave meanwhile, just before"
    );
    let bound = "20 ms; at most 1.25 times";
    let cameras = format!(
        r#""videoResolution": "640x480", "framesPerSecond": 5, "rtspStreamPath": "/{{n}}", "count": {count}"#
    );
    let (server, address) = serve(&cameras, true);
    let crowd = Crowd::join(server.port(), &numbered(count), 5, Duration::from_millis(3));
    if let Err(reason) = crowd.see(PATIENCE) {
        return broken(what, bound, &reason);
    }
    thread::sleep(SETTLING);
    let (rounds, sleeps) = beside_sleeps(|| (0..ROUNDS).map(|_| round(&address, RATE)).collect::<Vec<_>>());
    let all = |of: fn(&Round) -> &Vec<f64>| rounds.iter().flat_map(of).copied().collect::<Vec<_>>();
    let (answers, echoes) = (all(|round| &round.answers), all(|round| &round.echoes));
    let more = percentile(&answers, 99.0) - percentile(&echoes, 99.0);
    let lateness = [0, 1].map(|column| {
        let ratio = median(
            rounds
                .iter()
                .map(|round| round.asked[column] / round.quiet[column]),
        );
        let quiet = median(rounds.iter().map(|round| round.quiet[column]));
        let asked = median(rounds.iter().map(|round| round.asked[column]));
        (ratio, format!("{asked:.2} ms, {quiet:.2} ms: {ratio:.2} times"))
    });
    let [(p50, median_lateness), (p99, worst_lateness)] = lateness;
    Row {
        what,
        bound: bound.to_owned(),
        measured: format!(
            "{more:.1} ms (median {:.1} ms, the echo's p99 {:.2} ms); median {median_lateness}; p99 {worst_lateness} (medians of \
             {ROUNDS} rounds); {}",
            percentile(&answers, 50.0),
            percentile(&echoes, 99.0),
            noise(&sleeps)
        ),
        met: more <= 20.0 && p50 <= 1.25 && p99 <= 1.25,
    }
}

fn round(address: &str, rate: u32) -> Round {
    let time = scaled_time(20);
    let (mut client, mut echo) = (Client::connect(address), Echo::start());
    let start = Lateness::read(&mut client);
    // It would be closed, had it nothing to do for so long.
    drop(client);
    thread::sleep(time);
    let mut client = Client::connect(address);
    let between = Lateness::read(&mut client);
    let mut found = Round::default();
    at_a_rate(rate, time, |_| {
        found.echoes.push(echo.ask());
        let asked = Instant::now();
        assert_eq!(client.ask("GET", "/streams", "").0, 200);
        found.answers.push(asked.elapsed().as_secs_f64() * 1e3);
    });
    let end = Lateness::read(&mut client);
    let both = |lateness: Lateness| [50.0, 99.0].map(|percent| lateness.percentile(percent));
    found.quiet = both(between.since(&start));
    found.asked = both(end.since(&between));
    found
}

// ---- many changes ---------------------------------------------------------------------------------------------

fn labels() -> Row {
    const RATE: u32 = 50;
    const FRAME_RATE: u32 = 25;
    let (count, time) = (20, scaled_time(60));
    let what = format!(
        "{RATE} PATCHes of a label a second for {} s, {count} viewers playing {count} streams of 640x480 at {FRAME_RATE} fps",
        time.as_secs()
    );
    let bound = "no packet lost, no viewer sent away";
    let cameras = format!(
        r#""videoResolution": "640x480", "framesPerSecond": {FRAME_RATE}, "rtspStreamPath": "/{{n}}", "count": {count}"#
    );
    let (server, address) = serve(&cameras, true);
    let crowd = Crowd::join(server.port(), &numbered(count), FRAME_RATE, Duration::ZERO);
    if let Err(reason) = crowd.see(PATIENCE) {
        return broken(what, bound, &reason);
    }
    let due = FRAME_RATE * u32::try_from(time.as_secs()).expect("minutes");
    let changed = || {
        let mut client = Client::connect(&address);
        let start = Instant::now();
        let waits = at_a_rate(RATE, time, |number| {
            client.label(&(number % count + 1).to_string(), &format!("Change {number}"))
        });
        (waits, start.elapsed())
    };
    let ((tallies, (waits, took)), sleeps) = beside_sleeps(|| {
        thread::scope(|scope| {
            let counted = scope.spawn(|| crowd.count(due, time + PATIENCE));
            let changed = changed();
            (counted.join().expect("it counts"), changed)
        })
    });
    match tallies {
        Ok(tallies) => row_of_labels(what, bound, &tallies, &waits, took, &noise(&sleeps)),
        Err(reason) => broken(what, bound, &reason),
    }
}

fn row_of_labels(
    what: String,
    bound: &str,
    tallies: &[Tally],
    waits: &[f64],
    took: Duration,
    noise: &str,
) -> Row {
    let lost: u64 = tallies.iter().map(|tally| tally.packets_lost).sum();
    let frames: u64 = tallies.iter().map(|tally| tally.frames).sum();
    let skipped: usize = tallies.iter().map(|tally| tally.missing.len()).sum();
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    let rate = waits.len() as f64 / took.as_secs_f64();
    Row {
        what,
        bound: bound.to_owned(),
        measured: format!(
            "{lost} packets lost, none sent away, {frames} frames came and {skipped} were skipped by the cameras; {rate:.1} a \
             second, answered after p50 {:.1} ms, p99 {:.1} ms; {noise}",
            percentile(waits, 50.0),
            percentile(waits, 99.0),
        ),
        met: lost == 0 && rate >= 49.0,
    }
}

// ---- until a change is seen -----------------------------------------------------------------------------------

/// A picture of nothing but its label is the same, byte for byte, until that is another one.
fn soon() -> Row {
    const FRAME_RATE: u32 = 25;
    let changes = scaled(100);
    let cameras = format!(
        r#""videoResolution": "640x480", "framesPerSecond": {FRAME_RATE}, "videoCodec": "mjpeg", "timeFormat": "",
           "clientsFormat": "", "stamp": "none", "label": "Nothing""#
    );
    let (server, address) = serve(&cameras, true);
    let viewer = RtspClient::watch_port(server.port());
    let seen = changed_frames(viewer);
    let mut client = Client::connect(&address);
    let wait = |number: u32| {
        // At another moment between two frames each time.
        thread::sleep(Duration::from_millis(u64::from(150 + number * 7 % 40)));
        assert!(seen.try_recv().is_err(), "the picture changes by itself");
        let asked = SystemTime::now();
        client.label("live", &format!("Change {number}"));
        let came = seen.recv_timeout(PATIENCE).expect("the change is seen");
        milliseconds_between(asked, came)
    };
    let (waits, sleeps) = beside_sleeps(|| (0..changes).map(wait).collect::<Vec<_>>());
    let periods = median(waits.iter().copied()) * f64::from(FRAME_RATE) / 1e3;
    Row {
        what: format!(
            "PATCH of a label → the first frame that shows it is in a viewer's socket, 640x480 MJPEG at {FRAME_RATE} fps, \
             {changes} times"
        ),
        bound: "median two frame periods".to_owned(),
        measured: format!(
            "{periods:.2} periods ({:.1} ms; p99 {:.1} ms); {}",
            median(waits.iter().copied()),
            percentile(&waits, 99.0),
            noise(&sleeps)
        ),
        met: periods <= 2.0,
    }
}

/// When the last byte of each frame came that differs from the one before.
fn changed_frames(mut viewer: RtspClient) -> Receiver<SystemTime> {
    let (tell, told) = channel();
    let mut frame = move || {
        let mut picture = Vec::new();
        loop {
            let packet = viewer.next_packet().ok()?;
            if packet.is_rtp() {
                picture.extend_from_slice(&packet.data[12..]);
                if packet.marker() {
                    return Some((picture, packet.arrival));
                }
            }
        }
    };
    // The first frames show how many watch, and where a picture begins.
    let mut last = (0..10).filter_map(|_| Some(frame()?.0)).last();
    // It ends with the server.
    thread::spawn(move || {
        while let Some((picture, arrival)) = frame() {
            if last.replace(picture.clone()) != Some(picture) && tell.send(arrival).is_err() {
                return;
            }
        }
    });
    told
}

// ---- idle -----------------------------------------------------------------------------------------------------

fn idle() -> Row {
    let (rounds, sleeps) = beside_sleeps(|| {
        (0..ROUNDS)
            .map(|_| [idle_once(true), idle_once(false)])
            .collect::<Vec<_>>()
    });
    let of = |with: usize, what: usize| median(rounds.iter().map(|round| round[with][what]));
    let (cpu, memory) = (of(0, 0) - of(1, 0), of(0, 1) - of(1, 1));
    Row {
        what: "HTTP idle, once it has answered: CPU and memory more than with `\"http\": false`, by turns"
            .to_owned(),
        bound: "0.1 % of a core, 8 MB".to_owned(),
        measured: format!(
            "{cpu:.3} % ({:.3} %, {:.3} %), {memory:.2} MB ({:.2} MB, {:.2} MB; medians of {ROUNDS}); {}",
            of(0, 0),
            of(1, 0),
            of(0, 1),
            of(1, 1),
            noise(&sleeps)
        ),
        met: cpu <= 0.1 && memory <= 8.0,
    }
}

/// The percentage of a core, and MB of memory, of a server that nobody asks for anything.
fn idle_once(http: bool) -> [f64; 2] {
    let (server, address) = serve(r#""videoResolution": "1280x720""#, http);
    if http {
        Client::connect(&address).get("/streams");
    }
    thread::sleep(SETTLING);
    let (before, start) = (precise_cpu_of(server.id()), Instant::now());
    thread::sleep(scaled_time(20));
    let used = precise_cpu_of(server.id()) - before;
    [
        used / start.elapsed().as_secs_f64() / 10.0,
        memory_of(server.id()),
    ]
}
