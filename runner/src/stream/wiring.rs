//! What this program adds to a pipeline that gst-rtsp-server has built from a launch line: the gates on its packets,
//! the sinks' deadlines, the queues before them, and a handler for its messages.

use std::{
    net::SocketAddr,
    ops::ControlFlow,
    sync::{Arc, Weak},
    time::Instant,
};

use gst::{ClockTime, prelude::*};
use gst_net::NetAddressMeta;
use gst_rtsp_server::{RTSPMedia, gio, prelude::*};
use gst_video::UpstreamForceKeyUnitEvent;

use super::{
    Stream, deltas,
    gate::{GatedPacket, Verdict},
    keys::{self, first_buffer},
    media::Medium,
    ntp_extension, reports,
    running::{self, Hold, Phase, Running, report_often},
    trouble::{cause, log_trouble},
};
use crate::{
    events::Happening,
    launch::{own_pipeline, syntax::PICTURE_PAYLOADER},
};

/// How long a viewer that does not read may hold up what others wait for.
const QUEUE_TIME: ClockTime = ClockTime::from_mseconds(500);

/// How many packets a viewer's queue may hold before the first has gone out.
const BEFORE_THE_FIRST: u32 = 10_000;

/// How many reports of viewers over TCP may wait: a thousand viewers send some two hundred a second.
const MOST_REPORTS: u64 = 256;

impl Stream {
    /// Wires the pipeline that gst-rtsp-server has built for `media`, which is to be the one that runs.
    pub(super) fn configure(self: &Arc<Self>, media: &RTSPMedia) {
        let element = media.element();
        let Some(bin) = element.downcast_ref::<gst::Bin>() else {
            return;
        };
        let source = own_pipeline::clock_source(bin);
        if let Some(payloader) = bin.by_name(PICTURE_PAYLOADER) {
            self.pace_requests(&payloader);
            deltas::mark(&payloader);
            if self.factory.clock().is_some() {
                reports::note_running_time(&payloader);
            }
            if self.config().ntp_extension {
                ntp_extension::add(&payloader);
            }
        }
        if let Some(source) = &source {
            self.viewers.show_on(source);
        }
        let running = Running::new(media, bin, source.as_ref());
        self.hold(media, &running);
        self.watch_pace(&running);
        self.replace(Some(Arc::clone(&running)));
        self.tell(|streams| Happening::StreamStarted { streams });
        // The configuration may have changed since the factory read its launch string.
        self.apply(&running);
        if let Some(pipeline) = element.parent().and_downcast::<gst::Pipeline>() {
            self.prepare_pipeline(&pipeline, &running);
        }
        let (stream, name) = (Arc::downgrade(self), self.name());
        media.connect_handle_message(None, move |_, message| {
            running.note(message);
            if running.phase() == Phase::LetGo {
                tracing::debug!(target: "stream", "from a pipeline on its way down: {message:?}");
                return true;
            }
            match (message.view(), stream.upgrade()) {
                (gst::MessageView::Error(error), Some(stream)) => stream.give_up(&running, cause(error)),
                _ => log_trouble(&name, message),
            }
            // The answer is ignored: the class handler runs after this one.
            true
        });
    }

    /// Takes hold of `media` once it can be played.
    fn hold(self: &Arc<Self>, media: &RTSPMedia, running: &Arc<Running>) {
        let (stream, running) = (Arc::downgrade(self), Arc::downgrade(running));
        media.connect_prepared(move |media| {
            let (Some(stream), Some(running)) = (stream.upgrade(), running.upgrade()) else {
                return;
            };
            let hold = stream.take_hold(media, &running);
            if hold == Some(Hold::Kept) {
                stream.tell(|streams| Happening::StreamRunning { streams });
                stream.receivers.send_by(running::sources(media));
                if stream.config().audio.is_some() {
                    report_often(media);
                }
            }
            let has_failed = || matches!(running.phase(), Phase::Failed { .. });
            if hold == Some(Hold::KeptToSendAway) || hold.is_none() && has_failed() {
                stream.send_everybody_away();
            }
        });
    }

