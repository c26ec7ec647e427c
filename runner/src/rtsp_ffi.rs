//! The few calls of gst-rtsp-server and of the system that the bindings lack, each argued: the runner's only `unsafe`.

use std::{
    ffi::CStr,
    io,
    net::{TcpListener, TcpStream},
    os::fd::{AsRawFd, RawFd},
    ptr,
    time::Duration,
};

use gst::glib::translate::{ToGlibPtr, from_glib, from_glib_full};
use gst_rtsp::{RTSPLowerTrans, RTSPMethod, RTSPUrl, rtsp_message::RTSPMessage};
use gst_rtsp_server::{
    RTSPClient, RTSPContext, RTSPMediaFactory, RTSPStreamTransport, RTSPThread, RTSPThreadPool, prelude::*,
};

/// The first `field` header of `message`, if it has one and it is UTF-8.
#[must_use]
pub fn header(message: &RTSPMessage, field: gst_rtsp::RTSPHeaderField) -> Option<String> {
    let mut value = ptr::null_mut();
    #[expect(unsafe_code, reason = "the bindings cannot read a message's headers")]
    // SAFETY: the message is valid for the borrow; on success `value` points to a string that the message owns, and it
    // is copied before the borrow ends.
    unsafe {
        let message: *mut gst_rtsp::ffi::GstRTSPMessage = message.to_glib_none().0;
        let field = gst::glib::translate::IntoGlib::into_glib(field);
        if gst_rtsp::ffi::gst_rtsp_message_get_header(message, field, &raw mut value, 0)
            != gst_rtsp::ffi::GST_RTSP_OK
        {
            return None;
        }
        CStr::from_ptr(value).to_str().ok().map(str::to_owned)
    }
}

/// The path of `url`, if it is UTF-8. The bindings end the process where it is not, and a client writes it.
#[must_use]
pub fn path(url: &RTSPUrl) -> Option<String> {
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

/// What the request of `context` asks to be done; empty for what RTSP does not know.
#[must_use]
pub fn method(context: &RTSPContext) -> RTSPMethod {
    #[expect(unsafe_code, reason = "the bindings lack the context's method")]
    // SAFETY: the context is valid for the borrow, and one plain field is copied out of it.
    unsafe {
        let context: *mut gst_rtsp_server::ffi::GstRTSPContext = context.to_glib_none().0;
        from_glib((*context).method)
    }
}

/// Whether gst-rtsp-server has found `factory` for the request of `context`.
#[must_use]
pub fn has_found(context: &RTSPContext, factory: &RTSPMediaFactory) -> bool {
    #[expect(unsafe_code, reason = "the bindings lack the context's factory")]
    // SAFETY: the context is valid for the borrow. One pointer is copied out of it, compared and not followed.
    unsafe {
        let context: *mut gst_rtsp_server::ffi::GstRTSPContext = context.to_glib_none().0;
        (*context).factory == factory.to_glib_none().0
    }
}

/// Takes the `RTP-Info` header out of the answer that `context` is about to send.
pub fn remove_rtp_info(context: &RTSPContext) {
    let Some(response) = context.response() else {
        return;
    };
    #[expect(unsafe_code, reason = "the bindings cannot take a header out of a message")]
    // SAFETY: the response is valid for the borrow and belongs to the request that this thread is answering; nothing
    // else looks at it meanwhile. Index -1 removes every header of that name.
    unsafe {
        let response: *mut gst_rtsp::ffi::GstRTSPMessage = response.to_glib_none().0;
        gst_rtsp::ffi::gst_rtsp_message_remove_header(response, gst_rtsp::ffi::GST_RTSP_HDR_RTP_INFO, -1);
    }
}

/// How `transport` carries RTP: over UDP, or within the RTSP connection.
#[must_use]
pub fn lower_transport(transport: &RTSPStreamTransport) -> Option<RTSPLowerTrans> {
    #[expect(
        unsafe_code,
        reason = "the bindings lack gst_rtsp_stream_transport_get_transport()"
    )]
    // SAFETY: the returned structure belongs to `transport`, is set before SETUP is answered and not changed by PLAY;
    // one plain field is copied out of it.
    unsafe {
        let transport =
            gst_rtsp_server::ffi::gst_rtsp_stream_transport_get_transport(transport.to_glib_none().0);
        transport
            .as_ref()
            .map(|transport| from_glib(transport.lower_transport))
    }
}

