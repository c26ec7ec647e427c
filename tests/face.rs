//! What a face paints: the same picture whatever the canvas showed before, in every format.

#[allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part of it"
)]
#[path = "support/reader.rs"]
mod reader;

#[allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part of it"
)]
#[path = "support/canvas.rs"]
mod canvas;

use canvas::{Canvas, FORMATS};
use clockface::{
    Argb, Colorimetry, Corner, Face, FrameSpec, Luma, PixelFormat, Reading, Rect, Shown, Sighting,
    StampReader, Style, Wording, time_zone,
};
use jiff::{Timestamp, ToSpan};

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
        ..Reading::default()
    }
}

const CORNERS: [Corner; 4] = [
    Corner::TopLeft,
    Corner::TopRight,
    Corner::BottomLeft,
    Corner::BottomRight,
];

fn marked(corner: Corner) -> Style {
    Style {
        stamp: true,
        flash: true,
        corner,
        ..Style::default()
    }
}

#[track_caller]
fn assert_no_ghost(style: &Style, format: PixelFormat, (width, height): (usize, usize), steps: i64) {
    let mut kept = Canvas::new(format, width, height);
    let mut face = Face::new(kept.spec, style.clone(), wording());
    for step in 0..steps {
        let reading = reading(step * 97, u32::try_from(step / 5).unwrap());
        kept.paint(&mut face, &reading);
        let mut new = Canvas::new(format, width, height);
        new.paint(&mut Face::new(new.spec, style.clone(), wording()), &reading);
        assert!(
            kept.pixels() == new.pixels(),
            "{format:?} {width}x{height}: a ghost in step {step}"
        );
    }
}

#[test]
fn a_repainted_canvas_equals_a_new_one_in_every_format_and_at_odd_sizes() {
    for (format, _) in FORMATS {
        for size in [(32, 32), (161, 121), (320, 180)] {
            assert_no_ghost(&Style::default(), format, size, 60);
        }
    }
}

#[test]
fn a_repainted_canvas_with_stamp_and_flash_equals_a_new_one() {
    for ((format, _), corner) in FORMATS.into_iter().zip(CORNERS.into_iter().cycle()) {
        for size in [(161, 121), (321, 241), (77, 399)] {
            assert_no_ghost(&marked(corner), format, size, 14);
        }
    }
}

