//! Whether what somebody changes is still what they have seen (RFC 9110, section 13).

use axum::{
    Json,
    http::{HeaderMap, StatusCode, header::IF_MATCH},
    response::{IntoResponse, Response},
};
use headers::{ETag, HeaderMapExt as _, IfMatch};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::problem::Problem;

/// JSON with a tag that is another one as soon as anything in it is.
pub(super) struct Tagged<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let tag = serde_json::to_value(&self.0).ok().and_then(|value| tag(&value));
        let mut response = Json(self.0).into_response();
        if let Some(tag) = tag {
            response.headers_mut().typed_insert(tag);
        }
        response
    }
}

/// Refuses a change of what somebody has seen another way: it is `now` as it is.
pub(super) fn check(headers: &HeaderMap, now: impl FnOnce() -> Value) -> Result<(), Problem> {
    let Some(header) = headers.get(IF_MATCH) else {
        return Ok(());
    };
    let wanted = headers.typed_get::<IfMatch>().filter(|_| !header.is_empty());
    let wanted = wanted.ok_or_else(|| {
        let detail = "the header If-Match is neither * nor a list of tags in quotation marks";
        Problem::new(StatusCode::BAD_REQUEST, detail)
    })?;
    if tag(&now()).is_some_and(|tag| wanted.precondition_passes(&tag)) {
        return Ok(());
    }
    let detail = "it has been changed since: read it again, and decide anew";
    Err(Problem::new(StatusCode::PRECONDITION_FAILED, detail))
}

fn tag(value: &Value) -> Option<ETag> {
    of(value.to_string().as_bytes())
}

/// The tag of what these bytes are.
pub(super) fn of(bytes: &[u8]) -> Option<ETag> {
    let digest = Sha256::digest(bytes);
    let digits = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
    format!("\"{}\"", digits.collect::<String>()).parse().ok()
}
