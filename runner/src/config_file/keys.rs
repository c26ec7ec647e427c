//! The keys of the configuration: their names, their variables, and where each value goes.

use super::{
    draft::Draft,
    frame_rate,
    json::Json,
    key::{Empty, Form, KEY, Key, Level},
    limits::{
        BITRATES, COUNTS, KEY_FRAME_INTERVALS, LOGO_SCALES, PACKET_SIZES, QUALITIES, SESSION_TIMEOUTS,
        STAMP_IDS, TEXT_SCALES, TTLS, VIEWERS,
    },
    numbered::NumberedText,
    path,
    readers::{
        address, audio, clock, color, encoder, label, log_level, logo, one_of, password, pipeline, port,
        resolution, rtp_ports, share, time_format, time_zone, truth, username, whole,
    },
    transports::{groups, multicast_ports, pem_file, transports},
};
/// The key whose value is the list of streams; it is read by `walk` itself.
pub(super) const STREAMS: &str = "streams";
pub(super) const ADDRESS: &str = "serverIPAddress";
pub(super) const PORT: &str = "serverPort";
pub(super) const PATH: &str = "rtspStreamPath";
pub(super) const COUNT: &str = "count";
pub(super) const STAMP_ID: &str = "stampId";
pub(super) const RESOLUTION: &str = "videoResolution";
pub(super) const CODEC: &str = "videoCodec";
pub(super) const KEY_FRAME_INTERVAL: &str = "keyFrameInterval";
pub(super) const H264_I_FRAME_INTERVAL: &str = "h264IFrameInterval";
pub(super) const BITRATE: &str = "bitrateKbps";
pub(super) const QUALITY: &str = "quality";
pub(super) const CONSTANT_BITRATE: &str = "constantBitrate";
pub(super) const ENCODER: &str = "encoder";
pub(super) const PIPELINE: &str = "pipeline";
pub(super) const FRAME_RATE: &str = "framesPerSecond";
pub(super) const STAMP: &str = "stamp";
pub(super) const STAMP_POSITION: &str = "stampPosition";
pub(super) const FLASH: &str = "flash";
pub(super) const AUDIO: &str = "audio";
pub(super) const LABEL: &str = "label";
pub(super) const TIME_FORMAT: &str = "timeFormat";
pub(super) const TIME_ZONE: &str = "timeZone";
pub(super) const CLIENTS_FORMAT: &str = "clientsFormat";
pub(super) const RTP_PORT_RANGE: &str = "rtpPortRange";
pub(super) const RTP_PACKET_SIZE: &str = "rtpPacketSize";
pub(super) const TRANSPORTS: &str = "transports";
pub(super) const MULTICAST_ADDRESS_RANGE: &str = "multicastAddressRange";
pub(super) const MULTICAST_PORT_RANGE: &str = "multicastPortRange";
pub(super) const TLS_PORT: &str = "tlsPort";
pub(super) const TLS_CERTIFICATE: &str = "tlsCertificate";
pub(super) const TLS_PRIVATE_KEY: &str = "tlsPrivateKey";
pub(super) const PLAIN_RTSP: &str = "plainRtsp";
pub(super) const VIEWER_USERNAME: &str = "viewerUsername";
pub(super) const AUTHENTICATION: &str = "authentication";
pub(super) const RELOAD: &str = "reload";

/// The key that says the port of those who are played with TLS, or without.
pub(crate) const fn port_key(tls: bool) -> &'static str {
    if tls { TLS_PORT } else { PORT }
}

