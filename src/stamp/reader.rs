//! Finds and reads a stamp in a picture.
//!
//! Where a stamp was read, the next picture is looked at first: the 625 modules get sampled straight, which
//! takes a few tenths of a ms whatever the size of the picture. When that fails the surroundings are
//! searched, then the whole picture. Of several stamps in a picture the first one found is followed for as
//! long as it can be read there; [`WallReader`](super::wall::WallReader) reads all of them.
//!
//! A picture may be turned, mirrored (ISO/IEC 18004:2015 has mirror imaging) or have its colours inverted: the stamp is
//! read all the same, and the [`Sighting`] tells.

use super::Stamp;
use super::grid::{Decoder, Grid};
pub use super::luma::Luma;
use super::placement::{Placement, Polarity, distance};
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
    /// Whether light and dark have changed places.
    pub inverted: bool,
}

impl Sighting {
    pub(super) fn new(stamp: Stamp, placement: &Placement, followed: bool) -> Self {
        Self {
            stamp,
            corners: placement.corners(),
            followed,
            inverted: placement.polarity == Polarity::Inverted,
        }
    }

    /// Whether the picture is seen as in a mirror.
    #[must_use]
    pub fn is_mirrored(&self) -> bool {
        let [top_left, top_right, _, bottom_left] = self.corners;
        let across = (top_right.0 - top_left.0, top_right.1 - top_left.1);
        let down = (bottom_left.0 - top_left.0, bottom_left.1 - top_left.1);
        across.0 * down.1 < across.1 * down.0
    }

    /// By how many degrees the picture is turned clockwise, to the nearest quarter: 0, 90, 180 or 270. A mirrored one
    /// was turned before its left and right changed places.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "at most two quarters either way")]
    pub fn turned(&self) -> u16 {
        let [top_left, top_right, ..] = self.corners;
        let (across, down) = (top_right.0 - top_left.0, top_right.1 - top_left.1);
        let across = if self.is_mirrored() { -across } else { across };
        let quarters = (down.atan2(across) / std::f32::consts::FRAC_PI_2).round() as i16;
        90 * quarters.rem_euclid(4).unsigned_abs()
    }

    /// The mean length of the code's sides, in px.
    #[must_use]
    pub fn size(&self) -> f32 {
        let side = |side: usize| distance(self.corners[side], self.corners[(side + 1) % 4]);
        (0..4).map(side).sum::<f32>() / 4.0
    }

    /// The middle of the code, in px.
    #[must_use]
    pub fn middle(&self) -> (f32, f32) {
        let sum = |sum: (f32, f32), corner: (f32, f32)| (sum.0 + corner.0, sum.1 + corner.1);
        let (x, y) = self.corners.into_iter().fold((0.0, 0.0), sum);
        (x / 4.0, y / 4.0)
    }
}

/// Reads a stream of pictures. It remembers where the stamp was.
#[derive(Debug, Default)]
pub struct StampReader {
    searcher: Searcher,
    decoder: Decoder,
    last: Option<Placement>,
    /// The contrast of the fixed patterns there when it was placed.
    contrast: f32,
}

/// The part of it by which the contrast may change while the stamp stands where it stood.
const STEADY: f32 = 0.004;

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
        if let Some(sighting) = self.read_where_it_was(picture) {
            return Some(sighting);
        }
        // What was decoded in vain there may be read from a place close by.
        self.decoder.forget();
        let followed = self
            .last
            .and_then(|last| follow(picture, last, &mut self.decoder));
        let (stamp, placement) = followed
            .or_else(|| self.search_around(picture))
            .or_else(|| self.searcher.search(picture, &[], &mut self.decoder))?;
        self.last = Some(placement);
        self.contrast = placement.contrast(picture);
        Some(Sighting::new(stamp, &placement, followed.is_some()))
    }

    /// While neither camera nor picture move, the place of the last stamp is that of the next: to move about for a better
    /// one would be most of the work.
    fn read_where_it_was(&mut self, picture: &Luma<'_>) -> Option<Sighting> {
        let last = self.last?;
        let change = last.contrast(picture) - self.contrast;
        if change.abs() > STEADY * self.contrast.abs() {
            return None;
        }
        let reading = self.decoder.read(&Grid::sample(picture, &last))?;
        (!reading.is_mirrored).then(|| Sighting::new(reading.stamp, &last, true))
    }

    /// Searches the place where the last stamp was, and half its size around it.
    fn search_around(&mut self, picture: &Luma<'_>) -> Option<(Stamp, Placement)> {
        let corners = self.last?.corners();
        let (left, width) = surroundings(corners.map(|(x, _)| x));
        let (top, height) = surroundings(corners.map(|(_, y)| y));
        let part = picture.part(left, top, width, height);
        let (stamp, placement) = self.searcher.search(&part, &[], &mut self.decoder)?;
        #[allow(clippy::cast_precision_loss, reason = "px of a frame are far below 2^23")]
        let shift = (left as f32, top as f32);
        Some((stamp, placement.scaled(1.0, shift)?))
    }
}

/// Where a stamp was before: the place as it is, and moved a little, is enough while the camera stands still
/// or sways; else turned and bent.
pub(super) fn follow(
    picture: &Luma<'_>,
    last: Placement,
    decoder: &mut Decoder,
) -> Option<(Stamp, Placement)> {
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
