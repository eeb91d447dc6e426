//! Records of several lines across a rotation.
//!
//! Enters: a stream that begins under a name which an older stream had. Leaves: the record at the end of the older one
//! and its last lines at the beginning of the newer one, as one record. Never: an offset of either that moves before
//! that record is settled; never a wait that outlasts the joiner's.
//!
//! ```text
//! app.log.1  ...  INFO paid        app.log    at Shop.buy(Shop.java:7)
//!                 ERROR no stock             INFO next
//!                 a.B: sold
//! ```
//! The newer stream is not read before the older one was read to its end; each turn of the older that ends there, or
//! fails, gives the newer one a turn. Then the older hands over what it has of its last record ([`Carry`]), and the newer
//! goes on to join as the older would have. The record has the older stream's id and ticket. Its lines in the newer stream
//! are a record in flight there, too, which is settled in the moment when the older stream's offset passes the record; so
//! both offsets reach the registry in one commit. All of it is in memory: after a restart the older stream is read again
//! from that record on, the newer one from its first byte, and they meet again.
//!
//! Two files share a record at most: the lines of one that goes on in a third are a record by themselves there.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use event::{StreamId, Timestamp};

use super::FileInput;
use super::carry::Carry;
use super::container::Container;
use super::content::Content;
use super::harvest;
use super::identity::Facts;
use super::kin;
use super::paths::hash;
use super::read::note;
use super::sink::{Sent, Shape};
use super::stream::{Presence, Stream};
use crate::batch::{Fate, Outbox, Settled, Ticket};

/// Seams at a time; the records at any further one are not joined.
const SEAMS_MAX: usize = 4096;

/// Where streams meet.
#[derive(Debug, Default)]
pub(super) struct Seams {
    /// The newest stream that began under a name, by the name's hash.
    newest: HashMap<u64, u32>,
    /// By the newer stream.
    open: HashMap<u32, Seam>,
    /// From the older stream to the newer.
    newer: HashMap<u32, u32>,
    /// What the newer stream could not take to its end, by the older stream, which sends it in its next turn.
    strays: HashMap<u32, Box<Carry>>,
}

#[derive(Debug)]
struct Seam {
    older: (u32, StreamId),
    state: State,
}

#[derive(Debug)]
enum State {
    /// The newer stream was not read yet.
    Waiting {
        /// The older one has had a turn since the newer has bytes. What a writer wrote before it went on to the newer file
        /// is there by then; the events of it may have led to the newer one, under the name that the older had.
        is_told: bool,
    },
    /// What the older stream handed over. That one is not read now: its next record may not overtake this one.
    Offered(Box<Carry>),
    /// The newer stream has it.
    Taken { ticket: Ticket, end: u64 },
    /// The record is sent.
    Sent {
        /// The record's end in the older stream.
        end: u64,
        ticket: Ticket,
        /// `None` when a processor left it out.
        fate: Option<Fate>,
        /// The lines in the newer stream.
        lines: Ticket,
    },
}

/// What became of a [`Carry`] in the newer stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sewn {
    /// How the record was sent; `None` when a processor left it out.
    pub sent: Option<Sent>,
    /// The number of its lines there, if it got any.
    pub lines: Option<u64>,
}

impl Seams {
    fn remove(&mut self, newer: u32) {
        if let Some(seam) = self.open.remove(&newer) {
            self.newer.remove(&seam.older.0);
        }
    }

    /// Gives the newer stream what is offered to it.
    pub(super) fn take(&mut self, newer: u32) -> Option<Box<Carry>> {
        let seam = self.open.get_mut(&newer)?;
        let State::Offered(carry) = &seam.state else { return None };
        let taken = State::Taken { ticket: carry.ticket, end: carry.end };
        let State::Offered(carry) = std::mem::replace(&mut seam.state, taken) else { return None };
        Some(carry)
    }

    /// Gives the older stream what the newer one gave back.
    pub(super) fn take_stray(&mut self, older: u32) -> Option<Box<Carry>> {
        self.strays.remove(&older)
    }

    /// Notes a fate that decides on the lines of a newer stream.
    pub(super) fn note(&mut self, settled: &Settled) {
        let seam = self.newer.get(&settled.ticket.slot()).and_then(|newer| self.open.get_mut(newer));
        if let Some(Seam { state: State::Sent { ticket, fate, .. }, .. }) = seam
            && *ticket == settled.ticket
        {
            *fate = Some(settled.fate);
        }
    }

    /// The stream is forgotten.
    pub(super) fn forget(&mut self, slot: u32, stream: &Stream) {
        let name = hash(Path::new(&*stream.origin_path()));
        if self.newest.get(&name) == Some(&slot) {
            self.newest.remove(&name);
        }
        // A record that is on its way keeps both streams from being forgotten.
        self.remove(slot);
    }
}

