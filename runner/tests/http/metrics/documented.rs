//! The page about metrics, and the examples of how they are read and shown.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::Value;

use super::{Exposition, cameras, metrics, promtool};
use crate::Server;

fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The rows of the page's tables: name, type, labels and meaning of each metric.
fn rows(page: &str) -> BTreeSet<[String; 4]> {
    let rows = page.lines().filter(|line| line.starts_with("| `rtsp_clock_"));
    let cells = rows.map(|row| {
        let cells: Vec<_> = row
            .trim_matches('|')
            .split(" | ")
            .map(|cell| cell.trim().replace('`', ""))
            .collect();
        cells
            .try_into()
            .unwrap_or_else(|cells| panic!("four columns: {cells:?}"))
    });
    cells.collect()
}

#[test]
fn the_page_says_what_the_server_does() {
    let metrics = metrics(&Server::start(&cameras()));
    let served = metrics.types.iter().map(|(name, kind)| {
        let mut labels = metrics.labels(name);
        labels.retain(|label| label != "le");
        [
            name.clone(),
            kind.clone(),
            labels.join(", "),
            metrics.helps[name].clone(),
        ]
    });
    assert_eq!(rows(&read("docs/metrics.md")), served.collect());
}

/// The queries of a dashboard, whichever panel or variable has them.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(query) if ["expr", "query", "definition"].contains(&key.as_str()) => {
                        found.push(query.clone());
                    }
                    _ => queries(value, found),
                }
            }
        }
        Value::Array(array) => array.iter().for_each(|value| queries(value, found)),
        _ => {}
    }
}

fn names(query: &str) -> impl Iterator<Item = &str> {
    let words = query.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    words.filter(|word| word.starts_with("rtsp_clock_"))
}

#[test]
fn the_dashboard_asks_for_what_there_is() {
    let dashboard: Value = serde_json::from_str(&read("examples/monitoring/dashboard.json")).expect("JSON");
    let mut all = Vec::new();
    queries(&dashboard, &mut all);
    let metrics: Exposition = metrics(&Server::start(&cameras()));
    let asked: Vec<_> = all.iter().flat_map(|query| names(query)).collect();
    assert!(asked.len() >= 10, "{asked:?}");
    let unknown: Vec<_> = asked.iter().filter(|name| !metrics.has(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn prometheus_takes_the_scrape_file() {
    let Some(mut promtool) = promtool(&["check", "config", "--lint-fatal"]) else {
        return;
    };
    let file = repository("examples/monitoring/prometheus.yml");
    let output = promtool
        .arg(file)
        .output()
        .expect("promtool, of Debian's package prometheus");
    assert!(output.status.success(), "{output:?}");
}
