//! Pictures of a stream for whoever looks at it without playing it: each is coded alone, as JPEG or PNG.
//!
//! ```text
//! clocksrc name=source … ! video/x-raw,… ! videoscale … ! video/x-raw,… ! jpegenc … ! appsink name=stills …
//! appsrc name=units … ! decodebin ! videorate … ! videoconvertscale … ! video/x-raw,… ! jpegenc … ! appsink …
//! ```
//!
//! - **The first** paints the clock once more, as the stream's own source does: on the same grid of the wall clock, with the
//!   same look and size, and before the same encoder would get it.
//! - **The second** decodes what a pipeline of one's own has encoded.
//! - **A few pictures a second** are scaled by the fastest way that stays readable, a single one by the finest.

use std::num::NonZero;

use super::{
    Machine, codecs, debian,
    encoders::mjpeg,
    joined, picture,
    syntax::{Chain, SOURCE_NAME},
};
use crate::config::{FrameRate, StreamConfig, VideoCodec};

/// The name of the element at which pictures come out.
pub(crate) const SINK_NAME: &str = "stills";

/// The name of the element into which encoded pictures go.
pub(crate) const UNITS_NAME: &str = "units";

/// The name of the element that paints the clock.
pub(crate) const CLOCK_NAME: &str = SOURCE_NAME;

/// The smallest width, in px.
pub(crate) const SMALLEST_WIDTH: u32 = 16;

/// The widths of previews are multiples of this, in px: those who want nearly the same share one that is made.
const STEP_OF_PREVIEWS: u32 = 16;

/// The largest width of a picture whose own width is not known, in px.
const LARGEST_WIDTH: u32 = 8192;

/// The elements that this takes besides those of a codec, each with the Debian package that has it.
pub(super) const ELEMENTS: [(&str, &str); 5] = [
    ("decodebin", debian::BASE),
    ("pngenc", debian::GOOD),
    ("videoconvertscale", debian::BASE),
    ("videorate", debian::BASE),
    ("videoscale", debian::BASE),
];

/// How a picture is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
}

/// How wide a picture is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// As wide as the stream's.
    Own,
    /// So many px, or as wide as the stream's where that is less.
    UpTo(u32),
    /// So many px, and no more than the stream has.
    Exactly(u32),
}

/// What somebody wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// How it is coded.
    pub(crate) format: Format,
    /// How wide it is.
    pub(crate) width: Width,
    /// How many pictures a second, at most; `None` for a single one.
    pub(crate) frames_per_second: Option<NonZero<u32>>,
}

/// The width is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("width is from {SMALLEST_WIDTH} to {most} px, the picture's own: not {found}")]
pub(crate) struct WrongWidth {
    found: u32,
    most: u32,
}

impl Wanted {
    /// The same with the width that pictures of `stream` get: two who want the same picture in other words want the same
    /// then, and two who want previews of nearly the same width too.
    ///
    /// # Errors
    /// When it is smaller than any picture or larger than the stream's.
    pub(crate) fn of(self, stream: &StreamConfig) -> Result<Self, WrongWidth> {
        let own = stream.pipeline.is_none().then_some(stream.width);
        let most = own.unwrap_or(LARGEST_WIDTH);
        let width = match self.width {
            Width::Own => most,
            Width::UpTo(width) => width.clamp(SMALLEST_WIDTH, LARGEST_WIDTH),
            Width::Exactly(found) if found < SMALLEST_WIDTH || found > most => {
                return Err(WrongWidth { found, most });
            }
            Width::Exactly(width) => width,
        };
        let width = self.rounded(width);
        let is_own = self.width == Width::Own || own.is_some_and(|own| own <= width);
        Ok(Self {
            width: if is_own { Width::Own } else { Width::UpTo(width) },
            ..self
        })
    }

    /// As wide as pictures get of which somebody wants that width, whatever the stream's own is.
    fn rounded(self, width: u32) -> u32 {
        match self.frames_per_second {
            Some(_) => width.next_multiple_of(STEP_OF_PREVIEWS),
            None => width,
        }
    }
}

/// The pipeline that paints the pictures of `stream` once more.
#[must_use]
pub(crate) fn painted(stream: &StreamConfig, wanted: Wanted) -> String {
    let rate = rate(stream.frames_per_second, wanted.frames_per_second);
    let (format, colorimetry) = wanted.format.raw();
    let mut source = picture::source(stream);
    if wanted.frames_per_second.is_none() {
        source.push("num-buffers=1".into());
    }
    let mut chain = vec![source, vec![picture::caps(stream, rate, format, colorimetry)]];
    if let Width::UpTo(width) | Width::Exactly(width) = wanted.width {
        let height = height(stream, width);
        chain.push(vec!["videoscale".into(), wanted.scaling()]);
        chain.push(vec![format!("video/x-raw,width={width},height={height}")]);
    }
    chain.push(wanted.format.encoder(stream));
    chain.push(sink());
    joined(chain, |word| word)
}

