//! The program as a process of its own: what it prints and logs, what it makes of signals, and what it makes of another
//! configuration.
//!
//! | module | what |
//! | --- | --- |
//! | [`cli`] | the command, as a shell sees it |
//! | [`reload`] | another configuration while it runs |
//! | [`server`] | signals, the line to paste, the log |
//! | [`terminal`] | a terminal that closes |
//! | [`trouble`] | cameras that fail or are too slow |

mod cli;
#[path = "../common/mod.rs"]
mod common;
mod reload;
mod server;
mod terminal;
mod trouble;
