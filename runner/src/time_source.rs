//! The clock of a network, by which all pipelines run where it is not the machine's: an NTP server's, or that of a PTP
//! domain.
//!
//! - **At the start** the clock has to be in step: a camera that shows another time than it was told to is worse than
//!   none.
//! - **A server that falls silent** is waited for. The clock goes on at the rate it had; the log says so, and says when
//!   the server is back. Where the two have come apart by then, cameras skip frames or wait, and tell the right time
//!   again.
//! - **A server whose time goes back** is not followed: GStreamer takes it for another clock. The log says that, too.

use std::{
    io,
    net::ToSocketAddrs as _,
    sync::Arc,
    time::{Duration, Instant},
};

use clockface::epoch::{NTP_TO_UNIX_NS, TAI_MINUS_UTC_NS};
use gst::{ClockTime, glib, prelude::*};
use gst_net::{NetClientClock, PtpClock};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::{config::ClockSource, timers};

mod ntp;

/// How long it may take to get in step with an NTP server, which is asked again each second.
const NTP_PATIENCE: ClockTime = ClockTime::from_seconds(5);
/// How long it may take with PTP, whose master is chosen by what each one announces, as a rule every two seconds.
const PTP_PATIENCE: ClockTime = ClockTime::from_seconds(20);
/// A silence longer than this is told. Servers are asked, or speak, about once a second.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);
const WATCH_INTERVAL: Duration = Duration::from_secs(1);
/// GStreamer's name of the message that a PTP master's time has come.
const PTP_HEARD: &str = "GstPtpStatisticsTimeUpdated";

/// Why a clock cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody knows the host.
    #[error("the host of clock {0} cannot be found: {1}")]
    UnknownHost(ClockSource, io::Error),
    /// Nobody answers, or the answers tell no time.
    #[error(
        "clock {0} cannot be set: no time has come from there within {1} s. Check that it runs, and that a firewall lets {2} through"
    )]
    Silent(ClockSource, u64, &'static str),
    /// GStreamer's helper that speaks PTP does not start.
    #[error(
        "clock {0} cannot be set: GStreamer's gst-ptp-helper does not start. It needs the UDP ports 319 and 320 for itself, and to be allowed to open them and, from GStreamer 1.24 on, to raise its priority (root, or the file capabilities cap_net_bind_service and cap_sys_nice; in a container, all the capabilities that the file has)"
    )]
    NoPtp(ClockSource),
}

/// A clock of the network, in step.
#[derive(Debug)]
pub(crate) struct TimeSource {
    clock: gst::Clock,
    source: ClockSource,
    heard: Arc<Heard>,
    /// Whether the clock is ahead and has to be set back: see [`ntp`].
    is_ahead: bool,
    /// The callback that hears of PTP's time; it is taken back with the source.
    statistics: Option<gst_net::PtpStatisticsCallback>,
}

impl TimeSource {
    /// The clock that `source` names, once it is in step; `None` for the machine's.
    ///
    /// # Errors
    /// When it cannot be had.
    pub(crate) fn start(source: &ClockSource) -> Result<Option<Self>, Error> {
        let time_source = match source {
            ClockSource::System => return Ok(None),
            ClockSource::Ntp { host, port } => Self::ntp(source, host, *port)?,
            ClockSource::Ptp { domain } => Self::ptp(source, *domain)?,
        };
        time_source.wait()?;
        Ok(Some(time_source))
    }

    /// The clock that the pipelines run by.
    #[must_use]
    pub(crate) fn clock(&self) -> &gst::Clock {
        &self.clock
    }

    /// Whether its time comes, or has come lately.
    #[must_use]
    pub(crate) fn is_heard(&self) -> bool {
        self.clock.is_synced() && self.heard.silence() <= LONGEST_SILENCE
    }

    /// How far its time is ahead of this machine's.
    #[must_use]
    pub(crate) fn offset_seconds(&self) -> Option<f64> {
        let to_unix = match self.source {
            ClockSource::System => return None,
            ClockSource::Ntp { .. } => -NTP_TO_UNIX_NS,
            ClockSource::Ptp { .. } => -TAI_MINUS_UTC_NS,
        };
        let machine = || Timestamp::now().as_nanosecond();
        let (before, time, after) = (machine(), self.clock.time(), machine());
        let ahead = i128::from(time.nseconds()) + to_unix - before.midpoint(after);
        i64::try_from(ahead)
            .ok()
            .map(|ahead| SignedDuration::from_nanos(ahead).as_secs_f64())
    }

