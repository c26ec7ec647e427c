//! Makes one stream's launch string of its configuration. All of it is pure, save for asking what the machine has: see
//! [`Machine`].
//!
//! ```text
//! ( clocksrc name=source lead-time=… ! video/x-raw,… ! videoconvert ! x264enc … ! rtph264pay name=pay0 … )
//! ```
//!
//! Its first part is the picture's, or a pipeline of one's own. A stream with sound has a second part, which ends in `pay1`.
//!
//! | module | job |
//! | --- | --- |
//! | [`picture`](mod@picture) | the picture: its source, its encoder, and its part of the launch string |
//! | [`codecs`] | the codecs, one row each |
//! | [`encoders`] | which encoders there are for each codec, and how each is set |
//! | [`own_pipeline`] | a pipeline of one's own in place of the picture's part |
//! | [`audio`] | the sound: its encoder, and its part of the launch string |
//! | [`elements`] | the elements that serving takes, and where Debian keeps them |
//! | [`access_units`] | a picture of several slices stays one picture |
//! | [`still`] | pictures for whoever looks at a stream without playing it |
//! | `changing` | which changes an encoder takes while it encodes |
//! | `debian` | Debian's packages with GStreamer's elements |
//! | `secrets` | what of a pipeline of one's own is for anybody's eyes |
//! | `syntax` | chains of elements, and how words are quoted |

pub mod access_units;
pub(crate) mod audio;
pub(crate) mod changing;
pub mod codecs;
mod debian;
pub mod elements;
pub mod encoders;
pub(crate) mod own_pipeline;
pub(crate) mod picture;
pub(crate) mod secrets;
pub(crate) mod still;
pub(crate) mod syntax;

use std::num::NonZero;

use self::{
    encoders::{EncoderElement, HasProperty},
    syntax::{Chain, shell_quoted},
};
use crate::config::StreamConfig;

/// The launch string of one stream, as gst-rtsp-server's media factory takes it.
#[must_use]
pub fn launch_string(stream: &StreamConfig) -> String {
    factory_launch(stream, Machine::here(), str::to_owned)
}

/// The launch string for anybody's eyes: in a pipeline of one's own `***` stands for the value of a password or its
/// like, and for the log-in in a URL.
#[must_use]
pub(crate) fn shown(stream: &StreamConfig) -> String {
    factory_launch(stream, Machine::here(), secrets::shown)
}

/// The same pipeline to paste behind `gst-launch-1.0` in a POSIX shell. In place of viewers it sends RTP to
/// [`picture::GST_LAUNCH_PORT`] and [`audio::GST_LAUNCH_PORT`] on this machine; [`picture::receiver_line`] and
/// [`audio::receiver_line`] play that.
#[must_use]
pub(crate) fn gst_launch_line(stream: &StreamConfig) -> String {
    shell_line(stream, Machine::here())
}

/// The element that encodes the picture on this machine; `None` for a pipeline of one's own.
#[must_use]
pub(crate) fn encoder(stream: &StreamConfig) -> Option<&'static str> {
    let chosen = || chosen_encoder(stream, Machine::here()).name;
    stream.pipeline.is_none().then(chosen)
}

fn chosen_encoder(stream: &StreamConfig, machine: Machine) -> &'static EncoderElement {
    encoders::choose(codecs::video(stream.codec).encoders, stream, machine.is_installed)
}

/// What a launch string depends on besides the configuration.
#[derive(Debug, Clone, Copy)]
struct Machine {
    /// How many threads can run at once; 1 where the system does not say.
    cores: NonZero<usize>,
    /// Whether it has the element of that name.
    is_installed: fn(&str) -> bool,
    /// Whether its element of the first name has the property of the second.
    has_property: HasProperty,
}

impl Machine {
    /// The machine that this runs on.
    fn here() -> Self {
        Self {
            cores: std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN),
            // Without GStreamer no element can be looked up, and nothing be played.
            is_installed: |name| gst::init().is_ok() && elements::is_installed(name),
            has_property: |name, property| gst::init().is_ok() && elements::has_property(name, property),
        }
    }
}

/// `own` is how a pipeline of one's own is written.
fn factory_launch(stream: &StreamConfig, machine: Machine, own: fn(&str) -> String) -> String {
    let picture = match &stream.pipeline {
        Some(pipeline) => own(own_pipeline::part(pipeline)),
        None => joined(picture(stream, machine), |word| word),
    };
    let sound = sound(stream, machine).map(|chain| joined(chain, |word| word));
    let parts: Vec<String> = std::iter::once(picture).chain(sound).collect();
    format!("( {} )", parts.join("  "))
}

