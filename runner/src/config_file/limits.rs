//! The limits between which each value has to lie: the readers hold to them, and the schema says them.

use std::ops::RangeInclusive;

/// Widths in px.
pub(super) const WIDTHS: RangeInclusive<u32> = 32..=7680;
/// Heights in px.
pub(super) const HEIGHTS: RangeInclusive<u32> = 32..=4320;
/// Frames a second.
pub(super) const FRAME_RATES: RangeInclusive<f64> = 0.1..=240.0;
/// Frames from one key frame to the next; at one a second an hour.
pub(super) const KEY_FRAME_INTERVALS: RangeInclusive<u32> = 1..=3600;
/// Bitrates in kbit/s: from what a thumbnail takes to what x265enc takes at most.
pub(super) const BITRATES: RangeInclusive<u32> = 16..=100_000;
/// JPEG's crispness.
pub(super) const QUALITIES: RangeInclusive<u32> = 1..=100;
/// TCP ports; 0 takes any free one.
pub(super) const PORTS: RangeInclusive<u32> = 0..=65535;
/// Numbers of a stream that a stamp can carry.
pub(super) const STAMP_IDS: RangeInclusive<u32> = 0..=clockface::stamp::MAX_STREAM;
/// How far multicast goes.
pub(super) const TTLS: RangeInclusive<u32> = 1..=255;
/// Bytes of an RTP packet: from what JPEG's tables and 20 ms of sound take to what UDP over IP has room for.
pub(super) const PACKET_SIZES: RangeInclusive<u32> = 200..=65_000;
/// UDP ports that anybody may open.
pub(super) const RTP_PORTS: RangeInclusive<u16> = 1024..=65535;
/// Streams that one entry makes: more than any machine encodes.
pub(super) const COUNTS: RangeInclusive<u32> = 1..=10_000;
/// The number of an entry's first stream: those of a hundred servers with as many streams as there may be.
pub(super) const FIRST_NUMBERS: RangeInclusive<u32> = 1..=1_000_000;
/// Streams, or paths of one, that all entries make together.
pub(super) const MOST_STREAMS: usize = 10_000;
/// A text's size as a share of the largest that fits.
pub(super) const TEXT_SCALES: RangeInclusive<f64> = 0.1..=1.0;
/// A logo's height as a share of the picture's.
pub(super) const LOGO_SCALES: RangeInclusive<f64> = 0.01..=0.5;
/// Bytes of any text: a path can have no more, and each stream has its own copy.
pub(super) const TEXT_BYTES: usize = 4096;
/// How much of a text `clocksrc` shows.
pub(super) const LABEL_CHARACTERS: usize = 1000;
pub(super) const LABEL_LINES: usize = 16;
/// A log-in has to fit into one header line.
pub(super) const LOGIN_CHARACTERS: usize = 255;
/// A token has to fit into one header line.
pub(super) const TOKEN_CHARACTERS: usize = 255;
/// Streams with which another one may still be added by HTTP.
pub(super) const MOST_STREAMS_BY_HTTP: RangeInclusive<u32> = 1..=10_000;
/// Seconds: players show a sign of life some seconds before the time is over, or when half of it is.
pub(super) const SESSION_TIMEOUTS: RangeInclusive<u32> = 5..=3600;
/// Viewers at the same time: the limit is more than one machine serves.
pub(super) const VIEWERS: RangeInclusive<u32> = 1..=10_000;
