//! The configuration of the server and of a stream: what is in force, and changes of it.

use std::{collections::HashSet, sync::Arc};

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
};
use futures_executor::block_on;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{PREFIX, streams::find};
use crate::{
    config::{HttpConfig, Mount},
    config_file::{self, Document, Keys, Mistake, Origin},
    configuration::{Change, ChangeError, KeyValue, MayEnd, Occasion, Overridden, State as InForce},
    events::{Changes, THE_API},
    http::{
        App,
        access::Caller,
        apart::apart,
        etag::{self, Tagged},
        extract::{Id, Object, Parameters},
        problem::{KeyMistake, Problem},
    },
    stream_id::StreamId,
};

/// How something is changed.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HowToChange {
    /// Whether streams may be replaced, moved or ended, whose viewers see the end of theirs.
    #[serde(default)]
    replace: bool,
    /// Whether the file is to say so as well. It says all that is in force then.
    #[serde(default)]
    save: bool,
}

/// What has been changed.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Changed {
    /// The streams that this was about: more than one where they share a picture.
    streams: Vec<StreamId>,
    /// What is different now.
    changes: Changes,
}

impl Changed {
    /// What was changed by another configuration as a whole.
    fn of_all(changes: Changes) -> Self {
        Self {
            streams: Vec::new(),
            changes,
        }
    }
}

/// `GET /config`.
pub(super) async fn show(State(app): State<Arc<App>>) -> Result<Tagged, Problem> {
    with_configuration(app, async |_, state| {
        Ok(Tagged::new(&state.loaded.document.shown()))
    })
    .await
}

/// `PUT /config`.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    Parameters(how): Parameters<HowToChange>,
    headers: HeaderMap,
    Object(keys): Object,
) -> Result<Json<Changed>, Problem> {
    with_configuration(app, async move |app, state| {
        etag::check(&headers, || state.loaded.document.shown())?;
        let mut document = Document::new(keys);
        document.keep_secrets_of(&state.loaded.document);
        let what = Subject {
            is_whole: true,
            ..Subject::of("PUT /config")
        };
        let changes = apply(app, state, document, how, what).await.map_err(problem)?;
        Ok(Json(Changed::of_all(changes)))
    })
    .await
}

/// `POST /reload`.
pub(super) async fn reload(State(app): State<Arc<App>>) -> Result<Json<Changed>, Problem> {
    // What has begun comes to its end, whether the one who asked for it still listens or not.
    let read = tokio::spawn(async move { app.configuration.read_again(Occasion::Asked).await });
    let failed = |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "it has failed");
    let changes = read.await.map_err(failed)?;
    let changes = changes.map_err(|why| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why))?;
    Ok(Json(Changed::of_all(changes)))
}

