//! The marks: stamp and flash, which are for machines, and the logo. Where they stand in a frame, what they leave to
//! the text, and how they are painted.
//!
//! The stamp stands in a corner, its modules on the blocks of encoders (multiples of 8 px from the frame's top left
//! corner). White goes on from its quiet zone to the frame's edges, so that no strip is left over there. The flash
//! stands on the same edge, in the corner horizontally opposite. The logo stands in its own corner, or beside the mark
//! that is there.

use std::cmp::Reverse;
use std::f64::consts::TAU;

use crate::color::Palette;
use crate::face::{FaceError, Rect};
use crate::frame::{FrameSpec, Picture, Tile};
use crate::glyphs::Mask;
use crate::logo::LogoPainter;
use crate::reading::Reading;
use crate::stamp::{self, QUIET_SIDE, QUIET_ZONE, SIDE, Stamp};
use crate::style::{Argb, Corner, LogoStyle, Share, Style};

/// The side of an encoder's block in px.
const BLOCK: usize = 8;
/// The colours of a stamp's modules: short of black and white, or a JPEG decoder whose inverse DCT is a fast one
/// (libjpeg's "ifast", `jpegdec`'s default) overflows on checkerboards of 4 px and makes patterns of its own of them.
/// From #101010 and #efefef on it does not.
const DARK: Argb = Argb(0xff18_1818);
const LIGHT: Argb = Argb(0xffe8_e8e8);
/// The flash is lit for so many ns of each second.
const FLASH: i128 = 100_000_000;
const SECOND: i128 = 1_000_000_000;
/// What is kept clear around a logo: this part of the frame's shorter side.
const LOGO_MARGIN: usize = 32;
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

/// What the place of a logo depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct LogoShape {
    /// The sides of the picture itself in px.
    size: (usize, usize),
    corner: Corner,
    scale: Share,
}

impl LogoShape {
    fn of(style: &LogoStyle) -> Self {
        Self {
            size: style.logo.size(),
            corner: style.corner,
            scale: style.scale,
        }
    }
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
        let module = self.stamp.then(|| stamp::module_size(width, height)).flatten();
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
    pub(crate) logo: Option<LogoPlace>,
}

/// The place of a logo, on even px.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogoPlace {
    /// What is kept clear for it.
    ground: Rect,
    /// Px between it and the ground's edges.
    margin: usize,
    /// The sides of the logo in px.
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl LogoPlace {
    /// What is painted: the logo, and a column or row of background where a side of it is odd.
    pub(crate) fn rect(&self) -> Rect {
        Rect {
            x: self.ground.x + self.margin,
            y: self.ground.y + self.margin,
            width: self.width.next_multiple_of(2),
            height: self.height.next_multiple_of(2),
        }
    }

    /// In the corner of a free rectangle; `None` where there is nothing to see.
    fn in_corner(logo: &LogoShape, free: &Rect, (width, height): (usize, usize)) -> Option<Self> {
        let margin = even(width.min(height) / LOGO_MARGIN);
        let room = |side: usize| even(side).saturating_sub(2 * margin);
        let wanted = float(height) * logo.scale.value();
        let most_height = float(room(free.height).min(even(free.height / 2))).min(wanted);
        let (natural_width, natural_height) = (float(logo.size.0), float(logo.size.1));
        let factor = (most_height / natural_height).min(float(room(free.width)) / natural_width);
        let (width, height) = (floor(natural_width * factor), floor(natural_height * factor));
        let with_margins = |side: usize| side.next_multiple_of(2) + 2 * margin;
        let (ground_width, ground_height) = (with_margins(width), with_margins(height));
        let start = |at_end: bool, start: usize, length: usize, side: usize| {
            if at_end {
                even(start + length - side)
            } else {
                start
            }
        };
        (width > 1 && height > 1).then(|| Self {
            ground: Rect {
                x: start(logo.corner.is_right(), free.x, free.width, ground_width),
                y: start(logo.corner.is_bottom(), free.y, free.height, ground_height),
                width: ground_width,
                height: ground_height,
            },
            margin,
            width,
            height,
        })
    }

    /// Px from a corner of the frame along each axis.
    fn distance(&self, corner: Corner, (width, height): (usize, usize)) -> [usize; 2] {
        let along = |at_end: bool, start: usize, side: usize, length: usize| {
            // A frame's odd last pixel does not count.
            if at_end {
                even(length - start - side)
            } else {
                start
            }
        };
        [
            along(corner.is_right(), self.ground.x, self.ground.width, width),
            along(corner.is_bottom(), self.ground.y, self.ground.height, height),
        ]
    }
}

