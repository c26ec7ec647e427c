//! Another configuration while a viewer plays, key by key: who loses what is as the reference page says.

use std::{collections::BTreeSet, path::Path};

use rtsp_clock_server::{
    config_file::{self, Change, Key, Level},
    events::Changes,
    server::Server,
};
use serde_json::{Map, Value, json};

use super::{basic, read};
use crate::common::{RtspClient, certificate::Certificate, start, wait_for_viewers, watcher::Watcher};

/// The path of a stream that is in nobody's way.
const BYSTANDER: &str = "/bystander";

/// Another value of a key, and what stands beside it in both configurations.
struct Case {
    key: &'static str,
    beside: Value,
    before: Value,
    after: Value,
}

impl Case {
    /// Null: the key is not there.
    fn new(key: &'static str, beside: Value, before: Value, after: Value) -> Self {
        Self {
            key,
            beside,
            before,
            after,
        }
    }

    /// Beside a stream that is not concerned, unless the key is about which streams there are.
    fn file(&self, value: &Value) -> Value {
        let mut all = self.beside.as_object().expect("an object").clone();
        match self.key.split_once('.') {
            _ if value.is_null() => {}
            Some((section, name)) => {
                let section = all.entry(section).or_insert_with(|| json!({}));
                section[name] = value.clone();
            }
            None => {
                all.insert(self.key.to_owned(), value.clone());
            }
        }
        let level = |name: &str| {
            config_file::keys()
                .find(|key| key.name == name)
                .expect("a key")
                .level
        };
        let (of_server, of_stream): (Map<_, _>, Map<_, _>) = all
            .into_iter()
            .partition(|(name, _)| level(name) == Level::Server);
        let mut file = json!({ "videoResolution": "320x240", "framesPerSecond": 50 });
        file.as_object_mut().expect("an object").extend(of_server);
        if self.key != "streams" {
            file["streams"] = json!([{ "rtspStreamPath": BYSTANDER }, of_stream]);
        }
        file
    }

    fn row(&self) -> &'static Key {
        let mut keys = config_file::keys();
        keys.find(|key| key.name == self.key).expect("a key")
    }
}

/// One of each key, which need nothing beside it.
fn simple_cases() -> Vec<Case> {
    let logo = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/clock.png");
    let pipeline = "clocksrc ! video/x-raw,width=64,height=64,framerate=50/1 ! x264enc tune=zerolatency ! rtph264pay \
                    name=pay0";
    [
        ("videoCodec", json!("mjpeg")),
        ("videoResolution", json!("160x120")),
        ("framesPerSecond", json!(40)),
        ("keyFrameInterval", json!(7)),
        ("h264IFrameInterval", json!(7)),
        ("encoder", json!("x264enc")),
        ("pipeline", json!(pipeline)),
        ("audio", json!("pcmu")),
        ("rtpPacketSize", json!(1200)),
        ("ntpExtension", json!(true)),
        ("transports", json!(["tcp"])),
        ("rtspStreamPath", json!("/other")),
        ("serverIPAddress", json!("127.0.0.2")),
        ("label", json!("Door \"1\"")),
        ("timeFormat", json!("%H:%M")),
        ("timeZone", json!("UTC")),
        ("clientsFormat", json!("{} here")),
        ("font", json!("sans")),
        ("textColor", json!("#ff0000")),
        ("backgroundColor", json!("#00008080")),
        ("horizontalAlignment", json!("left")),
        ("verticalAlignment", json!("top")),
        ("textScale", json!(0.5)),
        ("logo", json!(logo)),
        ("logoPosition", json!("top-left")),
        ("logoScale", json!(0.3)),
        ("stamp", json!("qr")),
        ("stampPosition", json!("top-left")),
        ("stampId", json!(7)),
        ("flash", json!(true)),
        ("alwaysOn", json!(true)),
        ("maxViewers", json!(5)),
        ("maxServerViewers", json!(9)),
        ("logLevel", json!("warn")),
        ("reload", json!(true)),
        ("authentication", json!("basic")),
        ("quality", json!(50)),
        ("rtpPortRange", json!("50000-50019")),
        ("multicastAddressRange", json!("239.1.1.1")),
        ("sessionTimeoutSeconds", json!(60)),
        ("logFormat", json!("json")),
        ("clock", json!("ptp:7")),
        ("firstNumber", json!(7)),
        ("http", json!(false)),
        ("http.address", json!("::1")),
        ("http.port", json!(0)),
        ("http.token", json!("0123456789abcdef")),
        ("http.allowedHosts", json!(["camera.example"])),
        ("http.allowedOrigins", json!(["https://lab.example"])),
        ("http.maxStreams", json!(7)),
    ]
    .map(|(key, after)| Case::new(key, json!({}), Value::Null, after))
    .into()
}

