//! Whether a viewer reads what it is sent.
//!
//! gst-rtsp-server keeps what the connection of a viewer over TCP does not take. Past 10 s and 100 packets of that it sends
//! this viewer nothing any more, says so to nobody, and leaves it connected and counted. So this
//! module looks at the connection: a viewer who is further behind than the patience allows is sent away, and so is one whom
//! gst-rtsp-server has dropped already.

use std::time::{Duration, Instant};

use gst_rtsp::RTSPLowerTrans;
use gst_rtsp_server::{RTSPFilterResult, RTSPSessionMedia, RTSPSessionPool, RTSPStreamTransport, prelude::*};

use super::connection::Connection;
use crate::{
    events::Farewell,
    ffi::{rtsp, socket::Delivery},
};

/// A viewer over TCP that is sent nothing for this long has been paused, its camera has stalled, or it was dropped.
const QUIET: Duration = Duration::from_secs(3);

/// Finds out how far a viewer is behind what it is sent, by looking at its connections from time to time: a tunnel through
/// HTTP has two.
#[derive(Debug)]
pub(in crate::server) struct BacklogWatch {
    patience: Duration,
    routes: Vec<Route>,
    quiet: Option<Quiet>,
}

/// A connection by which data may go to a viewer.
#[derive(Debug)]
struct Route {
    connection: Connection,
    backlog: Backlog,
    /// How many bytes had been written at the first look.
    at_first: Option<u64>,
    /// More has been written since the first look.
    is_used: bool,
}

impl Route {
    fn new(connection: Connection, patience: Duration) -> Self {
        Self {
            connection,
            backlog: Backlog { patience, mark: None },
            at_first: None,
            is_used: false,
        }
    }

    /// What the connection's peer has taken; `None` once the connection has ended.
    fn look(&mut self) -> Option<Delivery> {
        let delivery = self.connection.delivery()?;
        let written = delivery.written();
        self.is_used |= *self.at_first.get_or_insert(written) != written;
        Some(delivery)
    }
}

/// How many bytes have been written, and since when no more have been.
#[derive(Debug)]
struct Quiet {
    written: u64,
    since: Instant,
}

impl BacklogWatch {
    /// Watches the viewer of `connection`, who may be behind by `patience`.
    pub(in crate::server) fn new(connection: Connection, patience: Duration) -> Self {
        let mut watch = Self {
            patience,
            routes: Vec::new(),
            quiet: None,
        };
        watch.look_at(connection);
        watch
    }

    /// The viewer's data may go by `connection` as well.
    pub(in crate::server) fn look_at(&mut self, connection: Connection) {
        if self.routes.iter().any(|route| route.connection == connection) {
            return;
        }
        self.routes.push(Route::new(connection, self.patience));
    }

    /// Looks at the connections, and at the sessions of `pool`, which are played by them; answers why the client has to be
    /// sent away, if it has to be. To be called on the thread that serves the client.
    pub(in crate::server) fn reason_to_end(&mut self, pool: &RTSPSessionPool) -> Option<Farewell> {
        let now = Instant::now();
        let (mut written, mut reason) = (0_u64, None);
        // A tunnel goes on when its connection for requests has ended, and gets another one. Where the system has given up
        // the connection for data, as it does some time after the patience, gst-rtsp-server takes the error for a passing one.
        self.routes.retain_mut(|route| {
            let Some(delivery) = route.look() else {
                reason = reason.or(route.is_used.then_some(Farewell::Disconnected));
                return false;
            };
            written = written.wrapping_add(delivery.written());
            reason = reason.or_else(|| route.backlog.reason(now, &delivery));
            true
        });
        let reason = reason.or_else(|| self.has_been_dropped(now, written, pool));
        if reason.is_some() {
            for route in &self.routes {
                route.connection.forget_what_waits();
            }
        }
        reason
    }

    fn has_been_dropped(&mut self, now: Instant, written: u64, pool: &RTSPSessionPool) -> Option<Farewell> {
        match &self.quiet {
            Some(quiet) if quiet.written == written => {
                let is_quiet = now.duration_since(quiet.since) > QUIET;
                (is_quiet && plays_in_vain(pool)).then_some(Farewell::NotReading)
            }
            _ => {
                self.quiet = Some(Quiet { written, since: now });
                None
            }
        }
    }
}

/// How old the oldest byte is that the peer's system has not taken.
#[derive(Debug)]
struct Backlog {
    patience: Duration,
    mark: Option<Mark>,
}

/// What had been written at an instant, in bytes since the connection began.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: Instant,
    written: u64,
}

impl Backlog {
    /// Why the viewer has to go, if it has to. As long as a byte waits that had been written when the mark was set, it has
    /// waited as long as the mark is old.
    fn reason(&mut self, now: Instant, delivery: &Delivery) -> Option<Farewell> {
        let mark = self
            .mark
            .filter(|mark| delivery.taken < mark.written)
            .unwrap_or(Mark {
                at: now,
                written: delivery.written(),
            });
        self.mark = Some(mark);
        let age = now.duration_since(mark.at);
        (age > self.patience).then(|| {
            // A system whose program does not read is still there: it is probed at doubling intervals, and answers.
            if delivery.last_heard < age * 3 / 4 {
                Farewell::NotReading
            } else {
                Farewell::Unreachable
            }
        })
    }
}

