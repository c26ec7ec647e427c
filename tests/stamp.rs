//! The stamp's reader: it reads what a person would say is a code, and never what is none.

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
#[allow(unreachable_pub, reason = "a module of a binary")]
#[path = "support/unstamped.rs"]
mod unstamped;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use clockface::{Luma, StampReader};
use scene::{Grey, Random, View};

/// Reads `count` views of different stamps, each with a reader of its own; all of them must be read.
#[track_caller]
fn assert_read(count: u64, view: impl Fn(&mut Random) -> View) {
    for seed in 0..count {
        let mut random = Random::new(seed);
        let stamp = random.stamp();
        let mut view = view(&mut random);
        view.middle.0 += random.float(-4.0, 4.0);
        view.middle.1 += random.float(-4.0, 4.0);
        let picture = view.picture(&stamp.modules(), &mut random);
        let read = StampReader::new()
            .read(&picture.luma())
            .map(|sighting| sighting.stamp);
        assert_eq!(read, Some(stamp), "{view:?}");
    }
}

#[test]
fn modules_of_one_and_a_half_to_twelve_px_are_read() {
    for module in [1.5, 1.7, 2.0, 2.3, 2.5, 3.0, 4.0, 5.5, 8.0, 12.0] {
        assert_read(6, |_| {
            View::new((module * 40.0) as usize, (module * 36.0) as usize, module)
        });
    }
}

#[test]
fn a_turned_code_is_read_at_any_angle() {
    assert_read(40, |random| View {
        turned: random.float(0.0, 360.0),
        ..View::new(240, 200, random.float(1.8, 4.0))
    });
}

#[test]
fn a_tilted_code_is_read() {
    assert_read(40, |random| View {
        turned: random.float(-20.0, 20.0),
        tilt: (random.float(-0.012, 0.012), random.float(-0.012, 0.012)),
        ..View::new(240, 200, random.float(2.0, 4.0))
    });
}

#[test]
fn a_blurred_and_noisy_code_is_read() {
    assert_read(20, |random| View {
        blur: 1,
        noise: 6.0,
        ..View::new(200, 160, random.float(1.8, 4.0))
    });
    assert_read(20, |random| View {
        blur: 4,
        noise: 4.0,
        ..View::new(200, 160, random.float(3.0, 4.0))
    });
    assert_read(20, |_| View {
        noise: 20.0,
        ..View::new(200, 160, 4.0)
    });
}

#[test]
fn any_levels_of_dark_and_light_are_read_and_any_surroundings() {
    for levels in [
        [16, 235, 16],
        [16, 235, 235],
        [0, 255, 128],
        [100, 130, 0],
        [40, 180, 255],
        [150, 240, 0],
        [60, 90, 255],
    ] {
        assert_read(6, |_| View {
            levels,
            ..View::new(200, 160, 3.0)
        });
    }
    assert_read(10, |random| View {
        falloff: random.float(0.3, 0.8),
        noise: 2.0,
        ..View::new(200, 160, 4.0)
    });
}

#[test]
fn a_code_in_the_corner_of_a_noisy_picture_is_read() {
    for seed in 0..20 {
        let mut random = Random::new(seed);
        let stamp = random.stamp();
        let view = View {
            middle: (60.0, 60.0),
            ..View::new(320, 240, 3.0)
        };
        let mut picture = view.picture(&stamp.modules(), &mut random);
        picture.map(|x, y, value| if x < 110 && y < 110 { value } else { random.byte() });
        let read = StampReader::new()
            .read(&picture.luma())
            .map(|sighting| sighting.stamp);
        assert_eq!(read, Some(stamp), "seed {seed}");
    }
}

#[test]
fn rows_with_padding_and_wide_pixels_are_read() {
    let mut random = Random::new(1);
    let stamp = random.stamp();
    let grey = View::new(121, 107, 2.5).picture(&stamp.modules(), &mut random);
    for (step, padding) in [(1, 7), (2, 0), (3, 5), (4, 1)] {
        let stride = grey.width * step + padding;
        let mut data: Vec<u8> = (0..stride * grey.height).map(|_| random.byte()).collect();
        for (row, pixels) in data.chunks_mut(stride).zip(grey.data.chunks(grey.width)) {
            for (at, pixel) in pixels.iter().enumerate() {
                row[at * step] = *pixel;
            }
        }
        let picture = Luma {
            data: &data,
            stride,
            step,
            ..grey.luma()
        };
        let mut reader = StampReader::new();
        for followed in [false, true] {
            let sighting = reader.read(&picture).unwrap();
            assert_eq!(
                (sighting.stamp, sighting.followed),
                (stamp, followed),
                "step {step}"
            );
        }
    }
}

