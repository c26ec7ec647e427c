//! The few calls of the system that std lacks, each argued: sockets, limits, memory.

use std::{
    io,
    mem::ManuallyDrop,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::fd::{AsRawFd, FromRawFd as _, RawFd},
    ptr,
    time::Duration,
};

/// Lets the kernel find out that a viewer has vanished: probes an idle connection after `after`, and gives up one whose
/// peer has taken nothing for that long, be it unreachable or just not reading.
///
/// # Errors
/// When the system refuses an option.
pub fn watch_for_dead_peer(connection: &TcpStream, after: Duration) -> io::Result<()> {
    let seconds = libc::c_int::try_from(after.as_secs()).unwrap_or(libc::c_int::MAX);
    let milliseconds = libc::c_int::try_from(after.as_millis()).unwrap_or(libc::c_int::MAX);
    let interval = (seconds / 6).max(1);
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
        set_option(connection.as_raw_fd(), level, option, &value)?;
    }
    Ok(())
}

/// What the peer's system has taken of what was written to a TCP connection.
#[derive(Debug, Clone, Copy)]
pub struct Delivery {
    /// Bytes that it has acknowledged.
    pub taken: u64,
    /// Bytes that wait for that.
    pub waiting: u64,
    /// How long ago it acknowledged anything, a byte or a question whether it is there.
    pub last_heard: Duration,
}

impl Delivery {
    /// All bytes that were written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.taken + self.waiting
    }
}

/// Where in Linux's `struct tcp_info` the time in ms since the last acknowledgement stands; libc's does not go on as far
/// as the acknowledged bytes.
const LAST_ACK_RECV: usize = 56;
/// Where the number of acknowledged bytes stands.
const BYTES_ACKED: usize = 120;

/// How far the peer of the TCP connection `fd` has come; `None` where it is no such descriptor.
#[must_use]
pub fn delivery(fd: RawFd) -> Option<Delivery> {
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

/// The addresses here and there of `fd`, if it is a connection.
#[must_use]
pub fn ends(fd: RawFd) -> Option<(SocketAddr, SocketAddr)> {
    let connection = lent(fd)?;
    Some((connection.local_addr().ok()?, connection.peer_addr().ok()?))
}

/// Ends the connection `fd` in both directions; it stays open until its owner closes it.
///
/// # Errors
/// When the system refuses.
pub fn shut_down(fd: RawFd) -> io::Result<()> {
    lent(fd).map_or(Ok(()), |connection| connection.shutdown(Shutdown::Both))
}

/// The connection `fd` of somebody else.
fn lent(fd: RawFd) -> Option<ManuallyDrop<TcpStream>> {
    if fd < 0 {
        return None;
    }
    #[expect(unsafe_code, reason = "std deals only with what it owns")]
    // SAFETY: it is asked, or told something, and never closed here. Whoever owns it may have closed it: then the number
    // is nobody's or that of another file, which the kernel says.
    let connection = unsafe { TcpStream::from_raw_fd(fd) };
    Some(ManuallyDrop::new(connection))
}

/// Lets the connection `fd` end at once when it is closed, with what has not been taken thrown away.
///
/// # Errors
/// When the system refuses.
pub fn reset_on_close(fd: RawFd) -> io::Result<()> {
    let at_once = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    set_option(fd, libc::SOL_SOCKET, libc::SO_LINGER, &at_once)
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

/// `T` is plain data, as the kernel knows this option.
fn set_option<T: Copy>(fd: RawFd, level: libc::c_int, option: libc::c_int, value: &T) -> io::Result<()> {
    let size = libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0);
    #[expect(unsafe_code, reason = "std cannot set these options")]
    // SAFETY: the pointer and the size describe a live value, and the kernel only reads it.
    let result = unsafe { libc::setsockopt(fd, level, option, ptr::from_ref(value).cast(), size) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Blocks of memory from this size on, in bytes, are the system's again once they are free: an encoder's state and its
/// pictures are.
#[cfg(target_env = "gnu")]
const LARGE: libc::c_int = 64 * 1024;

/// Has what a stream took of memory go back to the system when its pipeline is gone, and not only to glibc's malloc, which
/// would keep more and more of it with every pipeline that comes and goes: it takes ever larger blocks for small ones
/// once they have been freed, and keeps apart what each thread has freed. `threads` is how many run at the same time.
pub fn give_memory_back(threads: usize) {
    #[cfg(target_env = "gnu")]
    {
        let arenas = libc::c_int::try_from(threads.max(2)).unwrap_or(libc::c_int::MAX);
        for (parameter, value) in [
            (libc::M_MMAP_THRESHOLD, LARGE),
            (libc::M_TRIM_THRESHOLD, 2 * LARGE),
            (libc::M_ARENA_MAX, arenas),
        ] {
            #[expect(unsafe_code, reason = "std does not set its allocator")]
            // SAFETY: it changes numbers that malloc looks at, under malloc's own lock.
            let done = unsafe { libc::mallopt(parameter, value) };
            if done == 0 {
                tracing::debug!(parameter, value, "malloc takes no such setting");
            }
        }
    }
    #[cfg(not(target_env = "gnu"))]
    let _ = threads;
}

/// Gives back to the system what is free of malloc's memory between what is not. That takes milliseconds, in which nobody
/// else gets any: not for every day.
pub fn trim_memory() {
    #[cfg(target_env = "gnu")]
    {
        let begun = std::time::Instant::now();
        #[expect(unsafe_code, reason = "std does not know its allocator")]
        // SAFETY: it takes malloc's own locks, and touches nothing but what is free.
        let released = unsafe { libc::malloc_trim(0) };
        tracing::debug!(released, "trimmed the memory within {:?}", begun.elapsed());
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
