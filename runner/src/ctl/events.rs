//! Follows what happens: server-sent events (the HTML standard, section 9.2).

use std::io::{BufRead, BufReader, Read};

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;

use super::{
    client::Client,
    shown,
    values::{in_path, plain},
};
use crate::output::print;

/// How much of one event is kept, in bytes. None is as long.
const LONGEST: usize = 1024 * 1024;

/// Which events are wanted.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Those of one stream alone
    #[arg(long, value_name = "ID")]
    stream: Option<String>,
    /// Those after this one, as far as the server remembers them
    #[arg(long, value_name = "EVENT")]
    after: Option<String>,
    /// So many, and end then
    #[arg(long, value_name = "NUMBER")]
    count: Option<u64>,
}

/// Something that was sent.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sent {
    id: String,
    name: String,
    data: String,
}

/// Prints what happens until the server ends, a line each: for machines the JSON as it comes.
pub(super) fn follow(client: &Client, which: &Which, json: bool) -> anyhow::Result<()> {
    let stream = which.stream.as_ref().map(|id| format!("?stream={}", in_path(id)));
    let path = format!("/api/v1/events{}", stream.unwrap_or_default());
    let body = client.follow(&path, which.after.as_deref())?;
    let all = Events(BufReader::new(body))
        .take(usize::try_from(which.count.unwrap_or(u64::MAX)).unwrap_or(usize::MAX));
    for sent in all {
        let Sent { id, name, data } = sent.context("the connection has ended")?;
        let event: Value = serde_json::from_str(&data).unwrap_or_default();
        if json {
            print(&data)?;
        } else {
            print(&shown::event(&plain(&id), &plain(&name), &event))?;
        }
    }
    Ok(())
}

/// The events that come.
struct Events<R>(R);

impl<R: BufRead> Iterator for Events<R> {
    type Item = std::io::Result<Sent>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut sent = Sent::default();
        loop {
            let line = match line(&mut self.0) {
                Ok(Some(line)) => line,
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            };
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "" if line.is_empty() && !sent.data.is_empty() => return Some(Ok(sent)),
                "id" => value.clone_into(&mut sent.id),
                "event" => value.clone_into(&mut sent.name),
                "data" if sent.data.len() + value.len() < LONGEST => {
                    let between = if sent.data.is_empty() { "" } else { "\n" };
                    sent.data.extend([between, value]);
                }
                // A comment keeps the connection.
                _ => {}
            }
        }
    }
}

/// A line without its end, as far as that is of any use; `None` where there is no more.
fn line(input: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let length = input.take(LONGEST as u64).read_until(b'\n', &mut bytes)?;
    let line = String::from_utf8_lossy(&bytes);
    Ok((length > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_from_comments_and_from_what_is_not_complete() {
        let text = ": hello\n\nid: 5-1\nevent: viewerJoined\ndata: {\"a\":\ndata: 1}\n\n:\n\r\nid:2\r\ndata:x\r\nretry: 1\r\n\r\n\
                    event: none\n\ndata: half";
        let sent = |id: &str, name: &str, data: &str| Sent {
            id: id.into(),
            name: name.into(),
            data: data.into(),
        };
        let all: Vec<_> = Events(text.as_bytes()).map(Result::unwrap).collect();
        assert_eq!(
            all,
            [sent("5-1", "viewerJoined", "{\"a\":\n1}"), sent("2", "", "x")]
        );
    }
}
