//! One client from its connection on: which streams it asks for, and when it watches them.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gst_rtsp::{RTSPHeaderField, RTSPLowerTrans, RTSPMethod, RTSPStatusCode, rtsp_message::RTSPMessage};
use gst_rtsp_server::{RTSPClient, RTSPContext, RTSPSession, prelude::*};
use parking_lot::Mutex;

use super::{
    joining::{self, Joining, Part},
    mending::{PUBLIC, speeds},
    mounts::{Mounted, Mounts},
    sessions::Sessions,
    transports::Transports,
};
use crate::{
    ffi::rtsp::{self, Delivered, HeldTransport},
    log,
    server::connections::{
        intake::{channels::Channels, handover::Plan},
        ties::{Leavers, Ties, end_media},
    },
    stream::{
        Presence, Stream,
        beginnings::Begin,
        joins::Start,
        media::Medium,
        receivers::Way,
        seats::Seats,
        viewers::{Farewell, Full, Transport, Viewer},
    },
};

/// A connection may stay this long without a session once it has had one.
const POST_SESSION_TIMEOUT: Duration = Duration::from_secs(10);

/// The streams that a client has asked for: their pipelines stay as long as it does.
#[derive(Debug, Default)]
struct Attendance {
    presences: Mutex<Vec<Presence>>,
}

impl Attendance {
    fn attend(&self, stream: &Arc<Stream>, client: &RTSPClient) {
        let mut presences = self.presences.lock();
        if !presences.iter().any(|presence| presence.is_at(stream)) {
            presences.push(stream.arrive(Some(client)));
        }
    }
}

/// What all clients of a server share.
#[derive(Debug, Clone)]
pub(in crate::server) struct Commons {
    pub(in crate::server) sessions: Arc<Sessions>,
    pub(in crate::server) transports: Arc<Transports>,
    pub(in crate::server) seats: Arc<Seats>,
    pub(in crate::server) leavers: Arc<Leavers>,
}

/// Follows `client`, which has come to the streams of `mounts` as planned, to its end.
pub(in crate::server) fn serve(
    client: &RTSPClient,
    plan: Option<&Plan>,
    mounts: &Arc<Mounts>,
    joining: &Arc<Joining>,
    commons: &Commons,
) {
    let Commons {
        sessions,
        transports,
        seats,
        leavers,
    } = commons;
    let connection = plan.map(|plan| plan.connection);
    let peer = connection.map(|connection| connection.peer());
    tracing::debug!(?peer, "connected");
    if let Some(peer) = peer {
        rtsp::accompany(client, log::introduce(client.as_ptr().addr(), peer));
    }
    client.set_post_session_timeout(i32::try_from(POST_SESSION_TIMEOUT.as_secs()).unwrap_or(i32::MAX));
    refuse_keys(client);
    refuse_changes(client, mounts);
    let left = Arc::clone(mounts);
    sessions.give(client, connection, move |session, why| {
        left.leave_all(session, why);
        end_media(session);
    });
    let ties = Arc::<Ties>::default();
    follow_setup(client, plan, mounts, &ties, joining);
    let leavers = Arc::clone(leavers);
    // Its sessions are over by then: handlers are called in their order.
    let ended = Arc::clone(joining);
    client.connect_closed(move |client| {
        ended.end();
        leavers.see_off(client, &ties);
    });
    follow_requests(client, mounts);
    turn_away(client, peer, mounts, seats);
    follow_play(client, plan, mounts, joining);
    let left = Arc::clone(mounts);
    client.connect_teardown_request(move |_, context| {
        if let (Some(session), Some(mounted)) = (session_id(context), left.asked_for(context)) {
            let viewers = mounted.stream.viewers();
            viewers.leave(&mounted.place(session), Farewell::Teardown);
        }
    });
    follow_answers(client, mounts, transports, joining);
}

