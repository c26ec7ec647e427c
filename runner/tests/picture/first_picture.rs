//! What a viewer gets first shows now, and RTCP says so.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use crate::common::{
    Interleaved, RtspClient,
    burden::size,
    config, instant_of, milliseconds_between,
    player::{By, Player},
    start,
};

/// A frame period of the test's camera and what a busy machine may add; what a gap would add is seconds.
const NOW: Duration = Duration::from_millis(500);

/// Half a frame period of the test's camera, in ms.
const HALF_A_PERIOD: f64 = 20.0;

/// Plays, and answers how old the first packet's picture was when PLAY was sent, and whether it was a key picture's.
fn first_picture(client: &mut RtspClient) -> (f64, bool) {
    let asked = SystemTime::now();
    assert_eq!(client.play().status, 200);
    let first = client.next_rtp();
    let (_, report) = client.until_sender_report();
    (
        milliseconds_between(instant_of(first.rtp_time(), report), asked),
        first.is_key(),
    )
}

#[test]
fn a_play_long_after_the_setup_starts_with_a_key_picture_of_now() {
    let server = start(&config());
    let mut client = RtspClient::connect(&server);
    assert_eq!(client.describe().status, 200);
    assert_eq!(client.setup().status, 200);
    std::thread::sleep(Duration::from_millis(10_500));
    let (age, is_key) = first_picture(&mut client);
    assert!(
        age < NOW.as_secs_f64() * 1e3,
        "the first picture was {age} ms old"
    );
    assert!(is_key, "the first packet must start a key picture");
}

#[test]
fn a_play_long_after_a_pause_starts_with_a_picture_of_now() {
    let server = start(&config());
    let mut client = RtspClient::watch(&server);
    client.next_rtp();
    assert_eq!(client.request("PAUSE", &[]).status, 200);
    std::thread::sleep(Duration::from_secs(2));
    let (age, _) = first_picture(&mut client);
    assert!(
        age < NOW.as_secs_f64() * 1e3,
        "the first picture was {age} ms old"
    );
}

#[test]
fn a_viewer_who_joins_gets_a_key_picture_of_its_own() {
    let server = start(&config());
    let mut first = RtspClient::watch(&server);
    // A second past the key pictures of the first viewer's PLAY; the camera makes no others for ten.
    let begin = first.next_rtp().rtp_time();
    first.next_rtp_where("a second later", |packet| {
        packet.rtp_time().wrapping_sub(begin) > 90_000
    });
    let mut second = RtspClient::watch(&server);
    let joined = second.next_rtp().rtp_time();
    let key = second
        .next_rtp_where("with a key picture", Interleaved::is_key)
        .rtp_time();
    assert!(
        key.wrapping_sub(joined) < 90_000,
        "the key picture came {} ticks after the first",
        key.wrapping_sub(joined)
    );
}

#[test]
fn a_packet_leaves_at_its_instant() {
    let server = start(&config());
    let mut client = RtspClient::watch(&server);
    let (mut packets, mut report) = client.until_sender_report();
    // The first report may come so soon that there is nothing to choose the best from.
    while packets.len() <= 20 {
        let (more, next) = client.until_sender_report();
        packets.extend(more);
        report = next;
    }
    let mut delays: Vec<f64> = packets
        .iter()
        .map(|packet| milliseconds_between(instant_of(packet.rtp_time(), report), packet.arrival))
        .collect();
    delays.sort_by(f64::total_cmp);
    let median = delays[delays.len() / 2];
    println!(
        "PTS to arrival: {:.2} ms at best, {median:.2} ms median",
        delays[0]
    );
    // The best of many packets shows the pipeline and not the machine: held up by a latency, it would be late as well.
    assert!(
        delays[0] > -1.0,
        "a packet came {} ms before its instant",
        -delays[0]
    );
    assert!(
        delays[0] < HALF_A_PERIOD,
        "no packet came sooner than {} ms after its instant",
        delays[0]
    );
}

/// What a viewer gets first who joins, and after a pause, is a key picture.
#[track_caller]
fn assert_begins_with_a_key_picture(what: &str, mut player: Player) {
    for time in ["once", "after a pause"] {
        let (_, first) = player.play();
        assert!(
            first[&0].is_key(),
            "{what}: {time} the first packet is of another picture"
        );
        player.pause();
    }
}

#[test]
fn whoever_joins_others_begins_with_a_key_picture() {
    let joins = size("FIRST_PICTURE_JOINS", 50);
    let server = start(&config());
    let watching = RtspClient::watch(&server);
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let reader = std::thread::spawn(move || {
        let mut watching = watching;
        while !stopped.load(Ordering::Relaxed) {
            watching.next_rtp();
        }
    });
    for join in 0..joins / 2 {
        let by = By::ALL[join % By::ALL.len()];
        let player = Player::ready(&server, by, &[0]);
        assert_begins_with_a_key_picture(&format!("join {join}, {by:?}"), player);
    }
    stop.store(true, Ordering::Relaxed);
    reader.join().expect("it is watched all the time");
    println!("{joins} of {joins} joins began with a key picture");
}
