//! Events on their way to sinks: what is offered, what waits in a queue, what is written at once.
//!
//! Chunks are shared and not copied, unless a sink wants so few rows of one that keeping it for them would hold memory
//! that nobody accounts for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::OwnedSemaphorePermit;

use crate::event::{Chunk, EventRef, Person};
use crate::pipeline::Rows;

/// Where numbered events come from: a hash of the client, and its number of each row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub client: u64,
    pub numbers: Vec<u64>,
}

/// A chunk offered to every sink.
#[derive(Clone, Debug)]
pub struct Packet {
    pub chunk: Arc<Chunk>,
    pub origin: Option<Arc<Origin>>,
    /// Room held for it by sinks that never drop; given back once they have all written it.
    pub held: Option<Arc<OwnedSemaphorePermit>>,
}

impl Packet {
    /// Events that are not numbered.
    pub fn of(chunk: Arc<Chunk>) -> Self {
        Self { chunk, origin: None, held: None }
    }
}

/// Some rows of a packet, waiting.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    packet: Packet,
    rows: Rows,
    /// Which of `rows`, by position.
    from: usize,
    to: usize,
    pub(super) since: Instant,
}

impl Piece {
    pub(super) fn new(packet: &Packet, rows: Rows, since: Instant) -> Self {
        let (chunk, count) = (&packet.chunk, count(packet, &rows));
        // Less than half of it: a copy of what is wanted is smaller than what it would keep alive.
        if let Rows::These(wanted) = &rows
            && count * 2 < chunk.len()
        {
            let is_wanted =
                |row: usize| wanted.binary_search(&u32::try_from(row).unwrap_or(u32::MAX)).is_ok();
            let origin = packet.origin.as_ref().map(|origin| {
                let numbers =
                    wanted.iter().filter_map(|row| origin.numbers.get(*row as usize)).copied().collect();
                Arc::new(Origin { client: origin.client, numbers })
            });
            let chunk = Arc::new(chunk.retain(is_wanted));
            let packet = Packet { chunk, origin, held: packet.held.clone() };
            return Self { packet, rows: Rows::All, from: 0, to: count, since };
        }
        Self { packet: packet.clone(), rows, from: 0, to: count, since }
    }

    pub(super) fn len(&self) -> usize {
        self.to - self.from
    }

    fn row(&self, position: usize) -> usize {
        match &self.rows {
            Rows::All => position,
            Rows::These(rows) => rows[position] as usize,
        }
    }

    fn row_bytes(&self, position: usize) -> usize {
        self.packet.chunk.row_bytes(self.row(position))
    }

    pub(super) fn bytes(&self) -> usize {
        if matches!(self.rows, Rows::All) {
            return self.packet.chunk.rows_bytes(self.from..self.to);
        }
        (self.from..self.to).map(|position| self.row_bytes(position)).sum()
    }

    /// Splits off the first events: at most `events`, and no more than fit `bytes`, but one if `at_least_one`. Gives
    /// them with their bytes; the rest stays.
    pub(super) fn split(&mut self, events: usize, bytes: usize, at_least_one: bool) -> (Self, usize) {
        let (mut to, mut taken) = (self.from, 0);
        if self.len() <= events {
            let all = self.bytes();
            if all <= bytes {
                let first = self.clone();
                self.from = self.to;
                return (first, all);
            }
        }
        while to < self.to && to - self.from < events {
            let row = self.row_bytes(to);
            if taken + row > bytes && !(at_least_one && to == self.from) {
                break;
            }
            taken += row;
            to += 1;
        }
        let first = Self { to, ..self.clone() };
        self.from = to;
        (first, taken)
    }

    /// Leaves out its first event; gives its bytes.
    pub(super) fn pop(&mut self) -> usize {
        let bytes = self.row_bytes(self.from);
        self.from += 1;
        bytes
    }

    /// Leaves out the events of `who`, and what the chunk keeps of them; gives how many there were.
    fn forget(&mut self, who: &Person) -> usize {
        let all: Vec<usize> = (self.from..self.to).map(|position| self.row(position)).collect();
        let chunk = &self.packet.chunk;
        let left: Vec<usize> = all.iter().copied().filter(|row| !who.has(chunk.event(*row))).collect();
        let gone = all.len() - left.len();
        if gone > 0 {
            let origin = self.packet.origin.as_ref().map(|origin| {
                let numbers = left.iter().filter_map(|row| origin.numbers.get(*row)).copied().collect();
                Arc::new(Origin { client: origin.client, numbers })
            });
            let chunk = Arc::new(chunk.retain(|row| left.binary_search(&row).is_ok()));
            let packet = Packet { chunk, origin, held: self.packet.held.clone() };
            *self = Self { packet, rows: Rows::All, from: 0, to: left.len(), since: self.since };
        }
        gone
    }

    fn items(&self) -> impl Iterator<Item = Item<'_>> {
        (self.from..self.to).map(|position| {
            let row = self.row(position);
            let origin = self.packet.origin.as_ref();
            let origin = origin.and_then(|origin| Some((origin.client, *origin.numbers.get(row)?)));
            Item { event: self.packet.chunk.event(row), origin }
        })
    }
}

pub(super) fn count(packet: &Packet, rows: &Rows) -> usize {
    match rows {
        Rows::All => packet.chunk.len(),
        Rows::These(rows) => rows.len(),
    }
}

/// Leaves out of `rows` those beyond the first `room`; gives how many.
pub(super) fn cut(packet: &Packet, rows: &mut Rows, room: usize) -> usize {
    let count = count(packet, rows);
    if count <= room {
        return 0;
    }
    match rows {
        Rows::All => *rows = Rows::These((0..).take(room).collect()),
        Rows::These(rows) => rows.truncate(room),
    }
    count - room
}

/// Leaves the events of `who` out of `pieces`, and pieces with nothing left; gives how many events there were.
pub(super) fn forget(pieces: &mut VecDeque<Piece>, who: &Person) -> usize {
    let gone = pieces.iter_mut().map(|piece| piece.forget(who)).sum();
    pieces.retain(|piece| piece.len() > 0);
    gone
}

/// An event to be written.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    pub event: EventRef<'a>,
    /// A hash of its client, and its number there.
    pub origin: Option<(u64, u64)>,
}

/// Events to be written at once.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub(super) pieces: VecDeque<Piece>,
    pub(super) len: usize,
}

impl Batch {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The events, in the order they arrived.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.pieces.iter().flat_map(Piece::items)
    }

    /// Leaves out the events of `who`; gives how many there were.
    pub(super) fn forget(&mut self, who: &Person) -> usize {
        let gone = forget(&mut self.pieces, who);
        self.len -= gone;
        gone
    }

    pub(super) fn push(&mut self, piece: Piece) {
        self.len += piece.len();
        self.pieces.push_back(piece);
    }

    /// Leaves out the first `count` events and gives those.
    pub(super) fn drop_first(&mut self, count: usize) -> Self {
        let mut first = Self::default();
        while first.len < count.min(first.len + self.len) {
            let Some(front) = self.pieces.front_mut() else { break };
            let (split, _) = front.split(count - first.len, usize::MAX, true);
            self.len -= split.len();
            first.push(split);
            if self.pieces.front().is_some_and(|front| front.len() == 0) {
                self.pieces.pop_front();
            }
        }
        first
    }
}
