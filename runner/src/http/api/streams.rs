//! The streams, and who plays them.

use std::sync::Arc;

use axum::{Extension, Json, extract::State, http::StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    http::{
        App,
        access::Caller,
        extract::{Id, Parameters},
        problem::Problem,
    },
    server::{Roster, Served},
    status::{StreamStatus, ViewerStatus},
    stream_id::StreamId,
};

/// How many items a page has where nobody says.
const USUAL_PAGE: usize = 100;
/// How many items a page may have.
const LARGEST_PAGE: usize = 1000;

/// One page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed<T> {
    /// How many items there are on all pages.
    item_count: usize,
    /// How many pages there are.
    page_count: usize,
    /// The items of this page.
    items: Vec<T>,
}

/// Which streams are asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Filter {
    /// The page, from 0.
    #[serde(default)]
    page: usize,
    /// How many items a page has.
    #[serde(default = "usual_page")]
    #[schemars(range(min = 1, max = LARGEST_PAGE))]
    items_per_page: usize,
    /// A part of the label, in small or capital letters.
    label: Option<String>,
    /// The codec of the picture.
    codec: Option<String>,
    /// Where the stream is in its life.
    state: Option<String>,
}

fn usual_page() -> usize {
    USUAL_PAGE
}

impl Filter {
    /// Whether a stream is among those that are asked for. What takes a status to know is not looked at unless it is asked for.
    fn passes(&self, served: &Served) -> bool {
        let has_label = |label: &String| served.label().to_lowercase().contains(label);
        let has_codec = |codec: &String| served.codec().is_some_and(|known| known.to_string() == *codec);
        let has_state = |state: &String| served.life().name() == state;
        self.label.as_ref().is_none_or(has_label)
            && self.codec.as_ref().is_none_or(has_codec)
            && self.state.as_ref().is_none_or(has_state)
    }

    /// The same, with the label in small letters.
    fn in_small_letters(self) -> Self {
        Self {
            label: self.label.map(|label| label.to_lowercase()),
            ..self
        }
    }
}

/// `GET /streams`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Parameters(filter): Parameters<Filter>,
) -> Result<Json<Listed<StreamStatus>>, Problem> {
    if !(1..=LARGEST_PAGE).contains(&filter.items_per_page) {
        let detail = format!("itemsPerPage is from 1 to {LARGEST_PAGE}");
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    let filter = filter.in_small_letters();
    let roster = app.roster().get();
    let seen = roster.streams().iter().filter(|served| caller.may_see(served));
    let all: Vec<_> = seen.filter(|served| filter.passes(served)).collect();
    let (item_count, size) = (all.len(), filter.items_per_page);
    let shown = all.into_iter().skip(filter.page.saturating_mul(size)).take(size);
    Ok(Json(Listed {
        item_count,
        page_count: item_count.div_ceil(size),
        items: shown.map(|served| status(&roster, &caller, served)).collect(),
    }))
}

/// The status of a stream as the caller may know it: nothing of streams that they may not see.
pub(super) fn status(roster: &Roster, caller: &Caller, served: &Served) -> StreamStatus {
    let mut status = served.status();
    let sees = |id: &StreamId| roster.find(id).is_some_and(|other| caller.may_see(other));
    status.shares_picture_with.retain(sees);
    status
}

/// `GET /streams/{id}`.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Json<StreamStatus>, Problem> {
    let roster = app.roster().get();
    Ok(Json(status(&roster, &caller, find(&roster, &caller, &id)?)))
}

/// `GET /streams/{id}/viewers`.
pub(super) async fn viewers(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Json<Vec<ViewerStatus>>, Problem> {
    let roster = app.roster().get();
    Ok(Json(find(&roster, &caller, &id)?.status().viewers))
}

/// Somebody who plays a stream, and which one.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ViewerOfStream {
    /// The stream.
    stream: StreamId,
    /// The viewer.
    #[serde(flatten)]
    viewer: ViewerStatus,
}

/// `GET /viewers`.
pub(super) async fn all_viewers(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Json<Vec<ViewerOfStream>> {
    let roster = app.roster().get();
    let seen = roster.streams().iter().filter(|served| caller.may_see(served));
    let viewers = seen.flat_map(|served| {
        let of_stream = |viewer| ViewerOfStream {
            stream: served.id().clone(),
            viewer,
        };
        served.status().viewers.into_iter().map(of_stream)
    });
    Json(viewers.collect())
}

/// `DELETE /viewers/{id}`: ends a session, whatever it plays.
pub(super) async fn kick(State(app): State<Arc<App>>, Id(session): Id) -> Result<StatusCode, Problem> {
    let roster = app.roster().get();
    let plays = |served: &&Served| {
        served
            .status()
            .viewers
            .iter()
            .any(|viewer| viewer.viewer.session == session)
    };
    let played: Vec<_> = roster
        .streams()
        .iter()
        .filter(plays)
        .map(|served| served.id().clone())
        .collect();
    if played.is_empty() {
        let detail = format!("there is no viewer {session:?}");
        return Err(Problem::new(StatusCode::NOT_FOUND, detail));
    }
    for id in played {
        // Whoever has left meanwhile is gone as well.
        let _gone = app.orders.kick(id, session.clone()).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /streams/{id}/keyframe`.
pub(super) async fn force_key_frame(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let id = find(&app.roster().get(), &caller, &id)?.id().clone();
    let asked = app.orders.force_key_picture(id).await;
    let asked = asked.ok_or_else(Problem::stopping)?;
    asked.map_err(|unknown| Problem::new(StatusCode::NOT_FOUND, unknown.to_string()))?;
    Ok(StatusCode::ACCEPTED)
}

/// The stream of that id, if the caller may see it. Whoever may not is answered as if there were none.
pub(super) fn find<'a>(roster: &'a Roster, caller: &Caller, id: &str) -> Result<&'a Served, Problem> {
    let all = roster.streams().iter();
    let found = all
        .filter(|served| caller.may_see(served))
        .find(|served| served.id().as_str() == id);
    found.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, format!("there is no stream {id:?}")))
}
