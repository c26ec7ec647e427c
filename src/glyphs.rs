//! Text to coverage masks, by Pango and cairo. What comes out is plain bytes: nothing of Pango leaves a call,
//! so nothing of it crosses a thread.
//!
//! A line is laid out as a whole, with its digits replaced by blank shapes of one width. Pango thus decides on
//! kerning, marks and direction, and says where each digit's cell stands; digits are drawn once each and put
//! into the cells. Sizes come from the skeleton and from all ten digits, never from the digits at hand, so
//! nothing wobbles.

use std::ops::Range;

use pango::prelude::*;

use crate::error::FaceError;
use crate::mask::{MAX_SIDE, Mask};
use crate::shared::{Held, Shared};
use crate::threads;

/// A font at a size.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Font {
    /// A Pango font description; a size in it is ignored here.
    pub(crate) description: String,
    /// The size of an em in Pango units, 1/1024 px.
    pub(crate) size: i32,
}

/// The ten digits of a font, in masks of one size: the part of the cell in which any of the ten has ink.
#[derive(Debug)]
pub(crate) struct Digits {
    /// Where the masks' left and top edges lie in the cell, on even px.
    pub(crate) inset: (usize, usize),
    pub(crate) masks: [Mask; 10],
}

/// The place of one digit; its sides and its baseline are even, so that it falls on whole chroma samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cell {
    width: usize,
    ascent: usize,
    descent: usize,
}

/// A line of text without its digits.
#[derive(Debug)]
pub(crate) struct Line {
    /// What never changes, digits' places left blank. Its sides are even.
    pub(crate) mask: Mask,
    /// The left edge and top of each digit's cell, in the order of the text.
    pub(crate) cells: Vec<(usize, usize)>,
}

/// How large a line is, before it is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// The digits of a font, drawn once in a process.
pub(crate) fn digits(font: &Font) -> Result<Held<Digits>, FaceError> {
    static DIGITS: Shared<Font, Digits> = Shared::new();
    DIGITS.get_or_try_make(font, || Typesetter::new()?.digits(font))
}

/// A line's skeleton (any digit stands for all), drawn once in a process.
pub(crate) fn line(font: &Font, skeleton: &str) -> Result<Held<Line>, FaceError> {
    static LINES: Shared<(Font, String), Line> = Shared::new();
    LINES.get_or_try_make(&(font.clone(), skeleton.to_owned()), || {
        Typesetter::new()?.line(font, skeleton)
    })
}

/// The size in a font description, in Pango units of px at 96 dpi.
pub(crate) fn size_of(description: &str) -> Option<i32> {
    let parsed = pango::FontDescription::from_string(description);
    match parsed.size() {
        0 => None,
        px if parsed.is_size_absolute() => Some(px),
        points => Some(points.saturating_mul(96) / 72),
    }
}

/// With so many threads at once Pango looks for fonts.
const PANGOS_THREADS: usize = 2;

/// Pango for the length of one task. Font maps are costly in memory and bound to a thread; fontconfig keeps
/// what is worth keeping for the process.
pub(crate) struct Typesetter {
    context: pango::Context,
}

impl Typesetter {
    pub(crate) fn new() -> Result<Self, FaceError> {
        threads::try_some(PANGOS_THREADS).map_err(FaceError::Threads)?;
        let context = pangocairo::FontMap::new().create_context();
        let mut options = cairo::FontOptions::new()?;
        // Without hinting a line's width is proportional to its size, whatever the font.
        options.set_hint_style(cairo::HintStyle::None);
        options.set_hint_metrics(cairo::HintMetrics::Off);
        options.set_antialias(cairo::Antialias::Gray);
        pangocairo::functions::context_set_font_options(&context, Some(&options));
        let any = pango::FontDescription::from_string("sans 12");
        if context.load_font(&any).is_none() {
            return Err(FaceError::NoFont);
        }
        Ok(Self { context })
    }

    /// Whether neither this font nor any other has the character.
    pub(crate) fn lacks(&self, font: &Font, c: char) -> bool {
        self.layout(font, &c.to_string()).unknown_glyphs_count() > 0
    }

    /// How large a line will be, with cells of `cell`'s size for its digits.
    pub(crate) fn extent(&self, font: &Font, skeleton: &str) -> Extent {
        let cell = self.cell(font);
        let measure = self.measure(font, cell, skeleton);
        Extent {
            width: measure.width,
            height: measure.ascent + measure.descent,
        }
    }

    fn layout(&self, font: &Font, text: &str) -> pango::Layout {
        let layout = pango::Layout::new(&self.context);
        let mut description = pango::FontDescription::from_string(&font.description);
        description.set_absolute_size(f64::from(font.size));
        layout.set_font_description(Some(&description));
        layout.set_text(text);
        layout
    }

    fn digit(&self, font: &Font, digit: usize) -> Box {
        Box::of(&self.layout(font, &digit.to_string()))
    }

