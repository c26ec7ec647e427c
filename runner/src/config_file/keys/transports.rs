//! The keys of the transports by which streams may be played.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{
    MULTICAST_ADDRESS_RANGE, MULTICAST_PORT_RANGE, PLAIN_RTSP, TLS_CERTIFICATE, TLS_PORT, TLS_PRIVATE_KEY,
    TRANSPORTS,
};
use crate::{
    config::{Config, Multicast, TlsFiles, Transport},
    config_file::{
        form::{Form, named, pattern},
        key::{Change, Empty, KEY, Key, Level},
        limits::TTLS,
        numbered::NumberedPort,
        readers::{boolean, port, whole},
        transports::{groups, multicast_ports, pem_file, transports},
    },
};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: TRANSPORTS,
        variable: Some("RTSP_TRANSPORTS"),
        form: Form::List(
            || json!({ "type": "array", "items": named::<Transport>(), "minItems": 1, "uniqueItems": true }),
        ),
        read: |json, draft| transports(json).map(|transports| draft.transports = Some(transports)),
        show: |draft| json!(draft.transports()),
        without: "all there are",
        documentation: "By which ways the stream may be played; `\"http\"` is RTSP over HTTP, at the same port. Without \
                        it: `\"udp\"`, `\"tcp\"`, `\"http\"`, and `\"multicast\"` where `multicastAddressRange` is set. Who \
                        asks for another one gets 461.",
        change: Change::AtOnce,
        change_note: "Who plays by a way that is over is sent away.",
        ..KEY
    },
    Key {
        name: MULTICAST_ADDRESS_RANGE,
        level: Level::Server,
        variable: Some("RTSP_MULTICAST_ADDRESS_RANGE"),
        form: Form::Text(|| pattern(r"^([0-9.]+(-[0-9.]+)?)?$")),
        empty_variable: Empty::None,
        read: |json, draft| groups(json).map(|groups| draft.multicast_groups = groups),
        show: |draft| {
            json!(
                draft
                    .multicast_groups
                    .map(|groups| groups.to_string())
                    .unwrap_or_default()
            )
        },
        without: "none",
        documentation: "Where streams go by multicast (IPv4); without it there is none. It leaves by the interface of \
                        `serverIPAddress`, or as routes say; in a container it takes the host's network, and `launch.sh` \
                        asks for that. Viewers on the camera's own machine get none.",
        change: Change::Restart(|runs, wanted| {
            runs.multicast.map(|it| it.groups) != wanted.multicast.map(|it| it.groups)
        }),
        ..KEY
    },
    Key {
        name: MULTICAST_PORT_RANGE,
        level: Level::Server,
        variable: Some("RTSP_MULTICAST_PORT_RANGE"),
        form: Form::Text(|| pattern("^[0-9]+-[0-9]+$")),
        read: |json, draft| multicast_ports(json).map(|ports| draft.multicast_ports = ports),
        show: |draft| json!(draft.multicast_ports.to_string()),
        documentation: "The UDP ports of multicast. Each stream that is watched so takes an address with two of them, and \
                        as many for its sound.",
        change: Change::Restart(|runs, wanted| {
            both_differ(runs, wanted, |one, other| one.ports != other.ports)
        }),
        ..KEY
    },
    Key {
        name: "multicastTtl",
        level: Level::Server,
        variable: Some("RTSP_MULTICAST_TTL"),
        form: Form::Whole(&TTLS),
        read: |json, draft| {
            whole(json, &TTLS).map(|ttl| draft.multicast_ttl = u8::try_from(ttl).unwrap_or(u8::MAX))
        },
        show: |draft| json!(draft.multicast_ttl),
        documentation: "How far multicast goes: how many routers it may pass, plus one. 1 is the camera's own network.",
        change: Change::Restart(|runs, wanted| both_differ(runs, wanted, |one, other| one.ttl != other.ttl)),
        ..KEY
    },
    Key {
        name: TLS_PORT,
        variable: Some("RTSP_TLS_PORT"),
        form: Form::Number(NumberedPort::schema),
        read: |json, draft| port(json).map(|port| draft.tls_port = Some(port)),
        show: |draft| draft.tls_port.map_or(Value::Null, NumberedPort::show),
        documentation: "The TCP port for RTSP with TLS (`rtsps://`), beside `serverPort` and as that has it. TLS protects \
                        RTSP, and what is played within its connection: not UDP.",
        change: Change::Places,
        ..KEY
    },
    Key {
        name: TLS_CERTIFICATE,
        variable: Some("RTSP_TLS_CERTIFICATE"),
        read: |json, draft| pem_file(json, "CERTIFICATE").map(|file| draft.tls_certificate = file),
        show: |draft| show_file(draft.tls_certificate.as_ref()),
        documentation: "The PEM file with the server's certificate, and those that lead from it to one that viewers \
                        trust. For `tlsPort`, one for the server.",
        // Other contents of the same files count as a change as well.
        change: Change::Restart(|runs, wanted| runs.tls.is_some() && runs.tls != wanted.tls),
        ..TLS_FILE
    },
    Key {
        name: TLS_PRIVATE_KEY,
        variable: Some("RTSP_TLS_PRIVATE_KEY"),
        read: |json, draft| pem_file(json, "PRIVATE KEY").map(|file| draft.tls_private_key = file),
        show: |draft| show_file(draft.tls_private_key.as_ref()),
        documentation: "The PEM file with the certificate's private key.",
        change: Change::Restart(|runs, wanted| {
            let file = |tls: &TlsFiles| tls.private_key.clone();
            runs.tls.is_some() && runs.tls.as_ref().map(file) != wanted.tls.as_ref().map(file)
        }),
        ..TLS_FILE
    },
    Key {
        name: PLAIN_RTSP,
        variable: Some("RTSP_PLAIN_RTSP"),
        form: Form::Boolean,
        read: |json, draft| boolean(json).map(|plain| draft.plain_rtsp = plain),
        show: |draft| json!(draft.plain_rtsp),
        documentation: "Whether the stream can be played without TLS.",
        change: Change::Places,
        change_note: "Who plays without TLS is sent away where that is over.",
        ..KEY
    },
];

const TLS_FILE: Key = Key {
    level: Level::Server,
    form: Form::File,
    empty_variable: Empty::None,
    without: "none",
    change_note: "The first pair is taken with the first port that needs one.",
    ..KEY
};

/// Whether two configurations that both have multicast differ in it as `differ` says.
fn both_differ(runs: &Config, wanted: &Config, differ: fn(Multicast, Multicast) -> bool) -> bool {
    runs.multicast
        .zip(wanted.multicast)
        .is_some_and(|(one, other)| differ(one, other))
}

fn show_file(path: Option<&PathBuf>) -> Value {
    json!(path.cloned().unwrap_or_default())
}
