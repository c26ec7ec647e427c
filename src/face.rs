//! Paints the difference between what a canvas shows and what it should show.

use std::sync::Arc;

use crate::color::Palette;
use crate::error::FaceError;
use crate::frame::{FrameSpec, Picture, Tile};
use crate::layout::{self, LINES, Layout, Placed, Request};
use crate::marks::{MarkPainter, Marks, Said};
use crate::mask::Mask;
use crate::reading::{Reading, Wording};
use crate::rect::Rect;
use crate::shared::Held;
use crate::style::Style;

/// What a canvas shows. A new one knows nothing and is painted whole.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    scene: Option<Arc<Scene>>,
    digits: Vec<u8>,
    said: Said,
}

/// A clock face for frames of one shape.
#[derive(Debug)]
pub struct Face {
    spec: FrameSpec,
    style: Style,
    wording: Wording,
    scene: Option<Arc<Scene>>,
    /// The style's own: they outlive the scenes.
    marks: Option<Arc<MarkPainter>>,
    /// What the frame before showed.
    previous: Shown,
    /// Memory that is used again for each frame.
    lines: [Text; LINES],
    digits: Vec<u8>,
    changed: Vec<Rect>,
}

/// A layout in a frame's colours.
struct Scene {
    layout: Held<Layout>,
    palette: Palette,
    cells: Vec<SceneCell>,
    marks: Arc<MarkPainter>,
}

/// The place of one digit, and how each of the ten looks there.
struct SceneCell {
    rect: Rect,
    tiles: Arc<[Tile]>,
}

/// The characters of a line that are shown. More could not be told apart in any frame, and Pango's units overflow.
const LONGEST_LINE: usize = 1000;
/// The rows of a line that has line breaks.
const MOST_ROWS: usize = 16;

/// A line of text as it is, and with `0` for each digit.
#[derive(Debug, Default)]
struct Text {
    line: String,
    skeleton: String,
}

impl std::fmt::Debug for Scene {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scene")
            .field("layout", &*self.layout)
            .finish_non_exhaustive()
    }
}

impl Face {
    /// A face for frames of that shape. Nothing is drawn before the first reading is painted.
    #[must_use]
    pub fn new(spec: FrameSpec, style: Style, wording: Wording) -> Self {
        Self {
            spec,
            style,
            wording,
            scene: None,
            marks: None,
            previous: Shown::default(),
            lines: Default::default(),
            digits: Vec::new(),
            changed: Vec::new(),
        }
    }

    /// Lays out and draws ahead what readings like this one need: some frame periods' worth of work, where painting
    /// one takes microseconds.
    ///
    /// # Errors
    /// [`FaceError`] when text cannot be drawn.
    pub fn prepare(&mut self, reading: &Reading) -> Result<(), FaceError> {
        self.write_lines(reading)?;
        self.scene().map(drop)
    }

    /// Paints a reading on a canvas that shows `shown`, and notes there what it shows now.
    ///
    /// Answers the rectangles in which this frame differs from the one that was painted before, whichever
    /// canvas that was on.
    ///
    /// # Errors
    /// [`FaceError`] when text cannot be drawn; the canvas is as it was.
    pub fn paint(
        &mut self,
        canvas: &mut Picture<'_>,
        shown: &mut Shown,
        reading: &Reading,
    ) -> Result<&[Rect], FaceError> {
        self.write_lines(reading)?;
        let scene = self.scene()?;
        let said = scene.marks.say(reading);
        if shown.shows(&scene) {
            scene.paint_changed_cells(canvas, &shown.digits, &self.digits);
            scene.marks.paint_changes(canvas, shown.said, said);
        } else {
            scene.paint(canvas, &self.digits);
            scene.marks.paint(canvas, said);
        }
        self.note_changes(&scene, said);
        for note in [shown, &mut self.previous] {
            note.scene = Some(Arc::clone(&scene));
            note.digits.clone_from(&self.digits);
            note.said = said;
        }
        Ok(&self.changed)
    }

    fn write_lines(&mut self, reading: &Reading) -> Result<(), FaceError> {
        let [label, time, clients] = &mut self.lines;
        for text in [&mut *label, time, clients] {
            text.line.clear();
        }
        label.line.push_str(&self.wording.label);
        self.wording.write_time(reading.instant, &mut time.line)?;
        self.wording.write_clients(reading.viewers, &mut clients.line);
        self.digits.clear();
        for text in &mut self.lines {
            text.split_digits(&mut self.digits);
        }
        Ok(())
    }

    /// The scene of the lines at hand: the one at hand unless more than digits changed.
    fn scene(&mut self) -> Result<Arc<Scene>, FaceError> {
        let fits = |scene: &&Arc<Scene>| {
            let skeletons = scene.layout.skeletons.iter();
            skeletons
                .zip(&self.lines)
                .all(|(skeleton, text)| *skeleton == text.skeleton)
        };
        if let Some(scene) = self.scene.as_ref().filter(fits) {
            return Ok(Arc::clone(scene));
        }
        let scene = Arc::new(self.new_scene()?);
        self.scene = Some(Arc::clone(&scene));
        Ok(scene)
    }

    fn new_scene(&mut self) -> Result<Scene, FaceError> {
        let Style {
            foreground,
            background,
            ..
        } = self.style;
        let palette = Palette::new(self.spec.format, self.spec.colorimetry, foreground, background);
        let marks = match &self.marks {
            Some(marks) => Arc::clone(marks),
            None => Arc::new(MarkPainter::new(&self.spec, &self.style, &palette)?),
        };
        self.marks = Some(Arc::clone(&marks));
        Scene::new(&self.spec, &self.style, &self.lines, palette, marks)
    }

