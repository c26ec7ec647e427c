//! What a client is answered, and what is known of it once it plays.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream, UdpSocket},
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::{
    config::{Access, Config, Login, Mount, StreamConfig, User, VideoCodec},
    events::Viewer,
    server::Server,
};

const PATIENCE: Duration = Duration::from_secs(10);
/// `anna:a` and `zoe:z` in base64.
const LOGINS: [&str; 2] = ["YW5uYTph", "em9lOno="];

/// A camera, and who may see it.
fn server(users: &[(&str, &str)], max_viewers: Option<u32>) -> Server {
    let user = |(name, password): &(&str, &str)| User {
        login: Login {
            username: (*name).into(),
            password: (*password).into(),
        },
        access: Access::All,
        is_admin: false,
    };
    let stream = StreamConfig {
        mounts: vec![Mount {
            address: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            tls: false,
            path: "/live".into(),
        }],
        codec: VideoCodec::Mjpeg,
        width: 160,
        height: 120,
        max_viewers,
        ..StreamConfig::default()
    };
    Server::start(&Config {
        rtp_ports: None,
        login: None,
        users: users.iter().map(user).collect(),
        streams: vec![stream],
        ..Config::default()
    })
    .expect("the server starts")
}

/// One client, which sends requests by hand.
struct Client {
    connection: TcpStream,
    url: String,
}

impl Client {
    fn new(server: &Server) -> Self {
        let connection = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).expect("it listens");
        let patience = Some(PATIENCE);
        connection.set_read_timeout(patience).expect("a read timeout");
        let url = format!("rtsp://127.0.0.1:{}/live", server.port());
        Self { connection, url }
    }

    fn send(&mut self, request: &str, headers: &str) {
        let request = format!("{request} RTSP/1.0\r\nCSeq: 1\r\n{headers}\r\n");
        self.connection.write_all(request.as_bytes()).expect("it stands");
    }

    /// Sets the picture up with a log-in, and plays it with another one.
    fn play(&mut self, [of_setup, of_play]: [&str; 2]) {
        let authorization = |login| format!("Authorization: Basic {login}\r\n");
        let transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
        let setup = format!("SETUP {}/stream=0", self.url);
        self.send(&setup, &format!("{transport}{}", authorization(of_setup)));
        let session = self.session();
        let play = format!("PLAY {}", self.url);
        self.send(
            &play,
            &format!("Session: {session}\r\n{}", authorization(of_play)),
        );
    }

    /// An answer to what has been sent.
    fn answer(&mut self) -> String {
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.connection.read_exact(&mut byte).expect("an answer");
            answer.extend(byte);
        }
        String::from_utf8(answer).expect("text")
    }

    /// The session that an answer names.
    fn session(&mut self) -> String {
        let answer = self.answer();
        let session = answer.lines().find_map(|line| line.strip_prefix("Session: "));
        let session = session.unwrap_or_else(|| panic!("no session in {answer}"));
        session.split(';').next().unwrap_or_default().to_owned()
    }

    /// The status with which a request is answered.
    fn status(&mut self, request: &str, headers: &str) -> u16 {
        self.send(request, headers);
        let answer = self.answer();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.unwrap_or_else(|| panic!("no status in {answer}"))
    }
}

/// Who plays, once somebody does.
#[track_caller]
fn viewer(server: &Server) -> Viewer {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let stream = server.roster().get().streams()[0].status();
        if let Some(playing) = stream.viewers.into_iter().next() {
            return playing.viewer;
        }
        assert!(Instant::now() < deadline, "nobody plays");
        std::thread::yield_now();
    }
}

#[test]
fn a_viewer_has_the_name_of_who_has_logged_in_last() {
    for (logins, name) in [([LOGINS[0]; 2], "anna"), (LOGINS, "zoe")] {
        let server = server(&[("anna", "a"), ("zoe", "z")], None);
        let before = Timestamp::now();
        let mut client = Client::new(&server);
        client.play(logins);
        let viewer = viewer(&server);
        assert_eq!(viewer.user.as_deref(), Some(name));
        assert!(
            (before..=Timestamp::now()).contains(&viewer.since),
            "{viewer:?} of {before}"
        );
    }
}

#[test]
fn a_viewer_has_no_name_where_everybody_may_watch() {
    let server = server(&[], None);
    let mut client = Client::new(&server);
    client.play(LOGINS);
    assert_eq!(viewer(&server).user, None);
}

#[test]
fn of_several_refusals_the_first_is_the_answer() {
    let server = server(&[], Some(1));
    let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = port.local_addr().expect("it has one").port() & !1;
    let transport = format!("Transport: RTP/AVP;unicast;client_port={port}-{}\r\n", port + 1);
    let mut clients = [Client::new(&server), Client::new(&server)];
    let (setup, play) = (
        format!("SETUP {}/stream=0", clients[0].url),
        format!("PLAY {}", clients[0].url),
    );
    let sessions = clients.each_mut().map(|client| {
        client.send(&setup, &transport);
        format!("Session: {}\r\n", client.session())
    });
    let [viewer, other] = &mut clients;
    assert_eq!(viewer.status(&play, &sessions[0]), 200);
    let twice_as_fast = |session: &str| format!("{session}Scale: 2\r\n");
    let with_keys = |session: &str| format!("{session}{transport}KeyMgmt: prot=mikey\r\n");
    // Keys, then whether it plays, then whether there is a seat.
    assert_eq!(viewer.status(&setup, &with_keys(&sessions[0])), 463);
    assert_eq!(viewer.status(&setup, &format!("{}{transport}", sessions[0])), 455);
    assert_eq!(other.status(&setup, &with_keys(&sessions[1])), 463);
    assert_eq!(other.status(&setup, &format!("{}{transport}", sessions[1])), 453);
    // Whether there is a seat, then the speed.
    assert_eq!(other.status(&play, &twice_as_fast(&sessions[1])), 453);
    assert_eq!(viewer.status(&play, &twice_as_fast(&sessions[0])), 456);
}
