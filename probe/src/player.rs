//! Plays one URL or file, as far as its pictures and ticks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use anyhow::Context as _;
use gst::prelude::*;

use crate::decoders;
use crate::packets::Packets;
use crate::taps::Taps;
use crate::target::Target;
use crate::upstream;

/// How long a server may take to accept a connection.
const CONNECTING: Duration = Duration::from_secs(10);

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

/// The message of an `rtspsrc` that refuses its server's certificate, for the `reasons` in it.
pub(crate) const CERTIFICATE_REFUSED: &str = "certificate-refused";

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
}

/// A message of a pipeline, and whose.
pub(crate) type Told = (usize, gst::Message);

/// A playing pipeline; it stops when this is dropped.
#[derive(Debug)]
pub(crate) struct Player {
    pipeline: gst::Pipeline,
    probe: gst::Element,
    transport: Transport,
    has_sound: Arc<AtomicBool>,
    pub(crate) packets: Arc<Packets>,
    pub(crate) taps: Arc<Taps>,
}

impl Player {
    /// Asks for the stream. What happens then is told to `tell`, with `index`.
    pub(crate) fn start(
        index: usize,
        target: &Target,
        manner: &Manner,
        tell: Sender<Told>,
    ) -> anyhow::Result<Self> {
        let player = Self {
            pipeline: gst::Pipeline::new(),
            probe: make_probe(manner)?,
            transport: manner.transport,
            has_sound: Arc::default(),
            packets: Arc::default(),
            taps: Taps::new(),
        };
        player.connect_elements();
        player.forward_messages(index, tell)?;
        player.add_source(target, manner)?;
        player
            .pipeline
            .set_state(gst::State::Playing)
            .with_context(|| format!("cannot play {}", target.name))?;
        Ok(player)
    }

    fn add_source(&self, target: &Target, manner: &Manner) -> anyhow::Result<()> {
        let uri = manner.transport.uri(&target.uri);
        let outlets = self.outlets();
        if is_rtsp(&uri) {
            let rtspsrc = make("rtspsrc")?;
            rtspsrc.set_property("location", &uri);
            set_up_rtspsrc(&rtspsrc, manner);
            log_in(&rtspsrc, target);
            decode_pads(&rtspsrc, &self.pipeline, &outlets);
            self.pipeline.add(&rtspsrc)?;
        } else {
            let decoder = make("uridecodebin")?;
            decoder.set_property("uri", &uri);
            connect_source(&decoder, target);
            outlets.connect(&decoder);
            self.pipeline.add(&decoder)?;
        }
        Ok(())
    }

    fn outlets(&self) -> Arc<Outlets> {
        Arc::new(Outlets {
            pipeline: self.pipeline.downgrade(),
            probe: self.probe.clone(),
            packets: self.packets.clone(),
            taps: self.taps.clone(),
            has_pictures: AtomicBool::new(false),
            has_sound: self.has_sound.clone(),
        })
    }

    fn connect_elements(&self) {
        let (packets, taps) = (self.packets.clone(), self.taps.clone());
        self.pipeline.connect_deep_element_added(move |_, _, element| {
            let Some(factory) = element.factory() else { return };
            if is_jitterbuffer(&factory) {
                packets.watch(element);
            } else if decoders::is_of_pictures(&factory) {
                decoders::decode_at_once(element);
                taps.watch_decoder(element);
            } else {
                decoders::put_in_place(element);
            }
        });
    }

    fn forward_messages(&self, index: usize, tell: Sender<Told>) -> anyhow::Result<()> {
        let bus = self.pipeline.bus().context("a pipeline without a bus")?;
        let taps = self.taps.clone();
        bus.set_sync_handler(move |_, message| {
            // The picture is still in clockprobe.
            if message
                .structure()
                .is_some_and(|fields| fields.has_name("clockprobe-reading"))
            {
                taps.want_still();
            }
            // Nobody listens any more once the measurement is over.
            let _ = tell.send((index, message.clone()));
            gst::BusSyncReply::Drop
        });
        Ok(())
    }

    /// Takes leave of the server. No more pictures come after this.
    pub(crate) fn stop(&self) {
        // A pipeline that cannot stop is dropped all the same.
        let _ = self.pipeline.set_state(gst::State::Null);
    }

