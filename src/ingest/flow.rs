//! What one connection may bring in beside all others: so many events a second and, while there is little room, as many bytes
//! in a turn as anybody else.
//!
//! Held by every WebSocket connection, asked before each of its batches. Who has to wait is not read from meanwhile; nothing
//! is refused. Waiting holds no room, so nobody waits for somebody who waits.

use std::pin::pin;
use std::time::Duration;

use futures_util::poll;
use tokio::time::{Instant, sleep_until};

use super::intake::Intake;

/// Events a second of one connection (SECURITY: limits).
const EVENTS_PER_S: u32 = 200_000;
/// How far it may be ahead of that: nobody sleeps for less.
const AHEAD: Duration = Duration::from_millis(20);
/// Bytes of a turn: what clients are told to send at once.
const TURN: usize = 64 * 1024;

/// See the top.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// When its events so far would have come at that rate.
    until: Option<Instant>,
    /// Turns of others that its last batch took beside its own.
    owed: usize,
}

impl Flow {
    /// A batch of so many bytes and events was brought in.
    pub(super) fn took(&mut self, bytes: usize, events: u32) {
        let (now, span) = (Instant::now(), Duration::from_secs(1) * events / EVENTS_PER_S);
        self.until = Some(self.until.map_or(now, |until| until.max(now)) + span);
        self.owed = bytes.saturating_sub(1) / TURN;
    }

    /// When the next batch may be brought in, where that is later than now.
    fn rests_until(&self) -> Option<Instant> {
        let until = self.until?;
        (until.saturating_duration_since(Instant::now()) > AHEAD).then(|| until - AHEAD)
    }

    /// Whether [`Flow::turn`] may take its time.
    pub(super) fn may_wait(&self, intake: &Intake) -> bool {
        self.rests_until().is_some() || self.owed > 0 && intake.has_little_room()
    }

    /// Waits until the next batch may be brought in: while there is little room everybody who waits comes first, once for
    /// each turn that is owed. Whether it took its time.
    pub(super) async fn turn(&mut self, intake: &Intake) -> bool {
        let rests = self.rests_until();
        if let Some(until) = rests {
            sleep_until(until).await;
        }
        let mut has_waited = rests.is_some();
        while self.owed > 0 && intake.has_little_room() {
            let mut turn = pin!(intake.pass(TURN));
            if poll!(&mut turn).is_pending() {
                has_waited = true;
                turn.await;
            }
            self.owed -= 1;
        }
        self.owed = 0;
        has_waited
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;
    use tokio::sync::{Notify, mpsc};
    use tokio::task::yield_now;

    use super::*;
    use crate::counters::{Counter, Counters};
    use crate::pipeline::Redactor;
    use crate::sinks::Outlets;
    use crate::store::{StoreHandle, StoreMsg};
    use crate::wire::{Batch, Body, Sender, decode_body};

    /// An intake whose store does nothing by itself.
    fn intake(room: usize) -> (Arc<Intake>, mpsc::Receiver<StoreMsg>, Arc<Counters>) {
        let (store, stored) = StoreHandle::to_nobody(room);
        let counters = Arc::new(Counters::default());
        let sinks = Arc::new(Outlets::default());
        let intake = Intake::new(store, sinks, None, Arc::new(Notify::new()), Arc::clone(&counters));
        (Arc::new(intake), stored, counters)
    }

    fn batch(events: usize, bytes: usize) -> Batch {
        let event = format!("{{\"message\":\"{}\"}}", "x".repeat(bytes));
        let body = format!("[{}]", vec![event; events].join(","));
        let Ok(Body::Bare(batch)) = decode_body(&body, &Sender::default(), &Redactor::default()) else {
            panic!("events")
        };
        batch
    }

    fn paused() -> tokio::runtime::Runtime {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().expect("a runtime")
    }

    #[test]
    fn a_connection_brings_in_so_many_events_a_second_and_less_without_a_pause() {
        paused().block_on(async {
            let (intake, _stored, _) = intake(8);
            let (begun, mut flow) = (Instant::now(), Flow::default());
            for _ in 0..100 {
                flow.turn(&intake).await;
                flow.took(1_000, 10_000);
            }
            // The last batch may be ahead, and so may a little more.
            let least = Duration::from_secs(5) - Duration::from_millis(50) - AHEAD;
            assert!((least..Duration::from_secs(5)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
            let (begun, mut flow) = (Instant::now(), Flow::default());
            for _ in 0..10 {
                assert!(!flow.turn(&intake).await && !flow.may_wait(&intake));
                flow.took(1_000, 1_000);
                tokio::time::advance(Duration::from_millis(6)).await;
            }
            assert_eq!(begun.elapsed(), Duration::from_millis(60), "nothing but the test has waited");
        });
    }

    #[test]
    fn while_there_is_little_room_large_batches_bring_in_as_much_as_small_ones() {
        paused().block_on(async {
            let (intake, mut stored, _) = intake(4);
            // 15 rows tell the large batches from the others.
            for batch in [batch(15, 60_000), batch(1, 60_000), batch(1, 60_000), batch(1, 60_000)] {
                let intake = Arc::clone(&intake);
                tokio::spawn(async move {
                    let mut flow = Flow::default();
                    loop {
                        flow.turn(&intake).await;
                        flow.took(batch.chunk.bytes(), batch.offered);
                        intake.submit(batch.clone(), None).await.expect("taken");
                        yield_now().await;
                    }
                });
            }
            let (mut large, mut small) = (0, 0);
            for _ in 0..600 {
                match stored.recv().await {
                    Some(StoreMsg::Append { chunk, .. }) if chunk.len() > 1 => large += chunk.len(),
                    Some(_) => small += 1,
                    None => panic!("the intake is gone"),
                }
                for _ in 0..8 {
                    yield_now().await;
                }
            }
            // Per connection, in events of one size: one has the large batches, three the small ones.
            let share = large * 3;
            assert!(share > small / 2 && share < small * 2, "{large} by one, {small} by three");
        });
    }

    #[test]
    fn so_many_events_wait_for_the_store_however_small_and_whoever_waits_is_counted() {
        paused().block_on(async {
            let (intake, mut stored, counters) = intake(1_024);
            let tiny = batch(10_000, 0);
            for nth in 0..10 {
                assert!(intake.submit(tiny.clone(), None).now_or_never().is_some(), "batch {nth}");
                assert_eq!(intake.has_little_room(), nth >= 5, "batch {nth}");
            }
            let mut waits = std::pin::pin!(intake.submit(tiny.clone(), None));
            assert!(poll!(&mut waits).is_pending(), "a hundred thousand are there");
            assert_eq!(counters.get(Counter::Backpressure), 1);
            drop(stored.recv().await);
            assert_eq!(waits.await.expect("taken").accepted, 10_000);
        });
    }
}
