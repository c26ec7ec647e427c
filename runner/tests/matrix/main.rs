//! Who plays it: each client with each codec, transport and log-in, as far as it supports them. `docs/clients.md` has the
//! table.
//!
//! | variable | what |
//! | --- | --- |
//! | `MATRIX=all` | every codec over every transport with every log-in, as `scripts/soak.sh` does |
//! | `MATRIX_TABLE=1` | prints the table as `docs/clients.md` is to have it (with `-- --nocapture`) |

mod cameras;
mod clients;
#[path = "../common/mod.rs"]
mod common;
mod motion;
mod python;
mod retina;
mod sound;
mod table;

use std::collections::VecDeque;
use std::path::Path;
use std::thread;
use std::time::Duration;

use cameras::{Camera, Cameras, folder};
use clients::{FRAMES, Task};
use common::{holds_within, namespace::Cabled};
use parking_lot::Mutex;
use table::{
    Cell, LIMITS, LOG_INS, Limit, MOTION, PASSWORD, Row, USER, all_cells, cells_over_udp, markdown, rows,
};

/// What a client may take on a busy machine: ffmpeg looks at a stream for seconds before it plays it.
const PATIENCE: Duration = Duration::from_secs(40);
/// What does not work may take this long to say so.
const PATIENCE_FOR_LIMITS: Duration = Duration::from_secs(10);
/// Clients that play side by side: most of the time they wait.
const AT_ONCE: usize = 12;

/// What a copy of the test at the other end of a cable is to play: the cell's path, the URL, the password and the patience
/// in ms, each in a line of its own.
const AT_VIEWER: &str = "TEST_MATRIX_AT_VIEWER";

#[test]
fn every_client_plays_what_it_can() {
    gst::init().expect("GStreamer");
    if let Ok(order) = std::env::var(AT_VIEWER) {
        play_as_ordered(&order);
        return;
    }
    let all = std::env::var("MATRIX").is_ok_and(|size| size == "all");
    let mut cells: Vec<Cell> = if all {
        all_cells()
    } else {
        rows().iter().flat_map(Row::cells).collect()
    };
    cells.extend(cells_over_udp());
    leave_out_what_cannot_be_tried(&mut cells);
    let cameras = Cameras::start("cells", &cells);
    let failures = Mutex::new(Vec::new());
    let waiting = Mutex::new(VecDeque::from(cells.clone()));
    let next = || waiting.lock().pop_front();
    let work = || {
        while let Some(cell) = next() {
            if let Err(failure) = hold(&cell, cameras.of(&cell)) {
                let mut failures = failures.lock();
                failures.push(format!("{}: {failure}", cell.path()));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let failures = failures.into_inner();
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        cells.len(),
        failures.join("\n")
    );
    println!("{} cells are as the table says", cells.len());
}

/// And says so.
fn leave_out_what_cannot_be_tried(cells: &mut Vec<Cell>) {
    if !Cabled::can_be_had() {
        println!("left out: all by multicast, for this machine gives nobody network namespaces");
        cells.retain(|cell| !cell.takes_a_cable());
    }
    if !motion::is_to_be_tried() {
        println!("left out: motion, which this system has no package for");
        cells.retain(|cell| cell.client.name != MOTION);
    }
}

#[test]
fn the_docs_have_the_table() {
    let table = markdown();
    if std::env::var_os("MATRIX_TABLE").is_some() {
        println!("{table}");
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/clients.md");
    let text = std::fs::read_to_string(file).expect("docs/clients.md");
    assert!(
        text.contains(&table),
        "docs/clients.md has another table than\n{table}"
    );
}

/// That `cell` plays, or does not where it has a limit.
fn hold(cell: &Cell, camera: &Camera) -> Result<(), String> {
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
    let mut cells: Vec<Cell> = rows.flat_map(|row| row.cells().collect::<Vec<_>>()).collect();
    leave_out_what_cannot_be_tried(&mut cells);
    let cameras = Cameras::start("wrong", &cells);
    thread::scope(|scope| {
        for cell in &cells {
            let camera = cameras.of(cell);
            scope.spawn(move || {
                // A client that is refused ends by itself.
                let outcome = play(cell, camera, "wrong", PATIENCE);
                let Err(said) = outcome else {
                    panic!("{} plays", cell.path())
                };
                assert!(
                    said.contains("401") || !cell.client.tells_status,
                    "{}: {said}",
                    cell.path()
                );
            });
        }
    });
}

/// Plays, and asks the server how, and whether it has noticed the end.
fn play(cell: &Cell, camera: &Camera, password: &str, patience: Duration) -> Result<(), String> {
    let url = camera.url(cell)?;
    match camera {
        Camera::Here(_) => play_url(cell, url, password, patience)?,
        Camera::Cabled(cabled) => play_at_viewer(cabled, cell, &url, password, patience)?,
    }
    let seen = format!("({}) is watching", cell.transport.seen_as);
    let path = format!("{:?}", cell.path());
    let is_seen = || {
        let lines = camera.log().lines();
        lines
            .iter()
            .any(|line| line.contains(&seen) && line.contains(&path))
    };
    if !holds_within(common::PATIENCE, is_seen) {
        return Err(format!("the server never saw it over {}", cell.transport.seen_as));
    }
    let has_left = || {
        let lines = camera.log().lines();
        let of_it = |line: &&String| line.contains(&path) && line.contains("viewers=");
        let latest = lines.iter().rfind(of_it);
        latest.is_some_and(|line| line.contains("has left") && line.contains("viewers=0"))
    };
    if !holds_within(common::PATIENCE, has_left) {
        return Err("the server still counts it after its end".to_owned());
    }
    Ok(())
}

fn play_url(cell: &Cell, url: String, password: &str, patience: Duration) -> Result<(), String> {
    let task = Task {
        url,
        credentials: cell.has_log_in().then(|| (USER, password.to_owned())),
        transport: cell.transport,
        patience,
        folder: folder().join(cell.path().replace('/', "-")),
    };
    let frames = (cell.client.play)(&task)?;
    if frames < FRAMES {
        return Err(format!("{frames} frames"));
    }
    Ok(())
}

/// Some clients are libraries: a copy of this program is what can be elsewhere.
fn play_at_viewer(
    cabled: &Cabled,
    cell: &Cell,
    url: &str,
    password: &str,
    patience: Duration,
) -> Result<(), String> {
    let itself = std::env::current_exe().map_err(|error| error.to_string())?;
    let order = [&cell.path(), url, password, &patience.as_millis().to_string()].join("\n");
    let output = cabled
        .at_viewer(&itself.to_string_lossy())
        .args(["--exact", "every_client_plays_what_it_can", "--nocapture"])
        .env(AT_VIEWER, order)
        .output()
        .map_err(|error| format!("nsenter: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn play_as_ordered(order: &str) {
    let parts: Vec<&str> = order.split('\n').collect();
    let [path, url, password, patience] = parts[..] else {
        panic!("{AT_VIEWER}: {order}");
    };
    let cell = all_cells().into_iter().find(|cell| cell.path() == path);
    let patience = Duration::from_millis(patience.parse().expect("milliseconds"));
    let outcome = play_url(&cell.expect("a cell"), url.to_owned(), password, patience);
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
