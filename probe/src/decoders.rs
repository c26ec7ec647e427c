//! What decoders would add of their own to what is measured, and how they are kept from it.

use gst::prelude::*;

/// The samples by which `faad` gives its sound out early: libav and the encoder's own count put the same tick one AAC frame
/// later (seen with `faad` of GStreamer 1.22 and 1.26).
const FAAD_IS_EARLY: i64 = 1024;
const NS_PER_SECOND: i64 = 1_000_000_000;

/// Whether it decodes pictures.
pub(crate) fn is_of_pictures(factory: &gst::ElementFactory) -> bool {
    use gst::ElementFactoryType as Type;
    factory.has_type(Type::DECODER | Type::MEDIA_VIDEO) || factory.has_type(Type::DECODER | Type::MEDIA_IMAGE)
}

/// Decoding several pictures at a time, libav hands each out later by as many; several slices of one it may.
pub(crate) fn decode_at_once(decoder: &gst::Element) {
    if decoder.has_property("thread-type") {
        decoder.set_property_from_str("thread-type", "slice");
    }
}

/// Puts a sound that `faad` decodes where it belongs; other decoders need no help.
pub(crate) fn put_in_place(decoder: &gst::Element) {
    let is_faad = decoder.factory().is_some_and(|factory| factory.name() == "faad");
    let Some(pad) = decoder.static_pad("src").filter(|_| is_faad) else {
        return;
    };
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, |pad, info| {
        if let Some(rate) = info.event().and_then(rate) {
            pad.set_offset(FAAD_IS_EARLY * NS_PER_SECOND / rate);
        }
        gst::PadProbeReturn::Ok
    });
}

/// The samples a second that an event announces.
fn rate(event: &gst::Event) -> Option<i64> {
    let gst::EventView::Caps(caps) = event.view() else {
        return None;
    };
    let rate: i32 = caps.caps().structure(0)?.get("rate").ok()?;
    (rate > 0).then_some(rate.into())
}
