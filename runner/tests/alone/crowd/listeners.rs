//! Many viewers over TCP who cost little: one thread reads all their connections, and counts what never came.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use crate::common::RtspClient;

/// The pause after a look at all connections: what a system keeps for each is many times more than comes meanwhile.
const PAUSE: Duration = Duration::from_millis(20);
/// How often a viewer shows that it is there: sessions end after half a minute.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// Viewers who read what comes, until they are dropped: then all their connections end at once.
pub(crate) struct Listeners {
    all: Arc<Mutex<Vec<Listener>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What has come to one of them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) packets: u64,
    pub(crate) lost: u64,
    /// The server has closed the connection.
    pub(crate) has_ended: bool,
}

impl Listeners {
    /// Nobody yet.
    pub(crate) fn new() -> Self {
        let (all, is_over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (listening, stop) = (Arc::clone(&all), Arc::clone(&is_over));
        let thread = std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                listening.lock().iter_mut().for_each(Listener::listen);
                std::thread::sleep(PAUSE);
            }
        });
        Self {
            all,
            is_over,
            thread: Some(thread),
        }
    }

    /// Reads on for `client`, which plays `url`.
    pub(crate) fn add(&self, client: RtspClient, url: &str) {
        let session = client.session().expect("it plays").to_owned();
        let (connection, unread) = client.into_connection();
        connection.set_nonblocking(true).expect("it can be");
        self.all.lock().push(Listener {
            connection,
            unread,
            sign_of_life: format!("GET_PARAMETER {url} RTSP/1.0\r\nCSeq: 9\r\nSession: {session}\r\n\r\n"),
            showed_it: Instant::now(),
            newest: None,
            tally: Tally::default(),
        });
    }

    pub(crate) fn tallies(&self) -> Vec<Tally> {
        self.all.lock().iter().map(|listener| listener.tally).collect()
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        // A test that has failed already need not hear of it.
        assert!(
            std::thread::panicking() || !matches!(ended, Some(Err(_))),
            "the reading thread failed"
        );
    }
}

struct Listener {
    connection: TcpStream,
    unread: Vec<u8>,
    sign_of_life: String,
    showed_it: Instant,
    newest: Option<u16>,
    tally: Tally,
}

impl Listener {
    /// Takes what has come.
    fn listen(&mut self) {
        let mut buffer = [0; 16384];
        while !self.tally.has_ended {
            match self.connection.read(&mut buffer) {
                Ok(0) => self.tally.has_ended = true,
                Ok(length) => self.unread.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.tally.has_ended = true,
            }
        }
        let mut rest = self.unread.as_slice();
        while let Some((message, behind)) = split(rest) {
            rest = behind;
            if let [b'$', 0, _, _, _, _, high, low, ..] = *message {
                self.tally.packets += 1;
                let number = u16::from_be_bytes([high, low]);
                let newest = self.newest.replace(number).unwrap_or(number.wrapping_sub(1));
                self.tally.lost += u64::from(number.wrapping_sub(newest).wrapping_sub(1));
            }
        }
        self.unread = rest.to_vec();
        if self.showed_it.elapsed() > SIGN_OF_LIFE {
            self.showed_it = Instant::now();
            // One that has been closed shows in the next look.
            let _ = self.connection.write_all(self.sign_of_life.as_bytes());
        }
    }
}

/// The first packet or answer, with what it stands in, and what comes behind it; `None` until it is there as a whole.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = match *bytes {
        [b'$', _, high, low, ..] => 4 + usize::from(u16::from_be_bytes([high, low])),
        [b'$', ..] | [] => return None,
        // Answers to signs of life have no body.
        _ => bytes.windows(4).position(|end| end == b"\r\n\r\n")? + 4,
    };
    bytes.split_at_checked(length)
}
