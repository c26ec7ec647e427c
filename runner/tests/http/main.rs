//! The HTTP server, as a process that is asked from outside.
//!
//! | module | what |
//! | --- | --- |
//! | [`reading`] | what it tells |
//! | [`changing`] | what it changes |
//! | [`staying`] | what a change leaves as it was |
//! | [`saving`] | what it writes into its file |
//! | [`happening`] | what it tells while it happens |
//! | [`described`] | what it says of itself |
//! | [`generated`] | what it answers to whatever is sent |
//! | [`examples`] | what scripts do with it |
//! | [`by_curl`] | what curl does with it, line by line of the documentation |
//! | [`hostile`] | what it bears |
//! | [`playing`] | who plays a stream meanwhile |
//! | [`access`] | who may do what |
//! | [`browsing`] | what browsers need |
//! | [`ctl`] | how a shell sees and steers it |
//! | [`metrics`] | what a monitoring system reads |
//! | [`pictures`] | what is seen without playing it |

mod access;
mod browsing;
mod by_curl;
mod changing;
#[path = "../common/mod.rs"]
mod common;
mod ctl;
mod described;
mod examples;
mod generated;
mod happening;
mod hostile;
mod metrics;
mod pictures;
mod playing;
mod reading;
mod saving;
mod staying;

use std::{
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::Value;
use ureq::{
    Agent,
    http::{HeaderMap, Request, Response},
};

use common::process::Process;

/// A server with this file, and the way to ask it.
struct Server {
    process: Process,
    file: PathBuf,
    origin: String,
    agent: Agent,
}

/// What came back: the status, and the body, read where it is JSON.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
    body: Value,
}

impl Server {
    /// On free ports of loopback.
    #[track_caller]
    fn start(file: &Value) -> Self {
        Self::start_with(file, |_| {})
    }

    #[track_caller]
    fn start_with(file: &Value, configure: impl FnOnce(&mut Command)) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("http-{}-{number}.json", std::process::id());
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, file.to_string()).expect("a writable folder");
        let process = Process::start(|command| {
            command.arg("--config").arg(&path);
            configure(command);
        });
        let mut origin = None;
        common::wait_until("it says where it answers", || {
            let lines = process.log().lines();
            origin = lines.iter().find_map(|line| {
                let (_, url) = line.split_once("http: ")?;
                url.strip_suffix('/').map(String::from)
            });
            origin.is_some()
        });
        let agent = Agent::config_builder().http_status_as_error(false).build();
        Self {
            process,
            file: path,
            origin: origin.expect("it says so"),
            agent: agent.into(),
        }
    }

    #[track_caller]
    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], None)
    }

    /// What is there, where it is.
    #[track_caller]
    fn read(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }

    #[track_caller]
    fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.ask(
            method,
            path,
            &[("Content-Type", "application/json")],
            Some(&body.to_string()),
        )
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.origin));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = match body {
            Some(body) => self.agent.run(request.body(body.to_owned()).expect("a request")),
            // Where there is nothing, an end of nothing would follow, which may come too late for the connection.
            None if method == "POST" => self.agent.run(request.body("").expect("a request")),
            None => self.agent.run(request.body(()).expect("a request")),
        };
        Answer::of(answer.unwrap_or_else(|error| panic!("{method} {path}: {error}")))
    }

    /// The ids of the streams.
    #[track_caller]
    fn ids(&self) -> Vec<String> {
        let streams = self.read("/api/v1/streams");
        let items = streams["items"].as_array().expect("a list").iter();
        items
            .map(|stream| stream["id"].as_str().expect("an id").to_owned())
            .collect()
    }
}

impl Answer {
    fn of(mut response: Response<ureq::Body>) -> Self {
        let bytes = response.body_mut().read_to_vec().expect("a whole body");
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}
