//! A measurement that never took place, for tests of what is shown: a camera, and a recorder that adds some
//! 40 ms, loses frames and freezes once.

use clockface::Stamp;
use rtsp_clock_probe::figures::{
    Added, Alteration, Basis, ClockCheck, ClockRelation, Counts, Disagreement, Distribution, Estimate,
    Evidence, KeyFrames, Limit, Loss, Measurement, SCHEMA_VERSION, Sample, Sound, Still, StreamFigures,
    Times,
};

pub(crate) const CAMERA: &str = "rtsp://camera.example:8554/live";
pub(crate) const RECORDER: &str = "rtsp://nvr.example/cam1?a=<b>&\"c\"";

/// 2026-01-01 00:00:00 UTC in µs.
const BEGIN: i64 = 1_767_225_600_000_000;
const FRAMES: u32 = 1500;
const PERIOD: i64 = 40_000;

/// Noise from 0 to 1 that is the same in every run.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(self.0 >> 8) / f64::from(1 << 24)
    }
}

pub(crate) fn distribution(mut values: Vec<f64>) -> Option<Distribution> {
    values.sort_by(f64::total_cmp);
    let at = |percent: usize| values.get(values.len().checked_sub(1)? * percent / 100).copied();
    let count = u32::try_from(values.len()).ok()?;
    Some(Distribution {
        count: count.into(),
        min: at(0)?,
        mean: values.iter().sum::<f64>() / f64::from(count),
        p50: at(50)?,
        p90: at(90)?,
        p99: at(99)?,
        max: at(100)?,
    })
}

/// A picture of frame `number` that took `network` and `decoder` ms.
fn sample(number: u32, network: f64, decoder: f64) -> Sample {
    let instant = BEGIN + i64::from(number) * PERIOD;
    let after = |ms: f64| {
        u64::try_from(instant).unwrap() * 1000
            + std::time::Duration::from_secs_f64(ms / 1e3).as_nanos() as u64
    };
    Sample {
        arrival: after(network + decoder),
        packet: Some(after(network)),
        pts: Some(u64::from(number) * 40_000_000),
        stamp: Some(Stamp {
            instant,
            frame: 4000 + u64::from(number),
            viewers: 2,
            stream: 1,
            run: 3_141_592_653,
        }),
        joining: false,
    }
}

fn gap(first: u32, count: u32) -> Loss {
    Loss {
        instant: u64::try_from(BEGIN + i64::from(first + count) * PERIOD).unwrap() * 1000,
        first: 4000 + u64::from(first),
        count: count.into(),
    }
}

fn latency(sample: &Sample) -> Option<f64> {
    let instant = u64::try_from(sample.stamp?.instant).ok()? * 1000;
    Some((sample.arrival - instant) as f64 / 1e6)
}

/// What a live stream of these pictures shows; what it lost and how it froze are told by the caller.
pub(crate) fn stream(url: &str, samples: &[Sample], losses: Vec<Loss>) -> StreamFigures {
    let readings = samples.iter().filter(|sample| sample.stamp.is_some()).count() as u64;
    let arrivals: Vec<_> = samples.iter().map(|sample| sample.arrival).collect();
    let intervals = arrivals
        .windows(2)
        .map(|pair| (pair[1] - pair[0]) as f64 / 1e6)
        .collect();
    let ms = |from: Option<u64>, to: u64| Some((to - from?) as f64 / 1e6);
    StreamFigures {
        url: url.to_owned(),
        live: true,
        transport: Some("tcp".to_owned()),
        codec: Some("H.264".to_owned()),
        width: 1280,
        height: 720,
        stream_id: Some(1),
        viewers: Some(2),
        alteration: Some(Alteration {
            inverted: url == RECORDER,
            mirrored: url == RECORDER,
            turned: 0,
        }),
        frames_per_second: Some(25.0),
        counts: Counts {
            frames: samples.len() as u64,
            readings,
            unreadable: samples.len() as u64 - readings,
            lost: losses.iter().map(|loss| loss.count).sum(),
            ..Counts::default()
        },
        latency: distribution(samples.iter().filter_map(latency).collect()),
        network: distribution(
            samples
                .iter()
                .filter_map(|it| Some(latency(it)? - ms(it.packet, it.arrival)?))
                .collect(),
        ),
        decoder: distribution(
            samples
                .iter()
                .filter_map(|it| ms(it.packet, it.arrival))
                .collect(),
        ),
        interval: distribution(intervals),
        drift_ppm: Some(-0.42),
        drift_uncertainty_ppm: Some(0.17),
        first_picture: Some(184.0),
        key_frames: KeyFrames {
            count: 60,
            interval: distribution(vec![1000.0; 59]),
        },
        clock: ClockRelation::Same,
        times: Times {
            sender_reports: Some(Disagreement {
                count: 1480,
                median_us: -12,
                max_us: 41,
            }),
            ..Times::default()
        },
        sound: Some(Sound {
            ticks: 59,
            offset_median: Some(0.21),
            offset_max: Some(-0.64),
            drift_ppm: Some(3.0),
            drift_uncertainty_ppm: Some(8.0),
        }),
        losses,
        spots: Vec::new(),
        differences: Vec::new(),
        problems: Vec::new(),
        ..StreamFigures::default()
    }
}

