//! The server with its clients' eyes: starting and stopping, log-in, and requests that nobody should send.

use std::{
    net::{Ipv4Addr, TcpListener, UdpSocket},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use rtsp_clock_server::{
    config::{Config, FrameRate, PortRange},
    server::{Server, StartError},
};

use crate::common::{
    Interleaved, PATIENCE, RtspClient, STOPPING, config, config_of_large_pictures, login, start,
    wait_for_viewers,
};

#[test]
fn a_viewer_sees_the_end() {
    assert_end_is_seen(&config());
}

/// The stream ends between two frames, which are far apart here.
#[test]
fn a_viewer_of_one_frame_a_second_sees_the_end() {
    let mut config = config();
    config.streams[0].frames_per_second = FrameRate::whole(1);
    assert_end_is_seen(&config);
}

#[track_caller]
fn assert_end_is_seen(config: &Config) {
    let server = start(config);
    let mut client = RtspClient::watch(&server);
    // RTCP runs from its first report on.
    client.until_sender_report();
    let asked = Instant::now();
    server.stop();
    let elapsed = asked.elapsed();
    assert!(
        client.sees_a_goodbye(),
        "RTCP's BYE must come before the connection ends"
    );
    assert!(client.sees_the_end(), "the connection must be closed");
    assert!(elapsed < STOPPING, "stopping took {elapsed:?}");
}

#[test]
fn who_has_not_asked_for_a_stream_sees_the_end() {
    let server = start(&config());
    let port = server.port();
    let mut clients = [
        RtspClient::connect_port(port),
        RtspClient::tunnel(port, true),
        RtspClient::tunnel(port, false),
    ];
    for client in &mut clients {
        assert_eq!(client.options().status, 200);
    }
    let asked = Instant::now();
    server.stop();
    let elapsed = asked.elapsed();
    for client in &mut clients {
        assert!(client.sees_the_end(), "the connection must be closed");
    }
    assert!(elapsed < STOPPING, "stopping took {elapsed:?}");
}

#[test]
fn a_server_can_be_stopped_while_viewers_come_and_go() {
    for _ in 0..5 {
        let server = start(&config());
        let clients: Vec<_> = (0..3).map(|_| RtspClient::watch(&server)).collect();
        drop(clients);
        server.stop();
    }
}

#[test]
fn two_servers_live_in_one_process() {
    let (one, other) = (start(&config()), start(&config()));
    assert_ne!(one.port(), other.port());
    let mut client = RtspClient::watch(&one);
    RtspClient::watch(&other).next_rtp();
    other.stop();
    client.next_rtp();
    wait_for_viewers(&one, 1);
}

#[test]
fn a_port_in_use_is_said_so() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = taken.local_addr().expect("an address").port();
    let mut config = config();
    config.streams[0].mounts[0].port = port;
    let error = Server::start(&config).expect_err("the port is taken");
    assert!(matches!(error, StartError::PortInUse(_)), "{error}");
    assert!(
        error
            .to_string()
            .starts_with(&format!("port {port} of 127.0.0.1 is in use")),
        "{error}"
    );
}

/// A free even port, taken, with a free one behind it.
fn even_port() -> UdpSocket {
    let any = || UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a free UDP port");
    let port = |socket: &UdpSocket| socket.local_addr().expect("an address").port();
    let taken: Vec<_> = (0..100).map(|_| any()).collect();
    let is_fit = |socket: &UdpSocket| {
        let port = port(socket);
        port.is_multiple_of(2) && UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port + 1)).is_ok()
    };
    taken.into_iter().find(is_fit).expect("an even port")
}

#[test]
fn rtp_ports_in_use_are_said_so() {
    let taken = even_port();
    let first = taken.local_addr().expect("an address").port();
    let mut config = config();
    config.rtp_ports = Some(PortRange {
        first,
        last: first + 1,
    });
    let error = Server::start(&config).expect_err("the ports are taken");
    assert!(matches!(error, StartError::RtpPortsInUse(_, 2)), "{error}");
    let said = error.to_string();
    assert!(said.contains(&format!("{first}-{}", first + 1)), "{said}");
    assert!(!said.contains('\n'), "{said}");
    drop(taken);
    start(&config);
}

#[test]
fn a_machine_without_a_font_is_told_so_at_the_start() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let no_fonts = folder.join("no-fonts.conf");
    std::fs::write(&no_fonts, "<fontconfig></fontconfig>").expect("a writable folder");
    let server = Command::new(env!("CARGO_BIN_EXE_rtsp-clock-server"))
        .current_dir(folder)
        .env("FONTCONFIG_FILE", &no_fonts)
        .env("RTSP_SERVER_IP", "127.0.0.1")
        .env("RTSP_SERVER_PORT", "0")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&server.stderr);
    assert_eq!(server.status.code(), Some(1), "{said}");
    assert!(
        said.contains("error: the clock cannot be painted: ") && said.contains("font"),
        "{said}"
    );
}

