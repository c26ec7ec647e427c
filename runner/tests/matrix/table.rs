//! What is tried: the clients, codecs, transports and log-ins, and what a client is known not to do.

use crate::clients::{self, Play};
use crate::{motion, python};

/// Who plays.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) name: &'static str,
    /// What the table calls it.
    pub(crate) title: &'static str,
    /// Whether it tells the status by which a server refuses it.
    pub(crate) tells_status: bool,
    pub(crate) play: Play,
}

pub(crate) const CLIENTS: &[Client] = &[
    Client {
        name: "rtspsrc",
        title: "GStreamer's `rtspsrc`",
        tells_status: true,
        play: clients::rtspsrc,
    },
    Client {
        name: "ffmpeg",
        title: "FFmpeg",
        tells_status: true,
        play: clients::ffmpeg,
    },
    Client {
        name: "mpv",
        title: "mpv",
        tells_status: false,
        play: clients::mpv,
    },
    Client {
        name: "opencv",
        title: "OpenCV's `VideoCapture`",
        tells_status: false,
        play: python::opencv,
    },
    Client {
        name: "retina",
        title: "retina",
        tells_status: true,
        play: crate::retina::retina,
    },
    Client {
        name: MOTION,
        title: "motion",
        tells_status: true,
        play: motion::motion,
    },
    Client {
        name: "aiortsp",
        title: "aiortsp",
        tells_status: true,
        play: python::aiortsp,
    },
    Client {
        name: "aio-rtsp-toolkit",
        title: "aio-rtsp-toolkit",
        tells_status: false,
        play: python::aio_rtsp_toolkit,
    },
];

/// Not every system has it.
pub(crate) const MOTION: &str = "motion";

/// `videoCodec`; the first one is what transports and log-ins are tried with.
pub(crate) const CODECS: &[&str] = &["h264", "h265", "mjpeg", "vp8", "vp9"];

/// Encoders in software that `auto` takes where its first choice is missing, and their codecs.
pub(crate) const OTHER_ENCODERS: &[(&str, &str)] = &[("openh264enc", "h264")];
/// What `encoder` says of all others.
const AUTO: &str = "auto";

/// How RTP travels.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) name: &'static str,
    pub(crate) scheme: &'static str,
    /// What the configuration needs for it: keys and their values, a comma behind each.
    pub(crate) keys: &'static str,
    /// What the server's log calls it.
    pub(crate) seen_as: &'static str,
    /// The scheme and the properties by which `rtspsrc` is asked for it.
    pub(crate) rtspsrc: (&'static str, &'static str),
    /// What ffmpeg calls it, and what is made of its libraries: mpv and OpenCV.
    pub(crate) ffmpeg: &'static str,
    pub(crate) retina: Option<fn() -> retina::client::Transport>,
}

impl Transport {
    /// Whether a packet may be lost on the way.
    pub(crate) fn may_lose(&self) -> bool {
        [UDP, MULTICAST].contains(&self.name)
    }
}

/// The first one is what codecs and log-ins are tried with.
pub(crate) const TRANSPORTS: &[Transport] = &[
    Transport {
        name: "TCP",
        scheme: "rtsp",
        keys: "",
        seen_as: "TCP",
        rtspsrc: ("rtsp", "protocols=tcp"),
        ffmpeg: "tcp",
        retina: Some(|| retina::client::Transport::Tcp(retina::client::TcpTransportOptions::default())),
    },
    Transport {
        name: UDP,
        scheme: "rtsp",
        keys: "",
        seen_as: "UDP",
        rtspsrc: ("rtsp", "protocols=udp"),
        ffmpeg: "udp",
        retina: Some(|| retina::client::Transport::Udp(retina::client::UdpTransportOptions::default())),
    },
    Transport {
        name: "HTTP tunnel",
        scheme: "rtsp",
        keys: "",
        seen_as: "HTTP tunnel",
        rtspsrc: ("rtsph", ""),
        ffmpeg: "http",
        retina: None,
    },
    Transport {
        name: "RTSPS",
        scheme: "rtsps",
        // That nobody goes the way without TLS.
        keys: r#""tlsPort": 0, "plainRtsp": false,"#,
        seen_as: "TCP",
        rtspsrc: ("rtsps", "protocols=tcp tls-validation-flags=0"),
        ffmpeg: "tcp",
        retina: Some(|| retina::client::Transport::Tcp(retina::client::TcpTransportOptions::default())),
    },
    Transport {
        name: MULTICAST,
        scheme: "rtsp",
        keys: r#""multicastAddressRange": "239.1.1.0-239.1.1.255","#,
        seen_as: "multicast",
        rtspsrc: ("rtsp", "protocols=udp-mcast"),
        ffmpeg: "udp_multicast",
        retina: None,
    },
];

