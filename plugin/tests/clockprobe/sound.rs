//! `clockprobe` and sound: which ticks it hears, and how far they are from the picture.

use std::f64::consts::{PI, TAU};

use gst::prelude::*;

use crate::stamped::{MS, PERIOD, Probe, START, init, picture, stamp};

/// A tick that has begun so many seconds ago, as `clocktone` makes them.
fn tick(since: f64) -> f64 {
    let from_edge = since.min(0.020 - since);
    let envelope = (1.0 - (PI * (from_edge / 0.002).clamp(0.0, 1.0)).cos()) / 2.0;
    0.5 * envelope * (TAU * 1000.0 * since).sin()
}

/// So many seconds of sound in which ticks begin at these seconds.
fn ticks(rate: u32, seconds: u32, begins: &[f64]) -> Vec<f64> {
    let time = |index: u32| f64::from(index) / f64::from(rate);
    (0..rate * seconds)
        .map(|index| begins.iter().map(|begin| tick(time(index) - begin)).sum())
        .collect()
}

/// The bytes of samples in that format, the same in each channel.
#[allow(clippy::cast_possible_truncation, reason = "that is what fewer bits are")]
fn encode(samples: &[f64], format: &str, channels: usize) -> Vec<u8> {
    let sample = |&value: &f64| match format {
        "S16LE" => ((value * 32_767.0).round() as i16).to_le_bytes().to_vec(),
        "S32LE" => ((value * 2_147_483_647.0).round() as i32).to_le_bytes().to_vec(),
        "F32LE" => (value as f32).to_le_bytes().to_vec(),
        _ => value.to_le_bytes().to_vec(),
    };
    samples
        .iter()
        .flat_map(|value| sample(value).repeat(channels))
        .collect()
}

fn audio_caps(rate: u32, format: &str, channels: usize) -> gst::Caps {
    let caps = format!("audio/x-raw,format={format},rate={rate},channels={channels},layout=interleaved");
    let mut caps: gst::Caps = caps.parse().unwrap();
    if channels > 2 {
        caps.make_mut().set("channel-mask", gst::Bitmask::new(0));
    }
    caps
}

/// Buffers of 20 ms, the first one with that PTS.
fn audio_buffers(samples: &[f64], rate: u32, format: &str, channels: usize, pts: u64) -> Vec<gst::Buffer> {
    let length = usize::try_from(rate / 50).unwrap();
    let buffers = samples.chunks(length).zip(0_u64..).map(|(samples, index)| {
        let mut buffer = gst::Buffer::from_mut_slice(encode(samples, format, channels));
        let fields = buffer.get_mut().unwrap();
        let first = index * u64::try_from(length).unwrap() * 1_000_000_000 / u64::from(rate);
        fields.set_pts(gst::ClockTime::from_nseconds(pts + first));
        buffer
    });
    buffers.collect()
}

/// Has the probe listen to buffers from beginning to end.
fn listen(probe: &Probe, caps: &gst::Caps, buffers: Vec<gst::Buffer>) {
    let pad = probe
        .element()
        .request_pad_simple("audio_sink")
        .expect("a pad for sound");
    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
    assert!(pad.send_event(gst::event::StreamStart::new("sound")));
    assert!(pad.send_event(gst::event::Caps::new(caps)));
    assert!(pad.send_event(gst::event::Segment::new(&segment)));
    for buffer in buffers {
        pad.chain(buffer).unwrap();
    }
    pad.send_event(gst::event::Eos::new());
    probe.element().release_request_pad(&pad);
}

/// The running times in s at which messages say that ticks begin.
fn heard(messages: &[gst::Structure]) -> Vec<f64> {
    let ticks = messages
        .iter()
        .filter(|message| message.name() == "clockprobe-tick");
    ticks
        .map(|tick| seconds(tick.get("running-time").unwrap()))
        .collect()
}

#[allow(clippy::cast_precision_loss, reason = "a few seconds")]
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

#[track_caller]
fn assert_near(heard: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    let near = heard
        .iter()
        .zip(expected)
        .all(|(a, b)| (a - b).abs() <= tolerance);
    assert!(
        near && heard.len() == expected.len(),
        "{what}: {heard:?}, not {expected:?}"
    );
}

#[test]
fn ticks_are_heard_where_they_begin_at_any_rate_and_format() {
    let begins = [0.5, 1.500_03, 2.498];
    for rate in [8_000, 16_000, 22_050, 44_100, 48_000] {
        let samples = ticks(rate, 3, &begins);
        for (format, channels) in [("S16LE", 1), ("S32LE", 2), ("F32LE", 2), ("F64LE", 6)] {
            let probe = Probe::new();
            let buffers = audio_buffers(&samples, rate, format, channels, 7_000 * MS);
            listen(&probe, &audio_caps(rate, format, channels), buffers);
            let messages = probe.messages();
            let expected = begins.map(|begin| begin + 7.0);
            assert_near(&heard(&messages), &expected, 1e-4, &format!("{format} at {rate}"));
            assert_eq!(probe.count("ticks"), 3);
            assert!(
                messages
                    .iter()
                    .all(|tick| tick.get("second") == Ok(0_u64) && !tick.has_field("av-offset"))
            );
            assert!(!probe.stats().has_field("av-offset-median"));
        }
    }
}

