//! Log-ins that a page keeps: whoever has logged in once gets a cookie, which the page's scripts cannot read.
//!
//! A session lasts as long as what it was begun with: the token or the password. It is kept in memory alone.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use headers::{Cookie, HeaderMapExt as _};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::accounts::{Account, Accounts};

/// How long a session lasts that nobody uses.
const IDLE: Duration = Duration::from_hours(12);
/// How many there may be; the one that has not been used for longest goes for another one.
const MOST_SESSIONS: usize = 1000;
/// How many of them may be of one holder: nobody throws the others out.
const MOST_OF_ONE: usize = 100;
/// How many random bytes an id has.
const ID_BYTES: usize = 24;

/// Who has logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holder {
    /// Whoever has this token.
    Token(String),
    /// A user.
    User(Account),
}

/// The sessions of an HTTP server.
#[derive(Debug)]
pub(super) struct Sessions {
    /// The name of the cookie: browsers keep the cookies of all ports of a host together.
    cookie: String,
    secure: bool,
    all: Mutex<HashMap<String, Session>>,
}

#[derive(Debug)]
struct Session {
    holder: Holder,
    /// When it was used last, where nothing goes on in it now.
    used: Arc<Mutex<Instant>>,
    /// It ends with this, which is how answers that go on in it learn of that.
    end: watch::Sender<()>,
}

impl Session {
    fn begin(holder: Holder, now: Instant) -> Self {
        Self {
            holder,
            used: Arc::new(Mutex::new(now)),
            end: watch::Sender::new(()),
        }
    }

    /// Its life, for an answer that goes on in it.
    fn lifetime(&self) -> Lifetime {
        Lifetime {
            used: Arc::clone(&self.used),
            end: self.end.subscribe(),
        }
    }

    /// When it was used last: now, where something goes on in it.
    fn last_used(&self, now: Instant) -> Instant {
        if self.end.receiver_count() > 0 {
            now
        } else {
            *self.used.lock()
        }
    }

    /// Whether nobody has used it for so long that it is over.
    fn is_idle(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last_used(now)) >= IDLE
    }
}

/// The life of a session, for an answer that goes on in it. The session is in use until this is dropped: a page that is looked at
/// asks for nothing, for hours.
#[derive(Debug, Clone)]
pub(super) struct Lifetime {
    used: Arc<Mutex<Instant>>,
    end: watch::Receiver<()>,
}

impl Lifetime {
    /// Waits until the session has ended: by its holder, or for another one.
    pub(super) async fn ends(&mut self) {
        while self.end.changed().await.is_ok() {}
    }
}

impl Drop for Lifetime {
    fn drop(&mut self) {
        *self.used.lock() = Instant::now();
    }
}

impl Sessions {
    /// None so far; `port` is that of the server, `secure` whether it speaks TLS.
    pub(super) fn new(port: u16, secure: bool) -> Self {
        Self {
            cookie: format!("rtsp-clock-{port}"),
            secure,
            all: Mutex::default(),
        }
    }

