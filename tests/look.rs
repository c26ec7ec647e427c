//! What a style does to a face: where its text stands and how large it is, and what a logo looks like in each format.

#[allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part of it"
)]
#[path = "support/canvas.rs"]
mod canvas;

use std::path::PathBuf;

use canvas::{Canvas, FORMATS};
use strum::IntoEnumIterator as _;

use clockface::{
    Argb, Colorimetry, Corner, Face, FrameSpec, HorizontalAlignment, Logo, LogoStyle, PixelFormat, Reading,
    Share, Style, TimeFormat, VerticalAlignment, Wording, time_zone,
};

const CORNERS: [Corner; 4] = [
    Corner::TopLeft,
    Corner::TopRight,
    Corner::BottomLeft,
    Corner::BottomRight,
];
/// The background of GRAY8 in the default style.
const BLACK: u8 = 16;

fn wording() -> Wording {
    Wording {
        time_zone: time_zone("UTC").unwrap(),
        label: "Camera 1".to_owned(),
        ..Wording::default()
    }
}

fn reading(milliseconds: i64) -> Reading {
    Reading {
        instant: jiff::Timestamp::from_millisecond(1_767_261_598_000 + milliseconds).unwrap(),
        viewers: 3,
        ..Reading::default()
    }
}

fn painted(format: PixelFormat, (width, height): (usize, usize), style: &Style, wording: Wording) -> Canvas {
    let mut canvas = Canvas::new(format, width, height);
    if canvas.planes[0].1 >= 3 * width {
        let full = Colorimetry {
            range: clockface::Range::Full,
            ..Colorimetry::default()
        };
        canvas.spec = FrameSpec::new(format, width, height, full).unwrap();
    }
    canvas.paint(&mut Face::new(canvas.spec, style.clone(), wording), &reading(0));
    canvas
}

/// Columns and rows from the first to the last with ink, and the number of bands of rows with ink.
#[derive(Debug)]
struct Ink {
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
    bands: usize,
}

fn ink((width, height): (usize, usize), style: &Style, wording: Wording) -> Ink {
    let canvas = painted(PixelFormat::Gray8, (width, height), style, wording);
    let is_ink = |x: usize, y: usize| canvas.luma(x, y) > BLACK;
    let columns: Vec<usize> = (0..width)
        .filter(|&x| (0..height).any(|y| is_ink(x, y)))
        .collect();
    let rows: Vec<usize> = (0..height)
        .filter(|&y| (0..width).any(|x| is_ink(x, y)))
        .collect();
    Ink {
        left: columns[0],
        right: columns[columns.len() - 1] + 1,
        top: rows[0],
        bottom: rows[rows.len() - 1] + 1,
        bands: 1 + rows.windows(2).filter(|pair| pair[1] > pair[0] + 1).count(),
    }
}

/// A PNG file of RGBA pixels, gone when dropped.
struct File(PathBuf);

impl File {
    fn new(name: &str, width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) -> Self {
        let path = std::env::temp_dir().join(format!("clockface-{}-{name}.png", std::process::id()));
        let mut encoder = png::Encoder::new(std::fs::File::create(&path).unwrap(), width, height);
        encoder.set_color(png::ColorType::Rgba);
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let data: Vec<u8> = pixels.flat_map(|(x, y)| pixel(x, y)).collect();
        encoder.write_header().unwrap().write_image_data(&data).unwrap();
        Self(path)
    }

