//! The connections of RTSP sources as they open.
//!
//! GStreamer's RTSP connections are made by a `GSocketClient` that nobody else can reach. It emits `event` while it connects, and
//! a hook on that signal sees it for all clients of the process. A source connects on the thread on which it posts its
//! messages: by that thread each connection is known for its own.

use std::cell::RefCell;
use std::os::fd::{AsRawFd as _, RawFd};
use std::sync::{Arc, Once, Weak};

use gio::prelude::*;
use gst::glib;
use gst::glib::translate::IntoGlib as _;

use super::Intake;

thread_local! {
    /// For which source this thread connects.
    static SOURCE: RefCell<Weak<Intake>> = RefCell::default();
}

/// Whose connections this thread opens from now on.
pub(super) fn on_behalf_of(intake: Option<&Arc<Intake>>) {
    SOURCE.with_borrow_mut(|source| *source = intake.map(Arc::downgrade).unwrap_or_default());
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    socket: Shared,
    /// What had come by it when this was told last.
    heard: u64,
}

/// A socket that is another thread's.
#[derive(Debug)]
struct Shared(glib::WeakRef<gio::Socket>);

#[expect(
    unsafe_code,
    reason = "gio does not say it of any GObject that is not thread safe as a whole"
)]
// SAFETY: a GWeakRef may be upgraded on any thread. Of the socket behind it this asks the descriptor, whether it is closed,
// and shuts it down: the first two are read from fields that change once, the third is a system call that is made for use
// by another thread than the one that reads.
unsafe impl Send for Shared {}

impl Connection {
    fn new(socket: &gio::Socket) -> Self {
        Self {
            socket: Shared(socket.downgrade()),
            heard: 0,
        }
    }

    fn socket(&self) -> Option<gio::Socket> {
        self.socket.0.upgrade().filter(|socket| !socket.is_closed())
    }

    pub(super) fn is_there(&self) -> bool {
        self.socket().is_some()
    }

    /// Bytes that have come by it, but for those that are forgotten.
    pub(super) fn received(&self) -> u64 {
        self.all_received().saturating_sub(self.heard)
    }

    pub(super) fn forget_received(&mut self) {
        self.heard = self.all_received();
    }

    fn all_received(&self) -> u64 {
        self.socket()
            .map(|socket| bytes_received(socket.as_raw_fd()))
            .unwrap_or_default()
    }

    pub(super) fn shut_down(self) {
        if let Some(socket) = self.socket() {
            // One that is gone already is shut down.
            let _ = socket.shutdown(true, true);
        }
    }
}

/// Bytes that the kernel has received by a TCP connection so far; 0 where it does not say.
fn bytes_received(socket: RawFd) -> u64 {
    #[expect(unsafe_code, reason = "no safe binding reads what came by a TCP connection")]
    // SAFETY: zeroes are a valid tcp_info, of which the kernel fills in no more than the length given. A descriptor that was
    // closed meanwhile is an error, or another socket's that is only asked.
    unsafe {
        let mut info: libc::tcp_info = std::mem::zeroed();
        let Ok(mut length) = libc::socklen_t::try_from(size_of_val(&info)) else {
            return 0;
        };
        let answer = libc::getsockopt(
            socket,
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &raw mut length,
        );
        if answer == 0 { info.tcpi_bytes_received } else { 0 }
    }
}

/// Follows the connections of this process from now on.
pub(crate) fn follow() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // The signal is there once the class is.
        let client = gio::SocketClient::new();
        add_hook(ObjectExt::type_(&client));
    });
}

fn add_hook(clients: glib::Type) {
    #[expect(unsafe_code, reason = "the bindings have no emission hooks")]
    // SAFETY: the signal's name is a C string; the hook is a function that is always there, and needs no data.
    unsafe {
        let signal = glib::gobject_ffi::g_signal_lookup(c"event".as_ptr(), clients.into_glib());
        glib::gobject_ffi::g_signal_add_emission_hook(signal, 0, Some(on_event), std::ptr::null_mut(), None);
    }
}

/// `event` of a `GSocketClient`: the client, what happens, with which address, and the connection.
#[expect(unsafe_code, reason = "GLib calls it")]
unsafe extern "C" fn on_event(
    _hint: *mut glib::gobject_ffi::GSignalInvocationHint,
    count: u32,
    values: *const glib::gobject_ffi::GValue,
    _data: glib::ffi::gpointer,
) -> glib::ffi::gboolean {
    // SAFETY: GLib gives the values of an emission and how many there are, for the time of this call; glib::Value has
    // GValue's layout.
    let values = unsafe { std::slice::from_raw_parts(values.cast::<glib::Value>(), count as usize) };
    if let [_client, event, _address, connection, ..] = values {
        note(event, connection);
    }
    glib::ffi::GTRUE
}

fn note(event: &glib::Value, connection: &glib::Value) {
    let Some(intake) = SOURCE.with_borrow(Weak::upgrade) else {
        return;
    };
    if !matches!(event.get(), Ok(gio::SocketClientEvent::Connected)) {
        return;
    }
    if let Ok(Some(connection)) = connection.get::<Option<gio::IOStream>>()
        && let Ok(connection) = connection.downcast::<gio::SocketConnection>()
    {
        intake.opened(Connection::new(&connection.socket()));
    }
}
