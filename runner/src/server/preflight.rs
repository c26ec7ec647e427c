//! What the server tries before anybody watches, so that it says at the start what is missing on this machine.

use std::{
    collections::HashSet,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use gst::{glib, prelude::*};
use gst_rtsp_server::gio;

use crate::{
    config::{Config, PortRange, StreamConfig, TlsFiles, Transport},
    launch::{
        self, elements,
        own_pipeline::{self, Lack},
        secrets,
    },
    time_source, tls,
};

/// A pipeline that makes one small picture as fast as it can.
pub(super) const TRIAL: &str =
    "clocksrc is-live=false num-buffers=1 ! video/x-raw,width=64,height=64 ! fakesink";
/// How long the trial may take. The first program to use a new set of fonts reads them all.
const TRIAL_PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(10);

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// GStreamer does not work here.
    #[error("GStreamer cannot start: {0}")]
    Gstreamer(glib::Error),
    /// GStreamer refused this program's own elements.
    #[error("the element clocksrc cannot be registered: {0}")]
    Plugin(glib::BoolError),
    /// The clock cannot be had.
    #[error(transparent)]
    Clock(#[from] time_source::Error),
    /// The stream's launch string is not one.
    #[error("the stream {name} has a pipeline that GStreamer refuses: {}", secrets::without_logins(&.reason.to_string()))]
    Launch {
        /// The stream's name.
        name: String,
        /// GStreamer's words.
        reason: glib::Error,
    },
    /// The stream's own pipeline cannot be served.
    #[error("the stream {name} has a pipeline of its own that cannot be served: {lack}")]
    OwnPipeline {
        /// The stream's name.
        name: String,
        /// What the server needs and the pipeline lacks.
        lack: Lack,
    },
    /// Two streams would be found at the same place.
    #[error("two streams are to be at {0}{1}: each needs a place of its own")]
    SamePlace(SocketAddr, String),
    /// A stream would be found nowhere.
    #[error("a stream has no place at which it is to be found")]
    NoPlace,
    /// Elements are not installed.
    #[error("GStreamer elements are not installed: {}", .0.iter().map(|name| elements::with_package(name)).collect::<Vec<_>>().join(", "))]
    MissingElements(Vec<String>),
    /// Log-ins need random numbers.
    #[error("this machine has no random numbers, which log-ins need: {0}")]
    Random(getrandom::Error),
    /// This machine cannot make the picture.
    #[error("the clock cannot be painted: {0}")]
    Paint(String),
    /// Somebody else listens there.
    #[error("port {} of {} is in use: another program (or another copy of this server) listens there", .0.port(), .0.ip())]
    PortInUse(SocketAddr),
    /// This server listens there itself, as long as it runs.
    #[error(
        "cannot listen on {address} as long as this server listens on {own}: another address at the same port needs a restart"
    )]
    OwnPort {
        /// The address and port.
        address: SocketAddr,
        /// Where it listens.
        own: SocketAddr,
    },
    /// Somebody else has the UDP ports of this range, of which so many are needed.
    #[error(
        "of rtpPortRange {0} no {1} UDP ports, each an even one and the next, are free: other programs (or another copy of this server) have them"
    )]
    RtpPortsInUse(PortRange, usize),
    /// The address is not one to listen on.
    #[error("cannot listen on {address}: {reason}")]
    Address {
        /// The address and port.
        address: SocketAddr,
        /// The system's words.
        reason: io::Error,
    },
    /// The server cannot say who it is.
    #[error("tlsPort cannot be served with tlsCertificate {} and tlsPrivateKey {}: {reason}", .files.certificate.display(), .files.private_key.display())]
    Tls {
        /// The certificate's and the key's.
        files: TlsFiles,
        /// What is wrong with them, or with this machine.
        reason: tls::Problem,
    },
    /// The system does not give another thread.
    #[error("cannot start the server's thread: {0}")]
    Thread(io::Error),
}

/// What orders add and change has not gone through the checks of a file: one stream would hide the other.
pub(super) fn places(config: &Config) -> Result<(), StartError> {
    let mut taken = HashSet::new();
    for stream in &config.streams {
        if stream.mounts.is_empty() {
            return Err(StartError::NoPlace);
        }
        for mount in &stream.mounts {
            if !taken.insert(mount) {
                return Err(StartError::SamePlace(mount.endpoint(), mount.path.clone()));
            }
        }
    }
    Ok(())
}

