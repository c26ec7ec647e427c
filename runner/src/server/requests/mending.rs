//! Requests as their clients mean them: what RTSP (RFC 2326) has several ways to write, gst-rtsp-server gets in the one that
//! it understands, and what it would take and not do is refused.
//!
//! | module | job |
//! | --- | --- |
//! | `offers` | what a Transport header offers |
//! | `ranges` | which times a PLAY may ask for |
//! | `speeds` | which speed |

use gst_rtsp::{RTSPHeaderField, RTSPMethod, RTSPStatusCode};
use gst_rtsp_server::{RTSPContext, prelude::*};

use super::mounts::{Found, Mounted, Mounts};
use crate::ffi::rtsp;

pub(in crate::server) mod offers;
mod ranges;
pub(in crate::server) mod speeds;

/// What this server does (RFC 2326, section 12.28).
pub(in crate::server) const PUBLIC: &str =
    "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER";

/// Has the request of `context` ask for its stream where gst-rtsp-server has it, without a query, and for all that a session
/// plays by the URL of all.
pub(in crate::server) fn mend_url(context: &RTSPContext, mounts: &Mounts) {
    let method = rtsp::method(context);
    let (Some(url), Some(Found { mounted, medium })) = (context.uri(), mounts.found(context)) else {
        return;
    };
    // What it answers goes on from the URL as it is.
    if method == RTSPMethod::DESCRIBE && !mounted.has_query() {
        return;
    }
    let of_all = [
        RTSPMethod::PLAY,
        RTSPMethod::PAUSE,
        RTSPMethod::TEARDOWN,
        RTSPMethod::GET_PARAMETER,
        RTSPMethod::SET_PARAMETER,
    ];
    let medium = medium.filter(|_| !(of_all.contains(&method) && plays_one_medium(context, &mounted)));
    let mended = match medium {
        Some(medium) => format!("{}/{medium}", mounted.point.trim_end_matches('/')),
        None => mounted.point,
    };
    if rtsp::query(url).is_some() || rtsp::path(url).as_deref() != Some(&mended) {
        rtsp::set_path(url, &mended);
    }
}

/// Whether the session of the request has set up one medium of what is `mounted`, and no other.
fn plays_one_medium(context: &RTSPContext, mounted: &Mounted) -> bool {
    let session_media = mounted.session_media(context);
    session_media.is_some_and(|session_media| {
        let media = session_media.media().map_or(0, |media| media.n_streams());
        let set_up = (0..media).filter(|index| session_media.transport(*index).is_some());
        set_up.count() == 1
    })
}

/// Whether the request asks for what there is.
///
/// # Errors
/// The status of the answer, where it does not.
pub(in crate::server) fn check(context: &RTSPContext) -> Result<(), RTSPStatusCode> {
    match rtsp::method(context) {
        RTSPMethod::ANNOUNCE | RTSPMethod::RECORD => Err(RTSPStatusCode::MethodNotAllowed),
        RTSPMethod::PLAY => check_range(context),
        _ => Ok(()),
    }
}

/// What cannot be understood is left out: gst-rtsp-server would refuse it when it has begun to send.
fn check_range(context: &RTSPContext) -> Result<(), RTSPStatusCode> {
    let Some(request) = context.request() else {
        return Ok(());
    };
    let Some(range) = rtsp::header(request, RTSPHeaderField::Range) else {
        return Ok(());
    };
    if !ranges::is_live(&range, jiff::Timestamp::now()) {
        return Err(RTSPStatusCode::InvalidRange);
    }
    if !rtsp::is_range(&range) {
        rtsp::remove_header(request, RTSPHeaderField::Range);
    }
    Ok(())
}
