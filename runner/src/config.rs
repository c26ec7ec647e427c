//! What a configuration is: plain types. How they are read stands in `config_file`.
//!
//! | module | what |
//! | --- | --- |
//! | `clock` | whose time the cameras show |
//! | `frame_rate` | how many pictures a stream has in a second |
//! | `http` | how the server is seen and steered by HTTP |
//! | [`look`] | what the picture shows |
//! | `transports` | the transports by which streams may be played |
//! | `users` | who may log in, how, and what each may see |
//! | `values` | the values of all other keys |

use std::collections::BTreeSet;
use std::net::IpAddr;

pub use clockface::Corner;

use crate::log;

pub(crate) mod clock;
pub(crate) mod frame_rate;
mod http;
pub mod look;
mod transports;
mod users;
mod values;

pub use clock::ClockSource;
pub use frame_rate::FrameRate;
pub use http::HttpConfig;
use look::Look;

pub use transports::{Groups, Multicast, TlsFiles, Transport};
pub use users::{Access, Authentication, Login, User};
pub use values::{AudioCodec, Encoder, ListenAt, Mount, PortRange, Stamp, VideoCodec};

/// Everything the server was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The UDP ports for RTP and RTCP, both ends included; `None` leaves the choice to the system.
    pub rtp_ports: Option<PortRange>,
    /// Where multicast streams go; `None` for no multicast.
    pub multicast: Option<Multicast>,
    /// The files by which the server proves who it is, for streams that are played with TLS.
    pub tls: Option<TlsFiles>,
    /// How viewers may log in.
    pub authentication: Authentication,
    /// The log-in that the file gives as a mere pair of name and password: it may see everything.
    pub login: Option<Login>,
    /// All others who may log in.
    pub users: Vec<User>,
    /// Whose time the cameras show.
    pub clock: ClockSource,
    /// Which events are logged.
    pub log_level: log::Filter,
    /// How they are written.
    pub log_format: log::Format,
    /// After how many seconds without a sign of life a viewer is gone.
    pub session_timeout: u32,
    /// The HTTP server; `None` for none.
    pub http: Option<HttpConfig>,
    /// How many viewers all cameras have together at most; `None` for any number.
    pub max_viewers: Option<u32>,
    /// Whether a change of the file is followed while the server runs.
    pub reload: bool,
    /// The cameras; one at least.
    pub streams: Vec<StreamConfig>,
}

impl Default for Config {
    /// The server without a file and without variables: one camera, open to everybody.
    fn default() -> Self {
        Self {
            rtp_ports: None,
            multicast: None,
            tls: None,
            authentication: Authentication::Both,
            login: None,
            users: Vec::new(),
            clock: ClockSource::default(),
            log_level: log::Filter::default(),
            log_format: log::Format::default(),
            session_timeout: 30,
            http: Some(HttpConfig::default()),
            max_viewers: None,
            reload: false,
            streams: vec![StreamConfig::default()],
        }
    }
}

impl Config {
    /// All who may log in. Where there are none, everybody may watch.
    #[must_use]
    pub fn all_users(&self) -> Vec<User> {
        let pair = self.login.iter().map(|login| User {
            login: login.clone(),
            access: Access::All,
            is_admin: false,
        });
        pair.chain(self.users.iter().cloned()).collect()
    }

    /// Where the server listens, each place once, in order.
    #[must_use]
    pub fn listens_at(&self) -> BTreeSet<ListenAt> {
        let mounts = self.streams.iter().flat_map(|stream| &stream.mounts);
        mounts.map(Mount::listen_at).collect()
    }
}

