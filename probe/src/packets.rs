//! What can be seen of a stream's packets before they wait in the jitter buffer: when the last one of each frame came,
//! and the times that they tell. Behind it they get the PTS that RTP time and sender reports give them: the jitter
//! buffer's own follow when packets come, and would tell of this machine instead of the stream.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use gst::prelude::*;
use gst_rtp::RTPBuffer;

use crate::clock;
use crate::times::{ReferenceClock, SenderReport, Told, from_ntp};
use crate::values::Values;

/// Frames that are remembered: decoded pictures come some frames later than their packets.
const REMEMBERED: usize = 1000;
/// How far back a packet that was overtaken is looked for, in frames.
const OVERTAKEN: usize = 32;
/// After so many frames with sender reports the times of all that `clockprobe` compares are by them.
const IN_STEP: u32 = 30;
/// What reports say beyond it is a mistake (ns): `rtpbin` does not heed it either.
const FARTHEST: i64 = 3_000_000_000;
/// A server that changes its SSRC again and again makes a jitter buffer each time.
const MOST_MEDIA: usize = 16;
const NTP_64: &str = "urn:ietf:params:rtp-hdrext:ntp-64";

/// What the packets of one frame say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FramePackets {
    /// When the last of them arrived, in ns since the Unix epoch.
    pub(crate) last: u64,
    pub(crate) told: Told,
}

/// The packets of all media of one URL.
#[derive(Debug, Default)]
pub(crate) struct Packets {
    media: Mutex<VecDeque<Watched>>,
    presentation: Presentation,
}

/// A jitter buffer and what goes through it.
#[derive(Debug)]
struct Watched {
    jitterbuffer: gst::glib::WeakRef<gst::Element>,
    medium: Arc<Mutex<Medium>>,
    is_listened_to: bool,
}

/// PTS minus the instant that sender reports give, the same for all media (ns).
type Presentation = Arc<OnceLock<i64>>;

impl Packets {
    /// Watches what goes through an `rtpjitterbuffer`.
    pub(crate) fn watch(&self, jitterbuffer: &gst::Element) {
        let medium = Arc::new(Mutex::new(Medium {
            presentation: self.presentation.clone(),
            ..Medium::default()
        }));
        self.remember(jitterbuffer, &medium);
        for pad in jitterbuffer.pads() {
            watch_pad(&pad, &medium);
        }
        jitterbuffer.connect_pad_added(move |_, pad| watch_pad(pad, &medium));
    }

    /// Those that are gone, as after a second try by TCP, are forgotten.
    fn remember(&self, jitterbuffer: &gst::Element, medium: &Arc<Mutex<Medium>>) {
        let mut media = lock(&self.media);
        media.retain(|watched| watched.jitterbuffer.upgrade().is_some());
        if media.len() >= MOST_MEDIA
            && let Some(idle) = media.iter().position(|watched| !watched.is_listened_to)
        {
            media.remove(idle);
        }
        media.push_back(Watched {
            jitterbuffer: jitterbuffer.downgrade(),
            medium: medium.clone(),
            is_listened_to: false,
        });
    }

    /// The stream that comes out of this jitter buffer is decoded, and looked at or listened to.
    pub(crate) fn listen_to(&self, jitterbuffer: &gst::Element) {
        for watched in lock(&self.media).iter_mut() {
            watched.is_listened_to |= watched.jitterbuffer.upgrade().as_ref() == Some(jitterbuffer);
        }
    }

    /// The packets of the video frame with that PTS; `instant` is that of its stamp (ns since the Unix epoch).
    pub(crate) fn of(&self, pts: u64, instant: Option<i64>) -> Option<FramePackets> {
        self.media()
            .iter()
            .find_map(|medium| lock(medium).frame(pts, instant))
    }

    /// Whether each medium that is listened to has had a sender report, and frames since: only then are they presented in
    /// step.
    pub(crate) fn in_step(&self) -> bool {
        let is_in_step = |medium: &Arc<Mutex<Medium>>| lock(medium).presented >= IN_STEP;
        self.media().iter().all(is_in_step)
    }

