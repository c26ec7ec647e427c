//! What edits make of a configuration.

use super::*;

fn document(keys: &Value) -> Document {
    Document(keys.as_object().cloned().expect("an object"))
}

fn keys(keys: &Value) -> Keys {
    keys.as_object().cloned().expect("an object")
}

fn camera(number: u32, of: (u32, u32)) -> Origin {
    Origin {
        entry: 0,
        number,
        numbers: of,
        is_shared: false,
        first_stamp_id: of.0 - 1,
    }
}

#[test]
fn one_camera_of_many_gets_an_entry_of_its_own() {
    let mut file = document(&json!({ "framesPerSecond": 5, "rtspStreamPath": "/cam{n}", "count": 100 }));
    file.patch(&camera(7, (1, 100)), &keys(&json!({ "label": "Door" })));
    assert_eq!(
        Value::Object(file.0.clone()),
        json!({ "framesPerSecond": 5, "rtspStreamPath": "/cam{n}", "streams": [
            { "count": 6, "firstNumber": 1, "stampId": 0 },
            { "count": 1, "firstNumber": 7, "stampId": 6, "label": "Door" },
            { "count": 93, "firstNumber": 8, "stampId": 7 },
        ]})
    );
    file.remove(&Origin {
        entry: 2,
        ..camera(8, (8, 100))
    });
    assert_eq!(
        file.0[STREAMS][2],
        json!({ "count": 92, "firstNumber": 9, "stampId": 8 })
    );
    file.patch(
        &Origin {
            entry: 1,
            ..camera(7, (7, 7))
        },
        &keys(&json!({ "label": null, "flash": true })),
    );
    assert_eq!(
        file.0[STREAMS][1],
        json!({ "count": 1, "firstNumber": 7, "stampId": 6, "flash": true })
    );
}

#[test]
fn what_is_taken_out_of_the_only_stream_is_gone_where_it_stood() {
    let mut file = document(&json!({ "label": "Door", "textColor": "#ff0000", "reload": true }));
    let patch = json!({ "label": null, "flash": true, "reload": null });
    file.patch(&camera(1, (1, 1)), &keys(&patch));
    let expected = json!({ "textColor": "#ff0000", "reload": true, "flash": true });
    assert_eq!(Value::Object(file.0), expected);
}

#[test]
fn what_is_about_the_server_is_told_as_one_of_the_streams_where_it_is_refused() {
    for wrong in [
        json!({ "reload": false }),
        json!({ "labell": "x" }),
        json!({ "labell": null }),
    ] {
        let mut file = document(&json!({ "reload": true }));
        file.patch(&camera(1, (1, 1)), &keys(&wrong));
        let expected = json!({ "reload": true, "streams": [wrong] });
        assert_eq!(Value::Object(file.0), expected);
    }
}

#[test]
fn what_is_taken_out_of_one_of_many_stays_in_the_others() {
    let mut file = document(&json!({ "framesPerSecond": 5, "label": "Camera {n}", "count": 3 }));
    file.patch(
        &camera(2, (1, 3)),
        &keys(&json!({ "label": null, "count": null })),
    );
    let expected = json!({ "framesPerSecond": 5, "streams": [
        { "count": 1, "firstNumber": 1, "stampId": 0, "label": "Camera {n}" },
        { "firstNumber": 2, "stampId": 1 },
        { "count": 1, "firstNumber": 3, "stampId": 2, "label": "Camera {n}" },
    ]});
    assert_eq!(Value::Object(file.0), expected);
}

#[test]
fn beneath_a_top_level_that_says_it_nothing_else_is_taken_out() {
    let mut file = document(&json!({ "label": "All", "streams": [{ "label": "Door", "flash": true }] }));
    file.patch(&camera(1, (1, 1)), &keys(&json!({ "label": null })));
    assert_eq!(
        Value::Object(file.0),
        json!({ "label": "All", "streams": [{ "flash": true }] })
    );
}

#[test]
fn a_key_by_its_older_name_is_the_same_one() {
    let older = || document(&json!({ "streams": [{ "h264IFrameInterval": 50, "flash": true }] }));
    for (patch, entry) in [
        (json!({ "keyFrameInterval": null }), json!({ "flash": true })),
        (
            json!({ "keyFrameInterval": 9 }),
            json!({ "flash": true, "keyFrameInterval": 9 }),
        ),
        // Nobody can tell which one is meant: both stand there, and are refused.
        (
            json!({ "keyFrameInterval": 9, "h264IFrameInterval": 8 }),
            json!({ "flash": true, "keyFrameInterval": 9, "h264IFrameInterval": 8 }),
        ),
    ] {
        let mut file = older();
        file.patch(&camera(1, (1, 1)), &keys(&patch));
        assert_eq!(file.0[STREAMS][0], entry);
    }
}

