//! Several stamps in one picture, such as a screenshot of camera and player: how far is each behind each other?

use std::collections::BTreeMap;

use crate::figures::{Alteration, Difference, Spot};
use crate::values::Values;

/// Places that are told apart; a picture has 16 stamps at most.
const MOST_PLACES: usize = 32;

/// A stamp that was seen in a picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) stream_id: u32,
    /// The middle, in px.
    pub(crate) middle: (u32, u32),
    /// The length of a side, in px.
    pub(crate) size: u32,
    /// In ns since the Unix epoch.
    pub(crate) instant: u64,
    pub(crate) frame: u64,
    pub(crate) alteration: Alteration,
}

impl Seen {
    /// How far it is from another one, in px, the longer way of both.
    fn distance(&self, other: &Self) -> u32 {
        let across = self.middle.0.abs_diff(other.middle.0);
        across.max(self.middle.1.abs_diff(other.middle.1))
    }
}

/// A place that stamps of one stream were seen in.
#[derive(Debug)]
struct Place {
    last: Seen,
    pictures: u64,
}

/// The places of a stream's pictures, and how far what they show is apart.
#[derive(Debug, Default)]
pub(crate) struct Spots {
    places: Vec<Place>,
    /// The instant of the first place less that of the second one (ns), by their indices.
    apart: BTreeMap<(usize, usize), Values>,
}

impl Spots {
    /// Takes all stamps of one picture.
    pub(crate) fn picture(&mut self, stamps: impl IntoIterator<Item = Seen>) {
        let mut here: Vec<(usize, u64)> = Vec::new();
        for seen in stamps {
            let taken = |index: usize| here.iter().any(|(other, _)| *other == index);
            let Some(index) = self.place(seen, taken) else {
                continue;
            };
            here.push((index, seen.instant));
        }
        here.sort_unstable();
        for (at, (one, instant)) in here.iter().enumerate() {
            for (other, other_instant) in &here[at + 1..] {
                let difference = instant.cast_signed().saturating_sub(other_instant.cast_signed());
                self.apart.entry((*one, *other)).or_default().push(difference);
            }
        }
    }

    /// The index of the place that a stamp is in: the nearest of its stream that is not `taken`, if it is not further away
    /// than the stamp is large, or a new one.
    fn place(&mut self, seen: Seen, taken: impl Fn(usize) -> bool) -> Option<usize> {
        let mine = self.places.iter_mut().enumerate().filter(|(index, place)| {
            place.last.stream_id == seen.stream_id
                && place.last.distance(&seen) <= seen.size
                && !taken(*index)
        });
        if let Some((index, place)) = mine.min_by_key(|(_, place)| place.last.distance(&seen)) {
            place.last = seen;
            place.pictures += 1;
            return Some(index);
        }
        if self.places.len() == MOST_PLACES {
            return None;
        }
        self.places.push(Place {
            last: seen,
            pictures: 1,
        });
        Some(self.places.len() - 1)
    }

    /// The places, those that are ahead first, and how far any two that were seen together are apart.
    pub(crate) fn figures(&self) -> (Vec<Spot>, Vec<Difference>) {
        let order = self.order();
        let name = |index: usize| order.iter().position(|other| *other == index).map(letter);
        let spots = order.iter().map(|index| {
            let Place { last, pictures } = &self.places[*index];
            Spot {
                name: name(*index).unwrap_or_default(),
                stream_id: last.stream_id,
                x: last.middle.0,
                y: last.middle.1,
                pictures: *pictures,
                instant: last.instant,
                frame: last.frame,
                alteration: last.alteration,
            }
        });
        let mut differences: Vec<Difference> = self
            .apart
            .iter()
            .filter_map(|((one, other), apart)| {
                let is_ahead = apart.percentile(50)? >= 0;
                let (ahead, behind) = if is_ahead { (one, other) } else { (other, one) };
                let apart = if is_ahead { apart.clone() } else { apart.negated() };
                Some(Difference {
                    ahead: name(*ahead)?,
                    behind: name(*behind)?,
                    latency: apart.distribution()?,
                })
            })
            .collect();
        differences.sort_by(|one, other| (&one.ahead, &one.behind).cmp(&(&other.ahead, &other.behind)));
        (spots.collect(), differences)
    }

