//! The viewers who join a stream, and the packets that they begin with.
//!
//! The answer to a PLAY says which packet its viewer gets first, and nothing comes before that. So the PLAY waits for a
//! key picture, and the key picture waits for the PLAY: it is made ahead, and would wait in the sink until it is due.
//! Instead it stands before the point where gst-rtsp-server parts it for UDP, TCP and multicast, and until shortly
//! before it is due, whoever waits for it is let in. Meanwhile each packet of sound stands there as well. Nobody else
//! notices, unless the picture is late already: then it stands 5 ms.
//!
//! A viewer who is let in is handled by its client's thread. The threads that make picture and sound wait for those who
//! have been let in; the clients' threads wait for nobody.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    keys::Packet,
    media::{Media, Medium},
};
use parking_lot::{Condvar, Mutex};

/// How long before it is due a packet goes on: a thread takes that long to wake up.
const EARLIER: Duration = Duration::from_millis(2);
/// How long a packet stands that is late already: otherwise nobody could join where the machine is always late.
const LEAST: Duration = Duration::from_millis(5);
/// How much earlier than the picture sound may begin: by one packet of it.
const SOUND_BEFORE: Duration = Duration::from_millis(22);
/// The handling of a PLAY takes less than this on any machine.
const HANDLING: Duration = Duration::from_secs(1);

/// The first packet that a viewer gets of each medium that it plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    /// The first packet of a key picture.
    pub(crate) picture: Option<Packet>,
    /// The first packet of sound.
    pub(crate) sound: Option<Packet>,
}

impl Start {
    /// The first packet of that medium.
    #[must_use]
    pub(crate) fn of(&self, medium: Medium) -> Option<Packet> {
        match medium {
            Medium::Picture => self.picture,
            Medium::Sound => self.sound,
        }
    }
}

/// The viewers who join a stream.
#[derive(Debug, Default)]
pub(crate) struct Joins {
    state: Mutex<State>,
    has_changed: Condvar,
    /// Whether somebody is about to play.
    is_busy: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Waiting>,
    /// One for each viewer who is let in and does not play yet: whether what it begins with still stands.
    let_in: Vec<Arc<AtomicBool>>,
    tickets: u64,
    picture: Option<Standing>,
    sound: Option<Standing>,
}

struct Waiting {
    ticket: u64,
    needs: Media,
    call: Box<dyn FnOnce() + Send>,
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting")
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}

/// A packet that stands for those who wait for it.
#[derive(Debug, Clone, Copy)]
struct Standing {
    packet: Packet,
    due: Instant,
    /// How many have been called for it and have not come yet.
    called: usize,
}

/// A place among those who wait, which is given up when this is dropped.
#[derive(Debug)]
pub(crate) struct Ticket {
    joins: Arc<Joins>,
    number: u64,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.joins
            .change(|state| state.waiting.retain(|waiting| waiting.ticket != self.number));
    }
}

/// The proof that somebody has been let in: the packets that it begins with stand until this is dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    joins: Arc<Joins>,
    start: Start,
    stands: Arc<AtomicBool>,
}

impl Entry {
    /// The packets that it begins with; `None` if they have gone meanwhile.
    #[must_use]
    pub(crate) fn start(&self) -> Option<Start> {
        self.stands.load(Ordering::Acquire).then_some(self.start)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.joins
            .change(|state| state.let_in.retain(|stands| !Arc::ptr_eq(stands, &self.stands)));
    }
}

impl Joins {
    /// Has somebody wait for a beginning of these media, until the answer is dropped. `call` is called once, on any
    /// thread, when it is worth trying to [be let in](Self::enter); it must not wait itself.
    #[must_use]
    pub(crate) fn wait(self: &Arc<Self>, needs: Media, call: impl FnOnce() + Send + 'static) -> Ticket {
        let number = self.change(|state| {
            state.tickets += 1;
            let ticket = state.tickets;
            let call = Box::new(call);
            state.waiting.push(Waiting { ticket, needs, call });
            state.call();
            ticket
        });
        Ticket {
            joins: Arc::clone(self),
            number,
        }
    }

    /// Lets somebody in, if packets stand that these media can begin with.
    #[must_use]
    pub(crate) fn enter(self: &Arc<Self>, needs: Media) -> Option<Entry> {
        let start = self.change(|state| {
            let start = state.start_of(needs)?;
            let stands = Arc::new(AtomicBool::new(true));
            state.let_in.push(Arc::clone(&stands));
            for standing in state.needed(needs) {
                standing.called = standing.called.saturating_sub(1);
            }
            Some((start, stands))
        });
        let (start, stands) = start?;
        Some(Entry {
            joins: Arc::clone(self),
            start,
            stands,
        })
    }

