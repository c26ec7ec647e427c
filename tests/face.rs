//! What a face paints: the same picture whatever the canvas showed before, in every format.

use clockface::{
    Argb, Colorimetry, Face, FrameSpec, Picture, PixelFormat, Plane, Reading, Rect, Shown, Style, Wording,
    time_zone,
};
use jiff::{Timestamp, ToSpan};

/// A plane's horizontal and vertical subsampling, and its bytes per sample.
type PlaneShape = (usize, usize, usize);

const FORMATS: [(PixelFormat, &[PlaneShape]); 17] = [
    (PixelFormat::I420, &[(1, 1, 1), (2, 2, 1), (2, 2, 1)]),
    (PixelFormat::Yv12, &[(1, 1, 1), (2, 2, 1), (2, 2, 1)]),
    (PixelFormat::Nv12, &[(1, 1, 1), (2, 2, 2)]),
    (PixelFormat::Nv21, &[(1, 1, 1), (2, 2, 2)]),
    (PixelFormat::Y42b, &[(1, 1, 1), (2, 1, 1), (2, 1, 1)]),
    (PixelFormat::Y444, &[(1, 1, 1), (1, 1, 1), (1, 1, 1)]),
    (PixelFormat::Gray8, &[(1, 1, 1)]),
    (PixelFormat::Rgbx, &[(1, 1, 4)]),
    (PixelFormat::Xrgb, &[(1, 1, 4)]),
    (PixelFormat::Bgrx, &[(1, 1, 4)]),
    (PixelFormat::Xbgr, &[(1, 1, 4)]),
    (PixelFormat::Rgba, &[(1, 1, 4)]),
    (PixelFormat::Bgra, &[(1, 1, 4)]),
    (PixelFormat::Argb, &[(1, 1, 4)]),
    (PixelFormat::Abgr, &[(1, 1, 4)]),
    (PixelFormat::Rgb, &[(1, 1, 3)]),
    (PixelFormat::Bgr, &[(1, 1, 3)]),
];

const PADDING: usize = 5;
const UNTOUCHED: u8 = 0xa5;

/// A canvas whose rows have padding, and which must never be painted outside its picture.
#[derive(Clone)]
struct Canvas {
    spec: FrameSpec,
    /// Each plane's bytes, bytes of a row that belong to the picture, and stride.
    planes: Vec<(Vec<u8>, usize, usize)>,
    shown: Shown,
}

impl Canvas {
    fn new(format: PixelFormat, width: usize, height: usize) -> Self {
        let (_, shapes) = FORMATS
            .iter()
            .find(|(candidate, _)| *candidate == format)
            .unwrap();
        let plane = |&(across, down, bytes): &(usize, usize, usize)| {
            let row = width.div_ceil(across) * bytes;
            (
                vec![UNTOUCHED; (row + PADDING) * height.div_ceil(down)],
                row,
                row + PADDING,
            )
        };
        let spec = FrameSpec::new(format, width, height, Colorimetry::default()).unwrap();
        Self {
            spec,
            planes: shapes.iter().map(plane).collect(),
            shown: Shown::default(),
        }
    }

    fn paint(&mut self, face: &mut Face, reading: &Reading) -> Vec<Rect> {
        let planes = self.planes.iter_mut().map(|(data, _, stride)| Plane {
            data,
            stride: *stride,
        });
        let mut picture = Picture::new(&self.spec, planes).unwrap();
        face.paint(&mut picture, &mut self.shown, reading)
            .unwrap()
            .to_vec()
    }

    fn pixels(&self) -> Vec<&[u8]> {
        let rows = |(data, row, stride): &'_ (Vec<u8>, usize, usize)| {
            data.chunks(*stride)
                .map(|line| line.len().min(*row))
                .collect::<Vec<_>>()
        };
        let mut pixels = Vec::new();
        for plane in &self.planes {
            for (line, length) in plane.0.chunks(plane.2).zip(rows(plane)) {
                assert!(
                    line[length..].iter().all(|&byte| byte == UNTOUCHED),
                    "padding was painted"
                );
                pixels.push(&line[..length]);
            }
        }
        pixels
    }

    fn luma(&self, x: usize, y: usize) -> u8 {
        let (data, _, stride) = &self.planes[0];
        data[y * stride + x]
    }
}

