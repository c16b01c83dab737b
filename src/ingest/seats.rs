//! How many WebSockets may be open, and for whom the last of them are kept.
//!
//! Asked by `ingest::http` before it opens one. It knows origins and how many each has; nothing of what is said.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;

/// The share of all that is kept for origins that have none: a page that opens them without end keeps no other app out.
const KEPT: u64 = 10;

/// The one word for all connections without an origin, which pages always have.
const NO_ORIGIN: &str = "";

/// Why there is none to be had.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Crowded {
    #[error("all {most} connections are taken; close pages that are not needed, or raise `max-connections`")]
    All { most: u64 },
    #[error(
        "the last {kept} of {most} connections are kept for origins that have none, and {who} has some; \
         close pages that are not needed, or raise `max-connections`"
    )]
    Kept { kept: u64, most: u64, who: String },
}

/// All of them.
#[derive(Debug)]
pub(super) struct Seats {
    most: u64,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: u64,
    /// Origins that have at least one, and how many.
    by_origin: HashMap<Arc<str>, u64>,
}

impl Seats {
    pub(super) fn new(most: u64) -> Self {
        Self { most, taken: Mutex::default() }
    }

    /// A connection for a page of `origin`, as long as the answer is kept.
    pub(super) fn take(self: &Arc<Self>, origin: Option<&str>) -> Result<Seat, Crowded> {
        let origin = origin.unwrap_or(NO_ORIGIN);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let known = taken.by_origin.get_key_value(origin).map(|(name, own)| (Arc::clone(name), *own));
        let (most, kept) = (self.most, self.most / KEPT);
        if taken.all >= most {
            return Err(Crowded::All { most });
        }
        if known.is_some() && taken.all >= most - kept {
            let who =
                if origin == NO_ORIGIN { "what has no origin".to_owned() } else { format!("`{origin}`") };
            return Err(Crowded::Kept { kept, most, who });
        }
        let (name, own) = known.unwrap_or_else(|| (Arc::from(origin), 0));
        taken.all += 1;
        taken.by_origin.insert(Arc::clone(&name), own + 1);
        drop(taken);
        Ok(Seat { origin: name, seats: Arc::clone(self) })
    }
}

/// Held by a connection from its handshake to its end.
#[derive(Debug)]
pub(super) struct Seat {
    origin: Arc<str>,
    seats: Arc<Seats>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(own) = taken.by_origin.get_mut(&self.origin) {
            *own -= 1;
            if *own == 0 {
                taken.by_origin.remove(&self.origin);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_tenth_is_for_origins_that_have_none() {
        for (most, for_one) in [(1, 1), (9, 9), (10, 9), (20, 18), (10_240, 9_216)] {
            let seats = Arc::new(Seats::new(most));
            let one: Vec<Seat> = std::iter::from_fn(|| seats.take(Some("http://a")).ok()).collect();
            assert_eq!(one.len() as u64, for_one, "{most}");
            let others: Vec<Seat> = (for_one..most)
                .map(|n| seats.take(Some(&format!("http://b{n}"))).expect("kept for it"))
                .collect();
            for origin in [None, Some("http://a"), Some("http://new")] {
                assert_eq!(seats.take(origin).err(), Some(Crowded::All { most }), "{most}");
            }
            drop((one, others));
            let taken = seats.taken.lock().expect("unpoisoned");
            assert_eq!((taken.all, taken.by_origin.len()), (0, 0), "{most}");
        }
    }

    #[test]
    fn no_origin_is_one_and_whoever_has_left_has_none() {
        let seats = Arc::new(Seats::new(10));
        let mut one: Vec<Seat> = (0..9).map(|_| seats.take(None).expect("there is room")).collect();
        let told = seats.take(None).expect_err("it has nine").to_string();
        assert!(
            told.starts_with("the last 1 of 10 connections are kept") && told.contains("what has no origin"),
            "{told}"
        );
        let other = seats.take(Some("http://a")).expect("the first of its origin");
        one.pop();
        assert!(seats.take(Some("http://a")).is_err(), "it has one");
        drop(other);
        assert!(seats.take(Some("http://a")).is_ok(), "it has none any more");
        one.pop();
        assert!(seats.take(None).is_ok(), "eight are taken");
    }

    proptest::proptest! {
        #[test]
        fn what_is_taken_is_what_is_held(
            most in 1_u64..40,
            steps in proptest::collection::vec((0_usize..4, proptest::bool::ANY), 0..120),
        ) {
            let seats = Arc::new(Seats::new(most));
            let origins = [None, Some("http://a"), Some("http://b"), Some("null")];
            let mut held: Vec<(usize, Seat)> = Vec::new();
            for (which, comes) in steps {
                if comes {
                    let has = held.iter().any(|(of, _)| *of == which);
                    let limit = if has { most - most / KEPT } else { most };
                    let seat = seats.take(origins[which]);
                    proptest::prop_assert_eq!(seat.is_ok(), (held.len() as u64) < limit);
                    held.extend(seat.ok().map(|seat| (which, seat)));
                } else if let Some(at) = held.iter().position(|(of, _)| *of == which) {
                    held.remove(at);
                }
                let taken = seats.taken.lock().expect("unpoisoned");
                proptest::prop_assert_eq!(taken.all, held.len() as u64);
                proptest::prop_assert_eq!(taken.by_origin.values().sum::<u64>(), taken.all);
            }
        }
    }
}
