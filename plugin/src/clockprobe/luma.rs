//! Which video formats can be read, and where their brightness is.

use clockface::Luma;
use gst_video::prelude::*;
use gst_video::{VideoFormat, VideoFormatFlags, VideoFormatInfo, VideoFrameRef};

/// A mapped frame.
type Frame<'a> = VideoFrameRef<&'a gst::BufferRef>;

/// The formats whose brightness can be read as one byte a pixel.
pub(super) fn formats() -> impl Iterator<Item = VideoFormat> {
    let readable = |format: &VideoFormat| component(VideoFormatInfo::from_format(*format)).is_some();
    gst_video::VIDEO_FORMATS_ALL.iter().copied().filter(readable)
}

/// The component that comes nearest to brightness: luma, or green, which is most of it.
fn component(format: VideoFormatInfo) -> Option<usize> {
    const UNREADABLE: VideoFormatFlags = VideoFormatFlags::COMPLEX
        .union(VideoFormatFlags::PALETTE)
        .union(VideoFormatFlags::TILED);
    let component = if format.is_rgb() {
        1
    } else if format.is_yuv() || format.is_gray() {
        0
    } else {
        return None;
    };
    let is_byte = format.depth().get(component) == Some(&8)
        && format.shift().get(component) == Some(&0)
        && format.w_sub().get(component) == Some(&0)
        && format.pixel_stride().get(component).is_some_and(|&step| step > 0);
    (is_byte && !format.flags().intersects(UNREADABLE)).then_some(component)
}

/// The brightness of a frame; `None` where there is none that can be read.
pub(super) fn luma<'a>(frame: &'a Frame<'_>) -> Option<Luma<'a>> {
    let format = frame.format_info();
    let component = component(format)?;
    let plane = *format.plane().get(component)?;
    let offset = usize::try_from(*format.poffset().get(component)?).ok()?;
    let stride = *frame.plane_stride().get(usize::try_from(plane).ok()?)?;
    Some(Luma {
        data: frame.plane_data(plane).ok()?.get(offset..)?,
        stride: usize::try_from(stride).ok()?,
        step: usize::try_from(*format.pixel_stride().get(component)?).ok()?,
        width: usize::try_from(frame.width()).ok()?,
        height: usize::try_from(frame.height()).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bit_formats_are_read_by_their_brightest_byte() {
        gst::init().unwrap();
        let component_of = |format| component(VideoFormatInfo::from_format(format));
        for format in [
            VideoFormat::I420,
            VideoFormat::Nv12,
            VideoFormat::Yuy2,
            VideoFormat::Uyvy,
            VideoFormat::Ayuv,
            VideoFormat::Gray8,
            VideoFormat::Y444,
        ] {
            assert_eq!(component_of(format), Some(0), "{format}");
        }
        for format in [
            VideoFormat::Rgb,
            VideoFormat::Bgrx,
            VideoFormat::Argb,
            VideoFormat::Gbr,
        ] {
            assert_eq!(component_of(format), Some(1), "{format}");
        }
        for format in [
            VideoFormat::I42010le,
            VideoFormat::Gray16Le,
            VideoFormat::Rgb16,
            VideoFormat::Rgb8p,
            VideoFormat::V210,
            VideoFormat::Nv1264z32,
            VideoFormat::Encoded,
            VideoFormat::Unknown,
        ] {
            assert_eq!(component_of(format), None, "{format}");
        }
    }

    #[test]
    fn the_brightness_of_each_format_lies_within_its_plane() {
        gst::init().unwrap();
        for format in formats() {
            let info = gst_video::VideoInfo::builder(format, 16, 8).build().unwrap();
            let buffer = gst::Buffer::with_size(info.size()).unwrap();
            let frame = VideoFrameRef::from_buffer_ref_readable(&buffer, &info).unwrap();
            let luma = luma(&frame).unwrap_or_else(|| panic!("{format} has no brightness"));
            assert_eq!((luma.width, luma.height), (16, 8), "{format}");
            let last = 7 * luma.stride + 15 * luma.step;
            assert!(last < luma.data.len(), "{format}: {last} of {}", luma.data.len());
        }
    }
}
