//! The server brings its clocksrc along: the one of a plugin in the system, of another version maybe, stays unused.

mod common;

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};

use common::{RtspClient, config, start};
use gst::prelude::*;

/// A folder of plugins with clocksrc's in it, as cargo built it for the tests.
fn installed_plugin() -> PathBuf {
    let name = format!("{DLL_PREFIX}gstclocksrc{DLL_SUFFIX}");
    let built = std::env::current_exe().unwrap().with_file_name(&name);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("system-plugins");
    std::fs::create_dir_all(&folder).unwrap();
    let installed = folder.join(name);
    std::fs::copy(&built, &installed).unwrap_or_else(|error| panic!("{}: {error}", built.display()));
    installed
}

/// The file of the plugin from which a `clocksrc` comes now; none for what is part of the program.
fn file_of_clocksrc() -> Option<PathBuf> {
    let factory = gst::ElementFactory::find("clocksrc").expect("there is a clocksrc");
    factory.plugin().expect("a plugin has it").filename()
}

#[test]
fn the_servers_own_clocksrc_wins_over_the_one_in_the_system() {
    let installed = installed_plugin();
    gst::init().unwrap();
    gst::Registry::get().scan_path(installed.parent().unwrap());
    assert_eq!(file_of_clocksrc(), Some(installed));

    let server = start(&config());
    RtspClient::watch(&server).next_rtp();
    assert_eq!(file_of_clocksrc(), None);
}