/// Has what gst-rtsp-server answers be right, and looks at what it refuses.
fn follow_answers(
    client: &RTSPClient,
    mounts: &Arc<Mounts>,
    transports: &Arc<Transports>,
    joining: &Arc<Joining>,
) {
    let (mounts, transports, joining) = (Arc::clone(mounts), Arc::clone(transports), Arc::clone(joining));
    let sender = client.downgrade();
    client.connect("send-message", false, move |_| {
        RTSPContext::with_current_context(|context| {
            if let Some(response) = context.response() {
                mend_answer(response);
                if let Some(info) = joining
                    .rtp_info(context, &mounts)
                    .filter(|_| is_answered(context))
                {
                    response.add_header(RTSPHeaderField::RtpInfo, &info);
                }
            }
            dismiss_refused(context, &mounts);
            if let Some(client) = sender.upgrade() {
                transports.tell(&client, context, &mounts);
            }
        });
        None
    });
}

fn mend_answer(response: &RTSPMessage) {
    // What gst-rtsp-server fills in describes the packet sent last, or one that the gate has thrown away, never the first one
    // that the viewer gets.
    rtsp::remove_header(response, RTSPHeaderField::RtpInfo);
    if !rtsp::headers(response, RTSPHeaderField::Public).is_empty() {
        rtsp::replace_header(response, RTSPHeaderField::Public, PUBLIC);
    }
}

/// Whether the request has been done.
fn is_answered(context: &RTSPContext) -> bool {
    let status = context.response().and_then(rtsp::status);
    status.is_none_or(|status| status == RTSPStatusCode::Ok)
}

/// Whose PLAY is refused counts no longer.
fn dismiss_refused(context: &RTSPContext, mounts: &Mounts) {
    if rtsp::method(context) != RTSPMethod::PLAY || is_answered(context) {
        return;
    }
    if let (Some(session), Some(mounted)) = (session_id(context), mounts.asked_for(context)) {
        mounted.stream.viewers().dismiss(&mounted.place(session));
        stop_sending(context, &mounted);
    }
}

/// gst-rtsp-server may have begun to send to whose PLAY it refuses.
fn stop_sending(context: &RTSPContext, mounted: &Mounted) {
    let of_session = mounted.of_session(context);
    let Some(of_session) = of_session.filter(|media| !rtsp::is_playing(media)) else {
        return;
    };
    let media = of_session.media().map_or(0, |media| media.n_streams());
    for transport in (0..media).filter_map(|index| of_session.transport(index)) {
        let _is_no_more = transport.set_active(false);
        mounted
            .stream
            .destinations()
            .forget(HeldTransport::new(&transport).number());
    }
}

/// Whoever asks for a stream has it running from then on.
fn follow_requests(client: &RTSPClient, mounts: &Arc<Mounts>) {
    let attendance = Arc::new(Attendance::default());
    let weak = Arc::downgrade(&attendance);
    rtsp::accompany(client, attendance);
    let attend = {
        let mounts = Arc::clone(mounts);
        move |client: &RTSPClient, context: &RTSPContext| attend(&mounts, &weak, client, context)
    };
    client.connect_pre_describe_request(attend.clone());
    client.connect_pre_setup_request(attend);
}

fn attend(
    mounts: &Mounts,
    attendance: &Weak<Attendance>,
    client: &RTSPClient,
    context: &RTSPContext,
) -> RTSPStatusCode {
    let (Some(Mounted { stream, .. }), Some(attendance)) = (mounts.asked_for(context), attendance.upgrade())
    else {
        // gst-rtsp-server says that there is no such stream.
        return RTSPStatusCode::Ok;
    };
    attendance.attend(&stream, client);
    if stream.may_start() {
        RTSPStatusCode::Ok
    } else {
        RTSPStatusCode::ServiceUnavailable
    }
}

/// Knows by which ways the client gets what it has set up, and what it may report by them.
fn follow_setup(
    client: &RTSPClient,
    plan: Option<&Plan>,
    mounts: &Arc<Mounts>,
    ties: &Arc<Ties>,
    joining: &Arc<Joining>,
) {
    let Some(plan) = plan.cloned() else { return };
    let (mounts, ties, joining) = (Arc::clone(mounts), Arc::clone(ties), Arc::clone(joining));
    client.connect_setup_request(move |client, context| {
        let (Some(session), Some(mounted)) = (context.session(), mounts.asked_for(context)) else {
            return;
        };
        let Some(transport) = rtsp::transport_of(context) else {
            return;
        };
        let Some(delivered) = rtsp::delivered(&transport) else {
            return;
        };
        if let Some(way) = report_way(&delivered, plan.connection.peer()) {
            mounted.stream.receivers().expect(session, way);
        }
        let held = HeldTransport::new(&transport);
        let tallies = mounted.stream.tallies();
        let tally = tallies.open(held.number(), session, delivered.place());
        joining.note_url(held.number(), context);
        if let Some(pair) = delivered.channels() {
            let channels = channels(client, &plan);
            channels.set_up(held.number(), pair);
            channels.count(held.number(), &tally);
            ties.tie(client, context, held, pair, &mounted.stream);
        }
    });
}

