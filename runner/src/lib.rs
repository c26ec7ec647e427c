//! The parts of `rtsp-clock-server`: a configuration becomes a launch string, a launch string a served stream.
//!
//! | module | job |
//! | --- | --- |
//! | [`cli`] | the command line: what it takes, and what each option does |
//! | [`config`] | config.json and the environment to [`config::Config`] |
//! | [`healthcheck`] | asks a running server whether it answers |
//! | [`launch`] | one stream's configuration to its launch string |
//! | [`log`] | what is told, how, and where it goes; GStreamer's warnings with it |
//! | [`server`] | the RTSP servers, their mounts, access, ports and session clean-up |
//! | [`addresses`] | the URLs at which a stream can be reached |
//! | [`resource`] | what a URL asks for: a path, and the parameters of its query |
//! | [`stream`] | one camera: its media factory, its pipeline's life, its errors |
//! | [`time_source`] | the clock of a network, where pipelines run by one |
//! | [`budget`] | how often something may happen |
//! | [`tls`] | the server's certificate, and GLib's TLS |
//! | [`room`] | whether this machine has room for one more |
//! | [`rtsp_ffi`], [`system_ffi`] | the few calls that the bindings and std lack |

pub mod accounts;
pub mod addresses;
pub mod budget;
pub mod cli;
pub mod config;
pub mod config_file;
pub mod healthcheck;
pub mod launch;
pub mod log;
pub mod resource;
pub mod room;
pub mod rtsp_ffi;
pub mod run;
pub mod server;
pub mod stream;
pub mod system_ffi;
pub mod time_source;
pub mod tls;
