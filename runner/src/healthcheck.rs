//! Asks a running server whether it answers, as a container's HEALTHCHECK does.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::{
    addresses::reachable,
    config::{Config, HttpConfig, Mount},
    config_file::port_key,
    tls,
};

/// How long the server may take, all in all.
const PATIENCE: Duration = Duration::from_secs(3);

/// No status line is longer than this.
const LONGEST_STATUS_LINE: usize = 256;

/// Sends one OPTIONS to each address and port of this configuration and takes 200 and 401 (a log-in is asked for) for
/// health; and asks the HTTP server, where there is one.
///
/// # Errors
/// When there is no answer within three seconds, or another one.
pub(crate) fn check(config: &Config) -> anyhow::Result<()> {
    let mut asked = BTreeSet::new();
    for mount in config.streams.iter().flat_map(|stream| &stream.mounts) {
        if asked.insert(mount.listen_at()) {
            ask(mount)?;
        }
    }
    config.http.as_ref().map_or(Ok(()), ask_http)
}

fn ask_http(http: &HttpConfig) -> anyhow::Result<()> {
    ensure!(
        http.port != 0,
        "http.port is 0 (any free port): which one to ask is not known"
    );
    let server = SocketAddr::new(reachable(http.address), http.port);
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    let status_line =
        answer(server, http.tls, &request).with_context(|| format!("no answer from {server}"))?;
    ensure!(
        status_line.starts_with("HTTP/1.1 200"),
        "{server} answered {status_line:?}"
    );
    Ok(())
}

fn ask(mount: &Mount) -> anyhow::Result<()> {
    ensure!(
        mount.port != 0,
        "{} is 0 (any free port): which one to ask is not known",
        port_key(mount.tls)
    );
    let server = SocketAddr::new(reachable(mount.address), mount.port);
    let path = &mount.path;
    let request =
        format!("OPTIONS rtsp://{server}{path} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: healthcheck\r\n\r\n");
    let status_line =
        answer(server, mount.tls, &request).with_context(|| format!("no answer from {server}"))?;
    match status(&status_line) {
        Some(200 | 401) => Ok(()),
        _ => bail!("{server} answered {status_line:?}"),
    }
}

/// The status line of the answer to a request.
fn answer(server: SocketAddr, tls: bool, request: &str) -> anyhow::Result<String> {
    let deadline = Instant::now() + PATIENCE;
    let connection = TcpStream::connect_timeout(&server, PATIENCE)?;
    if tls {
        let mut stream = tls::client(connection, PATIENCE)?;
        stream.write_all(request.as_bytes())?;
        return status_line(&mut stream, deadline, |_, _| Ok(()));
    }
    let mut stream = connection;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    status_line(&mut stream, deadline, |stream, left| {
        stream.set_read_timeout(Some(left))
    })
}

/// Reads a line until `deadline`; `limit` is told how long the next read may take.
fn status_line<S: Read>(
    stream: &mut S,
    deadline: Instant,
    limit: impl Fn(&S, Duration) -> io::Result<()>,
) -> anyhow::Result<String> {
    let mut answer = Vec::new();
    loop {
        if let Some(end) = answer.iter().position(|byte| *byte == b'\n') {
            answer.truncate(end);
            return Ok(String::from_utf8_lossy(&answer).trim_end().into());
        }
        ensure!(
            answer.len() < LONGEST_STATUS_LINE,
            "its answer has no status line"
        );
        let remaining = deadline.saturating_duration_since(Instant::now());
        ensure!(
            !remaining.is_zero(),
            "it took longer than {} s",
            PATIENCE.as_secs()
        );
        limit(stream, remaining)?;
        let mut chunk = [0; LONGEST_STATUS_LINE];
        let length = match stream.read(&mut chunk) {
            // This is a socket's time-out: the deadline at the head of the loop has the words for it.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                continue;
            }
            read => read?,
        };
        ensure!(length != 0, "it closed the connection");
        answer.extend_from_slice(&chunk[..length]);
    }
}

fn status(status_line: &str) -> Option<u16> {
    status_line
        .strip_prefix("RTSP/1.0 ")?
        .split(' ')
        .next()?
        .parse()
        .ok()
}
