//! Picture and sound together, by the clients that share nothing with GStreamer and `FFmpeg`.

use std::path::PathBuf;

use rtsp_clock_server::{
    config::{AudioCodec, Config, StreamConfig},
    server::Server,
};

use crate::clients::{FRAMES, Task};
use crate::common::{self, mount, start};
use crate::python::aio_rtsp_toolkit_with_sound;
use crate::retina::retina_with_sound;
use crate::table::{TRANSPORTS, Transport};

const CODECS: [AudioCodec; 4] = [
    AudioCodec::Pcmu,
    AudioCodec::Pcma,
    AudioCodec::Aac,
    AudioCodec::Opus,
];

/// A server with a stream for each codec of sound, in their order.
fn cameras() -> Server {
    let streams = CODECS.into_iter().map(|codec| StreamConfig {
        mounts: vec![mount(&format!("/{codec:?}"))],
        audio: Some(codec),
        ..common::config().streams[0].clone()
    });
    start(&Config {
        streams: streams.collect(),
        ..common::config()
    })
}

fn task(url: &str, transport: &'static Transport) -> Task {
    Task {
        url: url.to_owned(),
        credentials: None,
        transport,
        patience: common::PATIENCE,
        // Nothing is written.
        folder: PathBuf::new(),
    }
}

/// Without an RTP-Info that is right for both, retina plays nothing.
#[test]
fn retina_plays_picture_and_sound() {
    let server = cameras();
    for (codec, url) in CODECS.into_iter().zip(server.urls()) {
        for transport in &TRANSPORTS[..2] {
            let outcome = retina_with_sound(&task(&url, transport));
            if codec == AudioCodec::Opus {
                // It has no depacketizer for Opus.
                assert!(outcome.is_err(), "it plays Opus: {outcome:?}");
                continue;
            }
            let counts = outcome.unwrap_or_else(|error| panic!("{codec:?} over {}: {error}", transport.name));
            assert!(counts.pictures >= FRAMES && counts.sounds >= FRAMES, "{counts:?}");
        }
    }
}

#[test]
fn aio_rtsp_toolkit_plays_picture_and_sound() {
    let server = cameras();
    for (codec, url) in CODECS.into_iter().zip(server.urls()) {
        let outcome = aio_rtsp_toolkit_with_sound(&task(&url, &TRANSPORTS[0]));
        let counts = outcome.unwrap_or_else(|error| panic!("{codec:?}: {error}"));
        assert!(
            counts.iter().all(|count| *count >= FRAMES),
            "{codec:?}: {counts:?}"
        );
    }
}
