//! A run of JSON values turned into rows: one quick pass, each event isolated from its neighbours' mistakes.
//!
//! Called by `wire::frame` for arrays, envelopes and NDJSON. An element that is no event is refused by position
//! and shown as an event of taillight's own; only text that is not JSON at all ends the run.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::batch::{Batch, Rejected, ScrubCount, Sender};
use super::controls;
use super::fold::{Folder, Verdict};
use super::frame::FrameError;
use super::measured;
use super::raw::RawEvent;
use super::row::{Known, RowMaker};
use super::skim;
use super::worded;
use crate::event::{Flags, bounds};
use crate::pipeline::{MAX_EVENT_BYTES, Redactor, Scrub};

/// Elements a batch may hold; the rest is refused by position (SECURITY: limits).
pub const MAX_BATCH_EVENTS: u32 = 10_000;

/// Bytes of a usual event, a little below what pages send: room for too many rows costs less than for too few.
const USUAL_BYTES: usize = 200;

/// Collects the elements of one batch.
pub(super) struct Decoder<'s> {
    kept: Kept<'s>,
    redactor: &'s Redactor,
    /// Whether anything in this batch could need redaction or repair.
    is_suspicious: bool,
    /// The event that is read; kept for its room.
    event: RawEvent<'s>,
    rejected: Vec<Rejected>,
    offered: u32,
    scrubbed: ScrubCount,
}

/// The rows of a batch.
struct Kept<'s> {
    rows: RowMaker<'s>,
    /// For each row, the position it came from.
    index: Vec<u32>,
    /// Where repeats are folded, and what takes secrets out of what is told of them.
    folder: Option<(&'s mut Folder, &'s Redactor)>,
}

impl Kept<'_> {
    /// Adds the event from `position`, completed where the browser's own words are in it, or where it leaves out words.
    fn push(&mut self, position: u32, json: &str, event: &RawEvent<'_>, flags: Flags, known: Known<'_>) {
        match measured::completed(json, event).or_else(|| worded::completed(json, event)) {
            Some(whole) => self.add(position, &whole, &RawEvent::of(&whole), flags, known),
            None => self.add(position, json, event, flags, known),
        }
    }

    /// Adds the event, unless it is one too many of its kind.
    fn add(&mut self, position: u32, json: &str, event: &RawEvent<'_>, flags: Flags, known: Known<'_>) {
        let verdict = match &mut self.folder {
            Some((folder, _)) => folder.judge(json, self.rows.inst_of(event), self.rows.recv()),
            None => Verdict::Kept,
        };
        if verdict == Verdict::Folded {
            return;
        }
        self.rows.push(json, event, flags, known);
        self.index.push(position);
        if let (Verdict::KeptLast(kind), Some((folder, redactor)), Some(row)) =
            (verdict, &mut self.folder, self.rows.last())
        {
            folder.name(kind, row, redactor);
        }
    }
}

impl<'s> Decoder<'s> {
    /// `text` is the whole frame or body, looked over once for what redaction would change.
    pub(super) fn new(sender: &'s Sender, redactor: &'s Redactor, text: &'s str) -> Self {
        let mut rows = RowMaker::new(Cow::Borrowed(sender));
        rows.reserve((text.len() / USUAL_BYTES).min(MAX_BATCH_EVENTS as usize), text.len());
        Self {
            kept: Kept { rows, index: Vec::new(), folder: None },
            redactor,
            is_suspicious: redactor.is_suspicious(text.as_bytes()),
            event: RawEvent::default(),
            rejected: Vec::new(),
            offered: 0,
            scrubbed: ScrubCount::default(),
        }
    }

    /// What `folder` finds to be one too many of its kind is counted from now on, not kept.
    pub(super) fn folding(mut self, folder: &'s mut Folder) -> Self {
        self.kept.folder = Some((folder, self.redactor));
        self
    }

    pub(super) fn finish(mut self) -> Batch {
        Batch {
            chunk: self.kept.rows.take(),
            index: self.kept.index,
            rejected: self.rejected,
            offered: self.offered,
            scrubbed: self.scrubbed,
        }
    }

    /// Reads the elements of the array whose `[` is at `at`; gives the position past its `]`.
    pub(super) fn array(&mut self, text: &'s str, at: usize) -> Result<usize, FrameError> {
        let bytes = text.as_bytes();
        let mut at = skim::space(bytes, at + 1);
        if bytes.get(at) == Some(&b']') {
            return Ok(at + 1);
        }
        loop {
            at = skim::space(bytes, self.element(text, at)?);
            match bytes.get(at) {
                Some(b',') => at = skim::space(bytes, at + 1),
                Some(b']') => return Ok(at + 1),
                _ => return Err(FrameError::syntax(text, at)),
            }
        }
    }

