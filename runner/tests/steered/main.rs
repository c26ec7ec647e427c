//! A server that is seen and steered while it runs: what it tells of itself, and what a change of each key takes.
//!
//! | module | what |
//! | --- | --- |
//! | [`changes`] | another configuration, key by key: who loses what |
//! | [`effects`] | what it does to those who play, and to those who are about to |
//! | [`events`] | what is told while viewers come and go |
//! | [`orders`] | what it is asked to do, and what it answers |
//! | [`roster`] | the streams that are served, read while they change |

mod changes;
#[path = "../common/mod.rs"]
mod common;
mod effects;
mod events;
mod orders;
mod roster;

use rtsp_clock_server::{
    config::Config,
    config_file::{self, Environment},
};
use serde_json::Value;

/// What the file says, on a free port of loopback unless it says where.
#[track_caller]
fn read(file: &Value) -> Config {
    let mut file = file.clone();
    for (key, value) in [("serverIPAddress", "127.0.0.1".into()), ("serverPort", 0.into())] {
        if file.get(key).is_none() {
            file[key] = value;
        }
    }
    let source = config_file::Source::Named("test.json".into());
    let loaded = config_file::parse(source, Some(file.to_string().as_bytes()), &Environment::default());
    loaded.unwrap_or_else(|error| panic!("{error}")).config
}

/// `name:password` for Basic.
fn basic(name: &str, password: &str) -> String {
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
    format!("Basic {pair}")
}
