//! What is seen at the pads of a playing pipeline: encoded pictures before the decoder, decoded ones behind it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gst::prelude::*;
use gst_video::prelude::*;
use parking_lot::Mutex;

use crate::figures::{Delivery, KeyFrames, Still};
use crate::pace::Pace;
use crate::packets::Packets;
use crate::standstill::Standstill;
use crate::values::Values;
use crate::wall_clock;

/// After so many pictures a decoder has filled what it holds back.
const SETTLED: u64 = 25;
/// No decoder keeps more pictures back.
const MOST_INSIDE: usize = 64;
const CONVERSION: gst::ClockTime = gst::ClockTime::from_seconds(5);

/// What was seen of one URL. All of it is written on streaming threads.
#[derive(Debug)]
pub(crate) struct Taps {
    asked: Instant,
    /// A picture that stands still for longer is frozen (ns).
    freeze_threshold: u64,
    decoders: Mutex<Vec<Watched>>,
    decoded: Mutex<Decoded>,
}

/// A decoder and what goes through it.
#[derive(Debug)]
struct Watched {
    decoder: gst::glib::WeakRef<gst::Element>,
    encoded: Arc<Mutex<Encoded>>,
    is_looked_at: bool,
}

#[derive(Debug, Default)]
struct Encoded {
    decoder: Option<String>,
    codec: Option<String>,
    key_frames: u64,
    /// When the first key picture is to be shown.
    first_key: Option<gst::ClockTime>,
    last_key: Option<gst::ClockTime>,
    key_interval: Values,
    /// Coded pictures, and their bytes.
    coded: u64,
    bytes: u64,
    key_bytes: u64,
    key_bytes_max: u64,
    /// When pictures that are in the decoder are to be shown.
    inside: VecDeque<gst::ClockTime>,
    /// Pictures that have left the decoder, and the fewest that stayed in it once it had settled.
    decoded: u64,
    held: Option<usize>,
}

#[derive(Debug, Default)]
struct Decoded {
    pictures: u64,
    first: Option<Duration>,
    /// When the last one came, in ns since the Unix epoch.
    last: Option<u64>,
    pace: Pace,
    still_by_arrival: Standstill,
    still_by_pts: Standstill,
    /// The last pictures that are to be shown before the first key picture.
    before_key: VecDeque<gst::ClockTime>,
    caps: Option<gst::Caps>,
    still_wanted: bool,
    still: Option<gst::Sample>,
}

/// A decoder that keeps pictures back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) decoder: String,
    pub(crate) pictures: usize,
}

impl Encoded {
    /// Takes note of a picture that goes into the decoder.
    fn note_encoded(&mut self, pad: &gst::Pad, buffer: &gst::BufferRef) {
        if self.codec.is_none() {
            self.codec = pad.current_caps().and_then(|caps| codec(&caps));
        }
        if buffer.flags().contains(gst::BufferFlags::HEADER) && buffer.pts().is_none() {
            return;
        }
        self.inside.extend(buffer.pts());
        if self.inside.len() > MOST_INSIDE {
            self.inside.pop_front();
        }
        let size = buffer.size() as u64;
        self.coded += 1;
        self.bytes += size;
        if buffer.flags().contains(gst::BufferFlags::DELTA_UNIT) {
            return;
        }
        self.key_frames += 1;
        self.key_bytes += size;
        self.key_bytes_max = self.key_bytes_max.max(size);
        self.first_key
            .get_or_insert(buffer.pts().unwrap_or(gst::ClockTime::ZERO));
        if let (Some(last), Some(pts)) = (self.last_key, buffer.pts()) {
            let interval = pts.nseconds().cast_signed() - last.nseconds().cast_signed();
            self.key_interval.push(interval);
        }
        self.last_key = buffer.pts();
    }

    /// The mean size of a picture and of a key picture, and the largest key picture, in bytes.
    #[expect(clippy::cast_precision_loss, reason = "bytes of one measurement")]
    fn sizes(&self) -> (Option<f64>, Option<f64>, u64) {
        let mean = |bytes: u64, count: u64| (count > 0).then(|| bytes as f64 / count as f64);
        (
            mean(self.bytes, self.coded),
            mean(self.key_bytes, self.key_frames),
            self.key_bytes_max,
        )
    }

    /// Goes on counting where another one ended.
    fn follow(&mut self, before: &mut Self) {
        self.key_frames += std::mem::take(&mut before.key_frames);
        self.coded += std::mem::take(&mut before.coded);
        self.bytes += std::mem::take(&mut before.bytes);
        self.key_bytes += std::mem::take(&mut before.key_bytes);
        self.key_bytes_max = self.key_bytes_max.max(before.key_bytes_max);
        let own = std::mem::replace(&mut self.key_interval, std::mem::take(&mut before.key_interval));
        self.key_interval.append(&own);
    }

