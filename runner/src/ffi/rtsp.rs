//! The calls of gst-rtsp-server that the bindings lack. The functions that GLib is given to call stand in
//! `server::connections::intake`, where it is given them.

use std::{
    ffi::{CStr, CString},
    fmt, ptr,
};

use gst::glib::translate::{IntoGlib as _, ToGlibPtr, from_glib, from_glib_full};
use gst_rtsp::{RTSPLowerTrans, RTSPMethod, RTSPStatusCode, RTSPUrl, rtsp_message::RTSPMessage};
use gst_rtsp_server::{
    RTSPAddress, RTSPClient, RTSPContext, RTSPMedia, RTSPMediaFactory, RTSPSessionMedia, RTSPStream,
    RTSPThread, RTSPThreadPool, gio, prelude::*,
};

mod delivery;

pub(crate) use delivery::{Delivered, HeldTransport, delivered, transport_of};

/// The first `field` header of `message`, if it has one and it is UTF-8.
#[must_use]
pub(crate) fn header(message: &RTSPMessage, field: gst_rtsp::RTSPHeaderField) -> Option<String> {
    header_at(message, field, 0)?.into_string().ok()
}

/// All `field` headers of `message` that are UTF-8, in their order.
#[must_use]
pub(crate) fn headers(message: &RTSPMessage, field: gst_rtsp::RTSPHeaderField) -> Vec<String> {
    let all = (0..).map_while(|index| header_at(message, field, index));
    all.filter_map(|value| value.to_str().ok().map(str::to_owned))
        .collect()
}

/// The `field` header of that index.
fn header_at(message: &RTSPMessage, field: gst_rtsp::RTSPHeaderField, index: i32) -> Option<CString> {
    let mut value = ptr::null_mut();
    #[expect(unsafe_code, reason = "the bindings cannot read a message's headers")]
    // SAFETY: the message is valid for the borrow; on success `value` points to a string that the message owns, and it
    // is copied before the borrow ends.
    unsafe {
        let message: *mut gst_rtsp::ffi::GstRTSPMessage = message.to_glib_none().0;
        let result =
            gst_rtsp::ffi::gst_rtsp_message_get_header(message, field.into_glib(), &raw mut value, index);
        (result == gst_rtsp::ffi::GST_RTSP_OK).then(|| CStr::from_ptr(value).to_owned())
    }
}

/// Gives `message`, which is being handled on this thread, this `field` header and no other.
pub(crate) fn replace_header(message: &RTSPMessage, field: gst_rtsp::RTSPHeaderField, value: &str) {
    remove_header(message, field);
    message.add_header(field, value);
}

/// Takes all `field` headers out of `message`, which is being handled on this thread.
pub(crate) fn remove_header(message: &RTSPMessage, field: gst_rtsp::RTSPHeaderField) {
    #[expect(unsafe_code, reason = "the bindings cannot take a header out of a message")]
    // SAFETY: the message is valid for the borrow, and nothing else looks at it meanwhile. Index -1 removes all.
    unsafe {
        let message: *mut gst_rtsp::ffi::GstRTSPMessage = message.to_glib_none().0;
        gst_rtsp::ffi::gst_rtsp_message_remove_header(message, field.into_glib(), -1);
    }
}

/// The query of `url`, if it has one. What is not UTF-8 in it is replaced.
#[must_use]
pub(crate) fn query(url: &RTSPUrl) -> Option<String> {
    #[expect(unsafe_code, reason = "the bindings take any query for UTF-8")]
    // SAFETY: the URL is valid for the borrow; its query is null or a string that it owns, which is copied.
    unsafe {
        let url: *const gst_rtsp::ffi::GstRTSPUrl = url.to_glib_none().0;
        let query = (*url).query;
        if query.is_null() {
            return None;
        }
        Some(CStr::from_ptr(query).to_string_lossy().into_owned())
    }
}

/// Gives `url`, which belongs to a request that is being handled on this thread, this path and no query.
pub(crate) fn set_path(url: &RTSPUrl, path: &str) {
    #[expect(unsafe_code, reason = "the bindings cannot change a URL")]
    // SAFETY: the URL is valid for the borrow, and gst-rtsp-server has not begun to look at what is exchanged: its strings
    // are GLib's, which are freed, and the new one is a copy of GLib's.
    unsafe {
        let url: *const gst_rtsp::ffi::GstRTSPUrl = url.to_glib_none().0;
        let url = url.cast_mut();
        gst::glib::ffi::g_free((*url).abspath.cast());
        gst::glib::ffi::g_free((*url).query.cast());
        (*url).abspath = path.to_glib_full();
        (*url).query = ptr::null_mut();
    }
}

