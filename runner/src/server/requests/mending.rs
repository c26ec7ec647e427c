//! Requests are changed to what their clients mean: where RTSP (RFC 2326) has several ways to write something, gst-rtsp-server
//! gets the one that it understands; and what it would accept without doing it is refused.
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

/// The methods that this server knows (RFC 2326, section 12.28).
pub(in crate::server) const PUBLIC: &str =
    "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER";

/// Has the request of `context` ask for its stream by the path that gst-rtsp-server knows, without a query. A request about all
/// that a session plays gets the URL of the whole stream.
pub(in crate::server) fn mend_url(context: &RTSPContext, mounts: &Mounts) {
    let method = rtsp::method(context);
    let (Some(url), Some(Found { mounted, medium })) = (context.uri(), mounts.found(context)) else {
        return;
    };
    // The answer to a DESCRIBE repeats the URL: it stays as the client wrote it.
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

/// Refuses a range that cannot be had, and leaves out one that cannot be understood: gst-rtsp-server would refuse that only
/// after it has begun to send.
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
