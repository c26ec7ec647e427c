//! Paints the difference between what a canvas shows and what it should show.

use std::sync::Arc;

use thiserror::Error;

use crate::color::Palette;
use crate::frame::{FrameSpec, Picture, Tile};
use crate::glyphs::Mask;
use crate::layout::{self, LINES, Layout, Placed, Request};
use crate::reading::{Reading, Wording, WordingError};
use crate::shared::Held;
use crate::style::Style;

/// Why a reading could not be painted.
#[derive(Debug, Error)]
pub enum FaceError {
    /// Pango found no font at all.
    #[error("no font is installed (on Debian: fonts-dejavu-core)")]
    NoFont,
    /// cairo could not draw.
    #[error("cairo could not draw the text: {0}")]
    Cairo(#[from] cairo::Error),
    /// cairo's surface could not be read.
    #[error("cairo's surface could not be read: {0}")]
    Surface(#[from] cairo::BorrowError),
    /// The time could not be put into words.
    #[error(transparent)]
    Wording(#[from] WordingError),
}

/// A rectangle of a frame, in px from its top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    /// The left edge.
    pub x: usize,
    /// The top edge.
    pub y: usize,
    /// The width.
    pub width: usize,
    /// The height.
    pub height: usize,
}

/// What a canvas shows. A new one knows nothing and is painted whole.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    scene: Option<Arc<Scene>>,
    digits: Vec<u8>,
}

/// A clock face for frames of one shape.
#[derive(Debug)]
pub struct Face {
    spec: FrameSpec,
    style: Style,
    wording: Wording,
    scene: Option<Arc<Scene>>,
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
}

/// The place of one digit, and how each of the ten looks there.
struct SceneCell {
    rect: Rect,
    tiles: Arc<[Tile; 10]>,
}

/// The characters of a line that are shown. More could not be told apart in any frame, and Pango's units overflow.
const LONGEST_LINE: usize = 1000;

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
            previous: Shown::default(),
            lines: Default::default(),
            digits: Vec::new(),
            changed: Vec::new(),
        }
    }

    /// Changes what the next reading will look like.
    pub fn restyle(&mut self, style: Style, wording: Wording) {
        if style != self.style {
            self.scene = None;
        }
        self.style = style;
        self.wording = wording;
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
        if shown.shows(&scene) {
            scene.paint_changed_cells(canvas, &shown.digits, &self.digits);
        } else {
            scene.paint(canvas, &self.digits);
        }
        self.note_changes(&scene);
        for note in [shown, &mut self.previous] {
            note.scene = Some(Arc::clone(&scene));
            note.digits.clone_from(&self.digits);
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
        let scene = Arc::new(Scene::new(&self.spec, &self.style, &self.lines)?);
        self.scene = Some(Arc::clone(&scene));
        Ok(scene)
    }

    fn note_changes(&mut self, scene: &Arc<Scene>) {
        self.changed.clear();
        if self.previous.shows(scene) {
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
    /// Makes the skeleton and appends the digits that it lacks. Control characters have no glyphs and would
    /// break the line: a space stands for each.
    fn split_digits(&mut self, digits: &mut Vec<u8>) {
        self.skeleton.clear();
        for character in self.line.chars().take(LONGEST_LINE) {
            self.skeleton.push(match character {
                '0'..='9' => {
                    digits.push(character as u8 - b'0');
                    '0'
                }
                control if control.is_control() => ' ',
                other => other,
            });
        }
    }
}

impl Scene {
    fn new(spec: &FrameSpec, style: &Style, lines: &[Text; LINES]) -> Result<Self, FaceError> {
        let request = Request {
            font: style.font.clone(),
            width: spec.width,
            height: spec.height,
            skeletons: lines.each_ref().map(|text| text.skeleton.clone()),
        };
        let layout = layout::layout(&request)?;
        let palette = Palette::new(spec.format, spec.colorimetry, style.foreground, style.background);
        let cells = layout
            .lines
            .iter()
            .flat_map(|placed| cells(spec, placed, &palette))
            .collect();
        Ok(Self {
            layout,
            palette,
            cells,
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
    let plain = (!line.cells.is_empty()).then(|| Arc::new(digits.masks.each_ref().map(tile)));
    let (left, top) = digits.inset;
    let tiles = |&(x, y): &(usize, usize)| {
        let joined = digits
            .masks
            .each_ref()
            .map(|mask| mask.joined(&line.mask, x + left, y + top));
        let [Some(_), ..] = joined else {
            return plain.clone();
        };
        Some(Arc::new(joined.map(|mask| tile(&mask.unwrap_or_default()))))
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
