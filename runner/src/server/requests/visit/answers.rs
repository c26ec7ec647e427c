//! Before an answer of gst-rtsp-server goes out, it is corrected; and where it is a refusal, what follows from that is done.

use gst_rtsp::{RTSPHeaderField, RTSPMethod, RTSPStatusCode, rtsp_message::RTSPMessage};
use gst_rtsp_server::{RTSPClient, RTSPContext, prelude::*};

use super::{Visit, session_id};
use crate::{
    ffi::rtsp::{self, HeldTransport},
    server::requests::{
        mending::PUBLIC,
        mounts::{Mounted, Mounts},
    },
};

impl Visit {
    /// `client` is about to be sent something: the answer to the request that is being handled, if one is.
    pub(super) fn send_message(&self, client: Option<&RTSPClient>) {
        RTSPContext::with_current_context(|context| {
            if let Some(response) = context.response() {
                self.mend_answer(context, response);
            }
            dismiss_refused(context, &self.mounts);
            if let Some(client) = client {
                self.tell_unsupported(client, context);
            }
        });
    }

    /// Tells why a SETUP has been refused over its transport, if the answer says that it has.
    fn tell_unsupported(&self, client: &RTSPClient, context: &RTSPContext) {
        let status = context.response().and_then(rtsp::status);
        let is_refused = status == Some(RTSPStatusCode::UnsupportedTransport);
        if !is_refused || rtsp::method(context) != RTSPMethod::SETUP {
            return;
        }
        if let Some(mounted) = self.mounts.asked_for(context) {
            let negotiation = &self.commons.negotiation;
            let why = negotiation.refusal(client, context, &mounted);
            let held_back = negotiation.may_tell(&why, &mounted);
            self.tell_refused(&mounted, why, held_back);
        }
    }

    fn mend_answer(&self, context: &RTSPContext, response: &RTSPMessage) {
        // The RTP-Info that gst-rtsp-server fills in describes the packet sent last, or one that the gate has thrown away,
        // never the first one that the viewer gets.
        rtsp::remove_header(response, RTSPHeaderField::RtpInfo);
        if !rtsp::headers(response, RTSPHeaderField::Public).is_empty() {
            rtsp::replace_header(response, RTSPHeaderField::Public, PUBLIC);
        }
        let info = self.joining.rtp_info(context, &self.mounts);
        if let Some(info) = info.filter(|_| is_answered(context)) {
            response.add_header(RTSPHeaderField::RtpInfo, &info);
        }
    }
}

/// Whether the answer says that the request has been done.
fn is_answered(context: &RTSPContext) -> bool {
    let status = context.response().and_then(rtsp::status);
    status.is_none_or(|status| status == RTSPStatusCode::Ok)
}

/// A viewer whose PLAY is refused counts no longer.
fn dismiss_refused(context: &RTSPContext, mounts: &Mounts) {
    if rtsp::method(context) != RTSPMethod::PLAY || is_answered(context) {
        return;
    }
    if let (Some(session), Some(mounted)) = (session_id(context), mounts.asked_for(context)) {
        mounted.stream.viewers().dismiss(&mounted.place(session));
        stop_sending(context, &mounted);
    }
}

/// Ends what gst-rtsp-server may have begun to send, before it refused the PLAY.
fn stop_sending(context: &RTSPContext, mounted: &Mounted) {
    let session_media = mounted.session_media(context);
    let Some(session_media) = session_media.filter(|media| !rtsp::is_playing(media)) else {
        return;
    };
    let media = session_media.media().map_or(0, |media| media.n_streams());
    for transport in (0..media).filter_map(|index| session_media.transport(index)) {
        let _is_no_more = transport.set_active(false);
        mounted
            .stream
            .destinations()
            .forget(HeldTransport::new(&transport).number());
    }
}