fn wording() -> Wording {
    Wording {
        time_zone: time_zone("UTC").unwrap(),
        label: "Camera 1".to_owned(),
        ..Wording::default()
    }
}

fn face(spec: FrameSpec) -> Face {
    Face::new(spec, Style::default(), wording())
}

fn reading(milliseconds: i64, viewers: u32) -> Reading {
    let start: Timestamp = "2026-01-01T09:59:58.000Z".parse().unwrap();
    Reading {
        instant: start + milliseconds.milliseconds(),
        viewers,
        frame: 0,
    }
}

#[test]
fn a_repainted_canvas_equals_a_new_one_in_every_format_and_at_odd_sizes() {
    for (format, _) in FORMATS {
        for (width, height) in [(32, 32), (161, 121), (320, 180)] {
            let mut kept = Canvas::new(format, width, height);
            let mut face = face(kept.spec);
            for step in 0..60 {
                let reading = reading(step * 97, u32::try_from(step / 5).unwrap());
                kept.paint(&mut face, &reading);
                let mut new = Canvas::new(format, width, height);
                new.paint(&mut self::face(new.spec), &reading);
                assert!(
                    kept.pixels() == new.pixels(),
                    "{format:?} {width}x{height}: a ghost in step {step}"
                );
            }
        }
    }
}

#[test]
fn the_rectangles_answered_hold_every_difference_to_the_frame_before() {
    let mut canvases = vec![Canvas::new(PixelFormat::Gray8, 321, 181); 3];
    let mut face = face(canvases[0].spec);
    let mut before: Option<Canvas> = None;
    for step in 0..50 {
        let canvas = &mut canvases[step % 3];
        let rects = canvas.paint(&mut face, &reading(i64::try_from(step).unwrap() * 40, 7));
        if let Some(before) = &before {
            let inside = |x, y| {
                rects
                    .iter()
                    .any(|r| (r.x..r.x + r.width).contains(&x) && (r.y..r.y + r.height).contains(&y))
            };
            for (x, y) in (0..181).flat_map(|y| (0..321).map(move |x| (x, y))) {
                assert!(
                    canvas.luma(x, y) == before.luma(x, y) || inside(x, y),
                    "step {step}: {x}, {y}"
                );
            }
            let area: usize = rects.iter().map(|r| r.width * r.height).sum();
            assert!(area < 321 * 181 / 4, "step {step} answers {area} px");
        }
        before = Some(canvas.clone());
    }
}

#[test]
fn nothing_but_the_digits_own_places_differs_from_one_time_to_another() {
    let (width, height) = (640, 480);
    let midnight = -(9 * 3600 + 59 * 60 + 58) * 1000;
    let mut canvas = Canvas::new(PixelFormat::Gray8, width, height);
    let mut face = face(canvas.spec);
    canvas.paint(&mut face, &reading(midnight, 1));
    let ones = reading(midnight + ((11 * 60 + 11) * 60 + 11) * 1000 + 111, 1);
    let places = canvas.paint(&mut face, &ones);
    assert_eq!(places.len(), 9, "{places:?}");
    let new = |reading: &Reading| {
        let mut canvas = Canvas::new(PixelFormat::Gray8, width, height);
        canvas.paint(&mut self::face(canvas.spec), reading);
        canvas
    };
    let (zeros, ones) = (new(&reading(midnight, 1)), new(&ones));
    for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
        let inside = |r: &Rect| (r.x..r.x + r.width).contains(&x) && (r.y..r.y + r.height).contains(&y);
        assert!(
            zeros.luma(x, y) == ones.luma(x, y) || places.iter().any(inside),
            "{x}, {y} moved"
        );
    }
}

