//! What a clock picture shows, and how it gets painted.
//!
//! A [`Reading`] (an instant, a number of viewers) and a [`Style`] go in, painted pixels come out. Text is
//! laid out by Pango and rendered by cairo once per style and size; a frame then copies only the cells whose
//! character changed.
//!
//! | module | job |
//! | --- | --- |
//! | [`reading`] | what the clock says, and the lines of text that this makes |
//! | [`color`] | colours as the numbers of a frame |
//! | [`style`] | fonts, colours, label |
//! | [`frame`] | the planes of a pixel format, and how coverage is blended into them |
//! | `glyphs` | text to coverage masks |
//! | `layout` | where each line and each character cell stands |
//! | `shared` | what a process makes once and many faces use |
//! | [`face`] | paints the difference between what a canvas shows and what it should show |
//!
//! ```
//! use clockface::{Colorimetry, Face, FrameSpec, PixelFormat, Plane, Picture, Reading, Shown, Style, Wording};
//!
//! let spec = FrameSpec::new(PixelFormat::Gray8, 320, 240, Colorimetry::default())?;
//! let mut face = Face::new(spec, Style::default(), Wording::default());
//! let mut pixels = vec![0; 320 * 240];
//! let mut canvas = Picture::new(&spec, [Plane { data: &mut pixels, stride: 320 }])?;
//! let reading = Reading { instant: "2026-01-01T12:00:00Z".parse()?, viewers: 2, frame: 0 };
//! face.paint(&mut canvas, &mut Shown::default(), &reading)?;
//! assert!(pixels.iter().any(|&luma| luma > 200));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod color;
pub mod face;
pub mod frame;
mod glyphs;
mod layout;
pub mod reading;
mod shared;
pub mod style;

pub use color::{Colorimetry, Matrix, Range};
pub use face::{Face, FaceError, Rect, Shown};
pub use frame::{FrameError, FrameSpec, Picture, PixelFormat, Plane};
pub use reading::{Reading, TimeFormat, Wording, WordingError, time_zone};
pub use style::{Argb, Style};
