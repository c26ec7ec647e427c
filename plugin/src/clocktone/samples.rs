//! Samples in the formats of raw audio.

use gst_audio::AudioFormat;

/// Formats in the order of preference.
pub(super) const FORMATS: [AudioFormat; 12] = [
    AudioFormat::S16le,
    AudioFormat::F32le,
    AudioFormat::S32le,
    AudioFormat::F64le,
    AudioFormat::S24le,
    AudioFormat::S2432le,
    AudioFormat::S16be,
    AudioFormat::F32be,
    AudioFormat::S32be,
    AudioFormat::F64be,
    AudioFormat::S8,
    AudioFormat::U8,
];

/// Interleaved samples, `values.len()` × `channels`: each value once for each channel. No bytes for a format that is not
/// in [`FORMATS`].
pub(super) fn interleaved(
    values: impl Iterator<Item = f64>,
    format: AudioFormat,
    channels: usize,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    for value in values {
        let (sample, length) = sample(value, format);
        for _ in 0..channels {
            bytes.extend_from_slice(&sample[..length]);
        }
    }
    bytes
}

/// A value between -1 and 1 as the first bytes of the answer, and how many they are.
fn sample(value: f64, format: AudioFormat) -> ([u8; 8], usize) {
    let whole = |bits: u32| scaled(value, bits);
    #[allow(clippy::cast_possible_truncation, reason = "the format's precision")]
    let single = value as f32;
    match format {
        AudioFormat::S8 => padded(&whole(8).to_le_bytes()[..1]),
        // Unsigned samples are silent in the middle.
        AudioFormat::U8 => padded(&(whole(8) + 128).to_le_bytes()[..1]),
        AudioFormat::S16le => padded(&whole(16).to_le_bytes()[..2]),
        AudioFormat::S16be => padded(&whole(16).to_be_bytes()[2..]),
        AudioFormat::S24le => padded(&whole(24).to_le_bytes()[..3]),
        AudioFormat::S2432le => padded(&whole(24).to_le_bytes()),
        AudioFormat::S32le => padded(&whole(32).to_le_bytes()),
        AudioFormat::S32be => padded(&whole(32).to_be_bytes()),
        AudioFormat::F32le => padded(&single.to_le_bytes()),
        AudioFormat::F32be => padded(&single.to_be_bytes()),
        AudioFormat::F64le => padded(&value.to_le_bytes()),
        AudioFormat::F64be => padded(&value.to_be_bytes()),
        _ => ([0; 8], 0),
    }
}

fn padded(bytes: &[u8]) -> ([u8; 8], usize) {
    let mut padded = [0; 8];
    padded[..bytes.len()].copy_from_slice(bytes);
    (padded, bytes.len())
}

/// The nearest whole number of so many bits; 1 is the largest of them.
#[allow(clippy::cast_possible_truncation, reason = "clamped to what the bits hold")]
fn scaled(value: f64, bits: u32) -> i32 {
    let full_scale = f64::from(i32::MAX >> (32 - bits));
    (value.clamp(-1.0, 1.0) * full_scale).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_scale_and_silence_in_each_format() {
        gst::init().unwrap();
        for format in FORMATS {
            let info = gst_audio::AudioFormatInfo::from_format(format);
            let width = usize::try_from(info.width() / 8).unwrap();
            let bytes = interleaved([0.0, 1.0, -1.0].into_iter(), format, 2);
            assert_eq!(bytes.len(), 3 * 2 * width, "{format}");
            let mut silence = vec![0x55; 2 * width];
            info.fill_silence(&mut silence);
            assert_eq!(bytes[..2 * width], silence, "{format}");
            assert_eq!(
                bytes[2 * width..3 * width],
                bytes[3 * width..4 * width],
                "{format}"
            );
        }
    }

    #[test]
    fn values_are_rounded_and_never_wrap() {
        assert_eq!(
            interleaved([1.0, -1.5].into_iter(), AudioFormat::S16le, 1),
            [0xff, 0x7f, 0x01, 0x80]
        );
        assert_eq!(
            interleaved([0.5].into_iter(), AudioFormat::S16be, 1),
            [0x40, 0x00]
        );
        assert_eq!(interleaved([1.0, -1.0].into_iter(), AudioFormat::U8, 1), [255, 1]);
        assert_eq!(
            interleaved([0.25].into_iter(), AudioFormat::F32le, 1),
            0.25_f32.to_le_bytes()
        );
    }
}
