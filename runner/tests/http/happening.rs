//! What happens, as it is told while it does.
//!
//! | module | what |
//! | --- | --- |
//! | [`ends`] | when it is told no longer |
//! | [`gone`] | what is told of streams that are gone, and of events that are |

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tungstenite::{ClientRequestBuilder, Message, WebSocket};

use crate::{
    Server,
    common::{RtspClient, wait_until},
};

mod ends;
mod gone;

/// How long something may take to be told.
const PATIENCE: Duration = Duration::from_secs(30);

fn cameras() -> Value {
    json!({ "rtspStreamPath": "/cam{n}", "count": 3, "videoResolution": "160x120", "framesPerSecond": 25,
            "users": [{ "username": "anna", "password": "a", "admin": true },
                      { "username": "bert", "password": "b", "streams": ["/cam2"] }] })
}

const ANNA: &str = "Basic YW5uYTph";
const BERT: &str = "Basic YmVydDpi";

/// An event as it came: its id, its name and its data.
#[derive(Debug, Default, Clone, PartialEq)]
struct Sent {
    id: String,
    name: String,
    data: Value,
}

/// Somebody who reads events.
struct Reader(BufReader<TcpStream>);

fn address(server: &Server) -> &str {
    server.origin.trim_start_matches("http://")
}

impl Reader {
    fn connect(server: &Server, query: &str, headers: &[(&str, &str)]) -> Self {
        let mut stream = TcpStream::connect(address(server)).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        let headers = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let request = format!(
            "GET /api/v1/events{query} HTTP/1.1\r\nHost: {}\r\n{}\r\n",
            address(server),
            headers.collect::<String>()
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut reader = Self(BufReader::new(stream));
        let head: Vec<_> = std::iter::repeat_with(|| reader.line())
            .take_while(|line| !line.is_empty())
            .collect();
        assert!(head[0].contains(" 200 "), "{head:?}");
        reader
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line in time");
        line.trim_end().to_owned()
    }

    /// The next event. The lines between hold the lengths of chunks, and comments.
    fn next(&mut self) -> Sent {
        let mut sent = Sent::default();
        loop {
            let line = self.line();
            match line.split_once(": ") {
                Some(("id", id)) => sent.id = id.into(),
                Some(("event", name)) => sent.name = name.into(),
                Some(("data", data)) => {
                    sent.data = serde_json::from_str(data).expect("JSON");
                    return sent;
                }
                _ => {}
            }
        }
    }

    fn until(&mut self, name: &str) -> Sent {
        std::iter::repeat_with(|| self.next())
            .find(|sent| sent.name == name)
            .expect("it comes")
    }

    /// Whether the answer ends: with a chunk of no length.
    fn ends(mut self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        let lines = std::iter::repeat_with(|| self.line());
        lines
            .take_while(|_| Instant::now() < deadline)
            .any(|line| line == "0")
    }
}

fn watch(server: &Server, path: &str) -> RtspClient {
    let mut viewer = RtspClient::connect_port(server.process.port()).at(path);
    viewer.authorize(ANNA.into());
    viewer.watching()
}

#[test]
fn events_are_told_as_they_happen_and_again_to_who_comes_back() {
    let server = Server::start(&cameras());
    let mut reader = Reader::connect(&server, "", &[("Authorization", ANNA)]);
    let viewer = watch(&server, "/cam1");
    let joined = reader.until("viewerJoined");
    assert_eq!(
        (&joined.data["stream"], &joined.data["viewers"]),
        (&json!("cam1"), &json!(1))
    );
    drop(viewer);
    let left = reader.until("viewerLeft");
    assert_eq!(left.data["stream"], "cam1");
    let mut again = Reader::connect(
        &server,
        "",
        &[("Authorization", ANNA), ("Last-Event-ID", &joined.id)],
    );
    assert_eq!(again.until("viewerLeft"), left);
    let of_another_run = [("Authorization", ANNA), ("Last-Event-ID", "12-3456")];
    assert_eq!(
        Reader::connect(&server, "", &of_another_run).until("viewerJoined"),
        joined
    );
    let wrong = server.ask(
        "GET",
        "/api/v1/events",
        &[("Authorization", ANNA), ("Last-Event-ID", "yesterday")],
        None,
    );
    assert_eq!(wrong.status, 400);
}

#[test]
fn events_are_of_one_stream_and_of_those_that_one_may_see() {
    let server = Server::start(&cameras());
    let mut one = Reader::connect(&server, "?stream=cam3", &[("Authorization", ANNA)]);
    let mut berts = Reader::connect(&server, "", &[("Authorization", BERT)]);
    for path in ["/cam1", "/cam2", "/cam3"] {
        watch(&server, path).next_rtp();
    }
    assert_eq!(one.until("viewerJoined").data["stream"], "cam3");
    assert_eq!(berts.until("viewerJoined").data["stream"], "cam2");
    let left = berts.until("viewerLeft");
    assert_eq!(left.data["stream"], "cam2");
    let theirs = |stream: &str, who| {
        let path = format!("/api/v1/events?stream={stream}");
        server.ask("GET", &path, &[("Authorization", who)], None).status
    };
    assert_eq!((theirs("cam1", BERT), theirs("cam9", ANNA)), (404, 404));
}

/// A page that is there.
struct Page(WebSocket<TcpStream>);

impl Page {
    fn open(server: &Server, who: &str) -> Self {
        Self::open_by(server, ("Authorization", who))
    }

