//! Whether this machine has room for one more client or pipeline: for its threads and memory, without which GLib,
//! GStreamer and Pango end the process.

use std::io;

use clockface::threads;

/// The threads that a client may bring: the one that serves it, and the one by which gst-rtsp-server sends to those who
/// watch within their connections.
const OF_A_CLIENT: usize = 2;
/// The threads that a pipeline has beside its encoder's: sources, queues, RTCP and senders of picture and sound, and
/// its bus.
const OF_A_PIPELINE: usize = 14;
/// The threads of a pipeline that makes pictures one by one, the decoder's included.
const OF_A_STILL: usize = 6;
/// The memory that a pipeline of a large picture takes to start, in bytes.
const MEMORY: usize = 64 * 1024 * 1024;

/// Whether a client can be served.
///
/// # Errors
/// What the system says where it cannot.
pub(crate) fn for_client() -> io::Result<()> {
    threads::try_some(OF_A_CLIENT)
}

/// Whether pictures can be made for somebody who looks at a stream without playing it.
///
/// # Errors
/// What the system says where they cannot.
pub(crate) fn for_still() -> io::Result<()> {
    threads::try_some(OF_A_STILL)
}

/// Whether a pipeline can be started whose encoder has as many threads as there are `cores`.
///
/// # Errors
/// What the system says where it cannot.
pub(crate) fn for_pipeline(cores: usize) -> io::Result<()> {
    let mut memory = Vec::<u8>::new();
    memory
        .try_reserve_exact(MEMORY)
        .map_err(|_| io::ErrorKind::OutOfMemory)?;
    threads::try_some(OF_A_PIPELINE + cores)
}