    /// Whether a picture is to be shown before the first one that all later ones go by.
    fn is_before_key(&self, pts: gst::ClockTime) -> bool {
        self.first_key.is_none_or(|key| pts < key)
    }

    /// Takes note of a picture that leaves the decoder. Pictures leave in the order in which they are to be shown: what was to be shown before this one, as what comes
    /// before the first key frame, never leaves.
    fn note_decoded(&mut self, buffer: &gst::BufferRef) {
        let Some(pts) = buffer.pts() else { return };
        self.inside.retain(|inside| *inside > pts);
        self.decoded += 1;
        if self.decoded > SETTLED {
            let held = self.inside.len();
            self.held = Some(self.held.map_or(held, |fewest| fewest.min(held)));
        }
    }
}

impl Taps {
    /// The stream is asked for now.
    pub(crate) fn new(freeze_threshold: Duration) -> Arc<Self> {
        Arc::new(Self {
            asked: Instant::now(),
            freeze_threshold: u64::try_from(freeze_threshold.as_nanos()).unwrap_or(u64::MAX),
            decoders: Mutex::default(),
            decoded: Mutex::default(),
        })
    }

    /// Watches what goes into a video decoder, and comes out of it.
    pub(crate) fn watch_decoder(&self, decoder: &gst::Element) {
        let encoded = Arc::new(Mutex::new(Encoded {
            decoder: decoder.factory().map(|factory| factory.name().to_string()),
            ..Encoded::default()
        }));
        if let Some(pad) = decoder.static_pad("sink") {
            let encoded = encoded.clone();
            on_buffers(&pad, move |pad, buffer| encoded.lock().note_encoded(pad, buffer));
        }
        if let Some(pad) = decoder.static_pad("src") {
            let encoded = encoded.clone();
            on_buffers(&pad, move |_, buffer| encoded.lock().note_decoded(buffer));
        }
        let mut decoders = self.decoders.lock();
        decoders.retain(|watched| watched.is_looked_at || watched.decoder.upgrade().is_some());
        decoders.push(Watched {
            decoder: decoder.downgrade(),
            encoded,
            is_looked_at: false,
        });
    }

    /// The pictures that are looked at are this decoder's from now on.
    pub(crate) fn look_at(&self, decoder: &gst::Element) {
        let mut decoders = self.decoders.lock();
        let before = decoders.iter().find(|watched| watched.is_looked_at);
        let before = before.map(|watched| watched.encoded.clone());
        for watched in decoders.iter_mut() {
            watched.is_looked_at = watched.decoder.upgrade().as_ref() == Some(decoder);
            if let (true, Some(before)) = (watched.is_looked_at, &before)
                && !Arc::ptr_eq(before, &watched.encoded)
            {
                watched.encoded.lock().follow(&mut before.lock());
            }
        }
    }

    /// The pictures that follow come by another connection.
    pub(crate) fn cut(&self) {
        self.decoded.lock().pace.cut();
    }

    /// What comes to the decoder that is looked at; to the first, as long as none is.
    fn encoded(&self) -> Option<Arc<Mutex<Encoded>>> {
        let decoders = self.decoders.lock();
        let looked_at = decoders.iter().find(|watched| watched.is_looked_at);
        Some(looked_at.or(decoders.first())?.encoded.clone())
    }

    /// Watches the decoded pictures that come to `sink` and leave by `src`; their packets are among `packets`.
    pub(crate) fn watch_pictures(self: &Arc<Self>, sink: &gst::Pad, src: &gst::Pad, packets: &Arc<Packets>) {
        let (taps, packets) = (self.clone(), packets.clone());
        on_buffers(sink, move |pad, buffer| taps.decoded(pad, buffer, &packets));
        let taps = self.clone();
        on_buffers(src, move |pad, buffer| taps.keep_still(pad, buffer));
    }

    fn decoded(&self, pad: &gst::Pad, buffer: &gst::BufferRef, packets: &Packets) {
        let arrival = wall_clock::now();
        let pts = buffer.pts();
        let packet = pts.and_then(|pts| packets.of(pts.nseconds(), None));
        let early = pts.filter(|pts| {
            self.encoded()
                .is_some_and(|encoded| encoded.lock().is_before_key(*pts))
        });
        let content = (!self.is_read()).then(|| checksum(buffer)).flatten();
        let mut decoded = self.decoded.lock();
        if let Some(content) = content {
            decoded
                .still_by_arrival
                .picture(content, arrival, self.freeze_threshold);
            let shown = pts.map_or(arrival, gst::ClockTime::nseconds);
            decoded
                .still_by_pts
                .picture(content, shown, self.freeze_threshold);
        }
        decoded.pictures += 1;
        decoded.first.get_or_insert_with(|| self.asked.elapsed());
        decoded.last = Some(arrival);
        let came = packet.map_or(arrival, |packet| packet.last);
        decoded.pace.picture(came, pts.map(gst::ClockTime::nseconds));
        decoded.before_key.extend(early);
        if decoded.before_key.len() > MOST_INSIDE {
            decoded.before_key.pop_front();
        }
        decoded.caps = pad.current_caps();
    }

