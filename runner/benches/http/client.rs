//! One HTTP connection that is kept, as cheap as it can be, and an echo to hold it against.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to an HTTP server.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn connect(address: &str) -> Self {
        Self(connection(
            TcpStream::connect(address).expect("the server listens"),
        ))
    }

    /// The status and the body.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &str) -> (u16, Vec<u8>) {
        let request = format!(
            "{method} /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let stream = self.0.get_mut();
        stream.write_all(request.as_bytes()).expect("it is heard");
        let status = self.line().split(' ').nth(1).map(str::to_owned);
        let mut length = 0;
        loop {
            let line = self.line().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("the whole body");
        let status = status.and_then(|status| status.parse().ok());
        (status.expect("a status"), body)
    }

    /// What is there.
    pub(crate) fn get(&mut self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, "");
        assert_eq!(status, 200, "{path}");
        serde_json::from_slice(&body).expect("JSON")
    }

    /// Changes the label of a stream; answers after how many ms that was answered.
    pub(crate) fn label(&mut self, stream: &str, label: &str) -> f64 {
        let asked = Instant::now();
        let path = format!("/streams/{stream}/config");
        let (status, body) = self.ask("PATCH", &path, &format!("{{\"label\": \"{label}\"}}"));
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        asked.elapsed().as_secs_f64() * 1e3
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }
}

/// Sends a byte, and has it come back.
pub(crate) struct Echo(BufReader<TcpStream>);

impl Echo {
    /// Its other end is a thread of this program.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        thread::spawn(move || {
            let (stream, _) = listener.accept().expect("somebody comes");
            let mut stream = connection(stream).into_inner();
            let mut byte = [0];
            while stream.read_exact(&mut byte).is_ok() && stream.write_all(&byte).is_ok() {}
        });
        Self(connection(TcpStream::connect(address).expect("it listens")))
    }

    /// After how many ms the byte is back.
    pub(crate) fn ask(&mut self) -> f64 {
        let asked = Instant::now();
        self.0.get_mut().write_all(b"x").expect("it is heard");
        self.0.read_exact(&mut [0]).expect("it is back");
        asked.elapsed().as_secs_f64() * 1e3
    }
}

fn connection(stream: TcpStream) -> BufReader<TcpStream> {
    stream.set_nodelay(true).expect("an option");
    stream.set_read_timeout(Some(PATIENCE)).expect("an option");
    BufReader::new(stream)
}