    /// Whether anybody waits.
    #[must_use]
    pub(crate) fn have_waiting(&self) -> bool {
        !self.state.lock().waiting.is_empty()
    }

    /// Whether anybody is about to play.
    #[must_use]
    pub(crate) fn are_awaited(&self) -> bool {
        self.is_busy.load(Ordering::Acquire)
    }

    /// Has `packet`, which a viewer can begin with and which is due at `due`, stand here as long as that is of use to
    /// anybody.
    pub(super) fn stand(&self, medium: Medium, packet: Packet, due: Instant) {
        if !self.are_awaited() {
            return;
        }
        let until = (due.checked_sub(EARLIER).unwrap_or(due)).max(Instant::now() + LEAST);
        let mut state = self.state.lock();
        *state.place(medium) = Some(Standing {
            packet,
            due,
            called: 0,
        });
        state.call();
        self.has_changed
            .wait_while_until(&mut state, |state| state.is_wanted(medium), until);
        *state.place(medium) = None;
        self.is_busy.store(state.is_awaited(), Ordering::Release);
        self.has_changed
            .wait_while_for(&mut state, |state| !state.let_in.is_empty(), HANDLING);
        // Whoever has not begun by now is not waited for again.
        for stands in state.let_in.drain(..) {
            tracing::warn!(target: "stream",
                "a PLAY takes longer than {HANDLING:?}: its viewer waits for the next key picture"
            );
            stands.store(false, Ordering::Release);
        }
        self.is_busy.store(state.is_awaited(), Ordering::Release);
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock();
        let changed = change(&mut state);
        self.is_busy.store(state.is_awaited(), Ordering::Release);
        self.has_changed.notify_all();
        changed
    }
}

impl State {
    fn place(&mut self, medium: Medium) -> &mut Option<Standing> {
        match medium {
            Medium::Picture => &mut self.picture,
            Medium::Sound => &mut self.sound,
        }
    }

    /// Whether anybody is about to play: somebody waits, has been called for what stands, or is let in.
    fn is_awaited(&self) -> bool {
        !self.waiting.is_empty() || !self.let_in.is_empty() || self.picture.is_some() || self.sound.is_some()
    }

    /// The packets that stand of the media that are needed.
    fn needed(&mut self, needs: Media) -> impl Iterator<Item = &mut Standing> {
        let picture = self.picture.iter_mut().filter(move |_| needs.picture);
        picture.chain(self.sound.iter_mut().filter(move |_| needs.sound))
    }

    /// The packets that a viewer of these media can begin with now.
    fn start_of(&self, needs: Media) -> Option<Start> {
        let picture = self.picture.filter(|_| needs.picture);
        let sound = self.sound.filter(|_| needs.sound);
        if (picture.is_some(), sound.is_some()) != (needs.picture, needs.sound) {
            return None;
        }
        if let (Some(picture), Some(sound)) = (picture, sound)
            && sound.due + SOUND_BEFORE < picture.due
        {
            return None;
        }
        let packet = |standing: Standing| standing.packet;
        Some(Start {
            picture: picture.map(packet),
            sound: sound.map(packet),
        })
    }

    /// Calls those for whom packets of all media stand that they need.
    fn call(&mut self) {
        if self.picture.is_none() && self.sound.is_none() {
            return;
        }
        let waiting = std::mem::take(&mut self.waiting);
        for waiting in waiting {
            if self.start_of(waiting.needs).is_none() {
                self.waiting.push(waiting);
                continue;
            }
            for standing in self.needed(waiting.needs) {
                standing.called += 1;
            }
            (waiting.call)();
        }
    }