/// The channels that `client` has: a tunnel has those of both its ways.
fn channels(client: &RTSPClient, plan: &Plan) -> Arc<Channels> {
    let cookie = rtsp::tunnel_cookie(client).filter(|_| rtsp::is_tunnelled(client));
    cookie.map_or_else(|| plan.line.channels(), |cookie| plan.intakes.book().of(&cookie))
}

/// How the client at `peer` reports on what is `delivered` to it.
fn report_way(delivered: &Delivered, peer: SocketAddr) -> Option<Way> {
    let port = |port| u16::try_from(port).ok();
    if delivered.channels().is_some() {
        // As gst-rtsp-server notes where the packets come from that a client sends within its connection.
        let host = delivered.destination?.to_canonical();
        return Some(Way::Connection((host, port(delivered.ports.0)?).into()));
    }
    if delivered.lower.contains(RTSPLowerTrans::UDP_MCAST) {
        return Some(Way::Multicast(peer.ip()));
    }
    let host = delivered.destination?.to_canonical();
    let (media, control) = delivered.ports;
    Some(Way::Udp(host, [port(media)?, port(control)?]))
}

/// Whoever plays a stream pauses before anything of it is set up (RFC 2326, section 10.4): gst-rtsp-server would exchange what
/// is there while others look at it, and go on sending to where it went.
fn refuse_changes(client: &RTSPClient, mounts: &Arc<Mounts>) {
    let mounts = Arc::clone(mounts);
    client.connect_pre_setup_request(move |_, context| {
        let mounted = mounts.asked_for(context);
        let of_session = mounted.and_then(|mounted| mounted.of_session(context));
        if of_session.as_ref().is_some_and(rtsp::is_playing) {
            RTSPStatusCode::MethodNotValidInThisState
        } else {
            RTSPStatusCode::Ok
        }
    });
}

/// No packets are encrypted here, and gst-rtsp-server would keep whatever keys it is told for as long as the pipeline runs.
fn refuse_keys(client: &RTSPClient) {
    client.connect_pre_setup_request(|_, context| {
        let has_keys = |request| rtsp::header(request, RTSPHeaderField::Keymgmt).is_some();
        if context.request().is_some_and(has_keys) {
            RTSPStatusCode::KeyManagementFailure
        } else {
            RTSPStatusCode::Ok
        }
    });
}

/// Lets nobody play where there are as many viewers as there may be. SETUP tells those early who would come in vain; PLAY
/// has the last word. In a SETUP that names no session there is none yet.
fn turn_away(client: &RTSPClient, peer: Option<SocketAddr>, mounts: &Arc<Mounts>, seats: &Arc<Seats>) {
    let (of_setup, free) = (Arc::clone(mounts), Arc::clone(seats));
    client.connect_pre_setup_request(move |_, context| {
        let Some(mounted) = of_setup.asked_for(context) else {
            return RTSPStatusCode::Ok;
        };
        let place = mounted.place(session_id(context).unwrap_or_default());
        answer(
            peer,
            &mounted,
            mounted.stream.viewers().would_admit(&place, &free),
        )
    });
    let (of_play, seats) = (Arc::clone(mounts), Arc::clone(seats));
    client.connect_pre_play_request(move |_, context| {
        let (Some(session), Some(mounted)) = (session_id(context), of_play.asked_for(context)) else {
            return RTSPStatusCode::Ok;
        };
        let place = mounted.place(session);
        answer(peer, &mounted, mounted.stream.viewers().admit(&place, &seats))
    });
}

fn answer(peer: Option<SocketAddr>, mounted: &Mounted, admission: Result<(), Full>) -> RTSPStatusCode {
    let Err(full) = admission else {
        return RTSPStatusCode::Ok;
    };
    tracing::warn!(path = mounted.path, ?peer, "refused a viewer: {full}");
    RTSPStatusCode::NotEnoughBandwidth
}

