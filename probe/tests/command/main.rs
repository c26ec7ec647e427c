//! The command: what it makes of its words, how it judges, and what it shows.
//!
//! | module | what |
//! | --- | --- |
//! | [`called`] | the command as it is called |
//! | [`report`] | what is shown of a measurement, of [`support`]'s example |
//! | [`verdicts`] | how recordings are judged |
//! | [`call`], [`recording`] | what these share: a call, and what it is to measure |

#[path = "../support/command.rs"]
mod call;
mod called;
#[path = "../support/recording.rs"]
mod recording;
mod report;
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "made-up numbers are small"
)]
#[path = "../support/mod.rs"]
mod support;
mod verdicts;
