//! The files that a configuration names, whether they are there or not: a container has to be shown them.

use std::collections::BTreeSet;

use super::{
    Environment,
    form::Form,
    json::Json,
    key::Key,
    keys::{STREAMS, keys},
};

/// The paths, as they stand in the file and in the environment. A variable overrides what the file says, and yet all
/// count: the server looks at the file's as well. Mistakes are left for the server to report, and so is a path that
/// does not fit on a line.
pub(super) fn named(file: &[u8], environment: &Environment) -> BTreeSet<String> {
    let file = Json::parse(file).unwrap_or(Json::Null);
    let streams = values(&file, STREAMS).flat_map(items);
    let in_file = std::iter::once(&file).chain(streams).flat_map(of_object);
    let variables = of_files().filter_map(|key| environment.get(key.variable?)?.to_str());
    in_file
        .chain(variables)
        .filter(|path| !path.is_empty() && !path.contains(['\n', '\0']))
        .map(String::from)
        .collect()
}

/// The keys whose values are paths.
fn of_files() -> impl Iterator<Item = &'static Key> {
    keys().filter(|key| matches!(key.form, Form::File))
}

fn of_object(object: &Json) -> impl Iterator<Item = &str> {
    of_files()
        .flat_map(|key| values(object, key.name))
        .filter_map(|value| match value {
            Json::Text(path) => Some(path.as_str()),
            _ => None,
        })
}

/// The values of the key: none, or one, or several where the key is repeated.
fn values<'a>(object: &'a Json, key: &'static str) -> impl Iterator<Item = &'a Json> {
    let entries = match object {
        Json::Object(entries) => entries.as_slice(),
        _ => &[],
    };
    let has_name = move |(name, _): &&(String, Json)| name == key;
    entries.iter().filter(has_name).map(|(_, value)| value)
}

fn items(array: &Json) -> &[Json] {
    match array {
        Json::Array(items) => items,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    fn named(file: &str, variables: &[(&str, &str)]) -> Vec<String> {
        let environment = variables.iter().copied().collect();
        super::named(file.as_bytes(), &environment).into_iter().collect()
    }

    #[test]
    fn finds_them_beside_streams_and_within() {
        let file = r#"{
            "tlsCertificate": "tls/certificate.pem",
            "tlsPrivateKey": "/etc/key.pem",
            "label": "label.png",
            "streams": [{ "logo": "b.png" }, { "logo": "c, \"d\".png", "count": 3 }, { "logo": "b.png" }]
        }"#;
        let files = ["/etc/key.pem", "b.png", "c, \"d\".png", "tls/certificate.pem"];
        assert_eq!(named(file, &[]), files);
    }

    #[test]
    fn finds_them_in_the_environment_beside_those_that_it_overrides() {
        let variables = [
            ("RTSP_LOGO", "over.png"),
            ("RTSP_TLS_CERTIFICATE", "certificate.pem"),
            ("RTSP_TLS_PRIVATE_KEY", "key.pem"),
            ("RTSP_LABEL", "label.png"),
        ];
        let files = ["certificate.pem", "key.pem", "over.png", "under.png"];
        assert_eq!(named(r#"{"logo": "under.png"}"#, &variables), files);
    }

    #[test]
    fn mistakes_elsewhere_hide_none() {
        let file = r#"{"serverPort": "no", "unknown": 1, "logo": "a.png", "logo": "b.png", "streams": [7, {"logo": "c.png"}]}"#;
        assert_eq!(named(file, &[]), ["a.png", "b.png", "c.png"]);
        assert_eq!(named(r#"{"logo": "a.png", "streams": {}}"#, &[]), ["a.png"]);
    }

    #[test]
    fn finds_none_in_what_is_no_configuration() {
        let none: [&str; 0] = [];
        for file in [
            "",
            "{",
            "[]",
            "7",
            r#"{"logo": "a.png""#,
            r#"{"logo": 7, "streams": [[]]}"#,
        ] {
            assert_eq!(named(file, &[]), none, "{file}");
        }
        assert_eq!(named("{", &[("RTSP_LOGO", "a.png")]), ["a.png"]);
    }

    #[test]
    fn an_empty_path_is_none_and_one_of_two_lines_is_left_out() {
        let none: [&str; 0] = [];
        let file = r#"{"logo": "", "tlsCertificate": "a\n/etc/passwd", "tlsPrivateKey": "a\u0000"}"#;
        assert_eq!(named(file, &[("RTSP_LOGO", "")]), none);
    }
}
