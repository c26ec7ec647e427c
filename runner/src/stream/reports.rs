//! RTCP's sender reports tie RTP time to the instant shown, by the clock that the picture goes by.
//!
//! Unless it is told otherwise, `rtpbin` ties RTP time to the time of sending, takes that from the machine's clock, and
//! overwrites the instants in header extensions with its own.

use clockface::epoch::{NTP_TO_UNIX, TAI_MINUS_UTC};
use gst::prelude::*;
use gst_net::{NtpClock, PtpClock};

/// The seconds to add to a time counted from PTP's zero, 1970 by TAI, to have it counted from NTP's, 1900 by UTC: see
/// `clocksrc` for the leap seconds.
const PTP_TO_NTP: u32 = NTP_TO_UNIX - TAI_MINUS_UTC;
/// The version of RTP and RTCP (RFC 3550).
pub(crate) const VERSION: u8 = 2;
const SENDER_REPORT: u8 = 200;

/// Has `rtpbin` report the instants that pictures show, in a pipeline that runs by `clock`.
pub(crate) fn tell_instants(rtpbin: &gst::Element, clock: Option<&gst::Clock>) {
    rtpbin.set_property("rtcp-sync-send-time", false);
    rtpbin.set_property("update-ntp64-header-ext", false);
    let is_ptp = clock.is_some_and(ObjectExt::is::<PtpClock>);
    if is_ptp || clock.is_some_and(ObjectExt::is::<NtpClock>) {
        rtpbin.set_property_from_str("ntp-time-source", "clock-time");
    }
    if is_ptp {
        rtpbin.connect_pad_added(|_, pad| {
            if pad.name().starts_with("send_rtcp_src_") {
                count_as_ntp(pad);
            }
        });
    }
}

/// Has `payloader` keep, beside its last RTP time, the running time which that stands for: the SDP of a pipeline that
/// runs by a network's clock ties both together (`a=mediaclk:direct`).
pub(crate) fn note_running_time(payloader: &gst::Element) {
    // While this property is set, GStreamer (up to 1.26 at least) notes RTP ticks for ns. It changes no RTP time of a
    // picture.
    if payloader.has_property("perfect-rtptime") {
        payloader.set_property("perfect-rtptime", false);
    }
}

/// Counts the time in the sender reports that pass `pad` as NTP does: RTCP has no other time.
fn count_as_ntp(pad: &gst::Pad) {
    pad.add_probe(gst::PadProbeType::BUFFER, |_, info| {
        if let Some(buffer) = info.buffer_mut()
            && let Ok(mut packets) = buffer.make_mut().map_writable()
        {
            shift_reports(&mut packets, PTP_TO_NTP);
        }
        gst::PadProbeReturn::Ok
    });
}

/// Adds `seconds` to the NTP time of each sender report in a compound packet.
fn shift_reports(mut packets: &mut [u8], seconds: u32) {
    while let Some(&[first, kind, high, low]) = packets.first_chunk() {
        let length = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
        let Some((packet, rest)) = packets
            .split_at_mut_checked(length)
            .filter(|_| first >> 6 == VERSION)
        else {
            return;
        };
        if kind == SENDER_REPORT
            && let Some(time) = packet.get_mut(8..).and_then(<[u8]>::first_chunk_mut)
        {
            *time = u32::from_be_bytes(*time).wrapping_add(seconds).to_be_bytes();
        }
        packets = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(seconds: u32) -> Vec<u8> {
        let mut packet = vec![0x80, 200, 0, 6, 0, 0, 0, 7];
        packet.extend(seconds.to_be_bytes());
        packet.extend([9; 16]);
        packet
    }

    #[test]
    fn the_time_of_every_sender_report_moves_and_nothing_else() {
        let receiver_report = [0x80, 201, 0, 1, 0, 0, 0, 7];
        let compound = |seconds| [report(seconds), receiver_report.to_vec(), report(seconds)].concat();
        // 2026-01-01T00:00:00Z.
        let (unix, ntp) = (1_767_225_600, 3_976_214_400);
        let mut packets = compound(unix + TAI_MINUS_UTC);
        shift_reports(&mut packets, PTP_TO_NTP);
        assert_eq!(packets, compound(ntp));
    }

    #[test]
    fn what_is_no_rtcp_stays_as_it_is() {
        let wrong_version = [vec![0x40], report(5)[1..].to_vec()].concat();
        let too_long = [&[0x80, 200, 0, 9][..], &report(5)[4..]].concat();
        for packet in [wrong_version, too_long, vec![0x80, 200, 0, 0], vec![1], vec![]] {
            let mut packets = packet.clone();
            shift_reports(&mut packets, PTP_TO_NTP);
            assert_eq!(packets, packet);
        }
    }
}