/// Of the places in which a logo becomes largest, the one in its corner; else the one at an edge of that corner which
/// leaves the text the most room; else the closest.
fn logo_place(logo: &LogoShape, marks: &Places, frame: (usize, usize)) -> Option<LogoPlace> {
    let worth = |place: &LogoPlace| {
        let distance = place.distance(logo.corner, frame);
        let edges = distance.iter().filter(|&&px| px == 0).count();
        (
            place.height,
            edges,
            marks.clock_beside(place, frame),
            Reverse(distance.iter().sum::<usize>()),
        )
    };
    let free = marks.free(frame.0, frame.1);
    let places = free
        .iter()
        .filter_map(|free| LogoPlace::in_corner(logo, free, frame));
    places.max_by_key(worth)
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct StampPlace {
    /// The side of a module in px.
    module: usize,
    /// What is white where the code is not dark.
    ground: Rect,
    code: Rect,
}

impl StampPlace {
    fn new(corner: Corner, module: usize, (width, height): (usize, usize)) -> Self {
        let side = module * QUIET_SIDE;
        // From where to where along one axis: at its start, or on a block close to its end and on to the end.
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

/// As high as the stamp beside it, else a quarter of the frame. Where the stamp leaves less than half of that beside
/// it, the flash goes to the other edge as well.
fn flash_place(corner: Corner, stamp: Option<&StampPlace>, (width, height): (usize, usize)) -> Rect {
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

fn even(px: usize) -> usize {
    px & !1
}

fn float(px: usize) -> f64 {
    f64::from(u32::try_from(px).unwrap_or(u32::MAX))
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a side of a frame, and not below 0"
)]
fn floor(px: f64) -> usize {
    px as usize
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

/// What the marks of a frame say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Said {
    stamp: Option<Stamp>,
    lit: bool,
}

/// The marks in a frame's colours, ready to be painted.
pub(crate) struct MarkPainter {
    stamp: Option<StampPainter>,
    flash: Option<FlashPainter>,
    logo: Option<LogoPainter>,
}

impl std::fmt::Debug for MarkPainter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MarkPainter").finish_non_exhaustive()
    }
}

struct StampPainter {
    place: StampPlace,
    /// Dark on light, whatever the style: that is what readers look for.
    palette: Palette,
}

struct FlashPainter {
    /// The disc's own square.
    rect: Rect,
    unlit: Tile,
    lit: Tile,
}

impl MarkPainter {
    pub(crate) fn new(spec: &FrameSpec, style: &Style, palette: &Palette) -> Result<Self, FaceError> {
        let places = Marks::of(style).places(spec.width, spec.height);
        let stamp = places.stamp.map(|place| StampPainter {
            place,
            palette: Palette::new(spec.format, spec.colorimetry, DARK, LIGHT),
        });
        let flash = places.flash.map(|place| FlashPainter::new(spec, place, palette));
        let logo = style.logo.as_ref().zip(places.logo);
        let logo =
            logo.map(|(style_of, place)| LogoPainter::new(spec, &place, &style_of.logo, style.background));
        Ok(Self {
            stamp,
            flash: flash.transpose()?,
            logo: logo.transpose()?,
        })
    }

    /// What the marks say of a reading; nothing for those that stand nowhere.
    pub(crate) fn say(&self, reading: &Reading) -> Said {
        let into_second = reading.instant.as_nanosecond().rem_euclid(SECOND);
        Said {
            stamp: self.stamp.as_ref().map(|_| reading.stamp()),
            lit: self.flash.is_some() && into_second < FLASH,
        }
    }

    /// Paints the marks on a canvas that shows none of them.
    pub(crate) fn paint(&self, canvas: &mut Picture<'_>, said: Said) {
        if let Some(stamp) = &self.stamp {
            canvas.fill(&stamp.place.ground, &stamp.palette);
        }
        if let Some(logo) = &self.logo {
            logo.paint(canvas);
        }
        self.paint_stamp(canvas, said);
        self.paint_flash(canvas, said);
    }

    /// Paints what has changed against what the canvas shows.
    pub(crate) fn paint_changes(&self, canvas: &mut Picture<'_>, old: Said, new: Said) {
        if old.stamp != new.stamp {
            self.paint_stamp(canvas, new);
        }
        if old.lit != new.lit {
            self.paint_flash(canvas, new);
        }
    }

    /// The rectangles in which frames that say this and that differ.
    pub(crate) fn changes(&self, old: Said, new: Said) -> impl Iterator<Item = Rect> {
        let stamp = self.stamp.as_ref().filter(|_| old.stamp != new.stamp);
        let flash = self.flash.as_ref().filter(|_| old.lit != new.lit);
        let code = stamp.map(|stamp| stamp.place.code);
        code.into_iter().chain(flash.map(|flash| flash.rect))
    }

    fn paint_stamp(&self, canvas: &mut Picture<'_>, said: Said) {
        if let (Some(painter), Some(stamp)) = (&self.stamp, said.stamp) {
            let StampPlace { module, code, .. } = painter.place;
            canvas.paint_modules(&stamp.modules(), module, (code.x, code.y), &painter.palette);
        }
    }

    fn paint_flash(&self, canvas: &mut Picture<'_>, said: Said) {
        if let Some(flash) = &self.flash {
            let tile = if said.lit { &flash.lit } else { &flash.unlit };
            canvas.copy(tile, flash.rect.x, flash.rect.y);
        }
    }
}

impl FlashPainter {
    fn new(spec: &FrameSpec, place: Rect, palette: &Palette) -> Result<Self, FaceError> {
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
    use super::*;

    const CORNERS: [Corner; 4] = [
        Corner::TopLeft,
        Corner::TopRight,
        Corner::BottomLeft,
        Corner::BottomRight,
    ];
    const SIZES: [(usize, usize); 16] = [
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

    fn places(stamp: bool, flash: bool, corner: Corner, (width, height): (usize, usize)) -> Places {
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

    #[test]
    fn a_logo_of_any_shape_stands_apart_from_the_marks_and_leaves_room() {
        for (corner, size) in CORNERS.into_iter().flat_map(|c| SIZES.map(|size| (c, size))) {
            for (logo_corner, picture) in CORNERS
                .into_iter()
                .zip([(1, 1), (8000, 10), (3, 5000), (400, 300)])
            {
                for scale in [0.01, 0.15, 1.0].map(Share::new) {
                    let marks = Marks {
                        stamp: true,
                        flash: true,
                        corner,
                        logo: Some(LogoShape {
                            size: picture,
                            corner: logo_corner,
                            scale,
                        }),
                    };
                    let places = marks.places(size.0, size.1);
                    let Some(logo) = &places.logo else { continue };
                    let (ground, rect) = (logo.ground, logo.rect());
                    assert!(ground.x + ground.width <= size.0 && ground.y + ground.height <= size.1);
                    assert!(ground.holds(&rect), "{size:?}: {logo:?}");
                    let sides = [ground.x, ground.y, rect.x, rect.y, rect.width, rect.height];
                    assert!(sides.iter().all(|px| px % 2 == 0), "{size:?}: {logo:?}");
                    assert_eq!(
                        places.taken().filter(|mark| mark.overlaps(&ground)).count(),
                        1,
                        "{places:?}"
                    );
                    assert!(!places.free(size.0, size.1).is_empty(), "{size:?}: {places:?}");
                }
            }
        }
    }

    #[test]
    fn a_logo_stands_in_its_corner_or_beside_what_stands_there() {
        let logo = |stamp: bool, logo_corner: Corner| {
            let marks = Marks {
                stamp,
                flash: false,
                corner: Corner::TopRight,
                logo: Some(LogoShape {
                    size: (200, 100),
                    corner: logo_corner,
                    scale: Share::new(0.1),
                }),
            };
            let place = marks.places(1280, 720).logo.unwrap();
            assert_eq!((place.width, place.height), (144, 72));
            place.ground
        };
        let corner = logo(false, Corner::TopRight);
        assert_eq!((corner.x + corner.width, corner.y), (1280, 0));
        assert_eq!(logo(true, Corner::BottomLeft), logo(false, Corner::BottomLeft));
        let beside = logo(true, Corner::TopRight);
        // Left of the stamp, whose own height the text cannot use anyway.
        let stamp = places(true, false, Corner::TopRight, (1280, 720)).stamp.unwrap();
        assert_eq!((beside.x + beside.width, beside.y), (stamp.ground.x, 0));
        assert!(!beside.overlaps(&corner), "{beside:?}");
    }
}
