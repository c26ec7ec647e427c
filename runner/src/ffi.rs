//! The calls of C that the bindings and std lack, each argued.
//!
//! | module | of |
//! | --- | --- |
//! | [`rtsp`] | gst-rtsp-server and `GstRTSP` |
//! | [`socket`] | TCP connections |
//! | [`process`] | this process: its limits, its memory and its threads' priority |

pub mod process;
pub(crate) mod rtsp;
pub(crate) mod socket;
