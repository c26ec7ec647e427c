//! A SETUP: whether it may be done, and what is noted once it is done.

use std::net::SocketAddr;

use gst_rtsp::{RTSPHeaderField, RTSPLowerTrans, RTSPStatusCode};
use gst_rtsp_server::{RTSPClient, RTSPContext};

use super::{Visit, session_id};
use crate::{
    events::Refusal,
    ffi::rtsp::{self, Delivered, HeldTransport},
    server::requests::mounts::Mounted,
    stream::receivers::Way,
};

impl Visit {
    /// Whether a SETUP may be done: the first refusal is the answer.
    pub(super) fn pre_setup(&self, client: &RTSPClient, context: &RTSPContext) -> Result<(), RTSPStatusCode> {
        let mounted = self.mounts.asked_for(context);
        refuse_keys(context)?;
        refuse_changes(context, mounted.as_ref())?;
        // Where there is no such stream, gst-rtsp-server says so, and makes no session.
        let Some(mounted) = mounted else { return Ok(()) };
        self.check_sessions(client, context, &mounted)?;
        self.attend(client, &mounted)?;
        self.check_seats(context, &mounted)
    }

    /// Refuses a session where there are as many as there may be.
    fn check_sessions(
        &self,
        client: &RTSPClient,
        context: &RTSPContext,
        mounted: &Mounted,
    ) -> Result<(), RTSPStatusCode> {
        self.sessions.check_room(client, context).map_err(|too_many| {
            let cause = too_many.to_string();
            let why = Refusal::SessionsFull { cause };
            self.tell_refused(mounted, why, self.sessions.may_tell_refusal());
            RTSPStatusCode::ServiceUnavailable
        })
    }

    /// Refuses early somebody who could not play anyway; PLAY has the last word. A SETUP that names no session has none yet.
    fn check_seats(&self, context: &RTSPContext, mounted: &Mounted) -> Result<(), RTSPStatusCode> {
        let place = mounted.place(session_id(context).unwrap_or_default());
        let admission = mounted.stream.viewers().would_admit(&place, &self.commons.seats);
        self.answer(mounted, admission)
    }

    /// A SETUP is done: notes how the client gets what it has set up, and how it reports on it. Answers `None` where there is
    /// less to note.
    pub(super) fn setup(&self, client: &RTSPClient, context: &RTSPContext) -> Option<()> {
        let peer = self.peer()?;
        let mounted = self.mounts.asked_for(context)?;
        let session = context.session()?;
        let transport = rtsp::transport_of(context)?;
        let delivered = rtsp::delivered(&transport)?;
        if let Some(way) = report_way(&delivered, peer) {
            mounted.stream.receivers().expect(session, way);
        }
        let held = HeldTransport::new(&transport);
        let tallies = mounted.stream.tallies();
        let tally = tallies.open(held.number(), session, delivered.place());
        self.joining.note_url(held.number(), context);
        let pair = delivered.channels()?;
        let channels = self.channels(client)?;
        channels.set_up(held.number(), pair);
        channels.count(held.number(), &tally);
        self.ties.tie(client, context, held, pair, &mounted.stream);
        Some(())
    }
}

/// No packets are encrypted here, and gst-rtsp-server would keep whatever keys it is told for as long as the pipeline runs.
fn refuse_keys(context: &RTSPContext) -> Result<(), RTSPStatusCode> {
    let has_keys = |request| rtsp::header(request, RTSPHeaderField::Keymgmt).is_some();
    if context.request().is_some_and(has_keys) {
        Err(RTSPStatusCode::KeyManagementFailure)
    } else {
        Ok(())
    }
}

/// A client that plays a stream has to pause before it sets up anything of it again (RFC 2326, section 10.4): gst-rtsp-server
/// would exchange its transport while other threads look at it, and go on sending to the old place.
fn refuse_changes(context: &RTSPContext, mounted: Option<&Mounted>) -> Result<(), RTSPStatusCode> {
    let session_media = mounted.and_then(|mounted| mounted.session_media(context));
    if session_media.as_ref().is_some_and(rtsp::is_playing) {
        Err(RTSPStatusCode::MethodNotValidInThisState)
    } else {
        Ok(())
    }
}

/// How the client at `peer` reports on what is `delivered` to it.
fn report_way(delivered: &Delivered, peer: SocketAddr) -> Option<Way> {
    let port = |port| u16::try_from(port).ok();
    if delivered.channels().is_some() {
        // This is the address that gst-rtsp-server notes for the packets that a client sends within its connection.
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