/// Every key, in the order in which the sample file has them.
pub(super) const KEYS: &[Key] = &[
    Key {
        name: VIEWER_USERNAME,
        level: Level::Server,
        variable: "RTSP_VIEWER_USERNAME",
        empty_variable: Empty::None,
        read: |json, draft| username(json).map(|name| draft.username = name),
        ..KEY
    },
    Key {
        name: "viewerPassword",
        level: Level::Server,
        variable: "RTSP_VIEWER_PASSWORD",
        empty_variable: Empty::None,
        secret: true,
        read: |json, draft| password(json).map(|password| draft.password = password),
        ..KEY
    },
    Key {
        name: ADDRESS,
        variable: "RTSP_SERVER_IP",
        read: |json, draft| address(json).map(|address| draft.address = address),
        ..KEY
    },
    Key {
        name: PORT,
        variable: "RTSP_SERVER_PORT",
        form: Form::Number,
        read: |json, draft| port(json).map(|port| draft.port = port),
        ..KEY
    },
    Key {
        name: CODEC,
        variable: "RTSP_VIDEO_CODEC",
        read: |json, draft| one_of(json).map(|codec| draft.stream.codec = codec),
        ..KEY
    },
    Key {
        name: RESOLUTION,
        variable: "RTSP_VIDEO_RESOLUTION",
        read: |json, draft| {
            let stream = &mut draft.stream;
            resolution(json).map(|size| (stream.width, stream.height) = size)
        },
        ..KEY
    },
    Key {
        name: FRAME_RATE,
        variable: "RTSP_FPS",
        form: Form::Number,
        read: |json, draft| frame_rate::read(json).map(|rate| draft.stream.frames_per_second = rate),
        ..KEY
    },
    Key {
        name: H264_I_FRAME_INTERVAL,
        variable: "RTSP_H264_GOP",
        form: Form::Number,
        read: key_frame_interval,
        ..KEY
    },
    Key {
        name: PATH,
        variable: "RTSP_STREAM_PATH",
        read: |json, draft| path::read(json).map(|path| draft.path = path),
        ..KEY
    },
    Key {
        name: RTP_PORT_RANGE,
        level: Level::Server,
        variable: "RTSP_RTP_PORT_RANGE",
        default_variable: Some("RTSP_DEFAULT_RTP_PORT_RANGE"),
        empty_variable: Empty::None,
        read: |json, draft| rtp_ports(json).map(|ports| draft.rtp_ports = ports),
        ..KEY
    },
    Key {
        name: STAMP,
        variable: "RTSP_STAMP",
        read: |json, draft| one_of(json).map(|stamp| draft.stream.look.stamp = stamp),
        ..KEY
    },
    Key {
        name: STAMP_POSITION,
        variable: "RTSP_STAMP_POSITION",
        read: |json, draft| one_of(json).map(|corner| draft.stream.look.stamp_position = corner),
        ..KEY
    },
    Key {
        name: STAMP_ID,
        variable: "RTSP_STAMP_ID",
        form: Form::Number,
        read: |json, draft| whole(json, &STAMP_IDS).map(|id| draft.stream.look.stamp_id = id),
        ..KEY
    },
    Key {
        name: FLASH,
        variable: "RTSP_FLASH",
        form: Form::Truth,
        read: |json, draft| truth(json).map(|flash| draft.stream.look.flash = flash),
        ..KEY
    },
    Key {
        name: AUDIO,
        variable: "RTSP_AUDIO",
        read: |json, draft| audio(json).map(|audio| draft.stream.audio = audio),
        ..KEY
    },
    Key {
        name: LABEL,
        variable: "RTSP_LABEL",
        read: |json, draft| label(json).map(|label| draft.label = NumberedText(label)),
        ..KEY
    },
    Key {
        name: TIME_FORMAT,
        variable: "RTSP_TIME_FORMAT",
        read: |json, draft| time_format(json).map(|format| draft.stream.look.time_format = format),
        ..KEY
    },
    Key {
        name: TIME_ZONE,
        variable: "RTSP_TIME_ZONE",
        read: |json, draft| time_zone(json).map(|zone| draft.stream.look.time_zone = zone),
        ..KEY
    },
    Key {
        name: "font",
        variable: "RTSP_FONT",
        read: |json, draft| label(json).map(|font| draft.stream.look.font = font),
        ..KEY
    },
    Key {
        name: "textColor",
        variable: "RTSP_TEXT_COLOR",
        read: |json, draft| color(json).map(|color| draft.stream.look.text_color = color),
        ..KEY
    },
    Key {
        name: "backgroundColor",
        variable: "RTSP_BACKGROUND_COLOR",
        read: |json, draft| color(json).map(|color| draft.stream.look.background_color = color),
        ..KEY
    },
    Key {
        name: CLIENTS_FORMAT,
        variable: "RTSP_CLIENTS_FORMAT",
        read: |json, draft| label(json).map(|format| draft.stream.look.clients_format = format),
        ..KEY
    },
    Key {
        name: "horizontalAlignment",
        variable: "RTSP_HORIZONTAL_ALIGNMENT",
        read: |json, draft| one_of(json).map(|alignment| draft.stream.look.horizontal = alignment),
        ..KEY
    },
    Key {
        name: "verticalAlignment",
        variable: "RTSP_VERTICAL_ALIGNMENT",
        read: |json, draft| one_of(json).map(|alignment| draft.stream.look.vertical = alignment),
        ..KEY
    },
    Key {
        name: "textScale",
        variable: "RTSP_TEXT_SCALE",
        form: Form::Number,
        read: |json, draft| share(json, &TEXT_SCALES).map(|scale| draft.stream.look.text_scale = scale),
        ..KEY
    },
    Key {
        name: "logo",
        variable: "RTSP_LOGO",
        form: Form::File,
        read: |json, draft| logo(json).map(|logo| draft.stream.look.logo = logo),
        ..KEY
    },
    Key {
        name: "logoPosition",
        variable: "RTSP_LOGO_POSITION",
        read: |json, draft| one_of(json).map(|corner| draft.stream.look.logo_position = corner),
        ..KEY
    },
    Key {
        name: "logoScale",
        variable: "RTSP_LOGO_SCALE",
        form: Form::Number,
        read: |json, draft| share(json, &LOGO_SCALES).map(|scale| draft.stream.look.logo_scale = scale),
        ..KEY
    },
    Key {
        name: "alwaysOn",
        variable: "RTSP_ALWAYS_ON",
        form: Form::Truth,
        read: |json, draft| truth(json).map(|always| draft.stream.always_on = always),
        ..KEY
    },
    Key {
        name: COUNT,
        variable: "RTSP_COUNT",
        form: Form::Number,
        read: |json, draft| whole(json, &COUNTS).map(|count| draft.count = count),
        ..KEY
    },
    Key {
        name: "sharedPicture",
        variable: "RTSP_SHARED_PICTURE",
        form: Form::Truth,
        read: |json, draft| truth(json).map(|shared| draft.shared_picture = shared),
        ..KEY
    },
    Key {
        name: "logLevel",
        level: Level::Server,
        variable: "RTSP_LOG_LEVEL",
        read: |json, draft| log_level(json).map(|filter| draft.log_level = filter),
        ..KEY
    },
    Key {
        name: "logFormat",
        level: Level::Server,
        variable: "RTSP_LOG_FORMAT",
        read: |json, draft| one_of(json).map(|format| draft.log_format = format),
        ..KEY
    },
    Key {
        name: KEY_FRAME_INTERVAL,
        variable: "RTSP_KEY_FRAME_INTERVAL",
        form: Form::Number,
        read: key_frame_interval,
        ..KEY
    },
    Key {
        name: BITRATE,
        variable: "RTSP_BITRATE_KBPS",
        form: Form::Number,
        read: |json, draft| whole(json, &BITRATES).map(|bitrate| draft.stream.bitrate_kbps = Some(bitrate)),
        ..KEY
    },
    Key {
        name: QUALITY,
        variable: "RTSP_JPEG_QUALITY",
        form: Form::Number,
        read: |json, draft| whole(json, &QUALITIES).map(|quality| draft.stream.jpeg_quality = quality),
        ..KEY
    },
    Key {
        name: CONSTANT_BITRATE,
        variable: "RTSP_CONSTANT_BITRATE",
        form: Form::Truth,
        read: |json, draft| truth(json).map(|constant| draft.stream.constant_bitrate = constant),
        ..KEY
    },
    Key {
        name: ENCODER,
        variable: "RTSP_ENCODER",
        read: |json, draft| encoder(json).map(|encoder| draft.stream.encoder = encoder),
        ..KEY
    },
    Key {
        name: PIPELINE,
        variable: "RTSP_PIPELINE",
        empty_variable: Empty::None,
        read: |json, draft| pipeline(json).map(|pipeline| draft.stream.pipeline = pipeline),
        ..KEY
    },
    Key {
        name: RTP_PACKET_SIZE,
        variable: "RTSP_RTP_PACKET_SIZE",
        form: Form::Number,
        read: |json, draft| {
            whole(json, &PACKET_SIZES).map(|bytes| draft.stream.rtp_packet_size = Some(bytes))
        },
        ..KEY
    },
    Key {
        name: TRANSPORTS,
        variable: "RTSP_TRANSPORTS",
        form: Form::List,
        read: |json, draft| transports(json).map(|transports| draft.transports = Some(transports)),
        ..KEY
    },
    Key {
        name: MULTICAST_ADDRESS_RANGE,
        level: Level::Server,
        variable: "RTSP_MULTICAST_ADDRESS_RANGE",
        empty_variable: Empty::None,
        read: |json, draft| groups(json).map(|groups| draft.multicast_groups = groups),
        ..KEY
    },
    Key {
        name: MULTICAST_PORT_RANGE,
        level: Level::Server,
        variable: "RTSP_MULTICAST_PORT_RANGE",
        read: |json, draft| multicast_ports(json).map(|ports| draft.multicast_ports = ports),
        ..KEY
    },
    Key {
        name: "multicastTtl",
        level: Level::Server,
        variable: "RTSP_MULTICAST_TTL",
        form: Form::Number,
        read: |json, draft| {
            whole(json, &TTLS).map(|ttl| draft.multicast_ttl = u8::try_from(ttl).unwrap_or(u8::MAX))
        },
        ..KEY
    },
    Key {
        name: TLS_PORT,
        variable: "RTSP_TLS_PORT",
        form: Form::Number,
        read: |json, draft| port(json).map(|port| draft.tls_port = Some(port)),
        ..KEY
    },
    Key {
        name: TLS_CERTIFICATE,
        level: Level::Server,
        variable: "RTSP_TLS_CERTIFICATE",
        form: Form::File,
        empty_variable: Empty::None,
        read: |json, draft| pem_file(json, "CERTIFICATE").map(|file| draft.tls_certificate = file),
        ..KEY
    },
    Key {
        name: TLS_PRIVATE_KEY,
        level: Level::Server,
        variable: "RTSP_TLS_PRIVATE_KEY",
        form: Form::File,
        empty_variable: Empty::None,
        read: |json, draft| pem_file(json, "PRIVATE KEY").map(|file| draft.tls_private_key = file),
        ..KEY
    },
    Key {
        name: PLAIN_RTSP,
        variable: "RTSP_PLAIN_RTSP",
        form: Form::Truth,
        read: |json, draft| truth(json).map(|plain| draft.plain_rtsp = plain),
        ..KEY
    },
    Key {
        name: AUTHENTICATION,
        level: Level::Server,
        variable: "RTSP_AUTHENTICATION",
        read: |json, draft| one_of(json).map(|authentication| draft.authentication = authentication),
        ..KEY
    },
    Key {
        name: "sessionTimeoutSeconds",
        level: Level::Server,
        variable: "RTSP_SESSION_TIMEOUT_SECONDS",
        form: Form::Number,
        read: |json, draft| whole(json, &SESSION_TIMEOUTS).map(|seconds| draft.session_timeout = seconds),
        ..KEY
    },
    Key {
        name: "maxViewers",
        variable: "RTSP_MAX_VIEWERS",
        form: Form::Number,
        read: |json, draft| whole(json, &VIEWERS).map(|most| draft.stream.max_viewers = Some(most)),
        ..KEY
    },
    Key {
        name: "maxServerViewers",
        level: Level::Server,
        variable: "RTSP_MAX_SERVER_VIEWERS",
        form: Form::Number,
        read: |json, draft| whole(json, &VIEWERS).map(|most| draft.max_viewers = Some(most)),
        ..KEY
    },
    Key {
        name: "clock",
        level: Level::Server,
        variable: "RTSP_CLOCK",
        read: |json, draft| clock(json).map(|clock| draft.clock = clock),
        ..KEY
    },
    Key {
        name: "ntpExtension",
        variable: "RTSP_NTP_EXTENSION",
        form: Form::Truth,
        read: |json, draft| truth(json).map(|extension| draft.stream.ntp_extension = extension),
        ..KEY
    },
    Key {
        name: RELOAD,
        level: Level::Server,
        variable: "RTSP_RELOAD",
        form: Form::Truth,
        read: |json, draft| truth(json).map(|reload| draft.reload = reload),
        ..KEY
    },
];

/// The reader of the key and of its older name.
fn key_frame_interval(json: &Json, draft: &mut Draft) -> Result<(), String> {
    whole(json, &KEY_FRAME_INTERVALS).map(|frames| draft.stream.key_frame_interval = frames)
}