    /// How long after its own time each sender report arrived, by this machine's clock (ns).
    pub(crate) fn report_delays(&self) -> Values {
        let mut delays = Values::default();
        for medium in self.media() {
            for delay in &lock(&medium).report_delays {
                delays.push(*delay);
            }
        }
        delays
    }

    /// Those that are listened to; all, as long as none is.
    fn media(&self) -> Vec<Arc<Mutex<Medium>>> {
        let media = lock(&self.media);
        let any = media.iter().any(|watched| watched.is_listened_to);
        let media = media.iter().filter(|watched| watched.is_listened_to || !any);
        media.map(|watched| watched.medium.clone()).collect()
    }
}

fn watch_pad(pad: &gst::Pad, medium: &Arc<Mutex<Medium>>) {
    let buffers = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    let each: fn(&gst::Pad, &Mutex<Medium>, &gst::Buffer) = match pad.name().as_str() {
        "sink" => arrived,
        "src" => return watch_left(pad, medium.clone()),
        "sink_rtcp" => reported,
        _ => return,
    };
    let medium = medium.clone();
    pad.add_probe(buffers, move |pad, info| {
        match &info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => each(pad, &medium, buffer),
            Some(gst::PadProbeData::BufferList(list)) => {
                list.iter_owned().for_each(|buffer| each(pad, &medium, &buffer));
            }
            _ => {}
        }
        gst::PadProbeReturn::Ok
    });
}

fn arrived(pad: &gst::Pad, medium: &Mutex<Medium>, buffer: &gst::Buffer) {
    let arrival = clock::now();
    let Ok(packet) = RTPBuffer::from_buffer_readable(buffer) else {
        return;
    };
    let mut medium = lock(medium);
    if medium.description.is_none() {
        medium.description = pad.current_caps().and_then(|caps| Description::of(&caps));
    }
    let ntp = medium
        .description
        .as_ref()
        .and_then(|description| description.ntp(&packet));
    medium.arrived(packet.timestamp(), arrival, ntp);
}

/// The jitter buffer hands packets on one by one.
fn watch_left(pad: &gst::Pad, medium: Arc<Mutex<Medium>>) {
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        if let Some(buffer) = info.buffer_mut() {
            left(&medium, buffer);
        }
        gst::PadProbeReturn::Ok
    });
}

fn left(medium: &Mutex<Medium>, buffer: &mut gst::Buffer) {
    let Some(pts) = buffer.pts() else { return };
    let Ok(rtp_time) = RTPBuffer::from_buffer_readable(buffer).map(|packet| packet.timestamp()) else {
        return;
    };
    let pts = lock(medium).left(rtp_time, pts.nseconds());
    buffer.make_mut().set_pts(gst::ClockTime::from_nseconds(pts));
}

