//! What the SDP says about a medium, as the caps of its packets hold it.

use clockface::epoch::from_ntp;
use gst_rtp::RTPBuffer;

use crate::times::ReferenceClock;

const NTP_64: &str = "urn:ietf:params:rtp-hdrext:ntp-64";

/// What the SDP says about a medium.
#[derive(Debug)]
pub(super) struct Description {
    pub(super) is_video: bool,
    /// RTP time's, in Hz.
    pub(super) clock_rate: u32,
    /// The header extension's id.
    ntp_64: Option<u8>,
    pub(super) reference_clock: Option<ReferenceClock>,
}

impl Description {
    pub(super) fn of(caps: &gst::CapsRef) -> Option<Self> {
        let fields = caps.structure(0)?;
        let text = |name: &str| fields.get::<String>(name).ok();
        let reference_clock = text("a-ts-refclk")
            .zip(text("a-mediaclk"))
            .and_then(|(refclk, mediaclk)| ReferenceClock::parse(&refclk, &mediaclk));
        let ntp_64 = fields.iter().find_map(|(name, value)| {
            let id = name.as_str().strip_prefix("extmap-")?.parse().ok()?;
            is_ntp_64(value).then_some(id)
        });
        Some(Self {
            is_video: text("media")? == "video",
            clock_rate: fields.get::<i32>("clock-rate").ok()?.try_into().ok()?,
            ntp_64,
            reference_clock,
        })
    }

    /// The time in a packet's header extension, in ns since the Unix epoch.
    pub(super) fn ntp(&self, packet: &RTPBuffer<'_, gst_rtp::rtp_buffer::Readable>) -> Option<i64> {
        let id = self.ntp_64?;
        let found = packet
            .extension_onebyte_header(id, 0)
            .or_else(|| Some(packet.extension_twobytes_header(id, 0)?.1))?;
        from_ntp(u64::from_be_bytes(found.try_into().ok()?))
    }
}

/// An extension is its URN, or an array of direction, URN and attributes.
fn is_ntp_64(value: &gst::glib::SendValue) -> bool {
    let is = |text: Result<&str, _>| text.is_ok_and(|text| text == NTP_64);
    is(value.get::<&str>().map_err(drop))
        || value
            .get::<gst::ArrayRef<'_>>()
            .is_ok_and(|array| array.iter().any(|value| is(value.get::<&str>().map_err(drop))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdp_names_extension_and_clock() {
        gst::init().expect("GStreamer");
        let caps: gst::Caps =
            "application/x-rtp, media=video, clock-rate=90000, a-ts-refclk=\"ntp=192.0.2.1\", \
                               a-mediaclk=\"direct=5\", extmap-3=urn:ietf:params:rtp-hdrext:ntp-64"
                .parse()
                .expect("caps");
        let description = Description::of(&caps).expect("a description");
        assert_eq!(description.ntp_64, Some(3));
        assert_eq!(
            description.reference_clock,
            ReferenceClock::parse("ntp=192.0.2.1", "direct=5")
        );
    }
}
