//! The server brings its clocksrc along: the one of a plugin in the system, of another version maybe, stays unused.

mod common;

use std::path::PathBuf;

use common::{RtspClient, config, installed_plugin, start};
use gst::prelude::*;

/// The file of the plugin from which a `clocksrc` comes now; none for what is part of the program.
fn file_of_clocksrc() -> Option<PathBuf> {
    let factory = gst::ElementFactory::find("clocksrc").expect("there is a clocksrc");
    factory.plugin().expect("a plugin has it").filename()
}

#[test]
fn the_servers_own_clocksrc_wins_over_the_one_in_the_system() {
    let installed = installed_plugin("system-plugins");
    gst::init().unwrap();
    gst::Registry::get().scan_path(installed.parent().unwrap());
    assert_eq!(file_of_clocksrc(), Some(installed));

    let server = start(&config());
    RtspClient::watch(&server).next_rtp();
    assert_eq!(file_of_clocksrc(), None);
}
