//! The packet with which a medium begins for a viewer: nothing of the medium goes to that viewer before it.

use std::sync::Arc;

use super::keys::{KeyPictures, Packet};

/// The packet that a medium begins with.
#[derive(Debug, Clone)]
pub(crate) enum Begin {
    /// This packet, or the first that comes after it.
    At(Packet),
    /// This packet, or, where it has gone already, the first one of the next of these key pictures.
    AtKeyPicture(Packet, Arc<KeyPictures>),
    /// The first packet of the next of these key pictures.
    KeyPicture(Arc<KeyPictures>),
    /// Whatever packet comes next once the picture that goes by this transport has begun.
    With(usize),
}

/// The beginnings of what has not begun yet, by the number of the transport that carries it (`rtsp::HeldTransport`).
#[derive(Debug, Default)]
pub(crate) struct Beginnings {
    awaited: Vec<(usize, Begin)>,
}

impl Beginnings {
    /// Holds back what goes by `transport` until it begins as `begin` says.
    pub(crate) fn hold(&mut self, transport: usize, begin: Begin) {
        self.forget(transport);
        self.awaited.push((transport, begin));
    }

    /// Holds back nothing any more that goes by `transport`.
    pub(crate) fn forget(&mut self, transport: usize) {
        self.awaited.retain(|(awaited, _)| *awaited != transport);
    }

    /// Whether anything has not begun.
    #[must_use]
    pub(crate) fn is_awaited(&self) -> bool {
        !self.awaited.is_empty()
    }

    /// Whether the RTP packet whose first bytes are `rtp` may go by `transport`. If it is the packet that is waited
    /// for, the medium has begun with it.
    pub(crate) fn lets_pass(&mut self, transport: usize, rtp: &[u8]) -> bool {
        let Some((_, begin)) = self.awaited.iter().find(|(awaited, _)| *awaited == transport) else {
            return true;
        };
        let begins = match begin {
            Begin::At(first) => Packet::read(rtp).is_some_and(|packet| !packet.is_before(*first)),
            Begin::AtKeyPicture(first, keys) => {
                Packet::read(rtp).is_some_and(|packet| packet == *first)
                    || keys.begin_with(rtp)
                        && Packet::read(rtp).is_some_and(|packet| !packet.is_before(*first))
            }
            Begin::KeyPicture(keys) => keys.begin_with(rtp),
            Begin::With(_) => false,
        };
        if begins {
            self.awaited.retain(|(awaited, begin)| {
                *awaited != transport && !matches!(begin, Begin::With(picture) if *picture == transport)
            });
        }
        begins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rtp(sequence_number: u16) -> Vec<u8> {
        let time = u32::from(sequence_number);
        [
            &[0x80, 96][..],
            &sequence_number.to_be_bytes(),
            &time.to_be_bytes(),
        ]
        .concat()
    }

    #[test]
    fn a_medium_begins_with_its_packet_or_the_first_after_it() {
        let first = Packet {
            sequence_number: 2,
            time: 2,
        };
        for (comes, passing) in [(vec![u16::MAX, 1, 2, 3], vec![2, 3]), (vec![1, 5, 6], vec![5, 6])] {
            let mut beginnings = Beginnings::default();
            beginnings.hold(1, Begin::At(first));
            let passed: Vec<_> = comes
                .into_iter()
                .filter(|number| beginnings.lets_pass(1, &rtp(*number)))
                .collect();
            assert_eq!(passed, passing);
            assert!(!beginnings.is_awaited());
        }
    }

    #[test]
    fn a_picture_that_has_gone_is_made_up_for_by_the_next_key_picture() {
        let keys = Arc::<KeyPictures>::default();
        for number in [5, 8] {
            keys.note(&rtp(number), false);
        }
        let first = Packet {
            sequence_number: 6,
            time: 6,
        };
        let mut beginnings = Beginnings::default();
        beginnings.hold(1, Begin::AtKeyPicture(first, keys));
        let passed: Vec<_> = [5, 7, 8, 9]
            .into_iter()
            .filter(|number| beginnings.lets_pass(1, &rtp(*number)))
            .collect();
        assert_eq!(passed, [8, 9]);
    }

    #[test]
    fn sound_begins_with_its_picture() {
        let keys = Arc::<KeyPictures>::default();
        let mut beginnings = Beginnings::default();
        beginnings.hold(1, Begin::KeyPicture(Arc::clone(&keys)));
        beginnings.hold(2, Begin::With(1));
        keys.note(&rtp(7), false);
        assert!(!beginnings.lets_pass(1, &rtp(6)) && !beginnings.lets_pass(2, &rtp(1)));
        assert!(beginnings.lets_pass(3, &rtp(1)), "of somebody else");
        assert!(beginnings.lets_pass(1, &rtp(7)) && beginnings.lets_pass(2, &rtp(2)));
        assert!(!beginnings.is_awaited());
    }

    #[test]
    fn what_is_forgotten_is_not_held_back() {
        let mut beginnings = Beginnings::default();
        beginnings.hold(1, Begin::With(9));
        assert!(!beginnings.lets_pass(1, &rtp(1)));
        beginnings.forget(1);
        assert!(beginnings.lets_pass(1, &rtp(2)) && !beginnings.is_awaited());
    }
}
