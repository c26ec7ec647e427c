//! The keys of one stream: where it is, how it is coded, how it is sent.

use serde_json::{Value, json};

use super::{
    ADDRESS, AUDIO, BITRATE, CODEC, CONSTANT_BITRATE, ENCODER, PATH, PIPELINE, PORT, QUALITY, RESOLUTION,
    RTP_PORT_RANGE,
};
use crate::{
    config::{AudioCodec, VideoCodec},
    config_file::{
        draft::Draft,
        form::{Form, named, number, pattern, short},
        frame_rate,
        json::Json,
        key::{BesidePipeline, Change, Empty, KEY, Key, Level},
        limits::{BITRATES, FRAME_RATES, KEY_FRAME_INTERVALS, PACKET_SIZES, QUALITIES, TEXT_BYTES},
        numbered::NumberedPort,
        path,
        readers::{address, audio, boolean, encoder, one_of, pipeline, port, resolution, rtp_ports, whole},
    },
};

const KEY_FRAME_INTERVAL: &str = "keyFrameInterval";

/// What the keys of the picture's coding share.
const CODING: Key = Key {
    beside_pipeline: BesidePipeline::Idle,
    ..KEY
};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: ADDRESS,
        variable: Some("RTSP_SERVER_IP"),
        form: Form::Text(
            || json!({ "type": "string", "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }] }),
        ),
        read: |json, draft| address(json).map(|address| draft.address = address),
        show: |draft| json!(draft.address),
        documentation: "The address to listen on: `\"0.0.0.0\"` for every IPv4 address of the machine, `\"::\"` for every \
                        address, IPv6 and IPv4. In a container it has to be all, as it is.",
        change_note: "Another address at the same port takes a restart.",
        only_in_file: true,
        ..KEY
    },
    Key {
        name: PORT,
        variable: Some("RTSP_SERVER_PORT"),
        form: Form::Number(NumberedPort::schema),
        read: |json, draft| port(json).map(|port| draft.port = port),
        show: |draft| draft.port.show(),
        documentation: "The TCP port for RTSP. `\"8553+{n}\"` with a `count`: 8554, 8555 and so on.",
        ..KEY
    },
    Key {
        name: PATH,
        variable: Some("RTSP_STREAM_PATH"),
        form: Form::Text(|| pattern(path::PATTERN)),
        read: |json, draft| path::read(json).map(|path| draft.path = path),
        show: |draft| json!(draft.path.0),
        documentation: "The path of the stream's URL. It may have a query that tells it from others there, such as \
                        `\"/cam/realmonitor?channel={n}&subtype=0\"`.",
        ..KEY
    },
    Key {
        name: CODEC,
        variable: Some("RTSP_VIDEO_CODEC"),
        form: Form::Text(named::<VideoCodec>),
        read: |json, draft| one_of(json).map(|codec| draft.stream.codec = codec),
        show: |draft| json!(draft.stream.codec),
        documentation: "How the picture is encoded.",
        ..CODING
    },
    Key {
        name: RESOLUTION,
        variable: Some("RTSP_VIDEO_RESOLUTION"),
        form: Form::Text(|| pattern("^[0-9]+x[0-9]+$")),
        read: |json, draft| {
            let stream = &mut draft.stream;
            resolution(json).map(|size| (stream.width, stream.height) = size)
        },
        show: |draft| json!(format!("{}x{}", draft.stream.width, draft.stream.height)),
        documentation: "Width, x and height in px. MJPEG takes multiples of 8 up to 2040 px (RFC 2435), all other codecs \
                        even numbers.",
        ..CODING
    },
    Key {
        name: "framesPerSecond",
        variable: Some("RTSP_FPS"),
        form: Form::Number(|| json!({ "anyOf": [number(&FRAME_RATES), pattern("^[0-9]+/[0-9]+$")] })),
        read: |json, draft| frame_rate::read(json).map(|rate| draft.stream.frames_per_second = rate),
        show: |draft| frame_rate::show(draft.stream.frames_per_second),
        documentation: "Frames a second: a number such as `12.5`, or a fraction. `23.976`, `29.97`, `59.94` and `119.88` \
                        mean 24000/1001 and so on.",
        ..CODING
    },
    Key {
        name: KEY_FRAME_INTERVAL,
        variable: Some("RTSP_KEY_FRAME_INTERVAL"),
        show: |draft| json!(draft.stream.key_frame_interval),
        documentation: "Frames from one key frame to the next. A viewer who joins gets one at once besides. In MJPEG each \
                        frame is one.",
        ..INTERVAL
    },
    Key {
        name: "h264IFrameInterval",
        variable: Some("RTSP_H264_GOP"),
        older_name_of: Some(KEY_FRAME_INTERVAL),
        documentation: "The older name of `keyFrameInterval`.",
        ..INTERVAL
    },
    Key {
        name: BITRATE,
        variable: Some("RTSP_BITRATE_KBPS"),
        form: Form::Whole(&BITRATES),
        read: |json, draft| whole(json, &BITRATES).map(|bitrate| draft.stream.bitrate_kbps = Some(bitrate)),
        show: |draft| json!(draft.stream.bitrate_kbps),
        documentation: "The bitrate that the encoder aims at on average, in kbit/s (1 kbit is 1000 bits). Without it each \
                        picture is as crisp as any other. Not for MJPEG.",
        change: Change::Encoder,
        ..CODING
    },
    Key {
        name: CONSTANT_BITRATE,
        variable: Some("RTSP_CONSTANT_BITRATE"),
        form: Form::Boolean,
        read: |json, draft| boolean(json).map(|constant| draft.stream.constant_bitrate = constant),
        show: |draft| json!(draft.stream.constant_bitrate),
        documentation: "Whether what the picture leaves of `bitrateKbps` is filled up, so that nearly black pictures load \
                        a network and a disk as any others. For H.264 and H.265.",
        ..CODING
    },
    Key {
        name: QUALITY,
        variable: Some("RTSP_JPEG_QUALITY"),
        form: Form::Whole(&QUALITIES),
        read: |json, draft| whole(json, &QUALITIES).map(|quality| draft.stream.jpeg_quality = quality),
        show: |draft| json!(draft.stream.jpeg_quality),
        documentation: "The crispness of MJPEG.",
        change: Change::Encoder,
        ..CODING
    },
    Key {
        name: ENCODER,
        variable: Some("RTSP_ENCODER"),
        form: Form::Text(|| pattern("^[A-Za-z0-9_-]+$")),
        read: |json, draft| encoder(json).map(|encoder| draft.stream.encoder = encoder),
        show: |draft| json!(draft.stream.encoder.to_string()),
        documentation: "What encodes: `\"auto\"` for the first of its codec that is installed, software first, since it \
                        is the same everywhere; or one by name: `\"x264enc\"`, `\"openh264enc\"`, `\"vah264enc\"`, \
                        `\"nvh264enc\"`, `\"v4l2h264enc\"`, … Those in hardware: not in the container; we ran none.",
        ..CODING
    },
    Key {
        name: PIPELINE,
        variable: Some("RTSP_PIPELINE"),
        form: Form::Text(|| short(TEXT_BYTES)),
        empty_variable: Empty::None,
        read: |json, draft| pipeline(json).map(|pipeline| draft.stream.pipeline = pipeline),
        show: |draft| json!(draft.stream.pipeline.as_deref().unwrap_or_default()),
        without: "none",
        documentation: "A launch string of your own in place of all that makes the picture, with a `clocksrc`, and a \
                        payloader named `pay0`.",
        ..KEY
    },
    Key {
        name: AUDIO,
        variable: Some("RTSP_AUDIO"),
        form: Form::Text(sound),
        read: |json, draft| audio(json).map(|audio| draft.stream.audio = audio),
        show: |draft| {
            json!(
                draft
                    .stream
                    .audio
                    .map_or("none".to_owned(), |codec| codec.to_string())
            )
        },
        documentation: "Sound with a tick at each whole second of the clock, and how it is encoded. `\"pcmu\"` and \
                        `\"pcma\"` are G.711.",
        ..KEY
    },
    Key {
        name: RTP_PORT_RANGE,
        level: Level::Server,
        variable: Some("RTSP_RTP_PORT_RANGE"),
        default_variable: Some("RTSP_DEFAULT_RTP_PORT_RANGE"),
        form: Form::Text(|| pattern("^([0-9]+-[0-9]+)?$")),
        empty_variable: Empty::None,
        read: |json, draft| rtp_ports(json).map(|ports| draft.rtp_ports = ports),
        show: |draft| json!(draft.rtp_ports.map(|ports| ports.to_string()).unwrap_or_default()),
        without: "any; 50000-50019 in the container",
        documentation: "The UDP ports for RTP and RTCP: what a firewall or a container has to let through. Each stream \
                        that is watched over UDP takes two, and two for its sound: the container's twenty are enough for \
                        ten streams, five with sound.",
        change: Change::Restart(|runs, wanted| runs.rtp_ports != wanted.rtp_ports),
        ..KEY
    },
    Key {
        name: "rtpPacketSize",
        variable: Some("RTSP_RTP_PACKET_SIZE"),
        form: Form::Whole(&PACKET_SIZES),
        read: |json, draft| {
            whole(json, &PACKET_SIZES).map(|bytes| draft.stream.rtp_packet_size = Some(bytes))
        },
        show: |draft| json!(draft.stream.rtp_packet_size),
        without: "1400",
        documentation: "The bytes that an RTP packet has at most, with its header, for picture and sound; IP and UDP come \
                        on top. A client's `Blocksize` is answered 200 and not followed: the packets are everybody's.",
        beside_pipeline: BesidePipeline::CountsForSound,
        ..KEY
    },
];

/// What the key has in common under its newer and its older name.
const INTERVAL: Key = Key {
    form: Form::Whole(&KEY_FRAME_INTERVALS),
    read: key_frame_interval,
    ..CODING
};

fn key_frame_interval(json: &Json, draft: &mut Draft) -> Result<(), String> {
    whole(json, &KEY_FRAME_INTERVALS).map(|frames| draft.stream.key_frame_interval = frames)
}

/// The schema of the codecs of sound, or none of them.
fn sound() -> Value {
    let mut codecs = named::<AudioCodec>();
    if let Some(codecs) = codecs["oneOf"].as_array_mut() {
        codecs.insert(
            0,
            json!({ "description": "No sound.", "type": "string", "const": "none" }),
        );
    }
    codecs
}
