//! Throws conversations at a server, from several threads at once.

use std::{
    collections::BTreeMap,
    io::{self, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use super::requests::{Conversation, Kind, OWN_SESSION, Target};
use crate::common::{PATIENCE, random::Random};

const ATTACKERS: u64 = 8;
/// What is malformed may never be answered: nobody waits long.
const ANSWER_TIME: Duration = Duration::from_millis(20);

/// How many requests of each kind were sent, and how many answers of each status came.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sent: BTreeMap<Kind, usize>,
    pub(crate) answers: BTreeMap<u16, usize>,
    /// Connections that the server ended before the conversation was over.
    pub(crate) ended: usize,
}

impl Tally {
    pub(crate) fn requests(&self) -> usize {
        self.sent.values().sum()
    }

    fn add(mut self, other: Self) -> Self {
        for (kind, count) in other.sent {
            *self.sent.entry(kind).or_default() += count;
        }
        for (status, count) in other.answers {
            *self.answers.entry(status).or_default() += count;
        }
        self.ended += other.ended;
        self
    }
}

/// Sends `requests` of them or some more.
pub(crate) fn attack(server: SocketAddr, target: &Target, requests: usize, seed: u64) -> Tally {
    let left = AtomicUsize::new(requests);
    std::thread::scope(|scope| {
        let attackers: Vec<_> = (0..ATTACKERS)
            .map(|number| {
                let left = &left;
                scope.spawn(move || {
                    let mut random = Random::new(seed ^ (number << 32));
                    let mut tally = Tally::default();
                    while left.load(Ordering::Relaxed) > 0 {
                        let conversation = Conversation::make(&mut random, target);
                        let sent = converse(server, &conversation, &mut random, &mut tally);
                        let _before = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                            Some(left.saturating_sub(sent))
                        });
                    }
                    tally
                })
            })
            .collect();
        let tallies = attackers.into_iter();
        tallies.fold(Tally::default(), |sum, attacker| {
            sum.add(attacker.join().expect("an attacker outlives its attack"))
        })
    })
}

/// Holds one conversation, and answers how many requests of it were sent.
fn converse(
    server: SocketAddr,
    conversation: &Conversation,
    random: &mut Random,
    tally: &mut Tally,
) -> usize {
    let mut lines: [Option<Line>; 2] = [None, None];
    let mut sent = 0;
    for (number, bytes) in &conversation.turns {
        let line = lines[*number].get_or_insert_with(|| Line::open(server));
        if line.say(bytes, tally).is_err() {
            // The server has hung up, which is its right.
            tally.ended += 1;
            break;
        }
        sent += 1;
    }
    *tally.sent.entry(conversation.kind).or_default() += sent;
    for line in lines.into_iter().flatten() {
        line.hang_up(random);
    }
    sent
}

/// One connection.
struct Line {
    stream: TcpStream,
    session: Vec<u8>,
}

impl Line {
    fn open(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).expect("the server listens");
        stream
            .set_read_timeout(Some(ANSWER_TIME))
            .expect("a read timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("a write timeout");
        Self {
            stream,
            session: Vec::new(),
        }
    }

    /// Sends it and hears what comes back at once.
    fn say(&mut self, bytes: &[u8], tally: &mut Tally) -> io::Result<()> {
        let bytes = replace(bytes, OWN_SESSION.as_bytes(), &self.session);
        self.stream.write_all(&bytes)?;
        let mut answer = [0; 8192];
        let length = match self.stream.read(&mut answer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => 0,
            read => read?,
        };
        self.hear(&answer[..length], tally);
        Ok(())
    }

    fn hear(&mut self, answer: &[u8], tally: &mut Tally) {
        let text = String::from_utf8_lossy(answer);
        if let Some(status) = text
            .split_once("RTSP/1.0 ")
            .and_then(|(_, rest)| rest.get(..3)?.parse().ok())
        {
            *tally.answers.entry(status).or_default() += 1;
        }
        if let Some((_, rest)) = text.split_once("Session: ") {
            let end = rest.find([';', '\r']).unwrap_or(rest.len());
            self.session = rest.as_bytes()[..end].to_vec();
        }
    }

    /// With a FIN, or, as there may be unread data, with a RST.
    fn hang_up(self, random: &mut Random) {
        if random.one_in(2) {
            // It may have gone already.
            let _ = self.stream.shutdown(Shutdown::Both);
        }
    }
}

fn replace(bytes: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let at = bytes.windows(what.len()).position(|window| window == what);
    match at {
        Some(at) => [&bytes[..at], with, &bytes[at + what.len()..]].concat(),
        None => bytes.to_vec(),
    }
}
