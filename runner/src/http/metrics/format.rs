//! Which format is asked for, by the header Accept.

use axum::http::{HeaderMap, HeaderValue, header};
use prometheus_client::encoding::prometheus_text;

/// OpenMetrics, as its specification names it.
const OPEN_METRICS: &str = "application/openmetrics-text";
/// What may stand for Prometheus' text format, the more specific one first.
const TEXT: [&str; 3] = ["text/plain", "text/*", "*/*"];

/// A format in which metrics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Prometheus' text format, version 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

/// A media range that is asked for (RFC 9110, section 12.5.1).
#[derive(Debug)]
struct Range {
    /// The type, in lower case.
    kind: String,
    version: Option<String>,
    quality: f64,
}

impl Format {
    /// The one that is asked for: OpenMetrics where it is named, and liked as well as the other at least. Whoever asks for
    /// neither gets Prometheus' own.
    pub(super) fn asked_for(headers: &HeaderMap) -> Self {
        let all = headers.get_all(header::ACCEPT).iter();
        let ranges: Vec<_> = all
            .filter_map(|accept: &HeaderValue| accept.to_str().ok())
            .flat_map(|accept| accept.split(','))
            .map(Range::parse)
            .collect();
        let open_metrics = quality(&ranges, OPEN_METRICS, "1.0.0").unwrap_or(0.0);
        let text = TEXT.iter().find_map(|kind| quality(&ranges, kind, "0.0.4"));
        if open_metrics > 0.0 && open_metrics >= text.unwrap_or(0.0) {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    /// Its name in the header Content-Type.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Text => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

impl Range {
    fn parse(range: &str) -> Self {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let (mut version, mut quality) = (None, 1.0);
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim().to_ascii_lowercase().as_str() {
                "version" => version = Some(value.trim().trim_matches('"').to_owned()),
                // What is no number is not wanted.
                "q" => quality = value.trim().parse().unwrap_or(0.0),
                _ => {}
            }
        }
        Self {
            kind,
            version,
            quality,
        }
    }
}

/// How much that version of a type is wanted; `None` where it is not spoken of.
fn quality(ranges: &[Range], kind: &str, version: &str) -> Option<f64> {
    let is_it =
        |range: &&Range| range.kind == kind && range.version.as_ref().is_none_or(|wanted| wanted == version);
    let all = ranges.iter().filter(is_it).map(|range| range.quality);
    all.max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_for(accept: &[&str]) -> Format {
        let values = accept.iter().map(|value| {
            let value = HeaderValue::from_str(value).unwrap();
            (header::ACCEPT, value)
        });
        Format::asked_for(&values.collect())
    }

    #[test]
    fn open_metrics_is_for_those_who_name_it_and_like_it_best() {
        for accept in [
            "application/openmetrics-text",
            "application/openmetrics-text, text/plain",
            "Application/OpenMetrics-Text; Version=1.0.0; charset=utf-8",
            "text/plain;q=0.5, application/openmetrics-text;q=0.6",
            "*/*, text/plain;q=0.1, application/openmetrics-text;version=\"1.0.0\";q=0.2",
            // Prometheus 2.42, and 3.
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
             application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
             text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
        ] {
            assert_eq!(asked_for(&[accept]), Format::OpenMetrics, "{accept}");
        }
        assert_eq!(
            asked_for(&["text/plain;q=0.5", "application/openmetrics-text"]),
            Format::OpenMetrics
        );
    }

    #[test]
    fn all_others_get_prometheus_own_text() {
        for accept in [
            "",
            "*/*",
            "text/plain",
            "text/html, application/xhtml+xml, */*;q=0.8",
            "application/json",
            "application/*",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=much",
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text;q=0.4, text/plain;q=0.5",
            "application/openmetrics-text;q=0.4, text/*",
            ";;,=;q",
        ] {
            assert_eq!(asked_for(&[accept]), Format::Text, "{accept}");
        }
        assert_eq!(asked_for(&[]), Format::Text);
    }
}
