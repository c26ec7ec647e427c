//! Which packets begin a key picture, for those modules that send a viewer nothing before one.

use std::collections::VecDeque;

use parking_lot::Mutex;

/// How many key pictures may be on their way to viewers: a viewer who does not read is ten seconds behind at most.
const REMEMBERED: usize = 64;

/// The key pictures of a stream that were sent last.
#[derive(Debug, Default)]
pub(crate) struct KeyPictures {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    latest: Option<u32>,
    begins: VecDeque<Packet>,
}

/// The numbers that tell an RTP packet from all others that go out within the same hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packet {
    /// Its number among the packets of its medium.
    pub(crate) sequence_number: u16,
    /// When it is due, by the clock of its medium.
    pub(crate) time: u32,
}

impl Packet {
    /// Reads them from the beginning of an RTP packet (RFC 3550, section 5.1).
    #[must_use]
    pub(crate) fn read(rtp: &[u8]) -> Option<Self> {
        let &[_, _, high, low, a, b, c, d] = rtp.first_chunk()?;
        Some(Self {
            sequence_number: u16::from_be_bytes([high, low]),
            time: u32::from_be_bytes([a, b, c, d]),
        })
    }

    /// Whether it was sent before `other`, no more than half of all numbers ago.
    #[must_use]
    pub(crate) fn is_before(self, other: Self) -> bool {
        self.sequence_number.wrapping_sub(other.sequence_number) > u16::MAX / 2
    }
}

impl KeyPictures {
    /// Notes that the RTP packet whose first bytes are `rtp` goes out next; `is_delta` says whether its picture needs
    /// others before it. Answers its numbers, if it is the first packet of a key picture.
    pub(crate) fn note(&self, rtp: &[u8], is_delta: bool) -> Option<Packet> {
        let packet = Packet::read(rtp)?;
        let mut state = self.state.lock();
        let begins = state.latest.replace(packet.time) != Some(packet.time);
        if !begins || is_delta {
            return None;
        }
        if state.begins.len() >= REMEMBERED {
            state.begins.pop_front();
        }
        state.begins.push_back(packet);
        Some(packet)
    }

    /// Whether the RTP packet whose first bytes are `rtp` is the first one of a key picture.
    #[must_use]
    pub(crate) fn begin_with(&self, rtp: &[u8]) -> bool {
        let state = self.state.lock();
        Packet::read(rtp).is_some_and(|packet| state.begins.contains(&packet))
    }
}

/// The packet that passes a pad, or the first one of a list that does.
pub(super) fn first_buffer<'a>(info: &'a gst::PadProbeInfo<'_>) -> Option<&'a gst::BufferRef> {
    let alone = info.buffer().map(AsRef::as_ref);
    alone.or_else(|| info.buffer_list().and_then(|list| list.get(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rtp(sequence_number: u16, time: u32) -> Vec<u8> {
        [
            &[0x80, 96][..],
            &sequence_number.to_be_bytes(),
            &time.to_be_bytes(),
            &[0; 4],
        ]
        .concat()
    }

    #[test]
    fn a_key_picture_begins_with_its_first_packet() {
        let keys = KeyPictures::default();
        for (sequence_number, time, is_delta) in
            [(1, 10, true), (2, 20, false), (3, 20, false), (4, 30, true)]
        {
            let begins = keys.note(&rtp(sequence_number, time), is_delta);
            assert_eq!(begins.is_some(), sequence_number == 2);
        }
        let begins: Vec<_> = (1..5)
            .filter(|number| keys.begin_with(&rtp(*number, u32::from(*number) * 10)))
            .collect();
        assert_eq!(begins, [2]);
        assert!(!keys.begin_with(&rtp(3, 20)) && !keys.begin_with(&rtp(2, 21)) && !keys.begin_with(&[0x80]));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let keys = KeyPictures::default();
        for number in 0..100 {
            keys.note(&rtp(number, number.into()), false);
        }
        assert!(!keys.begin_with(&rtp(35, 35)) && keys.begin_with(&rtp(36, 36)));
    }
}
