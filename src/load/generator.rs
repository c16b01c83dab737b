//! `taillight load`: many connections, events at a rate or as fast as acks allow, and what became of them.
//!
//! Called by `run`. A connection has at most four batches under way. It sends them again only when it is told to
//! wait, as a page does, so what was sent and not acked in the end is what the ingestor lost.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use hdrhistogram::Histogram;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::client::{Client, Hello, LoadError, Target};
use super::events::Pool;
use super::places::ORIGIN;
use crate::event::Timestamp;

/// Batches of a connection that may wait for their ack.
const WINDOW: usize = 4;
/// How long the last acks are waited for.
const LINGER: Duration = Duration::from_secs(10);
/// Longer acks count as this: one minute in microseconds.
const MAX_ACK_US: u64 = 60_000_000;
const SEED: u64 = 0x7a11;
/// Connections that are being made at once.
const CONNECTING: usize = 64;
/// Files that are open beside the connections.
const OTHER_FILES: u64 = 64;
/// The longest wait between two tries, whatever the ingestor asks for.
const MAX_HOLD: Duration = Duration::from_secs(8);
/// The shortest, so that nobody can be made to send without a pause.
const MIN_HOLD: Duration = Duration::from_millis(10);

/// What to send, where and for how long.
#[derive(Clone, Debug)]
pub struct Options {
    pub url: String,
    pub connections: u32,
    /// Events a second, all connections together; 0 is as fast as acks allow.
    pub rate: u64,
    pub time: Duration,
    /// Events of a batch; fewer where the rate would have one batch take longer than a second.
    pub batch: u32,
}

/// What became of the events.
#[derive(Clone, Debug)]
pub struct Report {
    pub sent: u64,
    pub acked: u64,
    /// From the first event to the last ack.
    pub elapsed: Duration,
    /// Microseconds from a batch to its ack.
    acks_us: Histogram<u64>,
    /// Times that connections were told to wait.
    pub throttled: u64,
    /// Why a connection ended early, or what its ingestor complained about.
    pub trouble: Option<String>,
}

impl Report {
    fn new() -> Self {
        let acks_us =
            Histogram::new_with_bounds(1, MAX_ACK_US, 3).expect("the bounds are constants that fit");
        Self { sent: 0, acked: 0, elapsed: Duration::ZERO, acks_us, throttled: 0, trouble: None }
    }

    pub fn lost(&self) -> u64 {
        self.sent.saturating_sub(self.acked)
    }

    /// Acked events a second.
    pub fn rate(&self) -> u64 {
        let micros = self.elapsed.as_micros().max(1);
        u64::try_from(u128::from(self.acked) * 1_000_000 / micros).unwrap_or(u64::MAX)
    }

    /// Milliseconds within which the share `quantile` (0 to 1) of the batches was acked.
    pub fn ack_ms(&self, quantile: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "at most a minute")]
        let micros = self.acks_us.value_at_quantile(quantile) as f64;
        micros / 1_000.0
    }

    fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.acked += other.acked;
        self.throttled += other.throttled;
        self.elapsed = self.elapsed.max(other.elapsed);
        self.acks_us.add(&other.acks_us).expect("all have the same bounds");
        self.trouble = self.trouble.take().or(other.trouble);
    }
}

