//! The API, `/api/v1`.
//!
//! | module | calls about |
//! | --- | --- |
//! | `config` | the configuration of the server and of a stream |
//! | `events` | what happens |
//! | `live`, `looks` | what a page shows, as it changes |
//! | `pictures` | pictures of streams |
//! | `server` | the server as a whole |
//! | `session` | who has logged in |
//! | `streams` | the streams, and who plays them |

use std::sync::{Arc, LazyLock};

use axum::{Json, Router, http::StatusCode, routing::get};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::{
    App,
    access::Authority,
    call::{self, Call, JSON},
    openapi,
};
use crate::{
    config_file::schema,
    events::Event,
    status::{StreamStatus, ViewerStatus},
};

mod config;
mod events;
mod live;
mod looks;
mod pictures;
mod server;
mod session;
mod streams;

/// What all paths begin with.
pub(super) const PREFIX: &str = "/api/v1";

const MERGE_PATCH: &str = "application/merge-patch+json";
const IF_MATCH: (&str, &str) = (
    "If-Match",
    "the ETag of what was read, where the change is to be of nothing else",
);
const IF_MATCH_NOTHING: (&str, &str) = (
    "If-Match",
    "* passes; the streams as a whole have no ETag, so that nothing else does (412)",
);
/// With which statuses a change may be answered.
const CHANGES: [StatusCode; 2] = [StatusCode::CONFLICT, StatusCode::PRECONDITION_FAILED];
/// With which what is done [apart](super::apart).
const APART: [StatusCode; 1] = [StatusCode::INTERNAL_SERVER_ERROR];
const ETAG: (&str, &str) = ("ETag", "another one as soon as anything of it is");

/// All calls.
pub(super) fn router() -> Router<Arc<App>> {
    call::router(calls())
        .route("/openapi.json", get(describe))
        .route("/live", get(live::open))
}

/// `GET /openapi.json`.
async fn describe() -> Json<Value> {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| openapi::document(PREFIX, &calls()));
    Json(DOCUMENT.clone())
}

fn calls() -> Vec<Call> {
    let all = [
        of_server(),
        of_streams(),
        of_configuration(),
        of_viewers(),
        of_pictures(),
    ];
    all.into_iter().flatten().collect()
}

fn of_server() -> Vec<Call> {
    const OK: StatusCode = StatusCode::OK;
    vec![
        Call::get("/server", server::show, "The server as a whole")
            .takes(Authority::Server)
            .answers::<server::Server>(OK),
        Call::get("/events", events::follow, "What happens, as server-sent events")
            .takes(Authority::Streams)
            .query::<events::EventsQuery>()
            .header(
                "Last-Event-ID",
                "the id of the last event that has come, to go on behind it; an event \"missed\" says how many are gone that came \
                 next: exactly, or at most where its isExact is false",
            )
            .answers_with(OK, "text/event-stream", Some(event_stream))
            .fails_with(&[StatusCode::NOT_FOUND]),
        Call::get("/session", session::show, "Who asks, and what they may do")
            .takes(Authority::Streams)
            .answers::<session::SessionStatus>(OK),
        Call::post("/session", session::begin, "Keeps a log-in in a cookie")
            .takes(Authority::Streams)
            .answers_header("Set-Cookie", "the session, where there is a log-in"),
        Call::delete("/session", session::end, "Ends the session of the cookie").takes(Authority::Streams),
    ]
}

fn of_streams() -> Vec<Call> {
    const OK: StatusCode = StatusCode::OK;
    vec![
        Call::get("/streams", streams::list, "The streams")
            .takes(Authority::Streams)
            .query::<streams::Filter>()
            .answers::<streams::Listed<StreamStatus>>(OK),
        Call::post(
            "/streams",
            config::add,
            "Adds an entry, which may make many streams",
        )
        .query::<config::HowToChange>()
        .header(IF_MATCH_NOTHING.0, IF_MATCH_NOTHING.1)
        .body(JSON, entry)
        .answers::<config::Changed>(StatusCode::CREATED)
        .answers_header("Location", "where the stream is, where it is one")
        .fails_with(&CHANGES)
        .fails_with(&APART),
        Call::get("/streams/{id}", streams::show, "One stream")
            .takes(Authority::Streams)
            .answers::<StreamStatus>(OK),
        Call::delete(
            "/streams/{id}",
            config::remove,
            "Ends a stream, and those that share its picture",
        )
        .query::<config::HowToChange>()
        .header(
            IF_MATCH.0,
            "the ETag of its configuration, where it is to be ended only as it was read",
        )
        .answers::<config::Changed>(OK)
        .fails_with(&CHANGES)
        .fails_with(&APART)
        .fails_with(&[StatusCode::UNPROCESSABLE_ENTITY]),
        Call::post(
            "/streams/{id}/keyframe",
            streams::force_key_frame,
            "Has the next frame be a key frame",
        )
        .answers_nothing(StatusCode::ACCEPTED),
    ]
}

