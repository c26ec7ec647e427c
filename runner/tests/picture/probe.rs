//! The stream as the probe measures it: nothing lost, every time right, sound and picture together.

use std::time::Duration;

use rtsp_clock_probe::figures::{ClockRelation, Evidence, Sound, StreamFigures};
use rtsp_clock_probe::target::{Credentials, Target};
use rtsp_clock_probe::{Options, Outcome, Transport};
use rtsp_clock_server::{
    config::{AudioCodec, Config, Stamp, VideoCodec},
    server::Server,
};
use strum::IntoEnumIterator as _;

use crate::common::{self, RtspClient, config, login, measure, most_viewers, start, target, url};

/// Sender reports and a few ticks come in it.
const TIME: Duration = Duration::from_secs(8);
/// What this machine may hold up a thread for, in ms.
const NOISE: f64 = 200.0;
const FRAMES_PER_SECOND: f64 = 25.0;
const KEY_FRAME_INTERVAL: u32 = 25;

/// A camera whose stream can be measured in every respect.
fn camera(codec: VideoCodec, audio: AudioCodec, stamp_id: u32) -> Config {
    let mut config = config();
    config.streams[0].codec = codec;
    config.streams[0].key_frame_interval = KEY_FRAME_INTERVAL;
    config.streams[0].look.stamp = Stamp::Qr;
    config.streams[0].look.stamp_id = stamp_id;
    config.streams[0].look.flash = true;
    config.streams[0].audio = Some(audio);
    config
}

fn options(servers: &[Server], transport: Transport) -> Options {
    let targets: Vec<Target> = servers.iter().map(|server| target(&url(server))).collect();
    Options {
        targets: targets.clone(),
        transport,
        duration: Some(TIME),
        ..Options::of(targets[0].clone())
    }
}

/// A camera for each kind of sound, measured side by side. A missing frame is excused only if the camera itself skipped
/// it, because this machine was late.
fn assert_measured(codec: VideoCodec, transport: Transport) {
    let ids = 70_u32..;
    let configs: Vec<Config> = AudioCodec::iter()
        .zip(ids)
        .map(|(sound, id)| camera(codec, sound, id))
        .collect();
    let servers: Vec<Server> = configs.iter().map(start).collect();
    let outcome = measure(&options(&servers, transport));
    for (index, config) in configs.iter().enumerate() {
        let (stream, evidence) = (&outcome.measurement.streams[index], &outcome.evidence[index]);
        println!("{codec}, {:?}: {stream:#?}", config.streams[0].audio);
        assert_described(stream, config, transport);
        assert_whole(stream, servers[index].skipped());
        assert_timely(stream, evidence);
        assert_together(stream.sound.as_ref().expect("the camera sounds"));
    }
    assert!(outcome.is_good());
}

fn assert_described(stream: &StreamFigures, config: &Config, transport: Transport) {
    let name = match config.streams[0].codec {
        VideoCodec::H264 => "H.264",
        VideoCodec::H265 => "H.265",
        VideoCodec::Mjpeg => "MJPEG",
        VideoCodec::Vp8 => "VP8",
        VideoCodec::Vp9 => "VP9",
    };
    let sent = if transport == Transport::Tcp { "tcp" } else { "udp" };
    assert_eq!(
        (stream.codec.as_deref(), stream.transport.as_deref()),
        (Some(name), Some(sent))
    );
    assert_eq!((stream.width, stream.height), (320, 240));
    assert_eq!(
        (stream.stream_id, stream.viewers),
        (Some(config.streams[0].look.stamp_id), Some(1))
    );
    assert!(stream.live);
    assert_eq!(stream.clock, ClockRelation::Same);
    assert_eq!(stream.problems, Vec::<String>::new());
}