/// `GET /streams/{id}/config`.
pub(super) async fn of_stream(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Tagged, Problem> {
    with_configuration(app, async move |app, state| {
        let Target { origin, .. } = origin(app, state, &caller, &id)?;
        Ok(Tagged::new(&Value::Object(in_force(app, state, &origin))))
    })
    .await
}

/// `PATCH /streams/{id}/config`.
pub(super) async fn patch(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    Parameters(how): Parameters<HowToChange>,
    headers: HeaderMap,
    Object(patch): Object,
) -> Result<Json<Changed>, Problem> {
    with_configuration(app, async move |app, state| {
        let Target { index, origin, .. } = origin(app, state, &caller, &id)?;
        let before = in_force(app, state, &origin);
        etag::check(&headers, || Value::Object(before.clone()))?;
        // What is sent back as it was read changes nothing.
        let patch = config_file::that_change(&patch, &before);
        check_not_overridden(state, &patch)?;
        let mut document = state.loaded.document.clone();
        document.patch(&origin, &patch);
        let what = Subject::of(format!("{} of {id}", known_names(&patch).join(", ")));
        let changes = apply(app, state, document, how, what).await;
        let changes = changes.map_err(|error| problem(of_patch(error, &patch)))?;
        let streams = made_with(app, state, index);
        Ok(Json(Changed { streams, changes }))
    })
    .await
}

/// `POST /streams`.
pub(super) async fn add(
    State(app): State<Arc<App>>,
    Parameters(how): Parameters<HowToChange>,
    headers: HeaderMap,
    Object(entry): Object,
) -> Result<(StatusCode, HeaderMap, Json<Changed>), Problem> {
    etag::check_untagged(&headers)?;
    with_configuration(app, async move |app, state| {
        state
            .check_count(state.loaded.document.least_streams() + 1)
            .map_err(problem)?;
        let entry = without_defaults(app, state, &entry);
        check_not_overridden(state, &entry)?;
        let mut document = state.loaded.document.clone();
        document.add(entry, &state.whole);
        let before: HashSet<_> = ids(app).into_iter().collect();
        let what = Subject::of("an added entry");
        let changes = apply(app, state, document, how, what).await.map_err(problem)?;
        let mut streams = ids(app);
        streams.retain(|id| !before.contains(id));
        let location = location(&streams).into_iter().collect();
        Ok((StatusCode::CREATED, location, Json(Changed { streams, changes })))
    })
    .await
}

/// Where a stream is that was added alone: of several none is the one that the answer is about.
fn location(streams: &[StreamId]) -> Option<(HeaderName, HeaderValue)> {
    let [id] = streams else { return None };
    let place = HeaderValue::try_from(format!("{PREFIX}/streams/{id}")).ok()?;
    Some((header::LOCATION, place))
}

/// `DELETE /streams/{id}`.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    Parameters(how): Parameters<HowToChange>,
    headers: HeaderMap,
) -> Result<Json<Changed>, Problem> {
    with_configuration(app, async move |app, state| {
        let found = origin(app, state, &caller, &id)?;
        etag::check(&headers, || Value::Object(in_force(app, state, &found.origin)))?;
        let mut document = state.loaded.document.clone();
        document.remove(&found.origin);
        if document.is_without_streams() {
            let detail = "it is the last one, and a server has one stream at least: add another one first";
            return Err(Problem::new(StatusCode::CONFLICT, detail));
        }
        let removed = state.loaded.config.streams.get(found.index);
        let what = Subject {
            removed: removed.map(|stream| stream.mounts.clone()).unwrap_or_default(),
            ..Subject::of(format!("the end of {id}"))
        };
        let changes = apply(app, state, document, how, what).await.map_err(problem)?;
        let streams = found.streams;
        Ok(Json(Changed { streams, changes }))
    })
    .await
}

/// Does `work` on the configuration that is in force, once those are done who came before. A configuration of ten thousand
/// streams takes its time to be read, in which others are answered. What has begun comes to its end, whether the one who asked
/// for it still listens or not.
async fn with_configuration<T: Send + 'static>(
    app: Arc<App>,
    work: impl AsyncFnOnce(&App, &mut InForce) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let mut state = app.configuration.get().await;
    apart(move || block_on(work(&app, &mut state))).await?
}

/// The same about what was sent in `patch` alone, where that asks for another stream.
fn of_patch(error: ChangeError, patch: &Keys) -> ChangeError {
    let ChangeError::WouldEnd(names, mut asking) = error else {
        return error;
    };
    let is_sent = |said: &KeyValue| patch.contains_key(said.key);
    if asking.iter().any(is_sent) {
        asking.retain(is_sent);
    }
    ChangeError::WouldEnd(names, asking)
}

/// The keys of the stream that comes from `origin`, with what is in force.
fn in_force(app: &App, state: &InForce, origin: &Origin) -> Keys {
    let text = state.loaded.document.text();
    config_file::of_stream(&text, app.configuration.environment(), origin)
}

