//! One stream of a measurement, from asking for it to its figures.
//!
//! | module | job |
//! | --- | --- |
//! | `telling` | what `clockprobe` tells, in the probe's own words |
//! | `outcome` | what came of it |

mod outcome;
mod telling;

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use clockface::Stamp;
use gstclocksrc::clockprobe::messages::{BufferTimes, Message, Tick};

use crate::absences::Absences;
use crate::failures;
use crate::figures::{Alteration, ClockCheck, ClockRelation, Counts, Sample};
use crate::gaps::Position;
use crate::live::Progress;
use crate::origin::{self, Origin};
use crate::packets::Packets;
use crate::player::{CERTIFICATE_REFUSED, Manner, Player, Teller, Told};
use crate::spots::Spots;
use crate::tally::Tally;
use crate::taps::Taps;
use crate::target::Target;
use crate::values::ms;
use telling::{alteration, counts, place, seen};

/// Pictures without a stamp for so long are worth a word.
const PATIENCE: Duration = Duration::from_secs(5);
/// A tick is held against pictures from so long before it on, in ns.
const BEFORE_TICK: u64 = 500_000_000;
/// A server that has said goodbye may come back until then.
const FAREWELL: Duration = Duration::from_secs(10);
const NS_PER_US: i64 = 1000;

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
    manner: Manner,
    origin: Origin,
    teller: Teller,
    tell: Sender<Told>,
    player: Option<Player>,
    /// What is seen of it, by whichever connection.
    taps: Arc<Taps>,
    /// Those of the last connection.
    packets: Arc<Packets>,
    past: Past,
    absences: Absences,
    /// How often and how long the picture stood still when it was stopped, by the pictures alone.
    standstill: Option<(u64, u64)>,
    tally: Tally,
    alteration: Option<Alteration>,
    /// Where all stamps of a picture are asked for.
    spots: Option<Spots>,
    /// The arrival of ticks that count, from which on sound and picture are presented in step (ns).
    in_step_from: Option<u64>,
    live: bool,
    /// Whether the first picture has decided that.
    live_is_known: bool,
    problems: Vec<String>,
    /// Sentences that are still to be told.
    words: Vec<String>,
    ended: bool,
    failed: bool,
    has_stopped: bool,
    said_no_stamp: bool,
    certificate_refused: bool,
}

