//! `users` and `authentication` in the configuration: who they let in, and what is said about each mistake.

use rtsp_clock_server::config::{Access, Authentication, Login, Mount, User};
use rtsp_clock_server::config_file::{Source, parse};
use serde_json::{Value, json};

use crate::parsed::{load, mistakes, read};

fn login(username: &str, password: &str) -> Login {
    Login {
        username: username.into(),
        password: password.into(),
    }
}

/// The ports and paths that a user may see; `None`: all.
fn sees(user: &User) -> Option<Vec<(u16, &str)>> {
    let place = |mount| {
        let Mount { port, path, .. }: &Mount = mount;
        (*port, path.as_str())
    };
    match &user.access {
        Access::All => None,
        Access::Only(places) => Some(places.iter().map(place).collect()),
    }
}

#[test]
fn users_are_let_in_beside_the_pair() {
    let config = read(&json!({
        "viewerUsername": "pair", "viewerPassword": "1", "authentication": "basic",
        "users": [{"username": "anna", "password": "2"}, {"username": "zoë", "password": "", "streams": ["/live"]}]
    }));
    assert_eq!(config.authentication, Authentication::Basic);
    assert_eq!(config.login, Some(login("pair", "1")));
    let all = config.all_users();
    let logins: Vec<_> = all.iter().map(|user| user.login.clone()).collect();
    assert_eq!(logins, [login("pair", "1"), login("anna", "2"), login("zoë", "")]);
    let seen: Vec<_> = all.iter().map(sees).collect();
    assert_eq!(seen, [None, None, Some(vec![(8554, "/live")])]);
}

