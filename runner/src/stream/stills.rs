//! Pictures for whoever looks at the stream without playing it, coded one by one: they count as no viewers, and no encoder of
//! the stream runs for them.
//!
//! All who want the same picture share one source, which is there from the first of them to the last. A source that is to make
//! a single picture is shared until it has begun to: whoever asks later gets the next one.
//!
//! | module | job |
//! | --- | --- |
//! | `source` | what those see of it who look, and what the thread sees that makes the pictures |
//! | `making` | the pipeline that makes pictures, and that thread |
//! | `threads` | the priority of that pipeline's own threads |
//! | `units` | what a pipeline of one's own has encoded, on its way to be decoded |

use std::{
    io,
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use self::source::{Latest, Order, Source};
use super::Stream;
use crate::launch::still::WrongWidth;
pub(crate) use crate::launch::still::{Format, Wanted, Width};

mod making;
mod source;
mod threads;
mod units;

/// How many pictures may be made at a time on one server: how many sources there are.
pub(crate) const MOST_PICTURES: u32 = 64;

/// How many of them may be of one stream: whoever looks at one stream alone leaves some for others.
pub(crate) const MOST_PICTURES_OF_A_STREAM: usize = 16;

/// How long a picture may take besides the two frame periods after which it is due at the latest.
const PATIENCE: Duration = Duration::from_secs(10);

/// A picture.
#[derive(Debug)]
pub(crate) struct Still {
    /// The instant that it shows; `None` where an encoder of one's own has lost it.
    pub(crate) instant: Option<Timestamp>,
    /// The file.
    pub(crate) data: Bytes,
}

/// Why there is no picture.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum NoStill {
    /// It would be too small or too large.
    #[error(transparent)]
    WrongWidth(#[from] WrongWidth),
    /// The stream has ended, or another one is in its place.
    #[error("the stream has ended, or another one is in its place")]
    Ended,
    /// The pipeline has failed.
    #[error("{0}")]
    Failed(String),
    /// It did not come.
    #[error("no picture has come within {} s", .0.as_secs())]
    Late(Duration),
    /// Others are being made.
    #[error("{MOST_PICTURES} different pictures are being made already")]
    TooMany,
    /// Others of this stream are being made.
    #[error("{MOST_PICTURES_OF_A_STREAM} different pictures of this stream are being made already")]
    TooManyOfStream,
    /// This machine has no room for another source.
    #[error("this machine has no room for it: {0}")]
    NoRoom(Arc<io::Error>),
}

/// The sources of one stream.
#[derive(Debug, Default)]
pub(super) struct Stills(Mutex<Vec<Weak<Source>>>);

/// Somebody who looks at a stream without playing it. The source goes with the last one.
#[derive(Debug)]
pub(crate) struct Onlooker {
    latest: watch::Receiver<Latest>,
    patience: Duration,
    /// Until when the next picture has to come; `None` where nobody has waited for it yet.
    deadline: Option<Instant>,
    source: Arc<Source>,
}

impl Onlooker {
    /// The newest picture that has not been answered yet, or the next one. What was made in between is left out. This needs a
    /// tokio runtime; a wait that is given up loses nothing, and the next one goes on with what is left of its time.
    ///
    /// # Errors
    /// When none comes, or none any more.
    pub(crate) async fn next(&mut self) -> Result<Arc<Still>, NoStill> {
        let patience = self.patience;
        let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + patience);
        let next = timeout_at(deadline, self.newest()).await;
        self.deadline = None;
        next.unwrap_or_else(|_late| Err(self.give_up()))
    }

    /// Ends a source of which nothing comes, for all who look: a new one may do better.
    fn give_up(&self) -> NoStill {
        let why = NoStill::Late(self.patience);
        self.source.end(why.clone());
        self.source.order(Order::Leave);
        why
    }

    async fn newest(&mut self) -> Result<Arc<Still>, NoStill> {
        loop {
            self.latest.changed().await.map_err(|_gone| NoStill::Ended)?;
            match &*self.latest.borrow_and_update() {
                Latest::Nothing => {}
                Latest::Still(still) => return Ok(Arc::clone(still)),
                Latest::Over(why) => return Err(why.clone()),
            }
        }
    }
}