/// A missing encoder is told before anybody watches.
pub(super) fn elements(stream: &StreamConfig) -> Result<(), StartError> {
    let launch = launch::launch_string(stream);
    match elements::missing(&launch) {
        Ok(missing) if missing.is_empty() => own_pipeline(stream, &launch),
        Ok(missing) => Err(StartError::MissingElements(missing)),
        Err(reason) => Err(refused(stream, reason)),
    }
}

fn refused(stream: &StreamConfig, reason: glib::Error) -> StartError {
    StartError::Launch {
        name: stream.name(),
        reason,
    }
}

/// Checks a pipeline that somebody wrote: it may parse, and have nothing to serve all the same.
fn own_pipeline(stream: &StreamConfig, launch: &str) -> Result<(), StartError> {
    if stream.pipeline.is_none() {
        return Ok(());
    }
    let pipeline = gst::parse::launch(launch).map_err(|reason| refused(stream, reason))?;
    let bin = pipeline.downcast::<gst::Bin>();
    let lack = bin.map_or(Err(Lack::Payloader), |bin| own_pipeline::check(&bin));
    lack.map_err(|lack| StartError::OwnPipeline {
        name: stream.name(),
        lack,
    })
}

/// Checks that the clock can be painted, so that a missing font is told before anybody watches: runs the pipeline
/// `trial` to its end.
pub(super) fn painting(trial: &str) -> Result<(), StartError> {
    let pipeline = gst::parse::launch(trial).map_err(|reason| StartError::Paint(reason.to_string()))?;
    let bus = pipeline.bus();
    // If it fails, the message on the bus says more than this result.
    let _started = pipeline.set_state(gst::State::Playing);
    let ends = [gst::MessageType::Error, gst::MessageType::Eos];
    let end = bus.and_then(|bus| bus.timed_pop_filtered(TRIAL_PATIENCE, &ends));
    let _stopped = pipeline.set_state(gst::State::Null);
    match end.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Error(error)) => Err(StartError::Paint(error.error().to_string())),
        Some(_) => Ok(()),
        None => {
            tracing::warn!(target: "server", "painting a first picture takes long");
            Ok(())
        }
    }
}

/// The certificate, without which no TLS can be spoken, where any stream wants TLS.
pub(super) fn certificate(config: &Config) -> Result<Option<gio::TlsCertificate>, StartError> {
    let Some(files) = config
        .tls
        .as_ref()
        .filter(|_| config.listens_at().iter().any(|at| at.tls))
    else {
        return Ok(None);
    };
    let certificate = tls::load(files).map_err(|reason| StartError::Tls {
        files: files.clone(),
        reason,
    })?;
    Ok(Some(certificate))
}

/// Checks that UDP ports are free: gst-rtsp-server would refuse viewer after viewer without a word. It takes an even
/// port and the next for each.
pub(super) fn rtp_ports(config: &Config) -> Result<(), StartError> {
    let is_udp = |stream: &&StreamConfig| stream.transports.contains(&Transport::Udp);
    let Some(ports) = config.rtp_ports else {
        return Ok(());
    };
    let any: IpAddr = if config.listens_at().iter().all(|at| at.address.is_ipv6()) {
        Ipv6Addr::UNSPECIFIED.into()
    } else {
        Ipv4Addr::UNSPECIFIED.into()
    };
    let bind = |port| UdpSocket::bind((any, port)).ok();
    let is_free = |rtp: &u16| bind(*rtp).is_some_and(|_rtp| bind(rtp + 1).is_some());
    let media = config
        .streams
        .iter()
        .filter(is_udp)
        .map(|stream| 1 + usize::from(stream.audio.is_some()));
    // The ports that one stream takes are enough: not all streams need be watched over UDP at the same time.
    let needed = media.max().unwrap_or(0);
    let free = (ports.first..ports.last).step_by(2).filter(is_free);
    if free.take(needed).count() == needed {
        Ok(())
    } else {
        Err(StartError::RtpPortsInUse(ports, 2 * needed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_painted_is_said_at_the_start() {
        gst::init().expect("GStreamer");
        gstclocksrc::register_static().expect("clocksrc");
        painting(TRIAL).expect("this machine has a font");
        let trial = "clocksrc is-live=false num-buffers=2 ! identity error-after=1 ! fakesink";
        let error = painting(trial).expect_err("it fails");
        assert!(
            error.to_string().starts_with("the clock cannot be painted: "),
            "{error}"
        );
    }
}
