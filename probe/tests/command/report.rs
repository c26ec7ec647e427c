//! What the probe shows of a measurement. The measurement is an example that never took place.

use std::collections::BTreeSet;

use rtsp_clock_probe::figures::{
    ClockRelation, Counts, Estimate, Evidence, Loss, Measurement, Sample, StreamFigures,
};
use rtsp_clock_probe::report;
use serde_json::Value;

use crate::support::{CAMERA, RECORDER, example, limit};

/// The page as XML, in which void elements are closed.
fn parsed(page: &str) -> String {
    let mut xml = page
        .strip_prefix("<!DOCTYPE html>")
        .expect("a doctype")
        .to_owned();
    for void in ["<meta ", "<img "] {
        let mut from = 0;
        while let Some(at) = xml[from..].find(void) {
            let end = from + at + xml[from + at..].find('>').expect("an end of the tag");
            xml.insert(end, '/');
            from = end;
        }
    }
    if let Err(error) = roxmltree::Document::parse(&xml) {
        panic!("the page is not well-formed: {error}");
    }
    xml
}

/// Every number in the drawings is one.
#[track_caller]
fn assert_drawable(page: &str) {
    let xml = parsed(page);
    let document = roxmltree::Document::parse(&xml).unwrap();
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        for attribute in node.attributes() {
            let value = attribute.value();
            match attribute.name() {
                "d" => assert!(!value.contains("NaN") && !value.contains("inf"), "{value}"),
                "x" | "y" | "x1" | "x2" | "y1" | "y2" | "width" | "height" => {
                    assert!(
                        value.parse::<f64>().is_ok_and(f64::is_finite),
                        "{}: {value}",
                        attribute.name()
                    );
                }
                _ => {}
            }
        }
    }
}

/// The text of the page, without tags.
fn text_of(page: &str) -> String {
    let xml = parsed(page);
    let document = roxmltree::Document::parse(&xml).unwrap();
    let texts = document.descendants().filter(roxmltree::Node::is_text);
    texts.filter_map(|node| node.text()).collect()
}

fn shown(measurement: &Measurement, evidence: &[Evidence]) -> [String; 2] {
    let page = report::html(measurement, evidence);
    assert_drawable(&page);
    [report::table(measurement), page]
}

/// One stream of these pictures.
fn measured(figures: StreamFigures, samples: Vec<Sample>) -> (Measurement, Vec<Evidence>) {
    let (mut measurement, _) = example();
    measurement.streams = vec![figures];
    measurement.added.clear();
    let evidence = Evidence { samples, still: None };
    (measurement, vec![evidence])
}

#[test]
fn the_table_is_as_it_was() {
    let table = report::table(&example().0);
    assert_eq!(table, include_str!("golden/table.txt"), "\n{table}");
}

#[test]
fn no_line_of_the_table_is_wider_than_a_terminal() {
    let (mut measurement, _) = example();
    let stream = measurement.streams[1].clone();
    measurement
        .streams
        .extend([stream.clone(), stream.clone(), stream]);
    let table = report::table(&measurement);
    for line in table.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    assert_eq!(table.matches("sender reports").count(), 2, "{table}");
}

#[test]
fn the_page_has_the_figures() {
    let (measurement, evidence) = example();
    let text = text_of(&report::html(&measurement, &evidence));
    for figure in [
        CAMERA,
        RECORDER,
        "adds 40 ms",
        "1 of 2 limits broken",
        "3 pictures had no readable stamp",
        "max 120 ms",
        "4300–4301",
        "00:00:12.080 UTC",
        "1 (1.2 s)",
        "0.31 ms behind that of time.example, give or take 0.80 ms",
    ] {
        assert!(text.contains(figure), "{figure} is missing in: {text}");
    }
}

