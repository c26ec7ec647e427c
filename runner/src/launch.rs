//! One stream's configuration to its launch string. Pure, save for asking how many cores there are.
//!
//! ```text
//! ( clocksrc name=source lead-time=… ! video/x-raw,… ! videoconvert ! x264enc … ! rtph264pay name=pay0 … )
//! ```
//!
//! Where the settings come from:
//!
//! - **Lead time**: the picture of an instant is known beforehand, so that it is painted and encoded three
//!   quarters of a frame period early, 100 ms at most, and released at its instant by the sink. A whole period would
//!   make the encoder start at the very instant at which the frame before is to be released, and the two would
//!   compete for the processor: one frame in fifty left 2 to 4 ms late.
//! - **`tune=zerolatency bframes=0`**: each picture leaves the encoder before the next one goes in, and PTS never run
//!   backwards.
//! - **A constant quantizer** in place of a bitrate: each frame is as crisp as any other, however many digits changed. A
//!   clock is cheap (0.6 Mbit/s at 720p25), and x264 without its rate control takes a quarter less CPU.
//! - **`key-int-max` with `scenecut=0`**: key frames come every `h264IFrameInterval` frames and when a viewer joins, never
//!   because many digits changed at once.
//! - **Constrained baseline**: what ultrafast encodes anyway, said in the SDP, so that browsers behind a gateway take it.
//! - **`stream-format=avc aud=false`**: the payloader need not search for start codes, and no packet is spent on a
//!   delimiter that RTP's marker bit makes superfluous.
//! - **`config-interval=-1` with `repeat-headers=0`**: SPS and PPS go out with each key frame, from the payloader and not
//!   from the encoder a second time.
//! - **JPEG in full range** (`colorimetry=1:4:0:0`), as JFIF has it: black would be dark grey otherwise.
//! - **`idct-method=islow`**: slightly more exact than the default (`ifast`), and no slower.

use std::num::NonZero;

use crate::config::{StreamConfig, VideoCodec};

/// The name of the clock source in the pipeline, on which the number of viewers is set.
pub const SOURCE_NAME: &str = "source";

/// The UDP port of this machine to which [`gst_launch_line`] sends.
pub const GST_LAUNCH_PORT: u16 = 5004;

const NANOSECONDS: u64 = 1_000_000_000;

/// A slow stream is not made much earlier than it is shown: what is on its way when the number of viewers changes still
/// shows the old one.
const LONGEST_LEAD: u64 = NANOSECONDS / 10;

/// What one encoder thread takes on, in px a second. Ultrafast was measured to do more than 200 million on one core, so
/// that a thread is done after a third of the frame period.
const PIXELS_PER_THREAD: u64 = 64_000_000;

/// The crispness of H.264; 18 to 28 is usual. At 20 white text on black comes back at a PSNR of 58 dB.
const QUANTIZER: u32 = 20;

/// The crispness of JPEG, of 100: white text on black comes back at a PSNR of 49 dB. At 90 an exact decoder gives 52 dB,
/// and a fast one (`jpegdec` by default) 47 dB.
const JPEG_QUALITY: u32 = 85;

/// The launch string of one stream, as gst-rtsp-server's media factory takes it.
#[must_use]
pub fn launch_string(stream: &StreamConfig) -> String {
    factory_launch(stream, cores())
}

/// The same pipeline to paste behind `gst-launch-1.0` in a POSIX shell. In place of viewers it sends RTP to
/// [`GST_LAUNCH_PORT`] on this machine; [`receiver_line`] plays that.
#[must_use]
pub fn gst_launch_line(stream: &StreamConfig) -> String {
    let sink = [
        "udpsink".to_owned(),
        "host=127.0.0.1".to_owned(),
        format!("port={GST_LAUNCH_PORT}"),
    ];
    let mut elements = elements(stream, cores());
    elements.push(sink.into());
    let words = elements.iter().map(|element| shell_words(element));
    words.collect::<Vec<_>>().join(" ! ")
}

