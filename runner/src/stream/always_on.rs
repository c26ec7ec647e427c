//! A camera that runs before anybody plays it, or without: the stream starts its pipeline as a viewer would, and keeps it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use gst::glib;
use gst_rtsp::RTSPUrl;
use gst_rtsp_server::{RTSPMedia, prelude::*};
use jiff::Timestamp;

use super::{Presence, Stream, life::Life, running::Running};
use crate::{ffi::rtsp, timers};

impl Stream {
    /// Starts the pipeline, and keeps it running whoever comes and goes. Waits until it runs.
    pub(crate) fn run(self: &Arc<Self>) {
        if !self.is_to_run() || self.own.lock().is_some() {
            return;
        }
        let presence = self.arrive(None);
        if self.start_or_tell().is_err() {
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

    /// Starts the pipeline for somebody who looks at the stream without playing it, or uses the one that runs. It stays as
    /// long as the answer's first part.
    pub(super) fn run_for_onlooker(self: &Arc<Self>) -> Result<(Presence, Arc<Running>), String> {
        if !self.may_start() {
            return Err(self.failure("the stream cannot be started now".into()));
        }
        let presence = self.arrive(None);
        self.start_or_tell().map_err(|cause| {
            self.back_off.lock().fail(Instant::now());
            self.failure(cause)
        })?;
        let running = self.running().ok_or("the stream has stopped")?;
        Ok((presence, running))
    }

    /// Why it has failed; `otherwise` where that is not known.
    fn failure(&self, otherwise: String) -> String {
        match self.life() {
            Life::Failed { cause, .. } => cause,
            _ => otherwise,
        }
    }

    /// Starts the pipeline; where that fails, tells and answers why.
    fn start_or_tell(&self) -> Result<(), String> {
        let since = Timestamp::now();
        self.start().map_err(|error| {
            let cause = format!("cannot start: {error}");
            if self.trouble.fail_to_start(since, error.to_string()) {
                self.tell_failed(cause.clone());
            } else {
                tracing::error!(target: "stream", stream = self.name(), "{cause}");
            }
            cause
        })
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
