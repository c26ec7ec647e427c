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

/// The parts that a path of modules, without [`CRATE`], stands for: the longest row that it begins with counts.
const PATHS: [(&str, &[&str]); 37] = [
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
    ("server::endpoint", &["server"]),
    ("server::checks", &["server"]),
    ("server::reload", &["server"]),
    ("server::run", &["server", "config"]),
    ("server::guard", &["accounts"]),
    ("server::transports", &["viewers"]),
    ("server::client", &["requests", "viewers"]),
    ("server::mounts", &["requests"]),
    ("server::sessions", &["requests"]),
    ("server::ready", &["requests"]),
    ("server::joining", &["requests"]),
    ("server::acceptor", &["connections"]),
    ("server::connected", &["connections"]),
    ("server::handshakes", &["connections"]),
    ("server::tunnels", &["connections"]),
    ("server::reading", &["connections"]),
    ("server::intake", &["connections"]),
    ("server::connections", &["connections"]),
    ("server::requests", &["requests", "viewers", "accounts"]),
    ("server::requests::guard", &["accounts"]),
    ("server::requests::transports", &["viewers"]),
    ("server::requests::visit", &["requests", "viewers"]),
    ("stream", &["stream", "viewers"]),
    ("stream::viewers", &["viewers"]),
    ("viewers", &["viewers"]),
    ("addresses", &["server"]),
    ("ffi", &["server"]),
    ("rtsp_ffi", &["server"]),
    ("launch", &["stream"]),
    ("access_units", &["stream"]),
    ("ntp_extension", &["stream"]),
    ("time_source", &["clock"]),
    ("log", &["log"]),
    ("config", &["config"]),
    ("cli", &["config"]),
    ("run", &["server", "config"]),
];

/// A filter's directives, with parts in place of paths of modules.
pub(super) fn modern(directives: &str) -> String {
    // A directive that looks into spans has commas of its own; this server has no spans.
    if directives.contains(['[', '{']) {
        return directives.to_owned();
    }
    let mut all: Vec<_> = directives.split(',').collect();
    // Of several for one part the last counts: the one that named the fewest modules.
    all.sort_by_key(|directive| path(directive).map_or(0, str::len));
    let all: Vec<_> = all.into_iter().map(modern_directive).collect();
    all.join(",")
}

/// The path of modules that a directive names, without the crate's own name.
fn path(directive: &str) -> Option<&str> {
    let target = directive.split('=').next()?.trim();
    let path = target.strip_prefix(CRATE)?;
    path.strip_prefix("::")
        .or_else(|| path.is_empty().then_some(path))
}

/// What a path stands for; `None` for one that nothing was ever told under.
fn parts(path: &str) -> Option<&'static [&'static str]> {
    if path.is_empty() {
        return Some(&PARTS);
    }
    let is_within = |known: &str| {
        path.strip_prefix(known)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let known = PATHS.iter().filter(|(known, _)| is_within(known));
    known
        .max_by_key(|(known, _)| known.len())
        .map(|(_, parts)| *parts)
}

fn modern_directive(directive: &str) -> String {
    let Some(parts) = path(directive).and_then(parts) else {
        return directive.to_owned();
    };
    let level = directive.find('=').map_or("", |at| &directive[at..]);
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
            ("rtsp_clock_server::config=debug", "config=debug"),
            // Nothing was ever told under these, or it is not known any more.
            ("rtsp_clock_server::budget=off", "rtsp_clock_server::budget=off"),
            ("rtsp_clock_servers=off", "rtsp_clock_servers=off"),
            (
                "rtsp_clock_server::serverless=off",
                "rtsp_clock_server::serverless=off",
            ),
            (
                "a[b{c=1}]=info,rtsp_clock_server=info",
                "a[b{c=1}]=info,rtsp_clock_server=info",
            ),
        ] {
            assert_eq!(modern(old), new);
        }
        // What names a module wins over what names the whole, in whichever order they stand.
        let both = modern("rtsp_clock_server::server::guard=off,rtsp_clock_server=debug");
        assert!(both.ends_with(",accounts=off"), "{both}");
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
