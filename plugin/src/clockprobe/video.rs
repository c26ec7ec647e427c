//! Looks at the buffers of a video stream.

use clockface::{Luma, Sighting, StampReader, WallReader};
use gst_video::{VideoFrameRef, VideoInfo};

use super::figures::{Look, Times, stamps_message};
use super::luma::luma;
use super::messages::Message;
use super::settings::Settings;

/// What reading a video stream needs.
#[derive(Default)]
pub(super) struct Video {
    pub(super) info: Option<VideoInfo>,
    pub(super) segment: Option<gst::FormattedSegment<gst::ClockTime>>,
    reader: StampReader,
    /// For all stamps of a picture, where these are asked for.
    wall: WallReader,
    /// Frames since the last one that was examined.
    unexamined: u32,
    /// Whether upstream is live; `None` before it has said so.
    pub(super) live: Option<bool>,
}

/// What was seen of a buffer.
pub(super) struct Seen {
    pub(super) look: Look,
    pub(super) times: Times,
    /// All stamps of the picture, where these are asked for and it was examined.
    stamps: Option<Vec<Sighting>>,
}

impl Seen {
    /// The message of all stamps of the picture.
    pub(super) fn stamps_message(&self) -> Option<Message> {
        let stamps = self.stamps.as_ref()?;
        Some(stamps_message(stamps, &self.times))
    }
}

impl Video {
    /// Looks at a buffer that came at an instant, and at a time of the pipeline's clock.
    pub(super) fn look(&mut self, buffer: &gst::BufferRef, arrival: (i64, i64), settings: &Settings) -> Seen {
        let is_due = self.unexamined == 0;
        self.unexamined = (self.unexamined + 1) % settings.every.max(1);
        let (look, stamps) = if is_due {
            self.examine(buffer, settings.every_stamp)
        } else {
            (Look::Unexamined, None)
        };
        Seen {
            look,
            times: self.times(buffer, arrival),
            stamps,
        }
    }

    fn examine(&mut self, buffer: &gst::BufferRef, every_stamp: bool) -> (Look, Option<Vec<Sighting>>) {
        let frame = self
            .info
            .as_ref()
            .and_then(|info| VideoFrameRef::from_buffer_ref_readable(buffer, info).ok());
        let Some(luma) = frame.as_ref().and_then(luma) else {
            return (Look::Unreadable, None);
        };
        let sighting = self.reader.read(&luma);
        let mut read_all = |luma: &Luma<'_>| self.wall.read(luma);
        (
            sighting.map_or(Look::Unreadable, Look::Stamp),
            every_stamp.then(|| read_all(&luma)),
        )
    }

    fn times(&self, buffer: &gst::BufferRef, (arrival, clock): (i64, i64)) -> Times {
        let pts = buffer.pts();
        let running = |time: gst::ClockTime| self.segment.as_ref()?.to_running_time(time);
        let end = pts
            .zip(buffer.duration())
            .map(|(pts, duration)| pts.saturating_add(duration));
        Times {
            arrival,
            clock,
            pts,
            running: pts.and_then(running),
            end: end.and_then(running),
        }
    }
}
