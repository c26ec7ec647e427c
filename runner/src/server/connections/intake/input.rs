//! What is read from a client: a stream of GIO's that can be polled, and that hands on what the intake lets pass.

use gst::{glib, glib::subclass::prelude::*};
use gst_rtsp_server::gio;

use super::Intake;

glib::wrapper! {
    /// What is read from a client.
    pub(super) struct ClientInput(ObjectSubclass<imp::ClientInput>)
        @extends gio::InputStream,
        @implements gio::PollableInputStream;
}

impl ClientInput {
    /// What comes from `below` through `intake`.
    pub(super) fn new(below: gio::InputStream, intake: Intake) -> Self {
        let input: Self = glib::Object::new();
        input.imp().set(below, intake);
        input
    }
}

mod imp {
    use std::{cell::OnceCell, time::Instant};

    use gst::glib::{
        self,
        translate::{IntoGlib as _, IntoGlibPtr as _, ToGlibPtr as _},
    };
    use gst_rtsp_server::gio::{self, prelude::*, subclass::prelude::*};
    use parking_lot::{Mutex, MutexGuard};

    use super::Intake;

    /// What is thrown away in one go, in bytes, before others get their turn.
    const MOST_THROWN_AWAY: usize = 64 * 1024;
    /// What is read at once, in bytes.
    const AT_ONCE: usize = 16 * 1024;

    /// What belongs to whoever serves a connection.
    #[derive(Debug)]
    struct OfReader<T>(T);

    #[expect(unsafe_code, reason = "the bindings take a stream for one thread's")]
    // SAFETY: it is set before the connection is handed on, and from then on used by whoever serves the connection, which
    // is one thread at a time for each direction, as gst-rtsp-server's own use of GIO's streams is.
    unsafe impl<T> Send for OfReader<T> {}

    #[derive(Debug, Default)]
    pub(in super::super) struct ClientInput {
        below: OnceCell<OfReader<gio::InputStream>>,
        state: Mutex<Option<State>>,
    }

    #[derive(Debug)]
    struct State {
        intake: Intake,
        /// What may be read, and how much of it has been.
        passed: Vec<u8>,
        read: usize,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for ClientInput {
        const NAME: &'static str = "RtspClockClientInput";
        type Type = super::ClientInput;
        type ParentType = gio::InputStream;
        type Interfaces = (gio::PollableInputStream,);
    }

    impl ObjectImpl for ClientInput {}

    impl InputStreamImpl for ClientInput {
        fn read(
            &self,
            buffer: &mut [u8],
            cancellable: Option<&gio::Cancellable>,
        ) -> Result<usize, glib::Error> {
            self.read_by(buffer, |stream, chunk| stream.read(chunk, cancellable))
        }

        fn close(&self, cancellable: Option<&gio::Cancellable>) -> Result<(), glib::Error> {
            self.below().map_or(Ok(()), |below| below.close(cancellable))
        }
    }

    impl ClientInput {
        pub(super) fn set(&self, below: gio::InputStream, intake: Intake) {
            let state = State {
                intake,
                passed: Vec::new(),
                read: 0,
            };
            *self.lock() = Some(state);
            // It is new.
            let _new = self.below.set(OfReader(below));
        }

        fn below(&self) -> Option<&gio::InputStream> {
            self.below.get().map(|below| &below.0)
        }

        fn pollable(&self) -> Option<gio::PollableInputStream> {
            self.below()?.clone().dynamic_cast().ok()
        }

        fn lock(&self) -> MutexGuard<'_, Option<State>> {
            self.state.lock()
        }

        fn is_readable(&self) -> bool {
            let has_some = self
                .lock()
                .as_ref()
                .is_some_and(|state| state.read < state.passed.len());
            has_some || self.pollable().is_some_and(|below| below.is_readable())
        }

        fn read_nonblocking(&self, buffer: &mut [u8]) -> Result<usize, glib::Error> {
            let pollable = self.pollable();
            self.read_by(buffer, |_, chunk| match &pollable {
                Some(below) => below
                    .read_nonblocking(chunk, gio::Cancellable::NONE)
                    .map(|count| usize::try_from(count).unwrap_or(0)),
                None => Err(glib::Error::new(
                    gio::IOErrorEnum::NotSupported,
                    "it cannot be polled",
                )),
            })
        }

