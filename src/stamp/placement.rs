//! Where a code stands in a picture: from modules to pixels, and how to get closer to the truth.

use std::sync::LazyLock;

use super::luma::Luma;
use super::{Modules, SIDE};

/// A point in px, or in modules.
pub(super) type Point = (f32, f32);

/// Modules along a side, as a distance.
#[allow(clippy::cast_precision_loss, reason = "25")]
pub(super) const SPAN: f32 = SIDE as f32;
/// The middles of the finders, top left, top right, bottom left, in modules.
pub(super) const FINDERS: [Point; 3] = [(3.5, 3.5), (SPAN - 3.5, 3.5), (3.5, SPAN - 3.5)];
/// The middle of the alignment pattern, in modules.
pub(super) const ALIGNMENT: Point = (SPAN - 6.5, SPAN - 6.5);

/// Modules below this many px are sampled in their middle alone: what surrounds it is blurred with the
/// neighbours.
const SMALL_MODULE: f32 = 2.5;
/// How far from a module's middle its other samples are taken, in modules: a grid that is off by more than
/// the rest of the half meets the neighbour.
const OFF_CENTRE: f32 = 0.3;

/// Which modules of a code are the darker ones in a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Polarity {
    /// The dark ones.
    Usual,
    /// The light ones.
    Inverted,
}

/// A projective map of the code's plane, in modules from its top left corner, to the picture, in px. And how brightness
/// is mapped there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placement {
    /// Row by row.
    matrix: [f32; 9],
    pub(super) polarity: Polarity,
}

impl Polarity {
    /// How much brighter light modules are than dark ones, by how much brighter they are in the picture.
    fn of_difference(self, difference: f32) -> f32 {
        match self {
            Self::Usual => difference,
            Self::Inverted => -difference,
        }
    }

    /// The brightness of a module, by that in the picture.
    pub(super) fn of_brightness(self, brightness: f32) -> f32 {
        match self {
            Self::Usual => brightness,
            Self::Inverted => 255.0 - brightness,
        }
    }
}

impl Placement {
    /// The placement that has four points of the code, given in modules, where they are in the picture, in px. The four
    /// are to be in the order of a quadrilateral's corners. `None` when three of them are in a line.
    pub(super) fn by_points(modules: [Point; 4], px: [Point; 4], polarity: Polarity) -> Option<Self> {
        let back = adjugate(&of_unit_square(modules));
        let matrix = product(&of_unit_square(px), &back);
        let scale = 1.0 / matrix[8];
        let matrix = matrix.map(|value| value * scale);
        matrix
            .iter()
            .all(|value| value.is_finite())
            .then_some(Self { matrix, polarity })
    }

    /// The same code with its corners elsewhere, in px: top left, top right, bottom right, bottom left.
    fn with_corners(&self, corners: [Point; 4]) -> Option<Self> {
        let modules = [(0.0, 0.0), (SPAN, 0.0), (SPAN, SPAN), (0.0, SPAN)];
        Self::by_points(modules, corners, self.polarity)
    }

    /// The same place with the code's columns as its rows: as it is seen in a mirror.
    pub(super) fn mirrored(&self) -> Option<Self> {
        let [top_left, top_right, bottom_right, bottom_left] = self.corners();
        self.with_corners([top_left, bottom_left, bottom_right, top_right])
    }

    /// Where a point of the code, in modules, is in the picture, in px.
    pub(super) fn at(&self, (u, v): Point) -> Point {
        let m = &self.matrix;
        let scale = 1.0 / (m[6] * u + m[7] * v + m[8]);
        (
            (m[0] * u + m[1] * v + m[2]) * scale,
            (m[3] * u + m[4] * v + m[5]) * scale,
        )
    }

    /// The code's corners in px: top left, top right, bottom right, bottom left.
    pub(super) fn corners(&self) -> [Point; 4] {
        [(0.0, 0.0), (SPAN, 0.0), (SPAN, SPAN), (0.0, SPAN)].map(|corner| self.at(corner))
    }

    /// Whether a point of the picture, in px, is in the code.
    pub(super) fn contains(&self, (x, y): Point) -> bool {
        let corners = self.corners();
        let is_left_of = |side: usize| {
            let (from, to) = (corners[side], corners[(side + 1) % 4]);
            (to.0 - from.0) * (y - from.1) > (to.1 - from.1) * (x - from.0)
        };
        let first = is_left_of(0);
        (1..4).all(|side| is_left_of(side) == first)
    }

