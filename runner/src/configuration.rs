//! The configuration in force: what stands in its file, what has been changed since, and one change after the other.

use std::sync::Arc;

use gst_rtsp_server::gio;
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    config_file::{self, Document, Environment, Loaded, Source},
    events::{Changes, Happening},
    server::{Gentle, Orders, StartError},
};

/// Loads the configuration's file anew.
pub(crate) type Load = Arc<dyn Fn() -> Result<Loaded, config_file::Error> + Send + Sync>;

/// The configuration in force. Whoever changes it waits for those who came before.
pub(crate) struct Configuration {
    orders: Orders,
    environment: Environment,
    load: Load,
    state: Mutex<State>,
}

/// What is in force.
#[derive(Debug)]
pub(crate) struct State {
    /// What the file would have to say for it, and what became of that.
    pub(crate) loaded: Loaded,
    /// What was changed since the file was read or written, a change each.
    pub(crate) unsaved: Vec<String>,
}

/// Why the configuration has not been changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// It would have mistakes.
    #[error(transparent)]
    Mistakes(#[from] config_file::Error),
    /// There would be too many streams.
    #[error("there may be {0} streams (http.maxStreams)")]
    TooMany(u32),
    /// It would end streams that somebody may play.
    #[error("this would replace {}", .0.join(", "))]
    WouldReplace(Vec<String>),
    /// The server cannot serve it.
    #[error(transparent)]
    Impossible(#[from] StartError),
    /// The server stops.
    #[error("the server stops")]
    Stopping,
}

impl Configuration {
    /// What was `loaded` is in force at the server that `orders` are for.
    pub(crate) fn new(orders: Orders, loaded: Loaded, environment: Environment, load: Load) -> Self {
        let state = State {
            loaded,
            unsaved: Vec::new(),
        };
        Self {
            orders,
            environment,
            load,
            state: Mutex::new(state),
        }
    }

    /// What is in force, which stays so until this is let go of.
    pub(crate) async fn get(&self) -> MutexGuard<'_, State> {
        self.state.lock().await
    }

    /// Puts `document` into force, as `who` asks; `what` it changes is remembered until it is saved. Unless `may_replace`,
    /// no stream's pipeline is replaced.
    pub(crate) async fn put(
        &self,
        state: &mut State,
        document: &Document,
        may_replace: bool,
        (who, what): (&str, String),
    ) -> Result<Changes, Refusal> {
        let text = document.text();
        let loaded = config_file::parse(
            state.loaded.source.clone(),
            Some(text.as_bytes()),
            &self.environment,
        )?;
        let most = state
            .loaded
            .config
            .http
            .as_ref()
            .map_or(u32::MAX, |http| http.max_streams);
        let (before, after) = (state.loaded.origins.len(), loaded.origins.len());
        if after > before && after > usize::try_from(most).unwrap_or(usize::MAX) {
            return Err(Refusal::TooMany(most));
        }
        let (config, who) = (loaded.config.clone(), who.to_owned());
        let changes = if may_replace {
            self.orders.reload(config, who).await.ok_or(Refusal::Stopping)??
        } else {
            let answer = self.orders.reload_gently(config, who).await;
            answer
                .ok_or(Refusal::Stopping)?
                .map_err(|refused| match refused {
                    Gentle::WouldReplace(names) => Refusal::WouldReplace(names),
                    Gentle::Impossible(error) => Refusal::Impossible(error),
                })?
        };
        state.loaded = loaded;
        state.unsaved.push(what);
        Ok(changes)
    }

    /// The environment, whose variables override what the file says.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Reads the file again and puts it into force; answers what it has changed. What was changed since ends.
    ///
    /// # Errors
    /// Why it was not taken over; that has been told.
    pub(crate) async fn read_again(&self) -> Result<Changes, String> {
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
        let answer = self
            .orders
            .reload(loaded.config.clone(), loaded.source.to_string())
            .await;
        // A refusal has been told.
        let changes = answer
            .ok_or("the server stops")?
            .map_err(|error| error.to_string())?;
        for change in state.unsaved.drain(..) {
            tracing::warn!(target: "config", "the file has been read again: {change} was not saved, and has ended");
        }
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
