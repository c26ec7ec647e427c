//! The page: what `runner/page` is built to, in the program itself.

use std::sync::Arc;

use axum::{
    Router,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
    routing::get,
};
use headers::{HeaderMapExt as _, IfNoneMatch};
use tower_http::set_header::SetResponseHeaderLayer;

use super::{App, etag};

/// A file of the page.
#[derive(Debug, Clone, Copy)]
struct Asset {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

/// A row for each file.
macro_rules! assets {
    ($($path:literal, $file:literal, $kind:literal;)*) => {
        [$(Asset { path: $path, kind: $kind, bytes: include_bytes!(concat!("../../page/dist/", $file)) }),*]
    };
}

const ASSETS: [Asset; 4] = assets! {
    "/", "index.html", "text/html; charset=utf-8";
    "/page.js", "page.js", "text/javascript; charset=utf-8";
    "/page.css", "page.css", "text/css; charset=utf-8";
    "/icon.svg", "icon.svg", "image/svg+xml";
};

/// Nothing comes from anywhere else, and nothing that stands in the page itself runs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What the answers with the page's files say beside them.
const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    // It may be another one after an update.
    (CACHE_CONTROL, "no-cache"),
];

/// Answers with the page.
pub(super) fn router() -> Router<Arc<App>> {
    let files = ASSETS.into_iter().fold(Router::new(), |router, asset| {
        router.route(
            asset.path,
            get(move |headers: HeaderMap| async move { asset.answer(&headers) }),
        )
    });
    HEADERS.into_iter().fold(files, |router, (name, value)| {
        let value = HeaderValue::from_static(value);
        router.layer(SetResponseHeaderLayer::if_not_present(name, value))
    })
}

impl Asset {
    /// The file, unless the browser has it.
    fn answer(self, headers: &HeaderMap) -> Response {
        let tag = etag::of(self.bytes);
        let known = headers.typed_get::<IfNoneMatch>();
        let is_known = |tag| known.is_some_and(|known| !known.precondition_passes(tag));
        let mut response = if tag.as_ref().is_some_and(is_known) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let kind = HeaderValue::from_static(self.kind);
            ([(CONTENT_TYPE, kind)], self.bytes).into_response()
        };
        if let Some(tag) = tag {
            response.headers_mut().typed_insert(tag);
        }
        response
    }
}
