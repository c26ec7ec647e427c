//! The times that a stream tells besides the stamp: RTCP sender reports (RFC 3550), the 64-bit NTP time in an RTP header
//! extension (RFC 6051) and the reference clock that the SDP signals (RFC 7273).

use clockface::epoch::{NTP_TO_UNIX_NS, TAI_MINUS_UTC_NS, from_ntp};

use crate::figures::Times;
use crate::values::Values;

const NS_PER_SECOND: i64 = 1_000_000_000;
/// What a sender report says: an RTP time, and the wall clock of the same instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SenderReport {
    pub(crate) ssrc: u32,
    /// ns since the Unix epoch.
    pub(crate) instant: i64,
    pub(crate) rtp_time: u32,
}

impl SenderReport {
    /// The first sender report in a compound RTCP packet.
    pub(crate) fn find(mut packets: &[u8]) -> Option<Self> {
        const SENDER_REPORT: u8 = 200;
        loop {
            let head = packets.get(..4)?;
            let length = 4 * (usize::from(u16::from_be_bytes([head[2], head[3]])) + 1);
            let packet = packets.get(..length)?;
            if head[0] >> 6 != 2 {
                return None;
            }
            if head[1] == SENDER_REPORT {
                return Self::parse(packet);
            }
            packets = &packets[length..];
        }
    }

    fn parse(packet: &[u8]) -> Option<Self> {
        Some(Self {
            ssrc: u32::from_be_bytes(bytes(packet, 4)?),
            instant: from_ntp(u64::from_be_bytes(bytes(packet, 8)?))?,
            rtp_time: u32::from_be_bytes(bytes(packet, 16)?),
        })
    }

    /// The instant of an RTP time by this report, in ns since the Unix epoch.
    pub(crate) fn instant_of(&self, rtp_time: u32, clock_rate: u32) -> Option<i64> {
        let ticks = i64::from(rtp_time.wrapping_sub(self.rtp_time).cast_signed());
        Some(self.instant + ns_of(ticks, clock_rate)?)
    }
}

fn bytes<const N: usize>(packet: &[u8], at: usize) -> Option<[u8; N]> {
    packet.get(at..at + N)?.try_into().ok()
}

fn ns_of(ticks: i64, clock_rate: u32) -> Option<i64> {
    if clock_rate == 0 {
        return None;
    }
    i64::try_from(i128::from(ticks) * i128::from(NS_PER_SECOND) / i128::from(clock_rate)).ok()
}

/// The clock that an SDP signals, and what the RTP time is at its epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReferenceClock {
    /// The Unix epoch by that clock, in ns since its own.
    unix_epoch: i128,
    /// RTP time at the clock's epoch.
    offset: u32,
}

impl ReferenceClock {
    /// The clock that the values tell of `a=ts-refclk:` and `a=mediaclk:`. `None` for a clock that tells no time of day (`local`,
    /// `localmac`, a GPS receiver of its own epoch, …) or an RTP time that is not bound to it.
    pub(crate) fn parse(ts_refclk: &str, mediaclk: &str) -> Option<Self> {
        let kind = ts_refclk.split(['=', ':']).next()?.trim();
        let unix_epoch = match kind {
            "ntp" => NTP_TO_UNIX_NS,
            "ptp" => TAI_MINUS_UTC_NS,
            _ => return None,
        };
        let direct = mediaclk.trim().strip_prefix("direct=")?;
        let offset: u64 = direct.split_whitespace().next()?.parse().ok()?;
        #[expect(clippy::cast_possible_truncation, reason = "RTP time counts modulo 2^32")]
        let offset = offset as u32;
        Some(Self { unix_epoch, offset })
    }

    /// The instant of an RTP time that is nearest to `near` (both ns since the Unix epoch): RTP time wraps around.
    pub(crate) fn instant_of(&self, rtp_time: u32, clock_rate: u32, near: i64) -> Option<i64> {
        if clock_rate == 0 {
            return None;
        }
        let elapsed = i128::from(near) + self.unix_epoch;
        let ticks = elapsed * i128::from(clock_rate) / i128::from(NS_PER_SECOND);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "RTP time counts modulo 2^32"
        )]
        let expected = (ticks as u32).wrapping_add(self.offset);
        let off = i64::from(rtp_time.wrapping_sub(expected).cast_signed());
        let exact = (ticks + i128::from(off)) * i128::from(NS_PER_SECOND) / i128::from(clock_rate);
        i64::try_from(exact - self.unix_epoch).ok()
    }
}

/// What a stream told of one frame besides the stamp, in ns since the Unix epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) sender_report: Option<i64>,
    pub(crate) ntp_extension: Option<i64>,
    pub(crate) reference_clock: Option<i64>,
}

