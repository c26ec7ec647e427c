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
    looks::{Looks, Watch},
    streams::{find, status},
};
use crate::{
    events::{Entry, Event},
    http::{
        App,
        access::{Admission, Caller},
        feed::Feed,
        limit::Place,
    },
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
    Extension(admission): Extension<Admission>,
    Extension(place): Extension<Place>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let upgrade = upgrade
        .max_message_size(LONGEST_MESSAGE)
        .max_frame_size(LONGEST_MESSAGE);
    upgrade.on_upgrade(move |socket| async move {
        Live::new(app, admission, socket).run().await;
        // The server of HTTP has let go of the connection long ago.
        drop(place);
    })
}

/// What a page says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Request {
    /// What it watches from now on.
    Watch(Watch),
}

/// What a page is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum News<'a> {
    /// Something has happened.
    Event(&'a Event),
    /// So many events that it has missed, at most.
    Missed(u64),
    /// The streams that it watches, as they are.
    Statuses(Vec<StreamStatus>),
    /// Streams that it watches, and that are no more.
    Gone(Vec<String>),
}

/// The page has gone, or does not read.
struct Closed;

/// One page.
struct Live {
    app: Arc<App>,
    caller: Caller,
    socket: WebSocket,
    feed: Feed,
    watch: Watch,
    looks: Looks,
    ticks: Interval,
}

impl Live {
    fn new(app: Arc<App>, admission: Admission, socket: WebSocket) -> Self {
        let mut ticks = interval(STATUS_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            caller: admission.caller().clone(),
            feed: Feed::new(&app, admission, (None, None)),
            app,
            socket,
            watch: Watch::default(),
            looks: Looks::default(),
            ticks,
        }
    }

    /// Tells the page what there is to tell, until it goes.
    async fn run(mut self) {
        while self.step().await.is_ok() {}
    }

    async fn step(&mut self) -> Result<(), Closed> {
        tokio::select! {
            message = self.socket.recv() => match message {
                Some(Ok(Message::Text(text))) => self.hear(&text).await,
                Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Closed),
                Some(Ok(_)) => Ok(()),
            },
            entry = self.feed.next() => match entry {
                Some(Entry::Event(event)) => self.tell(&News::Event(&event)).await,
                Some(Entry::Gap(gap)) => self.tell(&News::Missed(gap.length)).await,
                None => Err(Closed),
            },
            (id, still) = self.looks.next() => self.show(&id, &still).await,
            _ = self.ticks.tick() => {
                self.look();
                self.tell_statuses().await
            }
        }
    }

    /// Does what the page says. One that says something else is no page of ours.
    async fn hear(&mut self, text: &str) -> Result<(), Closed> {
        let Request::Watch(watch) = serde_json::from_str(text).map_err(|_| Closed)?;
        self.looks.keep(&watch);
        self.watch = watch;
        self.look();
        self.tell_statuses().await
    }

    /// Looks at the streams whose picture the page shows, as far as there are pictures of them.
    fn look(&mut self) {
        let roster = self.app.roster().get();
        for id in self.looks.missing(&self.watch) {
            if let Ok(served) = find(&roster, &self.caller, &id) {
                self.looks.begin(id, served, &self.watch);
            }
        }
    }

    async fn show(&mut self, id: &str, still: &Still) -> Result<(), Closed> {
        let length = u16::try_from(id.len()).map_err(|_| Closed)?;
        let instant = still.instant.map_or(0, Timestamp::as_microsecond);
        let head = [&length.to_be_bytes(), id.as_bytes(), &instant.to_be_bytes()].concat();
        let picture = [&head, &still.data[..]].concat();
        self.send(Message::Binary(picture.into())).await
    }

    async fn tell_statuses(&mut self) -> Result<(), Closed> {
        if self.watch.streams.is_empty() {
            return Ok(());
        }
        let (statuses, gone) = self.statuses();
        if !gone.is_empty() {
            self.watch.streams.retain(|id| !gone.contains(id));
            self.tell(&News::Gone(gone)).await?;
        }
        self.tell(&News::Statuses(statuses)).await
    }

    /// The statuses of the streams that are watched, and the ids of those that are not there.
    fn statuses(&self) -> (Vec<StreamStatus>, Vec<String>) {
        let roster = self.app.roster().get();
        let served = roster.streams().iter();
        let seen = served.filter(|served| self.caller.may_see(served));
        let watched: Vec<_> = seen
            .filter(|served| self.watch.streams.contains(served.id().as_str()))
            .collect();
        let there: HashSet<_> = watched.iter().map(|served| served.id().as_str()).collect();
        let is_there = |id: &&String| there.contains(id.as_str());
        let gone = self.watch.streams.iter().filter(|id| !is_there(id));
        (
            watched
                .iter()
                .map(|served| status(&roster, &self.caller, served))
                .collect(),
            gone.cloned().collect(),
        )
    }

    async fn tell(&mut self, news: &News<'_>) -> Result<(), Closed> {
        let text = serde_json::to_string(news).map_err(|_| Closed)?;
        self.send(Message::Text(text.into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Closed> {
        match timeout(PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Closed),
        }
    }
}
