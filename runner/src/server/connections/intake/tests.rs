use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Intake, Intakes, channels::CurrentChannels};
use crate::stream::receivers::IN_A_ROW;

const REQUEST: &[u8] = b"OPTIONS rtsp://h/live RTSP/1.0\r\nCSeq: 1\r\n\r\n";
/// RTP goes by this channel and RTCP by the next one.
const RTP: u8 = 4;
const RTCP: u8 = 5;

fn intakes() -> (Arc<Intakes>, CurrentChannels) {
    let (all, channels) = <(Arc<Intakes>, CurrentChannels)>::default();
    channels.current().set_up(1, [RTP, RTCP]);
    (all, channels)
}

fn intake() -> Intake {
    let (all, channels) = intakes();
    Intake::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 5000)), &all, &channels)
}

fn packet(channel: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    [&[b'$', channel], &length[..], data].concat()
}

fn receiver_report() -> Vec<u8> {
    packet(RTCP, &[0x80, 201, 0, 1, 0, 0, 0, 7])
}

fn rtp() -> Vec<u8> {
    packet(RTP, &[0x80, 96, 0, 1, 0, 0, 0, 7, b'$', RTCP, 0, 8])
}

/// What passes of what comes in these pieces.
fn passed<'a>(intake: &mut Intake, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut passed = Vec::new();
    for piece in pieces {
        intake.take(piece, Instant::now(), &mut passed);
    }
    passed
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

#[test]
fn requests_and_rtcp_pass_and_rtp_does_not() {
    let comes = [REQUEST, &rtp(), &receiver_report(), &rtp(), REQUEST].concat();
    let expected = [REQUEST, &receiver_report(), REQUEST].concat();
    assert_eq!(text(&passed(&mut intake(), [&comes[..]])), text(&expected));
}

#[test]
fn what_passes_does_not_depend_on_how_it_comes() {
    let body: &[u8] =
        b"SET_PARAMETER rtsp://h/ RTSP/1.0\r\nCSeq: 2\r\ncontent-LENGTH : 12\r\n\r\n$\x04\0\x08barrier:";
    let folded: &[u8] = b"OPTIONS * RTSP/1.0\nCSeq:\n 3\n\nTEARDOWN * RTSP/1.0\rCSeq: 4\r\r\r\n";
    let comes = [REQUEST, &rtp(), body, &receiver_report(), folded, &rtp(), REQUEST].concat();
    let expected = [REQUEST, body, &receiver_report(), folded, REQUEST].concat();
    for size in 1..comes.len() {
        let passed = passed(&mut intake(), comes.chunks(size));
        assert_eq!(text(&passed), text(&expected), "in pieces of {size} bytes");
    }
}

/// gst-rtsp-server loses the end of a line that comes without what follows it, but for the end of a whole CR LF.
#[test]
fn the_end_of_a_line_waits_for_what_follows() {
    for (comes, expected) in [
        ("A\r", "A"),
        ("A\r\n", "A\r\n"),
        ("A\r\nB\r", "A\r\nB"),
        ("A\r\n\r", "A\r\n\r"),
        ("A\n", "A"),
        ("A\nB", "A\nB"),
        ("A\n\n", "A\n\n"),
    ] {
        let passed = passed(&mut intake(), [comes.as_bytes()]);
        assert_eq!(text(&passed), text(expected.as_bytes()), "{comes:?}");
    }
}

#[test]
fn what_is_no_rtcp_of_a_medium_that_is_set_up_does_not_pass() {
    for wrong in [
        packet(RTCP, &[]),
        packet(RTCP, &[0x80]),
        packet(RTCP, &[0x80, 201, 0, 1]),
        packet(RTCP, &[0x40, 201, 0, 1, 0, 0, 0, 7]),
        packet(RTCP, &[0x80, 96, 0, 1, 0, 0, 0, 7]),
        packet(RTCP, &[0x80, 201].repeat(1000)),
        packet(RTP, &[0x80, 201, 0, 1, 0, 0, 0, 7]),
        packet(77, &[0x80, 201, 0, 1, 0, 0, 0, 7]),
    ] {
        let comes = [&wrong, REQUEST].concat();
        assert_eq!(
            text(&passed(&mut intake(), [&comes[..]])),
            text(REQUEST),
            "{}",
            text(&wrong)
        );
    }
}

#[test]
fn a_flood_of_rtcp_is_thinned() {
    let (mut intake, start) = (intake(), Instant::now());
    let flood = receiver_report().repeat(1000);
    let mut count_at = |seconds| {
        let mut passed = Vec::new();
        intake.take(&flood, start + Duration::from_secs(seconds), &mut passed);
        passed.len() / receiver_report().len()
    };
    assert_eq!(
        [count_at(0), count_at(0), count_at(1)],
        [IN_A_ROW as usize, 0, 50]
    );
}

#[test]
fn channels_that_are_set_up_anew_carry_what_they_do_now() {
    let (all, current) = intakes();
    let channels = current.current();
    let mut intake = Intake::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 5000)), &all, &current);
    let mut pass = |channel| !passed(&mut intake, [&packet(channel, &receiver_report()[4..])[..]]).is_empty();
    assert!(pass(5));
    channels.set_up(1, [2, 3]);
    assert_eq!([pass(5), pass(3)], [false, true]);
    // What carries RTP now carries no RTCP any more, and the other way round.
    channels.set_up(2, [3, 9]);
    assert_eq!([pass(3), pass(9)], [false, true]);
    channels.set_up(3, [8, 8]);
    assert!(!pass(8));
}

