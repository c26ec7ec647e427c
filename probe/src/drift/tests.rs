//! Drifts that are known, and noise of several shapes.

use super::*;

const SECOND: i64 = 1_000_000_000;
const MS: i64 = 1_000_000;
/// Pictures a second.
const RATE: i64 = 25;

/// What comes of `seconds` seconds, with the delay of each picture in ns.
fn drift(seconds: i64, mut delay: impl FnMut(i64) -> i64) -> Option<Estimate> {
    let mut drift = Drift::default();
    for picture in 0..seconds * RATE {
        drift.push(picture * SECOND / RATE, delay(picture));
    }
    drift.ppm()
}

/// Random numbers that are the same in each run: splitmix64, Steele 2014.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: i64) -> i64 {
        i64::try_from(self.next() % end.unsigned_abs()).expect("less than an i64")
    }

    /// With a long tail to one side and this mean, in ns.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "some ms"
    )]
    fn late(&mut self, mean: i64) -> i64 {
        let uniform = (self.below(1 << 30) + 1) as f64 / f64::from(1 << 30);
        (-uniform.ln() * mean as f64) as i64
    }
}

/// Noise of a shape: the delay of each picture in ns, for so many seconds.
type Noise = fn(&mut Random, i64) -> Vec<i64>;

fn plain(random: &mut Random, seconds: i64) -> Vec<i64> {
    (0..seconds * RATE)
        .map(|_| (0..6).map(|_| random.below(MS)).sum())
        .collect()
}

fn one_sided(random: &mut Random, seconds: i64) -> Vec<i64> {
    (0..seconds * RATE).map(|_| random.late(4 * MS)).collect()
}

fn outliers(random: &mut Random, seconds: i64) -> Vec<i64> {
    let outlier = |random: &mut Random| match random.below(40) {
        0 => 50 * MS + random.late(200 * MS),
        // A clock that was read wrongly: too early.
        1 if random.below(30) == 0 => -20 * MS,
        _ => random.below(MS),
    };
    (0..seconds * RATE).map(|_| outlier(random)).collect()
}

/// Queues that fill for some seconds and empty.
fn bursts(random: &mut Random, seconds: i64) -> Vec<i64> {
    let mut queue = 0;
    let mut left = 0;
    (0..seconds * RATE)
        .map(|_| {
            if left == 0 && random.below(15 * RATE) == 0 {
                left = random.below(4 * RATE);
            }
            queue = if left > 0 {
                left -= 1;
                queue + random.below(3 * MS)
            } else {
                queue * 9 / 10
            };
            queue + random.below(MS)
        })
        .collect()
}

/// One step by up to 30 ms either way, anywhere.
fn step(random: &mut Random, seconds: i64) -> Vec<i64> {
    let at = random.below(seconds * RATE);
    let by = random.below(60 * MS) - 30 * MS;
    (0..seconds * RATE)
        .map(|picture| if picture >= at { by } else { 0 } + random.late(MS))
        .collect()
}

/// Steps to and fro, as of a machine that is busy at times.
fn busy(random: &mut Random, seconds: i64) -> Vec<i64> {
    let mut level = 0;
    (0..seconds * RATE)
        .map(|_| {
            if random.below(5 * RATE) == 0 {
                level = random.below(3) * 2 * MS;
            }
            level + random.late(2 * MS)
        })
        .collect()
}

/// Each is like the one before it.
fn wandering(random: &mut Random, seconds: i64) -> Vec<i64> {
    let mut level = 0;
    (0..seconds * RATE)
        .map(|_| {
            level += random.below(MS) - MS / 2 - level / 50;
            level + random.below(MS / 4)
        })
        .collect()
}

const SHAPES: [(&str, Noise); 7] = [
    ("plain", plain),
    ("one-sided", one_sided),
    ("outliers", outliers),
    ("bursts", bursts),
    ("step", step),
    ("busy", busy),
    ("wandering", wandering),
];

