//! One stream of a measurement, from asking for it to its figures.

use std::sync::mpsc::Sender;
use std::time::Duration;

use clockface::Stamp;

use crate::clock::{self, Origin};
use crate::failures;
use crate::figures::{ClockCheck, ClockRelation, Counts, Evidence, KeyFrames, Sample, StreamFigures};
use crate::gaps::{Kind, Place};
use crate::live::Progress;
use crate::measure::correction;
use crate::packets::Packets;
use crate::player::{CERTIFICATE_REFUSED, Manner, Player, Told};
use crate::tally::Tally;
use crate::target::Target;
use crate::values::ms;

/// Pictures without a stamp for so long are worth a word.
const PATIENCE: Duration = Duration::from_secs(5);
const NS_PER_US: u64 = 1000;
const NS_PER_MS: u64 = 1_000_000;

/// What a message told.
#[derive(Debug)]
pub(crate) enum Happened {
    /// A picture came.
    Picture(Sample),
    /// Something is wrong: a sentence.
    Problem(String),
    /// Nothing that matters.
    Nothing,
}

/// One stream.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Stream {
    target: Target,
    origin: Origin,
    player: Option<Player>,
    /// `clockprobe`'s figures and the transport when it stopped.
    when_stopped: Option<(gst::Structure, Option<String>)>,
    tally: Tally,
    live: bool,
    /// Whether the first picture has decided that.
    live_is_known: bool,
    problems: Vec<String>,
    ended: bool,
    failed: bool,
    said_no_stamp: bool,
    certificate_refused: bool,
}

impl Stream {
    /// Asks for it. One that cannot even be asked for has failed.
    pub(crate) fn start(
        index: usize,
        target: &Target,
        manner: &Manner,
        origin: Origin,
        clock: &ClockCheck,
        tell: Sender<Told>,
    ) -> Self {
        let correction = correction(&clock::relation(&origin, clock, &Packets::default()));
        let live = target.scheme() != "file";
        let every = manner.every.max(1);
        let mut stream = Self {
            target: target.clone(),
            origin,
            player: None,
            when_stopped: None,
            tally: Tally::new(live, correction, every),
            live,
            live_is_known: false,
            problems: Vec::new(),
            ended: false,
            failed: false,
            said_no_stamp: false,
            certificate_refused: false,
        };
        match Player::start(index, target, manner, tell) {
            Ok(player) => stream.player = Some(player),
            Err(error) => {
                stream.problem(target.hide(&format!("{error:#}.")));
                stream.fail();
            }
        }
        stream
    }

