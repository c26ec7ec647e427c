//! The configuration in force: what stands in its file, what has been changed since, and one change after the other.

use std::sync::Arc;

use gst_rtsp_server::gio;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{
    config::Mount,
    config_file::{self, Document, Environment, Loaded, Replacement, Source, Unwritable},
    events::{Changes, Happening},
    server::{Gentle, Orders, StartError},
};

mod compared;
mod files;
mod unsaved;

pub(crate) use compared::{KeyValue, Overridden};
use unsaved::Unsaved;

/// Loads the configuration's file anew.
pub(crate) type Load = Arc<dyn Fn() -> Result<Loaded, config_file::Error> + Send + Sync>;

/// The configuration in force. Whoever changes it waits for those who came before.
pub(crate) struct Configuration {
    orders: Orders,
    environment: Environment,
    load: Load,
    state: Arc<Mutex<State>>,
}

/// What is in force.
#[derive(Debug)]
pub(crate) struct State {
    /// What the file would have to say for it, and what became of that.
    pub(crate) loaded: Loaded,
    /// What was changed since the file was read or written.
    unsaved: Unsaved,
    /// What was said as a whole last: by the file, or by a request. What a change of the only stream has put at its top level
    /// since is about that stream, and not about others that come later.
    pub(crate) whole: Document,
    /// What the file said when it was read or written last; `None` where there was none.
    in_file: Option<Document>,
    /// Whether it has been written since it was read.
    is_written: bool,
}

/// A change of the configuration.
pub(crate) struct Change {
    /// What is to be in force.
    pub(crate) document: Document,
    /// What that changes, in a few words.
    pub(crate) what: String,
    /// Who asks for it.
    pub(crate) who: &'static str,
    /// Whether the document is another one as a whole.
    pub(crate) is_whole: bool,
    /// Which streams may end.
    pub(crate) may_end: MayEnd,
    /// Whether the file is to say so as well.
    pub(crate) saves: bool,
    /// Whether it may say which files and pipelines streams are made of.
    pub(crate) may_name_files: bool,
}

/// Which streams a change may end, whose viewers see that.
pub(crate) enum MayEnd {
    /// Those that are there, and no others.
    At(Vec<Mount>),
    /// Whichever it takes.
    Any,
}

/// What makes the file be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// Somebody asks for it.
    Asked,
    /// The file has changed. What was written into it here is no such change.
    Changed,
}