/// The same in another file.
fn copied(file: &Path) -> Value {
    let copy = file.with_extension("copy.pem");
    std::fs::copy(file, &copy).expect("a writable folder");
    json!(copy)
}

/// Those that need something beside them.
fn other_cases(certificate: &Certificate) -> Vec<Case> {
    let files = certificate.files();
    let files = [files.certificate, files.private_key];
    let one = files.each_ref().map(|file| json!(file));
    let other = files.each_ref().map(|file| copied(file));
    let tls = |beside: Value| {
        let mut all = json!({ "tlsCertificate": one[0], "tlsPrivateKey": one[1] });
        for (key, value) in beside.as_object().expect("an object") {
            all[key] = value.clone();
        }
        all
    };
    let without = |mut all: Value, key: &str| {
        all.as_object_mut().expect("an object").remove(key);
        all
    };
    let none = Value::Null;
    vec![
        Case::new(
            "serverPort",
            json!({ "plainRtsp": true }),
            json!(0),
            json!(free_port()),
        ),
        Case::new("bitrateKbps", json!({}), json!(500), json!(900)),
        Case::new(
            "constantBitrate",
            json!({ "bitrateKbps": 500 }),
            none.clone(),
            json!(true),
        ),
        Case::new(
            "count",
            json!({ "rtspStreamPath": "/live/{n}" }),
            none.clone(),
            json!(2),
        ),
        Case::new(
            "sharedPicture",
            json!({ "rtspStreamPath": "/live/{n}", "count": 2 }),
            none.clone(),
            json!(true),
        ),
        Case::new("tlsPort", tls(json!({})), none.clone(), json!(0)),
        Case::new(
            "plainRtsp",
            tls(json!({ "tlsPort": 0 })),
            none.clone(),
            json!(false),
        ),
        Case::new(
            "tlsCertificate",
            without(tls(json!({ "tlsPort": 0 })), "tlsCertificate"),
            one[0].clone(),
            other[0].clone(),
        ),
        Case::new(
            "tlsPrivateKey",
            without(tls(json!({ "tlsPort": 0 })), "tlsPrivateKey"),
            one[1].clone(),
            other[1].clone(),
        ),
        Case::new(
            "multicastPortRange",
            json!({ "multicastAddressRange": "239.1.1.1" }),
            none.clone(),
            json!("16000-16999"),
        ),
        Case::new(
            "multicastTtl",
            json!({ "multicastAddressRange": "239.1.1.1" }),
            none.clone(),
            json!(2),
        ),
        Case::new(
            "viewerUsername",
            json!({ "viewerPassword": "b" }),
            none.clone(),
            json!("a"),
        ),
        Case::new(
            "viewerPassword",
            json!({ "viewerUsername": "a" }),
            json!("b"),
            json!("c"),
        ),
        Case::new(
            "users",
            json!({}),
            none.clone(),
            json!([{ "username": "a", "password": "b" }]),
        ),
        Case::new(
            "streams",
            json!({}),
            json!([{}]),
            json!([{}, { "rtspStreamPath": "/more" }]),
        ),
    ]
}

/// Those of the HTTP server that need something beside them.
fn cases_of_http(certificate: &Certificate) -> Vec<Case> {
    let files = certificate.files();
    let tls = json!({ "tlsCertificate": files.certificate, "tlsPrivateKey": files.private_key });
    let token = json!({ "http": { "token": "0123456789abcdef" } });
    vec![
        Case::new("http.tls", tls, Value::Null, json!(true)),
        Case::new("http.allowPipelines", token, Value::Null, json!(true)),
    ]
}

fn free_port() -> u16 {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    free.local_addr().expect("it has one").port()
}

/// What becomes of a viewer.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    PlaysOn,
    SeesTheEnd,
}

impl Case {
    /// What the page says.
    fn fate(&self) -> Fate {
        match (self.row().change, self.key) {
            // Who plays without TLS, where that is no longer to be had.
            (Change::Places, "plainRtsp") | (Change::NewStream, _) => Fate::SeesTheEnd,
            (Change::AtOnce | Change::Encoder | Change::Places | Change::Restart(_), _) => Fate::PlaysOn,
        }
    }

