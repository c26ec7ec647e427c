//! Finds and reads a stamp in a picture.
//!
//! Where a stamp was read, the next picture is looked at first: the 625 modules get sampled straight, which
//! takes a few tenths of a ms whatever the size of the picture. When that fails the surroundings are
//! searched, then the whole picture. Of several stamps in a picture the first one found is followed for as
//! long as it can be read there.

use super::Stamp;
use super::grid::Decoder;
pub use super::luma::Luma;
use super::placement::Placement;
use super::search::{Searcher, read_near};

/// A stamp that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sighting {
    /// What it says.
    pub stamp: Stamp,
    /// The code's corners in px: top left, top right, bottom right, bottom left, as the code has them.
    pub corners: [(f32, f32); 4],
    /// Whether it was where the one before it had been, so that the picture was not searched.
    pub followed: bool,
}

/// Reads a stream of pictures. It remembers where the stamp was.
#[derive(Debug, Default)]
pub struct StampReader {
    searcher: Searcher,
    decoder: Decoder,
    last: Option<Placement>,
}

impl StampReader {
    /// A reader that has not seen any picture.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The stamp in a picture; `None` where there is none that can be read, and for a picture that has fewer
    /// bytes than its size needs.
    pub fn read(&mut self, picture: &Luma<'_>) -> Option<Sighting> {
        if !picture.is_whole() {
            return None;
        }
        self.decoder.forget();
        let followed = self
            .last
            .and_then(|last| follow(picture, last, &mut self.decoder));
        let (stamp, placement) = followed
            .or_else(|| self.search_around(picture))
            .or_else(|| self.searcher.search(picture, &mut self.decoder))?;
        self.last = Some(placement);
        Some(Sighting {
            stamp,
            corners: placement.corners(),
            followed: followed.is_some(),
        })
    }

    /// Searches the place where the last stamp was, and half its size around it.
    fn search_around(&mut self, picture: &Luma<'_>) -> Option<(Stamp, Placement)> {
        let corners = self.last?.corners();
        let (left, width) = surroundings(corners.map(|(x, _)| x));
        let (top, height) = surroundings(corners.map(|(_, y)| y));
        let part = picture.part(left, top, width, height);
        let (stamp, placement) = self.searcher.search(&part, &mut self.decoder)?;
        #[allow(clippy::cast_precision_loss, reason = "px of a frame are far below 2^23")]
        let shift = (left as f32, top as f32);
        Some((stamp, placement.scaled(1.0, shift)?))
    }
}

/// Where a stamp was before: the place as it is, and moved a little, is enough while the camera stands still
/// or sways; else turned and bent.
fn follow(picture: &Luma<'_>, last: Placement, decoder: &mut Decoder) -> Option<(Stamp, Placement)> {
    let moved = last.moved(picture, 0.2, 0);
    read_near(picture, &moved, decoder).or_else(|| read_near(picture, &moved.bent(picture, 0.5, 2), decoder))
}

/// From the lowest of the corners' coordinates to the highest, and half of that on either side, in px: start
/// and length.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` keeps a float within an integer's range"
)]
fn surroundings(corners: [f32; 4]) -> (usize, usize) {
    let start = corners.into_iter().fold(f32::INFINITY, f32::min);
    let length = corners.into_iter().fold(0.0, f32::max) - start;
    let from = (start - length / 2.0).max(0.0) as usize;
    let until = (start + 1.5 * length).max(0.0) as usize;
    (from, until.saturating_sub(from))
}
