//! What a URL asks for: a path, and the parameters of its query (RFC 3986, sections 3.3 and 3.4), by which cameras at
//! one path may be told apart.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// The characters that are percent-encoded where URLs are compared: all but those that never are (RFC 3986, section
/// 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The name that gst-rtsp-server gives the media of a stream, with a number behind it.
const MEDIUM: &str = "stream=";

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    /// The path as it was written; `/` at least.
    pub(crate) path: String,
    /// The query that stands behind it.
    pub(crate) query: Query,
    /// The medium of a stream that a client has put behind the query: many add it to whatever URL they have.
    pub(crate) medium: Option<String>,
}

impl Resource {
    /// Made of a path, and of the text behind its question mark.
    #[must_use]
    pub(crate) fn new(path: &str, query: Option<&str>) -> Self {
        let (query, medium) = without_medium(query.unwrap_or_default());
        Self {
            path: if path.is_empty() { "/" } else { path }.to_owned(),
            query: Query::parse(query),
            medium: medium.map(str::to_owned),
        }
    }

    /// Made of a URL, or of the part of one behind the host.
    #[must_use]
    pub(crate) fn parse(url: &str) -> Self {
        let with_host = url.split_once("://").filter(|_| !url.starts_with('/'));
        let behind_host = with_host.map_or(url, |(_, rest)| {
            rest.find(['/', '?']).map_or("", |end| &rest[end..])
        });
        let (path, query) = split(behind_host);
        Self::new(path, query)
    }

    /// One path that stands for path and query, for whoever knows nothing but paths.
    #[must_use]
    pub(crate) fn as_path(&self) -> String {
        self.query.as_path_behind(&self.path)
    }
}

/// The two parts of `path` before and behind its question mark.
#[must_use]
pub(crate) fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('?')
        .map_or((path, None), |(path, query)| (path, Some(query)))
}

/// A query, and the medium behind it. A slash alone ends a query as it ends a path.
fn without_medium(query: &str) -> (&str, Option<&str>) {
    let query = query.trim_end_matches('/');
    let is_medium = |name: &str| {
        let number = name.strip_prefix(MEDIUM);
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match query.rsplit_once('/') {
        Some((query, name)) if is_medium(name) => (query.trim_end_matches('/'), Some(name)),
        _ => (query, None),
    }
}

/// The parameters of a query: `NAME=VALUE`, with `&` between them. Queries that say the same are equal, in whatever
/// order and with whichever characters percent-encoded. Of a name that is there several times the first one counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query(BTreeMap<String, String>);

impl Query {
    /// Reads the text behind a question mark.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Self {
        let mut parameters = BTreeMap::new();
        for parameter in text.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            parameters.entry(spelled(name)).or_insert_with(|| spelled(value));
        }
        Self(parameters)
    }

    /// The names of its parameters, in one spelling.
    #[must_use]
    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.0.keys().cloned().collect()
    }

    /// Its parameters of these names; `None` unless it has them all.
    #[must_use]
    pub(crate) fn only(&self, names: &BTreeSet<String>) -> Option<Self> {
        let parameter = |name: &String| Some((name.clone(), self.0.get(name)?.clone()));
        names.iter().map(parameter).collect::<Option<_>>().map(Self)
    }

    /// `path` with the query's parameters as its own (RFC 3986, section 3.3): `/cam;channel=1`. No client loses these
    /// on its way from URL to URL; and in the order of paths they put nothing between `/cam` and `/cam/1`.
    #[must_use]
    pub(crate) fn as_path_behind(&self, path: &str) -> String {
        if self.0.is_empty() {
            path.to_owned()
        } else {
            format!("{path};{self}")
        }
    }
}

impl fmt::Display for Query {
    /// Writes the parameters by name, in one spelling: `channel=1&subtype=0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            let before = if index == 0 { "" } else { "&" };
            write!(f, "{before}{name}={value}")?;
        }
        Ok(())
    }
}

