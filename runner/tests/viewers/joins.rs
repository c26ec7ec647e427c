//! Whoever joins is told with which packets it begins, and begins with them.

use std::{collections::BTreeMap, io::Write as _};

use rtsp_clock_server::{
    config::{AudioCodec, Config, FrameRate, VideoCodec},
    server::Server,
};

use crate::common::{
    self, Interleaved, Response, RtspClient, config,
    player::{By, Player},
    start, wait_for_viewers,
};

const PICTURE: u32 = 0;
const SOUND: u32 = 1;

/// What an answer to PLAY says of the first packet of each medium: sequence number and RTP time (RFC 2326, 12.33).
fn told(answer: &Response, port: u16) -> BTreeMap<u32, (u16, u32)> {
    let info = answer.header("RTP-Info").expect("RTP-Info");
    let entry = |entry: &str| {
        let rest = entry.strip_prefix(&format!("url=rtsp://127.0.0.1:{port}/live/stream="))?;
        let (medium, rest) = rest.split_once(";seq=")?;
        let (number, time) = rest.split_once(";rtptime=")?;
        Some((medium.parse().ok()?, (number.parse().ok()?, time.parse().ok()?)))
    };
    let entries = info.split(',').map(entry);
    entries.collect::<Option<_>>().unwrap_or_else(|| panic!("{info}"))
}

/// Plays, pauses and plays again, and holds what comes first against what the answers say.
#[track_caller]
fn assert_begins_as_told(server: &Server, by: By, media: &[u32], what: &str) {
    let mut player = Player::ready(server, by, media);
    for time in ["once", "after a pause"] {
        let (answer, first) = player.play();
        let came: BTreeMap<_, _> = first
            .iter()
            .map(|(medium, packet)| (*medium, (packet.sequence_number(), packet.rtp_time())))
            .collect();
        assert_eq!(
            came,
            told(&answer, server.port()),
            "{what}, {by:?}, {media:?}, {time}"
        );
        if let Some(picture) = first.get(&PICTURE) {
            assert!(picture.is_key(), "{what}, {by:?}, {media:?}, {time}");
        }
        player.pause();
    }
}

fn with_sound(codec: AudioCodec) -> Config {
    let mut config = config();
    config.streams[0].audio = Some(codec);
    config
}

#[track_caller]
fn assert_all_ways_begin_as_told(server: &Server, media: &[u32], what: &str) {
    for by in By::ALL {
        assert_begins_as_told(server, by, media, what);
    }
}

#[test]
fn a_viewer_begins_with_what_the_answer_to_play_says() {
    let server = start(&with_sound(AudioCodec::Pcmu));
    let all = [&[PICTURE, SOUND][..], &[PICTURE], &[SOUND]];
    for media in all {
        assert_all_ways_begin_as_told(&server, media, "alone");
    }
    let _watching = RtspClient::watch(&server);
    for media in all {
        assert_all_ways_begin_as_told(&server, media, "beside another");
    }
}

#[test]
fn so_does_one_of_any_sound() {
    for codec in [AudioCodec::Aac, AudioCodec::Opus] {
        let server = start(&with_sound(codec));
        assert_all_ways_begin_as_told(&server, &[PICTURE, SOUND], "alone");
        let _watching = RtspClient::watch(&server);
        assert_all_ways_begin_as_told(&server, &[PICTURE, SOUND], "beside another");
    }
}

#[test]
fn so_does_one_of_any_codec_on_demand_and_always_on() {
    for codec in [VideoCodec::Mjpeg, VideoCodec::Vp8] {
        for always_on in [false, true] {
            let mut config = with_sound(AudioCodec::Pcmu);
            config.streams[0].codec = codec;
            config.streams[0].always_on = always_on;
            let server = start(&config);
            let mut player = Player::ready(&server, By::Tcp, &[PICTURE, SOUND]);
            let (answer, first) = player.play();
            let of = |packet: &Interleaved| (packet.sequence_number(), packet.rtp_time());
            let told = told(&answer, server.port());
            assert_eq!(told[&PICTURE], of(&first[&PICTURE]), "{codec:?}");
            assert_eq!(told[&SOUND], of(&first[&SOUND]), "{codec:?}");
        }
    }
}

#[test]
fn requests_behind_a_play_are_answered_behind_it() {
    let server = start(&config());
    let mut client = RtspClient::connect(&server);
    client.describe();
    client.setup();
    let session = client.session().expect("a session").to_owned();
    let (mut connection, rest) = client.into_connection();
    assert!(rest.is_empty());
    let url = common::url(&server);
    let request =
        |method, number| format!("{method} {url} RTSP/1.0\r\nCSeq: {number}\r\nSession: {session}\r\n\r\n");
    let methods = ["PLAY", "GET_PARAMETER", "PAUSE", "PLAY", "OPTIONS", "TEARDOWN"];
    let requests: Vec<_> = methods
        .iter()
        .zip(100..)
        .map(|(method, number)| request(*method, number))
        .collect();
    connection
        .write_all(requests.concat().as_bytes())
        .expect("it is read");
    let mut client = RtspClient::over(connection, url);
    for number in 100..106 {
        let answer = client.response();
        let sequence = answer.header("CSeq").map(str::to_owned);
        assert_eq!((answer.status, sequence), (200, Some(number.to_string())));
    }
}