/// Connects, sends for as long as asked or until `stop`, and waits for the last acks. `now` is the wall clock.
///
/// # Errors
/// When the URL is none or the first connections are refused; later trouble is in the report.
pub async fn run(
    options: &Options,
    now: fn() -> Timestamp,
    stop: impl Future<Output = ()>,
) -> Result<Report, LoadError> {
    let target = Target::parse(&options.url)?;
    // Where the system refuses, connections beyond its limit fail with the reason.
    let _ = rlimit::increase_nofile_limit(u64::from(options.connections) + OTHER_FILES);
    let clients = connect(&target, options.connections, now).await?;
    let pool = Arc::new(Pool::new(SEED));
    let pace = Pace::of(options);
    let start = Instant::now();
    let mut pumps = JoinSet::new();
    let (stopping, stopped) = watch::channel(());
    for (number, client) in (0_u32..).zip(clients) {
        // Spread over one interval, as connections of different pages are.
        let offset = pace.every.map_or(Duration::ZERO, |every| every * number / options.connections);
        let pump = Pump {
            client,
            pool: Arc::clone(&pool),
            now,
            batch: pace.batch,
            every: pace.every,
            due: start + offset,
            until: start + options.time,
            stopped: stopped.clone(),
            next: 1,
            at: number as usize * 97,
            waiting: VecDeque::new(),
            hold: None,
            throttles: 0,
            report: Report::new(),
        };
        pumps.spawn(pump.run(start));
    }
    let mut report = Report::new();
    let mut stop = pin!(stop);
    let mut goes_on = true;
    loop {
        tokio::select! {
            () = &mut stop, if goes_on => {
                goes_on = false;
                stopping.send_replace(());
            }
            ended = pumps.join_next() => match ended {
                Some(Ok(part)) => report.add(part),
                Some(Err(error)) => report.trouble = Some(error.to_string()),
                None => return Ok(report),
            },
        }
    }
}

async fn connect(
    target: &Target,
    connections: u32,
    now: fn() -> Timestamp,
) -> Result<Vec<Client>, LoadError> {
    let client = |number| async move {
        let session = format!("load-{number}");
        let hello =
            Hello { session: &session, user: None, tab: &session, page: ORIGIN, now_ms: now().0, agent: "" };
        Client::connect(target, &hello).await
    };
    stream::iter(0..connections).map(client).buffered(CONNECTING).try_collect().await
}

/// How often a connection sends how much.
#[derive(Debug, PartialEq, Eq)]
struct Pace {
    batch: u32,
    /// `None`: at once.
    every: Option<Duration>,
}

impl Pace {
    fn of(options: &Options) -> Self {
        if options.rate == 0 {
            return Self { batch: options.batch, every: None };
        }
        let connections = u64::from(options.connections);
        let a_second = u32::try_from((options.rate / connections).max(1)).unwrap_or(u32::MAX);
        let batch = options.batch.min(a_second);
        let nanos = u64::from(batch) * connections * 1_000_000_000 / options.rate;
        Self { batch, every: Some(Duration::from_nanos(nanos)) }
    }
}

/// A batch that was sent and not acked; it is made anew to be sent again.
#[derive(Clone, Copy)]
struct Waiting {
    /// Numbers of its first and last event.
    first: u64,
    last: u64,
    /// Where in the pool it begins, and what its events say of the time.
    at: usize,
    stamp_ms: i64,
    sent: Instant,
}

/// How long to wait after so many throttles in a row, `asked` being what the ingestor asked for.
fn hold_for(asked: Duration, throttles: u32) -> Duration {
    asked.max(MIN_HOLD).saturating_mul(1_u32.checked_shl(throttles).unwrap_or(u32::MAX)).min(MAX_HOLD)
}

struct Pump {
    client: Client,
    pool: Arc<Pool>,
    now: fn() -> Timestamp,
    batch: u32,
    every: Option<Duration>,
    due: Instant,
    until: Instant,
    /// Says when to end before that.
    stopped: watch::Receiver<()>,
    /// The number of the next event.
    next: u64,
    /// Where in the pool it is.
    at: usize,
    /// The batches under way, oldest first.
    waiting: VecDeque<Waiting>,
    /// While the ingestor wants nothing: when to send everything that waits again.
    hold: Option<Instant>,
    /// Times in a row that it wanted nothing.
    throttles: u32,
    report: Report,
}