/// What `entry` says otherwise than a new one has it that says nothing.
fn without_defaults(app: &App, state: &InForce, entry: &Keys) -> Keys {
    let mut empty = state.loaded.document.clone();
    empty.add(Keys::new(), &state.whole);
    let defaults = config_file::of_new_entry(&empty.text(), app.configuration.environment());
    config_file::that_differ(entry, &defaults)
}

/// The names in `patch` that are those of keys.
fn known_names(patch: &Keys) -> Vec<&str> {
    let known = config_file::keys().map(|key| key.name);
    known.filter(|name| patch.contains_key(*name)).collect()
}

/// The streams that are made by the same entry as the one of that index.
fn made_with(app: &App, state: &InForce, index: usize) -> Vec<StreamId> {
    let loaded = &state.loaded;
    let entry = loaded.origins.get(index).map(|origin| origin.entry);
    let streams = loaded.config.streams.iter().zip(&loaded.origins);
    let made = streams.filter(|(_, origin)| Some(origin.entry) == entry);
    let places: HashSet<&Mount> = made.flat_map(|(stream, _)| &stream.mounts).collect();
    let roster = app.roster().get();
    let served = roster.streams().iter();
    let made = served.filter(|served| served.mounts().iter().any(|mount| places.contains(mount)));
    made.map(|served| served.id().clone()).collect()
}

fn ids(app: &App) -> Vec<StreamId> {
    app.roster()
        .get()
        .streams()
        .iter()
        .map(|served| served.id().clone())
        .collect()
}

/// Where a stream comes from.
struct Target {
    /// Its index in the configuration.
    index: usize,
    origin: Origin,
    /// All that are changed with it.
    streams: Vec<StreamId>,
}

/// Where the stream of that id comes from.
fn origin(app: &App, state: &InForce, caller: &Caller, id: &str) -> Result<Target, Problem> {
    let roster = app.roster().get();
    let served = find(&roster, caller, id)?;
    let index = state
        .loaded
        .config
        .streams
        .iter()
        .position(|stream| served.is_of(stream));
    let origin = index.and_then(|index| Some((index, state.loaded.origins.get(index)?)));
    let (index, origin) = origin.ok_or_else(|| {
        Problem::new(
            StatusCode::CONFLICT,
            "the stream is not in the configuration that is in force",
        )
    })?;
    Ok(Target {
        index,
        origin: origin.clone(),
        streams: served.shown_by(),
    })
}

/// Refuses a change of keys that variables say, whatever the file does.
fn check_not_overridden(state: &InForce, sent: &Keys) -> Result<(), Problem> {
    let variables = &state.loaded.variables;
    let said = config_file::keys().filter(|key| key.section().is_none());
    let overridden = said.filter_map(|key| {
        let value = sent.get(key.name)?;
        let variable = config_file::overriding(key, variables)?;
        Some(of_variable(key.name, Some(value), variable))
    });
    let mistakes: Vec<_> = overridden.collect();
    if mistakes.is_empty() {
        return Ok(());
    }
    let problem = Problem::new(StatusCode::CONFLICT, OVERRIDDEN);
    Err(Problem { mistakes, ..problem })
}

const OVERRIDDEN: &str = "the environment overrides what was sent";

fn of_variable(key: &str, value: Option<&Value>, variable: &str) -> KeyMistake {
    refused(
        key,
        value,
        format!("the variable {variable} says it, whatever is sent here"),
    )
}

/// A key that may not be sent, and what is shown of its value.
fn refused(key: &str, value: Option<&Value>, problem: impl Into<String>) -> KeyMistake {
    KeyMistake {
        key: key.into(),
        found: value.and_then(|value| config_file::found(key, value)),
        expected: None,
        problem: problem.into(),
    }
}

/// What a change is about.
struct Subject {
    /// What it changes, in a few words.
    changes: String,
    /// Whether it is the configuration as a whole.
    is_whole: bool,
    /// The places whose streams are meant to go.
    removed: Vec<Mount>,
}

