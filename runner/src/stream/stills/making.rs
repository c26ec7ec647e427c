//! The pipeline that makes pictures, and the thread that owns it: the thread builds it, waits until nobody looks any more or
//! it fails, and takes it down.

use std::{
    io,
    sync::{Arc, Weak, mpsc::Receiver},
    thread,
};

use gst::{ClockTime, glib, prelude::*};
use gst_app::{AppSink, AppSinkCallbacks};
use gst_rtsp_server::prelude::*;

use super::{
    NoStill,
    source::{Order, Source},
    threads,
    units::Tap,
};
use crate::{
    launch::{elements, secrets, still},
    room,
    stream::{Stream, seats::Seat, trouble},
};

/// Has pictures of `stream` made for `source`, as `told`; answers before there is a pipeline. The `seat` is kept as long as
/// there is one.
pub(super) fn start(
    stream: &Arc<Stream>,
    source: &Arc<Source>,
    told: Receiver<Order>,
    seat: Seat,
) -> io::Result<()> {
    let (stream, source) = (Arc::downgrade(stream), Arc::downgrade(source));
    let work = move || {
        work(&stream, &source, &told);
        drop(seat);
    };
    thread::Builder::new().name("still".into()).spawn(work).map(drop)
}

/// The whole life of a source's pipeline.
fn work(stream: &Weak<Stream>, source: &Weak<Source>, told: &Receiver<Order>) {
    let why = match make(stream, source) {
        Ok(making) => making.go_on(told),
        Err(cause) => Some(NoStill::Failed(failure(told).unwrap_or(cause))),
    };
    if let (Some(why), Some(source)) = (why, source.upgrade()) {
        source.end(why);
    }
}

/// Why the pipeline has failed, if it has said so: that tells more than that it does not start.
fn failure(told: &Receiver<Order>) -> Option<String> {
    told.try_iter().find_map(|order| match order {
        Order::Fail(cause) => Some(cause),
        Order::Leave | Order::End => None,
    })
}

/// What makes pictures.
#[derive(Debug)]
struct Making {
    /// What brings encoded pictures of a pipeline of one's own. It ends before the pipeline does.
    tap: Option<Tap>,
    _pipeline: Pipeline,
}

fn make(stream: &Weak<Stream>, source: &Weak<Source>) -> Result<Making, String> {
    let (Some(stream), Some(source)) = (stream.upgrade(), source.upgrade()) else {
        return Err("nobody looks any more".into());
    };
    room::for_still().map_err(|error| format!("this machine has no room for it: {error}"))?;
    if stream.config().pipeline.is_some() {
        decode(&stream, &source)
    } else {
        paint(&stream, &source)
    }
}

/// Paints the stream's clock once more.
fn paint(stream: &Arc<Stream>, source: &Arc<Source>) -> Result<Making, String> {
    let pipeline = Pipeline::new(&still::painted(&stream.config(), source.wanted()), source)?;
    let clock = pipeline.element(still::CLOCK_NAME)?;
    source.set_clock(&clock);
    stream.viewers().show_on_another(&clock);
    // The configuration may have changed since the launch string was made.
    stream.show_look_on(&clock);
    pipeline.go_by(stream.factory().clock().as_ref());
    // The first frame's instant is the next one from here on.
    source.begin();
    pipeline.play()?;
    Ok(Making {
        tap: None,
        _pipeline: pipeline,
    })
}

/// Decodes what the stream's own pipeline has encoded.
fn decode(stream: &Arc<Stream>, source: &Arc<Source>) -> Result<Making, String> {
    let (presence, running) = stream.run_for_onlooker()?;
    let pipeline = Pipeline::new(&still::decoded(&stream.config(), source.wanted()), source)?;
    let units = pipeline.element(still::UNITS_NAME)?;
    let units = units
        .downcast()
        .map_err(|other| format!("{} is no appsrc", other.name()))?;
    if let Some(media) = running.media() {
        // Pictures leave at the instants at which the stream's own do.
        let element = media.element();
        pipeline.go_by(element.clock().as_ref());
        pipeline.0.set_start_time(ClockTime::NONE);
        if let Some(base_time) = element.base_time() {
            pipeline.0.set_base_time(base_time);
        }
    }
    pipeline.play()?;
    let tap = Tap::open(stream, presence, &running, units, source)?;
    Ok(Making {
        tap: Some(tap),
        _pipeline: pipeline,
    })
}

