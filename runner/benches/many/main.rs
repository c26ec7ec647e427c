//! The figures in `docs/figures.md` about many streams and many viewers: `cargo bench -p rtsp-clock-server --bench many`.
//!
//! Names on the command line choose rows: `… --bench many -- memory thousand`. `--percent=10` makes the crowds a tenth as
//! large, to try it. The server, what it is held against, and the viewers are processes of their own.

#[path = "../../tests/common/mod.rs"]
mod common;
mod connection;
mod crowd;
mod delivery;
#[path = "../measure/mod.rs"]
mod measure;
mod reference;

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use common::holds_within;
use common::process::{Process, command};
use crowd::{Arrival, Crowd, Tally};
use delivery::Delivery;
use measure::{
    Measure, Row, beside_sleeps, broken, config_file, cpu_while, encoder_of_the_server, memory_of, noise,
    percentile, print_table,
};
use reference::Reference;
use rtsp_clock_server::ffi::process::raise_descriptor_limit;

/// Until everybody sees something, or it is broken.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long what starting takes is left alone.
const SETTLING: Duration = Duration::from_secs(5);
/// How long CPU is measured and frames are counted.
const TIME: Duration = Duration::from_secs(20);
/// How often a start is measured; its median is shown.
const STARTS: usize = 5;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((reference::MODE, rest)) = arguments
        .split_first()
        .map(|(first, rest)| (first.as_str(), rest))
    {
        return reference::serve(rest);
    }
    let rows: [Measure; 7] = [
        ("demand", on_demand),
        ("always", always_on),
        ("reference", against_reference),
        ("shared", shared_picture),
        ("memory", memory),
        ("thousand", thousand_viewers),
        ("plays", plays_at_once),
    ];
    let chosen: Vec<String> = arguments
        .into_iter()
        .filter(|name| !name.starts_with("--"))
        .collect();
    raise_descriptor_limit().expect("a crowd needs descriptors");
    print_table(&rows, &chosen)
}

/// `--percent=` of a number of streams or viewers, two at least.
fn scaled(count: usize) -> usize {
    let percent = std::env::args().find_map(|argument| Some(argument.strip_prefix("--percent=")?.to_owned()));
    let percent: usize = percent.map_or(100, |text| text.parse().expect("--percent takes a number"));
    (count * percent / 100).max(2)
}

fn small_cameras(count: usize, more: &str) -> PathBuf {
    let config = format!(
        r#"{{"serverPort": 0, "serverIPAddress": "127.0.0.1", "videoResolution": "640x480", "framesPerSecond": {SMALL_RATE},
             "streams": [{{"rtspStreamPath": "/{{n}}", "count": {count}{more}}}]}}"#
    );
    config_file("many.json", &config)
}

const SMALL_RATE: u32 = 5;
const LARGE_RATE: u32 = 25;

fn large_cameras(keys: &str) -> PathBuf {
    let config = format!(
        r#"{{"serverPort": 0, "serverIPAddress": "127.0.0.1", "videoResolution": "1280x720",
             "framesPerSecond": {LARGE_RATE}, "h264IFrameInterval": 50, "streams": [{{{keys}}}]}}"#
    );
    config_file("many.json", &config)
}

fn serve(config: &PathBuf) -> Process {
    Process::start(|command| {
        command
            .env_remove("RTSP_SERVER_IP")
            .env_remove("RTSP_SERVER_PORT")
            .arg("--config")
            .arg(config);
    })
}

/// `/1` and so on.
fn numbered(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("/{number}")).collect()
}

// ---- how soon all see a picture -------------------------------------------------------------------------------

fn on_demand() -> Row {
    start_of_all(", on demand", "", 2.0)
}

