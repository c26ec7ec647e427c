//! Plays streams side by side and collects what came of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::Timestamp;

use crate::figures::{Added, ClockCheck, Evidence, Measurement, SCHEMA_VERSION, Sample};
use crate::intake;
use crate::limits::Limits;
use crate::live::Progress;
use crate::matching::Matching;
use crate::ntp::{self, Watch};
use crate::origin::Origin;
use crate::player::{Manner, Told, Transport};
use crate::stream::{Happened, Stream};
use crate::target::Target;

/// How often progress is told and streams are looked after.
const LOOK_AFTER: Duration = Duration::from_millis(500);

/// What to measure, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// URLs and files, one at least.
    pub targets: Vec<Target>,
    /// Other ways to the first target's camera.
    pub vias: Vec<Target>,
    /// How RTSP servers are to send.
    pub transport: Transport,
    /// For how long, from the moment of asking; else until all have ended.
    pub duration: Option<Duration>,
    /// Ends earlier, once so many pictures of each have come.
    pub frames: Option<u64>,
    /// What is allowed.
    pub limits: Limits,
    /// The NTP server whose time the cameras keep.
    pub ntp: Option<String>,
    /// A picture that stands still for longer is frozen.
    pub freeze_threshold: Duration,
    /// One in so many pictures is examined.
    pub every: u32,
    /// What the jitter buffer may wait for late packets.
    pub latency: Duration,
    /// Whether a server may show any certificate.
    pub any_certificate: bool,
    /// Whether all stamps of a picture are read, and held against each other.
    pub spot: bool,
    /// Whether a live stream whose connection ended is asked for again, until it is back.
    pub reconnect: bool,
}

impl Options {
    /// One URL or file, and defaults for everything else.
    #[must_use]
    pub fn of(target: Target) -> Self {
        Self {
            targets: vec![target],
            vias: Vec::new(),
            transport: Transport::default(),
            duration: None,
            frames: None,
            limits: Limits::default(),
            ntp: None,
            freeze_threshold: Duration::from_millis(500),
            every: 1,
            latency: Duration::from_millis(200),
            any_certificate: false,
            spot: false,
            reconnect: false,
        }
    }

    fn manner(&self) -> Manner {
        Manner {
            transport: self.transport,
            latency: self.latency,
            freeze_threshold: self.freeze_threshold,
            every: self.every,
            any_certificate: self.any_certificate,
            spot: self.spot,
            reconnect: self.reconnect,
        }
    }
}

/// What a measurement found.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The figures.
    pub measurement: Measurement,
    /// For the report: one for each stream.
    pub evidence: Vec<Evidence>,
    /// Whether a stream could not be played, or not to the end, or the time server did not answer.
    pub failed: bool,
}

impl Outcome {
    /// Whether everything was measured and each limit kept.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let measured = |stream: &crate::figures::StreamFigures| stream.counts.frames > 0;
        !self.failed
            && self.measurement.streams.iter().all(measured)
            && self.measurement.limits.iter().all(|limit| limit.kept)
    }
}

/// Is told what happens while it happens.
pub trait Observer {
    /// A picture came.
    ///
    /// # Errors
    /// Ends the measurement.
    fn picture(&mut self, _url: &str, _sample: &Sample) -> anyhow::Result<()> {
        Ok(())
    }

    /// Something is wrong with a stream.
    fn problem(&mut self, _url: &str, _sentence: &str) {}

    /// Whether [`Observer::progress`] is of use.
    fn wants_progress(&self) -> bool {
        false
    }

    /// How all streams do, twice a second.
    fn progress(&mut self, _streams: &[Progress]) {}
}

/// Looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}

/// Measures until the duration is over or all streams have ended.
///
/// # Errors
/// When GStreamer cannot be started. What is wrong with a stream is among its figures.
pub fn measure(options: &Options) -> anyhow::Result<Outcome> {
    measure_until(options, &AtomicBool::new(false), &mut Unobserved)
}