const UDP: &str = "UDP";
/// Who plays it cannot be on the camera's own machine.
const MULTICAST: &str = "multicast";

/// How viewers log in.
#[derive(Debug)]
pub(crate) struct LogIn {
    pub(crate) name: &'static str,
    pub(crate) keys: &'static str,
}

pub(crate) const USER: &str = "user";
pub(crate) const PASSWORD: &str = "s3cret";

/// The first one is what codecs and transports are tried with.
pub(crate) const LOG_INS: &[LogIn] = &[
    LogIn {
        name: "no log-in",
        keys: "",
    },
    LogIn {
        name: "Basic",
        keys: r#""viewerUsername": "user", "viewerPassword": "s3cret", "authentication": "basic","#,
    },
    LogIn {
        name: "Digest",
        keys: r#""viewerUsername": "user", "viewerPassword": "s3cret", "authentication": "digest","#,
    },
];

/// For codecs over UDP, which have no row of their own.
const EITHER: LogIn = LogIn {
    name: "Basic or Digest",
    keys: r#""viewerUsername": "user", "viewerPassword": "s3cret","#,
};

/// What a client does not do.
pub(crate) struct Limit {
    pub(crate) client: &'static str,
    /// A codec, or the name of a transport or a log-in.
    pub(crate) what: &'static str,
    pub(crate) why: &'static str,
}

/// One that turns out to work fails the test.
pub(crate) const LIMITS: &[Limit] = &[
    Limit {
        client: "retina",
        what: "vp8",
        why: "retina has no depacketizer for VP8.",
    },
    Limit {
        client: "retina",
        what: "vp9",
        why: "retina has no depacketizer for VP9.",
    },
    Limit {
        client: "retina",
        what: "HTTP tunnel",
        why: "retina speaks RTSP over plain TCP only.",
    },
    Limit {
        client: "retina",
        what: "RTSPS",
        why: "retina speaks RTSP over plain TCP only.",
    },
    Limit {
        client: "retina",
        what: MULTICAST,
        why: "retina never asks for multicast.",
    },
    Limit {
        client: "aiortsp",
        what: "HTTP tunnel",
        why: "aiortsp asks for UDP, and for RTP within RTSP.",
    },
    Limit {
        client: "aiortsp",
        what: MULTICAST,
        why: "aiortsp asks for UDP, and for RTP within RTSP.",
    },
    Limit {
        client: "aio-rtsp-toolkit",
        what: "mjpeg",
        why: "aio-rtsp-toolkit takes no frame rate with a decimal point, as MJPEG's is, and makes no frames of JPEG.",
    },
    Limit {
        client: "aio-rtsp-toolkit",
        what: "vp8",
        why: NO_VP_FOR_TOOLKIT,
    },
    Limit {
        client: "aio-rtsp-toolkit",
        what: "vp9",
        why: NO_VP_FOR_TOOLKIT,
    },
    Limit {
        client: "aio-rtsp-toolkit",
        what: UDP,
        why: ONLY_TCP_FOR_TOOLKIT,
    },
    Limit {
        client: "aio-rtsp-toolkit",
        what: "HTTP tunnel",
        why: ONLY_TCP_FOR_TOOLKIT,
    },
    Limit {
        client: "aio-rtsp-toolkit",
        what: "RTSPS",
        why: ONLY_TCP_FOR_TOOLKIT,
    },
    Limit {
        client: "aio-rtsp-toolkit",
        what: MULTICAST,
        why: ONLY_TCP_FOR_TOOLKIT,
    },
    Limit {
        client: "aio-rtsp-toolkit",
        what: "Basic",
        why: "aio-rtsp-toolkit logs in by Digest.",
    },
];

const NO_VP_FOR_TOOLKIT: &str = "aio-rtsp-toolkit makes no frames of VP8 and VP9.";
const ONLY_TCP_FOR_TOOLKIT: &str = "aio-rtsp-toolkit asks for RTP within RTSP over plain TCP.";

/// One thing to try.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) client: &'static Client,
    pub(crate) codec: &'static str,
    pub(crate) encoder: &'static str,
    pub(crate) transport: &'static Transport,
    pub(crate) log_in: &'static LogIn,
}

impl Cell {
    /// Why it does not work.
    pub(crate) fn limit(&self) -> Option<&'static Limit> {
        let names = [self.codec, self.transport.name, self.log_in.name];
        LIMITS
            .iter()
            .find(|limit| limit.client == self.client.name && names.contains(&limit.what))
    }

    /// Its own stream's: the server's log tells who watches which.
    pub(crate) fn path(&self) -> String {
        let names = [
            self.client.name,
            self.codec,
            self.encoder,
            self.transport.name,
            self.log_in.name,
        ];
        format!("/{}", names.join("/").replace(' ', "-"))
    }

    /// Whether it takes a camera at the other end of a cable.
    pub(crate) fn takes_a_cable(&self) -> bool {
        self.transport.name == MULTICAST
    }

    pub(crate) fn has_log_in(&self) -> bool {
        self.log_in.name != LOG_INS[0].name
    }

    /// What the server needs for it, apart from its stream and the certificate.
    pub(crate) fn keys(&self) -> String {
        format!("{}{}", self.transport.keys, self.log_in.keys)
    }
}

