//! The server brings its clocksrc along: the one of a plugin in the system, of another version maybe, stays unused.
//! It needs a process to itself: GStreamer has one registry in each, and whatever else runs there would get that plugin.

mod common;

use std::path::PathBuf;

use common::{RtspClient, config, plugin_folder, start};
use gst::prelude::*;

/// The folder of the plugin from which a `clocksrc` comes now; none for what is part of the program.
fn folder_of_clocksrc() -> Option<PathBuf> {
    let factory = gst::ElementFactory::find("clocksrc").expect("there is a clocksrc");
    let file = factory.plugin().expect("a plugin has it").filename()?;
    file.parent().map(PathBuf::from)
}

#[test]
fn the_servers_own_clocksrc_wins_over_the_one_in_the_system() {
    let system = plugin_folder("system-plugins");
    gst::init().unwrap();
    gst::Registry::get().scan_path(&system);
    assert_eq!(folder_of_clocksrc(), Some(system));

    let server = start(&config());
    RtspClient::watch(&server).next_rtp();
    assert_eq!(folder_of_clocksrc(), None);
}
