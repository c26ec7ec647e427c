//! config.json and the environment: what they mean, and what is said about each mistake.
//!
//! | module | what |
//! | --- | --- |
//! | [`examples`] | what is in `examples/` is read, and plays |
//! | [`fuzz`] | the rules, against what chance makes |
//! | [`keys`] | each key by itself |
//! | [`large`] | files that are none, or far too long |
//! | [`machine`] | what depends on the machine |
//! | [`mistakes`] | how mistakes are told |
//! | [`parsed`] | what the others share: a configuration that is in no file |
//! | [`picture`] | the keys of the picture |
//! | [`queries`] | paths with a query |
//! | [`schema`] | the JSON Schema |
//! | [`streams`] | several cameras |
//! | [`transports`] | the keys of transports and TLS |
//! | [`users`] | the keys of who may log in |
//! | [`variables`] | the environment |

#[path = "../common/mod.rs"]
mod common;
mod examples;
mod fuzz;
mod keys;
mod large;
mod machine;
mod mistakes;
mod page;
mod parsed;
mod picture;
mod queries;
mod rows;
mod schema;
mod streams;
mod transports;
mod users;
mod variables;

use std::path::PathBuf;

use rtsp_clock_server::config::Config;

use rtsp_clock_server::config_file::{Error, Loaded, load};
use serde_json::{Value, json};

/// A file in a directory of its own, which goes with it.
struct File(PathBuf);

impl File {
    fn new(content: impl AsRef<[u8]>) -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{number}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("c.json");
        std::fs::write(&path, content).unwrap();
        Self(path)
    }

    fn load(&self, variables: &[(&str, &str)]) -> Result<Loaded, Error> {
        load(Some(&self.0), &variables.iter().copied().collect())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
    }
}

#[track_caller]
fn read(content: &str) -> Config {
    read_with(content, &[])
}

#[track_caller]
fn read_with(content: &str, variables: &[(&str, &str)]) -> Config {
    match File::new(content).load(variables) {
        Ok(loaded) => loaded.config,
        Err(error) => panic!("{content} with {variables:?}: {error}"),
    }
}

/// The mistakes, without the file's path.
#[track_caller]
fn mistakes(content: impl AsRef<[u8]>, variables: &[(&str, &str)]) -> Vec<String> {
    let file = File::new(content);
    match file.load(variables) {
        Err(Error::Mistakes(mistakes)) => {
            let path = format!("{}: ", file.0.display());
            mistakes
                .iter()
                .map(|mistake| mistake.to_string().replace(&path, ""))
                .collect()
        }
        other => panic!("no mistakes but {other:?}"),
    }
}

#[track_caller]
fn mistake(content: &str) -> String {
    let mut all = mistakes(content, &[]);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// A file with nothing but this key, in the object of its section.
fn file_with(key: &str, value: &Value) -> Value {
    match key.split_once('.') {
        Some((section, name)) => json!({ section: { name: value } }),
        None => json!({ key: value }),
    }
}

/// What is said about one key's value, save for the key itself.
#[track_caller]
fn refusal(key: &str, value: &Value) -> String {
    let mistake = mistake(&file_with(key, value).to_string());
    mistake
        .strip_prefix(&format!("{key}: "))
        .unwrap_or_else(|| panic!("{mistake}"))
        .to_owned()
}
