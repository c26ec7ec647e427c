//! What a pipeline of one's own has encoded, on its way into a pipeline that decodes it: copies of references, and only while
//! somebody looks.

use std::{
    ops::ControlFlow,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use gst::{ClockTime, prelude::*};
use gst_app::AppSrc;

use super::source::{Order, Source};
use crate::stream::{Presence, Stream, running::Running};

/// How many encoded pictures may wait to be decoded. Where there are more, they are given up, and it goes on with the next
/// key picture.
const MOST_WAITING: u64 = 60;

/// After this time, a key picture that is still needed is asked for again.
const ASKED_AGAIN: Duration = Duration::from_millis(700);

/// Brings a running stream's encoded pictures to where they are decoded, until it is dropped. The stream runs as long.
#[derive(Debug)]
pub(super) struct Tap {
    stream: Weak<Stream>,
    pad: gst::Pad,
    probe: Option<gst::PadProbeId>,
    flow: Arc<Flow>,
    _presence: Presence,
}

#[derive(Debug)]
struct Flow {
    units: AppSrc,
    source: Weak<Source>,
    /// Whether nothing can be decoded before a key picture.
    needs_key: AtomicBool,
}

impl Tap {
    /// Opens it where `running` has its picture encoded; what comes goes into `units`.
    pub(super) fn open(
        stream: &Arc<Stream>,
        presence: Presence,
        running: &Running,
        units: AppSrc,
        source: &Arc<Source>,
    ) -> Result<Self, String> {
        let pad = running.encoded().ok_or("the stream has stopped")?;
        let flow = Arc::new(Flow {
            units,
            source: Arc::downgrade(source),
            needs_key: AtomicBool::new(true),
        });
        let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
        let taken = Arc::clone(&flow);
        let probe = pad.add_probe(kinds, move |pad, info| {
            match &info.data {
                Some(gst::PadProbeData::Buffer(unit)) => taken.take(pad, unit),
                Some(gst::PadProbeData::BufferList(units)) => {
                    units.iter_owned().for_each(|unit| taken.take(pad, &unit));
                }
                _ => {}
            }
            gst::PadProbeReturn::Ok
        });
        stream.force_key_picture();
        Ok(Self {
            stream: Arc::downgrade(stream),
            pad,
            probe,
            flow,
            _presence: presence,
        })
    }

    /// Waits until its thread is told something, and asks for a key picture as long as one is needed: what was asked for may
    /// get lost.
    pub(super) fn remind_until(&self, told: &Receiver<Order>) -> Option<Order> {
        let wait = || match told.recv_timeout(ASKED_AGAIN) {
            Ok(order) => ControlFlow::Break(Some(order)),
            Err(RecvTimeoutError::Disconnected) => ControlFlow::Break(None),
            Err(RecvTimeoutError::Timeout) => {
                self.remind();
                ControlFlow::Continue(())
            }
        };
        loop {
            if let ControlFlow::Break(order) = wait() {
                return order;
            }
        }
    }

    fn remind(&self) {
        let stream = self.stream.upgrade();
        if let Some(stream) = stream.filter(|_| self.flow.needs_key.load(Ordering::Relaxed)) {
            stream.force_key_picture();
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        if let Some(probe) = self.probe.take() {
            self.pad.remove_probe(probe);
        }
    }
}

impl Flow {
    /// Takes what has been encoded, unless it cannot be decoded or too much waits already.
    fn take(&self, pad: &gst::Pad, unit: &gst::Buffer) {
        let is_delta = unit.flags().contains(gst::BufferFlags::DELTA_UNIT);
        if self.units.current_level_buffers() > MOST_WAITING {
            self.needs_key.store(true, Ordering::Relaxed);
        } else if !(is_delta && self.needs_key.load(Ordering::Relaxed)) {
            self.needs_key.store(false, Ordering::Relaxed);
            self.push(pad, unit);
        }
    }

    fn push(&self, pad: &gst::Pad, unit: &gst::Buffer) {
        let (Some(source), Some(caps)) = (self.source.upgrade(), pad.current_caps()) else {
            return;
        };
        source.begin();
        let mut unit = unit.copy();
        if let Some(unit) = unit.get_mut() {
            unit.set_pts(running_time(pad, unit));
            unit.set_dts(ClockTime::NONE);
        }
        let sample = gst::Sample::builder().buffer(&unit).caps(&caps).build();
        // Where nothing is taken any more, its pipeline has ended, and its thread knows why.
        let _has_ended = self.units.push_sample(&sample);
    }
}

/// The running time of a buffer that passes `pad`.
fn running_time(pad: &gst::Pad, unit: &gst::BufferRef) -> Option<ClockTime> {
    let segment = pad.sticky_event::<gst::event::Segment>(0)?;
    let segment = segment.segment().downcast_ref::<ClockTime>()?.clone();
    segment.to_running_time(unit.pts()?)
}
