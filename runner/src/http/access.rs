//! Who asks, and what they may do.
//!
//! | who | reads | changes |
//! | --- | --- | --- |
//! | whoever has the token | everything | everything |
//! | a user with `admin` | everything | everything |
//! | any other user | their own streams | nothing |
//! | anybody, where there is no log-in | everything | everything, from this machine and where there is no token |

use std::{future::pending, net::SocketAddr, sync::Arc, time::Instant};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use subtle::ConstantTimeEq as _;

use super::{
    App,
    problem::Problem,
    sessions::{Holder, Lifetime},
};
use crate::{
    accounts::{
        Account, REALM,
        attempts::{LATENESS, Late},
        credentials::Credentials,
        logins::Logins,
    },
    addresses,
    events::{Event, Happening, LoginRefusal},
    server::Served,
};

/// What a page's script sets to be told of a log-in that is missing as a script is.
const REQUESTED_WITH: &str = "x-requested-with";

/// What a call takes of whoever makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authority {
    /// To see their own streams, as everybody may who may ask at all.
    Streams,
    /// To see what is about the server as a whole, and all that it was told.
    Server,
    /// To change things.
    Changes,
}

impl Authority {
    /// Who has it, in a sentence.
    pub(super) fn holders(self) -> &'static str {
        match self {
            Self::Streams => {
                "Whoever has the token or an admin's log-in sees everything, a user their own streams, and everybody \
                 everything where there is no log-in."
            }
            Self::Server => {
                "It takes the token or an admin's log-in; where there is no log-in, everybody may do it."
            }
            Self::Changes => {
                "It takes the token or an admin's log-in; where there is neither a token nor a log-in, it is done for \
                 whoever asks from the server's own machine."
            }
        }
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub(super) enum Caller {
    /// Whoever has the token.
    Token,
    /// A user who has logged in.
    User(Account),
    /// Somebody, where there is no log-in; who may change things where that is so.
    Anybody { may_change: bool },
}

impl Caller {
    /// Whether they may see that stream.
    pub(super) fn may_see(&self, served: &Served) -> bool {
        match self {
            Self::User(account) if !account.is_admin => served.may_be_seen_by(account),
            _ => true,
        }
    }

    /// What they may know of an event; `None` for nothing.
    pub(super) fn knows_of(&self, event: &Arc<Event>) -> Option<Arc<Event>> {
        match self {
            Self::User(account) if !account.is_admin => {
                event.as_seen_by(|mount| account.may_see(mount)).map(Arc::new)
            }
            _ => Some(Arc::clone(event)),
        }
    }

    /// Whether they have that authority.
    ///
    /// # Errors
    /// What they are told where they have not.
    pub(super) fn has(&self, authority: Authority) -> Result<(), Problem> {
        match authority {
            Authority::Streams => Ok(()),
            Authority::Server => self.sees_server(),
            Authority::Changes => self.changes(),
        }
    }

    /// Whether they may see what is about the server as a whole.
    ///
    /// # Errors
    /// What they are told where they may not.
    pub(super) fn sees_server(&self) -> Result<(), Problem> {
        match self {
            Self::User(account) if !account.is_admin => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "this takes the token, or a user with \"admin\": true",
            )),
            _ => Ok(()),
        }
    }

    /// Whether they may change anything.
    ///
    /// # Errors
    /// What they are told where they may not.
    pub(super) fn changes(&self) -> Result<(), Problem> {
        match self {
            Self::Anybody { may_change: false } => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "without a token and a log-in changes are taken from the server's own machine only",
            )),
            _ => self.sees_server(),
        }
    }
}

/// By what a request was let in. An answer that goes on for long ends where that counts no longer: whoever still may asks
/// again. Requests have it among their extensions.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    caller: Caller,
    /// The token that counted then.
    token: String,
    /// The session that the request is of; `None` for one that has a log-in of its own, or needs none.
    session: Option<Lifetime>,
}