#[test]
fn by_default_both_ways_are_taken() {
    assert_eq!(read(&json!({})).authentication, Authentication::Both);
    let by_variable = load(&json!({}), &[("RTSP_AUTHENTICATION", "digest")]).unwrap();
    assert_eq!(by_variable.config.authentication, Authentication::Digest);
    assert_eq!(
        mistakes(&json!({"authentication": "none"}), &[]),
        [r#"authentication: found "none", expected "basic", "digest" or "both""#]
    );
}

#[test]
fn a_path_stands_for_all_that_have_it_or_are_made_of_it() {
    let of = |paths: Value| {
        let file = json!({
            "users": [{"username": "u", "password": "p", "streams": paths}],
            "streams": [
                {"rtspStreamPath": "/cam{n}", "count": 2},
                {"rtspStreamPath": "/cam1", "serverPort": 9000},
                {"rtspStreamPath": "/one", "serverPort": "9000+{n}", "count": 2},
                {"rtspStreamPath": "/shared{n}", "count": 2, "sharedPicture": true}
            ]
        });
        let config = read(&file);
        let seen = sees(&config.users[0]).expect("some");
        seen.into_iter()
            .map(|(port, path)| format!("{port}{path}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(json!(["/cam{n}"])), ["8554/cam1", "8554/cam2"]);
    assert_eq!(of(json!(["/cam1"])), ["8554/cam1", "9000/cam1"]);
    assert_eq!(of(json!(["/one"])), ["9001/one", "9002/one"]);
    assert_eq!(of(json!(["/shared2"])), ["8554/shared2"]);
    assert_eq!(
        of(json!(["/shared{n}", "/cam2"])),
        ["8554/cam2", "8554/shared1", "8554/shared2"]
    );
}

#[test]
fn a_path_that_no_stream_has_is_a_mistake() {
    let file = json!({
        "users": [
            {"username": "a", "password": "p", "streams": ["/door", "/cam3", "/door"]},
            {"username": "b", "password": "p", "streams": ["/cam{n}", "/cam1"]}
        ],
        "streams": [{"rtspStreamPath": "/door"}, {"rtspStreamPath": "/cam{n}", "count": 2}]
    });
    assert_eq!(
        mistakes(&file, &[]),
        [
            r#"users[0].streams[1]: found "/cam3", which no stream has, expected a path as in rtspStreamPath: "/cam{n}", "/door""#,
            r#"users[0].streams[2]: found "/door", which a path before it stands for already"#,
            r#"users[1].streams[1]: found "/cam1", which a path before it stands for already"#,
        ]
    );
}

#[test]
fn a_name_is_one_users() {
    let file = json!({
        "viewerUsername": "pair",
        "users": [
            {"username": "anna", "password": "1"},
            {"username": "pair", "password": "2"},
            {"username": "anna", "password": "3"}
        ]
    });
    let of_the_file = mistakes(&file, &[]);
    let by_place = |place: &str| {
        [
            format!(r#"users[1].username: found "pair", which {place} is already"#),
            r#"users[2].username: found "anna", which users[0].username is already"#.to_owned(),
        ]
    };
    assert_eq!(of_the_file, by_place("viewerUsername"));
    assert_eq!(
        mistakes(&file, &[("RTSP_VIEWER_USERNAME", "pair")]),
        by_place("RTSP_VIEWER_USERNAME")
    );
    // Names are told apart as they are written.
    read(&json!({"users": [{"username": "a", "password": "1"}, {"username": "A", "password": "1"}]}));
}

#[test]
fn each_mistake_is_named_by_its_key() {
    let name = "expected a text of 1 to 255 characters without colon, double quote, backslash and control characters";
    let word = "expected a text of at most 255 characters without control characters";
    let path = "expected a URL path such as \"/live\"";
    let file = json!({"users": [
        {},
        {"username": "", "password": 7, "streams": []},
        {"username": "a:b", "password": "hunter2\n", "streams": "/live", "passwort": "hunter2"},
        "anna:hunter2",
        {"username": "b", "password": null, "streams": ["live", 7]},
    ]});
    let all = mistakes(&file, &[]);
    let expected = [
        format!("users[0].username: found nothing, {name}"),
        format!("users[0].password: found nothing, {word}"),
        format!("users[1].username: found \"\", {name}"),
        format!("users[1].password: found a number, {word}"),
        "users[1].streams: found an empty array, expected an array of paths (without streams: all of them)"
            .into(),
        "users[2].passwort: unknown key, expected username, password, admin or streams".into(),
        format!("users[2].username: found \"a:b\", {name}"),
        format!("users[2].password: found a text, {word}"),
        "users[2].streams: found a text, expected an array of paths (without streams: all of them)".into(),
        "users[3]: found a text, expected an object {…}".into(),
        format!("users[4].password: found null, {word}"),
        format!("users[4].streams[0]: found \"live\", {path}"),
        format!("users[4].streams[1]: found 7, {path}"),
    ];
    assert_eq!(all.len(), expected.len(), "{all:#?}");
    for (mistake, expected) in all.iter().zip(expected) {
        assert!(mistake.starts_with(&expected), "{mistake}\n{expected}");
        assert!(!mistake.contains("hunter2"), "{mistake}");
    }
}

#[test]
fn what_is_no_list_of_users_is_a_mistake_and_not_shown() {
    for (users, found) in [
        (json!([]), "an empty array"),
        (json!("anna:hunter2"), "a text"),
        (json!({"anna": "hunter2"}), "an object"),
        (json!(null), "null"),
    ] {
        let expected = format!("users: found {found}, expected an array of objects, a user each");
        assert_eq!(mistakes(&json!({"users": users}), &[]), [expected]);
    }
    let crowd: Vec<_> = (0..1001)
        .map(|number| json!({"username": number.to_string(), "password": "p"}))
        .collect();
    assert_eq!(read(&json!({"users": crowd[..1000]})).users.len(), 1000);
    assert_eq!(
        mistakes(&json!({"users": crowd}), &[]),
        ["users: found 1001 users, expected at most 1000"]
    );
}

#[test]
fn what_stands_there_twice_does_not_count() {
    let twice = r#"{"users": [{"username": "a", "password": "hunter2", "password": "hunter3"}], "streams": [{"users": []}]}"#;
    let environment = std::iter::empty::<(&str, &str)>().collect();
    let error = parse(
        Source::Named("c.json".into()),
        Some(twice.as_bytes()),
        &environment,
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the configuration has 2 mistakes\n  c.json: users[0].password: found 2 times, expected once\n  \
         c.json: streams[0].users: is about the server as a whole, expected beside streams"
    );
    let twice = r#"{"users": [{"username": "a", "password": "hunter2"}], "users": []}"#;
    let error = parse(
        Source::Named("c.json".into()),
        Some(twice.as_bytes()),
        &environment,
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the configuration has 1 mistake\n  c.json: users: found 2 times, expected once"
    );
}

#[test]
fn what_is_hardly_meant_is_warned_about() {
    let warnings = |file: &Value| load(file, &[]).unwrap().warnings;
    let anna = json!([{"username": "anna", "password": "1"}]);
    assert_eq!(
        warnings(&json!({"users": anna, "authentication": "digest"})),
        [""; 0]
    );
    assert_eq!(
        warnings(&json!({"users": [{"username": "anna", "password": ""}]})),
        ["users[0].password is empty"]
    );
    assert_eq!(
        warnings(&json!({"users": anna, "viewerPassword": "hunter2"})),
        ["viewerPassword is set and viewerUsername is not: it is nobody's"]
    );
    assert_eq!(
        warnings(&json!({"authentication": "digest"})),
        ["authentication is set and nobody is to log in: everybody may watch"]
    );
}

#[test]
fn no_password_is_shown() {
    let file = json!({"users": [{"username": "anna", "password": "hunter2"}]});
    let shown = format!("{:?}", load(&file, &[]).unwrap());
    assert!(shown.contains("anna") && !shown.contains("hunter2"), "{shown}");
}
