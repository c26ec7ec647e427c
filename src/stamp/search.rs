//! The search of a picture for a stamp.
//!
//! Finders are looked for in the picture and in pictures of half its size, a quarter, …, the smallest first:
//! a code is found at the size at which its modules have some 1 to 7 px. Each three finders that could be
//! those of one code make a placement, which is improved until the fixed patterns are where they should be,
//! and read. All loops have bounds: what a picture without a stamp costs grows with its size alone.

use super::Stamp;
use super::finder::{Finder, Scanner};
use super::grid::{Decoder, Grid};
use super::luma::{Grey, Luma};
use super::placement::{ALIGNMENT, FINDERS, Placement, Point, SPAN, ratio};

/// Pictures of half the size, a quarter, …: codes of up to half the height of a 4320p picture.
const HALVINGS: usize = 5;
/// How many px of the picture are one of it, of its half, its quarter, ….
const FACTORS: [f32; HALVINGS + 1] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
/// The least side of a picture in which to look, in px.
const MIN_SIDE: usize = 25;
/// How far light and dark are apart, in levels of brightness, at first and when that has found nothing.
const SWINGS: [u8; 2] = [40, 14];
/// How many of the finders, and how many codes that they could make, are tried.
const MAX_FINDERS: usize = 24;
const MAX_TRIPLES: usize = 12;
/// How many codes of a picture are tried whose fixed patterns are there: one that is seen but cannot be read
/// comes up at several sizes.
const MAX_TRIES: u32 = 8;
/// The part of the fixed modules that a placement must have right before it is improved.
const MIN_FIXED: f32 = 0.7;

/// Searches pictures. Keeps its memory from picture to picture.
#[derive(Debug, Default)]
pub(super) struct Searcher {
    scanner: Scanner,
    halves: [Grey; HALVINGS],
}

impl Searcher {
    /// The first stamp found, and where it is.
    pub(super) fn search(&mut self, picture: &Luma<'_>, decoder: &mut Decoder) -> Option<(Stamp, Placement)> {
        let levels = self.halve(picture);
        let mut tries = MAX_TRIES;
        for swing in SWINGS {
            for (level, factor) in FACTORS.into_iter().enumerate().take(levels + 1).rev() {
                let part = match level.checked_sub(1) {
                    None => *picture,
                    Some(half) => self.halves[half].luma(),
                };
                let places = triples(self.scanner.scan(&part, swing))
                    .into_iter()
                    .filter_map(|triple| triple.place(&part));
                for place in places {
                    // Improved in the smaller picture, read in the larger one.
                    let place = place.bent(&part, 0.5, 2).scaled(factor, (0.0, 0.0));
                    let found = place.and_then(|place| read_near(picture, &place, decoder));
                    tries -= 1;
                    if found.is_some() || tries == 0 || decoder.has_given_up() {
                        return found;
                    }
                }
            }
        }
        None
    }

    /// Makes the smaller pictures; answers how many.
    fn halve(&mut self, picture: &Luma<'_>) -> usize {
        let mut made = 0;
        while made < HALVINGS {
            let (done, rest) = self.halves.split_at_mut(made);
            let larger = done.last().map_or(*picture, Grey::luma);
            if larger.width.min(larger.height) < 4 * MIN_SIDE {
                break;
            }
            rest[0].halve(&larger);
            made += 1;
        }
        made
    }
}

/// Reads a code at a place, and else at places a part of a module away.
pub(super) fn read_near(
    picture: &Luma<'_>,
    placement: &Placement,
    decoder: &mut Decoder,
) -> Option<(Stamp, Placement)> {
    let mut read =
        |placement: Placement| Some((decoder.read(&Grid::sample(picture, &placement))?, placement));
    read(*placement).or_else(|| {
        let off = 0.25 * placement.module();
        [(off, 0.0), (-off, 0.0), (0.0, off), (0.0, -off)]
            .into_iter()
            .find_map(|shift| read(placement.scaled(1.0, shift)?))
    })
}

