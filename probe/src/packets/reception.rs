//! What of a medium's packets came, by their sequence numbers and times (RFC 3550, 6.4.1 and A.1).

use std::ops::AddAssign;

/// Packets that are remembered, to tell one that came again from one that came late.
const WINDOW: u64 = 1024;
/// A number further away than so is of a source that began anew (RFC 3550, `MAX_DROPOUT`).
const FARTHEST: i64 = 3000;

/// The packets of one source.
#[derive(Debug, Default)]
pub(super) struct Reception {
    row: Option<Row>,
    past: Received,
    jitter: Jitter,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// Packets that came, each time that they did.
    pub(crate) packets: u64,
    pub(crate) lost: u64,
    /// Packets that came after a later one.
    pub(crate) reordered: u64,
    /// Packets that had come already.
    pub(crate) duplicates: u64,
}

impl AddAssign for Received {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.lost += other.lost;
        self.reordered += other.reordered;
        self.duplicates += other.duplicates;
    }
}

/// Numbers in a row, counted on beyond 16 bits.
#[derive(Debug)]
struct Row {
    first: u64,
    highest: u64,
    /// Of the last numbers, whether they came: the place is the number modulo the window.
    came: Vec<bool>,
    received: Received,
}

/// How unevenly packets come, in ns.
#[derive(Debug, Clone, Copy, Default)]
struct Jitter {
    last: Option<(u32, u64)>,
    now: f64,
    max: f64,
}

impl Reception {
    /// A packet of that number and RTP time came at `arrival` (ns).
    pub(super) fn packet(&mut self, number: u16, rtp_time: u32, arrival: u64, clock_rate: u32) {
        let is_in_row = self.row.as_mut().is_some_and(|row| row.packet(number));
        if !is_in_row {
            if let Some(before) = self.row.replace(Row::new(number)) {
                self.past += before.received();
            }
            self.jitter.last = None;
        }
        self.jitter.packet(rtp_time, arrival, clock_rate);
    }

    pub(super) fn received(&self) -> Received {
        let mut all = self.past;
        if let Some(row) = &self.row {
            all += row.received();
        }
        all
    }

    /// The interarrival jitter: now, and at most (ns).
    pub(super) fn jitter(&self) -> (f64, f64) {
        (self.jitter.now, self.jitter.max)
    }
}

impl Row {
    fn new(number: u16) -> Self {
        // Far from zero, for a packet that comes before the first one.
        let first = (1 << 32) + u64::from(number);
        let mut row = Self {
            first,
            highest: first,
            came: vec![false; usize::try_from(WINDOW).unwrap_or_default()],
            received: Received {
                packets: 1,
                ..Received::default()
            },
        };
        *row.place(first) = true;
        row
    }

    fn place(&mut self, number: u64) -> &mut bool {
        let index = usize::try_from(number % WINDOW).unwrap_or_default();
        &mut self.came[index]
    }

    /// Whether the number is one of this row.
    fn packet(&mut self, number: u16) -> bool {
        #[expect(clippy::cast_possible_truncation, reason = "numbers count modulo 2^16")]
        let step = i64::from(number.wrapping_sub(self.highest as u16).cast_signed());
        if step.abs() > FARTHEST {
            return false;
        }
        let number = self.highest.saturating_add_signed(step);
        self.received.packets += 1;
        if number > self.highest {
            for missing in self.highest + 1..number {
                *self.place(missing) = false;
            }
            self.highest = number;
        } else if self.highest - number >= WINDOW || std::mem::replace(self.place(number), true) {
            self.received.duplicates += 1;
            return true;
        } else {
            self.received.reordered += 1;
            self.first = self.first.min(number);
        }
        *self.place(number) = true;
        true
    }

    fn received(&self) -> Received {
        let expected = self.highest - self.first + 1;
        let came = self.received.packets - self.received.duplicates;
        Received {
            lost: expected.saturating_sub(came),
            ..self.received
        }
    }
}

impl Jitter {
    #[expect(
        clippy::cast_precision_loss,
        reason = "ns between two packets are far below 2^53"
    )]
    fn packet(&mut self, rtp_time: u32, arrival: u64, clock_rate: u32) {
        let Some((time, before)) = self.last.replace((rtp_time, arrival)) else {
            return;
        };
        if clock_rate == 0 {
            return;
        }
        let sent = f64::from(rtp_time.wrapping_sub(time).cast_signed()) * 1e9 / f64::from(clock_rate);
        let came = arrival.cast_signed().saturating_sub(before.cast_signed()) as f64;
        self.now += ((came - sent).abs() - self.now) / 16.0;
        self.max = self.max.max(self.now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(numbers: &[u16]) -> [u64; 4] {
        let mut reception = Reception::default();
        for number in numbers {
            reception.packet(*number, 0, 0, 90_000);
        }
        let Received {
            packets,
            lost,
            reordered,
            duplicates,
        } = reception.received();
        [packets, lost, reordered, duplicates]
    }

    #[test]
    fn packets_are_counted_by_their_numbers() {
        for (numbers, expected) in [
            (&[][..], [0, 0, 0, 0]),
            (&[5, 6, 7], [3, 0, 0, 0]),
            (&[5, 7, 8], [3, 1, 0, 0]),
            (&[5, 7, 6, 8], [4, 0, 1, 0]),
            (&[5, 5, 6, 5], [4, 0, 0, 2]),
            (&[5, 8, 6, 6], [4, 1, 1, 1]),
            (&[65_534, 65_535, 0, 2], [4, 1, 0, 0]),
            (&[6, 5, 7], [3, 0, 1, 0]),
            // A source that began anew lost nothing.
            (&[5, 6, 30_000, 30_001, 30_003], [5, 1, 0, 0]),
        ] {
            assert_eq!(received(numbers), expected, "{numbers:?}");
        }
    }

    #[test]
    fn jitter_is_how_unevenly_they_come() {
        let mut even = Reception::default();
        let mut uneven = Reception::default();
        for number in 0..1000_u16 {
            let (rtp_time, time) = (u32::from(number) * 3600, u64::from(number) * 40_000_000);
            even.packet(number, rtp_time, time, 90_000);
            let late = if number % 2 == 0 { 8_000_000 } else { 0 };
            uneven.packet(number, rtp_time, time + late, 90_000);
        }
        assert!(even.jitter().1 < 1.0, "{:?}", even.jitter());
        let (now, max) = uneven.jitter();
        assert!((now - 8e6).abs() < 1e3 && max >= now, "{now} {max}");
    }
}
