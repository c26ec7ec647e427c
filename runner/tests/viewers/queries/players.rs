//! Programs that play them, and what the server says of them in words.

use std::process::Command;

use futures::StreamExt as _;
use rtsp_clock_probe::{Options, Transport};
use rtsp_clock_server::config::{Config, VideoCodec};

use super::cameras;
use crate::common::{
    PATIENCE, gst_launch, login, measure,
    process::{self, Process},
    start, target,
};

/// Whether a command ends well; what it wrote to stderr and stdout.
fn run(command: &mut Command) -> (bool, String) {
    let output = command.output().expect("it is installed");
    let text = [output.stderr, output.stdout].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn the_players_that_people_have_play_the_camera_that_they_ask_for() {
    let server = start(&Config {
        login: Some(login()),
        ..cameras(&[
            ("/cam?channel=1&subtype=0", VideoCodec::Mjpeg),
            ("/cam?channel=2&subtype=0", VideoCodec::H264),
        ])
    });
    let url = format!(
        "rtsp://user:s3cret@127.0.0.1:{}/cam?subtype=0&channel=2&x=y",
        server.port()
    );
    for transport in ["tcp", "udp", "http"] {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args([
            "-nostdin",
            "-hide_banner",
            "-rtsp_transport",
            transport,
            "-i",
            &url,
        ]);
        ffmpeg.args(["-c", "copy", "-frames:v", "5", "-f", "null", "-"]);
        let (is_good, said) = run(&mut ffmpeg);
        assert!(is_good && said.contains("Video: h264"), "{transport}: {said}");
    }
    let played = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(play_with_retina(&url));
    assert_eq!(played.expect("retina plays"), "h264");
    for protocols in ["protocols=tcp", "protocols=udp"] {
        let mut command = Command::new("gst-launch-1.0");
        command.args(gst_launch::arguments(&url, &[protocols]));
        gst_launch::play(&mut command).unwrap_or_else(|said| panic!("{protocols}: {said}"));
    }
    let (is_good, said) =
        run(Command::new("curl").args(["-sS", "-i", "--digest", "-u", "user:s3cret", &url]));
    assert!(is_good && said.contains("200 OK"), "{said}");
}

/// Waits for a frame; answers of which codec it is.
async fn play_with_retina(url: &str) -> Result<String, Box<dyn std::error::Error>> {
    let url = url.replace("user:s3cret@", "");
    let credentials = retina::client::Credentials {
        username: "user".into(),
        password: "s3cret".into(),
    };
    let options = retina::client::SessionOptions::default().creds(Some(credentials));
    let mut session = retina::client::Session::describe(url::Url::parse(&url)?, options).await?;
    let over_tcp = retina::client::Transport::Tcp(retina::client::TcpTransportOptions::default());
    let setup = retina::client::SetupOptions::default().transport(over_tcp);
    session.setup(0, setup).await?;
    let codec = session.streams()[0].encoding_name().to_owned();
    let mut items = session
        .play(retina::client::PlayOptions::default())
        .await?
        .demuxed()?;
    let until_frame = async {
        while let Some(item) = items.next().await {
            if let retina::codec::CodecItem::VideoFrame(_) = item? {
                return Ok(codec);
            }
        }
        Err("no frame".into())
    };
    tokio::time::timeout(PATIENCE, until_frame).await?
}

#[test]
fn whoever_asks_in_words_gets_the_query_as_it_was_written() {
    let path = "/cam?channel=2&subtype=0";
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("queries-{}.json", std::process::id()));
    let content =
        r#"{"streams": [{"rtspStreamPath": "/cam?channel={n}&subtype=0", "count": 2, "stamp": "qr"}]}"#;
    std::fs::write(&file, content).expect("a file");
    let (is_good, said) = run(process::command().arg("--config").arg(&file).arg("--check"));
    assert!(is_good && said.contains(&format!("path {path}\n")), "{said}");
    let server = Process::start(|command| {
        command.arg("--config").arg(&file);
    });
    let port = server.port();
    let url = format!("rtsp://127.0.0.1:{port}{path}");
    server
        .log()
        .wait_for("its URLs are there", |line| line.contains(&url));
    let mut ask = process::command();
    ask.args(["--config", &file.display().to_string(), "--healthcheck"]);
    let (is_healthy, said) = run(ask
        .env("RTSP_SERVER_IP", "127.0.0.1")
        .env("RTSP_SERVER_PORT", port.to_string()));
    assert!(is_healthy, "{said}");
    let target = target(&url);
    let outcome = measure(&Options {
        targets: vec![target.clone()],
        transport: Transport::Tcp,
        frames: Some(1),
        duration: Some(2 * PATIENCE),
        ..Options::of(target)
    });
    assert!(outcome.is_good(), "{:?}", outcome.measurement.streams);
    assert_eq!(outcome.measurement.streams[0].stream_id, Some(1));
    server.log().wait_for("it says who watches what", |line| {
        line.contains("is watching") && line.contains(&format!("path=\"{path}\""))
    });
}
