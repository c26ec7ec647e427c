//! Where the server is, and how to log in there.

use std::{
    env, fs,
    io::{BufRead as _, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use clap::Args;

use super::client::{Client, Trust};
use crate::{
    addresses,
    config::HttpConfig,
    config_file::{self, Environment, PASSWORD_VARIABLE},
};

/// The variable with the token, as the configuration has it.
const TOKEN: &str = "RTSP_HTTP_TOKEN";
/// The variable that names the certificates that are trusted, and where systems keep them.
const SYSTEM_VARIABLE: &str = "SSL_CERT_FILE";
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

const URL_HELP: &str = "Ask the server at this address, such as http://127.0.0.1:8080";
const TOKEN_HELP: &str = "Log in with this token, else with that of RTSP_HTTP_TOKEN or the configuration";
const USER_HELP: &str =
    "Log in as this user; without a password here it is that of RTSP_HTTP_PASSWORD, or asked for";

/// What the command line says of that.
#[derive(Debug, Args)]
pub(super) struct Access {
    #[arg(long, global = true, value_name = "URL", help = URL_HELP)]
    url: Option<String>,
    #[arg(long, global = true, conflicts_with = "user", help = TOKEN_HELP)]
    token: Option<String>,
    #[arg(short, long, global = true, value_name = "NAME[:PASSWORD]", help = USER_HELP)]
    user: Option<String>,
    /// Trust the certificates in this PEM file, in place of the system's
    #[arg(long, global = true, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Do not look at the server's certificate
    #[arg(short = 'k', long, global = true, conflicts_with = "ca")]
    insecure: bool,
}

/// A server, and who may ask it everything.
struct Target {
    origin: String,
    token: String,
    /// It is this machine's own, where nobody else can be taken for it.
    is_local: bool,
}

impl Access {
    /// What asks the server.
    pub(super) fn client(&self, config: Option<&Path>) -> anyhow::Result<Client> {
        let target = match &self.url {
            Some(url) => Target {
                origin: url.trim_end_matches('/').to_owned(),
                token: env::var(TOKEN).unwrap_or_default(),
                is_local: false,
            },
            None => configured(config)?,
        };
        let authorization = self.authorization(&target)?;
        let trust = if target.origin.starts_with("https:") {
            self.trust(&target)?
        } else {
            Trust::Anybody
        };
        Client::new(target.origin, authorization, trust)
    }

    fn authorization(&self, target: &Target) -> anyhow::Result<Option<String>> {
        if let Some(user) = &self.user {
            return Ok(Some(basic(user)?));
        }
        let token = self.token.as_ref().unwrap_or(&target.token);
        Ok((!token.is_empty()).then(|| format!("Bearer {token}")))
    }

    fn trust(&self, target: &Target) -> anyhow::Result<Trust> {
        if self.insecure || target.is_local && self.ca.is_none() {
            return Ok(Trust::Anybody);
        }
        let named = self
            .ca
            .clone()
            .or_else(|| env::var_os(SYSTEM_VARIABLE).map(PathBuf::from));
        let file = named.or_else(|| SYSTEM.iter().map(PathBuf::from).find(|file| file.exists()));
        let Some(file) = file else {
            bail!(
                "this system has no certificates that are trusted: --ca names some, --insecure does without"
            );
        };
        let pem = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let trust = Trust::pem(&pem).with_context(|| format!("{}: no certificate", file.display()))?;
        Ok(trust)
    }
}

/// The server of the configuration, as it is reached from its own machine.
fn configured(file: Option<&Path>) -> anyhow::Result<Target> {
    let loaded = config_file::load(file, &Environment::of_process())?;
    let Some(http) = loaded.config.http else {
        bail!(
            "{} has no HTTP server (\"http\": false): --url says where another one is",
            loaded.source
        );
    };
    ensure!(
        http.port != 0,
        "http.port is 0 (any free port): --url says where the server is"
    );
    let HttpConfig {
        address,
        port,
        token,
        tls,
        ..
    } = http;
    let address = addresses::reachable(address);
    let scheme = if tls { "https" } else { "http" };
    Ok(Target {
        origin: format!("{scheme}://{}", SocketAddr::new(address, port)),
        token,
        is_local: addresses::is_loopback(address),
    })
}

/// The header of that user.
fn basic(user: &str) -> anyhow::Result<String> {
    let pair = if user.contains(':') {
        user.to_owned()
    } else {
        format!("{user}:{}", password(user)?)
    };
    Ok(format!("Basic {}", BASE64_STANDARD.encode(pair)))
}

fn password(user: &str) -> anyhow::Result<String> {
    env::var(PASSWORD_VARIABLE).or_else(|_unset| {
        ask(user).with_context(|| {
            format!("{PASSWORD_VARIABLE} has no password, and there is no terminal to ask for it")
        })
    })
}

/// Asks for the password at the terminal, which does not show it.
fn ask(user: &str) -> anyhow::Result<String> {
    use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
    let mut terminal = fs::File::options().read(true).write(true).open("/dev/tty")?;
    let shows = tcgetattr(&terminal)?;
    let mut hides = shows.clone();
    hides.local_flags.remove(LocalFlags::ECHO);
    write!(terminal, "Password of {user}: ")?;
    tcsetattr(&terminal, SetArg::TCSAFLUSH, &hides)?;
    let mut line = String::new();
    let read = std::io::BufReader::new(&terminal).read_line(&mut line);
    tcsetattr(&terminal, SetArg::TCSAFLUSH, &shows)?;
    writeln!(terminal)?;
    read?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