    /// Whether a stamp was read: then that tells what stands still.
    fn is_read(&self) -> bool {
        self.decoded.lock().still_wanted
    }

    fn keep_still(&self, pad: &gst::Pad, buffer: &gst::BufferRef) {
        let mut decoded = self.decoded.lock();
        if decoded.still_wanted && decoded.still.is_none() {
            // A copy: a decoder may have few buffers.
            let (copy, caps) = (buffer.copy_deep().ok(), pad.current_caps());
            decoded.still = copy
                .zip(caps)
                .map(|(copy, caps)| gst::Sample::builder().buffer(&copy).caps(&caps).build());
        }
    }

    /// A picture could be read: the one that is under way shall be kept.
    pub(crate) fn want_still(&self) {
        self.decoded.lock().still_wanted = true;
    }

    /// Decoded pictures so far.
    pub(crate) fn pictures(&self) -> u64 {
        self.decoded.lock().pictures
    }

    /// From asking for the stream to its first decoded picture.
    pub(crate) fn first_picture(&self) -> Option<Duration> {
        self.decoded.lock().first
    }

    /// When the last picture came, in ns since the Unix epoch.
    pub(crate) fn last_picture(&self) -> Option<u64> {
        self.decoded.lock().last
    }

    /// Whether the picture with that PTS was to be shown before the stream's first key picture.
    pub(crate) fn was_before_key(&self, pts: u64) -> bool {
        let pts = gst::ClockTime::from_nseconds(pts);
        self.decoded.lock().before_key.contains(&pts)
    }

    /// Since the first picture came.
    pub(crate) fn playing_for(&self) -> Option<Duration> {
        Some(self.asked.elapsed().saturating_sub(self.first_picture()?))
    }

    /// Since the stream was asked for.
    pub(crate) fn asked_for(&self) -> Duration {
        self.asked.elapsed()
    }

    /// How fast they came.
    pub(crate) fn pace(&self) -> Pace {
        self.decoded.lock().pace.clone()
    }

    /// What of the stream's coded pictures needs no stamp; packets are another's.
    pub(crate) fn delivery(&self, live: bool) -> Delivery {
        let pace = self.pace();
        let coded = self.encoded().map(|encoded| encoded.lock().sizes());
        let (mean, key, key_max) = coded.unwrap_or_default();
        let fps = pace.frames_per_second();
        Delivery {
            bitrate_kbps: mean.zip(fps).map(|(bytes, fps)| bytes * 8.0 * fps / 1000.0),
            arrivals: pace.arrivals.distribution().filter(|_| live),
            timestamps: pace.timestamps.distribution(),
            key_frame_bytes: key,
            key_frame_bytes_max: key.map(|_| key_max),
            ..Delivery::default()
        }
    }

    /// How often the picture stood still, and for how long in all (ns), by the pictures alone.
    pub(crate) fn standstill(&self, live: bool) -> (u64, u64) {
        let decoded = self.decoded.lock();
        let still = if live {
            decoded.still_by_arrival
        } else {
            decoded.still_by_pts
        };
        let now = if live { wall_clock::now() } else { still.last() };
        still.frozen(now, self.freeze_threshold)
    }

    pub(crate) fn codec(&self) -> Option<String> {
        self.encoded()?.lock().codec.clone()
    }

    pub(crate) fn key_frames(&self) -> KeyFrames {
        let Some(encoded) = self.encoded() else {
            return KeyFrames::default();
        };
        let encoded = encoded.lock();
        KeyFrames {
            count: encoded.key_frames,
            interval: encoded.key_interval.distribution(),
        }
    }

    /// The pictures that the decoder keeps back all the time; `None` where it keeps none.
    pub(crate) fn held(&self) -> Option<Held> {
        let encoded = self.encoded()?;
        let encoded = encoded.lock();
        let pictures = encoded.held.filter(|held| *held > 0)?;
        Some(Held {
            decoder: encoded.decoder.clone()?,
            pictures,
        })
    }