fn assert_whole(stream: &StreamFigures, skipped: u64) {
    let counts = stream.counts;
    assert!(counts.frames > 100, "{counts:?}");
    assert_eq!(counts.readings, counts.frames);
    assert_eq!(
        (counts.repeated, counts.out_of_order, counts.restarts),
        (0, 0, 0),
        "{counts:?}"
    );
    assert!(
        counts.lost <= skipped,
        "{} frames are missing, and the camera skipped {skipped}: {:?}",
        counts.lost,
        stream.losses
    );
    let noted: u64 = stream.losses.iter().map(|loss| loss.count).sum();
    assert_eq!(noted, counts.lost, "{:?}", stream.losses);
    let fps = stream.frames_per_second.expect("pictures came");
    #[expect(clippy::cast_precision_loss, reason = "some hundred")]
    let all = fps * (counts.frames - 1 + counts.lost) as f64 / (counts.frames - 1) as f64;
    // The PTS of pictures before the first sender report follow when their packets came.
    let noise = FRAMES_PER_SECOND * NOISE / 1e3 / TIME.as_secs_f64();
    assert!((all - FRAMES_PER_SECOND).abs() < noise, "{fps} frames a second");
}

fn assert_timely(stream: &StreamFigures, evidence: &Evidence) {
    let first = stream.first_picture.expect("a picture came");
    assert!(first > 0.0 && first < 5000.0, "the first picture took {first} ms");
    let reports = stream.times.sender_reports.expect("sender reports came");
    assert!(reports.count > 100, "{reports:?}");
    assert!(reports.max_us.abs() <= 1000, "{reports:?}");
    assert_parts_add_up(stream, evidence);
    assert_key_frames(stream);
}

fn assert_parts_add_up(stream: &StreamFigures, evidence: &Evidence) {
    let (Some(latency), Some(network), Some(decoder)) = (stream.latency, stream.network, stream.decoder)
    else {
        panic!("{stream:?}");
    };
    assert_eq!((network.count, decoder.count), (latency.count, latency.count));
    assert!(
        (latency.mean - network.mean - decoder.mean).abs() < 0.1,
        "{stream:?}"
    );
    assert!(network.min > -1.0 && decoder.min >= 0.0, "{stream:?}");
    assert!(latency.p50 < NOISE, "{latency:?}");
    for sample in &evidence.samples {
        let packet = sample.packet.expect("packets are seen");
        assert!(packet <= sample.arrival, "{sample:?}");
    }
}

fn assert_key_frames(stream: &StreamFigures) {
    let (keys, frames) = (stream.key_frames, stream.counts.frames);
    let interval = keys.interval.expect("several key frames");
    if stream.codec.as_deref() == Some("MJPEG") {
        // What comes last may still be in the decoder.
        assert!(
            (frames..=frames + 2).contains(&keys.count),
            "{keys:?} of {frames}"
        );
        assert!((interval.p50 - 40.0).abs() < 1.0, "{interval:?}");
    } else {
        // The encoder counts frames, and those that the camera skipped are not among them.
        #[expect(clippy::cast_precision_loss, reason = "some hundred")]
        let skipped = stream.counts.lost as f64 * 1e3 / FRAMES_PER_SECOND;
        assert!(
            (999.0..1001.0 + skipped).contains(&interval.p50),
            "{interval:?}, {:?}",
            stream.losses
        );
    }
}

fn assert_together(sound: &Sound) {
    assert!(sound.ticks >= 4, "{sound:?}");
    let offset = sound.offset_median.expect("ticks and pictures in step");
    assert!(offset.abs() < 1.0, "{sound:?}");
}

#[test]
fn h264_over_tcp_comes_as_it_was_sent() {
    assert_measured(VideoCodec::H264, Transport::Tcp);
}

#[test]
fn h264_over_udp_comes_as_it_was_sent() {
    assert_measured(VideoCodec::H264, Transport::Udp);
}

#[test]
fn mjpeg_over_tcp_comes_as_it_was_sent() {
    assert_measured(VideoCodec::Mjpeg, Transport::Tcp);
}

#[test]
fn mjpeg_over_udp_comes_as_it_was_sent() {
    assert_measured(VideoCodec::Mjpeg, Transport::Udp);
}

#[test]
fn h265_over_tcp_comes_as_it_was_sent() {
    assert_measured(VideoCodec::H265, Transport::Tcp);
}

#[test]
fn vp8_over_tcp_comes_as_it_was_sent() {
    assert_measured(VideoCodec::Vp8, Transport::Tcp);
}

#[test]
fn vp9_over_tcp_comes_as_it_was_sent() {
    assert_measured(VideoCodec::Vp9, Transport::Tcp);
}

/// Plays until so many pictures have come.
fn played(target: Target, transport: Transport, frames: u64) -> Outcome {
    measure(&Options {
        transport,
        frames: Some(frames),
        duration: Some(common::PATIENCE),
        ..Options::of(target)
    })
}

