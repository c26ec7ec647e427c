//! Who may ask for what: before anything else looks at a request, it has to have a log-in and ask for a stream that its user
//! may see. On the way it is mended, and waits if it has to.
//!
//! gst-rtsp-server's own check comes late (a DESCRIBE without a log-in has started a camera by then), takes less time for
//! a name that it does not know than for a wrong password, remembers every challenge for half a minute, and gives
//! rights to a pipeline, while several paths may show one pipeline. So this guard takes its place.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use gst::{glib, subclass::prelude::*};
use gst_rtsp::{RTSPHeaderField, RTSPMethod, RTSPStatusCode};
use gst_rtsp_server::{RTSPAuth, RTSPContext, prelude::*};

use super::{mending, mounts::Found, visit::Visit};
use crate::{
    accounts::{
        Account, REALM,
        attempts::{LATENESS, Late},
        credentials::{Answer, Credentials},
        logins::Logins,
    },
    config::Mount,
    events::{Happening, LoginRefusal},
    ffi::rtsp,
    log::Repeats,
    resource::Resource,
    timers,
};

glib::wrapper! {
    /// Guards one connection, by the means of gst-rtsp-server.
    pub(in crate::server) struct Guard(ObjectSubclass<imp::Guard>) @extends RTSPAuth;
}

impl Guard {
    /// Guards the client of `visit`.
    pub(in crate::server) fn new(visit: &Arc<Visit>) -> Self {
        let guard: Self = glib::Object::new();
        let check = RequestCheck {
            log_in: OnceLock::new(),
            visit: Arc::clone(visit),
        };
        check.need_log_in();
        if guard.imp().check.set(check).is_err() {
            tracing::error!(target: "accounts", "a guard has two checks");
        }
        guard
    }
}

/// What each request of a client has to pass.
struct RequestCheck {
    /// By the log-ins that counted when one was needed first; none as long as everybody may watch.
    log_in: OnceLock<LogInCheck>,
    visit: Arc<Visit>,
}

impl RequestCheck {
    /// Whether the request may go on, as its client means it. Where it may not, it waits or has been answered.
    fn lets_pass(&self, context: &RTSPContext) -> bool {
        let Visit { mounts, joining, .. } = &*self.visit;
        match joining.queues(context) {
            Some(false) => {}
            Some(true) => return false,
            None => return answer(context, RTSPStatusCode::ServiceUnavailable, &[]),
        }
        mending::mend_url(context, mounts);
        if joining.has_waited() {
            // The log-in and the rest were checked before it waited; `Visit::may_play` does so again.
            return true;
        }
        if self
            .log_in(context)
            .is_some_and(|log_in| !log_in.lets_pass(context))
        {
            return false;
        }
        match self.check(context) {
            Ok(()) => !joining.holds(context, mounts),
            Err(status) => answer(context, status, &[]),
        }
    }

    /// Who asks has to log in where that is needed. Who has come when it was not goes on without, but asks for no other stream so.
    fn log_in(&self, context: &RTSPContext) -> Option<&LogInCheck> {
        let log_in = self.log_in.get();
        if log_in.is_some() || !asks_for_stream(rtsp::method(context)) {
            return log_in;
        }
        self.need_log_in()
    }

    /// Needs a log-in from now on, if there are any.
    fn need_log_in(&self) -> Option<&LogInCheck> {
        let logins = self.visit.commons.logins.get()?;
        Some(self.log_in.get_or_init(|| LogInCheck {
            connection: logins.connections.fetch_add(1, Ordering::Relaxed),
            logins,
            visit: Arc::clone(&self.visit),
            has_logged_in: AtomicBool::new(false),
        }))
    }

    fn check(&self, context: &RTSPContext) -> Result<(), RTSPStatusCode> {
        let Visit { mounts, commons, .. } = &*self.visit;
        if rtsp::method(context) == RTSPMethod::SETUP {
            commons.negotiation.choose(context, mounts, self.visit.peer())
        } else {
            mending::check(context)
        }
    }

    /// Whether gst-rtsp-server has found the stream that has been asked for. Where there are `/a`, `/a-b` and `/a/1`, it
    /// finds `/a` for a request for `/a/1`: its search goes through the paths in their order, and ends at the first one with
    /// which the wanted one does not begin.
    fn has_found_it(&self, context: &RTSPContext) -> bool {
        let asked = self.visit.mounts.asked_for(context);
        let has_found_it = asked.is_some_and(|mounted| rtsp::has_found(context, mounted.stream.factory()));
        has_found_it || answer(context, RTSPStatusCode::NotFound, &[])
    }
}

/// Whether each request of a client has a log-in, and is for a stream that its user may see.
struct LogInCheck {
    /// Those that counted when the connection needed one first: its challenges are theirs.
    logins: Arc<Logins>,
    connection: u32,
    visit: Arc<Visit>,
    /// The last log-in of this connection was right: it may try again however many wrong ones came from its address.
    has_logged_in: AtomicBool,
}

