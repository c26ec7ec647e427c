//! Answers as tables for people. What an answer lacks is left empty: the server may be of another version.

use std::fmt::Write as _;

use comfy_table::{Table, TableStyle};
use serde_json::Value;

use super::values::plain;

/// Nothing but what stands in the cells.
const PLAIN: TableStyle = TableStyle::new();

/// A column: its head, and what it has of each row.
type Column = (&'static str, fn(&Value) -> String);

/// The list of streams.
pub(super) fn streams(answer: &Value) -> String {
    let columns: [Column; 6] = [
        ("ID", |stream| text(stream, "/id")),
        ("STATE", |stream| text(stream, "/life/state")),
        ("VIEWERS", |stream| count(stream, "/viewers").to_string()),
        ("PICTURE", picture),
        ("LABEL", |stream| text(stream, "/label")),
        ("URL", |stream| text(stream, "/urls/0")),
    ];
    table(answer, &columns)
}

/// The list of viewers.
pub(super) fn viewers(answer: &Value) -> String {
    let columns: [Column; 8] = [
        ("STREAM", |viewer| text(viewer, "/stream")),
        ("SESSION", |viewer| text(viewer, "/session")),
        ("FROM", |viewer| text(viewer, "/peer")),
        ("USER", |viewer| text(viewer, "/user")),
        ("BY", |viewer| text(viewer, "/transport")),
        ("SINCE", |viewer| second(viewer, "/since")),
        ("SENT", |viewer| bytes(viewer, "/sent/bytes")),
        ("LOST", lost),
    ];
    // Those of one stream do not say which.
    let rows = answer.as_array().into_iter().flatten();
    let are_of_one = rows.clone().count() > 0 && rows.clone().all(|viewer| viewer.get("stream").is_none());
    table(answer, &columns[usize::from(are_of_one)..])
}

/// All of one stream.
pub(super) fn stream(answer: &Value) -> String {
    let rows = [
        ("id", text(answer, "/id")),
        ("label", text(answer, "/label")),
        ("state", life(answer)),
        ("urls", list(answer, "/urls")),
        ("transports", list(answer, "/transports")),
        ("picture", picture(answer)),
        ("encoder", text(answer, "/madeOf/picture/encoder")),
        ("sound", text(answer, "/madeOf/audio")),
        ("shared with", list(answer, "/sharesPictureWith")),
        ("frames made", text(answer, "/frames/made")),
        ("frames skipped", text(answer, "/frames/skipped")),
        ("late frames", late(answer)),
        ("viewers", count(answer, "/viewers").to_string()),
    ];
    let mut shown = new_table();
    shown.add_rows(
        rows.iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| [*name, value.as_str()]),
    );
    let mut shown = trimmed(&shown);
    if let Some(all) = answer
        .pointer("/viewers")
        .filter(|_| count(answer, "/viewers") > 0)
    {
        // A text takes whatever is written to it.
        let _written = write!(shown, "\n\n{}", viewers(all));
    }
    shown
}

/// What a change has changed.
pub(super) fn changes(answer: &Value) -> String {
    let rows = [
        ("streams", "/streams"),
        ("added", "/changes/added"),
        ("changed", "/changes/changed"),
        ("replaced", "/changes/replaced"),
        ("removed", "/changes/removed"),
        ("of the server", "/changes/server"),
        ("needs a restart", "/changes/needsRestart"),
    ];
    let mut shown = new_table();
    let rows = rows.map(|(name, place)| [name.to_owned(), list(answer, place)]);
    let rows: Vec<_> = rows.into_iter().filter(|[_, names]| !names.is_empty()).collect();
    if rows.is_empty() {
        return "nothing differs".into();
    }
    shown.add_rows(rows);
    trimmed(&shown)
}

/// Where a picture is, and what it shows.
pub(super) fn snapshot(answer: &Value) -> String {
    format!("{}: {}", text(answer, "/file"), text(answer, "/instant"))
}

/// Something that has happened: when, its id, its name, and all else that is said of it.
pub(super) fn event(id: &str, name: &str, event: &Value) -> String {
    let mut line = [text(event, "/at"), id.to_owned(), name.to_owned()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let fields = event.as_object().into_iter().flatten();
    for (key, value) in fields.filter(|(key, _)| !["at", "number", "type"].contains(&key.as_str())) {
        // A text takes whatever is written to it.
        let _written = write!(line, " {}={}", plain(key), plain(&value.to_string()));
    }
    line
}

fn table(rows: &Value, columns: &[Column]) -> String {
    let mut table = new_table();
    table.set_header(columns.iter().map(|(head, _)| *head));
    for row in rows.as_array().into_iter().flatten() {
        table.add_row(columns.iter().map(|(_, cell)| cell(row)));
    }
    trimmed(&table)
}

fn new_table() -> Table {
    let mut table = Table::new();
    table.load_style(PLAIN);
    table
}

/// Without the spaces around it.
fn trimmed(table: &Table) -> String {
    let lines = table.lines();
    let lines: Vec<_> = lines
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// What stands there, as it reads without quotes.
fn text(value: &Value, place: &str) -> String {
    match value.pointer(place) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => plain(text),
        Some(other) => plain(&other.to_string()),
    }
}

/// An instant without what is below a second.
fn second(value: &Value, place: &str) -> String {
    let instant = text(value, place);
    match instant.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => instant,
    }
}

