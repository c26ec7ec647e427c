//! A server with many viewers, and with many who come and go: each gets its picture at once, and what they took of memory,
//! descriptors and threads comes back.
//!
//! `scripts/soak.sh` runs it at full size. Variables set the size:
//!
//! | variable | what | default |
//! | --- | --- | --- |
//! | `CROWD_VIEWERS` | viewers of one stream at once | 50 |
//! | `CROWD_STREAMS` | streams with one viewer each | 20 |
//! | `CROWD_CYCLES` | viewers who come and go | 300 |

mod listeners;

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use listeners::Listeners;
use rtsp_clock_server::ffi::process::raise_descriptor_limit;

use crate::common::{
    Interleaved, RtspClient,
    burden::{Recovery, alone, assert_ends_without_bugs, size, start_burdened},
    config,
    footprint::Footprint,
    holds_within,
    process::Process,
    start, wait_until,
};

/// glibc's malloc keeps for each thread some of what it held once.
const RECOVERY: Recovery = Recovery {
    time: Duration::from_mins(1),
    memory: 8 * 1024,
};
/// What each viewer is to have got.
const PACKETS: u64 = 50;

/// A server whose cameras are at these paths, run by nobody but the test.
struct Scene {
    process: Process,
    paths: Vec<String>,
}

impl Scene {
    fn set(streams: usize) -> Self {
        let process = start_burdened(|command| {
            command
                .env("RTSP_VIDEO_RESOLUTION", "320x240")
                .env("RTSP_FPS", "25")
                .env("RTSP_STREAM_PATH", "/cam/{n}")
                .env("RTSP_COUNT", streams.to_string());
        });
        let paths = (1..=streams).map(|number| format!("/cam/{number}")).collect();
        Self { process, paths }
    }

    fn watch(&self, path: &str) -> RtspClient {
        RtspClient::connect_port(self.process.port()).at(path).watching()
    }

    /// So many who have set up the streams, shared out among them.
    fn ready(&self, viewers: usize) -> Vec<(RtspClient, String)> {
        let paths = self.paths.iter().cycle().take(viewers);
        let ready = paths.map(|path| {
            let mut client = RtspClient::connect_port(self.process.port()).at(path);
            assert_eq!(client.describe().status, 200, "DESCRIBE {path}");
            assert_eq!(client.setup().status, 200, "SETUP {path}");
            (client, format!("rtsp://127.0.0.1:{}{path}", self.process.port()))
        });
        ready.collect()
    }

    /// So many viewers at once, shared out among the streams; they have left when it returns.
    #[track_caller]
    fn fill(&self, viewers: usize) {
        let began = Instant::now();
        let listeners = Listeners::new();
        let mut ready = self.ready(viewers);
        // One after the other, each would have a key picture of its own.
        for (client, url) in &mut ready {
            client.send("PLAY", url, &[]);
        }
        for (mut client, url) in ready {
            assert_eq!(client.response().status, 200, "PLAY {url}");
            listeners.add(client, &url);
        }
        let joined = began.elapsed();
        let packets = || listeners.tallies().iter().map(|tally| tally.packets).min();
        let all_see = holds_within(RECOVERY.time, || packets() >= Some(PACKETS));
        let tallies = listeners.tallies();
        assert!(all_see, "somebody has got {:?} packets only", packets());
        let sum: u64 = tallies.iter().map(|tally| tally.packets).sum();
        println!(
            "{viewers} viewers joined within {joined:?} and got {sum} packets; {:?}",
            self.footprint()
        );
        for tally in tallies {
            assert!(tally.lost == 0 && !tally.has_ended, "{tally:?}");
        }
    }

    fn footprint(&self) -> Footprint {
        Footprint::of(self.process.id())
    }

    /// Nothing was done that only a bug in the server can do.
    #[track_caller]
    fn assert_quiet(self) {
        assert_ends_without_bugs(self.process, &["ERROR"]);
    }
}

#[test]
fn many_viewers_of_one_stream_leave_no_trace() {
    let _alone = alone();
    let viewers = size("CROWD_VIEWERS", 50);
    raise_descriptor_limit().expect("it can be raised");
    let scene = Scene::set(1);
    // All of them once: GLib before 2.76 keeps for itself what it allocated in small slices, some 10 KB a viewer.
    scene.fill(viewers);
    let before = RECOVERY.before(&scene.process);
    scene.fill(viewers);
    RECOVERY.assert_of(&scene.process, before);
    scene.assert_quiet();
}

#[test]
fn many_streams_leave_no_trace() {
    let _alone = alone();
    let streams = size("CROWD_STREAMS", 20);
    let scene = Scene::set(streams);
    // Each once: what a thread's share of malloc's memory grows to shows in the first round.
    scene.fill(streams);
    let before = RECOVERY.before(&scene.process);
    scene.fill(streams);
    RECOVERY.assert_of(&scene.process, before);
    scene.assert_quiet();
}

