//! What pictures cost those who play a stream: nothing, whoever looks at however many.

use serde_json::json;

use super::{
    camera,
    decoded::{Preview, fetch},
    sources,
};
use crate::{
    Server,
    common::{RtspClient, wait_until},
};

/// The lowest priority, as `nice` counts.
const LOWEST: i32 = 19;

/// A thread of the server.
#[derive(Debug)]
struct Thread {
    id: String,
    name: String,
    nice: i32,
}

impl Thread {
    /// All that there are; one that ends meanwhile may be left out.
    fn all(server: &Server) -> Vec<Self> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", server.process.id())).expect("it runs");
        let stats = tasks
            .flatten()
            .map(|task| std::fs::read_to_string(task.path().join("stat")));
        stats.flatten().map(|stat| Self::read(&stat)).collect()
    }

    /// Reads a line of `proc_pid_stat(5)`.
    fn read(stat: &str) -> Self {
        let (id, rest) = stat.split_once(" (").expect("a name");
        let (name, rest) = rest.rsplit_once(") ").expect("the end of the name");
        // The third field comes first here, and the nineteenth is the priority.
        let nice = rest.split(' ').nth(16).and_then(|nice| nice.parse().ok());
        Self {
            id: id.into(),
            name: name.into(),
            nice: nice.expect("a number"),
        }
    }

    /// Those of the lowest priority.
    fn lowest(server: &Server) -> Vec<Self> {
        let mut all = Self::all(server);
        all.retain(|thread| thread.nice == LOWEST);
        all
    }
}

#[test]
fn pictures_are_made_at_the_lowest_priority_and_streams_are_not() {
    let own = "clocksrc name=own ! video/x-raw,width=64,height=64,framerate=25/1 \
         ! x264enc tune=zerolatency ! rtph264pay name=pay0";
    let own = json!({ "rtspStreamPath": "/own", "pipeline": own });
    let server = Server::start(&json!({ "streams": [camera(), own] }));
    let _viewer = RtspClient::connect_path(server.process.port(), "/live").watching();
    let before = Thread::all(&server);
    assert!(before.iter().all(|thread| thread.nice < LOWEST), "{before:?}");

    let mut previews = ["live", "own"]
        .map(|id| Preview::open(&server, &format!("/api/v1/streams/{id}/preview.mjpeg?width=32")));
    for preview in &mut previews {
        preview.next().expect("a picture");
    }
    let (lowest, others): (Vec<_>, Vec<_>) = Thread::all(&server)
        .into_iter()
        .partition(|thread| thread.nice == LOWEST);
    let count = |threads: &[Thread], name: &str| threads.iter().filter(|thread| thread.name == name).count();
    // One paints, one decodes, and a decoder may have threads of its own, with the name of who starts them.
    assert_eq!(count(&lowest, "source:src"), 1, "{lowest:?}");
    assert!(count(&lowest, "units:src") >= 1, "{lowest:?}");
    // The streams themselves: one is played, the other runs for who looks. Threads that wait for work keep their last name.
    assert!(count(&others, "source:src") >= 1, "{others:?}");
    assert!(count(&others, "own:src") >= 1, "{others:?}");
    assert_eq!(count(&others, "units:src"), 0, "{others:?}");
    let is_lower = |thread: &Thread| lowest.iter().any(|lower| lower.id == thread.id);
    assert!(!before.iter().any(is_lower), "{before:?} {lowest:?}");

    drop(previews);
    wait_until("their threads have ended", || {
        sources(&server) == 0 && Thread::lowest(&server).is_empty()
    });
    let _other = RtspClient::connect_path(server.process.port(), "/own").watching();
    let lowest = Thread::lowest(&server);
    assert!(lowest.is_empty(), "a stream got one of them: {lowest:?}");
}

/// A server with so many small streams, and the path of the preview with that number of one of them: numbers up to 16 are
/// all of different pictures.
fn small(streams: usize) -> (Server, impl Fn(usize, usize) -> String) {
    let streams: Vec<_> = (0..streams)
        .map(|stream| json!({ "rtspStreamPath": format!("/s{stream}") }))
        .collect();
    let file = json!({ "videoResolution": "160x120", "framesPerSecond": 5, "streams": streams });
    let path = |stream, number| {
        let (fps, width) = (1 + number / 8, 16 + number % 8 * 16);
        format!("/api/v1/streams/s{stream}/preview.mjpeg?fps={fps}&width={width}")
    };
    (Server::start(&file), path)
}

#[test]
fn one_stream_has_no_more_sources_than_it_may() {
    let (server, path) = small(2);
    let mut previews: Vec<_> = (0..16)
        .map(|number| Preview::open(&server, &path(0, number)))
        .collect();
    for preview in &mut previews {
        preview.next().expect("a picture");
    }
    for more in [path(0, 16), "/api/v1/streams/s0/snapshot.jpg".into()] {
        let refused = server.get(&more);
        assert_eq!(refused.status, 503, "{refused:?}");
        assert!(refused.headers.contains_key("retry-after"), "{refused:?}");
        let detail = refused.body["detail"].as_str().expect("a detail");
        assert!(
            detail.contains("16 different pictures of this stream"),
            "{detail}"
        );
    }
    // What is being made already can be had by anybody, and so can others' pictures.
    Preview::open(&server, &path(0, 3)).next().expect("a picture");
    assert_eq!(fetch(&server, "/api/v1/streams/s1/snapshot.jpg").status, 200);
    previews.pop();
    wait_until("there is room again", || {
        fetch(&server, "/api/v1/streams/s0/snapshot.jpg").status == 200
    });
}

#[test]
fn there_are_no_more_sources_than_there_may_be() {
    let (server, path) = small(5);
    let mut previews: Vec<_> = (0..64)
        .map(|number| Preview::open(&server, &path(number / 16, number % 16)))
        .collect();
    for preview in &mut previews {
        preview.next().expect("a picture");
    }
    let refused = server.get("/api/v1/streams/s4/snapshot.jpg");
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.headers.contains_key("retry-after"), "{refused:?}");
    drop(previews);
    wait_until("there is room again", || {
        fetch(&server, "/api/v1/streams/s4/snapshot.jpg").status == 200
    });
}

#[test]
fn previews_of_nearly_the_same_width_are_made_once() {
    let server = Server::start(&camera());
    let mut previews = [161, 170, 176].map(|width| {
        Preview::open(
            &server,
            &format!("/api/v1/streams/live/preview.mjpeg?width={width}"),
        )
    });
    for preview in &mut previews {
        assert_eq!(preview.next().expect("a picture").look().width, 176);
    }
    assert_eq!(sources(&server), 1);
}
