//! What comes in an RTSP connection beside the answers: RTP and RTCP, as far as tests look into them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::ntp::NTP_TO_UNIX;

/// A packet that came in a TCP connection, and when its last byte had come.
pub struct Interleaved {
    pub channel: u8,
    pub data: Vec<u8>,
    pub arrival: SystemTime,
}

impl Interleaved {
    pub fn is_rtp(&self) -> bool {
        self.channel == 0
    }

    pub fn payload_type(&self) -> u8 {
        self.data[1] & 0x7f
    }

    pub fn marker(&self) -> bool {
        self.data[1] & 0x80 != 0
    }

    pub fn sequence_number(&self) -> u16 {
        u16::from_be_bytes([self.data[2], self.data[3]])
    }

    pub fn rtp_time(&self) -> u32 {
        u32::from_be_bytes(self.data[4..8].try_into().expect("four bytes"))
    }

    /// Whether it starts or carries an H.264 parameter set or a key picture (RFC 6184).
    pub fn is_key(&self) -> bool {
        let payload = &self.data[12..];
        let nal_type = match payload[0] & 0x1f {
            28 => payload[1] & 0x1f,
            24 => payload[3] & 0x1f,
            single => single,
        };
        matches!(nal_type, 5..=8)
    }

    /// Whether it holds RTCP's BYE (RFC 3550).
    pub fn is_goodbye(&self) -> bool {
        let mut rest = self.data.as_slice();
        while self.channel == 1 && rest.len() >= 4 {
            if rest[1] == 203 {
                return true;
            }
            let length = 4 * (usize::from(u16::from_be_bytes([rest[2], rest[3]])) + 1);
            rest = rest.get(length..).unwrap_or_default();
        }
        false
    }

    /// The instant and the RTP time that a sender report ties together (RFC 3550).
    pub fn sender_report(&self) -> Option<(SystemTime, u32)> {
        if self.channel != 1 || self.data[1] != 200 {
            return None;
        }
        let word = |at: usize| u32::from_be_bytes(self.data[at..at + 4].try_into().expect("four bytes"));
        let nanoseconds = (u64::from(word(12)) * 1_000_000_000) >> 32;
        let since_epoch =
            Duration::from_secs(u64::from(word(8)) - NTP_TO_UNIX) + Duration::from_nanos(nanoseconds);
        Some((UNIX_EPOCH + since_epoch, word(16)))
    }
}

/// The instant of `rtp_time` as a sender report says, for H.264's and JPEG's clock of 90 kHz.
pub fn instant_of(rtp_time: u32, (instant, at): (SystemTime, u32)) -> SystemTime {
    let ticks = i64::from(rtp_time.wrapping_sub(at).cast_signed());
    let distance = Duration::from_nanos(ticks.unsigned_abs() * 100_000 / 9);
    if ticks < 0 {
        instant - distance
    } else {
        instant + distance
    }
}

/// `later` - `earlier` in milliseconds; negative where they come the other way round.
pub fn milliseconds_between(earlier: SystemTime, later: SystemTime) -> f64 {
    match later.duration_since(earlier) {
        Ok(distance) => distance.as_secs_f64() * 1e3,
        Err(error) => -error.duration().as_secs_f64() * 1e3,
    }
}
