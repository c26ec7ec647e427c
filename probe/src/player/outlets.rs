//! Where decoded streams go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gst::prelude::*;

use super::is_jitterbuffer;
use crate::decoders;
use crate::packets::Packets;
use crate::taps::Taps;
use crate::upstream;

/// Where decoded streams go: pictures through `clockprobe`, the first sound as well, and all else is thrown away.
#[derive(Debug)]
pub(super) struct Outlets {
    pipeline: gst::glib::WeakRef<gst::Pipeline>,
    probe: gst::Element,
    packets: Arc<Packets>,
    taps: Arc<Taps>,
    has_pictures: AtomicBool,
    has_sound: Arc<AtomicBool>,
}

impl Outlets {
    /// Into the `probe` of a pipeline.
    pub(super) fn new(
        pipeline: &gst::Pipeline,
        probe: &gst::Element,
        (packets, taps): (Arc<Packets>, Arc<Taps>),
        has_sound: &Arc<AtomicBool>,
    ) -> Arc<Self> {
        Arc::new(Self {
            pipeline: pipeline.downgrade(),
            probe: probe.clone(),
            packets,
            taps,
            has_pictures: AtomicBool::new(false),
            has_sound: has_sound.clone(),
        })
    }

    /// Takes what `decoder` decodes.
    pub(super) fn connect(self: &Arc<Self>, decoder: &gst::Element) {
        let outlets = self.clone();
        decoder.connect_pad_added(move |decoder, pad| {
            let Some(pipeline) = outlets.pipeline.upgrade() else {
                return;
            };
            if let Err(error) = outlets.link(&pipeline, pad) {
                gst::element_error!(
                    decoder,
                    gst::CoreError::Pad,
                    ("cannot link a decoded stream: {error}")
                );
            }
        });
    }

    fn link(&self, pipeline: &gst::Pipeline, pad: &gst::Pad) -> Linked {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let media = caps.structure(0).map(|fields| fields.name().to_string());
        match media.as_deref() {
            Some("video/x-raw") if !self.has_pictures.swap(true, Ordering::Relaxed) => {
                if let Some(decoder) = upstream::find(pad, decoders::is_of_pictures) {
                    self.taps.look_at(&decoder);
                }
                listen_to(pad, &self.packets);
                link_pictures(pipeline, pad, &self.probe, &self.taps)
            }
            Some("audio/x-raw") if !self.has_sound.swap(true, Ordering::Relaxed) => {
                listen_to(pad, &self.packets);
                link_sound(pipeline, pad, &self.probe)
            }
            _ => link_nothing(pipeline, pad),
        }
    }
}

/// Decodes each stream of `rtspsrc`. `uridecodebin` would do the same, but listens for streams only until it hears that
/// there are no more; and of two that come at the same moment, `rtspsrc` may say so before it has shown the second.
pub(super) fn decode_pads(rtspsrc: &gst::Element, pipeline: &gst::Pipeline, outlets: &Arc<Outlets>) {
    let (pipeline, outlets) = (pipeline.downgrade(), outlets.clone());
    rtspsrc.connect_pad_added(move |rtspsrc, pad| {
        let Some(pipeline) = pipeline.upgrade() else {
            return;
        };
        if let Err(error) = decode(&pipeline, pad, &outlets) {
            gst::element_error!(rtspsrc, gst::CoreError::Pad, ("cannot decode a stream: {error}"));
        }
    });
}

fn decode(pipeline: &gst::Pipeline, pad: &gst::Pad, outlets: &Arc<Outlets>) -> Linked {
    let decoder = gst::ElementFactory::make("decodebin").build()?;
    outlets.connect(&decoder);
    pipeline.add(&decoder)?;
    link(pad, decoder.static_pad("sink"))?;
    decoder.sync_state_with_parent()
}

fn listen_to(pad: &gst::Pad, packets: &Packets) {
    if let Some(jitterbuffer) = upstream::find(pad, is_jitterbuffer) {
        packets.listen_to(&jitterbuffer);
    }
}

type Linked = Result<(), gst::glib::BoolError>;

fn link_pictures(pipeline: &gst::Pipeline, pad: &gst::Pad, probe: &gst::Element, taps: &Arc<Taps>) -> Linked {
    let convert = gst::ElementFactory::make("videoconvert").build()?;
    let end = end()?;
    pipeline.add_many([&convert, &end])?;
    add_probe(pipeline, probe)?;
    gst::Element::link_many([&convert, probe, &end])?;
    if let (Some(sink), Some(src)) = (probe.static_pad("sink"), probe.static_pad("src")) {
        taps.watch_pictures(&sink, &src);
    }
    for element in [&end, probe, &convert] {
        element.sync_state_with_parent()?;
    }
    link(pad, convert.static_pad("sink"))
}

fn link_sound(pipeline: &gst::Pipeline, pad: &gst::Pad, probe: &gst::Element) -> Linked {
    let convert = gst::ElementFactory::make("audioconvert").build()?;
    let end = end()?;
    pipeline.add_many([&convert, &end])?;
    add_probe(pipeline, probe)?;
    let sink = probe.request_pad_simple("audio_sink");
    convert.link_pads(Some("src"), probe, sink.as_ref().map(gst::Pad::name).as_deref())?;
    probe.link_pads(Some("audio_src"), &end, Some("sink"))?;
    for element in [&end, probe, &convert] {
        element.sync_state_with_parent()?;
    }
    link(pad, convert.static_pad("sink"))
}

fn link_nothing(pipeline: &gst::Pipeline, pad: &gst::Pad) -> Linked {
    let end = end()?;
    pipeline.add(&end)?;
    end.sync_state_with_parent()?;
    link(pad, end.static_pad("sink"))
}

/// Pictures and sound share it, whichever comes first.
fn add_probe(pipeline: &gst::Pipeline, probe: &gst::Element) -> Linked {
    if probe.parent().is_none() {
        pipeline.add(probe)?;
    }
    Ok(())
}

/// Where a stream ends: as soon as it can.
fn end() -> Result<gst::Element, gst::glib::BoolError> {
    gst::ElementFactory::make("fakesink")
        .property("sync", false)
        .property("async", false)
        .property("enable-last-sample", false)
        .build()
}

fn link(pad: &gst::Pad, sink: Option<gst::Pad>) -> Linked {
    let sink = sink.ok_or_else(|| gst::glib::bool_error!("there is no sink pad"))?;
    pad.link(&sink)
        .map(drop)
        .map_err(|error| gst::glib::bool_error!("{error}"))
}
