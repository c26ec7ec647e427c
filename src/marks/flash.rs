//! The flash in its corner, and how it is painted.

use std::f64::consts::TAU;

use super::even;
use super::stamp::StampPlace;
use crate::color::Palette;
use crate::error::FaceError;
use crate::frame::{FrameSpec, Picture, Tile};
use crate::mask::Mask;
use crate::reading::Reading;
use crate::rect::Rect;
use crate::stamp::QUIET_SIDE;
use crate::style::Corner;

/// The flash is lit for so many ns of each second.
const FLASH: i128 = 100_000_000;
const SECOND: i128 = 1_000_000_000;

/// Whether the flash is lit in the frame of a reading.
pub(super) fn is_lit(reading: &Reading) -> bool {
    reading.instant.as_nanosecond().rem_euclid(SECOND) < FLASH
}

/// The flash is as high as the stamp beside it, else a quarter of the frame. Where the stamp leaves less than half of that beside
/// it, the flash goes to the other edge as well.
pub(super) fn flash_place(
    corner: Corner,
    stamp: Option<&StampPlace>,
    (width, height): (usize, usize),
) -> Rect {
    let (wanted, taken) = match stamp {
        Some(stamp) => (stamp.module * QUIET_SIDE, stamp.ground.width),
        None => (width.min(height) / 4, 0),
    };
    let beside = width - taken;
    let fits_beside = beside >= wanted / 2;
    let side = even(if fits_beside { wanted.min(beside) } else { wanted });
    let start = |at_end: bool, length: usize| if at_end { even(length - side) } else { 0 };
    Rect {
        x: start(!corner.is_right(), width),
        y: start(corner.is_bottom() == fits_beside, height),
        width: side,
        height: side,
    }
}

pub(super) struct FlashPainter {
    /// The disc's own square.
    pub(super) rect: Rect,
    unlit: Tile,
    lit: Tile,
}

impl FlashPainter {
    pub(super) fn new(spec: &FrameSpec, place: Rect, palette: &Palette) -> Result<Self, FaceError> {
        // The rest of its square sets it off from the edges and from the text.
        let side = even(place.width * 3 / 5).max(2);
        let margin = even((place.width - side) / 2);
        let tile = |mask: &Mask| Tile::new(spec.format, mask, palette);
        Ok(Self {
            rect: Rect {
                x: place.x + margin,
                y: place.y + margin,
                width: side,
                height: side,
            },
            unlit: tile(&ring(side)?),
            lit: tile(&disc(side)?),
        })
    }

    pub(super) fn paint(&self, canvas: &mut Picture<'_>, lit: bool) {
        let tile = if lit { &self.lit } else { &self.unlit };
        canvas.copy(tile, self.rect.x, self.rect.y);
    }
}

/// A disc that fills a square of `side` px.
fn disc(side: usize) -> Result<Mask, FaceError> {
    let radius = radius(side);
    Mask::drawn(side, side, |painter| {
        painter.arc(radius, radius, radius, 0.0, TAU);
        painter.fill()
    })
}

/// The rim of a disc that fills a square of `side` px: where the flash is while it is not lit.
fn ring(side: usize) -> Result<Mask, FaceError> {
    let radius = radius(side);
    let line = (radius / 12.0).max(1.0);
    Mask::drawn(side, side, |painter| {
        painter.arc(radius, radius, (radius - line / 2.0).max(0.0), 0.0, TAU);
        painter.set_line_width(line);
        painter.stroke()
    })
}

fn radius(side: usize) -> f64 {
    f64::from(u32::try_from(side).unwrap_or(u32::MAX)) / 2.0
}

#[cfg(test)]
mod tests {
    use super::super::tests::places;
    use super::*;

    #[test]
    fn the_flash_stands_in_the_corner_opposite_and_goes_across_where_the_stamp_fills_the_width() {
        let flash = |corner, size| {
            let place = places(true, true, corner, size).flash.unwrap();
            (place.x > 0, place.y > 0)
        };
        assert_eq!(flash(Corner::TopRight, (1280, 720)), (false, false));
        assert_eq!(flash(Corner::BottomLeft, (1280, 720)), (true, true));
        assert_eq!(flash(Corner::TopLeft, (270, 720)), (true, true));
        assert_eq!(flash(Corner::BottomRight, (270, 720)), (false, false));
    }
}
