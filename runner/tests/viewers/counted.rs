//! Who counts as a viewer, and when no longer.

use std::{
    net::{Ipv4Addr, UdpSocket},
    time::Duration,
};

use rtsp_clock_probe::{Options, Transport};
use rtsp_clock_server::{
    config::{self, Config, Groups, Multicast, PortRange, Stamp, StreamConfig},
    server::Server,
    status::{SentStatus, ViewerStatus},
    stream::media::Medium,
};

use crate::common::{
    self, Interleaved, PATIENCE, RtspClient, config, measure, mount,
    player::{By, Player, port, two_sockets},
    start, target, url, wait_for_viewers, wait_for_viewers_within, wait_until,
};

#[test]
fn the_first_picture_of_the_first_viewer_says_one() {
    for transport in [Transport::Tcp, Transport::Udp].repeat(4) {
        let mut config = config();
        config.streams[0].look.stamp = Stamp::Qr;
        let server = start(&config);
        let outcome = measure(&Options {
            transport,
            frames: Some(3),
            duration: Some(PATIENCE),
            ..Options::of(target(&url(&server)))
        });
        let stamps = outcome.evidence[0]
            .samples
            .iter()
            .filter_map(|sample| sample.stamp);
        let viewers: Vec<_> = stamps.map(|stamp| stamp.viewers).collect();
        assert!(
            viewers.len() >= 3 && viewers.iter().all(|viewers| *viewers == 1),
            "{transport:?}: {viewers:?}"
        );
    }
}

#[test]
fn whose_play_is_refused_does_not_count() {
    let server = start(&config());
    let _watching = RtspClient::watch(&server);
    let mut refused = RtspClient::connect(&server);
    assert_eq!(refused.describe().status, 200);
    assert_eq!(refused.setup().status, 200);
    assert_eq!(refused.request("PLAY", &[("Speed", "2.0")]).status, 456);
    assert_eq!(server.viewers(), 1);
}

#[test]
fn joins_and_teardowns_are_counted() {
    let server = start(&config());
    let mut first = RtspClient::watch(&server);
    let _second = RtspClient::watch(&server);
    wait_for_viewers(&server, 2);
    assert_eq!(first.request("TEARDOWN", &[]).status, 200);
    wait_for_viewers(&server, 1);
}

#[test]
fn a_lost_connection_ends_a_viewer() {
    let server = start(&config());
    let client = RtspClient::watch(&server);
    wait_for_viewers(&server, 1);
    drop(client);
    wait_for_viewers(&server, 0);
}

#[test]
fn a_lost_connection_ends_a_viewer_in_a_tunnel_whichever_way_was_opened_first() {
    for is_post_first in [true, false] {
        let server = start(&config());
        let mut client = RtspClient::tunnel(server.port(), is_post_first);
        let answers = [
            client.describe().status,
            client.setup().status,
            client.play().status,
        ];
        assert_eq!(answers, [200; 3]);
        client.next_rtp();
        wait_for_viewers(&server, 1);
        // That of the requests stands.
        client.hang_up();
        wait_for_viewers(&server, 0);
    }
}

