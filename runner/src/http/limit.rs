//! How many connections the HTTP server serves at a time. Some more are answered 503, and each takes no more than a socket
//! until its headers would be late; beyond these, they are closed at once.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    http::{HeaderValue, Request, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use axum_server::accept::Accept;
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tower::Service;

use super::problem::Problem;
use crate::ffi::socket::watch_for_dead_peer;

/// How many connections there may be.
pub(super) const MOST_CONNECTIONS: usize = 256;
/// How many more may be told that there are too many: descriptors are for viewers.
const MOST_TURNED_AWAY: usize = 64;
/// How long a client may take nothing of what it is sent.
const PATIENCE: Duration = Duration::from_secs(10);

/// Lets so many connections in.
#[derive(Debug, Clone)]
pub(super) struct Limit {
    free: Arc<Semaphore>,
    turned_away: Arc<Semaphore>,
    accepted: Arc<AtomicU64>,
}

/// What answers on one connection.
#[derive(Debug, Clone)]
pub(super) struct Limited<S> {
    service: S,
    place: Place,
}

/// The place that a connection has among others, until it ends. Requests have it among their extensions: what goes on in a
/// connection that is HTTP no more holds on to it.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Served(#[expect(dead_code, reason = "it is given back when dropped")] Arc<OwnedSemaphorePermit>),
    TurnedAway(#[expect(dead_code, reason = "it is given back when dropped")] Arc<OwnedSemaphorePermit>),
}

impl Limit {
    pub(super) fn new() -> Self {
        Self {
            free: Arc::new(Semaphore::new(MOST_CONNECTIONS)),
            turned_away: Arc::new(Semaphore::new(MOST_TURNED_AWAY)),
            accepted: Arc::default(),
        }
    }

    /// How many connections are served now.
    pub(super) fn served(&self) -> usize {
        MOST_CONNECTIONS - self.free.available_permits()
    }

    /// How many connections have been accepted.
    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// A place for another connection, as long as there is any.
    fn place(&self) -> io::Result<Place> {
        let of = |places: &Arc<Semaphore>| Arc::clone(places).try_acquire_owned().ok().map(Arc::new);
        let place = of(&self.free).map(Place::Served);
        let place = place.or_else(|| of(&self.turned_away).map(Place::TurnedAway));
        place.ok_or_else(|| io::Error::other("there are too many connections"))
    }
}

impl<S> Accept<TcpStream, S> for Limit {
    type Stream = TcpStream;
    type Service = Limited<S>;
    type Future = Ready<io::Result<(TcpStream, Limited<S>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        let place = watch_for_dead_peer(&stream, PATIENCE).and_then(|()| self.place());
        ready(place.map(|place| (stream, Limited { service, place })))
    }
}

impl<S, B> Service<Request<B>> for Limited<S>
where
    S: Service<Request<B>, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        match self.place {
            Place::Served(_) => {
                request.extensions_mut().insert(self.place.clone());
                Box::pin(self.service.call(request))
            }
            Place::TurnedAway(_) => Box::pin(ready(Ok(too_many()))),
        }
    }
}

fn too_many() -> Response {
    let detail = format!("there are {MOST_CONNECTIONS} connections already");
    let mut response = Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
