//! The logo in its corner, or beside the marks, and how it is painted.

use std::cmp::Reverse;

use super::{Places, even};
use crate::error::FaceError;
use crate::frame::{FrameSpec, Picture, Tile};
use crate::logo::{Image, Logo};
use crate::rect::Rect;
use crate::shared::Held;
use crate::style::{Argb, Corner, LogoStyle, Share};

/// What is kept clear around a logo: this part of the frame's shorter side.
const LOGO_MARGIN: usize = 32;

/// What the place of a logo depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LogoShape {
    /// The sides of the picture itself in px.
    size: (usize, usize),
    corner: Corner,
    scale: Share,
}

impl LogoShape {
    pub(super) fn of(style: &LogoStyle) -> Self {
        Self {
            size: style.logo.size(),
            corner: style.corner,
            scale: style.scale,
        }
    }
}

/// The place of a logo, on even px.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogoPlace {
    /// What is kept clear for it.
    pub(super) ground: Rect,
    /// Px between it and the ground's edges.
    margin: usize,
    /// The sides of the logo in px.
    width: usize,
    height: usize,
}

impl LogoPlace {
    /// What is painted: the logo, and a column or row of background where a side of it is odd.
    fn rect(&self) -> Rect {
        Rect {
            x: self.ground.x + self.margin,
            y: self.ground.y + self.margin,
            width: self.width.next_multiple_of(2),
            height: self.height.next_multiple_of(2),
        }
    }

    /// The place in the corner of a free rectangle; `None` where there is nothing to see.
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
pub(super) fn logo_place(logo: &LogoShape, marks: &Places, frame: (usize, usize)) -> Option<LogoPlace> {
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

/// The logo over the background in a frame's colours, ready to be copied.
pub(super) struct LogoPainter {
    rect: Rect,
    tile: Tile,
    /// Held, not read, so that the next camera of that size finds it.
    _image: Held<Image>,
}

impl LogoPainter {
    pub(super) fn new(
        spec: &FrameSpec,
        place: &LogoPlace,
        logo: &Logo,
        background: Argb,
    ) -> Result<Self, FaceError> {
        let image = logo.at(place.width, place.height)?;
        let rect = place.rect();
        let tile = Tile::of_samples(spec.format, (rect.width, rect.height), |columns, rows| {
            let color = over(image.mean(&columns, &rows), background);
            spec.colorimetry.channels(spec.format, color)
        });
        Ok(Self {
            rect,
            tile,
            _image: image,
        })
    }

    pub(super) fn paint(&self, canvas: &mut Picture<'_>) {
        canvas.copy(&self.tile, self.rect.x, self.rect.y);
    }
}

/// A premultiplied colour over a background: Porter-Duff's "over", with straight alpha.
fn over([red, green, blue, cover]: [f64; 4], background: Argb) -> [f64; 4] {
    let back = background.to_rgba();
    let rest = back[3] * (1.0 - cover);
    let alpha = cover + rest;
    let straight = |fore: f64, back: f64| {
        if alpha > 0.0 {
            (fore + back * rest) / alpha
        } else {
            back
        }
    };
    [
        straight(red, back[0]),
        straight(green, back[1]),
        straight(blue, back[2]),
        alpha,
    ]
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

#[cfg(test)]
mod tests {
    use super::super::Marks;
    use super::super::tests::{CORNERS, SIZES, places};
    use super::*;

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

    #[test]
    fn over_leaves_the_background_where_the_logo_is_clear_and_hides_it_where_it_is_not() {
        let bits = |color: [f64; 4]| color.map(f64::to_bits);
        let background = Argb(0xff00_ff00);
        for (logo, background, expected) in [
            ([0.0; 4], background, [0.0, 1.0, 0.0, 1.0]),
            ([1.0, 0.0, 0.0, 1.0], background, [1.0, 0.0, 0.0, 1.0]),
            ([0.0; 4], Argb(0), [0.0; 4]),
        ] {
            assert_eq!(
                bits(over(logo, background)),
                bits(expected),
                "{logo:?} over {background:?}"
            );
        }
    }
}
