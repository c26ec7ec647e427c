use super::*;

const HERE: &str = "192.0.2.7:5001";

fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

fn session() -> RTSPSession {
    gst::init().unwrap();
    RTSPSession::new("a session")
}

fn report(ssrc: u32) -> Vec<u8> {
    [&[0x80, 201, 0, 1][..], &ssrc.to_be_bytes()].concat()
}

/// A receiver report, a source description and a goodbye, of these SSRCs.
fn compound(ssrcs: [u32; 3]) -> Vec<u8> {
    let [reporter, described, leaving] = ssrcs.map(u32::to_be_bytes);
    let description = [
        &[0x81, 202, 0, 3][..],
        &described,
        &[1, 3, b'a', b'b', b'c', 0, 0, 0],
    ]
    .concat();
    let goodbye = [&[0x81, 203, 0, 1][..], &leaving].concat();
    [&[0x80, 201, 0, 1][..], &reporter, &description, &goodbye].concat()
}

fn senders(packet: &[u8]) -> Option<Vec<u32>> {
    let mut ssrcs = Vec::new();
    rtcp::for_each_sender(packet, |ssrc| ssrcs.push(ssrc)).then_some(ssrcs)
}

#[test]
fn a_compound_packet_names_all_for_whom_it_speaks() {
    assert_eq!(senders(&compound([7, 8, 9])), Some(vec![7, 8, 9]));
    assert_eq!(senders(&report(5)), Some(vec![5]));
}

#[test]
fn what_is_cut_or_no_rtcp_is_none() {
    let whole = compound([7, 8, 9]);
    // Cut between two packets it would be a shorter compound.
    for length in (0..whole.len()).filter(|length| ![8, 24].contains(length)) {
        assert_eq!(senders(&whole[..length]), None, "{length} bytes");
    }
    for wrong in [
        vec![0x80, 96, 0, 0],
        vec![0x40, 201, 0, 1, 0, 0, 0, 7],
        vec![0x81, 202, 0, 1, 0, 0, 0, 7],
    ] {
        assert_eq!(senders(&wrong), None, "{wrong:?}");
    }
}

#[test]
fn only_those_are_heard_who_have_set_it_up_as_long_as_they_are_there() {
    let (receivers, session, now) = (Receivers::default(), session(), Instant::now());
    let judge = |from: &str| receivers.judge(&report(7), Some(at(from)), now);
    assert_eq!(judge(HERE), Err(Unheard::Unknown));
    receivers.expect(&session, Way::Connection(at(HERE)));
    assert_eq!(judge(HERE), Ok(()));
    assert_eq!(judge("192.0.2.7:5002"), Err(Unheard::Unknown));
    assert_eq!(receivers.judge(&report(7), None, now), Err(Unheard::Unknown));
    drop(session);
    assert_eq!(judge(HERE), Err(Unheard::Unknown));
}

#[test]
fn over_udp_another_port_of_the_host_will_do() {
    let (receivers, first, second) = (Receivers::default(), session(), session());
    let host = at(HERE).ip();
    receivers.expect(&first, Way::Udp(host, [5000, 5001]));
    receivers.expect(&second, Way::Multicast(host));
    let now = Instant::now();
    for port in [5000, 5001, 40000] {
        assert_eq!(
            receivers.judge(&report(7), Some((host, port).into()), now),
            Ok(())
        );
    }
    assert_eq!(
        receivers.judge(&report(7), Some(at("192.0.2.8:5001")), now),
        Err(Unheard::Unknown)
    );
}

#[test]
fn a_receiver_has_a_few_ssrcs_and_may_change_them() {
    let (receivers, session, start) = (Receivers::default(), session(), Instant::now());
    receivers.expect(&session, Way::Connection(at(HERE)));
    let judge = |ssrc, seconds| {
        let now = start + Duration::from_secs(seconds);
        receivers.judge(&report(ssrc), Some(at(HERE)), now)
    };
    for ssrc in 0..4 {
        assert_eq!(judge(ssrc, 0), Ok(()));
    }
    assert_eq!(judge(4, 1), Err(Unheard::TooManySsrcs));
    assert_eq!(judge(0, 59), Ok(()));
    assert_eq!([judge(4, 60), judge(0, 61)], [Ok(()), Ok(())]);
}

#[test]
fn a_receiver_is_heard_at_the_pace_of_one() {
    let (receivers, session, start) = (Receivers::default(), session(), Instant::now());
    receivers.expect(&session, Way::Connection(at(HERE)));
    let heard = (0..1000)
        .filter(|_| receivers.hear(&report(7), Some(at(HERE)), start))
        .count();
    assert_eq!(heard, 100);
    let later = start + Duration::from_secs(1);
    let heard = (0..1000)
        .filter(|_| receivers.hear(&report(7), Some(at(HERE)), later))
        .count();
    assert_eq!(heard, 50);
}

#[test]
fn a_report_over_udp_is_a_sign_of_life() {
    let (receivers, session) = (Receivers::default(), session());
    session.set_timeout(1);
    let host = at(HERE).ip();
    receivers.expect(&session, Way::Udp(host, [5000, 5001]));
    let time_left = || session.next_timeout_usec(glib::monotonic_time());
    let before = time_left();
    glib::usleep(2000);
    assert!(receivers.hear(&report(7), Some(at(HERE)), Instant::now()));
    assert!(time_left() + 1 >= before, "{} after {before}", time_left());
}

#[test]
fn of_several_at_one_host_those_who_stay_are_heard() {
    let (receivers, first, second) = (Receivers::default(), session(), session());
    let host = at(HERE).ip();
    for session in [&first, &second] {
        receivers.expect(session, Way::Multicast(host));
    }
    drop(second);
    let judged = receivers.judge(&report(7), Some(at(HERE)), Instant::now());
    assert_eq!(judged, Ok(()));
}

