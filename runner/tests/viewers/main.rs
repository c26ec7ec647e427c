//! Viewers: who may come and by which ways, what they may ask for and are answered, who counts, and how they leave.
//!
//! | module | what |
//! | --- | --- |
//! | [`access`] | who may log in, how, and what each may see |
//! | [`counted`] | who counts as a viewer, and when no longer |
//! | [`guessing`] | what somebody can make of a log-in that is not his |
//! | [`joins`] | with which packets each begins |
//! | [`multicast`] | viewers at the other end of a cable |
//! | [`queries`] | cameras that the query of a URL tells apart |
//! | [`requests`] | the ways to say the same |
//! | [`serve`] | starting and stopping, and requests that nobody should send |
//! | [`tls`] | RTSP with TLS |
//! | [`transports`] | the ways that are allowed |
//! | [`vanish`] | those who vanish without a word, or stop reading |

mod access;
#[path = "../common/mod.rs"]
mod common;
mod counted;
mod guessing;
mod joins;
mod multicast;
mod queries;
mod requests;
mod serve;
mod tls;
mod transports;
mod vanish;
