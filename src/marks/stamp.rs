//! The stamp in its corner, and how it is painted.

use crate::color::Palette;
use crate::frame::{FrameSpec, Picture};
use crate::rect::Rect;
use crate::stamp::{QUIET_SIDE, QUIET_ZONE, SIDE, Stamp};
use crate::style::{Argb, Corner};

/// The side of an encoder's block in px.
pub(super) const BLOCK: usize = 8;
/// The colours of a stamp's modules: short of black and white, or a JPEG decoder whose inverse DCT is a fast one
/// (libjpeg's "ifast", `jpegdec`'s default) overflows on checkerboards of 4 px and makes patterns of its own of them.
/// From #101010 and #efefef on it does not.
const DARK: Argb = Argb(0xff18_1818);
const LIGHT: Argb = Argb(0xffe8_e8e8);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StampPlace {
    /// The side of a module in px.
    pub(super) module: usize,
    /// What is white where the code is not dark.
    pub(super) ground: Rect,
    pub(super) code: Rect,
}

impl StampPlace {
    pub(super) fn new(corner: Corner, module: usize, (width, height): (usize, usize)) -> Self {
        let side = module * QUIET_SIDE;
        // The first pixel along one axis, and how many: from its start, or from a block close to its end up to the end.
        let along = |at_end: bool, length: usize| {
            let start = (length - side) / BLOCK * BLOCK;
            if at_end {
                (start, length - start)
            } else {
                (0, side)
            }
        };
        let (x, ground_width) = along(corner.is_right(), width);
        let (y, ground_height) = along(corner.is_bottom(), height);
        Self {
            module,
            ground: Rect {
                x,
                y,
                width: ground_width,
                height: ground_height,
            },
            code: Rect {
                x: x + module * QUIET_ZONE,
                y: y + module * QUIET_ZONE,
                width: module * SIDE,
                height: module * SIDE,
            },
        }
    }
}

pub(super) struct StampPainter {
    place: StampPlace,
    /// Dark on light, whatever the style: that is what readers look for.
    palette: Palette,
}

impl StampPainter {
    pub(super) fn new(spec: &FrameSpec, place: StampPlace) -> Self {
        Self {
            place,
            palette: Palette::new(spec.format, spec.colorimetry, DARK, LIGHT),
        }
    }

    /// What changes with each frame.
    pub(super) fn code(&self) -> Rect {
        self.place.code
    }

    /// Paints what is white around the code, and under it.
    pub(super) fn paint_ground(&self, canvas: &mut Picture<'_>) {
        canvas.fill(&self.place.ground, &self.palette);
    }

    pub(super) fn paint(&self, canvas: &mut Picture<'_>, stamp: &Stamp) {
        let StampPlace { module, code, .. } = self.place;
        canvas.paint_modules(&stamp.modules(), module, (code.x, code.y), &self.palette);
    }
}
