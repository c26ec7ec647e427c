//! How a stream is: idle, starting, running or failed, from its first pipeline through all that come after it.

use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Stream,
    running::{Failure, Hold, Phase, Running},
};

/// How a stream is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Life {
    /// There is no pipeline: nobody wants one.
    Idle,
    /// A pipeline is built, and not ready.
    Starting,
    /// The pipeline is ready.
    Running {
        /// When it became so.
        #[schemars(with = "String", extend("format" = "date-time"))]
        since: Timestamp,
    },
    /// The latest pipeline has failed, or could not be made, and no other one is ready yet.
    Failed {
        /// What GStreamer said.
        cause: String,
        /// When that was.
        #[schemars(with = "String", extend("format" = "date-time"))]
        at: Timestamp,
        /// When another one may be made.
        #[schemars(with = "String", extend("format" = "date-time"))]
        next_try: Timestamp,
    },
}

impl Life {
    /// The names of all states.
    pub(crate) const NAMES: [&str; 4] = ["idle", "starting", "running", "failed"];

    /// The name of the state, as JSON has it.
    #[must_use]
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Starting => "starting",
            Self::Running { .. } => "running",
            Self::Failed { .. } => "failed",
        }
    }
}

/// The failure for which no pipeline is ready, as long as that is so.
#[derive(Debug, Default)]
pub(super) struct Trouble(Mutex<Option<Cause>>);

#[derive(Debug, Clone)]
struct Cause {
    text: String,
    at: Timestamp,
}

impl Trouble {
    /// Notes that `running` has failed; answers what that means.
    pub(super) fn fail(&self, running: &Running, text: String) -> Failure {
        let mut cause = self.0.lock();
        let failure = running.fail();
        if failure != Failure::Another {
            let at = Timestamp::now();
            *cause = Some(Cause { text, at });
        }
        failure
    }

    /// Notes that a pipeline, begun at `since`, could not be made. Answers whether that is news: where the pipeline
    /// itself has said since why it failed, that tells more and stays.
    pub(super) fn fail_to_start(&self, since: Timestamp, text: String) -> bool {
        let mut cause = self.0.lock();
        let is_news = cause.as_ref().is_none_or(|cause| cause.at < since);
        if is_news {
            let at = Timestamp::now();
            *cause = Some(Cause { text, at });
        }
        is_news
    }

    /// Notes that `running` is ready, and in use by the stream unless the answer says otherwise.
    pub(super) fn hold(&self, running: &Running) -> Hold {
        let mut cause = self.0.lock();
        let hold = running.hold();
        if hold == Hold::Kept {
            *cause = None;
        }
        hold
    }

    /// How a stream is whose pipeline is in that `phase`, or which has none, and which waits that long after its latest
    /// failure.
    fn life(&self, phase: impl FnOnce() -> Option<Phase>, wait: impl FnOnce() -> Duration) -> Life {
        // The phase is read under the lock, as each change of a phase that matters here is made under it.
        let cause = self.0.lock();
        match (phase(), cause.clone()) {
            (Some(Phase::Held { since }), _) => Life::Running { since },
            (_, Some(Cause { text, at })) => Life::Failed {
                cause: text,
                at,
                next_try: at + wait(),
            },
            (Some(Phase::Built), None) => Life::Starting,
            (_, None) => Life::Idle,
        }
    }
}

impl Stream {
    /// How it is.
    #[must_use]
    pub(crate) fn life(&self) -> Life {
        self.trouble.life(
            || self.running().map(|running| running.phase()),
            || self.back_off.lock().wait(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn life(trouble: &Trouble, phase: Option<Phase>) -> Life {
        trouble.life(|| phase, || Duration::from_secs(2))
    }

    #[test]
    fn a_stream_without_trouble_is_as_its_pipeline_is() {
        let trouble = Trouble::default();
        let lives = [None, Some(Phase::Built), Some(Phase::LetGo)].map(|phase| life(&trouble, phase));
        assert_eq!(lives, [Life::Idle, Life::Starting, Life::Idle]);
        let running = life(&trouble, Some(Phase::Held { since: AT }));
        assert_eq!(running, Life::Running { since: AT });
    }

    #[test]
    fn a_stream_that_has_failed_is_so_until_another_pipeline_is_ready() {
        let trouble = Trouble::default();
        assert!(trouble.fail_to_start(Timestamp::now(), "no room".into()));
        for phase in [None, Some(Phase::Built), Some(Phase::LetGo)] {
            let life = life(&trouble, phase);
            assert!(
                matches!(&life, Life::Failed { cause, at, next_try }
                    if cause == "no room" && *next_try == *at + Duration::from_secs(2)),
                "{life:?}"
            );
        }
        let running = life(&trouble, Some(Phase::Held { since: AT }));
        assert_eq!(running, Life::Running { since: AT });
    }

    #[test]
    fn what_the_pipeline_said_of_a_start_that_failed_stays() {
        let trouble = Trouble::default();
        let since = Timestamp::now();
        assert!(trouble.fail_to_start(since, "said by the pipeline".into()));
        assert!(!trouble.fail_to_start(since, "it did not start".into()));
        assert!(
            matches!(life(&trouble, None), Life::Failed { cause, .. } if cause == "said by the pipeline")
        );
    }
}
