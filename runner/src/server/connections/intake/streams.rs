//! The streams of a client's connection, as gst-rtsp-server gets them: what is read comes through the intake, and through
//! TLS where the endpoint speaks it.
//!
//! gst-rtsp-server has GIO make a connection of the socket that it is handed, and takes that connection's streams. Another
//! type of connection cannot be had: GIO (2.74 at least) keeps a pointer to what it has freed where a type is registered for
//! TCP a second time (`g_socket_connection_factory_register_type`). So the methods of GIO's class that answer the streams
//! are ours, and do what they did for all connections but those that are being handed over.

use std::{
    ptr,
    sync::{Arc, LazyLock, Once, OnceLock},
};

use gst::glib::{
    self,
    translate::{Borrowed, IntoGlib, ToGlibPtr, from_glib_borrow, from_glib_none},
};
use gst_rtsp_server::{
    gio::{self, prelude::*},
    prelude::*,
};

use super::{
    Intake,
    handover::{self, Arrival},
    input::ClientInput,
    output::ClientOutput,
};
use crate::server::connections::count::Open;

/// The methods that GIO's class had at first.
#[derive(Debug, Clone, Copy)]
struct Methods {
    input_stream: GetInput,
    output_stream: GetOutput,
    close: Option<Close>,
}

type Stream = *mut gio::ffi::GIOStream;
type GetInput = unsafe extern "C" fn(Stream) -> *mut gio::ffi::GInputStream;
type GetOutput = unsafe extern "C" fn(Stream) -> *mut gio::ffi::GOutputStream;
type Close = unsafe extern "C" fn(
    Stream,
    *mut gio::ffi::GCancellable,
    *mut *mut glib::ffi::GError,
) -> glib::ffi::gboolean;

static ORIGINAL: OnceLock<Methods> = OnceLock::new();

/// Has GIO ask here for the streams of the connections that are handed over from now on.
pub(in crate::server) fn take_part() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[expect(unsafe_code, reason = "the bindings cannot change the methods of a class")]
        // SAFETY: the class is GIO's for TCP connections, of which a reference is kept for good; its structure begins with
        // that of a stream's class, in which every connection's class has both methods. They are exchanged for ones of the
        // same types, which do the same but for connections that are being handed over, one word at a time: whoever calls
        // one meanwhile gets the old one or the new one.
        unsafe {
            let class = glib::gobject_ffi::g_type_class_ref(gio::TcpConnection::static_type().into_glib());
            let class = class.cast::<gio::ffi::GIOStreamClass>();
            let (input, output) = ((*class).get_input_stream, (*class).get_output_stream);
            let original = Methods {
                input_stream: input.unwrap_or(no_input),
                output_stream: output.unwrap_or(no_output),
                close: (*class).close_fn,
            };
            // Our methods look for the original ones.
            let _first = ORIGINAL.set(original);
            (*class).get_input_stream = Some(input_stream);
            (*class).get_output_stream = Some(output_stream);
            (*class).close_fn = Some(close);
        }
    });
}

#[expect(unsafe_code, reason = "called by GIO")]
unsafe extern "C" fn no_input(_: Stream) -> *mut gio::ffi::GInputStream {
    ptr::null_mut()
}

#[expect(unsafe_code, reason = "called by GIO")]
unsafe extern "C" fn no_output(_: Stream) -> *mut gio::ffi::GOutputStream {
    ptr::null_mut()
}

/// The streams of a connection that has been handed over.
#[derive(Debug)]
struct Streams {
    input: gio::InputStream,
    output: gio::OutputStream,
    tls: Option<gio::TlsConnection>,
    _open: Arc<Open>,
}

