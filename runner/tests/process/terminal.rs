//! The server in a terminal that closes.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::common::{RtspClient, answers, process::port_in_url, wait_until};

/// An address at which no other test takes a port that has become free.
const ORPHANS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 82);

/// A server that was started in a terminal which is closed by now.
struct Orphan {
    folder: PathBuf,
    port: u16,
}

impl Orphan {
    fn start(name: &str, by: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // The log of an earlier run would tell of a server that is not there.
        let _absent = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a writable folder");
        let program = env!("CARGO_BIN_EXE_rtsp-clock-server");
        // Where the tests themselves run by nohup, the signal is ignored from there on down.
        let line = format!("echo $$ >id; exec env --default-signal=HUP {by} '{program}' 2>log");
        let mut terminal = Command::new("script")
            .args(["-q", "-c", &line, "/dev/null"])
            .envs([
                ("RTSP_SERVER_IP", ORPHANS.to_string().as_str()),
                ("RTSP_SERVER_PORT", "0"),
                ("RTSP_HTTP_PORT", "0"),
            ])
            .env_remove("CONFIG_PATH")
            .env_remove("RUST_LOG")
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("script is installed");
        let mut orphan = Self { folder, port: 0 };
        wait_until("the server runs", || {
            let port = orphan.log().lines().find_map(port_in_url);
            orphan.port = port.unwrap_or_default();
            port.is_some()
        });
        terminal.kill().expect("it runs");
        terminal.wait().expect("it ends");
        orphan
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Orphan {
    fn drop(&mut self) {
        let id = std::fs::read_to_string(self.folder.join("id"));
        if answers(ORPHANS, self.port)
            && let Ok(id) = id
        {
            let _ended = Command::new("kill").arg(id.trim()).status();
        }
    }
}

#[test]
fn a_terminal_that_closes_ends_the_server() {
    let orphan = Orphan::start("terminal", "");
    wait_until("the server has ended", || orphan.log().contains("stopping"));
    wait_until("nobody listens", || !answers(ORPHANS, orphan.port));
}

#[test]
fn by_nohup_it_outlives_its_terminal() {
    let orphan = Orphan::start("nohup", "nohup");
    wait_until("the terminal's SIGHUP has come", || {
        orphan.log().contains("read again, nothing differs")
    });
    RtspClient::connect_at(ORPHANS, orphan.port, "/live")
        .watching()
        .next_rtp();
}
