//! What can be seen of a stream's packets before they wait in the jitter buffer: when the last one of each frame came,
//! and the times that they tell. Behind it they get the PTS that RTP time and sender reports give them: the jitter
//! buffer's own follow when packets come, and would tell of this machine instead of the stream.
//!
//! | module | job |
//! | --- | --- |
//! | `description` | what the SDP says about a medium |
//! | `reception`, `reports` | which packets came, and what sender reports tell of clocks |
//! | `medium` | the frames of one medium, without its pads |

mod description;
mod medium;
mod reception;
mod reports;

use std::collections::VecDeque;
use std::sync::Arc;

use gst::prelude::*;
use gst_rtp::RTPBuffer;
use parking_lot::Mutex;

use crate::figures::{PacketCounts, SenderReports};
use crate::times::{SenderReport, Told};
use crate::values::Values;
use crate::wall_clock;
use description::Description;
use medium::{Medium, Presentation};
use reception::Received;

/// After so many frames with sender reports the times of all that `clockprobe` compares are by them.
const IN_STEP: u32 = 30;
/// A server that changes its SSRC again and again makes a jitter buffer each time.
const MOST_MEDIA: usize = 16;

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

impl Packets {
    /// Watches what goes through an `rtpjitterbuffer`.
    pub(crate) fn watch(&self, jitterbuffer: &gst::Element) {
        let medium = Arc::new(Mutex::new(Medium::new(self.presentation.clone())));
        self.remember(jitterbuffer, &medium);
        for pad in jitterbuffer.pads() {
            watch_pad(&pad, &medium);
        }
        jitterbuffer.connect_pad_added(move |_, pad| watch_pad(pad, &medium));
    }

    /// Those that are gone, as after a second try by TCP, are forgotten.
    fn remember(&self, jitterbuffer: &gst::Element, medium: &Arc<Mutex<Medium>>) {
        let mut media = self.media.lock();
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
        for watched in self.media.lock().iter_mut() {
            watched.is_listened_to |= watched.jitterbuffer.upgrade().as_ref() == Some(jitterbuffer);
        }
    }

    /// The packets of the video frame with that PTS; `instant` is that of its stamp (ns since the Unix epoch).
    pub(crate) fn of(&self, pts: u64, instant: Option<i64>) -> Option<FramePackets> {
        self.media()
            .iter()
            .find_map(|medium| medium.lock().frame(pts, instant))
    }

    /// Whether each medium that is listened to has had a sender report, and frames since: only then are they presented in
    /// step.
    pub(crate) fn in_step(&self) -> bool {
        let is_in_step = |medium: &Arc<Mutex<Medium>>| medium.lock().presented >= IN_STEP;
        self.media().iter().all(is_in_step)
    }

    /// How long after its own time each sender report arrived, by this machine's clock (ns).
    pub(crate) fn report_delays(&self) -> Values {
        let mut delays = Values::default();
        for medium in self.media() {
            for delay in &medium.lock().report_delays {
                delays.push(*delay);
            }
        }
        delays
    }

    /// The picture's packets; `None` where none came.
    pub(crate) fn counts(&self) -> Option<PacketCounts> {
        let mut all = Received::default();
        let (mut now, mut max) = (0.0, 0.0_f64);
        for medium in self.media() {
            let medium = medium.lock();
            if medium.is_video() {
                all += medium.reception.received();
                let (jitter, highest) = medium.reception.jitter();
                (now, max) = (jitter, max.max(highest));
            }
        }
        (all.packets > 0).then_some(PacketCounts {
            received: all.packets,
            lost: all.lost,
            reordered: all.reordered,
            duplicates: all.duplicates,
            jitter: now / 1e6,
            jitter_max: max / 1e6,
        })
    }

    /// The picture's sender reports, of the source that is heard last.
    pub(crate) fn sender_reports(&self) -> Option<SenderReports> {
        let media = self.media();
        let mut heard = media.iter().rev().map(|medium| medium.lock());
        heard.find(|medium| medium.is_video())?.sender_reports()
    }

    /// How much later the sound of an instant arrives than its picture (ns).
    pub(crate) fn sound_minus_picture(&self) -> Option<i64> {
        let media = self.media();
        let median = |is_video: bool| {
            let mut heard = media.iter().rev().map(|medium| medium.lock());
            let medium = heard.find(|medium| medium.is_video() == is_video)?;
            medium.delays.percentile(50)
        };
        Some(median(false)? - median(true)?)
    }

    /// Those that are listened to; all, as long as none is.
    fn media(&self) -> Vec<Arc<Mutex<Medium>>> {
        let media = self.media.lock();
        let any = media.iter().any(|watched| watched.is_listened_to);
        let media = media.iter().filter(|watched| watched.is_listened_to || !any);
        media.map(|watched| watched.medium.clone()).collect()
    }
}

fn watch_pad(pad: &gst::Pad, medium: &Arc<Mutex<Medium>>) {
    let buffers = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    let each: fn(&gst::Pad, &Mutex<Medium>, &gst::Buffer) = match pad.name().as_str() {
        "sink" => note_arrival,
        "src" => return watch_left(pad, medium.clone()),
        "sink_rtcp" => note_report,
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

fn note_arrival(pad: &gst::Pad, medium: &Mutex<Medium>, buffer: &gst::Buffer) {
    let arrival = wall_clock::now();
    let Ok(packet) = RTPBuffer::from_buffer_readable(buffer) else {
        return;
    };
    let mut medium = medium.lock();
    if medium.description.is_none() {
        medium.description = pad.current_caps().and_then(|caps| Description::of(&caps));
    }
    let ntp = medium
        .description
        .as_ref()
        .and_then(|description| description.ntp(&packet));
    medium.received(packet.seq(), packet.timestamp(), arrival);
    medium.note_arrival(packet.timestamp(), arrival, ntp);
}

/// The jitter buffer hands packets on one by one.
fn watch_left(pad: &gst::Pad, medium: Arc<Mutex<Medium>>) {
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        if let Some(buffer) = info.buffer_mut() {
            retime(&medium, buffer);
        }
        gst::PadProbeReturn::Ok
    });
}

fn retime(medium: &Mutex<Medium>, buffer: &mut gst::Buffer) {
    let Some(pts) = buffer.pts() else { return };
    let Ok(rtp_time) = RTPBuffer::from_buffer_readable(buffer).map(|packet| packet.timestamp()) else {
        return;
    };
    let pts = medium.lock().retime(rtp_time, pts.nseconds());
    buffer.make_mut().set_pts(gst::ClockTime::from_nseconds(pts));
}

fn note_report(_pad: &gst::Pad, medium: &Mutex<Medium>, buffer: &gst::Buffer) {
    let arrival = wall_clock::now();
    let Ok(packets) = buffer.map_readable() else {
        return;
    };
    if let Some(report) = SenderReport::find(&packets) {
        medium.lock().note_report(report, arrival);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        packets.media()[0].lock().presented = IN_STEP;
        assert!(packets.in_step());
        let more: Vec<gst::Element> = (0..2 * MOST_MEDIA).map(|_| element()).collect();
        for element in &more {
            packets.watch(element);
        }
        assert_eq!(packets.media.lock().len(), MOST_MEDIA);
        assert!(packets.in_step());
    }
}