/// Where ticks are heard that went through these elements, and where they began. In s of running time.
fn through(elements: &str, rate: u32) -> (Vec<f64>, Vec<f64>) {
    init();
    let line = format!(
        "appsrc name=source format=time ! audioconvert ! audioresample ! {elements} ! p.audio_sink \
         clockprobe name=p p.audio_src ! fakesink"
    );
    let pipeline = gst::parse::launch(&line)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    let source = pipeline
        .by_name("source")
        .unwrap()
        .downcast::<gst_app::AppSrc>()
        .unwrap();
    let begins = [1.0, 2.0, 3.0, 4.0];
    source.set_caps(Some(&audio_caps(rate, "F32LE", 1)));
    for buffer in audio_buffers(&ticks(rate, 5, &begins), rate, "F32LE", 1, 0) {
        source.push_buffer(buffer).unwrap();
    }
    source.end_of_stream().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let bus = pipeline.bus().unwrap();
    let mut messages = Vec::new();
    loop {
        let message = bus.timed_pop(gst::ClockTime::from_seconds(60)).expect("it ends");
        match message.view() {
            gst::MessageView::Eos(_) => break,
            gst::MessageView::Error(error) => panic!("{elements}: {error:?}"),
            gst::MessageView::Element(element) => messages.extend(element.structure().map(ToOwned::to_owned)),
            _ => {}
        }
    }
    pipeline.set_state(gst::State::Null).unwrap();
    (heard(&messages), begins.to_vec())
}

#[test]
fn ticks_survive_resampling_and_mu_law() {
    for elements in [
        "audio/x-raw,rate=8000 ! mulawenc ! mulawdec",
        "audio/x-raw,rate=16000 ! audioresample ! audio/x-raw,rate=44100",
    ] {
        let (heard, begins) = through(elements, 48_000);
        assert_near(&heard, &begins, 1e-3, elements);
    }
}

#[test]
fn ticks_survive_codecs_that_delay_them() {
    for elements in [
        "audio/x-raw,rate=48000 ! opusenc ! opusdec",
        "audio/x-raw,rate=48000 ! avenc_aac ! aacparse ! avdec_aac ! audioconvert",
    ] {
        let (heard, begins) = through(elements, 44_100);
        let delay = heard.first().expect("a tick") - begins[0];
        // What a codec delays, it delays all the same.
        assert!((0.0..0.1).contains(&delay.abs()), "{elements}: {delay} s");
        let expected: Vec<f64> = begins.iter().map(|begin| begin + delay).collect();
        assert_near(&heard, &expected, 1e-3, elements);
    }
}

#[test]
fn noise_and_tones_are_no_ticks() {
    for wave in [
        "white-noise",
        "pink-noise",
        "red-noise",
        "sine",
        "silence",
        "ticks",
    ] {
        init();
        let line = format!(
            "audiotestsrc wave={wave} freq=440 num-buffers=1000 ! p.audio_sink clockprobe name=p p.audio_src ! \
             fakesink"
        );
        let pipeline = gst::parse::launch(&line)
            .unwrap()
            .downcast::<gst::Pipeline>()
            .unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let end = [gst::MessageType::Eos, gst::MessageType::Error];
        let message = pipeline
            .bus()
            .unwrap()
            .timed_pop_filtered(gst::ClockTime::from_seconds(60), &end);
        let stats = pipeline.by_name("p").unwrap().property::<gst::Structure>("stats");
        pipeline.set_state(gst::State::Null).unwrap();
        assert_eq!(
            message.map(|message| message.type_()),
            Some(gst::MessageType::Eos),
            "{wave}"
        );
        assert_eq!(stats.get("ticks"), Ok(0_u64), "{wave}");
    }
}

/// What a probe finds where sound is presented so many ms later than the picture, which is presented
/// `picture` ms later than `START` plus running time says.
fn lip_sync(later: i64, picture_later: u64) -> Probe {
    let mut probe = Probe::new();
    for frame in 0..100 {
        probe.push(picture(&stamp(1, frame), frame * PERIOD + picture_later * MS));
    }
    let rate = 48_000;
    let begins: Vec<f64> = (1..4).map(f64::from).collect();
    let first = (picture_later * MS)
        .checked_add_signed(later * 1_000_000)
        .unwrap();
    let buffers = audio_buffers(&ticks(rate, 4, &begins), rate, "F32LE", 2, first);
    listen(&probe, &audio_caps(rate, "F32LE", 2), buffers);
    probe
}