#[test]
fn a_tunnel_is_read_through_and_has_the_channels_of_both_its_ways() {
    let (all, _) = intakes();
    let own = CurrentChannels::default();
    let mut intake = Intake::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 5000)), &all, &own);
    let post: &[u8] = b"POST /live HTTP/1.0\r\nX-SessionCookie: abc\r\nContent-Length: 32767\r\n\r\n";
    all.tunnels().of(c"abc").set_up(1, [RTP, RTCP]);
    let clear = [REQUEST, &rtp(), &receiver_report()].concat();
    let comes = [
        post,
        STANDARD.encode(REQUEST).as_bytes(),
        STANDARD.encode(&clear).as_bytes(),
    ]
    .concat();
    let expected = [REQUEST, REQUEST, &receiver_report()].concat();
    for size in [1, 3, 4, 5, comes.len()] {
        // The tunnel's channels are kept as long as a connection has them.
        let channels = all.tunnels().of(c"abc");
        channels.set_up(1, [RTP, RTCP]);
        let passed = passed(&mut intake, comes.chunks(size));
        let (head, coded) = passed.split_at(post.len());
        assert_eq!(text(head), text(post));
        let decoded: Vec<u8> = coded
            .chunks(4)
            .flat_map(|group| STANDARD.decode(group).unwrap())
            .collect();
        assert_eq!(text(&decoded), text(&expected), "in pieces of {size} bytes");
        intake = Intake::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 5000)), &all, &own);
    }
}

#[test]
fn what_comes_by_the_way_from_the_server_means_nothing() {
    let get: &[u8] = b"GET /live HTTP/1.0\r\nx-sessioncookie: abc\r\n\r\n";
    let comes = [get, REQUEST, &rtp()].concat();
    assert_eq!(text(&passed(&mut intake(), [&comes[..]])), text(get));
}

/// gst-rtsp-server ends such a connection.
#[test]
fn nothing_passes_behind_a_body_that_is_too_long() {
    for length in ["65537", "-1", "99999999999999999999"] {
        let head = format!("OPTIONS * RTSP/1.0\r\nContent-Length: {length}\r\n\r\n");
        let comes = [head.as_bytes(), REQUEST].concat();
        assert_eq!(text(&passed(&mut intake(), [&comes[..]])), text(head.as_bytes()));
    }
}

/// Where gst-rtsp-server sees the end of a head that we do not, RTP would come behind it.
#[test]
fn nothing_passes_behind_what_no_client_writes() {
    for strange in [
        &b"\0\r\nX"[..],
        b"OPTIONS * RTSP/1.0\r\n\0\0\r\nX",
        b"OPTIONS * RTSP/1.0\r\n\0Content-Length: 50\r\n\r\n",
        b"OPTIONS * RTSP/1.0\nCSeq: 1\n\r\nX",
        b"OPTIONS * RTSP/1.0\nCSeq: 1\n\rX",
        b"OPTIONS * RTSP/1.0\r\n\x0cContent-Length: 60000\r\n\r\n",
    ] {
        let comes = [strange, &rtp(), &receiver_report(), REQUEST].concat();
        let passed = passed(&mut intake(), [&comes[..]]);
        assert!(
            strange.starts_with(&passed),
            "{}: {}",
            text(strange),
            text(&passed)
        );
    }
}

#[test]
fn a_length_is_that_of_the_first_header_that_has_one() {
    for head in [
        "A * RTSP/1.0\r\nContent-Length:\r\nContent-Length: 12\r\n\r\n".to_owned(),
        "A * RTSP/1.0\r\nContent-Length : +12x\r\nContent-Length: 60000\r\n\r\n".to_owned(),
        "A * RTSP/1.0\r\nA: b\r\n\r Content-Length: 60000\r\nContent-Length: 12\r\n\r\n".to_owned(),
        // A line that is too long ends where gst-rtsp-server ends it.
        format!(
            "A * RTSP/1.0\r\nContent-Length:{}60000\r\nContent-Length: 12\r\n\r\n",
            "\r\n ".repeat(2040)
        ),
    ] {
        let comes = [head.as_bytes(), b"$\x04\0\x08barrier:", &rtp(), REQUEST].concat();
        let expected = [head.as_bytes(), b"$\x04\0\x08barrier:", REQUEST].concat();
        assert_eq!(text(&passed(&mut intake(), [&comes[..]])), text(&expected));
    }
}

#[test]
fn a_tunnel_is_opened_however_it_is_written() {
    for open in [
        "post /live http/1.0\r\nX-SESSIONCOOKIE: abc\r\n\r\n",
        "Post /live Http/1.1\r\nx-sessioncookie:abc\r\n\r\n",
    ] {
        let comes = [open.as_bytes(), STANDARD.encode(rtp()).as_bytes()].concat();
        assert_eq!(text(&passed(&mut intake(), [&comes[..]])), text(open.as_bytes()));
    }
}
