//! Viewers by the thousand: each speaks RTSP over one TCP connection, with RTP interleaved, and looks at no more than the
//! heads of its packets. A few threads serve all of them, in another process than the server whose CPU is measured.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
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
    counts: AtomicBool,
    is_over: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    first_request: Option<Instant>,
    first_play: Option<Instant>,
    /// When each of those who see something saw its first whole key frame.
    first_pictures: Vec<Instant>,
    /// Why viewers are there no longer.
    gone: Vec<String>,
    tallies: BTreeMap<usize, Tally>,
}

/// What came to one viewer while it counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) frames: u64,
    /// By the frames' times: those that the camera has skipped are among them.
    pub(crate) missing: u64,
    /// By the sequence numbers: packets that the camera has sent.
    pub(crate) packets_lost: u64,
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
        let shared = Arc::new(Shared {
            port,
            period: RTP_CLOCK / frame_rate,
            counts: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
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
        let deadline = Instant::now() + patience;
        loop {
            let state = self.shared.lock();
            if let Some(reason) = state.gone.first() {
                return Err(format!("{} are gone: {reason}", state.gone.len()));
            }
            if state.first_pictures.len() == self.size {
                let last = state.first_pictures.iter().max().copied();
                let since = |start: Option<Instant>| last.zip(start).map(|(last, start)| last - start);
                return Ok(Arrival {
                    since_first_request: since(state.first_request).unwrap_or_default(),
                    since_first_play: since(state.first_play).unwrap_or_default(),
                });
            }
            if Instant::now() > deadline {
                return Err(format!(
                    "only {} of {} see a picture",
                    state.first_pictures.len(),
                    self.size
                ));
            }
            drop(state);
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Lets all count until then, and answers their tallies; the error says who has gone.
    pub(crate) fn count(&self, until: Instant) -> Result<Vec<Tally>, String> {
        self.shared.counts.store(true, Ordering::Relaxed);
        thread::sleep(until.saturating_duration_since(Instant::now()));
        self.shared.counts.store(false, Ordering::Relaxed);
        // Who has counted says so with its next packet.
        thread::sleep(Duration::from_secs(1));
        let state = self.shared.lock();
        if let Some(reason) = state.gone.first() {
            return Err(format!("{} were sent away: {reason}", state.gone.len()));
        }
        if state.tallies.len() < self.size {
            let silent = self.size - state.tallies.len();
            return Err(format!("nothing came to {silent} of {}", self.size));
        }
        Ok(state.tallies.values().copied().collect())
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

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
                    shared.lock().gone.push(format!("{path}: {reason}"));
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
    shared.lock().first_request.get_or_insert_with(Instant::now);
    connection
        .ask("DESCRIBE", &url, "Accept: application/sdp\r\n")
        .await?;
    let transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
    connection
        .ask("SETUP", &format!("{url}/stream=0"), transport)
        .await?;
    shared.lock().first_play.get_or_insert_with(Instant::now);
    connection.ask("PLAY", &url, "Range: npt=0.000-\r\n").await?;
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
            shared.lock().first_pictures.push(Instant::now());
        }
        let counts = shared.counts.load(Ordering::Relaxed);
        if let Some(tally) = counter.note(&packet, counts, shared.period) {
            shared.lock().tallies.insert(number, tally);
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
    next_sequence_number: Option<u16>,
    /// The time of the last whole frame, while it counts.
    last: Option<u32>,
    tally: Tally,
    was_counting: bool,
}

impl Counter {
    /// Whether a whole key frame is there with `packet`.
    fn sees(&mut self, packet: &Packet) -> bool {
        self.has_key |= packet.is_key;
        self.has_key && packet.marker
    }

    /// Takes `packet` into account if it `counts`; answers what came once it counts no longer.
    fn note(&mut self, packet: &Packet, counts: bool, period: u32) -> Option<Tally> {
        let expected = self
            .next_sequence_number
            .replace(packet.sequence_number.wrapping_add(1));
        if !counts {
            self.last = None;
            let tally = std::mem::take(&mut self.tally);
            return std::mem::take(&mut self.was_counting).then_some(tally);
        }
        self.was_counting = true;
        let lost = expected.map_or(0, |expected| packet.sequence_number.wrapping_sub(expected));
        self.tally.packets_lost += u64::from(lost);
        if packet.marker {
            self.tally.frames += 1;
            if let Some(last) = self.last.replace(packet.rtp_time) {
                let periods = (packet.rtp_time.wrapping_sub(last) + period / 2) / period;
                self.tally.missing += u64::from(periods.saturating_sub(1));
            }
        }
        None
    }
}
