//! Picture and sound as a viewer gets them: decoded, read and heard, and held against each other and RTCP.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use clockface::{Luma, StampReader};
use gst::prelude::*;
use parking_lot::Mutex;
use rtsp_clock_server::config::{AudioCodec, Config, Stamp, VideoCodec};
use strum::IntoEnumIterator as _;

use crate::common::{self, RtspClient, config, start, url, wait_for_viewers};
use crate::ear::Recording;

/// How far tick and flash may be apart (ms).
const TOGETHER: f64 = 1.0;
/// Longer than a sender report and a few ticks take.
const PATIENCE: Duration = Duration::from_secs(40);
/// At 320x240 a module of the stamp has 2 px. The flash is as high as the stamp with its quiet zone, and stands in the
/// corner horizontally opposite: this is the middle of the disc, in px from the left and from the top.
const DISC: usize = 33;

fn camera(codec: AudioCodec) -> Config {
    let mut config = config();
    config.streams[0].codec = VideoCodec::Mjpeg;
    config.streams[0].look.stamp = Stamp::Qr;
    config.streams[0].look.flash = true;
    config.streams[0].audio = Some(codec);
    config
}

/// A decoded picture.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// ms.
    running: f64,
    /// As its stamp says, in us since the Unix epoch.
    instant: i64,
    /// Whether the disc is lit.
    is_lit: bool,
}

/// What a player has seen and heard since both were synchronised by sender reports.
#[derive(Default)]
struct Notes {
    synchronised: [bool; 2],
    pictures: Vec<Seen>,
    sound: Recording,
}

/// `rtspsrc` and decoders. Its jitter buffers go by RTP time alone: by default they also follow when packets come, and
/// that is this machine's business.
struct Player {
    pipeline: gst::Pipeline,
    notes: Arc<Mutex<Notes>>,
}

impl Player {
    fn play(url: &str, codec: AudioCodec) -> Self {
        gst::init().unwrap();
        let sound = match codec {
            AudioCodec::Pcmu => "rtppcmudepay ! mulawdec",
            AudioCodec::Pcma => "rtppcmadepay ! alawdec",
            AudioCodec::Aac => "rtpmp4gdepay ! aacparse ! avdec_aac",
            AudioCodec::Opus => "rtpopusdepay ! opusdec",
        };
        let line = format!(
            "rtspsrc name=source location={url} protocols=tcp buffer-mode=none add-reference-timestamp-meta=true \
             source. ! application/x-rtp,media=video ! identity name=picture-packets ! rtpjpegdepay ! jpegdec \
             ! videoconvert ! video/x-raw,format=GRAY8,colorimetry=bt601 ! appsink name=picture sync=false \
             source. ! application/x-rtp,media=audio ! identity name=sound-packets ! {sound} \
             ! audioconvert ! audio/x-raw,format=F64LE,channels=1 ! appsink name=sound sync=false"
        );
        let pipeline = gst::parse::launch(&line)
            .unwrap()
            .downcast::<gst::Pipeline>()
            .unwrap();
        let player = Self {
            pipeline,
            notes: Arc::default(),
        };
        player.note_synchronised("picture-packets", 0);
        player.note_synchronised("sound-packets", 1);
        let mut reader = StampReader::new();
        player.note("picture", move |notes, sample| {
            notes.pictures.push(seen(&mut reader, sample));
        });
        player.note("sound", |notes, sample| {
            let (buffer, running) = timed(sample);
            let info = gst_audio::AudioInfo::from_caps(sample.caps().unwrap()).unwrap();
            notes
                .sound
                .push(running, &buffer.map_readable().unwrap(), info.rate());
        });
        player.synchronise_exactly();
        player.pipeline.set_state(gst::State::Playing).unwrap();
        player
    }

    /// By default a disagreement of less than 4 ms with sender reports is left as it is.
    fn synchronise_exactly(&self) {
        let source = self.pipeline.by_name("source").unwrap();
        source.connect("new-manager", false, |values| {
            let manager: gst::Element = values[1].get().unwrap();
            manager.set_property("min-ts-offset", 0_u64);
            None
        });
    }

