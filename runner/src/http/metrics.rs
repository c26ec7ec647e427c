//! What a monitoring system asks for, `/metrics`: the counts of the server and of each stream, in Prometheus' text format or in
//! OpenMetrics.
//!
//! Nothing is counted here, and no thread that streams knows of it: whoever asks gets what events, streams and connections have
//! counted so far, read once.
//!
//! | module | job |
//! | --- | --- |
//! | `families` | the metrics, one row each |
//! | `snapshot` | all counts at one moment |
//! | `encoding` | how each is written |
//! | `format` | which of the two formats is asked for |
//! | `process` | what the process takes |

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
};

use super::{
    App,
    access::{Authority, Caller},
    problem::Problem,
};

mod encoding;
mod families;
mod format;
mod process;
mod snapshot;

use format::Format;
use snapshot::Snapshot;

/// `GET /metrics`.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<([(HeaderName, &'static str); 2], String), Problem> {
    caller.has(Authority::Server)?;
    let format = Format::asked_for(&headers);
    let text = encoding::encode(Snapshot::take(&app), format)
        .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let headers = [
        (header::CONTENT_TYPE, format.content_type()),
        (header::VARY, "accept"),
    ];
    Ok((headers, text))
}
