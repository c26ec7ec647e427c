//! A picture as it comes, and what is in it.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    time::Instant,
};

use clockface::stamp::{
    Stamp,
    reader::{Luma, StampReader},
};
use gst::prelude::*;
use gst_app::{AppSink, AppSrc};

use crate::{Server, common::PATIENCE};

/// What came: a whole answer, or a part of one.
pub(super) struct Picture {
    pub(super) status: u16,
    headers: HashMap<String, String>,
    data: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let data = String::from_utf8_lossy(&self.data);
        let data: String = data.chars().take(300).collect();
        write!(f, "{} {:?} {data}", self.status, self.headers)
    }
}

/// The brightness of a picture.
pub(super) struct Seen {
    pub(super) width: usize,
    pub(super) height: usize,
    luma: Vec<u8>,
    stride: usize,
}

impl Picture {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The file.
    pub(super) fn data(&self) -> &[u8] {
        &self.data
    }

    /// The instant that its header tells, in µs since the Unix epoch.
    pub(super) fn instant(&self) -> Option<i64> {
        let instant: jiff::Timestamp = self.header("x-instant")?.parse().expect("an instant");
        assert_eq!(instant.as_nanosecond() % 1000, 0, "µs");
        Some(instant.as_microsecond())
    }

    /// Decodes it.
    #[track_caller]
    pub(super) fn look(&self) -> Seen {
        gst::init().expect("GStreamer");
        let decoder = if self.header("content-type") == Some("image/png") {
            "pngdec"
        } else {
            "jpegdec"
        };
        let launch = format!(
            "appsrc name=coded ! {decoder} ! videoconvert ! video/x-raw,format=GRAY8 ! appsink name=raw sync=false"
        );
        let pipeline = gst::parse::launch(&launch).expect("a launch string");
        let pipeline = pipeline.downcast::<gst::Pipeline>().expect("a pipeline");
        let element = |name: &str| pipeline.by_name(name).expect("it is there");
        let coded = element("coded").downcast::<AppSrc>().expect("an appsrc");
        let raw = element("raw").downcast::<AppSink>().expect("an appsink");
        pipeline.set_state(gst::State::Playing).expect("it plays");
        let buffer = gst::Buffer::from_slice(self.data.clone());
        coded.push_buffer(buffer).expect("it is taken");
        coded.end_of_stream().expect("it is taken");
        let sample = raw.try_pull_sample(gst::ClockTime::from_seconds(PATIENCE.as_secs()));
        let sample = sample.unwrap_or_else(|| panic!("{self:?} is no picture"));
        pipeline.set_state(gst::State::Null).expect("it stops");
        let info = gst_video::VideoInfo::from_caps(sample.caps().expect("caps")).expect("a picture");
        let luma = sample
            .buffer()
            .expect("a picture")
            .map_readable()
            .expect("it can be read");
        Seen {
            width: usize::try_from(info.width()).expect("a width"),
            height: usize::try_from(info.height()).expect("a height"),
            luma: luma.to_vec(),
            stride: usize::try_from(info.stride()[0]).expect("a stride"),
        }
    }
}

impl Seen {
    /// The stamp in it, where one can be read.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        let luma = Luma {
            data: &self.luma,
            stride: self.stride,
            step: 1,
            width: self.width,
            height: self.height,
        };
        StampReader::new().read(&luma).map(|sighting| sighting.stamp)
    }

    /// How bright it is on average, 0 to 255.
    pub(super) fn mean(&self) -> u64 {
        let rows = self.luma.chunks(self.stride).take(self.height);
        let sum: u64 = rows
            .flat_map(|row| &row[..self.width])
            .map(|luma| u64::from(*luma))
            .sum();
        sum / (self.width * self.height) as u64
    }
}

/// The answer to a GET. Where the machine has no time for pictures, which are made last, it is asked once more, as the answer
/// says.
#[track_caller]
pub(super) fn fetch(server: &Server, path: &str) -> Picture {
    let deadline = Instant::now() + 3 * PATIENCE;
    loop {
        let mut answer = Answer::of(&server.origin, path);
        let (status, headers) = answer.head();
        let data = answer.body();
        if !is_late(status, &data) || Instant::now() > deadline {
            return Picture {
                status,
                headers,
                data,
            };
        }
    }
}

