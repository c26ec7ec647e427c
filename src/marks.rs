//! The marks: stamp and flash, which are for machines, and the logo. Where they stand in a frame, what they leave to
//! the text, and how they are painted.
//!
//! The stamp stands in a corner, its modules on the blocks of encoders (multiples of 8 px from the frame's top left
//! corner). White goes on from its quiet zone to the frame's edges, so that no strip is left over there. The flash
//! stands on the same edge, in the corner horizontally opposite. The logo stands in its own corner, or beside the mark
//! that is there.
//!
//! | module | job |
//! | --- | --- |
//! | `stamp`, `flash`, `logo` | the place of each, and its painting |
//! | `painter` | all marks of a face: what they say, and what of them has to be painted |

mod flash;
mod logo;
mod painter;
mod stamp;

use crate::rect::Rect;
use crate::stamp::module_size;
use crate::style::{Corner, Style};
use flash::flash_place;
use logo::{LogoPlace, LogoShape, logo_place};
use stamp::StampPlace;

pub(crate) use painter::{MarkPainter, Said};

/// A clock of three lines is so many times as wide as it is high.
const CLOCK_ASPECT: usize = 3;

/// Which marks a face has, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Marks {
    stamp: bool,
    flash: bool,
    corner: Corner,
    logo: Option<LogoShape>,
}

impl Marks {
    pub(crate) fn of(style: &Style) -> Self {
        Self {
            stamp: style.stamp,
            flash: style.flash,
            corner: style.corner,
            logo: style.logo.as_ref().map(LogoShape::of),
        }
    }

    /// Where they stand in a frame of that size; those that have no room stand nowhere.
    pub(crate) fn places(self, width: usize, height: usize) -> Places {
        let frame = (width, height);
        let module = self.stamp.then(|| module_size(width, height)).flatten();
        let stamp = module.map(|module| StampPlace::new(self.corner, module, frame));
        let flash = self
            .flash
            .then(|| flash_place(self.corner, stamp.as_ref(), frame));
        let mut places = Places {
            stamp,
            flash: flash.filter(|place| place.width > 0),
            logo: None,
        };
        places.logo = self.logo.and_then(|logo| logo_place(&logo, &places, frame));
        places
    }
}

/// The places of the marks in a frame of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    stamp: Option<StampPlace>,
    /// A square; the disc fills the middle of it.
    flash: Option<Rect>,
    logo: Option<LogoPlace>,
}

impl Places {
    /// The largest rectangles of a frame of that size that no mark stands in.
    pub(crate) fn free(&self, width: usize, height: usize) -> Vec<Rect> {
        let taken: Vec<Rect> = self.taken().collect();
        let columns = spans(taken.iter().map(|rect| (rect.x, rect.width)), width);
        let rows = spans(taken.iter().map(|rect| (rect.y, rect.height)), height);
        let all = columns
            .iter()
            .flat_map(|&(x, width)| rows.iter().map(move |&(y, height)| Rect { x, y, width, height }));
        all.filter(|rect| !taken.iter().any(|mark| mark.overlaps(rect)))
            .collect()
    }

    /// How wide a clock can become once a logo has taken its place, in px.
    fn clock_beside(&self, logo: &LogoPlace, (width, height): (usize, usize)) -> usize {
        let with_logo = Self {
            logo: Some(logo.clone()),
            ..self.clone()
        };
        let areas = with_logo.free(width, height).into_iter();
        areas
            .map(|rect| rect.width.min(rect.height * CLOCK_ASPECT))
            .max()
            .unwrap_or_default()
    }

    /// What the marks take of the frame.
    pub(crate) fn taken(&self) -> impl Iterator<Item = Rect> {
        let stamp = self.stamp.iter().map(|stamp| stamp.ground);
        let logo = self.logo.iter().map(|logo| logo.ground);
        stamp.chain(self.flash).chain(logo)
    }
}

