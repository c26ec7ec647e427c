//! An NTP server's clock, and what GStreamer gets wrong about it.
//!
//! *Trap, measured:* GStreamer (up to 1.26 at least) writes the time at which it asks too early into the request, by a
//! nanosecond for each second since the machine was started, takes that for the beginning of the round trip when it
//! comes back, and so is ahead of the server by half of the error: 4.3 ms after a hundred days. The clock is set back
//! by that much here, if a request of this GStreamer shows it.

use std::{
    io,
    net::{Ipv4Addr, UdpSocket},
    time::{Duration, UNIX_EPOCH},
};

use gst::{ClockTime, prelude::*};
use gst_net::NtpClock;

/// Seconds from NTP's epoch to Unix's.
const NTP_TO_UNIX: ClockTime = ClockTime::from_seconds(clockface::epoch::NTP_TO_UNIX as u64);
/// How long a request may take to come: GStreamer sends one at once.
const PATIENCE: Duration = Duration::from_secs(1);
const PACKET: usize = 48;
/// How many requests are looked at: one whose thread was held up for longer than the request is too early looks right.
const TRIES: usize = 5;
/// The offset in a request of the time at which it was sent (RFC 5905, section 7.3).
const TRANSMIT: usize = 40;

/// The clock of the server at `host`; until it is in step it tells the time of this machine's.
pub(super) fn clock(host: &str, port: u16) -> NtpClock {
    NtpClock::new(None, host, port.into(), machine_time())
}

/// Whether the time in the requests of this GStreamer is too early.
pub(super) fn asks_too_early() -> bool {
    let mut requests = (0..TRIES).map_while(|_| {
        let tell = |error: &io::Error| tracing::debug!(target: "clock", "cannot see how GStreamer asks for the time: {error}");
        request().inspect_err(tell).ok()
    });
    requests.any(|request| request.is_too_early())
}

/// Sets `clock` back by as much as it is ahead for having asked too early. The error grows, so slowly that doing this
/// each second is enough.
pub(super) fn set_back(clock: &gst::Clock) {
    let ahead = error_at(gst::SystemClock::obtain().time()) / 2;
    clock.set_calibration(ahead, ClockTime::ZERO, 1, 1);
}

/// How much too early a request of that time is, by the clock that counts from the machine's start.
fn error_at(time: ClockTime) -> ClockTime {
    ClockTime::from_nseconds(time.seconds())
}

/// A request, and what the clock said before it was sent and after it had come.
#[derive(Debug)]
struct NtpRequest {
    before: ClockTime,
    sent: ClockTime,
    after: ClockTime,
}

impl NtpRequest {
    /// Whether the time in it is wrong. One that is early by more than its fraction of a second comes out too late.
    fn is_too_early(&self) -> bool {
        !(self.before..=self.after).contains(&self.sent)
    }
}

fn request() -> io::Result<NtpRequest> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let port = socket.local_addr()?.port();
    let machine = gst::SystemClock::obtain();
    let before = machine.time();
    let _clock = clock("127.0.0.1", port);
    let mut packet = [0; PACKET];
    socket.recv(&mut packet)?;
    let transmit: [u8; 8] = packet[TRANSMIT..].try_into().map_err(io::Error::other)?;
    Ok(NtpRequest {
        before,
        sent: from_ntp(u64::from_be_bytes(transmit)),
        after: machine.time(),
    })
}

/// The time that 64 bits of NTP say, counted from NTP's epoch.
fn from_ntp(ntp: u64) -> ClockTime {
    let fraction = ((ntp & 0xffff_ffff) * 1_000_000_000) >> 32;
    ClockTime::from_seconds(ntp >> 32) + ClockTime::from_nseconds(fraction)
}

/// The time by this machine's clock, counted from NTP's epoch.
fn machine_time() -> ClockTime {
    let time = UNIX_EPOCH.elapsed().unwrap_or_default();
    ClockTime::try_from(time).unwrap_or_default() + NTP_TO_UNIX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_as_early_as_this_machine_runs_or_right() {
        gst::init().unwrap();
        let request = request().unwrap();
        let error = error_at(request.sent);
        println!("{request:?}: {error}");
        if request.is_too_early() {
            let whole = NtpRequest {
                sent: request.sent + error,
                ..request
            };
            assert!(!whole.is_too_early(), "{whole:?}");
        }
    }

    #[test]
    fn a_clock_that_asked_too_early_is_set_back_by_half_of_it() {
        gst::init().unwrap();
        // Nobody answers at this address.
        let clock = NtpClock::new(None, "127.0.0.1", 1, ClockTime::from_seconds(1000));
        let internal = clock.internal_time();
        set_back(clock.upcast_ref());
        let half = gst::SystemClock::obtain().time().seconds() / 2;
        let set_back = internal - clock.adjust_unlocked(internal);
        assert!((half - 1..=half).contains(&set_back.nseconds()), "{set_back}");
    }
}
