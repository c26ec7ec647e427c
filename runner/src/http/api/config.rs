//! The configuration of the server and of a stream: what is in force, and changes of it.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::streams::find;
use crate::{
    config::HttpConfig,
    config_file::{self, Document, Keys, Mistake, Origin},
    configuration::{Change, Occasion, Refusal, State as InForce},
    events::Changes,
    http::{
        App,
        access::Caller,
        etag::{self, Tagged},
        extract::{Asked, Named, Object},
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
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Tagged<Value>, Problem> {
    caller.sees_server()?;
    Ok(Tagged(app.configuration.get().await.loaded.document.shown()))
}

/// `PUT /config`.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Asked(how): Asked<HowToChange>,
    headers: HeaderMap,
    Object(keys): Object,
) -> Result<Json<Changed>, Problem> {
    caller.changes()?;
    to_its_end(async move {
        let mut state = app.configuration.get().await;
        etag::check(&headers, || state.loaded.document.shown())?;
        let mut document = Document::new(keys);
        document.keep_secrets_of(&state.loaded.document);
        let changes = apply(&app, &mut state, document, how, "PUT /config".into()).await?;
        Ok(Json(Changed::of_all(changes)))
    })
    .await
}

/// `POST /reload`.
pub(super) async fn reload(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Changed>, Problem> {
    caller.changes()?;
    to_its_end(async move {
        let read = app.configuration.read_again(Occasion::Asked).await;
        let changes = read.map_err(|why| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why))?;
        Ok(Json(Changed::of_all(changes)))
    })
    .await
}

/// `GET /streams/{id}/config`.
pub(super) async fn of_stream(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Result<Tagged<Keys>, Problem> {
    // A pipeline of one's own may have secrets in it.
    caller.sees_server()?;
    let state = app.configuration.get().await;
    let (origin, _) = origin(&app, &state, &caller, &id)?;
    Ok(Tagged(in_force(&app, &state, &origin)))
}

/// `PATCH /streams/{id}/config`.
pub(super) async fn patch(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
    Asked(how): Asked<HowToChange>,
    headers: HeaderMap,
    Object(patch): Object,
) -> Result<Json<Changed>, Problem> {
    caller.changes()?;
    to_its_end(async move {
        let mut state = app.configuration.get().await;
        let (origin, streams) = origin(&app, &state, &caller, &id)?;
        etag::check(&headers, || Value::Object(in_force(&app, &state, &origin)))?;
        overridden(&patch, &state)?;
        let mut document = state.loaded.document.clone();
        document.patch(&origin, &patch);
        let keys: Vec<&str> = patch.keys().map(String::as_str).collect();
        let what = format!("{} of {id}", keys.join(", "));
        let before = in_force(&app, &state, &origin);
        let changes = apply(&app, &mut state, document, how, what).await;
        let changes = changes.map_err(|problem| naming_replacing(problem, &patch, &before))?;
        Ok(Json(Changed { streams, changes }))
    })
    .await
}

/// `POST /streams`.
pub(super) async fn add(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Asked(how): Asked<HowToChange>,
    Object(entry): Object,
) -> Result<(StatusCode, Json<Changed>), Problem> {
    caller.changes()?;
    to_its_end(async move {
        let mut state = app.configuration.get().await;
        overridden(&entry, &state)?;
        let mut document = state.loaded.document.clone();
        document.add(entry);
        let before = ids(&app);
        let changes = apply(&app, &mut state, document, how, "an added entry".into()).await?;
        let streams = ids(&app).into_iter().filter(|id| !before.contains(id)).collect();
        Ok((StatusCode::CREATED, Json(Changed { streams, changes })))
    })
    .await
}

/// `DELETE /streams/{id}`.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
    Asked(how): Asked<HowToChange>,
) -> Result<Json<Changed>, Problem> {
    caller.changes()?;
    to_its_end(async move {
        let mut state = app.configuration.get().await;
        let (origin, streams) = origin(&app, &state, &caller, &id)?;
        let mut document = state.loaded.document.clone();
        document.remove(&origin);
        let changes = apply(&app, &mut state, document, how, format!("the end of {id}")).await?;
        Ok(Json(Changed { streams, changes }))
    })
    .await
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

/// Does a change that has begun to its end, whether the one who asked for it still listens or not.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|_| Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "it has failed")))
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

/// Refuses keys that a variable says.
fn overridden(keys: &Keys, state: &InForce) -> Result<(), Problem> {
    let variables = &state.loaded.variables;
    let said = config_file::keys().filter(|key| keys.contains_key(key.name));
    let said = said.filter_map(|key| Some((key.name, key.variable.filter(|name| variables.contains(name))?)));
    let mistakes: Vec<_> = said
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
    guard(&state.loaded.document, &document, &app.config())?;
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

/// Refuses what is the file's alone, and what names files, where it is not as it was.
fn guard(before: &Document, after: &Document, config: &HttpConfig) -> Result<(), Problem> {
    let was = before.guarded(config.allow_pipelines);
    let is_new = |(key, place, value): &(&'static str, Option<usize>, &Value)| {
        !was.iter()
            .any(|(was, was_at, said)| was == key && said == value && was_at.is_none() == place.is_none())
    };
    let is = after.guarded(config.allow_pipelines);
    let gone = was.iter().filter(|(key, place, _)| {
        place.is_none() && !is.iter().any(|(other, at, _)| other == key && at.is_none())
    });
    let changed = is.iter().filter(|said| is_new(said)).chain(gone);
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

fn problem(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Mistakes(config_file::Error::Mistakes(mistakes)) => {
            let problem = Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "the configuration would have mistakes",
            );
            let mistakes = mistakes.into_iter().map(key_mistake).collect();
            Problem { mistakes, ..problem }
        }
        Refusal::WouldReplace(_) => {
            let detail =
                format!("{refusal}, whose viewers would see its end: ?replace=true says that they may");
            Problem::new(StatusCode::CONFLICT, detail)
        }
        Refusal::Guarded(keys) => forbidden(&keys),
        Refusal::Stopping => Problem::stopping(),
        refusal => Problem::new(StatusCode::CONFLICT, refusal.to_string()),
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