/// One camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamConfig {
    /// The places at which it can be played, one at least, those without TLS first; all of them show the same picture.
    pub mounts: Vec<Mount>,
    /// The transports by which it can be played, one at least.
    pub transports: BTreeSet<Transport>,
    /// Whether it runs before anybody looks.
    pub always_on: bool,
    /// By how much its frames come after the grid of the wall clock, in ns; less than a frame period.
    pub phase: u64,
    /// How the picture is encoded.
    pub codec: VideoCodec,
    /// Width in px.
    pub width: u32,
    /// Height in px.
    pub height: u32,
    /// Frames a second.
    pub frames_per_second: FrameRate,
    /// Frames from one key frame to the next. In MJPEG each frame is a key frame, whatever stands here.
    pub key_frame_interval: u32,
    /// The bitrate that the encoder aims at in kbit/s (1 kbit is 1000 bits); `None` leaves it to the picture, which is
    /// then as crisp as any other.
    pub bitrate_kbps: Option<u32>,
    /// Whether bits are filled up where the picture needs fewer than the bitrate allows.
    pub constant_bitrate: bool,
    /// The crispness of MJPEG, 1 to 100.
    pub jpeg_quality: u32,
    /// What encodes the picture.
    pub encoder: Encoder,
    /// A launch string in place of all that makes the picture: with a `clocksrc`, and a payloader named `pay0`.
    pub pipeline: Option<String>,
    /// What the picture shows.
    pub look: Look,
    /// How the ticks are encoded; `None` for a stream without sound.
    pub audio: Option<AudioCodec>,
    /// How many viewers it has at most, counted for each place by itself; `None` for any number.
    pub max_viewers: Option<u32>,
    /// How many bytes an RTP packet has at most, its header included; `None` leaves it to the payloaders, which take
    /// 1400.
    pub rtp_packet_size: Option<u32>,
    /// Whether each frame's packets tell the instant shown in an RTP header extension.
    pub ntp_extension: bool,
}

impl Default for StreamConfig {
    /// 640x480 at 15 frames a second in H.264, on demand, at `/live` on port 8554 of every IPv4 address.
    fn default() -> Self {
        Self {
            mounts: vec![Mount {
                address: IpAddr::from([0, 0, 0, 0]),
                port: 8554,
                tls: false,
                path: "/live".into(),
            }],
            transports: Transport::USUAL.into(),
            always_on: false,
            phase: 0,
            codec: VideoCodec::H264,
            width: 640,
            height: 480,
            frames_per_second: FrameRate::whole(15),
            key_frame_interval: 30,
            bitrate_kbps: None,
            constant_bitrate: false,
            jpeg_quality: 85,
            encoder: Encoder::Auto,
            pipeline: None,
            look: Look::default(),
            audio: None,
            max_viewers: None,
            rtp_packet_size: None,
            ntp_extension: false,
        }
    }
}

impl StreamConfig {
    /// Whether the same pipeline serves this stream and `other`. Keys that say only where and by which transports it is
    /// played, what it shows, whom it lets in, and when it runs change while it plays; so do bitrate and quality, where
    /// the encoder takes them. Another phase needs no other pipeline: the number of an entry's cameras decides about
    /// it, and one camera more must not end all others.
    #[must_use]
    pub(crate) fn is_made_as(&self, other: &Self) -> bool {
        // All fields are named, so that whoever adds one has to say here what a change of it takes.
        let Self {
            mounts: _,
            transports: _,
            always_on: _,
            phase: _,
            codec,
            width,
            height,
            frames_per_second,
            key_frame_interval,
            bitrate_kbps: _,
            constant_bitrate,
            jpeg_quality: _,
            encoder,
            pipeline,
            look: _,
            audio,
            max_viewers: _,
            rtp_packet_size,
            ntp_extension,
        } = self;
        (codec, width, height) == (&other.codec, &other.width, &other.height)
            && (frames_per_second, key_frame_interval)
                == (&other.frames_per_second, &other.key_frame_interval)
            && (constant_bitrate, encoder, pipeline)
                == (&other.constant_bitrate, &other.encoder, &other.pipeline)
            && (audio, rtp_packet_size, ntp_extension)
                == (&other.audio, &other.rtp_packet_size, &other.ntp_extension)
    }

    /// The name that tells it from others in messages: its URLs' host, port and path.
    #[must_use]
    pub fn name(&self) -> String {
        let Some(first) = self.mounts.first() else {
            return String::new();
        };
        let name = format!("{}{}", first.endpoint(), first.path);
        // The mounts with TLS are the same places once more.
        match self.mounts.iter().filter(|mount| mount.tls == first.tls).count() {
            1 => name,
            places => format!("{name} and {} more", places - 1),
        }
    }
}
