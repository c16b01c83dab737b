//! The one way in for decoded events: dedupe, signal stages, number, hand to the store and to whoever follows along.
//!
//! Called by the WebSocket and POST doors. Waits when the store or a follower is behind, which reaches the browser
//! as a late ack; from the moment an event is marked as taken nothing can interrupt its way into the store and to the
//! sinks. Sinks are never waited for, but for the ack where one of them promises to drop nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures_util::poll;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

use super::ack::{ClientKey, Clients};
use super::stages::{Split, Stages};
use super::telling;
use crate::alerts::{Board, Engine, Rule};
use crate::counters::{Counter, Counters};
use crate::event::{Chunk, Flags, Person};
use crate::pipeline::{Reading, Redactor, Signal, Signals, SummaryTimes};
use crate::published::Published;
use crate::sinks::{Origin, Outlets, Packet};
use crate::stats::Windows;
use crate::store::{StoreHandle, StoreMsg, Tally};
use crate::wire::{self, Batch, Gap, Note, Sender};

/// How long a hello waits for what is being written.
const HELLO_WITHIN: Duration = Duration::from_secs(1);
/// Text of events that may wait for the store, in KiB, and how many of them (SECURITY: ingest queue).
const QUEUE_KIB: u32 = 64 * 1024;
const QUEUE_EVENTS: usize = 100_000;

/// Where the events of a batch stand in their client's count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbered {
    pub client: ClientKey,
    /// The number of the first event.
    pub first: u64,
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    pub accepted: u64,
    pub duplicate: u64,
    /// Refused positions with their reasons.
    pub rejected: Vec<crate::wire::Rejected>,
    /// Everything of this client up to here was taken; `None` for events that are not numbered.
    pub acked: Option<u64>,
}

/// Why a batch was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too many gaps between this client's numbers; it keeps the events and sends them again.
    TooManyGaps,
    /// taillight is shutting down.
    Stopping,
}

/// Shared by all doors.
#[derive(Debug)]
pub struct Intake {
    store: StoreHandle,
    sinks: Arc<Outlets>,
    counters: Arc<Counters>,
    follower: Option<mpsc::Sender<Arc<Chunk>>>,
    order: Mutex<Order>,
    /// Watched beside the order, so that nobody waits for a number meanwhile.
    alerts: Mutex<Engine>,
    windows: Mutex<Windows>,
    queued: Arc<Semaphore>,
    dirty: Arc<Notify>,
    board: Arc<Published<Board>>,
}

/// What must change together for every batch, so that all readers see the same order.
#[derive(Debug, Default)]
struct Order {
    clients: Clients,
    last_seq: u64,
    /// Events that the ring was ever given.
    stored: u64,
    stages: Stages,
}

/// Room for a batch at everybody who takes it.
struct Room<'a> {
    permit: OwnedSemaphorePermit,
    slot: mpsc::Permit<'a, StoreMsg>,
    follower: Option<mpsc::Permit<'a, Arc<Chunk>>>,
    held: Option<Arc<OwnedSemaphorePermit>>,
}

impl Intake {
    /// `follower` sees every chunk in order and is waited for; `dirty` is notified when the store has news.
    pub fn new(
        store: StoreHandle,
        sinks: Arc<Outlets>,
        follower: Option<mpsc::Sender<Arc<Chunk>>>,
        dirty: Arc<Notify>,
        counters: Arc<Counters>,
    ) -> Self {
        let queued = Arc::new(Semaphore::new(QUEUE_KIB as usize));
        let order = Order { stages: Stages::new(Arc::clone(&counters)), ..Order::default() };
        Self {
            store,
            sinks,
            counters,
            follower,
            order: Mutex::new(order),
            alerts: Mutex::default(),
            windows: Mutex::default(),
            queued,
            dirty,
            board: Arc::new(Published::new(Board::default())),
        }
    }

    /// The alerts that hold, as of the last look.
    pub fn alerts(&self) -> &Arc<Published<Board>> {
        &self.board
    }