fn follow_play(client: &RTSPClient, plan: Option<&Plan>, mounts: &Arc<Mounts>, joining: &Arc<Joining>) {
    let peer = plan.map(|plan| plan.connection.peer());
    let has_asked = Arc::new(AtomicBool::new(false));
    let (before, of_client, asks) = (Arc::clone(mounts), plan.cloned(), Arc::clone(&has_asked));
    let joins = Arc::clone(joining);
    client.connect_pre_play_request(move |client, context| {
        if speeds::asks_for_another_speed(context) {
            tracing::warn!(
                ?peer,
                "refused a PLAY that asks for another speed than the live one"
            );
            return RTSPStatusCode::HeaderFieldNotValidForResource;
        }
        if let Some(mounted) = before.asked_for(context) {
            let start = joins.start();
            asks.store(start.is_some() || mounted.stream.before_play(), Ordering::Relaxed);
            let channels = of_client.as_ref().map(|plan| channels(client, plan));
            let parts = joining::parts_to_begin(context, &mounted);
            hold_back(channels.as_deref(), &parts, &mounted.stream, start);
        }
        RTSPStatusCode::Ok
    });
    let after = Arc::clone(mounts);
    client.connect_play_request(move |client, context| {
        let (Some(session), Some(mounted)) = (session_id(context), after.asked_for(context)) else {
            return;
        };
        let viewer = viewer(client, context, &mounted, peer);
        mounted.stream.viewers().play(mounted.place(session), viewer);
        // One request of a client is handled after the other.
        mounted.stream.after_play(has_asked.load(Ordering::Relaxed));
    });
}

/// Has nothing of what begins to play go out before its start; where that is not known, before its key picture.
fn hold_back(channels: Option<&Channels>, parts: &[Part], stream: &Stream, start: Option<Start>) {
    let (destinations, keys) = (stream.destinations(), stream.keys());
    let mut picture = None;
    for part in parts {
        let number = part.number;
        let within = channels.filter(|channels| channels.carry(number));
        let to = udp_destination(part);
        let begin = match (start, part.medium) {
            (Some(start), Medium::Picture) => start
                .picture
                .map(|first| Begin::AtKeyPicture(first, Arc::clone(keys))),
            (Some(start), Medium::Sound) => start.sound.map(Begin::At),
            (None, Medium::Picture) => Some(Begin::KeyPicture(Arc::clone(keys))),
            // Sound alone begins with what comes.
            (None, Medium::Sound) => picture
                .filter(|(is_within, _)| *is_within == within.is_some())
                .map(|(_, picture)| Begin::With(picture)),
        };
        let Some(begin) = begin else { continue };
        match (within, to) {
            (Some(channels), _) => channels.hold_back(number, begin),
            (None, Some(to)) => destinations.hold_back(number, to, begin),
            (None, None) => continue,
        }
        if part.medium == Medium::Picture {
            picture = Some((within.is_some(), number));
        }
    }
}

/// Where what is played over UDP goes, and to no one else.
fn udp_destination(part: &Part) -> Option<SocketAddr> {
    part.delivered.place().filter(|_| !part.is_multicast())
}

fn session_id(context: &RTSPContext) -> Option<String> {
    context
        .session()
        .and_then(RTSPSession::sessionid)
        .map(String::from)
}

/// Who plays what the session of `context` has set up of what is `mounted`.
fn viewer(client: &RTSPClient, context: &RTSPContext, mounted: &Mounted, peer: Option<SocketAddr>) -> Viewer {
    // The first one that it has asked for: there may be a picture, a sound, or both.
    let first = mounted
        .of_session(context)
        .and_then(|of_session| joining::parts(&of_session).into_iter().next());
    let lower = first.map(|part| part.delivered.lower);
    let transport = match lower {
        _ if rtsp::is_tunnelled(client) => Transport::HttpTunnel,
        Some(lower) if lower.contains(RTSPLowerTrans::TCP) => Transport::Tcp,
        Some(lower) if lower.contains(RTSPLowerTrans::UDP_MCAST) => Transport::Multicast,
        _ => Transport::Udp,
    };
    Viewer { peer, transport }
}