/// Answers a request of `client` that it has numbered `sequence`. To be called on the thread that serves the client.
pub(crate) fn respond(
    client: &RTSPClient,
    status: RTSPStatusCode,
    sequence: Option<&str>,
    challenges: &[String],
) {
    let mut response = ptr::null_mut();
    #[expect(unsafe_code, reason = "the bindings cannot make a message")]
    // SAFETY: on success `response` points to a message that is ours; its reason is filled in where it is null, and there
    // need be no request.
    let response: RTSPMessage = unsafe {
        let made = gst_rtsp::ffi::gst_rtsp_message_new_response(
            &raw mut response,
            status.into_glib(),
            ptr::null(),
            ptr::null(),
        );
        if made != gst_rtsp::ffi::GST_RTSP_OK {
            return;
        }
        from_glib_full(response)
    };
    if let Some(sequence) = sequence {
        response.add_header(gst_rtsp::RTSPHeaderField::Cseq, sequence);
    }
    for challenge in challenges {
        response.add_header(gst_rtsp::RTSPHeaderField::WwwAuthenticate, challenge);
    }
    client.send_message(&response, None);
}

/// The status of `response`; `None` if it is no response.
#[must_use]
pub(crate) fn status(response: &RTSPMessage) -> Option<RTSPStatusCode> {
    let mut code = 0;
    #[expect(unsafe_code, reason = "the bindings cannot read a response's status")]
    // SAFETY: the message is valid for the borrow and only read; null says that its other parts are not wanted.
    unsafe {
        let message: *mut gst_rtsp::ffi::GstRTSPMessage = response.to_glib_none().0;
        let result = gst_rtsp::ffi::gst_rtsp_message_parse_response(
            message,
            &raw mut code,
            ptr::null_mut(),
            ptr::null_mut(),
        );
        (result == gst_rtsp::ffi::GST_RTSP_OK).then(|| from_glib(code))
    }
}

/// The path of `url`, if it is UTF-8. The bindings end the process where it is not, and a client writes it.
#[must_use]
pub(crate) fn path(url: &RTSPUrl) -> Option<String> {
    #[expect(unsafe_code, reason = "the bindings take any path for UTF-8")]
    // SAFETY: the URL is valid for the borrow; its path is null or a string that it owns, which is copied before the
    // borrow ends.
    unsafe {
        let url: *const gst_rtsp::ffi::GstRTSPUrl = url.to_glib_none().0;
        let path = (*url).abspath;
        if path.is_null() {
            return None;
        }
        CStr::from_ptr(path).to_str().ok().map(str::to_owned)
    }
}

/// The method of the request of `context`; empty for one that RTSP does not know.
#[must_use]
pub(crate) fn method(context: &RTSPContext) -> RTSPMethod {
    #[expect(unsafe_code, reason = "the bindings lack the context's method")]
    // SAFETY: the context is valid for the borrow, and one plain field is copied out of it.
    unsafe {
        let context: *mut gst_rtsp_server::ffi::GstRTSPContext = context.to_glib_none().0;
        from_glib((*context).method)
    }
}

/// Whether gst-rtsp-server has found `factory` for the request of `context`.
#[must_use]
pub(crate) fn has_found(context: &RTSPContext, factory: &RTSPMediaFactory) -> bool {
    #[expect(unsafe_code, reason = "the bindings lack the context's factory")]
    // SAFETY: the context is valid for the borrow. One pointer is copied out of it, compared and not followed.
    unsafe {
        let context: *mut gst_rtsp_server::ffi::GstRTSPContext = context.to_glib_none().0;
        (*context).factory == factory.to_glib_none().0
    }
}

/// A copy of a request, to be handled later.
pub(crate) struct Request(RTSPMessage);

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its contents may be secret.
        f.debug_struct("Request").finish_non_exhaustive()
    }
}

#[expect(unsafe_code, reason = "the bindings take it for one thread's")]
// SAFETY: it is a copy of its own, to which nobody else points: all that it holds is memory.
unsafe impl Send for Request {}

