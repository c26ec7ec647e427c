//! What a page watches, and the pictures of it.

use std::{
    collections::{HashMap, HashSet},
    future::pending,
    num::NonZero,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::select_all;
use serde::Deserialize;

use super::pictures::{HIGHEST_RATE, USUAL_RATE};
use crate::server::{Format, NoStill, Onlooker, Served, Still, Wanted, Width};

/// How many pictures a page may show at a time.
const MOST_SHOWN: usize = 64;
/// How wide a picture is at most where nobody says, and how wide it may be, in px.
const WIDTHS: (u32, u32) = (320, 1920);
/// How long to wait before another look where there was no picture.
const PAUSE: Duration = Duration::from_secs(5);

/// What a page watches.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Watch {
    /// The ids of the streams whose status it shows.
    #[serde(default)]
    pub(super) streams: HashSet<String>,
    /// The ids of those whose picture it shows.
    #[serde(default)]
    pictures: Vec<String>,
    /// How wide pictures are at most, in px.
    width: Option<u32>,
    /// How many pictures a second.
    fps: Option<u32>,
}

impl Watch {
    /// The ids of those whose picture it is shown.
    fn shown(&self) -> impl Iterator<Item = &String> {
        self.pictures.iter().take(MOST_SHOWN)
    }
}

/// The looks of one page, by the ids of the streams.
#[derive(Debug, Default)]
pub(super) struct Looks {
    open: HashMap<String, Onlooker>,
    /// When those failed that will be tried again.
    failed: HashMap<String, Instant>,
    /// How the pictures are made.
    wanted: Option<(u32, u32)>,
}

impl Looks {
    /// Ends those that `watch` does not name, or wants in another way.
    pub(super) fn keep(&mut self, watch: &Watch) {
        let wanted = wanted(watch);
        if self.wanted.replace(wanted) != Some(wanted) {
            self.open.clear();
        }
        let is_shown = |id: &String| watch.shown().any(|shown| shown == id);
        self.open.retain(|id, _| is_shown(id));
        self.failed.retain(|id, _| is_shown(id));
    }

    /// The ids of the streams that are to be looked at, and are not.
    pub(super) fn missing(&self, watch: &Watch) -> Vec<String> {
        let waits = |id: &String| self.failed.get(id).is_some_and(|since| since.elapsed() < PAUSE);
        watch
            .shown()
            .filter(|id| !self.open.contains_key(*id) && !waits(id))
            .cloned()
            .collect()
    }

    /// Looks at `served`, whose id this is.
    pub(super) fn begin(&mut self, id: String, served: &Served, watch: &Watch) {
        let (width, rate) = wanted(watch);
        let wanted = Wanted {
            format: Format::Jpeg,
            width: Width::UpTo(width),
            frames_per_second: NonZero::new(rate),
        };
        match served.look(wanted) {
            Ok(look) => drop(self.open.insert(id, look)),
            Err(_) => drop(self.failed.insert(id, Instant::now())),
        }
    }

    /// The next picture of any of them, and the id of its stream.
    pub(super) async fn next(&mut self) -> (String, Arc<Still>) {
        loop {
            let (id, next) = self.any().await;
            if let Ok(still) = next {
                return (id, still);
            }
            // It is tried again: another stream may stand in its place.
            self.open.remove(&id);
            self.failed.insert(id, Instant::now());
        }
    }

    async fn any(&mut self) -> (String, Result<Arc<Still>, NoStill>) {
        if self.open.is_empty() {
            return pending().await;
        }
        let next = self.open.iter_mut().map(|(id, look)| {
            Box::pin(async move {
                let next = look.next().await;
                (id.clone(), next)
            })
        });
        let (next, _, _) = select_all(next).await;
        next
    }
}

/// The width and the rate that are wanted, as far as they may be.
fn wanted(watch: &Watch) -> (u32, u32) {
    let (usual_width, widest) = WIDTHS;
    (
        watch.width.unwrap_or(usual_width).clamp(16, widest),
        watch.fps.unwrap_or(USUAL_RATE).clamp(1, HIGHEST_RATE),
    )
}