    /// Whether it is of use to anybody that a packet of that medium stands.
    fn is_wanted(&mut self, medium: Medium) -> bool {
        let is_awaited = self.waiting.iter().any(|waiting| waiting.needs.has(medium));
        let is_called = self.place(medium).is_some_and(|standing| standing.called > 0);
        is_awaited || is_called || !self.let_in.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    /// Nothing here takes as long as this.
    const LONG: Duration = Duration::from_mins(1);
    const BOTH: Media = Media {
        picture: true,
        sound: true,
    };
    const PICTURE: Media = Media {
        picture: true,
        sound: false,
    };

    fn packet(sequence_number: u16) -> Packet {
        Packet {
            sequence_number,
            time: 0,
        }
    }

    /// Has a packet stand on a thread of its own; the receiver hears when it goes on.
    fn standing(joins: &Arc<Joins>, medium: Medium, number: u16, due: Instant) -> mpsc::Receiver<()> {
        let (done, is_done) = mpsc::channel();
        let joins = Arc::clone(joins);
        thread::spawn(move || {
            joins.stand(medium, packet(number), due);
            done.send(())
        });
        is_done
    }

    /// Waits for the media; the receiver hears when the call comes.
    fn waiting(joins: &Arc<Joins>, needs: Media) -> (Ticket, mpsc::Receiver<()>) {
        let (call, is_called) = mpsc::channel();
        let call = move || {
            let _nobody_listens = call.send(());
        };
        (joins.wait(needs, call), is_called)
    }

    #[test]
    fn what_nobody_waits_for_goes_on() {
        let joins = Arc::<Joins>::default();
        joins.stand(Medium::Picture, packet(1), Instant::now() + LONG);
        assert!(!joins.are_awaited() && joins.enter(PICTURE).is_none());
    }

    #[test]
    fn a_picture_stands_until_those_who_wait_have_begun() {
        let joins = Arc::<Joins>::default();
        let called = [waiting(&joins, PICTURE), waiting(&joins, PICTURE)];
        let gone = standing(&joins, Medium::Picture, 7, Instant::now() + LONG);
        for (_, called) in &called {
            assert_eq!(called.recv_timeout(LONG), Ok(()));
        }
        let entries = called
            .each_ref()
            .map(|_| joins.enter(PICTURE).expect("it stands"));
        let start = entries[0].start().expect("it stands");
        assert_eq!((start.picture, start.sound), (Some(packet(7)), None));
        assert_eq!(gone.try_recv(), Err(mpsc::TryRecvError::Empty));
        drop(entries);
        assert_eq!(gone.recv_timeout(LONG), Ok(()));
        assert!(!joins.are_awaited() && joins.enter(PICTURE).is_none());
    }

    #[test]
    fn whoever_takes_too_long_is_not_waited_for_again() {
        let joins = Arc::<Joins>::default();
        let (_ticket, called) = waiting(&joins, PICTURE);
        let gone = standing(&joins, Medium::Picture, 7, Instant::now());
        assert_eq!(called.recv_timeout(LONG), Ok(()));
        // The picture may have gone before this thread came to ask.
        if let Some(entry) = joins.enter(PICTURE) {
            assert_eq!(gone.recv_timeout(LONG), Ok(()));
            assert_eq!(entry.start(), None);
            assert!(!joins.are_awaited());
        }
    }

    #[test]
    fn whoever_has_gone_is_not_waited_for() {
        let joins = Arc::<Joins>::default();
        let (ticket, _) = waiting(&joins, PICTURE);
        assert!(joins.are_awaited() && joins.have_waiting());
        drop(ticket);
        assert!(!joins.are_awaited() && !joins.have_waiting());
    }

    #[test]
    fn a_picture_that_is_due_waits_for_those_only_who_have_been_let_in() {
        let joins = Arc::<Joins>::default();
        let called = [waiting(&joins, PICTURE), waiting(&joins, PICTURE)];
        let gone = standing(
            &joins,
            Medium::Picture,
            7,
            Instant::now() + Duration::from_millis(20),
        );
        for (_, called) in &called {
            assert_eq!(called.recv_timeout(LONG), Ok(()));
        }
        // The other one never comes.
        let entry = joins.enter(PICTURE);
        assert_eq!(gone.try_recv(), Err(mpsc::TryRecvError::Empty));
        drop(entry);
        assert_eq!(gone.recv_timeout(LONG), Ok(()));
    }

    #[test]
    fn whoever_plays_both_begins_when_both_stand_together() {
        let joins = Arc::<Joins>::default();
        let (_ticket, called) = waiting(&joins, BOTH);
        let soon = Instant::now() + Duration::from_millis(200);
        let picture = standing(&joins, Medium::Picture, 7, soon + Duration::from_millis(100));
        let early = standing(&joins, Medium::Sound, 1, soon);
        assert_eq!(early.recv_timeout(LONG), Ok(()));
        assert_eq!(called.try_recv(), Err(mpsc::TryRecvError::Empty));
        let sound = standing(&joins, Medium::Sound, 2, soon + LONG);
        assert_eq!(called.recv_timeout(LONG), Ok(()));
        let entry = joins.enter(BOTH);
        let start = entry.as_ref().and_then(Entry::start);
        drop(entry);
        for gone in [picture, sound] {
            assert_eq!(gone.recv_timeout(LONG), Ok(()));
        }
        // The picture may have been due before this thread came to ask.
        if let Some(start) = start {
            assert_eq!((start.picture, start.sound), (Some(packet(7)), Some(packet(2))));
        }
    }
}