/// A row of the table in `docs/clients.md`: its title, and what each client is to try for it.
pub(crate) struct Row {
    pub(crate) title: String,
    pub(crate) codec: &'static str,
    pub(crate) encoder: &'static str,
    pub(crate) transport: &'static Transport,
    pub(crate) log_in: &'static LogIn,
}

impl Row {
    pub(crate) fn cells(&self) -> impl Iterator<Item = Cell> {
        CLIENTS.iter().map(|client| Cell {
            client,
            codec: self.codec,
            encoder: self.encoder,
            transport: self.transport,
            log_in: self.log_in,
        })
    }
}

/// Every codec over the first transport, every encoder, every transport and every log-in with the first codec.
pub(crate) fn rows() -> Vec<Row> {
    let (codec, transport, log_in) = (CODECS[0], &TRANSPORTS[0], &LOG_INS[0]);
    let codecs = CODECS.iter().map(|codec| Row {
        title: format!("`{codec}` over {}", transport.name),
        codec,
        encoder: AUTO,
        transport,
        log_in,
    });
    let transports = TRANSPORTS[1..].iter().map(|transport| Row {
        title: format!("`{codec}` over {}", transport.name),
        codec,
        encoder: AUTO,
        transport,
        log_in,
    });
    let log_ins = LOG_INS[1..].iter().map(|log_in| Row {
        title: format!("`{codec}` over {}, log-in by {}", transport.name, log_in.name),
        codec,
        encoder: AUTO,
        transport,
        log_in,
    });
    let encoders = OTHER_ENCODERS.iter().map(|(encoder, codec)| Row {
        title: format!("`{codec}` by `{encoder}` over {}", transport.name),
        codec,
        encoder,
        transport,
        log_in,
    });
    codecs.chain(encoders).chain(transports).chain(log_ins).collect()
}

/// Every codec over UDP, by the clients that others are made of, or that have nothing in common with them. They choose
/// how to log in.
pub(crate) fn cells_over_udp() -> Vec<Cell> {
    let clients = CLIENTS
        .iter()
        .filter(|client| ["ffmpeg", "retina"].contains(&client.name));
    let cells = clients.flat_map(|client| {
        CODECS.iter().map(move |codec| Cell {
            client,
            codec,
            encoder: AUTO,
            transport: &TRANSPORTS[1],
            log_in: &EITHER,
        })
    });
    cells.filter(|cell| cell.limit().is_none()).collect()
}

/// Every codec over every transport with every log-in.
pub(crate) fn all_cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for client in CLIENTS {
        for codec in CODECS {
            for transport in TRANSPORTS {
                for log_in in LOG_INS {
                    cells.push(Cell {
                        client,
                        codec,
                        encoder: AUTO,
                        transport,
                        log_in,
                    });
                }
            }
        }
    }
    let by_others = rows().into_iter().filter(|row| row.encoder != AUTO);
    cells.extend(by_others.flat_map(|row| row.cells().collect::<Vec<_>>()));
    cells
}

/// The table as `docs/clients.md` has it: that all is as it says is what the test of the cells holds.
pub(crate) fn markdown() -> String {
    let mut notes: Vec<&str> = Vec::new();
    let titles: Vec<&str> = CLIENTS.iter().map(|client| client.title).collect();
    let mut lines = vec![
        format!("| | {} |", titles.join(" | ")),
        format!("|{}", " --- |".repeat(titles.len() + 1)),
    ];
    for row in rows() {
        let cells: Vec<String> = row.cells().map(|cell| mark(&cell, &mut notes)).collect();
        lines.push(format!("| {} | {} |", row.title, cells.join(" | ")));
    }
    lines.push(String::new());
    let numbered = notes
        .iter()
        .zip(1..)
        .map(|(why, number)| format!("({number}) {why}"));
    lines.extend(numbered);
    lines.join("\n") + "\n"
}

/// What the table says of `cell`; why it does not work is among `notes`.
fn mark(cell: &Cell, notes: &mut Vec<&str>) -> String {
    let Some(limit) = cell.limit() else {
        return "yes".to_owned();
    };
    let known = notes.iter().position(|why| *why == limit.why);
    let index = known.unwrap_or_else(|| {
        notes.push(limit.why);
        notes.len() - 1
    });
    format!("no ({})", index + 1)
}