fn camera() -> (StreamFigures, Vec<Sample>) {
    let mut noise = Noise(1);
    let missing = |n: u32| n == 611;
    let samples: Vec<_> = (0..FRAMES)
        .filter(|&n| !missing(n))
        .map(|n| {
            sample(
                n,
                0.4 + noise.next() * 0.5 + if n % 25 == 0 { 1.1 } else { 0.0 },
                3.0 + noise.next() * 1.5,
            )
        })
        .collect();
    (stream(CAMERA, &samples, vec![gap(611, 1)]), samples)
}

fn recorder() -> (StreamFigures, Vec<Sample>) {
    let mut noise = Noise(7);
    let mut last = 0;
    let missing = |n: u32| (300..302).contains(&n) || n == 611 || (950..981).contains(&n) || n == 1203;
    let samples: Vec<_> = (0..FRAMES)
        .filter(|&n| !missing(n))
        .map(|n| {
            let bell = noise.next() + noise.next() + noise.next() - 1.5;
            let spike = if n % 173 == 60 { 70.0 * noise.next() } else { 0.0 };
            let mut sample = sample(n, 40.6 + bell * 9.0 + spike, 3.0 + noise.next() * 1.5);
            if [420, 460, 1100].contains(&n) {
                sample.stamp = None;
            }
            // What waits for a late frame comes right behind it.
            sample.arrival = sample.arrival.max(last + 300_000);
            sample.packet = sample.packet.map(|packet| packet.max(last).min(sample.arrival));
            last = sample.arrival;
            sample
        })
        .collect();
    let mut figures = stream(
        RECORDER,
        &samples,
        vec![gap(300, 2), gap(611, 1), gap(950, 31), gap(1203, 1)],
    );
    figures.counts.frozen = 1;
    figures.counts.frozen_time = 1240;
    figures.first_picture = Some(2310.0);
    figures.times = Times::default();
    figures.sound = None;
    (figures, samples)
}

/// A picture that is not of this measurement either.
pub(crate) fn still() -> Still {
    let (width, height) = (64_u32, 36_u32);
    let rgb = (0..width * height)
        .flat_map(|n| [(n % 256) as u8, (n / 64 * 7) as u8, 90])
        .collect();
    Still { width, height, rgb }
}

/// The measurement and what the page shows of it.
pub(crate) fn example() -> (Measurement, Vec<Evidence>) {
    let ((camera, direct), (mut recorder, restreamed)) = (camera(), recorder());
    recorder
        .problems
        .push("3 pictures had no readable stamp: is the picture scaled to less than half?".to_owned());
    let arrivals = |samples: &[Sample]| {
        samples
            .iter()
            .filter_map(|it| Some((it.stamp?.frame, it.arrival)))
            .collect()
    };
    let first: std::collections::HashMap<u64, u64> = arrivals(&direct);
    let both = restreamed
        .iter()
        .filter_map(|it| Some((it.arrival - first.get(&it.stamp?.frame)?) as f64 / 1e6));
    let measurement = Measurement {
        schema_version: SCHEMA_VERSION,
        probe: "0.1.0".to_owned(),
        started: "2026-01-01T00:00:00Z".to_owned(),
        seconds: 60.0,
        clock: ClockCheck {
            ntp_server: Some("time.example".to_owned()),
            offset: Some(Estimate {
                value: -0.31,
                uncertainty: 0.8,
            }),
            error: None,
        },
        added: vec![Added {
            from: CAMERA.to_owned(),
            via: RECORDER.to_owned(),
            latency: distribution(both.collect()),
            basis: Basis::Packets,
            both: 1462,
            missing: 34,
            unreadable: 3,
        }],
        limits: vec![
            limit("--max-p99", "250ms", "55 ms", true),
            limit("--max-lost", "0", "35", false),
        ],
        streams: vec![camera, recorder],
    };
    let evidence = [direct, restreamed].map(|samples| Evidence {
        samples,
        still: Some(still()),
    });
    (measurement, evidence.into())
}

pub(crate) fn limit(name: &str, allowed: &str, found: &str, kept: bool) -> Limit {
    Limit {
        url: RECORDER.to_owned(),
        name: name.to_owned(),
        allowed: allowed.to_owned(),
        found: found.to_owned(),
        kept,
    }
}
