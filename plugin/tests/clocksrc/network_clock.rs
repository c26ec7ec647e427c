//! A pipeline that runs by a network's clock tells that clock's time.

use gst::prelude::*;

/// 2040-01-01T00:00:00Z, in seconds since 1900 and since 1970.
const NTP: u64 = 4_417_977_600;
const UNIX: u64 = 2_208_988_800;
const PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(30);

#[test]
fn frames_tell_the_time_of_the_pipelines_ntp_clock() {
    gst::init().unwrap();
    gstclocksrc::register_static().unwrap();
    // Nobody answers there, so that it goes on from the time it is given.
    let clock = gst_net::NtpClock::new(None, "127.0.0.1", 1, gst::ClockTime::from_seconds(NTP));
    clock.set_synced(true);
    let line = "clocksrc phase=7 ! video/x-raw,width=64,height=64,framerate=50/1 ! appsink name=sink";
    let pipeline = gst::parse::launch(line)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    pipeline.use_clock(Some(&clock));
    let sink = pipeline.by_name("sink").unwrap();
    let sink = sink.downcast::<gst_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let unix = gst::Caps::new_empty_simple("timestamp/x-unix");
    for _ in 0..10 {
        let sample = sink.try_pull_sample(PATIENCE).expect("a frame");
        let buffer = sample.buffer().unwrap();
        let mut metas = buffer.iter_meta::<gst::ReferenceTimestampMeta>();
        let told = metas.find(|meta| meta.reference() == &*unix).unwrap().timestamp();
        let of_pts = pipeline.base_time().unwrap() + buffer.pts().unwrap();
        assert_eq!(told + gst::ClockTime::from_seconds(NTP - UNIX), of_pts);
        assert_eq!(told.nseconds() % 20_000_000, 7, "on the grid: {told}");
        assert!(told.seconds() - UNIX < 60, "{told}");
    }
    pipeline.set_state(gst::State::Null).unwrap();
}