#[test]
fn the_page_needs_nothing_else() {
    let (measurement, evidence) = example();
    let page = report::html(&measurement, &evidence);
    for outside in ["http:", "https:", "<script", "<link", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_drawable(&page);
}

#[test]
fn losses_freezes_and_unreadable_frames_are_marked_where_they_were() {
    let (mut measurement, mut evidence) = example();
    (measurement.streams, evidence) = (measurement.streams.split_off(1), evidence.split_off(1));
    let xml = parsed(&report::html(&measurement, &evidence));
    let document = roxmltree::Document::parse(&xml).unwrap();
    let chart = document
        .descendants()
        .find(|node| node.attribute("aria-label") == Some("Latency over time"));
    let chart = chart.expect("a chart of the latency");
    let of_class = |class: &'static str| {
        chart
            .descendants()
            .filter(move |it| it.attribute("class") == Some(class))
    };
    let title = |node: roxmltree::Node| {
        node.descendants()
            .find_map(|it| it.text())
            .unwrap_or_default()
            .to_owned()
    };

    let losses: Vec<_> = of_class("loss").map(title).collect();
    assert_eq!(losses.len(), 4, "{losses:?}");
    assert_eq!(losses[0], "2 frames missing before 00:00:12.080 UTC: 4300–4301");
    assert_eq!(
        of_class("freeze").map(title).collect::<Vec<_>>(),
        ["frozen for 1.3 s"]
    );
    let unreadable = of_class("unreadable")
        .next()
        .and_then(|it| it.attribute("d"))
        .unwrap_or_default();
    assert_eq!(unreadable.matches('M').count(), 3, "{unreadable}");
    // 38 s of 60 s.
    let freeze = of_class("freeze")
        .next()
        .and_then(|it| it.attribute("x")?.parse::<f64>().ok())
        .unwrap();
    assert!((640.0..680.0).contains(&freeze), "{freeze}");
}

#[test]
fn text_from_outside_stays_text() {
    let (mut measurement, evidence) = example();
    let nasty = "rtsp://a.example/\"><script>alert(1)</script>\u{1b}[31m\u{0}&amp;'";
    measurement.streams[0].url = nasty.to_owned();
    measurement.streams[0].codec = Some(nasty.to_owned());
    measurement.streams[0].transport = Some(nasty.to_owned());
    measurement.streams[0].problems = vec![nasty.to_owned()];
    measurement.added[0].via = nasty.to_owned();
    measurement.added[0].from = nasty.to_owned();
    measurement.clock.ntp_server = Some(nasty.to_owned());
    measurement.limits = vec![limit(nasty, nasty, nasty, false)];
    measurement.started = nasty.to_owned();
    measurement.probe = nasty.to_owned();
    let [table, page] = shown(&measurement, &evidence);
    assert!(!page.contains("<script") && !page.contains('\u{1b}') && !page.contains('\u{0}'));
    assert!(!table.contains('\u{1b}') && !table.contains('\u{0}'));
    assert!(text_of(&page).contains("&amp;'"), "escaped once and no more");
}

#[test]
fn a_stream_of_which_nothing_could_be_read_is_shown_as_such() {
    let (mut figures, mut samples) = (example().0.streams.remove(0), example().1.remove(0).samples);
    for sample in &mut samples {
        sample.stamp = None;
    }
    figures.counts = Counts {
        frames: 1499,
        unreadable: 1499,
        ..Counts::default()
    };
    (
        figures.latency,
        figures.network,
        figures.decoder,
        figures.interval,
    ) = (None, None, None, None);
    figures.losses.clear();
    let (measurement, evidence) = measured(figures, samples);
    let [table, page] = shown(&measurement, &evidence);
    assert!(
        table
            .lines()
            .any(|line| line.contains("in all") && line.trim_end().ends_with('–')),
        "{table}"
    );
    assert!(text_of(&page).contains("Not one stamp of the 1499 pictures could be read."));
}

#[test]
fn nothing_one_picture_and_nonsense_are_shown_without_a_panic() {
    let (full, evidence) = example();
    let one = evidence[0].samples[..1].to_vec();
    let mut broken = full.streams[0].clone();
    broken.counts.frozen = u64::MAX;
    broken.counts.frozen_time = u64::MAX;
    broken.counts.lost = u64::MAX;
    broken.frames_per_second = Some(f64::NAN);
    broken.first_picture = Some(f64::INFINITY);
    broken.drift_ppm = Some(f64::NAN);
    broken.losses = vec![
        Loss {
            instant: u64::MAX,
            first: u64::MAX,
            count: u64::MAX,
        };
        3
    ];
    if let Some(latency) = &mut broken.latency {
        (latency.p50, latency.p99, latency.max) = (f64::NAN, f64::NAN, f64::INFINITY);
    }
    broken.clock = ClockRelation::Ntp {
        correction: Estimate {
            value: f64::NAN,
            uncertainty: f64::INFINITY,
        },
    };
    let wild = [0, u64::MAX].map(|time| Sample {
        arrival: time,
        pts: Some(time),
        ..one[0]
    });
    for samples in [Vec::new(), one, wild.to_vec()] {
        for live in [true, false] {
            for figures in [&full.streams[0], &broken] {
                let (measurement, evidence) = measured(
                    StreamFigures {
                        live,
                        ..figures.clone()
                    },
                    samples.clone(),
                );
                let [table, page] = shown(&measurement, &evidence);
                for text in [table, text_of(&page)] {
                    assert!(!text.contains("NaN") && !text.contains("inf "), "{text}");
                }
                shown(&measurement, &[]);
            }
        }
    }
    let (mut measurement, _) = example();
    measurement.streams.clear();
    shown(&measurement, &[]);
    measurement.added[0].latency = None;
    let [table, page] = shown(&measurement, &[]);
    assert!(table.contains("what it adds is not known") && page.contains("what it adds is not known"));
}

