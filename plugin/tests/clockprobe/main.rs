//! Stamps read back: by `clockprobe` on a test clock, and behind all that players and recorders do to pictures.
//!
//! | module | subject |
//! | --- | --- |
//! | `pictures` | what it reads, what it posts, what it leaves alone |
//! | `counts` | frames that were lost, repeated, swapped and frozen |
//! | `sound` | which ticks it hears |
//! | `readable` | stamps through encoders, scalers and changes of rate |
//! | `stamped` | what these share: a `clockprobe`, and pictures with stamps for it |

mod counts;
mod pictures;
mod readable;
mod sound;
mod stamped;
