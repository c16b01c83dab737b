//! The store's thread and the handle that reaches it.
//!
//! `run` spawns it; `ingest` and recordings hold a [`StoreHandle`]. The thread takes every message that is waiting,
//! applies them in order and publishes at most once for each tick.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::Mapping;
use super::Store;
use super::ledger::{Ledger, Tally};
use super::ring::Retention;
use super::snapshot::{Presence, Snapshot};
use crate::event::{Chunk, Person, Timestamp};
use crate::published::Published;

/// Messages that may wait; the bytes they hold are bounded by whoever sends them.
const QUEUE: usize = 1_024;
/// Messages applied before looking at the time again.
const BURST: usize = 256;

/// What the store is told.
#[derive(Debug)]
pub enum StoreMsg {
    /// Events, numbered, and what was counted on their way. The permit is given back once they are stored.
    Append { chunk: Arc<Chunk>, tally: Tally, permit: Option<OwnedSemaphorePermit> },
    /// Events that are kept were placed by source maps.
    Map(Vec<Mapping>),
    /// A page's connection opened or closed; `agent` is its browser, as far as that is known.
    Session { session: Arc<str>, tab: Arc<str>, agent: Arc<str>, presence: Presence, at: Timestamp },
    /// Publish what is there.
    Tick(Timestamp),
    /// Let go of a person's events, and answer with how many there were.
    Forget { who: Person, answer: oneshot::Sender<u64> },
    /// Answer with the books as of all messages before this one.
    Report(oneshot::Sender<Ledger>),
    /// Answer with everything readers see, as of all messages before this one.
    Look { now: Timestamp, answer: oneshot::Sender<Snapshot> },
}

/// The way to a running store.
#[derive(Clone, Debug)]
pub struct StoreHandle {
    sender: mpsc::Sender<StoreMsg>,
}

impl StoreHandle {
    /// A way to whoever holds the other end, with room for so many messages.
    #[cfg(test)]
    pub fn to_nobody(room: usize) -> (Self, mpsc::Receiver<StoreMsg>) {
        let (sender, receiver) = mpsc::channel(room);
        (Self { sender }, receiver)
    }

    /// Waits for room and sends; `false` if the store has stopped.
    pub async fn send(&self, message: StoreMsg) -> bool {
        self.sender.send(message).await.is_ok()
    }

    /// As [`StoreHandle::send`], from a thread that may block.
    pub fn send_blocking(&self, message: StoreMsg) -> bool {
        self.sender.blocking_send(message).is_ok()
    }

    /// Waits for room without sending yet, so that what follows cannot be interrupted.
    pub async fn reserve(&self) -> Option<mpsc::Permit<'_, StoreMsg>> {
        self.sender.reserve().await.ok()
    }

    /// Whether fewer than half of the messages that may wait have room.
    pub fn has_little_room(&self) -> bool {
        self.sender.capacity() * 2 < self.sender.max_capacity()
    }

    /// The books as of everything sent before.
    pub async fn ledger(&self) -> Option<Ledger> {
        let (answer, books) = oneshot::channel();
        self.send(StoreMsg::Report(answer)).await.then_some(())?;
        books.await.ok()
    }

    /// Lets go of a person's events; gives how many there were.
    pub async fn forget(&self, who: Person) -> Option<u64> {
        let (answer, gone) = oneshot::channel();
        self.send(StoreMsg::Forget { who, answer }).await.then_some(())?;
        gone.await.ok()
    }

    /// What readers see at `now`, as of everything sent before.
    pub async fn look(&self, now: Timestamp) -> Option<Snapshot> {
        let (answer, snapshot) = oneshot::channel();
        self.send(StoreMsg::Look { now, answer }).await.then_some(())?;
        snapshot.await.ok()
    }
}

/// Starts the store; it ends when the last handle is dropped.
///
/// # Errors
/// When the operating system gives no thread.
pub fn spawn(
    retention: Retention,
    published: Arc<Published<Snapshot>>,
) -> std::io::Result<(StoreHandle, JoinHandle<()>)> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let thread =
        thread::Builder::new().name("store".into()).spawn(move || work(retention, receiver, &published))?;
    Ok((StoreHandle { sender }, thread))
}

fn work(retention: Retention, mut receiver: mpsc::Receiver<StoreMsg>, published: &Published<Snapshot>) {
    let mut store = Store::new(retention);
    let mut waiting = Vec::with_capacity(BURST);
    while receiver.blocking_recv_many(&mut waiting, BURST) > 0 {
        let mut tick = None;
        for message in waiting.drain(..) {
            match message {
                StoreMsg::Append { chunk, tally, permit } => {
                    store.append(&chunk, &tally);
                    drop(permit);
                }
                StoreMsg::Map(mappings) => store.map(&mappings),
                StoreMsg::Session { session, tab, agent, presence, at } => {
                    store.note_session(&session, presence, at);
                    if presence == Presence::Here {
                        store.note_connection(&session, &tab, at);
                        store.note_agent(&session, &agent);
                    }
                }
                StoreMsg::Tick(now) => tick = Some(now),
                StoreMsg::Forget { who, answer } => drop(answer.send(store.forget(&who))),
                // Whoever asked may have gone; there is nobody left to tell.
                StoreMsg::Report(answer) => drop(answer.send(store.ledger())),
                StoreMsg::Look { now, answer } => drop(answer.send(store.snapshot(now))),
            }
        }
        if let Some(now) = tick {
            published.set(Arc::new(store.snapshot(now)));
        }
    }
}