impl Making {
    /// Makes pictures until that is over; answers why, where somebody may still look.
    fn go_on(self, told: &Receiver<Order>) -> Option<NoStill> {
        let order = match &self.tap {
            None => told.recv().ok(),
            Some(tap) => tap.remind_until(told),
        };
        match order? {
            Order::Leave => None,
            Order::End => Some(NoStill::Ended),
            Order::Fail(cause) => Some(NoStill::Failed(cause)),
        }
    }
}

/// A pipeline that is taken down when this is dropped.
#[derive(Debug)]
struct Pipeline(gst::Pipeline);

impl Pipeline {
    /// The pipeline of that launch string, whose pictures and failures `source` gets.
    fn new(launch: &str, source: &Arc<Source>) -> Result<Self, String> {
        let element = gst::parse::launch(launch).map_err(|error| refusal(launch, &error))?;
        let pipeline = element.downcast::<gst::Pipeline>();
        let pipeline = Self(pipeline.map_err(|other| format!("{} is no pipeline", other.name()))?);
        // A sink adds the pipeline's latency to a picture's time: the source's lead time is for that.
        pipeline.0.set_latency(Some(ClockTime::ZERO));
        pipeline.hear(source)?;
        pipeline.deliver(source)?;
        Ok(pipeline)
    }

    fn element(&self, name: &str) -> Result<gst::Element, String> {
        self.0
            .by_name(name)
            .ok_or_else(|| format!("there is no element {name}"))
    }

    /// Has it run by `clock`, or by the machine's where that is `None`.
    fn go_by(&self, clock: Option<&gst::Clock>) {
        // GStreamer takes no clock for a pipeline that has none.
        if clock.is_some() {
            self.0.use_clock(clock);
        }
    }

    /// Hands failures to the source's thread, and lowers the priority of the pipeline's own.
    fn hear(&self, source: &Source) -> Result<(), String> {
        let orders = source.orders();
        let bus = self.0.bus().ok_or("the pipeline has no bus")?;
        bus.set_sync_handler(move |_, message| {
            match message.view() {
                gst::MessageView::Error(error) => {
                    let _has_ended = orders.send(Order::Fail(trouble::cause(error)));
                }
                gst::MessageView::StreamStatus(status) => threads::lower(status),
                _ => {}
            }
            gst::BusSyncReply::Drop
        });
        Ok(())
    }

    /// Hands pictures to whoever looks.
    fn deliver(&self, source: &Arc<Source>) -> Result<(), String> {
        let sink = self.element(still::SINK_NAME)?.downcast::<AppSink>();
        let sink = sink.map_err(|other| format!("{} is no appsink", other.name()))?;
        let source = Arc::downgrade(source);
        let take = move |sink: &AppSink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            let source = source.upgrade().ok_or(gst::FlowError::Eos)?;
            if let Some(coded) = sample.buffer() {
                source.put(coded);
            }
            Ok(gst::FlowSuccess::Ok)
        };
        sink.set_callbacks(AppSinkCallbacks::builder().new_sample(take).build());
        Ok(())
    }

    fn play(&self) -> Result<(), String> {
        let played = self.0.set_state(gst::State::Playing);
        played
            .map(drop)
            .map_err(|error| format!("the pictures' pipeline does not start: {error}"))
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        if let Err(error) = self.0.set_state(gst::State::Null) {
            tracing::error!(target: "stream", "the pictures' pipeline does not stop: {error}");
        }
    }
}

/// Why GStreamer does not make that pipeline, and what to install for it.
fn refusal(launch: &str, error: &glib::Error) -> String {
    let missing = elements::missing(launch).unwrap_or_default();
    if missing.is_empty() {
        return secrets::without_logins(&error.to_string());
    }
    let missing: Vec<_> = missing.iter().map(|name| elements::with_package(name)).collect();
    format!("GStreamer elements are not installed: {}", missing.join(", "))
}
