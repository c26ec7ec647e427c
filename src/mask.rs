//! Coverage of a rectangle of pixels, as cairo draws it.

use std::ops::Range;

use crate::error::FaceError;

/// The longest side of a frame in px (cairo's limit for a surface).
pub const MAX_SIDE: usize = 32_767;

/// Coverage of a rectangle of pixels, one byte each, row after row; 255 is the foreground.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mask {
    pub(crate) width: usize,
    pub(crate) height: usize,
    coverage: Vec<u8>,
}

impl Mask {
    /// A row's pixels.
    pub(crate) fn row(&self, row: usize) -> &[u8] {
        &self.coverage[row * self.width..][..self.width]
    }

    /// The mean coverage of each block of pixels, rounded: blocks are as high as `rows`, which are one or two, and `columns`
    /// wide, save where the mask ends.
    pub(crate) fn means(&self, rows: Range<usize>, columns: usize) -> impl Iterator<Item = u8> {
        // One row alone is taken twice, which changes no mean.
        let Range { start, end } = rows;
        let (upper, lower) = (self.row(start), self.row(end.saturating_sub(1)));
        let blocks = upper.chunks(columns).zip(lower.chunks(columns));
        blocks.map(|(upper, lower)| {
            let count = upper.len() + lower.len();
            let sum: usize = upper
                .iter()
                .chain(lower)
                .map(|&coverage| usize::from(coverage))
                .sum();
            u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX)
        })
    }

    /// The columns and rows within which there is ink.
    pub(crate) fn ink(&self) -> (Range<usize>, Range<usize>) {
        let mut ink = (self.width..0, self.height..0);
        for (y, row) in self.coverage.chunks_exact(self.width.max(1)).enumerate() {
            let inked = |coverage: &u8| *coverage > 0;
            if let (Some(first), Some(last)) = (row.iter().position(inked), row.iter().rposition(inked)) {
                ink.0 = ink.0.start.min(first)..ink.0.end.max(last + 1);
                ink.1 = ink.1.start.min(y)..y + 1;
            }
        }
        ink
    }

    /// What `draw` leaves on a surface of `width` × `height` px, neither side longer than cairo can draw.
    pub(crate) fn drawn(
        width: usize,
        height: usize,
        draw: impl FnOnce(&cairo::Context) -> Result<(), cairo::Error>,
    ) -> Result<Self, FaceError> {
        let side = |px: usize| i32::try_from(px).unwrap_or(i32::MAX);
        let mut surface = cairo::ImageSurface::create(cairo::Format::A8, side(width), side(height))?;
        draw(&cairo::Context::new(&surface)?)?;
        let stride = usize::try_from(surface.stride()).unwrap_or_default();
        let data = surface.data()?;
        let rows = data.chunks(stride.max(1)).take(height);
        let rows: Vec<&[u8]> = rows.map(|row| &row[..width]).collect();
        Ok(Self {
            width,
            height,
            coverage: rows.concat(),
        })
    }

    pub(crate) fn crop(&self, columns: &Range<usize>, rows: &Range<usize>) -> Self {
        let lines = self
            .coverage
            .chunks_exact(self.width.max(1))
            .take(rows.end)
            .skip(rows.start);
        let lines: Vec<&[u8]> = lines.map(|line| &line[columns.clone()]).collect();
        Self {
            width: columns.len(),
            height: rows.len(),
            coverage: lines.concat(),
        }
    }

    /// This mask with what of `under` lies beneath it, this one's corner being at (`x`, `y`) of the other;
    /// `None` when nothing does.
    pub(crate) fn joined(&self, under: &Self, x: usize, y: usize) -> Option<Self> {
        let mut joined = self.clone();
        let mut touched = false;
        let rows = under.coverage.chunks_exact(under.width.max(1)).skip(y);
        for (row, beneath) in joined.coverage.chunks_exact_mut(self.width.max(1)).zip(rows) {
            for (pixel, &other) in row.iter_mut().zip(beneath.iter().skip(x)) {
                touched |= other > 0;
                *pixel = (*pixel).max(other);
            }
        }
        touched.then_some(joined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_beneath_a_cell_is_kept_in_it() {
        let cell = Mask {
            width: 2,
            height: 1,
            coverage: vec![10, 200],
        };
        let line = Mask {
            width: 4,
            height: 1,
            coverage: vec![0, 0, 99, 99],
        };
        assert_eq!(cell.joined(&line, 0, 0), None);
        let joined = cell.joined(&line, 1, 0).unwrap();
        assert_eq!(joined.coverage, [10, 200]);
        assert_eq!(cell.joined(&line, 2, 0).unwrap().coverage, [99, 200]);
    }
}