fn shell_line(stream: &StreamConfig, machine: Machine) -> String {
    let send = |mut chain: Chain, port| {
        chain.push(udp_sink(port));
        joined(chain, |word| shell_quoted(&word))
    };
    let picture = match &stream.pipeline {
        Some(own) => own_line(own),
        None => send(picture(stream, machine), picture::GST_LAUNCH_PORT),
    };
    let sound = sound(stream, machine).map(|chain| send(chain, audio::GST_LAUNCH_PORT));
    let parts: Vec<String> = std::iter::once(picture).chain(sound).collect();
    parts.join("  ")
}

/// A pipeline of one's own in which [`udp_sink`] follows the payloader, wherever that is.
fn own_line(own: &str) -> String {
    let mut words = own_pipeline::words(own_pipeline::part(own));
    words.extend(["pay0.", "!"].map(String::from));
    words.extend(udp_sink(picture::GST_LAUNCH_PORT));
    let words: Vec<String> = words.iter().map(|word| shell_quoted(word)).collect();
    words.join(" ")
}

fn udp_sink(port: u16) -> Vec<String> {
    vec!["udpsink".into(), "host=127.0.0.1".into(), format!("port={port}")]
}

fn picture(stream: &StreamConfig, machine: Machine) -> Chain {
    let encoder = chosen_encoder(stream, machine);
    picture::elements(stream, encoder, machine.cores.get() as u64, machine.has_property)
}

fn sound(stream: &StreamConfig, machine: Machine) -> Option<Chain> {
    let codec = stream.audio?;
    let encoder = audio::encoder(codec, machine.is_installed);
    Some(audio::elements(codec, encoder, stream.rtp_packet_size))
}

