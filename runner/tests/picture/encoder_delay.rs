//! What each encoder delays the sound by, measured: through its payloader, a depayloader and a usual decoder.

use gst::prelude::*;
use rtsp_clock_server::{
    config::AudioCodec,
    launch::{codecs, elements, encoders::sound::SoundEncoder},
};

/// A whole second.
const START: i64 = 1_767_225_600_000_000_000;
/// How exactly a tick is found in what a codec left of it (seconds).
const PRECISION: f64 = 0.000_1;

fn init() {
    gst::init().unwrap();
    gstclocksrc::register_static().unwrap();
}

/// Where ticks begin in what comes out of `decoding`, in running time (seconds). One goes in at each whole second.
fn ticks(codec: AudioCodec, encoder: &SoundEncoder, decoding: &str, ts_offset: i64) -> Vec<f64> {
    let (rate, encoder) = (encoder.rate, encoder.words().join(" "));
    let payloader = codecs::audio(codec).payload.words("pay1", None).join(" ");
    let line = format!(
        "clocktone is-live=false start-time={START} num-buffers=620 ts-offset={ts_offset} \
         ! audio/x-raw,rate={rate},channels=1 ! {encoder} ! {payloader} ! {decoding} ! audioconvert \
         ! audio/x-raw,format=F64LE,channels=1 ! appsink name=sink sync=false"
    );
    let pipeline = gst::parse::launch(&line)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    let sink = pipeline
        .by_name("sink")
        .and_downcast::<gst_app::AppSink>()
        .unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut sound = crate::ear::Recording::default();
    while let Ok(sample) = sink.pull_sample() {
        let info = gst_audio::AudioInfo::from_caps(sample.caps().unwrap()).unwrap();
        let buffer = sample.buffer().unwrap();
        let segment = sample
            .segment()
            .unwrap()
            .downcast_ref::<gst::ClockTime>()
            .unwrap();
        let begin = segment.to_running_time(buffer.pts().unwrap()).unwrap();
        sound.push(begin.nseconds(), &buffer.map_readable().unwrap(), info.rate());
    }
    let bus = pipeline.bus().unwrap();
    let error = bus.pop_filtered(&[gst::MessageType::Error]);
    assert!(error.is_none(), "{line}: {error:?}");
    pipeline.set_state(gst::State::Null).unwrap();
    sound.ticks()
}

/// Asserts for each encoder that is installed, and each decoder, that ticks come out at whole seconds.
fn assert_on_time(codec: AudioCodec, decodings: &[&str]) {
    init();
    let encoders = codecs::audio(codec).encoders.iter();
    let mut measured = 0;
    for encoder in encoders.filter(|encoder| elements::is_installed(encoder.name)) {
        let (name, offset) = (encoder.name, -encoder.delay_in_nanoseconds().cast_signed());
        for decoding in decodings {
            let raw = ticks(codec, encoder, decoding, 0);
            let errors: Vec<f64> = raw
                .iter()
                .map(|tick| (tick - tick.round()) * f64::from(encoder.rate))
                .collect();
            println!("{name} ! {decoding}: late by {errors:.1?} samples");
            let corrected = ticks(codec, encoder, decoding, offset);
            assert!(corrected.len() >= 4, "{name} ! {decoding}: {corrected:?}");
            for tick in corrected {
                let error = tick - tick.round();
                assert!(
                    error.abs() < PRECISION,
                    "{name} ! {decoding}: a tick is {error} s late; without an offset by {errors:?} samples"
                );
            }
            measured += 1;
        }
    }
    assert!(measured > 0, "no encoder for {codec} is installed");
}

#[test]
fn g711_delays_nothing() {
    assert_on_time(AudioCodec::Pcmu, &["rtppcmudepay ! mulawdec"]);
    assert_on_time(AudioCodec::Pcma, &["rtppcmadepay ! alawdec"]);
}

/// `faad` swallows its first frame and counts as if it had not: its sound is early by 1024 samples, whoever encoded it.
#[test]
fn the_delay_of_aac_is_taken_back() {
    assert_on_time(AudioCodec::Aac, &["rtpmp4gdepay ! avdec_aac"]);
}

#[test]
fn the_delay_of_opus_is_taken_back() {
    assert_on_time(
        AudioCodec::Opus,
        &["rtpopusdepay ! opusdec", "rtpopusdepay ! avdec_opus"],
    );
}