    /// Events that the stages change are read again as `reading` says.
    pub fn set_reading(&self, reading: Arc<Reading>) {
        lock(&self.order).stages.reading = reading;
    }

    /// What leaves memory has its secrets taken out by `redactor`, where there is one.
    pub fn set_hiding(&self, redactor: Option<Arc<Redactor>>) {
        lock(&self.order).stages.hiding = redactor;
    }

    /// What takes secrets out of what leaves memory, where memory has them.
    pub fn hiding(&self) -> Option<Arc<Redactor>> {
        lock(&self.order).stages.hiding.clone()
    }

    /// Goes on with other signal stages; what they are asked for from now on is as `make` says, unless they are set as
    /// before and keep what their limits have counted.
    pub fn set_signal(&self, signal: &Signal, make: impl FnOnce(&Signal) -> Signals) {
        let mut order = lock(&self.order);
        if order.stages.signals.signal() != signal {
            order.stages.signals = make(signal);
        }
    }

    pub fn sinks(&self) -> &Arc<Outlets> {
        &self.sinks
    }

    /// Takes note of events that an earlier taillight has written down: they are repeats if they come again.
    pub fn remember(&self, numbers: &[(u64, u64)]) {
        let mut order = lock(&self.order);
        for (client, number) in numbers {
            // What does not fit is told apart no more, as after any gap.
            let _ = order.clients.insert_range(ClientKey::from_bits(*client), *number, 1);
        }
    }

    pub fn store(&self) -> &StoreHandle {
        &self.store
    }

    /// A client's hello; `next` is the lowest number it still has. Gives the number up to which all was taken, and written by
    /// the sinks that promise to: where that takes long, only what the client knows of, and the rest comes again.
    pub async fn hello(&self, client: ClientKey, next: u64) -> u64 {
        let (acked, tickets) = {
            let mut order = lock(&self.order);
            (order.clients.hello(client, next), self.sinks.due())
        };
        match timeout(HELLO_WITHIN, tickets.settled()).await {
            Ok(true) => acked,
            _ => acked.min(next.saturating_sub(1)),
        }
    }

    /// Numbers that will never come: counted and told by an event, once each, however often the client says so. Gives the
    /// number up to which all was taken, and how many are newly missing.
    pub async fn gap(
        &self,
        client: ClientKey,
        mut gap: Gap<'_>,
        sender: &Sender,
        redactor: &Redactor,
    ) -> Result<(u64, u64), Refusal> {
        let acked = {
            let mut order = lock(&self.order);
            let fresh = order.clients.gap(client, gap.from, gap.to).map_err(|_| Refusal::TooManyGaps)?;
            gap.count = gap.count.min(fresh);
            order.clients.window(client).map_or(0, super::ack::Window::acked)
        };
        if gap.count > 0 {
            self.counters.add(Counter::Gaps, 1);
            self.counters.add(Counter::GapEvents, gap.count);
            self.submit(wire::gap_note(&gap, sender, redactor), None).await?;
        }
        Ok((acked, gap.count))
    }

    /// Whether half of what may wait for the store is there already.
    pub(super) fn has_little_room(&self) -> bool {
        self.queued.available_permits() * 2 < QUEUE_KIB as usize || self.store.has_little_room()
    }

    /// Waits for room as a batch of so many bytes would, and takes none.
    pub(super) async fn pass(&self, bytes: usize) {
        // A taillight that is stopping takes no batch that would have to wait.
        drop(self.room(bytes, 1).await);
    }

