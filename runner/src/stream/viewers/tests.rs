//! Who counts, who may come, and what is told of it.

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::config::Transport;

fn mount(path: &str, port: u16) -> Mount {
    Mount {
        address: [0, 0, 0, 0].into(),
        port,
        tls: false,
        path: path.into(),
    }
}

fn place(session: &str, path: &str) -> Place {
    Place::new(session.into(), mount(path, 8554))
}

/// Has somebody play there.
fn play(viewers: &Viewers, place: Place) {
    let viewer = Viewer {
        session: place.session.clone(),
        peer: Some(([192, 0, 2, 7], 5000).into()),
        user: None,
        transport: Transport::Udp,
        since: Timestamp::now(),
    };
    viewers.play(place, viewer, None);
}

fn limited(most: u32) -> Viewers {
    Viewers::new(Some(most), Arc::default())
}

fn count_at(viewers: &Viewers, path: &str) -> usize {
    viewers.state.lock().count_beside(&place("", path))
}

#[test]
fn a_session_counts_once_until_it_ends() {
    let viewers = Viewers::default();
    for session in ["a", "a", "b"] {
        play(&viewers, place(session, "/live"));
    }
    assert_eq!(viewers.count(), 2);
    for session in ["a", "a", "never seen"] {
        viewers.leave(&place(session, "/live"), Farewell::Teardown);
    }
    assert_eq!(viewers.count(), 1);
}

#[test]
fn a_session_may_play_the_picture_at_several_paths() {
    let viewers = Viewers::default();
    for (session, path) in [("a", "/1"), ("a", "/2"), ("b", "/2"), ("ab", "/1")] {
        play(&viewers, place(session, path));
    }
    assert_eq!((viewers.count(), count_at(&viewers, "/2")), (4, 2));
    viewers.leave_all("a", Farewell::Disconnected);
    assert_eq!((viewers.count(), count_at(&viewers, "/2")), (2, 1));
}

#[test]
fn a_stream_has_no_more_viewers_at_a_path_than_it_may() {
    let (viewers, server) = (limited(2), Arc::new(Seats::new(None)));
    let admit = |session: &str, path: &str| viewers.admit(&place(session, path), &server);
    assert_eq!((admit("a", "/1"), admit("b", "/1")), (Ok(()), Ok(())));
    play(&viewers, place("a", "/1"));
    // Whoever has a seat keeps it, whether it plays by now or not.
    assert_eq!((admit("a", "/1"), admit("b", "/1")), (Ok(()), Ok(())));
    assert_eq!(admit("c", "/1"), Err(Refusal::StreamFull { most: 2 }));
    assert_eq!(
        viewers.would_admit(&place("c", "/1"), &server),
        Err(Refusal::StreamFull { most: 2 })
    );
    assert_eq!(admit("c", "/2"), Ok(()));
    assert_eq!(viewers.count(), 1);
    viewers.leave_all("b", Farewell::Disconnected);
    assert_eq!(admit("c", "/1"), Ok(()));
}

#[test]
fn the_same_path_of_another_port_is_another_place() {
    let (viewers, server) = (limited(1), Arc::new(Seats::new(None)));
    for port in [8554, 8555] {
        let place = |session: &str| Place::new(session.into(), mount("/live", port));
        assert_eq!(viewers.admit(&place("a"), &server), Ok(()));
        assert_eq!(
            viewers.admit(&place("b"), &server),
            Err(Refusal::StreamFull { most: 1 })
        );
    }
}

#[test]
fn streams_share_the_servers_seats() {
    let server = Arc::new(Seats::new(Some(2)));
    let streams = [Viewers::default(), Viewers::default()];
    for stream in &streams {
        assert_eq!(stream.admit(&place("a", "/live"), &server), Ok(()));
        play(stream, place("a", "/live"));
    }
    let late = place("b", "/live");
    assert_eq!(
        streams[0].admit(&late, &server),
        Err(Refusal::ServerFull { most: 2 })
    );
    assert_eq!(
        streams[0].would_admit(&late, &server),
        Err(Refusal::ServerFull { most: 2 })
    );
    streams[1].leave(&place("a", "/live"), Farewell::Teardown);
    assert_eq!(streams[0].would_admit(&late, &server), Ok(()));
    assert_eq!(streams[0].admit(&late, &server), Ok(()));
}

#[test]
fn a_stream_that_speaks_tls_as_well_is_one() {
    let (viewers, server) = (limited(1), Arc::new(Seats::new(None)));
    let mounts = [mount("/live", 8554), mount("/live", 8322)];
    viewers.set_streams(
        mounts
            .iter()
            .map(|mount| (mount.clone(), StreamId::new("live")))
            .collect(),
    );
    let [plain, tls] = mounts
        .clone()
        .map(|mount| Place::new(mount.port.to_string(), mount));
    assert_eq!(viewers.admit(&plain, &server), Ok(()));
    play(&viewers, plain);
    assert_eq!(viewers.admit(&tls, &server), Err(Refusal::StreamFull { most: 1 }));
    viewers.limit(Some(2));
    assert_eq!(viewers.admit(&tls, &server), Ok(()));
    play(&viewers, tls);
    assert_eq!(viewers.at(&mounts).len(), 2);
    assert_eq!(viewers.streams().ids(), [StreamId::new("live")]);
}

#[test]
fn who_comes_and_goes_is_told_and_why() {
    let events = Arc::new(Events::default());
    let listener = events.listen(10);
    let viewers = Viewers::new(None, events);
    viewers.set_streams(Places::from_iter([(mount("/live", 8554), StreamId::new("live"))]));
    for session in ["a", "b"] {
        play(&viewers, place(session, "/live"));
    }
    assert_eq!(
        viewers.send_away(Farewell::Kicked, |_, viewer| viewer.session == "b"),
        1
    );
    for session in ["a", "b"] {
        viewers.leave_all(session, Farewell::Disconnected);
    }
    let heard = std::iter::from_fn(|| listener.next(Duration::ZERO));
    let heard: Vec<_> = heard
        .map(|event| match &event.what {
            Happening::ViewerJoined {
                stream,
                viewer,
                viewers,
                ..
            } => (stream.to_string(), viewer.session.clone(), None, *viewers),
            Happening::ViewerLeft {
                stream,
                viewer,
                why,
                viewers,
                ..
            } => (stream.to_string(), viewer.session.clone(), Some(*why), *viewers),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        ("a", None, 1),
        ("b", None, 2),
        ("a", Some(Farewell::Disconnected), 1),
        ("b", Some(Farewell::Kicked), 0),
    ];
    assert_eq!(
        heard,
        expected.map(|(session, why, viewers)| ("live".to_owned(), session.to_owned(), why, viewers))
    );
}
