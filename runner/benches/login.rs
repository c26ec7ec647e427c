//! Whether the time of an answer tells a wrong name from a wrong password: `cargo bench -p rtsp-clock-server --bench login`.
//!
//! Both are tried in turn in the same connections, so that whatever else happens on the machine happens to both; each
//! connection comes from an address of its own, since more guesses of one address are answered late. The control
//! are two wrong names: what the measurement finds between things that are the same. It fails where the difference is
//! more than that of the control and four times what both are uncertain by.

#[path = "../tests/common/mod.rs"]
mod common;

use std::{
    net::Ipv4Addr,
    process::ExitCode,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use common::{RtspClient, config, login, start};
use md5::{Digest as _, Md5};
use rtsp_clock_server::{
    config::{Access, Config, Login, User},
    server::Server,
};

const ATTEMPTS: u32 = 40_000;
/// So many wrong log-ins of an address are answered at once.
const OF_AN_ADDRESS: u32 = 20;
/// Beside the one that is known.
const OTHERS: usize = 20;

fn main() -> ExitCode {
    let others = (0..OTHERS).map(|number| User {
        login: Login {
            username: format!("other{number}"),
            password: "s3cret".into(),
        },
        access: Access::All,
        is_admin: false,
    });
    let server = start(&Config {
        login: Some(login()),
        users: others.collect(),
        ..config()
    });
    println!(
        "| way | first | second | median | median of the second, less that of the first | its uncertainty |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    let mut tells_nothing = true;
    for way in [Way::Basic, Way::Digest] {
        let control = compare(&server, way, "resu", "usre");
        let names = compare(&server, way, "resu", "user");
        let uncertainty = control.uncertainty.hypot(names.uncertainty);
        tells_nothing &= names.seconds.abs() <= control.seconds.abs() + 4.0 * uncertainty;
    }
    if tells_nothing {
        println!("the time of an answer tells no name from another");
        ExitCode::SUCCESS
    } else {
        println!("the time of an answer tells whether there is such a name");
        ExitCode::FAILURE
    }
}

/// How much later the second answer comes, and how sure that is, in s.
struct Difference {
    seconds: f64,
    uncertainty: f64,
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Basic,
    Digest,
}

/// The same wrong password under two names.
fn compare(server: &Server, way: Way, first: &str, second: &str) -> Difference {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..2 * ATTEMPTS / OF_AN_ADDRESS {
        let mut client = RtspClient::connect_from(another_address(), server.port());
        let offers = client.describe();
        let nonce = offers
            .all("WWW-Authenticate")
            .find_map(nonce)
            .expect("a challenge");
        let headers = [first, second].map(|name| header(way, name, &nonce));
        for attempt in 0..OF_AN_ADDRESS {
            // First one first, then the other one: neither always comes behind the other.
            let which = usize::from((attempt + attempt / 2) % 2 == 1);
            client.authorize(headers[which].clone());
            let begin = Instant::now();
            assert_eq!(client.describe().status, 401);
            times[which].push(begin.elapsed());
        }
    }
    let [one, other] = times.map(median);
    let difference = Difference {
        seconds: other.0 - one.0,
        uncertainty: one.1.hypot(other.1),
    };
    println!(
        "| {way:?} | {} | {} | {:.1} µs | {:+.0} ns | ± {:.0} ns |",
        kind(first),
        kind(second),
        one.0 * 1e6,
        difference.seconds * 1e9,
        difference.uncertainty * 1e9
    );
    difference
}

/// One of loopback's that has not been used yet.
fn another_address() -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(0x7f01_0000);
    Ipv4Addr::from_bits(NEXT.fetch_add(1, Ordering::Relaxed))
}

fn kind(name: &str) -> &'static str {
    if name == login().username {
        "wrong password"
    } else {
        "wrong name"
    }
}

/// The median in s, and its standard error: that of a mean from the middle half, times what a median has more.
fn median(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort();
    let at = |quarters: usize| times[times.len() * quarters / 4].as_secs_f64();
    let deviation = (at(3) - at(1)) / 1.349;
    (at(2), 1.253 * deviation / f64::from(ATTEMPTS).sqrt())
}

fn nonce(offer: &str) -> Option<String> {
    let (_, rest) = offer.split_once("nonce=\"")?;
    Some(rest.split('"').next()?.to_owned())
}

fn header(way: Way, name: &str, nonce: &str) -> String {
    match way {
        Way::Basic => format!(
            "Basic {}",
            gst::glib::base64_encode(format!("{name}:wrong!").as_bytes())
        ),
        Way::Digest => {
            let md5 = |text: String| format!("{:x}", Md5::digest(text));
            let (one, two) = (
                md5(format!("{name}:rtsp-clock-server:wrong!")),
                md5("DESCRIBE:/live".into()),
            );
            let response = md5(format!("{one}:{nonce}:{two}"));
            format!(
                "Digest username=\"{name}\", realm=\"rtsp-clock-server\", nonce=\"{nonce}\", uri=\"/live\", \
                 response=\"{response}\""
            )
        }
    }
}