/// The pipeline that decodes what the pipeline of `stream`, one's own, has encoded.
#[must_use]
pub(crate) fn decoded(stream: &StreamConfig, wanted: Wanted) -> String {
    let (format, colorimetry) = wanted.format.raw();
    let colorimetry = colorimetry.map_or_else(String::new, |name| format!(",colorimetry={name}"));
    let width = match wanted.width {
        Width::Own => String::new(),
        Width::UpTo(width) | Width::Exactly(width) => format!(",width=[1,{width}]"),
    };
    let caps = format!("video/x-raw,format={format},pixel-aspect-ratio=1/1{colorimetry}{width}");
    let units = format!("name={UNITS_NAME}");
    let mut chain: Chain = vec![
        vec![
            "appsrc".into(),
            units,
            "is-live=true".into(),
            "format=time".into(),
        ],
        vec!["decodebin".into()],
    ];
    chain.extend(wanted.frames_per_second.map(|rate| {
        // It drops pictures, and makes none.
        vec![
            "videorate".into(),
            "drop-only=true".into(),
            format!("max-rate={rate}"),
        ]
    }));
    chain.extend([
        vec!["videoconvertscale".into(), wanted.scaling()],
        vec![caps],
        wanted.format.encoder(stream),
        sink(),
    ]);
    joined(chain, |word| word)
}

impl Format {
    /// The raw format that its encoder takes, and the colorimetry where that is not GStreamer's usual one.
    fn raw(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Jpeg => (jpeg().format, codecs::video(VideoCodec::Mjpeg).colorimetry),
            Self::Png => ("RGB", None),
        }
    }

    fn encoder(self, stream: &StreamConfig) -> Vec<String> {
        match self {
            Self::Jpeg => {
                let machine = Machine::here();
                jpeg().words(stream, machine.cores.get() as u64, machine.has_property)
            }
            // Half the time of the usual level, for a third more bytes.
            Self::Png => vec!["pngenc".into(), "compression-level=1".into()],
        }
    }
}

impl Wanted {
    fn scaling(self) -> String {
        let method = if self.frames_per_second.is_some() {
            "bilinear"
        } else {
            "bilinear2"
        };
        format!("method={method}")
    }
}

fn jpeg() -> &'static super::encoders::EncoderElement {
    let [jpegenc, ..] = &mjpeg::ENCODERS;
    jpegenc
}

/// The last element. Pictures leave at their instants, and of those that nobody has taken the newest stays.
fn sink() -> Vec<String> {
    let words = [
        "appsink",
        "name=stills",
        "max-buffers=1",
        "drop=true",
        "qos=false",
        "enable-last-sample=false",
        "processing-deadline=0",
    ];
    words.map(String::from).into()
}

/// The rate nearest below `wanted` that leaves pictures on the grid of a stream that has `own` pictures a second: each is one
/// of the stream's.
fn rate(own: FrameRate, wanted: Option<NonZero<u32>>) -> FrameRate {
    let Some(wanted) = wanted else { return own };
    let every = own
        .numerator()
        .div_ceil(own.denominator().saturating_mul(wanted.get()));
    let slower = FrameRate::new(own.numerator(), own.denominator().saturating_mul(every.max(1)));
    slower.unwrap_or(own)
}