/// Whether `client` speaks RTSP through an HTTP tunnel. To be called on the thread that serves the client.
#[must_use]
pub fn is_tunnelled(client: &RTSPClient) -> bool {
    #[expect(unsafe_code, reason = "the bindings lack gst_rtsp_client_get_connection()")]
    // SAFETY: the connection belongs to the client and lives as long as it does; on the thread that serves the client
    // nothing changes it during the call.
    unsafe {
        let connection = gst_rtsp_server::ffi::gst_rtsp_client_get_connection(client.to_glib_none().0);
        !connection.is_null() && from_glib(gst_rtsp::ffi::gst_rtsp_connection_is_tunneled(connection))
    }
}

/// A thread of `pool` that serves the bus of one pipeline. The bindings ask for a context, which only a request has.
#[must_use]
pub fn media_thread(pool: &RTSPThreadPool) -> Option<RTSPThread> {
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

/// Keeps `companion` as long as `client` lives, and drops it as the last thing of all that the client holds.
pub fn accompany<T: Send + 'static>(client: &RTSPClient, companion: T) {
    #[expect(
        unsafe_code,
        reason = "glib takes data of any type under a name, and cannot check it when it is read"
    )]
    // SAFETY: nobody reads it or sets another of that name. It is dropped on whichever thread drops the client last.
    unsafe {
        client.set_data("rtsp-clock-companion", companion);
    }
}

/// Lets the kernel find out that a viewer has vanished: probes an idle connection after `after`, and gives up one whose
/// peer has taken nothing for that long, be it unreachable or just not reading.
///
/// # Errors
/// When the system refuses an option.
pub fn watch_for_dead_peer(connection: &TcpStream, after: Duration) -> io::Result<()> {
    let seconds = libc::c_int::try_from(after.as_secs()).unwrap_or(libc::c_int::MAX);
    let milliseconds = libc::c_int::try_from(after.as_millis()).unwrap_or(libc::c_int::MAX);
    let interval = (seconds / 3).max(1);
    let (tcp, socket) = (libc::IPPROTO_TCP, libc::SOL_SOCKET);
    for (level, option, value) in [
        (socket, libc::SO_KEEPALIVE, 1),
        (tcp, libc::TCP_KEEPIDLE, interval),
        (tcp, libc::TCP_KEEPINTVL, interval),
        (tcp, libc::TCP_KEEPCNT, 3),
        (tcp, libc::TCP_USER_TIMEOUT, milliseconds),
        // A packet that waits for the acknowledgement of an earlier one is late.
        (tcp, libc::TCP_NODELAY, 1),
    ] {
        set_option(connection.as_raw_fd(), level, option, value)?;
    }
    Ok(())
}

/// Lets `length` connections wait until they are accepted, or as many as the system allows: std's own 128 are a crowd's
/// first moment, and whoever comes next waits a second until his system tries again.
///
/// # Errors
/// When the system refuses.
pub fn lengthen_backlog(listener: &TcpListener, length: u16) -> io::Result<()> {
    #[expect(unsafe_code, reason = "std listens with a backlog of its own")]
    // SAFETY: the descriptor is open for the borrow; listening anew only changes the length.
    let result = unsafe { libc::listen(listener.as_raw_fd(), length.into()) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

fn set_option(fd: RawFd, level: libc::c_int, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
    let size = libc::socklen_t::try_from(size_of_val(&value)).unwrap_or(0);
    #[expect(unsafe_code, reason = "std cannot set these options")]
    // SAFETY: the pointer and the size describe a live integer, and the kernel only reads it.
    let result = unsafe { libc::setsockopt(fd, level, option, (&raw const value).cast(), size) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Raises the number of files and sockets that this process may open to what the system allows it at most.
///
/// # Errors
/// When the system refuses.
pub fn raise_descriptor_limit() -> io::Result<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    #[expect(unsafe_code, reason = "std cannot change resource limits")]
    // SAFETY: both calls only read or write the structure that they are given, which lives on this stack.
    let done = unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 && {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) == 0
        }
    };
    if done {
        Ok(limit.rlim_cur)
    } else {
        Err(io::Error::last_os_error())
    }
}