        /// Reads below by `read` until there is something to be read here.
        fn read_by(
            &self,
            buffer: &mut [u8],
            read: impl Fn(&gio::InputStream, &mut [u8]) -> Result<usize, glib::Error>,
        ) -> Result<usize, glib::Error> {
            let mut state = self.lock();
            let (Some(state), Some(below)) = (state.as_mut(), self.below()) else {
                return Ok(0);
            };
            if buffer.is_empty() {
                return Ok(0);
            }
            let mut chunk = [0; AT_ONCE];
            let mut taken = 0;
            loop {
                if let Some(count) = state.hand_on(buffer) {
                    return Ok(count);
                }
                if taken >= MOST_THROWN_AWAY {
                    return Err(glib::Error::new(
                        gio::IOErrorEnum::WouldBlock,
                        "others get their turn",
                    ));
                }
                let wanted = state.intake.wants(buffer.len()).clamp(1, AT_ONCE);
                let count = read(below, &mut chunk[..wanted])?;
                if count == 0 {
                    return Ok(0);
                }
                taken += count;
                state
                    .intake
                    .take(&chunk[..count], Instant::now(), &mut state.passed);
            }
        }
    }

    impl State {
        /// Fills the buffer as far as there is something for it.
        fn hand_on(&mut self, buffer: &mut [u8]) -> Option<usize> {
            let rest = &self.passed[self.read..];
            if rest.is_empty() {
                return None;
            }
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            self.read += count;
            if self.read == self.passed.len() {
                self.passed.clear();
                self.read = 0;
            }
            Some(count)
        }
    }

    #[expect(unsafe_code, reason = "the bindings cannot implement this interface of GIO's")]
    // SAFETY: the four methods have the types that the interface's structure wants, and are set for our class alone.
    unsafe impl IsImplementable<ClientInput> for gio::PollableInputStream {
        fn interface_init(interface: &mut glib::Interface<Self>) {
            let interface = interface.as_mut();
            interface.can_poll = Some(can_poll);
            interface.is_readable = Some(is_readable);
            interface.create_source = Some(create_source);
            interface.read_nonblocking = Some(read_nonblocking);
        }
    }

    type Pollable = *mut gio::ffi::GPollableInputStream;

    #[expect(unsafe_code, reason = "called by GIO")]
    /// # Safety
    /// `stream` is one of ours, and valid during the call.
    unsafe fn of<'a>(stream: Pollable) -> &'a ClientInput {
        // SAFETY: the interface is implemented by our class alone, of which the stream is therefore an instance.
        unsafe { (*stream.cast::<<ClientInput as ObjectSubclass>::Instance>()).imp() }
    }

    #[expect(unsafe_code, reason = "called by GIO")]
    unsafe extern "C" fn can_poll(_: Pollable) -> glib::ffi::gboolean {
        glib::ffi::GTRUE
    }

    #[expect(unsafe_code, reason = "called by GIO")]
    unsafe extern "C" fn is_readable(stream: Pollable) -> glib::ffi::gboolean {
        // SAFETY: GIO calls the method of a stream with that stream.
        unsafe { of(stream) }.is_readable().into_glib()
    }

    /// Ready when the stream below is: nothing of a message is kept here for longer than it takes to read it.
    #[expect(unsafe_code, reason = "called by GIO")]
    unsafe extern "C" fn create_source(
        stream: Pollable,
        cancellable: *mut gio::ffi::GCancellable,
    ) -> *mut glib::ffi::GSource {
        // SAFETY: GIO calls the method of a stream with that stream. The source below is a child of the one that is
        // answered, which takes a reference of its own.
        unsafe {
            let below = of(stream).pollable();
            let child = below.map_or(std::ptr::null_mut(), |below| {
                gio::ffi::g_pollable_input_stream_create_source(below.to_glib_none().0, std::ptr::null_mut())
            });
            let source = gio::ffi::g_pollable_source_new_full(stream.cast(), child, cancellable);
            if !child.is_null() {
                glib::ffi::g_source_unref(child);
            }
            source
        }
    }

    #[expect(unsafe_code, reason = "called by GIO")]
    unsafe extern "C" fn read_nonblocking(
        stream: Pollable,
        buffer: *mut u8,
        count: usize,
        error: *mut *mut glib::ffi::GError,
    ) -> isize {
        // SAFETY: GIO calls the method of a stream with that stream, with a buffer of that many bytes, which nobody else
        // looks at during the call, and with a place for an error or none.
        unsafe {
            let buffer = if count == 0 {
                &mut []
            } else {
                std::slice::from_raw_parts_mut(buffer, count)
            };
            match of(stream).read_nonblocking(buffer) {
                Ok(count) => isize::try_from(count).unwrap_or(isize::MAX),
                Err(reason) => {
                    if !error.is_null() {
                        *error = reason.into_glib_ptr();
                    }
                    -1
                }
            }
        }
    }
}