    /// Has `media`, in which `running` runs, be in use by the stream itself; `None` where it is not ready any more.
    fn take_hold(&self, media: &RTSPMedia, running: &Running) -> Option<Hold> {
        media.prepare(None).ok()?;
        let hold = self.trouble.hold(running);
        if hold == Hold::TooMuch {
            running::end_use(media);
        }
        Some(hold)
    }

    /// Wires the elements that gst-rtsp-server adds to the pipeline, as it adds them.
    fn prepare_pipeline(self: &Arc<Self>, pipeline: &gst::Pipeline, running: &Arc<Running>) {
        // A sink adds the pipeline's latency to a buffer's time, and the encoder's share of it is what the source's
        // lead time is for.
        pipeline.set_latency(Some(ClockTime::ZERO));
        let stream = Arc::downgrade(self);
        let running = Arc::downgrade(running);
        let (destinations, tallies) = (Arc::clone(&self.destinations), Arc::clone(&self.tallies));
        let clock = self.factory.clock();
        pipeline.connect_element_added(move |_, element| {
            if element.has_property("processing-deadline") {
                // Each sink would ask for 20 ms more.
                element.set_property("processing-deadline", ClockTime::ZERO);
            }
            match element.factory().as_ref().map(GstObjectExt::name).as_deref() {
                Some("rtpbin") => {
                    reports::tell_instants(element, clock.as_ref());
                    let (stream, running) = (stream.clone(), running.clone());
                    element.connect_pad_added(move |_, pad| {
                        let (Some(stream), Some(running)) = (stream.upgrade(), running.upgrade()) else {
                            return;
                        };
                        if session_number(pad).is_some() {
                            stream.guard(pad, running);
                        } else if pad.name().starts_with("recv_rtcp_sink_") {
                            stream.hear_at(pad);
                        }
                    });
                }
                Some("queue") => keep_flowing(element),
                Some("multiudpsink") => {
                    destinations.follow(element);
                    tallies.follow(element, is_for_rtp);
                }
                Some("appsrc") => bound(element),
                Some("appsink") if is_for_rtcp(element) => {
                    report_to_somebody(element, stream.clone(), running.clone());
                }
                _ => {}
            }
        });
    }

    /// Puts the gate behind the point at which gst-rtsp-server blocks `pad`: of one pad's probes, those that block run
    /// before those that do not.
    fn guard(self: &Arc<Self>, pad: &gst::Pad, running: Arc<Running>) {
        let stream = Arc::downgrade(self);
        let medium = session_number(pad).map_or(Medium::Picture, Medium::numbered);
        pad.add_probe(
            gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST,
            move |pad, info| {
                let passes = stream
                    .upgrade()
                    .zip(packet(pad, info))
                    .is_none_or(|(stream, packet)| stream.lets_pass(&running, medium, packet, info));
                // Where nobody who plays has asked for this medium, its pad is not linked, and a packet pushed on would
                // end the pipeline.
                if passes && pad.is_linked() {
                    gst::PadProbeReturn::Ok
                } else {
                    gst::PadProbeReturn::Drop
                }
            },
        );
    }

    /// Whether a packet of `medium` may go on; before it does, it waits here for those who can begin with it.
    fn lets_pass(
        self: &Arc<Self>,
        running: &Running,
        medium: Medium,
        packet: GatedPacket,
        info: &gst::PadProbeInfo<'_>,
    ) -> bool {
        let gate = running.gate(medium);
        if running.is_flowing() && self.viewers.are_none() {
            gate.close();
        }
        let verdict = gate.judge(packet);
        match verdict {
            Verdict::Pass => {
                self.wait_for_joins(running, medium, packet, info);
                self.note_departure(running, medium, packet);
            }
            Verdict::Drop => {}
            Verdict::DropAndAskForKeyFrame => self.ask_for_key_frame(),
            Verdict::Unusable => {
                tracing::warn!(target: "stream", time = ?packet.running_time, "threw away a packet whose time is missing or runs backwards");
            }
        }
        if verdict == Verdict::Drop && medium == Medium::Sound {
            // Otherwise the sound would be further ahead than pictures are, once somebody plays.
            running.sleep_until(packet.running_time);
        }
        verdict == Verdict::Pass
    }