#[test]
fn whatever_the_query_the_camera_is_the_same() {
    let server = start(&camera(VideoCodec::H264, AudioCodec::Pcmu, 5));
    let direct = target(&url(&server));
    let outcome = measure(&Options {
        vias: vec![target(&format!("{}?channel=1", url(&server)))],
        transport: Transport::Tcp,
        frames: Some(50),
        duration: Some(common::PATIENCE),
        ..Options::of(direct)
    });
    assert!(outcome.is_good(), "{:?}", outcome.measurement.streams);
    let viewers = outcome.evidence.iter().map(most_viewers);
    assert_eq!(viewers.collect::<Vec<_>>(), [Some(2), Some(2)]);
    let matched = outcome.measurement.added[0].latency.expect("the same frames");
    assert!(matched.count > 25, "{matched:?}");
}

#[test]
fn whoever_joins_late_sees_a_picture_at_once() {
    for codec in VideoCodec::iter() {
        let mut config = camera(codec, AudioCodec::Pcmu, 5);
        // The next one by itself would come after 40 s.
        config.streams[0].key_frame_interval = 1000;
        let server = start(&config);
        let mut first = RtspClient::watch(&server);
        let begin = first.next_rtp().rtp_time();
        first.next_rtp_where("a second later", |packet| {
            packet.rtp_time().wrapping_sub(begin) > 90_000
        });
        let outcome = played(target(&url(&server)), Transport::Tcp, 25);
        let stream = &outcome.measurement.streams[0];
        assert!(outcome.is_good(), "{codec}: {stream:#?}");
        let picture = stream.first_picture.expect("a picture came");
        println!("{codec}: the first picture after {picture:.0} ms");
        assert!(picture < 5000.0, "{codec}: the first picture after {picture} ms");
    }
}

#[test]
fn a_pipeline_of_ones_own_counts_its_viewers() {
    let mut config = config();
    config.streams[0].pipeline = Some(
        "( clocksrc name=mine stamp=qr stamp-id=7 ! video/x-raw,width=320,height=240,framerate=25/1 \
         ! x264enc tune=zerolatency key-int-max=25 ! rtph264pay name=pay0 config-interval=-1 )"
            .into(),
    );
    let server = start(&config);
    let outcome = played(target(&url(&server)), Transport::Tcp, 25);
    let stream = &outcome.measurement.streams[0];
    assert!(outcome.is_good(), "{stream:#?}");
    assert_eq!((stream.stream_id, stream.viewers), (Some(7), Some(1)));
}

#[test]
fn an_http_tunnel_carries_it_too() {
    let server = start(&camera(VideoCodec::H264, AudioCodec::Pcmu, 5));
    let outcome = played(target(&url(&server)), Transport::Http, 25);
    assert!(outcome.is_good(), "{:?}", outcome.measurement.streams);
}

#[test]
fn the_probe_logs_in() {
    let mut config = camera(VideoCodec::H264, AudioCodec::Pcmu, 5);
    config.login = Some(login());
    let server = start(&config);
    let credentials = Credentials {
        username: login().username,
        password: login().password,
    };
    let known = Target::parse(&url(&server), Some(&credentials)).expect("a URL");
    assert!(played(known, Transport::Tcp, 25).is_good());
    let unknown = played(target(&url(&server)), Transport::Tcp, 25);
    let problems = &unknown.measurement.streams[0].problems;
    assert!(!unknown.is_good());
    assert!(
        problems.len() == 1 && problems[0].contains("(401)"),
        "{problems:?}"
    );
}

#[test]
fn a_wrong_path_and_a_picture_without_a_stamp_are_told() {
    let server = start(&config());
    let problems = |url: &str, frames, is_good| {
        let outcome = played(target(url), Transport::Tcp, frames);
        assert_eq!(outcome.is_good(), is_good);
        outcome.measurement.streams[0].problems.join(" ")
    };
    let wrong = problems(&format!("{}x", url(&server)), 1, false);
    assert!(wrong.contains("(404)"), "{wrong}");
    // What needs no stamp is measured.
    let unstamped = problems(&url(&server), 25, true);
    assert!(unstamped.contains("No stamp can be read"), "{unstamped}");
}
