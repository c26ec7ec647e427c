//! Where clocks count from: NTP, Unix and TAI.

const NS_PER_SECOND: i64 = 1_000_000_000;

/// From NTP's epoch, 1900 (RFC 5905), to Unix's, 1970, in s.
pub const NTP_TO_UNIX: u32 = 2_208_988_800;
/// The same in ns.
pub const NTP_TO_UNIX_NS: i128 = NTP_TO_UNIX as i128 * NS_PER_SECOND as i128;
/// TAI, which PTP counts from 1970, minus UTC, in s, since 2017. A grandmaster announces it, GStreamer does not hand it on.
pub const TAI_MINUS_UTC: u32 = 37;
/// The same in ns.
pub const TAI_MINUS_UTC_NS: i128 = TAI_MINUS_UTC as i128 * NS_PER_SECOND as i128;

/// An NTP time with the highest bit clear is of the era that begins in 2036 (RFC 4330, section 3).
const ERA: u64 = 1 << 32;

/// ns since the Unix epoch of a 64-bit NTP time; `None` for zero, which says that there is none.
///
/// ```
/// // 2026-01-01T00:00:00.5Z.
/// let ntp = (3_976_214_400 << 32) | (1 << 31);
/// assert_eq!(clockface::epoch::from_ntp(ntp), Some(1_767_225_600_500_000_000));
/// ```
#[must_use]
pub fn from_ntp(ntp: u64) -> Option<i64> {
    if ntp == 0 {
        return None;
    }
    let (seconds, fraction) = (ntp >> 32, ntp & 0xffff_ffff);
    let seconds = if seconds < ERA / 2 { seconds + ERA } else { seconds };
    let seconds = i64::try_from(seconds.checked_sub(u64::from(NTP_TO_UNIX))?).ok()?;
    let ns = (u128::from(fraction) * u128::from(NS_PER_SECOND.unsigned_abs())) >> 32;
    seconds
        .checked_mul(NS_PER_SECOND)?
        .checked_add(i64::try_from(ns).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_counts_from_1900_and_begins_anew_in_2036() {
        // 2026-01-01T00:00:00.5Z.
        let ntp = ((1_767_225_600 + u64::from(NTP_TO_UNIX)) << 32) | 1 << 31;
        assert_eq!(from_ntp(ntp), Some(1_767_225_600_500_000_000));
        // RFC 4330: 2036-02-07T06:28:16Z.
        assert_eq!(from_ntp(1), Some(2_085_978_496_000_000_000));
        assert_eq!(from_ntp(0), None);
    }
}
