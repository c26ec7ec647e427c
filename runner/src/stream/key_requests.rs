//! When a key picture is asked for: not too often, and again as long as somebody waits.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use gst::glib;

use super::{Stream, pacer::When};
use crate::timers;

/// After this time, a key frame that somebody still waits for is asked for again.
const ASKED_AGAIN: Duration = Duration::from_millis(700);

impl Stream {
    /// Has the encoder make a key frame, at once or when the next one may be asked for.
    pub(crate) fn force_key_picture(self: &Arc<Self>) {
        self.ask_for_key_frame();
    }

    /// Asks for another key frame, again and again, as long as somebody waits for one: what was asked for may get lost.
    pub(super) fn ask_while_anybody_waits(self: &Arc<Self>) {
        if self.asks_again.swap(true, Ordering::AcqRel) {
            return;
        }
        let stream = Arc::downgrade(self);
        timers::every(&self.context, glib::Priority::DEFAULT, ASKED_AGAIN, move || {
            let Some(stream) = stream.upgrade() else {
                return glib::ControlFlow::Break;
            };
            // This comes first: whoever comes from now on starts another timer, or is seen here.
            stream.asks_again.store(false, Ordering::Release);
            if stream.joins.have_waiting() && !stream.asks_again.swap(true, Ordering::AcqRel) {
                stream.ask_for_key_frame();
                return glib::ControlFlow::Continue;
            }
            glib::ControlFlow::Break
        });
    }

    /// Asks the encoder for a key frame, at once or when the next one may be asked for.
    pub(super) fn ask_for_key_frame(self: &Arc<Self>) {
        match self.key_frames.ask(Instant::now()) {
            When::Now => self.force_key_frame(),
            When::After(delay) => {
                let stream = Arc::downgrade(self);
                timers::after(&self.context, glib::Priority::HIGH, delay, move || {
                    if let Some(stream) = stream.upgrade() {
                        stream.key_frames.done(Instant::now());
                        stream.force_key_frame();
                    }
                });
            }
            When::Covered => {}
        }
    }

    fn force_key_frame(&self) {
        if let Some(running) = self.running() {
            running.force_key_frame();
            self.key_frames_forced.fetch_add(1, Ordering::Relaxed);
        }
    }
}
