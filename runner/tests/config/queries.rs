//! Streams at one path that are told apart by a query.

use std::collections::BTreeSet;

use rtsp_clock_server::{
    config::{Access, Config},
    config_file::schema,
};
use serde_json::json;

use crate::{mistakes, read, refusal};

/// A stream at each of these paths.
fn at(paths: &[&str]) -> String {
    let streams: Vec<_> = paths
        .iter()
        .map(|path| json!({ "rtspStreamPath": path }))
        .collect();
    json!({ "streams": streams }).to_string()
}

fn paths(config: &Config) -> Vec<&str> {
    let mounts = config.streams.iter().flat_map(|stream| &stream.mounts);
    mounts.map(|mount| mount.path.as_str()).collect()
}

#[test]
fn an_entry_makes_a_stream_of_each_number() {
    for shared in [false, true] {
        let file = json!({"rtspStreamPath": "/cam/realmonitor?channel={n}&subtype=0", "count": 2, "sharedPicture": shared});
        let expected = [1, 2].map(|n| format!("/cam/realmonitor?channel={n}&subtype=0"));
        assert_eq!(paths(&read(&file.to_string())), expected);
    }
    let config = read(r#"{"rtspStreamPath": "/a?b={n}"}"#);
    assert_eq!(config.streams[0].name(), "0.0.0.0:8554/a?b=1");
}

#[test]
fn streams_that_a_query_can_tell_apart_may_be_at_one_path() {
    for found in [
        &["/a", "/a?b=1", "/a?b=2", "/a?b=1&c=1", "/a?c=1"][..],
        &["/a?b=1", "/a?B=1", "/a?b=x", "/a?b=X", "/a?b=%2F"],
        &["/a?b=+", "/a?b=%20"],
        &["/a?b", "/a?c"],
        // Viewers find these, whatever stands between them in the order of their characters.
        &["/a", "/a?b=1", "/a/c"],
        &["/a/c?b=1", "/a-c", "/a/d"],
        &["/", "/?b=1", "/-"],
    ] {
        assert_eq!(paths(&read(&at(found))), found);
    }
}

#[test]
fn streams_that_nobody_could_tell_apart_are_a_mistake() {
    assert_eq!(
        mistakes(at(&["/a?b=1&c=2", "/a?c=2&b=1"]), &[]),
        [
            r#"streams[1].rtspStreamPath: found "/a?c=2&b=1" at 0.0.0.0:8554 for streams[1], where streams[0] is already as "/a?b=1&c=2", which means the same: expected another path, port or address"#
        ]
    );
    assert_eq!(
        mistakes(at(&["/a?b=1", "/a?b=1"]), &[]),
        [
            r#"streams[1].rtspStreamPath: found "/a?b=1" at 0.0.0.0:8554 for streams[1], where streams[0] is already: expected another path, port or address"#
        ]
    );
    for same in [
        ["/a?b=1", "/a?%62=%31"],
        ["/a?b=%2f", "/a?b=%2F"],
        ["/a?b=+", "/a?b=%2B"],
        ["/a?b", "/a?b="],
        ["/a?b=c=d", "/a?b=c%3Dd"],
        // Where the server has the stream of the other.
        ["/a?b=1", "/a;b=1"],
    ] {
        let said = mistakes(at(&same), &[]);
        assert!(
            said.len() == 1 && said[0].contains("which means the same"),
            "{said:?}"
        );
    }
    let said = mistakes(r#"{"rtspStreamPath": "/a?b=1", "count": 2}"#, &[]);
    assert!(said[0].contains("for more than one of count 2"), "{said:?}");
    let apart = json!({"streams": [
        {"rtspStreamPath": "/a?b=1"}, {"rtspStreamPath": "/a?b=1", "serverPort": 8555}
    ]});
    assert_eq!(read(&apart.to_string()).streams.len(), 2);
}

#[test]
fn a_stream_with_a_query_that_viewers_would_not_find_is_a_mistake() {
    assert_eq!(
        mistakes(at(&["/live/1?a=b", "/live", "/live-2?c=%41"]), &[]),
        [
            "streams[0].rtspStreamPath: found \"/live/1?a=b\", where \"/live\" and \"/live-2?c=%41\" are as well: viewers \
             would get the one at \"/live\" in its place; expected another path for one of the three"
        ]
    );
}

#[test]
fn the_schema_takes_the_queries_that_the_server_takes() {
    let schema = schema::schema().to_value();
    let takes = |path: &str| jsonschema::is_valid(&schema, &json!({ "rtspStreamPath": path }));
    for path in [
        "/",
        "/cam/realmonitor?channel={n}&subtype=0",
        "/?a",
        "/a?b=&c=d=e",
        "/a?%61=%2F;~!$'()*+,:@",
    ] {
        assert_eq!(paths(&read(&at(&[path]))).len(), 1);
        assert!(takes(path), "{path}");
    }
    for path in [
        "/a?",
        "?a=b",
        "/a/?b=c",
        "/a?b=1&",
        "/a?&b=1",
        "/a?b=1&&c",
        "/a?=1",
        "/a?b{n}=1",
        "/a?b=c/d",
        "/a?b=c?d",
        "/a?b=c#d",
        "/a?b=c d",
        "/a?b=ü",
        "/a?b=%",
        "/a?b=%4{n}",
        "/a?b=%zz",
        "/a?b=\"",
    ] {
        let said = refusal("rtspStreamPath", &json!(path));
        assert!(said.contains("a query may tell it from others"), "{said}");
        assert!(!takes(path), "{path}");
    }
    for twice in ["/a?b=1&b=2", "/a?b=1&b=1", "/a?b=1&%62=2", "/a?b&b="] {
        let said = refusal("rtspStreamPath", &json!(twice));
        assert!(said.contains("each name once"), "{said}");
    }
}

#[test]
fn a_user_may_see_the_streams_of_a_query_however_it_is_written() {
    let seen = |path: &str| {
        let file = json!({
            "users": [{"username": "u", "password": "p", "streams": [path]}],
            "streams": [{"rtspStreamPath": "/cam?channel={n}&subtype=0", "count": 2}, {"rtspStreamPath": "/cam"}]
        });
        let Access::Only(places) = read(&file.to_string()).users[0].access.clone() else {
            panic!("all");
        };
        places
            .into_iter()
            .map(|mount| mount.path)
            .collect::<BTreeSet<_>>()
    };
    let [one, two] = [1, 2].map(|n| format!("/cam?channel={n}&subtype=0"));
    assert_eq!(seen("/cam?subtype=0&channel=2"), [two.clone()].into());
    assert_eq!(seen("/cam?channel=%31&subtype=0"), [one.clone()].into());
    assert_eq!(
        seen("/cam?channel={n}&subtype=0"),
        [one.clone(), two.clone()].into()
    );
    assert_eq!(seen("/cam?subtype=0&channel={n}"), [one, two].into());
    assert_eq!(seen("/cam"), ["/cam".to_owned()].into());
    let nobodys = json!({
        "users": [{"username": "u", "password": "p", "streams": ["/cam?channel=1"]}],
        "rtspStreamPath": "/cam?channel=1&subtype=0"
    });
    assert_eq!(
        mistakes(nobodys.to_string(), &[]),
        [
            r#"users[0].streams[0]: found "/cam?channel=1", which no stream has, expected a path as in rtspStreamPath: "/cam?channel=1&subtype=0""#
        ]
    );
}
