//! What handlers take out of requests; what is wrong with it is answered as a problem.

use std::time::Duration;

use axum::{
    Json,
    body::Body,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{StatusCode, request::Parts},
};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{
    LARGEST_BODY,
    problem::{KeyMistake, Problem},
};
use crate::config_file::{self, Keys};

/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// What stands behind the question mark.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::from_request_parts(parts, state).await;
        query
            .map(|Query(asked)| Self(asked))
            .map_err(|wrong| Problem::new(StatusCode::BAD_REQUEST, wrong.body_text()))
    }
}

/// The name in the path.
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(name)| Self(name))
            .map_err(|wrong| Problem::new(wrong.status(), wrong.body_text()))
    }
}

/// A body that is a JSON object.
pub(super) struct Object(pub(super) Keys);

impl<S: Send + Sync> FromRequest<S> for Object {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let late = |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the body takes too long to come");
        let bytes = timeout(PATIENCE, read(body)).await.map_err(late)??;
        let repeated = config_file::repeated_key(&bytes);
        let body = Json::from_request(Request::from_parts(parts, bytes.into()), state).await;
        let body = body.map_err(|wrong| Problem::new(wrong.status(), wrong.body_text()));
        let Json(keys) = body?;
        repeated.map_or(Ok(Self(keys)), |key| Err(twice(key)))
    }
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
            let detail = format!("a body has {LARGEST_BODY} bytes at most");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
    }
    Ok(bytes)
}
