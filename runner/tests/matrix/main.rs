//! Who plays it: each client with each codec, transport and log-in, as far as it supports them. The README has the table.
//!
//! | variable | what |
//! | --- | --- |
//! | `MATRIX=all` | every codec over every transport with every log-in, as `scripts/soak.sh` does |
//! | `MATRIX_README=1` | prints the table as the README is to have it (with `-- --nocapture`) |

mod clients;
#[path = "../common/mod.rs"]
mod common;
mod offer;
mod table;

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use clients::{FRAMES, Task};
use common::{holds_within, process::Process};
use table::{Cell, LIMITS, LOG_INS, Limit, PASSWORD, Row, USER, all_cells, readme, rows};

/// What a client may take on a busy machine: ffmpeg looks at a stream for seconds before it plays it.
const PATIENCE: Duration = Duration::from_secs(40);
/// What does not work may take this long to say so.
const PATIENCE_FOR_LIMITS: Duration = Duration::from_secs(10);
/// Clients that play side by side: most of the time they wait.
const AT_ONCE: usize = 6;

#[test]
fn every_client_plays_what_it_can() {
    gst::init().expect("GStreamer");
    let all = std::env::var("MATRIX").is_ok_and(|size| size == "all");
    let cells: Vec<Cell> = if all {
        all_cells()
    } else {
        rows().iter().flat_map(Row::cells).collect()
    };
    let cameras = cameras("cells", &cells);
    let failures = Mutex::new(Vec::new());
    let waiting = Mutex::new(VecDeque::from(cells.clone()));
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let work = || {
        while let Some(cell) = next() {
            if let Err(failure) = hold(&cell, &cameras[&cell.keys()]) {
                let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
                failures.push(format!("{}: {failure}", cell.path()));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        cells.len(),
        failures.join("\n")
    );
    println!("{} cells are as the table says", cells.len());
}

#[test]
fn the_readme_has_the_table() {
    let table = readme();
    if std::env::var_os("MATRIX_README").is_some() {
        println!("{table}");
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = std::fs::read_to_string(file).expect("the README");
    assert!(
        text.contains(&table),
        "the README has another table than\n{table}"
    );
}

/// A server for each set of keys, with a stream for each cell. Tests run side by side: each has a name for its files.
fn cameras(test: &str, cells: &[Cell]) -> BTreeMap<String, Process> {
    let mut streams: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for cell in cells {
        let stream = format!(
            r#"{{"rtspStreamPath": "{}", "videoCodec": "{}"}}"#,
            cell.path(),
            cell.codec
        );
        streams.entry(cell.keys()).or_default().push(stream);
    }
    let start = |(number, (keys, streams)): (usize, (String, Vec<String>))| {
        let config = format!(
            r#"{{"videoResolution": "320x240", "framesPerSecond": 25, {keys} "streams": [{}]}}"#,
            streams.join(",")
        );
        let file = folder().join(format!("{test}-{number}.json"));
        std::fs::write(&file, config).expect("a configuration");
        let server = Process::start(|command| {
            command.arg("--config").arg(file);
        });
        (keys, server)
    };
    streams.into_iter().enumerate().map(start).collect()
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("matrix");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// That `cell` plays, or does not where it has a limit.
fn hold(cell: &Cell, camera: &Process) -> Result<(), String> {
    let patience = if cell.limit().is_some() {
        PATIENCE_FOR_LIMITS
    } else {
        PATIENCE
    };
    verdict(cell.limit(), play(cell, camera, PASSWORD, patience))
}

fn verdict(limit: Option<&Limit>, outcome: Result<(), String>) -> Result<(), String> {
    match (limit, outcome) {
        (None, outcome) => outcome,
        (Some(_), Err(_)) => Ok(()),
        (Some(limit), Ok(())) => Err(format!(
            "it plays, although the table of limits says: {}",
            limit.why
        )),
    }
}

#[test]
fn a_limit_that_turns_out_to_work_is_a_failure() {
    let limit = &LIMITS[0];
    assert!(verdict(Some(limit), Ok(())).is_err());
    assert!(verdict(Some(limit), Err("no".to_owned())).is_ok());
    assert!(verdict(None, Err("no".to_owned())).is_err());
}

#[test]
fn no_client_passes_with_a_wrong_password() {
    gst::init().expect("GStreamer");
    let log_ins = LOG_INS[1..].iter();
    let rows = log_ins.flat_map(|log_in| rows().into_iter().filter(|row| row.log_in.name == log_in.name));
    let cells: Vec<Cell> = rows.flat_map(|row| row.cells().collect::<Vec<_>>()).collect();
    let cameras = cameras("wrong", &cells);
    thread::scope(|scope| {
        for cell in &cells {
            let camera = &cameras[&cell.keys()];
            scope.spawn(move || {
                let outcome = play(cell, camera, "wrong", PATIENCE_FOR_LIMITS);
                assert!(outcome.is_err(), "{} plays", cell.path());
            });
        }
    });
}

fn play(cell: &Cell, camera: &Process, password: &'static str, patience: Duration) -> Result<(), String> {
    let has_log_in = cell.log_in.name != LOG_INS[0].name;
    let task = Task {
        url: url(cell, camera)?,
        credentials: has_log_in.then_some((USER, password)),
        transport: cell.transport,
        patience,
        folder: folder().join(cell.path().replace('/', "-")),
    };
    let frames = (cell.client.play)(&task)?;
    if frames < FRAMES {
        return Err(format!("{frames} frames"));
    }
    let seen = format!("({}) is watching", cell.transport.seen_as);
    let path = format!("{:?}", cell.path());
    let is_seen = || {
        let lines = camera.log().lines();
        lines
            .iter()
            .any(|line| line.contains(&seen) && line.contains(&path))
    };
    if holds_within(common::PATIENCE, is_seen) {
        Ok(())
    } else {
        Err(format!("the server never saw it over {}", cell.transport.seen_as))
    }
}

/// Where the server says that the cell's stream is, or who passes on to there.
fn url(cell: &Cell, camera: &Process) -> Result<String, String> {
    let begin = format!("{}://127.0.0.1:", cell.transport.scheme);
    let path = cell.path();
    let port = camera.log().lines().iter().find_map(|line| {
        let (_, rest) = line.split_once(&begin)?;
        rest.strip_suffix(&path)?.parse::<u16>().ok()
    });
    let mut port = port.ok_or_else(|| format!("the server never says where {path} is"))?;
    if let Some(scheme) = cell.log_in.offers {
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        port = offer::of_one_scheme(scheme, server).map_err(|error| error.to_string())?;
    }
    Ok(format!("{begin}{port}{path}"))
}
