//! What clients ask for, from the request to its answer.
//!
//! | module | job |
//! | --- | --- |
//! | `visit` | one client from its connection on |
//! | `mounts` | which stream a request is about |
//! | `guard` | who may ask for it |
//! | `mending` | requests as their clients mean them |
//! | `negotiation` | by which ways a stream may be played |
//! | `joining` | a PLAY waits for what its viewer begins with |
//! | `sessions` | the sessions of a connection: hidden from all others, and over with it |
//! | `ready` | how many sessions there may be that do not play yet |

pub(super) mod guard;
mod joining;
mod mending;
pub(super) mod mounts;
pub(super) mod negotiation;
mod ready;
pub(super) mod sessions;
pub(super) mod visit;
