//! `rtsp-clock-server`: an RTSP test camera whose picture is a clock.

fn main() {}
