//! The stream as the world's clients play it: GStreamer, ffmpeg and retina.

mod common;

use std::{
    net::UdpSocket,
    process::{Child, Command, Stdio},
};

use common::{PATIENCE, config, login, start, url, wait_for_viewers, wait_until};
use futures::StreamExt;
use gst::prelude::*;
use rtsp_clock_server::{
    config::{Config, PortRange, VideoCodec},
    server::Server,
};

/// Frames enough to see that it plays.
const FRAMES: u32 = 10;

const CODECS: [VideoCodec; 2] = [VideoCodec::H264, VideoCodec::Mjpeg];

fn camera_with_login(codec: VideoCodec) -> Config {
    let mut config = config();
    config.login = Some(login());
    config.streams[0].codec = codec;
    config
}

/// A playing pipeline that counts its frames; stops when dropped.
struct Player {
    pipeline: gst::Element,
}

impl Player {
    /// Plays `location` with rtspsrc, `properties` set.
    fn new(location: &str, properties: &str) -> Self {
        gst::init().expect("GStreamer");
        let launch = format!(
            "rtspsrc location={location} latency=0 {properties} ! rtph264depay ! avdec_h264 ! fakesink name=sink sync=false"
        );
        let pipeline = gst::parse::launch(&launch).expect("a valid pipeline");
        pipeline.set_state(gst::State::Playing).expect("it plays");
        Self { pipeline }
    }

    fn frames(&self) -> u64 {
        let sink = self
            .pipeline
            .downcast_ref::<gst::Bin>()
            .and_then(|bin| bin.by_name("sink"));
        let stats = sink.expect("the sink").property::<gst::Structure>("stats");
        stats.get("rendered").expect("a count")
    }

    #[track_caller]
    fn wait_for_frames(&self) {
        wait_until("frames come", || self.frames() > u64::from(FRAMES));
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _stopped = self.pipeline.set_state(gst::State::Null);
    }
}

#[test]
fn rtspsrc_plays_over_tcp_udp_and_an_http_tunnel() {
    let server = start(&config());
    let tcp = Player::new(&url(&server), "protocols=tcp");
    let udp = Player::new(&url(&server), "protocols=udp");
    let tunnel = Player::new(&url(&server).replace("rtsp:", "rtsph:"), "");
    for player in [&tcp, &udp, &tunnel] {
        player.wait_for_frames();
    }
    wait_for_viewers(&server, 3);
    drop(tunnel);
    wait_for_viewers(&server, 2);
    drop(udp);
    wait_for_viewers(&server, 1);
}

fn ffmpeg(url: &str, transport: &str) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-rtsp_transport", transport, "-i", url]);
    command.args(["-frames:v", &FRAMES.to_string(), "-f", "null", "-"]);
    command.stdout(Stdio::null());
    command
}

fn with_credentials(url: &str, credentials: &str) -> String {
    url.replace("rtsp://", &format!("rtsp://{credentials}@"))
}

#[test]
fn ffmpeg_plays_every_codec_over_tcp_and_udp_and_logs_in() {
    for codec in VideoCodec::ALL {
        let server = start(&camera_with_login(codec));
        for transport in ["tcp", "udp"] {
            let output = ffmpeg(&with_credentials(&url(&server), "user:s3cret"), transport)
                .output()
                .expect("ffmpeg");
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{codec} over {transport}: {errors}");
            // What comes without its key frame is an error to a decoder. Over UDP a packet may be lost besides.
            assert!(transport == "udp" || errors.is_empty(), "{codec}: {errors}");
        }
        wait_for_viewers(&server, 0);
    }
}

#[test]
fn ffmpeg_with_a_wrong_password_is_told_so() {
    let server = start(&camera_with_login(VideoCodec::H264));
    let refused = ffmpeg(&with_credentials(&url(&server), "user:wrong"), "tcp")
        .output()
        .expect("ffmpeg");
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && errors.contains("401"), "{errors}");
}

/// A process that is killed when dropped.
struct Killed(Child);

impl Killed {
    fn kill(&mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it ends");
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _ended = self.0.wait();
    }
}

#[test]
fn a_killed_viewer_has_left() {
    let server = start(&config());
    for transport in ["tcp", "udp"] {
        let mut command = Command::new("ffmpeg");
        command.args([
            "-nostdin",
            "-v",
            "quiet",
            "-rtsp_transport",
            transport,
            "-i",
            &url(&server),
            "-f",
            "null",
            "-",
        ]);
        let mut viewer = Killed(command.spawn().expect("ffmpeg"));
        wait_for_viewers(&server, 1);
        viewer.kill();
        wait_for_viewers(&server, 0);
    }
}

#[test]
fn rtp_comes_from_the_ports_configured() {
    let ports = two_free_ports();
    let server = start(&Config {
        rtp_ports: Some(ports),
        ..config()
    });
    let player = Player::new(&url(&server), "protocols=udp");
    player.wait_for_frames();
    // The range is in use now: a socket of our own cannot have its ports.
    assert!(
        UdpSocket::bind(("0.0.0.0", ports.first)).is_err(),
        "{ports:?} are not used"
    );
    assert!(
        UdpSocket::bind(("0.0.0.0", ports.last)).is_err(),
        "{ports:?} are not used"
    );
}

/// An even port that is free, and the next one.
fn two_free_ports() -> PortRange {
    loop {
        let socket = UdpSocket::bind(("0.0.0.0", 0)).expect("a free port");
        let first = socket.local_addr().expect("its address").port() & !1;
        drop(socket);
        if UdpSocket::bind(("0.0.0.0", first)).is_ok() && UdpSocket::bind(("0.0.0.0", first + 1)).is_ok() {
            return PortRange {
                first,
                last: first + 1,
            };
        }
    }
}

/// Plays with retina, and answers how many frames came.
fn play_with_retina(
    server: &Server,
    transport: retina::client::Transport,
    credentials: Option<(&str, &str)>,
) -> usize {
    let url = url::Url::parse(&url(server)).expect("a URL");
    let credentials = credentials.map(|(username, password)| retina::client::Credentials {
        username: username.into(),
        password: password.into(),
    });
    let play = async {
        let options = retina::client::SessionOptions::default().creds(credentials);
        let mut session = retina::client::Session::describe(url, options).await?;
        session
            .setup(0, retina::client::SetupOptions::default().transport(transport))
            .await?;
        let mut frames = session
            .play(retina::client::PlayOptions::default())
            .await?
            .demuxed()?;
        let mut count = 0;
        while count < FRAMES as usize {
            match frames.next().await {
                Some(Ok(retina::codec::CodecItem::VideoFrame(_))) => count += 1,
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => break,
            }
        }
        Ok::<_, retina::Error>(count)
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime
        .block_on(async { tokio::time::timeout(PATIENCE, play).await })
        .expect("in time")
        .expect("it plays")
}

#[test]
fn retina_plays_both_codecs_over_tcp_and_udp_and_logs_in() {
    for codec in CODECS {
        let server = start(&camera_with_login(codec));
        for transport in [
            retina::client::Transport::Tcp(retina::client::TcpTransportOptions::default()),
            retina::client::Transport::Udp(retina::client::UdpTransportOptions::default()),
        ] {
            let frames = play_with_retina(&server, transport.clone(), Some(("user", "s3cret")));
            assert_eq!(frames, FRAMES as usize, "{codec} over {transport}");
        }
        // retina leaves without TEARDOWN over TCP, and with it over UDP.
        wait_for_viewers(&server, 0);
    }
}