    /// Packets know the instant of their RTP time once a sender report has come.
    fn note_synchronised(&self, packets: &str, medium: usize) {
        let pad = self.pipeline.by_name(packets).unwrap().static_pad("src").unwrap();
        let notes = Arc::clone(&self.notes);
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let packet = info.buffer().unwrap();
            notes.lock().synchronised[medium] |=
                packet.iter_meta::<gst::ReferenceTimestampMeta>().next().is_some();
            gst::PadProbeReturn::Ok
        });
    }

    fn note(&self, sink: &str, mut note: impl FnMut(&mut Notes, &gst::Sample) + Send + 'static) {
        let sink = self.pipeline.by_name(sink).and_downcast::<gst_app::AppSink>();
        let notes = Arc::clone(&self.notes);
        let new_sample = move |sink: &gst_app::AppSink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            let mut notes = notes.lock();
            if notes.synchronised == [true; 2] {
                note(&mut notes, &sample);
            }
            Ok(gst::FlowSuccess::Ok)
        };
        let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(new_sample);
        sink.unwrap().set_callbacks(callbacks.build());
    }

    /// What was seen until so many ticks were heard, and when each began (running time in ms).
    fn listen(&self, ticks: usize) -> (Vec<Seen>, Vec<f64>) {
        let end = Instant::now() + PATIENCE;
        loop {
            let notes = self.notes.lock();
            let heard = notes.sound.ticks();
            if heard.len() >= ticks {
                return (
                    notes.pictures.clone(),
                    heard.iter().map(|tick| tick * 1000.0).collect(),
                );
            }
            assert!(
                Instant::now() < end,
                "only {} ticks, synchronised: {:?}",
                heard.len(),
                notes.synchronised
            );
            drop(notes);
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.pipeline.set_state(gst::State::Null).unwrap();
    }
}

/// A sample's buffer and its running time in ns.
fn timed(sample: &gst::Sample) -> (&gst::BufferRef, u64) {
    let buffer = sample.buffer().unwrap();
    let segment = sample
        .segment()
        .unwrap()
        .downcast_ref::<gst::ClockTime>()
        .unwrap();
    (
        buffer,
        segment.to_running_time(buffer.pts().unwrap()).unwrap().nseconds(),
    )
}

#[allow(clippy::cast_precision_loss)]
fn seen(reader: &mut StampReader, sample: &gst::Sample) -> Seen {
    let (buffer, running) = timed(sample);
    let info = gst_video::VideoInfo::from_caps(sample.caps().unwrap()).unwrap();
    let data = buffer.map_readable().unwrap();
    let stride = usize::try_from(info.stride()[0]).unwrap();
    let luma = Luma {
        data: &data,
        stride,
        step: 1,
        width: info.width() as usize,
        height: info.height() as usize,
    };
    Seen {
        running: running as f64 * 1e-6,
        instant: reader
            .read(&luma)
            .expect("every picture is stamped")
            .stamp
            .instant,
        is_lit: data[DISC * stride + DISC] > 128,
    }
}

#[test]
fn tick_and_flash_are_presented_together_with_pcmu() {
    assert_presented_together(AudioCodec::Pcmu);
}

#[test]
fn tick_and_flash_are_presented_together_with_pcma() {
    assert_presented_together(AudioCodec::Pcma);
}

#[test]
fn tick_and_flash_are_presented_together_with_aac() {
    assert_presented_together(AudioCodec::Aac);
}

#[test]
fn tick_and_flash_are_presented_together_with_opus() {
    assert_presented_together(AudioCodec::Opus);
}

/// What people do with a clapperboard: the first picture in which the disc is lit, and the tick that is heard with it.
fn assert_presented_together(codec: AudioCodec) {
    let config = camera(codec);
    let period = i64::try_from(config.streams[0].frames_per_second.period() / 1000).expect("a period");
    let server = start(&config);
    let player = Player::play(&url(&server), codec);
    let (pictures, ticks) = player.listen(6);
    // Where the camera skipped a frame because this machine was late, the disc is lit some time before it is seen.
    let is_seen_at_once = |pair: &&[Seen]| {
        let [before, flash] = pair else { return false };
        !before.is_lit && flash.is_lit && flash.instant - before.instant == period
    };
    let flashes: Vec<Seen> = pictures
        .windows(2)
        .filter(is_seen_at_once)
        .map(|pair| pair[1])
        .collect();
    assert!(flashes.len() >= 2, "{flashes:?}");
    for flash in &flashes {
        assert_eq!(flash.instant % 1_000_000, 0, "{flash:?}");
    }
    for tick in &ticks[1..] {
        let apart = flashes.iter().map(|flash| tick - flash.running);
        let apart = apart
            .min_by(|one, other| one.abs().total_cmp(&other.abs()))
            .unwrap();
        println!("the tick is {apart:+.3} ms after the flash");
        // A flash that this machine was too late for was not shown at all.
        assert!(
            apart.abs() < TOGETHER || apart.abs() > 900.0,
            "{apart} ms: {ticks:?}, {flashes:?}"
        );
    }
    wait_for_viewers(&server, 1);
}

/// A client that has set up one medium only.
fn watch_medium(server: &rtsp_clock_server::server::Server, medium: u32) -> RtspClient {
    let mut client = RtspClient::connect(server);
    assert_eq!(client.describe().status, 200);
    let setup = client.setup_medium(medium, "RTP/AVP/TCP;unicast;interleaved=0-1");
    assert_eq!(setup.status, 200);
    assert_eq!(client.play().status, 200);
    client
}

