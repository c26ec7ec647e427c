//! Several cameras in one server: what the configuration makes of `streams`, and what viewers get.

use std::{
    net::{Ipv4Addr, TcpListener},
    time::Duration,
};

use rtsp_clock_probe::{Options, Outcome, Transport};
use rtsp_clock_server::{
    config::{Config, Mount, Stamp, StreamConfig, look::Look},
    server::Server,
};

use crate::common::{self, measure, mount, start, target, wait_for_viewers};

const FRAMES: u64 = 20;

/// A camera at `path` whose pictures say that they are its own.
fn camera(path: &str, stamp_id: u32) -> StreamConfig {
    StreamConfig {
        mounts: vec![mount(path)],
        look: Look {
            stamp: Stamp::Qr,
            stamp_id,
            ..Look::default()
        },
        ..common::config().streams[0].clone()
    }
}

fn cameras(streams: Vec<StreamConfig>) -> Config {
    Config {
        streams,
        ..common::config()
    }
}

/// Plays all URLs of `server` side by side.
fn play(server: &Server) -> Outcome {
    let targets: Vec<_> = server.urls().iter().map(|url| target(url)).collect();
    measure(&Options {
        targets: targets.clone(),
        transport: Transport::Tcp,
        frames: Some(FRAMES),
        duration: Some(common::PATIENCE),
        ..Options::of(targets[0].clone())
    })
}

/// The stamp's stream and viewers, of each URL.
fn said(outcome: &Outcome) -> Vec<(Option<u32>, Option<u32>)> {
    assert!(outcome.is_good(), "{:?}", outcome.measurement.streams);
    let streams = outcome.measurement.streams.iter();
    streams.map(|stream| (stream.stream_id, stream.viewers)).collect()
}

#[test]
fn each_path_has_its_own_camera() {
    let server = start(&cameras(vec![
        camera("/1", 1),
        camera("/2/front", 2),
        camera("/2", 3),
    ]));
    let ones = [1, 2, 3].map(|id| (Some(id), Some(1)));
    assert_eq!(said(&play(&server)), ones);
}

#[test]
fn each_port_has_its_own_camera() {
    // Where no other test takes the port before the server does.
    const ALONE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 80);
    let free = TcpListener::bind((ALONE, 0)).expect("a free port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let at = |port: u16, stamp_id: u32| StreamConfig {
        mounts: vec![Mount {
            address: ALONE.into(),
            port,
            tls: false,
            path: "/live".into(),
        }],
        ..camera("/live", stamp_id)
    };
    let server = start(&cameras(vec![at(0, 1), at(port, 2)]));
    assert_eq!(server.urls().len(), 2);
    assert_eq!(said(&play(&server)), [(Some(1), Some(1)), (Some(2), Some(1))]);
}

#[test]
fn a_shared_picture_shows_the_viewers_of_all_its_paths() {
    let shared = StreamConfig {
        mounts: ["/1", "/2", "/3"].map(mount).into(),
        ..camera("/1", 9)
    };
    let server = start(&cameras(vec![shared]));
    let outcome = play(&server);
    let shown = said(&outcome);
    assert!(shown.iter().all(|(id, _)| *id == Some(9)), "{shown:?}");
    assert!(shown.contains(&(Some(9), Some(3))), "{shown:?}");
    let first = |index: usize| &outcome.evidence[index].samples;
    let instants: Vec<_> = first(0).iter().map(|sample| sample.stamp).collect();
    let same = first(1)
        .iter()
        .filter(|sample| instants.contains(&sample.stamp))
        .count();
    assert!(
        same > 5,
        "{same} pictures of the second path were also the first's"
    );
}

#[test]
fn a_camera_that_is_always_on_runs_before_anybody_looks() {
    let always = StreamConfig {
        always_on: true,
        ..camera("/live", 4)
    };
    let server = start(&cameras(vec![always]));
    let first_frame = || {
        let outcome = play(&server);
        assert_eq!(said(&outcome), [(Some(4), Some(1))]);
        wait_for_viewers(&server, 0);
        let samples = &outcome.evidence[0].samples;
        let first = samples.first().and_then(|sample| sample.stamp);
        first.unwrap_or_else(|| panic!("{samples:?}"))
    };
    let [first, second, third] = [(); 3].map(|()| first_frame());
    assert_eq!(
        (first.run, second.run),
        (third.run, third.run),
        "it never started anew"
    );
    assert!(first.frame < second.frame && second.frame < third.frame);
    // What a viewer gets first is of now, not the picture with which the pipeline began.
    let frames = third.frame - first.frame;
    let time = Duration::from_micros(third.instant.abs_diff(first.instant));
    assert_eq!(u128::from(frames) * 40, time.as_millis());
}
