//! Sinks: where events go beside the ring, each with a queue, a task and statistics of its own.
//!
//! `ingest` offers every chunk to [`Outlets`]; each sink's selection says what of it is meant for it, its mode what
//! happens when its queue is full. A sink that is slow, fails or panics changes nothing for the others nor, unless its
//! mode is `blocking`, for the ingest. For each sink, at every moment:
//!
//! ```text
//! offered = delivered + queued + filtered + sampled + limited + dropped{reason}
//! ```
//!
//! # Adding a sink
//!
//! 1. Write `src/sinks/NAME.rs`: a struct that implements [`Sink`]. `open` connects, `write` delivers a whole batch or
//!    says what became of it; neither retries, queues, counts or times out: the runner does. Say [`SinkError::Retry`]
//!    for what may work later (with `done` for the leading events that are delivered already) and [`SinkError::Fatal`]
//!    for a batch that never will. A sink that was told to retry is kept, one that timed out or panicked is dropped and
//!    opened anew. Anything that blocks the thread goes through `tokio::task::block_in_place`.
//! 2. Give it a table `KEYS` of its own options, with which keys of [`DISPATCH`] it has another default for (the later
//!    table counts), and a function that makes its options from [`Values`]. Secrets are [`crate::options::Kind::Secret`]
//!    and revealed in `open`, never kept in a message. Text from events is escaped for where it goes.
//! 3. Add its row to [`KINDS`]. Settings, `taillight config`, `/healthz`, Health and the tests that go through the table
//!    know it then.
//! 4. Test it in `tests/it/sinks/NAME.rs` against the real thing on a free port, with [`Report`]'s sum checked through
//!    `/healthz`, and give it a settings block in the README, which a test reads.

mod console;
mod dispatch;
mod encode;
mod file;
mod http;
mod otlp;
mod outlet;
mod outlets;
mod person;
mod piece;
mod postgres;
mod report;
mod runner;
mod settings;
mod socket;
#[cfg(test)]
mod tests;
mod turn;
mod webhook;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use thiserror::Error;

pub use dispatch::{DISPATCH, Dispatch, Mode};
pub use file::{numbers_of, recorder, try_recorder};
pub use outlets::{Outlets, Tickets};
pub use person::{Removed, Taken, Visit, forget_in, lines_in};
pub use piece::{Batch, Item, Origin, Packet};
pub use report::{Counts, DROPPED, Dropped, LATENCY, Measure, Report, STATISTICS, State, Statistic};
pub use settings::{Setting, read};

use crate::event::Person;
use crate::options::{Key, Values};
use turn::Turn;

/// This machine's name, as sinks tell it.
pub fn host() -> String {
    encode::Sender::here().host
}

/// A place where events go.
pub trait Sink: Send + Sized + 'static {
    /// Its own options, as read from the settings.
    type Options: Clone + Send + Sync + 'static;

    /// Gets ready to write: connects, opens, checks.
    ///
    /// # Errors
    /// [`SinkError::Retry`] is tried again with back-off; [`SinkError::Fatal`] too, for settings may be right one day.
    fn open(options: &Self::Options) -> impl Future<Output = Result<Self, SinkError>> + Send;

    /// Delivers the events of `batch`, in order.
    ///
    /// # Errors
    /// See [`SinkError`].
    fn write(&mut self, batch: &Batch) -> impl Future<Output = Result<Written, SinkError>> + Send;

    /// Ends what still goes on beside the writing.
    fn close(self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Removes the events of `who` from where they were delivered, and says from where; `None` where that cannot be.
    /// No sink of these options is open meanwhile.
    fn forget(
        _options: &Self::Options,
        _who: &Person,
    ) -> impl Future<Output = Result<Option<Removed>, String>> + Send {
        async { Ok(None) }
    }

    /// Gives `visit` the lines of an export for the events of `who` that were delivered, where they can be had back.
    fn lines(
        _options: &Self::Options,
        _who: &Person,
        _visit: &mut Visit<'_>,
    ) -> impl Future<Output = Result<(), String>> + Send {
        async { Ok(()) }
    }
}

/// What became of a batch that was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Events that this sink can never deliver for their size; all others are delivered.
    pub too_large: u64,
    /// Something else that went wrong meanwhile and cost no event, such as a torn line that was found.
    pub trouble: Option<String>,
}

/// Why a batch was not delivered: the only branch the runner takes.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SinkError {
    /// It may work later: after `after`, or the back-off of the sink's dispatch. The first `done` events are dealt with:
    /// delivered, but for `too_large` of them.
    #[error("{why}")]
    Retry { why: String, after: Option<Duration>, done: usize, too_large: u64 },
    /// It will never work: the batch is dropped as refused.
    #[error("{why}")]
    Fatal { why: String },
}