impl Subject {
    fn of(changes: impl Into<String>) -> Self {
        Self {
            changes: changes.into(),
            is_whole: false,
            removed: Vec::new(),
        }
    }
}

/// Puts `document` into force.
async fn apply(
    app: &App,
    state: &mut InForce,
    document: Document,
    how: HowToChange,
    what: Subject,
) -> Result<Changes, ChangeError> {
    check_allowed(app, state, &document)?;
    let change = Change {
        document,
        what: what.changes,
        is_whole: what.is_whole,
        who: THE_API,
        may_end: if how.replace {
            MayEnd::Any
        } else {
            MayEnd::At(what.removed)
        },
        saves: how.save,
        may_name_files: app.config().allow_pipelines,
    };
    app.configuration.put(state, change).await
}

/// Refuses what need not be read to its end to be refused: too many entries, and what no request may say.
fn check_allowed(app: &App, state: &InForce, document: &Document) -> Result<(), ChangeError> {
    state.check_count(document.least_streams())?;
    guard(&state.loaded.document, document, &app.config())
}

/// Refuses what is the file's alone, and what names files, where it is not as it was.
fn guard(before: &Document, after: &Document, config: &HttpConfig) -> Result<(), ChangeError> {
    let (was, is) = (
        before.guarded(config.allow_pipelines),
        after.guarded(config.allow_pipelines),
    );
    let known: HashSet<_> = was
        .iter()
        .map(|(key, at, said)| (*key, at.is_none(), *said))
        .collect();
    let stands: HashSet<_> = is.iter().map(|(key, at, _)| (*key, at.is_none())).collect();
    let new = is
        .iter()
        .filter(|(key, at, said)| !known.contains(&(*key, at.is_none(), *said)));
    let new = new.map(|(key, _, said)| KeyValue {
        key,
        value: Some((*said).clone()),
    });
    let gone = was
        .iter()
        .filter(|(key, at, _)| at.is_none() && !stands.contains(&(*key, true)));
    let gone = gone.map(|(key, _, _)| KeyValue { key, value: None });
    let changed: Vec<_> = new.chain(gone).collect();
    if changed.is_empty() {
        Ok(())
    } else {
        Err(ChangeError::Guarded(changed))
    }
}

fn problem(error: ChangeError) -> Problem {
    let detail = error.to_string();
    let (status, detail, mistakes) = match error {
        ChangeError::Mistakes(config_file::Error::Mistakes(mistakes)) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "the configuration would have mistakes".into(),
            mistakes.into_iter().map(key_mistake).collect(),
        ),
        ChangeError::WouldEnd(_, asking) => (
            StatusCode::CONFLICT,
            format!("{detail}, whose viewers would see its end: ?replace=true says that they may"),
            each(
                &asking,
                "what it would say takes another stream in this one's place",
            ),
        ),
        ChangeError::Guarded(said) => (
            StatusCode::FORBIDDEN,
            detail,
            each(&said, "no request may say it: the file does"),
        ),
        ChangeError::Overridden(said) => {
            let mistake = |said: &Overridden| of_variable(said.key, said.value.as_ref(), said.variable);
            (StatusCode::CONFLICT, detail, said.iter().map(mistake).collect())
        }
        ChangeError::Stopping => return Problem::stopping(),
        _ => (StatusCode::CONFLICT, detail, Vec::new()),
    };
    let problem = Problem::new(status, detail);
    Problem { mistakes, ..problem }
}

/// Each of these keys, of which the same is to be said.
fn each(said: &[KeyValue], problem: &str) -> Vec<KeyMistake> {
    let mistake = |said: &KeyValue| refused(said.key, said.value.as_ref(), problem);
    said.iter().map(mistake).collect()
}

fn key_mistake(mistake: Mistake) -> KeyMistake {
    KeyMistake {
        key: mistake.key,
        found: mistake.found,
        expected: mistake.expected,
        problem: mistake.problem,
    }
}
