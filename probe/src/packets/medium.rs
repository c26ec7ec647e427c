//! The frames of one medium: when their packets came, the times that these tell, and the PTS that they get.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use super::FramePackets;
use super::description::Description;
use super::reception::Reception;
use super::reports::Reports;
use crate::figures::SenderReports;
use crate::times::{SenderReport, Told};
use crate::values::Values;

/// Frames that are remembered: decoded pictures come some frames later than their packets.
const REMEMBERED: usize = 1000;
/// How far back a packet that was overtaken is looked for, in frames.
const OVERTAKEN: usize = 32;
/// What reports say beyond it is a mistake (ns): `rtpbin` does not heed it either.
const FARTHEST: i64 = 3_000_000_000;

/// PTS minus the instant that sender reports give, the same for all media (ns).
pub(super) type Presentation = Arc<OnceLock<i64>>;

#[derive(Debug, Clone, Copy)]
struct Frame {
    rtp_time: u32,
    last: u64,
    ntp_extension: Option<i64>,
    /// As it left the jitter buffer.
    pts: Option<u64>,
}

/// The packets of one medium.
#[derive(Debug, Default)]
pub(super) struct Medium {
    pub(super) description: Option<Description>,
    presentation: Presentation,
    /// Frames that got their PTS by sender reports.
    pub(super) presented: u32,
    frames: VecDeque<Frame>,
    /// RTP time and PTS of the frame that is the latest to be shown.
    newest: Option<(u32, u64)>,
    report: Option<SenderReport>,
    pub(super) report_delays: VecDeque<i64>,
    pub(super) reception: Reception,
    reports: Reports,
    /// From the instant of each frame, by the sender reports, to its last packet (ns).
    pub(super) delays: Values,
}

impl Medium {
    /// A medium whose frames are presented in step with the others of that presentation.
    pub(super) fn new(presentation: Presentation) -> Self {
        Self {
            presentation,
            ..Self::default()
        }
    }

    pub(super) fn is_video(&self) -> bool {
        self.description
            .as_ref()
            .is_some_and(|description| description.is_video)
    }

    /// A packet of that number came.
    pub(super) fn received(&mut self, number: u16, rtp_time: u32, arrival: u64) {
        let rate = self.clock_rate();
        self.reception.packet(number, rtp_time, arrival, rate);
    }

    pub(super) fn sender_reports(&self) -> Option<SenderReports> {
        self.reports.figures(self.clock_rate())
    }

    /// In Hz; 0 where it is not known.
    fn clock_rate(&self) -> u32 {
        self.description
            .as_ref()
            .map_or(0, |description| description.clock_rate)
    }

    /// The last frame is whole now.
    fn note_delay(&mut self) {
        let Some((frame, report)) = self.frames.back().zip(self.report) else {
            return;
        };
        let instant = report.instant_of(frame.rtp_time, self.clock_rate());
        let delay = instant.map(|instant| i128::from(frame.last) - i128::from(instant));
        if let Some(delay) = delay.and_then(|delay| i64::try_from(delay).ok()) {
            self.delays.push(delay);
        }
    }

    pub(super) fn note_arrival(&mut self, rtp_time: u32, arrival: u64, ntp_extension: Option<i64>) {
        let known = self.frames.iter_mut().rev().take(OVERTAKEN);
        if let Some(frame) = known.into_iter().find(|frame| frame.rtp_time == rtp_time) {
            frame.last = arrival;
            frame.ntp_extension = frame.ntp_extension.or(ntp_extension);
            return;
        }
        self.note_delay();
        if self.frames.len() >= REMEMBERED {
            self.frames.pop_front();
        }
        self.frames.push_back(Frame {
            rtp_time,
            last: arrival,
            ntp_extension,
            pts: None,
        });
    }

    /// The PTS for a packet that leaves the jitter buffer with this one: the same for all packets of a frame.
    pub(super) fn retime(&mut self, rtp_time: u32, pts: u64) -> u64 {
        let known = self.frames.iter().rposition(|frame| frame.rtp_time == rtp_time);
        if let Some(pts) = known.and_then(|index| self.frames[index].pts) {
            return pts;
        }
        let by_reports = self.present(rtp_time, pts);
        let pts = self.forward(rtp_time, by_reports.unwrap_or(pts));
        if let Some(index) = known {
            self.frames[index].pts = Some(pts);
            self.presented = self.presented.saturating_add(by_reports.is_some().into());
        }
        pts
    }

    /// Lets no later frame have an earlier PTS, as it could where they go over to those by sender reports: a decoder would
    /// put others in their place.
    fn forward(&mut self, rtp_time: u32, pts: u64) -> u64 {
        let (newest, latest) = self.newest.unwrap_or((rtp_time, pts));
        if rtp_time.wrapping_sub(newest).cast_signed() < 0 {
            return pts;
        }
        let pts = if rtp_time == newest {
            pts
        } else {
            pts.max(latest + 1)
        };
        self.newest = Some((rtp_time, pts));
        pts
    }

    /// The PTS by sender reports; the first one that there is stays as it is, and all others go by it.
    fn present(&self, rtp_time: u32, pts: u64) -> Option<u64> {
        let rate = self.description.as_ref()?.clock_rate;
        let instant = self.report?.instant_of(rtp_time, rate)?;
        let pts = i64::try_from(pts).ok()?;
        let shift = *self.presentation.get_or_init(|| pts.saturating_sub(instant));
        let presented = instant.saturating_add(shift);
        let is_near = presented.abs_diff(pts) < FARTHEST.unsigned_abs();
        u64::try_from(presented).ok().filter(|_| is_near)
    }

