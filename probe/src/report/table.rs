//! The table for a terminal.

use std::fmt::Write;

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};

use super::rows::{self, GROUPS};
use super::words;
use crate::figures::{Measurement, StreamFigures};

/// Columns of a terminal that the table fits in.
const WIDTH: u16 = 100;
/// Streams that fit side by side.
const SIDE_BY_SIDE: usize = 3;
/// Only a line below the heads.
const RULED: TableStyle = TableStyle::new().header_separator(LineStyle::new('─', '─', '─', '─'));

/// The figures as a table that fits in 100 columns, with what was found above it and what it is worth below.
#[must_use]
pub fn table(measurement: &Measurement) -> String {
    let blocks = [
        head(measurement),
        headlines(measurement),
        spots(&measurement.streams),
        figures(&measurement.streams),
        listed("Limits", &limits(measurement)),
        listed("Problems", &problems(measurement)),
        listed("Clocks", &clocks(measurement)),
    ];
    let mut text = String::new();
    for block in blocks.into_iter().filter(|block| !block.is_empty()) {
        text += &block;
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn head(measurement: &Measurement) -> String {
    format!(
        "rtsp-clock-probe {} · {} · {}\n",
        words::clean(&measurement.probe),
        words::started(&measurement.started),
        words::duration(measurement.seconds * 1e3),
    )
}

fn headlines(measurement: &Measurement) -> String {
    let mut text = String::new();
    for added in &measurement.added {
        let (finding, detail) = words::added(added);
        text += &wrapped("", &format!("{} {finding}", words::clean(&added.via)));
        text += &wrapped("  ", &detail);
    }
    text
}

/// Stamps that were seen in one picture.
fn spots(streams: &[StreamFigures]) -> String {
    streams
        .iter()
        .filter(|stream| !stream.spots.is_empty())
        .map(|stream| listed(&words::clean(&stream.url), &words::spots(stream)))
        .collect()
}

/// Of a stream without any picture its problem tells all.
fn figures(streams: &[StreamFigures]) -> String {
    let seen: Vec<&StreamFigures> = streams.iter().filter(|stream| stream.counts.frames > 0).collect();
    seen.chunks(SIDE_BY_SIDE)
        .map(|streams| side_by_side(streams) + "\n")
        .collect()
}

fn side_by_side(streams: &[&StreamFigures]) -> String {
    let mut table = Table::new();
    table
        .load_style(RULED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH);
    let heads = streams.iter().map(|stream| words::clean(&stream.url));
    table.set_header(std::iter::once(String::new()).chain(heads));
    for group in GROUPS {
        let rows = rows::shown(group, streams);
        if !rows.is_empty() {
            table.add_row([group.title]);
        }
        for (name, tell) in rows {
            let values = streams.iter().map(|stream| Cell::new(tell(stream)));
            table.add_row(std::iter::once(Cell::new(format!("  {name}"))).chain(values));
        }
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        if at == 0 {
            column
                .set_padding((0, 1))
                .set_constraint(ColumnConstraint::ContentWidth);
        } else {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

fn limits(measurement: &Measurement) -> Vec<String> {
    let verdict = |kept| if kept { "kept  " } else { "BROKEN" };
    measurement
        .limits
        .iter()
        .map(|limit| format!("{} {}", verdict(limit.kept), words::limit(limit)))
        .collect()
}

fn problems(measurement: &Measurement) -> Vec<String> {
    let of = |stream: &StreamFigures| {
        let url = words::clean(&stream.url);
        stream
            .problems
            .iter()
            .map(move |problem| format!("{url}: {}", words::clean(problem)))
            .collect::<Vec<_>>()
    };
    measurement.streams.iter().flat_map(of).collect()
}

/// What the latencies are worth, said once for all streams of which the same is true.
fn clocks(measurement: &Measurement) -> Vec<String> {
    let mut said: Vec<(String, Vec<String>)> = Vec::new();
    for stream in measurement
        .streams
        .iter()
        .filter(|stream| stream.latency.is_some())
    {
        let worth = words::worth(&stream.clock);
        let url = words::clean(&stream.url);
        match said.iter_mut().find(|(said, _)| *said == worth) {
            Some((_, urls)) => urls.push(url),
            None => said.push((worth, vec![url])),
        }
    }
    let several = said.len() > 1;
    let sentences = said.into_iter().map(|(worth, urls)| {
        if several {
            format!("{}: {worth}", urls.join(", "))
        } else {
            worth
        }
    });
    words::clock_check(&measurement.clock)
        .into_iter()
        .chain(sentences)
        .chain(words::restreamed(measurement))
        .collect()
}

fn listed(title: &str, items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let lines: String = items.iter().map(|item| wrapped("  ", item)).collect();
    format!("{title}\n{lines}")
}

/// A text in lines no longer than the table, the ones after the first indented by two more.
fn wrapped(indent: &str, text: &str) -> String {
    let mut lines = String::new();
    let mut length = indent.chars().count();
    lines.push_str(indent);
    for (at, word) in text.split(' ').enumerate() {
        let width = word.chars().count();
        if at > 0 && length + 1 + width > usize::from(WIDTH) {
            let _ = write!(lines, "\n{indent}  ");
            length = indent.chars().count() + 2;
        } else if at > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += width;
    }
    lines.push('\n');
    lines
}
