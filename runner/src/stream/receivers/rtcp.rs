//! From whom an RTCP packet comes, and what it reports.

use crate::stream::reports::VERSION;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;

/// The length of what a report says of one source, and of what a sender says of itself before that, in bytes.
const BLOCK: usize = 24;
const SENDER_INFO: usize = 20;

/// What a receiver reports of one source (RFC 3550, section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    /// The SSRC of who reports.
    pub(super) reporter: u32,
    pub(super) source: u32,
    /// The share of packets lost since the report before, in 1/256.
    pub(super) fraction_lost: u8,
    /// How many packets were lost since it began; less than none where more came than were sent.
    pub(super) packets_lost: i32,
    pub(super) highest_sequence: u32,
    /// The jitter in ticks of the medium's clock.
    pub(super) jitter: u32,
}

impl Block {
    fn read(reporter: u32, block: &[u8; BLOCK]) -> Self {
        let lost = number(&block[4..]);
        Self {
            reporter,
            source: number(block),
            fraction_lost: block[4],
            // The lower three bytes, with their sign.
            packets_lost: (lost << 8).cast_signed() >> 8,
            highest_sequence: number(&block[8..]),
            jitter: number(&block[12..]),
        }
    }
}

/// Calls `act` with each SSRC for which a compound packet speaks (RFC 3550, section 6); answers whether it is one.
pub(super) fn for_each_sender(packet: &[u8], mut act: impl FnMut(u32)) -> bool {
    for_each_part(packet, |kind, count, data| is_read(kind, count, data, &mut act))
}

/// Calls `act` with what a compound packet reports of each source. A report that claims to have more blocks than there
/// are counts as having none.
pub(super) fn for_each_block(packet: &[u8], mut act: impl FnMut(Block)) {
    for_each_part(packet, |kind, count, data| {
        let before = match kind {
            SENDER_REPORT => 4 + SENDER_INFO,
            RECEIVER_REPORT => 4,
            _ => return true,
        };
        let blocks = data.get(before..).and_then(|rest| rest.get(..BLOCK * count));
        let (blocks, _) = blocks.unwrap_or_default().as_chunks();
        let reporter = number(data);
        let blocks = blocks.iter().map(|block| Block::read(reporter, block));
        blocks.for_each(&mut act);
        true
    });
}

/// Calls `act` with the kind of each part of a compound packet, the count in its head, and what follows that; answers whether
/// all is well formed and accepted.
fn for_each_part(mut packet: &[u8], mut act: impl FnMut(u8, usize, &[u8]) -> bool) -> bool {
    if packet.is_empty() {
        return false;
    }
    while let Some(&[first, kind, high, low]) = packet.first_chunk() {
        let length = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
        let Some((part, rest)) = packet.split_at_checked(length).filter(|_| first >> 6 == VERSION) else {
            return false;
        };
        if !act(kind, usize::from(first & 0x1f), &part[4..]) {
            return false;
        }
        packet = rest;
    }
    packet.is_empty()
}

/// Calls `act` with the SSRCs in `data`, the body of a packet of that kind whose head says `count`; answers whether it
/// is well formed.
fn is_read(kind: u8, count: usize, data: &[u8], act: &mut impl FnMut(u32)) -> bool {
    match kind {
        SOURCE_DESCRIPTION => is_description(count, data, act),
        GOODBYE => {
            let ssrcs = data.chunks_exact(4).take(count);
            let has_all = ssrcs.len() == count;
            ssrcs.for_each(|ssrc| act(number(ssrc)));
            has_all
        }
        // Feedback, extended reports and an application's packets have one sender, too.
        SENDER_REPORT | RECEIVER_REPORT | 204..=223 => {
            let Some(ssrc) = data.get(..4) else { return false };
            act(number(ssrc));
            true
        }
        _ => false,
    }
}

/// Reads the chunks of a source description: each has an SSRC and items, which end with a zero and are filled up to
/// whole words.
fn is_description(count: usize, mut data: &[u8], act: &mut impl FnMut(u32)) -> bool {
    for _ in 0..count {
        let Some((ssrc, items)) = data.split_at_checked(4) else {
            return false;
        };
        act(number(ssrc));
        let mut end = 0;
        while items.get(end).is_some_and(|kind| *kind != 0) {
            let Some(length) = items.get(end + 1) else {
                return false;
            };
            end += 2 + usize::from(*length);
        }
        let Some((_, rest)) = items.split_at_checked((end + 1).next_multiple_of(4)) else {
            return false;
        };
        data = rest;
    }
    true
}

fn number(ssrc: &[u8]) -> u32 {
    ssrc.first_chunk().map_or(0, |ssrc| u32::from_be_bytes(*ssrc))
}