/// Whether no picture was made in time.
fn is_late(status: u16, body: &[u8]) -> bool {
    status == 503 && String::from_utf8_lossy(body).contains("no picture has come within")
}

/// A picture after the other.
pub(super) struct Preview {
    origin: String,
    path: String,
    answer: Answer,
    /// What stands between pictures, once it is known.
    boundary: Option<String>,
}

impl Preview {
    /// Asks for it, and waits for nothing.
    #[track_caller]
    pub(super) fn open(server: &Server, path: &str) -> Self {
        Self {
            origin: server.origin.clone(),
            path: path.to_owned(),
            answer: Answer::of(&server.origin, path),
            boundary: None,
        }
    }

    /// The next picture; `None` at the end.
    #[track_caller]
    pub(super) fn next(&mut self) -> Option<Picture> {
        let boundary = self.boundary();
        let mut line = self.answer.line();
        while line.is_empty() {
            line = self.answer.line();
        }
        while line == boundary {
            line = self.answer.line();
        }
        if line == format!("{boundary}--") {
            assert_eq!(self.answer.line(), "", "that was the end");
            return None;
        }
        let headers = self.answer.headers(line);
        let length = headers["content-length"].parse().expect("a length");
        let mut data = vec![0; length];
        self.answer.0.read_exact(&mut data).expect("a picture");
        Some(Picture {
            status: 200,
            headers,
            data,
        })
    }

    #[track_caller]
    fn boundary(&mut self) -> String {
        if let Some(boundary) = &self.boundary {
            return boundary.clone();
        }
        let deadline = Instant::now() + 3 * PATIENCE;
        let (mut status, mut headers) = self.answer.head();
        while status == 503 && is_late(status, &self.answer.body()) && Instant::now() < deadline {
            self.answer = Answer::of(&self.origin, &self.path);
            (status, headers) = self.answer.head();
        }
        assert_eq!(status, 200, "{headers:?}");
        let kind = &headers["content-type"];
        let boundary = kind.strip_prefix("multipart/x-mixed-replace; boundary=");
        let boundary = format!("--{}", boundary.unwrap_or_else(|| panic!("{kind}")));
        self.boundary = Some(boundary.clone());
        boundary
    }

    /// Reads half a picture, and goes.
    pub(super) fn hang_up(mut self) {
        while !self.answer.line().is_empty() {}
        let mut some = [0; 100];
        self.answer.0.read_exact(&mut some).expect("a picture");
        self.answer
            .0
            .get_ref()
            .shutdown(Shutdown::Both)
            .expect("it is open");
    }
}

/// What is read from a connection that ends with it.
struct Answer(BufReader<TcpStream>);

impl Answer {
    #[track_caller]
    fn of(origin: &str, path: &str) -> Self {
        let address = origin.strip_prefix("http://").expect("an origin");
        let mut connection = TcpStream::connect(address).expect("it is let in");
        connection.set_read_timeout(Some(PATIENCE)).expect("a time");
        // Whoever speaks HTTP/1.0 gets bodies without chunks, up to the end of the connection.
        let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        connection.write_all(request.as_bytes()).expect("it is heard");
        Self(BufReader::new(connection))
    }

    /// All that comes until the end.
    #[track_caller]
    fn body(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        self.0.read_to_end(&mut body).expect("a body");
        body
    }

    /// The status and the headers.
    #[track_caller]
    fn head(&mut self) -> (u16, HashMap<String, String>) {
        let status = self.line();
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
        let first = self.line();
        (status.expect("a status"), self.headers(first))
    }

    /// The headers from `line` on.
    #[track_caller]
    fn headers(&mut self, mut line: String) -> HashMap<String, String> {
        let mut headers = HashMap::new();
        while !line.is_empty() {
            let (name, value) = line
                .split_once(": ")
                .unwrap_or_else(|| panic!("no header: {line:?}"));
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
            line = self.line();
        }
        headers
    }

    /// The next line without its end.
    #[track_caller]
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }
}
