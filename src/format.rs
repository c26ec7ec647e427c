//! Pixel formats, and the planes of each.

/// Pixel formats that are painted directly; the names are GStreamer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are GStreamer's own")]
pub enum PixelFormat {
    I420,
    Yv12,
    Nv12,
    Nv21,
    Y42b,
    Y444,
    Gray8,
    Rgbx,
    Xrgb,
    Bgrx,
    Xbgr,
    Rgba,
    Bgra,
    Argb,
    Abgr,
    Rgb,
    Bgr,
}

/// One plane: how far apart its samples are, how it is subsampled, and which channel each byte holds.
pub(crate) struct PlaneShape {
    /// Binary logarithm of the horizontal and vertical subsampling.
    pub(crate) subsampling: (u32, u32),
    /// The channel (Y, U, V, or R, G, B, alpha) of each of a sample's bytes. Samples touch.
    channels: &'static [usize],
}

impl PlaneShape {
    const fn full(channels: &'static [usize]) -> Self {
        Self {
            subsampling: (0, 0),
            channels,
        }
    }

    const fn halved(channels: &'static [usize], rows: u32) -> Self {
        Self {
            subsampling: (1, rows),
            channels,
        }
    }

    /// Bytes from one sample to the next.
    pub(crate) fn step(&self) -> usize {
        self.channels.len()
    }

    pub(crate) fn columns(&self, width: usize) -> usize {
        width.div_ceil(1 << self.subsampling.0)
    }

    pub(crate) fn rows(&self, height: usize) -> usize {
        height.div_ceil(1 << self.subsampling.1)
    }

    /// A sample's bytes.
    pub(crate) fn bytes(&self, channels: &[u8; 4]) -> impl Iterator<Item = u8> {
        self.channels.iter().map(|&channel| channels[channel])
    }

    pub(crate) fn row_bytes(&self, width: usize) -> usize {
        self.columns(width) * self.step()
    }
}

impl PixelFormat {
    /// The planes, in the order in which they lie in memory.
    pub(crate) const fn planes(self) -> &'static [PlaneShape] {
        const LUMA: PlaneShape = PlaneShape::full(&[0]);
        const QUARTER_U: PlaneShape = PlaneShape::halved(&[1], 1);
        const QUARTER_V: PlaneShape = PlaneShape::halved(&[2], 1);
        match self {
            Self::I420 => &[LUMA, QUARTER_U, QUARTER_V],
            Self::Yv12 => &[LUMA, QUARTER_V, QUARTER_U],
            Self::Nv12 => const { &[LUMA, PlaneShape::halved(&[1, 2], 1)] },
            Self::Nv21 => const { &[LUMA, PlaneShape::halved(&[2, 1], 1)] },
            Self::Y42b => const { &[LUMA, PlaneShape::halved(&[1], 0), PlaneShape::halved(&[2], 0)] },
            Self::Y444 => const { &[LUMA, PlaneShape::full(&[1]), PlaneShape::full(&[2])] },
            Self::Gray8 => &[LUMA],
            // A padding byte takes the alpha channel, which is opaque in formats without alpha.
            Self::Rgbx | Self::Rgba => const { &[PlaneShape::full(&[0, 1, 2, 3])] },
            Self::Xrgb | Self::Argb => const { &[PlaneShape::full(&[3, 0, 1, 2])] },
            Self::Bgrx | Self::Bgra => const { &[PlaneShape::full(&[2, 1, 0, 3])] },
            Self::Xbgr | Self::Abgr => const { &[PlaneShape::full(&[3, 2, 1, 0])] },
            Self::Rgb => const { &[PlaneShape::full(&[0, 1, 2])] },
            Self::Bgr => const { &[PlaneShape::full(&[2, 1, 0])] },
        }
    }

    pub(crate) const fn is_rgb(self) -> bool {
        !matches!(
            self,
            Self::I420 | Self::Yv12 | Self::Nv12 | Self::Nv21 | Self::Y42b | Self::Y444 | Self::Gray8
        )
    }

    pub(crate) const fn has_alpha(self) -> bool {
        matches!(self, Self::Rgba | Self::Bgra | Self::Argb | Self::Abgr)
    }
}
