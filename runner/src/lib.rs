//! The parts of `rtsp-clock-server`: a configuration becomes a launch string, a launch string a served stream.
//!
//! | module | job |
//! | --- | --- |
//! | [`cli`] | the command line: what it takes, and what each option does |
//! | [`config`] | config.json and the environment to [`config::Config`] |
//! | [`healthcheck`] | asks a running server whether it answers |
//! | [`launch`] | one stream's configuration to its launch string |
//! | [`server`] | the RTSP server, its mounts, access, ports and session clean-up |

pub mod cli;
pub mod config;
pub mod healthcheck;
pub mod launch;
pub mod server;
