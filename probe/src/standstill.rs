//! Tells from the pictures themselves that they stand still, where no stamp does: one after the other is the same, or none
//! comes. Pure arithmetic; times are in ns.

/// Pictures that are the same.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Standstill {
    now: Option<Shown>,
    count: u64,
    time: u64,
}

#[derive(Debug, Clone, Copy)]
struct Shown {
    content: u32,
    since: u64,
    last: u64,
}

impl Standstill {
    /// A picture with that checksum was shown at `time`; it is frozen once it stood for more than `threshold`.
    pub(crate) fn picture(&mut self, content: u32, time: u64, threshold: u64) {
        if let Some(shown) = &mut self.now
            && shown.content == content
        {
            shown.last = time;
            return;
        }
        (self.count, self.time) = self.frozen(time, threshold);
        self.now = Some(Shown {
            content,
            since: time,
            last: time,
        });
    }

    /// How often, and for how long in all, the picture stood still until `now`.
    pub(crate) fn frozen(&self, now: u64, threshold: u64) -> (u64, u64) {
        let stood = self.now.map_or(0, |shown| now.saturating_sub(shown.since));
        if stood > threshold {
            (self.count + 1, self.time.saturating_add(stood))
        } else {
            (self.count, self.time)
        }
    }

    /// When the last picture was shown.
    pub(crate) fn last(&self) -> u64 {
        self.now.map_or(0, |shown| shown.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_picture_for_long_is_frozen() {
        let mut still = Standstill::default();
        for (content, time) in [
            (1, 0),
            (2, 40),
            (2, 80),
            (2, 640),
            (3, 680),
            (4, 720),
            (5, 1400),
            (5, 1440),
        ] {
            still.picture(content, time, 500);
        }
        // From 40 to 680, and from 720 to 1400, where nothing came.
        assert_eq!(still.frozen(still.last(), 500), (2, 1320));
        assert_eq!(still.frozen(2000, 500), (3, 1920));
    }
}