impl SinkError {
    /// Nothing was delivered, try again.
    pub fn retry(why: impl Into<String>) -> Self {
        Self::Retry { why: why.into(), after: None, done: 0, too_large: 0 }
    }

    /// Never try again.
    pub fn fatal(why: impl Into<String>) -> Self {
        Self::Fatal { why: why.into() }
    }
}

/// When an event of a page is acked (SECURITY: levels).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum AckLevel {
    /// It is in the ring.
    #[default]
    Seen,
    /// A file sink has written it.
    Written,
    /// And the disk has it.
    Synced,
}

impl AckLevel {
    /// Every level with its word.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Seen, "seen"), (Self::Written, "written"), (Self::Synced, "synced")];

    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// A sink ready to be started.
pub struct Build {
    /// What an ack waits for where the mode is `blocking`.
    pub ack: AckLevel,
    start: Start,
    forget: Forget,
    lines: Lines,
}

type Start = Box<dyn FnOnce(Turn) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

type Forgetting = Pin<Box<dyn Future<Output = Result<Option<Removed>, String>> + Send>>;
type Forget = Box<dyn Fn(Person) -> Forgetting + Send>;

type Reading<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;
type Lines = Box<dyn for<'a> Fn(Person, &'a mut Visit<'_>) -> Reading<'a> + Send + Sync>;

impl Build {
    /// A sink `S` with `options`, for whose acks nothing is waited.
    pub fn of<S: Sink>(options: S::Options) -> Self {
        let (own, known) = (options.clone(), options.clone());
        let start = move |turn| -> Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin(runner::run::<S>(turn, options))
        };
        let forget = move |who| -> Forgetting {
            let own = own.clone();
            Box::pin(async move { S::forget(&own, &who).await })
        };
        Self {
            ack: AckLevel::Seen,
            start: Box::new(start),
            forget: Box::new(forget),
            lines: lines::<S>(known),
        }
    }

    #[must_use]
    fn acking(self, ack: AckLevel) -> Self {
        Self { ack, ..self }
    }
}

fn lines<S: Sink>(options: S::Options) -> Lines {
    fn of<'a, S: Sink>(options: S::Options, who: Person, visit: &'a mut Visit<'_>) -> Reading<'a> {
        Box::pin(async move { S::lines(&options, &who, visit).await })
    }
    Box::new(move |who, visit| of::<S>(options.clone(), who, visit))
}

/// A kind of sink.
pub struct Kind {
    /// What `type` says.
    pub name: &'static str,
    pub about: &'static str,
    /// What an event is there: a line, a row, a message.
    pub unit: &'static str,
    /// Its own keys, and those of [`DISPATCH`] it has another default for.
    pub keys: &'static [Key],
    /// # Errors
    /// What the keys' own kinds cannot see: two that contradict each other.
    pub build: fn(&Values) -> Result<Build, String>,
}

/// Every kind of sink.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "console",
        about: "lines for people on standard output or standard error; only without the screen",
        unit: "line",
        keys: console::KEYS,
        build: console::build,
    },
    Kind {
        name: "file",
        about: "JSON lines in a folder, a file a day, or in one file",
        unit: "line",
        keys: file::KEYS,
        build: file::build,
    },
    Kind {
        name: "tcp",
        about: "JSON lines or syslog messages over a TCP connection",
        unit: "line",
        keys: socket::TCP_KEYS,
        build: socket::build_tcp,
    },
    Kind {
        name: "udp",
        about: "JSON lines or syslog messages, one a datagram",
        unit: "datagram",
        keys: socket::UDP_KEYS,
        build: socket::build_udp,
    },
    Kind {
        name: "otlp",
        about: "OpenTelemetry over HTTP: log records, spans of requests and page loads, durations as histograms",
        unit: "record",
        keys: otlp::KEYS,
        build: otlp::build,
    },
    Kind {
        name: "postgres",
        about: "a row in a table of PostgreSQL for each event",
        unit: "row",
        keys: postgres::KEYS,
        build: postgres::build,
    },
    Kind {
        name: "slack",
        about: "a message in a channel for each error, few of them",
        unit: "message",
        keys: webhook::SLACK_KEYS,
        build: webhook::build_slack,
    },
    Kind {
        name: "webhook",
        about: "a post for each event, as a template says",
        unit: "post",
        keys: webhook::WEBHOOK_KEYS,
        build: webhook::build_webhook,
    },
];
