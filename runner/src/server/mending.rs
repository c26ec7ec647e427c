//! Requests as their clients mean them: what RTSP (RFC 2326) has several ways to write, gst-rtsp-server gets in the one that
//! it understands, and what it would take and not do is refused.
//!
//! | module | job |
//! | --- | --- |
//! | `offers` | what a Transport header offers |
//! | `ranges` | which times a PLAY may ask for |

use gst_rtsp::{RTSPHeaderField, RTSPMethod, RTSPStatusCode};
use gst_rtsp_server::{RTSPContext, prelude::*};

use super::mounts::{Mounted, Mounts};
use crate::{config::Transport, rtsp_ffi};

pub(super) mod offers;
mod ranges;

use offers::Offer;

/// What this server does (RFC 2326, section 12.28).
pub(super) const PUBLIC: &str =
    "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER";

/// Has the request of `context` ask for its stream without a query, and for all that a session plays by the URL of all.
pub(super) fn mend_url(context: &RTSPContext, mounts: &Mounts) {
    let method = rtsp_ffi::method(context);
    // What it answers goes on from the URL as it is.
    if method == RTSPMethod::DESCRIBE {
        return;
    }
    let (Some(url), Some(Mounted { path, .. })) = (context.uri(), mounts.asked_for(context)) else {
        return;
    };
    let Some(asked) = rtsp_ffi::path(url) else { return };
    let query = rtsp_ffi::query(url);
    let medium = medium_of(&asked, query.as_deref(), &path);
    let of_all = [
        RTSPMethod::PLAY,
        RTSPMethod::PAUSE,
        RTSPMethod::TEARDOWN,
        RTSPMethod::GET_PARAMETER,
        RTSPMethod::SET_PARAMETER,
    ];
    let medium = medium.filter(|_| !(of_all.contains(&method) && plays_one_medium(context, &path)));
    let mended = match medium {
        Some(medium) => format!("{}/{medium}", path.trim_end_matches('/')),
        None => path,
    };
    if query.is_some() || mended != asked {
        rtsp_ffi::set_path(url, &mended);
    }
}

/// What a URL says behind the path of its stream; a client may have put it behind the query of that.
fn medium_of(asked: &str, query: Option<&str>, path: &str) -> Option<String> {
    let behind_path = asked[path.len().min(asked.len())..].trim_matches('/');
    let behind_query = query
        .and_then(|query| query.split_once('/'))
        .map(|(_, rest)| rest);
    let medium = Some(behind_path)
        .filter(|rest| !rest.is_empty())
        .or(behind_query)?;
    let medium = medium.trim_matches('/');
    (!medium.is_empty()).then(|| medium.to_owned())
}

/// Whether the session of the request has set up one medium of the stream at `path`, and no other.
fn plays_one_medium(context: &RTSPContext, path: &str) -> bool {
    let of_session = context.session().and_then(|session| session.media(path).0);
    of_session.is_some_and(|of_session| {
        let media = of_session.media().map_or(0, |media| media.n_streams());
        let set_up = (0..media).filter(|index| of_session.transport(*index).is_some());
        set_up.count() == 1
    })
}

/// Has the request ask for what there is, in the one way of writing that is understood.
///
/// # Errors
/// The status of the answer, where there is none of it.
pub(super) fn mend_headers(
    context: &RTSPContext,
    mounts: &Mounts,
    is_tunnelled: bool,
) -> Result<(), RTSPStatusCode> {
    match rtsp_ffi::method(context) {
        RTSPMethod::ANNOUNCE | RTSPMethod::RECORD => Err(RTSPStatusCode::MethodNotAllowed),
        RTSPMethod::SETUP => mend_transport(context, mounts, is_tunnelled),
        RTSPMethod::PLAY => check_range(context),
        _ => Ok(()),
    }
}

fn check_range(context: &RTSPContext) -> Result<(), RTSPStatusCode> {
    let request = context.request();
    let range = request.and_then(|request| rtsp_ffi::header(request, RTSPHeaderField::Range));
    if range.is_none_or(|range| ranges::is_live(&range, jiff::Timestamp::now())) {
        Ok(())
    } else {
        Err(RTSPStatusCode::InvalidRange)
    }
}

/// Of all that a SETUP offers, gst-rtsp-server gets the first that there is.
fn mend_transport(context: &RTSPContext, mounts: &Mounts, is_tunnelled: bool) -> Result<(), RTSPStatusCode> {
    let (Some(request), Some(Mounted { stream, .. })) = (context.request(), mounts.asked_for(context)) else {
        return Ok(());
    };
    let headers = rtsp_ffi::headers(request, RTSPHeaderField::Transport);
    if headers.is_empty() {
        return Ok(());
    }
    let allowed = stream.transports();
    let can_be_had = |offer: &Offer| match offer.way {
        Some(Transport::Tcp) if is_tunnelled => allowed.contains(&Transport::Http),
        Some(_) if is_tunnelled => false,
        None => false,
        Some(way) => allowed.contains(&way),
    };
    let offers = headers.iter().flat_map(|header| offers::read(header));
    let chosen = offers.filter(Offer::is_whole).find(can_be_had);
    let chosen = chosen.ok_or(RTSPStatusCode::UnsupportedTransport)?;
    rtsp_ffi::replace_header(request, RTSPHeaderField::Transport, &chosen.to_string());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_medium_stands_behind_the_path_or_the_query() {
        for (asked, query, expected) in [
            ("/live", None, None),
            ("/live/", None, None),
            ("/live/stream=0", None, Some("stream=0")),
            ("/live/stream=0/", Some("a=b"), Some("stream=0")),
            ("/live", Some("a=b"), None),
            ("/live", Some("a=b/stream=1"), Some("stream=1")),
            ("/live", Some("a=b/stream=1/"), Some("stream=1")),
            ("/live", Some("a=b/"), None),
        ] {
            assert_eq!(
                medium_of(asked, query, "/live").as_deref(),
                expected,
                "{asked} {query:?}"
            );
        }
        assert_eq!(medium_of("/stream=0", None, "/").as_deref(), Some("stream=0"));
    }
}
