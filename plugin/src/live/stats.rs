//! The statistics of a live source, as a type: the element writes them, and whoever asks for them reads them.

/// What `clocksrc` or `clocktone` has done since it started. Times are in ns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Frames, or buffers of sound, that left.
    pub rendered: u64,
    /// Those that were skipped because they were late.
    pub dropped: u64,
    /// How much later than it should one left at most.
    pub max_lateness: u64,
    /// How much later they left on average.
    pub mean_lateness: u64,
    /// Ticks that have begun; only `clocktone` has any.
    pub ticks: Option<u64>,
}

impl Stats {
    const CLOCKSRC: &str = "application/x-clocksrc-stats";
    const CLOCKTONE: &str = "application/x-clocktone-stats";

    /// The statistics of a structure; `None` for any other structure, and for one that lacks something.
    #[must_use]
    pub fn from_structure(fields: &gst::StructureRef) -> Option<Self> {
        if !fields.has_name(Self::CLOCKSRC) && !fields.has_name(Self::CLOCKTONE) {
            return None;
        }
        Some(Self {
            rendered: fields.get("rendered").ok()?,
            dropped: fields.get("dropped").ok()?,
            max_lateness: fields.get("max-lateness").ok()?,
            mean_lateness: fields.get("mean-lateness").ok()?,
            ticks: fields.get("ticks").ok(),
        })
    }

    /// The structure of the statistics.
    pub(crate) fn to_structure(self) -> gst::Structure {
        let name = self.ticks.map_or(Self::CLOCKSRC, |_| Self::CLOCKTONE);
        gst::Structure::builder(name)
            .field("rendered", self.rendered)
            .field("dropped", self.dropped)
            .field("max-lateness", self.max_lateness)
            .field("mean-lateness", self.mean_lateness)
            .field_if_some("ticks", self.ticks)
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_come_back_as_they_were() {
        gst::init().unwrap();
        let picture = Stats {
            rendered: 4,
            dropped: 3,
            max_lateness: 2,
            mean_lateness: 1,
            ticks: None,
        };
        let sound = Stats {
            ticks: Some(5),
            ..picture
        };
        for stats in [picture, sound] {
            let structure = stats.to_structure();
            assert_eq!(Stats::from_structure(&structure), Some(stats), "{structure}");
        }
        assert_eq!(Stats::from_structure(&gst::Structure::new_empty("stats")), None);
    }
}
