//! Each encoder that this machine has, as a stream uses it: what goes in comes out at once, key frames come when they
//! should, and a constant bitrate is one.

use std::time::Duration;

use gst::{BufferFlags, ClockTime, prelude::*};
use gst_video::UpstreamForceKeyUnitEvent;
use rtsp_clock_server::{
    config::{Encoder, FrameRate, StreamConfig, VideoCodec},
    launch::{self, access_units, codecs, elements},
};

/// Longer than any encoder takes for one picture.
const PATIENCE: ClockTime = ClockTime::from_seconds(10);
const FRAMES_PER_SECOND: u32 = 25;
const KEY_FRAME_INTERVAL: u32 = 10;

fn init() {
    gst::init().unwrap();
    gstclocksrc::register_static().unwrap();
}

fn stream(codec: VideoCodec) -> StreamConfig {
    StreamConfig {
        codec,
        width: 640,
        height: 480,
        frames_per_second: FrameRate::whole(FRAMES_PER_SECOND),
        key_frame_interval: KEY_FRAME_INTERVAL,
        ..StreamConfig::default()
    }
}

/// One of each codec's encoders that is installed, each as a stream that names it.
fn installed(codec: VideoCodec) -> Vec<StreamConfig> {
    let all = codecs::video(codec)
        .encoders
        .iter()
        .filter(|element| elements::is_installed(element.name));
    all.map(|element| StreamConfig {
        encoder: Encoder::Named(element.name.into()),
        ..stream(codec)
    })
    .collect()
}

fn parse(line: &str) -> gst::Pipeline {
    let pipeline = gst::parse::launch(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    pipeline.downcast().unwrap()
}

/// The pictures that the stream's source makes, and what they are.
fn pictures(stream: &StreamConfig, count: u32) -> Vec<gst::Sample> {
    let launch = launch::launch_string(stream);
    let caps = launch.split(" ! ").nth(1).unwrap();
    let pipeline = parse(&format!(
        "clocksrc is-live=false num-buffers={count} ! {caps} ! appsink name=out sync=false"
    ));
    let sink = pipeline
        .by_name("out")
        .and_downcast::<gst_app::AppSink>()
        .unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let pictures = std::iter::from_fn(|| sink.pull_sample().ok()).collect();
    pipeline.set_state(gst::State::Null).unwrap();
    pictures
}

/// The stream's encoder by itself, to which pictures are given one by one.
struct Bench {
    pipeline: gst::Pipeline,
    source: gst_app::AppSrc,
    sink: gst_app::AppSink,
}

impl Bench {
    fn new(stream: &StreamConfig, caps: &gst::CapsRef) -> Self {
        let launch = launch::launch_string(stream);
        let (_, coding) = launch.split_once(" ! videoconvert ! ").unwrap();
        let (coding, _) = coding.split_once(" ! rtp").unwrap();
        let pipeline = parse(&format!(
            "appsrc name=in format=time ! {coding} ! appsink name=out sync=false"
        ));
        let source = pipeline.by_name("in").and_downcast::<gst_app::AppSrc>().unwrap();
        source.set_caps(Some(&caps.to_owned()));
        let sink = pipeline
            .by_name("out")
            .and_downcast::<gst_app::AppSink>()
            .unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        Self {
            pipeline,
            source,
            sink,
        }
    }

    /// Gives it a picture, and answers whether what comes out before the next one is a key frame.
    #[track_caller]
    fn encode(&self, picture: &gst::Sample) -> bool {
        let raw = picture.buffer_owned().unwrap();
        let pts = raw.pts();
        self.source.push_buffer(raw).unwrap();
        let coded = self.sink.try_pull_sample(PATIENCE);
        let Some(coded) = coded else {
            let error = self
                .pipeline
                .bus()
                .unwrap()
                .pop_filtered(&[gst::MessageType::Error]);
            panic!("the picture of {pts:?} stays in the encoder: {error:?}");
        };
        assert_eq!(running_time(&coded), pts);
        let coded = coded.buffer().unwrap();
        !coded.flags().contains(BufferFlags::DELTA_UNIT)
    }

    fn ask_for_key_frame(&self) {
        let event = UpstreamForceKeyUnitEvent::builder().all_headers(true).build();
        self.sink.static_pad("sink").unwrap().push_event(event);
    }
}

/// Some encoders begin at a thousand hours, and the segment with them.
fn running_time(sample: &gst::Sample) -> Option<ClockTime> {
    let segment = sample.segment()?.downcast_ref::<ClockTime>()?;
    segment.to_running_time(sample.buffer()?.pts()?)
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _stopped = self.pipeline.set_state(gst::State::Null);
    }
}