/// Three finders that could be those of one code.
#[derive(Debug, Clone, Copy)]
struct Triple {
    /// Top left, top right, bottom left, in px.
    middles: [Point; 3],
    /// How far they are from the corners of a square with sides of 18 modules: 0 for such a square.
    oddity: f32,
}

impl Triple {
    /// With the first one at the right angle. `None` if the others are no sides of about the right length, or
    /// stand the wrong way round, as in a mirror.
    fn of(corner: &Finder, right: &Finder, below: &Finder) -> Option<Self> {
        let modules = [corner, right, below].map(|finder| finder.module);
        let (across, down) = (
            minus(right.middle, corner.middle),
            minus(below.middle, corner.middle),
        );
        let (width, height) = (across.0.hypot(across.1), down.0.hypot(down.1));
        let sine = (across.0 * down.1 - across.1 * down.0) / (width * height);
        let mean = modules.iter().sum::<f32>() / 3.0;
        let expected = (SPAN - 7.0) * mean;
        let uneven = ratio(modules[0], modules[1]).max(ratio(modules[0], modules[2]));
        let lengths = [
            ratio(width, expected),
            ratio(height, expected),
            ratio(width, height),
        ];
        // A module is measured along rows and columns: up to 1.42 times its width when the code is turned.
        let fits = uneven < 1.8 && sine > 0.75 && lengths.iter().all(|&length| length < 1.75);
        fits.then(|| Self {
            middles: [corner.middle, right.middle, below.middle],
            oddity: uneven + lengths.iter().sum::<f32>() - sine,
        })
    }

    /// Where the code is, by the finders and by the alignment pattern near the fourth corner. `None` if the
    /// picture has no such patterns there.
    fn place(&self, picture: &Luma<'_>) -> Option<Placement> {
        let [corner, right, below] = self.middles;
        let (across, down) = (minus(right, corner), minus(below, corner));
        let part = (ALIGNMENT.0 - FINDERS[0].0) / (FINDERS[1].0 - FINDERS[0].0);
        let flat = (
            corner.0 + part * (across.0 + down.0),
            corner.1 + part * (across.1 + down.1),
        );
        let unit = |side: Point| (side.0 / (SPAN - 7.0), side.1 / (SPAN - 7.0));
        let (across, down) = (unit(across), unit(down));
        let with_alignment = |(u, v): Point| {
            let alignment = (
                flat.0 + u * across.0 + v * down.0,
                flat.1 + u * across.1 + v * down.1,
            );
            let modules = [FINDERS[0], FINDERS[1], ALIGNMENT, FINDERS[2]];
            Placement::by_points(modules, [corner, right, alignment, below])
        };
        let shifts = || (-8_i8..=8).map(|half| f32::from(half) / 2.0);
        let (_, placement) = shifts()
            .flat_map(|u| shifts().map(move |v| (u, v)))
            .filter_map(with_alignment)
            .map(|placement| (placement.contrast_of_alignment(picture), placement))
            .max_by(|(one, _), (other, _)| one.total_cmp(other))?;
        (Grid::sample(picture, &placement).fixed_share() >= MIN_FIXED).then_some(placement)
    }
}

/// The codes that finders could make, the likeliest first.
fn triples(finders: &[Finder]) -> Vec<Triple> {
    let finders = &finders[..finders.len().min(MAX_FINDERS)];
    let mut triples = Vec::new();
    for (a, corner) in finders.iter().enumerate() {
        for (b, right) in finders.iter().enumerate().filter(|(b, _)| *b != a) {
            let others = finders.iter().enumerate().filter(|(c, _)| *c != a && *c != b);
            triples.extend(others.filter_map(|(_, below)| Triple::of(corner, right, below)));
        }
    }
    triples.sort_by(|one, other| one.oddity.total_cmp(&other.oddity));
    triples.truncate(MAX_TRIPLES);
    triples
}

fn minus(a: Point, b: Point) -> Point {
    (a.0 - b.0, a.1 - b.1)
}