#[test]
fn a_picture_with_too_few_bytes_or_none_is_not_read() {
    let grey = Grey::new(160, 120, |_, _| 0);
    for (bytes, width, height, stride) in [
        (0, 160, 120, 160),
        (100, 160, 120, 160),
        (0, 0, 0, 0),
        (9, 3, 3, 3),
        (500, 160, 120, usize::MAX),
    ] {
        let data = &grey.data[..bytes];
        let picture = Luma {
            data,
            stride,
            step: 1,
            width,
            height,
        };
        assert_eq!(StampReader::new().read(&picture), None);
    }
}

#[test]
fn the_corners_are_where_the_code_is() {
    let mut random = Random::new(3);
    let view = View {
        turned: 8.0,
        ..View::new(240, 200, 4.0)
    };
    let picture = view.picture(&random.stamp().modules(), &mut random);
    let sighting = StampReader::new().read(&picture.luma()).unwrap();
    let (sine, cosine) = 8.0_f32.to_radians().sin_cos();
    for (found, (u, v)) in sighting
        .corners
        .iter()
        .zip([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])
    {
        let at = (
            view.middle.0 + 50.0 * (u * cosine - v * sine),
            view.middle.1 + 50.0 * (u * sine + v * cosine),
        );
        let off = (found.0 - at.0).hypot(found.1 - at.1);
        assert!(off < 1.5, "{found:?} is {off} px from {at:?}");
    }
}

#[test]
fn a_hand_held_camera_is_followed() {
    let mut random = Random::new(5);
    let mut reader = StampReader::new();
    let mut searched = 0;
    for frame in 0..100 {
        let angle = frame as f32 / 10.0;
        let view = View {
            middle: (160.0 + 20.0 * angle.sin(), 120.0 + 9.0 * (angle * 0.7).cos()),
            turned: 6.0 * (angle * 0.3).sin(),
            tilt: (0.004 * (angle * 0.5).sin(), 0.0),
            noise: 3.0,
            blur: 1,
            ..View::new(320, 240, 4.0 + 0.4 * (angle * 0.2).cos())
        };
        let stamp = random.stamp();
        let picture = view.picture(&stamp.modules(), &mut random);
        let sighting = reader.read(&picture.luma()).expect("a stamp");
        assert_eq!(sighting.stamp, stamp, "frame {frame}");
        searched += u32::from(!sighting.followed);
    }
    assert!(searched <= 2, "{searched} of 100 frames were searched");
}

#[test]
fn a_stamp_that_jumps_or_goes_away_is_found_again() {
    let mut random = Random::new(9);
    let mut reader = StampReader::new();
    let stamp = random.stamp();
    let at = |x, y, random: &mut Random| {
        View {
            middle: (x, y),
            ..View::new(320, 240, 3.0)
        }
        .picture(&stamp.modules(), random)
    };
    let pictures = [
        at(60.0, 60.0, &mut random),
        at(75.0, 70.0, &mut random),
        at(250.0, 170.0, &mut random),
    ];
    for picture in &pictures {
        let sighting = reader.read(&picture.luma()).unwrap();
        assert_eq!((sighting.stamp, sighting.followed), (stamp, false));
        assert_eq!(reader.read(&Grey::new(320, 240, |_, _| 90).luma()), None);
        assert!(reader.read(&picture.luma()).unwrap().followed);
    }
}

