//! A picture as PNG, small enough for a page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::figures::Still;

/// Wider pictures are made smaller, in px.
const WIDEST: usize = 1280;
/// Pictures that take more bytes than this as PNG are made smaller still: noise does not compress.
const LARGEST: usize = 600_000;
/// A picture is made smaller no more often than this.
const SMALLEST: usize = 16;

/// The picture as a `data:` URL; `None` where its bytes are not those of its size.
pub(super) fn data_url(still: &Still) -> Option<String> {
    let width = usize::try_from(still.width).ok()?;
    let height = usize::try_from(still.height).ok()?;
    if width == 0 || height == 0 || width.checked_mul(height)?.checked_mul(3)? != still.rgb.len() {
        return None;
    }
    let mut factor = width.div_ceil(WIDEST);
    let mut png = encoded(still, factor)?;
    while png.len() > LARGEST && factor < SMALLEST {
        factor += 1;
        png = encoded(still, factor)?;
    }
    Some(format!("data:image/png;base64,{}", STANDARD.encode(png)))
}

/// PNG of the picture, each pixel the mean of `factor` x `factor` ones.
fn encoded(still: &Still, factor: usize) -> Option<Vec<u8>> {
    let (width, height, rgb) = reduced(still, factor)?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&rgb).ok()?;
    writer.finish().ok()?;
    Some(bytes)
}

fn reduced(still: &Still, factor: usize) -> Option<(u32, u32, Vec<u8>)> {
    let stride = usize::try_from(still.width).ok()? * 3;
    let width = (stride / 3 / factor).max(1);
    let height = (usize::try_from(still.height).ok()? / factor).max(1);
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let pixel = |dx: usize, dy: usize| {
                    still
                        .rgb
                        .get((y * factor + dy) * stride + (x * factor + dx) * 3 + channel)
                        .copied()
                };
                let pixels = (0..factor).flat_map(|dy| (0..factor).filter_map(move |dx| pixel(dx, dy)));
                let (sum, count) = pixels.fold((0_u64, 0_u64), |(sum, count), value| {
                    (sum + u64::from(value), count + 1)
                });
                rgb.push(u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX));
            }
        }
    }
    Some((u32::try_from(width).ok()?, u32::try_from(height).ok()?, rgb))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(url: &str) -> (u32, u32, Vec<u8>) {
        let data = STANDARD
            .decode(url.strip_prefix("data:image/png;base64,").unwrap())
            .unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(data)).read_info().unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        (info.width, info.height, rgb)
    }

    #[test]
    fn a_small_picture_is_kept_as_it_is() {
        let still = Still {
            width: 2,
            height: 1,
            rgb: vec![1, 2, 3, 250, 251, 252],
        };
        assert_eq!(decoded(&data_url(&still).unwrap()), (2, 1, still.rgb));
    }

    #[test]
    fn a_wide_picture_is_made_smaller() {
        let still = Still {
            width: 2560,
            height: 2,
            rgb: [[0, 0, 0], [200, 100, 50]].concat().repeat(2560),
        };
        let (width, height, rgb) = decoded(&data_url(&still).unwrap());
        assert_eq!((width, height, &rgb[..3]), (1280, 1, &[100, 50, 25][..]));
    }

    #[test]
    fn bytes_that_do_not_fit_the_size_make_no_picture() {
        for (width, height, bytes) in [(2, 2, 11), (0, 0, 0), (u32::MAX, u32::MAX, 3)] {
            let rgb = vec![0; bytes];
            assert_eq!(data_url(&Still { width, height, rgb }), None);
        }
    }
}