/// As [`measure`], or until `stop` is set.
///
/// # Errors
/// As [`measure`], and whatever the observer's are.
pub fn measure_until(
    options: &Options,
    stop: &AtomicBool,
    observer: &mut dyn Observer,
) -> anyhow::Result<Outcome> {
    init()?;
    let clock = options.ntp.as_deref().map(ntp::check).unwrap_or_default();
    if let (Some(server), Some(error)) = (&clock.ntp_server, &clock.error) {
        observer.problem(server, &format!("{error}. Latencies are not corrected."));
    }
    let (tell, told) = mpsc::channel();
    let mut session = Session::start(options, clock, &tell);
    session.run(&told, stop, observer)?;
    Ok(session.finish())
}

/// Starts GStreamer and registers this project's own elements, once.
///
/// # Errors
/// When one of both cannot be done.
pub fn init() -> anyhow::Result<()> {
    gst::init().context("GStreamer cannot be started")?;
    gstclocksrc::register_static().context("clockprobe cannot be registered")?;
    intake::follow();
    Ok(())
}

/// One measurement.
struct Session<'a> {
    options: &'a Options,
    clock: ClockCheck,
    watch: Option<Watch>,
    started: (Timestamp, Instant),
    /// Those of the targets, then those of the vias.
    streams: Vec<Stream>,
    /// One for each via.
    matchings: Vec<Matching>,
}

impl<'a> Session<'a> {
    fn start(options: &'a Options, clock: ClockCheck, tell: &mpsc::Sender<Told>) -> Self {
        let targets: Vec<&Target> = options.targets.iter().chain(&options.vias).collect();
        // A via's host is left alone: its clock does not matter, and some servers take one connection only.
        let origins = origins(&options.targets);
        let manner = options.manner();
        let started = (Timestamp::now(), Instant::now());
        let streams = targets.iter().enumerate().map(|(index, target)| {
            // The instants that a via's pictures show are of the first target's camera.
            let camera = if index < options.targets.len() { index } else { 0 };
            let origin = origins.get(camera).cloned().unwrap_or(Origin::File);
            Stream::start(index, target, &manner, origin, &clock, tell.clone())
        });
        Self {
            options,
            started,
            streams: streams.collect(),
            matchings: vec![Matching::default(); options.vias.len()],
            watch: Watch::start(&clock),
            clock,
        }
    }

