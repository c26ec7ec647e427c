//! One client from its connection on: which streams it asks for, and when it watches them.
//!
//! Each signal by which gst-rtsp-server tells of the client has one handler, a method of [`Visit`].
//!
//! | module | job |
//! | --- | --- |
//! | `setup` | before and after a SETUP |
//! | `play` | before and after a PLAY |
//! | `answers` | before an answer goes out |

use std::{
    net::SocketAddr,
    sync::{Arc, Weak, atomic::AtomicBool},
    time::Duration,
};

use gst_rtsp::RTSPStatusCode;
use gst_rtsp_server::{RTSPClient, RTSPContext, RTSPSession, prelude::*};
use parking_lot::Mutex;

use super::{
    joining::Joining,
    mounts::{Mounted, Mounts},
    negotiation::Negotiation,
    sessions::{Sessions, SessionsOfConnection},
};
use crate::{
    accounts::{Account, logins::CurrentLogins},
    config::{Mount, Transport},
    events::{Events, Farewell, Refusal},
    ffi::rtsp,
    log,
    server::connections::{
        intake::{channels::Channels, handover::Arrival},
        ties::{Leavers, Ties, end_media},
    },
    stream::{Presence, Stream, seats::Seats},
};

mod answers;
mod play;
mod setup;
#[cfg(test)]
mod tests;

/// A connection may stay this long without a session once it has had one.
const POST_SESSION_TIMEOUT: Duration = Duration::from_secs(10);

/// The streams that a client has asked for: their pipelines stay as long as it does.
#[derive(Debug, Default)]
struct Presences(Mutex<Vec<Presence>>);

impl Presences {
    fn add(&self, stream: &Arc<Stream>, client: &RTSPClient) {
        let mut presences = self.0.lock();
        if !presences.iter().any(|presence| presence.is_at(stream)) {
            presences.push(stream.arrive(Some(client)));
        }
    }
}

/// What all clients of a server share.
#[derive(Debug, Clone)]
pub(in crate::server) struct Commons {
    pub(in crate::server) logins: Arc<CurrentLogins>,
    pub(in crate::server) events: Arc<Events>,
    pub(in crate::server) sessions: Arc<Sessions>,
    pub(in crate::server) negotiation: Arc<Negotiation>,
    pub(in crate::server) seats: Arc<Seats>,
    pub(in crate::server) leavers: Arc<Leavers>,
}

impl Commons {
    /// The server may have so many viewers from now on.
    pub(in crate::server) fn limit_viewers(&self, most: Option<u32>) {
        self.seats.limit(most);
        self.sessions.limit(most);
    }
}

/// What the requests of one client need. The client holds it, by its handlers and its guard; it does not hold the client.
#[derive(Debug)]
pub(in crate::server) struct Visit {
    /// The client's connection; `None` where it was not handed over by this server.
    arrival: Option<Arrival>,
    pub(super) mounts: Arc<Mounts>,
    pub(super) joining: Arc<Joining>,
    pub(super) commons: Commons,
    sessions: Arc<SessionsOfConnection>,
    ties: Ties,
    /// The client holds them, and drops them last of all that it holds.
    presences: Weak<Presences>,
    /// The key frame with which the viewer begins whose PLAY is being handled has been asked for. The requests of a client are
    /// handled one after the other.
    has_asked_for_key_frame: AtomicBool,
    /// Who has logged in last; `None` where everybody may watch.
    user: Mutex<Option<Account>>,
}

impl Visit {
    /// Follows `client`, which has come to the streams of `mounts`, from now to its end.
    pub(in crate::server) fn begin(
        client: &RTSPClient,
        arrival: Option<Arrival>,
        mounts: &Arc<Mounts>,
        commons: &Commons,
    ) -> Arc<Self> {
        let connection = arrival.as_ref().map(|arrival| arrival.connection);
        let presences = Arc::<Presences>::default();
        let visit = Arc::new(Self {
            arrival,
            mounts: Arc::clone(mounts),
            joining: Joining::new(&commons.seats),
            commons: commons.clone(),
            sessions: SessionsOfConnection::new(&commons.sessions, connection),
            ties: Ties::default(),
            presences: Arc::downgrade(&presences),
            has_asked_for_key_frame: AtomicBool::new(false),
            user: Mutex::default(),
        });
        let peer = visit.peer();
        tracing::debug!(target: "requests", ?peer, "connected");
        if let Some(peer) = peer {
            rtsp::accompany(client, log::introduce(client.as_ptr().addr(), peer));
        }
        rtsp::accompany(client, presences);
        client.set_post_session_timeout(i32::try_from(POST_SESSION_TIMEOUT.as_secs()).unwrap_or(i32::MAX));
        visit.follow_sessions(client);
        visit.follow_requests(client);
        visit
    }

    /// Where the client comes from.
    pub(super) fn peer(&self) -> Option<SocketAddr> {
        self.arrival.as_ref().map(|arrival| arrival.connection.peer())
    }

    /// The client asks as this user from now on.
    pub(super) fn set_user(&self, account: &Account) {
        let mut user = self.user.lock();
        if user.as_ref() != Some(account) {
            *user = Some(account.clone());
        }
    }

    /// Whether the log-in that the client has given, if any, counts still.
    pub(super) fn has_good_login(&self) -> bool {
        self.account_now().is_ok()
    }

    /// Whether the client, who has a good log-in or needs none, may see the stream that is mounted there.
    pub(super) fn may_see(&self, mount: &Mount) -> bool {
        let account = self.account_now();
        account.is_ok_and(|account| account.is_none_or(|account| account.may_see(mount)))
    }