impl Pump {
    async fn run(mut self, start: Instant) -> Report {
        loop {
            let deadline = self.until + LINGER;
            // Who has nothing more to send stays as a page does that nobody uses.
            let is_over = Instant::now() >= self.until;
            let may_send = self.due < self.until && self.hold.is_none() && self.waiting.len() < WINDOW;
            let (is_held, again) = (self.hold.is_some(), self.hold.unwrap_or(deadline));
            if is_over && self.waiting.is_empty() {
                break;
            }
            let outcome = tokio::select! {
                biased;
                Ok(()) = self.stopped.changed() => {
                    self.until = Instant::now();
                    Ok(())
                }
                answer = self.client.receive() => answer.map(|answer| self.take(answer)),
                () = sleep_until(again), if is_held => self.send_again().await,
                () = sleep_until(self.due), if may_send => self.send().await,
                () = sleep_until(self.until), if !is_over => Ok(()),
                () = sleep_until(deadline) => break,
            };
            if let Err(error) = outcome {
                self.report.trouble = Some(format!("a connection ended early: {error}"));
                break;
            }
        }
        self.report.elapsed = start.elapsed();
        self.client.close().await;
        self.report
    }

    async fn send(&mut self) -> Result<(), tokio_tungstenite::tungstenite::Error> {
        let (first, count) = (self.next, u64::from(self.batch));
        let (last, stamp_ms, sent) = (first + count - 1, (self.now)().0, Instant::now());
        let batch = Waiting { first, last, at: self.at, stamp_ms, sent };
        self.at += self.batch as usize;
        self.next += count;
        self.report.sent += count;
        self.waiting.push_back(batch);
        match self.every {
            Some(every) => self.due += every,
            None => self.due = Instant::now(),
        }
        self.put(batch).await
    }

    /// Sends everything that is not acked once more; the ingestor knows what it has by its numbers.
    async fn send_again(&mut self) -> Result<(), tokio_tungstenite::tungstenite::Error> {
        self.hold = None;
        for batch in self.waiting.clone() {
            self.put(batch).await?;
        }
        Ok(())
    }

    async fn put(&mut self, batch: Waiting) -> Result<(), tokio_tungstenite::tungstenite::Error> {
        // A batch is a little over 260 bytes an event.
        let mut frame = String::with_capacity(self.batch as usize * 288 + 64);
        self.pool.batch(batch.first, batch.at, self.batch as usize, batch.stamp_ms, &mut frame);
        self.client.send(frame).await
    }

    fn take(&mut self, answer: super::client::Answer) {
        if let Some(error) = answer.error {
            self.report.trouble = Some(error);
        }
        // Every batch under way is refused by itself; the first refusal holds them all.
        if let Some(ms) = answer.throttle_ms.filter(|_| self.hold.is_none()) {
            self.hold = Some(Instant::now() + hold_for(Duration::from_millis(ms), self.throttles));
            self.throttles += 1;
            self.report.throttled += 1;
        }
        let Some(acked) = answer.acked else { return };
        self.report.acked = self.report.acked.max(acked.min(self.next - 1));
        while let Some(batch) = self.waiting.front().filter(|batch| batch.last <= acked) {
            let micros = u64::try_from(batch.sent.elapsed().as_micros()).unwrap_or(MAX_ACK_US);
            self.report.acks_us.saturating_record(micros.clamp(1, MAX_ACK_US));
            self.waiting.pop_front();
            self.throttles = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_longer_than_the_one_before_up_to_a_limit() {
        for (asked_ms, throttles, held_ms) in [
            (500, 0, 500),
            (500, 1, 1_000),
            (500, 3, 4_000),
            (500, 40, 8_000),
            (0, 0, 10),
            (90_000, 0, 8_000),
        ] {
            let held = hold_for(Duration::from_millis(asked_ms), throttles);
            assert_eq!(held, Duration::from_millis(held_ms), "{asked_ms} ms, {throttles} times");
        }
    }

    #[test]
    fn the_pace_keeps_the_rate_and_sends_at_least_once_a_second() {
        for (rate, connections, batch, expected, every_ms) in [
            (0, 8, 100, 100, None),
            (1_000, 1, 100, 100, Some(100)),
            (1_000, 4, 100, 100, Some(400)),
            (10, 2, 100, 5, Some(1_000)),
            (1, 2, 100, 1, Some(2_000)),
        ] {
            let options =
                Options { url: String::new(), connections, rate, time: Duration::from_secs(1), batch };
            let expected = Pace { batch: expected, every: every_ms.map(Duration::from_millis) };
            assert_eq!(Pace::of(&options), expected, "{rate} over {connections}");
        }
    }
}
