//! Where decoded streams go: pictures through `clockprobe`, the first sound as well, and all else is thrown away.
//!
//! A stream may get another source while it plays: a camera behind a restreamer that began anew sends with a new SSRC, and
//! `rtspsrc` shows a new pad for it, in the same RTP session. What comes out of that takes the place of what came before,
//! whether or not that has ended.

use std::sync::Arc;

use gst::glib;
use gst::prelude::*;
use parking_lot::Mutex;

use super::chains::{self, Linked};
use super::is_jitterbuffer;
use crate::decoders;
use crate::packets::Packets;
use crate::taps::Taps;
use crate::upstream;

/// The outlets of one pipeline; whoever plays it keeps them.
#[derive(Debug)]
pub(super) struct Outlets {
    pipeline: glib::WeakRef<gst::Pipeline>,
    probe: gst::Element,
    packets: Arc<Packets>,
    taps: Arc<Taps>,
    inlets: Mutex<Inlets>,
}

#[derive(Debug, Default)]
struct Inlets {
    pictures: Option<Inlet>,
    sound: Option<Inlet>,
}

/// A way into `clockprobe`, and what takes it.
#[derive(Debug)]
struct Inlet {
    /// Hands on what comes by the pad that is chosen.
    selector: gst::Element,
    pad: gst::Pad,
    source: Option<Source>,
}

/// A pad of `rtspsrc`, and what decodes its stream.
#[derive(Debug, Clone)]
struct Source {
    pad: gst::Pad,
    decoder: glib::WeakRef<gst::Element>,
    /// The number of its RTP session, of which each medium has one.
    session: Option<u32>,
}

impl Outlets {
    /// Into the `probe` of a pipeline.
    pub(super) fn new(
        pipeline: &gst::Pipeline,
        probe: &gst::Element,
        (packets, taps): (Arc<Packets>, Arc<Taps>),
    ) -> Arc<Self> {
        Arc::new(Self {
            pipeline: pipeline.downgrade(),
            probe: probe.clone(),
            packets,
            taps,
            inlets: Mutex::default(),
        })
    }

    /// Whether any sound came.
    pub(super) fn has_sound(&self) -> bool {
        self.inlets.lock().sound.is_some()
    }

    /// Takes what `decoder` decodes.
    pub(super) fn connect(self: &Arc<Self>, decoder: &gst::Element) {
        self.connect_source(decoder, None);
    }

    /// Decodes each stream of `rtspsrc`. `uridecodebin` would do the same, but listens for streams only until it hears that
    /// there are no more; and of two that come at the same moment, `rtspsrc` may say so before it has shown the second.
    pub(super) fn decode_pads(self: &Arc<Self>, rtspsrc: &gst::Element) {
        let outlets = Arc::downgrade(self);
        rtspsrc.connect_pad_added(move |rtspsrc, pad| {
            let Some(outlets) = outlets.upgrade() else { return };
            if let Err(error) = outlets.decode(pad) {
                gst::element_error!(rtspsrc, gst::CoreError::Pad, ("cannot decode a stream: {error}"));
            }
        });
    }

    fn decode(self: &Arc<Self>, pad: &gst::Pad) -> Linked {
        let Some(pipeline) = self.pipeline.upgrade() else {
            return Ok(());
        };
        let decoder = gst::ElementFactory::make("decodebin").build()?;
        let source = Source {
            pad: pad.clone(),
            decoder: decoder.downgrade(),
            session: session(&pad.name()),
        };
        self.connect_source(&decoder, Some(source));
        pipeline.add(&decoder)?;
        chains::link(pad, decoder.static_pad("sink"))?;
        decoder.sync_state_with_parent()
    }

    fn connect_source(self: &Arc<Self>, decoder: &gst::Element, source: Option<Source>) {
        let outlets = Arc::downgrade(self);
        decoder.connect_pad_added(move |decoder, pad| {
            let Some(outlets) = outlets.upgrade() else { return };
            if let Err(error) = outlets.link(pad, source.as_ref()) {
                gst::element_error!(
                    decoder,
                    gst::CoreError::Pad,
                    ("cannot link a decoded stream: {error}")
                );
            }
        });
    }

