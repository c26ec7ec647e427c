//! Where each line and each character cell stands, for one frame size.
//!
//! | module | job |
//! | --- | --- |
//! | `room` | how much of an area text may fill |
//! | `areas` | the part of the frame that text stands in, and where in it |
//! | `sizes` | how large the text becomes |

mod areas;
mod room;
mod sizes;

use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::error::FaceError;
use crate::glyphs::{self, Digits, Font, Line, Typesetter};
use crate::marks::{Marks, Places};
use crate::shared::{Held, Shared};
use crate::style::{Align, Share};
use areas::{Block, aligned_area, largest_area, start};
use room::Room;
use sizes::{fit, scaled};

/// The lines of a face from top to bottom: label, time, viewers.
pub(crate) const LINES: usize = 3;
/// The index of the time among the lines.
const TIME: usize = 1;

/// What a layout depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    pub(crate) font: String,
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) marks: Marks,
    /// The text's size as a share of what it would be without.
    pub(crate) scale: Share,
    pub(crate) horizontal: Align,
    pub(crate) vertical: Align,
    /// The lines with `0` for each digit, each of one row or several; an empty one is not shown.
    pub(crate) skeletons: [String; LINES],
}

/// The lines of a face in their places.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) skeletons: [String; LINES],
    /// One for each row.
    pub(crate) lines: Vec<Placed>,
    pub(crate) places: Places,
}

/// A row in its place, all on even px.
pub(crate) struct Placed {
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) line: Held<Line>,
    pub(crate) digits: Held<Digits>,
}

impl std::fmt::Debug for Placed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Placed")
            .field("x", &self.x)
            .field("y", &self.y)
            .finish_non_exhaustive()
    }
}

/// How many layouts stay for whoever comes next: a face that lives for one picture only is often followed by another one, and
/// most of what that takes is to draw its text.
const KEPT: usize = 4;

/// The layout that was asked for, made once in a process.
pub(crate) fn layout(request: &Request) -> Result<Held<Layout>, FaceError> {
    static LAYOUTS: Shared<Request, Layout> = Shared::new();
    static LATEST: Mutex<VecDeque<Held<Layout>>> = Mutex::new(VecDeque::new());
    let layout = LAYOUTS.get_or_try_make(request, || arrange(request))?;
    let mut latest = LATEST.lock();
    latest.retain(|other| !other.is(&layout));
    latest.push_front(layout.clone());
    latest.truncate(KEPT);
    Ok(layout)
}

fn arrange(request: &Request) -> Result<Layout, FaceError> {
    let typesetter = Typesetter::new()?;
    let places = request.marks.places(request.width, request.height);
    let area = largest_area(request, &places, &typesetter);
    let sizes = fit(request, &Room::of(&area), &typesetter);
    let mut lines = Vec::new();
    for (skeleton, size) in request.skeletons.iter().zip(sizes) {
        let font = Font {
            description: request.font.clone(),
            size: scaled(size, request.scale.value()),
        };
        for row in rows(skeleton) {
            lines.push((glyphs::line(&font, row)?, glyphs::digits(&font)?));
        }
    }
    let block = Block {
        width: lines
            .iter()
            .map(|(line, _)| line.mask.width)
            .max()
            .unwrap_or_default(),
        height: lines.iter().map(|(line, _)| line.mask.height).sum(),
    };
    let area = aligned_area(request, &places, area, &block);
    let (_, mut y) = block.corner(request, &area);
    let lines = lines
        .into_iter()
        .map(|(line, digits)| {
            let text = Placed {
                x: even(start(request.horizontal, area.x, area.width, line.mask.width)),
                y: even(y),
                line,
                digits,
            };
            y += text.line.mask.height;
            text
        })
        .collect();
    Ok(Layout {
        skeletons: request.skeletons.clone(),
        lines,
        places,
    })
}

/// The rows of a line. One without text between others keeps its height.
fn rows(skeleton: &str) -> impl Iterator<Item = &str> {
    let skeleton = skeleton.trim_end_matches('\n');
    let rows = (!skeleton.is_empty()).then(|| skeleton.split('\n'));
    rows.into_iter()
        .flatten()
        .map(|row| if row.is_empty() { " " } else { row })
}

fn even(px: usize) -> usize {
    px & !1
}