    /// The mean width of a module, in px.
    pub(super) fn module(&self) -> f32 {
        let corners = self.corners();
        let sides = (0..4).map(|side| distance(corners[side], corners[(side + 1) % 4]));
        sides.sum::<f32>() / (4.0 * SPAN)
    }

    /// The same code in a picture `factor` times as large, `shift` px from this one's corner.
    pub(super) fn scaled(&self, factor: f32, shift: Point) -> Option<Self> {
        self.with_corners(
            self.corners()
                .map(|(x, y)| (x * factor + shift.0, y * factor + shift.1)),
        )
    }

    /// How well the picture has the code's fixed patterns here: how much brighter its light modules are than
    /// its dark ones, in levels of brightness.
    pub(super) fn contrast(&self, picture: &Luma<'_>) -> f32 {
        let mean = |modules: &[Point]| {
            let sum: f32 = if self.module() < SMALL_MODULE {
                modules
                    .iter()
                    .map(|&module| self.brightness(picture, module))
                    .sum()
            } else {
                modules
                    .iter()
                    .map(|&module| self.brightness_around(picture, module))
                    .sum()
            };
            #[allow(clippy::cast_precision_loss, reason = "less than 625")]
            let count = modules.len() as f32;
            sum / count
        };
        self.polarity
            .of_difference(mean(&PATTERNS.light) - mean(&PATTERNS.dark))
    }

    /// As [`Placement::contrast`], of the alignment pattern alone.
    pub(super) fn contrast_of_alignment(&self, picture: &Luma<'_>) -> f32 {
        let (mut dark, mut light) = (0.0, 0.0);
        for (across, down) in (-2_i8..=2).flat_map(|row| (-2_i8..=2).map(move |column| (column, row))) {
            let module = (ALIGNMENT.0 + f32::from(across), ALIGNMENT.1 + f32::from(down));
            let brightness = self.brightness(picture, module);
            if across.abs().max(down.abs()) == 1 {
                light += brightness;
            } else {
                dark += brightness;
            }
        }
        // A ring of eight light modules between a dark one and a ring of sixteen.
        self.polarity.of_difference(light / 8.0 - dark / 17.0)
    }

    fn brightness(&self, picture: &Luma<'_>, module: Point) -> f32 {
        let (x, y) = self.at(module);
        picture.sample(x, y)
    }

    fn brightness_around(&self, picture: &Luma<'_>, (u, v): Point) -> f32 {
        let corners = [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)];
        let samples =
            corners.map(|(x, y)| self.brightness(picture, (u + x * OFF_CENTRE, v + y * OFF_CENTRE)));
        samples.iter().sum::<f32>() / 4.0
    }

    /// The place close by at which the fixed patterns have the most contrast: moved as a whole by steps of
    /// `step` modules, halved `halvings` times.
    pub(super) fn moved(self, picture: &Luma<'_>, step: f32, halvings: u32) -> Self {
        self.climb(picture, step, halvings, &[[true; 4]])
    }

    /// As [`Placement::moved`], and each corner for itself: turned, scaled and bent.
    pub(super) fn bent(self, picture: &Luma<'_>, step: f32, halvings: u32) -> Self {
        const GROUPS: [[bool; 4]; 5] = [
            [true; 4],
            [true, false, false, false],
            [false, true, false, false],
            [false, false, true, false],
            [false, false, false, true],
        ];
        self.climb(picture, step, halvings, &GROUPS)
    }

    /// Goes uphill in contrast by moving groups of corners; at most [`ROUNDS`] rounds for each size of step.
    fn climb(self, picture: &Luma<'_>, step: f32, halvings: u32, groups: &[[bool; 4]]) -> Self {
        const ROUNDS: usize = 3;
        let mut best = (self.contrast(picture), self);
        let mut step = step * self.module();
        for _ in 0..=halvings {
            for _ in 0..ROUNDS {
                let before = best.0;
                for &group in groups {
                    best = best.1.step(picture, best.0, step, group);
                }
                if best.0 <= before {
                    break;
                }
            }
            step /= 2.0;
        }
        best.1
    }

    /// The best of this place, whose contrast is known, and those with the corners of a group one step
    /// further.
    fn step(self, picture: &Luma<'_>, contrast: f32, px: f32, group: [bool; 4]) -> (f32, Self) {
        let mut best = (contrast, self);
        let corners = self.corners();
        for (x, y) in [(px, 0.0), (-px, 0.0), (0.0, px), (0.0, -px)] {
            let mut moved = corners;
            for (corner, _) in moved.iter_mut().zip(group).filter(|(_, moves)| *moves) {
                *corner = (corner.0 + x, corner.1 + y);
            }
            if let Some(place) = self.with_corners(moved) {
                let contrast = place.contrast(picture);
                if contrast > best.0 {
                    best = (contrast, place);
                }
            }
        }
        best
    }
}

