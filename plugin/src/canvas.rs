//! The ring of canvases: pictures that are repainted in place, and safe from downstream.
//!
//! Elements downstream draw on buffers that they may write to. So a canvas keeps a reference to its memory and
//! hands out a shallow copy: whoever wants to write gets a copy of the memory, and the canvas is taken again
//! only when nobody else holds its memory.

use clockface::{Face, FaceError, FrameError, FrameSpec, Picture, Plane, Reading, Shown};
use thiserror::Error;

/// Encoders with look-ahead and sinks that keep their last sample hold some; more would only cost memory.
const MOST: usize = 4;

/// Why a frame could not be made.
#[derive(Debug, Error)]
pub(crate) enum CanvasError {
    #[error("no memory for a frame of {0} bytes")]
    Memory(usize),
    #[error("a frame's memory cannot be mapped for painting")]
    Map,
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Face(#[from] FaceError),
}

/// The canvases of one stream and one video format.
#[derive(Debug)]
pub(crate) struct Canvases {
    spec: FrameSpec,
    /// Offset and stride of each plane, in the order in which they lie in memory.
    planes: Vec<(usize, usize)>,
    size: usize,
    ring: Vec<Canvas>,
}

#[derive(Debug)]
struct Canvas {
    buffer: gst::Buffer,
    shown: Shown,
}

impl Canvases {
    /// Canvases for frames of that format, in GStreamer's default layout.
    pub(crate) fn new(spec: FrameSpec, info: &gst_video::VideoInfo) -> Self {
        let strides = info
            .stride()
            .iter()
            .map(|&stride| usize::try_from(stride).unwrap_or_default());
        let planes = info.offset().iter().copied().zip(strides).collect();
        Self {
            spec,
            planes,
            size: info.size(),
            ring: Vec::with_capacity(MOST),
        }
    }

    /// A buffer that shows the reading. Its memory may be shared with a canvas, its metadata is its own.
    pub(crate) fn paint(&mut self, face: &mut Face, reading: &Reading) -> Result<gst::Buffer, CanvasError> {
        let free = self
            .ring
            .iter()
            .position(|canvas| canvas.buffer.is_all_memory_writable());
        if let Some(index) = free {
            let canvas = &mut self.ring[index];
            canvas.paint(&self.spec, &self.planes, face, reading)?;
            return Ok(canvas.buffer.copy());
        }
        let mut canvas = Canvas::new(self.size)?;
        canvas.paint(&self.spec, &self.planes, face, reading)?;
        if self.ring.len() == MOST {
            return Ok(canvas.buffer);
        }
        let buffer = canvas.buffer.copy();
        self.ring.push(canvas);
        Ok(buffer)
    }
}

impl Canvas {
    fn new(size: usize) -> Result<Self, CanvasError> {
        let mut buffer = gst::Buffer::with_size(size).map_err(|_| CanvasError::Memory(size))?;
        // The padding between rows belongs to the frame's bytes, which must be reproducible.
        buffer
            .make_mut()
            .map_writable()
            .map_err(|_| CanvasError::Map)?
            .fill(0);
        Ok(Self {
            buffer,
            shown: Shown::default(),
        })
    }

    fn paint(
        &mut self,
        spec: &FrameSpec,
        planes: &[(usize, usize)],
        face: &mut Face,
        reading: &Reading,
    ) -> Result<(), CanvasError> {
        let buffer = self.buffer.get_mut().ok_or(CanvasError::Map)?;
        let mut map = buffer.map_writable().map_err(|_| CanvasError::Map)?;
        let mut picture = Picture::new(spec, split(map.as_mut_slice(), planes))?;
        face.paint(&mut picture, &mut self.shown, reading)?;
        Ok(())
    }
}

/// A frame's planes; offsets rise.
fn split<'a>(mut data: &'a mut [u8], planes: &[(usize, usize)]) -> impl Iterator<Item = Plane<'a>> {
    let ends = planes
        .iter()
        .skip(1)
        .map(|&(offset, _)| offset)
        .chain([data.len()]);
    planes.iter().zip(ends).map(move |(&(offset, stride), end)| {
        let rest = std::mem::take(&mut data);
        let length = end.saturating_sub(offset).min(rest.len());
        let (plane, rest) = rest.split_at_mut(length);
        data = rest;
        Plane { data: plane, stride }
    })
}
