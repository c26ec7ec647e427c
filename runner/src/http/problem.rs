//! What is answered where something is wrong: problem details (RFC 9457).

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Problem {
    /// The kind of the problem, as a URI.
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    /// What is wrong, in a few words.
    pub(super) title: String,
    /// The status of the answer.
    pub(super) status: u16,
    /// What is wrong with this request, and what to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
    /// What is wrong with the keys that were sent, each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub(super) mistakes: Vec<KeyMistake>,
}

/// What is wrong with one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyMistake {
    /// The key.
    pub(super) key: String,
    /// What was found there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) found: Option<String>,
    /// What may stand there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expected: Option<String>,
    /// All of that, as the log has it.
    pub(super) problem: String,
}

impl Problem {
    /// A problem that is told by its status, and by what is wrong.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Problem").into(),
            status: status.as_u16(),
            detail: Some(detail.into()),
            mistakes: Vec::new(),
        }
    }

    /// The server stops, and takes no order.
    pub(super) fn stopping() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the server stops")
    }
}

/// After how many seconds it is worth it to ask again, where there is no room, or nothing to show yet.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("2");

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, ASK_AGAIN);
        }
        response
    }
}

/// There is nothing at this path.
pub(super) async fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing at this path")
}

/// There is something at this path, which is asked in another way.
pub(super) async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this path does not take that method; the header Allow says which ones it takes",
    )
}