impl Streams {
    /// The streams of `connection`, made of the ones that GIO has for it.
    fn of_arrival(connection: &gio::IOStream, arrival: &Arrival, original: &Methods) -> Self {
        let stream: Stream = connection.to_glib_none().0;
        #[expect(unsafe_code, reason = "the methods of GIO's class")]
        // SAFETY: the methods are called with a connection of the class that they belong to; what they answer belongs to it,
        // and a reference is taken.
        let (below, output): (gio::InputStream, gio::OutputStream) = unsafe {
            (
                from_glib_none((original.input_stream)(stream)),
                from_glib_none((original.output_stream)(stream)),
            )
        };
        let certificate = arrival.tls.as_ref().and_then(RTSPAuthExt::tls_certificate);
        let tls = certificate.and_then(|certificate| {
            let base = gio::SimpleIOStream::new(&below, &output);
            match gio::TlsServerConnection::new(&base, Some(&certificate)) {
                Ok(tls) => Some(tls.upcast::<gio::TlsConnection>()),
                Err(error) => {
                    tracing::error!(target: "connections", "GLib has no TLS: {error}");
                    None
                }
            }
        });
        if let Some(tls) = &tls {
            handover::speaks(tls.clone());
        }
        let (below, output) = match &tls {
            Some(tls) => (tls.input_stream(), tls.output_stream()),
            None => (below, output),
        };
        let intake = Intake::new(arrival.connection.peer(), &arrival.intakes, &arrival.channels);
        let input = ClientInput::new(below, intake).upcast();
        let output = ClientOutput::new(output, arrival.channels.clone()).upcast();
        Self {
            input,
            output,
            tls,
            _open: Arc::clone(&arrival.open),
        }
    }
}

/// Whether TLS's last message could be written at once: a peer who reads nothing must not be waited for.
fn can_write(tls: &gio::TlsConnection) -> bool {
    let output = tls.output_stream().dynamic_cast::<gio::PollableOutputStream>();
    output.is_ok_and(|output| output.is_writable())
}

fn quark() -> glib::Quark {
    static QUARK: LazyLock<glib::Quark> = LazyLock::new(|| glib::Quark::from_str("rtsp-clock-streams"));
    *QUARK
}

/// What is ours of `connection`, if it has been handed over, or is being.
fn ours<'a>(connection: &'a gio::IOStream, original: &Methods) -> Option<&'a Streams> {
    let is_handed_over = |arrival: &Arrival| {
        let socket = connection
            .downcast_ref::<gio::SocketConnection>()
            .map(SocketConnectionExt::socket);
        socket.is_some_and(|socket| arrival.connection.is_of(&socket))
    };
    #[expect(unsafe_code, reason = "glib keeps data of any type with an object")]
    // SAFETY: the quark is this module's, and what has it is of this type. It is set once, on the thread that hands the
    // connection over and before anybody else knows of it, and goes with the connection.
    unsafe {
        if let Some(streams) = connection.qdata::<Streams>(quark()) {
            return Some(streams.as_ref());
        }
        let arrival = handover::arrival().filter(is_handed_over)?;
        connection.set_qdata(quark(), Streams::of_arrival(connection, &arrival, original));
        connection
            .qdata::<Streams>(quark())
            .map(|streams| streams.as_ref())
    }
}

#[expect(unsafe_code, reason = "called by GIO")]
unsafe extern "C" fn input_stream(stream: Stream) -> *mut gio::ffi::GInputStream {
    // SAFETY: GIO calls the method of a connection with that connection; what is answered belongs to it.
    unsafe {
        let Some(original) = ORIGINAL.get() else {
            return ptr::null_mut();
        };
        match ours(&from_glib_borrow(stream), original) {
            Some(streams) => streams.input.to_glib_none().0,
            None => (original.input_stream)(stream),
        }
    }
}

#[expect(unsafe_code, reason = "called by GIO")]
unsafe extern "C" fn output_stream(stream: Stream) -> *mut gio::ffi::GOutputStream {
    // SAFETY: as above.
    unsafe {
        let Some(original) = ORIGINAL.get() else {
            return ptr::null_mut();
        };
        match ours(&from_glib_borrow(stream), original) {
            Some(streams) => streams.output.to_glib_none().0,
            None => (original.output_stream)(stream),
        }
    }
}

#[expect(unsafe_code, reason = "called by GIO")]
unsafe extern "C" fn close(
    stream: Stream,
    cancellable: *mut gio::ffi::GCancellable,
    error: *mut *mut glib::ffi::GError,
) -> glib::ffi::gboolean {
    // SAFETY: as above; the method from before gets what this one has got.
    unsafe {
        let Some(original) = ORIGINAL.get() else {
            return glib::ffi::GTRUE;
        };
        let connection: Borrowed<gio::IOStream> = from_glib_borrow(stream);
        if let Some(tls) = ours(&connection, original).and_then(|streams| streams.tls.as_ref())
            && can_write(tls)
        {
            // It fails where the peer has already gone.
            let _said = tls.close(gio::Cancellable::NONE);
        }
        original
            .close
            .map_or(glib::ffi::GTRUE, |close| close(stream, cancellable, error))
    }
}
