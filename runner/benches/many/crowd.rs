//! Viewers by the thousand: each speaks RTSP over one TCP connection, with RTP interleaved, and looks at no more than the
//! heads of its packets. A few threads serve all of them, in another process than the server whose CPU is measured.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use tokio::runtime::Builder;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::connection::{Connection, Item, Packet};

const THREADS: usize = 2;
/// H.264's RTP clock, in Hz.
const RTP_CLOCK: u32 = 90_000;
/// Sooner than any server's time-out of a session.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// Viewers who come, watch, and stay until they are dropped.
pub(crate) struct Crowd {
    shared: Arc<Shared>,
    size: usize,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    port: u16,
    /// RTP time from frame to frame.
    period: u32,
    /// How many frames each viewer counts, once it is to count.
    due: OnceLock<u32>,
    is_over: AtomicBool,
    /// Where they wait for each other before they play, if they do.
    together: Option<Barrier>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    first_request: Option<Instant>,
    first_play: Option<Instant>,
    /// How long each waited for the answer to its PLAY.
    answers: Vec<Duration>,
    /// When each of those who see something saw its first whole key frame.
    first_pictures: Vec<Instant>,
    /// Why viewers are there no longer.
    gone: Vec<String>,
    tallies: BTreeMap<usize, Tally>,
}

/// What came to one viewer while it counted: so many periods of the camera from its first frame on, however late it got to
/// see them.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    /// The RTP time of its first frame.
    start: u32,
    /// Whole ones.
    pub(crate) frames: u64,
    /// Which of its frames never came, by the times of the others: those that the camera has skipped are among them.
    pub(crate) missing: BTreeSet<u32>,
    /// By the sequence numbers: packets that the camera has sent.
    pub(crate) packets_lost: u64,
}

impl Tally {
    /// How many periods after `other`'s its first frame is, where both see one picture.
    pub(crate) fn starts_after(&self, other: &Self, frame_rate: u32) -> i64 {
        let period = i64::from(RTP_CLOCK / frame_rate);
        let ticks = i64::from(self.start.wrapping_sub(other.start).cast_signed());
        (ticks + period / 2).div_euclid(period)
    }
}

/// How long it took the whole crowd to see something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) since_first_request: Duration,
    pub(crate) since_first_play: Duration,
}

impl Crowd {
    /// A viewer at each of `paths`, each coming so much later than the one before; the camera makes that many frames a
    /// second.
    pub(crate) fn join(port: u16, paths: &[String], frame_rate: u32, pace: Duration) -> Self {
        Self::start(port, paths, frame_rate, pace, None)
    }

    /// As [`Self::join`], all at once, and all play in the same moment.
    pub(crate) fn play_together(port: u16, paths: &[String], frame_rate: u32) -> Self {
        let together = Barrier::new(paths.len());
        Self::start(port, paths, frame_rate, Duration::ZERO, Some(together))
    }

    fn start(
        port: u16,
        paths: &[String],
        frame_rate: u32,
        pace: Duration,
        together: Option<Barrier>,
    ) -> Self {
        let shared = Arc::new(Shared {
            port,
            period: RTP_CLOCK / frame_rate,
            due: OnceLock::new(),
            is_over: AtomicBool::new(false),
            together,
            state: Mutex::default(),
        });
        let start = Instant::now();
        let threads = (0..THREADS).map(|thread| {
            let numbered = paths.iter().cloned().enumerate();
            let own: Vec<(usize, String)> = numbered.skip(thread).step_by(THREADS).collect();
            let shared = Arc::clone(&shared);
            thread::spawn(move || serve(&shared, own, start, pace))
        });
        Self {
            threads: threads.collect(),
            size: paths.len(),
            shared,
        }
    }

    /// Waits until all see a picture; the error says who does not.
    pub(crate) fn see(&self, patience: Duration) -> Result<Arrival, String> {
        let sees = |state: &State| state.first_pictures.len();
        let state = self.wait(patience, "see a picture", sees)?;
        let last = state.first_pictures.iter().max().copied();
        let since = |start: Option<Instant>| last.zip(start).map(|(last, start)| last - start);
        Ok(Arrival {
            since_first_request: since(state.first_request).unwrap_or_default(),
            since_first_play: since(state.first_play).unwrap_or_default(),
        })
    }

    /// How long each waited for the answer to its PLAY, of those that have it.
    pub(crate) fn answers(&self) -> Vec<Duration> {
        self.shared.state.lock().answers.clone()
    }

    /// Lets each count `due` frames from now on, once, and answers their tallies; the error says who has gone, or whom not so
    /// many came to.
    pub(crate) fn count(&self, due: u32, patience: Duration) -> Result<Vec<Tally>, String> {
        self.shared.due.get_or_init(|| due);
        let state = self.wait(patience, "came to the end of their count", |state| {
            state.tallies.len()
        })?;
        Ok(state.tallies.values().cloned().collect())
    }

