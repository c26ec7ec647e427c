//! What takes the whole machine, or measures what another test beside it would add: each of these tests runs while none of
//! the others does ([`common::burden::alone`]), and so they have a program to themselves.
//!
//! | module | what |
//! | --- | --- |
//! | [`crowd`] | many viewers, and many who come and go |
//! | [`delays`] | delays put into the chain, which the probe finds within a millisecond |
//! | [`hostile`] | a server under attack |
//! | [`restream`] | what ffmpeg adds on the way |
//! | [`room`] | a machine without room for one more |

#[path = "../common/mod.rs"]
mod common;
mod crowd;
mod delays;
mod hostile;
mod restream;
mod room;