#[test]
fn a_silent_udp_viewer_ends_with_its_session() {
    let server = start(&Config {
        session_timeout: 5,
        ..config()
    });
    let sockets = [(); 2].map(|()| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"));
    let [media, control] = sockets
        .each_ref()
        .map(|socket| socket.local_addr().expect("its address").port());
    // Its connection stays open: nothing but the time-out can tell that nobody is there.
    let mut client = RtspClient::connect(&server);
    assert_eq!(client.describe().status, 200);
    let transport = format!("RTP/AVP;unicast;client_port={media}-{control}");
    let answer = client.setup_over(&transport);
    assert_eq!(answer.status, 200);
    let session = answer.header("Session").expect("it has a session");
    assert!(session.ends_with(";timeout=5"), "{session}");
    assert_eq!(client.play().status, 200);
    wait_for_viewers(&server, 1);
    // The time-out, 2 s, and as much again for a busy machine.
    wait_for_viewers_within(Duration::from_secs(9), &server, 0);
}

#[test]
fn looking_is_not_watching() {
    let server = start(&config());
    let mut looking = RtspClient::connect(&server);
    assert_eq!(looking.options().status, 200);
    assert_eq!(looking.describe().status, 200);
    let mut ready = RtspClient::connect(&server);
    assert_eq!(ready.describe().status, 200);
    assert_eq!(ready.setup().status, 200);
    let _watching = RtspClient::watch(&server);
    wait_for_viewers(&server, 1);
    assert_eq!(ready.options().status, 200);
    assert_eq!(server.viewers(), 1);
}

#[test]
fn playing_twice_or_pausing_changes_nothing() {
    let server = start(&config());
    let mut client = RtspClient::watch(&server);
    assert_eq!(client.play().status, 200);
    assert_eq!(client.request("PAUSE", &[]).status, 200);
    assert_eq!(server.viewers(), 1);
    assert_eq!(client.play().status, 200);
    client.next_rtp();
    assert_eq!(server.viewers(), 1);
    assert_eq!(client.request("TEARDOWN", &[]).status, 200);
    wait_for_viewers(&server, 0);
}

#[test]
fn a_viewer_who_comes_as_the_last_one_leaves_is_served() {
    let server = start(&config());
    for _ in 0..20 {
        let mut client = RtspClient::watch(&server);
        client.next_rtp();
    }
}

#[test]
fn nobody_ends_the_session_of_another() {
    let server = start(&config());
    let mut viewer = RtspClient::watch(&server);
    let session = viewer.session().expect("it plays").to_owned();
    for method in [
        "OPTIONS",
        "DESCRIBE",
        "SETUP",
        "PLAY",
        "PAUSE",
        "GET_PARAMETER",
        "SET_PARAMETER",
        "TEARDOWN",
    ] {
        let mut thief = RtspClient::connect(&server);
        let transport = ("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1");
        let response = thief.request(method, &[("Session", &session), transport]);
        assert_eq!(response.status, 454, "{method}");
        // gst-rtsp-server ends the sessions that a connection has named when it closes.
        drop(thief);
    }
    viewer.show_sign_of_life();
    assert_eq!(viewer.response().status, 200, "the session must stand");
    let mut last = viewer.next_rtp().sequence_number();
    for _ in 0..25 {
        let next = viewer.next_rtp().sequence_number();
        assert_eq!(next, last.wrapping_add(1), "packets are missing");
        last = next;
    }
    assert_eq!(server.viewers(), 1);
}

/// A camera that only `most` may watch at a time.
fn limited(most: u32) -> Config {
    Config {
        streams: vec![StreamConfig {
            max_viewers: Some(most),
            ..config().streams[0].clone()
        }],
        ..config()
    }
}

/// SETUP and PLAY, and the answer to whichever is refused.
fn try_to_watch(mut client: RtspClient) -> (u16, RtspClient) {
    assert_eq!(client.describe().status, 200);
    let answer = client.setup().status;
    if answer != 200 {
        return (answer, client);
    }
    (client.play().status, client)
}

const FULL: u16 = 453;

#[test]
fn one_more_than_may_watch_is_refused_until_one_leaves() {
    let server = start(&limited(2));
    let watch = || try_to_watch(RtspClient::connect(&server));
    let (first, second) = (watch(), watch());
    assert_eq!((first.0, second.0), (200, 200));
    let (status, mut third) = watch();
    assert_eq!(status, FULL);
    wait_for_viewers(&server, 2);
    // Who watches may ask again.
    let mut second = second.1;
    assert_eq!(second.play().status, 200);
    assert_eq!(second.request("TEARDOWN", &[]).status, 200);
    wait_for_viewers(&server, 1);
    assert_eq!((third.setup().status, third.play().status), (200, 200));
    assert_eq!(watch().0, FULL);
    // A lost connection makes room as well.
    drop(first);
    wait_for_viewers(&server, 1);
    assert_eq!(watch().0, 200);
}

#[test]
fn of_those_who_play_at_once_no_more_get_in_than_may() {
    const MOST: u32 = 5;
    let server = start(&limited(MOST));
    let ready = |_| {
        let mut client = RtspClient::connect(&server);
        assert_eq!((client.describe().status, client.setup().status), (200, 200));
        client
    };
    let clients: Vec<_> = (0..20).map(ready).collect();
    let start = std::sync::Barrier::new(clients.len());
    let played = std::thread::scope(|scope| {
        let play = |mut client: RtspClient| {
            start.wait();
            (client.play().status, client)
        };
        let players: Vec<_> = clients
            .into_iter()
            .map(|client| scope.spawn(move || play(client)))
            .collect();
        let players = players.into_iter();
        players
            .map(|player| player.join().expect("it is answered"))
            .collect::<Vec<_>>()
    });
    let answered = |status| played.iter().filter(|(answer, _)| *answer == status).count();
    assert_eq!((answered(200), answered(FULL)), (5, 15));
    wait_for_viewers(&server, 5);
}

#[test]
fn the_server_has_no_more_viewers_than_it_may() {
    let camera = |path: &str| StreamConfig {
        mounts: vec![mount(path)],
        ..config().streams[0].clone()
    };
    let server = start(&Config {
        max_viewers: Some(2),
        streams: vec![camera("/1"), camera("/2")],
        ..config()
    });
    let watch = |path: &str| try_to_watch(RtspClient::connect(&server).at(path));
    let (first, second) = (watch("/1"), watch("/2"));
    assert_eq!((first.0, second.0), (200, 200));
    assert_eq!((watch("/1").0, watch("/2").0), (FULL, FULL));
    drop(first);
    wait_for_viewers(&server, 1);
    assert_eq!(watch("/2").0, 200);
}

#[test]
fn each_path_of_a_shared_picture_has_its_own_limit() {
    let server = start(&Config {
        streams: vec![StreamConfig {
            mounts: ["/1", "/2"].map(mount).into(),
            max_viewers: Some(1),
            ..config().streams[0].clone()
        }],
        ..config()
    });
    let watch = |path: &str| try_to_watch(RtspClient::connect(&server).at(path));
    let watching = ["/1", "/2"].map(watch);
    assert_eq!(watching.each_ref().map(|(status, _)| *status), [200, 200]);
    assert_eq!(["/1", "/2"].map(|path| watch(path).0), [FULL, FULL]);
    wait_for_viewers(&server, 2);
}

#[test]
fn a_viewer_who_reads_too_slowly_is_sent_away() {
    // In each second of the stream fit more bytes than this one reads, whatever the system keeps for it in between.
    let server = start(&Config {
        session_timeout: 5,
        ..common::config_of_large_pictures()
    });
    let mut slow = RtspClient::watch(&server);
    wait_for_viewers(&server, 1);
    let begun = std::time::Instant::now();
    while server.viewers() > 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "the slow viewer still counts"
        );
        // It may have been sent away by now.
        let _ = slow.next_packet();
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What the server says of `client`, if it plays.
fn status(server: &Server, client: &RtspClient) -> Option<ViewerStatus> {
    let session = client.session().expect("a session");
    let stream = server.roster().get().streams()[0].status();
    let mut viewers = stream.viewers.into_iter();
    viewers.find(|viewer| viewer.viewer.session == session)
}

/// What `client` has been sent, as the server says.
fn sent(server: &Server, client: &RtspClient) -> SentStatus {
    status(server, client)
        .map(|status| status.sent)
        .unwrap_or_default()
}

/// Of so many packets.
fn size(packets: &[Interleaved]) -> SentStatus {
    SentStatus {
        packets: packets.len() as u64,
        bytes: packets.iter().map(|packet| packet.data.len() as u64).sum(),
    }
}

#[test]
fn what_a_viewer_is_sent_is_counted_as_it_comes() {
    let server = start(&config());
    for by in By::ALL {
        let mut player = Player::ready(&server, by, &[0]);
        assert_eq!(sent(&server, &player.client), SentStatus::default(), "{by:?}");
        let (_, first) = player.play();
        let mut came: Vec<_> = first.into_values().collect();
        came.extend(player.pictures(20));
        wait_until("all that came is counted", || {
            sent(&server, &player.client).packets >= 21
        });
        // More is on its way all the time: what is counted is compared to as many packets as that, the first ones.
        wait_until("nothing but that is", || {
            let sent = sent(&server, &player.client);
            let count = usize::try_from(sent.packets).expect("few packets");
            came.extend(player.pictures(count.saturating_sub(came.len())));
            size(&came[..count]) == sent
        });
        let numbers = came.windows(2);
        let gaps =
            numbers.filter(|pair| pair[0].sequence_number().wrapping_add(1) != pair[1].sequence_number());
        assert_eq!(gaps.count(), 0, "{by:?}");
        let before = sent(&server, &player.client).packets;
        player.pause();
        player.play();
        let again = player.pictures(20).len() as u64;
        wait_until("it is counted on after a pause", || {
            sent(&server, &player.client).packets > before + again
        });
        assert_eq!(player.client.request("TEARDOWN", &[]).status, 200);
    }
}

#[test]
fn what_a_viewer_is_sent_by_multicast_is_counted() {
    let mut config = config();
    let group = Ipv4Addr::new(239, 1, 1, 7);
    let [free, _] = two_sockets().map(|socket| port(&socket));
    config.streams[0].transports.insert(config::Transport::Multicast);
    config.multicast = Some(Multicast {
        groups: Groups {
            first: group,
            last: group,
        },
        ports: PortRange {
            first: free.next_multiple_of(2),
            last: free.next_multiple_of(2) + 1,
        },
        ttl: 1,
    });
    let server = start(&config);
    let mut client = RtspClient::connect(&server);
    client.describe();
    assert_eq!(client.setup_over("RTP/AVP;multicast").status, 200);
    assert_eq!(client.play().status, 200);
    wait_until("packets are counted", || sent(&server, &client).packets > 20);
}

/// A receiver report (RFC 3550) on `source`: a quarter of the packets lost, three in all, and 10 ms of jitter at 90 kHz.
fn receiver_report(source: [u8; 4]) -> Vec<u8> {
    let words = [7, u32::from_be_bytes(source), 0x4000_0003, 1234, 900, 0, 0];
    let body = words.into_iter().flat_map(u32::to_be_bytes);
    [0x81, 201, 0, 7].into_iter().chain(body).collect()
}

/// Waits until that is what the server knows of the receiver of the picture.
#[track_caller]
fn wait_for_report(server: &Server, client: &RtspClient) {
    wait_until("the report is read", || {
        let viewer = status(server, client).expect("it plays");
        viewer.reports.iter().any(|report| {
            (report.medium, report.packets_lost) == (Medium::Picture, 3)
                && (report.fraction_lost, report.jitter_seconds) == (0.25, Some(0.01))
        })
    });
}

#[test]
fn what_a_viewer_reports_over_tcp_is_known() {
    let server = start(&config());
    let mut client = RtspClient::watch(&server);
    let packet = client.next_rtp();
    let report = receiver_report(packet.data[8..12].try_into().expect("an SSRC"));
    wait_for_viewers(&server, 1);
    let viewer = status(&server, &client).expect("it plays");
    assert!(viewer.reports.is_empty());
    let length = u8::try_from(report.len()).expect("a short one");
    client.send_raw(&[&[b'$', 1, 0, length], report.as_slice()].concat());
    wait_for_report(&server, &client);
}

#[test]
fn what_a_viewer_reports_over_udp_is_known() {
    let server = start(&config());
    let mut client = RtspClient::connect(&server);
    let [media, control] = two_sockets();
    let ports = format!("{}-{}", port(&media), port(&control));
    client.describe();
    let answer = client.setup_over(&format!("RTP/AVP;unicast;client_port={ports}"));
    let transport = answer.header("Transport").expect("a transport");
    let ports = transport.split("server_port=").nth(1).expect("ports");
    let to = ports.split(['-', ';']).nth(1).expect("two of them");
    assert_eq!(client.play().status, 200);
    let mut packet = [0; 2000];
    media.recv(&mut packet).expect("packets come");
    let report = receiver_report(packet[8..12].try_into().expect("an SSRC"));
    let to = (Ipv4Addr::LOCALHOST, to.parse().expect("a port"));
    control.send_to(&report, to).expect("it goes");
    wait_for_report(&server, &client);
}
