//! Where each line and each character cell stands, for one frame size.

use std::borrow::Cow;
use std::cmp::Reverse;

use crate::face::{FaceError, Rect};
use crate::glyphs::{self, Digits, Extent, Font, Line, Typesetter};
use crate::marks::{Marks, Places};
use crate::shared::{Held, Shared};
use crate::style::{Align, Share};

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

#[cfg(test)]
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

/// Px that all rows take together.
struct Block {
    width: usize,
    height: usize,
}

impl Block {
    fn fits(&self, area: &Rect) -> bool {
        let room = Room::of(area);
        float(self.width) <= room.width && float(self.height) <= room.height
    }

    /// Its top left corner where it stands in an area.
    fn corner(&self, request: &Request, area: &Rect) -> (usize, usize) {
        (
            start(request.horizontal, area.x, area.width, self.width),
            start(request.vertical, area.y, area.height, self.height),
        )
    }
}

/// Where something of `length` px begins between two edges.
fn start(align: Align, from: usize, side: usize, length: usize) -> usize {
    let rest = side.saturating_sub(length);
    let margin = (side.saturating_sub(filled(side)) / 2).min(rest);
    from + match align {
        Align::Start => margin,
        Align::Middle => rest / 2,
        Align::End => rest - margin,
    }
}

/// The part of the frame without marks for text of that size: where it is to stand at an edge, the one that brings it
/// closest to where it would stand without marks.
fn aligned_area(request: &Request, places: &Places, largest: Rect, block: &Block) -> Rect {
    if (request.horizontal, request.vertical) == (Align::Middle, Align::Middle) {
        return largest;
    }
    let whole = Rect {
        x: 0,
        y: 0,
        width: request.width,
        height: request.height,
    };
    let (x, y) = block.corner(request, &whole);
    let worth = |area: &Rect| {
        let place = block.corner(request, area);
        let distance = place.0.abs_diff(x) + place.1.abs_diff(y);
        (Reverse(distance), area.width * area.height)
    };
    let areas = places.free(request.width, request.height).into_iter();
    areas
        .filter(|area| block.fits(area))
        .max_by_key(worth)
        .unwrap_or(largest)
}

/// The part of the frame without marks in which the time becomes largest; of equals, the one with the most room.
fn largest_area(request: &Request, places: &Places, typesetter: &Typesetter) -> Rect {
    let need = Need::of(request, typesetter);
    let worth = |area: &Rect| (need.largest_time(&Room::of(area)), area.width * area.height);
    let areas = places.free(request.width, request.height);
    areas.into_iter().max_by_key(worth).unwrap_or_default()
}

fn even(px: usize) -> usize {
    px & !1
}

/// The size of each line in Pango units per em, so that all of them stand inside the room.
fn fit(request: &Request, room: &Room, typesetter: &Typesetter) -> [i32; LINES] {
    let largest = || Need::of(request, typesetter).largest_time(room);
    let time = glyphs::size_of(&request.font).unwrap_or_else(largest);
    let mut sizes = [scaled(time, SMALL), time, scaled(time, SMALL)];
    for ((size, skeleton), index) in sizes.iter_mut().zip(&request.skeletons).zip(0..) {
        for row in rows(skeleton) {
            let row = with_room_for_digits(row, index);
            // Close to what fits before it is measured: Pango's units overflow with huge text.
            let bound = scaled(
                REFERENCE,
                room.width / width(typesetter, request, REFERENCE, &row),
            );
            *size = (*size).min(bound.saturating_add(1));
            *size = reduce(*size, |size| room.width / width(typesetter, request, size, &row));
        }
    }
    // Rounding to even pixels can make the whole higher than its parts promised.
    let shrink = |sizes: [i32; LINES], by: f64| sizes.map(|size| scaled(size, by));
    let factor = reduce(REFERENCE, |factor| {
        let sizes = shrink(sizes, f64::from(factor) / f64::from(REFERENCE));
        let lines = request.skeletons.iter().zip(sizes);
        let total: usize = lines
            .flat_map(|(line, size)| rows(line).map(move |row| (row, size)))
            .map(|(row, size)| extent(typesetter, request, size, row).height)
            .sum();
        room.height / float(total.max(1))
    });
    shrink(sizes, f64::from(factor) / f64::from(REFERENCE))
}

/// Px that text may fill.
struct Room {
    width: f64,
    height: f64,
}

impl Room {
    fn of(area: &Rect) -> Self {
        Self {
            width: float(filled(area.width)),
            height: float(filled(area.height)),
        }
    }
}

/// The part of a side that text may fill, in px.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "less than the side, and not below 1"
)]
fn filled(side: usize) -> usize {
    (float(side) * FILL).max(1.0) as usize
}

/// Px that all lines need where the time is of [`REFERENCE`] size: the time's width, and the height of all.
struct Need {
    width: f64,
    height: f64,
}

impl Need {
    fn of(request: &Request, typesetter: &Typesetter) -> Self {
        let time = &request.skeletons[TIME];
        let (time, rows_of_time) = match rows(time).count() {
            0 => ("00:00:00.000", 1),
            count => (time.as_str(), count),
        };
        let extents = rows(time).map(|row| extent(typesetter, request, REFERENCE, row));
        let time = extents.fold(Extent::default(), |all, row| Extent {
            width: all.width.max(row.width),
            height: all.height + row.height,
        });
        let others = request.skeletons.iter().enumerate();
        let others: usize = others
            .filter(|(index, _)| *index != TIME)
            .map(|(_, skeleton)| rows(skeleton).count())
            .sum();
        let row = float(time.height) / float(rows_of_time);
        let height = float(time.height) + row * SMALL * float(others);
        Self {
            width: float(time.width.max(1)),
            height: height.max(1.0),
        }
    }

    /// The size at which the time fills the room's width, or all lines together its height.
    fn largest_time(&self, room: &Room) -> i32 {
        scaled(
            REFERENCE,
            (room.width / self.width).min(room.height / self.height),
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
    use crate::logo::Logo;
    use crate::style::{Corner, LogoStyle, Style};

    fn sizes(request: &Request) -> [i32; LINES] {
        let room = Room::of(&Rect {
            width: request.width,
            height: request.height,
            ..Rect::default()
        });
        fit(request, &room, &Typesetter::new().unwrap())
    }

    fn request(width: usize, height: usize) -> Request {
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
    fn joining_viewers_do_not_change_the_sizes() {
        let sizes_with = |skeleton: &str| {
            let mut request = request(640, 480);
            request.skeletons[2] = skeleton.to_owned();
            sizes(&request)
        };
        assert_eq!(
            sizes_with("Connected Clients: 0"),
            sizes_with("Connected Clients: 0000")
        );
    }

    #[test]
    fn a_size_that_is_asked_for_is_kept_unless_it_does_not_fit() {
        let with = |font: &str| {
            sizes(&Request {
                font: font.to_owned(),
                ..request(640, 480)
            })[TIME]
        };
        assert_eq!(with("monospace 30px"), 30 * pango::SCALE);
        assert!(with("monospace 900px") < 100 * pango::SCALE);
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
        let aligns = [Align::Start, Align::Middle, Align::End];
        let aligns = aligns.into_iter().flat_map(|h| aligns.map(|v| (h, v)));
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
                    horizontal,
                    vertical,
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
