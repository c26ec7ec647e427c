//! The keys of the server as a whole: users, viewers, log, time, reload; and those of streams that belong to them.

use serde_json::json;

use super::{AUTHENTICATION, USERS, VIEWER_USERNAME};
use crate::{
    config::{Authentication, clock},
    config_file::{
        form::{Form, named, pattern, short_pattern},
        key::{Change, Empty, KEY, Key, Level},
        limits::{LOGIN_CHARACTERS, SESSION_TIMEOUTS, VIEWERS},
        readers::{PASSWORDS, USER_NAMES, boolean, clock, log_level, one_of, password, username, whole},
        users,
    },
    log,
};

const SERVER: Key = Key {
    level: Level::Server,
    change: Change::AtOnce,
    ..KEY
};

/// What the keys of log-ins share.
const LOGIN: Key = Key {
    only_in_file: true,
    change_note: "Connections from then on log in anew; a user who is taken out, or gets another password, is sent away.",
    ..SERVER
};

pub(super) const USERS_KEYS: &[Key] = &[
    Key {
        name: VIEWER_USERNAME,
        variable: Some("RTSP_VIEWER_USERNAME"),
        form: Form::Text(|| short_pattern(LOGIN_CHARACTERS, USER_NAMES)),
        empty_variable: Empty::None,
        read: |json, draft| username(json).map(|name| draft.username = name),
        show: |draft| json!(draft.username),
        documentation: "The name that viewers log in with. Empty, and no `users`: no log-in, everybody may watch.",
        ..LOGIN
    },
    Key {
        name: "viewerPassword",
        variable: Some("RTSP_VIEWER_PASSWORD"),
        form: Form::Text(|| short_pattern(LOGIN_CHARACTERS, PASSWORDS)),
        empty_variable: Empty::None,
        secret: true,
        read: |json, draft| password(json).map(|password| draft.password = password),
        show: |draft| json!(draft.password),
        documentation: "The password for it. Used only where `viewerUsername` is set.",
        ..LOGIN
    },
    Key {
        name: USERS,
        form: Form::Objects(users::schema),
        read: |_, _| Err(users::EXPECTED.into()),
        without: "none",
        documentation: "More who may log in, each with a name of its own.",
        ..LOGIN
    },
    Key {
        name: AUTHENTICATION,
        variable: Some("RTSP_AUTHENTICATION"),
        form: Form::Text(named::<Authentication>),
        read: |json, draft| one_of(json).map(|authentication| draft.authentication = authentication),
        show: |draft| json!(draft.authentication),
        documentation: "How viewers may log in; Digest is that with MD5. `\"both\"`: as the viewer's software likes.",
        change_note: "For connections from then on.",
        only_in_file: true,
        ..SERVER
    },
];

pub(super) const RELOAD_KEYS: &[Key] = &[Key {
    name: "reload",
    variable: Some("RTSP_RELOAD"),
    form: Form::Boolean,
    read: |json, draft| boolean(json).map(|reload| draft.reload = reload),
    show: |draft| json!(draft.reload),
    documentation: "Whether a change of the file is followed while the server runs. SIGHUP is in any case.",
    ..SERVER
}];

pub(super) const VIEWERS_KEYS: &[Key] = &[
    Key {
        name: "sessionTimeoutSeconds",
        variable: Some("RTSP_SESSION_TIMEOUT_SECONDS"),
        form: Form::Whole(&SESSION_TIMEOUTS),
        read: |json, draft| whole(json, &SESSION_TIMEOUTS).map(|seconds| draft.session_timeout = seconds),
        show: |draft| json!(draft.session_timeout),
        documentation: "A viewer who shows no sign of life for this long is gone, 2 s later at most.",
        change: Change::Restart(|runs, wanted| runs.session_timeout != wanted.session_timeout),
        ..SERVER
    },
    Key {
        name: "maxViewers",
        variable: Some("RTSP_MAX_VIEWERS"),
        form: Form::Whole(&VIEWERS),
        read: |json, draft| whole(json, &VIEWERS).map(|most| draft.stream.max_viewers = Some(most)),
        show: |draft| json!(draft.stream.max_viewers),
        without: "any number",
        documentation: "How many viewers each stream has at most, and with `sharedPicture` each of its paths. The next \
                        one is refused (453) until one has left.",
        change: Change::AtOnce,
        ..KEY
    },
    Key {
        name: "maxServerViewers",
        variable: Some("RTSP_MAX_SERVER_VIEWERS"),
        form: Form::Whole(&VIEWERS),
        read: |json, draft| whole(json, &VIEWERS).map(|most| draft.max_viewers = Some(most)),
        show: |draft| json!(draft.max_viewers),
        without: "any number",
        documentation: "How many viewers all streams have together at most: the next one is refused (453) until one has \
                        left.",
        ..SERVER
    },
];

pub(super) const LOG_KEYS: &[Key] = &[
    Key {
        name: "logLevel",
        variable: Some("RTSP_LOG_LEVEL"),
        form: Form::Text(|| pattern(log::PATTERN)),
        read: |json, draft| log_level(json).map(|filter| draft.log_level = filter),
        show: |draft| json!(draft.log_level.to_string()),
        documentation: "Which events are logged. The variable `RUST_LOG` overrides it.",
        ..SERVER
    },
    Key {
        name: "logFormat",
        variable: Some("RTSP_LOG_FORMAT"),
        form: Form::Text(named::<log::Format>),
        read: |json, draft| one_of(json).map(|format| draft.log_format = format),
        show: |draft| json!(draft.log_format),
        documentation: "How the log is written. `\"json\"`: one object a line, for machines, whoever speaks; mistakes in \
                        the configuration are plain text.",
        change: Change::Restart(|runs, wanted| runs.log_format != wanted.log_format),
        ..SERVER
    },
];

pub(super) const TIME_KEYS: &[Key] = &[
    Key {
        name: "clock",
        variable: Some("RTSP_CLOCK"),
        form: Form::Text(|| pattern(clock::PATTERN)),
        read: |json, draft| clock(json).map(|clock| draft.clock = clock),
        show: |draft| json!(draft.clock.to_string()),
        documentation: "Whose time all streams show: `\"system\"` for this machine's, or that of an NTP server or of a \
                        PTP domain.",
        change: Change::Restart(|runs, wanted| runs.clock != wanted.clock),
        ..SERVER
    },
    Key {
        name: "ntpExtension",
        variable: Some("RTSP_NTP_EXTENSION"),
        form: Form::Boolean,
        read: |json, draft| boolean(json).map(|extension| draft.stream.ntp_extension = extension),
        show: |draft| json!(draft.stream.ntp_extension),
        documentation: "Whether the first packet of each frame has the instant shown as 64-bit NTP time in an RTP header \
                        extension (RFC 6051).",
        ..KEY
    },
];