/// Asserts for each encoder of `codec` that is installed.
fn assert_at_once(codec: VideoCodec) {
    /// In the middle between two key frames.
    const ASKED: usize = 25;
    init();
    let installed = installed(codec);
    assert!(!installed.is_empty(), "no encoder for {codec} is installed");
    for stream in installed {
        let pictures = pictures(&stream, 45);
        let bench = Bench::new(&stream, pictures[0].caps().unwrap());
        let mut keys = Vec::new();
        for (number, picture) in pictures.iter().enumerate() {
            if number == ASKED {
                bench.ask_for_key_frame();
            }
            if bench.encode(picture) {
                keys.push(number);
            }
        }
        println!("{}: key frames {keys:?}", stream.encoder);
        if codec == VideoCodec::Mjpeg {
            assert_eq!(keys.len(), pictures.len(), "{}", stream.encoder);
            continue;
        }
        let before: Vec<usize> = keys.iter().copied().filter(|key| *key < ASKED).collect();
        assert_eq!(before, [0, 10, 20], "{}: {keys:?}", stream.encoder);
        assert!(keys.contains(&ASKED), "{}: {keys:?}", stream.encoder);
    }
}

#[test]
fn h264_leaves_at_once() {
    assert_at_once(VideoCodec::H264);
}

#[test]
fn h265_leaves_at_once() {
    assert_at_once(VideoCodec::H265);
}

#[test]
fn mjpeg_leaves_at_once() {
    assert_at_once(VideoCodec::Mjpeg);
}

#[test]
fn vp8_leaves_at_once() {
    assert_at_once(VideoCodec::Vp8);
}

#[test]
fn vp9_leaves_at_once() {
    assert_at_once(VideoCodec::Vp9);
}

/// The bytes of all RTP packets that the stream makes in so long.
fn bytes(stream: &StreamConfig, time: Duration) -> usize {
    let frames = time.as_secs() * u64::from(FRAMES_PER_SECOND);
    let launch = launch::launch_string(stream);
    let part = launch.trim_start_matches("( ").trim_end_matches(" )");
    let line = part.replacen(
        "clocksrc",
        &format!("clocksrc is-live=false num-buffers={frames}"),
        1,
    );
    let pipeline = parse(&format!("{line} ! appsink name=out sync=false"));
    let sink = pipeline
        .by_name("out")
        .and_downcast::<gst_app::AppSink>()
        .unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let packets = std::iter::from_fn(|| sink.pull_sample().ok());
    let bytes = packets.map(|packet| packet.buffer().unwrap().size()).sum();
    pipeline.set_state(gst::State::Null).unwrap();
    bytes
}

/// In kbit/s.
#[expect(clippy::cast_precision_loss, reason = "some megabytes")]
fn bitrate(stream: &StreamConfig) -> f64 {
    const TIME: Duration = Duration::from_secs(20);
    bytes(stream, TIME) as f64 * 8.0 / 1000.0 / TIME.as_secs_f64()
}

#[test]
fn a_constant_bitrate_is_what_was_asked_for_within_five_percent() {
    init();
    for codec in [VideoCodec::H264, VideoCodec::H265] {
        for kbps in [1000, 8000] {
            let stream = StreamConfig {
                bitrate_kbps: Some(kbps),
                constant_bitrate: true,
                key_frame_interval: 50,
                ..stream(codec)
            };
            let measured = bitrate(&stream);
            println!("{codec}: {kbps} kbit/s asked for, {measured:.0} measured");
            let ratio = measured / f64::from(kbps);
            assert!(
                (0.95..1.05).contains(&ratio),
                "{codec}: {measured} of {kbps} kbit/s"
            );
        }
    }
}

/// It has nothing to show for more: a clock is cheap.
#[test]
fn a_bitrate_is_an_upper_bound() {
    init();
    for codec in [
        VideoCodec::H264,
        VideoCodec::H265,
        VideoCodec::Vp8,
        VideoCodec::Vp9,
    ] {
        let [low, high] = [100, 8000].map(|kbps| {
            bitrate(&StreamConfig {
                bitrate_kbps: Some(kbps),
                key_frame_interval: 50,
                ..stream(codec)
            })
        });
        println!("{codec}: 100 kbit/s asked for, {low:.0} measured; 8000, {high:.0}");
        assert!(high < 8000.0 * 1.05, "{codec}: {high} kbit/s");
        assert!(low < high, "{codec}: {low} and {high} kbit/s");
    }
}

