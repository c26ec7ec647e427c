//! The configuration of the server and of a stream: what is in force, and changes of it.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, Query, State, rejection::JsonRejection},
    http::StatusCode,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::streams::find;
use crate::{
    config::HttpConfig,
    config_file::{self, Document, Keys, Mistake, Origin},
    configuration::{Refusal, State as InForce},
    events::Changes,
    http::{
        App,
        access::Caller,
        problem::{KeyMistake, Problem},
    },
    stream_id::StreamId,
};

/// What a change of a stream may take.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HowToChange {
    /// Whether streams may be replaced, whose viewers see the end of theirs.
    #[serde(default)]
    replace: bool,
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

/// `GET /config`.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, Problem> {
    caller.sees_server()?;
    Ok(Json(app.configuration.get().await.loaded.document.shown()))
}

/// `PUT /config`.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(how): Query<HowToChange>,
    body: Result<Json<Keys>, JsonRejection>,
) -> Result<Json<Changed>, Problem> {
    caller.changes()?;
    let mut document = Document::new(read(body)?);
    let mut state = app.configuration.get().await;
    document.keep_secrets_of(&state.loaded.document);
    let changes = apply(&app, &mut state, &document, how.replace, "PUT /config".into()).await?;
    Ok(Json(Changed {
        streams: Vec::new(),
        changes,
    }))
}

/// `POST /reload`.
pub(super) async fn reload(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Changed>, Problem> {
    caller.changes()?;
    let read = app.configuration.read_again().await;
    let changes = read.map_err(|why| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why))?;
    Ok(Json(Changed {
        streams: Vec::new(),
        changes,
    }))
}

/// `GET /streams/{id}/config`.
pub(super) async fn of_stream(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Keys>, Problem> {
    // A pipeline of one's own may have secrets in it.
    caller.sees_server()?;
    let state = app.configuration.get().await;
    let (origin, _) = origin(&app, &state, &caller, &id)?;
    let text = state.loaded.document.text();
    Ok(Json(config_file::of_stream(
        &text,
        app.configuration.environment(),
        &origin,
    )))
}

/// `PATCH /streams/{id}/config`.
pub(super) async fn patch(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Query(how): Query<HowToChange>,
    body: Result<Json<Keys>, JsonRejection>,
) -> Result<Json<Changed>, Problem> {
    caller.changes()?;
    let patch = read(body)?;
    let mut state = app.configuration.get().await;
    let (origin, streams) = origin(&app, &state, &caller, &id)?;
    overridden(&patch, &state)?;
    let mut document = state.loaded.document.clone();
    document.patch(&origin, &patch);
    let keys: Vec<&str> = patch.keys().map(String::as_str).collect();
    let what = format!("{} of {id}", keys.join(", "));
    let changes = apply(&app, &mut state, &document, how.replace, what).await?;
    Ok(Json(Changed { streams, changes }))
}

/// `POST /streams`.
pub(super) async fn add(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    body: Result<Json<Keys>, JsonRejection>,
) -> Result<(StatusCode, Json<Changed>), Problem> {
    caller.changes()?;
    let entry = read(body)?;
    let mut state = app.configuration.get().await;
    overridden(&entry, &state)?;
    let mut document = state.loaded.document.clone();
    document.add(entry);
    let before = ids(&app);
    let changes = apply(&app, &mut state, &document, false, "an added entry".into()).await?;
    let streams = ids(&app).into_iter().filter(|id| !before.contains(id)).collect();
    Ok((StatusCode::CREATED, Json(Changed { streams, changes })))
}

/// `DELETE /streams/{id}`.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Changed>, Problem> {
    caller.changes()?;
    let mut state = app.configuration.get().await;
    let (origin, streams) = origin(&app, &state, &caller, &id)?;
    let mut document = state.loaded.document.clone();
    document.remove(&origin);
    let changes = apply(&app, &mut state, &document, false, format!("the end of {id}")).await?;
    Ok(Json(Changed { streams, changes }))
}

fn ids(app: &App) -> Vec<StreamId> {
    app.roster()
        .get()
        .streams()
        .iter()
        .map(|served| served.id().clone())
        .collect()
}

/// Reads a body that is an object.
fn read(body: Result<Json<Keys>, JsonRejection>) -> Result<Keys, Problem> {
    let Json(keys) = body.map_err(|wrong| Problem::new(wrong.status(), wrong.body_text()))?;
    Ok(keys)
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
    document: &Document,
    may_replace: bool,
    what: String,
) -> Result<Changes, Problem> {
    guard(&state.loaded.document, document, &app.config())?;
    let put = app
        .configuration
        .put(state, document, may_replace, ("the API", what))
        .await;
    put.map_err(problem)
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
    let mistakes: Vec<_> = changed
        .map(|(key, _, _)| KeyMistake {
            key: (*key).into(),
            found: None,
            expected: None,
            problem: "no request may say it: the file does".into(),
        })
        .collect();
    if mistakes.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = mistakes.iter().map(|mistake| mistake.key.clone()).collect();
    let problem = Problem::new(
        StatusCode::FORBIDDEN,
        format!("no request may change {}", names.join(", ")),
    );
    Err(Problem { mistakes, ..problem })
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
        Refusal::Stopping => Problem::stopping(),
        refusal => Problem::new(StatusCode::CONFLICT, refusal.to_string()),
    }
}

fn key_mistake(Mistake { place, problem }: Mistake) -> KeyMistake {
    let key = place
        .rsplit([':', '.'])
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    KeyMistake {
        key,
        found: None,
        expected: None,
        problem,
    }
}
