//! Where each line and each character cell stands, for one frame size.

use std::borrow::Cow;

use crate::face::FaceError;
use crate::glyphs::{self, Digits, Extent, Font, Line, Typesetter};
use crate::shared::{Held, Shared};

/// The lines of a face from top to bottom: label, time, viewers.
pub(crate) const LINES: usize = 3;
/// The index of the time among the lines.
const TIME: usize = 1;
/// The other lines' size beside that of the time.
const SMALL: f64 = 0.5;
/// The part of the frame's width and height that text may fill.
const FILL: f64 = 0.92;
/// Digits for which the viewers line keeps room, so that it does not shrink as people join.
const ROOM_FOR_DIGITS: usize = 4;
/// The size at which a line is measured, in px per em; without hinting all others follow in proportion.
const REFERENCE: i32 = 256 * pango::SCALE;
/// Below this, in Pango units per em, there is nothing to see.
const SMALLEST: i32 = pango::SCALE / 2;

/// What a layout depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    pub(crate) font: String,
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// The lines with `0` for each digit; an empty one is not shown.
    pub(crate) skeletons: [String; LINES],
}

/// The lines of a face in their places.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) skeletons: [String; LINES],
    pub(crate) lines: Vec<Placed>,
}

/// A line in its place, all on even px.
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

/// The layout that was asked for, made once in a process.
pub(crate) fn layout(request: &Request) -> Result<Held<Layout>, FaceError> {
    static LAYOUTS: Shared<Request, Layout> = Shared::new();
    LAYOUTS.get_or_try_make(request, || arrange(request))
}

fn arrange(request: &Request) -> Result<Layout, FaceError> {
    let sizes = fit(request)?;
    let mut lines = Vec::new();
    for (skeleton, size) in request.skeletons.iter().zip(sizes) {
        if !skeleton.is_empty() {
            let font = Font {
                description: request.font.clone(),
                size,
            };
            lines.push((glyphs::line(&font, skeleton)?, glyphs::digits(&font)?));
        }
    }
    let text_height: usize = lines.iter().map(|(line, _)| line.mask.height).sum();
    let mut y = request.height.saturating_sub(text_height) / 2;
    let lines = lines
        .into_iter()
        .map(|(line, digits)| {
            let x = request.width.saturating_sub(line.mask.width) / 2;
            let placed = Placed {
                x: even(x),
                y: even(y),
                line,
                digits,
            };
            y += placed.line.mask.height;
            placed
        })
        .collect();
    Ok(Layout {
        skeletons: request.skeletons.clone(),
        lines,
    })
}

fn even(px: usize) -> usize {
    px & !1
}

/// The size of each line in Pango units per em, so that all of them stand inside the frame.
fn fit(request: &Request) -> Result<[i32; LINES], FaceError> {
    let typesetter = Typesetter::new()?;
    let room = Room::of(request);
    let time = glyphs::size_of(&request.font).unwrap_or_else(|| room.largest_time(request, &typesetter));
    let mut sizes = [scaled(time, SMALL), time, scaled(time, SMALL)];
    for ((size, skeleton), index) in sizes.iter_mut().zip(&request.skeletons).zip(0..) {
        let line = with_room_for_digits(skeleton, index);
        // Close to what fits before it is measured: Pango's units overflow with huge text.
        let bound = scaled(
            REFERENCE,
            room.width / width(&typesetter, request, REFERENCE, &line),
        );
        *size = (*size).min(bound.saturating_add(1));
        *size = reduce(*size, |size| {
            room.width / width(&typesetter, request, size, &line)
        });
    }
    // Rounding to even pixels can make the whole higher than its parts promised.
    let shrink = |sizes: [i32; LINES], by: f64| sizes.map(|size| scaled(size, by));
    let factor = reduce(REFERENCE, |factor| {
        let sizes = shrink(sizes, f64::from(factor) / f64::from(REFERENCE));
        let heights = request
            .skeletons
            .iter()
            .zip(sizes)
            .filter(|(skeleton, _)| !skeleton.is_empty());
        let total: usize = heights
            .map(|(line, size)| extent(&typesetter, request, size, line).height)
            .sum();
        room.height / float(total.max(1))
    });
    Ok(shrink(sizes, f64::from(factor) / f64::from(REFERENCE)))
}

