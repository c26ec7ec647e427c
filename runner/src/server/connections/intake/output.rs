//! What is written to a client: a stream of GIO's that can be polled, and that throws away what the outlet holds back.

use gst::{glib, glib::subclass::prelude::*};
use gst_rtsp_server::gio;

use super::channels::CurrentChannels;

glib::wrapper! {
    /// What is written to a client.
    pub(super) struct ClientOutput(ObjectSubclass<imp::ClientOutput>)
        @extends gio::OutputStream,
        @implements gio::PollableOutputStream;
}

impl ClientOutput {
    /// What goes out to `below`, as the `channels` that it has let it.
    pub(super) fn new(below: gio::OutputStream, channels: CurrentChannels) -> Self {
        let output: Self = glib::Object::new();
        output.imp().set(below, channels);
        output
    }
}

mod imp {
    use std::{cell::OnceCell, ptr};

    use gst::glib::{
        self,
        translate::{IntoGlib as _, IntoGlibPtr as _, ToGlibPtr as _},
    };
    use gst_rtsp_server::gio::{self, prelude::*, subclass::prelude::*};
    use parking_lot::{Mutex, MutexGuard};

    use crate::server::connections::intake::{
        channels::CurrentChannels,
        outlet::{Outlet, Step},
    };

    #[derive(Debug, Default)]
    pub(in super::super) struct ClientOutput {
        below: OnceCell<OfWriter<Below>>,
        outlet: Mutex<Outlet>,
    }

    #[derive(Debug)]
    struct Below {
        stream: gio::OutputStream,
        pollable: Option<gio::PollableOutputStream>,
        channels: CurrentChannels,
    }

    /// What belongs to whoever serves a connection.
    #[derive(Debug)]
    struct OfWriter<T>(T);

    #[expect(unsafe_code, reason = "the bindings take a stream for one thread's")]
    // SAFETY: it is set before the connection is handed on, and from then on used by whoever writes to the connection, which
    // is one thread at a time: gst-rtsp-server's connection has a lock for that.
    unsafe impl<T> Send for OfWriter<T> {}

    #[glib::object_subclass]
    impl ObjectSubclass for ClientOutput {
        const NAME: &'static str = "RtspClockClientOutput";
        type Type = super::ClientOutput;
        type ParentType = gio::OutputStream;
        type Interfaces = (gio::PollableOutputStream,);
    }

    impl ObjectImpl for ClientOutput {}

    impl OutputStreamImpl for ClientOutput {
        fn write(&self, buffer: &[u8], cancellable: Option<&gio::Cancellable>) -> Result<usize, glib::Error> {
            let Some(below) = self.below.get() else {
                return Ok(buffer.len());
            };
            self.write_by(&[buffer], |most| {
                below
                    .0
                    .stream
                    .write(&buffer[..most], cancellable)
                    .map(|count| usize::try_from(count).unwrap_or(0))
            })
        }

        fn flush(&self, cancellable: Option<&gio::Cancellable>) -> Result<(), glib::Error> {
            self.below
                .get()
                .map_or(Ok(()), |below| below.0.stream.flush(cancellable))
        }

        fn close(&self, cancellable: Option<&gio::Cancellable>) -> Result<(), glib::Error> {
            self.below
                .get()
                .map_or(Ok(()), |below| below.0.stream.close(cancellable))
        }
    }

    impl ClientOutput {
        pub(super) fn set(&self, stream: gio::OutputStream, channels: CurrentChannels) {
            let pollable = stream.clone().dynamic_cast().ok();
            // It is new.
            let _new = self.below.set(OfWriter(Below {
                stream,
                pollable,
                channels,
            }));
        }

        fn pollable(&self) -> Option<&gio::PollableOutputStream> {
            self.below.get()?.0.pollable.as_ref()
        }

        fn lock(&self) -> MutexGuard<'_, Outlet> {
            self.outlet.lock()
        }

