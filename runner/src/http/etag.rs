//! Whether what somebody changes is still what they have seen (RFC 9110, section 13).

use axum::{
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CONTENT_TYPE, IF_MATCH},
    },
    response::{IntoResponse, Response},
};
use headers::{ETag, HeaderMapExt as _, IfMatch};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::problem::Problem;

/// JSON with a tag that is another one as soon as anything in it is.
pub(super) struct Tagged {
    text: String,
    tag: Option<ETag>,
}

impl Tagged {
    /// `value` as it is sent.
    pub(super) fn new(value: &Value) -> Self {
        let text = value.to_string();
        let tag = of(text.as_bytes());
        Self { text, tag }
    }
}

impl IntoResponse for Tagged {
    fn into_response(self) -> Response {
        let kind = HeaderValue::from_static("application/json");
        let mut response = ([(CONTENT_TYPE, kind)], self.text).into_response();
        if let Some(tag) = self.tag {
            response.headers_mut().typed_insert(tag);
        }
        response
    }
}

/// Refuses a change of what somebody has seen another way: it is `now` as it is.
pub(super) fn check(headers: &HeaderMap, now: impl FnOnce() -> Value) -> Result<(), Problem> {
    let Some(wanted) = wanted(headers)? else {
        return Ok(());
    };
    let tag = of(now().to_string().as_bytes());
    if tag.is_some_and(|tag| wanted.precondition_passes(&tag)) {
        return Ok(());
    }
    let detail = "it has been changed since: read it again, and decide anew";
    Err(Problem::new(StatusCode::PRECONDITION_FAILED, detail))
}

/// Refuses whoever means to have seen the tag of what has none.
pub(super) fn check_untagged(headers: &HeaderMap) -> Result<(), Problem> {
    if wanted(headers)?.is_none_or(|wanted| wanted.is_any()) {
        return Ok(());
    }
    let detail = "what is asked here has no ETag: no If-Match is true of it but *";
    Err(Problem::new(StatusCode::PRECONDITION_FAILED, detail))
}

/// What somebody has seen of what they change; `None` where they do not say so.
fn wanted(headers: &HeaderMap) -> Result<Option<IfMatch>, Problem> {
    let Some(header) = headers.get(IF_MATCH) else {
        return Ok(None);
    };
    let wanted = headers.typed_get::<IfMatch>().filter(|_| !header.is_empty());
    wanted.map(Some).ok_or_else(|| {
        let detail = "the header If-Match is neither * nor a list of tags in quotation marks";
        Problem::new(StatusCode::BAD_REQUEST, detail)
    })
}

/// The tag of what these bytes are.
pub(super) fn of(bytes: &[u8]) -> Option<ETag> {
    let digest = Sha256::digest(bytes);
    let digits = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
    format!("\"{}\"", digits.collect::<String>()).parse().ok()
}
