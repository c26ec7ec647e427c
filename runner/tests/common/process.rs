//! The server as a process of its own.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::Ipv4Addr,
    process::{Child, ChildStderr, Command, Stdio},
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{PATIENCE, STOPPING, holds_within};

/// The server's program as it runs on a bare machine: no configuration file, and none of the tester's own variables.
pub fn command() -> Command {
    bare(Command::new(SERVER))
}

/// As [`command`], started by `program`, which gets what `arguments` makes of the server's program.
pub fn wrapped(program: &str, arguments: impl FnOnce(&str) -> Vec<String>) -> Command {
    let mut command = Command::new(program);
    command.args(arguments(SERVER));
    bare(command)
}

fn bare(mut command: Command) -> Command {
    let variables = std::env::vars_os().map(|(name, _)| name);
    for name in variables.filter(|name| name.to_string_lossy().starts_with("RTSP_")) {
        command.env_remove(name);
    }
    command
        .env_remove("CONFIG_PATH")
        // Its usual port is that of every server.
        .env("RTSP_HTTP", "false")
        .current_dir(env!("CARGO_TARGET_TMPDIR"));
    command
}

const SERVER: &str = env!("CARGO_BIN_EXE_rtsp-clock-server");
fn on_loopback(mut command: Command) -> Command {
    command.env("RTSP_SERVER_IP", Ipv4Addr::LOCALHOST.to_string());
    command
}

/// As [`command`], in the network namespace of that name.
fn command_in(namespace: &str) -> Command {
    let server = command();
    let mut command = Command::new("ip");
    command
        .args(["netns", "exec", namespace])
        .arg(server.get_program())
        .current_dir(server.get_current_dir().expect("it has one"));
    for (name, value) in server.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// A server on any free port of the loopback interface; killed when dropped.
pub struct Process {
    child: Child,
    port: u16,
    log: Log,
    /// Ends with the log.
    reader: Option<JoinHandle<()>>,
}

impl Process {
    /// The defaults and what `configure` adds.
    pub fn start(configure: impl FnOnce(&mut Command)) -> Self {
        Self::start_command(on_loopback(command()), configure)
    }

    /// In the network namespace of that name.
    pub fn start_in(namespace: &str, configure: impl FnOnce(&mut Command)) -> Self {
        Self::start_command(on_loopback(command_in(namespace)), configure)
    }

    /// As [`Process::start`], wherever `command` has it listen.
    pub fn start_command(mut command: Command, configure: impl FnOnce(&mut Command)) -> Self {
        command
            .env("RTSP_SERVER_PORT", "0")
            .env("RTSP_HTTP", "true")
            .env("RTSP_HTTP_PORT", "0")
            .env("RUST_LOG", "info")
            .stderr(Stdio::piped());
        configure(&mut command);
        let mut child = command.spawn().expect("the server starts");
        let (log, reader) = Log::keep(child.stderr.take().expect("its log is piped"));
        let port = log.find_within(PATIENCE, port_in_url);
        let Some(port) = port else {
            end(&mut child);
            panic!("it never says its URL:\n{log}");
        };
        Self {
            child,
            port,
            log,
            reader: Some(reader),
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// All that it has written to stdout, where that is piped and it has ended.
    pub fn printed(&mut self) -> String {
        let mut printed = String::new();
        let stdout = self.child.stdout.as_mut().expect("it is piped");
        stdout.read_to_string(&mut printed).expect("it is text");
        printed
    }

    /// All that it has written to stderr, once it has ended.
    pub fn whole_log(mut self) -> String {
        end(&mut self.child);
        if let Some(reader) = self.reader.take() {
            reader.join().expect("its log is text");
        }
        self.log.to_string()
    }

    /// What it has written to stderr so far.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Sends a signal.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args(["-s", signal, &self.id().to_string()])
            .status()
            .expect("kill is installed");
        assert!(sent.success());
    }

    /// Sends a signal, and answers the exit status.
    pub fn end_by(&mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        let deadline = Instant::now() + STOPPING;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("still running {STOPPING:?} after {signal}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // It may have ended by itself, which is as good.
    let _ = child.kill();
    let _ = child.wait();
}

/// The port of the URL that a line of the log tells, if it tells one.
pub fn port_in_url(line: &str) -> Option<u16> {
    let (_, rest) = line
        .split_once("rtsp://")
        .or_else(|| line.split_once("rtsps://"))?;
    let (authority, _) = rest.split_once('/')?;
    authority.rsplit(':').next()?.parse().ok()
}

/// The lines that a process writes to stderr, as they come.
#[derive(Clone, Default)]
pub struct Log {
    lines: Arc<Mutex<Vec<String>>>,
}

impl Log {
    /// The log, and the thread that fills it.
    fn keep(stderr: ChildStderr) -> (Self, JoinHandle<()>) {
        let log = Self::default();
        let written = log.clone();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                written.lines.lock().push(line);
            }
        });
        (log, reader)
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().clone()
    }

    /// Waits for a line for which `says` holds.
    #[track_caller]
    pub fn wait_for(&self, what: &str, says: impl Fn(&str) -> bool) {
        self.wait_within(PATIENCE, what, says);
    }

    /// For what takes longer than [`PATIENCE`] where it works.
    #[track_caller]
    pub fn wait_within(&self, time: Duration, what: &str, says: impl Fn(&str) -> bool) {
        let found = self.find_within(time, |line| says(line).then_some(()));
        assert!(found.is_some(), "the log never says {what}:\n{self}");
    }

    /// Waits for a line that `read` knows how to read.
    fn find_within<T>(&self, time: Duration, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let mut found = None;
        holds_within(time, || {
            found = self.lines.lock().iter().find_map(|line| read(line));
            found.is_some()
        });
        found
    }
}

impl std::fmt::Display for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.lines.lock().join("\n"))
    }
}
