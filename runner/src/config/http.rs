//! How the server is seen and steered by HTTP.

use std::{collections::BTreeSet, fmt, net::IpAddr};

/// What the HTTP server was told. The token is not in its `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// The address at which it listens.
    pub address: IpAddr,
    /// Its TCP port; 0 takes any free one.
    pub port: u16,
    /// Who has this may read and change everything; empty: nobody has it.
    pub token: String,
    /// Whether it speaks TLS, with the certificate of the streams.
    pub tls: bool,
    /// The names by which it may be asked, beside addresses, `localhost` and this machine's name.
    pub allowed_hosts: BTreeSet<String>,
    /// The origins whose pages may ask it, beside its own.
    pub allowed_origins: BTreeSet<String>,
    /// How many streams there may be for another one to be added.
    pub max_streams: u32,
    /// Whether pipelines and files may be named in what it is sent.
    pub allow_pipelines: bool,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            address: IpAddr::from([127, 0, 0, 1]),
            port: 8080,
            token: String::new(),
            tls: false,
            allowed_hosts: BTreeSet::new(),
            allowed_origins: BTreeSet::new(),
            max_streams: 1000,
            allow_pipelines: false,
        }
    }
}

impl HttpConfig {
    /// What a server that runs as this goes on as, once another one is `wanted`: where it listens stays as it is, who may ask
    /// it for what does not.
    pub(crate) fn going_on_as(&self, wanted: Option<&Self>) -> Self {
        let wanted = wanted.unwrap_or(self).clone();
        Self {
            address: self.address,
            port: self.port,
            tls: self.tls,
            ..wanted
        }
    }
}

impl fmt::Debug for HttpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpConfig")
            .field("address", &self.address)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("allowed_hosts", &self.allowed_hosts)
            .field("allowed_origins", &self.allowed_origins)
            .field("max_streams", &self.max_streams)
            .field("allow_pipelines", &self.allow_pipelines)
            .finish_non_exhaustive()
    }
}
