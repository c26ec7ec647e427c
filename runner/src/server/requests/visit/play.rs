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
    events::Viewer,
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
        let mounted = self.mounts.asked_for(context);
        self.admit(context, mounted.as_ref())?;
        self.refuse_other_speeds(context)?;
        if let Some(mounted) = mounted {
            self.begin_playing(client, context, &mounted);
        }
        Ok(())
    }

    /// Lets nobody play where there are as many viewers as there may be.
    fn admit(&self, context: &RTSPContext, mounted: Option<&Mounted>) -> Result<(), RTSPStatusCode> {
        let (Some(session), Some(mounted)) = (session_id(context), mounted) else {
            return Ok(());
        };
        let place = mounted.place(session);
        let admission = mounted.stream.viewers().admit(&place, &self.commons.seats);
        self.answer(mounted, admission)
    }

    fn refuse_other_speeds(&self, context: &RTSPContext) -> Result<(), RTSPStatusCode> {
        if !speeds::asks_for_another_speed(context) {
            return Ok(());
        }
        tracing::warn!(target: "requests",
            peer = ?self.peer(),
            "refused a PLAY that asks for another speed than the live one"
        );
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
        let viewer = self.viewer(client, context, &mounted);
        let handle = Arc::new(ClientHandle::new(client));
        mounted
            .stream
            .viewers()
            .play(mounted.place(session), viewer, Some(handle));
        let has_asked = self.has_asked_for_key_frame.load(Ordering::Relaxed);
        mounted.stream.after_play(has_asked);
    }

    /// Who plays what the session of `context` has set up of what is `mounted`.
    fn viewer(&self, client: &RTSPClient, context: &RTSPContext, mounted: &Mounted) -> Viewer {
        // The first medium that it has set up says how it goes: there may be a picture, a sound, or both.
        let first = mounted
            .session_media(context)
            .and_then(|session_media| joining::parts(&session_media).into_iter().next());
        let lower = first.map(|part| part.delivered.lower);
        let transport = match lower {
            _ if rtsp::is_tunnelled(client) => Transport::Http,
            Some(lower) if lower.contains(RTSPLowerTrans::TCP) => Transport::Tcp,
            Some(lower) if lower.contains(RTSPLowerTrans::UDP_MCAST) => Transport::Multicast,
            _ => Transport::Udp,
        };
        Viewer {
            session: session_id(context).unwrap_or_default(),
            peer: self.peer(),
            transport,
            user: self.user.lock().clone(),
            since: Timestamp::now(),
        }
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