#[test]
fn the_rectangles_answered_hold_every_difference_to_the_frame_before() {
    for style in [Style::default(), marked(Corner::BottomLeft)] {
        let mut canvases = vec![Canvas::new(PixelFormat::Gray8, 321, 181); 3];
        let mut face = Face::new(canvases[0].spec, style, wording());
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
}

/// The stamp in a canvas, by one byte of each pixel that is neither padding nor alpha.
fn sighting(canvas: &Canvas) -> Option<Sighting> {
    let (data, row, stride) = &canvas.planes[0];
    let (width, height) = (canvas.spec.width(), canvas.spec.height());
    let step = row / width;
    StampReader::new().read(&Luma {
        data: &data[usize::from(step > 1)..],
        stride: *stride,
        step,
        width,
        height,
    })
}

#[test]
fn a_stamp_is_read_back_in_every_format_and_colour() {
    for (format, _) in FORMATS {
        let mut canvas = Canvas::new(format, 321, 243);
        let style = Style {
            foreground: Argb(0x80ff_0000),
            background: Argb(0x0000_ff00),
            ..marked(Corner::TopRight)
        };
        let mut face = Face::new(canvas.spec, style, wording());
        for step in 0..10 {
            let reading = Reading {
                stream: 42,
                run: u32::MAX - 1,
                frame: 1 << 33,
                ..reading(step * 40, 5)
            };
            canvas.paint(&mut face, &reading);
            let stamp = sighting(&canvas).unwrap_or_else(|| panic!("{format:?}")).stamp;
            assert_eq!(stamp.instant, reading.instant.as_microsecond(), "{format:?}");
            assert_eq!((stamp.frame, stamp.viewers), (1 << 33, 5), "{format:?}");
            assert_eq!((stamp.stream, stamp.run), (42, u32::MAX - 1), "{format:?}");
        }
    }
}

#[test]
fn the_stamp_is_opaque_and_nearly_black_on_white_whatever_the_style() {
    let mut canvas = Canvas::new(PixelFormat::Bgra, 320, 240);
    let full = Colorimetry {
        range: clockface::Range::Full,
        ..Colorimetry::default()
    };
    canvas.spec = FrameSpec::new(PixelFormat::Bgra, 320, 240, full).unwrap();
    let style = Style {
        background: Argb(0),
        ..marked(Corner::TopLeft)
    };
    canvas.paint(&mut Face::new(canvas.spec, style, wording()), &reading(0, 1));
    let (data, _, stride) = &canvas.planes[0];
    // 2 px a module, 4 modules of quiet zone: the finder's outer row is dark from 8 to 22, with light around.
    let pixel = |x: usize, y: usize| &data[y * stride + x * 4..][..4];
    let (dark, light) = ([0x18, 0x18, 0x18, 255], [0xe8, 0xe8, 0xe8, 255]);
    for (x, y, expected) in [
        (0, 0, light),
        (7, 8, light),
        (8, 8, dark),
        (21, 8, dark),
        (22, 8, light),
        (65, 65, light),
    ] {
        assert_eq!(pixel(x, y), expected, "at {x}, {y}");
    }
    assert_eq!(pixel(66, 66), [0, 0, 0, 0], "beyond the quiet zone");
}

#[test]
fn text_and_stamp_are_read_from_one_picture_in_every_corner_and_at_odd_sizes() {
    for (width, height) in [(321, 241), (640, 480), (399, 661), (1281, 331)] {
        for corner in CORNERS {
            let reader = reader::Reader::with_style(width, height, marked(corner));
            let mut canvas = Canvas::new(PixelFormat::Gray8, width, height);
            let look = Wording {
                time_zone: time_zone("UTC").unwrap(),
                ..Wording::default()
            };
            let mut face = Face::new(canvas.spec, marked(corner), look);
            for step in 0..6 {
                canvas.paint(&mut face, &reading(step * 333, 4));
                let (data, _, stride) = &canvas.planes[0];
                let said = reader.read(data, *stride);
                // The first reading is two seconds before ten.
                assert_eq!(
                    said.time_of_day,
                    35_998_000 + step * 333,
                    "{width}x{height} {corner:?}"
                );
                assert_eq!(said.viewers, 4, "{width}x{height} {corner:?}");
                let stamp = sighting(&canvas).expect("a stamp").stamp;
                assert_eq!(stamp.instant.rem_euclid(86_400_000_000) / 1000, said.time_of_day);
            }
        }
    }
}

#[test]
fn a_picture_too_small_for_a_stamp_has_none() {
    for (height, has) in [(164, false), (165, true)] {
        let mut canvas = Canvas::new(PixelFormat::Gray8, 320, height);
        let style = marked(Corner::TopRight);
        canvas.paint(&mut Face::new(canvas.spec, style, wording()), &reading(0, 1));
        assert_eq!(sighting(&canvas).is_some(), has, "{height} px high");
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
fn a_face_of_another_wording_or_style_shows_in_the_next_frame() {
    let mut canvas = Canvas::new(PixelFormat::Gray8, 320, 240);
    canvas.paint(&mut face(canvas.spec), &reading(0, 1));
    let before = canvas.pixels().concat();
    let mut relabelled = Face::new(
        canvas.spec,
        Style::default(),
        Wording {
            label: "Yard".to_owned(),
            ..wording()
        },
    );
    canvas.paint(&mut relabelled, &reading(0, 1));
    assert!(before != canvas.pixels().concat());
    let mut grey = Face::new(
        canvas.spec,
        Style {
            foreground: Argb(0xff80_8080),
            ..Style::default()
        },
        wording(),
    );
    canvas.paint(&mut grey, &reading(0, 1));
    assert!(canvas.pixels().concat().iter().all(|&luma| luma < 130));
}
