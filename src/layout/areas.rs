//! The part of a frame that text stands in, and where in it.

use std::cmp::Reverse;

use super::room::{Room, filled};
use super::sizes::Need;
use super::{Request, float};
use crate::glyphs::Typesetter;
use crate::marks::Places;
use crate::rect::Rect;
use crate::style::Align;

/// Px that all rows take together.
pub(super) struct Block {
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Block {
    fn fits(&self, area: &Rect) -> bool {
        let room = Room::of(area);
        float(self.width) <= room.width && float(self.height) <= room.height
    }

    /// Its top left corner where it stands in an area.
    pub(super) fn corner(&self, request: &Request, area: &Rect) -> (usize, usize) {
        (
            start(request.horizontal, area.x, area.width, self.width),
            start(request.vertical, area.y, area.height, self.height),
        )
    }
}

/// Where something of `length` px begins between two edges.
pub(super) fn start(align: Align, from: usize, side: usize, length: usize) -> usize {
    let rest = side.saturating_sub(length);
    let margin = (side.saturating_sub(filled(side)) / 2).min(rest);
    from + match align {
        Align::Start => margin,
        Align::Middle => rest / 2,
        Align::End => rest - margin,
    }
}

/// The part of the frame without marks for text of that size: where it is to stand at an edge, the one that brings it
/// closest to where it would stand without marks.
pub(super) fn aligned_area(request: &Request, places: &Places, largest: Rect, block: &Block) -> Rect {
    if (request.horizontal, request.vertical) == (Align::Middle, Align::Middle) {
        return largest;
    }
    let whole = Rect {
        x: 0,
        y: 0,
        width: request.width,
        height: request.height,
    };
    let (x, y) = block.corner(request, &whole);
    let worth = |area: &Rect| {
        let place = block.corner(request, area);
        let distance = place.0.abs_diff(x) + place.1.abs_diff(y);
        (Reverse(distance), area.width * area.height)
    };
    let areas = places.free(request.width, request.height).into_iter();
    areas
        .filter(|area| block.fits(area))
        .max_by_key(worth)
        .unwrap_or(largest)
}

/// The part of the frame without marks in which the time becomes largest; of equals, the one with the most room.
pub(super) fn largest_area(request: &Request, places: &Places, typesetter: &Typesetter) -> Rect {
    let need = Need::of(request, typesetter);
    let worth = |area: &Rect| (need.largest_time(&Room::of(area)), area.width * area.height);
    let areas = places.free(request.width, request.height);
    areas.into_iter().max_by_key(worth).unwrap_or_default()
}