    /// Notes how late a frame leaves, with the first of its packets.
    fn note_departure(&self, running: &Running, medium: Medium, packet: GatedPacket) {
        if let (Medium::Picture, Some(due)) = (medium, packet.running_time) {
            self.departures.note(due, || running.now());
        }
    }

    /// Has the packet, or the first one of the list, wait for those who can begin with it.
    fn wait_for_joins(
        &self,
        running: &Running,
        medium: Medium,
        packet: GatedPacket,
        info: &gst::PadProbeInfo<'_>,
    ) {
        let begin = first_buffer(info).and_then(|packet| packet.map_readable().ok());
        let Some(rtp) = begin else { return };
        let first = match medium {
            Medium::Picture => self.keys.note(&rtp, packet.is_delta),
            Medium::Sound => keys::Packet::read(&rtp),
        };
        drop(rtp);
        if let Some(first) = first
            && self.joins.are_awaited()
            && let Some(wait) = running.time_until(packet.running_time)
        {
            self.joins.stand(medium, first, Instant::now() + wait);
        }
    }
}

impl Stream {
    /// Has viewers who ask for a key frame by RTCP wait for the next one that may be asked for, as those do who join.
    fn pace_requests(self: &Arc<Self>, payloader: &gst::Element) {
        let Some(pad) = payloader.static_pad("src") else {
            return;
        };
        let stream = Arc::downgrade(self);
        pad.add_probe(gst::PadProbeType::EVENT_UPSTREAM, move |_, info| {
            let is_request = info.event().is_some_and(|event| is_request_of_a_viewer(event));
            if !is_request {
                return gst::PadProbeReturn::Ok;
            }
            if let Some(stream) = stream.upgrade() {
                stream.ask_for_key_frame();
            }
            // The request has been acted upon by now, or will be soon. GStreamer would take an event that is dropped
            // for one that it still has.
            gst::PadProbeReturn::Handled
        });
    }

    /// Lets through `pad`, by which rtpbin gets RTCP, only packets that are heard, and those without the address that
    /// they come from.
    fn hear_at(self: &Arc<Self>, pad: &gst::Pad) {
        let stream = Arc::downgrade(self);
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            // GStreamer 1.22.0 lets go twice of what is dropped at the pad that receives it.
            let (Some(stream), Some(packet)) = (stream.upgrade(), info.buffer_mut()) else {
                return gst::PadProbeReturn::Handled;
            };
            let from = packet
                .meta::<NetAddressMeta>()
                .and_then(|meta| socket_address(&meta.addr()));
            let is_heard = packet
                .map_readable()
                .is_ok_and(|bytes| stream.receivers.hear(&bytes, from, Instant::now()));
            if !is_heard {
                return gst::PadProbeReturn::Handled;
            }
            packet.make_mut().foreach_meta_mut(|mut meta| {
                ControlFlow::Continue(if meta.downcast_ref::<NetAddressMeta>().is_some() {
                    gst::buffer::BufferMetaForeachAction::Remove
                } else {
                    gst::buffer::BufferMetaForeachAction::Keep
                })
            });
            gst::PadProbeReturn::Ok
        });
    }
}

/// Whether rtpbin hands on what a viewer has asked for.
fn is_request_of_a_viewer(event: &gst::EventRef) -> bool {
    UpstreamForceKeyUnitEvent::parse(event).is_ok() && !running::is_our_request(event)
}

fn socket_address(address: &gio::SocketAddress) -> Option<SocketAddr> {
    let address = address.downcast_ref::<gio::InetSocketAddress>()?;
    Some(SocketAddr::new(address.address().into(), address.port()))
}

/// Bounds the queue of `appsrc`: gst-rtsp-server queues the reports of viewers over TCP without end.
fn bound(appsrc: &gst::Element) {
    appsrc.set_property("max-buffers", MOST_REPORTS);
    appsrc.set_property_from_str("leaky-type", "upstream");
}

/// Whether `appsink` is the one of gst-rtsp-server's two that gets RTCP: it holds nothing up.
fn is_for_rtcp(appsink: &gst::Element) -> bool {
    !appsink.property::<bool>("async")
}

