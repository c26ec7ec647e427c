//! Plays one URL or file, as far as its pictures and ticks.
//!
//! | module | job |
//! | --- | --- |
//! | `source` | what a source is told of the server, and tells of it |
//! | `sessions` | RTP sessions that outlive what they carry |
//! | `outlets`, `chains` | where decoded streams go, and the elements on the way |

mod chains;
mod outlets;
mod sessions;
mod source;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use gst::prelude::*;
use gstclocksrc::clockprobe::messages::Reading;
use gstclocksrc::clockprobe::stats::Stats;

use crate::decoders;
use crate::intake::{Intake, Refusal};
use crate::packets::Packets;
use crate::taps::Taps;
use crate::target::Target;
use crate::wall_clock;
use outlets::Outlets;
use sessions::Farewell;
pub(crate) use source::CERTIFICATE_REFUSED;

/// How long a pipeline may take to stop, and how long again once its connections are shut down.
const STOPPING: Duration = Duration::from_secs(1);
/// How long what was sent before a goodbye may take to be decoded.
const UNDER_WAY: Duration = Duration::from_secs(2);

/// How a stream is fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Transport {
    /// UDP, then multicast, then TCP
    #[default]
    Auto,
    /// RTP over UDP
    Udp,
    /// RTP over UDP multicast
    UdpMcast,
    /// RTP in the RTSP connection
    Tcp,
    /// RTP and RTSP in HTTP
    Http,
}

impl Transport {
    /// As it is shown.
    fn name(self) -> Option<&'static str> {
        match self {
            Self::Http => Some("http"),
            _ => self.protocols(),
        }
    }

    /// What `rtspsrc` may do, as it names it; a tunnel it is told of by [`Transport::uri`].
    fn protocols(self) -> Option<&'static str> {
        Some(match self {
            Self::Auto | Self::Http => return None,
            Self::Udp => "udp",
            Self::UdpMcast => "udp-mcast",
            Self::Tcp => "tcp",
        })
    }

    /// `rtspsrc` tunnels where the scheme says so: `rtsph` for `rtsp`, `rtspsh` for `rtsps`.
    fn uri(self, uri: &str) -> String {
        match uri.split_once("://") {
            Some((scheme @ ("rtsp" | "rtsps"), rest)) if self == Self::Http => format!("{scheme}h://{rest}"),
            _ => uri.to_owned(),
        }
    }
}

/// How to play.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    pub(crate) transport: Transport,
    /// What `rtspsrc`'s jitter buffer may wait for.
    pub(crate) latency: Duration,
    pub(crate) freeze_threshold: Duration,
    pub(crate) every: u32,
    /// Whether a server may show any certificate.
    pub(crate) any_certificate: bool,
    /// Whether all stamps of a picture are read.
    pub(crate) spot: bool,
    /// Whether a connection that ended is made anew.
    pub(crate) reconnect: bool,
}

/// A message of a pipeline.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) by: Teller,
    pub(crate) message: gst::Message,
}

/// Whose pipeline it is: the stream's number, and how many it had before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Teller {
    pub(crate) stream: usize,
    pub(crate) connection: u32,
}

/// A playing pipeline; it stops when this is dropped.
#[derive(Debug)]
pub(crate) struct Player {
    pipeline: gst::Pipeline,
    probe: gst::Element,
    transport: Transport,
    has_stopped: AtomicBool,
    /// Why it did not even start. What is wrong is told on the bus, as a rule.
    pub(crate) not_started: Option<String>,
    farewell: Farewell,
    outlets: Arc<Outlets>,
    intake: Arc<Intake>,
    pub(crate) packets: Arc<Packets>,
    pub(crate) taps: Arc<Taps>,
}

impl Player {
    /// Asks for the stream. What happens then is told to `tell` by `teller`; what is seen of it goes to `taps`.
    pub(crate) fn start(
        target: &Target,
        manner: &Manner,
        taps: &Arc<Taps>,
        (teller, tell): (Teller, Sender<Told>),
    ) -> anyhow::Result<Self> {
        let (pipeline, probe) = (gst::Pipeline::new(), make_probe(manner)?);
        let packets = Arc::<Packets>::default();
        let mut player = Self {
            not_started: None,
            intake: Intake::of(&pipeline),
            outlets: Outlets::new(&pipeline, &probe, (packets.clone(), taps.clone())),
            pipeline,
            probe,
            transport: manner.transport,
            has_stopped: AtomicBool::default(),
            farewell: Farewell::default(),
            packets,
            taps: taps.clone(),
        };
        player.connect_elements();
        player.forward_messages(teller, tell)?;
        player.add_source(target, manner)?;
        let started = player.pipeline.set_state(gst::State::Playing);
        player.not_started = started.err().map(|error| error.to_string());
        Ok(player)
    }

    fn add_source(&self, target: &Target, manner: &Manner) -> anyhow::Result<()> {
        let uri = manner.transport.uri(&target.uri);
        if source::is_rtsp(&uri) {
            let rtspsrc = make("rtspsrc")?;
            rtspsrc.set_property("location", &uri);
            source::set_up_rtspsrc(&rtspsrc, manner);
            source::log_in(&rtspsrc, target);
            self.outlets.decode_pads(&rtspsrc);
            self.pipeline.add(&rtspsrc)?;
        } else {
            let decoder = make("uridecodebin")?;
            decoder.set_property("uri", &uri);
            source::connect_source(&decoder, target, manner);
            self.outlets.connect(&decoder);
            self.pipeline.add(&decoder)?;
        }
        Ok(())
    }