impl FileInput {
    /// A stream has begun: finds the one whose last record may go on in it. True when there is one.
    pub(super) fn link(&mut self, slot: u32) -> bool {
        let joins = self.recipe(slot).is_some_and(|recipe| {
            recipe.config.multiline.joins() && recipe.config.container == Container::None
        });
        if !joins {
            return false;
        }
        let Some(stream) = self.stream(slot) else { return false };
        let name = stream.origin_path().into_owned();
        let of_name = |seams: &Seams, name: &str| seams.newest.get(&hash(Path::new(name))).copied();
        let before = self.seams.newest.insert(hash(Path::new(&name)), slot);
        // Where both were rotated before anybody looked, their numbers tell.
        let older = [before, of_name(&self.seams, &kin::rotated(&name))];
        let has_older = older.into_iter().flatten().any(|older| self.pair(older, slot));
        // Of two of one moment, the newer may have begun first.
        if let Some(newer) = kin::unrotated(&name).and_then(|name| of_name(&self.seams, &name)) {
            self.pair(slot, newer);
        }
        has_older
    }

    /// Lets the record at the end of `older` go on in `newer`. False when that cannot be, or when they are too many.
    fn pair(&mut self, older: u32, newer: u32) -> bool {
        let Some((stream, before)) = self.stream(newer).zip(self.stream(older)) else { return false };
        let is_fresh = stream.window.offset() == 0 && stream.work.is_none();
        let is_rotated = is_fresh
            && before.presence != Presence::Ended
            && before.key() != stream.key()
            && before.input == stream.input
            && (before.origin_path() == stream.origin_path() || before.facts.birth <= stream.facts.birth);
        let Seams { open, newer: newer_of, .. } = &self.seams;
        let has_room = open.len() < SEAMS_MAX && !open.contains_key(&newer) && !newer_of.contains_key(&older);
        if is_rotated && has_room {
            let seam = Seam { older: (older, before.id), state: State::Waiting { is_told: false } };
            self.seams.open.insert(newer, seam);
            self.seams.newer.insert(older, newer);
        }
        is_rotated && has_room
    }

    /// Whether the stream may be read in this turn. One that may not is given another turn by the stream that it waits for.
    pub(super) fn may_read(&mut self, slot: u32, now: Timestamp, out: &mut Outbox) -> bool {
        if self.seams.open.is_empty() {
            return true;
        }
        let newer = self.seams.newer.get(&slot).and_then(|newer| self.seams.open.get(newer));
        if newer.is_some_and(|seam| matches!(seam.state, State::Offered(_) | State::Taken { .. })) {
            return false;
        }
        match self.seams.open.get(&slot) {
            Some(&Seam { older, state: State::Waiting { is_told } }) => {
                self.approach(slot, older, is_told, now, out)
            }
            _ => true,
        }
    }

    /// Lets the older stream be read to its end first, and takes its last record over. True when the newer may be read.
    fn approach(
        &mut self,
        newer: u32,
        older: (u32, StreamId),
        is_told: bool,
        now: Timestamp,
        out: &mut Outbox,
    ) -> bool {
        let is_it = |stream: &&Stream| {
            stream.id == older.1 && stream.presence != Presence::Ended && stream.base.is_none()
        };
        match self.stream(older.0).filter(is_it) {
            Some(stream)
                if stream.is_queued || !stream.is_caught_up() || (!is_told && stream.file.is_some()) =>
            {
                self.queue(older.0);
                if let Some(seam) = self.seams.open.get_mut(&newer) {
                    seam.state = State::Waiting { is_told: true };
                }
                return false;
            }
            Some(stream) if self.is_continued(stream, newer) => {
                if let Some(carry) = self.hand_over(older.0, now, out) {
                    self.name(older.0, now);
                    if let Some(seam) = self.seams.open.get_mut(&newer) {
                        seam.state = State::Offered(Box::new(carry));
                    }
                    return true;
                }
            }
            _ => {}
        }
        self.seams.remove(newer);
        true
    }

    /// A turn of the stream is over: if it has no further one, the newer that waits for it has.
    pub(super) fn wake_newer(&mut self, older: u32) {
        let is_done = self.stream(older).is_some_and(|stream| !stream.is_queued);
        if let Some(newer) = self.waiting_for(older).filter(|_| is_done) {
            self.queue(newer);
        }
    }

    /// The stream cannot be read, has ended or is forgotten: nothing waits for it.
    pub(super) fn part(&mut self, older: u32) {
        if let Some(newer) = self.waiting_for(older) {
            self.seams.remove(newer);
            self.queue(newer);
        }
    }