    /// Width and height in px; 0 before a picture came.
    pub(crate) fn size(&self) -> (u32, u32) {
        let caps = self.decoded.lock().caps.clone();
        caps.and_then(|caps| gst_video::VideoInfo::from_caps(&caps).ok())
            .map_or((0, 0), |info| (info.width(), info.height()))
    }

    /// The picture that was kept.
    pub(crate) fn still(&self) -> Option<Still> {
        let still = self.decoded.lock().still.clone()?;
        to_still(&still)
    }
}

fn checksum(picture: &gst::BufferRef) -> Option<u32> {
    picture.map_readable().ok().map(|bytes| crc32fast::hash(&bytes))
}

fn to_still(sample: &gst::Sample) -> Option<Still> {
    let rgb = gst_video::VideoCapsBuilder::new()
        .format(gst_video::VideoFormat::Rgb)
        .build();
    let sample = gst_video::convert_sample(sample, &rgb, Some(CONVERSION)).ok()?;
    let info = gst_video::VideoInfo::from_caps(sample.caps()?).ok()?;
    let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(sample.buffer()?, &info).ok()?;
    let stride = usize::try_from(*frame.plane_stride().first()?).ok()?;
    let row = info.width() as usize * 3;
    let data = frame.plane_data(0).ok()?;
    let rows = data.chunks(stride).take(info.height() as usize);
    let rgb: Vec<u8> = rows
        .filter_map(|bytes| bytes.get(..row))
        .flatten()
        .copied()
        .collect();
    (rgb.len() == row * info.height() as usize).then(|| Still {
        width: info.width(),
        height: info.height(),
        rgb,
    })
}

/// What caps of encoded video are called among people.
fn codec(caps: &gst::CapsRef) -> Option<String> {
    let fields = caps.structure(0)?;
    let name = match fields.name().as_str() {
        "video/x-h264" => "H.264",
        "video/x-h265" => "H.265",
        "video/x-av1" => "AV1",
        "video/x-vp8" => "VP8",
        "video/x-vp9" => "VP9",
        "image/jpeg" => "MJPEG",
        "video/mpeg" => match fields.get::<i32>("mpegversion") {
            Ok(4) => "MPEG-4",
            Ok(2) => "MPEG-2",
            _ => "MPEG",
        },
        other => other,
    };
    Some(name.to_owned())
}

fn on_buffers(pad: &gst::Pad, each: impl Fn(&gst::Pad, &gst::BufferRef) + Send + Sync + 'static) {
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        if let Some(buffer) = info.buffer() {
            each(pad, buffer);
        }
        gst::PadProbeReturn::Ok
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(number: u64, flags: gst::BufferFlags) -> gst::Buffer {
        let mut buffer = gst::Buffer::new();
        let content = buffer.make_mut();
        content.set_pts(gst::ClockTime::from_mseconds(40 * number));
        content.set_flags(flags);
        buffer
    }

    /// What a decoder holds that keeps `back` pictures back, and drops those of `dropped`.
    fn held(back: u64, dropped: &[u64]) -> Option<usize> {
        gst::init().expect("GStreamer");
        let pad = gst::Pad::new(gst::PadDirection::Sink);
        let mut encoded = Encoded::default();
        for number in 0..100 {
            encoded.note_encoded(&pad, &frame(number, gst::BufferFlags::DELTA_UNIT));
            let out = number.checked_sub(back).filter(|out| !dropped.contains(out));
            if let Some(out) = out {
                encoded.note_decoded(&frame(out, gst::BufferFlags::empty()));
            }
        }
        encoded.held
    }

    #[test]
    fn pictures_that_a_decoder_dropped_are_not_in_it() {
        assert_eq!(held(0, &[]), Some(0));
        assert_eq!(held(2, &[]), Some(2));
        assert_eq!(held(0, &[0, 1, 2, 3, 30, 31, 60]), Some(0));
    }

    #[test]
    fn only_the_decoder_that_is_looked_at_counts() {
        gst::init().expect("GStreamer");
        let decoder = || gst::ElementFactory::make("identity").build().expect("identity");
        let [other, shown] = [decoder(), decoder()];
        let taps = Taps::new(Duration::from_millis(500));
        taps.watch_decoder(&other);
        taps.watch_decoder(&shown);
        taps.look_at(&shown);
        let pad = shown.static_pad("sink").expect("a pad");
        let key = frame(0, gst::BufferFlags::empty());
        taps.decoders.lock()[0].encoded.lock().note_encoded(&pad, &key);
        assert_eq!(taps.key_frames().count, 0);
        taps.decoders.lock()[1].encoded.lock().note_encoded(&pad, &key);
        assert_eq!(taps.key_frames().count, 1);
    }
}
