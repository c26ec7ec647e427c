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
    config::HttpConfig,
    config_file::{self, Document, Keys, Mistake, Origin},
    configuration::{Change, ChangeError, Occasion, State as InForce},
    events::Changes,
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
    /// Whether streams may be replaced, whose viewers see the end of theirs.
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
        // What nobody may say goes before what has no effect.
        check_allowed(app, state, &document)?;
        check_not_overridden(state, |key| document.says_otherwise(&state.loaded.document, key))?;
        let changes = apply(app, state, document, how, "PUT /config".into()).await?;
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
        let (origin, _) = origin(app, state, &caller, &id)?;
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
        let (origin, streams) = origin(app, state, &caller, &id)?;
        let before = in_force(app, state, &origin);
        etag::check(&headers, || Value::Object(before.clone()))?;
        check_not_overridden(state, |key| patch.contains_key(key))?;
        let mut document = state.loaded.document.clone();
        document.patch(&origin, &patch);
        let keys: Vec<&str> = patch.keys().map(String::as_str).collect();
        let what = format!("{} of {id}", keys.join(", "));
        let changes = apply(app, state, document, how, what).await;
        let changes = changes.map_err(|problem| naming_replacing(problem, &patch, &before))?;
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
        check_not_overridden(state, |key| entry.contains_key(key))?;
        let mut document = state.loaded.document.clone();
        document.add(entry);
        let before: HashSet<_> = ids(app).into_iter().collect();
        let changes = apply(app, state, document, how, "an added entry".into()).await?;
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
        let (origin, streams) = origin(app, state, &caller, &id)?;
        etag::check(&headers, || Value::Object(in_force(app, state, &origin)))?;
        let mut document = state.loaded.document.clone();
        document.remove(&origin);
        let changes = apply(app, state, document, how, format!("the end of {id}")).await?;
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

/// Names the keys of `patch` that ask for another stream, where that is the problem.
fn naming_replacing(problem: Problem, patch: &Keys, before: &Keys) -> Problem {
    if problem.status != StatusCode::CONFLICT.as_u16() || !problem.mistakes.is_empty() {
        return problem;
    }
    let asks = |key: &&config_file::Key| {
        let is_other = patch
            .get(key.name)
            .is_some_and(|value| before.get(key.name) != Some(value));
        is_other && !matches!(key.change, config_file::Change::AtOnce)
    };
    let mistakes = config_file::keys().filter(asks).map(|key| KeyMistake {
        key: key.name.into(),
        found: None,
        expected: None,
        problem: "a change of it takes another stream in this one's place".into(),
    });
    Problem {
        mistakes: mistakes.collect(),
        ..problem
    }
}

/// The keys of the stream that comes from `origin`, with what is in force.
fn in_force(app: &App, state: &InForce, origin: &Origin) -> Keys {
    let text = state.loaded.document.text();
    config_file::of_stream(&text, app.configuration.environment(), origin)
}

fn ids(app: &App) -> Vec<StreamId> {
    app.roster()
        .get()
        .streams()
        .iter()
        .map(|served| served.id().clone())
        .collect()
}

/// Where the stream of that id comes from, and all that are changed with it.
fn origin(app: &App, state: &InForce, caller: &Caller, id: &str) -> Result<(Origin, Vec<StreamId>), Problem> {
    let roster = app.roster().get();
    let served = find(&roster, caller, id)?;
    let index = state
        .loaded
        .config
        .streams
        .iter()
        .position(|stream| served.is_of(stream));
    let origin = index.and_then(|index| state.loaded.origins.get(index));
    let origin = origin.ok_or_else(|| {
        Problem::new(
            StatusCode::CONFLICT,
            "the stream is not in the configuration that is in force",
        )
    })?;
    Ok((origin.clone(), served.shown_by()))
}

/// Refuses a change of keys that variables say, whatever the file does.
fn check_not_overridden(state: &InForce, is_changed: impl Fn(&str) -> bool) -> Result<(), Problem> {
    let variables = &state.loaded.variables;
    let said = config_file::keys().filter(|key| key.section().is_none());
    let said = said.filter_map(|key| Some((key.name, config_file::overriding(key, variables)?)));
    let mistakes: Vec<_> = said
        .filter(|(key, _)| is_changed(key))
        .map(|(key, variable)| KeyMistake {
            key: key.into(),
            found: None,
            expected: None,
            problem: format!("the variable {variable} says it, whatever is sent here"),
        })
        .collect();
    if mistakes.is_empty() {
        return Ok(());
    }
    let problem = Problem::new(StatusCode::CONFLICT, "the environment overrides what was sent");
    Err(Problem { mistakes, ..problem })
}

/// Puts `document` into force.
async fn apply(
    app: &App,
    state: &mut InForce,
    document: Document,
    how: HowToChange,
    what: String,
) -> Result<Changes, Problem> {
    check_allowed(app, state, &document)?;
    let change = Change {
        document,
        what,
        who: "the API",
        may_replace: how.replace,
        saves: how.save,
        may_name_files: app.config().allow_pipelines,
    };
    app.configuration.put(state, change).await.map_err(problem)
}

/// Refuses what need not be read to its end to be refused: too many entries, and what no request may say.
fn check_allowed(app: &App, state: &InForce, document: &Document) -> Result<(), Problem> {
    state.check_count(document.least_streams()).map_err(problem)?;
    guard(&state.loaded.document, document, &app.config())
}

/// Refuses what is the file's alone, and what names files, where it is not as it was.
fn guard(before: &Document, after: &Document, config: &HttpConfig) -> Result<(), Problem> {
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
    let gone = was
        .iter()
        .filter(|(key, at, _)| at.is_none() && !stands.contains(&(*key, true)));
    let changed = new.chain(gone);
    let keys: Vec<_> = changed.map(|(key, _, _)| *key).collect();
    if keys.is_empty() {
        Ok(())
    } else {
        Err(forbidden(&keys))
    }
}

/// No request may say these keys.
fn forbidden(keys: &[&str]) -> Problem {
    let mistake = |key: &&str| KeyMistake {
        key: (*key).into(),
        found: None,
        expected: None,
        problem: "no request may say it: the file does".into(),
    };
    let mistakes = keys.iter().map(mistake).collect();
    let detail = format!("no request may change {}", keys.join(", "));
    let problem = Problem::new(StatusCode::FORBIDDEN, detail);
    Problem { mistakes, ..problem }
}

fn problem(error: ChangeError) -> Problem {
    match error {
        ChangeError::Mistakes(config_file::Error::Mistakes(mistakes)) => {
            let problem = Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "the configuration would have mistakes",
            );
            let mistakes = mistakes.into_iter().map(key_mistake).collect();
            Problem { mistakes, ..problem }
        }
        ChangeError::WouldReplace(_) => {
            let detail =
                format!("{error}, whose viewers would see its end: ?replace=true says that they may");
            Problem::new(StatusCode::CONFLICT, detail)
        }
        ChangeError::Guarded(keys) => forbidden(&keys),
        ChangeError::Stopping => Problem::stopping(),
        error => Problem::new(StatusCode::CONFLICT, error.to_string()),
    }
}

fn key_mistake(mistake: Mistake) -> KeyMistake {
    KeyMistake {
        key: mistake.key,
        found: mistake.found,
        expected: mistake.expected,
        problem: mistake.problem,
    }
}
