//! Where a stream is: the path of its URL, and perhaps a query that tells it from others there.

use super::{
    json::Json,
    numbered::{NUMBER, NumberedText},
    readers::text,
};
use crate::resource::{self, Query};

const EXPECTED: &str = "a URL path such as \"/live\": it starts with a slash, has no empty part, no \".\" and no \"..\" \
                        between its slashes, and is made of ASCII letters, digits and -._~!$&'()*+,;=:@%, and {n} for a \
                        stream's number; a query may tell it from others, such as \"/cam?channel={n}&subtype=0\": names \
                        and values of the same characters, each name once, {n} in values only, and two hexadecimal digits \
                        behind each percent sign";

/// The same as a pattern for the schema, which lets names pass that are there twice.
pub(super) const PATTERN: &str = concat!(
    r"^/((\{n\}|[A-Za-z0-9\-._~!$&'()*+,;=:@%])+(/(\{n\}|[A-Za-z0-9\-._~!$&'()*+,;=:@%])+)*)?",
    r"(\?([A-Za-z0-9\-._~!$'()*+,;:@]|%[0-9A-Fa-f]{2})+(=(\{n\}|[A-Za-z0-9\-._~!$'()*+,;=:@]|%[0-9A-Fa-f]{2})*)?",
    r"(&([A-Za-z0-9\-._~!$'()*+,;:@]|%[0-9A-Fa-f]{2})+(=(\{n\}|[A-Za-z0-9\-._~!$'()*+,;=:@]|%[0-9A-Fa-f]{2})*)?)*)?$"
);

/// Reads a path as RFC 3986 writes it. A client asks for a stream at `path/stream=0`, so that an empty part at the end
/// would not be found; clients take out `.` and `..` and empty parts, each in its own way.
pub(super) fn read(json: &Json) -> Result<NumberedText, String> {
    let passes = |text: &str| {
        let (path, query) = resource::split(text);
        is_path(path) && query.is_none_or(is_query)
    };
    text(json, EXPECTED, passes).map(|path| NumberedText(path.into()))
}

fn is_path(path: &str) -> bool {
    match path.replace(NUMBER, "1").strip_prefix('/') {
        Some("") => true,
        Some(parts) => parts.split('/').all(is_path_part),
        None => false,
    }
}

fn is_path_part(part: &str) -> bool {
    !matches!(part, "" | "." | "..") && part.chars().all(is_allowed)
}

fn is_query(query: &str) -> bool {
    let parameters: Vec<_> = query.split('&').collect();
    parameters.iter().all(|parameter| is_parameter(parameter))
        && Query::parse(query).names().len() == parameters.len()
}

fn is_parameter(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    !name.is_empty() && is_encoded(name) && value.split(NUMBER).all(is_encoded)
}

/// Whether `text` has only characters that mean themselves in a query, and others percent-encoded. A slash is not among
/// them: clients put the medium that they want behind one.
fn is_encoded(text: &str) -> bool {
    let encoded = text.split('%').skip(1);
    let are_digits = |digits: &[u8; 2]| digits.iter().all(u8::is_ascii_hexdigit);
    text.chars().all(is_allowed)
        && encoded
            .map(str::as_bytes)
            .all(|text| text.first_chunk().is_some_and(are_digits))
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@%".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(path: &str) -> bool {
        read(&Json::Text(path.into())).is_ok()
    }

    #[test]
    fn a_path_may_have_a_query() {
        for path in [
            "/",
            "/live",
            "/cam/realmonitor?channel={n}&subtype=0",
            "/?a",
            "/a?b=",
            "/a?b=c=d",
            "/a?b={n}{n}-{n}",
            "/{n}?%61=%2F%3f%26",
            "/a?b=c;d=e",
            "/a?b=~!$'()*+,;:@",
        ] {
            assert!(passes(path), "{path}");
        }
    }

    #[test]
    fn a_query_that_could_mean_two_things_does_not_pass() {
        for path in [
            "/a?",
            "?a=b",
            "a?b=c",
            "/a/?b=c",
            "/a?b=1&b=2",
            "/a?b=1&b=1",
            "/a?b=1&%62=2",
            "/a?b&b=",
            "/a?b=1&",
            "/a?&b=1",
            "/a?b=1&&c=2",
            "/a?=1",
            "/a?b{n}=1",
            "/a?b={m}",
            "/a?b=c/d",
            "/a?b=c/",
            "/a?b=c?d",
            "/a?b=c#d",
            "/a?b=c d",
            "/a?b=ü",
            "/a?b=%",
            "/a?b=%4",
            "/a?b=%4{n}",
            "/a?b=%{n}4",
            "/a?b=%zz",
            "/a?%=b",
            "/a?b=\"",
            "/a?b=[c]",
        ] {
            assert!(!passes(path), "{path}");
        }
    }
}