#[test]
fn a_file_shows_how_its_pts_moved_and_no_latency() {
    let (mut measurement, mut evidence) = example();
    let (mut figures, mut samples) = (measurement.streams.remove(0), evidence.remove(0).samples);
    (figures.live, figures.latency, figures.network, figures.decoder) = (false, None, None, None);
    // From the tenth second on, PTS are 7 ms late.
    for sample in &mut samples {
        sample.pts = sample.pts.map(|pts| {
            if pts >= 10_000_000_000 {
                pts + 7_000_000
            } else {
                pts
            }
        });
    }
    let (measurement, evidence) = measured(figures, samples);
    let [_, page] = shown(&measurement, &evidence);
    let text = text_of(&page);
    assert!(text.contains("PTS against the stamp") && text.contains("The recording lacks frames"));
    assert!(!text.contains("Latency p50"), "{text}");
    // The axis ends above 7 ms.
    assert!(page.contains(">8</text>"), "{page}");
}

#[test]
fn a_day_makes_no_large_page() {
    let (mut measurement, mut evidence) = example();
    for (stream, evidence) in measurement.streams.iter_mut().zip(&mut evidence) {
        let minute = evidence.samples.clone();
        let later = |n: u64| {
            minute.iter().map(move |sample| {
                let ns = n * 60_000_000_000;
                let mut sample = *sample;
                sample.arrival += ns;
                if let Some(stamp) = &mut sample.stamp {
                    stamp.instant += i64::try_from(ns / 1000).unwrap();
                    stamp.frame += n * 1500;
                }
                sample
            })
        };
        evidence.samples = (0..240).flat_map(later).collect();
        stream.losses = stream.losses.repeat(1000);
    }
    let page = report::html(&measurement, &evidence);
    assert!(page.len() < 1_500_000, "{} bytes", page.len());
    assert_drawable(&page);
}

#[test]
fn the_json_is_as_its_schema_says() {
    let schema: Value = serde_json::from_str(&report::schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let (mut measurement, _) = example();
    measurement.streams[0].clock = ClockRelation::SenderReports {
        offset: Estimate {
            value: 0.4,
            uncertainty: 0.25,
        },
    };
    let json: Value = serde_json::from_str(&report::json(&measurement)).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&json)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    for broken in [
        "/streams/0/counts/lost",
        "/streams/0/clock/kind",
        "/schemaVersion",
    ] {
        let mut json = json.clone();
        *json.pointer_mut(broken).unwrap() = Value::String("?".to_owned());
        assert!(!validator.is_valid(&json), "{broken}");
    }
}

#[test]
fn every_field_of_the_schema_is_described() {
    let schema: Value = serde_json::from_str(&report::schema()).unwrap();
    let definitions = schema["$defs"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, it)| (name.as_str(), it));
    for (name, definition) in definitions.chain([("Measurement", &schema)]) {
        // The names of a distribution say it.
        if name == "Distribution" {
            continue;
        }
        for (field, it) in definition["properties"].as_object().into_iter().flatten() {
            assert!(it["description"].is_string(), "{name}.{field}: {it}");
        }
    }
}

/// The paths of all fields, those of a list's items once.
fn fields(json: &Value, path: &str, found: &mut BTreeSet<String>) {
    match json {
        Value::Object(object) => {
            for (name, value) in object {
                fields(value, &format!("{path}.{name}"), found);
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| fields(item, &format!("{path}[]"), found)),
        _ => {
            found.insert(path.trim_start_matches('.').to_owned());
        }
    }
}

#[test]
fn no_field_of_the_json_changes_its_name_unnoticed() {
    let json: Value = serde_json::from_str(&report::json(&example().0)).unwrap();
    let mut found = BTreeSet::new();
    fields(&json, "", &mut found);
    let found: String = found.into_iter().map(|field| field + "\n").collect();
    assert_eq!(found, include_str!("golden/fields.txt"), "\n{found}");
}
