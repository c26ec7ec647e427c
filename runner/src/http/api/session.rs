//! The session of a page: who has logged in there.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::{App, access::Caller, problem::Problem, sessions::Holder};

/// Who asks, and what they may do.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionStatus {
    /// The user's name; `None` where nobody has logged in by one.
    user: Option<String>,
    /// Whether they see everything, or only the streams that are theirs.
    sees: Sight,
    /// Whether they may change anything.
    may_change: bool,
}

/// How much somebody sees.
#[derive(Debug, Serialize, JsonSchema)]
enum Sight {
    /// All streams, and what is about the server as a whole.
    #[serde(rename = "everything")]
    Everything,
    /// The streams that are theirs.
    #[serde(rename = "own streams")]
    OwnStreams,
}

/// `GET /session`.
pub(super) async fn show(Extension(caller): Extension<Caller>) -> Json<SessionStatus> {
    let sees_everything = caller.sees_server().is_ok();
    Json(SessionStatus {
        sees: if sees_everything {
            Sight::Everything
        } else {
            Sight::OwnStreams
        },
        may_change: caller.changes().is_ok(),
        user: match caller {
            Caller::User(account) => Some(account.name),
            _ => None,
        },
    })
}

/// `POST /session`.
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<impl IntoResponse, Problem> {
    let holder = match caller {
        Caller::Token => Some(Holder::Token(app.config().token)),
        Caller::User(account) => Some(Holder::User(account)),
        Caller::Anybody { .. } => None,
    };
    let cookie = holder.map(|holder| app.sessions.begin(holder)).transpose();
    let cookie = cookie.map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    let headers: HeaderMap = cookie
        .into_iter()
        .map(|cookie| (header::SET_COOKIE, cookie))
        .collect();
    Ok((StatusCode::NO_CONTENT, headers))
}

/// `DELETE /session`.
pub(super) async fn end(State(app): State<Arc<App>>, headers: HeaderMap) -> impl IntoResponse {
    let cookie = app.sessions.end(&headers);
    (
        StatusCode::NO_CONTENT,
        AppendHeaders([(header::SET_COOKIE, cookie)]),
    )
}
