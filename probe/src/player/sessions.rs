//! RTP sessions that outlive what they carry.
//!
//! Where a source says BYE, or nothing comes of it for half a minute, `rtspsrc` takes that for the end of its whole
//! stream: nothing of that RTP session is heard from then on, and no other source in it either. But a restreamer's camera
//! may come back, as another source of the same session. That a stream has ended is for the RTSP connection to say, or for
//! a goodbye that nothing follows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gst::glib;
use gst::prelude::*;

use crate::wall_clock;

const BYE: &str = "on-bye-ssrc";
/// What a source of a session is said to have done, at which `rtspsrc` ends the stream.
const ENDS: [&str; 3] = [BYE, "on-bye-timeout", "on-timeout"];

/// The last goodbye of a server, as its sources say it in RTCP: in ns since the Unix epoch, 0 before that.
#[derive(Debug, Clone, Default)]
pub(super) struct Farewell(Arc<AtomicU64>);

impl Farewell {
    /// Hears what the sources of an `rtpsession` say at their end, and keeps it from `rtspsrc`. To be called before that
    /// listens to the session.
    pub(super) fn hear(&self, rtpsession: &gst::Element) {
        let session = rtpsession.property::<glib::Object>("internal-session");
        for signal in ENDS {
            let farewell = self.clone();
            // Handlers are called in the order in which they were connected.
            session.connect(signal, false, move |arguments| {
                let session = arguments.first()?.get::<glib::Object>().ok()?;
                session.stop_signal_emission_by_name(signal);
                if signal == BYE {
                    farewell.0.store(wall_clock::now(), Ordering::Relaxed);
                }
                None
            });
        }
    }

    /// When it was said, since the Unix epoch.
    pub(super) fn said(&self) -> Option<Duration> {
        let said = Some(self.0.load(Ordering::Relaxed)).filter(|said| *said > 0);
        said.map(Duration::from_nanos)
    }
}