/// The chain in launch syntax, with each word as `quoted` makes it.
fn joined(chain: Chain, quoted: impl Fn(String) -> String) -> String {
    let elements = chain.into_iter().map(|words| {
        let words: Vec<String> = words.into_iter().map(&quoted).collect();
        words.join(" ")
    });
    elements.collect::<Vec<_>>().join(" ! ")
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;
    use crate::config::{AudioCodec, Corner, Encoder, FrameRate, Stamp, VideoCodec, look::Look};

    fn stream(codec: VideoCodec, width: u32, height: u32, frames_per_second: u32) -> StreamConfig {
        StreamConfig {
            codec,
            width,
            height,
            frames_per_second: FrameRate::whole(frames_per_second),
            ..StreamConfig::default()
        }
    }

    fn launch(stream: &StreamConfig, cores: usize) -> String {
        factory_launch(stream, machine(cores), str::to_owned)
    }

    /// A machine that has every element, in GStreamer 1.22.
    fn machine(cores: usize) -> Machine {
        Machine {
            cores: NonZero::new(cores).unwrap(),
            is_installed: |_| true,
            has_property: |_, _| false,
        }
    }

    #[test]
    fn h264_is_what_the_documentation_shows() {
        let stream = StreamConfig {
            key_frame_interval: 50,
            ..stream(VideoCodec::H264, 1280, 720, 25)
        };
        assert_eq!(
            launch(&stream, 8),
            "( clocksrc name=source lead-time=30000000 \
             ! video/x-raw,format=I420,width=1280,height=720,framerate=25/1 ! videoconvert \
             ! x264enc tune=zerolatency speed-preset=ultrafast bframes=0 key-int-max=50 pass=quant quantizer=20 \
             threads=1 aud=false option-string=\"scenecut=0:repeat-headers=0\" \
             ! video/x-h264,profile=constrained-baseline,stream-format=avc,alignment=au \
             ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 )"
        );
    }

    #[test]
    fn sound_is_a_second_part_of_the_pipeline() {
        let mut stream = stream(VideoCodec::Mjpeg, 640, 480, 15);
        stream.audio = Some(AudioCodec::Pcmu);
        let (picture, sound) = (
            "rtpjpegpay name=pay0 pt=26",
            "clocktone name=tone lead-time=100000000 ts-offset=0 ! audio/x-raw,rate=8000,channels=1",
        );
        let launch = launch(&stream, 8);
        assert!(
            launch.contains(&format!(" ! {picture}  {sound} ! mulawenc tolerance=1000000 ! ")),
            "{launch}"
        );
        assert!(launch.ends_with(
            " ! rtppcmupay name=pay1 pt=0 perfect-rtptime=false min-ptime=20000000 max-ptime=20000000 )"
        ));
        let line = gst_launch_line(&stream);
        assert!(
            line.contains(" port=5004  clocktone ") && line.ends_with(" port=5006"),
            "{line}"
        );
    }

    #[test]
    fn mjpeg_is_full_range_jpeg() {
        assert_eq!(
            launch(&stream(VideoCodec::Mjpeg, 640, 480, 15), 8),
            "( clocksrc name=source lead-time=49999998 \
             ! video/x-raw,format=I420,width=640,height=480,framerate=15/1,colorimetry=1:4:0:0 ! videoconvert \
             ! jpegenc quality=85 idct-method=islow ! rtpjpegpay name=pay0 pt=26 )"
        );
    }

    /// The part from the encoder to the payloader, on a machine with eight cores.
    fn coding(stream: &StreamConfig) -> String {
        let launch = launch(stream, 8);
        let (_, coding) = launch.split_once("! videoconvert ! ").unwrap();
        coding.trim_end_matches(" )").to_owned()
    }

    fn hd(codec: VideoCodec) -> StreamConfig {
        StreamConfig {
            key_frame_interval: 50,
            ..stream(codec, 1280, 720, 25)
        }
    }

    #[test]
    fn h265_works_at_one_picture_at_a_time() {
        assert_eq!(
            coding(&hd(VideoCodec::H265)),
            "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=50 qp=20 \
             option-string=\"bframes=0:scenecut=0:open-gop=0:pools=none:wpp=0\" \
             ! video/x-h265,profile=main,stream-format=byte-stream,alignment=au \
             ! h265parse config-interval=-1 ! rtph265pay name=pay0 pt=96"
        );
        let large = coding(&stream(VideoCodec::H265, 1920, 1080, 25));
        assert!(large.contains(":pools=3:wpp=1\""), "{large}");
    }

    #[test]
    fn vp8_and_vp9_are_libvpx_in_real_time() {
        let common =
            "deadline=1 lag-in-frames=0 error-resilient=default keyframe-max-dist=50 threads=1 end-usage=vbr";
        assert_eq!(
            coding(&hd(VideoCodec::Vp8)),
            format!(
                "vp8enc {common} min-quantizer=10 max-quantizer=10 target-bitrate=100000000 cpu-used=16 \
                 ! rtpvp8pay name=pay0 pt=96 picture-id-mode=15-bit"
            )
        );
        assert_eq!(
            coding(&hd(VideoCodec::Vp9)),
            format!(
                "vp9enc {common} min-quantizer=12 max-quantizer=12 target-bitrate=100000000 cpu-used=8 row-mt=true \
                 tile-columns=0 ! rtpvp9pay name=pay0 pt=96 picture-id-mode=15-bit"
            )
        );
    }

    #[test]
    fn a_bitrate_is_aimed_at_and_a_constant_one_filled_up() {
        for (codec, average, constant) in [
            (
                VideoCodec::H264,
                "pass=cbr bitrate=4000 threads=1 aud=false option-string=\"scenecut=0:repeat-headers=0\" ",
                Some(
                    "pass=cbr bitrate=4000 vbv-buf-capacity=1000 threads=1 aud=false \
                     option-string=\"scenecut=0:repeat-headers=0:nal-hrd=cbr\" ",
                ),
            ),
            (
                VideoCodec::H265,
                " bitrate=4000 option-string=\"bframes=0:scenecut=0:open-gop=0:pools=none:wpp=0\" ",
                Some(":vbv-maxrate=4000:vbv-bufsize=4000:strict-cbr=1:hrd=1\" "),
            ),
            (VideoCodec::Vp8, " end-usage=cbr target-bitrate=4000000 ", None),
            (VideoCodec::Vp9, " end-usage=cbr target-bitrate=4000000 ", None),
        ] {
            let mut stream = hd(codec);
            stream.bitrate_kbps = Some(4000);
            let said = coding(&stream);
            assert!(said.contains(average), "{said}");
            if let Some(constant) = constant {
                stream.constant_bitrate = true;
                let said = coding(&stream);
                assert!(said.contains(constant), "{said}");
            }
        }
    }

    #[test]
    fn x264_fills_up_by_its_property_where_it_has_one() {
        let stream = StreamConfig {
            bitrate_kbps: Some(4000),
            constant_bitrate: true,
            ..hd(VideoCodec::H264)
        };
        let machine = Machine {
            has_property: |name, property| (name, property) == ("x264enc", "nal-hrd"),
            ..machine(8)
        };
        let launch = factory_launch(&stream, machine, str::to_owned);
        let said = "pass=cbr bitrate=4000 vbv-buf-capacity=1000 nal-hrd=cbr threads=1 aud=false \
                    option-string=\"scenecut=0:repeat-headers=0\" ";
        assert!(launch.contains(said), "{launch}");
    }

    #[test]
    fn the_quality_is_jpegs() {
        let stream = StreamConfig {
            jpeg_quality: 40,
            ..hd(VideoCodec::Mjpeg)
        };
        assert!(coding(&stream).starts_with("jpegenc quality=40 idct-method=islow ! "));
    }

    #[test]
    fn hardware_gets_the_format_it_takes() {
        let stream = StreamConfig {
            encoder: Encoder::Named("vah264enc".into()),
            ..hd(VideoCodec::H264)
        };
        let launch = launch(&stream, 8);
        assert!(
            launch.contains(" ! video/x-raw,format=NV12,width=1280,"),
            "{launch}"
        );
        assert!(
            launch.contains(
                " ! vah264enc b-frames=0 ref-frames=1 target-usage=7 key-int-max=50 rate-control=cqp qpi=20 qpp=20 ! "
            ),
            "{launch}"
        );
    }

    /// The words of every encoder of every codec are launch syntax, whatever this machine has.
    #[test]
    fn every_encoders_words_are_launch_syntax() {
        gst::init().unwrap();
        gstclocksrc::register_static().unwrap();
        for codec in VideoCodec::iter() {
            for element in codecs::video(codec).encoders {
                for bitrate_kbps in [None, Some(2000)] {
                    let stream = StreamConfig {
                        encoder: Encoder::Named(element.name.into()),
                        bitrate_kbps,
                        ..hd(codec)
                    };
                    let launch = launch(&stream, 8);
                    let missing =
                        elements::missing(&launch).unwrap_or_else(|error| panic!("{launch}: {error}"));
                    assert!(
                        missing.iter().all(|name| !elements::is_installed(name)),
                        "{launch}: {missing:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_pipeline_of_ones_own_takes_the_place_of_the_picture() {
        let mut stream = hd(VideoCodec::H264);
        stream.pipeline = Some("( clocksrc ! x264enc option-string=\"a b\" ! rtph264pay name=pay0 )".into());
        assert_eq!(
            launch(&stream, 8),
            "( clocksrc ! x264enc option-string=\"a b\" ! rtph264pay name=pay0 )"
        );
        assert_eq!(
            shell_line(&stream, machine(8)),
            "clocksrc '!' x264enc 'option-string=\"a b\"' '!' rtph264pay name=pay0 pay0. '!' udpsink host=127.0.0.1 \
             port=5004"
        );
        stream.audio = Some(AudioCodec::Pcmu);
        let launch = launch(&stream, 8);
        assert!(launch.contains(" ! rtph264pay name=pay0  clocktone "), "{launch}");
    }

    #[test]
    fn stamp_and_flash_are_the_sources() {
        let stream = StreamConfig {
            look: Look {
                stamp: Stamp::Qr,
                stamp_position: Corner::BottomLeft,
                stamp_id: 7,
                flash: true,
                ..Look::default()
            },
            ..stream(VideoCodec::H264, 640, 480, 15)
        };
        let launch = launch(&stream, 8);
        assert!(
            launch.starts_with(
                "( clocksrc name=source lead-time=49999998 stamp=\"qr\" stamp-position=\"bottom-left\" stamp-id=\"7\" \
                 flash=\"true\" ! "
            ),
            "{launch}"
        );
    }

    #[test]
    fn the_gst_launch_line_is_the_same_pipeline_without_parentheses() {
        let line = gst_launch_line(&stream(VideoCodec::H264, 640, 480, 15));
        assert!(
            line.starts_with("clocksrc name=source lead-time=49999998 ! video/x-raw,"),
            "{line}"
        );
        assert!(
            line.contains(r#" 'option-string="scenecut=0:repeat-headers=0"' "#),
            "{line}"
        );
        assert!(
            line.ends_with(
                " ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 ! udpsink host=127.0.0.1 port=5004"
            ),
            "{line}"
        );
    }
}