    fn waiting_for(&self, older: u32) -> Option<u32> {
        let newer = self.seams.newer.get(&older)?;
        matches!(self.seams.open.get(newer)?.state, State::Waiting { .. }).then_some(*newer)
    }

    /// Whether the older stream ends within a record, and the newer was there before that could be complete. The files'
    /// own times decide, so that a later start decides in the same way.
    fn is_continued(&self, older: &Stream, newer: u32) -> bool {
        let (Some(work), Some(Content::Plain(file))) = (&older.work, &older.file) else { return false };
        let Ok(facts) = file.metadata().map(|metadata| Facts::of(&metadata)) else { return false };
        let timeout =
            self.recipe(newer).map_or(Duration::ZERO, |recipe| recipe.config.multiline.limits.timeout);
        let is_in_time = self.stream(newer).and_then(|stream| stream.facts.birth).is_none_or(|birth| {
            Timestamp::from_nanos(birth) <= Timestamp::from_nanos(facts.modified).plus(timeout)
        });
        is_in_time && work.pipe.ends_within_record(facts.size)
    }

    /// Takes the last record of a stream that was read to its end.
    fn hand_over(&mut self, older: u32, now: Timestamp, out: &mut Outbox) -> Option<Carry> {
        let turn = self.turn(older, now, out)?;
        let (Some(file), Some(work)) = (turn.file, turn.work) else { return None };
        let (read, mut sink) = (work.pipe.read(), turn.sink);
        // A file that cannot be read now is read by its own next turn, which tells why.
        let carry = harvest::hand_over(work, file, turn.buffer, &mut sink).ok().flatten();
        let end = work.pipe.read();
        if let Some(stream) = self.stream_mut(older).filter(|_| end > read) {
            note(stream, read, harvest::Step::CaughtUp, end, now);
        }
        self.set_timer(older);
        carry
    }

    /// The newer stream was read: is the record sent?
    pub(super) fn sew(&mut self, newer: u32, sewn: Sewn, now: Timestamp) {
        let Some(seam) = self.seams.open.get_mut(&newer) else { return };
        let &State::Taken { ticket, end } = &seam.state else { return };
        let older = seam.older.0;
        match sewn.lines {
            Some(sequence) => {
                let fate = sewn.sent.map(|_| Fate::Acked);
                seam.state = State::Sent { end, ticket, fate, lines: Ticket::new(newer, sequence) };
            }
            None => self.seams.remove(newer),
        }
        self.weigh(ticket, sewn.sent, now);
        self.queue(older);
    }

    /// By which lane a record goes that a stream has handed over, and what it weighs, are known now.
    fn weigh(&mut self, ticket: Ticket, sent: Option<Sent>, now: Timestamp) {
        let Some(sent) = sent else { return self.settle_one(ticket, None, now) };
        let Some(stream) = self.stream_mut(ticket.slot()) else { return };
        if let Some((lane, weight)) = stream.window.reroute(ticket.sequence(), sent.lane, sent.weight) {
            self.in_flight.sub(lane, weight);
            self.in_flight.add(sent.lane, u64::from(sent.weight.max(1)));
        }
    }

    /// The newer stream cannot be read, or has ended: the older one's lines are a record without the newer's.
    pub(super) fn unsew(&mut self, newer: u32) {
        let Some(seam) = self.seams.open.get(&newer) else { return };
        let older = seam.older.0;
        let stream = self.slots.get_mut(newer as usize).and_then(Option::as_deref_mut);
        let taken = stream.and_then(|stream| stream.work.as_mut()).and_then(|work| work.pipe.give_back());
        if let Some(carry) = taken.or_else(|| self.seams.take(newer)) {
            self.seams.remove(newer);
            self.seams.strays.insert(older, carry);
            self.queue(older);
        }
    }

    /// Sends what the newer stream gave back.
    pub(super) fn ship_stray(&mut self, older: u32, now: Timestamp, out: &mut Outbox) {
        let Some(mut carry) = self.seams.take_stray(older) else { return };
        let Some(mut turn) = self.turn(older, now, out) else { return };
        let sent = turn.sink.ship_carry(&mut carry, Shape::default());
        self.weigh(carry.ticket, sent, now);
    }

    /// The offset of a stream has moved: the lines of a newer one may be settled by it.
    pub(super) fn settle_seam(&mut self, older: u32, offset: u64, now: Timestamp) {
        let Some(newer) = self.seams.newer.get(&older).copied() else { return };
        let state = self.seams.open.get(&newer).map(|seam| &seam.state);
        if let Some(&State::Sent { end, fate, lines, .. }) = state
            && end <= offset
        {
            self.seams.remove(newer);
            self.settle_one(lines, fate, now);
        }
    }
}