    pub(crate) fn name(&self) -> &str {
        &self.target.name
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Whether there is nothing more to wait for: it has ended, or `frames` pictures have come.
    pub(crate) fn is_done(&self, frames: Option<u64>) -> bool {
        let enough = |player: &Player| frames.is_some_and(|frames| player.taps.pictures() >= frames);
        self.ended || self.player.as_ref().is_none_or(enough)
    }

    fn fail(&mut self) {
        self.failed = true;
        self.ended = true;
    }

    fn problem(&mut self, sentence: String) -> Happened {
        if self.problems.contains(&sentence) {
            return Happened::Nothing;
        }
        self.problems.push(sentence.clone());
        Happened::Problem(sentence)
    }

    /// Takes a message of its pipeline.
    pub(crate) fn message(&mut self, message: &gst::Message) -> Happened {
        // What goes wrong while it takes leave is no fault of the stream's.
        let playing = !self.ended && self.when_stopped.is_none();
        match message.view() {
            // The first error is the cause, those behind it follow from it.
            gst::MessageView::Error(error) if playing => {
                self.fail();
                if self.has_better_words(error) {
                    return Happened::Nothing;
                }
                let refusal = self.player.as_ref().and_then(Player::refusal);
                self.problem(match refusal {
                    Some(refusal) => failures::refused(&refusal, &self.target),
                    None => failures::of_pipeline(error, &self.target),
                })
            }
            gst::MessageView::Eos(_) if playing => self.end(),
            gst::MessageView::Element(element) => element
                .structure()
                .map_or(Happened::Nothing, |fields| self.told(fields)),
            _ => Happened::Nothing,
        }
    }

    fn end(&mut self) -> Happened {
        self.ended = true;
        if !self.live {
            return Happened::Nothing;
        }
        self.failed = true;
        if let Some(refusal) = self.player.as_ref().and_then(Player::refusal) {
            return self.problem(failures::refused(&refusal, &self.target));
        }
        let seconds = self
            .player
            .as_ref()
            .map(|player| player.taps.asked_for().as_secs_f64());
        self.problem(format!(
            "The server ended the stream after {:.1} s.",
            seconds.unwrap_or_default()
        ))
    }

    /// Whether what an error comes from has been told: a decoder that is missing, a certificate.
    fn has_better_words(&self, error: &gst::message::Error) -> bool {
        let lacks_plugin = error.error().kind::<gst::CoreError>() == Some(gst::CoreError::MissingPlugin);
        lacks_plugin && !self.problems.is_empty() || self.certificate_refused
    }

    fn told(&mut self, fields: &gst::StructureRef) -> Happened {
        match fields.name().as_str() {
            "clockprobe-reading" => self.picture(fields, reading(fields)),
            "clockprobe-unreadable" => self.picture(fields, None),
            "clockprobe-tick" => {
                self.tick(fields.get("av-offset").ok());
                Happened::Nothing
            }
            CERTIFICATE_REFUSED => {
                self.certificate_refused = true;
                self.problem(failures::certificate(fields))
            }
            _ => match failures::missing_plugin(fields) {
                Some(sentence) => self.problem(sentence),
                None => Happened::Nothing,
            },
        }
    }

    fn picture(&mut self, fields: &gst::StructureRef, stamp: Option<Stamp>) -> Happened {
        let (Ok(arrival), Some(player)) = (fields.get::<u64>("arrival"), &self.player) else {
            return Happened::Nothing;
        };
        if !self.live_is_known {
            self.live = self.live && (self.target.is_rtsp() || player.is_live());
            self.tally.set_live(self.live);
            if self.live {
                player.force_live();
            }
            self.live_is_known = true;
        }
        let pts = fields.get::<u64>("pts").ok().filter(|pts| *pts != u64::MAX);
        let instant = stamp.map(|stamp| stamp.instant.saturating_mul(NS_PER_US.cast_signed()));
        let packets = pts.and_then(|pts| player.packets.of(pts, instant));
        let sample = Sample {
            arrival,
            packet: packets.map(|packets| packets.last),
            pts,
            stamp,
            joining: false,
        };
        Happened::Picture(self.tally.picture(sample, &place(fields), packets.as_ref()))
    }

    fn tick(&mut self, offset: Option<i64>) {
        // Before that, sound and picture of an RTSP stream are not presented in step by anyone.
        let in_step = self
            .player
            .as_ref()
            .is_some_and(|player| player.packets.in_step());
        self.tally.tick(offset.filter(|_| in_step));
    }

    fn readings(&self) -> u64 {
        self.tally.readings
    }

    /// Whether it is played as it happens.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// Says once that there is no stamp, after a few seconds of pictures.
    pub(crate) fn look_after(&mut self) -> Option<String> {
        let playing_for = self.player.as_ref()?.taps.playing_for()?;
        if self.said_no_stamp || self.readings() > 0 || playing_for < PATIENCE {
            return None;
        }
        self.say_no_stamp()
    }

    fn say_no_stamp(&mut self) -> Option<String> {
        self.said_no_stamp = true;
        let sentence = failures::no_stamp(self.player.as_ref()?.taps.size());
        self.problems.push(sentence.clone());
        Some(sentence)
    }

    /// How it does; `of` is for how long it is to be measured.
    pub(crate) fn progress(&self, of: Option<Duration>) -> Progress {
        let stats = self.player.as_ref().map(Player::stats);
        let count = |name| {
            stats
                .as_ref()
                .and_then(|stats| stats.get(name).ok())
                .unwrap_or_default()
        };
        let taps = self.player.as_ref().map(|player| &player.taps);
        let now = self.tally.latency_now.map(ms);
        let all = self.tally.latency.distribution();
        let latency = now.zip(all).map(|(now, all)| (now, all.p50, all.p99));
        Progress {
            url: self.target.name.clone(),
            elapsed: taps.map(|taps| taps.asked_for()).unwrap_or_default(),
            of: of.filter(|_| self.live),
            pictures: taps.map_or(0, |taps| taps.pictures()),
            readings: self.readings(),
            frames_per_second: taps.and_then(|taps| taps.frames_per_second()),
            latency,
            lost: count("lost"),
            frozen: count("frozen"),
            ended: self.ended,
        }
    }

    /// Stops it: counts and what was told of pictures then are of the same pictures.
    pub(crate) fn stop(&mut self) {
        if let Some(player) = &self.player {
            let transport = player.transport();
            player.stop();
            self.when_stopped = Some((player.stats(), transport));
        }
    }

    /// How the camera's clock and this machine's relate.
    pub(crate) fn relation(&self, clock: &ClockCheck) -> ClockRelation {
        let none = Packets::default();
        let packets = self.player.as_ref().map_or(&none, |player| &player.packets);
        clock::relation(&self.origin, clock, packets)
    }

    /// Doubts that the camera is on this machine where the measured speaks against it, and says of one elsewhere that the
    /// clocks are apart where that is plain to see.
    pub(crate) fn doubt_origin(&mut self, clock: &ClockCheck) {
        if clock.offset.is_some() || !self.live {
            return;
        }
        let least = self.tally.latency.extremes().map(|(least, _)| least);
        if !matches!(self.origin, Origin::ThisMachine) {
            let why = clock::contradiction(least, None);
            self.problems.extend(why.map(|why| failures::clocks_apart(&why)));
            return;
        }
        if let Some(why) = clock::contradiction(least, self.tally.times.times().sender_reports) {
            self.problems.push(failures::another_clock(&why));
            self.origin = Origin::Elsewhere(Err("it is elsewhere".into()));
        }
    }

    /// What came of it.
    pub(crate) fn finish(mut self, clock: ClockRelation) -> (StreamFigures, Evidence) {
        self.conclude();
        let (stats, transport) = self.when_stopped.take().unzip();
        let counts = stats.as_deref().map(counts).unwrap_or_default();
        let mut tally = std::mem::take(&mut self.tally);
        let drift = tally.drift_ppm();
        let player = self.player.as_ref();
        let taps = player.map(|player| &player.taps);
        let (width, height) = taps.map(|taps| taps.size()).unwrap_or_default();
        let figures = StreamFigures {
            url: self.target.name.clone(),
            live: self.live,
            transport: transport.flatten(),
            codec: taps.and_then(|taps| taps.codec()),
            width,
            height,
            stream_id: tally.stream_id,
            viewers: tally.viewers,
            frames_per_second: taps.and_then(|taps| taps.frames_per_second()),
            counts,
            latency: tally.latency.distribution(),
            network: tally.network.distribution(),
            decoder: tally.decoder.distribution(),
            interval: tally.interval.distribution(),
            drift_ppm: drift.map(|drift| drift.value),
            drift_uncertainty_ppm: drift.map(|drift| drift.uncertainty),
            first_picture: taps
                .and_then(|taps| taps.first_picture())
                .map(|first| first.as_secs_f64() * 1000.0),
            key_frames: taps.map_or_else(KeyFrames::default, |taps| taps.key_frames()),
            clock,
            times: tally.times.times(),
            sound: tally.sound(player.is_some_and(Player::has_sound)),
            losses: tally.losses(),
            problems: std::mem::take(&mut self.problems),
        };
        let evidence = Evidence {
            still: taps.and_then(|taps| taps.still()),
            ..tally.into_evidence()
        };
        (figures, evidence)
    }

    /// Says what can be said at the end only.
    fn conclude(&mut self) {
        let Some(player) = &self.player else { return };
        let (pictures, asked_for) = (player.taps.pictures(), player.taps.asked_for());
        if let Some(held) = player.taps.held().filter(|_| self.live) {
            self.problems.push(failures::held(&held.decoder, held.pictures));
        }
        if pictures == 0 && self.problems.is_empty() {
            self.problems.push(failures::no_picture(asked_for.as_secs_f64()));
        } else if pictures > 0 && self.readings() == 0 && !self.said_no_stamp {
            self.say_no_stamp();
        }
    }
}

/// The stamp of a reading. Whoever sent the stream filled it in.
fn reading(fields: &gst::StructureRef) -> Option<Stamp> {
    Some(Stamp {
        instant: i64::try_from(fields.get::<u64>("instant").ok()? / NS_PER_US).ok()?,
        frame: fields.get("frame").ok()?,
        viewers: fields.get("viewers").ok()?,
        stream: fields.get("stream").ok()?,
        run: fields.get("run").ok()?,
    })
}

/// What `clockprobe` says of a reading besides.
fn place(fields: &gst::StructureRef) -> Place {
    let number = |name: &str| fields.get::<u64>(name).ok();
    Place {
        kind: fields.get::<&str>("kind").map(Kind::of).unwrap_or_default(),
        missing: number("missing-after").zip(number("missing")),
        found: fields.get("found").unwrap_or_default(),
    }
}

fn counts(stats: &gst::StructureRef) -> Counts {
    let count = |name: &str| stats.get::<u64>(name).unwrap_or_default();
    Counts {
        frames: count("frames"),
        readings: count("readings"),
        unreadable: count("unreadable"),
        lost: count("lost"),
        repeated: count("repeated"),
        out_of_order: count("out-of-order"),
        frozen: count("frozen"),
        frozen_time: count("frozen-time") / NS_PER_MS,
        restarts: count("runs").saturating_sub(1),
    }
}
