//! How far the life of a pipeline has come. Whoever moves it on learns from the answer what is to be done, which is
//! answered once only, and does that when the lock is free again.

use jiff::Timestamp;

/// Where a pipeline is between being built and being let go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::stream) enum Phase {
    /// gst-rtsp-server has built it, and it is not ready to be played yet.
    #[default]
    Built,
    /// It has been ready since then, and is in use by the stream itself: it stays whichever viewer goes.
    Held { since: Timestamp },
    /// It has failed, and does not recover. It may be in use by the stream all the same, which lets go of it then.
    Failed { is_held: bool },
    /// It is on its way down: its elements may post errors about each other's stopping, and it is held no longer.
    LetGo,
}

/// What becomes of the use that the stream has just made of the media for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::stream) enum Hold {
    /// The stream keeps it.
    Kept,
    /// The stream keeps it until all clients have been sent away, which is to be done now: the pipeline has failed meanwhile.
    KeptToSendAway,
    /// The use is to be ended at once: the stream has one already, or the pipeline has been let go.
    TooMuch,
}

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::stream) enum Failure {
    /// It is the first one of a pipeline that clients have: all of them are to be sent away.
    OfAHeldOne,
    /// It is the first one of a pipeline that was never ready: gst-rtsp-server refuses those who wait for it.
    OfANewOne,
    /// It changes nothing: the pipeline has failed before, or has been let go.
    Another,
}

impl Phase {
    /// Notes that the media, which is ready, is in use by the stream from `now` on, unless the answer says otherwise.
    pub(super) fn hold(&mut self, now: Timestamp) -> Hold {
        match self {
            Self::Built => {
                *self = Self::Held { since: now };
                Hold::Kept
            }
            Self::Failed { is_held: false } => {
                *self = Self::Failed { is_held: true };
                Hold::KeptToSendAway
            }
            Self::Held { .. } | Self::Failed { is_held: true } | Self::LetGo => Hold::TooMuch,
        }
    }

    /// Notes that the pipeline has failed.
    pub(super) fn fail(&mut self) -> Failure {
        let is_held = match self {
            Self::Built => false,
            Self::Held { .. } => true,
            Self::Failed { .. } | Self::LetGo => return Failure::Another,
        };
        *self = Self::Failed { is_held };
        if is_held {
            Failure::OfAHeldOne
        } else {
            Failure::OfANewOne
        }
    }

    /// Notes that the pipeline goes down; answers whether the stream's use of the media is to be ended.
    pub(super) fn let_go(&mut self) -> bool {
        let before = std::mem::replace(self, Self::LetGo);
        matches!(before, Self::Held { .. } | Self::Failed { is_held: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_pipeline_is_held_once_and_let_go_once() {
        let mut phase = Phase::default();
        assert_eq!(phase.hold(NOW), Hold::Kept);
        assert_eq!(phase, Phase::Held { since: NOW });
        // Another client has waited for the same pipeline.
        let later = NOW + jiff::SignedDuration::from_secs(1);
        assert_eq!(phase.hold(later), Hold::TooMuch);
        assert_eq!(phase, Phase::Held { since: NOW });
        assert_eq!([phase.let_go(), phase.let_go()], [true, false]);
    }

    #[test]
    fn ready_and_failed_send_everybody_away_once_in_either_order() {
        let mut phase = Phase::default();
        assert_eq!(phase.hold(NOW), Hold::Kept);
        assert_eq!(phase.fail(), Failure::OfAHeldOne);
        let ready_first = phase;
        let mut phase = Phase::default();
        assert_eq!(phase.fail(), Failure::OfANewOne);
        assert_eq!(phase.hold(NOW), Hold::KeptToSendAway);
        assert_eq!(phase, ready_first);
        // Neither sends anybody away again.
        assert_eq!((phase.fail(), phase.hold(NOW)), (Failure::Another, Hold::TooMuch));
        assert_eq!([phase.let_go(), phase.let_go()], [true, false]);
    }

    #[test]
    fn what_has_never_been_ready_is_not_held() {
        assert!(!Phase::default().let_go());
        let mut phase = Phase::default();
        assert_eq!(phase.fail(), Failure::OfANewOne);
        assert!(!phase.let_go());
    }

    #[test]
    fn on_the_way_down_nothing_counts() {
        let mut phase = Phase::LetGo;
        assert_eq!((phase.fail(), phase.hold(NOW)), (Failure::Another, Hold::TooMuch));
        assert_eq!(phase, Phase::LetGo);
    }
}
