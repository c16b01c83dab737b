//! Connections that are still HTTP: how many there may be, and which one goes when there are too many.
//!
//! Asked by `ingest::server` before it accepts. It knows places and their order, nothing of what is said.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

/// Sockets that are no WebSocket (yet); beyond it the oldest is closed (SECURITY: limits).
const MAX_PENDING: usize = 256;
/// How long the oldest has before it goes: in a burst all will be done soon, and those who come meanwhile can wait in the
/// kernel's queue.
const GRACE: Duration = Duration::from_secs(1);

/// All of them, oldest first.
#[derive(Debug, Default)]
pub(super) struct Pending {
    list: Mutex<List>,
    left: Notify,
}

#[derive(Debug, Default)]
struct List {
    next: u64,
    places: BTreeMap<u64, (Instant, oneshot::Sender<()>)>,
}

impl Pending {
    /// Returns once one more may come: where there is room, or where the oldest has had its time.
    pub(super) async fn room(&self) {
        while let Some(until) = self.full_until() {
            if until <= Instant::now() {
                return;
            }
            tokio::select! {
                () = self.left.notified() => {}
                () = sleep_until(until) => {}
            }
        }
    }

    fn full_until(&self) -> Option<Instant> {
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, _) = list.places.values().next().filter(|_| list.places.len() >= MAX_PENDING)?;
        Some(*since + GRACE)
    }

    /// A place for one more, for which the oldest may lose its own.
    pub(super) fn enter(self: &Arc<Self>) -> Place {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = if list.places.len() >= MAX_PENDING { list.places.pop_first() } else { None };
        if let Some((_, (_, lose))) = oldest {
            // It may be leaving by itself.
            let _ = lose.send(());
        }
        let number = list.next;
        list.next += 1;
        let (lose, lost) = oneshot::channel();
        list.places.insert(number, (Instant::now(), lose));
        Place { number, lost, pending: Arc::clone(self) }
    }
}

/// Held by a connection while it is HTTP.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    lost: oneshot::Receiver<()>,
    pending: Arc<Pending>,
}

impl Place {
    /// Returns when it is needed for another connection.
    pub(super) async fn lost(&mut self) {
        // The other end is dropped without a word only after this place.
        let _ = (&mut self.lost).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.pending.list.lock().unwrap_or_else(PoisonError::into_inner).places.remove(&self.number);
        self.pending.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
    }

    #[test]
    fn one_more_waits_for_whoever_leaves() {
        runtime().block_on(async {
            let pending = Arc::new(Pending::default());
            let mut places: Vec<_> = (0..MAX_PENDING).map(|_| pending.enter()).collect();
            assert_eq!(pending.room().now_or_never(), None, "all are young");
            drop(places.swap_remove(7));
            pending.room().await;
            let _one_more = pending.enter();
            assert!(places.iter_mut().all(|place| place.lost().now_or_never().is_none()));
        });
    }

    #[test]
    fn the_oldest_goes_once_it_has_had_its_time() {
        runtime().block_on(async {
            let pending = Arc::new(Pending::default());
            let mut places: Vec<_> = (0..MAX_PENDING).map(|_| pending.enter()).collect();
            let begun = Instant::now();
            pending.room().await;
            assert!(begun.elapsed() + Duration::from_millis(50) >= GRACE);
            let _last = pending.enter();
            places[0].lost().await;
            assert_eq!(places[1].lost().now_or_never(), None);
        });
    }
}
