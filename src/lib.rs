//! What a clock picture shows, and how it gets painted.
//!
//! A [`Reading`] (an instant, a number of viewers) and a [`Style`] go in, painted pixels come out. Text is
//! laid out by Pango and rendered by cairo once per style and size; a frame then copies only the cells whose
//! character changed.
//!
//! | module | job |
//! | --- | --- |
//! | `rect` | a rectangle of a frame |
//! | `format` | pixel formats, and the planes of each |
//! | `error` | why text cannot be worded, and why a face cannot be painted |
//! | [`mask`] | coverage of a rectangle of pixels, as cairo draws it |
//! | [`epoch`] | where clocks count from: NTP, Unix and TAI |
//! | [`file`] | a file that somebody named, whatever it turns out to be |
//! | [`threads`] | whether the system has room for more |
//! | `shared` | what a process makes once and many faces use |
//! | [`stamp`] | the QR code: its payload, its modules, and reading one of them, or all, from a picture |
//! | [`tick`] | the tick: what it sounds like, and hearing it |
//! | [`zone`] | time zones, by name and the machine's own |
//! | `reading` | what the clock says, and the lines of text that this makes |
//! | `glyphs` | text to coverage masks |
//! | `fonts` | which characters no font has |
//! | `logo` | from a PNG file to its pixels at the size that is wanted |
//! | `style` | fonts, colours, placement, marks, logo |
//! | `color` | colours as the numbers of a frame |
//! | `frame` | a frame's memory, and how coverage is blended into its planes |
//! | `marks` | where stamp, flash and logo stand, and how they are painted |
//! | `layout` | where each line and each character cell stands |
//! | `face` | paints the difference between what a canvas shows and what it should show |
//!
//! ```
//! use clockface::{Colorimetry, Face, FrameSpec, PixelFormat, Plane, Picture, Reading, Shown, Style, Wording};
//!
//! let spec = FrameSpec::new(PixelFormat::Gray8, 320, 240, Colorimetry::default())?;
//! let mut face = Face::new(spec, Style::default(), Wording::default());
//! let mut pixels = vec![0; 320 * 240];
//! let mut canvas = Picture::new(&spec, [Plane { data: &mut pixels, stride: 320 }])?;
//! let reading = Reading { instant: "2026-01-01T12:00:00Z".parse()?, viewers: 2, ..Reading::default() };
//! face.paint(&mut canvas, &mut Shown::default(), &reading)?;
//! assert!(pixels.iter().any(|&luma| luma > 200));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod color;
pub mod epoch;
mod error;
mod face;
pub mod file;
mod fonts;
mod format;
mod frame;
mod glyphs;
mod layout;
mod logo;
mod marks;
pub mod mask;
mod reading;
mod rect;
mod shared;
pub mod stamp;
mod style;
pub mod threads;
pub mod tick;
pub mod zone;

pub use color::{Colorimetry, Matrix, Range};
pub use error::{FaceError, WordingError};
pub use face::{Face, Shown};
pub use fonts::Fonts;
pub use format::PixelFormat;
pub use frame::{FrameError, FrameSpec, Picture, Plane};
pub use logo::{Logo, LogoError};
pub use reading::{Reading, TimeFormat, Wording};
pub use rect::Rect;
pub use stamp::Stamp;
pub use stamp::reader::{Luma, Sighting, StampReader};
pub use stamp::wall::WallReader;
pub use style::{Argb, Corner, HorizontalAlignment, LogoStyle, Share, Style, VerticalAlignment};
pub use zone::time_zone;
