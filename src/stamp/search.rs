//! The search of a picture for a stamp.
//!
//! Finders are looked for in the picture and in pictures of half its size, a quarter, …, the smallest first:
//! a code is found at the size at which its modules have some 1 to 7 px. Each three finders that could be
//! those of one code make a placement, which is improved until the fixed patterns are where they should be,
//! and read. Of a mirrored code, which is one whose columns are its rows, the other two finders change places. All loops have bounds: what a picture without a stamp costs grows with its size alone.

use super::Stamp;
use super::finder::{Finder, Scanner};
use super::grid::{Decoder, Grid};
use super::luma::{Grey, Luma};
use super::placement::{ALIGNMENT, FINDERS, Placement, Point, Polarity, SPAN, ratio};

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
    halves: Halves,
}

impl Searcher {
    /// The first stamp found, and where it is: none of those in places that are `known`. A stamp whose colours are
    /// inverted is found where there is no other.
    pub(super) fn search(
        &mut self,
        picture: &Luma<'_>,
        known: &[Placement],
        decoder: &mut Decoder,
    ) -> Option<(Stamp, Placement)> {
        let levels = self.halves.make(picture);
        let mut attempts = Attempts::new(picture, known, decoder);
        let mut others = Vec::new();
        for swing in SWINGS {
            for level in (0..=levels).rev() {
                let part = self.halves.part(picture, level);
                let [usual, inverted] = self.scanner.scan(&part.luma, swing);
                let found = attempts.read(&part, usual, Polarity::Usual);
                if found.is_some() || attempts.are_over() {
                    return found;
                }
                others.push((level, inverted.to_vec()));
            }
        }
        let mut others = others.into_iter();
        others.find_map(|(level, finders)| {
            let part = self.halves.part(picture, level);
            attempts.read(&part, &finders, Polarity::Inverted)
        })
    }
}

/// A picture, or a smaller one that was made of it.
struct Part<'a> {
    luma: Luma<'a>,
    /// How many px of the picture are one of it.
    factor: f32,
}

/// Pictures of half the size of a picture, a quarter, ….
#[derive(Debug, Default)]
struct Halves([Grey; HALVINGS]);

impl Halves {
    /// Makes those that are worth a look; answers how many.
    fn make(&mut self, picture: &Luma<'_>) -> usize {
        let mut made = 0;
        while made < HALVINGS {
            let (done, rest) = self.0.split_at_mut(made);
            let larger = done.last().map_or(*picture, Grey::luma);
            if larger.width.min(larger.height) < 4 * MIN_SIDE {
                break;
            }
            rest[0].halve(&larger);
            made += 1;
        }
        made
    }

    /// The picture after so many halvings.
    fn part<'a>(&'a self, picture: &Luma<'a>, halvings: usize) -> Part<'a> {
        Part {
            luma: halvings
                .checked_sub(1)
                .map_or(*picture, |half| self.0[half].luma()),
            factor: FACTORS[halvings],
        }
    }
}

/// The tries to read codes of one picture.
struct Attempts<'a> {
    picture: &'a Luma<'a>,
    /// The places of codes that are not looked for.
    known: &'a [Placement],
    decoder: &'a mut Decoder,
    left: u32,
}

impl<'a> Attempts<'a> {
    fn new(picture: &'a Luma<'a>, known: &'a [Placement], decoder: &'a mut Decoder) -> Self {
        Self {
            picture,
            known,
            decoder,
            left: MAX_TRIES,
        }
    }

    fn are_over(&self) -> bool {
        self.left == 0 || self.decoder.has_given_up()
    }

    /// Reads one of the codes that the finders of a part could make.
    fn read(
        &mut self,
        part: &Part<'_>,
        finders: &[Finder],
        polarity: Polarity,
    ) -> Option<(Stamp, Placement)> {
        let is_new = |finder: &&Finder| {
            let middle = (finder.middle.0 * part.factor, finder.middle.1 * part.factor);
            !self.known.iter().any(|code| code.contains(middle))
        };
        let finders: Vec<Finder> = finders.iter().filter(is_new).copied().collect();
        let places = triples(&finders)
            .into_iter()
            .filter_map(|triple| triple.place(&part.luma, polarity));
        for place in places {
            if self.are_over() {
                return None;
            }
            self.left -= 1;
            // Improved in the smaller picture, read in the larger one.
            let place = place.bent(&part.luma, 0.5, 2).scaled(part.factor, (0.0, 0.0));
            let found = place.and_then(|place| read_near(self.picture, &place, self.decoder));
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

/// Reads a code at a place, and else at places a part of a module away.
pub(super) fn read_near(
    picture: &Luma<'_>,
    placement: &Placement,
    decoder: &mut Decoder,
) -> Option<(Stamp, Placement)> {
    let mut read = |placement: Placement| {
        let reading = decoder.read(&Grid::sample(picture, &placement))?;
        let placement = if reading.is_mirrored {
            placement.mirrored()?
        } else {
            placement
        };
        Some((reading.stamp, placement))
    };
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
    /// The three, of which the first one stands at the right angle. `None` if the others are no ends of sides of about the right length, or
    /// stand the wrong way round: then the same three stand the right way round in another order.
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
    fn place(&self, picture: &Luma<'_>, polarity: Polarity) -> Option<Placement> {
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
            Placement::by_points(modules, [corner, right, alignment, below], polarity)
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