/// Whether something in the sessions of `pool` is to be played over TCP, and gst-rtsp-server no longer sends it.
fn plays_in_vain(pool: &RTSPSessionPool) -> bool {
    let sessions = pool.filter(Some(&mut |_, _| RTSPFilterResult::Ref));
    let all = sessions
        .iter()
        .flat_map(|session| session.filter(Some(&mut |_, _| RTSPFilterResult::Ref)));
    all.into_iter()
        .filter(rtsp::is_playing)
        .any(|media| is_sent_nothing(&media))
}

fn is_sent_nothing(session_media: &RTSPSessionMedia) -> bool {
    let Some(media) = session_media.media() else {
        return false;
    };
    let mut streams = (0..media.n_streams()).filter_map(|index| {
        let transport = session_media.transport(index).filter(is_interleaved)?;
        Some((media.stream(index)?, transport))
    });
    streams.any(|(stream, transport)| {
        let served = stream.transport_filter(Some(&mut |_, _| RTSPFilterResult::Ref));
        !served.contains(&transport)
    })
}

fn is_interleaved(transport: &RTSPStreamTransport) -> bool {
    rtsp::delivered(transport).is_some_and(|delivered| delivered.lower.contains(RTSPLowerTrans::TCP))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn backlog() -> Backlog {
        Backlog {
            patience: 5 * SECOND,
            mark: None,
        }
    }

    fn delivery(taken: u64, waiting: u64) -> Delivery {
        Delivery {
            taken,
            waiting,
            last_heard: Duration::ZERO,
        }
    }

    /// What is found in so many looks, a second apart.
    fn looks(backlog: &mut Backlog, count: u32, delivery: impl Fn(u32) -> Delivery) -> Vec<(u32, Farewell)> {
        let start = Instant::now();
        let look = |second| {
            Some((
                second,
                backlog.reason(start + second * SECOND, &delivery(second))?,
            ))
        };
        (0..count).filter_map(look).collect()
    }

    #[test]
    fn whoever_keeps_up_is_left_alone() {
        let in_time = looks(&mut backlog(), 100, |second| {
            delivery(u64::from(second) * 1000, 900)
        });
        assert_eq!(in_time, []);
        let has_nothing_to_read = looks(&mut backlog(), 100, |_| delivery(1000, 0));
        assert_eq!(has_nothing_to_read, []);
        // Four seconds behind, and never more.
        let slow = looks(&mut backlog(), 100, |second| {
            delivery(u64::from(second) * 1000, 4000)
        });
        assert_eq!(slow, []);
    }

    #[test]
    fn whoever_takes_nothing_is_found_out() {
        let found = looks(&mut backlog(), 7, |_| delivery(1000, 1));
        assert_eq!(found, [(6, Farewell::NotReading)]);
    }

    #[test]
    fn whoever_is_too_slow_is_found_out() {
        // Each second it takes a byte and is sent two.
        let found = looks(&mut backlog(), 20, |second| {
            delivery(u64::from(second), u64::from(second))
        });
        assert!(matches!(found[..], [(_, Farewell::NotReading), ..]), "{found:?}");
    }

    #[test]
    fn whose_system_does_not_answer_cannot_be_reached() {
        let found = looks(&mut backlog(), 7, |second| Delivery {
            last_heard: second * SECOND,
            ..delivery(1000, 1)
        });
        assert_eq!(found, [(6, Farewell::Unreachable)]);
    }

    #[test]
    fn the_way_for_requests_may_end_and_the_one_for_data_may_not() {
        use std::{
            io::{Read as _, Write as _},
            net::TcpStream,
        };
        gst::init().expect("GStreamer starts");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let connect = || {
            let client = TcpStream::connect(listener.local_addr().expect("it has one"));
            let (server, peer) = listener.accept().expect("somebody knocks");
            let connection = Connection::new(&server, peer);
            (client.expect("it listens"), server, connection)
        };
        let (requests, mut data, pool) = (connect(), connect(), RTSPSessionPool::new());
        let mut watch = BacklogWatch::new(requests.2, 10 * SECOND);
        watch.look_at(data.2);
        watch.look_at(data.2);
        assert_eq!((watch.reason_to_end(&pool), watch.routes.len()), (None, 2));
        data.1.write_all(b"data").expect("it stands");
        data.0.read_exact(&mut [0; 4]).expect("it comes");
        drop(requests);
        assert_eq!((watch.reason_to_end(&pool), watch.routes.len()), (None, 1));
        drop(data);
        assert_eq!(watch.reason_to_end(&pool), Some(Farewell::Disconnected));
    }
}
