//! The stamp's reader and pictures that were mirrored, turned or inverted, or show several stamps.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small numbers of small pictures"
)]

#[allow(
    unreachable_pub,
    dead_code,
    reason = "shared by tests that are binaries of their own"
)]
#[path = "support/scene.rs"]
mod scene;

use clockface::{Sighting, Stamp, StampReader, WallReader};
use scene::{Grey, Random, View};

/// What may be done to a whole picture.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Alteration {
    /// Quarter turns clockwise, before left and right change places.
    quarters: u16,
    mirrored: bool,
    inverted: bool,
}

impl Alteration {
    /// Each turn, as it is and in a mirror, with its colours and inverted.
    fn all() -> impl Iterator<Item = Self> {
        (0..16).map(|number| Self {
            quarters: number % 4,
            mirrored: number & 4 != 0,
            inverted: number & 8 != 0,
        })
    }

    fn of(self, picture: &Grey) -> Grey {
        let mut altered = picture.clone();
        for _ in 0..self.quarters {
            let (width, height) = (altered.height, altered.width);
            altered = Grey::new(width, height, |x, y| altered.data[(width - 1 - x) * height + y]);
        }
        if self.mirrored {
            let width = altered.width;
            altered = Grey::new(width, altered.height, |x, y| {
                altered.data[y * width + width - 1 - x]
            });
        }
        if self.inverted {
            altered.map(|_, _, value| 255 - value);
        }
        altered
    }

    fn seen_in(sighting: &Sighting) -> Self {
        Self {
            quarters: sighting.turned() / 90,
            mirrored: sighting.is_mirrored(),
            inverted: sighting.inverted,
        }
    }
}

#[test]
fn a_picture_that_was_turned_mirrored_or_inverted_is_read_and_the_sighting_tells() {
    for alteration in Alteration::all() {
        for seed in 0..8 {
            let mut random = Random::new(seed);
            let stamp = random.stamp();
            let view = View {
                middle: (random.float(70.0, 170.0), random.float(70.0, 130.0)),
                turned: random.float(-15.0, 15.0),
                tilt: (random.float(-0.004, 0.004), 0.0),
                noise: 4.0,
                blur: 1,
                ..View::new(240, 200, random.float(2.0, 3.2))
            };
            let picture = alteration.of(&view.picture(&stamp.modules(), &mut random));
            let mut reader = StampReader::new();
            for followed in [false, true] {
                let sighting = reader.read(&picture.luma());
                let sighting = sighting.unwrap_or_else(|| panic!("{alteration:?}, {view:?}"));
                assert_eq!(
                    (sighting.stamp, sighting.followed),
                    (stamp, followed),
                    "{alteration:?}"
                );
                assert_eq!(Alteration::seen_in(&sighting), alteration, "{view:?}");
            }
        }
    }
}

#[test]
fn a_stream_may_be_altered_in_its_midst() {
    let mut random = Random::new(4);
    let mut reader = StampReader::new();
    for alteration in Alteration::all() {
        let stamp = random.stamp();
        let picture = View::new(200, 200, 3.0).picture(&stamp.modules(), &mut random);
        let sighting = reader.read(&alteration.of(&picture).luma());
        let sighting = sighting.unwrap_or_else(|| panic!("{alteration:?}"));
        assert_eq!(sighting.stamp, stamp);
        assert_eq!(Alteration::seen_in(&sighting), alteration);
    }
}

/// Tiles side by side and one below the other, of which each has a stamp of its stream.
struct Wall {
    tiles: Vec<(Alteration, f32)>,
    columns: usize,
}

/// In px.
const TILE: usize = 150;