#[test]
fn sound_is_as_late_as_it_is_made() {
    for (later, picture_later) in [(0, 100), (37, 100), (-80, 333), (400, 0)] {
        let probe = lip_sync(later, picture_later);
        let messages = probe.messages();
        let ticks: Vec<_> = messages
            .iter()
            .filter(|tick| tick.name() == "clockprobe-tick")
            .collect();
        assert_eq!(ticks.len(), 3);
        let near = |offset: i64| (offset - later * 1_000_000).abs() <= 100_000;
        for (tick, second) in ticks.iter().zip(1_u64..) {
            assert_eq!(
                tick.get("second"),
                Ok(START.unsigned_abs() + second * 1_000 * MS),
                "{tick}"
            );
            assert!(near(tick.get("av-offset").unwrap()), "{later}: {tick}");
        }
        let stats = probe.stats();
        for name in ["av-offset-median", "av-offset-max"] {
            assert!(near(stats.get(name).unwrap()), "{later}: {stats}");
        }
    }
}

#[test]
fn sound_passes_untouched_and_its_pads_come_and_go() {
    let probe = Probe::new();
    let element = probe.element();
    for round in 0..3 {
        let sink = element.request_pad_simple("audio_sink").expect("a pad for sound");
        let template = element.pad_template("audio_sink").unwrap();
        assert!(
            element.request_pad(&template, None, None).is_none(),
            "one is all there is"
        );
        let src = element.static_pad("audio_src").expect("its other side");
        let (sender, receiver) = std::sync::mpsc::channel();
        let end = gst::Pad::builder(gst::PadDirection::Sink)
            .chain_function(move |_, _, buffer| {
                sender.send(buffer).map_err(|_| gst::FlowError::Error)?;
                Ok(gst::FlowSuccess::Ok)
            })
            .build();
        end.set_active(true).unwrap();
        src.link(&end).unwrap();
        sink.send_event(gst::event::StreamStart::new("sound"));
        sink.send_event(gst::event::Caps::new(&audio_caps(8_000, "S16LE", 1)));
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        sink.send_event(gst::event::Segment::new(&segment));
        let buffer = audio_buffers(&ticks(8_000, 1, &[]), 8_000, "S16LE", 1, 0).remove(0);
        let address = buffer.as_ptr();
        sink.chain(buffer).unwrap();
        assert_eq!(
            receiver.try_recv().expect("it passes").as_ptr(),
            address,
            "round {round}"
        );
        assert_eq!(end.current_caps(), Some(audio_caps(8_000, "S16LE", 1)));
        element.release_request_pad(&sink);
        assert_eq!(element.pads().len(), 2, "both are gone");
    }
}

#[test]
fn a_tick_ends_with_the_sound_and_does_not_reach_over_gaps() {
    let rate = 48_000;
    let mut probe = Probe::new();
    let caps = audio_caps(rate, "F32LE", 1);
    // The end of the sound is what makes the last tick certain.
    let buffers = audio_buffers(&ticks(rate, 1, &[0.97]), rate, "F32LE", 1, 0);
    listen(&probe, &caps, buffers);
    assert_near(&heard(&probe.messages()), &[0.97], 1e-4, "at the end");
    // The first half of a tick, a second of nothing, and its second half.
    let mut buffers = audio_buffers(&ticks(rate, 1, &[0.51]), rate, "F32LE", 1, 0);
    for buffer in &mut buffers[26..] {
        let late = buffer.pts().unwrap() + gst::ClockTime::SECOND;
        buffer.get_mut().unwrap().set_pts(late);
    }
    listen(&probe, &caps, buffers);
    assert_near(&heard(&probe.messages()), &[], 0.0, "torn apart");
    probe.push(picture(&stamp(1, 0), 0));
    assert_eq!(probe.counts(["ticks", "readings"]), [1, 1]);
}

#[test]
fn sound_of_a_pipeline_that_runs_can_come_and_go() {
    init();
    let line = "videotestsrc is-live=true ! clockprobe name=p ! fakesink \
                audiotestsrc is-live=true ! tee name=t allow-not-linked=true ! queue ! fakesink";
    let pipeline = gst::parse::launch(line)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let (probe, tee) = (pipeline.by_name("p").unwrap(), pipeline.by_name("t").unwrap());
    for _ in 0..5 {
        let sink = probe.request_pad_simple("audio_sink").expect("a pad for sound");
        let branch = tee.request_pad_simple("src_%u").expect("a branch");
        branch.link(&sink).unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        let came = move |_: &gst::Pad, _: &mut gst::PadProbeInfo| {
            // Nobody waits for more than one.
            let _ = sender.send(());
            gst::PadProbeReturn::Ok
        };
        sink.add_probe(gst::PadProbeType::BUFFER, came);
        receiver
            .recv_timeout(std::time::Duration::from_secs(20))
            .expect("sound comes");
        tee.release_request_pad(&branch);
        probe.release_request_pad(&sink);
    }
    let message = pipeline.bus().unwrap().pop_filtered(&[gst::MessageType::Error]);
    pipeline.set_state(gst::State::Null).unwrap();
    assert!(message.is_none(), "{message:?}");
}
