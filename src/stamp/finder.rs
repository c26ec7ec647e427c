//! Finders in a picture: the three squares of a code whose cross section is dark, light, dark, light, dark by
//! 1 : 1 : 3 : 1 : 1, along any line through their middle. Where colours are inverted, light and dark change places.

use super::luma::Luma;
use super::placement::{Point, Polarity, distance, ratio};

/// A finder's width in modules.
const MODULES: f32 = 7.0;
/// Modules of these widths in px are found. A picture of half the size is for wider ones.
const MODULE: std::ops::Range<f32> = 1.2..7.0;
/// Rows are scanned at this distance: the middle of a finder, 3 modules high, is in two of them at least.
const EVERY: usize = 2;
/// Half the pixels of a line across a finder: 7 modules to each side of its middle.
const REACH: usize = 50;
/// Bounds on what a picture full of finders can cost: crosses examined, and different finders.
const MAX_CROSSES: usize = 6000;
const MAX_FINDERS: usize = 200;

/// A finder's middle, as far as the picture shows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finder {
    /// In px.
    pub(super) middle: Point,
    /// The width of a module in px.
    pub(super) module: f32,
    /// The rows that have found it.
    pub(super) votes: u32,
}

/// Finds finders. Keeps its memory from picture to picture.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    line: Vec<u8>,
    edges: Edges,
    usual: Found,
    inverted: Found,
}

impl Scanner {
    /// The finders of a picture, those first that most rows have found: as they usually are, and inverted. Light and
    /// dark count as such when they are `swing` levels of brightness apart.
    pub(super) fn scan(&mut self, picture: &Luma<'_>, swing: u8) -> [&[Finder]; 2] {
        self.usual.clear();
        self.inverted.clear();
        self.line.resize(picture.width, 0);
        for y in (0..picture.height).step_by(EVERY) {
            picture.copy_row(0, y, &mut self.line);
            self.edges.find(&self.line, swing);
            #[allow(clippy::cast_precision_loss, reason = "px of a frame are far below 2^23")]
            let middle = y as f32 + 0.5;
            for (polarity, found) in [
                (Polarity::Usual, &mut self.usual),
                (Polarity::Inverted, &mut self.inverted),
            ] {
                for cross in self.edges.crossings(polarity).filter_map(Cross::of) {
                    found.note(cross, middle, |cross| {
                        examine(picture, cross, middle, swing, polarity)
                    });
                }
            }
        }
        [self.usual.sorted(), self.inverted.sorted()]
    }
}

/// The finders of one polarity.
#[derive(Debug, Default)]
struct Found {
    finders: Vec<Finder>,
    /// Crosses that have been examined.
    examined: usize,
}

impl Found {
    fn clear(&mut self) {
        self.finders.clear();
        self.examined = 0;
    }

    fn sorted(&mut self) -> &[Finder] {
        self.finders.sort_by_key(|finder| std::cmp::Reverse(finder.votes));
        &self.finders
    }

    /// Counts a row's cross section for the finder that it belongs to, which may be a new one: `examine` says so.
    fn note(&mut self, cross: Cross, y: f32, examine: impl FnOnce(Cross) -> Option<Finder>) {
        let point = (cross.middle, y);
        let known = self.finders.iter_mut().find(|finder| {
            let module = finder.module;
            distance(finder.middle, point) < 2.0 * module && ratio(module, cross.module) < 1.7
        });
        if let Some(finder) = known {
            finder.votes += 1;
        } else if self.examined < MAX_CROSSES && self.finders.len() < MAX_FINDERS {
            self.examined += 1;
            self.finders.extend(examine(cross));
        }
    }
}

/// The finder around a row's cross section, if the column through it and the row through that one's middle
/// agree.
fn examine(picture: &Luma<'_>, row: Cross, y: f32, swing: u8, polarity: Polarity) -> Option<Finder> {
    let across = |point, direction| across(picture, point, swing, polarity, direction);
    let column = across((row.middle, y), Direction::Down)?;
    // What an encoder leaves beside an edge may hide a row: those a module off go through the middle as well.
    let row = [0.0, -1.0, 1.0].into_iter().find_map(|off| {
        let y = column.middle + off * column.module;
        across((row.middle, y), Direction::Right)
    })?;
    (ratio(row.module, column.module) < 1.7).then_some(Finder {
        middle: (row.middle, column.middle),
        module: f32::midpoint(row.module, column.module),
        votes: 1,
    })
}

#[derive(Clone, Copy)]
enum Direction {
    Right,
    Down,
}

