//! The video formats of `clocksrc`, and what their caps mean to a face.

use clockface::{Colorimetry, FrameSpec, Matrix, PixelFormat, Range};

/// What `clocksrc` makes where downstream does not care.
const WIDTH: i32 = 640;
const HEIGHT: i32 = 480;
const FRAMERATE: gst::Fraction = gst::Fraction::new_raw(15, 1);
/// Above it, milliseconds could not tell frames apart.
const MAX_FRAMERATE: gst::Fraction = gst::Fraction::new_raw(1000, 1);
const MAX_SIDE: i32 = 32_767;
const _: () = assert!(clockface::mask::MAX_SIDE == MAX_SIDE.unsigned_abs() as usize);

/// Formats in the order of preference: the encoders' own first, and grey, in which colours are gone, last.
const FORMATS: [(gst_video::VideoFormat, PixelFormat); 17] = [
    (gst_video::VideoFormat::I420, PixelFormat::I420),
    (gst_video::VideoFormat::Nv12, PixelFormat::Nv12),
    (gst_video::VideoFormat::Yv12, PixelFormat::Yv12),
    (gst_video::VideoFormat::Nv21, PixelFormat::Nv21),
    (gst_video::VideoFormat::Y42b, PixelFormat::Y42b),
    (gst_video::VideoFormat::Y444, PixelFormat::Y444),
    (gst_video::VideoFormat::Rgbx, PixelFormat::Rgbx),
    (gst_video::VideoFormat::Xrgb, PixelFormat::Xrgb),
    (gst_video::VideoFormat::Bgrx, PixelFormat::Bgrx),
    (gst_video::VideoFormat::Xbgr, PixelFormat::Xbgr),
    (gst_video::VideoFormat::Rgba, PixelFormat::Rgba),
    (gst_video::VideoFormat::Bgra, PixelFormat::Bgra),
    (gst_video::VideoFormat::Argb, PixelFormat::Argb),
    (gst_video::VideoFormat::Abgr, PixelFormat::Abgr),
    (gst_video::VideoFormat::Rgb, PixelFormat::Rgb),
    (gst_video::VideoFormat::Bgr, PixelFormat::Bgr),
    (gst_video::VideoFormat::Gray8, PixelFormat::Gray8),
];

/// All that can be made.
pub(super) fn caps() -> gst::Caps {
    gst_video::VideoCapsBuilder::new()
        .format_list(FORMATS.map(|(format, _)| format))
        .width_range(1..=MAX_SIDE)
        .height_range(1..=MAX_SIDE)
        .framerate_range(gst::Fraction::new(1, i32::MAX)..=MAX_FRAMERATE)
        .build()
}

/// Chooses the format that is preferred among all that are offered, the first structure that has it, and in that what
/// is closest to the usual.
///
/// The order of an offer says nothing of what is wanted: x264enc begins with Y444, which few can play, and a converter
/// in front of an encoder takes everything.
pub(super) fn fixate(caps: &mut gst::Caps) {
    if let Some(preferred) = preferred(caps) {
        *caps = preferred;
    }
    caps.truncate();
    if let Some(structure) = caps.make_mut().structure_mut(0) {
        structure.fixate_field_nearest_int("width", WIDTH);
        structure.fixate_field_nearest_int("height", HEIGHT);
        structure.fixate_field_nearest_fraction("framerate", FRAMERATE);
        if structure.has_field("pixel-aspect-ratio") {
            structure.fixate_field_nearest_fraction("pixel-aspect-ratio", gst::Fraction::new(1, 1));
        }
        if structure.has_field("interlace-mode") {
            structure.fixate_field_str("interlace-mode", "progressive");
        }
    }
}

/// The part of the caps that has the first of [`FORMATS`] that they allow; `None` if they allow none.
fn preferred(caps: &gst::Caps) -> Option<gst::Caps> {
    let with = |format: gst_video::VideoFormat| {
        let wanted = gst::Caps::builder("video/x-raw")
            .any_features()
            .field("format", format.to_str())
            .build();
        caps.intersect_with_mode(&wanted, gst::CapsIntersectMode::First)
    };
    let mut allowed = FORMATS.iter().map(|(format, _)| with(*format));
    allowed.find(|caps| !caps.is_empty())
}

/// What a face needs to know of the caps; `None` for what it cannot paint.
pub(super) fn frame_spec(info: &gst_video::VideoInfo) -> Option<FrameSpec> {
    let (_, format) = *FORMATS.iter().find(|(format, _)| *format == info.format())?;
    let (width, height) = (
        usize::try_from(info.width()).ok()?,
        usize::try_from(info.height()).ok()?,
    );
    FrameSpec::new(format, width, height, colorimetry(info)).ok()
}

fn colorimetry(info: &gst_video::VideoInfo) -> Colorimetry {
    let colorimetry = info.colorimetry();
    let matrix = match colorimetry.matrix() {
        gst_video::VideoColorMatrix::Bt709 => Matrix::BT709,
        gst_video::VideoColorMatrix::Fcc => Matrix { kr: 0.30, kb: 0.11 },
        gst_video::VideoColorMatrix::Smpte240m => Matrix { kr: 0.212, kb: 0.087 },
        gst_video::VideoColorMatrix::Bt2020 => Matrix {
            kr: 0.2627,
            kb: 0.0593,
        },
        _ => Matrix::BT601,
    };
    let range = match colorimetry.range() {
        gst_video::VideoColorRange::Range0_255 => Range::Full,
        gst_video::VideoColorRange::Range16_235 => Range::Limited,
        _ if info.is_rgb() || info.is_gray() => Range::Full,
        _ => Range::Limited,
    };
    Colorimetry { matrix, range }
}
