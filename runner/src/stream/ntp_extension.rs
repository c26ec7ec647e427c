//! The 64-bit NTP time of the instant shown, in an RTP header extension of each frame's first packet (RFC 6051).
//!
//! That time is what `clocksrc` writes on a frame as `timestamp/x-ntp`, and encoders hand on. GStreamer's own
//! `rtphdrextntp64` is not used, for it writes zeros on a frame that has lost its time: here such a frame has no
//! extension, and the log says so.

use gst::{glib, prelude::*};
use gst_rtp::{RTPBasePayload, RTPHeaderExtension, prelude::*};

/// The first of the ids that a payloader may give an extension.
const ID: u32 = 1;

glib::wrapper! {
    /// The header extension.
    pub(crate) struct NtpExtension(ObjectSubclass<imp::NtpExtension>)
        @extends RTPHeaderExtension, gst::Element, gst::Object;
}

impl Default for NtpExtension {
    fn default() -> Self {
        glib::Object::new()
    }
}

/// Has `payloader` write the extension. This has to be called before the pipeline is started.
pub(crate) fn add(payloader: &gst::Element) {
    if !payloader.is::<RTPBasePayload>() {
        tracing::warn!(target: "stream",
            payloader = payloader.name().as_str(),
            "cannot have header extensions: ntpExtension does nothing"
        );
        return;
    }
    let extension = NtpExtension::default();
    extension.set_id(ID);
    payloader.emit_by_name::<()>("add-extension", &[&extension]);
}