impl Request {
    /// A copy of the request of `context`.
    #[must_use]
    pub(crate) fn copy(context: &RTSPContext) -> Option<Self> {
        context.request().map(|request| Self(request.to_owned()))
    }

    /// Has `client` handle it as if it came now. To be called on the thread that serves the client, and not within the
    /// handling of another request.
    pub(crate) fn handle(&self, client: &RTSPClient) {
        #[expect(unsafe_code, reason = "the bindings lack gst_rtsp_client_handle_message()")]
        // SAFETY: client and message are valid for the call, which is what gst-rtsp-server itself does with a message that
        // has come.
        unsafe {
            let _always_fine = gst_rtsp_server::ffi::gst_rtsp_client_handle_message(
                client.to_glib_none().0,
                self.0.to_glib_none().0,
            );
        }
    }
}

/// The URL that `request` asks for, as the client writes it.
#[must_use]
pub(crate) fn request_uri(request: &RTSPMessage) -> Option<String> {
    let mut uri = ptr::null();
    #[expect(unsafe_code, reason = "the bindings cannot read a request's URI")]
    // SAFETY: the message is valid for the borrow and only read; the string that is answered is its own, and is copied.
    // Null says that the other parts are not wanted.
    unsafe {
        let message: *mut gst_rtsp::ffi::GstRTSPMessage = request.to_glib_none().0;
        let result = gst_rtsp::ffi::gst_rtsp_message_parse_request(
            message,
            ptr::null_mut(),
            &raw mut uri,
            ptr::null_mut(),
        );
        let is_there = result == gst_rtsp::ffi::GST_RTSP_OK && !uri.is_null();
        is_there
            .then(|| CStr::from_ptr(uri).to_str().ok().map(str::to_owned))
            .flatten()
    }
}

/// Whether gst-rtsp-server understands the `range` that a PLAY asks for.
#[must_use]
pub(crate) fn is_range(range: &str) -> bool {
    let Ok(range) = CString::new(range) else {
        return false;
    };
    let mut parsed = ptr::null_mut();
    #[expect(unsafe_code, reason = "the bindings lack gst_rtsp_range_parse()")]
    // SAFETY: the string ends with a zero and is only read; what is made of it on success is ours to free.
    unsafe {
        let result = gst_rtsp::ffi::gst_rtsp_range_parse(range.as_ptr(), &raw mut parsed);
        let is_range = result == gst_rtsp::ffi::GST_RTSP_OK;
        if is_range {
            gst_rtsp::ffi::gst_rtsp_range_free(parsed);
        }
        is_range
    }
}

/// Whether `client` speaks RTSP through an HTTP tunnel. To be called on the thread that serves the client.
#[must_use]
pub(crate) fn is_tunnelled(client: &RTSPClient) -> bool {
    #[expect(unsafe_code, reason = "the bindings lack gst_rtsp_client_get_connection()")]
    // SAFETY: the connection belongs to the client and lives as long as it does; on the thread that serves the client
    // nothing changes it during the call.
    unsafe {
        let connection = gst_rtsp_server::ffi::gst_rtsp_client_get_connection(client.to_glib_none().0);
        !connection.is_null() && from_glib(gst_rtsp::ffi::gst_rtsp_connection_is_tunneled(connection))
    }
}

/// The cookie of the HTTP tunnel that `client` is part of, if it is part of one; whoever asks for a tunnel writes it.
/// To be called on the thread that serves the client.
#[must_use]
pub(crate) fn tunnel_cookie(client: &RTSPClient) -> Option<CString> {
    #[expect(unsafe_code, reason = "the bindings lack gst_rtsp_client_get_connection()")]
    // SAFETY: the connection belongs to the client and lives as long as it does. The cookie is an array within it, ends
    // with a zero, is written once, on this thread, and copied here; what is null is none. Whoever closes the connection
    // elsewhere only takes back a flag that says there is one.
    unsafe {
        let connection = gst_rtsp_server::ffi::gst_rtsp_client_get_connection(client.to_glib_none().0);
        if connection.is_null() {
            return None;
        }
        let cookie = gst_rtsp::ffi::gst_rtsp_connection_get_tunnelid(connection);
        (!cookie.is_null()).then(|| CStr::from_ptr(cookie).to_owned())
    }
}

