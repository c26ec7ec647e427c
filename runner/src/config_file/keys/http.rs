//! The keys of the HTTP server. They stand in one object, `http`; their names here begin with its.

use serde_json::json;

use super::HTTP;
use crate::{
    config::{Config, HttpConfig},
    config_file::{
        form::{Form, short_pattern},
        http::{HOSTS, ORIGINS, TOKENS, host, origin, texts, token},
        key::{Change, Empty, KEY, Key, Level},
        limits::{MOST_STREAMS_BY_HTTP, PORTS, TOKEN_CHARACTERS},
        readers::{address, boolean, whole},
    },
};

/// The variables for what counts where neither the file nor a variable says it: an image gives the one, and who starts it the
/// other.
pub(crate) const DEFAULT_ADDRESS: &str = "RTSP_DEFAULT_HTTP_ADDRESS";
pub(crate) const DEFAULT_TOKEN: &str = "RTSP_DEFAULT_HTTP_TOKEN";

const SERVER: Key = Key {
    level: Level::Server,
    only_in_file: true,
    change: Change::AtOnce,
    ..KEY
};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: HTTP,
        variable: Some("RTSP_HTTP"),
        form: Form::Section,
        read: |json, draft| {
            boolean(json)
                .map(|is_on| draft.http.is_on = is_on)
                .map_err(|_| "false for no HTTP server, true, or an object {…} of the keys below".into())
        },
        show: |draft| json!(draft.http.is_on),
        documentation: "The server's API, metrics and page. `false`: there is no HTTP server.",
        change: Change::Restart(|runs, wanted| runs.http.is_some() != wanted.http.is_some()),
        ..SERVER
    },
    Key {
        name: "http.address",
        variable: Some("RTSP_HTTP_ADDRESS"),
        default_variable: Some(DEFAULT_ADDRESS),
        form: Form::Text(
            || json!({ "type": "string", "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }] }),
        ),
        read: |json, draft| address(json).map(|address| draft.http.values.address = address),
        show: |draft| json!(draft.http.values.address),
        documentation: "The address at which it listens. In a container that is all of the container's, and `launch.sh` \
                        opens its port to this machine alone.",
        change: Change::Restart(|runs, wanted| differs(runs, wanted, |http| http.address)),
        ..SERVER
    },
    Key {
        name: "http.port",
        variable: Some("RTSP_HTTP_PORT"),
        form: Form::Whole(&PORTS),
        read: |json, draft| {
            whole(json, &PORTS).map(|port| draft.http.values.port = u16::try_from(port).unwrap_or(u16::MAX))
        },
        show: |draft| json!(draft.http.values.port),
        documentation: "Its TCP port; 0: any free one.",
        change: Change::Restart(|runs, wanted| differs(runs, wanted, |http| http.port)),
        ..SERVER
    },
    Key {
        name: "http.token",
        variable: Some("RTSP_HTTP_TOKEN"),
        default_variable: Some(DEFAULT_TOKEN),
        form: Form::Text(|| short_pattern(TOKEN_CHARACTERS, TOKENS)),
        empty_variable: Empty::None,
        secret: true,
        read: |json, draft| token(json).map(|token| draft.http.values.token = token),
        show: |draft| json!(draft.http.values.token),
        without: "none",
        documentation: "Who sends this as `Authorization: Bearer …` may see and change everything. Without it, and \
                        without any log-in, everybody on this machine may.",
        ..SERVER
    },
    Key {
        name: "http.tls",
        variable: Some("RTSP_HTTP_TLS"),
        form: Form::Boolean,
        read: |json, draft| boolean(json).map(|tls| draft.http.values.tls = tls),
        show: |draft| json!(draft.http.values.tls),
        documentation: "Whether it speaks TLS, with `tlsCertificate` and `tlsPrivateKey`.",
        change: Change::Restart(|runs, wanted| differs(runs, wanted, |http| http.tls)),
        ..SERVER
    },
    Key {
        name: "http.allowedHosts",
        variable: Some("RTSP_HTTP_ALLOWED_HOSTS"),
        form: Form::List(|| json!({ "type": "array", "items": short_pattern(255, HOSTS) })),
        read: |json, draft| texts(json, host).map(|hosts| draft.http.values.allowed_hosts = hosts),
        show: |draft| json!(draft.http.values.allowed_hosts),
        documentation: "The names by which it may be asked, beside any IP address, `localhost` and this machine's own \
                        name. Against pages elsewhere whose names lead here (DNS rebinding).",
        ..SERVER
    },
    Key {
        name: "http.allowedOrigins",
        variable: Some("RTSP_HTTP_ALLOWED_ORIGINS"),
        form: Form::List(|| json!({ "type": "array", "items": short_pattern(512, ORIGINS) })),
        read: |json, draft| texts(json, origin).map(|origins| draft.http.values.allowed_origins = origins),
        show: |draft| json!(draft.http.values.allowed_origins),
        documentation: "The origins whose pages may ask it from a browser, beside its own, such as \
                        `\"https://lab.example\"`.",
        ..SERVER
    },
    Key {
        name: "http.maxStreams",
        variable: Some("RTSP_HTTP_MAX_STREAMS"),
        form: Form::Whole(&MOST_STREAMS_BY_HTTP),
        read: |json, draft| {
            whole(json, &MOST_STREAMS_BY_HTTP).map(|most| draft.http.values.max_streams = most)
        },
        show: |draft| json!(draft.http.values.max_streams),
        documentation: "How many streams there may be, those that are added by the API included.",
        ..SERVER
    },
    Key {
        name: "http.allowPipelines",
        variable: Some("RTSP_HTTP_ALLOW_PIPELINES"),
        form: Form::Boolean,
        read: |json, draft| boolean(json).map(|allows| draft.http.values.allow_pipelines = allows),
        show: |draft| json!(draft.http.values.allow_pipelines),
        documentation: "Whether the API takes `pipeline` and keys that name files: who may send these reads and writes \
                        files as the server does. It takes `http.token`.",
        ..SERVER
    },
];

/// Whether the two differ in this, where both have an HTTP server.
fn differs<T: PartialEq>(runs: &Config, wanted: &Config, part: fn(&HttpConfig) -> T) -> bool {
    let both = runs.http.as_ref().zip(wanted.http.as_ref());
    both.is_some_and(|(runs, wanted)| part(runs) != part(wanted))
}