#[test]
fn picture_or_sound_alone_can_be_played_and_counts() {
    for order in [[0, 1], [1, 0]] {
        let server = start(&camera(AudioCodec::Pcmu));
        let mut clients = order.map(|medium| (medium, watch_medium(&server, medium)));
        wait_for_viewers(&server, 2);
        for (medium, client) in &mut clients {
            for _ in 0..20 {
                assert_eq!(client.next_rtp().payload_type(), [26, 0][*medium as usize]);
            }
        }
        drop(clients);
        wait_for_viewers(&server, 0);
    }
}

/// A client that plays picture and sound.
fn watch_both(server: &rtsp_clock_server::server::Server) -> RtspClient {
    let mut client = RtspClient::connect(server);
    assert_eq!(client.describe().status, 200);
    for medium in 0..2 {
        let transport = format!(
            "RTP/AVP/TCP;unicast;interleaved={}-{}",
            medium * 2,
            medium * 2 + 1
        );
        assert_eq!(client.setup_medium(medium, &transport).status, 200);
    }
    assert_eq!(client.play().status, 200);
    client
}

#[test]
fn both_together_are_one_viewer() {
    let server = start(&camera(AudioCodec::Opus));
    let mut client = watch_both(&server);
    let mut seen = [false; 2];
    while seen != [true; 2] {
        let packet = client.next_packet().expect("packets of both");
        if packet.channel.is_multiple_of(2) {
            seen[usize::from(packet.channel / 2)] = true;
        }
    }
    wait_for_viewers(&server, 1);
    assert_eq!(client.request("TEARDOWN", &[]).status, 200);
    wait_for_viewers(&server, 0);
}

/// The instant of G.711's `rtp_time` as a sender report says, in ms before `now`.
fn age(rtp_time: u32, (instant, at): (SystemTime, u32), now: SystemTime) -> f64 {
    let samples = f64::from(rtp_time.wrapping_sub(at).cast_signed());
    common::milliseconds_between(instant, now) - samples / 8.0
}

#[test]
fn the_first_sound_is_of_now() {
    let server = start(&camera(AudioCodec::Pcmu));
    let mut client = RtspClient::connect(&server);
    assert_eq!(client.describe().status, 200);
    let setup = client.setup_medium(1, "RTP/AVP/TCP;unicast;interleaved=0-1");
    assert_eq!(setup.status, 200);
    // What is held meanwhile is what this test is about.
    std::thread::sleep(Duration::from_secs(3));
    let asked = SystemTime::now();
    assert_eq!(client.play().status, 200);
    let first = client.next_rtp();
    let (_, report) = client.until_sender_report();
    let age = age(first.rtp_time(), report, asked);
    assert!(age < 500.0, "the first sound was {age} ms old");
}

/// In ticks of the picture's RTP time: a second. By RTCP's own interval the first report comes between 1.03 and 3.08 s after
/// the first packet. One that is asked for before a medium has sent anything is none: the next comes within 0.62 s.
const AT_ONCE: u32 = 90_000;

/// Until a player has both reports, it has to guess which sound belongs to which picture. How long that takes is told by
/// the picture: when the packets get here is this machine's business.
#[test]
fn sender_reports_of_both_come_at_once() {
    let server = start(&camera(AudioCodec::Opus));
    for viewer in 0..3 {
        let mut client = watch_both(&server);
        let (mut first, mut ticks) = (None, 0);
        let mut seen = [false; 2];
        while seen != [true; 2] {
            let packet = client.next_packet().expect("packets");
            if packet.is_rtp() {
                ticks = packet
                    .rtp_time()
                    .wrapping_sub(*first.get_or_insert(packet.rtp_time()));
                assert!(ticks < AT_ONCE, "sender reports to viewer {viewer}: {seen:?}");
            } else if !packet.channel.is_multiple_of(2) && packet.data[1] == 200 {
                seen[usize::from(packet.channel / 2)] = true;
            }
        }
        println!("both sender reports to viewer {viewer} after {ticks} ticks of the picture");
    }
}

#[test]
fn ffmpeg_sees_and_decodes_both() {
    for codec in AudioCodec::iter() {
        let server = start(&camera(codec));
        let output = Command::new("ffmpeg")
            .args([
                "-v",
                "error",
                "-xerror",
                "-rtsp_transport",
                "tcp",
                "-i",
                &url(&server),
            ])
            .args(["-t", "2", "-map", "0:v", "-map", "0:a", "-f", "framecrc", "-"])
            .output()
            .expect("ffmpeg is installed");
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{codec}: {errors}");
        let frames = |stream: &str| lines.lines().filter(|line| line.starts_with(stream)).count();
        assert!(frames("0,") > 10 && frames("1,") > 10, "{codec}: {lines}{errors}");
    }
}
