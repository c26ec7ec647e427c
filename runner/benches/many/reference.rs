//! What the server is held against: gst-rtsp-server with a `videotestsrc` and a `clockoverlay` in each mount, and the same
//! encoder. It runs in a process of its own: this program itself, started with [`MODE`].

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, ExitCode, Stdio};

use gst::glib;
use gst_rtsp_server::prelude::*;
use gst_rtsp_server::{RTSPMediaFactory, RTSPServer};

/// The first argument that makes this program the reference; the pipeline and the number of mounts follow.
pub(crate) const MODE: &str = "reference-server";

/// The server's process; killed when dropped.
pub(crate) struct Reference {
    child: Child,
    port: u16,
}

impl Reference {
    /// `count` mounts at `/1` and so on, each with a pipeline like `line` of its own.
    pub(crate) fn start(line: &str, count: usize) -> Self {
        let program = std::env::current_exe().expect("a bench has a path");
        let mut child = Command::new(program)
            .args([MODE, line, &count.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the reference starts");
        let mut port = String::new();
        let stdout = child.stdout.take().expect("its output is piped");
        BufReader::new(stdout)
            .read_line(&mut port)
            .expect("it says its port");
        Self {
            port: port.trim().parse().expect("a port"),
            child,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until it is killed.
pub(crate) fn serve(arguments: &[String]) -> ExitCode {
    let [line, count] = arguments else {
        eprintln!("{MODE} takes a pipeline and a number of mounts");
        return ExitCode::FAILURE;
    };
    let count: usize = count.parse().expect("a number of mounts");
    gst::init().expect("GStreamer starts");
    let server = RTSPServer::new();
    server.set_address("127.0.0.1");
    server.set_service("0");
    let mounts = server.mount_points().expect("a server has mounts");
    for number in 1..=count {
        let factory = RTSPMediaFactory::new();
        factory.set_launch(line);
        factory.set_shared(true);
        mounts.add_factory(&format!("/{number}"), factory);
    }
    let _source = server.attach(None).expect("it listens");
    println!("{}", server.bound_port());
    std::io::stdout().flush().expect("the port can be told");
    glib::MainLoop::new(None, false).run();
    ExitCode::SUCCESS
}