/// What a request's log-in says of who asks.
enum Asker<'a> {
    /// There is no log-in.
    Unnamed,
    /// Somebody who has logged in.
    Known(&'a Account),
    /// The log-in is right, but answers a challenge that is not good any more.
    Late,
    /// The log-in is wrong.
    Wrong(Credentials),
    /// The log-in has not been looked at: too many from its address were wrong.
    Slowed,
}

impl LogInCheck {
    /// Whether the request may go on. Where it may not, it has been answered.
    fn lets_pass(&self, context: &RTSPContext) -> bool {
        let method = rtsp::method(context);
        match self.asker(context, method) {
            // Clients begin with OPTIONS, without a log-in even if they have one, and it tells nothing about a stream.
            Asker::Unnamed if method == RTSPMethod::OPTIONS => true,
            Asker::Unnamed => self.challenge(context, false),
            Asker::Late => self.challenge(context, true),
            Asker::Wrong(credentials) => {
                // Whoever knows one password may guess another.
                self.has_logged_in.store(false, Ordering::Relaxed);
                self.tell_wrong(&credentials);
                match self.logins.attempts.note_wrong(self.address(), Instant::now()) {
                    None => self.challenge(context, false),
                    Some(late) => self.challenge_late(context, late),
                }
            }
            Asker::Slowed => answer(context, RTSPStatusCode::ServiceUnavailable, &[]),
            Asker::Known(account) => {
                self.has_logged_in.store(true, Ordering::Relaxed);
                self.visit.set_user(account);
                if !self.visit.has_good_login() {
                    return self.challenge(context, false);
                }
                !asks_for_stream(method) || self.may_see(account, context)
            }
        }
    }

    fn asker(&self, context: &RTSPContext, method: RTSPMethod) -> Asker<'_> {
        let field = RTSPHeaderField::Authorization;
        let Some(header) = context.request().and_then(|request| rtsp::header(request, field)) else {
            return Asker::Unnamed;
        };
        let Logins {
            authentication,
            accounts,
            nonces,
            attempts,
            ..
        } = &*self.logins;
        if !self.has_logged_in.load(Ordering::Relaxed) && !attempts.may_try(self.address()) {
            return Asker::Slowed;
        }
        let credentials = Credentials::parse(&header);
        let account = match &credentials {
            Credentials::Basic(pair) if authentication.has_basic() => accounts.by_basic(pair),
            Credentials::Digest(answer) if authentication.has_digest() => {
                let account = accounts.by_digest(answer, name(method));
                let is_ours = nonces.accepts(&answer.nonce, self.connection, self.address(), Instant::now());
                if account.is_some() && !is_ours {
                    return Asker::Late;
                }
                account.filter(|_| self.is_for(answer, context))
            }
            _ => None,
        };
        account.map_or(Asker::Wrong(credentials), Asker::Known)
    }

    /// Whether the answer to a challenge was made for what is asked for: the request's own URL, or another one of the same
    /// stream, as clients differ (`FFmpeg` writes the stream's for all of its media).
    fn is_for(&self, answer: &Answer, context: &RTSPContext) -> bool {
        let Some(asked) = context.uri().and_then(rtsp::path) else {
            // The request asks for `*`, which has no path.
            return true;
        };
        let (mounts, made_for) = (&self.visit.mounts, Resource::parse(&answer.uri));
        match (mounts.asked_for(context), mounts.find(&made_for)) {
            (Some(asked), Some(Found { mounted, .. })) => asked.point == mounted.point,
            (None, None) => asked == made_for.path,
            _ => false,
        }
    }

    /// Whether there is the stream that is asked for, and the user may see it. A user who may not is answered as if there were
    /// none.
    fn may_see(&self, account: &Account, context: &RTSPContext) -> bool {
        let asked = self.visit.mounts.asked_for(context);
        let Some(mount) = asked.map(|mounted| mounted.mount()) else {
            return answer(context, RTSPStatusCode::NotFound, &[]);
        };
        if self.visit.may_see(&mount) {
            return true;
        }
        self.tell_forbidden(account, &mount);
        answer(context, RTSPStatusCode::NotFound, &[])
    }

    /// Asks for a log-in. `is_stale` says that the given one was right, but made for an old challenge.
    fn challenge(&self, context: &RTSPContext, is_stale: bool) -> bool {
        answer(context, RTSPStatusCode::Unauthorized, &self.challenges(is_stale))
    }

    fn challenges(&self, is_stale: bool) -> Vec<String> {
        let Logins {
            authentication,
            nonces,
            ..
        } = &*self.logins;
        let mut challenges = Vec::new();
        if authentication.has_basic() {
            challenges.push(format!("Basic realm=\"{REALM}\""));
        }
        if authentication.has_digest() {
            let nonce = nonces.issue(self.connection, self.address(), Instant::now());
            let stale = if is_stale { ", stale=true" } else { "" };
            challenges.push(format!("Digest realm=\"{REALM}\", nonce=\"{nonce}\"{stale}"));
        }
        challenges
    }

    /// Asks for a log-in later, and lets others be served meanwhile.
    fn challenge_late(&self, context: &RTSPContext, late: Late) -> bool {
        let (Some(client), Some(request)) = (context.client(), context.request()) else {
            return false;
        };
        let challenges = self.challenges(false);
        let sequence = rtsp::header(request, RTSPHeaderField::Cseq);
        let client = client.downgrade();
        let answer = move || {
            if let Some(client) = client.upgrade() {
                let status = RTSPStatusCode::Unauthorized;
                rtsp::respond(&client, status, sequence.as_deref(), &challenges);
            }
            drop(late);
        };
        if let Some(context) = timers::here() {
            timers::after(&context, glib::Priority::DEFAULT, LATENESS, answer);
        }
        false
    }

    fn tell_wrong(&self, credentials: &Credentials) {
        let held_back = self.may_log(&self.logins.wrong);
        self.tell(credentials.shown_name(), LoginRefusal::Wrong, held_back);
    }

    fn tell_forbidden(&self, account: &Account, place: &Mount) {
        let held_back = self.may_log(&self.logins.forbidden);
        let path = place.path.clone();
        self.tell(account.name.clone(), LoginRefusal::Forbidden { path }, held_back);
    }

    fn tell(&self, user: String, why: LoginRefusal, held_back: Option<u64>) {
        self.visit.commons.events.tell(Happening::LoginRefused {
            peer: self.visit.peer(),
            user,
            why,
            held_back,
        });
    }

    /// `None` if the log may not tell of this address now; otherwise how often it has held back.
    fn may_log(&self, repeats: &Repeats) -> Option<u64> {
        repeats.may_tell(&self.address().to_string(), Instant::now())
    }

    fn address(&self) -> IpAddr {
        let peer = self.visit.peer();
        peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.ip())
    }
}