        /// Has `write` write as much of the first of `bytes` as may go out, or throws away what may not; answers how much of
        /// them is done with.
        fn write_by(
            &self,
            bytes: &[&[u8]],
            write: impl FnOnce(usize) -> Result<usize, glib::Error>,
        ) -> Result<usize, glib::Error> {
            let mut outlet = self.lock();
            let channels = self.below.get().map(|below| below.0.channels.current());
            let channels = channels.unwrap_or_default();
            let step = if channels.awaits() {
                outlet.next(bytes, &channels)
            } else {
                Step::Passes(bytes.iter().map(|piece| piece.len()).sum())
            };
            let count = match step {
                Step::Passes(most) => {
                    let count = write(most)?;
                    outlet.went(bytes, count, &channels);
                    count
                }
                Step::IsDropped(count) => {
                    outlet.dropped(bytes, count);
                    count
                }
            };
            Ok(count)
        }
    }

    #[expect(unsafe_code, reason = "the bindings cannot implement this interface of GIO's")]
    // SAFETY: the methods have the types that the interface's structure wants, and are set for our class alone.
    unsafe impl IsImplementable<ClientOutput> for gio::PollableOutputStream {
        fn interface_init(interface: &mut glib::Interface<Self>) {
            let interface = interface.as_mut();
            interface.can_poll = Some(can_poll);
            interface.is_writable = Some(is_writable);
            interface.create_source = Some(create_source);
            interface.write_nonblocking = Some(write_nonblocking);
            interface.writev_nonblocking = Some(writev_nonblocking);
        }
    }

    type Pollable = *mut gio::ffi::GPollableOutputStream;
    type Error = *mut *mut glib::ffi::GError;

    #[expect(unsafe_code, reason = "called by GIO")]
    /// # Safety
    /// `stream` is one of ours, and valid during the call.
    unsafe fn of<'a>(stream: Pollable) -> &'a ClientOutput {
        // SAFETY: the interface is implemented by our class alone, of which the stream is therefore an instance.
        unsafe { (*stream.cast::<<ClientOutput as ObjectSubclass>::Instance>()).imp() }
    }

    #[expect(unsafe_code, reason = "called by GIO")]
    unsafe extern "C" fn can_poll(_: Pollable) -> glib::ffi::gboolean {
        glib::ffi::GTRUE
    }

    #[expect(unsafe_code, reason = "called by GIO")]
    unsafe extern "C" fn is_writable(stream: Pollable) -> glib::ffi::gboolean {
        // SAFETY: GIO calls the method of a stream with that stream.
        let output = unsafe { of(stream) };
        output
            .pollable()
            .is_some_and(PollableOutputStreamExt::is_writable)
            .into_glib()
    }

    #[expect(unsafe_code, reason = "called by GIO")]
    unsafe extern "C" fn create_source(
        stream: Pollable,
        cancellable: *mut gio::ffi::GCancellable,
    ) -> *mut glib::ffi::GSource {
        // SAFETY: GIO calls the method of a stream with that stream. The source below is a child of the one that is
        // answered, which takes a reference of its own.
        unsafe {
            let child = of(stream).pollable().map_or(ptr::null_mut(), |below| {
                gio::ffi::g_pollable_output_stream_create_source(below.to_glib_none().0, ptr::null_mut())
            });
            let source = gio::ffi::g_pollable_source_new_full(stream.cast(), child, cancellable);
            if !child.is_null() {
                glib::ffi::g_source_unref(child);
            }
            source
        }
    }

    #[expect(unsafe_code, reason = "called by GIO")]
    unsafe extern "C" fn write_nonblocking(
        stream: Pollable,
        buffer: *mut u8,
        count: usize,
        error: Error,
    ) -> isize {
        let vector = gio::ffi::GOutputVector {
            buffer: buffer.cast_const().cast(),
            size: count,
        };
        let mut written = 0;
        // SAFETY: as below, with one piece.
        match unsafe { writev_nonblocking(stream, &raw const vector, 1, &raw mut written, error) } {
            gio::ffi::G_POLLABLE_RETURN_OK => isize::try_from(written).unwrap_or(isize::MAX),
            gio::ffi::G_POLLABLE_RETURN_WOULD_BLOCK => {
                would_block(error);
                -1
            }
            _ => -1,
        }
    }

    /// Says by `error` what this method has no other way to say.
    fn would_block(error: Error) {
        let reason = glib::Error::new(gio::IOErrorEnum::WouldBlock, "it would block");
        if !error.is_null() {
            #[expect(unsafe_code, reason = "GIO takes errors by pointers")]
            // SAFETY: whoever calls a method of GIO's gives a place for an error, or none.
            unsafe {
                *error = reason.into_glib_ptr();
            }
        }
    }

    #[expect(unsafe_code, reason = "called by GIO")]
    unsafe extern "C" fn writev_nonblocking(
        stream: Pollable,
        vectors: *const gio::ffi::GOutputVector,
        count: usize,
        written: *mut usize,
        error: Error,
    ) -> gio::ffi::GPollableReturn {
        // SAFETY: GIO calls the method of a stream with that stream, with so many pieces that are valid during the call, and
        // with places for what it answers.
        let (output, vectors) = unsafe { (of(stream), pieces(vectors, count)) };
        // SAFETY: each piece is so many bytes that nobody changes during the call.
        let bytes: Vec<&[u8]> = vectors.iter().map(|vector| unsafe { piece(vector) }).collect();
        let Some(below) = output.pollable() else {
            return gio::ffi::G_POLLABLE_RETURN_FAILED;
        };
        let mut result = gio::ffi::G_POLLABLE_RETURN_OK;
        let done = output.write_by(&bytes, |most| {
            let cut = cut(vectors, most);
            let mut count = 0;
            // SAFETY: the pieces are those from above, the last one cut.
            result = unsafe {
                gio::ffi::g_pollable_output_stream_writev_nonblocking(
                    below.to_glib_none().0,
                    cut.as_ptr(),
                    cut.len(),
                    &raw mut count,
                    ptr::null_mut(),
                    error,
                )
            };
            Ok(count)
        });
        if !written.is_null() {
            // SAFETY: see above.
            unsafe { *written = done.unwrap_or(0) };
        }
        result
    }

    #[expect(unsafe_code, reason = "GIO's arrays")]
    /// # Safety
    /// There are `count` of them, valid as long as they are used.
    unsafe fn pieces<'a>(
        vectors: *const gio::ffi::GOutputVector,
        count: usize,
    ) -> &'a [gio::ffi::GOutputVector] {
        if count == 0 {
            return &[];
        }
        // SAFETY: as the caller says.
        unsafe { std::slice::from_raw_parts(vectors, count) }
    }

    #[expect(unsafe_code, reason = "GIO's arrays")]
    /// # Safety
    /// It describes bytes that are valid as long as they are used.
    unsafe fn piece(vector: &gio::ffi::GOutputVector) -> &[u8] {
        if vector.size == 0 {
            return &[];
        }
        // SAFETY: as the caller says.
        unsafe { std::slice::from_raw_parts(vector.buffer.cast(), vector.size) }
    }

    /// The first `most` bytes of all pieces.
    fn cut(vectors: &[gio::ffi::GOutputVector], mut most: usize) -> Vec<gio::ffi::GOutputVector> {
        let mut cut = Vec::with_capacity(vectors.len());
        for vector in vectors {
            if most == 0 {
                break;
            }
            let size = vector.size.min(most);
            most -= size;
            cut.push(gio::ffi::GOutputVector {
                buffer: vector.buffer,
                size,
            });
        }
        cut
    }
}