    fn note_changes(&mut self, scene: &Arc<Scene>, said: Said) {
        self.changed.clear();
        if self.previous.shows(scene) {
            self.changed.extend(scene.marks.changes(self.previous.said, said));
            self.changed.extend(
                scene
                    .changed_cells(&self.previous.digits, &self.digits)
                    .map(|cell| cell.rect),
            );
        } else {
            self.changed.push(Rect {
                x: 0,
                y: 0,
                width: self.spec.width,
                height: self.spec.height,
            });
        }
    }
}

impl Shown {
    fn shows(&self, scene: &Arc<Scene>) -> bool {
        self.scene.as_ref().is_some_and(|shown| Arc::ptr_eq(shown, scene))
    }
}

impl Text {
    /// Makes the skeleton and appends the digits that it lacks. Line breaks stay; other control characters have no
    /// glyphs, and a space stands for each.
    fn split_digits(&mut self, digits: &mut Vec<u8>) {
        self.skeleton.clear();
        let mut breaks = 0;
        for character in self.line.chars().take(LONGEST_LINE) {
            self.skeleton.push(match character {
                '0'..='9' => {
                    digits.push(character as u8 - b'0');
                    '0'
                }
                '\n' | '\u{2028}' | '\u{2029}' if breaks + 1 < MOST_ROWS => {
                    breaks += 1;
                    '\n'
                }
                '\n' | '\u{2028}' | '\u{2029}' => break,
                // Of the two that end a line on Windows, the second one does.
                '\r' => continue,
                control if control.is_control() => ' ',
                other => other,
            });
        }
    }
}

impl Scene {
    fn new(
        spec: &FrameSpec,
        style: &Style,
        lines: &[Text; LINES],
        palette: Palette,
        marks: Arc<MarkPainter>,
    ) -> Result<Self, FaceError> {
        let request = Request {
            font: style.font.clone(),
            width: spec.width,
            height: spec.height,
            marks: Marks::of(style),
            scale: style.text_scale,
            horizontal: style.horizontal.into(),
            vertical: style.vertical.into(),
            skeletons: lines.each_ref().map(|text| text.skeleton.clone()),
        };
        let layout = layout::layout(&request)?;
        let mut cells: Vec<SceneCell> = layout
            .lines
            .iter()
            .flat_map(|placed| cells(spec, placed, &palette))
            .collect();
        // Text that no size can fit does not get into the marks.
        for cell in &mut cells {
            if layout.places.taken().any(|mark| mark.overlaps(&cell.rect)) {
                *cell = SceneCell::hidden();
            }
        }
        Ok(Self {
            layout,
            palette,
            cells,
            marks,
        })
    }

    fn paint(&self, canvas: &mut Picture<'_>, digits: &[u8]) {
        canvas.clear(&self.palette);
        for placed in &self.layout.lines {
            canvas.blend(&placed.line.mask, placed.x, placed.y, &self.palette);
        }
        for (cell, &digit) in self.cells.iter().zip(digits) {
            cell.paint(canvas, digit);
        }
    }

    fn paint_changed_cells(&self, canvas: &mut Picture<'_>, old: &[u8], new: &[u8]) {
        for ((cell, old), &new) in self.cells.iter().zip(old).zip(new) {
            if *old != new {
                cell.paint(canvas, new);
            }
        }
    }

    fn changed_cells<'a>(&'a self, old: &'a [u8], new: &'a [u8]) -> impl Iterator<Item = &'a SceneCell> {
        let cells = self.cells.iter().zip(old.iter().zip(new));
        cells.filter(|(_, (old, new))| old != new).map(|(cell, _)| cell)
    }
}

impl SceneCell {
    /// No place at all, so that the digits behind it keep theirs.
    fn hidden() -> Self {
        Self {
            rect: Rect::default(),
            tiles: Arc::from([]),
        }
    }

    fn paint(&self, canvas: &mut Picture<'_>, digit: u8) {
        if let Some(tile) = self.tiles.get(usize::from(digit)) {
            canvas.copy(tile, self.rect.x, self.rect.y);
        }
    }
}

/// The cells of a line. They share their tiles, save where other text reaches into a cell.
fn cells(spec: &FrameSpec, placed: &Placed, palette: &Palette) -> Vec<SceneCell> {
    let (line, digits) = (&placed.line, &placed.digits);
    let tile = |mask: &Mask| Tile::new(spec.format, mask, palette);
    let plain = (!line.cells.is_empty()).then(|| Arc::<[Tile]>::from(digits.masks.each_ref().map(tile)));
    let (left, top) = digits.inset;
    let tiles = |&(x, y): &(usize, usize)| {
        let joined = digits
            .masks
            .each_ref()
            .map(|mask| mask.joined(&line.mask, x + left, y + top));
        let [Some(_), ..] = joined else {
            return plain.clone();
        };
        Some(Arc::from(joined.map(|mask| tile(&mask.unwrap_or_default()))))
    };
    let rect = |&(x, y): &(usize, usize)| Rect {
        x: placed.x + x + left,
        y: placed.y + y + top,
        width: digits.masks[0].width,
        height: digits.masks[0].height,
    };
    line.cells
        .iter()
        .filter_map(|at| {
            Some(SceneCell {
                rect: rect(at),
                tiles: tiles(at)?,
            })
        })
        .collect()
}