#[test]
fn the_truth_is_within_the_uncertainty_in_97_of_100_whatever_the_noise() {
    for (name, noise) in SHAPES {
        for seconds in [30, 60, 200] {
            let (mut told, mut within, mut widths) = (0, 0, Vec::new());
            for seed in 0..100 {
                let mut random = Random(seed);
                let ppm = random.below(401) - 200;
                let noise = noise(&mut random, seconds);
                let estimate = drift(seconds, |picture| {
                    let noise = noise[usize::try_from(picture).expect("a count")];
                    picture * SECOND / RATE / MS * ppm + noise
                });
                let Some(estimate) = estimate else { continue };
                told += 1;
                #[expect(clippy::cast_precision_loss, reason = "200 at most")]
                let error = (estimate.value - ppm as f64).abs();
                within += u32::from(error <= estimate.uncertainty);
                widths.push(estimate.uncertainty);
            }
            let width = median(widths);
            println!("{name}, {seconds} s: {within} of {told} within; ± {width:.1} ppm");
            assert!(
                within * 100 >= told * 97,
                "{name}, {seconds} s: {within} of {told}"
            );
            let least = if name == "step" { 30 } else { 90 };
            assert!(told >= least || seconds < 200, "{name}, {seconds} s: {told} told");
        }
    }
}

#[test]
fn an_hour_tells_a_drift_of_one_ppm() {
    let mut random = Random(5);
    let noise = one_sided(&mut random, 3600);
    let ppm = drift(3600, |picture| {
        picture * 40 + noise[usize::try_from(picture).expect("a count")]
    });
    let ppm = ppm.expect("an hour");
    assert!(
        (ppm.value - 1.0).abs() < ppm.uncertainty && ppm.uncertainty < 0.5,
        "{ppm:?}"
    );
}

#[test]
fn a_day_is_kept_in_bounded_memory() {
    let mut drift = Drift::default();
    for picture in 0..24 * 3600 {
        drift.push(picture * SECOND, picture * 5_000 + picture % 7 * 1_000);
    }
    assert!(drift.points.len() <= MOST_BLOCKS);
    let ppm = drift.ppm().expect("a day");
    assert!((ppm.value - 5.0).abs() < 0.01, "{ppm:?}");
}

#[test]
fn what_holds_pictures_up_is_no_drift() {
    // The second half of the measurement has a busy machine: most pictures are late, by whole runs of them.
    let ppm = drift(20, |picture| {
        let is_held = picture > 250 && picture % 25 != 7;
        i64::from(is_held) * 8 * MS + picture * 37 % 11 * 1_000
    });
    assert!(ppm.is_none_or(|ppm| ppm.value.abs() < 1.0), "{ppm:?}");
}

#[test]
fn where_pictures_are_repeated_there_is_no_drift() {
    // Each is shown on a grid of 25 a second, of which this camera has 15.
    let of = |is_told: bool| {
        let mut drift = Drift::default();
        for picture in 0..60 * 15_i64 {
            let time = picture * SECOND / 15;
            drift.push(time, -time.rem_euclid(40 * MS) + 40 * MS);
            if is_told && picture % 3 != 0 {
                drift.repeat();
            }
        }
        drift.ppm()
    };
    assert!(of(false).is_some());
    assert_eq!(of(true), None);
}

#[test]
fn a_backlog_that_is_made_up_for_is_no_drift() {
    // It shrinks by 6 % of the time until it is gone, and is gone half-way.
    let ppm = drift(60, |picture| (1_800 * MS - picture * 40 * MS * 6 / 100).max(0));
    assert_eq!(ppm, None);
}

#[test]
fn a_recording_that_was_slowed_down_tells_exactly_by_how_much() {
    let ppm = drift(20, |picture| picture * 40 * MS / 50).expect("20 s");
    assert!(
        (ppm.value - 20_000.0).abs() < 1e-6 && ppm.uncertainty < 1e-6,
        "{ppm:?}"
    );
}

#[test]
fn a_few_seconds_say_nothing() {
    assert_eq!(drift(16, |picture| picture * MS), None);
    assert!(drift(17, |picture| picture * MS).is_some());
    let mut none = Drift::default();
    assert_eq!(none.ppm(), None);
    none.push(SECOND, MS);
    assert_eq!(none.ppm(), None);
}

#[test]
fn offsets_of_ticks_tell_a_drift_with_its_uncertainty() {
    let mut within = 0;
    for seed in 0..100 {
        let mut random = Random(seed);
        let ppm = random.below(40_001) - 20_000;
        let points: Vec<(i64, i64)> = (1..10 + random.below(100))
            .map(|tick| (tick * SECOND, tick * 1000 * ppm + random.below(MS)))
            .collect();
        let estimate = of_offsets(&points).expect("ticks");
        #[expect(clippy::cast_precision_loss, reason = "20,000 at most")]
        let error = (estimate.value - ppm as f64).abs();
        within += u32::from(error <= estimate.uncertainty);
        assert!(estimate.uncertainty < 300.0, "{estimate:?}");
    }
    assert!(within >= 97, "{within}");
    assert_eq!(of_offsets(&[(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)]), None);
    assert_eq!(of_offsets(&[]), None);
}