    /// The cell that holds any digit around its middle, with the ink that leans out of a slanted one.
    fn cell(&self, font: &Font) -> Cell {
        let boxes = || (0..10).map(|digit| self.digit(font, digit));
        let half = boxes().map(|digit| digit.half_width()).max().unwrap_or_default();
        Cell {
            width: even_px(half.saturating_mul(2)),
            ascent: even_px(boxes().map(|digit| digit.ascent).max().unwrap_or_default()),
            descent: even_px(boxes().map(|digit| digit.descent).max().unwrap_or_default()),
        }
    }

    fn digits(&self, font: &Font) -> Result<Digits, FaceError> {
        let cell = self.cell(font);
        let mut masks: [Mask; 10] = Default::default();
        for (digit, mask) in masks.iter_mut().enumerate() {
            let layout = self.layout(font, &digit.to_string());
            let left = (px(units(cell.width)) - px(Box::of(&layout).advance)) / 2.0;
            *mask = draw(&layout, left, cell.ascent, cell.width, cell.ascent + cell.descent)?;
        }
        Ok(cropped(&masks))
    }

    fn line(&self, font: &Font, skeleton: &str) -> Result<Line, FaceError> {
        let cell = self.cell(font);
        let layout = self.skeleton(font, cell, skeleton);
        let measure = self.measure(font, cell, skeleton);
        let mask = draw(
            &layout,
            px(measure.left),
            measure.ascent,
            measure.width,
            measure.ascent + measure.descent,
        )?;
        let cells = digit_indices(skeleton)
            .map(|index| {
                let place = layout.index_to_pos(i32::try_from(index).unwrap_or(i32::MAX));
                // The width is negative where text runs from right to left.
                let left = measure
                    .left
                    .saturating_add(place.x().min(place.x().saturating_add(place.width())));
                (nearest_even_px(left), measure.ascent - cell.ascent)
            })
            .collect();
        Ok(Line { mask, cells })
    }

    fn measure(&self, font: &Font, cell: Cell, skeleton: &str) -> Measure {
        let extent = Box::of(&self.skeleton(font, cell, skeleton));
        let left = extent.ink.start.saturating_neg().max(0);
        Measure {
            left,
            width: even_px(left.saturating_add(extent.advance.max(extent.ink.end))),
            ascent: even_px(extent.ascent).max(cell.ascent),
            descent: even_px(extent.descent).max(cell.descent),
        }
    }

    /// The layout of a line with blank shapes of the cell's width for its digits.
    fn skeleton(&self, font: &Font, cell: Cell, text: &str) -> pango::Layout {
        let layout = self.layout(font, text);
        let ink = pango::Rectangle::new(0, 0, 0, 0);
        let logical = pango::Rectangle::new(0, -units(cell.ascent), units(cell.width), units(cell.ascent));
        let attributes = pango::AttrList::new();
        for index in digit_indices(text) {
            let mut blank = pango::AttrShape::new(&ink, &logical);
            blank.set_start_index(u32::try_from(index).unwrap_or(u32::MAX));
            blank.set_end_index(u32::try_from(index + 1).unwrap_or(u32::MAX));
            attributes.insert(blank);
        }
        layout.set_attributes(Some(&attributes));
        layout
    }
}

/// Where a line's pixels lie around its start: all in px but `left`, which is in Pango units.
struct Measure {
    left: i32,
    width: usize,
    ascent: usize,
    descent: usize,
}

/// The extents of a layout around the start of its baseline, in Pango units.
struct Box {
    advance: i32,
    ink: Range<i32>,
    ascent: i32,
    descent: i32,
}

impl Box {
    fn of(layout: &pango::Layout) -> Self {
        let (ink, logical) = layout.extents();
        let baseline = layout.baseline();
        let end = |start: i32, length: i32| start.saturating_add(length);
        let top = ink.y().min(logical.y());
        let bottom = end(ink.y(), ink.height()).max(end(logical.y(), logical.height()));
        Self {
            advance: logical.width(),
            ink: ink.x()..end(ink.x(), ink.width()),
            ascent: baseline.saturating_sub(top),
            descent: bottom.saturating_sub(baseline),
        }
    }

    /// How far it reaches from the middle of its advance, at most.
    fn half_width(&self) -> i32 {
        let middle = self.advance / 2;
        (self.advance - middle)
            .max(middle.saturating_sub(self.ink.start))
            .max(self.ink.end.saturating_sub(middle))
    }
}

/// The digits without the rows and columns that none of them fills: what is never painted is never copied.
fn cropped(masks: &[Mask; 10]) -> Digits {
    let even = |ink: Range<usize>, end: usize| {
        let start = (ink.start & !1).min(end);
        start..ink.end.next_multiple_of(2).clamp(start, end)
    };
    let union = |a: Range<usize>, b: Range<usize>| a.start.min(b.start)..a.end.max(b.end);
    let inks = masks.iter().map(Mask::ink);
    let ink = inks
        .reduce(|a, b| (union(a.0, b.0), union(a.1, b.1)))
        .unwrap_or_default();
    let (columns, rows) = (even(ink.0, masks[0].width), even(ink.1, masks[0].height));
    Digits {
        inset: (columns.start, rows.start),
        masks: masks.each_ref().map(|mask| mask.crop(&columns, &rows)),
    }
}

