//! What handlers take out of requests; what is wrong with it is answered as a problem.

use std::time::Duration;

use axum::{
    Json,
    body::{Body, HttpBody as _},
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{
    LARGEST_BODY,
    apart::apart,
    problem::{KeyMistake, Problem},
};
use crate::config_file::{self, Keys};

/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// What stands behind the question mark.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::from_request_parts(parts, state).await;
        query
            .map(|Query(parameters)| Self(parameters))
            .map_err(|wrong| Problem::new(StatusCode::BAD_REQUEST, wrong.body_text()))
    }
}

/// The id in the path.
pub(super) struct Id(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(id)| Self(id))
            .map_err(|wrong| Problem::new(wrong.status(), wrong.body_text()))
    }
}

/// A body that is a JSON object.
pub(super) struct Object(pub(super) Keys);

impl<S: Send + Sync> FromRequest<S> for Object {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        if !is_json(&parts.headers) {
            let detail = "the header Content-Type has to say application/json, or another kind of JSON";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        // Whoever sends it without a question hears no answer until they have sent enough.
        if parts.headers.contains_key(header::EXPECT) && body.size_hint().lower() > LARGEST_BODY as u64 {
            return Err(too_large());
        }
        let late = |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the body takes too long to come");
        let bytes = timeout(PATIENCE, read(body)).await.map_err(late)??;
        apart(move || object(&bytes)).await?.map(Self)
    }
}

/// Whether a body is said to be JSON, of whatever kind.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next());
    let kind = kind.unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = kind.strip_prefix("application/");
    subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

/// The object that a body is.
fn object(bytes: &[u8]) -> Result<Keys, Problem> {
    let Json(keys) =
        Json::from_bytes(bytes).map_err(|wrong| Problem::new(wrong.status(), wrong.body_text()))?;
    config_file::repeated_key(bytes).map_or(Ok(keys), |key| Err(twice(key)))
}

/// Nobody can tell which value of a key counts that is there twice.
fn twice(key: String) -> Problem {
    let mistake = KeyMistake {
        problem: "found more than once, expected once".into(),
        key,
        found: None,
        expected: None,
    };
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "a key is there twice");
    Problem {
        mistakes: vec![mistake],
        ..problem
    }
}

/// A whole body, in one piece: of one that comes a byte at a time, each would hold on to the buffer that it came in.
async fn read(body: Body) -> Result<Vec<u8>, Problem> {
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let broken = |error: axum::Error| Problem::new(StatusCode::BAD_REQUEST, error.to_string());
        bytes.extend_from_slice(&chunk.map_err(broken)?);
        if bytes.len() > LARGEST_BODY {
            return Err(too_large());
        }
    }
    Ok(bytes)
}

fn too_large() -> Problem {
    let detail = format!("a body has {LARGEST_BODY} bytes at most");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn json_of_any_kind_is_json() {
        let is_of = |kind: &'static str| {
            let kind = (header::CONTENT_TYPE, HeaderValue::from_static(kind));
            is_json(&HeaderMap::from_iter([kind]))
        };
        for kind in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/merge-patch+json",
        ] {
            assert!(is_of(kind), "{kind}");
        }
        for kind in [
            "",
            "text/plain",
            "application/jsonp",
            "text/json; application/json",
        ] {
            assert!(!is_of(kind), "{kind}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
