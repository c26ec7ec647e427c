//! How many connections the HTTP server serves at a time. One more is answered 503, and takes no more than a socket until its
//! headers would be late.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
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

/// How many connections there may be.
const MOST_CONNECTIONS: usize = 256;

/// Lets so many connections in.
#[derive(Debug, Clone)]
pub(super) struct Limit(Arc<Semaphore>);

/// What answers on one connection; without a permit it says that there are too many.
#[derive(Debug, Clone)]
pub(super) struct Limited<S> {
    service: S,
    permit: Option<Arc<OwnedSemaphorePermit>>,
}

impl Limit {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MOST_CONNECTIONS)))
    }
}

impl<S> Accept<TcpStream, S> for Limit {
    type Stream = TcpStream;
    type Service = Limited<S>;
    type Future = Ready<io::Result<(TcpStream, Limited<S>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let permit = Arc::clone(&self.0).try_acquire_owned().ok().map(Arc::new);
        let limited = Limited { service, permit };
        ready(stream.set_nodelay(true).map(|()| (stream, limited)))
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

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if self.permit.is_some() {
            Box::pin(self.service.call(request))
        } else {
            Box::pin(ready(Ok(too_many())))
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
