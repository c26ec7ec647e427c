//! A small time server (SNTP, RFC 4330) whose time is off by as much as a test wants.

use std::{
    net::{Ipv4Addr, SocketAddrV4, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use nix::sys::socket::SockaddrIn;

use super::arrival::{self, Received};

/// Seconds from NTP's epoch to Unix's.
pub const NTP_TO_UNIX: u64 = 2_208_988_800;

const PACKET: usize = 48;
/// No leap second is near; version 4; a server.
const HEAD: u8 = (4 << 3) | 4;

/// Answers on a port of loopback until it is dropped.
pub struct TimeServer {
    port: u16,
    /// Its time minus this machine's, in ms.
    offset: Arc<AtomicI64>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl TimeServer {
    /// One whose time is so many ms ahead of this machine's.
    pub fn ahead_by(offset: i64) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let wait = Duration::from_millis(100);
        socket.set_read_timeout(Some(wait)).expect("a time-out");
        arrival::note(&socket);
        let port = socket.local_addr().expect("an address").port();
        let offset = Arc::new(AtomicI64::new(offset));
        let is_over = Arc::new(AtomicBool::new(false));
        let (its_offset, its_end) = (Arc::clone(&offset), Arc::clone(&is_over));
        let thread = thread::spawn(move || {
            while !its_end.load(Ordering::Relaxed) {
                answer(&socket, &its_offset);
            }
        });
        Self {
            port,
            offset,
            is_over,
            thread: Some(thread),
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on it is so many ms ahead.
    pub fn set_ahead_by(&self, offset: i64) {
        self.offset.store(offset, Ordering::Relaxed);
    }
}

impl Drop for TimeServer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it answers to the end");
        }
    }
}

fn answer(socket: &UdpSocket, offset: &AtomicI64) {
    let mut request = [0; PACKET];
    let Ok(Received::<SockaddrIn> {
        length: PACKET,
        sender: Some(client),
        came,
    }) = arrival::receive(socket, &mut request)
    else {
        return;
    };
    let mut packet = [0; PACKET];
    // A primary server, which may be asked as often as one likes.
    packet[..3].copy_from_slice(&[HEAD, 1, 3]);
    // The client's time comes back as it was.
    packet[24..32].copy_from_slice(&request[40..48]);
    // A client whose request came earlier than this says is ahead by half of that.
    packet[32..40].copy_from_slice(&time(came, offset));
    packet[40..48].copy_from_slice(&time(SystemTime::now(), offset));
    let client = SocketAddrV4::from(client);
    socket.send_to(&packet, client).expect("loopback takes it");
}

/// The server's time when this machine's is `instant`.
fn time(instant: SystemTime, offset: &AtomicI64) -> [u8; 8] {
    let since = instant.duration_since(UNIX_EPOCH).expect("after 1970").as_nanos();
    let time =
        i128::try_from(since).expect("before long") + i128::from(offset.load(Ordering::Relaxed)) * 1_000_000;
    let ntp = ((time + i128::from(NTP_TO_UNIX) * 1_000_000_000) << 32) / 1_000_000_000;
    u64::try_from(ntp).expect("64 bits").to_be_bytes()
}