    /// The user as the log-ins that count now have it, none where nobody had to say; an error where they have not.
    fn account_now(&self) -> Result<Option<Account>, ()> {
        let (Some(user), Some(logins)) = (self.user.lock().clone(), self.commons.logins.get()) else {
            return Ok(None);
        };
        logins.accounts.same_as(&user).cloned().map(Some).ok_or(())
    }

    /// Whether the client may play what is mounted, by that way: what it has set up may be forbidden by now.
    fn may_play(&self, mounted: &Mounted, way: Transport) -> Result<(), (RTSPStatusCode, Farewell)> {
        if !self.has_good_login() {
            return Err((RTSPStatusCode::Unauthorized, Farewell::LoggedOut));
        }
        if !self.may_see(&mounted.mount()) {
            return Err((RTSPStatusCode::NotFound, Farewell::LoggedOut));
        }
        if !mounted.stream.transports().contains(&way) {
            return Err((RTSPStatusCode::UnsupportedTransport, Farewell::Disallowed));
        }
        Ok(())
    }

    fn follow_sessions(self: &Arc<Self>, client: &RTSPClient) {
        let pool = SessionsOfConnection::pool();
        let visit = Arc::clone(self);
        pool.connect_session_removed(move |_, session| visit.session_removed(session));
        client.set_session_pool(Some(&pool));
        let visit = Arc::clone(self);
        client.connect_new_session(move |client, session| visit.sessions.begin(client, session));
        let visit = Arc::clone(self);
        client.connect_closed(move |client| visit.closed(client));
    }

    fn follow_requests(self: &Arc<Self>, client: &RTSPClient) {
        let visit = Arc::clone(self);
        client
            .connect_pre_describe_request(move |client, context| status(visit.pre_describe(client, context)));
        let visit = Arc::clone(self);
        client.connect_pre_setup_request(move |client, context| status(visit.pre_setup(client, context)));
        let visit = Arc::clone(self);
        client.connect_setup_request(move |client, context| {
            visit.setup(client, context);
        });
        let visit = Arc::clone(self);
        client.connect_pre_play_request(move |client, context| status(visit.pre_play(client, context)));
        let visit = Arc::clone(self);
        client.connect_play_request(move |client, context| visit.play(client, context));
        let visit = Arc::clone(self);
        client.connect_teardown_request(move |_, context| visit.teardown(context));
        let visit = Arc::clone(self);
        client.connect("send-message", false, move |arguments| {
            let client: Option<RTSPClient> = arguments.first().and_then(|client| client.get().ok());
            visit.send_message(client.as_ref());
            None
        });
    }

    fn pre_describe(&self, client: &RTSPClient, context: &RTSPContext) -> Result<(), RTSPStatusCode> {
        let mounted = self.mounts.asked_for(context);
        // Where there is no such stream, gst-rtsp-server says so.
        mounted.map_or(Ok(()), |mounted| self.attend(client, &mounted))
    }

    fn teardown(&self, context: &RTSPContext) {
        if let (Some(session), Some(mounted)) = (session_id(context), self.mounts.asked_for(context)) {
            let viewers = mounted.stream.viewers();
            viewers.leave(&mounted.place(session), Farewell::Teardown);
        }
    }

    fn session_removed(&self, session: &RTSPSession) {
        let why = self.sessions.end(session);
        self.mounts.leave_all(session, why);
        end_media(session);
    }

    /// The order matters: the client's sessions have to be over before it is seen off.
    fn closed(&self, client: &RTSPClient) {
        tracing::debug!(target: "requests", "connection closed");
        self.sessions.end_all(client);
        self.joining.end();
        self.commons.leavers.see_off(client, &self.ties);
    }

    /// The client asks for a stream, whose pipeline stays from now on as long as the client does. Refuses where the pipeline may
    /// not start.
    fn attend(&self, client: &RTSPClient, Mounted { stream, .. }: &Mounted) -> Result<(), RTSPStatusCode> {
        let Some(presences) = self.presences.upgrade() else {
            return Ok(());
        };
        presences.add(stream, client);
        if stream.may_start() {
            Ok(())
        } else {
            Err(RTSPStatusCode::ServiceUnavailable)
        }
    }

    /// The answer to somebody who wants to play what is `mounted`.
    fn answer(&self, mounted: &Mounted, admission: Result<(), Refusal>) -> Result<(), RTSPStatusCode> {
        admission.map_err(|full| {
            self.tell_refused(mounted, full, Some(0));
            RTSPStatusCode::NotEnoughBandwidth
        })
    }

    /// Tells why the client may not play what is `mounted`; the log has left out so many refusals of the kind, or leaves out
    /// this one.
    fn tell_refused(&self, mounted: &Mounted, why: Refusal, held_back: Option<u64>) {
        let viewers = mounted.stream.viewers();
        viewers.tell_refused(&mounted.mount(), self.peer(), why, held_back);
    }

    /// The channels that `client` has: a tunnel has those of both its ways.
    fn channels(&self, client: &RTSPClient) -> Option<Arc<Channels>> {
        let arrival = self.arrival.as_ref()?;
        let cookie = rtsp::tunnel_cookie(client).filter(|_| rtsp::is_tunnelled(client));
        Some(cookie.map_or_else(
            || arrival.channels.current(),
            |cookie| arrival.intakes.tunnels().of(&cookie),
        ))
    }
}

fn status(checked: Result<(), RTSPStatusCode>) -> RTSPStatusCode {
    checked.err().unwrap_or(RTSPStatusCode::Ok)
}

fn session_id(context: &RTSPContext) -> Option<String> {
    context
        .session()
        .and_then(RTSPSession::sessionid)
        .map(String::from)
}