/// The modules that are the same in all codes of this version, in two lists of their middles. The format's
/// modules are not among them.
pub(super) struct Patterns {
    pub(super) dark: Vec<Point>,
    pub(super) light: Vec<Point>,
}

/// The fixed patterns: finders with their separators, timing, alignment.
pub(super) static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let known = |wanted: bool| {
        let modules = (0..SIDE * SIDE).map(|module| (module / SIDE, module % SIDE));
        modules
            .filter(|&(row, column)| fixed(row, column) == Some(wanted))
            .map(|(row, column)| middle(row, column))
            .collect()
    };
    Patterns {
        dark: known(true),
        light: known(false),
    }
});

/// The middle of a module, in modules.
#[allow(clippy::cast_precision_loss, reason = "less than 25")]
pub(super) fn middle(row: usize, column: usize) -> Point {
    (column as f32 + 0.5, row as f32 + 0.5)
}

/// Whether a module is dark in all codes of version 2; `None` where that depends on what the code says.
/// See ISO/IEC 18004, 6.3.
fn fixed(row: usize, column: usize) -> Option<bool> {
    /// Rings around a middle are dark and light in turn, the second one light.
    fn rings(row: usize, column: usize, middle: (usize, usize)) -> usize {
        row.abs_diff(middle.0).max(column.abs_diff(middle.1))
    }
    let finders = [(3, 3), (3, SIDE - 4), (SIDE - 4, 3)];
    if let Some(ring) = finders.map(|finder| rings(row, column, finder)).into_iter().min()
        && ring <= 4
    {
        return Some(ring != 2 && ring != 4);
    }
    let ring = rings(row, column, (SIDE - 7, SIDE - 7));
    match (row, column) {
        _ if ring <= 2 => Some(ring != 1),
        (6, along) | (along, 6) => Some(along % 2 == 0),
        _ => None,
    }
}

/// How many modules of two codes differ.
pub(super) fn differing(one: &Modules, other: &Modules) -> usize {
    let pairs = one.iter().flatten().zip(other.iter().flatten());
    pairs.filter(|(one, other)| one != other).count()
}

pub(super) fn distance(a: Point, b: Point) -> f32 {
    (a.0 - b.0).hypot(a.1 - b.1)
}

/// How many times as large the larger one is.
pub(super) fn ratio(a: f32, b: f32) -> f32 {
    (a / b).max(b / a)
}

/// The projective map of the unit square's corners, clockwise from the origin, to four points. After
/// Heckbert, Fundamentals of Texture Mapping and Image Warping, 1989, section 2.2.3.
fn of_unit_square([p0, p1, p2, p3]: [Point; 4]) -> [f32; 9] {
    let (dx1, dy1) = (p1.0 - p2.0, p1.1 - p2.1);
    let (dx2, dy2) = (p3.0 - p2.0, p3.1 - p2.1);
    let (sx, sy) = (p0.0 - p1.0 + p2.0 - p3.0, p0.1 - p1.1 + p2.1 - p3.1);
    let scale = dx1 * dy2 - dx2 * dy1;
    let g = (sx * dy2 - dx2 * sy) / scale;
    let h = (dx1 * sy - sx * dy1) / scale;
    [
        p1.0 - p0.0 + g * p1.0,
        p3.0 - p0.0 + h * p3.0,
        p0.0,
        p1.1 - p0.1 + g * p1.1,
        p3.1 - p0.1 + h * p3.1,
        p0.1,
        g,
        h,
        1.0,
    ]
}

/// The inverse of a matrix, but for a factor, which a projective map does not mind.
fn adjugate(m: &[f32; 9]) -> [f32; 9] {
    let minor = |a: usize, b: usize, c: usize, d: usize| m[a] * m[d] - m[b] * m[c];
    [
        minor(4, 5, 7, 8),
        -minor(1, 2, 7, 8),
        minor(1, 2, 4, 5),
        -minor(3, 5, 6, 8),
        minor(0, 2, 6, 8),
        -minor(0, 2, 3, 5),
        minor(3, 4, 6, 7),
        -minor(0, 1, 6, 7),
        minor(0, 1, 3, 4),
    ]
}

fn product(a: &[f32; 9], b: &[f32; 9]) -> [f32; 9] {
    std::array::from_fn(|at| {
        let (row, column) = (at / 3 * 3, at % 3);
        a[row] * b[column] + a[row + 1] * b[column + 3] + a[row + 2] * b[column + 6]
    })
}
