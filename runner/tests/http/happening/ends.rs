//! When it is told no longer: where the log-in counts no longer with which somebody asked.

use std::io::Read as _;

use super::*;
use crate::browsing::log_in;

/// Somebody who looks at a preview.
struct Onlooker(TcpStream);

impl Onlooker {
    fn connect(server: &Server, (header, who): (&str, &str)) -> Self {
        let mut stream = TcpStream::connect(address(server)).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time");
        let request = format!(
            "GET /api/v1/streams/cam1/preview.mjpeg?width=80 HTTP/1.1\r\nHost: {}\r\n{header}: {who}\r\n\r\n",
            address(server)
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut onlooker = Self(stream);
        assert!(onlooker.sees("--picture\r\n"));
        onlooker
    }

    /// Whether that comes.
    fn sees(&mut self, text: &str) -> bool {
        let deadline = Instant::now() + PATIENCE;
        let (mut all, mut some) = (Vec::new(), [0; 4096]);
        while Instant::now() < deadline {
            let count = self.0.read(&mut some).expect("something in time");
            all.extend_from_slice(&some[..count]);
            if all.windows(text.len()).any(|part| part == text.as_bytes()) {
                return true;
            }
            assert!(count > 0, "the connection has ended");
            all.drain(..all.len().saturating_sub(text.len()));
        }
        false
    }
}

#[test]
fn whatever_goes_on_in_a_session_ends_with_it() {
    let server = Server::start(&cameras());
    let by_header = ("Authorization", ANNA);
    let (ends, stays) = (log_in(&server, by_header), log_in(&server, by_header));
    let of_session = ("Cookie", ends.as_str());
    let reader = Reader::connect(&server, "", &[of_session]);
    let page = Page::open_by(&server, of_session);
    let mut onlooker = Onlooker::connect(&server, of_session);
    let others = [("Cookie", stays.as_str()), by_header];
    let readers = others.map(|login| Reader::connect(&server, "", &[login]));
    let pages = others.map(|login| Page::open_by(&server, login));
    let mut onlookers = others.map(|login| Onlooker::connect(&server, login));
    let ended = server.ask("DELETE", "/api/v1/session", &[of_session], None);
    assert_eq!(ended.status, 204, "{ended:?}");
    assert!(reader.ends());
    assert!(page.ends());
    assert!(onlooker.sees("--picture--"));
    let _viewer = watch(&server, "/cam1");
    for mut reader in readers {
        assert_eq!(reader.until("viewerJoined").data["stream"], "cam1");
    }
    for mut page in pages {
        page.say(&json!({ "watch": { "streams": ["cam2"] } }));
        assert_eq!(page.told("statuses")[0]["id"], "cam2");
    }
    for onlooker in &mut onlookers {
        assert!(onlooker.sees("--picture\r\n"));
    }
}

/// Has the server count these users from now on.
fn reload(server: &Server, file: &Value) {
    std::fs::write(&server.file, file.to_string()).expect("its own file");
    let reloaded = server.ask("POST", "/api/v1/reload", &[("Authorization", ANNA)], None);
    assert_eq!(reloaded.status, 200, "{reloaded:?}");
}

#[test]
fn who_listens_has_to_log_in_anew_where_their_log_in_is_another() {
    let server = Server::start(&cameras());
    let mut berts = Reader::connect(&server, "", &[("Authorization", BERT)]);
    let berts_page = Page::open(&server, BERT);
    let mut annas = Reader::connect(&server, "", &[("Authorization", ANNA)]);
    watch(&server, "/cam2").next_rtp();
    berts.until("viewerJoined");
    let mut file = cameras();
    file["users"][1]["password"] = "c".into();
    reload(&server, &file);
    assert!(berts.ends());
    assert!(berts_page.ends());
    assert_eq!(annas.until("reloaded").data["changes"]["login"], true);
    watch(&server, "/cam3").next_rtp();
    assert_eq!(
        annas.until("viewerJoined").data["stream"],
        "cam3",
        "hers is the same"
    );
}

#[test]
fn who_may_see_other_streams_is_told_so_and_comes_again() {
    let mut file = cameras();
    file["users"][1]["streams"] = json!(["/cam{n}"]);
    let server = Server::start(&file);
    let mut berts = Reader::connect(&server, "", &[("Authorization", BERT)]);
    let removed = server.ask("DELETE", "/api/v1/streams/cam2", &[("Authorization", ANNA)], None);
    assert_eq!(removed.status, 200, "{removed:?}");
    let reloaded = berts.until("reloaded");
    assert_eq!(reloaded.data["streams"]["removed"], json!(["cam2"]));
    assert!(berts.ends());
    let again = [("Authorization", BERT), ("Last-Event-ID", reloaded.id.as_str())];
    let mut berts = Reader::connect(&server, "", &again);
    watch(&server, "/cam3").next_rtp();
    assert_eq!(berts.until("viewerJoined").data["stream"], "cam3");
}
