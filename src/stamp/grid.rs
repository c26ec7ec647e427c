//! The brightness of a code's modules, and what they say.

use qrcode::canvas::MaskPattern;
use rqrr::BitGrid;

use super::luma::Luma;
use super::placement::{PATTERNS, Placement, Point, differing, middle};
use super::{Modules, SIDE, Stamp};

/// How many of the 625 modules may differ from those of the stamp that was read. Eight wrong codewords, the
/// most that are corrected, have 8 to 64 wrong modules; what is left of a picture after an encoder has a few.
const MAX_DIFFERING: usize = 40;
/// How many different grids of a picture are decoded in vain before it is given up. Where a stamp was read at
/// all, at most six had been.
const MAX_IN_VAIN: usize = 8;
/// The part of the fixed modules that must be right before anything is decoded.
const MIN_FIXED: f32 = 0.85;
/// Least contrast between dark and light modules, in levels of brightness.
const MIN_CONTRAST: f32 = 6.0;
/// How much of its four neighbours' brightness gets taken off a module's: what a blur of 1.5 px has put
/// there.
const SHARPENING: f32 = 0.18;
/// The error correction level M in a code's format information, ISO/IEC 18004 table 12.
const LEVEL_M: u16 = 0;

const MASKS: [MaskPattern; 8] = [
    MaskPattern::Checkerboard,
    MaskPattern::HorizontalLines,
    MaskPattern::VerticalLines,
    MaskPattern::DiagonalLines,
    MaskPattern::LargeCheckerboard,
    MaskPattern::Fields,
    MaskPattern::Diamonds,
    MaskPattern::Meadow,
];

/// The brightness of each module, row by row from the top.
pub(super) struct Grid {
    values: [[f32; SIDE]; SIDE],
}

impl Grid {
    /// Reads the middle part of all modules.
    pub(super) fn sample(picture: &Luma<'_>, placement: &Placement) -> Self {
        let offsets = offsets(placement.module());
        let value = |row, column| {
            let (u, v) = middle(row, column);
            let sum: f32 = offsets
                .iter()
                .map(|(x, y)| {
                    let (x, y) = placement.at((u + x, v + y));
                    picture.sample(x, y)
                })
                .sum();
            #[allow(clippy::cast_precision_loss, reason = "nine at most")]
            let count = offsets.len() as f32;
            placement.polarity.of_brightness(sum / count)
        };
        Self {
            values: std::array::from_fn(|row| std::array::from_fn(|column| value(row, column))),
        }
    }

    /// The part of the fixed modules that are as they should be; about half of them are anywhere.
    pub(super) fn fixed_share(&self) -> f32 {
        Levels::of(self).fixed_share(self)
    }

    /// Which modules are dark; `None` where too few of the fixed ones are as they should be.
    fn modules(&self) -> Option<Modules> {
        let levels = Levels::of(self);
        let is_dark = |row, column| levels.is_dark(self, middle(row, column));
        (levels.contrast() >= MIN_CONTRAST && levels.fixed_share(self) >= MIN_FIXED)
            .then(|| std::array::from_fn(|row| std::array::from_fn(|column| is_dark(row, column))))
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a module's middle is in the code"
    )]
    fn at(&self, (u, v): Point) -> f32 {
        self.values[v as usize][u as usize]
    }

    /// The same modules, with the neighbours' part in each taken off.
    fn sharpened(&self) -> Self {
        let near = |at: usize| [at.saturating_sub(1), (at + 1).min(SIDE - 1)];
        let value = |row: usize, column: usize| {
            let beside = near(column).map(|column| self.values[row][column]);
            let above = near(row).map(|row| self.values[row][column]);
            let around: f32 = beside.iter().chain(&above).sum();
            self.values[row][column] * (1.0 + 4.0 * SHARPENING) - around * SHARPENING
        };
        Self {
            values: std::array::from_fn(|row| std::array::from_fn(|column| value(row, column))),
        }
    }
}

/// Where in a module it is sampled, in modules from its middle: in the middle alone while modules are small,
/// then two by two, and three by three places. Linear interpolation has each of them cover a pixel.
fn offsets(module: f32) -> &'static [Point] {
    const ONE: [Point; 1] = [(0.0, 0.0)];
    const FOUR: [Point; 4] = [(-0.17, -0.17), (0.17, -0.17), (-0.17, 0.17), (0.17, 0.17)];
    const NINE: [Point; 9] = [
        (-0.25, -0.25),
        (0.0, -0.25),
        (0.25, -0.25),
        (-0.25, 0.0),
        (0.0, 0.0),
        (0.25, 0.0),
        (-0.25, 0.25),
        (0.0, 0.25),
        (0.25, 0.25),
    ];
    match module {
        small if small < 2.5 => &ONE,
        medium if medium < 5.0 => &FOUR,
        _ => &NINE,
    }
}

/// Decodes grids of one picture. The same modules come up again from places and sizes close by: what they do
/// not say once, they are not asked again, for correcting errors is most of what an unreadable code costs.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    in_vain: Vec<Modules>,
}

impl Decoder {
    /// Makes ready for another picture.
    pub(super) fn forget(&mut self) {
        self.in_vain.clear();
    }

    /// The stamp that a grid's modules make. They are held against a threshold as they are, and as they were
    /// before a blur. `None` as well when too much of this picture has been decoded in vain.
    pub(super) fn read(&mut self, grid: &Grid) -> Option<Reading> {
        let modules = grid.modules()?;
        self.decode(&modules)
            .or_else(|| self.decode(&grid.sharpened().modules()?))
    }

    /// Whether this picture is not worth another try.
    pub(super) fn has_given_up(&self) -> bool {
        self.in_vain.len() >= MAX_IN_VAIN
    }

