//! What a sink has done so far, as Health, `/healthz` and `/metrics` show it.

/// Why an event that was meant for a sink never reached it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// The queue was full, and the mode drops what is new.
    Dropping,
    /// The queue was full, and the mode drops what is old.
    Sliding,
    /// The sink said that it never will be delivered, or it was tried as often as allowed.
    Refused,
    /// The sink panicked over its batch.
    Panic,
    /// Too large for the sink.
    Size,
    /// The sink was paused.
    Paused,
    /// Still waiting when the time to write out the queue was over.
    Undelivered,
    /// Of a person who was to be forgotten.
    Forgotten,
}

/// Every reason with its name.
pub const DROPPED: [(Dropped, &str); 8] = [
    (Dropped::Dropping, "dropping"),
    (Dropped::Sliding, "sliding"),
    (Dropped::Refused, "refused"),
    (Dropped::Panic, "panic"),
    (Dropped::Size, "size"),
    (Dropped::Paused, "paused"),
    (Dropped::Undelivered, "undelivered"),
    (Dropped::Forgotten, "forgotten"),
];

/// Events by what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub offered: u64,
    pub delivered: u64,
    /// Not meant for this sink, by level, id, namespace or filter.
    pub filtered: u64,
    pub sampled: u64,
    pub limited: u64,
    /// By [`DROPPED`].
    pub dropped: [u64; DROPPED.len()],
    /// Tries that failed; no events.
    pub errors: u64,
}

impl Counts {
    pub(super) fn drop_for(&mut self, reason: Dropped, events: u64) {
        self.dropped[reason as usize] += events;
    }

    pub fn dropped_in_all(&self) -> u64 {
        self.dropped.iter().sum()
    }
}

/// How a sink is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Not opened yet: nothing was there to be written.
    #[default]
    Idle,
    Running,
    /// The last try failed; it goes on trying.
    Retrying,
    /// It panicked and is opened anew.
    Restarting,
    /// A user has paused it: what is offered is dropped.
    Paused,
    Stopped,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Restarting => "restarting",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }
}

/// A sink at one moment; its numbers add up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    pub name: String,
    pub kind: &'static str,
    pub mode: &'static str,
    pub state: State,
    pub counts: Counts,
    /// Waiting or being written.
    pub queued: u64,
    /// From being offered to being delivered, in milliseconds; `None` before the first.
    pub p50: Option<f64>,
    pub p99: Option<f64>,
    /// Why the last try failed that did; safe to show.
    pub last_error: Option<String>,
}

impl Report {
    /// Whether every event offered is accounted for.
    pub fn is_balanced(&self) -> bool {
        let counts = &self.counts;
        let known = counts.delivered + self.queued + counts.filtered + counts.sampled + counts.limited;
        counts.offered == known + counts.dropped_in_all()
    }
}

/// What a statistic of a sink is.
#[derive(Clone, Copy)]
pub enum Measure {
    /// Counted from the start on.
    Total(fn(&Counts) -> u64),
    /// The same, apart by each of [`DROPPED`].
    ByReason(fn(&Counts) -> &[u64; DROPPED.len()]),
    /// Events at this moment.
    Now(fn(&Report) -> u64),
    /// A quantile of the latency, in milliseconds; `None` before the first.
    Latency(f64, fn(&Report) -> Option<f64>),
}

/// A number of a sink, by the one name that Health, `/healthz` and `/metrics` have for it.
#[derive(Clone, Copy)]
pub struct Statistic {
    pub name: &'static str,
    pub help: &'static str,
    pub measure: Measure,
}

const fn statistic(name: &'static str, measure: Measure, help: &'static str) -> Statistic {
    Statistic { name, help, measure }
}

/// Every statistic; the first is the sum of those up to `dropped`.
pub const STATISTICS: [Statistic; 10] = [
    statistic("offered", Measure::Total(|counts| counts.offered), "Events offered to the sink."),
    statistic("delivered", Measure::Total(|counts| counts.delivered), "Events the sink has delivered."),
    statistic("queued", Measure::Now(|report| report.queued), "Events that wait or are being written."),
    statistic("filtered", Measure::Total(|counts| counts.filtered), "Events not meant for the sink."),
    statistic("sampled", Measure::Total(|counts| counts.sampled), "Events left out by the sink's sample."),
    statistic("limited", Measure::Total(|counts| counts.limited), "Events over the sink's limits."),
    statistic("dropped", Measure::ByReason(|counts| &counts.dropped), "Events the sink never delivers."),
    statistic("errors", Measure::Total(|counts| counts.errors), "Tries of the sink that failed."),
    statistic("p50", Measure::Latency(0.5, |report| report.p50), LATENCY),
    statistic("p99", Measure::Latency(0.99, |report| report.p99), LATENCY),
];

/// What [`Measure::Latency`] is of.
pub const LATENCY: &str = "From being offered to being delivered.";
