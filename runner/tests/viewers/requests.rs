//! Requests as clients write them: each has several ways to say the same, and what cannot be had is refused.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, TcpStream, UdpSocket},
};

use rtsp_clock_server::{
    config::{AudioCodec, Config, StreamConfig, Transport},
    server::Server,
};

use crate::common::{self, PATIENCE, RtspClient, config, start};

fn camera(change: impl FnOnce(&mut StreamConfig)) -> Server {
    let mut config = config();
    change(&mut config.streams[0]);
    start(&config)
}

/// The status that SETUP with these Transport headers gets, and what is set up.
fn set_up(server: &Server, transports: &[&str]) -> (u16, String) {
    let mut client = RtspClient::connect(server);
    assert_eq!(client.describe().status, 200);
    let url = format!("rtsp://127.0.0.1:{}/live/stream=0", server.port());
    let headers: Vec<_> = transports
        .iter()
        .map(|transport| ("Transport", *transport))
        .collect();
    client.send("SETUP", &url, &headers);
    let answer = client.response();
    (
        answer.status,
        answer.header("Transport").unwrap_or_default().to_owned(),
    )
}

#[test]
fn the_first_way_that_can_be_had_is_taken() {
    let tcp_only = camera(|stream| stream.transports = [Transport::Tcp].into());
    let (udp, tcp) = (
        "RTP/AVP;unicast;client_port=45228-45229",
        "RTP/AVP/TCP;unicast;interleaved=0-1",
    );
    let multicast = "RTP/AVP;multicast";
    for transports in [
        &[&*format!("{udp}, {tcp}")][..],
        &[udp, tcp],
        &[&*format!("{multicast},{udp}"), tcp],
        &["RAW/RAW/UDP;unicast,RTP/AVP;unicast", tcp],
    ] {
        let (status, answer) = set_up(&tcp_only, transports);
        assert_eq!(
            (status, answer.contains("RTP/AVP/TCP")),
            (200, true),
            "{transports:?}: {answer}"
        );
    }
    let any = camera(|_| {});
    for (transports, expected) in [([tcp, udp], "RTP/AVP/TCP"), ([udp, tcp], "RTP/AVP;")] {
        let (status, answer) = set_up(&any, &transports);
        assert_eq!(
            (status, answer.starts_with(expected)),
            (200, true),
            "{transports:?}: {answer}"
        );
    }
    assert_eq!(set_up(&tcp_only, &[multicast, udp]).0, 461);
}

#[test]
fn blanks_mean_nothing_and_rtcp_has_the_next_port() {
    let server = camera(|_| {});
    for (transport, ports) in [
        ("RTP/AVP; unicast; client_port=45230-45231", "45230-45231"),
        ("RTP/AVP;unicast;client_port= 45230-45231", "45230-45231"),
        ("RTP/AVP ;unicast ; client_port =45230 - 45231 ", "45230-45231"),
        ("RTP/AVP;unicast;client_port=45230", "45230-45231"),
    ] {
        let (status, answer) = set_up(&server, &[transport]);
        let has_ports = answer.contains(&format!("client_port={ports}"));
        assert_eq!((status, has_ports), (200, true), "{transport}: {answer}");
    }
}

#[test]
fn no_packet_goes_where_nobody_asked() {
    let server = camera(|_| {});
    for transport in [
        "RTP/AVP;unicast",
        "RTP/AVP;unicast;client_port=0-0",
        "RTP/AVP;unicast;client_port=65535",
        "RTP/AVP;unicast;client_port=-1",
        "RTP/AVP/TCP;unicast;interleaved=0-0",
        "RTP/AVP/TCP;unicast;interleaved=255-256",
    ] {
        assert_eq!(set_up(&server, &[transport]).0, 461, "{transport}");
    }
    // With one port alone, RTCP comes by the next one.
    let socket = |port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port));
    let both_free = |first| Some([socket(first).ok()?, socket(first + 1).ok()?]);
    let sockets = (27_001..32_000).step_by(2).find_map(both_free);
    let sockets = sockets.expect("two free ports");
    let port = sockets[0].local_addr().expect("it is bound").port();
    let mut client = RtspClient::connect(&server);
    assert_eq!(client.describe().status, 200);
    let transport = format!("RTP/AVP;unicast;client_port={port}");
    assert_eq!(client.setup_over(&transport).status, 200);
    assert_eq!(client.play().status, 200);
    for socket in sockets {
        socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        socket.recv(&mut [0; 2000]).expect("packets come by both ports");
    }
}

