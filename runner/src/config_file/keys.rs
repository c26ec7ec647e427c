//! The keys: one row each, with all that the readers, the schema, the reload and the reference page have to know of it.
//!
//! | module | keys of |
//! | --- | --- |
//! | `stream` | one stream: where it is, how it is coded, how it is sent |
//! | `picture` | what the picture shows |
//! | `transports` | the transports by which streams may be played |
//! | `cameras` | more streams than one |
//! | `http` | the HTTP server |
//! | `server` | the server as a whole: users, viewers, log, time, reload |

use super::{
    form::Form,
    key::{Change, Key},
};
use crate::config::Config;

mod cameras;
pub(super) mod http;
mod picture;
mod server;
mod stream;
mod transports;

pub(crate) const STREAMS: &str = "streams";
pub(super) const EXPECTED_STREAMS: &str = "an array of objects, a stream each";
pub(super) const USERS: &str = "users";
pub(super) const ADDRESS: &str = "serverIPAddress";
pub(super) const PORT: &str = "serverPort";
pub(super) const PATH: &str = "rtspStreamPath";
pub(crate) const COUNT: &str = "count";
pub(super) const SHARED_PICTURE: &str = "sharedPicture";
pub(super) const FIRST_NUMBER: &str = "firstNumber";
pub(super) const STAMP_ID: &str = "stampId";
pub(super) const RESOLUTION: &str = "videoResolution";
pub(super) const CODEC: &str = "videoCodec";
pub(super) const BITRATE: &str = "bitrateKbps";
pub(super) const QUALITY: &str = "quality";
pub(super) const CONSTANT_BITRATE: &str = "constantBitrate";
pub(super) const ENCODER: &str = "encoder";
pub(crate) const LOGO: &str = "logo";
pub(crate) const PIPELINE: &str = "pipeline";
pub(super) const STAMP: &str = "stamp";
pub(super) const AUDIO: &str = "audio";
pub(super) const LABEL: &str = "label";
pub(super) const TIME_FORMAT: &str = "timeFormat";
pub(super) const TIME_ZONE: &str = "timeZone";
pub(super) const CLIENTS_FORMAT: &str = "clientsFormat";
pub(super) const RTP_PORT_RANGE: &str = "rtpPortRange";
pub(super) const TRANSPORTS: &str = "transports";
pub(super) const MULTICAST_ADDRESS_RANGE: &str = "multicastAddressRange";
pub(super) const MULTICAST_PORT_RANGE: &str = "multicastPortRange";
pub(super) const TLS_PORT: &str = "tlsPort";
pub(super) const TLS_CERTIFICATE: &str = "tlsCertificate";
pub(super) const TLS_PRIVATE_KEY: &str = "tlsPrivateKey";
pub(super) const PLAIN_RTSP: &str = "plainRtsp";
pub(super) const VIEWER_USERNAME: &str = "viewerUsername";
pub(super) const AUTHENTICATION: &str = "authentication";
pub(super) const HTTP: &str = "http";
pub(super) const HTTP_TLS: &str = "http.tls";
pub(super) const HTTP_TOKEN: &str = "http.token";
pub(super) const HTTP_ALLOW_PIPELINES: &str = "http.allowPipelines";

/// The name of the key for the port of streams that are played with TLS, or without.
pub(crate) const fn port_key(tls: bool) -> &'static str {
    if tls { TLS_PORT } else { PORT }
}

/// Keys that belong together, as the reference page has them in one table.
pub struct Topic {
    /// The name that the page gives it.
    pub name: &'static str,
    /// Its keys, in the order of the page.
    pub keys: &'static [Key],
}

/// All topics, in the order of the page.
pub static TOPICS: &[Topic] = &[
    Topic {
        name: "stream",
        keys: stream::KEYS,
    },
    Topic {
        name: "picture",
        keys: picture::KEYS,
    },
    Topic {
        name: "transports",
        keys: transports::KEYS,
    },
    Topic {
        name: "cameras",
        keys: cameras::KEYS,
    },
    Topic {
        name: "users",
        keys: server::USERS_KEYS,
    },
    Topic {
        name: "http",
        keys: http::KEYS,
    },
    Topic {
        name: "reload",
        keys: server::RELOAD_KEYS,
    },
    Topic {
        name: "viewers",
        keys: server::VIEWERS_KEYS,
    },
    Topic {
        name: "log",
        keys: server::LOG_KEYS,
    },
    Topic {
        name: "time",
        keys: server::TIME_KEYS,
    },
];

/// Every key, in the order of the reference page.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    TOPICS.iter().flat_map(|topic| topic.keys)
}

/// The key of that name at the top level or in an entry of `streams`.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    keys().find(|key| key.name == name && key.section().is_none())
}

/// The one of `variables` that says `key`, by this name or by its other one.
pub(crate) fn overriding(key: &Key, variables: &[&'static str]) -> Option<&'static str> {
    let same = keys().filter(|other| other.is_same_as(key));
    same.filter_map(|key| key.variable)
        .find(|variable| variables.contains(variable))
}

/// The keys that stand in the object of the key `section`.
pub(super) fn of_section(section: &str) -> impl Iterator<Item = &'static Key> {
    keys().filter(move |key| key.section() == Some(section))
}

/// Whether the value of `key` has the server read files, or write some.
pub(super) fn names_files(key: &Key) -> bool {
    matches!(key.form, Form::File) || key.name == PIPELINE
}

/// The names of the keys whose new values count only after a restart.
pub(crate) fn needs_restart(runs: &Config, wanted: &Config) -> Vec<&'static str> {
    let differs = |key: &&Key| matches!(key.change, Change::Restart(differs) if differs(runs, wanted));
    keys().filter(differs).map(|key| key.name).collect()
}
