//! Doing something later, on the thread that runs a main context. A source that is answered can be destroyed before it
//! is due.

use std::time::Duration;

use gst::glib::{self, ControlFlow, MainContext, Priority, Source};

/// The main context that runs on this thread, if this is called from one of its sources.
pub(crate) fn here() -> Option<MainContext> {
    glib::main_current_source()?.context()
}

/// Calls `act` once, when `delay` is over.
pub(crate) fn after(
    context: &MainContext,
    priority: Priority,
    delay: Duration,
    act: impl FnOnce() + Send + 'static,
) -> Source {
    let source = glib::timeout_source_new(delay, None, priority, once(act));
    source.attach(Some(context));
    source
}

/// Calls `act` in intervals, until it answers that it is over.
pub(crate) fn every(
    context: &MainContext,
    priority: Priority,
    interval: Duration,
    act: impl FnMut() -> ControlFlow + Send + 'static,
) -> Source {
    let source = glib::timeout_source_new(interval, None, priority, act);
    source.attach(Some(context));
    source
}

/// Calls `act` once, as soon as there is nothing of a higher priority to do.
pub(crate) fn next(context: &MainContext, priority: Priority, act: impl FnOnce() + Send + 'static) {
    glib::idle_source_new(None, priority, once(act)).attach(Some(context));
}

fn once(act: impl FnOnce() + Send + 'static) -> impl FnMut() -> ControlFlow + Send + 'static {
    let mut act = Some(act);
    move || {
        if let Some(act) = act.take() {
            act();
        }
        ControlFlow::Break
    }
}
