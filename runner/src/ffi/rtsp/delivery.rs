//! How media go to the clients that have set them up.

use std::{
    ffi::CStr,
    net::{IpAddr, SocketAddr},
};

use gst::glib::translate::{ToGlibPtr, from_glib, from_glib_none};
use gst_rtsp::RTSPLowerTrans;
use gst_rtsp_server::{RTSPClient, RTSPContext, RTSPStreamTransport, prelude::*};

/// How a medium goes to the client that has set it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// Over UDP, or within the RTSP connection.
    pub(crate) lower: RTSPLowerTrans,
    /// The channels within the connection of RTP and RTCP.
    pub(crate) interleaved: (i32, i32),
    /// The address that it goes to; a group's for multicast.
    pub(crate) destination: Option<IpAddr>,
    /// The ports there of RTP and RTCP.
    pub(crate) ports: (i32, i32),
}

impl Delivered {
    /// The channels of RTP and RTCP, where it goes within the RTSP connection.
    #[must_use]
    pub(crate) fn channels(&self) -> Option<[u8; 2]> {
        let channel = |channel| u8::try_from(channel).ok();
        let (media, control) = self.interleaved;
        let is_interleaved = self.lower.contains(RTSPLowerTrans::TCP);
        is_interleaved
            .then(|| Some([channel(media)?, channel(control)?]))
            .flatten()
    }

    /// The address and port that its RTP goes to, over UDP.
    #[must_use]
    pub(crate) fn place(&self) -> Option<SocketAddr> {
        let is_udp = self
            .lower
            .intersects(RTSPLowerTrans::UDP | RTSPLowerTrans::UDP_MCAST);
        let place = || {
            Some(SocketAddr::new(
                self.destination?,
                u16::try_from(self.ports.0).ok()?,
            ))
        };
        is_udp.then(place).flatten()
    }
}

/// How `transport` delivers its medium.
#[must_use]
pub(crate) fn delivered(transport: &RTSPStreamTransport) -> Option<Delivered> {
    #[expect(
        unsafe_code,
        reason = "the bindings lack gst_rtsp_stream_transport_get_transport()"
    )]
    // SAFETY: the returned structure belongs to `transport`, is set before SETUP is answered and changed by SETUP alone;
    // plain fields are copied out of it, and a string, on the thread that serves the client.
    unsafe {
        let transport =
            gst_rtsp_server::ffi::gst_rtsp_stream_transport_get_transport(transport.to_glib_none().0);
        let transport = transport.as_ref()?;
        let destination = (!transport.destination.is_null())
            .then(|| CStr::from_ptr(transport.destination).to_str().ok()?.parse().ok())
            .flatten();
        let lower: RTSPLowerTrans = from_glib(transport.lower_transport);
        let ports = if lower.contains(RTSPLowerTrans::UDP_MCAST) {
            transport.port
        } else {
            transport.client_port
        };
        Some(Delivered {
            lower,
            interleaved: (transport.interleaved.min, transport.interleaved.max),
            destination,
            ports: (ports.min, ports.max),
        })
    }
}

/// A stream transport that is only held and told from others, and not used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HeldTransport(RTSPStreamTransport);

#[expect(unsafe_code, reason = "the bindings take it for one thread's")]
// SAFETY: references to it are counted atomically, and whichever thread drops the last one may end it: gst-rtsp-server's
// own thread that sends does so as well. Nothing else is done with it by way of this type.
unsafe impl Send for HeldTransport {}
#[expect(unsafe_code, reason = "see above")]
// SAFETY: see above.
unsafe impl Sync for HeldTransport {}

impl HeldTransport {
    /// Holds `transport`.
    #[must_use]
    pub(crate) fn new(transport: &RTSPStreamTransport) -> Self {
        Self(transport.clone())
    }

    /// How many hold it, this one as well.
    #[must_use]
    pub(crate) fn holders(&self) -> u32 {
        self.0.ref_count()
    }

    /// A number that tells it from all others that there are at the same time.
    #[must_use]
    pub(crate) fn number(&self) -> usize {
        self.0.as_ptr() as usize
    }

    /// Whether `client` has it on `channel` of its connection. To be called on the thread that serves the client, or once
    /// its connection is closed.
    #[must_use]
    pub(crate) fn is_on_channel(&self, client: &RTSPClient, channel: u8) -> bool {
        #[expect(
            unsafe_code,
            reason = "the bindings lack gst_rtsp_client_get_stream_transport()"
        )]
        // SAFETY: the client is valid for the borrow. The pointer that is answered is compared and not followed.
        let found = unsafe {
            gst_rtsp_server::ffi::gst_rtsp_client_get_stream_transport(client.to_glib_none().0, channel)
        };
        found == self.0.as_ptr()
    }
}

/// The transport that the request of `context` has set up, once it has.
#[must_use]
pub(crate) fn transport_of(context: &RTSPContext) -> Option<RTSPStreamTransport> {
    #[expect(unsafe_code, reason = "the bindings lack the context's transport")]
    // SAFETY: the context is valid for the borrow; its transport is null or an object, of which a reference is taken.
    unsafe {
        let context: *mut gst_rtsp_server::ffi::GstRTSPContext = context.to_glib_none().0;
        from_glib_none((*context).trans)
    }
}
