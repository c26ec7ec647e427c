//! Reads Prometheus' text format, as the server writes it.

use std::collections::BTreeMap;

/// What was written.
#[derive(Debug)]
pub(crate) struct Exposition {
    /// The type of each family.
    pub(crate) types: BTreeMap<String, String>,
    /// What each family says, for people.
    pub(crate) helps: BTreeMap<String, String>,
    /// The value of each sample, by its name and its labels in their order: `name{label=value,other=value}`.
    pub(crate) samples: BTreeMap<String, f64>,
}

impl Exposition {
    #[track_caller]
    pub(crate) fn parse(text: &str) -> Self {
        let (mut types, mut helps, mut samples) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for line in text.lines() {
            let comment = line.strip_prefix("# ").and_then(|line| line.split_once(' '));
            match comment.map(|(keyword, rest)| (keyword, rest.split_once(' '))) {
                Some(("TYPE", Some((name, kind)))) => drop(types.insert(name.to_owned(), kind.to_owned())),
                Some(("HELP", Some((name, help)))) => drop(helps.insert(name.to_owned(), help.to_owned())),
                Some(_) => panic!("{line}"),
                None => {
                    let (name, value) = sample(line);
                    assert_eq!(samples.insert(name, value), None, "twice: {line}");
                }
            }
        }
        Self {
            types,
            helps,
            samples,
        }
    }

    pub(crate) fn find(&self, sample: &str) -> Option<f64> {
        self.samples.get(sample).copied()
    }

    /// The value of a sample that is there.
    #[track_caller]
    pub(crate) fn value(&self, sample: &str) -> f64 {
        self.find(sample)
            .unwrap_or_else(|| panic!("no {sample} among {:#?}", self.samples))
    }

    /// The value of a sample that counts something.
    #[track_caller]
    pub(crate) fn count(&self, sample: &str) -> u64 {
        let value = self.value(sample);
        // What is written of a whole number has no fraction.
        value
            .to_string()
            .parse()
            .unwrap_or_else(|error| panic!("{sample} is {value}: {error}"))
    }

    /// The labels of that family's samples.
    pub(crate) fn labels(&self, family: &str) -> Vec<String> {
        let of_family = |sample: &&String| {
            let (name, _) = sample.split_once('{').expect("labels");
            name == family || name.strip_prefix(family) == Some("_bucket")
        };
        let labels = self.samples.keys().find(of_family).expect("a sample");
        let (_, labels) = labels.split_once('{').expect("labels");
        let labels = labels.trim_end_matches('}').split(',');
        labels
            .filter_map(|label| Some(label.split_once('=')?.0.to_owned()))
            .collect()
    }

    /// Whether that is the name of a sample.
    pub(crate) fn has(&self, name: &str) -> bool {
        let names = self.samples.keys().filter_map(|sample| sample.split_once('{'));
        names.map(|(name, _)| name).any(|known| known == name)
    }

    /// All that only grows is no less in `later`, and still there.
    #[track_caller]
    pub(crate) fn assert_no_counter_fell(&self, later: &Self) {
        let grows = |sample: &str| {
            let name = sample.split('{').next().unwrap_or_default();
            ["_total", "_bucket", "_count", "_sum"]
                .iter()
                .any(|end| name.ends_with(end))
        };
        for (sample, before) in self.samples.iter().filter(|(sample, _)| grows(sample)) {
            assert!(
                later.value(sample) >= *before,
                "{sample}: {before} before, {} now",
                later.value(sample)
            );
        }
    }
}

/// No label here has a comma or a quote in its value.
#[track_caller]
fn sample(line: &str) -> (String, f64) {
    let (name, value) = line.rsplit_once(' ').expect("a value");
    let (name, labels) = name.split_once('{').unwrap_or((name, "}"));
    let labels = labels
        .strip_suffix('}')
        .expect("an end of the labels")
        .replace('"', "");
    let mut labels: Vec<_> = labels.split(',').collect();
    labels.sort_unstable();
    let value = value.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
    (format!("{name}{{{}}}", labels.join(",")), value)
}
