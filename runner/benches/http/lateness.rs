//! How late frames left, as the server says of all its streams.

use serde_json::Value;

use super::client::Client;

/// How many frames left so late: the bounds of each class in ms, and its frames.
pub(crate) struct Lateness(Vec<(f64, f64, f64)>);

impl Lateness {
    /// Of all frames so far.
    pub(crate) fn read(client: &mut Client) -> Self {
        let streams = client.get("/streams?itemsPerPage=1000");
        let mut all: Vec<(f64, f64, f64)> = Vec::new();
        for stream in streams["items"].as_array().expect("a list") {
            let classes = stream["lateness"]["classes"].as_array().expect("classes");
            let classes = classes_of(classes);
            all.resize(classes.len(), (0.0, 0.0, 0.0));
            for (sum, class) in all.iter_mut().zip(classes) {
                *sum = (class.0, class.1, sum.2 + class.2);
            }
        }
        Self(all)
    }

    /// Of the frames that left since `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let pairs = self.0.iter().zip(&before.0);
        Self(
            pairs
                .map(|(now, before)| (now.0, now.1, now.2 - before.2))
                .collect(),
        )
    }

    /// The delay in ms below which that many percent lie, as if those of a class were spread evenly.
    pub(crate) fn percentile(&self, percent: f64) -> f64 {
        let frames: f64 = self.0.iter().map(|class| class.2).sum();
        let mut rest = frames * percent / 100.0;
        for (low, high, count) in &self.0 {
            if rest <= *count && *count > 0.0 {
                return low + (high - low) * rest / count;
            }
            rest -= count;
        }
        f64::NAN
    }
}

/// The last class has no bound: what is in it counts as late as its lower one.
fn classes_of(classes: &[Value]) -> Vec<(f64, f64, f64)> {
    let mut low = 0.0;
    let of = |class: &Value| {
        let high = class["upToSeconds"].as_f64().map_or(low, |bound| bound * 1e3);
        let class = (low, high, class["frames"].as_f64().expect("a count"));
        low = high;
        class
    };
    classes.iter().map(of).collect()
}