    fn link(&self, pad: &gst::Pad, source: Option<&Source>) -> Linked {
        let Some(pipeline) = self.pipeline.upgrade() else {
            return Ok(());
        };
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let media = caps.structure(0).map(|fields| fields.name().to_string());
        let mut inlets = self.inlets.lock();
        match media.as_deref() {
            Some("video/x-raw") => self.link_pictures(&pipeline, &mut inlets.pictures, pad, source),
            Some("audio/x-raw") => self.link_sound(&pipeline, &mut inlets.sound, pad, source),
            _ => chains::link_nothing(&pipeline, pad),
        }
    }

    fn link_pictures(
        &self,
        pipeline: &gst::Pipeline,
        inlet: &mut Option<Inlet>,
        pad: &gst::Pad,
        source: Option<&Source>,
    ) -> Linked {
        let selector = match inlet {
            Some(inlet) if !inlet.falls_to(source) => return chains::link_nothing(pipeline, pad),
            Some(inlet) => inlet.selector.clone(),
            None => chains::of_pictures(pipeline, &self.probe, (&self.packets, &self.taps))?,
        };
        if let Some(decoder) = upstream::find(pad, decoders::is_of_pictures) {
            self.taps.look_at(&decoder);
        }
        self.take(pipeline, inlet, selector, pad, source)
    }

    fn link_sound(
        &self,
        pipeline: &gst::Pipeline,
        inlet: &mut Option<Inlet>,
        pad: &gst::Pad,
        source: Option<&Source>,
    ) -> Linked {
        let selector = match inlet {
            Some(inlet) if !inlet.falls_to(source) => return chains::link_nothing(pipeline, pad),
            Some(inlet) => inlet.selector.clone(),
            None => chains::of_sound(pipeline, &self.probe)?,
        };
        self.take(pipeline, inlet, selector, pad, source)
    }

    /// Gives a decoded stream its inlet, and lets go of what was there.
    fn take(
        &self,
        pipeline: &gst::Pipeline,
        inlet: &mut Option<Inlet>,
        selector: gst::Element,
        pad: &gst::Pad,
        source: Option<&Source>,
    ) -> Linked {
        if let Some(jitterbuffer) = upstream::find(pad, is_jitterbuffer) {
            self.packets.listen_to(&jitterbuffer);
        }
        let chosen = chains::choose(&selector, pad)?;
        let before = inlet.replace(Inlet {
            selector,
            pad: chosen,
            source: source.cloned(),
        });
        if let Some(source) = before.and_then(|before| before.source) {
            source.let_go(pipeline);
        }
        Ok(())
    }
}

impl Inlet {
    /// Whether a stream of `source` is to take it: where it is of the same medium, or nothing comes here any more.
    fn falls_to(&self, source: Option<&Source>) -> bool {
        let is_of = |own: &Source| own.session.is_some() && own.session == source.and_then(|it| it.session);
        self.source.as_ref().is_some_and(is_of) || !self.pad.is_linked()
    }
}

impl Source {
    /// Decodes no more of it. It may still send, and whoever pushes must find somebody who takes it.
    fn let_go(self, pipeline: &gst::Pipeline) {
        let pipeline = pipeline.downgrade();
        let decoder = self.decoder;
        self.pad.add_probe(gst::PadProbeType::IDLE, move |pad, _| {
            if let (Some(pipeline), Some(decoder)) = (pipeline.upgrade(), decoder.upgrade()) {
                chains::throw_away(&pipeline, pad, &decoder);
            }
            gst::PadProbeReturn::Remove
        });
    }
}

/// Of a pad's name: `rtspsrc` calls them `recv_rtp_src_SESSION_SSRC_PAYLOAD`.
fn session(pad: &str) -> Option<u32> {
    pad.strip_prefix("recv_rtp_src_")?.split('_').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_in_the_name_of_the_pad() {
        assert_eq!(session("recv_rtp_src_1_3735928559_96"), Some(1));
        assert_eq!(session("stream_0"), None);
    }
}
