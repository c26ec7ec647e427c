//! The parts of `rtsp-clock-server`: a configuration becomes a launch string, a launch string a served stream.
//!
//! | module | job |
//! | --- | --- |
//! | [`config`] | config.json and the environment to [`config::Config`] |
//! | [`launch`] | one stream's configuration to its launch string |
//! | [`server`] | the RTSP server, its mounts, access, ports and session clean-up |

pub mod config;
pub mod launch;
pub mod server;
