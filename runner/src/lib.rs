//! The parts of `rtsp-clock-server`: a configuration becomes a launch string, a launch string a served stream.
//!
//! The modules from the top; each sees those below it.
//!
//! | module | job |
//! | --- | --- |
//! | [`cli`] | the command line: what it takes, and what each option does |
//! | [`run`] | the process: serves until a signal, and follows the file |
//! | [`configuration`] | the configuration in force, changed by one after the other |
//! | [`http`] | the HTTP server: API, metrics, page |
//! | [`healthcheck`] | asks a running server whether it answers |
//! | [`ctl`] | sees and steers a running server from a shell, by its HTTP API |
//! | [`server`] | the RTSP servers: connections, requests, orders, and another configuration while they run |
//! | [`status`] | the status of the server, its streams and their viewers, as plain values |
//! | [`stream`] | one camera: its pipeline's life, its viewers, what goes out to them and when |
//! | [`config_file`] | config.json and the environment to [`config::Config`] |
//! | [`launch`] | one stream's configuration to its launch string |
//! | [`accounts`] | who may log in |
//! | [`events`] | what happens, with the instant at which it did; the log is one listener |
//! | [`stream_id`] | what streams are called in states and events |
//! | [`config`] | what a configuration is |
//! | [`log`] | what is logged, how, and where it goes; GStreamer's warnings with it |
//! | [`addresses`] | the URLs at which a stream can be reached |
//! | [`resource`] | what a URL asks for: a path, and the parameters of its query |
//! | [`time_source`] | a network's clock, where pipelines run by one |
//! | [`tls`] | the server's certificate, and GLib's TLS |
//! | [`room`] | whether this machine has room for one more client or pipeline |
//! | [`budget`] | how often something may happen |
//! | [`output`] | what goes to stdout |
//! | `timers` | doing something later on a main context |
//! | [`ffi`] | the calls of C that the bindings and std lack |

#![allow(
    rustdoc::private_intra_doc_links,
    reason = "who reads of the rooms works in them, with --document-private-items"
)]

mod accounts;
mod addresses;
mod budget;
pub mod cli;
pub mod config;
pub mod config_file;
mod configuration;
mod ctl;
pub mod events;
pub mod ffi;
mod healthcheck;
mod http;
pub mod launch;
pub mod log;
pub mod output;
mod resource;
mod room;
mod run;
pub mod server;
pub mod status;
pub mod stream;
pub mod stream_id;
mod time_source;
mod timers;
mod tls;
