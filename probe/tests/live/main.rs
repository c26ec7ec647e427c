//! Sources that the tests themselves are, whose every byte is theirs.
//!
//! | module | what |
//! | --- | --- |
//! | [`camera`] | a camera behind an RTSP server |
//! | [`hostile`] | servers that answer without an end |
//! | [`http`] | what comes over HTTP |
//! | [`sources`] | streams that get another source |

#[path = "../support/camera.rs"]
mod camera;
mod hostile;
mod http;
mod sources;