fn list(value: &Value, place: &str) -> String {
    let items = value.pointer(place).and_then(Value::as_array);
    let items = items.into_iter().flatten().map(|item| text(item, ""));
    items.collect::<Vec<_>>().join(", ")
}

fn count(value: &Value, place: &str) -> usize {
    value.pointer(place).and_then(Value::as_array).map_or(0, Vec::len)
}

fn picture(stream: &Value) -> String {
    let part = |name: &str| text(stream, &format!("/madeOf/picture/{name}"));
    match stream.pointer("/madeOf/picture") {
        Some(Value::Object(_)) => {
            format!(
                "{} {}x{} {}/s",
                part("codec"),
                part("width"),
                part("height"),
                part("framesPerSecond")
            )
        }
        _ => "its own pipeline".into(),
    }
}

fn life(stream: &Value) -> String {
    let part = |name: &str| text(stream, &format!("/life/{name}"));
    match (second(stream, "/life/since"), part("cause")) {
        (since, _) if !since.is_empty() => format!("{} since {since}", part("state")),
        (_, cause) if !cause.is_empty() => format!("{}: {cause}", part("state")),
        _ => part("state"),
    }
}

/// How many of the latest frames were late, and how late at most.
fn late(stream: &Value) -> String {
    let number = |name: &str| {
        stream
            .pointer(&format!("/lateness/lately/{name}"))
            .and_then(Value::as_f64)
    };
    match (number("late"), number("frames"), number("mostSeconds")) {
        (Some(late), Some(frames), Some(most)) if frames > 0.0 => {
            format!("{late} of the latest {frames}, {:.1} ms at most", most * 1e3)
        }
        _ => String::new(),
    }
}

/// The share of packets that a viewer has reported lost last, the worst of its media.
fn lost(viewer: &Value) -> String {
    let reports = viewer.pointer("/reports").and_then(Value::as_array);
    let shares = reports.into_iter().flatten();
    let worst = shares
        .filter_map(|report| report.get("fractionLost")?.as_f64())
        .max_by(f64::total_cmp);
    worst.map_or(String::new(), |share| format!("{:.1} %", share * 100.0))
}

fn bytes(value: &Value, place: &str) -> String {
    let Some(bytes) = value.pointer(place).and_then(Value::as_f64) else {
        return String::new();
    };
    match bytes {
        ..1e3 => format!("{bytes} B"),
        ..1e6 => format!("{:.1} kB", bytes / 1e3),
        ..1e9 => format!("{:.1} MB", bytes / 1e6),
        _ => format!("{:.1} GB", bytes / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn streams_are_a_line_each() {
        let all = json!([
            { "id": "live", "life": { "state": "running" }, "viewers": [{}, {}], "label": "Front\u{1b} door",
              "urls": ["rtsp://127.0.0.1:8554/live"],
              "madeOf": { "picture": { "codec": "h264", "width": 640, "height": 480, "framesPerSecond": "15" } } },
            { "id": "of-another-version" }
        ]);
        assert_eq!(
            streams(&all),
            "ID                  STATE    VIEWERS  PICTURE            LABEL        URL\n\
             live                running  2        h264 640x480 15/s  Front\u{fffd} door  rtsp://127.0.0.1:8554/live\n\
             of-another-version           0        its own pipeline"
        );
        assert_eq!(streams(&json!([])), "ID  STATE  VIEWERS  PICTURE  LABEL  URL");
    }

    #[test]
    fn viewers_of_one_stream_are_told_without_it() {
        let viewer = json!({ "session": "a", "peer": "192.0.2.7:5", "user": null, "transport": "udp",
            "since": "2026-03-01T12:00:00.123Z", "sent": { "bytes": 2000 },
            "reports": [{ "fractionLost": 0.0 }, { "fractionLost": 0.25 }] });
        assert_eq!(
            viewers(&json!([viewer])),
            "SESSION  FROM         USER  BY   SINCE                 SENT    LOST\n\
             a        192.0.2.7:5        udp  2026-03-01T12:00:00Z  2.0 kB  25.0 %"
        );
        let mut of_a_stream = viewer;
        of_a_stream["stream"] = json!("live");
        assert!(viewers(&json!([of_a_stream])).contains("\nlive    a        192"));
        assert!(viewers(&json!([])).starts_with("STREAM  SESSION  FROM"));
    }

    #[test]
    fn what_has_changed_is_named() {
        let answer =
            json!({ "streams": ["live"], "changes": { "kept": 0, "changed": ["live"], "added": [] } });
        assert_eq!(changes(&answer), "streams  live\nchanged  live");
        assert_eq!(changes(&json!({ "streams": [] })), "nothing differs");
    }

    #[test]
    fn an_event_is_a_line() {
        let happened = json!({ "number": 7, "at": "2026-03-01T12:00:00Z", "type": "viewerLeft", "stream": "live",
                               "viewer": { "peer": "192.0.2.7:5" }, "viewers": 0 });
        assert_eq!(
            event("1-7", "viewerLeft", &happened),
            r#"2026-03-01T12:00:00Z 1-7 viewerLeft stream="live" viewer={"peer":"192.0.2.7:5"} viewers=0"#
        );
        assert_eq!(
            event("1-9", "missed", &json!({ "missed": 3 })),
            "1-9 missed missed=3"
        );
    }

    #[test]
    fn bytes_have_their_unit() {
        let of = |number: u64| bytes(&json!(number), "");
        assert_eq!(
            [0, 999, 1000, 2_500_000].map(of),
            ["0 B", "999 B", "1.0 kB", "2.5 MB"]
        );
    }
}
