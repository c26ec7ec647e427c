//! How much of an area text may fill.

use super::float;
use crate::rect::Rect;

/// The part of the frame's width and height that text may fill.
const FILL: f64 = 0.92;

/// Px that text may fill.
pub(super) struct Room {
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Room {
    pub(super) fn of(area: &Rect) -> Self {
        Self {
            width: float(filled(area.width)),
            height: float(filled(area.height)),
        }
    }
}

/// The part of a side that text may fill, in px.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "less than the side, and not below 1"
)]
pub(super) fn filled(side: usize) -> usize {
    (float(side) * FILL).max(1.0) as usize
}