fn of_configuration() -> Vec<Call> {
    const OK: StatusCode = StatusCode::OK;
    let (if_match, because) = IF_MATCH;
    vec![
        Call::get(
            "/streams/{id}/config",
            config::of_stream,
            "The configuration of a stream, as it is in force",
        )
        .takes(Authority::Server)
        .answers_with(OK, JSON, Some(entry))
        .answers_header(ETAG.0, ETAG.1)
        .fails_with(&[StatusCode::CONFLICT])
        .fails_with(&APART),
        Call::patch("/streams/{id}/config", config::patch, "Changes it (RFC 7396)")
            .query::<config::HowToChange>()
            .header(if_match, because)
            .body(MERGE_PATCH, patch)
            .answers::<config::Changed>(OK)
            .fails_with(&CHANGES)
            .fails_with(&APART),
        Call::get(
            "/config",
            config::show,
            "The configuration, as a file would have it",
        )
        .takes(Authority::Server)
        .answers_with(OK, JSON, Some(whole))
        .answers_header(ETAG.0, ETAG.1)
        .fails_with(&APART),
        Call::put("/config", config::put, "Puts another one in its place")
            .query::<config::HowToChange>()
            .header(if_match, because)
            .body(JSON, whole)
            .answers::<config::Changed>(OK)
            .fails_with(&CHANGES)
            .fails_with(&APART),
        Call::post("/reload", config::reload, "Reads the file again")
            .answers::<config::Changed>(OK)
            .fails_with(&[StatusCode::UNPROCESSABLE_ENTITY])
            .fails_with(&APART),
    ]
}

fn of_viewers() -> Vec<Call> {
    const OK: StatusCode = StatusCode::OK;
    vec![
        Call::get("/streams/{id}/viewers", streams::viewers, "Who plays a stream")
            .takes(Authority::Streams)
            .answers::<Vec<ViewerStatus>>(OK),
        Call::get("/viewers", streams::all_viewers, "Who plays what")
            .takes(Authority::Streams)
            .answers::<Vec<streams::ViewerOfStream>>(OK),
        Call::delete(
            "/viewers/{session}",
            streams::kick,
            "Ends the session of a viewer",
        ),
    ]
}

fn of_pictures() -> Vec<Call> {
    const OK: StatusCode = StatusCode::OK;
    let instant = "the instant that the picture shows, in RFC 3339 with µs";
    let snapshot = |call: Call, kind| {
        call.takes(Authority::Streams)
            .query::<pictures::SnapshotQuery>()
            .answers_with(OK, kind, None)
            .answers_header("X-Instant", instant)
    };
    let (jpeg, png) = ("/streams/{id}/snapshot.jpg", "/streams/{id}/snapshot.png");
    vec![
        snapshot(
            Call::get(jpeg, pictures::jpeg, "The next frame as JPEG"),
            "image/jpeg",
        ),
        snapshot(
            Call::get(png, pictures::png, "The next frame as PNG"),
            "image/png",
        ),
        Call::get(
            "/streams/{id}/preview.mjpeg",
            pictures::preview,
            "Frames as JPEG, one after the other",
        )
        .takes(Authority::Streams)
        .query::<pictures::PreviewQuery>()
        .answers_with(OK, "multipart/x-mixed-replace", None),
    ]
}

/// Server-sent events are one text, of which no schema says what it is made of: what stands in it as data is among the components.
fn event_stream(generator: &mut SchemaGenerator) -> Schema {
    let event = generator.subschema_for::<Event>().to_value();
    let missed = generator.subschema_for::<events::Missed>().to_value();
    let name = |schema: &Value| schema["$ref"].as_str().unwrap_or_default().to_owned();
    json_schema!({
        "type": "string",
        "description": format!(
            "the data of an event named \"missed\" is {}, that of each other one {}, whose type is its name; its id goes into \
             Last-Event-ID",
            name(&missed), name(&event)
        ),
    })
}

fn entry(generator: &mut SchemaGenerator) -> Schema {
    named(generator, "StreamConfig", schema::entry)
}

fn patch(generator: &mut SchemaGenerator) -> Schema {
    named(generator, "StreamPatch", schema::patch)
}

fn whole(generator: &mut SchemaGenerator) -> Schema {
    named(generator, "Config", schema::shown)
}

/// A reference to a schema that is made once.
fn named(generator: &mut SchemaGenerator, name: &str, make: fn() -> Schema) -> Schema {
    let schemas = generator.definitions_mut();
    schemas
        .entry(name.to_owned())
        .or_insert_with(|| make().to_value());
    Schema::new_ref(format!("#/components/schemas/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_change_anything_calls_what_changes_nothing() {
        for call in calls() {
            let wanted = match (call.method, call.path) {
                ("get", "/server" | "/config" | "/streams/{id}/config") => Authority::Server,
                ("get", _) | (_, "/session") => Authority::Streams,
                _ => Authority::Changes,
            };
            assert_eq!(call.authority, wanted, "{} {}", call.method, call.path);
        }
    }
}
