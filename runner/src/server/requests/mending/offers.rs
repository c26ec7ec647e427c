//! What a Transport header offers (RFC 2326, section 12.39), with blanks wherever HTTP has them (section 15.1).

use std::{fmt, ops::RangeInclusive};

use crate::config::Transport;

/// One transport, as a client offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) struct Offer {
    /// `None`: one that is not known here.
    pub(in crate::server) way: Option<Transport>,
    protocol: String,
    parameters: Vec<(String, Option<String>)>,
    is_whole: bool,
}

/// The offers of a header in their order.
pub(in crate::server) fn read(header: &str) -> Vec<Offer> {
    split(header, ',').into_iter().filter_map(Offer::read).collect()
}

impl Offer {
    fn read(text: &str) -> Option<Self> {
        let mut parts = split(text, ';').into_iter();
        let protocol = parts.next().filter(|protocol| !protocol.is_empty())?.to_owned();
        let parameters: Vec<_> = parts.filter(|part| !part.is_empty()).map(parameter).collect();
        let way = way(&protocol, &parameters);
        let mut offer = Self {
            way,
            protocol,
            parameters,
            is_whole: true,
        };
        offer.is_whole = match way {
            // The client has to say to which ports packets go.
            Some(Transport::Udp) => offer.complete("client_port", 1..=u16::MAX) == Some(true),
            Some(Transport::Tcp) => offer.complete("interleaved", 0..=u16::from(u8::MAX)) != Some(false),
            _ => true,
        };
        Some(offer)
    }

    /// Whether it says all that it has to.
    pub(in crate::server) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Has the parameter of that name be two numbers of `range`, of which the second may be left out for the next one;
    /// answers whether it is, if it is there.
    fn complete(&mut self, name: &str, range: RangeInclusive<u16>) -> Option<bool> {
        let (_, value) = self.parameters.iter_mut().find(|(known, _)| known == name)?;
        let pair = value
            .as_deref()
            .and_then(pair)
            .filter(|[first, second]| first != second && range.contains(first) && range.contains(second));
        if let Some([first, second]) = pair {
            *value = Some(format!("{first}-{second}"));
        }
        Some(pair.is_some())
    }
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.protocol)?;
        for (name, value) in &self.parameters {
            match value {
                Some(value) => write!(f, ";{name}={value}")?,
                None => write!(f, ";{name}")?,
            }
        }
        Ok(())
    }
}

/// The way that an offer means: without `unicast`, it means multicast.
fn way(protocol: &str, parameters: &[(String, Option<String>)]) -> Option<Transport> {
    let is_unicast = parameters.iter().any(|(name, _)| name == "unicast");
    match protocol.to_ascii_uppercase().as_str() {
        "RTP/AVP/TCP" => Some(Transport::Tcp),
        "RTP/AVP" | "RTP/AVP/UDP" if is_unicast => Some(Transport::Udp),
        "RTP/AVP" | "RTP/AVP/UDP" => Some(Transport::Multicast),
        _ => None,
    }
}

/// `name` in small letters, or `name=value`.
fn parameter(part: &str) -> (String, Option<String>) {
    match part.split_once('=') {
        Some((name, value)) => (
            name.trim_end().to_ascii_lowercase(),
            Some(value.trim_start().to_owned()),
        ),
        None => (part.to_ascii_lowercase(), None),
    }
}

/// `first-second`, or `first` alone.
fn pair(value: &str) -> Option<[u16; 2]> {
    let number = |text: &str| text.trim().parse().ok();
    if let Some((first, second)) = value.split_once('-') {
        return Some([number(first)?, number(second)?]);
    }
    let first: u16 = number(value)?;
    Some([first, first.checked_add(1)?])
}

/// The parts of `text` between `separator`s that are not within quotes, without blanks around them.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut is_quoted = false;
    let parts = text.split(move |character| {
        is_quoted ^= character == '"';
        character == separator && !is_quoted
    });
    parts.map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(header: &str) -> Vec<(Option<Transport>, bool, String)> {
        let show = |offer: Offer| (offer.way, offer.is_whole(), offer.to_string());
        read(header).into_iter().map(show).collect()
    }

    #[test]
    fn offers_come_in_their_order_and_blanks_mean_nothing() {
        let header = " RTP/AVP ; Unicast; client_port = 5000 - 5001 , RTP/AVP/TCP;unicast;interleaved=0-1;mode=\"PLAY,a\",,RTP/AVP";
        let expected = [
            (
                Some(Transport::Udp),
                true,
                "RTP/AVP;unicast;client_port=5000-5001",
            ),
            (
                Some(Transport::Tcp),
                true,
                "RTP/AVP/TCP;unicast;interleaved=0-1;mode=\"PLAY,a\"",
            ),
            (Some(Transport::Multicast), true, "RTP/AVP"),
        ];
        assert_eq!(
            written(header),
            expected.map(|(way, is_whole, text)| (way, is_whole, text.to_owned()))
        );
    }

    #[test]
    fn a_single_port_or_channel_has_the_next_one_for_rtcp() {
        for (header, expected) in [
            (
                "RTP/AVP;unicast;client_port=5000",
                "RTP/AVP;unicast;client_port=5000-5001",
            ),
            ("RTP/AVP/TCP;interleaved=4", "RTP/AVP/TCP;interleaved=4-5"),
        ] {
            assert_eq!(written(header)[0].2, expected);
            assert!(written(header)[0].1);
        }
        assert!(
            written("RTP/AVP/TCP;unicast")[0].1,
            "the server says which channels"
        );
    }

    #[test]
    fn what_would_be_sent_where_nobody_asked_is_not_whole() {
        for header in [
            "RTP/AVP;unicast",
            "RTP/AVP;unicast;client_port",
            "RTP/AVP;unicast;client_port=",
            "RTP/AVP;unicast;client_port=0-0",
            "RTP/AVP;unicast;client_port=0-1",
            "RTP/AVP;unicast;client_port=5000-5000",
            "RTP/AVP;unicast;client_port=65535",
            "RTP/AVP;unicast;client_port=65536-65537",
            "RTP/AVP;unicast;client_port=-1-5",
            "RTP/AVP;unicast;client_port=a-b",
            "RTP/AVP/TCP;interleaved=0-0",
            "RTP/AVP/TCP;interleaved=255",
            "RTP/AVP/TCP;interleaved=0-256",
            "RTP/AVP/TCP;interleaved=x",
        ] {
            assert!(!written(header)[0].1, "{header}");
        }
    }
}