    fn style(&self, corner: Corner, scale: f64) -> LogoStyle {
        LogoStyle {
            logo: Logo::open(&self.0).unwrap(),
            corner,
            scale: Share::new(scale),
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn text_stands_where_the_alignment_says() {
    let size = (641, 481);
    for horizontal in HorizontalAlignment::iter() {
        for vertical in VerticalAlignment::iter() {
            let style = Style {
                text_scale: Share::new(0.4),
                horizontal,
                vertical,
                ..Style::default()
            };
            let ink = ink(size, &style, wording());
            let place =
                |before: usize, after: usize, [start, end]: [&'static str; 2]| match before.abs_diff(after) {
                    0..=40 => "center",
                    _ if before < 40 => start,
                    _ if after < 40 => end,
                    _ => panic!("{before} px before and {after} px after"),
                };
            let seen = place(ink.left, size.0 - ink.right, ["left", "right"]);
            assert_eq!(seen, horizontal.to_string(), "{ink:?}");
            let seen = place(ink.top, size.1 - ink.bottom, ["top", "bottom"]);
            assert_eq!(seen, vertical.to_string(), "{ink:?}");
        }
    }
}

#[test]
fn aligned_text_goes_to_its_own_edge_beside_a_stamp() {
    let style = Style {
        stamp: true,
        corner: Corner::TopRight,
        text_scale: Share::new(0.3),
        horizontal: HorizontalAlignment::Left,
        vertical: VerticalAlignment::Top,
        ..Style::default()
    };
    let canvas = painted(PixelFormat::Gray8, (640, 480), &style, wording());
    let above = (0..60).flat_map(|y| (0..200).map(move |x| (x, y)));
    assert!(
        above.into_iter().any(|(x, y)| canvas.luma(x, y) > 200),
        "no text at the top"
    );
}

#[test]
fn the_scale_of_the_text_is_that_of_its_size() {
    for font in ["monospace bold", "sans 40px"] {
        let height = |scale: f64| {
            let style = Style {
                font: font.to_owned(),
                text_scale: Share::new(scale),
                ..Style::default()
            };
            let ink = ink((640, 480), &style, wording());
            i64::try_from(ink.bottom - ink.top).unwrap()
        };
        let whole = height(1.0);
        for (scale, part) in [(0.5, whole / 2), (0.25, whole / 4)] {
            assert!(
                (height(scale) - part).abs() <= 8,
                "{font} at {scale}: {} of {whole}",
                height(scale)
            );
        }
    }
}

#[test]
fn every_text_may_have_several_lines() {
    let lines = |label: &str, time: &str, clients: &str| {
        let wording = Wording {
            label: label.to_owned(),
            time_format: TimeFormat::new(time).unwrap(),
            clients_format: clients.to_owned(),
            ..wording()
        };
        ink((640, 480), &Style::default(), wording).bands
    };
    assert_eq!(lines("A", "%H", ""), 2);
    assert_eq!(lines("A\nB", "%H", ""), 3);
    assert_eq!(lines("A\r\nB", "%F%n%H", "{}\n{}\n{}"), 7);
    assert_eq!(lines("A\n\nB\n", "%H", ""), 3);
    assert_eq!(lines("", "%n", "A"), 1);
    assert_eq!(lines(&"A\n".repeat(200), "", ""), 16);
}

#[test]
fn digits_in_several_lines_are_repainted_where_they_stand() {
    let several = || Wording {
        label: "Camera 1\nYard 22".to_owned(),
        time_format: TimeFormat::new("%F%n%T%.3f").unwrap(),
        clients_format: "{} here\n{} there".to_owned(),
        ..wording()
    };
    let mut kept = Canvas::new(PixelFormat::Nv12, 321, 241);
    let mut face = Face::new(kept.spec, Style::default(), several());
    for step in 0..30 {
        let reading = Reading {
            viewers: u32::try_from(step).unwrap(),
            ..reading(step * 7_777_777)
        };
        kept.paint(&mut face, &reading);
        let mut new = Canvas::new(PixelFormat::Nv12, 321, 241);
        new.paint(&mut Face::new(new.spec, Style::default(), several()), &reading);
        assert!(kept.pixels() == new.pixels(), "a ghost in step {step}");
    }
}

/// Full-range RGB, or limited-range BT.601, by the formulas of the standard.
fn sample(format: PixelFormat, [red, green, blue]: [f64; 3]) -> Vec<Vec<f64>> {
    let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    let y = 16.0 + luma * 219.0 / 255.0;
    let u = 128.0 + (blue - luma) / 1.772 * 224.0 / 255.0;
    let v = 128.0 + (red - luma) / 1.402 * 224.0 / 255.0;
    match format {
        PixelFormat::I420 => vec![vec![y], vec![u], vec![v]],
        PixelFormat::Nv12 => vec![vec![y], vec![u, v]],
        PixelFormat::Rgb => vec![vec![red, green, blue]],
        PixelFormat::Bgrx => vec![vec![blue, green, red, 255.0]],
        other => panic!("{other:?}"),
    }
}

/// The bytes of the sample behind a pixel, plane by plane.
fn samples(canvas: &Canvas, x: usize, y: usize) -> Vec<Vec<u8>> {
    let (width, height) = (canvas.spec.width(), canvas.spec.height());
    let planes = canvas.planes.iter();
    planes
        .map(|(data, row, stride)| {
            let halves = |part: usize, whole: usize| usize::from(part < whole);
            let down = halves(data.len() / stride, height);
            let columns = if down == 1 { width.div_ceil(2) } else { width };
            let bytes = row / columns;
            data[(y >> down) * stride + (x >> down) * bytes..][..bytes].to_vec()
        })
        .collect()
}

#[test]
fn a_logo_is_blended_over_the_background_with_its_alpha() {
    let background = [32.0, 64.0, 192.0];
    // A third opaque orange, a third half of it, a third clear.
    let file = File::new("blend", 96, 32, |x, _| match x / 32 {
        0 => [255, 128, 0, 255],
        1 => [255, 128, 0, 128],
        _ => [255, 255, 255, 0],
    });
    for format in [
        PixelFormat::I420,
        PixelFormat::Nv12,
        PixelFormat::Rgb,
        PixelFormat::Bgrx,
    ] {
        for (width, height) in [(640, 480), (641, 481)] {
            let style = Style {
                background: Argb(0xff20_40c0),
                logo: Some(file.style(Corner::TopLeft, 0.1)),
                ..Style::default()
            };
            let canvas = painted(format, (width, height), &style, wording());
            // 48 px high, 144 px wide, at 480 / 32 = 15, made even.
            for (x, cover) in [(14 + 24, 1.0), (14 + 72, 128.0 / 255.0), (14 + 120, 0.0)] {
                let mix = |fore: f64, back: f64| fore * cover + back * (1.0 - cover);
                let color = [
                    mix(255.0, background[0]),
                    mix(128.0, background[1]),
                    mix(0.0, background[2]),
                ];
                let expected = sample(format, color).concat();
                let found = samples(&canvas, x, 38).concat();
                let close = expected
                    .iter()
                    .zip(&found)
                    .all(|(a, &b)| (a - f64::from(b)).abs() <= 1.5);
                assert!(
                    close,
                    "{format:?} {width}x{height} at {x}: {found:?}, not {expected:?}"
                );
            }
            assert_eq!(
                samples(&canvas, 14 + 120, 38),
                samples(&canvas, 0, 0),
                "{format:?}: clear is not clear"
            );
        }
    }
}

#[test]
fn alpha_of_background_and_logo_is_kept_straight_where_the_format_has_it() {
    let file = File::new("straight", 8, 8, |_, _| [200, 100, 0, 128]);
    let pixel = |format: PixelFormat, background: u32| {
        let style = Style {
            background: Argb(background),
            logo: Some(file.style(Corner::TopLeft, 0.2)),
            ..Style::default()
        };
        let canvas = painted(format, (320, 240), &style, wording());
        [samples(&canvas, 0, 0).concat(), samples(&canvas, 24, 24).concat()]
    };
    let near = |found: &[u8], expected: [u8; 4]| found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 2);
    let [corner, logo] = pixel(PixelFormat::Rgba, 0);
    assert!(
        near(&corner, [0; 4]) && near(&logo, [200, 100, 0, 128]),
        "{corner:?} {logo:?}"
    );
    let [corner, logo] = pixel(PixelFormat::Rgba, 0x8000_00ff);
    // A half over a half: 128 + 128 * 127 / 255 = 192, two thirds of it the logo's.
    assert!(near(&corner, [0, 0, 255, 128]), "{corner:?}");
    assert!(near(&logo, [133, 67, 85, 192]), "{logo:?}");
    let [corner, logo] = pixel(PixelFormat::Rgbx, 0x8000_00ff);
    assert!(
        near(&corner, [0, 0, 128, 255]) && near(&logo, [100, 50, 64, 255]),
        "{corner:?} {logo:?}"
    );
}

#[test]
fn a_repainted_canvas_with_a_logo_equals_a_new_one_in_every_format_and_at_any_size() {
    let files = [
        File::new("wide", 4000, 30, |x, _| [255, x.to_be_bytes()[3], 0, 200]),
        File::new("high", 7, 3000, |_, y| [0, y.to_be_bytes()[3], 255, 90]),
        File::new("dot", 1, 1, |_, _| [255, 255, 255, 255]),
    ];
    for (index, ((format, _), corner)) in FORMATS.into_iter().zip(CORNERS.into_iter().cycle()).enumerate() {
        for (width, height) in [(1, 1), (33, 35), (161, 121), (320, 241), (77, 399)] {
            let style = Style {
                stamp: true,
                flash: index % 2 == 0,
                logo: Some(files[index % 3].style(corner, 1.0)),
                ..Style::default()
            };
            let mut kept = Canvas::new(format, width, height);
            let mut face = Face::new(kept.spec, style.clone(), wording());
            for step in 0..4 {
                kept.paint(&mut face, &reading(step * 97));
                let mut new = Canvas::new(format, width, height);
                new.paint(
                    &mut Face::new(new.spec, style.clone(), wording()),
                    &reading(step * 97),
                );
                assert!(
                    kept.pixels() == new.pixels(),
                    "{format:?} {width}x{height}: a ghost in step {step}"
                );
            }
        }
    }
}

#[test]
fn another_logo_of_that_size_changes_no_pixel_elsewhere() {
    let [white, grey] = [255, 99].map(|level| {
        File::new(&format!("of{level}"), 20, 10, move |_, _| {
            [level, level, level, 255]
        })
    });
    for corner in CORNERS {
        let style = |file: &File| Style {
            logo: Some(file.style(corner, 0.2)),
            ..Style::default()
        };
        let mut canvas = Canvas::new(PixelFormat::Gray8, 320, 240);
        let mut face = Face::new(canvas.spec, style(&white), wording());
        canvas.paint(&mut face, &reading(0));
        let before = canvas.clone();
        let mut face = Face::new(canvas.spec, style(&grey), wording());
        canvas.paint(&mut face, &reading(0));
        let pixels = (0..240).flat_map(|y| (0..320).map(move |x| (x, y)));
        let changed: Vec<(usize, usize)> = pixels
            .filter(|&(x, y)| canvas.luma(x, y) != before.luma(x, y))
            .collect();
        assert_eq!(changed.len(), 96 * 48, "{corner:?}");
        let right = matches!(corner, Corner::TopRight | Corner::BottomRight);
        let bottom = matches!(corner, Corner::BottomLeft | Corner::BottomRight);
        assert!(
            changed
                .iter()
                .all(|&(x, y)| (x >= 160) == right && (y >= 120) == bottom),
            "{corner:?}"
        );
    }
}