/// The command that plays what [`gst_launch_line`] sends.
#[must_use]
pub fn receiver_line(codec: VideoCodec) -> String {
    let (encoding, payload_type, depayloader) = match codec {
        VideoCodec::H264 => ("H264", 96, "rtph264depay"),
        VideoCodec::Mjpeg => ("JPEG", 26, "rtpjpegdepay"),
    };
    let caps = format!(
        "application/x-rtp,media=video,clock-rate=90000,encoding-name={encoding},payload={payload_type}"
    );
    format!(
        "gst-launch-1.0 udpsrc address=127.0.0.1 port={GST_LAUNCH_PORT} caps={} ! {depayloader} ! decodebin ! \
         videoconvert ! autovideosink sync=false",
        shell_quoted(&caps)
    )
}

/// How many threads can run at once; 1 where the system does not say.
fn cores() -> NonZero<usize> {
    std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

fn factory_launch(stream: &StreamConfig, cores: NonZero<usize>) -> String {
    let elements = elements(stream, cores).into_iter().map(|words| words.join(" "));
    format!("( {} )", elements.collect::<Vec<_>>().join(" ! "))
}

/// The elements in order, each as its words: the name and the properties, in launch syntax.
fn elements(stream: &StreamConfig, cores: NonZero<usize>) -> Vec<Vec<String>> {
    let mut elements = vec![
        vec![
            "clocksrc".into(),
            format!("name={SOURCE_NAME}"),
            format!("lead-time={}", lead_time(stream)),
        ],
        vec![picture_caps(stream)],
        // Passes the picture through as it is; there for a source that does not paint what the encoder takes.
        vec!["videoconvert".into()],
    ];
    elements.extend(match stream.codec {
        VideoCodec::H264 => h264(stream, cores),
        VideoCodec::Mjpeg => mjpeg(),
    });
    elements
}

/// Three quarters of a frame period in ns, 100 ms at most.
fn lead_time(stream: &StreamConfig) -> u64 {
    let period = NANOSECONDS / u64::from(stream.frames_per_second.max(1));
    (period / 4 * 3).min(LONGEST_LEAD)
}

fn picture_caps(stream: &StreamConfig) -> String {
    let StreamConfig {
        width,
        height,
        frames_per_second,
        ..
    } = stream;
    let colorimetry = match stream.codec {
        VideoCodec::H264 => "",
        VideoCodec::Mjpeg => ",colorimetry=1:4:0:0",
    };
    format!(
        "video/x-raw,format=I420,width={width},height={height},framerate={frames_per_second}/1{colorimetry}"
    )
}

fn h264(stream: &StreamConfig, cores: NonZero<usize>) -> Vec<Vec<String>> {
    let encoder = vec![
        "x264enc".into(),
        "tune=zerolatency".into(),
        "speed-preset=ultrafast".into(),
        "bframes=0".into(),
        format!("key-int-max={}", stream.h264_key_frame_interval),
        "pass=quant".into(),
        format!("quantizer={QUANTIZER}"),
        format!("threads={}", encoder_threads(stream, cores)),
        "aud=false".into(),
        format!("option-string={}", launch_quoted("scenecut=0:repeat-headers=0")),
    ];
    let payloader = ["rtph264pay", "name=pay0", "pt=96", "config-interval=-1"];
    vec![
        encoder,
        vec!["video/x-h264,profile=constrained-baseline,stream-format=avc,alignment=au".into()],
        payloader.map(String::from).into(),
    ]
}

fn mjpeg() -> Vec<Vec<String>> {
    let payloader = ["rtpjpegpay", "name=pay0", "pt=26"];
    vec![
        vec![
            "jpegenc".into(),
            format!("quality={JPEG_QUALITY}"),
            "idct-method=islow".into(),
        ],
        payloader.map(String::from).into(),
    ]
}

/// One thread for each [`PIXELS_PER_THREAD`], as far as there are cores: a hundred small cameras do best with one each,
/// a large picture must be done within its lead time.
fn encoder_threads(stream: &StreamConfig, cores: NonZero<usize>) -> u64 {
    let pixels = u64::from(stream.width) * u64::from(stream.height) * u64::from(stream.frames_per_second);
    pixels.div_ceil(PIXELS_PER_THREAD).clamp(1, cores.get() as u64)
}

/// A text as the value of a property in a launch string, whatever is in it.
fn launch_quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
}

