//! Who counts as a viewer, and when no longer.

mod common;

use std::{
    net::{Ipv4Addr, UdpSocket},
    time::Duration,
};

use common::{RtspClient, config, start, wait_for_viewers, wait_for_viewers_within};

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
fn a_silent_udp_viewer_ends_with_its_session() {
    let server = start(&config());
    let sockets = [(); 2].map(|()| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"));
    let [media, control] = sockets
        .each_ref()
        .map(|socket| socket.local_addr().expect("its address").port());
    // Its connection stays open: nothing but the time-out can tell that nobody is there.
    let mut client = RtspClient::connect(&server);
    assert_eq!(client.describe().status, 200);
    let transport = format!("RTP/AVP;unicast;client_port={media}-{control}");
    assert_eq!(client.setup_over(&transport).status, 200);
    assert_eq!(client.play().status, 200);
    wait_for_viewers(&server, 1);
    wait_for_viewers_within(Duration::from_mins(1), &server, 0);
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
