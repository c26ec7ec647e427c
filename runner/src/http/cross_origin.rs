//! What browsers are told of pages of other origins: those of `http.allowedOrigins` may ask and read (CORS).

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{App, INSTANT};

/// How long a browser need not ask again.
const MAX_AGE: Duration = Duration::from_mins(10);

/// Answers as the configuration has it at the moment.
pub(super) fn layer(app: &Arc<App>) -> CorsLayer {
    let app = Arc::clone(app);
    let is_allowed = move |origin: &HeaderValue, _: &_| {
        let origin = origin.to_str().map(str::to_ascii_lowercase);
        origin.is_ok_and(|origin| app.config().allowed_origins.contains(&origin))
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_allowed))
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([header::ETAG, header::LOCATION, INSTANT])
        .max_age(MAX_AGE)
}