/// The first sample of each plane in the colour 0x2040c0: BT.601 in limited range, RGB in full range.
const BLUISH: [(PixelFormat, &[&[u8]]); 17] = [
    (PixelFormat::I420, &[&[75], &[189], &[105]]),
    (PixelFormat::Yv12, &[&[75], &[105], &[189]]),
    (PixelFormat::Nv12, &[&[75], &[189, 105]]),
    (PixelFormat::Nv21, &[&[75], &[105, 189]]),
    (PixelFormat::Y42b, &[&[75], &[189], &[105]]),
    (PixelFormat::Y444, &[&[75], &[189], &[105]]),
    (PixelFormat::Gray8, &[&[75]]),
    (PixelFormat::Rgbx, &[&[0x20, 0x40, 0xc0, 0xff]]),
    (PixelFormat::Xrgb, &[&[0xff, 0x20, 0x40, 0xc0]]),
    (PixelFormat::Bgrx, &[&[0xc0, 0x40, 0x20, 0xff]]),
    (PixelFormat::Xbgr, &[&[0xff, 0xc0, 0x40, 0x20]]),
    (PixelFormat::Rgba, &[&[0x20, 0x40, 0xc0, 0xff]]),
    (PixelFormat::Bgra, &[&[0xc0, 0x40, 0x20, 0xff]]),
    (PixelFormat::Argb, &[&[0xff, 0x20, 0x40, 0xc0]]),
    (PixelFormat::Abgr, &[&[0xff, 0xc0, 0x40, 0x20]]),
    (PixelFormat::Rgb, &[&[0x20, 0x40, 0xc0]]),
    (PixelFormat::Bgr, &[&[0xc0, 0x40, 0x20]]),
];

#[test]
fn each_format_has_its_bytes_where_they_belong() {
    for (format, expected) in BLUISH {
        let mut canvas = Canvas::new(format, 160, 120);
        let is_rgb = expected[0].len() >= 3;
        if is_rgb {
            let full = Colorimetry {
                range: clockface::Range::Full,
                ..Colorimetry::default()
            };
            canvas.spec = FrameSpec::new(format, 160, 120, full).unwrap();
        }
        for (foreground, background) in [(0xff00_0000, 0xff20_40c0), (0xff20_40c0, 0xff00_0000)] {
            let style = Style {
                foreground: Argb(foreground),
                background: Argb(background),
                ..Style::default()
            };
            canvas.shown = Shown::default();
            canvas.paint(&mut Face::new(canvas.spec, style, wording()), &reading(0, 1));
            let corner = background == 0xff20_40c0;
            for ((data, _, _), sample) in canvas.planes.iter().zip(expected) {
                if corner {
                    assert_eq!(&data[..sample.len()], *sample, "{format:?}");
                } else {
                    assert!(
                        data.chunks(sample.len()).any(|found| found == *sample),
                        "{format:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn hidden_lines_leave_no_ink_and_hostile_text_is_only_text() {
    let spec = FrameSpec::new(PixelFormat::Gray8, 320, 240, Colorimetry::default()).unwrap();
    let nothing = Wording {
        time_format: clockface::TimeFormat::new("").unwrap(),
        clients_format: String::new(),
        label: String::new(),
        ..wording()
    };
    let mut canvas = Canvas::new(PixelFormat::Gray8, 320, 240);
    canvas.paint(&mut Face::new(spec, Style::default(), nothing), &reading(0, 1));
    assert!(canvas.pixels().concat().iter().all(|&luma| luma == 16));
    for text in [
        "<b>&amp;\"!'\\</b>",
        "שלום 12 עולם",
        "e\u{301}\u{327}",
        "a\nb\tc\u{7f}",
        "\u{202e}\u{1f600}",
    ] {
        let label = Wording {
            label: text.repeat(40),
            ..wording()
        };
        canvas.shown = Shown::default();
        canvas.paint(&mut Face::new(spec, Style::default(), label), &reading(0, 1));
        assert!(
            canvas.pixels().concat().iter().any(|&luma| luma > 200),
            "{text:?}"
        );
    }
}

#[test]
fn a_change_of_wording_or_style_shows_in_the_next_frame() {
    let mut canvas = Canvas::new(PixelFormat::Gray8, 320, 240);
    let mut face = face(canvas.spec);
    canvas.paint(&mut face, &reading(0, 1));
    let before = canvas.pixels().concat();
    face.restyle(
        Style::default(),
        Wording {
            label: "Yard".to_owned(),
            ..wording()
        },
    );
    canvas.paint(&mut face, &reading(0, 1));
    let relabelled = canvas.pixels().concat();
    assert!(before != relabelled);
    face.restyle(
        Style {
            foreground: Argb(0xff80_8080),
            ..Style::default()
        },
        wording(),
    );
    canvas.paint(&mut face, &reading(0, 1));
    assert!(canvas.pixels().concat().iter().all(|&luma| luma < 130));
}