#[test]
fn those_who_come_and_go_leave_no_trace() {
    let _alone = alone();
    let cycles = size("CROWD_CYCLES", 300);
    let scene = Scene::set(1);
    come_and_go(&scene, 50);
    let before = RECOVERY.before(&scene.process);
    let began = Instant::now();
    // The pipeline starts anew for each.
    come_and_go(&scene, cycles / 2);
    let listeners = Listeners::new();
    let url = format!("rtsp://127.0.0.1:{}{}", scene.process.port(), scene.paths[0]);
    listeners.add(scene.watch(&scene.paths[0]), &url);
    // It goes on for the one who stays.
    come_and_go_at_once(&scene, cycles - cycles / 2, 10);
    let stayed = listeners.tallies()[0];
    drop(listeners);
    println!("{cycles} came and went within {:?}", began.elapsed());
    assert!(stayed.lost == 0 && !stayed.has_ended, "{stayed:?}");
    RECOVERY.assert_of(&scene.process, before);
    scene.assert_quiet();
}

/// One after the other; every second one says that it leaves.
fn come_and_go(scene: &Scene, cycles: usize) {
    for cycle in 0..cycles {
        let mut client = scene.watch(&scene.paths[0]);
        if cycle % 2 == 0 {
            assert_eq!(client.request("TEARDOWN", &[]).status, 200);
        }
    }
}

/// As [`come_and_go`], in so many places at once: they share key pictures, which do not come more often for more of them.
fn come_and_go_at_once(scene: &Scene, cycles: usize, places: usize) {
    std::thread::scope(|scope| {
        for place in 0..places {
            scope.spawn(move || come_and_go(scene, (cycles + place) / places));
        }
    });
}

/// 250 ms in H.264's clock.
const KEY_PICTURE_INTERVAL: u32 = 22_500;
/// 40 ms.
const FRAME_PERIOD: u32 = 3_600;
/// A second. The camera makes key pictures of its own every 40.
const AT_ONCE: u32 = 90_000;

#[test]
fn each_of_a_crowd_gets_a_key_picture_at_once_and_they_share_it() {
    const ROUNDS: usize = 5;
    const AT_A_TIME: usize = 10;
    let _alone = alone();
    let server = start(&config());
    let mut first = RtspClient::watch(&server);
    let begin = first.next_rtp().rtp_time();
    let is_over = AtomicBool::new(false);
    let (keys, end) = std::thread::scope(|scope| {
        let witness = scope.spawn(|| {
            let (mut keys, mut now) = (BTreeSet::new(), begin);
            while !is_over.load(Ordering::Relaxed) {
                let packet = first.next_rtp();
                now = packet.rtp_time();
                keys.extend(packet.is_key().then_some(now.wrapping_sub(begin)));
            }
            (keys, now)
        });
        for _ in 0..ROUNDS {
            let round: Vec<_> = (0..AT_A_TIME)
                .map(|_| scope.spawn(|| wait_for_key(&server)))
                .collect();
            for viewer in round {
                let waited = viewer.join().expect("it sees a key picture");
                assert!(waited < AT_ONCE, "it came {waited} ticks after the first packet");
            }
        }
        is_over.store(true, Ordering::Relaxed);
        witness.join().expect("it watches")
    });
    let time = end.wrapping_sub(begin);
    println!(
        "{} key pictures in {time} ticks for {} viewers",
        keys.len(),
        ROUNDS * AT_A_TIME
    );
    // Requests keep their distance, and the picture that answers one is the next that the camera makes. Besides, there are
    // the one that comes at once, and the camera's own first one.
    let most = (time + FRAME_PERIOD) / KEY_PICTURE_INTERVAL + 2;
    assert!(
        keys.len() <= most as usize,
        "{} key pictures, {most} at most: {keys:?}",
        keys.len()
    );
}

/// How long after a viewer's first packet its first key picture is, in ticks.
fn wait_for_key(server: &rtsp_clock_server::server::Server) -> u32 {
    let mut client = RtspClient::watch(server);
    let packet = client.next_rtp();
    if packet.is_key() {
        return 0;
    }
    let key = client.next_rtp_where("with a key picture", Interleaved::is_key);
    key.rtp_time().wrapping_sub(packet.rtp_time())
}

#[test]
fn a_crowd_is_counted() {
    let _alone = alone();
    let server = start(&config());
    let crowd: Vec<_> = (0..20).map(|_| RtspClient::watch(&server)).collect();
    wait_until("all are counted", || server.viewers() == crowd.len());
    drop(crowd);
    wait_until("all are gone", || server.viewers() == 0);
}
