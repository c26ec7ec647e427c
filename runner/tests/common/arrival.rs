//! When data came, as the kernel noted it: on a busy machine the thread that waits for it wakes milliseconds later.

use std::{
    io::{self, IoSliceMut},
    os::fd::{AsFd, AsRawFd},
    time::{SystemTime, UNIX_EPOCH},
};

use nix::{
    cmsg_space,
    sys::{
        socket::{
            ControlMessageOwned, MsgFlags, SockaddrLike, recvmsg, setsockopt, sockopt::ReceiveTimestampns,
        },
        time::TimeSpec,
    },
};

/// Has the kernel note when data comes to `socket`.
pub fn note(socket: &impl AsFd) {
    setsockopt(socket, ReceiveTimestampns, &true).expect("Linux notes it");
}

/// What came next and from where.
pub struct Received<S> {
    pub length: usize,
    pub sender: Option<S>,
    /// When the last of it came. Now, where the kernel did not note it: for what came before it was told to.
    pub came: SystemTime,
}

/// Waits for data at a socket of [`note`]; no length where a stream has ended.
pub fn receive<S: SockaddrLike>(socket: &impl AsFd, buffer: &mut [u8]) -> io::Result<Received<S>> {
    let mut noted = cmsg_space!(TimeSpec);
    let mut parts = [IoSliceMut::new(buffer)];
    let fd = socket.as_fd().as_raw_fd();
    let message = recvmsg::<S>(fd, &mut parts, Some(&mut noted), MsgFlags::empty())?;
    let came = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::ScmTimestampns(time) => Some(UNIX_EPOCH + time.into()),
        _ => None,
    });
    Ok(Received {
        length: message.bytes,
        sender: message.address,
        came: came.unwrap_or_else(SystemTime::now),
    })
}
