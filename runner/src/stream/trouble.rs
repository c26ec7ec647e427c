//! What is done when a pipeline fails: the log says so, and whoever plays the stream can come back to a new pipeline.

use std::{sync::Arc, time::Instant};

use gst::{glib, prelude::*};

use super::{
    Stream,
    running::{Failure, Running},
};
use crate::{
    events::{Farewell, Happening},
    launch::{elements, secrets},
};

impl Stream {
    /// Gives up a pipeline that has failed, as it does not recover. If it has never been ready, gst-rtsp-server answers
    /// the DESCRIBE that waits for it with an error and makes a new pipeline for the next. Any other pipeline stays as
    /// long as a client has it: so all of them are sent away.
    pub(super) fn give_up(self: &Arc<Self>, running: &Running, cause: String) {
        let failure = self.trouble.fail(running, cause.clone());
        if failure == Failure::Another {
            tracing::error!(target: "stream", stream = self.name(), "{cause}");
        } else {
            self.tell_failed(cause);
            self.back_off.lock().fail(Instant::now());
        }
        if failure == Failure::OfAHeldOne {
            self.send_everybody_away();
        }
    }

    pub(super) fn tell_failed(&self, cause: String) {
        self.tell(|streams| Happening::StreamFailed {
            streams,
            name: self.name(),
            cause,
        });
    }

    /// Closes the connections of all who have asked for the stream: whoever comes back gets a new pipeline.
    pub(super) fn send_everybody_away(self: &Arc<Self>) {
        let stream = Arc::downgrade(self);
        self.context.invoke(move || {
            let Some(stream) = stream.upgrade() else { return };
            let name = stream.name();
            tracing::warn!(target: "stream",
                stream = name,
                "closing all its connections, so that viewers can come back to a new pipeline"
            );
            stream.viewers.will_leave(Farewell::Failed);
            if stream.config().pipeline.is_some() {
                // They get what this pipeline has encoded.
                stream.stills.end();
            }
            stream.attendance.close_connections();
            stream.let_go();
            let own = stream.own.lock().take();
            if own.is_some() {
                drop(own);
                stream.run_later();
            }
        });
    }
}

/// Logs what a pipeline warns of, as GStreamer puts it, with the package to install where an element is missing.
pub(super) fn log_trouble(stream: &str, message: &gst::Message) {
    match message.view() {
        gst::MessageView::Warning(warning) => {
            let at = source(warning);
            let details = details(warning.debug());
            let text = format!("{} {details}", warning.error());
            let text = secrets::without_logins(&text);
            tracing::warn!(target: "stream", stream, "the pipeline warns at {at}: {text}");
        }
        gst::MessageView::Element(element) => {
            if let Some(missing) = element.structure().filter(|s| s.name() == "missing-plugin") {
                let name = missing.get::<String>("detail").unwrap_or_default();
                tracing::error!(target: "stream", stream, "the pipeline lacks {}", elements::with_package(&name));
            }
        }
        _ => {}
    }
}

/// Why a pipeline fails, as GStreamer puts it.
pub(super) fn cause(error: &gst::message::Error) -> String {
    let details = details(error.debug());
    let text = format!(
        "the pipeline failed at {}: {} {details}",
        source(error),
        error.error()
    );
    secrets::without_logins(&text)
}

fn source(message: &gst::MessageRef) -> String {
    message
        .src()
        .map(|source| source.path_string().to_string())
        .unwrap_or_default()
}

fn details(debug: Option<glib::GString>) -> String {
    debug.map(|debug| format!("({debug})")).unwrap_or_default()
}
