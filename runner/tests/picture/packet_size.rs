//! How large RTP packets are: as large as the configuration says, whatever a client asks for.

use rtsp_clock_server::config::{AudioCodec, Config, VideoCodec};
use strum::IntoEnumIterator as _;

use crate::common::{RtspClient, config, start};

fn camera(size: Option<u32>) -> Config {
    let mut config = config();
    config.streams[0].rtp_packet_size = size;
    config
}

/// The bytes of the largest packet of each of the first so many pictures.
fn largest(viewer: &mut RtspClient, pictures: usize) -> usize {
    let mut largest = 0;
    let mut ends = 0;
    while ends < pictures {
        let packet = viewer.next_rtp();
        largest = largest.max(packet.data.len());
        ends += usize::from(packet.marker());
    }
    largest
}

#[test]
fn no_packet_is_larger_than_the_configuration_says_in_any_codec() {
    for codec in VideoCodec::iter() {
        for size in [200, 1000, 65_000] {
            let mut config = camera(Some(size));
            config.streams[0].codec = codec;
            config.streams[0].audio = Some(AudioCodec::Pcma);
            let server = start(&config);
            let largest = largest(&mut RtspClient::watch(&server), 3);
            let size = size as usize;
            assert!(largest <= size, "{codec}: {largest} of {size} bytes");
            // A key picture is larger than a small packet, and goes into a large one as a whole.
            let fills = if size < 1400 { size * 9 / 10 } else { 1401 };
            assert!(largest >= fills, "{codec}: {largest} of {size} bytes");
        }
    }
}

#[test]
fn a_clients_blocksize_is_answered_and_not_followed() {
    let server = start(&camera(Some(65_000)));
    let mut viewer = RtspClient::connect(&server);
    assert_eq!(viewer.describe().status, 200);
    let url = format!("{}/stream=0", server.urls()[0]);
    viewer.send(
        "SETUP",
        &url,
        &[
            ("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1"),
            ("Blocksize", "500"),
        ],
    );
    let answer = viewer.response();
    assert_eq!(answer.status, 200);
    let session = answer.header("Session").expect("a session").to_owned();
    let id = session.split(';').next().unwrap_or_default();
    viewer.send("PLAY", &server.urls()[0], &[("Session", id)]);
    assert_eq!(viewer.response().status, 200);
    let largest = largest(&mut viewer, 3);
    assert!(largest > 1400, "{largest} bytes");
}
