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

/// The server at its end of the cable.
pub struct Cabled(Process);

impl Cabled {
    /// Whether this machine gives anybody namespaces, and has what makes cables.
    pub fn can_be_had() -> bool {
        let attempt = Command::new("unshare")
            .args(["--map-root-user", "--net", "--mount", "ip", "link"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        attempt.is_ok_and(|status| status.success())
    }

    /// The defaults and what `configure` adds, at [`CAMERA`].
    pub fn start(configure: impl FnOnce(&mut Command)) -> Self {
        let mut command = process::wrapped("unshare", |server| {
            ["--map-root-user", "--net", "--mount", "sh", "-c", SET_UP]
                .map(str::to_owned)
                .into_iter()
                .chain([server.to_owned()])
                .collect()
        });
        command.env("RTSP_SERVER_IP", CAMERA);
        Self(Process::start_command(command, configure))
    }

    pub fn server(&self) -> &Process {
        &self.0
    }

    /// Runs `program` at the other end.
    pub fn at_viewer(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.0.id().to_string()])
            .args(["--user", "--preserve-credentials", "--net", "--mount"])
            .args(["ip", "netns", "exec", "viewer", program]);
        command
    }
}
