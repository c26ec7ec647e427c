//! What happens, as server-sent events.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{
        Sse,
        sse::{self, KeepAlive},
    },
};
use futures_util::{Stream, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::streams::find;
use crate::{
    events::{Entry, Event, Gap},
    http::{App, access::Admission, extract::Parameters, feed::Feed, problem::Problem},
};

/// The id of the last event that somebody has got who comes again.
const LAST_EVENT_ID: &str = "last-event-id";

/// Which events are asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    /// The id of the stream that they are to be about, alone or among others.
    stream: Option<String>,
}

/// Events that are not here any more: whoever asks has not kept up, or comes late.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "MissedEvents")]
pub(super) struct Missed {
    /// How many they are, at most.
    missed: u64,
    /// Whether all of them were the caller's to hear.
    is_exact: bool,
}

/// `GET /events`.
pub(super) async fn follow(
    State(app): State<Arc<App>>,
    Extension(admission): Extension<Admission>,
    Parameters(query): Parameters<EventsQuery>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, Problem> {
    if let Some(id) = &query.stream {
        find(&app.roster().get(), admission.caller(), id)?;
    }
    let run = Run::of(&app);
    let after = headers.get(LAST_EVENT_ID).map(|id| {
        let id = id.to_str().ok().and_then(|id| run.number(id));
        id.ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "Last-Event-ID is no id of an event"))
    });
    let feed = Feed::new(&app, admission, (after.transpose()?, query.stream));
    let events = stream::unfold(feed, move |mut feed| async move {
        let sent = match feed.next().await? {
            Entry::Event(event) => run.event(&event),
            Entry::Gap(gap) => run.gap(gap, feed.has_all()),
        };
        Some((Ok(sent), feed))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new()))
}

/// One run of the server, whose events are numbered from 1.
#[derive(Debug, Clone, Copy)]
struct Run(i64);

impl Run {
    fn of(app: &App) -> Self {
        Self(app.roster().get().status().up_since.as_millisecond())
    }

    /// The number of the event of that id; 0 for an event of another run, so that all of this run follow. `None` for what is no
    /// id.
    fn number(self, id: &str) -> Option<u64> {
        let (run, number) = id.split_once('-')?;
        let (run, number) = (run.parse::<i64>().ok()?, number.parse().ok()?);
        Some(if run == self.0 { number } else { 0 })
    }

    fn event(self, event: &Event) -> sse::Event {
        let data = serde_json::to_value(event).unwrap_or_default();
        let name = data["type"].as_str().unwrap_or_default();
        self.sent(event.number, name, &data)
    }

    /// A gap; its id is that of its last event, so that nobody is told of it twice.
    fn gap(self, gap: Gap, is_exact: bool) -> sse::Event {
        let missed = Missed {
            missed: gap.length,
            is_exact,
        };
        let data = serde_json::to_value(missed).unwrap_or_default();
        self.sent(gap.last, "missed", &data)
    }

    fn sent(self, number: u64, name: &str, data: &Value) -> sse::Event {
        sse::Event::default()
            .id(format!("{}-{number}", self.0))
            .event(name)
            .data(data.to_string())
    }
}
