//! The server as a whole.

use std::sync::Arc;

use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Serialize;

use super::pictures;
use crate::{
    http::{App, limit::MOST_CONNECTIONS},
    server::{MOST_PICTURES, MOST_PICTURES_OF_A_STREAM},
    status::{HttpStatus, Listening, PictureLimits, ServerStatus},
};

/// The server as a whole, and how it is asked.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ServerStatus")]
pub(super) struct Server {
    /// The server.
    #[serde(flatten)]
    status: ServerStatus,
    /// How it is seen and steered by HTTP.
    http: HttpStatus,
    /// How many pictures are made for those who look at streams without playing them.
    pictures: PictureLimits,
}

/// `GET /server`.
pub(super) async fn show(State(app): State<Arc<App>>) -> Json<Server> {
    Json(Server {
        status: app.roster().get().status(),
        http: HttpStatus {
            listens_at: Listening {
                address: app.address,
                tls: app.tls,
            },
            connections: app.connections.served(),
            max_connections: MOST_CONNECTIONS,
        },
        pictures: PictureLimits {
            max: MOST_PICTURES,
            max_of_stream: MOST_PICTURES_OF_A_STREAM,
            max_frames_per_second: pictures::HIGHEST_RATE,
        },
    })
}
