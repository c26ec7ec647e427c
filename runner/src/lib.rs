//! The parts of `rtsp-clock-server`: a configuration becomes a launch string, a launch string a served stream.
//!
//! | module | job |
//! | --- | --- |
//! | [`cli`] | the command line: what it takes, and what each option does |
//! | [`config`] | config.json and the environment to [`config::Config`] |
//! | [`healthcheck`] | asks a running server whether it answers |
//! | [`launch`] | one stream's configuration to its launch string |
//! | [`picture`] | the picture of a stream: its source, its encoder, and its part of the launch string |
//! | [`encoders`] | which encoders there are for each codec, and how each is set |
//! | [`own_pipeline`] | a pipeline of one's own in place of the picture's part |
//! | [`access_units`] | a picture of several slices stays one picture |
//! | [`log`] | what is told, how, and where it goes; GStreamer's warnings with it |
//! | [`server`] | the RTSP servers, their mounts, access, ports and session clean-up |
//! | [`addresses`] | the URLs at which a stream can be reached |
//! | [`resource`] | what a URL asks for: a path, and the parameters of its query |
//! | [`stream`] | one camera: its media factory, its pipeline's life, its errors |
//! | [`factory`] | the same pipeline for every viewer, whatever URL it has |
//! | [`audio`] | the sound of a stream: its encoder, and its part of the launch string |
//! | [`encoder_delay`] | how much later sound comes out of a decoder than it went into the encoder |
//! | [`time_source`] | the clock of a network, where pipelines run by one |
//! | [`reports`] | what RTCP says of time |
//! | [`ntp_extension`] | the instant shown, in an RTP header extension |
//! | [`elements`] | the elements that serving takes, and where Debian keeps them |
//! | [`deltas`] | marks the packets of pictures that cannot be decoded alone |
//! | [`gate`] | which packets of a running pipeline are for viewers |
//! | [`back_off`] | how long to wait before a pipeline that failed is made again |
//! | [`budget`] | how often something may happen |
//! | [`pacer`] | how often a key frame may be asked for |
//! | [`tls`] | the server's certificate, and GLib's TLS |
//! | [`viewers`] | who is playing a stream, and who may |
//! | [`seats`] | how many may play at all |
//! | [`room`] | whether this machine has room for one more |
//! | [`rtsp_ffi`], [`system_ffi`] | the few calls that the bindings and std lack |

pub mod access_units;
pub mod addresses;
pub mod audio;
pub mod back_off;
pub mod budget;
pub mod cli;
pub mod config;
pub mod deltas;
pub mod elements;
pub mod encoder_delay;
pub mod encoders;
pub mod factory;
pub mod gate;
pub mod healthcheck;
pub mod launch;
pub mod log;
pub mod media;
pub mod ntp_extension;
pub mod own_pipeline;
pub mod pacer;
pub mod picture;
pub mod reports;
pub mod resource;
pub mod room;
pub mod rtsp_ffi;
pub mod seats;
pub mod server;
pub mod stream;
pub mod system_ffi;
pub mod time_source;
pub mod tls;
pub mod viewers;