#[test]
fn what_takes_out_nothing_changes_nothing() {
    let files = [
        json!({ "rtspStreamPath": "/cam{n}", "count": 3, "streams": [{ "count": 3 }] }),
        json!({ "rtspStreamPath": "/cam{n}", "count": 3 }),
    ];
    for file in files {
        for nothing in [json!({}), json!({ "label": null, "h264IFrameInterval": null })] {
            let mut patched = document(&file);
            patched.patch(&camera(2, (1, 3)), &keys(&nothing));
            assert_eq!(Value::Object(patched.0), file, "{nothing}");
        }
    }
}

#[test]
fn what_differs_is_what_is_not_in_force() {
    let in_force = keys(&json!({ "label": "Door", "keyFrameInterval": 9, "flash": true }));
    let patch = json!({ "label": "Door", "keyFrameInterval": 8, "flash": null, "colour": 1 });
    let differing = json!({ "keyFrameInterval": 8, "flash": null, "colour": 1 });
    assert_eq!(Value::Object(that_differ(&keys(&patch), &in_force)), differing);
    assert_eq!(that_change(&keys(&patch), &in_force), keys(&differing));
    let both = json!({ "keyFrameInterval": 9, "h264IFrameInterval": 8 });
    assert_eq!(Value::Object(that_differ(&keys(&both), &in_force)), both);
}

#[test]
fn with_another_number_all_is_said_that_may_have_it_in_it() {
    let in_force = json!({ "rtspStreamPath": "/cam3", "label": "3", "firstNumber": 3, "logo": "a.png" });
    let mut patch = in_force.clone();
    assert_eq!(that_change(&keys(&patch), &keys(&in_force)), Keys::new());
    patch["firstNumber"] = 9.into();
    let changing = json!({ "rtspStreamPath": "/cam3", "label": "3", "firstNumber": 9 });
    assert_eq!(that_change(&keys(&patch), &keys(&in_force)), keys(&changing));
}

#[test]
fn a_stream_says_what_its_entry_does_or_what_the_top_level_does() {
    let file = document(&json!({ "label": "All", "streams": [{ "label": "Door" }, {}] }));
    let said = |entry| {
        let origin = Origin {
            entry,
            ..camera(1, (1, 1))
        };
        file.said_of(&origin, "label").cloned()
    };
    assert_eq!([said(0), said(1)], [Some(json!("Door")), Some(json!("All"))]);
}

#[test]
fn what_was_said_of_the_only_stream_is_not_said_of_another_one() {
    let whole = document(&json!({ "label": "All", "h264IFrameInterval": 50, "count": 3, "reload": true }));
    let mut file = whole.clone();
    let patch = json!({ "label": "Door", "keyFrameInterval": 9, "flash": true });
    let origin = Origin {
        is_shared: true,
        ..camera(1, (1, 3))
    };
    file.patch(&origin, &keys(&patch));
    file.add(keys(&json!({ "rtspStreamPath": "/gate" })), &whole);
    assert_eq!(
        Value::Object(file.0),
        json!({ "label": "All", "h264IFrameInterval": 50, "reload": true, "streams": [
            { "count": 3, "label": "Door", "keyFrameInterval": 9, "flash": true },
            { "rtspStreamPath": "/gate" },
        ]})
    );
}

#[test]
fn a_stream_is_added_beside_the_one_that_a_file_without_entries_makes() {
    let mut file = document(&json!({ "serverPort": 8555 }));
    let whole = file.clone();
    file.add(keys(&json!({ "rtspStreamPath": "/second" })), &whole);
    assert_eq!(
        Value::Object(file.0.clone()),
        json!({ "serverPort": 8555, "streams": [{}, { "rtspStreamPath": "/second" }] })
    );
    file.remove(&camera(1, (1, 1)));
    assert_eq!(file.0[STREAMS], json!([{ "rtspStreamPath": "/second" }]));
}

#[test]
fn secrets_are_hidden_and_kept() {
    let before = document(&json!({
        "viewerUsername": "me", "viewerPassword": "open-sesame", "http": { "token": "0123456789abcdef" },
        "users": [{ "username": "anna", "password": "apple" }, { "username": "bert", "password": "beet" }]
    }));
    let shown = before.shown();
    let text = shown.to_string();
    for secret in ["open-sesame", "0123456789abcdef", "apple", "beet"] {
        assert!(!text.contains(secret), "{text}");
    }
    let mut after = document(&shown);
    after.0[USERS] =
        json!([{ "username": "bert", "password": "***" }, { "username": "carl", "password": "c" }]);
    after.keep_secrets_of(&before);
    assert_eq!(after.0["viewerPassword"], "open-sesame");
    assert_eq!(after.0["http"]["token"], "0123456789abcdef");
    assert_eq!(after.0[USERS][0]["password"], "beet");
    assert_eq!(after.0[USERS][1]["password"], "c");
}
