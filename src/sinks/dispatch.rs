//! How events reach a sink, the same for every kind: queue, mode, batches, retries, drain.

use std::time::Duration;

use crate::options::{Key, Kind, Values, key};
use crate::pipeline::Selection;

/// What happens to an event when the sink's queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is dropped: acks are withheld, so that pages keep their events; ring and other sinks go on.
    Blocking,
    /// The event is dropped.
    #[default]
    Dropping,
    /// The oldest of the queue is dropped.
    Sliding,
}

impl Mode {
    pub const WORDS: &'static [&'static str] = &["blocking", "dropping", "sliding"];

    pub fn name(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    fn of(word: &str) -> Self {
        [Self::Blocking, Self::Dropping, Self::Sliding]
            .into_iter()
            .find(|mode| mode.name() == word)
            .unwrap_or_default()
    }
}

/// The keys every sink has beside those of its selection.
pub const DISPATCH: &[Key] = &[
    key(
        "mode",
        Kind::Word(Mode::WORDS),
        "\"dropping\"",
        "when the queue is full: withhold acks, drop new, drop old",
    ),
    key("buffer", Kind::Count { from: 1, to: 10_000_000 }, "10_000", "events that may wait"),
    key("buffer-bytes", Kind::Size, "\"32MiB\"", "bytes that may wait, whichever is met first"),
    key("batch-events", Kind::Count { from: 1, to: 100_000 }, "500", "events written at once, at most"),
    key("batch-bytes", Kind::Size, "\"512KiB\"", "bytes written at once, at most"),
    key("batch-age", Kind::Span, "\"0s\"", "how long the first of a batch waits for more"),
    key(
        "retry-first",
        Kind::Span,
        "\"1s\"",
        "the longest wait before the first retry; doubles, drawn at random",
    ),
    key("retry-longest", Kind::Span, "\"30s\"", "the longest wait before any retry"),
    key(
        "attempts",
        Kind::Count { from: 0, to: 1_000_000 },
        "0",
        "times a batch is tried before it is dropped; 0 for ever",
    ),
    key("timeout", Kind::Span, "\"10s\"", "a write that takes longer has failed"),
    key(
        "summaries",
        Kind::Flag,
        "true",
        "endpoints' minutes and sessions that have closed, as events of their own",
    ),
    key("drain", Kind::Span, "\"6s\"", "how long the queue is written out at the end, up to a minute"),
];

/// The shortest and the longest drain, in milliseconds (SECURITY: limits).
pub(super) const DRAIN: (&str, u64, u64) = ("drain", 0, 60_000);

/// How events reach one sink.
#[derive(Clone, Debug, PartialEq)]
pub struct Dispatch {
    pub selection: Selection,
    pub mode: Mode,
    pub buffer: u64,
    pub buffer_bytes: u64,
    pub batch_events: usize,
    pub batch_bytes: usize,
    pub batch_age: Duration,
    pub retry_first: Duration,
    pub retry_longest: Duration,
    /// 0 for ever.
    pub attempts: u64,
    pub timeout: Duration,
    pub drain: Duration,
    pub takes_summaries: bool,
}

impl Default for Dispatch {
    fn default() -> Self {
        Self::of(&Values::defaults(&[crate::pipeline::SELECTION, DISPATCH]))
    }
}

impl Dispatch {
    /// What `values`, read with the tables of a selection and of [`DISPATCH`], say.
    pub fn of(values: &Values) -> Self {
        let count = |name| usize::try_from(values.number(name)).unwrap_or(usize::MAX).max(1);
        Self {
            selection: Selection::of(values),
            mode: Mode::of(values.text("mode")),
            buffer: values.number("buffer").max(1),
            buffer_bytes: values.number("buffer-bytes").max(1),
            batch_events: count("batch-events"),
            batch_bytes: count("batch-bytes"),
            batch_age: values.span("batch-age"),
            retry_first: values.span("retry-first"),
            retry_longest: values.span("retry-longest"),
            attempts: values.number("attempts"),
            timeout: values.span("timeout").max(Duration::from_millis(1)),
            drain: values.span("drain"),
            takes_summaries: values.flag("summaries"),
        }
    }

    /// The wait before try number `tries` + 1: full jitter under a bound that doubles from the first to the longest;
    /// `draw` is from 0 to 1.
    pub fn wait(&self, tries: u32, draw: f64) -> Duration {
        let bound = self.retry_first.saturating_mul(1 << tries.saturating_sub(1).min(20));
        bound.min(self.retry_longest).mul_f64(draw.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_document() {
        let dispatch = Dispatch::default();
        assert_eq!(
            (dispatch.mode, dispatch.buffer, dispatch.buffer_bytes),
            (Mode::Dropping, 10_000, 32 << 20)
        );
        assert_eq!((dispatch.drain, dispatch.timeout), (Duration::from_secs(6), Duration::from_secs(10)));
    }

    #[test]
    fn waits_double_up_to_the_longest_and_are_drawn_below() {
        let dispatch = Dispatch::default();
        for (tries, draw, expected) in
            [(1, 1.0, 1.0), (2, 1.0, 2.0), (3, 0.5, 2.0), (6, 1.0, 30.0), (90, 1.0, 30.0), (4, 0.0, 0.0)]
        {
            assert_eq!(dispatch.wait(tries, draw), Duration::from_secs_f64(expected), "{tries} {draw}");
        }
    }
}
