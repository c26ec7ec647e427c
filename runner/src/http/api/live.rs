//! What a page shows, as it changes: one WebSocket carries events, and the status of the streams that are on the screen.
//!
//! The page says what it watches: `{"watch": {"streams": ["live"], "pictures": ["live"], "width": 320, "fps": 5}}`. It is told
//! `{"event": …}`, `{"missed": 3}`, `{"statuses": […]}` once a second, and `{"gone": ["live"]}` of a stream that is no more. A
//! binary message is a picture: the length of the stream's id (16 bits, the high ones first), the id, the instant in µs since
//! the Unix epoch (64 bits), and a JPEG.

use std::{collections::HashSet, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    response::Response,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::{
    looks::{Looks, Watched},
    streams::{find, status},
};
use crate::{
    events::{Event, Followed},
    http::{App, access::Caller, heard::Heard, limit::Place},
    server::Still,
    status::StreamStatus,
};

/// How often statuses are told.
const STATUS_INTERVAL: Duration = Duration::from_secs(1);
/// How long a page may take for what it is sent.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a message of a page may be, in bytes.
const LONGEST_MESSAGE: usize = 64 * 1024;

/// `GET /live`.
pub(super) async fn open(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(place): Extension<Place>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let upgrade = upgrade
        .max_message_size(LONGEST_MESSAGE)
        .max_frame_size(LONGEST_MESSAGE);
    upgrade.on_upgrade(move |socket| async move {
        Live::new(app, caller, socket).run().await;
        // The server of HTTP has let go of the connection long ago.
        drop(place);
    })
}

/// What a page says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Said {
    /// What it watches from now on.
    Watch(Watched),
}

/// What a page is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum Told<'a> {
    /// Something has happened.
    Event(&'a Event),
    /// Events that it has missed.
    Missed(u64),
    /// The streams that it watches, as they are.
    Statuses(Vec<StreamStatus>),
    /// Streams that it watches, and that are no more.
    Gone(Vec<String>),
}

/// The page has gone, or does not read.
struct Gone;

/// One page.
struct Live {
    app: Arc<App>,
    caller: Caller,
    socket: WebSocket,
    heard: Heard,
    watched: Watched,
    looks: Looks,
    ticks: Interval,
}

impl Live {
    fn new(app: Arc<App>, caller: Caller, socket: WebSocket) -> Self {
        let mut ticks = interval(STATUS_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            heard: Heard::new(&app, &caller, (None, None)),
            app,
            caller,
            socket,
            watched: Watched::default(),
            looks: Looks::default(),
            ticks,
        }
    }

    /// Tells the page what there is to tell, until it goes.
    async fn run(mut self) {
        while self.step().await.is_ok() {}
    }

    async fn step(&mut self) -> Result<(), Gone> {
        tokio::select! {
            message = self.socket.recv() => match message {
                Some(Ok(Message::Text(text))) => self.hear(&text).await,
                Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Gone),
                Some(Ok(_)) => Ok(()),
            },
            followed = self.heard.next() => match followed {
                Some(Followed::Event(event)) => self.tell(&Told::Event(&event)).await,
                Some(Followed::Missed(missed)) => self.tell(&Told::Missed(missed)).await,
                None => Err(Gone),
            },
            (id, still) = self.looks.next() => self.show(&id, &still).await,
            _ = self.ticks.tick() => {
                self.look();
                self.tell_statuses().await
            }
        }
    }

    /// Does what the page says. One that says something else is no page of ours.
    async fn hear(&mut self, text: &str) -> Result<(), Gone> {
        let Said::Watch(watched) = serde_json::from_str(text).map_err(|_| Gone)?;
        self.looks.keep(&watched);
        self.watched = watched;
        self.look();
        self.tell_statuses().await
    }

    /// Looks at the streams whose picture the page shows, as far as there are pictures of them.
    fn look(&mut self) {
        let roster = self.app.roster().get();
        for id in self.looks.missing(&self.watched) {
            if let Ok(served) = find(&roster, &self.caller, &id) {
                self.looks.begin(id, served, &self.watched);
            }
        }
    }

    async fn show(&mut self, id: &str, still: &Still) -> Result<(), Gone> {
        let length = u16::try_from(id.len()).map_err(|_| Gone)?;
        let instant = still.instant.map_or(0, Timestamp::as_microsecond);
        let head = [&length.to_be_bytes(), id.as_bytes(), &instant.to_be_bytes()].concat();
        let picture = [&head, &still.data[..]].concat();
        self.send(Message::Binary(picture.into())).await
    }

    async fn tell_statuses(&mut self) -> Result<(), Gone> {
        if self.watched.streams.is_empty() {
            return Ok(());
        }
        let (statuses, gone) = self.statuses();
        if !gone.is_empty() {
            self.watched.streams.retain(|id| !gone.contains(id));
            self.tell(&Told::Gone(gone)).await?;
        }
        self.tell(&Told::Statuses(statuses)).await
    }

    /// The statuses of the streams that are watched, and the ids of those that are not there.
    fn statuses(&self) -> (Vec<StreamStatus>, Vec<String>) {
        let roster = self.app.roster().get();
        let served = roster.streams().iter();
        let seen = served.filter(|served| self.caller.may_see(served));
        let watched: Vec<_> = seen
            .filter(|served| self.watched.streams.contains(served.id().as_str()))
            .collect();
        let there: HashSet<_> = watched.iter().map(|served| served.id().as_str()).collect();
        let is_there = |id: &&String| there.contains(id.as_str());
        let gone = self.watched.streams.iter().filter(|id| !is_there(id));
        (
            watched
                .iter()
                .map(|served| status(&roster, &self.caller, served))
                .collect(),
            gone.cloned().collect(),
        )
    }

    async fn tell(&mut self, told: &Told<'_>) -> Result<(), Gone> {
        let text = serde_json::to_string(told).map_err(|_| Gone)?;
        self.send(Message::Text(text.into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Gone> {
        match timeout(PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone),
        }
    }
}
