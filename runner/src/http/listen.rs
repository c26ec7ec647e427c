//! The HTTP server's socket, TLS, and how many connections there may be.

use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use axum::Router;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use super::{apart, begin::Begins, limit::Limit};
use crate::config::{HttpConfig, TlsFiles};

/// How long a client may take for the headers of a request, and for the keys of TLS.
const PATIENCE: Duration = Duration::from_secs(10);

/// A socket at which nobody has been answered yet.
pub(super) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    tls: Option<ServerConfig>,
    limit: Limit,
}

impl Listener {
    /// Takes the port that `config` names.
    pub(super) fn bind(config: &HttpConfig, files: Option<&TlsFiles>) -> anyhow::Result<Self> {
        let wanted = SocketAddr::new(config.address, config.port);
        let tls = files.filter(|_| config.tls).map(server_config).transpose();
        let tls = tls.context("http.tls")?;
        let socket = TcpListener::bind(wanted).map_err(|error| failed_to_listen(wanted, error))?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        Ok(Self {
            socket,
            address,
            tls,
            limit: Limit::new(),
        })
    }

    /// Where it is.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections there may be, and are.
    pub(super) fn limit(&self) -> &Limit {
        &self.limit
    }

    /// Answers by `router` in a thread of its own, until `handle` says that it is over.
    pub(super) fn serve(
        self,
        router: Router,
        handle: axum_server::Handle<SocketAddr>,
    ) -> anyhow::Result<JoinHandle<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(apart::MOST_THREADS)
            .thread_name("http-apart")
            .build();
        let runtime = runtime.context("the HTTP server cannot start")?;
        let serve = move || {
            if let Err(error) = runtime.block_on(self.answer(router, handle)) {
                tracing::error!(target: "http", "the HTTP server has ended: {error:#}");
            }
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("http".into()).spawn(serve);
        thread.context("the HTTP server cannot start")
    }

    async fn answer(self, router: Router, handle: axum_server::Handle<SocketAddr>) -> anyhow::Result<()> {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        if let Some(config) = self.tls {
            let config = RustlsConfig::from_config(Arc::new(config));
            let acceptor = RustlsAcceptor::new(config).acceptor(self.limit);
            let mut server = axum_server::from_tcp(self.socket)?
                .acceptor(in_time(acceptor))
                .handle(handle);
            server.http_builder().http1().header_read_timeout(PATIENCE);
            server.serve(service).await?;
        } else {
            let mut server = axum_server::from_tcp(self.socket)?
                .acceptor(in_time(self.limit))
                .handle(handle);
            server.http_builder().http1().header_read_timeout(PATIENCE);
            server.serve(service).await?;
        }
        Ok(())
    }
}

fn in_time<A>(inner: A) -> Begins<A> {
    Begins {
        inner,
        patience: PATIENCE,
    }
}

/// What a person can do about a port that cannot be had.
fn failed_to_listen(wanted: SocketAddr, error: io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::AddrInUse => anyhow!(
            "port {} of {} is in use: another program (or another copy of this server) listens there; http.port takes \
             another one, \"http\": false none",
            wanted.port(),
            wanted.ip()
        ),
        _ => anyhow::Error::new(error).context(format!("http: cannot listen on {wanted}")),
    }
}

fn server_config(files: &TlsFiles) -> anyhow::Result<ServerConfig> {
    let read =
        |path: &std::path::Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let (certificates, key) = (read(&files.certificate)?, read(&files.private_key)?);
    let certificates = CertificateDer::pem_slice_iter(&certificates).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(&key)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)?;
    Ok(config)
}