    /// Waits until `how_many` are all.
    fn wait(
        &self,
        patience: Duration,
        what: &str,
        how_many: impl Fn(&State) -> usize,
    ) -> Result<MutexGuard<'_, State>, String> {
        let deadline = Instant::now() + patience;
        loop {
            let state = self.shared.state.lock();
            if let Some(reason) = state.gone.first() {
                return Err(format!("{} are gone: {reason}", state.gone.len()));
            }
            let count = how_many(&state);
            if count == self.size {
                return Ok(state);
            }
            if Instant::now() > deadline {
                return Err(format!("only {count} of {} {what}", self.size));
            }
            drop(state);
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // One that has failed has said so.
            let _ = thread.join();
        }
    }
}

impl Shared {}

/// One thread's share of the viewers, each with its number and its path.
fn serve(shared: &Arc<Shared>, viewers: Vec<(usize, String)>, start: Instant, pace: Duration) {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for (number, path) in viewers {
            let shared = Arc::clone(shared);
            tasks.spawn(async move {
                let turn = start + pace * u32::try_from(number).unwrap_or(u32::MAX);
                tokio::time::sleep_until(turn.into()).await;
                if let Err(reason) = watch(&shared, number, &path).await {
                    shared.state.lock().gone.push(format!("{path}: {reason}"));
                }
            });
        }
        while !shared.is_over.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tasks.abort_all();
    });
}

async fn watch(shared: &Shared, number: usize, path: &str) -> Result<(), String> {
    let url = format!("rtsp://127.0.0.1:{}{path}", shared.port);
    let mut connection = Connection::open((Ipv4Addr::LOCALHOST, shared.port).into()).await?;
    shared.state.lock().first_request.get_or_insert_with(Instant::now);
    connection
        .ask("DESCRIBE", &url, "Accept: application/sdp\r\n")
        .await?;
    let transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
    connection
        .ask("SETUP", &format!("{url}/stream=0"), transport)
        .await?;
    if let Some(together) = &shared.together {
        together.wait().await;
    }
    let asked = Instant::now();
    shared.state.lock().first_play.get_or_insert(asked);
    connection.ask("PLAY", &url, "Range: npt=0.000-\r\n").await?;
    shared.state.lock().answers.push(asked.elapsed());
    let mut counter = Counter::default();
    let mut alive = Instant::now();
    let mut sees = false;
    loop {
        let Item::Packet(packet) = connection.next().await? else {
            continue;
        };
        if packet.channel != 0 {
            continue;
        }
        if !sees && counter.sees(&packet) {
            sees = true;
            shared.state.lock().first_pictures.push(Instant::now());
        }
        let due = shared.due.get().copied();
        if let Some(tally) = due.and_then(|due| counter.note(&packet, due, shared.period)) {
            shared.state.lock().tallies.insert(number, tally);
        }
        if alive.elapsed() > SIGN_OF_LIFE {
            alive = Instant::now();
            connection.send("GET_PARAMETER", &url, "").await?;
        }
    }
}

/// Counts the packets of one viewer.
#[derive(Default)]
struct Counter {
    has_key: bool,
    last_sequence_number: Option<u16>,
    /// The numbers of the whole frames.
    came: BTreeSet<u32>,
    tally: Option<Tally>,
    is_done: bool,
}

impl Counter {
    /// Whether a whole key frame is there with `packet`.
    fn sees(&mut self, packet: &Packet) -> bool {
        self.has_key |= packet.is_key;
        self.has_key && packet.marker
    }

    /// Takes `packet` into account; answers what came once it is behind the `due` frames.
    fn note(&mut self, packet: &Packet, due: u32, period: u32) -> Option<Tally> {
        if self.is_done {
            return None;
        }
        let tally = self.tally.get_or_insert_with(|| Tally {
            start: packet.rtp_time,
            ..Tally::default()
        });
        let before = self.last_sequence_number.replace(packet.sequence_number);
        let expected = before.map(|before| before.wrapping_add(1));
        let lost = expected.map_or(0, |expected| packet.sequence_number.wrapping_sub(expected));
        tally.packets_lost += u64::from(lost);
        // To the next whole number: a time may be a tick off.
        let number = packet.rtp_time.wrapping_sub(tally.start).wrapping_add(period / 2) / period;
        if number < due {
            if packet.marker {
                tally.frames += 1;
                self.came.insert(number);
            }
            return None;
        }
        tally.missing = (0..due).filter(|number| !self.came.contains(number)).collect();
        self.is_done = true;
        self.tally.take()
    }
}
