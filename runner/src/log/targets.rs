//! The parts of the server by which it tells what happens: fixed words, which stay when code moves.
//!
//! Targets were paths of modules once. Filters that name such paths still mean what they meant.

/// All parts of the server that tell events.
const PARTS: [&str; 9] = [
    "server",
    "connections",
    "requests",
    "viewers",
    "stream",
    "accounts",
    "config",
    "clock",
    "log",
];

/// The word that all paths of modules begin with.
const CRATE: &str = "rtsp_clock_server";

/// The parts that a path of modules, without [`CRATE`], stands for: the first row that it begins with counts.
const PATHS: [(&str, &[&str]); 27] = [
    ("server::requests::guard", &["accounts"]),
    ("server::guard", &["accounts"]),
    ("server::requests::transports", &["viewers"]),
    ("server::transports", &["viewers"]),
    ("server::requests::visit", &["requests", "viewers"]),
    ("server::client", &["requests", "viewers"]),
    ("server::requests", &["requests", "viewers", "accounts"]),
    ("server::mounts", &["requests"]),
    ("server::sessions", &["requests"]),
    ("server::ready", &["requests"]),
    ("server::joining", &["requests"]),
    ("server::connections", &["connections"]),
    ("server::acceptor", &["connections"]),
    ("server::connected", &["connections"]),
    ("server::handshakes", &["connections"]),
    ("server::tunnels", &["connections"]),
    ("server::reading", &["connections"]),
    ("server::intake", &["connections"]),
    (
        "server",
        &[
            "server",
            "connections",
            "requests",
            "viewers",
            "accounts",
            "config",
        ],
    ),
    ("stream::viewers", &["viewers"]),
    ("stream", &["stream", "viewers"]),
    ("viewers", &["viewers"]),
    ("accounts", &["accounts"]),
    ("time_source", &["clock"]),
    ("log", &["log"]),
    ("config", &["config"]),
    ("run", &["server", "config"]),
];

/// A filter's directives, with parts in place of paths of modules.
pub(super) fn modern(directives: &str) -> String {
    // A directive that looks into spans has commas of its own; this server has no spans.
    if directives.contains(['[', '{']) {
        return directives.to_owned();
    }
    let all: Vec<_> = directives.split(',').map(modern_directive).collect();
    all.join(",")
}

fn modern_directive(directive: &str) -> String {
    let (target, level) = match directive.split_once('=') {
        Some((target, level)) => (target, format!("={level}")),
        None => (directive, String::new()),
    };
    let Some(path) = target.trim().strip_prefix(CRATE) else {
        return directive.to_owned();
    };
    let path = path.trim_start_matches(':');
    let found = PATHS.iter().find(|(known, _)| path.starts_with(known));
    let parts = found.map_or(&PARTS[..], |(_, parts)| parts);
    let all: Vec<_> = parts.iter().map(|part| format!("{part}{level}")).collect();
    all.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_modules_mean_what_they_meant() {
        for (old, new) in [
            ("info", "info"),
            (
                "info,viewers=debug,gstreamer=warn",
                "info,viewers=debug,gstreamer=warn",
            ),
            (
                "warn,rtsp_clock_server::stream::viewers=debug",
                "warn,viewers=debug",
            ),
            ("rtsp_clock_server::viewers=off", "viewers=off"),
            ("rtsp_clock_server::server::guard=error", "accounts=error"),
            ("rtsp_clock_server::server::requests::guard", "accounts"),
            (
                "rtsp_clock_server::server::connections::intake=trace",
                "connections=trace",
            ),
            ("rtsp_clock_server::config_file::walk=debug", "config=debug"),
            (
                "a[b{c=1}]=info,rtsp_clock_server=info",
                "a[b{c=1}]=info,rtsp_clock_server=info",
            ),
        ] {
            assert_eq!(modern(old), new);
        }
        let all = modern("rtsp_clock_server=debug");
        assert_eq!(all.split(',').count(), PARTS.len());
        assert!(PARTS.iter().all(|part| all.contains(&format!("{part}=debug"))));
    }

    #[test]
    fn paths_stand_for_parts_that_there_are() {
        for part in PATHS.iter().flat_map(|(_, parts)| *parts) {
            assert!(PARTS.contains(part), "{part}");
        }
    }
}
