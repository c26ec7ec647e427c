//! What goes out to a client: nothing of a stream before the key picture with which it begins for this client.
//!
//! gst-rtsp-server sends a viewer whatever comes next once it plays; but a picture that builds on others cannot be shown
//! without them. What comes before the begin is thrown away here in whole packets, as if it had been written.

use super::channels::{Channels, Counted};

/// A packet within RTSP (RFC 2326, section 10.12): `$`, the channel, the length in two bytes.
const HEAD: usize = 4;
/// What is looked at of the RTP packet in it.
const BEGIN: usize = 8;
/// No head of an answer is longer, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;

/// Follows what goes out by a connection: whether the next byte begins a packet or an answer, or is within one.
#[derive(Debug, Default)]
pub(super) struct Outlet {
    position: Position,
    counted: Counted,
}

#[derive(Debug, Default, Clone)]
enum Position {
    /// Before a packet or an answer.
    #[default]
    Between,
    /// So many bytes before the end of one.
    Within(usize),
    /// In the head of a packet, of which this has gone out.
    Head([u8; HEAD], usize),
    /// In the head of an answer.
    Text(Vec<u8>),
}

/// What becomes of so many bytes that are to go out next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Passes(usize),
    IsDropped(usize),
}

impl Outlet {
    /// What becomes of the first of `bytes`, which come in pieces; a packet that has not begun comes whole.
    pub(super) fn next(&self, bytes: &[&[u8]], channels: &Channels) -> Step {
        let all: usize = bytes.iter().map(|piece| piece.len()).sum();
        let mut position = self.position.clone();
        let mut passing = 0;
        // As much as can be written in one piece: up to the first packet that is dropped.
        while passing < all {
            let packet = packet_at(bytes, passing).filter(|_| matches!(position, Position::Between));
            match packet {
                Some((channel, length, begin)) if passing + HEAD + length <= all => {
                    if channels.lets_out(channel, &begin) {
                        passing += HEAD + length;
                    } else if passing == 0 {
                        return Step::IsDropped(HEAD + length);
                    } else {
                        break;
                    }
                }
                _ => passing += position.go_on(rest_at(bytes, passing)),
            }
        }
        Step::Passes(passing)
    }

    /// So many of `bytes` have gone out. A packet counts once its head has.
    pub(super) fn went(&mut self, bytes: &[&[u8]], count: usize, channels: &Channels) {
        let Self { position, counted } = self;
        position.go_through_all(bytes, count, |channel, length| {
            counted.add(channels, channel, length);
        });
    }

    /// So many of `bytes` have been dropped.
    pub(super) fn dropped(&mut self, bytes: &[&[u8]], count: usize) {
        self.position.go_through_all(bytes, count, |_, _| {});
    }
}

impl Position {
    /// Goes on behind so many of `bytes`; calls `begins` with the channel and the length of each packet of which it passes
    /// the head's end.
    fn go_through_all(&mut self, bytes: &[&[u8]], mut count: usize, mut begins: impl FnMut(u8, usize)) {
        for piece in bytes {
            let went = &piece[..piece.len().min(count)];
            self.go_through(went, &mut begins);
            count -= went.len();
        }
    }

    fn go_through(&mut self, mut bytes: &[u8], begins: &mut impl FnMut(u8, usize)) {
        while let Some(first) = bytes.first() {
            if let Self::Head([_, channel, high, _], 3) = *self {
                begins(channel, usize::from(u16::from_be_bytes([high, *first])));
            }
            bytes = &bytes[self.go_on(bytes)..];
        }
    }

    /// Goes on behind some of `bytes`, of which there are some; answers how many.
    fn go_on(&mut self, bytes: &[u8]) -> usize {
        if let Self::Within(remaining) = *self {
            let taken = remaining.min(bytes.len());
            *self = Self::within(remaining - taken);
            return taken;
        }
        *self = std::mem::take(self).after(bytes[0]);
        1
    }

    /// Behind a byte of a head.
    fn after(self, byte: u8) -> Self {
        match self {
            Self::Between if byte == b'$' => Self::Head([byte, 0, 0, 0], 1),
            Self::Between => Self::Text(vec![byte]),
            Self::Head(mut head, count) => {
                head[count] = byte;
                if count + 1 < HEAD {
                    Self::Head(head, count + 1)
                } else {
                    Self::within(usize::from(u16::from_be_bytes([head[2], head[3]])))
                }
            }
            Self::Text(mut head) => {
                head.push(byte);
                if head.ends_with(b"\r\n\r\n") {
                    Self::within(body(&head))
                } else if head.len() > LONGEST_HEAD {
                    Self::Between
                } else {
                    Self::Text(head)
                }
            }
            Self::Within(remaining) => Self::within(remaining.saturating_sub(1)),
        }
    }

    fn within(remaining: usize) -> Self {
        if remaining == 0 {
            Self::Between
        } else {
            Self::Within(remaining)
        }
    }
}