#[test]
fn a_query_changes_nothing_for_any_request() {
    let server = camera(|_| {});
    let url = format!("rtsp://127.0.0.1:{}/live?channel=1&subtype=0", server.port());
    for medium in [
        format!("{url}/stream=0"),
        format!("rtsp://127.0.0.1:{}/live/stream=0?channel=1", server.port()),
    ] {
        let mut client = RtspClient::connect(&server);
        let mut status = |method: &str, url: &str, headers: &[(&str, &str)]| {
            client.send(method, url, headers);
            let answer = client.response();
            (
                answer.status,
                answer
                    .header("Session")
                    .map(|session| session.split(';').next().unwrap_or_default().to_owned()),
            )
        };
        assert_eq!(status("OPTIONS", &url, &[]).0, 200);
        assert_eq!(status("DESCRIBE", &url, &[]).0, 200);
        let (setup, session) = status(
            "SETUP",
            &medium,
            &[("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1")],
        );
        assert_eq!(setup, 200, "{medium}");
        let session = session.expect("a session");
        let in_session = [("Session", session.as_str())];
        for method in ["PLAY", "GET_PARAMETER", "PAUSE", "PLAY", "TEARDOWN"] {
            assert_eq!(status(method, &url, &in_session).0, 200, "{method}");
        }
    }
}

#[test]
fn the_only_medium_is_played_by_its_own_url_and_one_of_two_is_not() {
    let in_turn = |server: &Server, media: u32| {
        let mut client = RtspClient::connect(server);
        assert_eq!(client.describe().status, 200);
        for medium in 0..media {
            let transport = format!(
                "RTP/AVP/TCP;unicast;interleaved={}-{}",
                2 * medium,
                2 * medium + 1
            );
            assert_eq!(client.setup_medium(medium, &transport).status, 200);
        }
        let url = format!("rtsp://127.0.0.1:{}/live/stream=0", server.port());
        ["PLAY", "PAUSE", "TEARDOWN"].map(|method| {
            client.send(method, &url, &[]);
            client.response().status
        })
    };
    let picture = camera(|_| {});
    assert_eq!(in_turn(&picture, 1), [200; 3]);
    let both = camera(|stream| stream.audio = Some(AudioCodec::Pcmu));
    assert_eq!(in_turn(&both, 1), [200; 3]);
    assert_eq!(in_turn(&both, 2), [460; 3]);
}

#[test]
fn only_what_works_is_offered_and_only_now_is_played() {
    let server = camera(|_| {});
    let mut client = RtspClient::connect(&server);
    let offered = client.options();
    let public = offered.all("Public").collect::<Vec<_>>();
    assert_eq!(
        public,
        ["OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"]
    );
    assert_eq!(
        client
            .request("ANNOUNCE", &[("Content-Type", "application/sdp")])
            .status,
        405
    );
    assert_eq!(client.describe().status, 200);
    assert_eq!(client.setup().status, 200);
    assert_eq!(client.request("RECORD", &[]).status, 405);
    for (range, status) in [
        ("clock=20200101T000000Z-", 457),
        ("smpte=10:07:00-", 457),
        ("npt=3600-", 200),
        ("npt=now-", 200),
        ("smpte=0:00:00-", 200),
    ] {
        assert_eq!(
            client.request("PLAY", &[("Range", range)]).status,
            status,
            "{range}"
        );
    }
}

/// What is answered to requests that come in these pieces, each after the one before has been read.
fn answers(pieces: &[&[u8]], count: usize) -> Vec<String> {
    let server = start(&Config { ..config() });
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).expect("it listens");
    connection.set_nodelay(true).expect("an option");
    connection.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    for piece in pieces {
        connection.write_all(piece).expect("it stands");
        wait_until_read(&connection);
    }
    let lines = BufReader::new(connection)
        .lines()
        .map(|line| line.expect("an answer"));
    lines
        .filter(|line| line.starts_with("RTSP/1.0"))
        .take(count)
        .collect()
}

/// Waits until the server has taken all that was sent: what comes next is a read of its own to it.
fn wait_until_read(connection: &TcpStream) {
    let (here, there) = (connection.local_addr(), connection.peer_addr());
    let hex = |port: u16| format!("0100007F:{port:04X}");
    let (Ok(here), Ok(there)) = (here, there) else {
        panic!("it is connected")
    };
    let theirs = format!("{} {}", hex(there.port()), hex(here.port()));
    common::wait_until("the server has read it", || {
        let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux");
        let line = table
            .lines()
            .find(|line| line.contains(&theirs))
            .expect("the connection stands");
        line.split_whitespace()
            .nth(4)
            .is_some_and(|queues| queues.ends_with(":00000000"))
    });
}

#[test]
fn a_request_is_understood_however_it_is_cut() {
    let request = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n";
    for cut in 1..request.len() {
        let (first, second) = request.split_at(cut);
        assert_eq!(answers(&[first, second], 1), ["RTSP/1.0 200 OK"], "cut at {cut}");
    }
    let in_three: [&[u8]; 4] = [
        b"OPTIONS * RTSP/1.0\r\nCSeq: 1",
        b"\r",
        b"\n",
        b"User-Agent: me\r\n\r\n",
    ];
    assert_eq!(answers(&in_three, 1), ["RTSP/1.0 200 OK"]);
    let line_feeds: [&[u8]; 4] = [b"OPTIONS * RTSP/1.0\n", b"CSeq: 1\n", b"\n", request];
    assert_eq!(answers(&line_feeds, 2), ["RTSP/1.0 200 OK"; 2]);
}
