//! Which packets of a running pipeline are for viewers.

use gst::ClockTime;
use parking_lot::Mutex;

/// Stands behind the point where gst-rtsp-server holds a pipeline from DESCRIBE to PLAY, and throws away what was held
/// there: the picture that a viewer gets first is a whole one, and it is of now.
///
/// Once open it stays open as long as anybody plays: what is in the pipeline then never waits for anybody.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    door: Door,
    latest: Option<ClockTime>,
}

#[derive(Debug, Default, Clone, Copy)]
enum Door {
    /// Nobody has asked for the stream yet.
    #[default]
    Closed,
    /// Opens at the next key frame whose running time is at least `not_before`.
    Opening {
        not_before: ClockTime,
        asked: bool,
        held: Held,
    },
    /// Lets everything through.
    Open,
}

/// Where the picture is that gst-rtsp-server holds from DESCRIBE to PLAY: it was made before anybody played.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// There is no such picture.
    #[default]
    None,
    /// It is the next one that comes.
    Next,
    /// It has come, and is due at this running time.
    DueAt(ClockTime),
}

/// What to do with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Send it.
    Pass,
    /// Throw it away.
    Drop,
    /// Throw it away, and have the encoder make a key frame: the one asked for before was too old to be shown.
    DropAndAskForKeyFrame,
    /// Throw it away: gst-rtsp-server ends the process over a time stamp that is missing or runs backwards while a
    /// viewer's connection is congested.
    Unusable,
}

/// What the gate has to know of a packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GatedPacket {
    /// When it is due.
    pub(crate) running_time: Option<ClockTime>,
    /// Whether it cannot be decoded without the packets of pictures before it.
    pub(crate) is_delta: bool,
}

impl Gate {
    /// Opens at the next key frame that is due at `not_before` or later. An open gate stays as it is.
    pub(crate) fn open_at_key_frame(&self, not_before: ClockTime) {
        self.open(not_before, Held::None);
    }

    /// Opens as [`Self::open_at_key_frame`] does, but never for the picture that comes first: that one has been held,
    /// and shows that nobody plays.
    pub(crate) fn open_behind_the_held(&self, not_before: ClockTime) {
        self.open(not_before, Held::Next);
    }

    fn open(&self, not_before: ClockTime, held: Held) {
        let mut state = self.state.lock();
        let held = match state.door {
            Door::Open => return,
            // Where several come together, what the first of them said of the held picture stays.
            Door::Opening { held: before, .. } if held == Held::None => before,
            Door::Opening { .. } | Door::Closed => held,
        };
        state.door = Door::Opening {
            not_before,
            asked: false,
            held,
        };
    }

    /// Closes, as nobody plays any more: whoever comes next shall begin with a key frame.
    pub(crate) fn close(&self) {
        self.state.lock().door = Door::Closed;
    }

    /// Whether everything passes.
    #[must_use]
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state.lock().door, Door::Open)
    }

    /// Whether nobody has asked for anything to pass.
    #[must_use]
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state.lock().door, Door::Closed)
    }

    /// Decides about the next packet.
    #[must_use]
    pub(crate) fn judge(&self, packet: GatedPacket) -> Verdict {
        let mut state = self.state.lock();
        let Some(due) = packet
            .running_time
            .filter(|due| state.latest.is_none_or(|latest| *due >= latest))
        else {
            return Verdict::Unusable;
        };
        state.judge(due, packet.is_delta)
    }
}

