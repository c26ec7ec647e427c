//! The elements that decoded streams go through.

use std::sync::Arc;

use gst::prelude::*;

use crate::packets::Packets;
use crate::taps::Taps;

pub(super) type Linked<T = ()> = Result<T, gst::glib::BoolError>;

/// The way of pictures into `probe`; answers its beginning.
pub(super) fn of_pictures(
    pipeline: &gst::Pipeline,
    probe: &gst::Element,
    (packets, taps): (&Arc<Packets>, &Arc<Taps>),
) -> Linked<gst::Element> {
    let [selector, convert, end] = [selector()?, make("videoconvert")?, end()?];
    pipeline.add_many([&selector, &convert, &end])?;
    add_probe(pipeline, probe)?;
    gst::Element::link_many([&selector, &convert, probe, &end])?;
    if let (Some(sink), Some(src)) = (probe.static_pad("sink"), probe.static_pad("src")) {
        taps.watch_pictures(&sink, &src, packets);
    }
    start([&end, probe, &convert, &selector])?;
    Ok(selector)
}

/// The way of sound into `probe`; answers its beginning.
pub(super) fn of_sound(pipeline: &gst::Pipeline, probe: &gst::Element) -> Linked<gst::Element> {
    let [selector, convert, end] = [selector()?, make("audioconvert")?, end()?];
    pipeline.add_many([&selector, &convert, &end])?;
    add_probe(pipeline, probe)?;
    let sink = probe.request_pad_simple("audio_sink");
    selector.link(&convert)?;
    convert.link_pads(Some("src"), probe, sink.as_ref().map(gst::Pad::name).as_deref())?;
    probe.link_pads(Some("audio_src"), &end, Some("sink"))?;
    start([&end, probe, &convert, &selector])?;
    Ok(selector)
}

/// Has a selector hand on what comes by `pad`, and nothing else; answers its own pad for it.
pub(super) fn choose(selector: &gst::Element, pad: &gst::Pad) -> Linked<gst::Pad> {
    let chosen = selector.request_pad_simple("sink_%u");
    link(pad, chosen.clone())?;
    selector.set_property("active-pad", &chosen);
    chosen.ok_or_else(|| gst::glib::bool_error!("there is no pad to choose"))
}

pub(super) fn link_nothing(pipeline: &gst::Pipeline, pad: &gst::Pad) -> Linked {
    let end = end()?;
    pipeline.add(&end)?;
    end.sync_state_with_parent()?;
    link(pad, end.static_pad("sink"))
}

/// Puts an end in the place of what decodes `pad`'s stream. To be called while nothing is pushed.
pub(super) fn throw_away(pipeline: &gst::Pipeline, pad: &gst::Pad, decoder: &gst::Element) {
    if let Some(sink) = pad.peer() {
        // It may be unlinked already, and a pad that is gone has no end to go to.
        let _ = pad.unlink(&sink);
        let _ = link_nothing(pipeline, pad);
    }
    let pipeline = pipeline.downgrade();
    // Its own threads have to end first.
    decoder.call_async(move |decoder| {
        let _ = decoder.set_state(gst::State::Null);
        if let Some(pipeline) = pipeline.upgrade() {
            let _ = pipeline.remove(decoder);
        }
    });
}

pub(super) fn link(pad: &gst::Pad, sink: Option<gst::Pad>) -> Linked {
    let sink = sink.ok_or_else(|| gst::glib::bool_error!("there is no sink pad"))?;
    pad.link(&sink)
        .map(drop)
        .map_err(|error| gst::glib::bool_error!("{error}"))
}

/// Pictures and sound share it, whichever comes first.
fn add_probe(pipeline: &gst::Pipeline, probe: &gst::Element) -> Linked {
    if probe.parent().is_none() {
        pipeline.add(probe)?;
    }
    Ok(())
}

fn start<const N: usize>(elements: [&gst::Element; N]) -> Linked {
    elements
        .into_iter()
        .try_for_each(ElementExt::sync_state_with_parent)
}

/// Streams that are not chosen wait for nothing: what they bring is thrown away.
fn selector() -> Linked<gst::Element> {
    gst::ElementFactory::make("input-selector")
        .property("sync-streams", false)
        .build()
}

/// Where a stream ends: as soon as it can.
fn end() -> Linked<gst::Element> {
    gst::ElementFactory::make("fakesink")
        .property("sync", false)
        .property("async", false)
        .property("enable-last-sample", false)
        .build()
}

fn make(factory: &str) -> Linked<gst::Element> {
    gst::ElementFactory::make(factory).build()
}
