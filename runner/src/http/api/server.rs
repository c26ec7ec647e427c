//! The server as a whole.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};

use crate::{
    http::{App, access::Caller, problem::Problem},
    status::ServerStatus,
};

/// `GET /server`.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<ServerStatus>, Problem> {
    caller.sees_server()?;
    Ok(Json(app.roster().get().status()))
}