mod imp {
    use std::sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    };

    use gst::{ReferenceTimestampMeta, glib, subclass::prelude::*};
    use gst_rtp::{RTPHeaderExtension, RTPHeaderExtensionFlags, subclass::prelude::*};
    use parking_lot::Mutex;

    const LENGTH: usize = 8;

    static NTP: LazyLock<gst::Caps> = LazyLock::new(|| gst::Caps::new_empty_simple("timestamp/x-ntp"));

    #[derive(Debug, Default)]
    pub(crate) struct NtpExtension {
        /// The PTS of the last frame that it was written for.
        written: Mutex<Option<gst::ClockTime>>,
        /// Whether the log says already that frames come without their instant.
        has_warned: AtomicBool,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for NtpExtension {
        const NAME: &'static str = "RtspClockNtpExtension";
        type Type = super::NtpExtension;
        type ParentType = RTPHeaderExtension;
    }

    impl ObjectImpl for NtpExtension {}
    impl GstObjectImpl for NtpExtension {}
    impl ElementImpl for NtpExtension {}

    impl RTPHeaderExtensionImpl for NtpExtension {
        const URI: &'static str = "urn:ietf:params:rtp-hdrext:ntp-64";

        fn supported_flags(&self) -> RTPHeaderExtensionFlags {
            RTPHeaderExtensionFlags::ONE_BYTE | RTPHeaderExtensionFlags::TWO_BYTE
        }

        fn max_size(&self, _frame: &gst::BufferRef) -> usize {
            LENGTH
        }

        fn write(
            &self,
            frame: &gst::BufferRef,
            _flags: RTPHeaderExtensionFlags,
            _packet: &gst::BufferRef,
            data: &mut [u8],
        ) -> Result<usize, gst::LoggableError> {
            let mut written = self.written.lock();
            if frame.pts().is_some() && frame.pts() == *written {
                return Ok(0);
            }
            let (Some(time), Some(place)) = (ntp(frame), data.first_chunk_mut::<LENGTH>()) else {
                self.warn();
                return Ok(0);
            };
            *place = time.to_be_bytes();
            *written = frame.pts();
            Ok(LENGTH)
        }

        fn read(
            &self,
            _flags: RTPHeaderExtensionFlags,
            _data: &[u8],
            _frame: &mut gst::BufferRef,
        ) -> Result<(), gst::LoggableError> {
            Ok(())
        }
    }

    impl NtpExtension {
        fn warn(&self) {
            if !self.has_warned.swap(true, Ordering::Relaxed) {
                tracing::warn!(target: "stream",
                    "frames reach the payloader without the instant that they show (the encoder has lost it): they go out \
                     without ntpExtension"
                );
            }
        }
    }

    /// The instant of a frame as NTP has it: seconds since 1900, and their binary fraction.
    fn ntp(frame: &gst::BufferRef) -> Option<u64> {
        let mut metas = frame.iter_meta::<ReferenceTimestampMeta>();
        let meta = metas.find(|meta| meta.reference().is_subset(&NTP))?;
        let time = (u128::from(meta.timestamp().nseconds()) << 32) / 1_000_000_000;
        #[expect(clippy::cast_possible_truncation, reason = "its seconds count modulo 2^32")]
        let time = time as u64;
        Some(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gst_rtp::RTPBuffer;

    /// The extension of each packet that `source` makes of its frames, in hexadecimal digits; empty where it has none.
    fn extensions(source: &str) -> Vec<Option<Vec<u8>>> {
        gst::init().unwrap();
        gstclocksrc::register_static().unwrap();
        let line =
            format!("{source} ! rtpjpegpay name=pay0 mtu=600 ! fakesink name=sink signal-handoffs=true");
        let pipeline = gst::parse::launch(&line)
            .unwrap()
            .downcast::<gst::Pipeline>()
            .unwrap();
        add(&pipeline.by_name("pay0").unwrap());
        let (sender, receiver) = std::sync::mpsc::channel();
        let pad = pipeline.by_name("sink").unwrap().static_pad("sink").unwrap();
        let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
        pad.add_probe(kinds, move |_, info| {
            let send = |packet: &gst::Buffer| {
                let packet = RTPBuffer::from_buffer_readable(packet).unwrap();
                let extension = packet.extension_onebyte_header(1, 0).map(<[u8]>::to_vec);
                sender.send(extension).unwrap();
            };
            match &info.data {
                Some(gst::PadProbeData::Buffer(packet)) => send(packet),
                Some(gst::PadProbeData::BufferList(packets)) => {
                    packets.iter_owned().for_each(|packet| send(&packet));
                }
                _ => {}
            }
            gst::PadProbeReturn::Ok
        });
        pipeline.set_state(gst::State::Playing).unwrap();
        let bus = pipeline.bus().unwrap();
        let ends = [gst::MessageType::Eos, gst::MessageType::Error];
        let end = bus.timed_pop_filtered(gst::ClockTime::from_seconds(20), &ends);
        pipeline.set_state(gst::State::Null).unwrap();
        assert_eq!(end.map(|end| end.type_()), Some(gst::MessageType::Eos));
        receiver.try_iter().collect()
    }

    #[test]
    fn the_first_packet_of_each_frame_tells_its_instant() {
        let found = extensions(
            "clocksrc is-live=false start-time=1500000000 num-buffers=2 ! video/x-raw,width=320,height=240,framerate=4/1 \
             ! jpegenc",
        );
        assert!(found.len() > 4, "{found:?}");
        let written: Vec<Vec<u8>> = found.iter().flatten().cloned().collect();
        let half = 1_u64 << 31;
        let expected = [
            ((2_208_988_801 << 32) | half),
            (2_208_988_801 << 32) | half | half >> 1,
        ];
        assert_eq!(written, expected.map(|time: u64| time.to_be_bytes().to_vec()));
        assert!(found[0].is_some() && found[1].is_none());
    }

    #[test]
    fn a_frame_that_has_lost_its_instant_has_none_and_no_zeros() {
        let found =
            extensions("videotestsrc num-buffers=2 ! video/x-raw,format=I420,width=64,height=64 ! jpegenc");
        assert!(found.len() >= 2 && found.iter().all(Option::is_none), "{found:?}");
    }
}