impl Stills {
    /// All sources that somebody looks at.
    fn all(&self) -> Vec<Arc<Source>> {
        self.0.lock().iter().filter_map(Weak::upgrade).collect()
    }

    /// The clocks that are painted for them.
    pub(super) fn clocks(&self) -> Vec<gst::Element> {
        let all = self.all();
        all.iter().filter_map(|source| source.clock()).collect()
    }

    /// Ends all sources.
    pub(super) fn end(&self) {
        for source in self.all() {
            source.order(Order::End);
        }
    }
}

impl Stream {
    /// Has pictures made as they are `wanted`, until the answer is dropped.
    ///
    /// # Errors
    /// When that cannot be.
    pub(crate) fn look(self: &Arc<Self>, wanted: Wanted) -> Result<Onlooker, NoStill> {
        let config = self.config();
        let wanted = wanted.of(&config)?;
        let source = self.still_source(wanted)?;
        let mut latest = source.latest();
        // Whoever looks at many pictures has the one that is there already; who wants one wants the next.
        if wanted.frames_per_second.is_some() {
            latest.mark_changed();
        }
        let periods = Duration::from_nanos(config.frames_per_second.period().saturating_mul(2));
        Ok(Onlooker {
            latest,
            patience: PATIENCE + periods,
            deadline: None,
            source,
        })
    }

    /// The source of such pictures: one that is there, or a new one.
    fn still_source(self: &Arc<Self>, wanted: Wanted) -> Result<Arc<Source>, NoStill> {
        let mut sources = self.stills.0.lock();
        // Whoever retires the stream says so first, and ends the sources that are there then.
        if self.is_retired.load(Ordering::SeqCst) {
            return Err(NoStill::Ended);
        }
        sources.retain(|source| source.strong_count() > 0);
        let mut there = sources.iter().filter_map(Weak::upgrade);
        if let Some(source) = there.find(|source| source.makes(wanted)) {
            return Ok(source);
        }
        if sources.len() >= MOST_PICTURES_OF_A_STREAM {
            return Err(NoStill::TooManyOfStream);
        }
        let seat = self.still_seats.take().ok_or(NoStill::TooMany)?;
        let (source, told) = Source::new(wanted);
        let started = making::start(self, &source, told, seat);
        started.map_err(|error| NoStill::NoRoom(Arc::new(error)))?;
        sources.push(Arc::downgrade(&source));
        Ok(source)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_millis(5);

    fn preview() -> Wanted {
        Wanted {
            format: Format::Jpeg,
            width: Width::Own,
            frames_per_second: NonZero::new(5),
        }
    }

    /// Waits for a picture again and again, never for long.
    async fn by_turns(onlooker: &mut Onlooker) -> Result<Arc<Still>, NoStill> {
        loop {
            if let Ok(next) = timeout(SOON, onlooker.next()).await {
                return next;
            }
        }
    }

    #[test]
    fn a_source_of_which_nothing_comes_is_given_up_also_by_who_waits_by_turns() {
        let (source, told) = Source::new(preview());
        let mut onlooker = Onlooker {
            latest: source.latest(),
            patience: SOON * 10,
            deadline: None,
            source: Arc::clone(&source),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let seen = runtime
            .expect("a runtime")
            .block_on(async { timeout(PATIENCE, by_turns(&mut onlooker)).await });
        let seen = seen.expect("it is given up");
        assert!(matches!(seen, Err(NoStill::Late(_))), "{seen:?}");
        assert!(matches!(told.try_recv(), Ok(Order::Leave)));
        assert!(!source.makes(preview()), "whoever comes next gets another one");
    }
}
