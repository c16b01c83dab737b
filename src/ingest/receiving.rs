//! What all connections together hold of large messages that are not there yet, and which one goes when it is too much.
//!
//! Told by `ingest::meter` how far each message has come. It knows sizes and times, nothing of what is said.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

/// For all connections together (SECURITY: receive buffers).
const MOST: u64 = 256 * 1024 * 1024;
/// What is smaller is not counted: as many connections as may be hold little of it.
const LARGE: u64 = 64 * 1024;

/// All large messages that are on their way.
#[derive(Debug)]
pub(super) struct Receiving {
    most: u64,
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
    all: u64,
    next: u64,
    parts: HashMap<u64, Part>,
}

#[derive(Debug)]
struct Part {
    bytes: u64,
    /// When the last of them came.
    at: Instant,
    lose: Arc<Notify>,
}

impl Default for Receiving {
    fn default() -> Self {
        Self::up_to(MOST)
    }
}

impl Receiving {
    pub(super) fn up_to(most: u64) -> Self {
        Self { most, list: Mutex::default() }
    }

    #[cfg(test)]
    pub(super) fn all(&self) -> u64 {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).all
    }

    /// One connection more.
    pub(super) fn enter(self: &Arc<Self>) -> Share {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.next += 1;
        let (number, booked) = (list.next, AtomicU64::new(0));
        drop(list);
        Share { receiving: Arc::clone(self), number, booked, lose: Arc::default() }
    }

    /// Books that the connection of `share` holds so many bytes now. Should that be too much for all, the ones go that were
    /// quiet longest.
    fn book(&self, share: &Share, bytes: u64) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let before = list.parts.remove(&share.number).map_or(0, |part| part.bytes);
        list.all -= before;
        if bytes == 0 {
            return;
        }
        list.all += bytes;
        let part = Part { bytes, at: Instant::now(), lose: Arc::clone(&share.lose) };
        list.parts.insert(share.number, part);
        while list.all > self.most {
            let quiet = list.parts.iter().min_by_key(|(number, part)| (part.at, **number));
            let Some(gone) = quiet.map(|(number, _)| *number).and_then(|number| list.parts.remove(&number))
            else {
                return;
            };
            list.all -= gone.bytes;
            gone.lose.notify_one();
        }
    }
}

/// What one connection holds of it.
#[derive(Debug)]
pub(super) struct Share {
    receiving: Arc<Receiving>,
    number: u64,
    booked: AtomicU64,
    lose: Arc<Notify>,
}

impl Share {
    /// The message under way has so many bytes now.
    pub(super) fn holds(&self, bytes: u64) {
        let bytes = if bytes < LARGE { 0 } else { bytes };
        if self.booked.swap(bytes, Ordering::Relaxed) != bytes {
            self.receiving.book(self, bytes);
        }
    }

    /// Returns once its room is needed for others.
    pub(super) async fn lost(&self) {
        self.lose.notified().await;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.holds(0);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn the_ones_that_were_quiet_longest_go_and_small_messages_do_not_count() {
        let receiving = Arc::new(Receiving::up_to(10 * LARGE));
        let all: Vec<Share> = (0..6).map(|_| receiving.enter()).collect();
        let lost = || all.iter().map(|share| share.lost().now_or_never().is_some()).collect::<Vec<_>>();
        all.iter().for_each(|share| share.holds(LARGE - 1));
        assert!(receiving.list.lock().expect("unpoisoned").parts.is_empty());
        for share in &all[..5] {
            share.holds(2 * LARGE);
        }
        assert_eq!(lost(), [false; 6]);
        all[0].holds(2 * LARGE + 1);
        assert_eq!(lost(), [false, true, false, false, false, false], "the first has just been heard");
        all[5].holds(4 * LARGE);
        assert_eq!(lost(), [false, false, true, true, false, false]);
        all.iter().for_each(|share| share.holds(0));
        assert_eq!(receiving.all(), 0);
        all[0].holds(9 * LARGE);
        drop(all);
        let list = receiving.list.lock().expect("unpoisoned");
        assert_eq!((list.all, list.parts.len()), (0, 0));
    }
}