/// Whether RTP comes to `sink`, one that sends over UDP.
fn is_for_rtp(sink: &gst::Element) -> bool {
    let pad = sink.static_pad("sink");
    pad.is_some_and(|pad| upstream(&pad, "send_rtp_src_").is_some())
}

/// Lets no RTCP come as far as `appsink` while nobody gets it and RTP comes as well. gst-rtsp-server sends one packet
/// for each signal, and of two that come together the one of RTCP; the next signal comes once that is sent to somebody.
/// If it is sent to nobody, a packet of RTP stays in its appsink and holds up its thread, which makes the picture
/// (`send_func` in rtsp-stream.c, in 1.22 as in 1.26). Where no RTP comes, RTCP has gst-rtsp-server let go of whoever
/// has left (see `server::connections::ties`).
fn report_to_somebody(appsink: &gst::Element, stream: Weak<Stream>, running: Weak<Running>) {
    let Some(pad) = appsink.static_pad("sink") else {
        return;
    };
    let packets = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    pad.add_probe(packets, move |pad, _| {
        let (Some(stream), Some(running), Some(medium)) = (
            stream.upgrade(),
            running.upgrade(),
            upstream(pad, "send_rtcp_src_"),
        ) else {
            return gst::PadProbeReturn::Ok;
        };
        let rtp_comes = running.gate(Medium::numbered(medium)).is_open() && !running.is_ending();
        if !rtp_comes || running.goes_by(medium, &stream.within_connections()) {
            gst::PadProbeReturn::Ok
        } else {
            // GStreamer 1.22.0 lets go twice of what is dropped at the pad that receives it.
            gst::PadProbeReturn::Handled
        }
    });
}

/// The number behind `prefix` in the name of the pad that feeds `pad`, which may be some elements upstream.
fn upstream(pad: &gst::Pad, prefix: &str) -> Option<u32> {
    let mut pad = pad.clone();
    loop {
        let source = pad.peer()?;
        if let Some(number) = number_of(&source, prefix) {
            return Some(number);
        }
        pad = source.parent_element()?.static_pad("sink")?;
    }
}

/// The number of the session whose packets rtpbin hands on at `pad`; `None` for a pad of another kind.
fn session_number(pad: &gst::Pad) -> Option<u32> {
    number_of(pad, "send_rtp_src_")
}

fn number_of(pad: &gst::Pad, prefix: &str) -> Option<u32> {
    pad.name().strip_prefix(prefix)?.parse().ok()
}

/// What the gate has to know of the buffer or the list that passes `pad`. A list holds packets of one frame.
fn packet(pad: &gst::Pad, info: &gst::PadProbeInfo<'_>) -> Option<GatedPacket> {
    let buffer = first_buffer(info)?;
    let segment = pad.sticky_event::<gst::event::Segment>(0);
    let running_time = segment
        .as_ref()
        .and_then(|event| event.segment().downcast_ref::<ClockTime>())
        .and_then(|segment| segment.to_running_time(buffer.pts()?));
    Some(GatedPacket {
        running_time,
        is_delta: buffer.flags().contains(gst::BufferFlags::DELTA_UNIT),
    })
}

/// gst-rtsp-server parts UDP from TCP with queues that hold one packet and then make everybody wait: one TCP viewer
/// that does not read would stop the picture for all who watch over UDP. A queue that throws packets away loses only
/// what was for that viewer.
///
/// A queue knows only once a packet has gone out for how long it holds packets; before that it would throw away the
/// first ones.
fn keep_flowing(queue: &gst::Element) {
    queue.set_property("max-size-buffers", BEFORE_THE_FIRST);
    queue.set_property("max-size-bytes", 0u32);
    queue.set_property("max-size-time", 0u64);
    queue.set_property_from_str("leaky", "downstream");
    let Some(pad) = queue.static_pad("src") else {
        return;
    };
    let queue = queue.downgrade();
    let packets = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    pad.add_probe(packets, move |_, _| {
        if let Some(queue) = queue.upgrade() {
            queue.set_property("max-size-time", QUEUE_TIME.nseconds());
            queue.set_property("max-size-buffers", 0u32);
        }
        gst::PadProbeReturn::Remove
    });
}