#[allow(clippy::cast_precision_loss, reason = "pixels of a frame are far below 2^52")]
fn float(px: usize) -> f64 {
    px as f64
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::sizes::extent;
    use super::*;
    use crate::logo::Logo;
    use crate::rect::Rect;
    use crate::style::{Corner, HorizontalAlignment, LogoStyle, Style, VerticalAlignment};

    impl Placed {
        fn rect(&self) -> Rect {
            Rect {
                x: self.x,
                y: self.y,
                width: self.line.mask.width,
                height: self.line.mask.height,
            }
        }
    }

    pub(super) fn request(width: usize, height: usize) -> Request {
        Request {
            marks: Marks::of(&Style::default()),
            scale: Share::WHOLE,
            horizontal: Align::Middle,
            vertical: Align::Middle,
            font: "monospace bold".to_owned(),
            width,
            height,
            skeletons: ["Camera 0", "00:00:00.000", "Connected Clients: 0"].map(str::to_owned),
        }
    }

    #[test]
    fn all_lines_stand_inside_the_frame_at_any_size() {
        for (width, height) in [
            (32, 32),
            (33, 35),
            (160, 120),
            (161, 121),
            (640, 480),
            (7680, 4320),
            (4000, 32),
            (32, 4000),
        ] {
            let layout = arrange(&request(width, height)).unwrap();
            assert_eq!(layout.lines.len(), 3);
            let mut bottom = 0;
            for placed in &layout.lines {
                let mask = &placed.line.mask;
                assert!(placed.y >= bottom, "{width}x{height}: lines overlap");
                bottom = placed.y + mask.height;
                assert!(
                    placed.x + mask.width <= width && bottom <= height,
                    "{width}x{height}: {placed:?}"
                );
            }
        }
    }

    #[test]
    fn the_time_fills_most_of_the_width() {
        for (width, height) in [(160, 120), (640, 480), (1920, 1080), (7680, 4320)] {
            let layout = arrange(&request(width, height)).unwrap();
            let time = layout.lines[TIME].line.mask.width;
            assert!(time * 10 >= width * 8, "{time} of {width} px");
        }
    }

    #[test]
    fn text_stands_where_no_mark_does_in_the_largest_part_of_the_frame() {
        let corners = [
            Corner::TopLeft,
            Corner::TopRight,
            Corner::BottomLeft,
            Corner::BottomRight,
        ];
        let frames = [
            (161, 121),
            (321, 241),
            (640, 480),
            (300, 701),
            (1281, 721),
            (1000, 166),
        ];
        for (corner, (width, height)) in corners.into_iter().flat_map(|c| frames.map(|size| (c, size))) {
            let style = Style {
                stamp: true,
                flash: true,
                corner,
                logo: (width % 2 == 1).then(|| LogoStyle {
                    logo: Logo::plain(40, 10),
                    corner: corners[width % 4],
                    scale: Share::new(0.15),
                }),
                ..Style::default()
            };
            let request = Request {
                marks: Marks::of(&style),
                ..request(width, height)
            };
            let layout = arrange(&request).unwrap();
            let free = layout.places.free(width, height);
            let text: Vec<Rect> = layout.lines.iter().map(Placed::rect).collect();
            let holds_all = |area: &Rect| text.iter().all(|line| area.holds(line));
            assert!(
                free.iter().any(holds_all),
                "{width}x{height} {corner:?}: {text:?}"
            );
            let typesetter = Typesetter::new().unwrap();
            let best = free
                .iter()
                .map(|area| fit(&request, &Room::of(area), &typesetter)[TIME]);
            let best = layout_width(&request, best.max().unwrap());
            assert!(
                text[TIME].width * 100 >= best * 95,
                "{width}x{height} {corner:?}: {text:?}"
            );
        }
    }

    #[test]
    fn aligned_text_of_any_size_stands_where_no_mark_does() {
        let aligns = HorizontalAlignment::iter().flat_map(|h| VerticalAlignment::iter().map(move |v| (h, v)));
        for ((horizontal, vertical), scale) in
            aligns.flat_map(|align| [0.1, 0.5, 1.0].map(|scale| (align, scale)))
        {
            for (width, height) in [(161, 121), (641, 481), (300, 701), (1000, 166)] {
                let style = Style {
                    stamp: true,
                    flash: true,
                    logo: Some(LogoStyle {
                        logo: Logo::plain(40, 10),
                        corner: Corner::BottomLeft,
                        scale: Share::new(0.3),
                    }),
                    ..Style::default()
                };
                let request = Request {
                    marks: Marks::of(&style),
                    scale: Share::new(scale),
                    horizontal: horizontal.into(),
                    vertical: vertical.into(),
                    ..request(width, height)
                };
                let layout = arrange(&request).unwrap();
                for text in layout.lines.iter().map(Placed::rect) {
                    assert!(
                        layout.places.taken().all(|mark| !mark.overlaps(&text)),
                        "{width}x{height} {horizontal:?} {vertical:?} {scale}: {text:?}"
                    );
                    assert!(
                        text.x + text.width <= width && text.y + text.height <= height,
                        "{text:?}"
                    );
                }
            }
        }
    }

    /// The width of the time at a size.
    fn layout_width(request: &Request, size: i32) -> usize {
        extent(
            &Typesetter::new().unwrap(),
            request,
            size,
            &request.skeletons[TIME],
        )
        .width
    }
}