/// The cross section along a line whose middle part a point is in.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "px of a frame are far below 2^23"
)]
fn across(
    picture: &Luma<'_>,
    (x, y): Point,
    swing: u8,
    polarity: Polarity,
    direction: Direction,
) -> Option<Cross> {
    let (x, y) = (x.max(0.0) as usize, y.max(0.0) as usize);
    let (along, length) = match direction {
        Direction::Right => (x, picture.width),
        Direction::Down => (y, picture.height),
    };
    let from = along.saturating_sub(REACH);
    let until = (along + REACH).min(length);
    let mut line = [0; 2 * REACH];
    let line = line.get_mut(..until.checked_sub(from)?)?;
    match direction {
        Direction::Right => picture.copy_row(from, y, line),
        Direction::Down => {
            for (pixel, y) in line.iter_mut().zip(from..) {
                *pixel = picture.at(x, y);
            }
        }
    }
    let mut edges = Edges::default();
    let here = (along - from) as f32 + 0.5;
    edges.find(line, swing);
    let cross = edges
        .crossings(polarity)
        .filter_map(Cross::of)
        .find(|cross| (cross.middle - here).abs() < 1.6 * cross.module)?;
    Some(Cross {
        middle: cross.middle + from as f32,
        ..cross
    })
}

/// A line's cut through a finder.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cross {
    /// Along the line, in px.
    middle: f32,
    /// The width of a module along the line, in px.
    module: f32,
}

impl Cross {
    /// Of the six edges of a dark, light, dark, light and dark part, or an inverted one, if these are in proportion.
    fn of(edges: &[f32; 6]) -> Option<Self> {
        let module = (edges[5] - edges[0]) / MODULES;
        let is_near = |part: usize, modules: f32, off: f32| {
            (edges[part + 1] - edges[part] - modules * module).abs() < off * module
        };
        let fits = MODULE.contains(&module)
            && is_near(2, 3.0, 1.1)
            && [0, 1, 3, 4].into_iter().all(|part| is_near(part, 1.0, 0.75));
        fits.then(|| Self {
            middle: f32::midpoint(edges[2], edges[3]),
            module,
        })
    }
}

/// A place where a line of pixels is brighter, or darker, than on the way to the next such place.
#[derive(Debug, Clone, Copy)]
struct Turn {
    level: u8,
    at: usize,
}

/// The edges of a line. Keeps its memory from line to line.
#[derive(Debug, Default)]
struct Edges {
    turns: Vec<Turn>,
    /// In px from the line's start.
    places: Vec<f32>,
    /// The first edge is from dark to light.
    begins_dark: bool,
}

impl Edges {
    /// Finds where a line of pixels goes from light to dark and back. A turn between light and dark counts when it is by `swing` levels; where it is halfway there,
    /// an edge is. So neither a slope of the lighting nor a blur matters, and no threshold for the picture is
    /// needed.
    fn find(&mut self, line: &[u8], swing: u8) {
        self.find_turns(line, swing);
        self.find_beginning(line, swing);
        let level = |at: usize| self.turns.get(at).map(|turn| turn.level);
        self.places.clear();
        self.places
            .extend(self.turns.windows(2).enumerate().map(|(at, pair)| {
                let (before, after) = (pair[0].level, pair[1].level);
                let start = within_reach(before, after, level(at + 2));
                let end = within_reach(after, before, at.checked_sub(1).and_then(level));
                halfway(line, pair[1].at, start, end)
            }));
    }

    /// Each six edges in a row that may be those of a finder: the first one is from light to dark, or the other way
    /// round where colours are inverted.
    fn crossings(&self, polarity: Polarity) -> impl Iterator<Item = &[f32; 6]> {
        let begins_otherwise = self.begins_dark != (polarity == Polarity::Inverted);
        self.places
            .get(usize::from(begins_otherwise)..)
            .unwrap_or_default()
            .windows(6)
            .step_by(2)
            .filter_map(|edges| edges.try_into().ok())
    }

    /// Puts the dark end that a line may begin with before its first turn, which is a bright one.
    fn find_beginning(&mut self, line: &[u8], swing: u8) {
        let dark = self.turns.first().and_then(|first| {
            let darkest = line.get(..first.at)?.iter().min()?;
            (first.level.saturating_sub(*darkest) >= swing).then_some(Turn {
                level: *darkest,
                at: 0,
            })
        });
        self.begins_dark = dark.is_some();
        if let Some(dark) = dark {
            self.turns.insert(0, dark);
        }
    }