/// Px that text may fill.
struct Room {
    width: f64,
    height: f64,
}

impl Room {
    fn of(request: &Request) -> Self {
        let side = |px: usize| (float(px) * FILL).floor().max(1.0);
        Self {
            width: side(request.width),
            height: side(request.height),
        }
    }

    /// The size at which the time fills the room's width, or all lines together its height.
    fn largest_time(&self, request: &Request, typesetter: &Typesetter) -> i32 {
        let line = &request.skeletons[TIME];
        let line = if line.is_empty() { "00:00:00.000" } else { line };
        let reference = extent(typesetter, request, REFERENCE, line);
        let others = request.skeletons.iter().enumerate();
        let others = others
            .filter(|(index, skeleton)| *index != TIME && !skeleton.is_empty())
            .count();
        let height = float(reference.height) * (1.0 + SMALL * float(others));
        scaled(
            REFERENCE,
            (self.width / float(reference.width.max(1))).min(self.height / height.max(1.0)),
        )
    }
}

/// A size reduced until what `ratio` answers for it (room by need) is at least 1.
fn reduce(mut size: i32, ratio: impl Fn(i32) -> f64) -> i32 {
    while size > SMALLEST {
        let ratio = ratio(size);
        if ratio >= 1.0 {
            break;
        }
        // A little less than in proportion, since cells are rounded up to even pixels.
        size = scaled(size, ratio.clamp(0.01, 0.98)).max(SMALLEST);
    }
    size
}

fn extent(typesetter: &Typesetter, request: &Request, size: i32, line: &str) -> Extent {
    typesetter.extent(
        &Font {
            description: request.font.clone(),
            size,
        },
        line,
    )
}

fn width(typesetter: &Typesetter, request: &Request, size: i32, line: &str) -> f64 {
    float(extent(typesetter, request, size, line).width.max(1))
}

/// The viewers line with its digits padded; other lines as they are.
fn with_room_for_digits(skeleton: &str, index: usize) -> Cow<'_, str> {
    let digits = skeleton.bytes().filter(u8::is_ascii_digit).count();
    match skeleton.rfind('0') {
        Some(last) if index > TIME && digits < ROOM_FOR_DIGITS => {
            let mut padded = skeleton.to_owned();
            padded.insert_str(last, &"0".repeat(ROOM_FOR_DIGITS - digits));
            Cow::Owned(padded)
        }
        _ => Cow::Borrowed(skeleton),
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "sizes are far below the limits of i32"
)]
fn scaled(size: i32, by: f64) -> i32 {
    (f64::from(size) * by) as i32
}

#[allow(clippy::cast_precision_loss, reason = "pixels of a frame are far below 2^52")]
fn float(px: usize) -> f64 {
    px as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(width: usize, height: usize) -> Request {
        Request {
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
    fn joining_viewers_do_not_change_the_sizes() {
        let sizes = |skeleton: &str| {
            let mut request = request(640, 480);
            request.skeletons[2] = skeleton.to_owned();
            fit(&request).unwrap()
        };
        assert_eq!(sizes("Connected Clients: 0"), sizes("Connected Clients: 0000"));
    }

    #[test]
    fn a_size_that_is_asked_for_is_kept_unless_it_does_not_fit() {
        let with = |font: &str| {
            fit(&Request {
                font: font.to_owned(),
                ..request(640, 480)
            })
            .unwrap()[TIME]
        };
        assert_eq!(with("monospace 30px"), 30 * pango::SCALE);
        assert!(with("monospace 900px") < 100 * pango::SCALE);
    }
}
