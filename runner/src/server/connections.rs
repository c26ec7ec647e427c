//! TCP connections, from the first byte to the last.
//!
//! | module | job |
//! | --- | --- |
//! | `connection` | one of them, as it is seen from beside gst-rtsp-server |
//! | `acceptor` | takes those of an endpoint |
//! | `count` | how many there are |
//! | `handshakes` | how many clients agree upon keys at the same time |
//! | `intake` | what of a client's bytes is read |
//! | `tunnels` | the two of a tunnel through HTTP |
//! | `backlog` | whether a viewer reads what it is sent |
//! | `connected` | those of an endpoint's clients, and the end of all |
//! | `ties` | a client outlives whatever still points to it |

pub(super) mod acceptor;
pub(super) mod backlog;
pub(super) mod connected;
pub(super) mod connection;
pub(super) mod count;
pub(super) mod handshakes;
pub(super) mod intake;
pub(super) mod ties;
pub(super) mod tunnels;
