//! `libgstclocksrc.so`: GStreamer elements of a clock that tells the truth about time.

/// Registers the plugin's elements in this process, without a plugin file.
///
/// # Errors
/// When GStreamer refuses the registration.
pub fn plugin_register_static() -> Result<(), gst::glib::BoolError> {
    Ok(())
}