/// Every span of an axis from its start or a mark's end to a mark's start or its end: where each starts, and its length.
fn spans(marks: impl Iterator<Item = (usize, usize)>, length: usize) -> Vec<(usize, usize)> {
    let (mut starts, mut ends) = (vec![0], vec![length]);
    for (start, length) in marks {
        starts.push(start + length);
        ends.push(start);
    }
    let spans = |&start: &usize| {
        let behind = ends.iter().filter(move |&&end| end > start);
        behind.map(move |end| (start, end - start)).collect::<Vec<_>>()
    };
    starts.iter().flat_map(spans).collect()
}

fn even(px: usize) -> usize {
    px & !1
}

#[cfg(test)]
mod tests {
    use super::stamp::BLOCK;
    use super::*;
    use crate::stamp::QUIET_ZONE;

    pub(super) const CORNERS: [Corner; 4] = [
        Corner::TopLeft,
        Corner::TopRight,
        Corner::BottomLeft,
        Corner::BottomRight,
    ];
    pub(super) const SIZES: [(usize, usize); 16] = [
        (32, 32),
        (66, 165),
        (67, 167),
        (161, 121),
        (320, 240),
        (321, 241),
        (640, 480),
        (641, 481),
        (270, 720),
        (300, 701),
        (400, 720),
        (1280, 720),
        (1920, 1080),
        (1081, 1919),
        (4000, 165),
        (7680, 4320),
    ];

    pub(super) fn places(
        stamp: bool,
        flash: bool,
        corner: Corner,
        (width, height): (usize, usize),
    ) -> Places {
        let marks = Marks {
            stamp,
            flash,
            corner,
            logo: None,
        };
        marks.places(width, height)
    }

    #[test]
    fn marks_stand_in_the_frame_and_apart_and_the_code_on_blocks() {
        for (corner, size) in CORNERS.into_iter().flat_map(|c| SIZES.map(|size| (c, size))) {
            let places = places(true, true, corner, size);
            let whole = |rect: &Rect| rect.x + rect.width <= size.0 && rect.y + rect.height <= size.1;
            assert!(places.taken().all(|rect| whole(&rect)), "{size:?}: {places:?}");
            let flash = places.flash.expect("the flash has room in any of these");
            if let Some(stamp) = &places.stamp {
                assert!(!stamp.ground.overlaps(&flash), "{size:?}: {places:?}");
                assert!(stamp.code.x.is_multiple_of(BLOCK) && stamp.code.y.is_multiple_of(BLOCK));
                let quiet = stamp.module * QUIET_ZONE;
                let (ground, code) = (stamp.ground, stamp.code);
                assert!(
                    code.x + code.width + quiet <= ground.x + ground.width,
                    "{places:?}"
                );
                assert!(
                    code.y + code.height + quiet <= ground.y + ground.height,
                    "{places:?}"
                );
                let ends = (ground.x + ground.width, ground.y + ground.height);
                assert!(
                    if corner.is_right() {
                        ends.0 == size.0
                    } else {
                        ground.x == 0
                    },
                    "{places:?}"
                );
                assert!(
                    if corner.is_bottom() {
                        ends.1 == size.1
                    } else {
                        ground.y == 0
                    },
                    "{places:?}"
                );
            }
        }
    }

    #[test]
    fn free_rectangles_touch_no_mark_and_are_the_whole_frame_without_any() {
        for (corner, size) in CORNERS.into_iter().flat_map(|c| SIZES.map(|size| (c, size))) {
            for (stamp, flash) in [(true, true), (true, false), (false, true)] {
                let places = places(stamp, flash, corner, size);
                let free = places.free(size.0, size.1);
                assert!(!free.is_empty(), "{size:?}: {places:?}");
                for rect in free {
                    assert!(places.taken().all(|mark| !mark.overlaps(&rect)), "{rect:?}");
                    assert!(rect.x + rect.width <= size.0 && rect.y + rect.height <= size.1);
                }
            }
            let free = places(false, false, corner, size).free(size.0, size.1);
            let whole = Rect {
                x: 0,
                y: 0,
                width: size.0,
                height: size.1,
            };
            assert_eq!(free, [whole]);
        }
    }
}
