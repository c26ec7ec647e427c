//! Pictures of streams: one alone, or several a second.

use std::{convert::Infallible, num::NonZero, sync::Arc};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::streams::find;
use crate::{
    http::{
        App, INSTANT,
        access::{Admission, Caller},
        extract::{Id, Parameters},
        problem::Problem,
    },
    server::{Format, NoStill, Onlooker, Still, Wanted, Width},
};

/// What stands between the pictures of a preview.
const BOUNDARY: &str = "picture";
/// How many pictures a second a preview has where nobody says.
pub(super) const USUAL_RATE: u32 = 5;
/// How many it may have.
pub(super) const HIGHEST_RATE: u32 = 25;
/// How wide a preview is at most where nobody says, in px.
const USUAL_WIDTH: u32 = 640;

/// Which snapshot is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SnapshotQuery {
    /// The width in px, from 16 to the picture's own, which it is where nobody says.
    #[schemars(range(min = 16))]
    width: Option<u32>,
}

/// Which preview is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PreviewQuery {
    /// How many pictures a second, from 1 to 25.
    #[serde(default = "usual_rate")]
    #[schemars(range(min = 1, max = HIGHEST_RATE))]
    fps: u32,
    /// The width in px, from 16 to the picture's own, rounded up to a multiple of 16. Where nobody says, it is the picture's
    /// own, or 640 where that is less.
    #[schemars(range(min = 16))]
    width: Option<u32>,
}

fn usual_rate() -> u32 {
    USUAL_RATE
}

impl From<NoStill> for Problem {
    fn from(why: NoStill) -> Self {
        let status = match why {
            NoStill::WrongWidth(_) => StatusCode::BAD_REQUEST,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, why.to_string())
    }
}

/// `GET /streams/{id}/snapshot.jpg`.
pub(super) async fn jpeg(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    Parameters(query): Parameters<SnapshotQuery>,
) -> Result<Response, Problem> {
    snapshot(&app, &caller, &id, &query, Format::Jpeg).await
}

/// `GET /streams/{id}/snapshot.png`.
pub(super) async fn png(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    Parameters(query): Parameters<SnapshotQuery>,
) -> Result<Response, Problem> {
    snapshot(&app, &caller, &id, &query, Format::Png).await
}

async fn snapshot(
    app: &App,
    caller: &Caller,
    id: &str,
    query: &SnapshotQuery,
    format: Format,
) -> Result<Response, Problem> {
    let wanted = Wanted {
        format,
        width: query.width.map_or(Width::Own, Width::Exactly),
        frames_per_second: None,
    };
    let still = look(app, caller, id, wanted)?.next().await?;
    let mut response = Body::from(still.data.clone()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(format)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let instant = still
        .instant
        .and_then(|instant| HeaderValue::try_from(shown(instant)).ok());
    if let Some(instant) = instant {
        headers.insert(INSTANT, instant);
    }
    Ok(response)
}

/// `GET /streams/{id}/preview.mjpeg`.
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(admission): Extension<Admission>,
    Id(id): Id,
    Parameters(query): Parameters<PreviewQuery>,
) -> Result<Response, Problem> {
    let rate = NonZero::new(query.fps).filter(|rate| rate.get() <= HIGHEST_RATE);
    let rate = rate.ok_or_else(|| {
        let detail = format!("fps is from 1 to {HIGHEST_RATE}");
        Problem::new(StatusCode::BAD_REQUEST, detail)
    })?;
    let wanted = Wanted {
        format: Format::Jpeg,
        width: query.width.map_or(Width::UpTo(USUAL_WIDTH), Width::Exactly),
        frames_per_second: Some(rate),
    };
    let mut onlooker = look(&app, &caller, &id, wanted)?;
    // Until then something may go wrong that has a status of its own.
    let first = onlooker.next().await?;
    let kind = format!("multipart/x-mixed-replace; boundary={BOUNDARY}");
    let headers = [
        (header::CONTENT_TYPE, kind.as_str()),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, parts(app, admission, onlooker, &first)).into_response())
}

fn look(app: &App, caller: &Caller, id: &str, wanted: Wanted) -> Result<Onlooker, Problem> {
    let roster = app.roster().get();
    Ok(find(&roster, caller, id)?.look(wanted)?)
}

/// A picture after the other, for as long as they come and may be seen. Whoever is slow gets the newest one.
fn parts(app: Arc<App>, admission: Admission, onlooker: Onlooker, first: &Still) -> Body {
    // A browser shows a picture once it has seen the boundary behind it.
    let begin = [Bytes::from(format!("--{BOUNDARY}\r\n")), part(first)];
    let begin = stream::iter(begin.map(Ok::<_, Infallible>));
    let more = stream::unfold(Some((onlooker, admission, app)), |looking| async move {
        let (mut onlooker, mut admission, app) = looking?;
        let next = admission.in_session(onlooker.next()).await.and_then(Result::ok);
        Some(match next.filter(|_| admission.holds(&app)) {
            Some(still) => (Ok(part(&still)), Some((onlooker, admission, app))),
            None => (Ok(Bytes::from(format!("--{BOUNDARY}--\r\n"))), None),
        })
    });
    Body::from_stream(begin.chain(more))
}

/// A picture with its headers, and the boundary behind it.
fn part(still: &Still) -> Bytes {
    let (kind, length) = (media_type(Format::Jpeg), still.data.len());
    let instant = still
        .instant
        .map(|instant| format!("X-Instant: {}\r\n", shown(instant)));
    let instant = instant.unwrap_or_default();
    let head = format!("Content-Type: {kind}\r\nContent-Length: {length}\r\n{instant}\r\n");
    let end = format!("\r\n--{BOUNDARY}\r\n");
    [head.as_bytes(), &still.data, end.as_bytes()].concat().into()
}

fn media_type(format: Format) -> &'static str {
    match format {
        Format::Jpeg => "image/jpeg",
        Format::Png => "image/png",
    }
}

/// An instant in µs, as the stamp in a picture has it.
fn shown(instant: Timestamp) -> String {
    let instant = Timestamp::from_microsecond(instant.as_microsecond()).unwrap_or(instant);
    format!("{instant:.6}")
}