/// What is known of connections that are over.
#[derive(Debug, Default)]
struct Past {
    counts: Counts,
    /// The camera's run that was seen last, in which connection.
    run: Option<(u32, u32)>,
    /// Pictures before the first key picture that could not be read.
    before_key_picture: u64,
    transport: Option<String>,
    has_sound: bool,
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
        let correction = origin::relation(&origin, clock, &Packets::default()).correction();
        let live = target.scheme() != "file";
        let every = manner.every.max(1);
        let mut stream = Self {
            target: target.clone(),
            manner: manner.clone(),
            origin,
            teller: Teller {
                stream: index,
                connection: 0,
            },
            tell,
            player: None,
            taps: Taps::new(manner.freeze_threshold),
            packets: Arc::default(),
            past: Past::default(),
            absences: Absences::default(),
            standstill: None,
            tally: Tally::new(live, correction, every),
            alteration: None,
            spots: manner.spot.then(Spots::default),
            in_step_from: None,
            live,
            live_is_known: false,
            problems: Vec::new(),
            words: Vec::new(),
            ended: false,
            failed: false,
            has_stopped: false,
            said_no_stamp: false,
            certificate_refused: false,
        };
        if let Err(sentence) = stream.ask() {
            stream.problem(sentence);
            stream.fail();
        }
        stream
    }

    fn ask(&mut self) -> Result<(), String> {
        let by = (self.teller, self.tell.clone());
        let player = Player::start(&self.target, &self.manner, &self.taps, by)
            .map_err(|error| self.target.hide(&format!("{error:#}.")))?;
        self.packets = player.packets.clone();
        self.player = Some(player);
        Ok(())
    }

    pub(crate) fn name(&self) -> &str {
        &self.target.name
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed || self.absences.cause().is_some()
    }

    /// Whether there is nothing more to wait for: it has ended, or `frames` pictures have come.
    pub(crate) fn is_done(&self, frames: Option<u64>) -> bool {
        // What was found in the last of them is told a little later than it comes.
        let has = |frames| self.taps.pictures() >= frames && self.tally.pictures() >= frames;
        self.ended || frames.is_some_and(has)
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
    pub(crate) fn message(&mut self, told: &Told) -> Happened {
        if told.by != self.teller {
            return Happened::Nothing;
        }
        // What goes wrong while it takes leave is no fault of the stream's.
        let playing = !self.ended && !self.has_stopped;
        match told.message.view() {
            // The first error is the cause, those behind it follow from it.
            gst::MessageView::Error(error) if playing => {
                let cause = self.cause(error);
                self.broke_off(cause)
            }
            gst::MessageView::Eos(_) if playing => self.end(),
            gst::MessageView::Element(element) => element
                .structure()
                .map_or(Happened::Nothing, |fields| self.element_message(fields)),
            _ => Happened::Nothing,
        }
    }

    /// What an error means; `None` where it has been told.
    fn cause(&self, error: &gst::message::Error) -> Option<String> {
        if self.has_better_words(error) {
            return None;
        }
        let refusal = self.player.as_ref().and_then(Player::refusal);
        Some(match refusal {
            Some(refusal) => failures::refused(&refusal, &self.target),
            None => self.of_pipeline(error),
        })
    }

    fn of_pipeline(&self, error: &gst::message::Error) -> String {
        let played = self.taps.pictures() > 0;
        failures::of_pipeline(error, &self.target, played, self.taps.asked_for().as_secs_f64())
    }

    fn end(&mut self) -> Happened {
        if !self.live {
            self.ended = true;
            return Happened::Nothing;
        }
        let refusal = self.player.as_ref().and_then(Player::refusal);
        let cause = match refusal {
            Some(refusal) => failures::refused(&refusal, &self.target),
            None => failures::ended(self.taps.asked_for().as_secs_f64()),
        };
        self.broke_off(Some(cause))
    }

    /// The connection is no more: that is the end, or the camera is away.
    fn broke_off(&mut self, cause: Option<String>) -> Happened {
        let last = self.taps.last_picture();
        let (true, Some(last)) = (self.manner.reconnect && self.live, last) else {
            self.fail();
            return cause.map_or(Happened::Nothing, |cause| self.problem(cause));
        };
        self.leave();
        let cause = cause.unwrap_or_else(|| "It cannot be played.".into());
        if self.absences.ended(last, cause.clone()) {
            Happened::Problem(failures::away(&cause))
        } else {
            Happened::Nothing
        }
    }

    /// Lets go of its pipeline, and keeps what was counted there.
    fn leave(&mut self) {
        let Some(player) = self.player.take() else { return };
        self.past.transport = player.transport();
        player.stop();
        self.past.counts = self.past.counts.and(&counts(&player.stats()));
        self.past.has_sound |= player.has_sound();
    }

    /// Asks again.
    fn ask_again(&mut self) {
        self.leave();
        self.teller.connection += 1;
        self.live_is_known = false;
        self.in_step_from = None;
        self.taps.cut();
        self.tally.join_anew();
        if let Err(sentence) = self.ask() {
            self.broke_off(Some(sentence));
        }
    }

    /// Whether what an error comes from has been told: a decoder that is missing, a certificate.
    fn has_better_words(&self, error: &gst::message::Error) -> bool {
        let lacks_plugin = error.error().kind::<gst::CoreError>() == Some(gst::CoreError::MissingPlugin);
        lacks_plugin && !self.problems.is_empty() || self.certificate_refused
    }

    fn element_message(&mut self, fields: &gst::StructureRef) -> Happened {
        if let Some(message) = Message::from_structure(fields) {
            return self.probe_message(&message);
        }
        if fields.has_name(CERTIFICATE_REFUSED) {
            self.certificate_refused = true;
            return self.problem(failures::certificate(fields));
        }
        match failures::missing_plugin(fields) {
            Some(sentence) => self.problem(sentence),
            None => Happened::Nothing,
        }
    }

    /// Takes a message of `clockprobe`.
    fn probe_message(&mut self, message: &Message) -> Happened {
        match message {
            Message::Reading(reading) => {
                self.alteration = Some(alteration(&reading.seen));
                self.picture(&reading.times, Some(reading.seen.stamp()), &place(reading))
            }
            Message::Unreadable(unreadable) => self.picture(&unreadable.times, None, &Position::default()),
            Message::Stamps(picture) => {
                if let Some(spots) = &mut self.spots {
                    spots.picture(picture.stamps.iter().map(seen));
                }
                Happened::Nothing
            }
            Message::Tick(tick) => {
                self.tick(tick);
                Happened::Nothing
            }
        }
    }

    fn picture(&mut self, times: &BufferTimes, stamp: Option<Stamp>, place: &Position) -> Happened {
        let Some(player) = &self.player else {
            return Happened::Nothing;
        };
        let arrival = times.arrival;
        if self.in_step_from.is_none() && player.packets.in_step() {
            // Where nothing has to come first, all ticks count.
            let before = if self.live_is_known { arrival } else { 0 };
            self.in_step_from = Some(before.saturating_add(BEFORE_TICK));
        }
        if !self.live_is_known {
            self.live = self.live && (self.target.is_rtsp() || player.is_live());
            self.tally.set_live(self.live);
            if self.live {
                player.force_live();
            }
            self.live_is_known = true;
        }
        if let Some(absence) = self.absences.picture(arrival) {
            self.words.push(failures::back(&absence));
        }
        let pts = times.pts.map(gst::ClockTime::nseconds);
        let instant = stamp.map(|stamp| stamp.instant.saturating_mul(NS_PER_US));
        let packets = pts.and_then(|pts| player.packets.of(pts, instant));
        let sample = Sample {
            arrival,
            packet: packets.map(|packets| packets.last),
            pts,
            stamp,
            joining: false,
        };
        self.note_run(stamp);
        if stamp.is_none() && pts.is_some_and(|pts| self.taps.was_before_key(pts)) {
            self.past.before_key_picture += 1;
        }
        Happened::Picture(self.tally.picture(sample, place, packets.as_ref()))
    }

    /// A camera that has another run in another connection began anew while nobody looked.
    fn note_run(&mut self, stamp: Option<Stamp>) {
        let Some(stamp) = stamp else { return };
        let connection = self.teller.connection;
        let before = self.past.run.replace((stamp.run, connection));
        if before.is_some_and(|(run, seen)| seen != connection && run != stamp.run) {
            self.past.counts.restarts += 1;
        }
    }

    fn tick(&mut self, tick: &Tick) {
        // Before that, sound and picture of an RTSP stream are not presented in step by anyone.
        let in_step = self.in_step_from.is_some_and(|from| tick.arrival >= from);
        self.tally
            .tick(tick.running_time, tick.av_offset.filter(|_| in_step));
    }

    fn readings(&self) -> u64 {
        self.tally.readings
    }

    /// Whether it is played as it happens.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// Does what is due. Answers what is to be told: once that there is no stamp, after a few seconds of pictures.
    pub(crate) fn look_after(&mut self) -> Vec<String> {
        if !self.ended && self.absences.is_due() {
            self.ask_again();
        }
        let mut words = std::mem::take(&mut self.words);
        if let Happened::Problem(sentence) = self.note_start() {
            words.push(sentence);
        }
        if self.has_taken_leave()
            && let Happened::Problem(sentence) = self.end()
        {
            words.push(sentence);
        }
        let playing_for = self.taps.playing_for();
        if !self.said_no_stamp && self.readings() == 0 && playing_for.is_some_and(|it| it >= PATIENCE) {
            words.push(self.say_no_stamp());
        }
        words
    }

    /// A pipeline that did not start has failed, whether or not it said why.
    fn note_start(&mut self) -> Happened {
        let not_started = self.player.as_mut().and_then(|player| player.not_started.take());
        let Some(error) = not_started.filter(|_| !self.ended) else {
            return Happened::Nothing;
        };
        let told = !self.problems.is_empty();
        self.broke_off((!told).then(|| failures::not_started(&error, &self.target)))
    }

    /// Whether the server has said goodbye, and has not come back.
    fn has_taken_leave(&self) -> bool {
        let said = self.player.as_ref().and_then(Player::said_goodbye);
        !self.ended && said.is_some_and(|ago| ago >= FAREWELL)
    }

    fn say_no_stamp(&mut self) -> String {
        self.said_no_stamp = true;
        let sentence = failures::no_stamp(self.taps.size());
        self.problems.push(sentence.clone());
        sentence
    }

    /// How it does; `of` is for how long it is to be measured.
    pub(crate) fn progress(&self, of: Option<Duration>) -> Progress {
        let counts = self.counts();
        let now = self.tally.latency_now.map(ms);
        let all = self.tally.latency.distribution();
        let latency = now.zip(all).map(|(now, all)| (now, all.p50, all.p99));
        Progress {
            url: self.target.name.clone(),
            elapsed: self.taps.asked_for(),
            of: of.filter(|_| self.live),
            pictures: self.taps.pictures(),
            readings: self.readings(),
            frames_per_second: self.taps.pace().frames_per_second(),
            latency,
            lost: counts.lost,
            frozen: counts.frozen,
            away: self.absences.cause().is_some(),
            ended: self.ended,
        }
    }

    /// What was counted by now.
    fn counts(&self) -> Counts {
        let now = self.player.as_ref().map(|player| counts(&player.stats()));
        let all = self.past.counts.and(&now.unwrap_or_default());
        Counts {
            unreadable: all.unreadable.saturating_sub(self.past.before_key_picture),
            before_key_picture: self.past.before_key_picture,
            ..all
        }
    }

    /// Stops it: counts and what was told of pictures then are of the same pictures.
    pub(crate) fn stop(&mut self) {
        // A picture that stands still does so until now.
        self.standstill = Some(self.taps.standstill(self.live && !self.ended));
        self.leave();
        self.has_stopped = true;
    }

    /// How the camera's clock and this machine's relate.
    pub(crate) fn relation(&self, clock: &ClockCheck) -> ClockRelation {
        origin::relation(&self.origin, clock, &self.packets)
    }

    /// Doubts that the camera is on this machine where the measured speaks against it, and says of one elsewhere that the
    /// clocks are apart where that is plain to see.
    pub(crate) fn doubt_origin(&mut self, clock: &ClockCheck) {
        if clock.offset.is_some() || !self.live {
            return;
        }
        let least = self.tally.latency.extremes().map(|(least, _)| least);
        if !matches!(self.origin, Origin::ThisMachine) {
            let why = origin::contradiction(least, None);
            self.problems.extend(why.map(|why| failures::clocks_apart(&why)));
            return;
        }
        if let Some(why) = origin::contradiction(least, self.tally.times.times().sender_reports) {
            self.problems.push(failures::another_clock(&why));
            self.origin = Origin::Elsewhere(Err("it is elsewhere".into()));
        }
    }
}