    pub(super) fn note_report(&mut self, report: SenderReport, arrival: u64) {
        self.report = Some(report);
        self.reports.report(report, arrival);
        if self.report_delays.len() >= REMEMBERED {
            self.report_delays.pop_front();
        }
        let delay = i128::from(arrival) - i128::from(report.instant);
        self.report_delays.extend(i64::try_from(delay).ok());
    }

    pub(super) fn frame(&self, pts: u64, instant: Option<i64>) -> Option<FramePackets> {
        let description = self
            .description
            .as_ref()
            .filter(|description| description.is_video)?;
        let has_pts = |frame: &&Frame| frame.pts == Some(pts);
        let frame = self.frames.iter().rev().find(has_pts)?;
        let rate = description.clock_rate;
        let told = Told {
            sender_report: self
                .report
                .and_then(|report| report.instant_of(frame.rtp_time, rate)),
            ntp_extension: frame.ntp_extension,
            reference_clock: description
                .reference_clock
                .zip(instant)
                .and_then(|(clock, instant)| clock.instant_of(frame.rtp_time, rate, instant)),
        };
        Some(FramePackets {
            last: frame.last,
            told,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn video() -> Medium {
        gst::init().expect("GStreamer");
        let caps = gst::Caps::builder("application/x-rtp")
            .field("media", "video")
            .field("clock-rate", 90_000)
            .build();
        Medium {
            description: Description::of(&caps),
            ..Medium::default()
        }
    }

    #[test]
    fn the_last_packet_of_a_frame_counts() {
        let mut medium = video();
        for (rtp_time, arrival) in [(0, 10), (0, 20), (3600, 50), (0, 30), (3600, 60)] {
            medium.note_arrival(rtp_time, arrival, None);
        }
        medium.retime(0, 1000);
        medium.retime(3600, 2000);
        let last = |pts| medium.frame(pts, None).map(|packets| packets.last);
        assert_eq!((last(1000), last(2000), last(3000)), (Some(30), Some(60), None));
    }

    #[test]
    fn the_times_of_a_frame_are_those_of_its_rtp_time() {
        let mut medium = video();
        medium.note_arrival(93_600, 10, Some(77));
        medium.retime(93_600, 1000);
        let report = SenderReport {
            ssrc: 1,
            instant: 5_000_000_000,
            rtp_time: 90_000,
        };
        medium.note_report(report, 5_000_250_000);
        let told = medium.frame(1000, None).expect("the frame").told;
        let expected = Told {
            sender_report: Some(5_040_000_000),
            ntp_extension: Some(77),
            reference_clock: None,
        };
        assert_eq!(told, expected);
        assert_eq!(medium.report_delays, [250_000]);
    }

    #[test]
    fn frames_are_presented_as_reports_say() {
        let mut medium = video();
        let pass = |medium: &mut Medium, rtp_time: u32, late: u64| {
            medium.note_arrival(rtp_time, 0, None);
            medium.retime(rtp_time, u64::from(rtp_time / 90_000) * 1_000_000_000 + late)
        };
        assert_eq!(pass(&mut medium, 90_000, 7), 1_000_000_007);
        let report = SenderReport {
            ssrc: 1,
            instant: 50_000_000_000,
            rtp_time: 90_000,
        };
        medium.note_report(report, 50_000_000_000);
        assert_eq!(medium.presented, 0);
        let presented = [(2, 5), (3, 900), (4, 0)].map(|(at, late)| pass(&mut medium, at * 90_000, late));
        assert_eq!(presented, [2_000_000_005, 3_000_000_005, 4_000_000_005]);
        assert_eq!(medium.presented, 3);
        medium.note_report(
            SenderReport {
                instant: 90_000_000_000,
                ..report
            },
            0,
        );
        assert_eq!(pass(&mut medium, 450_000, 3), 5_000_000_003);
    }

    #[test]
    fn a_later_frame_has_a_later_pts() {
        let mut medium = video();
        let pass = |medium: &mut Medium, rtp_time: u32, pts: u64| {
            medium.note_arrival(rtp_time, 0, None);
            medium.retime(rtp_time, pts)
        };
        assert_eq!(pass(&mut medium, 3600, 1000), 1000);
        assert_eq!(pass(&mut medium, 3600, 2000), 1000, "a packet of the same frame");
        assert_eq!(pass(&mut medium, 7200, 900), 1001);
        assert_eq!(pass(&mut medium, 14_400, 3000), 3000);
        assert_eq!(pass(&mut medium, 10_800, 2000), 2000, "a B-frame");
    }

    #[test]
    fn what_is_no_video_has_no_frames_and_memory_is_bounded() {
        let mut medium = video();
        for frame in 0..2 * REMEMBERED {
            medium.note_arrival(u32::try_from(frame).expect("small"), 1, None);
        }
        assert_eq!(medium.frames.len(), REMEMBERED);
        medium.retime(1999, 5);
        assert!(medium.frame(5, None).is_some());
        medium.description.as_mut().expect("video").is_video = false;
        assert!(medium.frame(5, None).is_none());
    }
}
