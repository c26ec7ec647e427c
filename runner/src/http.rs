//! The HTTP server: an API for scripts, metrics, pictures and a page. It sees status, events and orders, and nothing else of
//! the RTSP server; it runs beside the threads that stream, and is bounded in connections, memory and time.
//!
//! | module | job |
//! | --- | --- |
//! | `listen` | the socket and TLS |
//! | `begin` | how a connection begins |
//! | `limit` | how many connections there may be |
//! | `gate` | by which names it may be asked, and from which pages |
//! | `access` | who asks, and what they may do |
//! | `sessions` | log-ins that a page keeps |
//! | `cross_origin` | what pages of other origins may ask, where they may |
//! | `extract` | what a request says |
//! | `apart` | work that takes longer than others may wait |
//! | `etag` | whether what somebody changes is still what they have seen |
//! | `problem` | what is answered where something is wrong |
//! | `health` | whether it lives, and whether it is ready |
//! | `feed` | the events as a caller may hear them |
//! | `api` | the API, `/api/v1` |
//! | `call`, `openapi` | what a call is, and how the API describes itself |
//! | `page` | the page, `/` |
//! | `metrics` | what a monitoring system asks for |

use std::{net::SocketAddr, sync::Arc, thread::JoinHandle};

use axum::{Router, http::HeaderName, middleware, routing::get};
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer, Predicate,
        predicate::{DefaultPredicate, NotForContentType},
    },
};

use crate::{
    accounts::{attempts::Attempts, logins},
    config::{Config, HttpConfig},
    configuration::Configuration,
    log::Repeats,
    server::{CurrentRoster, Orders},
};

mod access;
mod apart;
mod api;
mod begin;
mod call;
mod cross_origin;
mod etag;
mod extract;
mod feed;
mod gate;
mod health;
mod limit;
mod listen;
mod metrics;
mod openapi;
mod page;
mod problem;
mod sessions;

use limit::Limit;
use listen::Listener;
use sessions::Sessions;

/// The header with the instant that a picture shows.
const INSTANT: HeaderName = HeaderName::from_static("x-instant");
/// How large a body may be, in bytes.
const LARGEST_BODY: usize = 1024 * 1024;

/// A running HTTP server. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct HttpServer {
    address: SocketAddr,
    tls: bool,
    handle: axum_server::Handle<SocketAddr>,
    thread: Option<JoinHandle<()>>,
}

/// What all requests need.
struct App {
    orders: Orders,
    configuration: Arc<Configuration>,
    sessions: Sessions,
    /// Wrong tokens, where there are no accounts whose wrong log-ins they count among.
    attempts: Arc<Attempts>,
    /// How often the log says that an address had a wrong token.
    wrong: Repeats,
    /// This machine's name, in lower case.
    host_name: String,
    /// Where it listens.
    address: SocketAddr,
    tls: bool,
    connections: Limit,
}

impl App {
    fn roster(&self) -> &Arc<CurrentRoster> {
        self.orders.roster()
    }

    /// What the HTTP server was told last.
    fn config(&self) -> HttpConfig {
        self.roster().get().http().cloned().unwrap_or_default()
    }
}

impl HttpServer {
    /// Starts to answer for the server that `orders` are for; `None` where `config` wants no HTTP server.
    ///
    /// # Errors
    /// When its port cannot be had, or its certificate.
    pub(crate) fn start(
        config: &Config,
        orders: &Orders,
        configuration: &Arc<Configuration>,
    ) -> anyhow::Result<Option<Self>> {
        let Some(http) = &config.http else { return Ok(None) };
        let listener = Listener::bind(http, config.tls.as_ref())?;
        let address = listener.address();
        let app = Arc::new(App {
            orders: orders.clone(),
            configuration: Arc::clone(configuration),
            sessions: Sessions::new(address.port(), http.tls),
            attempts: Arc::default(),
            wrong: logins::repeats(),
            host_name: gate::host_name(),
            address,
            tls: http.tls,
            connections: listener.limit().clone(),
        });
        let handle = axum_server::Handle::new();
        let thread = listener.serve(router(app), handle.clone())?;
        Ok(Some(Self {
            address,
            tls: http.tls,
            handle,
            thread: Some(thread),
        }))
    }

    /// Where a person finds it.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}/", self.address)
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.handle.shutdown();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(target: "http", "the HTTP server's thread had failed");
        }
    }
}

fn router(app: Arc<App>) -> Router {
    let guarded = Router::new()
        .nest(api::PREFIX, api::router())
        .route("/metrics", get(metrics::show))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&app), access::ask))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), gate::check))
        .layer(compression());
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        // A link elsewhere may lead to the page, and nothing of it is secret.
        .merge(page::router().layer(compression()))
        .merge(guarded)
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        // What answers a method that a path does not take is not behind the layers above.
        .layer(cross_origin::layer(&app))
        .layer(axum::extract::DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(app)
}

/// Compresses lists, for whoever takes that; pictures and events are sent as they are.
fn compression() -> CompressionLayer<impl Predicate> {
    let is_worth_it = DefaultPredicate::new().and(NotForContentType::new("multipart/"));
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(is_worth_it)
}