impl Wall {
    /// The picture, in which each tile has a stamp of the stream of its number.
    fn picture(&self, stamps: &[Stamp], random: &mut Random) -> Grey {
        let tiles: Vec<Grey> = std::iter::zip(&self.tiles, stamps)
            .map(|((alteration, module), stamp)| {
                let view = View {
                    noise: 3.0,
                    ..View::new(TILE, TILE, *module)
                };
                alteration.of(&view.picture(&stamp.modules(), random))
            })
            .collect();
        let rows = tiles.len().div_ceil(self.columns);
        Grey::new(self.columns * TILE, rows * TILE, |x, y| {
            let tile = tiles.get(y / TILE * self.columns + x / TILE);
            tile.map_or(40, |tile| tile.data[y % TILE * TILE + x % TILE])
        })
    }
}

fn stamps(count: usize, random: &mut Random) -> Vec<Stamp> {
    let stamps = (0..).take(count).map(|stream| Stamp {
        stream,
        ..random.stamp()
    });
    stamps.collect()
}

#[test]
fn all_stamps_of_a_picture_are_read_from_left_to_right() {
    let plain = Alteration {
        quarters: 0,
        mirrored: false,
        inverted: false,
    };
    let mut random = Random::new(11);
    for (count, columns) in [(0, 1), (1, 1), (2, 2), (3, 2), (4, 2), (9, 3), (16, 4)] {
        let tiles = (0..count)
            .map(|tile| (plain, [3.0, 2.0, 4.0, 2.5][tile % 4]))
            .collect();
        let wall = Wall { tiles, columns };
        let stamps = stamps(count, &mut random);
        let picture = wall.picture(&stamps, &mut random);
        let mut reader = WallReader::new();
        for followed in [false, true] {
            let sightings = reader.read(&picture.luma());
            let mut read: Vec<Stamp> = sightings.iter().map(|sighting| sighting.stamp).collect();
            assert!(sightings.iter().all(|sighting| sighting.followed == followed));
            let middles: Vec<f32> = sightings.iter().map(|sighting| sighting.middle().0).collect();
            assert!(middles.is_sorted(), "{middles:?}");
            read.sort_by_key(|stamp| stamp.stream);
            assert_eq!(read, stamps, "{count} stamps");
        }
    }
}

#[test]
fn stamps_side_by_side_may_be_altered_each_in_its_way() {
    let mut random = Random::new(12);
    let tiles = Alteration::all().step_by(3).map(|alteration| (alteration, 3.0));
    let wall = Wall {
        tiles: tiles.collect(),
        columns: 3,
    };
    let stamps = stamps(wall.tiles.len(), &mut random);
    let sightings = WallReader::new().read(&wall.picture(&stamps, &mut random).luma());
    assert_eq!(sightings.len(), wall.tiles.len());
    for sighting in &sightings {
        let (alteration, _) = wall.tiles[sighting.stamp.stream as usize];
        assert_eq!(sighting.stamp, stamps[sighting.stamp.stream as usize]);
        assert_eq!(Alteration::seen_in(sighting), alteration);
    }
}

#[test]
fn a_stamp_that_comes_late_or_goes_away_and_comes_back_is_found() {
    let plain = Alteration::all().next().unwrap();
    let mut random = Random::new(13);
    let wall = Wall {
        tiles: vec![(plain, 3.0), (plain, 2.5)],
        columns: 2,
    };
    let mut reader = WallReader::new();
    let mut counts = Vec::new();
    for frame in 0..80 {
        let stamps = stamps(2, &mut random);
        let mut picture = wall.picture(&stamps, &mut random);
        // One comes late, the other one is hidden for a while.
        let is_hidden = |x: usize| {
            if x < TILE {
                (30..40).contains(&frame)
            } else {
                frame < 5
            }
        };
        picture.map(|x, _, value| if is_hidden(x) { 40 } else { value });
        let sightings = reader.read(&picture.luma());
        assert!(
            sightings.iter().all(|sighting| stamps.contains(&sighting.stamp)),
            "frame {frame}"
        );
        counts.push(sightings.len());
    }
    assert_eq!(counts[..5], [1; 5]);
    assert_eq!(counts[25..30], [2; 5], "the late one is found within 25 pictures");
    assert_eq!(counts[30..40], [1; 10]);
    assert_eq!(counts[65..], [2; 15], "the hidden one is found again");
}