/// Draws a layout whose baseline starts at (`left`, `ascent`) px.
fn draw(
    layout: &pango::Layout,
    left: f64,
    ascent: usize,
    width: usize,
    height: usize,
) -> Result<Mask, FaceError> {
    let (width, height) = (width.min(MAX_SIDE_PX), height.min(MAX_SIDE_PX));
    if width == 0 || height == 0 {
        return Ok(Mask::default());
    }
    Mask::drawn(width, height, |painter| {
        painter.move_to(left, px(units(ascent)) - px(layout.baseline()));
        pangocairo::functions::show_layout(painter, layout);
        painter.status()
    })
}

/// The longest even side that cairo can draw.
const MAX_SIDE_PX: usize = MAX_SIDE - 1;

/// The byte indices of ASCII digits.
fn digit_indices(text: &str) -> impl Iterator<Item = usize> + '_ {
    text.bytes()
        .enumerate()
        .filter(|(_, byte)| byte.is_ascii_digit())
        .map(|(index, _)| index)
}

fn px(units: i32) -> f64 {
    f64::from(units) / f64::from(pango::SCALE)
}

fn units(px: usize) -> i32 {
    i32::try_from(px).unwrap_or(i32::MAX).saturating_mul(pango::SCALE)
}

/// Pango units to px, up to the next even number.
fn even_px(units: i32) -> usize {
    let pair = 2 * pango::SCALE.unsigned_abs();
    (units.max(0).unsigned_abs().div_ceil(pair) * 2) as usize
}

/// Pango units to the nearest even number of px.
fn nearest_even_px(units: i32) -> usize {
    even_px(units.saturating_sub(pango::SCALE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn font(description: &str, px: i32) -> Font {
        Font {
            description: description.to_owned(),
            size: px * pango::SCALE,
        }
    }

    #[test]
    fn digits_share_one_even_place_in_any_font() {
        for name in ["monospace bold", "serif italic", "sans"] {
            let font = font(name, 37);
            let digits = digits(&font).unwrap();
            let (width, height) = (digits.masks[0].width, digits.masks[0].height);
            let sides = [digits.inset.0, digits.inset.1, width, height];
            assert!(sides.iter().all(|side| side % 2 == 0), "{name}: {sides:?}");
            for mask in &digits.masks {
                assert_eq!((mask.width, mask.height), (width, height), "{name}");
                let mut pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
                let is_inked = pixels.any(|(x, y)| mask.row(y)[x] == 255);
                assert!(is_inked, "{name}: a digit without ink");
            }
            let cell = Typesetter::new().unwrap().cell(&font);
            assert!(
                digits.inset.0 + width <= cell.width,
                "{name}: {sides:?} in {cell:?}"
            );
            assert!(
                digits.inset.1 + height <= cell.ascent + cell.descent,
                "{name}: {sides:?} in {cell:?}"
            );
        }
    }

    #[test]
    fn neighbouring_cells_touch_and_stand_on_even_pixels() {
        let font = font("monospace bold", 31);
        let width = Typesetter::new().unwrap().cell(&font).width;
        let line = line(&font, "00:00").unwrap();
        let [first, second, third, fourth] = line.cells[..] else {
            panic!("{:?}", line.cells)
        };
        assert_eq!((second.0 - first.0, fourth.0 - third.0), (width, width));
        assert!(third.0 > second.0 + width, "the colon has no room");
        assert!(
            line.cells.iter().all(|(x, y)| x % 2 == 0 && y % 2 == 0),
            "{:?}",
            line.cells
        );
    }

    #[test]
    fn a_number_in_text_from_right_to_left_stands_left_of_it_with_its_digits_in_order() {
        let line = line(&font("sans", 40), "מחוברים: 00").unwrap();
        let [tens, ones] = line.cells[..] else {
            panic!("{:?}", line.cells)
        };
        assert!(tens.0 < ones.0, "{:?}", line.cells);
        assert!(
            ones.0 < line.mask.width / 3,
            "{:?} in {} px",
            line.cells,
            line.mask.width
        );
    }

    #[test]
    fn a_skeleton_is_drawn_once_while_somebody_holds_it() {
        let font = font("monospace", 20);
        let first = line(&font, "Clients: 0").unwrap();
        assert!(first.is(&line(&font, "Clients: 0").unwrap()));
    }

    #[test]
    fn a_description_tells_its_size_in_px() {
        assert_eq!(size_of("monospace bold"), None);
        assert_eq!(size_of("sans 12"), Some(16 * pango::SCALE));
        assert_eq!(size_of("sans 30px"), Some(30 * pango::SCALE));
    }
}