impl Admission {
    /// Who asks.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What `next` comes to, as long as the session goes on; `None` from its end on.
    pub(super) async fn in_session<T>(&mut self, next: impl Future<Output = T>) -> Option<T> {
        let session = self.session.as_mut();
        let ends = async {
            match session {
                Some(session) => session.ends().await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = ends => None,
            next = next => Some(next),
        }
    }

    /// Whether whoever asks would be let in as the same one now.
    pub(super) fn holds(&self, app: &App) -> bool {
        let logins = app.orders.logins().get();
        let is_same_token = || app.config().token == self.token;
        match &self.caller {
            Caller::Token => is_same_token(),
            Caller::User(account) => logins.is_some_and(|logins| logins.accounts.has(account)),
            Caller::Anybody { .. } => logins.is_none() && is_same_token(),
        }
    }
}

/// Finds out who asks; whoever has a wrong log-in, or none where one is needed, is asked for it.
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    match admit(&app, peer, request.headers()).await {
        Ok(admission) => {
            let extensions = request.extensions_mut();
            extensions.insert(admission.caller.clone());
            extensions.insert(admission);
            next.run(request).await
        }
        // A browser would ask for a name and a password itself, which the page does.
        Err(problem) if request.headers().contains_key(REQUESTED_WITH) => problem.into_response(),
        Err(problem) => challenge(problem),
    }
}

async fn admit(app: &App, peer: SocketAddr, headers: &HeaderMap) -> Result<Admission, Problem> {
    let token = app.config().token;
    let logins = app.orders.logins().get();
    let accounts = logins.as_ref().map(|logins| &logins.accounts);
    let (caller, session) = if let Some(header) = headers.get(header::AUTHORIZATION) {
        let is_token = has_token(headers, &token);
        let caller = by_header(app, logins.as_ref(), (peer, is_token), header).await?;
        (caller, None)
    } else if let Some((holder, lifetime)) = app.sessions.holder(headers, &token, accounts) {
        let caller = match holder {
            Holder::Token(_) => Caller::Token,
            Holder::User(account) => Caller::User(account),
        };
        (caller, Some(lifetime))
    } else if logins.is_some() {
        return Err(unauthorized("this takes a log-in"));
    } else {
        let may_change = token.is_empty() && addresses::is_loopback(peer.ip());
        (Caller::Anybody { may_change }, None)
    };
    Ok(Admission {
        caller,
        token,
        session,
    })
}

/// Whether a token is among the headers, be it the right one or not. Whoever gives one is let in by it, or by nothing.
pub(super) fn gives_token(headers: &HeaderMap) -> bool {
    given_token(headers).is_some()
}

fn given_token(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether the token is among the headers.
fn has_token(headers: &HeaderMap, token: &str) -> bool {
    let is_it = |given: &str| bool::from(given.as_bytes().ct_eq(token.as_bytes()));
    !token.is_empty() && given_token(headers).is_some_and(is_it)
}

/// Who logs in by a header, with the token or as a user. Wrong log-ins are slowed and told as RTSP's are.
async fn by_header(
    app: &App,
    logins: Option<&Arc<Logins>>,
    (peer, is_token): (SocketAddr, bool),
    header: &HeaderValue,
) -> Result<Caller, Problem> {
    let (attempts, wrong) = match logins {
        Some(logins) => (&logins.attempts, &logins.wrong),
        None => (&app.attempts, &app.wrong),
    };
    if !attempts.may_try(peer.ip()) {
        let detail = "too many log-ins from this address were wrong";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail));
    }
    if is_token {
        return Ok(Caller::Token);
    }
    let credentials = Credentials::parse(header.to_str().unwrap_or_default());
    let account = match (&credentials, logins) {
        (Credentials::Basic(pair), Some(logins)) => logins.accounts.by_basic(pair),
        _ => None,
    };
    if let Some(account) = account {
        return Ok(Caller::User(account.clone()));
    }
    let now = Instant::now();
    app.orders.events().tell(Happening::LoginRefused {
        peer: Some(peer),
        user: credentials.shown_name(),
        why: LoginRefusal::Wrong,
        held_back: wrong.may_tell(&peer.ip().to_string(), now),
    });
    if let Some(late) = attempts.note_wrong(peer.ip(), now) {
        wait_out(late).await;
    }
    Err(unauthorized(
        "there is no such token, or the name or the password is wrong",
    ))
}

/// Waits as long as an answer is to be late. It counts as waiting for all of that time, though whoever guessed may hang up, which
/// ends what waits for this.
async fn wait_out(late: Late) {
    let waits = tokio::spawn(async move {
        tokio::time::sleep(LATENESS).await;
        drop(late);
    });
    drop(waits.await);
}

fn unauthorized(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, detail)
}

fn challenge(problem: Problem) -> Response {
    let is_challenge = problem.status == StatusCode::UNAUTHORIZED.as_u16();
    let mut response = problem.into_response();
    let value = HeaderValue::try_from(format!("Basic realm=\"{REALM}\", charset=\"UTF-8\", Bearer"));
    if let Ok(value) = value
        && is_challenge
    {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}
