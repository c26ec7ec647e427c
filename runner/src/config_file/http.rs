//! How the values of the HTTP server's keys are read.

use std::collections::BTreeSet;

use super::{json::Json, limits::TOKEN_CHARACTERS, readers::text};

/// What a token is written with: what RFC 6750 lets stand behind `Bearer`, and nothing that a shell or a URL would take
/// apart.
pub(super) const TOKENS: &str = "^[A-Za-z0-9._~+/=-]*$";
/// A host name.
pub(super) const HOSTS: &str = "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$";
/// A scheme, a host, and a port where it is not the scheme's usual one.
pub(super) const ORIGINS: &str = r"^https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?$";

/// How short a token may be: another one would be guessed.
const SHORTEST_TOKEN: usize = 16;

pub(super) fn token(json: &Json) -> Result<String, String> {
    let expected = format!(
        "a text of {SHORTEST_TOKEN} to {TOKEN_CHARACTERS} letters, digits and -._~+/= (empty: no token)"
    );
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    let passes = |token: &str| {
        token.is_empty()
            || (SHORTEST_TOKEN..=TOKEN_CHARACTERS).contains(&token.len()) && token.chars().all(is_of_token)
    };
    text(json, &expected, passes).map(String::from)
}

/// Reads texts, each by `read`, which lists what is read of it. A variable that is empty has none.
pub(super) fn texts(
    json: &Json,
    read: fn(&str) -> Result<String, String>,
) -> Result<BTreeSet<String>, String> {
    let expected = || format!("an array of {}", read("").err().unwrap_or_default());
    let Json::Array(items) = json else {
        return Err(expected());
    };
    let items = items.iter().map(|item| match item {
        Json::Text(text) => read(text).map_err(|_| expected()),
        _ => Err(expected()),
    });
    items.collect()
}

/// Reads a host's name, which is compared without regard to case.
pub(super) fn host(name: &str) -> Result<String, String> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_bounded = |name: &str| {
        let ends = [name.chars().next(), name.chars().last()];
        ends.into_iter()
            .all(|end| end.is_some_and(|end| end.is_ascii_alphanumeric()))
    };
    if name.len() <= 255 && name.chars().all(is_of_name) && is_bounded(name) {
        Ok(name.to_ascii_lowercase())
    } else {
        Err("host names, such as \"camera.example\"".into())
    }
}

/// Reads an origin as browsers write it.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let parsed = text.parse::<http::Uri>().ok().filter(|uri| {
        let has_scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        // A URI without a path has this one.
        has_scheme && uri.path() == "/" && uri.query().is_none() && !text.ends_with('/')
    });
    match parsed {
        Some(_) if text.len() <= 512 => Ok(text.to_ascii_lowercase()),
        _ => Err("origins, such as \"https://lab.example:8443\"".into()),
    }
}