    fn ntp(source: &ClockSource, host: &str, port: u16) -> Result<Self, Error> {
        // A host that nobody knows is told apart here: GStreamer would only say that the clock could not start.
        let found = (host, port).to_socket_addrs();
        found.map_err(|error| Error::UnknownHost(source.clone(), error))?;
        let clock = ntp::clock(host, port);
        let heard = Arc::new(Heard::default());
        let bus = gst::Bus::new();
        let notes = Arc::clone(&heard);
        bus.set_sync_handler(move |_, _| {
            notes.note();
            gst::BusSyncReply::Drop
        });
        clock.upcast_ref::<NetClientClock>().set_bus(Some(&bus));
        Ok(Self {
            clock: clock.upcast(),
            source: source.clone(),
            heard,
            is_ahead: ntp::asks_too_early(),
            statistics: None,
        })
    }

    fn ptp(source: &ClockSource, domain: u8) -> Result<Self, Error> {
        let clock = PtpClock::new(None, domain.into()).map_err(|_reason| Error::NoPtp(source.clone()))?;
        let heard = Arc::new(Heard::default());
        let notes = Arc::clone(&heard);
        let statistics = PtpClock::add_statistics_callback(move |of, statistics| {
            if of == domain && statistics.name() == PTP_HEARD {
                notes.note();
            }
            glib::ControlFlow::Continue
        });
        Ok(Self {
            clock: clock.upcast(),
            source: source.clone(),
            heard,
            is_ahead: false,
            statistics: Some(statistics),
        })
    }

    fn wait(&self) -> Result<(), Error> {
        let (patience, what) = match self.source {
            ClockSource::Ptp { .. } => (PTP_PATIENCE, "multicast of 224.0.1.129 on UDP ports 319 and 320"),
            _ => (NTP_PATIENCE, "its UDP port"),
        };
        let in_step = self.clock.wait_for_sync(patience);
        in_step.map_err(|_reason| Error::Silent(self.source.clone(), patience.seconds(), what))?;
        if self.is_ahead {
            ntp::set_back(&self.clock);
        }
        Ok(())
    }

    /// Says in `context` when nothing has come for long, and when something comes again.
    pub(crate) fn watch(&self, context: &glib::MainContext) {
        let name = self.source.to_string();
        self.clock.connect_synced(move |_, is_in_step| {
            if !is_in_step {
                tracing::error!(target: "clock", 
                    "clock {name} went back, and is not followed: the cameras go on by this machine's clock until the \
                     server is started again"
                );
            }
        });
        let (name, heard) = (self.source.to_string(), Arc::downgrade(&self.heard));
        let clock = self.is_ahead.then(|| self.clock.clone());
        let mut is_silent = false;
        timers::every(context, glib::Priority::DEFAULT, WATCH_INTERVAL, move || {
            let Some(heard) = heard.upgrade() else {
                return glib::ControlFlow::Break;
            };
            if let Some(clock) = &clock {
                ntp::set_back(clock);
            }
            let was_silent = std::mem::replace(&mut is_silent, heard.silence() > LONGEST_SILENCE);
            match (was_silent, is_silent) {
                (false, true) => tracing::warn!(target: "clock",
                    "nothing has come from clock {name} for {} s: its time goes on as this machine counts",
                    LONGEST_SILENCE.as_secs()
                ),
                (true, false) => tracing::info!(target: "clock", "clock {name} can be heard again"),
                _ => {}
            }
            glib::ControlFlow::Continue
        });
    }
}

impl Drop for TimeSource {
    fn drop(&mut self) {
        if let Some(statistics) = self.statistics.take() {
            statistics.remove();
        }
    }
}

/// The instant at which a time came last.
#[derive(Debug)]
struct Heard(Mutex<Instant>);

impl Default for Heard {
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl Heard {
    fn note(&self) {
        *self.0.lock() = Instant::now();
    }

    fn silence(&self) -> Duration {
        self.0.lock().elapsed()
    }
}
