//! The figures for machines.

use crate::figures::Measurement;

/// The measurement as JSON, in the shape that [`schema`] describes.
///
/// # Panics
/// Never: every key is a string.
#[must_use]
pub fn json(measurement: &Measurement) -> String {
    serde_json::to_string_pretty(measurement).expect("every key of the figures is a string")
}

/// The JSON Schema of [`json`], with a description of each field.
///
/// # Panics
/// Never: a schema is JSON already.
#[must_use]
pub fn schema() -> String {
    serde_json::to_string_pretty(&schemars::schema_for!(Measurement)).expect("a schema is JSON")
}
