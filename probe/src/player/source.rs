//! The source of a pipeline: what it is told of the server, and what it tells of it.

use std::time::Duration;

use gst::prelude::*;

use super::Manner;
use crate::target::Target;

/// How long a server may take to accept a connection.
const CONNECTING: Duration = Duration::from_secs(10);
/// The message of an `rtspsrc` that refuses its server's certificate, for the `reasons` in it.
pub(crate) const CERTIFICATE_REFUSED: &str = "certificate-refused";

pub(super) fn is_rtsp(uri: &str) -> bool {
    uri.split_once("://")
        .is_some_and(|(scheme, _)| scheme.to_ascii_lowercase().starts_with("rtsp"))
}

pub(super) fn set_up_rtspsrc(rtspsrc: &gst::Element, manner: &Manner) {
    let milliseconds = u32::try_from(manner.latency.as_millis()).unwrap_or(u32::MAX);
    rtspsrc.set_property("latency", milliseconds);
    let microseconds = u64::try_from(CONNECTING.as_micros()).unwrap_or(u64::MAX);
    rtspsrc.set_property("tcp-timeout", microseconds);
    if let Some(protocols) = manner.transport.protocols() {
        rtspsrc.set_property_from_str("protocols", protocols);
    }
    let is_accepted = manner.any_certificate;
    // Emitted for a certificate that does not hold, and for what reasons.
    rtspsrc.connect("accept-certificate", false, move |arguments| {
        if let (false, [source, .., reasons]) = (is_accepted, arguments) {
            tell_certificate(source, reasons);
        }
        Some(is_accepted.to_value())
    });
}

/// Posts why the server's certificate is refused: the error that follows does not say.
fn tell_certificate(source: &gst::glib::Value, reasons: &gst::glib::Value) {
    let Ok(source) = source.get::<gst::Element>() else {
        return;
    };
    let reasons = gst::glib::FlagsValue::from_value(reasons).map(|(_, flags)| flags);
    let names = reasons.iter().flatten().map(|flag| flag.nick());
    let fields =
        gst::Structure::builder(CERTIFICATE_REFUSED).field("reasons", names.collect::<Vec<_>>().join(", "));
    let message = gst::message::Element::builder(fields.build())
        .src(&source)
        .build();
    // Without a bus nobody is there to be told.
    let _ = source.post_message(message);
}

/// `uridecodebin` makes the source that the URI asks for.
pub(super) fn connect_source(uridecodebin: &gst::Element, target: &Target, manner: &Manner) {
    let (target, any_certificate) = (target.clone(), manner.any_certificate);
    uridecodebin.connect("source-setup", false, move |values| {
        let source = values.get(1)?.get().ok()?;
        log_in(&source, &target);
        if any_certificate && source.has_property("ssl-strict") {
            source.set_property("ssl-strict", false);
        }
        None
    });
}

pub(super) fn log_in(source: &gst::Element, target: &Target) {
    // As rtspsrc and souphttpsrc call them, and as rtmp2src and srtsrc's like do.
    const NAMES: [(&str, &str); 2] = [("user-id", "user-pw"), ("username", "password")];
    let Some(credentials) = &target.credentials else {
        return;
    };
    let has = |(name, password): &(&str, &str)| source.has_property(name) && source.has_property(password);
    if let Some((name, password)) = NAMES.into_iter().find(has) {
        source.set_property(name, &credentials.username);
        source.set_property(password, &credentials.password);
    }
}