const PICTURE: Source = Source {
    medium: Medium::Picture,
    ssrc: 0x1234_5678,
    clock_rate: Some(90_000),
};
const SOUND: Source = Source {
    medium: Medium::Sound,
    ssrc: 5,
    clock_rate: None,
};

/// A report block on `source`: the share lost of 256, the number lost in all (three bytes), the highest sequence
/// number, the jitter.
fn block(source: u32, lost: [u8; 4], highest: u32, jitter: u32) -> Vec<u8> {
    let words = [source, u32::from_be_bytes(lost), highest, jitter, 0, 0];
    words.into_iter().flat_map(u32::to_be_bytes).collect()
}

/// An RTCP packet of that kind whose head claims `count` blocks.
fn reporting(kind: u8, count: u8, own: &[u8], blocks: &[Vec<u8>]) -> Vec<u8> {
    let body = [&7_u32.to_be_bytes(), own, &blocks.concat()].concat();
    let words = u8::try_from(body.len() / 4).unwrap();
    [&[0x80 | count, kind, 0, words][..], &body].concat()
}

/// The reports that are kept of a session which has sent these packets.
fn reported(packets: &[Vec<u8>]) -> Vec<Report> {
    let (receivers, session) = (Receivers::default(), session());
    receivers.expect(&session, Way::Connection(at(HERE)));
    receivers.send_by(vec![PICTURE, SOUND]);
    for packet in packets {
        receivers.hear(packet, Some(at(HERE)), Instant::now());
    }
    let mut reports = receivers.reports_by_session();
    let of_session = reports.remove("a session").unwrap_or_default();
    assert!(reports.is_empty(), "{reports:?}");
    of_session
}

#[test]
fn what_a_receiver_reports_is_kept_of_each_medium() {
    let both = [
        block(PICTURE.ssrc, [64, 0, 1, 2], 0x1_0003, 900),
        block(SOUND.ssrc, [255, 0xff, 0xff, 0xfe], 9, 8),
    ];
    for packet in [
        reporting(201, 2, &[], &both),
        reporting(200, 2, &[0xff; 20], &both),
    ] {
        let [picture, sound] = reported(&[packet]).try_into().expect("two reports");
        assert_eq!((picture.medium, picture.ssrc), (Medium::Picture, PICTURE.ssrc));
        assert_eq!((picture.fraction_lost, picture.packets_lost), (0.25, 258));
        assert_eq!((picture.highest_sequence, picture.jitter), (0x1_0003, 900));
        assert_eq!((picture.jitter_seconds, sound.jitter_seconds), (Some(0.01), None));
        assert_eq!((sound.medium, sound.packets_lost), (Medium::Sound, -2));
    }
}

#[test]
fn what_is_lost_counts_once_and_on_when_its_reporter_has_gone() {
    let (receivers, session) = (Receivers::default(), session());
    receivers.expect(&session, Way::Connection(at(HERE)));
    receivers.send_by(vec![PICTURE, SOUND]);
    let hear = |lost: [u8; 4], source: Source| {
        let packet = reporting(201, 1, &[], &[block(source.ssrc, lost, 1, 1)]);
        assert!(receivers.hear(&packet, Some(at(HERE)), Instant::now()));
        receivers.lost()
    };
    // The share comes first, and then how many there are so far, which may become less where some come twice.
    assert_eq!(hear([9, 0xff, 0xff, 0xff], PICTURE), 0);
    assert_eq!(hear([9, 0, 0, 5], PICTURE), 5);
    assert_eq!(hear([0, 0, 0, 3], PICTURE), 5);
    assert_eq!(hear([0, 0, 0, 7], PICTURE), 7);
    assert_eq!(hear([9, 0, 0, 2], SOUND), 9);
    drop(session);
    let session = self::session();
    receivers.expect(&session, Way::Connection(at("192.0.2.8:5001")));
    receivers.send_by(vec![SOUND]);
    assert_eq!(receivers.lost(), 9);
}

#[test]
fn the_latest_report_counts() {
    let packet = |jitter| reporting(201, 1, &[], &[block(5, [0; 4], 1, jitter)]);
    let latest = reported(&[packet(1), packet(2)]);
    assert_eq!(latest.iter().map(|report| report.jitter).collect::<Vec<_>>(), [2]);
}

#[test]
fn what_is_reported_of_strangers_or_is_not_there_is_not_kept() {
    let ours = [block(PICTURE.ssrc, [1; 4], 1, 1)];
    for packet in [
        reporting(201, 1, &[], &[block(6, [1; 4], 1, 1)]),
        // The head claims more blocks than there are.
        reporting(201, 2, &[], &ours),
        reporting(201, 31, &[], &ours),
        reporting(201, 1, &[], &[ours[0][..20].to_vec()]),
        reporting(200, 1, &[], &ours),
        reporting(200, 0, &[0; 20], &ours),
        // Another kind of packet.
        reporting(204, 1, &[], &ours),
    ] {
        assert_eq!(reported(std::slice::from_ref(&packet)), [], "{packet:?}");
    }
}

#[test]
fn reports_of_what_is_not_sent_any_more_are_forgotten() {
    let (receivers, session) = (Receivers::default(), session());
    receivers.expect(&session, Way::Connection(at(HERE)));
    receivers.send_by(vec![PICTURE]);
    let packet = reporting(201, 1, &[], &[block(PICTURE.ssrc, [0; 4], 1, 1)]);
    assert!(receivers.hear(&packet, Some(at(HERE)), Instant::now()));
    assert_eq!(receivers.reports_by_session().len(), 1);
    receivers.send_by(vec![SOUND]);
    assert!(receivers.reports_by_session().is_empty());
}