    fn open_by(server: &Server, (header, who): (&str, &str)) -> Self {
        let stream = TcpStream::connect(address(server)).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        let uri = format!("ws://{}/api/v1/live", address(server));
        let request = ClientRequestBuilder::new(uri.parse().expect("a URI"))
            .with_header(header, who)
            .with_header("Origin", server.origin.as_str());
        let (socket, _) = tungstenite::client(request, stream).expect("it is let in");
        Self(socket)
    }

    fn say(&mut self, said: &Value) {
        self.0.send(Message::text(said.to_string())).expect("it is heard");
    }

    /// Whether it is closed.
    fn ends(mut self) -> bool {
        let error = std::iter::repeat_with(|| self.0.read()).find_map(Result::err);
        // Where nothing comes in time, it is open still.
        !matches!(error, Some(tungstenite::Error::Io(error)) if is_late(&error))
    }

    /// The next that it is told under that name.
    fn told(&mut self, name: &str) -> Value {
        loop {
            if let Message::Text(text) = self.0.read().expect("something in time") {
                let told: Value = serde_json::from_str(&text).expect("JSON");
                if let Some(told) = told.get(name) {
                    return told.clone();
                }
            }
        }
    }
}

fn is_late(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

#[test]
fn a_page_is_told_of_what_it_watches() {
    let server = Server::start(&cameras());
    let mut page = Page::open(&server, ANNA);
    page.say(&json!({ "watch": { "streams": ["cam2", "cam3", "cam9"] } }));
    assert_eq!(page.told("gone"), json!(["cam9"]));
    let statuses = page.told("statuses");
    assert_eq!(
        (&statuses[0]["id"], &statuses[1]["id"]),
        (&json!("cam2"), &json!("cam3"))
    );
    let _viewer = watch(&server, "/cam2");
    let joined = std::iter::repeat_with(|| page.told("event")).find(|event| event["type"] == "viewerJoined");
    assert_eq!(joined.expect("it comes")["stream"], "cam2");
    let seen = |statuses: &Value| statuses[0]["viewers"].as_array().map(Vec::len) == Some(1);
    assert!(std::iter::repeat_with(|| page.told("statuses")).any(|statuses| seen(&statuses)));
    let gone = server.ask("DELETE", "/api/v1/streams/cam3", &[("Authorization", ANNA)], None);
    assert_eq!(gone.status, 200, "{gone:?}");
    assert_eq!(page.told("gone"), json!(["cam3"]));
}

#[test]
fn a_page_is_sent_the_pictures_that_it_shows() {
    let server = Server::start(&cameras());
    let mut page = Page::open(&server, ANNA);
    page.say(&json!({ "watch": { "pictures": ["cam1", "cam2"], "width": 80, "fps": 5 } }));
    let mut last = std::collections::BTreeMap::<String, (i64, usize)>::new();
    while last.len() < 2 || last.values().any(|(_, count)| *count < 3) {
        let Message::Binary(bytes) = page.0.read().expect("something in time") else {
            continue;
        };
        let (length, rest) = bytes.split_at(2);
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let (id, rest) = rest.split_at(length);
        let (instant, jpeg) = rest.split_at(8);
        let instant = i64::from_be_bytes(instant.try_into().expect("eight bytes"));
        assert!(jpeg.starts_with(&[0xff, 0xd8, 0xff]), "a JPEG");
        let id = String::from_utf8(id.to_vec()).expect("an id");
        let (before, count) = last.entry(id).or_insert((0, 0));
        assert!(instant > *before, "time goes on");
        (*before, *count) = (instant, *count + 1);
    }
    let streams = server.ask("GET", "/api/v1/streams", &[("Authorization", ANNA)], None);
    let items = streams.body["items"].as_array().expect("a list").clone();
    assert!(
        items.iter().all(|stream| stream["life"]["state"] == "idle"),
        "{items:?}"
    );
}

#[test]
fn pages_are_connections_as_others_are() {
    let server = Server::start(&cameras());
    let pages: Vec<_> = (0..256).map(|_| Page::open(&server, ANNA)).collect();
    let healthz = || server.get("/healthz");
    assert_eq!(healthz().status, 503);
    drop(pages);
    wait_until("there is room again", || healthz().status == 200);
}

#[test]
fn a_page_shows_no_more_than_its_user_may_see() {
    let server = Server::start(&cameras());
    let mut page = Page::open(&server, BERT);
    page.say(&json!({ "watch": { "streams": ["cam1", "cam2"] } }));
    assert_eq!(page.told("gone"), json!(["cam1"]));
    assert_eq!(page.told("statuses").as_array().map(Vec::len), Some(1));
    page.say(&json!({ "dance": true }));
    let end = std::iter::repeat_with(|| page.0.read()).find(Result::is_err);
    assert!(end.is_some(), "what it says is nothing that a page says");
}
