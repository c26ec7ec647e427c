//! A canvas whose bytes can be looked at.

use clockface::{Colorimetry, Face, FrameSpec, Picture, PixelFormat, Plane, Reading, Rect, Shown};

/// A plane's horizontal and vertical subsampling, and its bytes per sample.
pub type PlaneShape = (usize, usize, usize);

/// All formats with their planes.
pub const FORMATS: [(PixelFormat, &[PlaneShape]); 17] = [
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
pub struct Canvas {
    pub spec: FrameSpec,
    /// Each plane's bytes, bytes of a row that belong to the picture, and stride.
    pub planes: Vec<(Vec<u8>, usize, usize)>,
    pub shown: Shown,
}

impl Canvas {
    pub fn new(format: PixelFormat, width: usize, height: usize) -> Self {
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

    pub fn paint(&mut self, face: &mut Face, reading: &Reading) -> Vec<Rect> {
        let planes = self.planes.iter_mut().map(|(data, _, stride)| Plane {
            data,
            stride: *stride,
        });
        let mut picture = Picture::new(&self.spec, planes).unwrap();
        face.paint(&mut picture, &mut self.shown, reading)
            .unwrap()
            .to_vec()
    }

    pub fn pixels(&self) -> Vec<&[u8]> {
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

    pub fn luma(&self, x: usize, y: usize) -> u8 {
        let (data, _, stride) = &self.planes[0];
        data[y * stride + x]
    }
}
