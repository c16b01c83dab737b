//! Events on their way to `tail`, held for a moment until source maps have said where in the sources they happened.
//!
//! Called by `tail` between the listener and the printer. The order stays. Nothing waits longer than a second, and where
//! more chunks wait than there is room for the oldest goes on as it came.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::event::{Chunk, Mapped};
use crate::maps;
use crate::store::Mapping;

/// Longest wait of an event, and of all behind it.
const PATIENCE: Duration = Duration::from_secs(1);
/// Chunks that wait at a time.
const ROOM: usize = 64;

/// What comes in.
pub(super) enum News {
    Chunk(Arc<Chunk>),
    Mapped(Vec<Mapping>),
    /// The end: what is held goes on first, then this code.
    Signal(u8),
}

/// What goes out.
pub(super) enum Out {
    Chunk(Arc<Chunk>),
    Signal(u8),
}

/// A chunk that waits.
#[derive(Debug)]
struct Held {
    chunk: Arc<Chunk>,
    /// Its rows that tell of code and are not placed yet.
    open: usize,
    found: Vec<(usize, Arc<Mapped>, u64)>,
    until: Instant,
}

impl Held {
    /// The chunk with what became known of it.
    fn placed(self) -> Arc<Chunk> {
        if self.found.is_empty() {
            return self.chunk;
        }
        let mut chunk = Chunk::clone(&self.chunk);
        for (row, mapped, group) in self.found {
            let group = if chunk.groups()[row] == 0 { 0 } else { group };
            chunk.set_mapped(row, mapped, group);
        }
        Arc::new(chunk)
    }
}

/// The chunks that wait, in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Placing {
    held: VecDeque<Held>,
    /// By then everything is to be handed on, whatever is known of it.
    pub(super) end: Option<Instant>,
    /// Whether anybody looks places up.
    is_mapped: bool,
}

impl Placing {
    /// `is_mapped` where somebody looks places up; else nothing waits.
    pub(super) fn new(is_mapped: bool) -> Self {
        Self { is_mapped, ..Self::default() }
    }

    /// Takes news in and hands chunks to `on`, until either side has gone.
    pub(super) fn run(mut self, news: &Receiver<News>, on: impl Fn(Out) -> bool) {
        loop {
            let wait = self.held.front().map(|held| held.until.saturating_duration_since(Instant::now()));
            let mut code = None;
            let (now, is_over) = match news.recv_timeout(wait.unwrap_or(Duration::MAX)) {
                Ok(News::Chunk(chunk)) => (self.hold(chunk, Instant::now()), false),
                Ok(News::Mapped(mappings)) => (self.place(&mappings), false),
                Ok(News::Signal(signal)) => {
                    code = Some(signal);
                    (Instant::now(), true)
                }
                Err(RecvTimeoutError::Timeout) => (Instant::now(), false),
                Err(RecvTimeoutError::Disconnected) => (Instant::now(), true),
            };
            while let Some(chunk) = self.next(now, is_over) {
                if !on(Out::Chunk(chunk)) {
                    return;
                }
            }
            if is_over {
                // Where nobody waits for it any more, it has ended already.
                let _ = code.map(|code| on(Out::Signal(code)));
                return;
            }
        }
    }

    fn hold(&mut self, chunk: Arc<Chunk>, now: Instant) -> Instant {
        let open =
            if self.is_mapped { chunk.events().filter(|event| maps::tells(*event)).count() } else { 0 };
        let until = now + PATIENCE;
        let until = self.end.map_or(until, |end| until.min(end));
        self.held.push_back(Held { chunk, open, found: Vec::new(), until });
        now
    }

    fn place(&mut self, mappings: &[Mapping]) -> Instant {
        for Mapping { seq, mapped, group, .. } in mappings {
            let row_of = |held: &Held| held.chunk.seqs().binary_search(seq).ok();
            if let Some((held, row)) =
                self.held.iter_mut().find_map(|held| row_of(held).map(|row| (held, row)))
            {
                held.found.push((row, Arc::clone(mapped), *group));
                held.open = held.open.saturating_sub(1);
            }
        }
        Instant::now()
    }

    fn next(&mut self, now: Instant, is_over: bool) -> Option<Arc<Chunk>> {
        let is_full = self.held.len() > ROOM;
        let front = self.held.front()?;
        let goes_on = front.open == 0 || front.until <= now || is_full || is_over;
        if goes_on { self.held.pop_front().map(Held::placed) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{MappedFrame, MappedTrace, Relation, Timestamp};
    use crate::pipeline::Redactor;
    use crate::wire::LineDecoder;

    fn chunk(first: u64, events: &[&str]) -> Arc<Chunk> {
        let mut decoder = LineDecoder::new(Timestamp(0), Redactor::default());
        events.iter().for_each(|event| decoder.push(event.as_bytes()));
        let mut chunk = decoder.take();
        chunk.number_from(first);
        Arc::new(chunk)
    }

    fn mapping(ordinal: u64) -> Mapping {
        let frame =
            MappedFrame { file: "src/a.ts".into(), line: 3, is_mapped: true, ..MappedFrame::default() };
        let trace = MappedTrace { relation: Relation::Thrown, head: "".into(), frames: vec![frame] };
        let mapped = Arc::new(Mapped { traces: vec![trace], top: Some((0, 0)), note: None });
        Mapping { ordinal, seq: ordinal + 1, mapped, group: 9 }
    }

    const ERROR: &str = r#"{"type":"error","message":"x","stack":"f@http://localhost/a.js:1:2"}"#;
    const PLAIN: &str = r#"{"type":"log","level":"info","message":"y"}"#;

    #[test]
    fn an_error_waits_for_its_place_and_what_came_after_waits_behind_it() {
        let now = Instant::now();
        let mut placing = Placing::new(true);
        placing.hold(chunk(1, &[PLAIN]), now);
        assert_eq!(placing.next(now, false).map(|chunk| chunk.len()), Some(1), "tells of nothing");
        placing.hold(chunk(2, &[PLAIN, ERROR]), now);
        placing.hold(chunk(4, &[PLAIN]), now);
        assert!(placing.next(now, false).is_none());
        placing.place(&[mapping(99), mapping(2)]);
        let placed = placing.next(now, false).expect("placed");
        assert_eq!(placed.event(1).place().map(|place| place.line), Some(3));
        assert_eq!((placed.event(1).group(), placed.event(0).group()), (Some(9), None));
        assert_eq!(placing.next(now, false).map(|chunk| chunk.seqs()[0]), Some(4));
    }

    #[test]
    fn nothing_waits_for_ever() {
        let now = Instant::now();
        let mut placing = Placing { end: Some(now + PATIENCE / 2), ..Placing::new(true) };
        placing.hold(chunk(1, &[ERROR]), now);
        assert!(placing.next(now, false).is_none());
        let raw = placing.next(now + PATIENCE / 2, false).expect("its time is over");
        assert!(raw.event(0).place().is_none());
        placing.end = None;
        for first in 0..=ROOM as u64 {
            placing.hold(chunk(10 + first, &[ERROR]), now);
        }
        assert!(placing.next(now, false).is_some() && placing.next(now, false).is_none(), "no more room");
        assert_eq!(std::iter::from_fn(|| placing.next(now, true)).count(), ROOM);
    }
}
