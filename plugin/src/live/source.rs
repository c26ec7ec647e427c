//! The life of a live source: from what the base class asks of it to the frame that is due.

use std::sync::atomic::{AtomicBool, Ordering};

use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;
use parking_lot::Mutex;

use super::{Counts, LiveWait, Timing, leaves_at};
use crate::clock::PipelineClock;
use crate::schedule::Frame;

/// What each live source keeps of its life. `S` is what the element's own properties have settled.
#[derive(Debug, Default)]
pub(crate) struct Live<S> {
    life: Mutex<Life<S>>,
    counts: Mutex<Counts>,
    wait: LiveWait,
    /// It has been said in this life that the clock shows what frames cannot tell.
    has_warned: AtomicBool,
}

/// What holds from `start()` to `stop()`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Life<S> {
    pub(crate) timing: Timing,
    pub(crate) settled: S,
    /// What the pipeline gives each frame on top of its PTS, in ns.
    pub(crate) latency: i64,
}

impl<S: Copy> Live<S> {
    /// For the base class's `start`, whether it succeeds or not: the counts of the life before end here.
    pub(crate) fn clear_counts(&self) {
        *self.counts.lock() = Counts::default();
    }

    /// For the base class's `start`: what the properties say holds from now on.
    pub(crate) fn begin(&self, timing: Timing, settled: S) {
        *self.life.lock() = Life {
            timing,
            settled,
            latency: 0,
        };
        self.has_warned.store(false, Ordering::Relaxed);
    }

    pub(crate) fn life(&self) -> Life<S> {
        *self.life.lock()
    }

    pub(crate) fn counts(&self) -> Counts {
        *self.counts.lock()
    }

    /// For the base class's `unlock`.
    pub(crate) fn unlock(&self) {
        self.wait.unlock();
    }

    /// For the base class's `unlock_stop`.
    pub(crate) fn unlock_stop(&self) {
        self.wait.unlock_stop();
    }
}

/// A source whose frames leave when they are due, be they pictures or buffers of sound. What all such sources answer
/// to the base class is here, as `live_` and the name of the virtual method.
pub(crate) trait LiveSource: PushSrcImpl {
    /// What its own properties settle when it starts.
    type Settled: Copy;
    /// What it is called in a pipeline.
    const ELEMENT: &'static str;
    /// What it calls its frames.
    const FRAMES: &'static str;

    fn category() -> gst::DebugCategory;

    fn live(&self) -> &Live<Self::Settled>;

    /// What the properties say of time now.
    fn timing(&self) -> Timing;

    /// The frame that is next, and whether it is the first. A source that is not live has no clock.
    fn plan(
        &self,
        life: &Life<Self::Settled>,
        clock: Option<&PipelineClock>,
    ) -> Result<(Frame, bool), gst::FlowError>;

    /// Real time is about to be waited for.
    fn will_wait(&self) {}

    fn live_constructed(&self) {
        let element = self.obj();
        element.set_format(gst::Format::Time);
        element.set_live(self.timing().is_live);
    }

    fn live_change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        let wait = &self.live().wait;
        wait.change_state(transition, || self.parent_change_state(transition))
    }

    fn live_send_event(&self, event: gst::Event) -> bool {
        // The base class refuses a seek that comes through the pad, and would perform this one.
        !matches!(event.view(), gst::EventView::Seek(_)) && self.parent_send_event(event)
    }

    fn live_query(&self, query: &mut gst::QueryRef) -> bool {
        match query.view_mut() {
            gst::QueryViewMut::Latency(latency) => {
                // A frame leaves at its PTS or before it, whatever making it costs.
                latency.set(self.timing().is_live, gst::ClockTime::ZERO, gst::ClockTime::NONE);
                true
            }
            // A clock has no end.
            gst::QueryViewMut::Duration(_) => false,
            _ => BaseSrcImplExt::parent_query(self, query),
        }
    }

    fn live_event(&self, event: &gst::Event) -> bool {
        if let gst::EventView::Latency(latency) = event.view() {
            let latency = latency.latency().nseconds();
            self.live().life.lock().latency = i64::try_from(latency).unwrap_or(i64::MAX);
        }
        self.parent_event(event)
    }

    /// The frame to make now, once it is time to make it.
    fn next_frame(&self) -> Result<Frame, gst::FlowError> {
        loop {
            let life = self.live().life();
            let clock = self.clock(life.timing)?;
            let (frame, is_first) = self.plan(&life, clock.as_ref())?;
            let Some(clock) = clock else { return Ok(frame) };
            // The first frame's instant is known, and somebody may be waiting for preroll.
            let leaves_at = leaves_at(&frame, life.timing.lead_time);
            if is_first || leaves_at <= clock.running() {
                return Ok(frame);
            }
            self.will_wait();
            self.live()
                .wait
                .until(leaves_at, &clock)
                .map_err(|_| gst::FlowError::Flushing)?;
        }
    }

    /// The clock to live by; none for a source that is not live.
    fn clock(&self, timing: Timing) -> Result<Option<PipelineClock>, gst::FlowError> {
        if !timing.is_live {
            return Ok(None);
        }
        let clock = PipelineClock::of(&*self.obj());
        if clock.is_none() {
            gst::element_imp_error!(
                self,
                gst::CoreError::Clock,
                ("a live {} needs a pipeline clock", Self::ELEMENT)
            );
        }
        clock.ok_or(gst::FlowError::Error).map(Some)
    }

    /// Says once in a life that the clock shows an instant (ns since the Unix epoch) that frames cannot tell.
    fn warn_of_instant(&self, instant: i64) {
        let Some(text) = untold(instant) else { return };
        if self.live().has_warned.swap(true, Ordering::Relaxed) {
            return;
        }
        gst::warning!(Self::category(), imp = self, "{text}");
        gst::element_imp_warning!(self, gst::CoreError::Clock, ("{text}"));
    }

    /// Counts a frame that leaves now.
    fn count(&self, frame: &Frame, timing: Timing, clock: Option<&PipelineClock>) {
        let leaves_at = leaves_at(frame, timing.lead_time);
        let lateness = clock.map_or(0, |clock| clock.running().saturating_sub(leaves_at));
        self.live().counts.lock().note(frame, lateness);
        if frame.dropped > 0 {
            gst::debug!(
                Self::category(),
                imp = self,
                "skipped {} {} before {}",
                frame.dropped,
                Self::FRAMES,
                frame.number
            );
        }
    }
}

/// What to say of an instant that frames cannot tell; `None` for all others.
fn untold(instant: i64) -> Option<&'static str> {
    match instant {
        ..0 => Some(
            "the clock is before 1970, which is the first instant that a stamp and a buffer's timestamps can tell: they \
             stay there. Set this machine's clock",
        ),
        i64::MAX => Some(
            "the clock is past 2262-04-11T23:47:16Z, the last instant that can be told in ns since 1970: picture, stamp \
             and timestamps stay there. Set this machine's clock",
        ),
        _ => None,
    }
}
