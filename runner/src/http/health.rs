//! Whether the server lives, and whether it is ready. Whoever asks needs no log-in and learns nothing else.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};

use super::App;

/// The server answers.
pub(super) async fn healthz() -> &'static str {
    "OK\n"
}

/// The streams that are always on run.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    if app.roster().get().is_ready() {
        (StatusCode::OK, "OK\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}