    /// Where a viewer plays. Of pictures that become one, the first plays on.
    fn watched(&self) -> &'static str {
        match self.key {
            "sharedPicture" => "/live/2",
            "count" => "/live/1",
            _ => "/live",
        }
    }

    /// Reloads while a viewer plays, and another one of a stream that is not concerned.
    fn check(&self) {
        let mut server = start(&read(&self.file(&self.before)));
        let bystander = (self.key != "streams").then(|| self.watch_bystander(&server));
        let mut viewer = self.watch(&server);
        let after = read(&self.file(&self.after));
        let changes = server.reload(&after, "a test");
        let changes = changes.unwrap_or_else(|error| panic!("{}: {error}", self.key));
        match self.fate() {
            Fate::PlaysOn => {
                Watcher::new(viewer).end();
                self.check_changes(&changes);
            }
            Fate::SeesTheEnd => assert!(viewer.sees_the_end(), "{}: the viewer plays on", self.key),
        }
        bystander.map(Watcher::end);
    }

    /// A viewer of the other stream.
    fn watch_bystander(&self, server: &Server) -> Watcher {
        let mut client = RtspClient::connect(server).at(BYSTANDER);
        self.log_in(&mut client);
        let viewer = client.watching();
        wait_for_viewers(server, 1);
        Watcher::new(viewer)
    }

    /// What both configurations know stays good.
    fn log_in(&self, client: &mut RtspClient) {
        if self.key == "viewerPassword" {
            client.authorize(basic("a", "b"));
        }
    }

    fn watch(&self, server: &Server) -> RtspClient {
        let mut client = RtspClient::connect(server).at(self.watched());
        self.log_in(&mut client);
        let viewer = client.watching();
        wait_for_viewers(server, if self.key == "streams" { 1 } else { 2 });
        viewer
    }

    /// What is said of what has changed.
    fn check_changes(&self, changes: &Changes) {
        let gone = changes.replaced.len() + changes.removed.len();
        let is_of_stream = self.row().level == Level::Stream;
        let is_in_place = is_of_stream && matches!(self.row().change, Change::AtOnce | Change::Encoder);
        assert_eq!(gone, 0, "{}: {changes:?}", self.key);
        assert!(
            !is_in_place || changes.changed.len() == 1,
            "{}: {changes:?}",
            self.key
        );
        assert!(
            is_of_stream || changes.changed.is_empty(),
            "{}: {changes:?}",
            self.key
        );
        let needs_restart = match self.row().change {
            Change::Restart(_) => vec![self.key],
            _ => Vec::new(),
        };
        // A file of TLS that is another one is so as a pair.
        let is_named = needs_restart
            .iter()
            .all(|key| changes.needs_restart.contains(key));
        assert!(
            is_named && (needs_restart.is_empty() == changes.needs_restart.is_empty()),
            "{}: {changes:?}",
            self.key
        );
        let is_new = !changes.is_none();
        assert!(is_new, "{}: nothing has changed", self.key);
    }
}

/// Every key has a case, and one that is added needs one.
#[test]
fn every_key_is_tried() {
    let certificate = Certificate::new();
    let tried: BTreeSet<_> = simple_cases()
        .into_iter()
        .chain(other_cases(&certificate))
        .chain(cases_of_http(&certificate))
        .map(|case| case.key)
        .collect();
    let all: BTreeSet<_> = config_file::keys().map(|key| key.name).collect();
    assert_eq!(tried, all);
}

/// Each of `cases` of which that is so.
fn check_where(cases: Vec<Case>, is_meant: impl Fn(&Change) -> bool) {
    for case in cases.into_iter().filter(|case| is_meant(&case.row().change)) {
        case.check();
    }
}

#[test]
fn what_changes_at_once_ends_nobodys_stream() {
    check_where(simple_cases(), |change| {
        matches!(change, Change::AtOnce | Change::Encoder)
    });
}

#[test]
fn what_needs_another_stream_ends_this_one() {
    check_where(simple_cases(), |change| {
        matches!(change, Change::NewStream | Change::Places)
    });
}

#[test]
fn what_needs_a_restart_says_so_and_changes_nothing() {
    check_where(simple_cases(), |change| matches!(change, Change::Restart(_)));
}

#[test]
fn a_change_with_others_beside_it_takes_what_its_key_says() {
    let certificate = Certificate::new();
    for case in other_cases(&certificate)
        .into_iter()
        .chain(cases_of_http(&certificate))
    {
        // Its viewer has a log-in that counts no longer.
        if case.key == "viewerPassword" {
            continue;
        }
        case.check();
    }
}

/// From none to some, an encoder works in another way.
#[test]
fn a_first_bitrate_takes_another_pipeline() {
    let files = [json!({}), json!({ "bitrateKbps": 500 }), json!({})];
    let mut server = start(&read(&files[0]));
    for file in &files[1..] {
        let mut viewer = RtspClient::watch(&server);
        wait_for_viewers(&server, 1);
        let changes = server.reload(&read(file), "a test").expect("it can be had");
        assert_eq!(changes.replaced.len(), 1, "{changes:?}");
        assert!(viewer.sees_the_end());
    }
}
