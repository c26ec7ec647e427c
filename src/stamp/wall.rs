//! Reads all stamps of pictures that show several: camera and player side by side, or a wall of cameras.
//!
//! What was seen in the picture before is looked at where it was. The rest of the picture is searched when one of them is
//! gone, and else once in [`SEARCH_EVERY`] pictures, for a search costs a few ms.

use super::grid::Decoder;
use super::luma::Luma;
use super::placement::Placement;
use super::reader::{Sighting, follow};
use super::search::Searcher;

/// How many stamps of a picture are read.
const MAX_STAMPS: usize = 16;
/// Pictures from one search for further stamps to the next.
const SEARCH_EVERY: u32 = 25;

/// Reads all stamps of a stream of pictures.
#[derive(Debug, Default)]
pub struct WallReader {
    searcher: Searcher,
    decoder: Decoder,
    places: Vec<Placement>,
    /// Pictures until the next search.
    until_search: u32,
}

impl WallReader {
    /// A reader that has not seen any picture.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The stamps in a picture from left to right, [`MAX_STAMPS`] at most; none for a picture that has fewer bytes than
    /// its size needs.
    pub fn read(&mut self, picture: &Luma<'_>) -> Vec<Sighting> {
        if !picture.is_whole() {
            return Vec::new();
        }
        let before = std::mem::take(&mut self.places);
        let mut sightings = self.follow(picture, &before);
        if self.until_search == 0 || self.places.len() < before.len() {
            self.until_search = SEARCH_EVERY;
            sightings.extend(std::iter::from_fn(|| self.search(picture)));
        }
        self.until_search -= 1;
        sightings.sort_by(|one, other| {
            let (one, other) = (one.middle(), other.middle());
            one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1))
        });
        sightings
    }

    /// The stamps that are where they were.
    fn follow(&mut self, picture: &Luma<'_>, before: &[Placement]) -> Vec<Sighting> {
        let mut sightings = Vec::new();
        for &last in before {
            self.decoder.forget();
            let followed = follow(picture, last, &mut self.decoder);
            let sighting = followed.map(|(stamp, place)| (Sighting::new(stamp, &place, true), place));
            // Where one has moved to where another one was, both find the same.
            let is_new =
                |sighting: &Sighting| !self.places.iter().any(|place| place.contains(sighting.middle()));
            if let Some((sighting, place)) = sighting.filter(|(sighting, _)| is_new(sighting)) {
                self.places.push(place);
                sightings.push(sighting);
            }
        }
        sightings
    }

    /// A stamp that has not been found in this picture.
    fn search(&mut self, picture: &Luma<'_>) -> Option<Sighting> {
        if self.places.len() == MAX_STAMPS {
            return None;
        }
        self.decoder.forget();
        let (stamp, place) = self.searcher.search(picture, &self.places, &mut self.decoder)?;
        self.places.push(place);
        Some(Sighting::new(stamp, &place, false))
    }
}