/// The one spelling of all texts that mean the same. A percent sign without two hexadecimal digits behind it means
/// itself.
fn spelled(text: &str) -> String {
    let bytes: Vec<u8> = percent_decode_str(text).collect();
    percent_encode(&bytes, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_what_its_parameters_say() {
        for (one, other) in [
            ("a=1&b=2", "b=2&a=1"),
            ("a=1&b=2", "&a=1&&b=2&"),
            ("a=x.y", "%61=%78%2ey"),
            ("a=%2f%C3%BC", "a=%2F%c3%bC"),
            ("a=b=c", "a=b%3Dc"),
            ("a=b%26c", "a=b%26%63"),
            ("a=+", "a=%2B"),
            ("a", "a="),
            ("a=1&a=2", "a=1"),
            ("a=1&%61=2", "a=1"),
            ("a=%", "a=%25"),
            ("a=%4", "a=%254"),
            ("a=%zz", "a=%25zz"),
            ("a=ü", "a=%C3%BC"),
        ] {
            assert_eq!(Query::parse(one), Query::parse(other), "{one} {other}");
        }
        for (one, other) in [
            ("a=1", "a=01"),
            ("a=1", "A=1"),
            ("a=x", "a=X"),
            ("a=b&c", "a=b%26c"),
            ("a=+", "a=%20"),
            ("a%3D1", "a=1"),
            ("a=%00", "a="),
            ("", "a"),
        ] {
            assert_ne!(Query::parse(one), Query::parse(other), "{one} {other}");
        }
    }

    #[test]
    fn a_url_is_a_path_a_query_and_perhaps_a_medium() {
        let medium = Some("stream=1");
        for (url, path, query, expected) in [
            ("rtsp://h:8554/live", "/live", "", None),
            (
                "rtsp://h/live/stream=1?b=2&a=1",
                "/live/stream=1",
                "a=1&b=2",
                None,
            ),
            ("rtsp://[::1]:1/a/b?c=d", "/a/b", "c=d", None),
            ("/live?a=b/stream=1", "/live", "a=b", medium),
            ("/live?a=b/stream=1/", "/live", "a=b", medium),
            ("/live?a=b//stream=1", "/live", "a=b", medium),
            ("/live?a=b/", "/live", "a=b", None),
            ("/live?u=x/y&a=b/stream=1", "/live", "a=b&u=x%2Fy", medium),
            ("/live?u=x/stream=y", "/live", "u=x%2Fstream%3Dy", None),
            ("/live?u=x/stream=", "/live", "u=x%2Fstream%3D", None),
            ("/live?u=rtsp://h/x", "/live", "u=rtsp%3A%2F%2Fh%2Fx", None),
            ("/live?a?b", "/live", "a%3Fb=", None),
            ("/live?", "/live", "", None),
            ("rtsp://h?a=b/stream=1", "/", "a=b", medium),
            ("rtsp://h", "/", "", None),
            ("", "/", "", None),
        ] {
            let found = Resource::parse(url);
            let said = (&*found.path, &*found.query.to_string(), found.medium.as_deref());
            assert_eq!(said, (path, query, expected), "{url}");
        }
    }

    #[test]
    fn a_query_becomes_part_of_a_path() {
        for (url, path) in [
            ("/cam?b=2&a=x%2fy", "/cam;a=x%2Fy&b=2"),
            ("/cam?a", "/cam;a="),
            ("/cam", "/cam"),
            ("/?a=1;b=2", "/;a=1%3Bb%3D2"),
        ] {
            assert_eq!(Resource::parse(url).as_path(), path, "{url}");
        }
    }

    #[test]
    fn a_query_has_parameters_of_these_names_or_it_has_not() {
        let query = Query::parse("a=1&b=2&c=3");
        let only = |names: &str| query.only(&Query::parse(names).names());
        assert_eq!(only("c&a"), Some(Query::parse("a=1&c=3")));
        assert_eq!(only(""), Some(Query::default()));
        assert_eq!(only("a&d"), None);
    }
}
