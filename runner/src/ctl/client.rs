//! Asks the server, and says what it answers where something is wrong.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow, ensure};
use rustls::crypto::ring;
use serde_json::Value;
use ureq::{
    Agent, Body,
    http::{Request, Response, header},
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};

use super::values::plain;

/// How long the server may take to take a connection, and to answer.
const CONNECTING: Duration = Duration::from_secs(10);
const ANSWERING: Duration = Duration::from_mins(1);
/// How large an answer may be, in bytes. A picture is the largest.
const LARGEST: u64 = 256 * 1024 * 1024;

/// The way to ask a server.
pub(super) struct Client {
    agent: Agent,
    origin: String,
    authorization: Option<String>,
}

/// Whose certificates are trusted.
pub(super) enum Trust {
    /// Whoever has one, or none.
    Anybody,
    /// Those who have one that these have signed.
    Signed(Vec<Certificate<'static>>),
}

/// A picture, and the instant that it shows.
pub(super) struct Picture {
    pub(super) bytes: Vec<u8>,
    pub(super) instant: Option<String>,
}

impl Trust {
    /// The certificates in that text; `None` where there is none.
    pub(super) fn pem(text: &[u8]) -> Option<Self> {
        let certificate = |item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        };
        let all: Vec<_> = parse_pem(text).filter_map(certificate).collect();
        (!all.is_empty()).then_some(Self::Signed(all))
    }

    fn config(self) -> TlsConfig {
        let config = TlsConfig::builder();
        let config = config.unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()));
        match self {
            Self::Anybody => config.disable_verification(true).build(),
            Self::Signed(all) => config.root_certs(RootCerts::from(all)).build(),
        }
    }
}

impl Client {
    /// What asks the server at `origin`, and sends it that header.
    pub(super) fn new(origin: String, authorization: Option<String>, trust: Trust) -> anyhow::Result<Self> {
        ensure!(
            origin.starts_with("http://") || origin.starts_with("https://"),
            "{origin:?} is no address of a server: one begins with http:// or https://"
        );
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // What is asked is on this machine or beside it.
            .proxy(None)
            .user_agent(concat!("rtsp-clock-server/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECTING))
            .timeout_recv_response(Some(ANSWERING))
            .tls_config(trust.config())
            .build();
        Ok(Self {
            agent: config.into(),
            origin,
            authorization,
        })
    }

    /// What is there.
    pub(super) fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.order("GET", path)
    }

    /// Has something done that needs no more words.
    pub(super) fn order(&self, method: &str, path: &str) -> anyhow::Result<Value> {
        read(self.ask(method, path, &[], None)?)
    }

    /// Has something done.
    pub(super) fn send(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let kind = [("content-type", "application/json")];
        read(self.ask(method, path, &kind, Some(body.to_string()))?)
    }

    /// A picture.
    pub(super) fn picture(&self, path: &str) -> anyhow::Result<Picture> {
        let mut answer = self.ask("GET", path, &[], None)?;
        let instant = answer.headers().get("x-instant");
        let instant = instant
            .and_then(|instant| instant.to_str().ok())
            .map(String::from);
        let bytes = answer.body_mut().with_config().limit(LARGEST).read_to_vec()?;
        Ok(Picture { bytes, instant })
    }

    /// What goes on as long as it is read.
    pub(super) fn follow(
        &self,
        path: &str,
        after: Option<&str>,
    ) -> anyhow::Result<ureq::BodyReader<'static>> {
        let mut headers = vec![("accept", "text/event-stream")];
        headers.extend(after.map(|id| ("last-event-id", id)));
        let answer = self.ask("GET", path, &headers, None)?;
        Ok(answer.into_body().into_with_config().limit(u64::MAX).reader())
    }

    /// An answer that says that it is well.
    fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> anyhow::Result<Response<Body>> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.origin));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let answer = match body {
            Some(body) => self.agent.run(request.body(body)?),
            None => self.agent.run(request.body(())?),
        };
        let answer = answer.with_context(|| format!("no answer from {}", self.origin))?;
        if answer.status().is_success() {
            Ok(answer)
        } else {
            Err(problem(answer))
        }
    }
}

/// What was answered, `null` where that is nothing.
fn read(mut answer: Response<Body>) -> anyhow::Result<Value> {
    let text = answer.body_mut().with_config().limit(LARGEST).read_to_string()?;
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).context("the server answers with what is no JSON")
}

/// Why the server has not done what it was asked for: problem details (RFC 9457), with each mistake on a line.
fn problem(mut answer: Response<Body>) -> anyhow::Error {
    let status = answer.status();
    let text = answer.body_mut().read_to_string().unwrap_or_default();
    let problem: Value = serde_json::from_str(&text).unwrap_or_default();
    let detail = problem.get("detail").and_then(Value::as_str);
    let mut said = match detail {
        Some(detail) => format!("{}: {}", status.as_u16(), as_option(&plain(detail))),
        None => status.to_string(),
    };
    let mistakes = problem.get("mistakes").and_then(Value::as_array);
    for mistake in mistakes.into_iter().flatten() {
        let part = |name| plain(mistake.get(name).and_then(Value::as_str).unwrap_or_default());
        // A text takes whatever is written to it.
        let _written = write!(said, "\n  {}: {}", part("key"), part("problem"));
    }
    anyhow!(said)
}

/// The same, with what a command line has in place of a URL's query.
fn as_option(detail: &str) -> String {
    detail.replace("?replace=true", "--replace")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> String {
        let body = Body::builder().data(body.to_owned());
        let answer = Response::builder().status(status).body(body).unwrap();
        problem(answer).to_string()
    }

    #[test]
    fn a_problem_is_told_with_each_mistake_on_a_line() {
        let body = r#"{"detail": "it would have mistakes", "mistakes": [
            {"key": "label", "problem": "found 1"}, {"key": "bitrateKbps", "problem": "found\u001b[1m -1"}]}"#;
        assert_eq!(
            said(422, body),
            "422: it would have mistakes\n  label: found 1\n  bitrateKbps: found\u{fffd}[1m -1"
        );
        assert_eq!(said(404, r#"{"detail": "there is none"}"#), "404: there is none");
        assert_eq!(said(502, "<html>"), "502 Bad Gateway");
    }

    #[test]
    fn an_address_begins_with_http() {
        let client = |url: &str| Client::new(url.into(), None, Trust::Anybody).map(drop);
        assert!(client("http://127.0.0.1:8080").is_ok());
        let wrong = client("127.0.0.1:8080").unwrap_err().to_string();
        assert!(wrong.contains("begins with http://"), "{wrong}");
    }
}
