//! How large the text becomes: as large as fits, or as large as is asked for if that fits.

use std::borrow::Cow;

use super::room::Room;
use super::{LINES, Request, TIME, float, rows};
use crate::glyphs::{self, Extent, Font, Typesetter};

/// The other lines' size beside that of the time.
const SMALL: f64 = 0.5;
/// Digits for which the viewers line keeps room, so that it does not shrink as people join.
const ROOM_FOR_DIGITS: usize = 4;
/// The size at which a line is measured, in px per em; without hinting all others follow in proportion.
const REFERENCE: i32 = 256 * pango::SCALE;
/// Below this, in Pango units per em, there is nothing to see.
const SMALLEST: i32 = pango::SCALE / 2;

/// The size of each line in Pango units per em, so that all of them stand inside the room.
pub(super) fn fit(request: &Request, room: &Room, typesetter: &Typesetter) -> [i32; LINES] {
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

/// Px that all lines need where the time is of [`REFERENCE`] size: the time's width, and the height of all.
pub(super) struct Need {
    width: f64,
    height: f64,
}

impl Need {
    pub(super) fn of(request: &Request, typesetter: &Typesetter) -> Self {
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
    pub(super) fn largest_time(&self, room: &Room) -> i32 {
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

pub(super) fn extent(typesetter: &Typesetter, request: &Request, size: i32, line: &str) -> Extent {
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
pub(super) fn scaled(size: i32, by: f64) -> i32 {
    (f64::from(size) * by) as i32
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::*;
    use crate::rect::Rect;

    fn sizes(request: &Request) -> [i32; LINES] {
        let room = Room::of(&Rect {
            width: request.width,
            height: request.height,
            ..Rect::default()
        });
        fit(request, &room, &Typesetter::new().unwrap())
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
}