    /// Reads the element at `at`; gives the position past it.
    pub(super) fn element(&mut self, text: &'s str, at: usize) -> Result<usize, FrameError> {
        let position = self.offered;
        if position >= MAX_BATCH_EVENTS {
            let end = next(text, at)?.1;
            self.offered += 1;
            self.refuse(position, "batch is longer than 10,000 events", "");
            return Ok(end);
        }
        if !self.is_suspicious && text.as_bytes().get(at) == Some(&b'{') {
            self.event.clear();
            if let Some(end) = skim::object(text, at, &mut self.event)
                && end - at <= MAX_EVENT_BYTES
            {
                self.offered += 1;
                let json = &text[at..end];
                let is_beyond = self.event.extent.may_be_beyond() && bounds::is_beyond(json);
                self.scrubbed.flattened += u64::from(is_beyond);
                self.kept.push(position, json, &self.event, Flags::NONE, Known::Seq(0));
                return Ok(end);
            }
        }
        match next(text, at) {
            Ok((raw, end)) => {
                self.next_with_care(raw.get());
                Ok(end)
            }
            Err(error) => {
                let (mended, end) = controls::escaped(text, at).ok_or(error)?;
                self.mended(&mended);
                Ok(end)
            }
        }
    }

    /// The slow way for one element: whatever is unusual about it stays with it.
    fn with_care(&mut self, position: u32, raw: &str, marks: Flags) {
        if !raw.starts_with('{') {
            self.refuse(position, "not an object", raw);
            return;
        }
        let (clean, mut flags) = scrub(self.redactor, raw, &mut self.scrubbed);
        self.scrubbed.repaired += u64::from(marks.has(Flags::REPAIRED) && !flags.has(Flags::REPAIRED));
        flags.set(marks);
        self.kept.push(position, &clean, &RawEvent::of(&clean), flags, Known::Seq(0));
    }

    /// Takes an event whose text had to be made JSON first.
    pub(super) fn mended(&mut self, json: &str) {
        self.take_with_care(json, Flags::REPAIRED);
    }

    /// Takes a value that stands alone, outside an array.
    pub(super) fn next_with_care(&mut self, raw: &str) {
        self.take_with_care(raw, Flags::NONE);
    }

    fn take_with_care(&mut self, raw: &str, marks: Flags) {
        let position = self.offered;
        self.offered += 1;
        if position >= MAX_BATCH_EVENTS {
            self.refuse(position, "batch is longer than 10,000 events", "");
        } else {
            self.with_care(position, raw, marks);
        }
    }

    /// Takes an object that is no event by its own words: a log entry, or what a client says of its page. `id` is what
    /// it is called unless it says so itself.
    pub(super) fn named(&mut self, raw: &str, id: &str) {
        let position = self.offered;
        self.offered += 1;
        if position >= MAX_BATCH_EVENTS {
            return self.refuse(position, "batch is longer than 10,000 events", "");
        }
        let (clean, flags) = scrub(self.redactor, raw, &mut self.scrubbed);
        let mut event = RawEvent::of(&clean);
        event.lift_message();
        self.kept.push(position, &clean, &event, flags, Known::Named(id));
    }

    /// Counts what could not be read, and keeps its text.
    pub(super) fn refused(&mut self, reason: &'static str, raw: &str) {
        let position = self.offered;
        self.offered += 1;
        self.refuse(position, reason, raw);
    }

    /// Counts a value that is not even JSON, in a body where each line stands alone.
    pub(super) fn broken(&mut self, raw: &str) {
        let position = self.offered;
        self.offered += 1;
        self.refuse(position, "not JSON", raw);
    }

    fn refuse(&mut self, position: u32, reason: &'static str, raw: &str) {
        self.rejected.push(Rejected { index: position, reason });
        // Thousands of refusals of one kind would bury the events that are fine; the count says the rest.
        if position < MAX_BATCH_EVENTS {
            self.scrubbed.redacted += u64::from(self.kept.rows.push_bad(self.redactor, reason, raw));
            self.kept.index.push(position);
        }
    }
}

/// The text of one event after scrubbing, with the marks of what was changed, which is counted too.
pub(super) fn scrub<'t>(redactor: &Redactor, raw: &'t str, count: &mut ScrubCount) -> (Cow<'t, str>, Flags) {
    let (text, what) = match redactor.check(raw) {
        Scrub::Clean(raw) => {
            count.flattened += u64::from(bounds::is_beyond(raw));
            return (Cow::Borrowed(raw), Flags::NONE);
        }
        Scrub::Changed { text, what } => (text, what),
    };
    count.flattened += u64::from(bounds::is_beyond(&text));
    let mut flags = Flags::NONE;
    for (happened, flag) in
        [(what.redacted > 0, Flags::REDACTED), (what.repaired, Flags::REPAIRED), (what.cut, Flags::CUT)]
    {
        if happened {
            flags.set(flag);
        }
    }
    count.redacted += u64::from(what.redacted);
    count.repaired += u64::from(what.repaired);
    count.cut += u64::from(what.cut);
    (Cow::Owned(text), flags)
}

/// The value at `at` and where it ends.
fn next(text: &str, at: usize) -> Result<(&RawValue, usize), FrameError> {
    let mut stream = serde_json::Deserializer::from_str(&text[at..]).into_iter();
    match stream.next() {
        Some(Ok(value)) => Ok((value, at + stream.byte_offset())),
        _ => Err(FrameError::syntax(text, at)),
    }
}