#[test]
fn whoever_leaves_before_it_is_let_in_counts_no_longer() {
    let mut config = config();
    // A picture in two seconds: PLAY waits.
    config.streams[0].frames_per_second = FrameRate::new(1, 2).expect("a rate");
    config.max_viewers = Some(2);
    let server = start(&config);
    let mut clients: Vec<_> = (0..2)
        .map(|_| Player::ready(&server, By::Tcp, &[PICTURE]).client)
        .collect();
    for client in &mut clients {
        let url = common::url(&server);
        client.send("PLAY", &url, &[]);
    }
    drop(clients);
    // There is no other way to learn that both seats are free again.
    common::wait_until("they are forgotten", || {
        let mut player = RtspClient::connect(&server);
        player.describe();
        player.setup().status == 200 && player.play().status == 200
    });
    wait_for_viewers(&server, 0);
}

/// So many come in the same moment, by all ways: each begins with its key picture, and misses nothing after that.
#[track_caller]
fn assert_all_begin_well(server: &Server, viewers: usize) {
    let mut players: Vec<_> = (0..viewers)
        .map(|number| Player::ready(server, By::ALL[number % By::ALL.len()], &[PICTURE]))
        .collect();
    std::thread::scope(|scope| {
        for player in &mut players {
            scope.spawn(|| {
                let (answer, mut first) = player.play();
                let first = first.remove(&PICTURE).expect("it plays the picture");
                assert!(first.is_key());
                let told = told(&answer, server.port())[&PICTURE];
                assert_eq!(told, (first.sequence_number(), first.rtp_time()));
                let more = player.pictures(20);
                let numbers: Vec<_> = more.iter().map(Interleaved::sequence_number).collect();
                let expected: Vec<_> = (1..=20).map(|number| told.0.wrapping_add(number)).collect();
                assert_eq!(numbers, expected);
            });
        }
    });
}

#[test]
fn all_who_come_at_once_begin_with_a_key_picture() {
    for _ in 0..3 {
        let server = start(&config());
        assert_all_begin_well(&server, 40);
        let _watching = RtspClient::watch(&server);
        assert_all_begin_well(&server, 40);
    }
}

#[test]
fn what_plays_is_set_up_again_after_a_pause_only() {
    let server = start(&with_sound(AudioCodec::Pcmu));
    for by in By::ALL {
        let mut player = Player::ready(&server, by, &[PICTURE]);
        player.play();
        for medium in [PICTURE, SOUND] {
            let answer = player.client.setup_medium(medium, by.transport(medium));
            assert_eq!(answer.status, 455, "{by:?}, {medium}");
        }
        player.pictures(30);
        player.pause();
        player.set_up(by, SOUND);
        let (_, first) = player.play();
        assert!(first.contains_key(&SOUND) && first[&PICTURE].is_key(), "{by:?}");
    }
}

#[test]
fn nothing_goes_to_who_has_left_over_udp() {
    let server = start(&config());
    let _watching = RtspClient::watch(&server);
    let mut players: Vec<_> = (0..20)
        .map(|_| Player::ready(&server, By::Udp, &[PICTURE]))
        .collect();
    for player in &mut players {
        let url = common::url(&server);
        // In one go: it leaves as soon as it is let in.
        player.client.send("PLAY", &url, &[]);
        player.client.send("TEARDOWN", &url, &[]);
    }
    for player in &mut players {
        assert_eq!(player.client.response().status, 200);
        assert_eq!(player.client.response().status, 200);
        player.wait_until_quiet();
    }
    wait_for_viewers(&server, 1);
}

#[test]
fn a_range_that_cannot_be_understood_means_nothing() {
    let server = start(&config());
    for by in By::ALL {
        let mut player = Player::ready(&server, by, &[PICTURE]);
        let answer = player.client.request("PLAY", &[("Range", "nonsense")]);
        assert_eq!(answer.status, 200, "{by:?}");
        assert!(player.pictures(1)[0].is_key(), "{by:?}");
    }
}

#[test]
fn nothing_is_said_of_a_play_that_waits() {
    let server = common::process::Process::start(|_| {});
    let mut client = RtspClient::watch_port(server.port());
    client.next_rtp();
    drop(client);
    server
        .log()
        .wait_for("that it has left", |line| line.contains("has left"));
    let log = server.whole_log();
    assert!(!log.contains("not allowed"), "{log}");
}
