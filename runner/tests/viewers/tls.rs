//! RTSP with TLS: who can play, who cannot, and what is said where it cannot be had.

use std::{
    io::Read as _,
    net::{Ipv4Addr, TcpListener},
    process::{Command, Output, Stdio},
};

use gst_rtsp_server::gio::{self, prelude::*};
use rtsp_clock_probe::{Options, Transport};
use rtsp_clock_server::{
    config::{Config, Mount, Stamp, StreamConfig},
    server::Server,
};

use crate::common::{
    PATIENCE, RtspClient,
    certificate::Certificate,
    config, gst_launch, login, measure, mount,
    process::{self, Process},
    start, target, url, wait_for_viewers,
};

/// A camera with and without TLS.
fn camera(certificate: &Certificate) -> Config {
    let config = config();
    Config {
        tls: Some(certificate.files()),
        streams: vec![StreamConfig {
            mounts: [false, true]
                .map(|tls| Mount {
                    tls,
                    ..mount("/live")
                })
                .into(),
            ..config.streams[0].clone()
        }],
        ..config
    }
}

#[track_caller]
fn tls_url(server: &Server) -> String {
    let url = server.urls().into_iter().find(|url| url.starts_with("rtsps://"));
    url.expect("a URL with TLS")
}

fn rtspsrc(url: &str, properties: &[&str]) -> Result<(), String> {
    gst_launch::play(Command::new("gst-launch-1.0").args(gst_launch::arguments(url, properties)))
}

fn ffmpeg(url: &str) -> Output {
    Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-rtsp_transport", "tcp", "-i", url])
        .args(["-frames:v", "10", "-f", "null", "-"])
        .output()
        .expect("ffmpeg")
}

#[track_caller]
fn plays(output: &Output) {
    assert!(output.status.success(), "{}", errors(output));
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn rtspsrc_plays_over_tcp_udp_and_an_http_tunnel_within_tls() {
    let certificate = Certificate::new();
    let server = start(&camera(&certificate));
    let url = &tls_url(&server);
    for protocols in ["tcp", "udp"] {
        let properties = ["tls-validation-flags=0", &format!("protocols={protocols}")];
        rtspsrc(url, &properties).expect(protocols);
    }
    let tunnel = url.replace("rtsps:", "rtspsh:");
    rtspsrc(&tunnel, &["tls-validation-flags=0"]).expect("an HTTP tunnel");
    wait_for_viewers(&server, 0);
    rtspsrc(url, &["protocols=tcp"]).expect_err("nobody has signed that certificate");
}

#[test]
fn ffmpeg_plays_with_and_without_tls_and_logs_in() {
    let certificate = Certificate::new();
    let config = Config {
        login: Some(login()),
        ..camera(&certificate)
    };
    let server = start(&config);
    for url in [&tls_url(&server), &url(&server)] {
        plays(&ffmpeg(&url.replace("://", "://user:s3cret@")));
        let refused = ffmpeg(&url.replace("://", "://user:wrong@"));
        assert!(errors(&refused).contains("401"), "{url}: {}", errors(&refused));
    }
}

#[test]
fn viewers_with_and_without_tls_are_of_one_stream() {
    let certificate = Certificate::new();
    let server = start(&camera(&certificate));
    let _plain = RtspClient::watch(&server);
    let mut with_tls = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-rtsp_transport", "tcp"])
        .args(["-i", &tls_url(&server), "-f", "null", "-"])
        .spawn()
        .expect("ffmpeg");
    wait_for_viewers(&server, 2);
    with_tls.kill().expect("it runs");
    with_tls.wait().expect("it ends");
    wait_for_viewers(&server, 1);
}

#[test]
fn a_port_with_tls_has_nothing_for_plain_rtsp() {
    let certificate = Certificate::new();
    let server = start(&camera(&certificate));
    let refused = ffmpeg(&tls_url(&server).replace("rtsps:", "rtsp:"));
    assert!(!refused.status.success());
    assert_eq!(server.viewers(), 0);
    // It is none of the others' business.
    plays(&ffmpeg(&tls_url(&server)));
}

/// What a client with TLS says first.
fn client_hello() -> Vec<u8> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let mut client = Command::new("openssl")
        .args(["s_client", "-connect", &address])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl is installed");
    let (mut connection, _) = listener.accept().expect("it connects");
    let mut header = [0; 5];
    connection.read_exact(&mut header).expect("a record");
    let mut body = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
    connection.read_exact(&mut body).expect("a record");
    drop(connection);
    client.wait().expect("it ends");
    [header.to_vec(), body].concat()
}

