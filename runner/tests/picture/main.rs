//! What a stream carries: picture, sound and the time of both, as its encoders make them and as a viewer gets them.
//!
//! | module | what |
//! | --- | --- |
//! | [`audio`] | picture and sound, decoded, seen and heard |
//! | [`digits`] | the digits of the picture, read back |
//! | [`ear`], [`reader`] | what the others share: they hear ticks, and read digits |
//! | [`encoder_delay`] | what each encoder delays the sound by |
//! | [`encoders`] | what comes out of each encoder of pictures, and when |
//! | [`first_picture`] | what a viewer gets first |
//! | [`frame_rate`] | rates that are no whole numbers |
//! | [`packet_size`] | how large packets are |
//! | [`probe`] | all of it as the probe measures it |
//! | [`streams`] | several cameras in one server |
//! | [`time`] | whose time it is, and who tells it |

mod audio;
#[path = "../common/mod.rs"]
mod common;
mod digits;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part of it"
)]
#[path = "../../../tests/support/ear.rs"]
mod ear;
mod encoder_delay;
mod encoders;
mod first_picture;
mod frame_rate;
mod packet_size;
mod probe;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part of it"
)]
#[path = "../../../tests/support/reader.rs"]
mod reader;
mod streams;
mod time;
