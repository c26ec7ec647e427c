//! Values with `{n}` in them: an entry of `streams` with a `count` makes numbered streams.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::{
    form::{pattern, whole},
    limits::PORTS,
};

/// The mark that stands for a stream's number.
pub(super) const NUMBER: &str = "{n}";

/// A text in which `{n}` stands for a stream's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NumberedText(pub(super) String);

impl NumberedText {
    /// The text of the stream of that number.
    pub(super) fn of(&self, number: u32) -> String {
        self.0.replace(NUMBER, &number.to_string())
    }

    /// The text that stands for the streams of all these numbers.
    pub(super) fn of_all(&self, numbers: &RangeInclusive<u32>) -> String {
        let (first, last) = (numbers.start(), numbers.end());
        if first == last {
            self.of(*first)
        } else {
            self.0.replace(NUMBER, &format!("{first}-{last}"))
        }
    }
}

/// A port, or one for each stream: `8553+{n}` makes 8554, 8555 and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NumberedPort {
    pub(super) base: u16,
    pub(super) is_numbered: bool,
}

impl NumberedPort {
    /// The same port for all streams.
    pub(super) fn fixed(base: u16) -> Self {
        Self {
            base,
            is_numbered: false,
        }
    }

    /// The values that may stand in the file.
    pub(super) fn schema() -> Value {
        json!({ "anyOf": [whole(&PORTS), pattern(r"^[0-9]+\+\{n\}$")] })
    }

    /// The port as the file has it.
    pub(super) fn show(self) -> Value {
        if self.is_numbered {
            json!(format!("{}+{NUMBER}", self.base))
        } else {
            json!(self.base)
        }
    }

    /// Reads `8553+{n}`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let base = text.strip_suffix(NUMBER)?.strip_suffix('+')?;
        let is_number = !base.is_empty() && base.bytes().all(|byte| byte.is_ascii_digit());
        Some(Self {
            base: base.parse().ok().filter(|_| is_number)?,
            is_numbered: true,
        })
    }

    /// The port of the stream of that number; `None` beyond the last port there is.
    pub(super) fn of(self, number: u32) -> Option<u16> {
        if !self.is_numbered {
            return Some(self.base);
        }
        self.base.checked_add(u16::try_from(number).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_wherever_it_is_wanted() {
        let text = NumberedText("/cam{n}/of{n}".into());
        assert_eq!(text.of(7), "/cam7/of7");
        assert_eq!(NumberedText("/live".into()).of(7), "/live");
        assert_eq!(text.of_all(&(1..=300)), "/cam1-300/of1-300");
        assert_eq!(text.of_all(&(7..=7)), "/cam7/of7");
    }

    #[test]
    fn a_port_is_a_base_and_an_offset() {
        let ports = NumberedPort::parse("8553+{n}").expect("a port");
        assert_eq!((ports.of(1), ports.of(100)), (Some(8554), Some(8653)));
        assert_eq!((ports.of(56_982), ports.of(56_983)), (Some(65_535), None));
        assert_eq!(NumberedPort::fixed(8554).of(100), Some(8554));
        for wrong in [
            "8553",
            "{n}",
            "+{n}",
            "8553+{n}+1",
            "-1+{n}",
            "+1+{n}",
            "65536+{n}",
            "8553{n}",
        ] {
            assert_eq!(NumberedPort::parse(wrong), None, "{wrong}");
        }
    }
}
