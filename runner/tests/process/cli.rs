//! The command, as a shell sees it: what it prints where, and how it exits.

mod check;
mod healthcheck;
mod print;
mod start;

use std::path::PathBuf;
use std::process::{Command, Output};

/// A run of the command in an empty directory of its own, and with no variables but those given.
struct Run {
    directory: PathBuf,
    command: Command,
}

impl Run {
    fn new(arguments: &[&str]) -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_rtsp-clock-server"));
        command.args(arguments).current_dir(&directory).env_clear();
        Self { directory, command }
    }

    fn file(self, name: &str, content: &str) -> Self {
        std::fs::write(self.directory.join(name), content).unwrap();
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Exit status, stdout and stderr.
    fn end(mut self) -> (i32, String, String) {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }

    /// The exit status where nobody reads what it prints and says.
    fn unread(mut self) -> i32 {
        let unread = || {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            writer
        };
        let process = self.command.stdout(unread()).stderr(unread()).status();
        process.unwrap().code().unwrap()
    }

    /// What a run that goes well prints.
    #[track_caller]
    fn prints(self) -> String {
        let (status, stdout, stderr) = self.end();
        assert_eq!(status, 0, "{stderr}");
        stdout
    }

    /// What a run that goes wrong says after the log's lines.
    #[track_caller]
    fn fails(self) -> String {
        let (status, stdout, stderr) = self.end();
        assert_eq!((status, stdout.as_str()), (1, ""), "{stderr}");
        let start = stderr
            .find("rtsp-clock-server: ")
            .unwrap_or_else(|| panic!("{stderr}"));
        stderr[start..].into()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    let help = Run::new(&["--help"]).prints();
    for option in [
        "--config",
        "--check",
        "--print-launch",
        "--print-schema",
        "--print-docker-flags",
        "--print-files",
        "--healthcheck",
    ] {
        assert!(help.contains(option), "{help}");
    }
    let version = Run::new(&["--version"]).prints();
    assert!(
        version.starts_with(concat!("rtsp-clock-server ", env!("CARGO_PKG_VERSION"), " (")),
        "{version}"
    );
}

#[test]
fn whoever_stops_reading_does_not_end_it() {
    for action in [
        "--help",
        "-h",
        "--version",
        "--check",
        "--print-launch",
        "--print-launch=gst-launch",
        "--print-schema",
        "--print-files",
    ] {
        assert_eq!(Run::new(&[action]).unread(), 0, "{action}");
    }
    let flags = Run::new(&["--print-docker-flags"]).variable("RTSP_SERVER_PORT", "8554");
    assert_eq!(flags.unread(), 0);
    for mistake in ["--chek", "--healthcheck"] {
        let run = Run::new(&[mistake]).variable("RTSP_SERVER_PORT", "1");
        assert_eq!(run.unread(), 1, "{mistake}");
    }
}

#[test]
fn a_wrong_command_line_is_an_error_with_status_1() {
    let said = Run::new(&["--chek"]).fails();
    assert!(
        said.starts_with("rtsp-clock-server: error: unexpected argument '--chek' found"),
        "{said}"
    );
    let said = Run::new(&["--check", "--print-schema"]).fails();
    assert!(
        said.starts_with("rtsp-clock-server: error: the argument '--check' cannot be used with"),
        "{said}"
    );
}

#[test]
fn a_wrong_log_level_is_an_error() {
    let said = Run::new(&["--check"]).variable("RUST_LOG", "a=b=c").fails();
    assert!(
        said.starts_with("rtsp-clock-server: error: RUST_LOG cannot be used: "),
        "{said}"
    );
}
