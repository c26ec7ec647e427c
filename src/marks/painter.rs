//! The marks of a frame, ready to be painted.

use super::Marks;
use super::flash::{FlashPainter, is_lit};
use super::logo::LogoPainter;
use super::stamp::StampPainter;
use crate::color::Palette;
use crate::error::FaceError;
use crate::frame::{FrameSpec, Picture};
use crate::reading::Reading;
use crate::rect::Rect;
use crate::stamp::Stamp;
use crate::style::Style;

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

impl MarkPainter {
    pub(crate) fn new(spec: &FrameSpec, style: &Style, palette: &Palette) -> Result<Self, FaceError> {
        let places = Marks::of(style).places(spec.width, spec.height);
        let stamp = places.stamp.map(|place| StampPainter::new(spec, place));
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
        Said {
            stamp: self.stamp.as_ref().map(|_| reading.stamp()),
            lit: self.flash.is_some() && is_lit(reading),
        }
    }

    /// Paints the marks on a canvas that shows none of them.
    pub(crate) fn paint(&self, canvas: &mut Picture<'_>, said: Said) {
        if let Some(stamp) = &self.stamp {
            stamp.paint_ground(canvas);
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
        let code = stamp.map(StampPainter::code);
        code.into_iter().chain(flash.map(|flash| flash.rect))
    }

    fn paint_stamp(&self, canvas: &mut Picture<'_>, said: Said) {
        if let (Some(painter), Some(stamp)) = (&self.stamp, said.stamp) {
            painter.paint(canvas, &stamp);
        }
    }

    fn paint_flash(&self, canvas: &mut Picture<'_>, said: Said) {
        if let Some(flash) = &self.flash {
            flash.paint(canvas, said.lit);
        }
    }
}
