//! Which settings of the picture's coding go together.

use strum::IntoEnumIterator as _;

use super::{
    key::Key,
    keys::{AUDIO, BITRATE, CODEC, CONSTANT_BITRATE, ENCODER, PIPELINE, QUALITY, RESOLUTION, keys},
};
use crate::{
    config::{Encoder, StreamConfig, VideoCodec},
    launch::{codecs, own_pipeline},
};

/// Answers where the value of a key that counts stands: at a key in the file or in a variable.
type PlaceOf<'a> = &'a dyn Fn(&str) -> String;

/// A rule of more than one key.
pub(super) struct Rule {
    /// The key at whose place a breach of the rule is reported.
    pub(super) key: &'static str,
    /// The keys that the rule is about: it is not applied where one of them is a mistake already.
    pub(super) keys: &'static [&'static str],
    /// Finds what is wrong, if anything is.
    pub(super) breach: fn(&StreamConfig, PlaceOf<'_>) -> Option<String>,
}

/// The rules for a picture that the server makes; a pipeline of one's own may be anything.
pub(super) const RULES: [Rule; 4] = [
    Rule {
        key: RESOLUTION,
        keys: &[CODEC, RESOLUTION],
        breach: size,
    },
    Rule {
        key: ENCODER,
        keys: &[CODEC, ENCODER],
        breach: encoder,
    },
    Rule {
        key: BITRATE,
        keys: &[CODEC, BITRATE],
        breach: bitrate,
    },
    Rule {
        key: CONSTANT_BITRATE,
        keys: &[CODEC, BITRATE, CONSTANT_BITRATE, ENCODER],
        breach: constant_bitrate,
    },
];

/// The rules for a pipeline of one's own.
pub(super) const RULES_OF_PIPELINES: [Rule; 1] = [Rule {
    key: AUDIO,
    keys: &[AUDIO, PIPELINE],
    breach: sound,
}];

/// Warnings of keys that are set and have no effect, a sentence each.
pub(super) fn warnings(stream: &StreamConfig, is_set: impl Fn(&str) -> bool) -> Vec<String> {
    if stream.pipeline.is_some() {
        let is_idle = |key: &&Key| key.is_idle_beside_pipeline(stream.audio) && is_set(key.name);
        let idle: Vec<&str> = keys().filter(is_idle).map(|key| key.name).collect();
        return if idle.is_empty() {
            Vec::new()
        } else {
            let have = if idle.len() == 1 { "has" } else { "have" };
            vec![format!(
                "pipeline says all about the picture: {} {have} no effect",
                idle.join(", ")
            )]
        };
    }
    if codecs::video(stream.codec).has_quality || !is_set(QUALITY) {
        return Vec::new();
    }
    vec![format!(
        "{QUALITY} is that of {}, and has no effect with {CODEC} {}",
        names(|codec| codecs::video(codec).has_quality),
        stream.codec
    )]
}

/// The names of the codecs for which `holds` does.
fn names(holds: impl Fn(VideoCodec) -> bool) -> String {
    let names = VideoCodec::iter().filter(|codec| holds(*codec));
    names
        .map(|codec| codec.to_string())
        .collect::<Vec<_>>()
        .join(" or ")
}

/// A pipeline has one `pay1` at most.
fn sound(stream: &StreamConfig, place: PlaceOf<'_>) -> Option<String> {
    let codec = stream.audio?;
    let has_sound = stream.pipeline.as_deref().is_some_and(own_pipeline::has_sound);
    has_sound.then(|| {
        format!(
            "found \"{codec}\" beside a {PIPELINE} ({}) with sound of its own (pay1), expected \"none\"",
            place(PIPELINE)
        )
    })
}

/// Finds a size that the codec cannot carry.
fn size(stream: &StreamConfig, place: PlaceOf<'_>) -> Option<String> {
    let StreamConfig {
        width, height, codec, ..
    } = *stream;
    let sizes = &codecs::video(codec).sizes;
    let is_carried = sizes.has(width) && sizes.has(height);
    (!is_carried).then(|| {
        format!(
            "found {width}x{height}, which {CODEC} {codec} ({}) cannot carry: {}",
            place(CODEC),
            sizes.rule
        )
    })
}

fn encoder(stream: &StreamConfig, place: PlaceOf<'_>) -> Option<String> {
    let Encoder::Named(name) = &stream.encoder else {
        return None;
    };
    let all = codecs::video(stream.codec).encoders;
    if all.iter().any(|element| element.name == name) {
        return None;
    }
    let names: Vec<&str> = all.iter().map(|element| element.name).collect();
    Some(format!(
        "found \"{name}\", which is not known to encode {CODEC} {} ({}), expected \"auto\" or one of {}; any other goes \
         into a pipeline of one's own (pipeline)",
        stream.codec,
        place(CODEC),
        names.join(", ")
    ))
}

fn bitrate(stream: &StreamConfig, place: PlaceOf<'_>) -> Option<String> {
    let kbps = stream
        .bitrate_kbps
        .filter(|_| codecs::video(stream.codec).has_quality)?;
    Some(format!(
        "found {kbps}, which {CODEC} {} ({}) has no way to aim at: its size is set by {QUALITY}",
        stream.codec,
        place(CODEC)
    ))
}

fn constant_bitrate(stream: &StreamConfig, place: PlaceOf<'_>) -> Option<String> {
    if !stream.constant_bitrate {
        return None;
    }
    let that_fill_up = |codec| {
        let elements = codecs::video(codec)
            .encoders
            .iter()
            .filter(|element| element.fills_up);
        elements.map(|element| element.name).collect::<Vec<_>>()
    };
    let fills_up = that_fill_up(stream.codec);
    if fills_up.is_empty() {
        return Some(format!(
            "found true, and {CODEC} {} ({}) cannot be filled up, expected false, or {CODEC} {}",
            stream.codec,
            place(CODEC),
            names(|codec| !that_fill_up(codec).is_empty())
        ));
    }
    match &stream.encoder {
        Encoder::Named(name) if !fills_up.contains(&name.as_str()) => Some(format!(
            "found true, and the {ENCODER} {name} ({}) does not fill up, expected false, or {ENCODER} {}",
            place(ENCODER),
            fills_up.join(" or ")
        )),
        _ if stream.bitrate_kbps.is_none() => {
            Some(format!("found true, and no {BITRATE} that says how much that is"))
        }
        _ => None,
    }
}
