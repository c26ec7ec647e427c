//! The reference page has a table for each topic of keys, made of their rows. `UPDATE_DOCS=1 cargo test -p
//! rtsp-clock-server --test config` writes it anew.

use std::fs;

use rtsp_clock_server::config_file::{Change, Key, Level, TOPICS, Topic};
use serde_json::Value;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
const END: &str = "<!-- end of keys -->\n";

#[test]
fn the_reference_page_says_of_each_key_what_its_row_says() {
    let page = fs::read_to_string(PAGE).expect("the page");
    let wanted = TOPICS
        .iter()
        .fold(page.clone(), |page, topic| with_table(&page, topic));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(PAGE, &wanted).expect("the page can be written");
        return;
    }
    let lines: Vec<&str> = page.lines().collect();
    let wanted: Vec<&str> = wanted.lines().collect();
    let missing = wanted.iter().filter(|line| !lines.contains(line));
    let outdated = lines.iter().filter(|line| !wanted.contains(line));
    let lines = missing.map(|line| format!("+ {line}"));
    let lines: Vec<String> = lines.chain(outdated.map(|line| format!("- {line}"))).collect();
    assert!(
        page.lines().eq(wanted),
        "the page is not what the rows say, UPDATE_DOCS=1 writes it anew:\n{}",
        lines.join("\n")
    );
}

/// The page with the table of `topic` between its markers.
fn with_table(page: &str, topic: &Topic) -> String {
    let begin = format!("<!-- keys: {} -->\n", topic.name);
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
    let (_, after) = rest.split_once(END).expect("the table ends");
    format!("{before}{begin}{}{END}{after}", table(topic))
}

fn table(topic: &Topic) -> String {
    let head =
        "| key and variable | default | what it is | a change while it runs |\n| --- | --- | --- | --- |\n";
    topic
        .keys
        .iter()
        .fold(head.to_owned(), |table, key| table + &line(key))
}

fn line(key: &Key) -> String {
    let variable = key.variable.map(|variable| format!("<br>`{variable}`"));
    let cells = [
        format!(
            "`{}`{}{}",
            key.name,
            variable.unwrap_or_default(),
            level(key.level)
        ),
        default(key),
        format!("{}<br>*May be:* {}", key.documentation, key.expected()),
        format!("{} {}", words(key.change), key.change_note),
    ];
    let cells = cells.map(|cell| format!(" {} |", cell.trim().replace('|', "\\|")));
    format!("|{}\n", cells.concat())
}

fn default(key: &Key) -> String {
    match key.default() {
        _ if !key.without.is_empty() => key.without.to_owned(),
        Value::Null => "none".to_owned(),
        value => format!("`{value}`"),
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Server => "<br>*the server*",
        Level::Stream => "",
    }
}

fn words(change: Change) -> &'static str {
    match change {
        Change::AtOnce => "At once.",
        Change::Encoder => "At once where the encoder takes it.",
        Change::Places => "Streams come and go.",
        Change::NewStream => "A new stream.",
        Change::Restart(_) => "Takes a restart.",
    }
}