/// A wall of cameras: what is measured is one of them, not now this one and now that.
#[test]
fn of_several_stamps_the_same_one_is_followed() {
    let mut random = Random::new(21);
    let mut reader = StampReader::new();
    let places = [
        (90.0, 70.0, 3.0),
        (250.0, 70.0, 3.0),
        (90.0, 185.0, 2.6),
        (250.0, 185.0, 2.0),
    ];
    let mut streams = Vec::new();
    for frame in 0..60 {
        let mut wall = Grey::new(320, 240, |_, _| 60);
        for (stream, (x, y, module)) in (1..).zip(places) {
            let stamp = clockface::Stamp {
                stream,
                frame,
                ..random.stamp()
            };
            let view = View {
                middle: (x, y),
                noise: 4.0,
                ..View::new(320, 240, module)
            };
            let tile = view.picture(&stamp.modules(), &mut random);
            let is_mine = |at: usize, half: usize, middle: f32| (at < half) == (middle < half as f32);
            wall.map(|at_x, at_y, value| {
                let is_mine = is_mine(at_x, 160, x) && is_mine(at_y, 120, y);
                if is_mine {
                    tile.data[at_y * 320 + at_x]
                } else {
                    value
                }
            });
        }
        let sighting = reader.read(&wall.luma()).expect("a stamp");
        assert_eq!(sighting.stamp.frame, frame);
        streams.push(sighting.stamp.stream);
    }
    streams.dedup();
    assert_eq!(streams.len(), 1, "streams {streams:?}");
}

/// Stamps of neighbouring frames are alike: their mixture is one of them or nothing, never a third.
#[test]
fn two_stamps_in_one_picture_are_never_read_as_a_third() {
    let mut read = 0;
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let one = random.stamp();
        let next = clockface::Stamp {
            instant: one.instant + 40_000,
            frame: (one.frame + 1) % 10_000_000_000,
            ..one
        };
        let view = View {
            noise: 2.0,
            ..View::new(120, 110, 3.0)
        };
        let mut picture = view.picture(&one.modules(), &mut random);
        let other = view.picture(&next.modules(), &mut random);
        let (line, weight) = (random.index(110), random.float(0.0, 1.0));
        let is_torn = random.chance(0.5);
        picture.map(|x, y, value| {
            let other = other.data[y * 120 + x];
            let part = if is_torn {
                f32::from(u8::from(y > line))
            } else {
                weight
            };
            (f32::from(value) * (1.0 - part) + f32::from(other) * part) as u8
        });
        if let Some(sighting) = StampReader::new().read(&picture.luma()) {
            assert!(
                [one, next].contains(&sighting.stamp),
                "seed {seed}: {:?}",
                sighting.stamp
            );
            read += 1;
        }
    }
    assert!((100..300).contains(&read), "{read} of 300 were read");
}

/// How many pictures without a stamp are looked at; scripts/soak.sh asks for a million.
fn pictures_without_a_stamp() -> u64 {
    const USUAL: u64 = 20_000;
    std::env::var("STAMP_SOAK_PICTURES").map_or(USUAL, |count| count.parse().expect("a number of pictures"))
}

#[test]
fn pictures_without_a_whole_stamp_are_not_read() {
    let count = pictures_without_a_stamp();
    let workers = thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let followed = AtomicU64::new(0);
    let read_some = |worker: u64| {
        // One reader that keeps its memory from picture to picture, as in a pipeline.
        let mut reader = StampReader::new();
        (worker..count)
            .step_by(workers as usize)
            .filter(|&seed| misreads(&mut reader, seed, &followed))
            .collect::<Vec<_>>()
    };
    let misread: Vec<u64> = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|worker| scope.spawn(move || read_some(worker)))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    println!("{count} pictures without a stamp, {} misread", misread.len());
    assert_eq!(misread, [] as [u64; 0], "seeds of pictures that were read");
    let followed = followed.into_inner();
    assert!(
        followed > count / 8,
        "only {followed} of {count} were where a stamp had been"
    );
}

/// Whether the picture of that seed is read. Counts in `followed` those that are where the reader has just read a stamp.
fn misreads(reader: &mut StampReader, seed: u64, followed: &AtomicU64) -> bool {
    let mut random = Random::new(seed);
    let kinds = unstamped::KINDS.len() + 2;
    // Small ones for the most part, for the sake of their number: a stamp has room in them.
    let (width, height) = match random.index(50) {
        0..40 => (96, 96),
        40..45 => (128, 96),
        45..49 => (160, 120),
        _ => (321, 241),
    };
    if let Some(kind) = unstamped::KINDS.get(seed as usize % kinds) {
        let picture = kind(&mut random, width, height);
        return reader.read(&picture.luma()).is_some();
    }
    let (whole, damaged) = unstamped::whole_and_damaged(&mut random, width, height);
    let mut own = StampReader::new();
    let is_read = own.read(&whole.luma()).is_some();
    followed.fetch_add(is_read.into(), Ordering::Relaxed);
    own.read(&damaged.luma()).is_some()
}
