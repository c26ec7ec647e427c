//! What changes while the stream plays: its look, how many may watch it, and what its encoder takes meanwhile.

use std::{cmp::Ordering, sync::Arc};

use gst::{glib, prelude::*};
use gst_rtsp::RTSPLowerTrans;
use gst_rtsp_server::prelude::*;

use super::{Stream, running::Running};
use crate::{
    config::{StreamConfig, look::Look},
    launch::{changing, elements, launch_string},
};

impl Stream {
    /// Makes the stream what `config` says, from now on; the two are [made alike](StreamConfig::is_made_as). Nobody's
    /// stream ends.
    pub(crate) fn change(self: &Arc<Self>, config: &StreamConfig) {
        let before = self.config();
        let after = StreamConfig {
            // Frames stay where they are in their period, whatever cameras come and go beside them.
            phase: before.phase,
            ..config.clone()
        };
        // The factory comes first, for pipelines that are made from now on: one that is being made is seen to once it
        // is there.
        self.factory.set_launch(&launch_string(&after));
        self.viewers.limit(after.max_viewers);
        let is_on = after.always_on;
        *self.config.write() = Arc::new(after);
        if let Some(running) = self.running() {
            self.apply(&running);
        }
        for clock in self.stills.clocks() {
            self.show_look_on(&clock);
        }
        if before.always_on && !is_on {
            self.stop();
        }
    }

    /// Has the picture of `source`, one beside the stream's own, look as the stream does now.
    pub(super) fn show_look_on(&self, source: &gst::Element) {
        let _one_at_a_time = self.changing.lock();
        set_look(source, &self.config().look);
    }

    /// It may be played by these ways from now on.
    pub(crate) fn set_protocols(&self, protocols: RTSPLowerTrans) {
        self.factory.set_protocols(protocols);
        if let Some(running) = self.running() {
            self.apply(&running);
        }
    }

    /// Has `running` look and encode as the stream does now.
    pub(super) fn apply(&self, running: &Running) {
        let _one_at_a_time = self.changing.lock();
        let config = self.config();
        if let Some(media) = running.media() {
            media.set_protocols(self.factory.protocols());
        }
        if config.pipeline.is_some() {
            return;
        }
        if let Some(source) = running.source() {
            set_look(&source, &config.look);
        }
        let Some(settings) = changing::encoder_settings(&config) else {
            return;
        };
        if let Some(encoder) = running.element_of(settings.element) {
            let is_taken = |name: &str| elements::is_changed_while_playing(settings.element, name);
            let taken = settings.properties.iter().filter(|(name, _)| is_taken(name));
            taken.for_each(|(name, value)| set(&encoder, name, value));
        }
    }
}

fn set_look(source: &gst::Element, look: &Look) {
    for (name, value) in look.all_properties() {
        set(source, name, &value);
    }
}

/// Sets a property of `element` to what a launch string calls `text`, where it is something else.
fn set(element: &gst::Element, name: &str, text: &str) {
    let Some(kind) = element.find_property(name).map(|property| property.value_type()) else {
        return;
    };
    let value = match kind {
        // A string is taken as it stands, whatever quotes are in it.
        glib::Type::STRING => text.to_value(),
        kind => match glib::Value::deserialize(text, kind) {
            Ok(value) => value,
            Err(error) => {
                return tracing::error!(target: "stream", "{}: {name} cannot be {text}: {error}", element.name());
            }
        },
    };
    if element.property_value(name).compare(&value) != Some(Ordering::Equal) {
        element.set_property_from_value(name, &value);
    }
}