/// The height that keeps the picture's shape at that width, in px.
fn height(stream: &StreamConfig, width: u32) -> u32 {
    let (own_width, own_height) = (u64::from(stream.width.max(1)), u64::from(stream.height));
    let height = (u64::from(width) * own_height + own_width / 2) / own_width;
    u32::try_from(height).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::look::Look, launch::elements};

    const PREVIEW: Wanted = Wanted {
        format: Format::Jpeg,
        width: Width::UpTo(320),
        frames_per_second: NonZero::new(5),
    };

    fn hd() -> StreamConfig {
        StreamConfig {
            width: 1280,
            height: 720,
            frames_per_second: FrameRate::whole(25),
            phase: 7,
            look: Look {
                label: "Door".into(),
                ..Look::default()
            },
            ..StreamConfig::default()
        }
    }

    #[test]
    fn a_preview_is_the_streams_picture_made_smaller() {
        assert_eq!(
            painted(&hd(), PREVIEW),
            "clocksrc name=source lead-time=30000000 phase=7 text=\"Door\" \
             ! video/x-raw,format=I420,width=1280,height=720,framerate=5/1,colorimetry=1:4:0:0 \
             ! videoscale method=bilinear ! video/x-raw,width=320,height=180 \
             ! jpegenc quality=85 idct-method=islow \
             ! appsink name=stills max-buffers=1 drop=true qos=false enable-last-sample=false processing-deadline=0"
        );
    }

    #[test]
    fn a_snapshot_is_one_picture_of_the_streams_own_size() {
        let wanted = Wanted {
            format: Format::Png,
            width: Width::Own,
            frames_per_second: None,
        };
        let launch = painted(&hd(), wanted);
        assert!(
            launch.contains(
                " num-buffers=1 ! video/x-raw,format=RGB,width=1280,height=720,framerate=25/1 ! pngenc "
            ),
            "{launch}"
        );
    }

    #[test]
    fn every_picture_of_a_slower_rate_is_one_of_the_streams() {
        let ntsc = FrameRate::new(30_000, 1001).unwrap();
        for (own, wanted, expected) in [
            (FrameRate::whole(25), 5, "5/1"),
            (FrameRate::whole(25), 4, "25/7"),
            (FrameRate::whole(25), 25, "25/1"),
            (FrameRate::whole(15), 25, "15/1"),
            (ntsc, 5, "5000/1001"),
            (FrameRate::new(1, 10).unwrap(), 1, "1/10"),
            (FrameRate::whole(240), 1, "1/1"),
        ] {
            assert_eq!(
                rate(own, NonZero::new(wanted)).fraction(),
                expected,
                "{own} {wanted}"
            );
        }
    }

    #[test]
    fn a_width_is_within_the_streams() {
        let of = |width| PREVIEW.with(width).of(&hd()).map(|wanted| wanted.width);
        assert_eq!(of(Width::Exactly(1280)), Ok(Width::Own));
        assert_eq!(of(Width::Exactly(16)), Ok(Width::UpTo(16)));
        assert_eq!(of(Width::UpTo(5000)), Ok(Width::Own));
        assert_eq!(of(Width::UpTo(3)), Ok(Width::UpTo(16)));
        for found in [0, 15, 1281] {
            assert_eq!(of(Width::Exactly(found)), Err(WrongWidth { found, most: 1280 }));
        }
    }

    #[test]
    fn previews_of_nearly_the_same_width_are_the_same() {
        let preview = |width| PREVIEW.with(width).of(&hd()).map(|wanted| wanted.width);
        for (asked, expected) in [
            (305, Width::UpTo(320)),
            (320, Width::UpTo(320)),
            (321, Width::UpTo(336)),
            (1264, Width::UpTo(1264)),
            (1265, Width::Own),
        ] {
            assert_eq!(preview(Width::Exactly(asked)), Ok(expected), "{asked}");
            assert_eq!(preview(Width::UpTo(asked)), Ok(expected), "{asked}");
        }
        let snapshot = Wanted {
            width: Width::Exactly(305),
            frames_per_second: None,
            ..PREVIEW
        };
        assert_eq!(
            snapshot.of(&hd()).map(|wanted| wanted.width),
            Ok(Width::UpTo(305))
        );
    }

    impl Wanted {
        fn with(self, width: Width) -> Self {
            Self { width, ..self }
        }
    }

    #[test]
    fn a_small_picture_keeps_its_shape() {
        assert_eq!(
            [320, 640, 16, 1].map(|width| height(&hd(), width)),
            [180, 360, 9, 1]
        );
    }

    /// All that may be wanted is launch syntax that this machine can play.
    #[test]
    fn the_pipelines_are_launch_syntax() {
        gst::init().unwrap();
        gstclocksrc::register_static().unwrap();
        for format in [Format::Jpeg, Format::Png] {
            for frames_per_second in [None, NonZero::new(5)] {
                for width in [Width::Own, Width::UpTo(320)] {
                    let wanted = Wanted {
                        format,
                        width,
                        frames_per_second,
                    };
                    for launch in [painted(&hd(), wanted), decoded(&hd(), wanted)] {
                        let missing =
                            elements::missing(&launch).unwrap_or_else(|error| panic!("{launch}: {error}"));
                        assert_eq!(missing, [""; 0], "{launch}");
                    }
                }
            }
        }
    }
}
