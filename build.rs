//! Hands version, commit and release date to the crates that show them (`COMMIT_ID`, `BUILD_REL_DATE`).

fn main() {
    gst_plugin_version_helper::info();
}