/// The words of one element, each quoted for a POSIX shell where it needs to be.
fn shell_words(words: &[String]) -> String {
    words
        .iter()
        .map(|word| shell_quoted(word))
        .collect::<Vec<_>>()
        .join(" ")
}

fn shell_quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:=@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use gst::prelude::*;

    fn stream(codec: VideoCodec, width: u32, height: u32, frames_per_second: u32) -> StreamConfig {
        StreamConfig {
            codec,
            width,
            height,
            frames_per_second,
            ..Config::default().stream
        }
    }

    fn launch(stream: &StreamConfig, cores: usize) -> String {
        factory_launch(stream, NonZero::new(cores).unwrap())
    }

    #[test]
    fn h264_is_what_the_documentation_shows() {
        let stream = StreamConfig {
            h264_key_frame_interval: 50,
            ..stream(VideoCodec::H264, 1280, 720, 25)
        };
        assert_eq!(
            launch(&stream, 8),
            "( clocksrc name=source lead-time=30000000 \
             ! video/x-raw,format=I420,width=1280,height=720,framerate=25/1 ! videoconvert \
             ! x264enc tune=zerolatency speed-preset=ultrafast bframes=0 key-int-max=50 pass=quant quantizer=20 \
             threads=1 aud=false option-string=\"scenecut=0:repeat-headers=0\" \
             ! video/x-h264,profile=constrained-baseline,stream-format=avc,alignment=au \
             ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
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

    #[test]
    fn the_lead_is_less_than_a_frame_period_and_100_ms_at_most() {
        let lead = |rate| lead_time(&stream(VideoCodec::H264, 640, 480, rate));
        assert_eq!(
            [1, 5, 10, 25, 30, 240].map(lead),
            [
                100_000_000,
                100_000_000,
                75_000_000,
                30_000_000,
                24_999_999,
                3_124_998
            ]
        );
    }

    #[test]
    fn large_pictures_get_more_threads_as_far_as_there_are_cores() {
        let threads = |width, height, rate, cores| {
            encoder_threads(
                &stream(VideoCodec::H264, width, height, rate),
                NonZero::new(cores).unwrap(),
            )
        };
        assert_eq!(threads(32, 32, 1, 64), 1);
        assert_eq!(threads(640, 480, 15, 64), 1);
        assert_eq!(threads(1280, 720, 60, 64), 1);
        assert_eq!(threads(1920, 1080, 30, 64), 1);
        assert_eq!(threads(1920, 1080, 60, 64), 2);
        assert_eq!(threads(3840, 2160, 30, 64), 4);
        assert_eq!(threads(3840, 2160, 30, 2), 2);
        assert_eq!(threads(7680, 4320, 240, 16), 16);
    }

    /// `filesrc location` is a property of type string in an element that comes with the core.
    #[test]
    fn any_text_survives_launch_syntax() {
        gst::init().unwrap();
        for text in [
            "plain",
            "",
            "a b",
            "! x",
            "it's",
            r#"a"b"#,
            r"a\b",
            r#"\""#,
            "a=b, c;d",
            "(x) [y] {z}",
            "שלום é",
        ] {
            let launch = format!(
                "( filesrc name=here location={} ! fakesink )",
                launch_quoted(text)
            );
            let bin = gst::parse::launch(&launch).unwrap_or_else(|error| panic!("{launch}: {error}"));
            let element = bin.downcast::<gst::Bin>().unwrap().by_name("here").unwrap();
            let location = element.property::<Option<String>>("location").unwrap_or_default();
            assert_eq!(location, text, "{launch}");
        }
    }

    /// A POSIX shell takes the line apart into the words it was made of.
    #[test]
    fn any_word_survives_the_shell() {
        for word in [
            "plain",
            "",
            "a b",
            "!",
            "it's",
            r#"option-string="scenecut=0""#,
            "$HOME",
            "a\\b",
            "*",
            "(x)",
        ] {
            let script = format!("printf %s {}", shell_quoted(word));
            let output = std::process::Command::new("sh")
                .args(["-c", &script])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word, "{script}");
        }
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
                " ! rtph264pay name=pay0 pt=96 config-interval=-1 ! udpsink host=127.0.0.1 port=5004"
            ),
            "{line}"
        );
    }
}