    fn decode(&mut self, modules: &Modules) -> Option<Reading> {
        if self.has_given_up() || self.in_vain.contains(modules) {
            return None;
        }
        // A mirror has columns for rows. What is the same in all codes is so in a mirror too: ISO/IEC 18004:2015, 12.
        let as_they_are = decode(modules).map(Reading::usual);
        let reading = as_they_are.or_else(|| decode(&transposed(modules)).map(Reading::mirrored));
        if reading.is_none() {
            self.in_vain.push(*modules);
        }
        reading
    }
}

/// What a grid's modules say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reading {
    pub(super) stamp: Stamp,
    /// The grid has the code's columns for rows.
    pub(super) is_mirrored: bool,
}

impl Reading {
    fn usual(stamp: Stamp) -> Self {
        Self {
            stamp,
            is_mirrored: false,
        }
    }

    fn mirrored(stamp: Stamp) -> Self {
        Self {
            stamp,
            is_mirrored: true,
        }
    }
}

fn transposed(modules: &Modules) -> Modules {
    std::array::from_fn(|row| std::array::from_fn(|column| modules[column][row]))
}

/// What modules say.
///
/// # What the chance of a wrong reading is
/// Of all words of 44 bytes, 10^-11 are within the eight wrong bytes that level M corrects towards something
/// (the sum of C(44, e) 255^e for e <= 8, over 256^16). To be taken for a stamp, that something must be one
/// numeric segment of 57 digits (14 bits: 10^-4), of version 1 (10^-1), with the right CRC-32 (10^-10) and a
/// plausible instant: 10^-26 for a grid of random modules, if only it has finders, timing and a format of
/// level M. A million pictures with a hundred tries each have 10^-18.
///
/// Modules are not random where two stamps are seen through each other, or where part of one is covered. The
/// words of two stamps differ in 17 bytes at least: within eight bytes of one there is no other, so that
/// little damage is undone, and a mixture is either read as the stamp that most of it is, or as far from all
/// stamps as a random word. As a last step the stamp's own modules must be those of the picture, but for
/// [`MAX_DIFFERING`]: a random grid agrees in 312 ± 13 of the 625.
fn decode(modules: &Modules) -> Option<Stamp> {
    let mut digits = Vec::with_capacity(64);
    let meta = rqrr::Grid::new(Bits(modules)).decode_to(&mut digits).ok()?;
    let stamp = Stamp::parse(std::str::from_utf8(&digits).ok()?)?;
    let mask = MASKS.get(usize::from(meta.mask))?;
    let meant = stamp.masked_modules(*mask).ok()?;
    (meta.ecc_level == LEVEL_M && differing(&meant, modules) <= MAX_DIFFERING).then_some(stamp)
}

struct Bits<'a>(&'a Modules);

impl BitGrid for Bits<'_> {
    fn size(&self) -> usize {
        SIDE
    }

    fn bit(&self, y: usize, x: usize) -> bool {
        self.0
            .get(y)
            .and_then(|row| row.get(x))
            .copied()
            .unwrap_or_default()
    }
}

/// How bright dark and light modules are. A filmed monitor is not lit evenly: both are planes over the code,
/// laid through the fixed patterns.
struct Levels {
    dark: Plane,
    light: Plane,
}

impl Levels {
    fn of(grid: &Grid) -> Self {
        Self {
            dark: Plane::through(&PATTERNS.dark, |module| grid.at(module)),
            light: Plane::through(&PATTERNS.light, |module| grid.at(module)),
        }
    }

    fn contrast(&self) -> f32 {
        self.light.mean - self.dark.mean
    }

    fn is_dark(&self, grid: &Grid, module: Point) -> bool {
        grid.at(module) < f32::midpoint(self.dark.at(module), self.light.at(module))
    }

    fn fixed_share(&self, grid: &Grid) -> f32 {
        let count = |modules: &[Point], dark: bool| {
            let right = modules
                .iter()
                .filter(|&&module| self.is_dark(grid, module) == dark);
            right.count()
        };
        let right = count(&PATTERNS.dark, true) + count(&PATTERNS.light, false);
        #[allow(clippy::cast_precision_loss, reason = "625 at most")]
        let share = right as f32 / (PATTERNS.dark.len() + PATTERNS.light.len()) as f32;
        share
    }
}

/// A brightness that changes evenly over the code.
struct Plane {
    mean: f32,
    /// The modules' mean place.
    middle: Point,
    /// Change by module, across and down.
    slope: Point,
}

impl Plane {
    /// The plane with the least squares of its distances to the modules' brightness.
    fn through(modules: &[Point], brightness: impl Fn(Point) -> f32) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "625 at most")]
        let count = modules.len() as f32;
        let mean_of = |value: &dyn Fn(Point) -> f32| modules.iter().map(|&at| value(at)).sum::<f32>() / count;
        let mean = mean_of(&brightness);
        let middle = (mean_of(&|(u, _)| u), mean_of(&|(_, v)| v));
        let uu = mean_of(&|(u, _)| (u - middle.0).powi(2));
        let vv = mean_of(&|(_, v)| (v - middle.1).powi(2));
        let uv = mean_of(&|(u, v)| (u - middle.0) * (v - middle.1));
        let ub = mean_of(&|at| (at.0 - middle.0) * brightness(at));
        let vb = mean_of(&|at| (at.1 - middle.1) * brightness(at));
        let scale = 1.0 / (uu * vv - uv * uv);
        let slope = ((ub * vv - vb * uv) * scale, (vb * uu - ub * uv) * scale);
        Self { mean, middle, slope }
    }

    fn at(&self, (u, v): Point) -> f32 {
        self.mean + self.slope.0 * (u - self.middle.0) + self.slope.1 * (v - self.middle.1)
    }
}