/// GLib by itself has all others wait for those who do not go on.
#[test]
fn those_who_begin_with_tls_and_do_not_go_on_keep_nobody_waiting() {
    let certificate = Certificate::new();
    let server = start(&camera(&certificate));
    let hello = client_hello();
    let port = tls_url(&server)
        .rsplit([':', '/'])
        .nth(1)
        .and_then(|port| port.parse().ok());
    let port = port.expect("a port");
    // From another address than those who watch.
    let client = gio::SocketClient::new();
    let local = gio::InetAddress::from_string("127.0.0.2").expect("an address");
    client.set_local_address(Some(&gio::InetSocketAddress::new(&local, 0)));
    let connect = |_| {
        let connection = client
            .connect_to_host("127.0.0.1", port, gio::Cancellable::NONE)
            .expect("it listens");
        let output = connection.output_stream();
        let written = output.write(&hello, gio::Cancellable::NONE).expect("it takes it");
        assert_eq!(usize::try_from(written), Ok(hello.len()));
        connection
    };
    let silent: Vec<gio::SocketConnection> = (0..200).map(connect).collect();
    let mut good = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-rtsp_transport", "tcp"])
        .args(["-i", &tls_url(&server), "-f", "null", "-"])
        .spawn()
        .expect("ffmpeg");
    wait_for_viewers(&server, 1);
    // They are sent away in the end.
    for connection in silent {
        connection.socket().set_timeout(20);
        let input = connection.input_stream();
        let end = loop {
            match input.read(&mut [0; 4096][..], gio::Cancellable::NONE) {
                Ok(read) if read > 0 => {}
                end => break end,
            }
        };
        let is_over = !matches!(&end, Err(error) if error.matches(gio::IOErrorEnum::TimedOut));
        assert!(is_over, "{end:?}");
    }
    assert_eq!(server.viewers(), 1);
    good.kill().expect("it runs");
    good.wait().expect("it ends");
}

#[test]
fn plain_rtsp_can_be_left_out() {
    let certificate = Certificate::new();
    let server = Process::start(|command| {
        with_tls(command, &certificate).env("RTSP_PLAIN_RTSP", "false");
    });
    plays(&ffmpeg(&format!("rtsps://127.0.0.1:{}/live", server.port())));
    let log = server.whole_log();
    assert!(!log.contains("rtsp://"), "{log}");
}

fn with_tls<'a>(command: &'a mut Command, certificate: &Certificate) -> &'a mut Command {
    command
        .env("RTSP_TLS_PORT", "0")
        .env("RTSP_TLS_CERTIFICATE", certificate.certificate())
        .env("RTSP_TLS_PRIVATE_KEY", certificate.private_key())
}

#[test]
fn a_machine_without_glibs_tls_is_told_the_package() {
    let certificate = Certificate::new();
    let mut command = process::command();
    let output = with_tls(&mut command, &certificate)
        .env("RTSP_SERVER_IP", "127.0.0.1")
        .env("RTSP_SERVER_PORT", "0")
        .env("GIO_MODULE_DIR", "/nonexistent")
        .output()
        .expect("the server's program");
    let said = errors(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("rtsp-clock-server: error: tlsPort ") && said.contains("glib-networking"),
        "{said}"
    );
}

#[test]
fn the_probe_says_why_it_refuses_a_certificate_and_takes_any_when_told() {
    let certificate = Certificate::new();
    let mut config = camera(&certificate);
    config.streams[0].look.stamp = Stamp::Qr;
    let server = start(&config);
    let measured = |any_certificate| {
        measure(&Options {
            transport: Transport::Tcp,
            frames: Some(1),
            duration: Some(2 * PATIENCE),
            any_certificate,
            ..Options::of(target(&tls_url(&server)))
        })
    };
    let refused = measured(false);
    assert!(!refused.is_good());
    let problems = &refused.measurement.streams[0].problems;
    assert!(
        matches!(problems.as_slice(), [problem] if problem.contains("unknown-ca") && problem.contains("--insecure")),
        "{problems:?}"
    );
    let taken = measured(true);
    let stream = &taken.measurement.streams[0];
    assert_eq!(
        (stream.problems.as_slice(), stream.transport.as_deref()),
        ([].as_slice(), Some("tcp")),
        "{stream:?}"
    );
}

#[test]
fn the_health_check_asks_with_tls_as_well() {
    let certificate = Certificate::new();
    let server = Process::start(|command| {
        with_tls(command, &certificate).env("RTSP_PLAIN_RTSP", "false");
    });
    let check = |configure: &dyn Fn(&mut Command)| {
        let mut command = process::command();
        command.arg("--healthcheck").env("RTSP_SERVER_IP", "127.0.0.1");
        configure(&mut command);
        command.output().expect("the server's program")
    };
    let port = server.port().to_string();
    plays(&check(&|command| {
        with_tls(command, &certificate)
            .env("RTSP_TLS_PORT", &port)
            .env("RTSP_PLAIN_RTSP", "false");
    }));
    let plain = check(&|command| {
        command.env("RTSP_SERVER_PORT", &port);
    });
    assert_eq!(plain.status.code(), Some(1), "{}", errors(&plain));
}