    /// The turns by `swing` levels, a bright one first.
    fn find_turns(&mut self, line: &[u8], swing: u8) {
        self.turns.clear();
        let Some(&first) = line.first() else { return };
        // Rows without anything in them are common, and the processor sees that of many pixels at once.
        let extremes = |(low, high): (u8, u8), &level: &u8| (low.min(level), high.max(level));
        let (darkest, brightest) = line.iter().fold((first, first), extremes);
        if brightest - darkest < swing {
            return;
        }
        let mut peak = Turn { level: first, at: 0 };
        let mut is_rising = true;
        for (at, &level) in line.iter().enumerate() {
            let (further, back) = if is_rising {
                (level > peak.level, peak.level.saturating_sub(level))
            } else {
                (level < peak.level, level.saturating_sub(peak.level))
            };
            if further {
                peak = Turn { level, at };
            } else if back >= swing {
                self.turns.push(peak);
                is_rising = !is_rising;
                peak = Turn { level, at };
            }
        }
        if self
            .turns
            .last()
            .is_some_and(|turn| turn.level.abs_diff(peak.level) >= swing)
        {
            self.turns.push(peak);
        }
    }
}

/// One side of an edge, when the other side is `other`, from where the line goes on to the level `next`: no
/// further away than one and a half times as far as that. What is beyond is not the code's own: where bright
/// surroundings end, the quiet zone of a dim code only begins.
fn within_reach(level: u8, other: u8, next: Option<u8>) -> f32 {
    let (level, other) = (f32::from(level), f32::from(other));
    let reach = next.map_or(f32::INFINITY, |next| 1.5 * (f32::from(next) - other).abs());
    other + (level - other).clamp(-reach, reach)
}

/// Where a line comes halfway from the level `start` to `end`, the last time before a pixel that it reaches
/// that at.
#[allow(clippy::cast_precision_loss, reason = "px of a frame are far below 2^23")]
fn halfway(line: &[u8], until: usize, start: f32, end: f32) -> f32 {
    let half = f32::midpoint(start, end);
    let is_past = |pixel: u8| (f32::from(pixel) > half) == (end > start);
    let before = line[..until]
        .iter()
        .rposition(|&pixel| !is_past(pixel))
        .unwrap_or(0);
    let (near, far) = (f32::from(line[before]), f32::from(line[before + 1]));
    // Not finite where the line does not rise at all.
    let part = (half - near) / (far - near);
    let part = if part.is_finite() { part } else { 0.5 };
    before as f32 + 0.5 + part.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(line: &[u8], swing: u8) -> Vec<f32> {
        let mut edges = Edges::default();
        edges.find(line, swing);
        edges.places
    }

    #[test]
    fn edges_are_found_between_pixels() {
        assert_eq!(edges(&[200, 200, 0, 0, 200], 50), [2.0, 4.0]);
        assert_eq!(edges(&[0, 200, 200, 100, 0, 0, 200], 50), [1.0, 3.5, 6.0]);
        assert_eq!(edges(&[], 50), [] as [f32; 0]);
    }

    #[test]
    fn a_finder_begins_with_the_dark_and_an_inverted_one_with_the_light() {
        let first = |line: &[u8], polarity| {
            let mut edges = Edges::default();
            edges.find(line, 50);
            edges.crossings(polarity).next().map(|edges| edges[0])
        };
        let bars = [9, 0, 9, 0, 9, 0, 9, 0, 9].map(|level| level * 25);
        for (line, dark, light) in [(&bars[..], 1.0, 2.0), (&bars[1..], 2.0, 1.0)] {
            assert_eq!(first(line, Polarity::Usual), Some(dark), "{line:?}");
            assert_eq!(first(line, Polarity::Inverted), Some(light), "{line:?}");
        }
    }

    #[test]
    fn a_slope_and_a_ripple_have_no_edges() {
        assert_eq!(edges(&[100, 110, 100, 110, 90, 100], 50), [] as [f32; 0]);
        assert_eq!(edges(&[0, 20, 40, 60, 80, 100, 120], 50), [] as [f32; 0]);
    }

    #[test]
    fn the_bright_surroundings_of_a_dim_code_do_not_move_its_edges() {
        let line = [255, 255, 90, 90, 90, 60, 60, 90, 90, 60, 60, 90, 90, 255, 255];
        let found = edges(&line, 14);
        let expected = [5.0, 7.0, 9.0, 11.0];
        assert_eq!(found.len(), expected.len(), "{found:?}");
        let off = found
            .iter()
            .zip(expected)
            .map(|(found, expected)| (found - expected).abs());
        assert!(off.fold(0.0, f32::max) < 0.3, "{found:?}");
    }

    #[test]
    fn a_cross_is_where_the_parts_are_as_one_to_three() {
        let cross = Cross::of(&[2.0, 4.0, 6.0, 12.0, 14.0, 16.0]).unwrap();
        assert_eq!(
            cross,
            Cross {
                middle: 9.0,
                module: 2.0
            }
        );
        assert_eq!(Cross::of(&[2.0, 4.0, 6.0, 8.0, 10.0, 12.0]), None);
    }
}