    /// The places from the one that is ahead of most others to the one that is behind most; from left to right where they
    /// are level.
    fn order(&self) -> Vec<usize> {
        let ahead = |index: usize| {
            let of = self.apart.iter().filter_map(|((one, other), apart)| {
                let median = apart.percentile(50)?.signum();
                (*one == index)
                    .then_some(median)
                    .or((*other == index).then_some(-median))
            });
            of.sum::<i64>()
        };
        let mut order: Vec<usize> = (0..self.places.len()).collect();
        order.sort_by_key(|index| (-ahead(*index), self.places[*index].last.middle));
        order
    }
}

/// `A` to `Z`, then `A2`, ….
fn letter(index: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(index % 26).unwrap_or_default());
    match index / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{}", round + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const START: u64 = 1_767_225_600_000_000_000;

    fn seen(stream_id: u32, x: u32, ms: u64) -> Seen {
        Seen {
            stream_id,
            middle: (x, 50),
            size: 60,
            instant: START + ms * MS,
            frame: ms / 40,
            alteration: Alteration::default(),
        }
    }

    fn medians(differences: &[Difference]) -> Vec<(String, f64)> {
        let told = differences
            .iter()
            .map(|it| (format!("{}{}", it.ahead, it.behind), it.latency.p50));
        told.collect()
    }

    #[test]
    fn any_two_stamps_of_a_picture_are_held_against_each_other() {
        let mut spots = Spots::default();
        spots.picture([seen(1, 50, 1_000), seen(1, 250, 1_400), seen(2, 450, 1_160)]);
        let (places, differences) = spots.figures();
        let told: Vec<_> = places
            .iter()
            .map(|spot| (spot.name.as_str(), spot.stream_id, spot.x))
            .collect();
        assert_eq!(told, [("A", 1, 250), ("B", 2, 450), ("C", 1, 50)]);
        assert_eq!(
            medians(&differences),
            [("AB".into(), 240.0), ("AC".into(), 400.0), ("BC".into(), 160.0)]
        );
    }

    #[test]
    fn a_place_stays_the_same_while_its_stamp_moves_a_little() {
        let mut spots = Spots::default();
        for picture in 0..10_u64 {
            let moved = u32::try_from(picture).expect("small") * 30;
            let now = picture * 40;
            spots.picture([seen(1, 50 + moved, now + 320), seen(1, 450 + moved, now)]);
        }
        let (places, differences) = spots.figures();
        assert_eq!(
            places.iter().map(|spot| spot.pictures).collect::<Vec<_>>(),
            [10, 10]
        );
        assert_eq!((differences.len(), differences[0].latency.count), (1, 10));
        assert_eq!(
            (differences[0].latency.min, differences[0].latency.max),
            (320.0, 320.0)
        );
    }

    #[test]
    fn one_stamp_is_held_against_none() {
        let mut spots = Spots::default();
        assert_eq!(spots.figures(), (vec![], vec![]));
        spots.picture([seen(1, 50, 0)]);
        spots.picture([seen(1, 350, 40)]);
        let (places, differences) = spots.figures();
        assert_eq!(
            (places.len(), differences.len()),
            (2, 0),
            "they were not seen together"
        );
    }

    #[test]
    fn memory_is_bounded() {
        let mut spots = Spots::default();
        for place in 0..1000 {
            spots.picture([seen(1, place * 100, 0), seen(2, place * 100, 0)]);
        }
        assert_eq!(spots.figures().0.len(), MOST_PLACES);
    }
}