fn reported(_pad: &gst::Pad, medium: &Mutex<Medium>, buffer: &gst::Buffer) {
    let arrival = clock::now();
    let Ok(packets) = buffer.map_readable() else {
        return;
    };
    if let Some(report) = SenderReport::find(&packets) {
        lock(medium).reported(report, arrival);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the SDP says about a medium.
#[derive(Debug)]
struct Description {
    is_video: bool,
    /// RTP time's, in Hz.
    clock_rate: u32,
    /// The header extension's id.
    ntp_64: Option<u8>,
    reference_clock: Option<ReferenceClock>,
}

impl Description {
    fn of(caps: &gst::CapsRef) -> Option<Self> {
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
    fn ntp(&self, packet: &RTPBuffer<'_, gst_rtp::rtp_buffer::Readable>) -> Option<i64> {
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
struct Medium {
    description: Option<Description>,
    presentation: Presentation,
    /// Frames that got their PTS by sender reports.
    presented: u32,
    frames: VecDeque<Frame>,
    /// RTP time and PTS of the frame that is the latest to be shown.
    newest: Option<(u32, u64)>,
    report: Option<SenderReport>,
    report_delays: VecDeque<i64>,
}

impl Medium {
    fn arrived(&mut self, rtp_time: u32, arrival: u64, ntp_extension: Option<i64>) {
        let known = self.frames.iter_mut().rev().take(OVERTAKEN);
        if let Some(frame) = known.into_iter().find(|frame| frame.rtp_time == rtp_time) {
            frame.last = arrival;
            frame.ntp_extension = frame.ntp_extension.or(ntp_extension);
            return;
        }
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

    /// A packet leaves the jitter buffer with a PTS, and gets the one that is answered: the same for all packets of a
    /// frame.
    fn left(&mut self, rtp_time: u32, pts: u64) -> u64 {
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

    fn reported(&mut self, report: SenderReport, arrival: u64) {
        self.report = Some(report);
        if self.report_delays.len() >= REMEMBERED {
            self.report_delays.pop_front();
        }
        let delay = i128::from(arrival) - i128::from(report.instant);
        self.report_delays.extend(i64::try_from(delay).ok());
    }

    fn frame(&self, pts: u64, instant: Option<i64>) -> Option<FramePackets> {
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
            medium.arrived(rtp_time, arrival, None);
        }
        medium.left(0, 1000);
        medium.left(3600, 2000);
        let last = |pts| medium.frame(pts, None).map(|packets| packets.last);
        assert_eq!((last(1000), last(2000), last(3000)), (Some(30), Some(60), None));
    }

    #[test]
    fn the_times_of_a_frame_are_those_of_its_rtp_time() {
        let mut medium = video();
        medium.arrived(93_600, 10, Some(77));
        medium.left(93_600, 1000);
        let report = SenderReport {
            ssrc: 1,
            instant: 5_000_000_000,
            rtp_time: 90_000,
        };
        medium.reported(report, 5_000_250_000);
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
            medium.arrived(rtp_time, 0, None);
            medium.left(rtp_time, u64::from(rtp_time / 90_000) * 1_000_000_000 + late)
        };
        assert_eq!(pass(&mut medium, 90_000, 7), 1_000_000_007);
        let report = SenderReport {
            ssrc: 1,
            instant: 50_000_000_000,
            rtp_time: 90_000,
        };
        medium.reported(report, 50_000_000_000);
        assert_eq!(medium.presented, 0);
        let presented = [(2, 5), (3, 900), (4, 0)].map(|(at, late)| pass(&mut medium, at * 90_000, late));
        assert_eq!(presented, [2_000_000_005, 3_000_000_005, 4_000_000_005]);
        assert_eq!(medium.presented, 3);
        medium.reported(
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
            medium.arrived(rtp_time, 0, None);
            medium.left(rtp_time, pts)
        };
        assert_eq!(pass(&mut medium, 3600, 1000), 1000);
        assert_eq!(pass(&mut medium, 3600, 2000), 1000, "a packet of the same frame");
        assert_eq!(pass(&mut medium, 7200, 900), 1001);
        assert_eq!(pass(&mut medium, 14_400, 3000), 3000);
        assert_eq!(pass(&mut medium, 10_800, 2000), 2000, "a B-frame");
    }

    #[test]
    fn only_media_that_are_there_and_listened_to_have_to_be_in_step() {
        gst::init().expect("GStreamer");
        let element = || gst::ElementFactory::make("identity").build().expect("identity");
        let packets = Packets::default();
        let gone = element();
        packets.watch(&gone);
        drop(gone);
        let [sound, metadata] = [element(), element()];
        packets.watch(&sound);
        packets.watch(&metadata);
        assert_eq!(packets.media().len(), 2);
        packets.listen_to(&sound);
        assert!(!packets.in_step());
        lock(&packets.media()[0]).presented = IN_STEP;
        assert!(packets.in_step());
        let more: Vec<gst::Element> = (0..2 * MOST_MEDIA).map(|_| element()).collect();
        for element in &more {
            packets.watch(element);
        }
        assert_eq!(lock(&packets.media).len(), MOST_MEDIA);
        assert!(packets.in_step());
    }

    #[test]
    fn what_is_no_video_has_no_frames_and_memory_is_bounded() {
        let mut medium = video();
        for frame in 0..2 * REMEMBERED {
            medium.arrived(u32::try_from(frame).expect("small"), 1, None);
        }
        assert_eq!(medium.frames.len(), REMEMBERED);
        medium.left(1999, 5);
        assert!(medium.frame(5, None).is_some());
        medium.description.as_mut().expect("video").is_video = false;
        assert!(medium.frame(5, None).is_none());
    }

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
