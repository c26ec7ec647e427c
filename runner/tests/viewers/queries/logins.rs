//! Who may see the camera of one query need not see that of another.

use md5::{Digest as _, Md5};
use rtsp_clock_server::config::{Access, Config, Login, User};

use super::{CAMERAS, cameras};
use crate::common::{Response, RtspClient, login, mount, start};

/// `user` may see everything, `guest` channel 1.
fn house() -> Config {
    let guest = User {
        login: Login {
            username: "guest".into(),
            password: "guest-s3cret".into(),
        },
        is_admin: false,
        access: Access::Only([mount(CAMERAS[0].0)].into()),
    };
    Config {
        login: Some(login()),
        users: vec![guest],
        ..cameras(&CAMERAS[..2])
    }
}

/// By Digest: of the answer to a challenge that was made for `made_for`.
fn digest(refusal: &Response, (name, password): (&str, &str), method: &str, made_for: &str) -> String {
    let md5 = |text: String| format!("{:x}", Md5::digest(text));
    let mut offers = refusal.all("WWW-Authenticate");
    let nonce = offers.find_map(|offer| offer.split("nonce=\"").nth(1)?.split('"').next());
    let nonce = nonce.expect("Digest is offered");
    let one = md5(format!("{name}:rtsp-clock-server:{password}"));
    let two = md5(format!("{method}:{made_for}"));
    let response = md5(format!("{one}:{nonce}:{two}"));
    format!(
        "Digest username=\"{name}\", realm=\"rtsp-clock-server\", nonce=\"{nonce}\", uri=\"{made_for}\", \
         response=\"{response}\""
    )
}

#[test]
fn a_user_may_see_the_camera_of_one_query_and_not_that_of_another() {
    let server = start(&house());
    let mut other = RtspClient::connect(&server).at(CAMERAS[1].0);
    other.authorize("Basic dXNlcjpzM2NyZXQ=".into());
    let base_of_other = other.describe();
    let base_of_other = base_of_other.header("Content-Base").expect("Content-Base");
    let path_of_other = &base_of_other[base_of_other.rfind("/cam").expect("its path")..];
    for (path, expected) in [
        ("/cam/realmonitor?channel=1&subtype=0", 200),
        ("/cam/realmonitor?x=y&subtype=0&channel=1", 200),
        ("/cam/realmonitor?channel=2&subtype=0", 404),
        ("/cam/realmonitor?channel=2&channel=1&subtype=0", 404),
        ("/cam/realmonitor?channel=3&subtype=0", 404),
        ("/cam/realmonitor", 404),
        (path_of_other.trim_end_matches('/'), 404),
    ] {
        let mut by_basic = RtspClient::connect(&server).at(path);
        by_basic.authorize("Basic Z3Vlc3Q6Z3Vlc3QtczNjcmV0".into());
        assert_eq!(by_basic.describe().status, expected, "Basic {path}");
        let mut by_digest = RtspClient::connect(&server).at(path);
        let refusal = by_digest.describe();
        let url = format!("rtsp://127.0.0.1:{}{path}", server.port());
        by_digest.authorize(digest(&refusal, ("guest", "guest-s3cret"), "DESCRIBE", &url));
        assert_eq!(by_digest.describe().status, expected, "Digest {path}");
    }
}

#[test]
fn an_answer_to_a_challenge_counts_for_the_camera_that_it_was_made_for() {
    let server = start(&house());
    let path = format!("rtsp://127.0.0.1:{}/cam/realmonitor", server.port());
    for (asked, made_for, expected) in [
        ("?channel=1&subtype=0", "?channel=1&subtype=0", 200),
        ("?channel=1&subtype=0", "?subtype=0&channel=1", 200),
        ("?channel=1&subtype=0", "?channel=1&subtype=0/stream=0", 200),
        ("?channel=1&subtype=0", ";channel=1&subtype=0/", 200),
        ("?channel=1&subtype=0", "?channel=2&subtype=0", 401),
        ("?channel=1&subtype=0", ";channel=2&subtype=0", 401),
        ("?channel=1&subtype=0", "", 401),
        ("", "?channel=1&subtype=0", 401),
        ("", "", 404),
        ("?channel=3", "", 404),
    ] {
        let mut client = RtspClient::connect(&server);
        let (asked, made_for) = (format!("{path}{asked}"), format!("{path}{made_for}"));
        client.send("DESCRIBE", &asked, &[]);
        let refusal = client.response();
        client.authorize(digest(&refusal, ("user", "s3cret"), "DESCRIBE", &made_for));
        client.send("DESCRIBE", &asked, &[]);
        assert_eq!(client.response().status, expected, "{asked} {made_for}");
    }
}