    /// Begins one for `holder`; answers its cookie.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub(super) fn begin(&self, holder: Holder) -> Result<HeaderValue, getrandom::Error> {
        let mut bytes = [0; ID_BYTES];
        getrandom::fill(&mut bytes)?;
        let id = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let cookie = self.cookie(&id, "");
        let mut all = self.all.lock();
        let now = Instant::now();
        all.retain(|_, session| !session.is_idle(now));
        let own = all.values().filter(|session| session.holder == holder).count();
        if own >= MOST_OF_ONE || all.len() >= MOST_SESSIONS {
            let goes = |session: &Session| own < MOST_OF_ONE || session.holder == holder;
            let oldest = all.iter().filter(|(_, session)| goes(session));
            let oldest = oldest.min_by_key(|(_, session)| session.last_used(now));
            let oldest = oldest.map(|(id, _)| id.clone());
            oldest.and_then(|id| all.remove(&id));
        }
        all.insert(id, Session::begin(holder, now));
        Ok(cookie)
    }

    /// Ends the one that a request is of; answers a cookie in the place of its own.
    pub(super) fn end(&self, headers: &HeaderMap) -> HeaderValue {
        if let Some(id) = self.id(headers) {
            self.all.lock().remove(&id);
        }
        self.cookie("", "; Max-Age=0")
    }

    /// Who has begun the session that a request is of, and how long it lasts, where what it was begun with still counts: `token`,
    /// or one of the `accounts`.
    pub(super) fn holder(
        &self,
        headers: &HeaderMap,
        token: &str,
        accounts: Option<&Accounts>,
    ) -> Option<(Holder, Lifetime)> {
        let id = self.id(headers)?;
        let mut all = self.all.lock();
        let session = all.get(&id)?;
        let now = Instant::now();
        let is_idle = session.is_idle(now);
        let holder = match &session.holder {
            Holder::Token(held) if held == token && !token.is_empty() => Some(session.holder.clone()),
            Holder::Token(_) => None,
            // As the account is now: what it may see may have changed.
            Holder::User(account) => accounts
                .and_then(|accounts| accounts.same_as(account))
                .map(|account| Holder::User(account.clone())),
        };
        let lifetime = session.lifetime();
        let counts = holder.filter(|_| !is_idle);
        if counts.is_none() {
            all.remove(&id);
        }
        counts.map(|holder| (holder, lifetime))
    }

    fn id(&self, headers: &HeaderMap) -> Option<String> {
        let cookies = headers.typed_get::<Cookie>()?;
        cookies.get(&self.cookie).map(String::from)
    }

    fn cookie(&self, id: &str, more: &str) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let cookie = format!(
            "{}={id}; Path=/; HttpOnly; SameSite=Strict{secure}{more}",
            self.cookie
        );
        // All of it is ASCII without control characters.
        HeaderValue::try_from(cookie).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    fn request(cookie: &HeaderValue) -> HeaderMap {
        let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookie).unwrap())])
    }

    fn token() -> Holder {
        Holder::Token("0123456789abcdef".into())
    }

    /// Who has begun the session of the request.
    fn holder(sessions: &Sessions, headers: &HeaderMap, token: &str) -> Option<Holder> {
        let held = sessions.holder(headers, token, None);
        held.map(|(holder, _)| holder)
    }

    fn lifetime(sessions: &Sessions, headers: &HeaderMap) -> Lifetime {
        let held = sessions.holder(headers, "0123456789abcdef", None);
        held.expect("it counts").1
    }

    /// Whether the session has ended.
    fn has_ended(lifetime: &mut Lifetime) -> bool {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().build().expect("a runtime");
        let ends = async { tokio::time::timeout(Duration::ZERO, lifetime.ends()).await };
        runtime.block_on(ends).is_ok()
    }

    #[test]
    fn a_session_lasts_as_long_as_its_token() {
        let sessions = Sessions::new(8080, true);
        let cookie = sessions.begin(token()).unwrap();
        assert!(
            cookie
                .to_str()
                .unwrap()
                .ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure")
        );
        let headers = request(&cookie);
        assert_eq!(holder(&sessions, &headers, "0123456789abcdef"), Some(token()));
        assert_eq!(holder(&sessions, &headers, "another one"), None);
        assert_eq!(
            holder(&sessions, &headers, "0123456789abcdef"),
            None,
            "it has ended"
        );
        let other = request(&sessions.begin(token()).unwrap());
        sessions.end(&other);
        assert_eq!(holder(&sessions, &other, "0123456789abcdef"), None);
        assert_eq!(holder(&sessions, &HeaderMap::new(), ""), None);
    }

    #[test]
    fn there_are_only_so_many() {
        let sessions = Sessions::new(8080, false);
        let first = request(&sessions.begin(token()).unwrap());
        let second = request(&sessions.begin(token()).unwrap());
        let mut watched = lifetime(&sessions, &first);
        for _ in 2..MOST_OF_ONE {
            sessions.begin(token()).unwrap();
        }
        let last = request(&sessions.begin(token()).unwrap());
        assert_eq!(sessions.all.lock().len(), MOST_OF_ONE);
        assert!(!has_ended(&mut watched), "something goes on in it");
        assert_eq!(holder(&sessions, &second, "0123456789abcdef"), None);
        assert!(!has_ended(&mut lifetime(&sessions, &last)));
    }

    #[test]
    fn there_are_only_so_many_that_are_watched() {
        let sessions = Sessions::new(8080, false);
        let begin = || lifetime(&sessions, &request(&sessions.begin(token()).unwrap()));
        let mut watched: Vec<_> = (0..=MOST_OF_ONE).map(|_| begin()).collect();
        assert_eq!(sessions.all.lock().len(), MOST_OF_ONE);
        assert_eq!(
            watched
                .iter_mut()
                .filter_map(|one| has_ended(one).then_some(()))
                .count(),
            1
        );
    }

    #[test]
    fn what_goes_on_in_a_session_learns_of_its_end() {
        let sessions = Sessions::new(8080, false);
        let headers = request(&sessions.begin(token()).unwrap());
        let mut going_on = lifetime(&sessions, &headers);
        assert!(!has_ended(&mut going_on));
        sessions.end(&headers);
        assert!(has_ended(&mut going_on));
    }

    #[test]
    fn a_session_that_nobody_uses_is_over() {
        let sessions = Sessions::new(8080, false);
        let headers = request(&sessions.begin(token()).unwrap());
        let long_ago = || Instant::now().checked_sub(IDLE).expect("a monotonic clock");
        let age = || {
            let all = sessions.all.lock();
            all.values().for_each(|session| *session.used.lock() = long_ago());
        };
        let mut watched = lifetime(&sessions, &headers);
        age();
        assert!(!has_ended(&mut watched));
        assert_eq!(holder(&sessions, &headers, "0123456789abcdef"), Some(token()));
        age();
        drop(watched);
        assert_eq!(holder(&sessions, &headers, "0123456789abcdef"), Some(token()));
        age();
        assert_eq!(holder(&sessions, &headers, "0123456789abcdef"), None);
    }
}
