//! A small PTP master (IEEE 1588-2008 over UDP, one-step, end to end) whose time is off by as much as a test wants. It
//! shares its host, and the ports with it, with the one who listens.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use gst_rtsp_server::gio::{self, prelude::*};

use super::arrival::{self, Received};

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 1, 129);
const EVENTS: u16 = 319;
const GENERAL: u16 = 320;
/// Between two messages of a kind: 1/8 s, which is 2 to the power of -3.
const INTERVAL: Duration = Duration::from_millis(125);
const LOG_INTERVAL: u8 = (-3_i8).cast_unsigned();
/// TAI, which PTP counts, minus UTC, in ms.
const LEAP_SECONDS: u64 = 37_000;

/// What the messages call it.
pub const IDENTITY: [u8; 8] = [2, 0, 0, 0xff, 0xfe, 0, 0, 1];
const PORT: [u8; 2] = [0, 1];

const SYNC: u8 = 0;
const DELAY_REQUEST: u8 = 1;
const DELAY_RESPONSE: u8 = 9;
const ANNOUNCE: u8 = 11;
const HEADER: usize = 34;

/// The master of a domain, until it is dropped.
pub struct Master {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Master {
    /// One on the network `interface`, so many ms ahead of this machine.
    pub fn ahead_by(ahead: u64, domain: u8, interface: &'static str) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let its_end = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            let mut speaker = Speaker {
                events: socket(EVENTS, interface),
                general: socket(GENERAL, interface),
                ahead,
                domain,
                sequence: 0,
            };
            arrival::note(&speaker.events);
            while !its_end.load(Ordering::Relaxed) {
                speaker.announce();
                speaker.synchronize();
                speaker.answer_until(Instant::now() + INTERVAL);
            }
        });
        Self {
            is_over,
            thread: Some(thread),
        }
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it speaks to the end");
        }
    }
}

struct Speaker {
    events: gio::Socket,
    general: gio::Socket,
    ahead: u64,
    domain: u8,
    sequence: u16,
}

impl Speaker {
    /// PTP's time when this machine's is `instant`: 48 bits of seconds, and ns.
    fn time(&self, instant: SystemTime) -> [u8; 10] {
        let since = instant.duration_since(UNIX_EPOCH).expect("after 1970")
            + Duration::from_millis(LEAP_SECONDS + self.ahead);
        let mut time = [0; 10];
        time[..6].copy_from_slice(&since.as_secs().to_be_bytes()[2..]);
        time[6..].copy_from_slice(&since.subsec_nanos().to_be_bytes());
        time
    }

    fn header(&self, kind: u8, length: usize, sequence: [u8; 2]) -> Vec<u8> {
        let mut header = vec![0; HEADER];
        header[..2].copy_from_slice(&[kind, 2]);
        header[2..4].copy_from_slice(&u16::try_from(length).expect("short").to_be_bytes());
        header[4] = self.domain;
        header[20..28].copy_from_slice(&IDENTITY);
        header[28..30].copy_from_slice(&PORT);
        header[30..32].copy_from_slice(&sequence);
        header[33] = LOG_INTERVAL;
        header
    }

    fn announce(&self) {
        let mut message = self.header(ANNOUNCE, 64, self.sequence.to_be_bytes());
        message.extend(self.time(SystemTime::now()));
        // The offset of UTC, a byte that is kept free, and a clock that follows a primary one.
        message.extend([0, 37, 0, 128, 6, 0x21, 0x4e, 0x5d, 128]);
        message.extend(IDENTITY);
        // No steps away; from an NTP server.
        message.extend([0, 0, 0x50]);
        send(&self.general, GENERAL, &message);
    }

    fn synchronize(&mut self) {
        let mut message = self.header(SYNC, 44, self.sequence.to_be_bytes());
        message.extend(self.time(SystemTime::now()));
        send(&self.events, EVENTS, &message);
        self.sequence = self.sequence.wrapping_add(1);
    }

    fn answer_until(&self, end: Instant) {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let left = i64::try_from(left.as_micros()).expect("short");
            let wait =
                self.events
                    .condition_timed_wait(gio::glib::IOCondition::IN, left, gio::Cancellable::NONE);
            if left == 0 || wait.is_err() {
                return;
            }
            let mut request = [0; 128];
            let Ok(Received::<()> { came, .. }) = arrival::receive(&self.events, &mut request) else {
                continue;
            };
            if request[0] & 0xf == DELAY_REQUEST && request[4] == self.domain {
                let mut message = self.header(DELAY_RESPONSE, 54, [request[30], request[31]]);
                // A client whose request came earlier than this says is ahead by half of that.
                message.extend(self.time(came));
                message.extend(&request[20..30]);
                send(&self.general, GENERAL, &message);
            }
        }
    }
}

/// A socket that shares `port` with others, and hears the group on `interface`.
fn socket(port: u16, interface: &str) -> gio::Socket {
    let socket = gio::Socket::new(
        gio::SocketFamily::Ipv4,
        gio::SocketType::Datagram,
        gio::SocketProtocol::Udp,
    )
    .expect("a socket");
    socket
        .bind(&address(Ipv4Addr::UNSPECIFIED, port), true)
        .expect("the port");
    let group = gio::InetAddress::from(std::net::IpAddr::V4(GROUP));
    socket
        .join_multicast_group(&group, false, Some(interface))
        .expect("the group");
    socket
}

fn send(socket: &gio::Socket, port: u16, message: &[u8]) {
    socket
        .send_to(Some(&address(GROUP, port)), message, gio::Cancellable::NONE)
        .expect("the network takes it");
}

fn address(host: Ipv4Addr, port: u16) -> gio::InetSocketAddress {
    gio::InetSocketAddress::new(&gio::InetAddress::from(std::net::IpAddr::V4(host)), port)
}
