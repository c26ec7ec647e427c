//! A camera that runs before anybody looks: the stream starts its pipeline as a viewer would, and keeps it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use gst::glib;
use gst_rtsp::RTSPUrl;
use gst_rtsp_server::{RTSPMedia, prelude::*};
use jiff::Timestamp;

use super::Stream;
use crate::{ffi::rtsp, timers};

impl Stream {
    /// Starts the pipeline, and keeps it running whoever comes and goes. Waits until it runs.
    pub(crate) fn run(self: &Arc<Self>) {
        if !self.is_to_run() || self.own.lock().is_some() {
            return;
        }
        let presence = self.arrive(None);
        let since = Timestamp::now();
        if let Err(error) = self.start() {
            let cause = format!("cannot start: {error}");
            if self.trouble.fail_to_start(since, error.to_string()) {
                self.tell_failed(cause);
            } else {
                tracing::error!(target: "stream", stream = self.name(), "{cause}");
            }
            drop(presence);
            self.back_off.lock().fail(Instant::now());
            return self.run_later();
        }
        *self.own.lock() = Some(presence);
        if !self.is_to_run() {
            // It changed meanwhile, and whoever did that found nothing to stop.
            self.stop();
        }
    }

    /// Whether it is to run before anybody looks.
    fn is_to_run(&self) -> bool {
        self.is_always_on() && !self.is_retired.load(Ordering::SeqCst)
    }

    /// Lets the pipeline go with the last client.
    pub(crate) fn stop(&self) {
        let own = self.own.lock().take();
        drop(own);
    }

    fn start(&self) -> Result<(), glib::BoolError> {
        if !self.has_room() {
            return Err(glib::bool_error!("this machine has no room for it"));
        }
        let (_, url) = RTSPUrl::parse("rtsp://localhost/");
        let url = url.ok_or_else(|| glib::bool_error!("no URL"))?;
        let media = self.factory.construct(&url)?;
        let started = self.set_going(&media);
        rtsp::unlock_constructed(&media);
        started
    }

    fn set_going(&self, media: &RTSPMedia) -> Result<(), glib::BoolError> {
        let thread = rtsp::media_thread(&self.threads);
        media.prepare(thread)?;
        if let Some(running) = self.running() {
            running.let_flow();
        }
        // The stream holds it by now, as it does for viewers.
        media.unprepare()
    }

    /// Runs again once the back-off is over, if it still is to then.
    pub(super) fn run_later(self: &Arc<Self>) {
        if !self.is_to_run() || self.runs_later.swap(true, Ordering::AcqRel) {
            return;
        }
        let wait = self.back_off.lock().remaining(Instant::now());
        let stream = Arc::downgrade(self);
        timers::after(&self.context, glib::Priority::DEFAULT, wait, move || {
            if let Some(stream) = stream.upgrade() {
                stream.runs_later.store(false, Ordering::Release);
                // It waits for the pipeline, and nobody may wait for it.
                let spawned = std::thread::Builder::new().spawn(move || stream.run());
                if let Err(error) = spawned {
                    tracing::error!(target: "stream", "cannot start a thread: {error}");
                }
            }
        });
    }
}
