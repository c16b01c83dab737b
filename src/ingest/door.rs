//! What all doors of the port share: policy, redactor, the way in, and what is counted.
//!
//! Made once by `run`; every connection holds it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::Notify;

use super::admission::Policy;
use super::asks::Asks;
use super::intake::Intake;
use super::packers::Packers;
use super::receiving::Receiving;
use super::seats::Seats;
use crate::counters::{Counters, MAX_START};
use crate::pipeline::{Reading, Redactor};
use crate::published::Published;
use crate::wire::Sender;

/// Largest message and body (SECURITY: limits).
pub const MAX_MESSAGE: usize = 1024 * 1024;

/// Largest message of sente-lite and Sente clients, whose libraries batch without a limit (CONTRACT: addresses).
pub(super) const MAX_SENTE_MESSAGE: usize = 16 * 1024 * 1024;

/// WebSockets that may be open where nothing else is said (SECURITY: limits).
pub const CONNECTIONS: u64 = 10_240;

/// Shared by all connections.
pub struct Door {
    pub policy: Policy,
    redactor: Published<Redactor>,
    /// How events are read.
    pub reading: Arc<Reading>,
    pub intake: Intake,
    pub counters: Arc<Counters>,
    /// Notified when the store has something to publish.
    pub dirty: Arc<Notify>,
    pub(super) packers: Packers,
    pub(super) seats: Arc<Seats>,
    pub(super) receiving: Arc<Receiving>,
    /// Questions to pages.
    pub asks: Asks,
    started: Instant,
    connections: AtomicU64,
}

impl Door {
    pub fn new(
        policy: Policy,
        redactor: Redactor,
        intake: Intake,
        counters: Arc<Counters>,
        dirty: Arc<Notify>,
    ) -> Self {
        Self {
            policy,
            redactor: Published::new(redactor),
            reading: Arc::default(),
            intake,
            counters,
            dirty,
            packers: Packers::default(),
            seats: Arc::new(Seats::new(CONNECTIONS)),
            receiving: Arc::default(),
            asks: Asks::default(),
            started: Instant::now(),
            connections: AtomicU64::new(0),
        }
    }

    /// Takes secrets out of what is read from now on.
    pub fn redactor(&self) -> Arc<Redactor> {
        self.redactor.get()
    }

    /// Goes on with other rules.
    pub fn set_redactor(&self, redactor: Redactor) {
        self.redactor.set(Arc::new(redactor));
    }

    /// This reads events as the user says.
    #[must_use]
    pub fn with_reading(self, reading: Arc<Reading>) -> Self {
        self.intake.set_reading(Arc::clone(&reading));
        Self { reading, ..self }
    }

    /// At most so many WebSockets are open at once.
    #[must_use]
    pub fn with_connections(self, most: u64) -> Self {
        Self { seats: Arc::new(Seats::new(most)), ..self }
    }

    /// What is known of a sender before it has said anything.
    pub(super) fn sender(&self, source: &'static str) -> Sender {
        Sender { source, reading: Arc::clone(&self.reading), ..Sender::default() }
    }

    /// Whole seconds since the start.
    pub(super) fn uptime_s(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    /// The number of the next connection, from 1.
    pub(super) fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Counts what `from` sent and nobody understood; its start is kept without secrets.
    pub(super) fn broken(&self, from: &str, reason: &str, text: &str) {
        let redactor = self.redactor();
        let (start, _) = redactor.excerpt(text, MAX_START);
        let (reason, _) = redactor.excerpt(reason, MAX_START);
        self.counters.broken(super::now(), from, &reason, &start);
    }

    /// Whether any WebSocket was ever opened.
    pub(super) fn was_reached(&self) -> bool {
        self.connections.load(Ordering::Relaxed) > 0
    }
}
