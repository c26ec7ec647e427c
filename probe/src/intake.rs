//! What an RTSP server can have the probe take in: so much, and so many redirects.
//!
//! `rtspsrc` reads an answer of any length into memory, hears nothing while it is in the middle of one, and goes wherever
//! it is sent, for as long as it is sent on. It has no setting for any of it, and lets nobody see an answer. But each of
//! its connections can be known when it opens, asked how much came by it, and shut down: then `rtspsrc` reads no further.
//!
//! | module | job |
//! | --- | --- |
//! | `connections` | the connections of this process's RTSP sources as they open |

mod connections;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use gst::prelude::*;
use parking_lot::Mutex;

pub(crate) use connections::follow;
use connections::{Connection, on_behalf_of};

/// Bytes that may come by a connection without a packet of the stream among them. Descriptions of streams have some
/// thousand bytes.
const MOST: u64 = 1 << 20;
const MOST_REDIRECTS: usize = 3;
/// So often a source may open a connection within [`WINDOW`]: a tunnel takes two, and so does each transport that is
/// tried.
const MOST_CONNECTIONS: usize = 24;
const WINDOW: Duration = Duration::from_secs(10);
/// How often the probe looks at what came: memory grows by as much as a server can send in between.
const EVERY: Duration = Duration::from_millis(20);

/// Why a source's connections were shut down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// An answer that is far too long.
    TooMuch,
    /// More redirects than are followed; the last address that it was sent to.
    Redirects(String),
    /// A redirect to no other address; the address.
    Astray(String),
    /// Connection after connection that came to nothing.
    Connections,
}

/// What one source takes in.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    state: Mutex<State>,
    /// Whether a packet of the stream has come.
    packets: AtomicBool,
    pipeline: gst::glib::WeakRef<gst::Pipeline>,
}

#[derive(Debug, Default)]
struct State {
    connections: Vec<Connection>,
    opened: VecDeque<Instant>,
    way: Way,
    refusal: Option<Refusal>,
}

/// Where a source was sent, as it tells while it opens.
#[derive(Debug, Default)]
struct Way {
    location: Option<String>,
    /// It has asked there what the stream is, and has not heard.
    asks: bool,
    redirects: usize,
}

impl Intake {
    /// Looks after the source of a pipeline, for as long as this is there.
    pub(crate) fn of(pipeline: &gst::Pipeline) -> Arc<Self> {
        let intake = Arc::new(Self {
            pipeline: pipeline.downgrade(),
            ..Self::default()
        });
        let watched = Arc::downgrade(&intake);
        thread::spawn(move || watch(&watched));
        intake
    }

    /// Takes note of a message, on the thread that posts it: it is the one that opens connections.
    pub(crate) fn note_message(self: &Arc<Self>, message: &gst::Message) {
        match message.view() {
            gst::MessageView::Progress(progress) => {
                on_behalf_of(Some(self));
                let (kind, code, text) = progress.get();
                self.goes_on(kind, code, text);
            }
            // Threads are used again by others.
            gst::MessageView::StreamStatus(status) if status.get().0 == gst::StreamStatusType::Enter => {
                on_behalf_of(None);
            }
            _ => {}
        }
    }

    fn goes_on(&self, kind: gst::ProgressType, code: &str, text: &str) {
        let mut state = self.state.lock();
        match (code, kind) {
            ("connect", gst::ProgressType::Continue) => {
                if let Some(refusal) = state.way.leads_to(text) {
                    state.refuse(refusal);
                }
            }
            ("open", gst::ProgressType::Continue) => state.way.asks = text == "Retrieving media info",
            ("open", gst::ProgressType::Complete) => state.way.asks = false,
            _ => {}
        }
    }

    /// Takes note of a connection that has been opened, and shuts it down if there is a reason against it.
    fn opened(&self, connection: Connection) {
        let mut state = self.state.lock();
        let now = Instant::now();
        state.opened.retain(|opened| now.duration_since(*opened) < WINDOW);
        state.opened.push_back(now);
        state.connections.push(connection);
        if state.refusal.is_some() {
            state.shut_down();
        } else if state.opened.len() > MOST_CONNECTIONS {
            state.refuse(Refusal::Connections);
        }
    }

