//! The server and a viewer on two machines with a cable between: two network namespaces. On one machine no viewer gets
//! multicast from the server: the server has the port to itself, and its packets are not handed back.

use std::process::{Command, Stdio};

use super::process::{self, Process};

/// Where the server is.
pub const CAMERA: &str = "10.99.0.1";

/// Both namespaces, and whatever mounts and addresses they have, go with the server.
const SET_UP: &str = "
set -eu
mount -t tmpfs none /run
ip link set lo up
ip netns add viewer
ip link add camera type veth peer name viewer netns viewer
ip address add 10.99.0.1/24 dev camera
ip link set camera up
ip -n viewer address add 10.99.0.2/24 dev viewer
ip -n viewer link set viewer up
ip -n viewer route add 224.0.0.0/4 dev viewer
exec \"$0\" \"$@\"
";

/// Whether `ip` can do its part: it mounts a /sys of the namespace's own, and the kernel has to have cables.
const TRIAL: &str = "mount -t tmpfs none /run && ip netns add trial && ip netns exec trial true \
    && ip link add trial0 type veth peer name trial1 netns trial";

/// How unshare makes namespaces, and nsenter comes into them, where the tester is root, and where a user namespace makes
/// them so. No root of such a one mounts a /sys where the system's own is read-only, as in a container.
const WAYS: [Way; 2] = [
    Way {
        make: &[],
        enter: &[],
    },
    Way {
        make: &["--map-root-user"],
        enter: &["--user", "--preserve-credentials"],
    },
];

#[derive(Clone, Copy)]
struct Way {
    make: &'static [&'static str],
    enter: &'static [&'static str],
}

impl Way {
    /// The first one that this machine allows.
    fn find() -> Option<Self> {
        WAYS.into_iter().find(|way| {
            let mut attempt = Command::new("unshare");
            attempt
                .args(way.make)
                .args(["--net", "--mount", "sh", "-c", TRIAL])
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            attempt.status().is_ok_and(|status| status.success())
        })
    }
}

/// The server at its end of the cable.
pub struct Cabled {
    process: Process,
    way: Way,
}

impl Cabled {
    /// Whether this machine gives anybody namespaces, and has what makes cables.
    pub fn can_be_had() -> bool {
        Way::find().is_some()
    }

    /// The defaults and what `configure` adds, at [`CAMERA`].
    pub fn start(configure: impl FnOnce(&mut Command)) -> Self {
        let way = Way::find().expect("namespaces can be had");
        let mut command = process::wrapped("unshare", |server| {
            let words = ["--net", "--mount", "sh", "-c", SET_UP, server];
            way.make
                .iter()
                .chain(&words)
                .map(|&word| word.to_owned())
                .collect()
        });
        command.env("RTSP_SERVER_IP", CAMERA);
        Self {
            process: Process::start_command(command, configure),
            way,
        }
    }

    pub fn server(&self) -> &Process {
        &self.process
    }

    /// Runs `program` at the other end.
    pub fn at_viewer(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.process.id().to_string()])
            .args(self.way.enter)
            .args(["--net", "--mount"])
            .args(["ip", "netns", "exec", "viewer", program]);
        command
    }
}
