//! The HTTP server: an API for scripts, metrics, pictures and a page. It sees status, events and orders, and nothing else of
//! the RTSP server; it runs beside the threads that stream, and is bounded in connections, memory and time.
//!
//! | module | job |
//! | --- | --- |
//! | `listen` | the socket and TLS |
//! | `limit` | how many connections there may be |
//! | `gate` | by which names it may be asked, and from which pages |
//! | `access` | who asks, and what they may do |
//! | `problem` | what is answered where something is wrong |
//! | `health` | whether it lives, and whether it is ready |
//! | `api` | the API, `/api/v1` |

use std::{net::SocketAddr, sync::Arc, thread::JoinHandle};

use axum::{Router, middleware, routing::get};

use crate::{
    config::{Config, HttpConfig},
    configuration::Configuration,
    server::{CurrentRoster, Orders},
};

mod access;
mod api;
mod gate;
mod health;
mod limit;
mod listen;
mod problem;

use listen::Listener;

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
    /// This machine's name, in lower case.
    host_name: String,
    tls: bool,
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
            host_name: gate::host_name(),
            tls: http.tls,
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

/// What there is to be found here.
async fn index() -> String {
    format!(
        "rtsp-clock-server {}\n/api/v1/streams\n/api/v1/server\n/healthz\n/readyz\n",
        env!("CARGO_PKG_VERSION")
    )
}

fn router(app: Arc<App>) -> Router {
    let guarded = Router::new()
        .nest("/api/v1", api::router())
        .route_layer(middleware::from_fn_with_state(Arc::clone(&app), access::ask))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), gate::check));
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/", get(index))
        .merge(guarded)
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(axum::extract::DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(app)
}
