//! The warning that a camera cannot keep up, and what to do about that; it is given once for each camera.
//!
//! A pipeline that is too slow skips frames all the time. One that was held between DESCRIBE and PLAY, or that a viewer
//! has paused, skips many in one moment, and so does a machine with a hiccup: hence the warning takes skips in
//! [several](BAD_SECONDS) of the latest seconds.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use gst::glib;

use super::{
    Stream,
    running::{Frames, Running},
};
use crate::{config::StreamConfig, events::Happening, launch, timers};

/// How often frames are counted.
const TICK: Duration = Duration::from_secs(1);
/// Of the latest seconds, this many count…
const WINDOW: usize = 10;
/// …and a machine is too slow if frames are skipped in this many of them…
const BAD_SECONDS: usize = 5;
/// …and in all of them together at least one frame in this many is skipped.
const ONE_IN: u64 = 20;

/// The frames counted at the latest ticks, the oldest first.
#[derive(Debug, Default)]
struct Pace {
    counts: VecDeque<Frames>,
}

impl Pace {
    /// Notes what a pipeline has made so far; answers what it made in the window if that is too little.
    fn note(&mut self, now: Frames) -> Option<Frames> {
        self.counts.push_back(now);
        if self.counts.len() <= WINDOW {
            return None;
        }
        let first = self.counts.pop_front()?;
        let ticks = std::iter::once(&first).chain(&self.counts).zip(&self.counts);
        let bad_seconds = ticks.filter(|(before, after)| after.skipped > before.skipped);
        let is_steady = bad_seconds.count() >= BAD_SECONDS;
        let made = now.since(first);
        (is_steady && made.skipped * ONE_IN >= made.skipped + made.rendered).then_some(made)
    }
}

impl Stream {
    /// Counts the frames of `running` as long as it runs, until the warning is given.
    pub(super) fn watch_pace(self: &Arc<Self>, running: &Arc<Running>) {
        if self.is_told_slow.load(Ordering::Relaxed) {
            return;
        }
        let (stream, running) = (Arc::downgrade(self), Arc::downgrade(running));
        let mut pace = Pace::default();
        timers::every(&self.context, glib::Priority::LOW, TICK, move || {
            let (Some(stream), Some(running)) = (stream.upgrade(), running.upgrade()) else {
                return glib::ControlFlow::Break;
            };
            let Some(made) = pace.note(running.frames()) else {
                return glib::ControlFlow::Continue;
            };
            stream.tell_slow(made);
            glib::ControlFlow::Break
        });
    }

    fn tell_slow(&self, made: Frames) {
        if !self.is_told_slow.swap(true, Ordering::Relaxed) {
            let seconds = TICK.as_secs() * WINDOW as u64;
            let advice = advice(&self.config());
            self.tell(|streams| Happening::StreamTooSlow {
                streams,
                name: self.name(),
                frames: made.skipped,
                advice: format!("{made} in the last {seconds} s: {advice}"),
            });
        }
    }
}

/// What to change in the configuration of a stream that cannot keep up.
fn advice(stream: &StreamConfig) -> String {
    let StreamConfig {
        width,
        height,
        frames_per_second,
        ..
    } = stream;
    match launch::encoder(stream) {
        Some(encoder) => format!(
            "this machine is too slow for {width}x{height} at {frames_per_second} frames a second with {encoder}; \
             lower videoResolution or framesPerSecond, use an encoder in hardware (encoder), or serve fewer streams"
        ),
        None => {
            "this machine is too slow for its pipeline; make that cheaper, its picture smaller or its frames \
                 fewer, or serve fewer streams"
                .into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The warnings about a camera that makes and skips so many frames in each of these seconds.
    fn warnings(seconds: impl IntoIterator<Item = (u64, u64)>) -> Vec<Frames> {
        let mut pace = Pace::default();
        let mut now = Frames::default();
        let mut told: Vec<_> = pace.note(now).into_iter().collect();
        for (rendered, skipped) in seconds {
            now.rendered += rendered;
            now.skipped += skipped;
            told.extend(pace.note(now));
        }
        told
    }

    #[test]
    fn a_camera_that_skips_all_the_time_is_told_of_after_the_window() {
        let made = Frames {
            rendered: 210,
            skipped: 40,
        };
        assert_eq!(warnings([(21, 4); 9]), []);
        assert_eq!(warnings([(21, 4); 10]), [made]);
        assert_eq!(made.to_string(), "skipped 40 of 250 frames");
        // A camera of one frame a second, of which each takes longer than a second.
        let slow = (0..10).map(|second| (second % 2, 1 - second % 2));
        assert_eq!(warnings(slow).len(), 1);
    }

    #[test]
    fn a_healthy_camera_is_not_told_of() {
        assert_eq!(warnings([(25, 0); 60]), []);
        // A pipeline may be held for eight seconds between DESCRIBE and PLAY, be paused, or hiccup now and then.
        let held = [(1, 0)].into_iter().chain([(0, 0); 8]).chain([(25, 200)]);
        assert_eq!(warnings(held.chain([(25, 0); 20])), []);
        assert_eq!(
            warnings((0..60).map(|second| (24, u64::from(second % 3 == 0)))),
            []
        );
        // One frame in a hundred is skipped, again and again.
        assert_eq!(warnings([(99, 1); 60]), []);
    }

    #[test]
    fn what_to_change_is_named() {
        gst::init().expect("GStreamer");
        let said = advice(&StreamConfig {
            width: 1920,
            height: 1080,
            frames_per_second: crate::config::FrameRate::whole(60),
            ..StreamConfig::default()
        });
        for words in [
            "1920x1080 at 60 frames a second with ",
            "videoResolution",
            "framesPerSecond",
        ] {
            assert!(said.contains(words), "{said}");
        }
        let own = advice(&StreamConfig {
            pipeline: Some("clocksrc ! x264enc ! rtph264pay name=pay0".into()),
            ..StreamConfig::default()
        });
        assert!(own.contains("too slow for its pipeline"), "{own}");
    }
}
