//! Shows what table and page look like, with a measurement that never took place:
//! `cargo run -p rtsp-clock-probe --example report -- page.html`.

#[path = "../tests/support/mod.rs"]
#[allow(
    dead_code,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "shared with the tests"
)]
mod support;

use anyhow::Context;
use clockface::{
    Colorimetry, Face, FrameSpec, Picture, PixelFormat, Plane, Reading, Shown, Style, Wording, time_zone,
};
use rtsp_clock_probe::figures::Still;
use rtsp_clock_probe::report;

const WIDTH: usize = 1280;
const HEIGHT: usize = 720;

fn main() -> anyhow::Result<()> {
    let path = std::env::args_os().nth(1).context("name the page to write")?;
    let (measurement, mut evidence) = support::example();
    for evidence in &mut evidence {
        evidence.still = Some(painted()?);
    }
    std::fs::write(path, report::html(&measurement, &evidence))?;
    print!("{}", report::table(&measurement));
    Ok(())
}

/// A frame as the camera would show it.
fn painted() -> anyhow::Result<Still> {
    let spec = FrameSpec::new(PixelFormat::Rgb, WIDTH, HEIGHT, Colorimetry::default())?;
    let mut rgb = vec![0; WIDTH * HEIGHT * 3];
    let plane = Plane {
        data: &mut rgb,
        stride: WIDTH * 3,
    };
    let reading = Reading {
        instant: "2026-01-01T00:00:12.04Z".parse()?,
        viewers: 2,
        frame: 4301,
        stream: 0,
        run: 0,
    };
    let wording = Wording {
        time_zone: time_zone("UTC")?,
        ..Wording::default()
    };
    let mut face = Face::new(spec, Style::default(), wording);
    face.paint(
        &mut Picture::new(&spec, [plane])?,
        &mut Shown::default(),
        &reading,
    )?;
    Ok(Still {
        width: u32::try_from(WIDTH)?,
        height: u32::try_from(HEIGHT)?,
        rgb,
    })
}