    /// Takes note of the packets that come to a jitter buffer.
    pub(crate) fn watch(self: &Arc<Self>, jitterbuffer: &gst::Element) {
        let Some(pad) = jitterbuffer.static_pad("sink") else {
            return;
        };
        let intake = self.clone();
        let packets = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
        pad.add_probe(packets, move |_, _| {
            intake.packets.store(true, Ordering::Relaxed);
            gst::PadProbeReturn::Ok
        });
    }

    /// Why the source's connections were shut down, if they were.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.state.lock().refusal.clone()
    }

    /// Lets nothing more come, so that a source in the middle of an answer can stop.
    pub(crate) fn shut_down(&self) {
        self.state.lock().shut_down();
    }

    fn look(&self) {
        let mut state = self.state.lock();
        state.connections.retain(Connection::is_there);
        let is_over = state
            .connections
            .iter_mut()
            .any(|connection| self.is_over(connection));
        if is_over {
            state.refuse(Refusal::TooMuch);
        }
    }

    fn is_over(&self, connection: &mut Connection) -> bool {
        let unheard = connection.received();
        // Between two packets in one connection there is no long answer.
        if unheard > MOST / 4 && self.packets.load(Ordering::Relaxed) && !self.has_udp() {
            self.packets.store(false, Ordering::Relaxed);
            connection.forget_received();
            return false;
        }
        unheard > MOST
    }

    fn has_udp(&self) -> bool {
        let elements = self.pipeline.upgrade().map(|pipeline| pipeline.iterate_recurse());
        let is_udp = |element: gst::Element| {
            element
                .factory()
                .is_some_and(|factory| factory.name() == "udpsrc")
        };
        elements.into_iter().flatten().flatten().any(is_udp)
    }
}

impl State {
    fn refuse(&mut self, refusal: Refusal) {
        self.refusal.get_or_insert(refusal);
        self.shut_down();
    }

    fn shut_down(&mut self) {
        self.connections.drain(..).for_each(Connection::shut_down);
    }
}

impl Way {
    /// The source connects to the address that stands in `text`. Answers what speaks against it.
    fn leads_to(&mut self, text: &str) -> Option<Refusal> {
        let location = text.strip_prefix("Connecting to ").unwrap_or(text).to_owned();
        let before = self.location.replace(location.clone());
        let is_new = before.as_ref().is_some_and(|before| *before != location);
        let is_sent_on = std::mem::take(&mut self.asks) || is_new;
        if !is_sent_on {
            return None;
        }
        self.redirects += 1;
        if !is_new {
            return Some(Refusal::Astray(location));
        }
        (self.redirects > MOST_REDIRECTS).then_some(Refusal::Redirects(location))
    }
}

fn watch(intake: &Weak<Intake>) {
    while let Some(intake) = intake.upgrade() {
        intake.look();
        drop(intake);
        thread::sleep(EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said against the last of these steps: an address that is connected to, `?` where it is asked.
    fn refused(steps: &[&str]) -> Option<Refusal> {
        let mut way = Way::default();
        let mut refusal = None;
        for step in steps {
            match *step {
                "?" => way.asks = true,
                "!" => way.asks = false,
                location => refusal = way.leads_to(&format!("Connecting to {location}")),
            }
        }
        refusal
    }

    #[test]
    fn three_redirects_are_followed() {
        assert_eq!(refused(&["a", "?", "b", "?", "c", "?", "d", "?", "!"]), None);
        let fourth = refused(&["a", "?", "b", "?", "c", "?", "d", "?", "e"]);
        assert_eq!(fourth, Some(Refusal::Redirects("e".into())));
    }

    #[test]
    fn a_redirect_that_leads_nowhere_is_not_followed() {
        assert_eq!(refused(&["a", "?", "a"]), Some(Refusal::Astray("a".into())));
    }

    #[test]
    fn another_try_at_the_same_address_is_no_redirect() {
        assert_eq!(
            refused(&["a", "?", "!", "a", "?", "!", "a", "?", "!", "a", "?", "!", "a"]),
            None
        );
    }
}
