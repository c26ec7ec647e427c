//! What the server is asked to do while it runs: one order after the other, on the thread that owns it, each with an answer.

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    task::{Context, Poll},
    thread,
};

use futures_channel::oneshot;
use futures_executor::block_on;

use super::{CurrentRoster, Server, StartError, connections::intake::Intakes};
use crate::{
    accounts::logins::CurrentLogins,
    config::{Config, Mount, StreamConfig},
    events::{Changes, Events, Farewell, Viewer},
    status::ServerCounts,
    stream_id::StreamId,
};

/// The way to ask a running server for something. The server stops when nobody has this any more.
#[derive(Debug, Clone)]
pub struct Orders {
    queue: mpsc::Sender<Order>,
    roster: Arc<CurrentRoster>,
    events: Arc<Events>,
    logins: Arc<CurrentLogins>,
    intakes: Arc<Intakes>,
    /// How many orders have been given.
    count: Arc<AtomicU64>,
}

/// What the server's thread is told to do.
enum Order {
    Act(Box<dyn FnOnce(&mut Server) + Send>),
    Stop(oneshot::Sender<()>),
}

/// An answer that comes once the order is done; it is `None` from a server that has stopped.
#[derive(Debug)]
#[must_use = "an order may be refused"]
pub struct Answer<T>(oneshot::Receiver<T>);

impl<T> Answer<T> {
    /// Waits for the answer.
    #[must_use]
    pub fn wait(self) -> Option<T> {
        block_on(self)
    }
}

impl<T> Future for Answer<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.0).poll(context).map(Result::ok)
    }
}

/// Why a stream or a viewer cannot be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// No stream has this id.
    #[error("there is no stream {0}")]
    Stream(StreamId),
    /// Nobody plays the stream in the session of that id.
    #[error("the stream {0} has no viewer {1}")]
    Viewer(StreamId, String),
}

