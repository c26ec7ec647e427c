//! A configuration that is in no file: what it means, and what is said about it.

use rtsp_clock_server::{
    config::Config,
    config_file::{Error, Loaded, Source, parse},
};
use serde_json::Value;

pub(crate) fn load(file: &Value, variables: &[(&str, &str)]) -> Result<Loaded, Error> {
    let environment = variables.iter().copied().collect();
    parse(
        Source::Named("c.json".into()),
        Some(file.to_string().as_bytes()),
        &environment,
    )
}

#[track_caller]
pub(crate) fn read(file: &Value) -> Config {
    load(file, &[])
        .unwrap_or_else(|error| panic!("{file}: {error}"))
        .config
}

/// The mistakes, without the file's name.
#[track_caller]
pub(crate) fn mistakes(file: &Value, variables: &[(&str, &str)]) -> Vec<String> {
    match load(file, variables) {
        Err(Error::Mistakes(mistakes)) => mistakes
            .iter()
            .map(|mistake| mistake.to_string().replace("c.json: ", ""))
            .collect(),
        other => panic!("no mistakes but {other:?}"),
    }
}

#[track_caller]
pub(crate) fn mistake(file: &Value) -> String {
    let mut all = mistakes(file, &[]);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}
