//! What makes pictures of one kind, as those see it who look at them, and as the thread does that makes them.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
    mpsc::{self, Receiver, Sender},
};

use bytes::Bytes;
use gst::glib;
use jiff::Timestamp;
use tokio::sync::watch;

use super::{NoStill, Still, Wanted};

/// The name of the caps that say the instant of a buffer.
const UNIX: &str = "timestamp/x-unix";

/// What makes pictures of one kind, for all who want them. It ends with the last who holds it.
#[derive(Debug)]
pub(super) struct Source {
    wanted: Wanted,
    latest: watch::Sender<Latest>,
    orders: Sender<Order>,
    /// The element that paints the clock, once there is one.
    clock: glib::WeakRef<gst::Element>,
    /// Whether it has begun to make a picture.
    has_begun: AtomicBool,
}

/// The newest that came of it.
#[derive(Debug)]
pub(super) enum Latest {
    /// No picture yet.
    Nothing,
    /// A picture.
    Still(Arc<Still>),
    /// No picture any more.
    Over(NoStill),
}

/// What the thread is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Nobody looks any more.
    Leave,
    /// The stream ends.
    End,
    /// The pipeline has failed.
    Fail(String),
}

impl Source {
    /// A source of such pictures, which nobody makes yet, and what whoever makes them is told.
    pub(super) fn new(wanted: Wanted) -> (Arc<Self>, Receiver<Order>) {
        let (orders, told) = mpsc::channel();
        let source = Self {
            wanted,
            latest: watch::Sender::new(Latest::Nothing),
            orders,
            clock: glib::WeakRef::new(),
            has_begun: AtomicBool::new(false),
        };
        (Arc::new(source), told)
    }

    /// What it makes.
    pub(super) fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// Whether whoever wants this gets it here.
    pub(super) fn makes(&self, wanted: Wanted) -> bool {
        let is_past = wanted.frames_per_second.is_none() && self.has_begun.load(Ordering::Acquire);
        let is_over = || matches!(&*self.latest.borrow(), Latest::Over(_));
        self.wanted == wanted && !is_past && !is_over()
    }

    /// What comes from now on.
    pub(super) fn latest(&self) -> watch::Receiver<Latest> {
        self.latest.subscribe()
    }

    /// The element that paints the clock, if there is one.
    pub(super) fn clock(&self) -> Option<gst::Element> {
        self.clock.upgrade()
    }

    /// The way by which its thread is told.
    pub(super) fn orders(&self) -> Sender<Order> {
        self.orders.clone()
    }

    /// Notes which element paints its clock.
    pub(super) fn set_clock(&self, clock: &gst::Element) {
        self.clock.set(Some(clock));
    }

    /// Notes that there are no pictures any more.
    pub(super) fn end(&self, why: NoStill) {
        self.latest.send_replace(Latest::Over(why));
    }

    /// Tells its thread.
    pub(super) fn order(&self, order: Order) {
        // Where the thread has ended, it is over already.
        let _has_ended = self.orders.send(order);
    }

    /// Notes that a picture is being made.
    pub(super) fn begin(&self) {
        self.has_begun.store(true, Ordering::Release);
    }

    /// Hands a picture to whoever looks.
    pub(super) fn put(&self, coded: &gst::BufferRef) {
        let Ok(data) = coded.map_readable() else { return };
        let still = Still {
            instant: instant(coded),
            data: Bytes::copy_from_slice(&data),
        };
        self.latest.send_replace(Latest::Still(Arc::new(still)));
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.order(Order::Leave);
    }
}

/// The instant that a picture shows, as its source has written it on the frame and encoders hand it on.
fn instant(buffer: &gst::BufferRef) -> Option<Timestamp> {
    let mut metas = buffer.iter_meta::<gst::ReferenceTimestampMeta>();
    let meta = metas.find(|meta| {
        let reference = meta.reference().structure(0);
        reference.is_some_and(|reference| reference.name() == UNIX)
    })?;
    Timestamp::from_nanosecond(meta.timestamp().nseconds().into()).ok()
}