#[test]
fn an_address_of_another_machine_is_said_so() {
    let mut config = config();
    // TEST-NET-1 (RFC 5737) is nobody's.
    config.streams[0].mounts[0].address = Ipv4Addr::new(192, 0, 2, 1).into();
    let error = Server::start(&config).expect_err("not our address");
    assert!(
        error.to_string().starts_with("cannot listen on 192.0.2.1:0: "),
        "{error}"
    );
}

#[test]
fn without_the_log_in_nothing_is_shown() {
    let mut config = config();
    config.login = Some(login());
    let server = start(&config);
    let mut client = RtspClient::connect(&server);
    let refusal = client.describe();
    assert_eq!(refusal.status, 401);
    let offers: Vec<_> = refusal.all("WWW-Authenticate").collect();
    assert!(
        offers.iter().any(|offer| offer.starts_with("Basic")),
        "{offers:?}"
    );
    assert!(
        offers.iter().any(|offer| offer.starts_with("Digest")),
        "{offers:?}"
    );
    // user:wrong
    client.authorize("Basic dXNlcjp3cm9uZw==".to_owned());
    assert_eq!(client.describe().status, 401);
    // user:s3cret
    client.authorize("Basic dXNlcjpzM2NyZXQ=".to_owned());
    assert_eq!(client.describe().status, 200);
}

#[test]
fn malformed_log_ins_do_no_harm() {
    let mut config = config();
    config.login = Some(login());
    let server = start(&config);
    for value in [
        "Basic",
        "Basic ",
        "Basic =",
        "Basic !!!!",
        "Digest",
        "Digest username=",
        "Digest a=\"",
        "Negotiate x",
        "",
    ] {
        let mut client = RtspClient::connect(&server);
        client.authorize(value.to_owned());
        let status = client.describe().status;
        assert!((400..500).contains(&status), "{value:?} was answered {status}");
    }
}

#[test]
fn only_the_live_speed_is_played() {
    let server = start(&config());
    for header in ["Scale", "Speed"] {
        for value in ["0", "-1", "nan", "inf", "1e400", "0.0000001", "2", "x", "-0.0"] {
            let mut client = RtspClient::connect(&server);
            client.describe();
            client.setup();
            let status = client.request("PLAY", &[(header, value)]).status;
            assert!(
                (400..500).contains(&status),
                "{header}: {value} was answered {status}"
            );
        }
    }
    let mut client = RtspClient::connect(&server);
    client.describe();
    client.setup();
    assert_eq!(
        client
            .request("PLAY", &[("Scale", "1.0"), ("Speed", "1.0")])
            .status,
        200
    );
    client.next_rtp();
    // A viewer is counted once it plays: its first packet may come sooner.
    wait_for_viewers(&server, 1);
}

#[test]
fn a_body_too_long_is_not_read() {
    let server = start(&config());
    let mut client = RtspClient::connect(&server);
    client.send_raw(
        b"DESCRIBE rtsp://127.0.0.1/live RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 4000000000\r\n\r\n",
    );
    let ended = client.sees_the_end();
    assert!(ended, "the connection must be closed");
    RtspClient::watch(&server).next_rtp();
}

#[test]
fn a_viewer_who_does_not_read_holds_up_nobody() {
    let server = start(&config_of_large_pictures());
    let _stalled = RtspClient::watch(&server);
    let mut client = RtspClient::watch(&server);
    wait_for_viewers(&server, 2);
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut last = client.next_rtp().sequence_number();
    while server.viewers() == 2 {
        assert!(Instant::now() < deadline, "the stalled viewer still counts");
        let next = client.next_rtp().sequence_number();
        assert_eq!(next, last.wrapping_add(1), "packets are missing");
        last = next;
    }
    // The one who reads is not the one who went.
    client.next_rtp_where("after that", Interleaved::marker);
    assert_eq!(server.viewers(), 1);
}

/// A client may write any byte into a URL.
#[test]
fn a_path_that_is_no_utf_8_is_not_found_and_harms_nobody() {
    let server = start(&config());
    let address = (Ipv4Addr::LOCALHOST, server.port());
    for method in ["DESCRIBE", "SETUP", "PLAY", "TEARDOWN", "OPTIONS"] {
        let mut client = std::net::TcpStream::connect(address).expect("it listens");
        client.set_read_timeout(Some(PATIENCE)).expect("a read timeout");
        let mut request = format!("{method} rtsp://127.0.0.1/live").into_bytes();
        request.extend(b"\xff\xc3 RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n");
        std::io::Write::write_all(&mut client, &request).expect("the connection stands");
        let mut answer = [0; 9];
        std::io::Read::read_exact(&mut client, &mut answer).expect("an answer");
        assert_eq!(&answer, b"RTSP/1.0 ", "{method}");
    }
}
