//! How metrics are written: each family of the table with its samples.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{
        CounterValueEncoder, DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, GaugeValueEncoder,
        MetricEncoder, NoLabelSet, prometheus_text, text,
    },
    metrics::MetricType,
    registry::Registry,
};

use super::{
    families::{FAMILIES, Family, Number, Samples},
    format::Format,
    snapshot::{Snapshot, StreamSnapshot},
};
use crate::status::LatenessStatus;

/// What the names of all metrics begin with.
const PREFIX: &str = "rtsp_clock";
/// The label that says which stream it is.
const STREAM: &str = "stream";

/// All metrics, as a monitoring system reads them.
pub(super) fn encode(snapshot: Snapshot, format: Format) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(snapshot));
    let mut text = String::new();
    match format {
        Format::Text => prometheus_text::encode(&mut text, &registry)?,
        Format::OpenMetrics => text::encode(&mut text, &registry)?,
    }
    Ok(text)
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        FAMILIES
            .iter()
            .try_for_each(|family| family.encode(self, &mut encoder))
    }
}

impl Family {
    fn encode(&self, snapshot: &Snapshot, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Snapshot { server, streams } = snapshot;
        let (unit, kind) = (self.unit.as_ref(), self.kind);
        let mut metric = encoder.encode_descriptor(self.name, self.help, unit, kind)?;
        let mut streams = streams.iter();
        match &self.samples {
            Samples::Stream(value) => streams.try_for_each(|stream| {
                let labels = of(stream);
                encode_number(metric.encode_family(&labels)?, kind, &value(stream))
            }),
            Samples::StreamBy(label, values) => streams.try_for_each(|stream| {
                let by_label = |(by, value): (&str, u64)| {
                    let labels = [(STREAM, stream.id.as_str()), (label, by)];
                    encode_number(metric.encode_family(&labels)?, kind, &Number::Whole(value))
                };
                values(stream).into_iter().try_for_each(by_label)
            }),
            Samples::StreamLateness(lateness) => streams.try_for_each(|stream| {
                let labels = of(stream);
                encode_lateness(metric.encode_family(&labels)?, lateness(stream))
            }),
            Samples::Server(value) => match value(server) {
                Some(value) => encode_number(metric, kind, &value),
                None => Ok(()),
            },
            Samples::ServerBy(label, values) => values(server).into_iter().try_for_each(|(by, value)| {
                let labels = [(*label, by)];
                encode_number(metric.encode_family(&labels)?, kind, &Number::Whole(value))
            }),
            Samples::Info(labels) => metric.encode_info(&labels()),
        }
    }
}

fn of(stream: &StreamSnapshot) -> [(&'static str, &str); 1] {
    [(STREAM, stream.id.as_str())]
}

fn encode_number(mut metric: MetricEncoder<'_>, kind: MetricType, value: &Number) -> fmt::Result {
    match kind {
        MetricType::Counter => metric.encode_counter::<NoLabelSet, _, u64>(value, None),
        _ => metric.encode_gauge(value),
    }
}

fn encode_lateness(mut metric: MetricEncoder<'_>, lateness: &LatenessStatus) -> fmt::Result {
    let classes = lateness.classes.iter();
    let classes: Vec<_> = classes
        .map(|class| (class.up_to_seconds.unwrap_or(f64::INFINITY), class.frames))
        .collect();
    let all = lateness.all;
    metric.encode_histogram::<NoLabelSet>(all.total_seconds, all.frames, &classes, None)
}

impl EncodeCounterValue for Number {
    fn encode(&self, encoder: &mut CounterValueEncoder<'_>) -> fmt::Result {
        match self {
            Self::Whole(value) => EncodeCounterValue::encode(value, encoder),
            Self::Real(value) => EncodeCounterValue::encode(value, encoder),
        }
    }
}

impl EncodeGaugeValue for Number {
    fn encode(&self, encoder: &mut GaugeValueEncoder<'_>) -> fmt::Result {
        match self {
            Self::Whole(value) => EncodeGaugeValue::encode(value, encoder),
            Self::Real(value) => EncodeGaugeValue::encode(value, encoder),
        }
    }
}