fn always_on() -> Row {
    start_of_all(", `alwaysOn`", r#", "alwaysOn": true"#, 0.5)
}

fn start_of_all(kind: &str, keys: &str, bound: f64) -> Row {
    let count = scaled(100);
    let what =
        format!("{count} streams of 640x480 at 5 fps{kind}, a viewer each: first PLAY → all see a picture");
    let (starts, lateness) = beside_sleeps(|| (0..STARTS).map(|_| start_once(count, keys)).collect());
    let starts: Vec<Arrival> = match starts {
        Ok(starts) => starts,
        Err(reason) => return broken(what, &format!("{bound} s"), &reason),
    };
    let median = |of: fn(&Arrival) -> Duration| {
        percentile(
            &starts
                .iter()
                .map(|start| of(start).as_secs_f64())
                .collect::<Vec<_>>(),
            50.0,
        )
    };
    let since_play = median(|start| start.since_first_play);
    Row {
        what,
        bound: format!("{bound} s"),
        measured: format!(
            "{since_play:.2} s, {:.2} s from the first DESCRIBE (medians of {STARTS}); {}",
            median(|start| start.since_first_request),
            noise(&lateness)
        ),
        met: since_play <= bound,
    }
}

fn start_once(count: usize, keys: &str) -> Result<Arrival, String> {
    let server = serve(&small_cameras(count, keys));
    if !keys.is_empty() {
        thread::sleep(SETTLING);
    }
    Crowd::join(server.port(), &numbered(count), SMALL_RATE, Duration::ZERO).see(PATIENCE)
}

// ---- against videotestsrc -------------------------------------------------------------------------------------

/// What one writes who wants x264 to be quick: the reference. With the encoder's settings that this server has, x264 is most
/// of what both sides do, and the row says what is left then.
const USUAL_ENCODER: &str = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30";

fn against_reference() -> Row {
    let count = scaled(100);
    let what = format!(
        "{count} streams of 640x480 at 5 fps, a viewer each: cores of `videotestsrc ! clockoverlay ! {USUAL_ENCODER}` in \
         gst-rtsp-server, of this server"
    );
    let bound = "at most half";
    let (cores, lateness) = beside_sleeps(|| {
        let same = encoder_of_the_server(command(), &small_cameras(1, ""));
        Ok::<_, String>([
            cores_of_small_cameras(count)?,
            cores_of_reference(count, "smpte", &same)?,
            cores_of_reference(count, "black", &same)?,
            cores_of_reference(count, "smpte", USUAL_ENCODER)?,
        ])
    });
    let [served, same, black, usual] = match cores {
        Ok(cores) => cores,
        Err(reason) => return broken(what, bound, &reason),
    };
    let of = |reference: f64| format!("{:.0} %", served / reference * 100.0);
    Row {
        what,
        bound: bound.to_owned(),
        measured: format!(
            "{usual:.3}, {served:.3}: {} ({} of the {same:.3} with this server's own x264 settings, {} of the {black:.3} \
             with these and `pattern=black`); {}",
            of(usual),
            of(same),
            of(black),
            noise(&lateness)
        ),
        met: served <= usual / 2.0,
    }
}

fn cores_of_small_cameras(count: usize) -> Result<f64, String> {
    let server = serve(&small_cameras(count, ""));
    cores(server.id(), server.port(), &numbered(count), SMALL_RATE).map(|(cores, _)| cores)
}

fn cores_of_reference(count: usize, pattern: &str, encoder: &str) -> Result<f64, String> {
    let line = format!(
        "( videotestsrc is-live=true pattern={pattern} \
         ! video/x-raw,format=I420,width=640,height=480,framerate={SMALL_RATE}/1 ! clockoverlay ! {encoder} \
         ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
    );
    let reference = Reference::start(&line, count);
    cores(reference.id(), reference.port(), &numbered(count), SMALL_RATE).map(|(cores, _)| cores)
}

/// How many cores a server takes while a crowd watches, and what comes to the crowd.
fn cores(process: u32, port: u16, paths: &[String], frame_rate: u32) -> Result<(f64, Vec<Tally>), String> {
    let crowd = Crowd::join(port, paths, frame_rate, Duration::from_millis(3));
    crowd.see(PATIENCE)?;
    thread::sleep(SETTLING);
    let started = Instant::now();
    // A crowd counts by the camera's time, and may be behind.
    let (used, tallies) = cpu_while(process, TIME, |_| crowd.count(due(frame_rate), PATIENCE));
    Ok((used / 1e3 / started.elapsed().as_secs_f64(), tallies?))
}

/// How many frames a camera makes while they are counted.
fn due(frame_rate: u32) -> u32 {
    frame_rate * u32::try_from(TIME.as_secs()).unwrap_or(u32::MAX)
}

// ---- one picture for a crowd ----------------------------------------------------------------------------------

fn shared_picture() -> Row {
    let count = scaled(300);
    let config = large_cameras(&format!(
        r#""rtspStreamPath": "/{{n}}", "count": {count}, "sharedPicture": true"#
    ));
    let what = format!("{count} paths with one picture of 720p25 (`sharedPicture`), a viewer each over TCP");
    crowd_at_one_picture(what, &config, &numbered(count))
}

fn thousand_viewers() -> Row {
    let count = scaled(1000);
    let config = large_cameras(r#""rtspStreamPath": "/live""#);
    let what = format!("{count} viewers of one 720p25 stream over TCP");
    crowd_at_one_picture(what, &config, &vec!["/live".to_owned(); count])
}

fn crowd_at_one_picture(what: String, config: &PathBuf, paths: &[String]) -> Row {
    let bound = "every frame delivered, under one core";
    let server = serve(config);
    let (outcome, lateness) = beside_sleeps(|| cores(server.id(), server.port(), paths, LARGE_RATE));
    let (cores, tallies) = match outcome {
        Ok(outcome) => outcome,
        Err(reason) => return broken(what, bound, &reason),
    };
    let delivery = Delivery::of(&tallies, LARGE_RATE, due(LARGE_RATE), skipped(server));
    Row {
        what,
        bound: bound.to_owned(),
        measured: format!("{delivery}, {cores:.2} cores; {}", noise(&lateness)),
        met: delivery.is_whole() && cores < 1.0,
    }
}

/// How many frames the camera says it has skipped in all. It says so when its last viewer has gone: the whole log tells, of
/// a server that has ended.
fn skipped(mut server: Process) -> u64 {
    let said = |words: &str| {
        let lines = server.log().lines().into_iter();
        lines.filter(|line| line.contains(words)).count()
    };
    let have_left = || said("has left") == said("is watching");
    // At its end the server waits no longer than some seconds for the last one to leave. One that stays shows in what is
    // not accounted for.
    holds_within(PATIENCE, have_left);
    server.end_by("TERM");
    let log = server.whole_log();
    let lines = log.lines().filter(|line| line.contains("skipped"));
    let counts = lines.filter_map(|line| {
        let (_, count) = line.split_once("frames=")?;
        count
            .split(|c: char| !c.is_ascii_digit())
            .next()?
            .parse::<u64>()
            .ok()
    });
    counts.sum()
}

// ---- many who join at once ------------------------------------------------------------------------------------

/// Each PLAY waits for a key frame, and nobody's for anybody else's.
fn plays_at_once() -> Row {
    let count = 200;
    let what = format!("{count} PLAYs at once of one 720p25 stream that is watched: the last answer");
    let bound = Duration::from_secs(1);
    let server = serve(&large_cameras(r#""rtspStreamPath": "/live""#));
    let (starts, lateness) = beside_sleeps(|| {
        let watching = Crowd::join(server.port(), &["/live".to_owned()], LARGE_RATE, Duration::ZERO);
        watching.see(PATIENCE)?;
        (0..STARTS).map(|_| last_answer(server.port(), count)).collect()
    });
    let lasts: Vec<f64> = match starts {
        Ok(lasts) => lasts,
        Err(reason) => return broken(what, &format!("{bound:?}"), &reason),
    };
    let median = percentile(&lasts, 50.0);
    Row {
        what,
        bound: format!("{bound:?}"),
        measured: format!("{median:.2} s (median of {STARTS}); {}", noise(&lateness)),
        met: median <= bound.as_secs_f64(),
    }
}

/// After how many seconds the last of so many has its answer.
fn last_answer(port: u16, count: usize) -> Result<f64, String> {
    let crowd = Crowd::play_together(port, &vec!["/live".to_owned(); count], LARGE_RATE);
    crowd.see(PATIENCE)?;
    let last = crowd.answers().into_iter().max();
    Ok(last.unwrap_or_default().as_secs_f64())
}

// ---- memory ---------------------------------------------------------------------------------------------------

fn memory() -> Row {
    let count = scaled(50);
    let what = format!(
        "memory for each further 640x480 stream with a viewer, from {count} streams to {}",
        2 * count
    );
    let bound = "at most 5 MB";
    let server = serve(&small_cameras(2 * count, ""));
    let paths = numbered(2 * count);
    let (outcome, lateness) = beside_sleeps(|| {
        let mut figures = Vec::new();
        let mut crowds = Vec::new();
        for half in paths.chunks(count) {
            let crowd = Crowd::join(server.port(), half, SMALL_RATE, Duration::from_millis(3));
            crowd.see(PATIENCE)?;
            crowds.push(crowd);
            thread::sleep(SETTLING);
            figures.push(memory_of(server.id()));
        }
        Ok::<_, String>(figures)
    });
    let figures = match outcome {
        Ok(figures) => figures,
        Err(reason) => return broken(what, bound, &reason),
    };
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    let each = (figures[1] - figures[0]) / count as f64;
    Row {
        what,
        bound: bound.to_owned(),
        measured: format!(
            "{each:.2} MB ({:.0} MB, {:.0} MB in all); {}",
            figures[0],
            figures[1],
            noise(&lateness)
        ),
        met: each <= 5.0,
    }
}
