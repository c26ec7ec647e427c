//! The statistics of `clockprobe`, as a type: the element writes them, and whoever asks for them reads them.
//!
//! What the fields mean stands in the element's documentation.

pub use super::distribution::Summary;

/// What came since the element left READY. Times are in ns.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stats {
    /// Buffers that passed.
    pub frames: u64,
    /// Those that were read.
    pub readings: u64,
    /// Those that could not be read.
    pub unreadable: u64,
    /// Frames that are missing within a run.
    pub lost: u64,
    /// Frames that came again.
    pub repeated: u64,
    /// Frames that came after a later one.
    pub out_of_order: u64,
    /// How often the picture stood still.
    pub frozen: u64,
    /// For how long altogether.
    pub frozen_time: u64,
    /// How many runs of sources were seen.
    pub runs: u64,
    /// Ticks that were heard.
    pub ticks: u64,
    /// The latency of each frame as it came first.
    pub latency: Option<Summary>,
    /// The slope of the latency over time.
    pub drift_ppm: Option<f64>,
    /// How much later than the picture ticks are.
    pub av_offset_median: Option<i64>,
    /// The greatest of these by magnitude.
    pub av_offset_max: Option<i64>,
}

impl Stats {
    const NAME: &str = "clockprobe-stats";

    /// The statistics of a structure; `None` for any other structure, and for one that lacks something.
    #[must_use]
    pub fn from_structure(fields: &gst::StructureRef) -> Option<Self> {
        if !fields.has_name(Self::NAME) {
            return None;
        }
        Some(Self {
            frames: fields.get("frames").ok()?,
            readings: fields.get("readings").ok()?,
            unreadable: fields.get("unreadable").ok()?,
            lost: fields.get("lost").ok()?,
            repeated: fields.get("repeated").ok()?,
            out_of_order: fields.get("out-of-order").ok()?,
            frozen: fields.get("frozen").ok()?,
            frozen_time: fields.get("frozen-time").ok()?,
            runs: fields.get("runs").ok()?,
            ticks: fields.get("ticks").ok()?,
            latency: latency(fields),
            drift_ppm: fields.get("drift-ppm").ok(),
            av_offset_median: fields.get("av-offset-median").ok(),
            av_offset_max: fields.get("av-offset-max").ok(),
        })
    }

    /// The structure of the statistics.
    pub(crate) fn to_structure(self) -> gst::Structure {
        let mut builder = gst::Structure::builder(Self::NAME)
            .field("frames", self.frames)
            .field("readings", self.readings)
            .field("unreadable", self.unreadable)
            .field("lost", self.lost)
            .field("repeated", self.repeated)
            .field("out-of-order", self.out_of_order)
            .field("frozen", self.frozen)
            .field("frozen-time", self.frozen_time)
            .field("runs", self.runs)
            .field("ticks", self.ticks);
        if let Some(latency) = self.latency {
            builder = builder
                .field("latency-min", latency.min)
                .field("latency-mean", latency.mean)
                .field("latency-p50", latency.p50)
                .field("latency-p90", latency.p90)
                .field("latency-p99", latency.p99)
                .field("latency-max", latency.max);
        }
        builder
            .field_if_some("drift-ppm", self.drift_ppm)
            .field_if_some("av-offset-median", self.av_offset_median)
            .field_if_some("av-offset-max", self.av_offset_max)
            .build()
    }
}

fn latency(fields: &gst::StructureRef) -> Option<Summary> {
    Some(Summary {
        min: fields.get("latency-min").ok()?,
        mean: fields.get("latency-mean").ok()?,
        p50: fields.get("latency-p50").ok()?,
        p90: fields.get("latency-p90").ok()?,
        p99: fields.get("latency-p99").ok()?,
        max: fields.get("latency-max").ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_come_back_as_they_were() {
        gst::init().unwrap();
        let bare = Stats {
            frames: 10,
            readings: 9,
            unreadable: 8,
            lost: 7,
            repeated: 6,
            out_of_order: 5,
            frozen: 4,
            frozen_time: 3,
            runs: 2,
            ticks: 1,
            ..Stats::default()
        };
        let full = Stats {
            latency: Some(Summary {
                min: -1,
                mean: 2,
                p50: 3,
                p90: 4,
                p99: 5,
                max: 6,
            }),
            drift_ppm: Some(0.5),
            av_offset_median: Some(-20),
            av_offset_max: Some(-40),
            ..bare
        };
        for stats in [Stats::default(), bare, full] {
            let structure = stats.to_structure();
            assert_eq!(Stats::from_structure(&structure), Some(stats), "{structure}");
        }
        assert_eq!(Stats::from_structure(&gst::Structure::new_empty("stats")), None);
    }
}
