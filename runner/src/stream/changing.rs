//! What changes while the stream plays: its look, how many may watch it, and what its encoder takes meanwhile.

use std::sync::Arc;

use gst::{glib, prelude::*};

use super::{Stream, running::Running};
use crate::{
    config::StreamConfig,
    launch::{changing, launch_string},
};

impl Stream {
    /// Is as `config` says from now on, which is [made of the same](StreamConfig::is_made_of). Nobody's stream ends.
    pub fn change(self: &Arc<Self>, config: &StreamConfig) {
        let before = self.config();
        let after = StreamConfig {
            // Frames stay where they are in their period, whatever cameras come and go beside them.
            phase: before.phase,
            ..config.clone()
        };
        // Pipelines that are made from now on, first: one that is being made is seen to once it runs.
        self.factory.set_launch(&launch_string(&after));
        self.viewers.limit(after.max_viewers);
        let is_on = after.always_on;
        *self.config.write() = Arc::new(after);
        if let Some(running) = self.running() {
            self.apply(&running);
        }
        if before.always_on && !is_on {
            self.stop();
        }
    }

    /// Has `running` look and encode as the stream does now.
    pub(super) fn apply(&self, running: &Running) {
        let config = self.config();
        if config.pipeline.is_some() {
            return;
        }
        if let Some(source) = running.source() {
            let properties = config.look.all_properties();
            properties.iter().for_each(|(name, value)| set(&source, name, value));
        }
        let encoder = changing::encoder_settings(&config);
        if let Some((settings, element)) = encoder.and_then(|settings| Some((running.element(settings.element)?, settings))).map(|(element, settings)| (settings, element)) {
            for (name, value) in &settings.properties {
                let is_taken = element
                    .find_property(name)
                    .is_some_and(|pspec| pspec.flags().contains(gst::PARAM_FLAG_MUTABLE_PLAYING));
                if is_taken {
                    set(&element, name, value);
                }
            }
        }
    }
}

/// Sets a property of `element` to what a launch string calls `text`, where it is something else.
fn set(element: &gst::Element, name: &str, text: &str) {
    let Some(pspec) = element.find_property(name) else {
        return;
    };
    match glib::Value::deserialize(text, pspec.value_type()) {
        Ok(value) => {
            let now = element.property_value(name);
            if now.compare(&value) != Some(std::cmp::Ordering::Equal) {
                element.set_property_from_value(name, &value);
            }
        }
        Err(error) => tracing::error!("{}: {name} cannot be {text}: {error}", element.name()),
    }
}
