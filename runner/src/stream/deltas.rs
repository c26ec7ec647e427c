//! Marks the packets of pictures that cannot be decoded alone.
//!
//! The payloaders of H.264 and H.265 hand on the flag by which [`crate::stream::gate`] knows them. Those of VP8 and VP9 forget it
//! (up to GStreamer 1.24): every packet would pass for a key frame's.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use gst::{BufferFlags, PadProbeData, PadProbeReturn, PadProbeType, prelude::*};

use crate::launch::codecs;

/// Has `payloader` mark the packets that it makes of a picture which is not a key frame, if it does not do so by
/// itself.
pub(crate) fn mark(payloader: &gst::Element) {
    let codec = payloader
        .factory()
        .and_then(|factory| codecs::of_payloader(&factory.name()));
    let (Some(sink), Some(src)) = (payloader.static_pad("sink"), payloader.static_pad("src")) else {
        return;
    };
    if codec.is_some_and(|codec| codec.forgets_key_frames) {
        mark_between(&sink, &src);
    }
}

/// Marks the packets of each picture as the picture was marked: a payloader makes them in the call that brings the
/// picture.
fn mark_between(sink: &gst::Pad, src: &gst::Pad) {
    let is_delta = Arc::new(AtomicBool::new(false));
    let of_picture = is_delta.clone();
    sink.add_probe(PadProbeType::BUFFER, move |_, info| {
        if let Some(picture) = info.buffer() {
            let is_delta = picture.flags().contains(BufferFlags::DELTA_UNIT);
            of_picture.store(is_delta, Ordering::Relaxed);
        }
        PadProbeReturn::Ok
    });
    src.add_probe(
        PadProbeType::BUFFER | PadProbeType::BUFFER_LIST,
        move |_, info| {
            if is_delta.load(Ordering::Relaxed) {
                mark_packets(&mut info.data);
            }
            PadProbeReturn::Ok
        },
    );
}

fn mark_packets(data: &mut Option<PadProbeData<'_>>) {
    match data {
        Some(PadProbeData::Buffer(packet)) => packet.make_mut().set_flags(BufferFlags::DELTA_UNIT),
        Some(PadProbeData::BufferList(packets)) => {
            packets.make_mut().foreach_mut(|mut packet, _| {
                packet.make_mut().set_flags(BufferFlags::DELTA_UNIT);
                std::ops::ControlFlow::Continue(Some(packet))
            });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;

    /// Whether each packet that `coding` makes of six pictures is marked, and whether its picture is a key frame.
    fn marks(coding: &str) -> Vec<(bool, bool)> {
        gst::init().unwrap();
        let line = format!("videotestsrc num-buffers=6 ! {coding} name=pay ! fakesink name=end");
        let pipeline = gst::parse::launch(&line)
            .unwrap()
            .downcast::<gst::Pipeline>()
            .unwrap();
        let payloader = pipeline.by_name("pay").unwrap();
        mark(&payloader);
        let (pictures, packets) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let seen_pictures = pictures.clone();
        payloader
            .static_pad("sink")
            .unwrap()
            .add_probe(PadProbeType::BUFFER, move |_, info| {
                let picture = info.buffer().unwrap();
                seen_pictures
                    .lock()
                    .push((picture.pts(), picture.flags().contains(BufferFlags::DELTA_UNIT)));
                PadProbeReturn::Ok
            });
        let seen_packets = packets.clone();
        pipeline
            .by_name("end")
            .unwrap()
            .static_pad("sink")
            .unwrap()
            .add_probe(
                PadProbeType::BUFFER | PadProbeType::BUFFER_LIST,
                move |_, info| {
                    let note = |packet: &gst::BufferRef| {
                        let is_marked = packet.flags().contains(BufferFlags::DELTA_UNIT);
                        seen_packets.lock().push((packet.pts(), is_marked));
                    };
                    match &info.data {
                        Some(PadProbeData::Buffer(packet)) => note(packet),
                        Some(PadProbeData::BufferList(packets)) => packets.iter().for_each(note),
                        _ => {}
                    }
                    PadProbeReturn::Ok
                },
            );
        pipeline.set_state(gst::State::Playing).unwrap();
        let ends = [gst::MessageType::Eos, gst::MessageType::Error];
        let end = pipeline
            .bus()
            .unwrap()
            .timed_pop_filtered(gst::ClockTime::from_seconds(20), &ends);
        assert!(
            end.is_some_and(|end| end.type_() == gst::MessageType::Eos),
            "{line}"
        );
        pipeline.set_state(gst::State::Null).unwrap();
        let (pictures, packets) = (pictures.lock(), packets.lock());
        let is_delta = |pts| pictures.iter().find(|(picture, _)| *picture == pts).unwrap().1;
        packets
            .iter()
            .map(|(pts, is_marked)| (*is_marked, is_delta(*pts)))
            .collect()
    }

    #[test]
    fn packets_of_pictures_that_are_no_key_frames_are_marked() {
        for coding in [
            "vp8enc deadline=1 keyframe-max-dist=3 ! rtpvp8pay",
            "vp9enc deadline=1 keyframe-max-dist=3 ! rtpvp9pay",
        ] {
            let marks = marks(coding);
            assert!(marks.iter().any(|(_, is_delta)| *is_delta), "{coding}: {marks:?}");
            assert!(marks.iter().any(|(_, is_delta)| !is_delta), "{coding}: {marks:?}");
            for (is_marked, is_delta) in marks.iter().filter(|(_, is_delta)| *is_delta) {
                assert_eq!(is_marked, is_delta, "{coding}: {marks:?}");
            }
            // The first packet of a key frame is never marked, whatever the payloader does with the rest.
            assert!(!marks[0].0, "{coding}: {marks:?}");
        }
    }
}
