//! A PLAY: whether it may be done, with which packets its viewer begins, and who watches once it is done.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
};

use gst_rtsp::{RTSPLowerTrans, RTSPStatusCode};
use gst_rtsp_server::{RTSPClient, RTSPContext};
use jiff::Timestamp;

use super::{Visit, session_id};
use crate::{
    config::Transport,
    events::{Farewell, Refusal, Viewer},
    ffi::rtsp,
    server::{
        connections::intake::channels::Channels,
        requests::{
            joining::{self, Part},
            mending::speeds,
            mounts::Mounted,
        },
    },
    stream::{Stream, beginnings::Begin, client::ClientHandle, joins::Start, media::Medium},
};

impl Visit {
    /// Whether a PLAY may be done: the first refusal is the answer.
    pub(super) fn pre_play(&self, client: &RTSPClient, context: &RTSPContext) -> Result<(), RTSPStatusCode> {
        // What is there no longer may have been set up before.
        let mounted = self.mounts.asked_for(context).ok_or(RTSPStatusCode::NotFound)?;
        let way = way(client, context, &mounted);
        self.may_play(&mounted, way).map_err(|(status, why)| {
            if why == Farewell::Disallowed {
                self.tell_disallowed(&mounted, way);
            }
            status
        })?;
        self.admit(context, &mounted)?;
        self.refuse_other_speeds(context, &mounted)?;
        self.begin_playing(client, context, &mounted);
        Ok(())
    }

    /// Lets nobody play where there are as many viewers as there may be.
    fn admit(&self, context: &RTSPContext, mounted: &Mounted) -> Result<(), RTSPStatusCode> {
        let Some(session) = session_id(context) else {
            return Ok(());
        };
        let place = mounted.place(session);
        let admission = mounted.stream.viewers().admit(&place, &self.commons.seats);
        self.answer(mounted, admission)
    }

    /// The way by which the client has set up what is `mounted` is allowed no longer.
    fn tell_disallowed(&self, mounted: &Mounted, way: Transport) {
        let why = Refusal::Disallowed {
            asked: vec![way],
            allowed: mounted.stream.transports().iter().copied().collect(),
        };
        self.tell_refused(mounted, why, Some(0));
    }

    fn refuse_other_speeds(&self, context: &RTSPContext, mounted: &Mounted) -> Result<(), RTSPStatusCode> {
        if !speeds::asks_for_another_speed(context) {
            return Ok(());
        }
        self.tell_refused(mounted, Refusal::Speed, Some(0));
        Err(RTSPStatusCode::HeaderFieldNotValidForResource)
    }

    fn begin_playing(&self, client: &RTSPClient, context: &RTSPContext, mounted: &Mounted) {
        let start = self.joining.start();
        let has_asked = start.is_some() || mounted.stream.before_play();
        self.has_asked_for_key_frame.store(has_asked, Ordering::Relaxed);
        let parts = joining::parts_to_begin(context, mounted);
        hold_back(self.channels(client).as_deref(), &parts, &mounted.stream, start);
    }

    /// A PLAY is done: its session no longer counts as one that does not play, and its viewer counts.
    pub(super) fn play(&self, client: &RTSPClient, context: &RTSPContext) {
        if let Some(session) = context.session() {
            self.sessions.play(session);
        }
        let (Some(session), Some(mounted)) = (session_id(context), self.mounts.asked_for(context)) else {
            return;
        };
        let viewer = Viewer {
            session: session.clone(),
            peer: self.peer(),
            user: self.user.lock().as_ref().map(|account| account.name.clone()),
            transport: way(client, context, &mounted),
            since: Timestamp::now(),
        };
        let (place, transport) = (mounted.place(session), viewer.transport);
        let handle = Arc::new(ClientHandle::new(client));
        let viewers = mounted.stream.viewers();
        viewers.play(place.clone(), viewer, Some(handle));
        // A reload that has begun since it was asked has not seen it among those who play.
        if let Err((_, why)) = self.may_play(&mounted, transport) {
            viewers.send_away_from(&place, why);
        } else if self.mounts.asked_for(context).is_none() {
            viewers.send_away_from(&place, Farewell::Removed);
        }
        let has_asked = self.has_asked_for_key_frame.load(Ordering::Relaxed);
        mounted.stream.after_play(has_asked);
    }
}

/// By which way the client gets what it has set up of what is `mounted`.
fn way(client: &RTSPClient, context: &RTSPContext, mounted: &Mounted) -> Transport {
    // The first medium that it has set up says how it goes: there may be a picture, a sound, or both.
    let first = mounted
        .session_media(context)
        .and_then(|session_media| joining::parts(&session_media).into_iter().next());
    let lower = first.map(|part| part.delivered.lower);
    match lower {
        _ if rtsp::is_tunnelled(client) => Transport::Http,
        Some(lower) if lower.contains(RTSPLowerTrans::TCP) => Transport::Tcp,
        Some(lower) if lower.contains(RTSPLowerTrans::UDP_MCAST) => Transport::Multicast,
        _ => Transport::Udp,
    }
}

/// Holds back what begins to play until its first packet comes; where that is not known, until its key picture comes.
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
            // Sound alone begins with whatever comes first.
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

/// Where `part` goes over UDP, if it does, and not to a group.
fn udp_destination(part: &Part) -> Option<SocketAddr> {
    part.delivered.place().filter(|_| !part.is_multicast())
}
