//! What a clock picture shows, and how it gets painted.
//!
//! A [`Reading`] (an instant, a number of viewers) and a [`Style`] go in, painted pixels come out. Text is
//! laid out by Pango and rendered by cairo once per style and size; a frame then copies only the cells whose
//! character changed.
//!
//! | module | job |
//! | --- | --- |
//! | [`epoch`] | where clocks count from: NTP, Unix and TAI |
//! | [`rect`] | a rectangle of a frame |
//! | [`reading`] | what the clock says, and the lines of text that this makes |
//! | [`zone`] | time zones, by name and the machine's own |
//! | [`color`] | colours as the numbers of a frame |
//! | [`style`] | fonts, colours, placement, marks, logo |
//! | [`file`] | a file that somebody named, whatever it turns out to be |
//! | [`fonts`] | which characters no font has |
//! | [`format`] | pixel formats, and the planes of each |
//! | [`mask`] | coverage of a rectangle of pixels, as cairo draws it |
//! | [`frame`] | a frame's memory, and how coverage is blended into its planes |
//! | `glyphs` | text to coverage masks |
//! | `layout` | where each line and each character cell stands |
//! | `marks` | where stamp, flash and logo stand, and how they are painted |
//! | [`logo`] | from a PNG file to its pixels at the size that is wanted |
//! | `shared` | what a process makes once and many faces use |
//! | [`threads`] | whether the system has room for more |
//! | [`stamp`] | the QR code: its payload, its modules, and reading one of them, or all, from a picture |
//! | [`tick`] | the tick: what it sounds like, and hearing it |
//! | [`face`] | paints the difference between what a canvas shows and what it should show |
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

pub mod color;
pub mod epoch;
pub mod error;
pub mod face;
pub mod file;
pub mod fonts;
pub mod format;
pub mod frame;
mod glyphs;
mod layout;
pub mod logo;
mod marks;
pub mod mask;
pub mod reading;
pub mod rect;
mod shared;
pub mod stamp;
pub mod style;
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
pub use style::{Align, Argb, Corner, LogoStyle, Share, Style};
pub use zone::time_zone;
