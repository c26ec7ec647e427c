//! Finds secrets in the text of a URL: `user=…&password=…` in its query or path, `token=…` and the like.

use std::ops::Range;

/// What the name of a secret has in it.
const NAMES: [&str; 11] = [
    "user", "usr", "pass", "pwd", "pswd", "token", "key", "auth", "secret", "login", "cred",
];
/// What stands in a secret's place.
pub(crate) const MASK: &str = "***";

/// A URL, or words about one, without the values of secrets.
pub(crate) fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    for range in ranges(text) {
        shown.push_str(&text[from..range.start]);
        shown.push_str(MASK);
        from = range.end;
    }
    shown.push_str(&text[from..]);
    shown
}

/// A command line's argument, a URL perhaps, without its log-in and without the values of secrets.
pub(crate) fn shown(argument: &str) -> String {
    let log_in = argument
        .split_once("://")
        .and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1)));
    match log_in {
        Some((scheme, rest)) => masked(&format!("{scheme}://{MASK}@{rest}")),
        None => masked(argument),
    }
}

/// The values of secrets in a URL, as they are written.
pub(crate) fn values(url: &str) -> impl Iterator<Item = &str> {
    ranges(url).into_iter().map(|range| &url[range])
}

fn ranges(text: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.match_indices('=') {
        let is_inside = ranges.last().is_some_and(|last| at < last.end);
        if is_inside || !is_secret(name_before(&text[..at])) {
            continue;
        }
        let value = &text[at + 1..];
        let length = value_length(value, is_in_query(&text[..at]));
        if length > 0 {
            ranges.push(at + 1..at + 1 + length);
        }
    }
    ranges
}

fn name_before(text: &str) -> &str {
    let of_name = |char: char| char.is_alphanumeric() || "-_.%[]".contains(char);
    &text[text.trim_end_matches(of_name).len()..]
}

fn is_secret(name: &str) -> bool {
    let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
    let name = name.to_lowercase();
    NAMES.iter().any(|secret| name.contains(secret))
}

fn is_in_query(text: &str) -> bool {
    let word = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    word.contains('?')
}

/// In bytes. Some cameras have `user=…_password=…_channel=…` in the path: there an underscore ends a value, if another
/// name follows it.
fn value_length(text: &str, in_query: bool) -> usize {
    let ends = |(at, char): (usize, char)| {
        let is_end = match char {
            '&' | ';' | '#' | '"' | '\'' | '<' | '>' => true,
            '/' | '?' => !in_query,
            '_' => !in_query && begins_with_name(&text[at + 1..]),
            other => other.is_whitespace(),
        };
        is_end.then_some(at)
    };
    text.char_indices().find_map(ends).unwrap_or(text.len())
}

fn begins_with_name(text: &str) -> bool {
    let behind = text.trim_start_matches(|char: char| char.is_ascii_alphanumeric());
    behind.len() < text.len() && behind.starts_with('=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secrets_are_masked() {
        for (text, shown) in [
            (
                "rtsp://h/a?user=admin&password=p/w?&ch=1",
                "rtsp://h/a?user=***&password=***&ch=1",
            ),
            ("rtsp://h/a?ACCESS_TOKEN=x=y#t", "rtsp://h/a?ACCESS_TOKEN=***#t"),
            (
                "rtsp://h/user=admin_password=tlJw_channel=1.sdp?real",
                "rtsp://h/user=***_password=***_channel=1.sdp?real",
            ),
            ("rtsp://h/a?p%61ss=x", "rtsp://h/a?p%61ss=***"),
            ("rtsp://h/a?channel=1&subtype=0", "rtsp://h/a?channel=1&subtype=0"),
            (
                "cannot open rtsp://h/a?pwd=x (404)",
                "cannot open rtsp://h/a?pwd=*** (404)",
            ),
            ("rtsp://h/a?password=&é=ü", "rtsp://h/a?password=&é=ü"),
            ("=", "="),
        ] {
            assert_eq!(masked(text), shown);
        }
    }

    #[test]
    fn the_values_themselves_are_known() {
        let found: Vec<&str> = values("rtsp://h/token=a/b?key=c%20d").collect();
        assert_eq!(found, ["a", "c%20d"]);
    }
}
