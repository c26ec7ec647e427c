//! What needs no stamp, as a person reads it.

use super::words::{self, NOTHING};
use crate::figures::{SenderReports, StreamFigures};

/// The coded pictures' bitrate.
pub(super) fn bitrate(stream: &StreamFigures) -> String {
    or_nothing(stream.delivery.bitrate_kbps, |kbps| {
        format!("{} kbit/s", words::number(kbps))
    })
}

/// From picture to picture, as they came.
pub(super) fn arrivals(stream: &StreamFigures) -> String {
    or_nothing(stream.delivery.arrivals.as_ref(), words::spread)
}

/// From picture to picture, by their timestamps.
pub(super) fn timestamps(stream: &StreamFigures) -> String {
    or_nothing(stream.delivery.timestamps.as_ref(), words::spread)
}

/// The mean of the key pictures' sizes, and the largest.
pub(super) fn key_pictures(stream: &StreamFigures) -> String {
    let delivery = &stream.delivery;
    let sizes = delivery.key_frame_bytes.zip(delivery.key_frame_bytes_max);
    or_nothing(sizes, |(mean, max)| {
        #[expect(clippy::cast_precision_loss, reason = "bytes of a picture")]
        let max = max as f64;
        format!("{} / {} kB", words::number(mean / 1e3), words::number(max / 1e3))
    })
}

/// RTP packets that came, and what is wrong with them.
pub(super) fn packets(stream: &StreamFigures) -> String {
    or_nothing(stream.delivery.packets, |packets| packets.received.to_string())
}

/// Packets that were lost, came late, and came twice.
pub(super) fn losses(stream: &StreamFigures) -> String {
    or_nothing(stream.delivery.packets, |packets| {
        format!(
            "{} / {} / {}",
            packets.lost, packets.reordered, packets.duplicates
        )
    })
}

/// The interarrival jitter at the end, and at most.
pub(super) fn jitter(stream: &StreamFigures) -> String {
    or_nothing(stream.delivery.packets, |packets| {
        format!(
            "{} / {} ms",
            words::number(packets.jitter),
            words::number(packets.jitter_max)
        )
    })
}

/// How many sender reports came, and how far apart.
pub(super) fn reports(stream: &StreamFigures) -> String {
    or_nothing(stream.delivery.sender_reports, |reports| {
        let apart = reports
            .interval
            .map(|interval| format!(" ({} apart)", words::duration(interval.p50)));
        format!("{}{}", reports.count, apart.unwrap_or_default())
    })
}

/// How RTP time runs against NTP.
pub(super) fn rtp_time(stream: &StreamFigures) -> String {
    let of = |reports: SenderReports| reports.rtp_time_ppm;
    or_nothing(stream.delivery.sender_reports.and_then(of), |ppm| {
        format!("{} ppm", words::signed(ppm))
    })
}

/// How the sender's clock runs against this machine's.
pub(super) fn clock(stream: &StreamFigures) -> String {
    let of = |reports: SenderReports| reports.clock_ppm;
    or_nothing(stream.delivery.sender_reports.and_then(of), |ppm| {
        words::drift(ppm.value, Some(ppm.uncertainty))
    })
}

/// How much later sound comes than its picture.
pub(super) fn sound(stream: &StreamFigures) -> String {
    or_nothing(stream.delivery.sound_minus_picture, |ms| {
        format!("{} ms", words::signed(ms))
    })
}

fn or_nothing<T>(value: Option<T>, tell: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| NOTHING.into(), tell)
}