/// Why a stream has not been changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// There is no such stream.
    #[error(transparent)]
    Unknown(#[from] Unknown),
    /// It is the last stream.
    #[error("the stream {0} is the last one: a server has one at least")]
    Last(StreamId),
    /// The stream cannot be served as it should be.
    #[error(transparent)]
    Impossible(#[from] StartError),
}

/// Why another configuration has not been taken over by a server that may end no stream for it.
#[derive(Debug, thiserror::Error)]
pub enum Gentle {
    /// These streams would be replaced, moved or gone, by their names.
    #[error("{} would end", .0.join(", "))]
    WouldEnd(Vec<String>),
    /// It cannot be served as it should be.
    #[error(transparent)]
    Impossible(#[from] StartError),
}

/// What an order has changed.
#[derive(Debug)]
pub struct Done {
    /// All streams that the order concerns: more than one where they share a picture.
    pub streams: Vec<StreamId>,
    /// How many streams and which keys have changed.
    pub changes: Changes,
}

impl Orders {
    /// Gives `server` a thread of its own, on which it carries out orders.
    ///
    /// # Errors
    /// When the system does not give another thread.
    pub fn start(server: Server) -> io::Result<Self> {
        let (queue, orders) = mpsc::channel();
        let given = Self {
            queue,
            roster: Arc::clone(server.roster()),
            events: Arc::clone(server.events()),
            logins: Arc::clone(&server.shared.commons.logins),
            intakes: Arc::clone(&server.shared.intakes),
            count: Arc::default(),
        };
        thread::Builder::new()
            .name("orders".into())
            .spawn(move || obey(server, &orders))?;
        Ok(given)
    }

    /// The streams that are served, now and later.
    #[must_use]
    pub fn roster(&self) -> &Arc<CurrentRoster> {
        &self.roster
    }

    /// The events of what happens to the server.
    #[must_use]
    pub fn events(&self) -> &Arc<Events> {
        &self.events
    }

    /// Who may log in.
    pub(crate) fn logins(&self) -> &Arc<CurrentLogins> {
        &self.logins
    }

    /// The counts of the server as a whole.
    pub(crate) fn counts(&self) -> ServerCounts {
        let connections = self.intakes.connections();
        ServerCounts {
            connections: connections.open(),
            accepted_connections: connections.accepted(),
            orders: self.count.load(Ordering::Relaxed),
        }
    }

    /// Asks it to serve what `config` describes, which comes from `source`.
    pub fn reload(&self, config: Config, source: String) -> Answer<Result<Changes, StartError>> {
        self.give(move |server| server.reload(&config, &source))
    }

    /// Does as [`reload`](Self::reload), unless a stream that is served now would be replaced by another one for it, or would
    /// be found no longer where it is. What is at one of the places `removed` is meant to go.
    pub fn reload_gently(
        &self,
        config: Config,
        source: String,
        removed: Vec<Mount>,
    ) -> Answer<Result<Changes, Gentle>> {
        self.give(move |server| match server.ended_by(&config, &removed) {
            ended if ended.is_empty() => Ok(server.reload(&config, &source)?),
            ended => Err(Gentle::WouldEnd(ended)),
        })
    }

    /// Asks it to turn the stream `id` into what `change` makes of its configuration, and all that share its picture
    /// with it.
    pub fn change(
        &self,
        id: StreamId,
        source: String,
        change: impl FnOnce(&mut StreamConfig) + Send + 'static,
    ) -> Answer<Result<Done, OrderError>> {
        self.give(move |server| server.change(&id, &source, change))
    }

    /// Asks it to serve these streams, too.
    pub fn add(&self, streams: Vec<StreamConfig>, source: String) -> Answer<Result<Changes, StartError>> {
        self.give(move |server| {
            let mut config = server.config().clone();
            config.streams.extend(streams);
            server.reload(&config, &source)
        })
    }

    /// Asks it to serve the stream `id` no longer. Streams that share its picture play on.
    pub fn remove(&self, id: StreamId, source: String) -> Answer<Result<Done, OrderError>> {
        self.give(move |server| server.remove(&id, &source))
    }

    /// Asks it to send away whoever plays the stream `id` in `session`: the connection is closed.
    pub fn kick(&self, id: StreamId, session: String) -> Answer<Result<(), Unknown>> {
        self.give(move |server| server.kick(&id, &session))
    }

    /// Asks for the next picture of the stream `id` to be a key picture, or one soon after: a crowd shares them.
    pub fn force_key_picture(&self, id: StreamId) -> Answer<Result<(), Unknown>> {
        self.give(move |server| {
            let roster = server.roster().get();
            let served = roster.find(&id).ok_or(Unknown::Stream(id))?;
            served.stream().force_key_picture();
            Ok(())
        })
    }

    /// Asks it to stop; viewers are told that it is over.
    pub fn stop(&self) -> Answer<()> {
        let (answer, answered) = oneshot::channel();
        let _has_stopped = self.queue.send(Order::Stop(answer));
        Answer(answered)
    }

    fn give<T: Send + 'static>(&self, order: impl FnOnce(&mut Server) -> T + Send + 'static) -> Answer<T> {
        self.count.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        let act = move |server: &mut Server| {
            // Whoever gave the order may not wait for its answer any more.
            let _not_awaited = answer.send(order(server));
        };
        let _has_stopped = self.queue.send(Order::Act(Box::new(act)));
        Answer(answered)
    }
}

fn obey(mut server: Server, orders: &mpsc::Receiver<Order>) {
    for order in orders {
        match order {
            Order::Act(act) => {
                let act = AssertUnwindSafe(|| act(&mut server));
                // The hook has told of it, and whoever asked finds no answer: others are to be served all the same.
                let _panicked = panic::catch_unwind(act);
            }
            Order::Stop(answer) => {
                server.stop();
                let _not_awaited = answer.send(());
                return;
            }
        }
    }
}

impl Server {
    fn change(
        &mut self,
        id: &StreamId,
        source: &str,
        change: impl FnOnce(&mut StreamConfig),
    ) -> Result<Done, OrderError> {
        let (index, streams) = self.picture_of(id)?;
        let mut config = self.config().clone();
        change(&mut config.streams[index]);
        let changes = self.reload(&config, source)?;
        Ok(Done { streams, changes })
    }

    fn remove(&mut self, id: &StreamId, source: &str) -> Result<Done, OrderError> {
        let (index, streams) = self.picture_of(id)?;
        let roster = self.roster().get();
        let served = roster.find(id).ok_or_else(|| Unknown::Stream(id.clone()))?;
        let mut config = self.config().clone();
        let stream = &mut config.streams[index];
        stream.mounts.retain(|mount| !served.has(mount));
        if stream.mounts.is_empty() {
            config.streams.remove(index);
        }
        if config.streams.is_empty() {
            return Err(OrderError::Last(id.clone()));
        }
        drop(roster);
        let changes = self.reload(&config, source)?;
        Ok(Done { streams, changes })
    }

    fn kick(&self, id: &StreamId, session: &str) -> Result<(), Unknown> {
        let roster = self.roster().get();
        let served = roster.find(id).ok_or_else(|| Unknown::Stream(id.clone()))?;
        let is_meant = |mount: &Mount, viewer: &Viewer| viewer.session == session && served.has(mount);
        match served.stream().viewers().send_away(Farewell::Kicked, is_meant) {
            0 => Err(Unknown::Viewer(id.clone(), session.to_owned())),
            _ => Ok(()),
        }
    }

    /// The index in the configuration of the stream whose picture the stream `id` shows, and the ids of all streams
    /// that show it.
    fn picture_of(&self, id: &StreamId) -> Result<(usize, Vec<StreamId>), Unknown> {
        let roster = self.roster().get();
        let served = roster.find(id).ok_or_else(|| Unknown::Stream(id.clone()))?;
        let mut streams = self.streams.iter();
        let index = streams.position(|stream| Arc::ptr_eq(stream, served.stream()));
        let index = index.ok_or_else(|| Unknown::Stream(id.clone()))?;
        Ok((index, served.stream().ids()))
    }
}