/// The method's name, as Digest's sums need it.
fn name(method: RTSPMethod) -> &'static str {
    match method {
        RTSPMethod::DESCRIBE => "DESCRIBE",
        RTSPMethod::ANNOUNCE => "ANNOUNCE",
        RTSPMethod::GET_PARAMETER => "GET_PARAMETER",
        RTSPMethod::OPTIONS => "OPTIONS",
        RTSPMethod::PAUSE => "PAUSE",
        RTSPMethod::PLAY => "PLAY",
        RTSPMethod::RECORD => "RECORD",
        RTSPMethod::REDIRECT => "REDIRECT",
        RTSPMethod::SETUP => "SETUP",
        RTSPMethod::SET_PARAMETER => "SET_PARAMETER",
        RTSPMethod::TEARDOWN => "TEARDOWN",
        _ => "",
    }
}

/// Whether the answer would tell something of the stream. The answers to other methods tell of the client's own session only.
fn asks_for_stream(method: RTSPMethod) -> bool {
    let ones = RTSPMethod::DESCRIBE
        | RTSPMethod::ANNOUNCE
        | RTSPMethod::SETUP
        | RTSPMethod::PLAY
        | RTSPMethod::RECORD;
    ones.contains(method)
}

/// Answers the request, which ends with that.
fn answer(context: &RTSPContext, status: RTSPStatusCode, challenges: &[String]) -> bool {
    if let (Some(client), Some(response)) = (context.client(), context.response()) {
        response.init_response(status, context.request());
        for challenge in challenges {
            response.add_header(RTSPHeaderField::WwwAuthenticate, challenge);
        }
        client.send_message(response, None);
    }
    false
}

mod imp {
    use super::{OnceLock, RTSPAuth, RTSPContext, RequestCheck, glib};
    use gst_rtsp_server::subclass::prelude::*;

    #[derive(Default)]
    pub(in crate::server) struct Guard {
        pub(super) check: OnceLock<RequestCheck>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Guard {
        const NAME: &'static str = "RtspClockGuard";
        type Type = super::Guard;
        type ParentType = RTSPAuth;
    }

    impl ObjectImpl for Guard {}

    impl RTSPAuthImpl for Guard {
        /// gst-rtsp-server asks of each request whether its URL may be asked for, and then of the stream that it has
        /// found whether it may be accessed and made. Any other question is answered with no.
        fn check(&self, context: &RTSPContext, check: &glib::GString) -> bool {
            let Some(of_request) = self.check.get() else {
                return false;
            };
            match check.as_str() {
                "auth.check.url" => of_request.lets_pass(context),
                "auth.check.media.factory.access" => of_request.has_found_it(context),
                "auth.check.media.factory.construct" => true,
                _ => false,
            }
        }
    }
}