/// Holds the times that a stream tells against the stamps.
#[derive(Debug, Clone, Default)]
pub(crate) struct Comparison {
    sender_reports: Values,
    ntp_extension: Values,
    reference_clock: Values,
}

impl Comparison {
    /// `instant` is that of the stamp, in ns since the Unix epoch.
    pub(crate) fn compare(&mut self, instant: i64, told: &Told) {
        for (values, told) in [
            (&mut self.sender_reports, told.sender_report),
            (&mut self.ntp_extension, told.ntp_extension),
            (&mut self.reference_clock, told.reference_clock),
        ] {
            if let Some(told) = told {
                values.push(told.saturating_sub(instant));
            }
        }
    }

    pub(crate) fn times(&self) -> Times {
        Times {
            sender_reports: self.sender_reports.disagreement(),
            ntp_extension: self.ntp_extension.disagreement(),
            reference_clock: self.reference_clock.disagreement(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-01T00:00:00.5Z.
    const INSTANT: i64 = 1_767_225_600_500_000_000;
    const NTP: u64 = ((1_767_225_600 + NTP_TO_UNIX) << 32) | 1 << 31;
    const NTP_TO_UNIX: u64 = clockface::epoch::NTP_TO_UNIX as u64;

    fn report(ssrc: u32, ntp: u64, rtp_time: u32) -> Vec<u8> {
        let mut packet = vec![0x80, 200, 0, 6];
        packet.extend(ssrc.to_be_bytes());
        packet.extend(ntp.to_be_bytes());
        packet.extend(rtp_time.to_be_bytes());
        packet.extend([0; 8]);
        packet
    }

    #[test]
    fn a_sender_report_is_found_behind_other_packets() {
        let expected = SenderReport {
            ssrc: 7,
            instant: INSTANT,
            rtp_time: 90_000,
        };
        let mut compound = vec![0x80, 201, 0, 1, 0, 0, 0, 7];
        compound.extend(report(7, NTP, 90_000));
        assert_eq!(SenderReport::find(&compound), Some(expected));
        for length in 0..compound.len() {
            assert_eq!(SenderReport::find(&compound[..length]), None, "{length}");
        }
        assert_eq!(SenderReport::find(&[0; 64]), None);
    }

    #[test]
    fn rtp_time_is_counted_from_the_report_across_its_wrap() {
        let report = SenderReport {
            ssrc: 7,
            instant: INSTANT,
            rtp_time: u32::MAX - 44_999,
        };
        assert_eq!(report.instant_of(45_000, 90_000), Some(INSTANT + NS_PER_SECOND));
        assert_eq!(
            report.instant_of(u32::MAX - 89_999, 90_000),
            Some(INSTANT - NS_PER_SECOND / 2)
        );
        assert_eq!(report.instant_of(0, 0), None);
    }

    #[test]
    fn a_reference_clock_gives_the_instant_of_an_rtp_time() {
        // The count at INSTANT, plus the offset, modulo 2^32.
        let ntp_ticks = (1_767_225_600 + NTP_TO_UNIX) * 90_000 + 45_000;
        let ptp_ticks = (1_767_225_600 + 37) * 90_000 + 45_000;
        for (refclk, ticks) in [
            ("ntp=192.0.2.1:123", ntp_ticks),
            ("ntp=/traceable/", ntp_ticks),
            ("ptp=IEEE1588-2008:39-A7-94-FF-FE-07-CB-D0:37", ptp_ticks),
        ] {
            let clock = ReferenceClock::parse(refclk, "direct=963214424 rate=90000").expect("a clock");
            let rtp_time = u32::try_from((ticks + 963_214_424) % (1 << 32)).expect("32 bits");
            for near in [
                INSTANT,
                INSTANT - 3600 * NS_PER_SECOND,
                INSTANT + 3600 * NS_PER_SECOND,
            ] {
                assert_eq!(
                    clock.instant_of(rtp_time, 90_000, near),
                    Some(INSTANT),
                    "{refclk}"
                );
            }
        }
    }

    #[test]
    fn a_clock_without_the_time_of_day_is_none() {
        for (refclk, mediaclk) in [
            ("local", "direct=0"),
            ("localmac=7C-E9-D3-1B-9A-AF", "direct=0"),
            ("ntp=192.0.2.1", "sender"),
            ("ntp=192.0.2.1", "direct=x"),
            ("", ""),
        ] {
            assert_eq!(
                ReferenceClock::parse(refclk, mediaclk),
                None,
                "{refclk} {mediaclk}"
            );
        }
    }
}
