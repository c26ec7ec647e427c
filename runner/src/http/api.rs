//! The API, `/api/v1`.
//!
//! | module | calls about |
//! | --- | --- |
//! | `config` | the configuration of the server and of a stream |
//! | `server` | the server as a whole |
//! | `streams` | the streams, and who plays them |

use std::sync::Arc;

use axum::{
    Router,
    routing::{delete, get, post},
};

use super::App;

mod config;
mod server;
mod streams;

/// All calls.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/server", get(server::show))
        .route("/config", get(config::show).put(config::put))
        .route("/reload", post(config::reload))
        .route("/streams", get(streams::list).post(config::add))
        .route("/streams/{id}", get(streams::show).delete(config::remove))
        .route(
            "/streams/{id}/config",
            get(config::of_stream).patch(config::patch),
        )
        .route("/streams/{id}/keyframe", post(streams::force_key_frame))
        .route("/streams/{id}/viewers", get(streams::viewers))
        .route("/viewers", get(streams::all_viewers))
        .route("/viewers/{id}", delete(streams::kick))
}