/// The types of the NAL units of each picture that the pipeline makes, as its packets begin them.
fn units_of_pictures(line: &str, codec: VideoCodec) -> Vec<Vec<u8>> {
    let pipeline = parse(&format!("{line} ! appsink name=out sync=false"));
    let bin = pipeline.upcast_ref::<gst::Bin>();
    access_units::keep_whole(bin, &bin.by_name("pay0").unwrap());
    let sink = bin.by_name("out").and_downcast::<gst_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut pictures: Vec<(u32, Vec<u8>)> = Vec::new();
    let packets = std::iter::from_fn(|| sink.try_pull_sample(PATIENCE));
    for packet in packets {
        let packet = packet.buffer_owned().unwrap();
        let packet = gst_rtp::RTPBuffer::from_buffer_readable(&packet).unwrap();
        let payload = packet.payload().unwrap();
        // RFC 6184 and RFC 7798: of a unit in several packets (FU) the first one counts.
        let (kind, fragments) = match codec {
            VideoCodec::H264 => (payload[0] & 0x1f, 28),
            _ => (payload[0] >> 1 & 0x3f, 49),
        };
        let header = payload[usize::from(codec != VideoCodec::H264) + 1];
        let kind = match (kind == fragments, codec) {
            (false, _) => kind,
            (true, _) if header & 0x80 == 0 => continue,
            (true, VideoCodec::H264) => header & 0x1f,
            (true, _) => header & 0x3f,
        };
        match pictures.last_mut() {
            Some((time, units)) if *time == packet.timestamp() => units.push(kind),
            _ => pictures.push((packet.timestamp(), vec![kind])),
        }
    }
    pipeline.set_state(gst::State::Null).unwrap();
    pictures.into_iter().map(|(_, units)| units).collect()
}

/// Whether a NAL unit is (a part of) the picture itself.
fn is_slice(codec: VideoCodec, unit: u8) -> bool {
    match codec {
        VideoCodec::H264 => (1..=5).contains(&unit),
        _ => unit < 32,
    }
}

/// Whether a NAL unit is a parameter set or a delimiter, and so begins another picture behind a slice.
fn is_set(codec: VideoCodec, unit: u8) -> bool {
    match codec {
        VideoCodec::H264 => (7..=9).contains(&unit),
        _ => (32..=35).contains(&unit),
    }
}

/// ITU-T H.264, 7.4.1.2.3, and H.265, 7.4.2.4.4: parameter sets behind a slice begin another picture.
#[test]
fn a_key_frame_of_several_slices_is_one_picture() {
    init();
    let x264 = "x264enc tune=zerolatency key-int-max=2 option-string=\"slices=4:repeat-headers=0\"";
    let x265 = "x265enc tune=zerolatency key-int-max=2 option-string=\"slices=4\"";
    let openh264 = "openh264enc gop-size=2 slice-mode=n-slices num-slices=4";
    let encoded = |encoder: &str, pay: &str| {
        format!(
            "clocksrc is-live=false num-buffers=6 ! video/x-raw,width=640,height=480,framerate=25/1 ! {encoder} ! {pay}"
        )
    };
    let (pay, parsed) = (
        "rtph264pay name=pay0 config-interval=-1",
        "h264parse config-interval=-1 ! rtph264pay name=pay0",
    );
    for (line, codec) in [
        (encoded(x264, pay), VideoCodec::H264),
        (
            encoded(x264, &format!("video/x-h264,stream-format=avc ! {pay}")),
            VideoCodec::H264,
        ),
        (encoded(x264, parsed), VideoCodec::H264),
        (encoded(openh264, pay), VideoCodec::H264),
        (encoded(openh264, parsed), VideoCodec::H264),
        (
            encoded(x265, "rtph265pay name=pay0 config-interval=-1"),
            VideoCodec::H265,
        ),
    ] {
        let pictures = units_of_pictures(&line, codec);
        assert_eq!(pictures.len(), 6, "{line}: {pictures:?}");
        for units in &pictures {
            let slices = units.iter().filter(|unit| is_slice(codec, **unit)).count();
            assert!(slices > 1, "{line}: no slices: {pictures:?}");
            let behind = units.iter().skip_while(|unit| !is_slice(codec, **unit));
            assert!(
                !behind.into_iter().any(|unit| is_set(codec, *unit)),
                "{line}: {pictures:?}"
            );
        }
        let sps = if codec == VideoCodec::H264 { 7 } else { 33 };
        let keys = pictures.iter().filter(|units| units.contains(&sps));
        assert_eq!(keys.count(), 3, "{line}: {pictures:?}");
    }
}

/// Whatever encodes it, and however many threads make slices of it.
#[test]
fn each_picture_of_a_configuration_is_one() {
    init();
    for codec in [VideoCodec::H264, VideoCodec::H265] {
        for stream in installed(codec) {
            let stream = StreamConfig {
                width: 1920,
                height: 1080,
                frames_per_second: FrameRate::whole(60),
                key_frame_interval: 2,
                ..stream
            };
            let launch = launch::launch_string(&stream);
            let part = launch.trim_start_matches("( ").trim_end_matches(" )");
            let line = part.replacen("clocksrc", "clocksrc is-live=false num-buffers=4", 1);
            let pictures = units_of_pictures(&line, codec);
            assert_eq!(pictures.len(), 4, "{line}: {pictures:?}");
            for units in pictures {
                let behind = units.iter().skip_while(|unit| !is_slice(codec, **unit));
                assert!(
                    !behind.into_iter().any(|unit| is_set(codec, *unit)),
                    "{line}: {units:?}"
                );
            }
        }
    }
}