    /// Waits until whoever takes a batch of so many bytes and events has room for it.
    async fn room(&self, bytes: usize, events: usize) -> Result<Room<'_>, Refusal> {
        let share = events.saturating_mul(QUEUE_KIB as usize) / QUEUE_EVENTS;
        let kib = u32::try_from(share.max(bytes / 1024)).unwrap_or(QUEUE_KIB).clamp(1, QUEUE_KIB);
        let permit = Arc::clone(&self.queued).acquire_many_owned(kib).await.map_err(|_| Refusal::Stopping)?;
        let slot = self.store.reserve().await.ok_or(Refusal::Stopping)?;
        let follower = match &self.follower {
            Some(follower) => Some(follower.reserve().await.map_err(|_| Refusal::Stopping)?),
            None => None,
        };
        let held = self.sinks.hold(bytes).await;
        Ok(Room { permit, slot, follower, held })
    }

    /// Takes a batch: what its client sent before is left out, the rest goes through the signal stages and is stored
    /// exactly once. Ends when the batch may be acked.
    pub async fn submit(&self, mut batch: Batch, numbered: Option<Numbered>) -> Result<Receipt, Refusal> {
        let mut room = std::pin::pin!(self.room(batch.chunk.bytes(), batch.chunk.len()));
        let room = match poll!(&mut room) {
            Poll::Ready(room) => room,
            Poll::Pending => {
                self.counters.add(Counter::Backpressure, 1);
                room.await
            }
        };
        let Room { permit, slot, follower, held } = room?;
        let (mut receipt, now) = (Receipt::default(), super::now());
        let (ring, passed, first, tickets) = {
            let order = &mut *lock(&self.order);
            if let Some(numbered) = numbered {
                receipt.acked = Some(order.take(numbered, &mut batch)?);
            }
            let mut tally = tally_of(&batch);
            receipt.accepted = tally.accepted;
            receipt.duplicate = tally.duplicate;
            receipt.rejected = std::mem::take(&mut batch.rejected);
            let origin =
                numbered.filter(|_| !self.sinks.is_empty()).map(|numbered| origin_of(numbered, &batch));
            let mut staged = order.stages.pass(batch.chunk, origin, now, &mut tally);
            order.last_seq += staged.number_from(order.last_seq + 1);
            let Split { ring, outside, passing, origin } = staged.split();
            let first = order.stored;
            order.stored += ring.len() as u64;
            if let Some(follower) = follower {
                follower.send(outside);
            }
            slot.send(StoreMsg::Append { chunk: Arc::clone(&ring), tally, permit: Some(permit) });
            let tickets = self.sinks.offer(&Packet { chunk: Arc::clone(&passing), origin, held }, now);
            (ring, passing, first, tickets)
        };
        lock(&self.alerts).observe(&ring, first, now);
        if self.sinks.takes_summaries() {
            lock(&self.windows).observe(&passed, now);
        }
        drop((ring, passed));
        self.dirty.notify_one();
        if tickets.settled().await { Ok(receipt) } else { Err(Refusal::Stopping) }
    }

    /// Goes on with these alerts; what is watched as before keeps what it has seen.
    pub fn set_alerts(&self, rules: &[Rule]) {
        lock(&self.alerts).replace(rules);
    }

    /// The names of the alerts that are watched.
    pub fn alert_names(&self) -> Vec<String> {
        lock(&self.alerts).names()
    }

    /// Goes on with these times for summaries.
    pub fn set_times(&self, times: SummaryTimes) {
        lock(&self.windows).set_times(times);
    }

    /// Leaves out of the summaries and of the alerts what is of `who`.
    pub fn forget(&self, who: &Person) {
        lock(&self.windows).forget(who);
        let mut alerts = lock(&self.alerts);
        alerts.forget(who);
        self.board.set(Arc::new(alerts.firing()));
    }

    /// Looks at the alerts: publishes those that hold, and tells of each that began or ended in an event of taillight's
    /// own. No sink's room is waited for: few of them come, and a sink that is stuck may be what they are about.
    pub async fn watch(&self) {
        let (changes, firing) = {
            let (mut alerts, now) = (lock(&self.alerts), super::now());
            (alerts.evaluate(now), alerts.firing())
        };
        if *self.board.get() != firing {
            self.board.set(Arc::new(firing));
        }
        for change in changes {
            // A taillight that is stopping tells nobody any more.
            let _ = self.tell(&telling::alert(&change), &change.firing.rule.sinks).await;
        }
    }

    /// Adds an event of taillight's own, and offers it to the sinks of these names whatever they select; to all if there
    /// are none.
    async fn tell(&self, note: &Note<'_>, names: &[String]) -> Result<(), Refusal> {
        let slot = self.store.reserve().await.ok_or(Refusal::Stopping)?;
        let follower = match &self.follower {
            Some(follower) => Some(follower.reserve().await.map_err(|_| Refusal::Stopping)?),
            None => None,
        };
        let now = super::now();
        let mut chunk = wire::own_notes(std::slice::from_ref(note), now);
        let hidden = self.hiding().map(|redactor| telling::hidden(note, &redactor));
        let mut outside = hidden.map(|note| wire::own_notes(&[note], now));
        {
            let mut order = lock(&self.order);
            outside.iter_mut().for_each(|outside| outside.number_from(order.last_seq + 1));
            order.number(&mut chunk);
            order.stored += chunk.len() as u64;
            order.stages.count_own(chunk.len() as u64);
            let (chunk, tally) = (Arc::new(chunk), Tally { own: 1, ..Tally::default() });
            let outside = outside.map_or_else(|| Arc::clone(&chunk), Arc::new);
            if let Some(follower) = follower {
                follower.send(Arc::clone(&outside));
            }
            let packet = Packet::of(outside);
            slot.send(StoreMsg::Append { chunk, tally, permit: None });
            // Nobody waits for its ack.
            drop(match names {
                [] => self.sinks.offer(&packet, now),
                names => self.sinks.offer_to(&packet, names, now),
            });
        }
        self.dirty.notify_one();
        Ok(())
    }

    /// Offers to the sinks what has closed by now, at the end everything: endpoints' minutes and sessions. The ring has
    /// their events.
    pub fn summarize(&self, is_end: bool) {
        let now = super::now();
        let closed = {
            let mut windows = lock(&self.windows);
            if is_end { windows.close_all() } else { windows.close(now) }
        };
        if closed.is_empty() {
            return;
        }
        let mut chunk = wire::own_notes(&telling::summaries(&closed), now);
        let mut order = lock(&self.order);
        order.number(&mut chunk);
        // Nobody waits for its ack.
        drop(self.sinks.offer_summaries(&Packet::of(Arc::new(chunk)), now));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Order {
    fn number(&mut self, chunk: &mut Chunk) {
        chunk.number_from(self.last_seq + 1);
        self.last_seq += chunk.len() as u64;
    }

    /// Marks the batch's numbers as taken and leaves in it only what was new.
    fn take(&mut self, numbered: Numbered, batch: &mut Batch) -> Result<u64, Refusal> {
        let count = u64::from(batch.offered);
        let fresh: Option<Vec<bool>> = self.clients.window(numbered.client).map(|window| {
            (0..count).map(|position| window.fresh(numbered.first.saturating_add(position))).collect()
        });
        let new = self.clients.insert_range(numbered.client, numbered.first, count);
        let new = new.map_err(|_| Refusal::TooManyGaps)?;
        if let Some(fresh) = fresh.filter(|_| new < count) {
            batch.retain(|position| fresh[position as usize]);
        }
        Ok(self.clients.window(numbered.client).map_or(0, super::ack::Window::acked))
    }
}

/// The client's number of each row.
fn origin_of(numbered: Numbered, batch: &Batch) -> Arc<Origin> {
    let numbers = batch.index.iter().map(|position| numbered.first.saturating_add(u64::from(*position)));
    Arc::new(Origin { client: numbered.client.bits(), numbers: numbers.collect() })
}

fn tally_of(batch: &Batch) -> Tally {
    let own = batch.chunk.flags().iter().filter(|flags| flags.has(Flags::OWN)).count() as u64;
    let accepted = batch.chunk.len() as u64 - own;
    let mut rejected: BTreeMap<&'static str, u64> = BTreeMap::new();
    for refusal in &batch.rejected {
        *rejected.entry(refusal.reason).or_default() += 1;
    }
    Tally {
        accepted,
        duplicate: u64::from(batch.offered) - accepted - batch.rejected.len() as u64,
        rejected,
        own,
        redacted: batch.scrubbed.redacted,
        repaired: batch.scrubbed.repaired,
        cut: batch.scrubbed.cut,
        flattened: batch.scrubbed.flattened,
    }
}
