//! Streams by multicast, to viewers at the other end of a cable.

use std::process::{Child, Command, Stdio};

use crate::common::{
    gst_launch,
    namespace::{CAMERA, Cabled},
};

/// A viewer's program, killed when dropped.
struct Player(Child);

impl Player {
    fn start(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::null()).spawn().expect("it starts"))
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn cabled() -> Cabled {
    Cabled::start(|command| {
        command
            .env("RTSP_MULTICAST_ADDRESS_RANGE", "239.1.1.7")
            .env("RTSP_MULTICAST_PORT_RANGE", "15000-15003")
            .env("RTSP_MULTICAST_TTL", "3");
    })
}

fn url(cabled: &Cabled) -> String {
    format!("rtsp://{CAMERA}:{}/live", cabled.server().port())
}

fn rtspsrc(cabled: &Cabled, protocols: &str) -> Command {
    let mut command = cabled.at_viewer("gst-launch-1.0");
    command.args(gst_launch::arguments(
        &url(cabled),
        &[&format!("protocols={protocols}")],
    ));
    command
}

#[test]
fn gstreamer_and_ffmpeg_play_by_multicast_and_are_counted_so() {
    let cabled = cabled();
    let log = cabled.server().log();
    let _one = Player::start(&mut rtspsrc(&cabled, "udp-mcast"));
    log.wait_for("a viewer by multicast", |line| {
        line.contains("(multicast) is watching") && line.contains("viewers=1")
    });
    // Another one joins the same group, and one gets packets of its own.
    for protocols in ["udp-mcast", "udp"] {
        gst_launch::play(&mut rtspsrc(&cabled, protocols)).expect(protocols);
    }
    let output = cabled
        .at_viewer("ffmpeg")
        .args(["-nostdin", "-v", "error", "-rtsp_transport", "udp_multicast"])
        .args(["-i", &url(&cabled), "-frames:v", "10", "-f", "null", "-"])
        .output()
        .expect("nsenter and ffmpeg");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    log.wait_for("both", |line| {
        line.contains("(multicast) is watching") && line.contains("viewers=2")
    });
    log.wait_for("one over UDP", |line| line.contains("(UDP) is watching"));
}

/// What SETUP answers is where it goes, and nobody has it go further.
#[test]
fn group_ports_and_ttl_are_the_configurations() {
    let cabled = cabled();
    let script = format!(
        "exec 3<>/dev/tcp/{CAMERA}/{}; printf 'SETUP {}/stream=0 RTSP/1.0\\r\\nCSeq: 1\\r\\nTransport: {}\\r\\n\\r\\n' >&3; \
         while IFS= read -r -t 10 line <&3 && [ \"$line\" != $'\\r' ]; do echo \"$line\"; done",
        cabled.server().port(),
        url(&cabled),
        "RTP/AVP;multicast;destination=239.9.9.9;port=20000-20001;ttl=200"
    );
    let output = cabled
        .at_viewer("bash")
        .args(["-c", &script])
        .output()
        .expect("bash");
    let answer = String::from_utf8_lossy(&output.stdout);
    assert!(answer.starts_with("RTSP/1.0 200 OK"), "{answer}");
    for part in [";destination=239.1.1.7", ";port=1500", ";ttl=3"] {
        assert!(answer.contains(part), "{part}: {answer}");
    }
}
