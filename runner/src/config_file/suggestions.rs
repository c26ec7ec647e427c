//! Which name somebody meant who wrote a wrong one.

use super::{
    json::Json,
    key::Key,
    keys::{keys, of_section},
};

/// The problem of a key that does not exist.
pub(super) fn unknown_key(name: &str) -> String {
    if let Some(key) = closest_key(name) {
        return format!("unknown key, did you mean {}?", key.name);
    }
    let own = keys().filter(|key| key.section().is_none());
    let names: Vec<&str> = own.map(|key| key.name).collect();
    format!("unknown key, expected one of {}", names.join(", "))
}

/// What is shown of the values of a key that does not exist: no more than their kind where that of a secret may be meant.
pub(super) fn unknown_value(name: &str, values: &[&Json]) -> Option<String> {
    let words = ["password", "token", "secret"];
    let is_secret = closest_key(name).is_some_and(|key| key.secret);
    let may_be_secret = is_secret || words.iter().any(|word| normal(name).contains(word));
    shown(values, may_be_secret)
}

/// What is shown of the values of a key that may not stand where it does.
pub(super) fn known_value(key: &Key, values: &[&Json]) -> Option<String> {
    shown(values, key.secret)
}

fn shown(values: &[&Json], is_secret: bool) -> Option<String> {
    let [value] = values else { return None };
    Some(if is_secret {
        value.kind().to_owned()
    } else {
        value.to_string()
    })
}

/// The problem of a key that does not exist in the object of the key `section`.
pub(super) fn unknown_key_of(section: &str, name: &str) -> String {
    let names: Vec<&str> = of_section(section).map(Key::own_name).collect();
    let meant = names
        .iter()
        .filter_map(|known| Some((distance(&normal(name), &normal(known))?, known)))
        .min();
    match meant {
        Some((_, meant)) if name.len() <= LONGEST_NAME => {
            format!("unknown key of {section}, did you mean {meant}?")
        }
        _ => format!("unknown key of {section}, expected one of {}", names.join(", ")),
    }
}

/// The warning of a variable that looks like ours and is none. It may be another program's, so that it is no mistake.
pub(super) fn unknown_variable(name: &str) -> Option<String> {
    let known = |key: &Key| key.variable == Some(name) || key.default_variable == Some(name);
    if !name.starts_with(VARIABLE_PREFIX) || name == PASSWORD_VARIABLE || keys().any(known) {
        return None;
    }
    let meant = closest_key(name)?.variable?;
    Some(format!(
        "the variable {name} has no meaning here, did you mean {meant}?"
    ))
}

const VARIABLE_PREFIX: &str = "RTSP_";
/// The variable with the password by which `ctl` logs in. The server has no use for it.
pub(crate) const PASSWORD_VARIABLE: &str = "RTSP_HTTP_PASSWORD";
/// The longest name, in bytes, that may be a key's, misspelt.
const LONGEST_NAME: usize = 60;

/// The key that somebody may have meant by this name of a key or variable.
fn closest_key(name: &str) -> Option<&'static Key> {
    // A text that is longer than any name was not meant for one, and would take long to be compared with all of them.
    let name = normal(Some(name).filter(|name| name.len() <= LONGEST_NAME)?);
    let apart = |key: &Key| {
        std::iter::once(key.name)
            .chain(key.variable)
            .filter_map(|other| distance(&name, &normal(other)))
            .min()
    };
    // `port` stands for the first key with that word, and not for the one whose name is shortest.
    let named_so = |key: &&Key| key.older_name_of.is_none() && has_word(key.name, &name);
    keys().find(named_so).or_else(|| {
        keys()
            .filter_map(|key| Some((apart(key)?, key)))
            .min_by_key(|(apart, _)| *apart)
            .map(|(_, key)| key)
    })
}

/// Whether a key in camelCase has `word` among its words.
fn has_word(key: &str, word: &str) -> bool {
    let starts: Vec<usize> = key
        .char_indices()
        .filter_map(|(at, c)| (at == 0 || c.is_ascii_uppercase()).then_some(at))
        .collect();
    let ends = starts.iter().skip(1).copied().chain([key.len()]);
    starts
        .iter()
        .zip(ends)
        .any(|(start, end)| key[*start..end].eq_ignore_ascii_case(word))
}

/// `RTSP_FPS` and `fps` are the same word to somebody in search of a key.
fn normal(name: &str) -> String {
    let name = name.strip_prefix(VARIABLE_PREFIX).unwrap_or(name);
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// How many letters two words differ by, unless those are too many for one to have been meant by the other.
fn distance(name: &str, other: &str) -> Option<usize> {
    const SHORTEST_PART: usize = 3;
    let letters = strsim::damerau_levenshtein(name, other);
    let contained = name.len() >= SHORTEST_PART && (other.contains(name) || name.contains(other));
    (contained || letters <= other.len() / 3).then_some(letters)
}