/// The channel, the length and the begin of the packet there; `None` where there is none, or too little of it.
fn packet_at(bytes: &[&[u8]], at: usize) -> Option<(u8, usize, [u8; BEGIN])> {
    let mut head = [0; HEAD + BEGIN];
    for (index, byte) in head.iter_mut().enumerate().take(HEAD) {
        *byte = byte_at(bytes, at + index)?;
    }
    let [dollar, channel, high, low, ..] = head;
    let length = usize::from(u16::from_be_bytes([high, low]));
    for (index, byte) in head.iter_mut().enumerate().skip(HEAD).take(length.min(BEGIN)) {
        *byte = byte_at(bytes, at + index)?;
    }
    let begin = head[HEAD..].try_into().ok()?;
    (dollar == b'$').then_some((channel, length, begin))
}

/// What there is of the piece that the byte there is in; some, where there is one.
fn rest_at<'a>(bytes: &[&'a [u8]], mut at: usize) -> &'a [u8] {
    for piece in bytes {
        if at < piece.len() {
            return &piece[at..];
        }
        at -= piece.len();
    }
    &[0]
}

fn byte_at(bytes: &[&[u8]], mut at: usize) -> Option<u8> {
    for piece in bytes {
        match piece.get(at) {
            Some(byte) => return Some(*byte),
            None => at -= piece.len(),
        }
    }
    None
}

/// How long the body is behind the head of an answer.
fn body(head: &[u8]) -> usize {
    let lines = head.split(|byte| *byte == b'\n');
    let length = lines.filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        let value = std::str::from_utf8(value).ok()?;
        name.eq_ignore_ascii_case(b"content-length")
            .then(|| value.parse().ok())?
    });
    length.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::stream::{
        beginnings::Begin,
        keys::KeyPictures,
        sent::{Sent, Tally},
    };

    const ANSWER: &[u8] = b"RTSP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n$\0\0\x04body!";

    fn packet(channel: u8, number: u16) -> Vec<u8> {
        let rtp = [
            &[0x80, 96][..],
            &number.to_be_bytes(),
            &u32::from(number).to_be_bytes(),
            b"data",
        ]
        .concat();
        [&[b'$', channel, 0, 12][..], &rtp].concat()
    }

    /// What goes out of `pieces` by writes of `most` bytes.
    fn written(outlet: &mut Outlet, channels: &Channels, pieces: &[&[u8]], most: usize) -> Vec<u8> {
        let all = pieces.concat();
        let (mut out, mut at) = (Vec::new(), 0);
        while at < all.len() {
            // The rest, in two pieces as gst-rtsp-server writes a head and a body.
            let rest = &all[at..];
            let (head, body) = rest.split_at(rest.len().min(4));
            match outlet.next(&[head, body], channels) {
                Step::Passes(count) => {
                    let count = count.min(most);
                    out.extend(&rest[..count]);
                    outlet.went(&[head, body], count, channels);
                    at += count;
                }
                Step::IsDropped(count) => {
                    outlet.dropped(&[head, body], count);
                    at += count;
                }
            }
        }
        out
    }

    #[test]
    fn nothing_of_a_stream_goes_out_before_its_key_picture() {
        for most in 1..40 {
            let (channels, keys, mut outlet) = (
                Channels::default(),
                Arc::<KeyPictures>::default(),
                Outlet::default(),
            );
            channels.set_up(1, [0, 1]);
            channels.set_up(2, [2, 3]);
            channels.hold_back(1, Begin::KeyPicture(Arc::clone(&keys)));
            channels.hold_back(2, Begin::With(1));
            keys.note(&packet(0, 7)[4..], false);
            let (report, answer) = (packet(1, 3), ANSWER.to_vec());
            let comes = [
                answer.clone(),
                packet(0, 5),
                packet(2, 1),
                report.clone(),
                answer.clone(),
                packet(0, 6),
                packet(0, 7),
                packet(2, 2),
                packet(0, 8),
            ];
            let expected = [
                answer.clone(),
                report,
                answer,
                packet(0, 7),
                packet(2, 2),
                packet(0, 8),
            ]
            .concat();
            let pieces: Vec<&[u8]> = comes.iter().map(Vec::as_slice).collect();
            let tallies = [1, 2].map(|transport| {
                let tally = Arc::<Tally>::default();
                channels.count(transport, &tally);
                tally
            });
            let out = written(&mut outlet, &channels, &pieces, most);
            assert_eq!(
                out.escape_ascii().to_string(),
                expected.escape_ascii().to_string(),
                "{most} bytes at once"
            );
            assert!(!channels.awaits());
            let counted = tallies.map(|tally| tally.sent());
            let sent = |packets, bytes| Sent { packets, bytes };
            assert_eq!(counted, [sent(2, 24), sent(1, 12)], "{most} bytes at once");
        }
    }

    #[test]
    fn what_has_begun_to_go_out_goes_out_whole() {
        let (channels, keys, mut outlet) = (
            Channels::default(),
            Arc::<KeyPictures>::default(),
            Outlet::default(),
        );
        channels.set_up(1, [0, 1]);
        let first = packet(0, 5);
        assert_eq!(outlet.next(&[&first], &channels), Step::Passes(16));
        outlet.went(&[&first], 6, &channels);
        channels.hold_back(1, Begin::KeyPicture(keys));
        let rest = [&first[6..], &packet(0, 6)].concat();
        assert_eq!(outlet.next(&[&rest], &channels), Step::Passes(10));
        outlet.went(&[&rest], 10, &channels);
        assert_eq!(outlet.next(&[&rest[10..]], &channels), Step::IsDropped(16));
    }
}
