//! Files to whose pictures and sound something was done on purpose: the probe finds what it was.
//!
//! | module | what |
//! | --- | --- |
//! | [`counts`] | pictures that are missing, repeated or swapped |
//! | [`recording`] | what makes such a file |
//! | [`sound`] | sound that is ahead or behind |
//! | [`spot`] | several stamps in one picture |

mod counts;
#[path = "../support/recording.rs"]
mod recording;
mod sound;
mod spot;