    fn connect_elements(&self) {
        let (packets, taps, intake) = (self.packets.clone(), self.taps.clone(), self.intake.clone());
        let farewell = self.farewell.clone();
        self.pipeline.connect_deep_element_added(move |_, _, element| {
            let Some(factory) = element.factory() else { return };
            if is_jitterbuffer(&factory) {
                packets.watch(element);
                intake.watch(element);
            } else if factory.name() == "rtpsession" {
                farewell.hear(element);
            } else if factory.name() == "multipartdemux" {
                // Else decodebin waits for further streams, and keeps back what comes until then.
                element.set_property("single-stream", true);
            } else if decoders::is_of_pictures(&factory) {
                decoders::decode_at_once(element);
                taps.watch_decoder(element);
            } else {
                decoders::put_in_place(element);
            }
        });
    }

    fn forward_messages(&self, by: Teller, tell: Sender<Told>) -> anyhow::Result<()> {
        let bus = self.pipeline.bus().context("a pipeline without a bus")?;
        let (taps, intake) = (self.taps.clone(), self.intake.clone());
        bus.set_sync_handler(move |_, message| {
            intake.note_message(message);
            // The picture is still in clockprobe.
            if message
                .structure()
                .is_some_and(|fields| fields.has_name(Reading::NAME))
            {
                taps.want_still();
            }
            // Nobody listens any more once the measurement is over.
            let _ = tell.send(Told {
                by,
                message: message.clone(),
            });
            gst::BusSyncReply::Drop
        });
        Ok(())
    }

    /// Takes leave of the server, which may not hold this up for long. No more pictures come after it.
    pub(crate) fn stop(&self) {
        if self.has_stopped.swap(true, Ordering::Relaxed) {
            return;
        }
        let (pipeline, (tell, stopped)) = (self.pipeline.clone(), mpsc::channel());
        thread::spawn(move || {
            // A pipeline that cannot stop is dropped all the same.
            let _ = pipeline.set_state(gst::State::Null);
            let _ = tell.send(());
        });
        if stopped.recv_timeout(STOPPING).is_err() {
            self.intake.shut_down();
            // One that does not stop even then ends with the process.
            let _ = stopped.recv_timeout(STOPPING);
        }
    }

    /// How long ago the server said goodbye in RTCP, if nothing came since but what was under way.
    pub(crate) fn said_goodbye(&self) -> Option<Duration> {
        let said = self.farewell.said()?;
        let last = self.taps.last_picture().map(Duration::from_nanos);
        let since = |time: Duration| Duration::from_nanos(wall_clock::now()).saturating_sub(time);
        let is_silent = last.is_none_or(|last| last < said + UNDER_WAY);
        is_silent.then(|| since(said))
    }

    /// Why the source was made to read no further, if it was.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.intake.refusal()
    }

    /// `clockprobe`'s figures so far.
    pub(crate) fn stats(&self) -> Stats {
        let stats: gst::Structure = self.probe.property("stats");
        Stats::from_structure(&stats).unwrap_or_default()
    }

    /// Has the picture stand still while nothing comes, whatever the source says of itself.
    pub(crate) fn force_live(&self) {
        self.probe.set_property("force-live", true);
    }

    /// Whether it is played as it happens: by GStreamer's word, or because it has no length, as what a server hands out
    /// over HTTP while it comes.
    pub(crate) fn is_live(&self) -> bool {
        let mut latency = gst::query::Latency::new();
        if self.pipeline.query(&mut latency) && latency.result().0 {
            return true;
        }
        self.pipeline.query_duration::<gst::ClockTime>().is_none()
    }

    pub(crate) fn has_sound(&self) -> bool {
        self.outlets.has_sound()
    }

    /// How RTP comes; `None` where no RTSP is spoken.
    pub(crate) fn transport(&self) -> Option<String> {
        let elements: Vec<gst::Element> = self.pipeline.iterate_recurse().into_iter().flatten().collect();
        let of = |name: &str| {
            let is = move |element: &&gst::Element| {
                element.factory().is_some_and(|factory| factory.name() == name)
            };
            elements.iter().find(is)
        };
        of("rtspsrc")?;
        if let Some(name) = self.transport.name() {
            return Some(name.into());
        }
        let by_udp = of("udpsrc").map(|udpsrc| udpsrc.property::<String>("address"));
        Some(match by_udp {
            Some(address) if is_multicast(&address) => "udp-mcast".into(),
            Some(_) => "udp".into(),
            None => "tcp".into(),
        })
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.stop();
        if let Some(bus) = self.pipeline.bus() {
            bus.unset_sync_handler();
        }
    }
}

fn is_multicast(address: &str) -> bool {
    address
        .parse()
        .is_ok_and(|address: std::net::IpAddr| address.is_multicast())
}

fn make(factory: &str) -> anyhow::Result<gst::Element> {
    let package = match factory {
        "videoconvert" | "audioconvert" | "uridecodebin" => "gstreamer1.0-plugins-base",
        "rtspsrc" => "gstreamer1.0-plugins-good",
        _ => "libgstreamer1.0-0",
    };
    gst::ElementFactory::make(factory)
        .build()
        .with_context(|| format!("there is no element {factory} (Debian package {package})"))
}

fn make_probe(manner: &Manner) -> anyhow::Result<gst::Element> {
    let threshold = gst::ClockTime::try_from(manner.freeze_threshold).unwrap_or(gst::ClockTime::MAX);
    gst::ElementFactory::make("clockprobe")
        .property("freeze-threshold", threshold.nseconds())
        .property("every", manner.every.max(1))
        .property("every-stamp", manner.spot)
        .build()
        .context("there is no element clockprobe")
}

/// Where packets of RTP wait.
fn is_jitterbuffer(factory: &gst::ElementFactory) -> bool {
    factory.name() == "rtpjitterbuffer"
}