    /// `clockprobe`'s figures so far.
    pub(crate) fn stats(&self) -> gst::Structure {
        self.probe.property("stats")
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
        self.has_sound.load(Ordering::Relaxed)
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

/// Where decoded streams go: pictures through `clockprobe`, the first sound as well, and all else is thrown away.
#[derive(Debug)]
struct Outlets {
    pipeline: gst::glib::WeakRef<gst::Pipeline>,
    probe: gst::Element,
    packets: Arc<Packets>,
    taps: Arc<Taps>,
    has_pictures: AtomicBool,
    has_sound: Arc<AtomicBool>,
}

impl Outlets {
    /// Takes what `decoder` decodes.
    fn connect(self: &Arc<Self>, decoder: &gst::Element) {
        let outlets = self.clone();
        decoder.connect_pad_added(move |decoder, pad| {
            let Some(pipeline) = outlets.pipeline.upgrade() else {
                return;
            };
            if let Err(error) = outlets.link(&pipeline, pad) {
                gst::element_error!(
                    decoder,
                    gst::CoreError::Pad,
                    ("cannot link a decoded stream: {error}")
                );
            }
        });
    }

    fn link(&self, pipeline: &gst::Pipeline, pad: &gst::Pad) -> Linked {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let media = caps.structure(0).map(|fields| fields.name().to_string());
        match media.as_deref() {
            Some("video/x-raw") if !self.has_pictures.swap(true, Ordering::Relaxed) => {
                if let Some(decoder) = upstream::find(pad, decoders::is_of_pictures) {
                    self.taps.look_at(&decoder);
                }
                listen_to(pad, &self.packets);
                link_pictures(pipeline, pad, &self.probe, &self.taps)
            }
            Some("audio/x-raw") if !self.has_sound.swap(true, Ordering::Relaxed) => {
                listen_to(pad, &self.packets);
                link_sound(pipeline, pad, &self.probe)
            }
            _ => link_nothing(pipeline, pad),
        }
    }
}

fn is_rtsp(uri: &str) -> bool {
    uri.split_once("://")
        .is_some_and(|(scheme, _)| scheme.to_ascii_lowercase().starts_with("rtsp"))
}

/// Decodes each stream of `rtspsrc`. `uridecodebin` would do the same, but listens for streams only until it hears that
/// there are no more; and of two that come at the same moment, `rtspsrc` may say so before it has shown the second.
fn decode_pads(rtspsrc: &gst::Element, pipeline: &gst::Pipeline, outlets: &Arc<Outlets>) {
    let (pipeline, outlets) = (pipeline.downgrade(), outlets.clone());
    rtspsrc.connect_pad_added(move |rtspsrc, pad| {
        let Some(pipeline) = pipeline.upgrade() else {
            return;
        };
        if let Err(error) = decode(&pipeline, pad, &outlets) {
            gst::element_error!(rtspsrc, gst::CoreError::Pad, ("cannot decode a stream: {error}"));
        }
    });
}

fn decode(pipeline: &gst::Pipeline, pad: &gst::Pad, outlets: &Arc<Outlets>) -> Linked {
    let decoder = gst::ElementFactory::make("decodebin").build()?;
    outlets.connect(&decoder);
    pipeline.add(&decoder)?;
    link(pad, decoder.static_pad("sink"))?;
    decoder.sync_state_with_parent()
}

/// `uridecodebin` makes the source that the URI asks for.
fn connect_source(uridecodebin: &gst::Element, target: &Target) {
    let target = target.clone();
    uridecodebin.connect("source-setup", false, move |values| {
        log_in(&values.get(1)?.get().ok()?, &target);
        None
    });
}

fn log_in(source: &gst::Element, target: &Target) {
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

fn set_up_rtspsrc(rtspsrc: &gst::Element, manner: &Manner) {
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

fn is_jitterbuffer(factory: &gst::ElementFactory) -> bool {
    factory.name() == "rtpjitterbuffer"
}

fn listen_to(pad: &gst::Pad, packets: &Packets) {
    if let Some(jitterbuffer) = upstream::find(pad, is_jitterbuffer) {
        packets.listen_to(&jitterbuffer);
    }
}

type Linked = Result<(), gst::glib::BoolError>;

fn link_pictures(pipeline: &gst::Pipeline, pad: &gst::Pad, probe: &gst::Element, taps: &Arc<Taps>) -> Linked {
    let convert = gst::ElementFactory::make("videoconvert").build()?;
    let end = end()?;
    pipeline.add_many([&convert, &end])?;
    add_probe(pipeline, probe)?;
    gst::Element::link_many([&convert, probe, &end])?;
    if let (Some(sink), Some(src)) = (probe.static_pad("sink"), probe.static_pad("src")) {
        taps.watch_pictures(&sink, &src);
    }
    for element in [&end, probe, &convert] {
        element.sync_state_with_parent()?;
    }
    link(pad, convert.static_pad("sink"))
}

fn link_sound(pipeline: &gst::Pipeline, pad: &gst::Pad, probe: &gst::Element) -> Linked {
    let convert = gst::ElementFactory::make("audioconvert").build()?;
    let end = end()?;
    pipeline.add_many([&convert, &end])?;
    add_probe(pipeline, probe)?;
    let sink = probe.request_pad_simple("audio_sink");
    convert.link_pads(Some("src"), probe, sink.as_ref().map(gst::Pad::name).as_deref())?;
    probe.link_pads(Some("audio_src"), &end, Some("sink"))?;
    for element in [&end, probe, &convert] {
        element.sync_state_with_parent()?;
    }
    link(pad, convert.static_pad("sink"))
}

fn link_nothing(pipeline: &gst::Pipeline, pad: &gst::Pad) -> Linked {
    let end = end()?;
    pipeline.add(&end)?;
    end.sync_state_with_parent()?;
    link(pad, end.static_pad("sink"))
}

/// Pictures and sound share it, whichever comes first.
fn add_probe(pipeline: &gst::Pipeline, probe: &gst::Element) -> Linked {
    if probe.parent().is_none() {
        pipeline.add(probe)?;
    }
    Ok(())
}

/// Where a stream ends: as soon as it can.
fn end() -> Result<gst::Element, gst::glib::BoolError> {
    gst::ElementFactory::make("fakesink")
        .property("sync", false)
        .property("async", false)
        .property("enable-last-sample", false)
        .build()
}

fn link(pad: &gst::Pad, sink: Option<gst::Pad>) -> Linked {
    let sink = sink.ok_or_else(|| gst::glib::bool_error!("there is no sink pad"))?;
    pad.link(&sink)
        .map(drop)
        .map_err(|error| gst::glib::bool_error!("{error}"))
}
