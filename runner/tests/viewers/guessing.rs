//! What somebody can make of a log-in that is not his: of an answer to a challenge that was made for another stream, and of
//! guesses.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use md5::{Digest as _, Md5};
use rtsp_clock_server::{
    config::{Authentication, Config, StreamConfig},
    server::Server,
};

use crate::common::{RtspClient, config, login, mount, start};

fn house(authentication: Authentication) -> Config {
    let at = |path: &str| StreamConfig {
        mounts: vec![mount(path)],
        ..config().streams[0].clone()
    };
    Config {
        authentication,
        login: Some(login()),
        streams: vec![at("/door"), at("/safe")],
        ..config()
    }
}

/// The right answer to a challenge, made for that URI.
fn digest(nonce: &str, uri: &str) -> String {
    let md5 = |text: String| format!("{:x}", Md5::digest(text));
    let (one, two) = (
        md5("user:rtsp-clock-server:s3cret".into()),
        md5(format!("DESCRIBE:{uri}")),
    );
    let response = md5(format!("{one}:{nonce}:{two}"));
    format!(
        "Digest username=\"user\", realm=\"rtsp-clock-server\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\""
    )
}

/// What is answered to a DESCRIBE of `/safe` with an answer to a challenge that was made for `uri`.
fn describe_safe(server: &Server, uri: &str) -> u16 {
    let mut client = RtspClient::connect_path(server.port(), "/safe");
    let refusal = client.describe();
    let mut offers = refusal.all("WWW-Authenticate");
    let nonce = offers.find_map(|offer| offer.split("nonce=\"").nth(1)?.split('"').next());
    client.authorize(digest(nonce.expect("a challenge"), uri));
    client.describe().status
}

#[test]
fn an_answer_to_a_challenge_is_good_for_the_stream_that_it_was_made_for() {
    let server = start(&house(Authentication::Digest));
    // Some clients write the URL of the stream, of a medium, of another name of the host, or the path alone.
    for uri in [
        format!("rtsp://127.0.0.1:{}/safe", server.port()),
        format!("rtsp://127.0.0.1:{}/safe/stream=0", server.port()),
        "rtsp://camera.example/safe".to_owned(),
        "/safe".to_owned(),
        "/safe/".to_owned(),
        "/safe?a=b".to_owned(),
    ] {
        assert_eq!(describe_safe(&server, &uri), 200, "{uri}");
    }
    for uri in [
        format!("rtsp://127.0.0.1:{}/door", server.port()),
        "/door".to_owned(),
        "/door/safe".to_owned(),
        "/safer".to_owned(),
        "/".to_owned(),
        "*".to_owned(),
        String::new(),
        "rtsp://127.0.0.1".to_owned(),
    ] {
        assert_eq!(describe_safe(&server, &uri), 401, "{uri}");
    }
}

/// Of more guesses than wait for their answers.
const GUESSES: usize = 24;

#[test]
fn guesses_are_slowed_and_who_knows_the_password_is_not() {
    let server = start(&house(Authentication::Basic));
    let mut watching = RtspClient::connect_path(server.port(), "/door");
    watching.authorize("Basic dXNlcjpzM2NyZXQ=".into());
    assert_eq!(watching.describe().status, 200);
    let (begin, mut statuses) = (Instant::now(), Vec::new());
    let mut guessers: Vec<_> = (0..GUESSES)
        .map(|_| RtspClient::connect_path(server.port(), "/door"))
        .collect();
    let mut late = 0;
    for guesser in &mut guessers {
        guesser.authorize("Basic dXNlcjp3cm9uZw==".into());
        let asked = Instant::now();
        let status = guesser.describe().status;
        late += usize::from(asked.elapsed() >= Duration::from_secs(1));
        statuses.push(status);
    }
    assert_eq!(statuses, [401; GUESSES]);
    // Of those that are asked one after the other, the first twenty are answered at once, and then at most one a second.
    let seconds = usize::try_from(begin.elapsed().as_secs()).expect("not so long");
    assert!(
        late + 20 + seconds + 1 >= GUESSES,
        "{late} of {GUESSES} late in {seconds} s"
    );
    assert_eq!(watching.describe().status, 200);
}

#[test]
fn guesses_by_many_connections_at_once_are_not_looked_at() {
    let server = start(&house(Authentication::Basic));
    let mut known = RtspClient::connect_path(server.port(), "/door");
    known.authorize("Basic dXNlcjpzM2NyZXQ=".into());
    assert_eq!(known.describe().status, 200);
    let request = format!(
        "DESCRIBE rtsp://127.0.0.1:{}/door RTSP/1.0\r\nCSeq: 1\r\nAuthorization: Basic dXNlcjp3cm9uZw==\r\n\r\n",
        server.port()
    );
    let mut guesser = RtspClient::connect_path(server.port(), "/door");
    // One of them has all in one connection: answers come in any order.
    guesser.send_raw(request.repeat(200).as_bytes());
    let mut counts = BTreeMap::<u16, usize>::new();
    for _ in 0..200 {
        *counts.entry(guesser.response().status).or_default() += 1;
    }
    assert!(counts[&503] > 100, "{counts:?}");
    assert!(counts[&401] >= 20, "{counts:?}");
    assert_eq!(known.describe().status, 200, "who is known already is not slowed");
}
