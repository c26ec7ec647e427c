//! Rates that are no whole numbers: pictures fall on their fraction's grid, however slow.

use rtsp_clock_server::config::FrameRate;

use crate::common::{RtspClient, config, process, start};

/// What RTP's clock of pictures counts in a second.
const RTP_CLOCK: f64 = 90_000.0;

/// The RTP times of the first so many pictures that a viewer gets, from the first one on.
fn times(rate: FrameRate, pictures: usize) -> Vec<u32> {
    let mut config = config();
    config.streams[0].frames_per_second = rate;
    let server = start(&config);
    let mut viewer = RtspClient::watch(&server);
    let mut times = Vec::new();
    while times.len() < pictures {
        let packet = viewer.next_rtp();
        if packet.marker() {
            times.push(packet.rtp_time());
        }
    }
    times.iter().map(|time| time.wrapping_sub(times[0])).collect()
}

#[test]
fn pictures_are_a_whole_number_of_periods_apart() {
    for (numerator, denominator, pictures) in [(30_000, 1001, 20), (25, 2, 10), (1, 2, 3)] {
        let rate = FrameRate::new(numerator, denominator).expect("a rate");
        let times = times(rate, pictures);
        let period = RTP_CLOCK / rate.per_second();
        for time in &times[1..] {
            // Pictures that a busy machine has skipped are missing.
            let periods = (f64::from(*time) / period).round();
            let off = f64::from(*time) - periods * period;
            assert!(periods >= 1.0 && off.abs() <= 2.0, "{rate}: {times:?}");
        }
    }
}

#[test]
fn check_shows_the_fraction() {
    let run = process::command()
        .arg("--check")
        .env("RTSP_FPS", "29.97")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        said.contains("h264 640x480 at 30000/1001 frames a second"),
        "{said}"
    );
}