    fn run(
        &mut self,
        told: &mpsc::Receiver<Told>,
        stop: &AtomicBool,
        observer: &mut dyn Observer,
    ) -> anyhow::Result<()> {
        // One that no clock reaches is none.
        let deadline = self
            .options
            .duration
            .and_then(|it| self.started.1.checked_add(it));
        // What is wrong from the beginning is told by then.
        let mut look_after = Instant::now() + LOOK_AFTER;
        while !self.is_over(deadline) && !stop.load(Ordering::Relaxed) {
            let now = Instant::now();
            if now >= look_after {
                self.look_after(observer);
                look_after = now + LOOK_AFTER;
            }
            let wait = deadline.map_or(look_after, |deadline| deadline.min(look_after)) - now;
            // A signal is seen soon although nothing wakes this thread for it.
            match told.recv_timeout(wait.min(Duration::from_millis(100))) {
                Ok(told) => self.message(&told, observer)?,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
        self.drain(told, observer)
    }

    /// Takes what has been told up to now, so that the counts at the end are those of the pictures that were taken.
    fn drain(&mut self, told: &mpsc::Receiver<Told>, observer: &mut dyn Observer) -> anyhow::Result<()> {
        self.take(told, observer)?;
        thread::scope(|scope| {
            for stream in &mut self.streams {
                scope.spawn(|| stream.stop());
            }
        });
        self.take(told, observer)
    }

    fn take(&mut self, told: &mpsc::Receiver<Told>, observer: &mut dyn Observer) -> anyhow::Result<()> {
        while let Ok(told) = told.try_recv() {
            self.message(&told, observer)?;
        }
        Ok(())
    }

    fn is_over(&self, deadline: Option<Instant>) -> bool {
        deadline.is_some_and(|deadline| Instant::now() >= deadline)
            || self
                .streams
                .iter()
                .all(|stream| stream.is_done(self.options.frames))
    }

    fn message(&mut self, told: &Told, observer: &mut dyn Observer) -> anyhow::Result<()> {
        let index = told.by.stream;
        let Some(stream) = self.streams.get_mut(index) else {
            return Ok(());
        };
        match stream.message(told) {
            Happened::Picture(sample) => {
                observer.picture(stream.name(), &sample)?;
                self.match_frame(index, &sample);
            }
            Happened::Problem(sentence) => observer.problem(stream.name(), &sentence),
            Happened::Nothing => {}
        }
        Ok(())
    }

    fn match_frame(&mut self, index: usize, sample: &Sample) {
        if index == 0 {
            for matching in &mut self.matchings {
                matching.direct(sample);
            }
        } else if let Some(via) = index.checked_sub(self.options.targets.len())
            && let Some(matching) = self.matchings.get_mut(via)
        {
            matching.via(sample);
        }
    }

    fn look_after(&mut self, observer: &mut dyn Observer) {
        for stream in &mut self.streams {
            for sentence in stream.look_after() {
                observer.problem(stream.name(), &sentence);
            }
        }
        if observer.wants_progress() {
            let of = self.options.duration;
            let progress: Vec<Progress> = self.streams.iter().map(|stream| stream.progress(of)).collect();
            observer.progress(&progress);
        }
    }

    fn added(&self) -> Vec<Added> {
        let vias = self.streams.iter().skip(self.options.targets.len());
        let Some(direct) = self.streams.first() else {
            return Vec::new();
        };
        let added = self.matchings.iter().zip(vias).map(|(matching, via)| {
            matching.added(direct.name(), via.name(), direct.is_live() && via.is_live())
        });
        added.collect()
    }

    fn finish(mut self) -> Outcome {
        let seconds = self.started.1.elapsed().as_secs_f64();
        if let Some(watch) = self.watch.take() {
            self.clock = watch.finish(self.clock);
        }
        // Another way's reports are not the camera's.
        for stream in self.streams.iter_mut().take(self.options.targets.len()) {
            stream.doubt_origin(&self.clock);
        }
        let added = self.added();
        let camera_clock = self.streams.first().map(|first| first.relation(&self.clock));
        let lacks_time = self.options.ntp.is_some() && self.clock.offset.is_none();
        let failed = lacks_time || self.streams.iter().any(Stream::has_failed);
        let mut streams = Vec::new();
        let mut evidence = Vec::new();
        for (index, stream) in self.streams.into_iter().enumerate() {
            let relation = match &camera_clock {
                Some(relation) if index >= self.options.targets.len() => relation.clone(),
                _ => stream.relation(&self.clock),
            };
            let (figures, shown) = stream.finish(relation);
            streams.push(figures);
            evidence.push(shown);
        }
        let limits = streams
            .iter()
            .flat_map(|figures| self.options.limits.check(figures))
            .collect();
        Outcome {
            measurement: Measurement {
                schema_version: SCHEMA_VERSION,
                probe: env!("CARGO_PKG_VERSION").into(),
                started: self.started.0.to_string(),
                seconds,
                clock: self.clock,
                streams,
                added,
                limits,
            },
            evidence,
            failed,
        }
    }
}

/// Where each is, all looked up at once: a name or a host that does not answer takes seconds.
fn origins(targets: &[Target]) -> Vec<Origin> {
    thread::scope(|scope| {
        let lookups: Vec<_> = targets
            .iter()
            .map(|target| scope.spawn(|| Origin::of(target)))
            .collect();
        let unknown = |_| Origin::Elsewhere(Err("it could not be looked up".into()));
        lookups
            .into_iter()
            .map(|lookup| lookup.join().unwrap_or_else(unknown))
            .collect()
    })
}
