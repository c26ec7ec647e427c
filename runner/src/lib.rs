//! The parts of `rtsp-clock-server`: a configuration becomes a launch string, a launch string a served stream.
//!
//! | module | job |
//! | --- | --- |
//! | [`cli`] | the command line: what it takes, and what each option does |
//! | [`config`] | config.json and the environment to [`config::Config`] |
//! | [`healthcheck`] | asks a running server whether it answers |
//! | [`launch`] | one stream's configuration to its launch string |
//! | [`server`] | the RTSP server, its mounts, access, ports and session clean-up |
//! | `acceptor` | takes the server's connections |
//! | [`addresses`] | the URLs at which a stream can be reached |
//! | [`stream`] | one camera: its media factory, its pipeline's life, its errors |
//! | [`elements`] | the elements that serving takes, and where Debian keeps them |
//! | [`gate`] | which packets of a running pipeline are for viewers |
//! | [`pacer`] | how often a key frame may be asked for |
//! | [`viewers`] | who is playing a stream |
//! | [`rtsp_ffi`] | the few calls that the bindings lack |

mod acceptor;
pub mod addresses;
pub mod cli;
pub mod config;
pub mod elements;
pub mod gate;
pub mod healthcheck;
pub mod launch;
pub mod pacer;
pub mod rtsp_ffi;
pub mod server;
pub mod stream;
pub mod viewers;