/// Why the configuration has not been changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    /// It would have mistakes.
    #[error(transparent)]
    Mistakes(#[from] config_file::Error),
    /// There would be too many streams.
    #[error("there may be {0} streams (http.maxStreams)")]
    TooMany(u32),
    /// It would end streams that somebody may play: these, because of these keys.
    #[error("this would replace, move or end {}", shortened(.0))]
    WouldEnd(Vec<String>, Vec<KeyValue>),
    /// It would say what variables say, whatever the file does.
    #[error("the environment overrides what would be said")]
    Overridden(Vec<Overridden>),
    /// The server cannot serve it.
    #[error(transparent)]
    Impossible(#[from] StartError),
    /// The file cannot be written.
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
    /// It counts, and the file does not say so.
    #[error("it counts from now on, but is not saved: {0}")]
    NotSaved(Unwritable),
    /// It would name files or pipelines of streams that did not have them.
    #[error("no request may change {}", .0.iter().map(|said| said.key).collect::<Vec<_>>().join(", "))]
    Guarded(Vec<KeyValue>),
    /// The server stops.
    #[error("the server stops")]
    Stopping,
}

impl State {
    /// Refuses so many streams where there are not as many yet, and there may not be.
    pub(crate) fn check_count(&self, streams: usize) -> Result<(), ChangeError> {
        let http = self.loaded.config.http.as_ref();
        let most = http.map_or(u32::MAX, |http| http.max_streams);
        let may_be = usize::try_from(most).unwrap_or(usize::MAX);
        if streams > may_be && streams > self.loaded.origins.len() {
            return Err(ChangeError::TooMany(most));
        }
        Ok(())
    }
}

impl Configuration {
    /// What was `loaded` is in force at the server that `orders` are for.
    pub(crate) fn new(orders: Orders, loaded: Loaded, environment: Environment, load: Load) -> Self {
        let state = State {
            in_file: in_file(&loaded),
            whole: loaded.document.clone(),
            loaded,
            unsaved: Unsaved::default(),
            is_written: false,
        };
        Self {
            orders,
            environment,
            load,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// What is in force, which stays so until this is let go of.
    pub(crate) async fn get(&self) -> OwnedMutexGuard<State> {
        Arc::clone(&self.state).lock_owned().await
    }

    /// Does as `change` says. What it changes is remembered until it is saved; where it changes nothing, nothing is. It is called
    /// where nobody minds how long a configuration takes to be read: nothing else comes to its turn meanwhile.
    pub(crate) async fn put(&self, state: &mut State, change: Change) -> Result<Changes, ChangeError> {
        let is_other = change.document != state.loaded.document;
        if !is_other && !change.saves {
            if change.is_whole {
                state.whole = change.document;
            }
            return Ok(Changes {
                kept: state.loaded.config.streams.len(),
                ..Changes::default()
            });
        }
        let text = change.document.text();
        let source = state.loaded.source.clone();
        let loaded = config_file::parse(source, Some(text.as_bytes()), &self.environment)?;
        state.check_count(loaded.origins.len())?;
        let guarded = files::renamed(&state.loaded, &loaded);
        if !change.may_name_files && !guarded.is_empty() {
            return Err(ChangeError::Guarded(guarded));
        }
        if change.is_whole {
            let overridden = compared::overridden(&state.loaded, &loaded);
            if !overridden.is_empty() {
                return Err(ChangeError::Overridden(overridden));
            }
        }
        // It is written before anything changes: whether it can be is known by then.
        let replacement = if change.saves {
            let (source, in_file) = (loaded.source.clone(), state.in_file.clone());
            let document = change.document.clone();
            Some(beside(move || Replacement::write(&source, &document, in_file.as_ref())).await?)
        } else {
            None
        };
        let changes = self.order(&state.loaded, &loaded, &change).await?;
        if change.is_whole {
            state.whole = loaded.document.clone();
        }
        state.loaded = loaded;
        if is_other {
            state.unsaved.add(change.what);
        }
        if let Some(replacement) = replacement {
            let written = beside(move || replacement.take_its_place()).await;
            written.map_err(|error| match error {
                ChangeError::Unwritable(why) => ChangeError::NotSaved(why),
                error => error,
            })?;
            state.loaded.source.note_written();
            state.unsaved = Unsaved::default();
            state.in_file = Some(change.document);
            state.is_written = true;
        }
        Ok(changes)
    }

    /// Has the server serve what was `loaded`, in the place of what was so `before`.
    async fn order(&self, before: &Loaded, loaded: &Loaded, change: &Change) -> Result<Changes, ChangeError> {
        let (config, who) = (loaded.config.clone(), change.who.to_owned());
        let MayEnd::At(places) = &change.may_end else {
            let answer = self.orders.reload(config, who).await;
            return Ok(answer.ok_or(ChangeError::Stopping)??);
        };
        let answer = self.orders.reload_gently(config, who, places.clone()).await;
        answer
            .ok_or(ChangeError::Stopping)?
            .map_err(|refused| match refused {
                Gentle::WouldEnd(names) => {
                    let asking = compared::asking(before, loaded, &names, &self.environment);
                    ChangeError::WouldEnd(names, asking)
                }
                Gentle::Impossible(error) => ChangeError::Impossible(error),
            })
    }

    /// The environment, whose variables override what the file says.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Reads the file again and puts it into force; answers what it has changed. What was changed since ends. Where the file
    /// only says what was written into it here, nothing does.
    ///
    /// # Errors
    /// Why it was not taken over; that has been told.
    pub(crate) async fn read_again(&self, occasion: Occasion) -> Result<Changes, String> {
        let mut state = self.state.lock().await;
        let load = Arc::clone(&self.load);
        let read = gio::spawn_blocking(move || load()).await;
        let loaded = match read {
            // Whatever read it has panicked, and the hook has told of it.
            Err(_) => Err("it could not be read to its end".into()),
            Ok(Ok(loaded))
                if loaded.source == Source::Defaults && state.loaded.source != Source::Defaults =>
            {
                // Whoever takes the file away does not mean the defaults.
                Err(format!("{} is gone", state.loaded.source))
            }
            Ok(loaded) => loaded.map_err(|error| error.to_string()),
        };
        let loaded = loaded.inspect_err(|why| self.tell_refused(&state.loaded.source, why))?;
        let is_written = std::mem::take(&mut state.is_written);
        let is_as_written = is_written && state.in_file.as_ref() == Some(&loaded.document);
        if occasion == Occasion::Changed && is_as_written {
            return Ok(Changes::default());
        }
        let answer = self
            .orders
            .reload(loaded.config.clone(), loaded.source.to_string())
            .await;
        // A refusal has been told.
        let changes = answer
            .ok_or("the server stops")?
            .map_err(|error| error.to_string())?;
        for change in std::mem::take(&mut state.unsaved).into_lines() {
            tracing::warn!(target: "config", "the file has been read again: {change} was not saved, and has ended");
        }
        state.in_file = in_file(&loaded);
        state.whole = loaded.document.clone();
        state.loaded = loaded;
        Ok(changes)
    }

    fn tell_refused(&self, source: &Source, why: &str) {
        self.orders.events().tell(Happening::ReloadRefused {
            source: source.to_string(),
            mistakes: why.lines().map(String::from).collect(),
        });
    }
}

/// These names, or the first of them where they are many.
fn shortened(names: &[String]) -> String {
    const NAMED: usize = 10;
    let first = names.iter().take(NAMED).map(String::as_str);
    let more = names.len().saturating_sub(NAMED);
    let more = (more > 0).then(|| format!("and {more} more"));
    let parts: Vec<&str> = first.chain(more.as_deref()).collect();
    parts.join(", ")
}

/// What the file says that was `loaded`; `None` where there is none.
fn in_file(loaded: &Loaded) -> Option<Document> {
    (loaded.source != Source::Defaults).then(|| loaded.document.clone())
}

/// Does what may have to wait for a disk on a thread of its own.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Unwritable> + Send + 'static,
) -> Result<T, ChangeError> {
    // Where it has panicked, the hook has told of it.
    let done = gio::spawn_blocking(work)
        .await
        .map_err(|_| ChangeError::Stopping)?;
    Ok(done?)
}