/// A thread of `pool` that serves the bus of one pipeline. The bindings ask for a context, which only a request has.
#[must_use]
pub(crate) fn media_thread(pool: &RTSPThreadPool) -> Option<RTSPThread> {
    #[expect(unsafe_code, reason = "the bindings take no null context")]
    // SAFETY: the pool is valid for the borrow; its own way to make a thread for a media does not look at the context;
    // the thread that is answered is the caller's.
    unsafe {
        from_glib_full(gst_rtsp_server::ffi::gst_rtsp_thread_pool_get_thread(
            pool.to_glib_none().0,
            gst_rtsp_server::ffi::GST_RTSP_THREAD_TYPE_MEDIA,
            ptr::null_mut(),
        ))
    }
}

/// Lets others have a media that its factory has constructed, or handed out again. From GStreamer 1.24 on the factory gives
/// it locked, and whoever asks for the same media next waits until it is unlocked; before that, it is not locked at all.
pub(crate) fn unlock_constructed(media: &RTSPMedia) {
    let (major, minor, ..) = gst::version();
    if (major, minor) < (1, 23) {
        return;
    }
    #[expect(unsafe_code, reason = "the bindings lack gst_rtsp_media_unlock()")]
    // SAFETY: the media is valid for the borrow, and this thread holds its lock since the factory gave it.
    unsafe {
        gst_rtsp_server::ffi::gst_rtsp_media_unlock(media.to_glib_none().0);
    }
}

/// Keeps `companion`, the only one of its type, as long as `client` lives, and drops it as the last thing of all that the
/// client holds.
pub(crate) fn accompany<T: Send + 'static>(client: &RTSPClient, companion: T) {
    #[expect(
        unsafe_code,
        reason = "glib takes data of any type under a name, and cannot check it when it is read"
    )]
    // SAFETY: nobody reads it, and what has its name is of its type. It is dropped on whichever thread drops the client
    // last.
    unsafe {
        client.set_data(std::any::type_name::<T>(), companion);
    }
}

/// Has `stream` take the ports that it needs for transports of the kind `way`, over UDP, as it does when one is set up;
/// answers whether it has them for clients of that family of addresses.
#[must_use]
pub(crate) fn take_ports(stream: &RTSPStream, way: RTSPLowerTrans, is_ipv6: bool) -> bool {
    let mut transport = ptr::null_mut();
    #[expect(
        unsafe_code,
        reason = "the bindings lack gst_rtsp_stream_allocate_udp_sockets()"
    )]
    // SAFETY: the stream is valid for the borrow, and locks what it changes. The transport is made and freed here, and only
    // read in between. Both families are asked for, as gst-rtsp-server does: a sink takes no other one later.
    unsafe {
        if gst_rtsp::ffi::gst_rtsp_transport_new(&raw mut transport) != gst_rtsp::ffi::GST_RTSP_OK {
            return false;
        }
        (*transport).lower_transport = way.into_glib();
        let has = [gio::ffi::G_SOCKET_FAMILY_IPV4, gio::ffi::G_SOCKET_FAMILY_IPV6].map(|family| {
            from_glib(gst_rtsp_server::ffi::gst_rtsp_stream_allocate_udp_sockets(
                stream.to_glib_none().0,
                family,
                transport,
                gst::glib::ffi::GFALSE,
            ))
        });
        gst_rtsp::ffi::gst_rtsp_transport_free(transport);
        has[usize::from(is_ipv6)]
    }
}

/// The first of the ports of an address that a pool has given.
#[must_use]
pub(crate) fn first_port(address: &RTSPAddress) -> u16 {
    #[expect(unsafe_code, reason = "the bindings lack the fields of GstRTSPAddress")]
    // SAFETY: the address is valid for the borrow, and nobody writes to it.
    unsafe {
        (*address.as_ptr()).port
    }
}

/// Whether a session plays `media`, and has not paused it.
#[must_use]
pub(crate) fn is_playing(media: &RTSPSessionMedia) -> bool {
    #[expect(
        unsafe_code,
        reason = "the bindings lack gst_rtsp_session_media_get_rtsp_state()"
    )]
    // SAFETY: the media is valid for the borrow; the call copies a number under the media's lock.
    unsafe {
        let state = gst_rtsp_server::ffi::gst_rtsp_session_media_get_rtsp_state(media.to_glib_none().0);
        state == gst_rtsp::ffi::GST_RTSP_STATE_PLAYING
    }
}