impl State {
    fn judge(&mut self, due: ClockTime, is_delta: bool) -> Verdict {
        // A frame is of no use once some of its packets have been thrown away: only its first one may open the gate.
        let begins_a_frame = self.latest != Some(due);
        self.latest = Some(due);
        if let Door::Opening { held, .. } = &mut self.door {
            if *held == Held::Next {
                *held = Held::DueAt(due);
            }
            if *held == Held::DueAt(due) {
                return Verdict::Drop;
            }
        }
        match &mut self.door {
            Door::Open => Verdict::Pass,
            Door::Opening { not_before, .. } if due >= *not_before && begins_a_frame && !is_delta => {
                self.door = Door::Open;
                Verdict::Pass
            }
            Door::Opening {
                not_before, asked, ..
            } if due >= *not_before && !*asked => {
                *asked = true;
                Verdict::DropAndAskForKeyFrame
            }
            Door::Closed | Door::Opening { .. } => Verdict::Drop,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(seconds: u64, is_delta: bool) -> GatedPacket {
        GatedPacket {
            running_time: Some(ClockTime::from_seconds(seconds)),
            is_delta,
        }
    }

    #[test]
    fn what_was_held_before_the_play_is_thrown_away() {
        let gate = Gate::default();
        assert_eq!(gate.judge(packet(0, false)), Verdict::Drop);
        gate.open_at_key_frame(ClockTime::from_seconds(10));
        assert_eq!(gate.judge(packet(9, false)), Verdict::Drop);
        assert_eq!(gate.judge(packet(10, false)), Verdict::Pass);
        assert_eq!(gate.judge(packet(10, true)), Verdict::Pass);
        assert_eq!(gate.judge(packet(11, true)), Verdict::Pass);
    }

    #[test]
    fn it_opens_at_a_key_frame_and_asks_for_one_once() {
        let gate = Gate::default();
        gate.open_at_key_frame(ClockTime::from_seconds(10));
        assert_eq!(gate.judge(packet(10, true)), Verdict::DropAndAskForKeyFrame);
        assert_eq!(gate.judge(packet(11, true)), Verdict::Drop);
        assert!(!gate.is_open());
        assert_eq!(gate.judge(packet(12, false)), Verdict::Pass);
        assert!(gate.is_open());
    }

    #[test]
    fn it_does_not_open_in_the_middle_of_a_key_frame() {
        let gate = Gate::default();
        assert_eq!(gate.judge(packet(10, false)), Verdict::Drop);
        gate.open_at_key_frame(ClockTime::from_seconds(10));
        assert_eq!(gate.judge(packet(10, false)), Verdict::DropAndAskForKeyFrame);
        assert_eq!(gate.judge(packet(11, true)), Verdict::Drop);
        assert_eq!(gate.judge(packet(12, false)), Verdict::Pass);
    }

    #[test]
    fn the_picture_that_was_held_is_not_the_first() {
        let gate = Gate::default();
        gate.open_behind_the_held(ClockTime::ZERO);
        let judged = [(5, false), (5, false), (6, false), (6, true)]
            .map(|(due, is_delta)| gate.judge(packet(due, is_delta)));
        assert_eq!(
            judged,
            [Verdict::Drop, Verdict::Drop, Verdict::Pass, Verdict::Pass]
        );
    }

    #[test]
    fn an_open_gate_stays_open_until_it_is_closed() {
        let gate = Gate::default();
        gate.open_at_key_frame(ClockTime::ZERO);
        assert_eq!(gate.judge(packet(1, false)), Verdict::Pass);
        gate.open_at_key_frame(ClockTime::from_seconds(10));
        assert_eq!(gate.judge(packet(2, true)), Verdict::Pass);
        gate.close();
        assert_eq!(gate.judge(packet(3, false)), Verdict::Drop);
    }

    #[test]
    fn packets_without_a_time_or_out_of_order_never_pass() {
        let gate = Gate::default();
        gate.open_at_key_frame(ClockTime::ZERO);
        assert_eq!(gate.judge(packet(2, false)), Verdict::Pass);
        assert_eq!(gate.judge(packet(1, false)), Verdict::Unusable);
        assert_eq!(
            gate.judge(GatedPacket {
                running_time: None,
                is_delta: false
            }),
            Verdict::Unusable
        );
        assert_eq!(gate.judge(packet(2, true)), Verdict::Pass);
    }
}
