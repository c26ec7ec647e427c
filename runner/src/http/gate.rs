//! By which names the server may be asked, and from which pages: a browser that has been led here by a page elsewhere is
//! sent away (DNS rebinding, cross-site requests).

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode, header,
        uri::{Authority, Uri},
    },
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{App, access, problem::Problem};
use crate::config::HttpConfig;

/// This machine's name in lower case; empty where it has none.
pub(super) fn host_name() -> String {
    let name = nix::unistd::gethostname().ok();
    let name = name.and_then(|name| name.into_string().ok());
    name.unwrap_or_default().to_ascii_lowercase()
}

/// Lets a request pass that asks by a name of this server, and comes from no page or from one that may ask.
pub(super) async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let config = app.config();
    // Whoever gives the token is no page that a browser has been led to. Whether it is the right one is found out behind this,
    // and nowhere else: who guesses is slowed and told of, by whatever name they ask.
    if access::gives_token(request.headers()) {
        return next.run(request).await;
    }
    let host = host(&request);
    match refusal(&app, &config, host.as_deref(), request.headers()) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

fn refusal(app: &App, config: &HttpConfig, host: Option<&str>, headers: &HeaderMap) -> Option<Problem> {
    let Some(host) = host else {
        let detail = "the header Host has to be there, once";
        return Some(Problem::new(StatusCode::BAD_REQUEST, detail));
    };
    if !is_own_name(host, config, &app.host_name) {
        let detail = "this server is not asked by that name: an IP address, localhost, this machine's name, or one of \
                      http.allowedHosts";
        return Some(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail));
    }
    let scheme = if app.tls { "https" } else { "http" };
    let own = format!("{scheme}://{}", host.to_ascii_lowercase());
    let may_ask = |origin: &HeaderValue| {
        origin.to_str().is_ok_and(|origin| {
            let origin = origin.to_ascii_lowercase();
            origin == own || config.allowed_origins.contains(&origin)
        })
    };
    let may_all_ask = if headers.contains_key(header::ORIGIN) {
        headers.get_all(header::ORIGIN).iter().all(may_ask)
    } else {
        is_of_no_other_page(headers) || referring_origin(headers).is_some_and(|origin| may_ask(&origin))
    };
    let detail = "pages of that origin may not ask this server: see http.allowedOrigins";
    (!may_all_ask).then(|| Problem::new(StatusCode::FORBIDDEN, detail))
}

/// Whether a browser says that no page elsewhere has led it here. Pictures that a page shows come without an `Origin`.
fn is_of_no_other_page(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    matches!(site, None | Some(b"same-origin" | b"none"))
}

/// The origin of the page that a browser names as the one that led it here.
fn referring_origin(headers: &HeaderMap) -> Option<HeaderValue> {
    let page: Uri = headers.get(header::REFERER)?.to_str().ok()?.parse().ok()?;
    HeaderValue::try_from(format!("{}://{}", page.scheme()?, page.authority()?)).ok()
}

/// The name and port by which the server is asked; `None` where that is not told, or told twice.
fn host(request: &Request) -> Option<String> {
    let mut headers = request.headers().get_all(header::HOST).iter();
    let header = headers.next();
    if headers.next().is_some() {
        return None;
    }
    let named = header.and_then(|host| host.to_str().ok()).map(String::from);
    named.or_else(|| request.uri().authority().map(ToString::to_string))
}

fn is_own_name(host: &str, config: &HttpConfig, host_name: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host().to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    address.parse::<IpAddr>().is_ok()
        || name == "localhost"
        || (!host_name.is_empty() && name == host_name)
        || config.allowed_hosts.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_by_addresses_and_its_own_names() {
        let config = HttpConfig {
            allowed_hosts: ["camera.example".into()].into(),
            ..HttpConfig::default()
        };
        let is_own = |host| is_own_name(host, &config, "lab-7");
        for host in [
            "127.0.0.1:8080",
            "192.0.2.7",
            "[::1]:8080",
            "localhost",
            "LOCALHOST:1",
            "lab-7:8080",
            "Camera.Example",
        ] {
            assert!(is_own(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "127.0.0.1.evil.example",
            "lab-7.evil",
            "camera.example.",
            "a@b c",
        ] {
            assert!(!is_own(host), "{host}");
        }
    }
}
