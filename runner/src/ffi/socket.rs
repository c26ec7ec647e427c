//! Questions to a TCP connection, and options for it, that std lacks.

use std::{
    io,
    mem::ManuallyDrop,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::fd::{AsFd, FromRawFd as _, RawFd},
    time::Duration,
};

use nix::sys::socket::{Backlog, listen, setsockopt, sockopt};

/// Lets the kernel find out that a viewer has vanished: probes an idle connection after `after`, and gives up one whose
/// peer has taken nothing for that long, be it unreachable or just not reading.
///
/// # Errors
/// When the system refuses an option.
pub(crate) fn watch_for_dead_peer(connection: &impl AsFd, after: Duration) -> io::Result<()> {
    let milliseconds = u32::try_from(after.as_millis()).unwrap_or(u32::MAX);
    let interval = u32::try_from(after.as_secs() / 6).unwrap_or(u32::MAX).max(1);
    setsockopt(connection, sockopt::KeepAlive, &true)?;
    setsockopt(connection, sockopt::TcpKeepIdle, &interval)?;
    setsockopt(connection, sockopt::TcpKeepInterval, &interval)?;
    setsockopt(connection, sockopt::TcpKeepCount, &3)?;
    setsockopt(connection, sockopt::TcpUserTimeout, &milliseconds)?;
    // Without Nagle's algorithm no packet is late for having waited for the acknowledgement of an earlier one.
    setsockopt(connection, sockopt::TcpNoDelay, &true)?;
    Ok(())
}

/// How much of what was written to a TCP connection the peer's system has taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivery {
    /// How many bytes it has acknowledged.
    pub(crate) taken: u64,
    /// How many bytes still wait for that.
    pub(crate) waiting: u64,
    /// How long ago it acknowledged anything: a byte, or a probe whether it is there.
    pub(crate) last_heard: Duration,
}

impl Delivery {
    /// All bytes that were written.
    #[must_use]
    pub(crate) fn written(&self) -> u64 {
        self.taken + self.waiting
    }
}

/// The offset in Linux's `struct tcp_info` of the time in ms since the last acknowledgement. The struct in libc ends
/// before the acknowledged bytes, hence these offsets.
const LAST_ACK_RECV: usize = 56;
/// The offset of the number of acknowledged bytes.
const BYTES_ACKED: usize = 120;

/// How far the peer of the TCP connection `fd` has come; `None` where `fd` is no such connection.
#[must_use]
pub(crate) fn delivery(fd: RawFd) -> Option<Delivery> {
    let mut info = [0_u8; BYTES_ACKED + 8];
    let mut size = libc::socklen_t::try_from(info.len()).ok()?;
    let mut waiting: libc::c_int = 0;
    #[expect(unsafe_code, reason = "std cannot ask for these")]
    // SAFETY: the kernel writes no more than `size` bytes into the array, and one integer into the other variable, which
    // both live on this stack. A descriptor that is none, or not of a TCP connection, is refused. First what is taken:
    // the sum never says that more was written than was.
    let answered = unsafe {
        libc::getsockopt(
            fd,
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut size,
        ) == 0
            && libc::ioctl(fd, libc::TIOCOUTQ, &raw mut waiting) == 0
    };
    if !answered || usize::try_from(size).ok()? < info.len() {
        return None;
    }
    let last_ack = info[LAST_ACK_RECV..][..4].try_into().ok()?;
    Some(Delivery {
        taken: u64::from_ne_bytes(info[BYTES_ACKED..].try_into().ok()?),
        waiting: u64::try_from(waiting).ok()?,
        last_heard: Duration::from_millis(u32::from_ne_bytes(last_ack).into()),
    })
}

/// The addresses of this end and the other of `fd`, if it is a connection.
#[must_use]
pub(crate) fn ends(fd: RawFd) -> Option<(SocketAddr, SocketAddr)> {
    let connection = borrowed(fd)?;
    Some((connection.local_addr().ok()?, connection.peer_addr().ok()?))
}

/// Ends the connection `fd` in both directions; it stays open until its owner closes it.
///
/// # Errors
/// When the system refuses.
pub(crate) fn shut_down(fd: RawFd) -> io::Result<()> {
    borrowed(fd).map_or(Ok(()), |connection| connection.shutdown(Shutdown::Both))
}

/// The connection `fd`, borrowed from whoever owns it.
fn borrowed(fd: RawFd) -> Option<ManuallyDrop<TcpStream>> {
    if fd < 0 {
        return None;
    }
    #[expect(unsafe_code, reason = "std deals only with what it owns")]
    // SAFETY: it is asked, or told something, and never closed here. Whoever owns it may have closed it: then the number
    // is nobody's or that of another file, which the kernel says.
    let connection = unsafe { TcpStream::from_raw_fd(fd) };
    Some(ManuallyDrop::new(connection))
}

/// Has the connection `fd` end at once when it is closed; data that has not been taken is thrown away.
///
/// # Errors
/// When the system refuses.
pub(crate) fn reset_on_close(fd: RawFd) -> io::Result<()> {
    let at_once = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    let Some(connection) = borrowed(fd) else {
        return Ok(());
    };
    Ok(setsockopt(&*connection, sockopt::Linger, &at_once)?)
}

/// Lets `length` connections wait until they are accepted, or as many as the system allows: std's own 128 are taken in
/// a crowd's first moment, and whoever comes next waits a second until his system tries again.
///
/// # Errors
/// When the system refuses.
pub(crate) fn lengthen_backlog(listener: &TcpListener, length: u16) -> io::Result<()> {
    // Calling `listen` once more only changes the length.
    Ok(listen(listener, Backlog::new(i32::from(length))?)?)
}
