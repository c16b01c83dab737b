//! One line of a recording turned into a row: an event as taillight wrote it, or any other object as if posted.
//!
//! Called by `recording` with one line at a time. A line of our own keeps every column it was written with, so
//! writing it again gives the same bytes; a line that cannot be read is skipped, counted and named by its number.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use memchr::memmem;
use serde_json::value::RawValue;

use super::batch::{ScrubCount, Sender};
use super::decode::scrub;
use super::raw::RawEvent;
use super::row::{Known, RowMaker};
use crate::event::{Chunk, ChunkBuilder, Family, Flags, Level, Micros, Msg, RowOf, Symbol, Timestamp, json};
use crate::pipeline::{Reading, Redactor};

/// Bytes of a line that are read; longer lines are skipped (SECURITY: limits, replay line).
pub const MAX_LINE_BYTES: usize = 1024 * 1024;
/// Rows and bytes of a chunk, as in the ring: one of one step is never copied apart there.
const CHUNK_ROWS: usize = 4_096;
const CHUNK_BYTES: usize = 2 * 1024 * 1024;
/// Skipped lines that are named; the others are only counted.
const NAMED_LINES: usize = 10;

/// Why a line was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadLine {
    NotUtf8,
    NotJson,
    NotObject,
    TooLong,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotUtf8 => "not UTF-8",
            Self::NotJson => "not JSON",
            Self::NotObject => "not an object",
            Self::TooLong => "over 1 MiB",
        })
    }
}

/// The lines of one file that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    pub count: u64,
    /// Line numbers from 1 and reasons of the first ten.
    pub first: Vec<(u64, BadLine)>,
}

/// What stands where a secret stood.
const MARK: &[u8] = b"[redacted]";

/// Turns the lines of recordings into chunks.
#[derive(Debug)]
pub struct LineDecoder {
    rows: RowMaker<'static>,
    redactor: Redactor,
    bytes: usize,
    /// The highest arrival number so far: lines that bring none are numbered on from it.
    seq: u64,
    line: u64,
    skipped: Skipped,
    scrubbed: ScrubCount,
}

impl LineDecoder {
    /// This reads events that are not ours as if they had been posted at `recv`.
    pub fn new(recv: Timestamp, redactor: Redactor) -> Self {
        let sender = Sender { source: "browser", recv, ..Sender::default() };
        Self {
            rows: RowMaker::new(Cow::Owned(sender)),
            redactor,
            bytes: 0,
            seq: 0,
            line: 0,
            skipped: Skipped::default(),
            scrubbed: ScrubCount::default(),
        }
    }

    /// This reads them as the user says.
    #[must_use]
    pub fn with_reading(self, reading: Arc<Reading>) -> Self {
        Self { rows: self.rows.with_reading(reading), ..self }
    }

    /// Reads the next line, given without its line break; a blank one is counted and nothing else.
    pub fn push(&mut self, line: &[u8]) {
        self.line += 1;
        if let Err(reason) = self.read(line) {
            self.skip(reason);
        }
    }

    /// Counts a line that is too long to be given as a whole.
    pub fn push_too_long(&mut self) {
        self.line += 1;
        self.skip(BadLine::TooLong);
    }

    /// True once a chunk is worth taking: 4,096 rows or 2 MiB of lines.
    pub fn is_full(&self) -> bool {
        self.rows.len() >= CHUNK_ROWS || self.bytes >= CHUNK_BYTES
    }

    pub fn is_empty(&self) -> bool {
        self.rows.len() == 0
    }

    /// The rows read since the last call.
    pub fn take(&mut self) -> Chunk {
        self.bytes = 0;
        self.rows.take()
    }

    /// How often the text of events was changed since the last call; of what taillight wrote, when it was written.
    pub fn scrubbed(&mut self) -> ScrubCount {
        std::mem::take(&mut self.scrubbed)
    }

    /// Ends a file: what it had to skip; line numbers start anew, arrival numbers go on.
    pub fn end_file(&mut self) -> Skipped {
        self.line = 0;
        std::mem::take(&mut self.skipped)
    }

    fn skip(&mut self, reason: BadLine) {
        self.skipped.count += 1;
        if self.skipped.first.len() < NAMED_LINES {
            self.skipped.first.push((self.line, reason));
        }
    }

    fn read(&mut self, line: &[u8]) -> Result<(), BadLine> {
        if line.len() > MAX_LINE_BYTES {
            return Err(BadLine::TooLong);
        }
        let text = std::str::from_utf8(line).map_err(|_| BadLine::NotUtf8)?;
        // Editors on Windows put a byte order mark before the first line.
        let text = text.trim_start_matches('\u{feff}').trim_matches([' ', '\t', '\r', '\n']);
        if text.is_empty() {
            return Ok(());
        }
        let object = serde_json::from_str::<&RawValue>(text).map_err(|_| BadLine::NotJson)?.get();
        if !object.starts_with('{') {
            return Err(BadLine::NotObject);
        }
        self.bytes += object.len();
        match Recorded::read(object) {
            Some(recorded) => self.keep(recorded),
            None => self.posted(object),
        }
        Ok(())
    }

    /// What taillight wrote has been scrubbed before and is kept to the byte.
    fn keep(&mut self, mut recorded: Recorded<'_>) {
        if recorded.seq == 0 {
            recorded.seq = self.seq.saturating_add(1);
        }
        self.seq = self.seq.max(recorded.seq);
        self.scrubbed.redacted += memmem::find_iter(recorded.data.as_bytes(), MARK).count() as u64;
        self.scrubbed.cut += u64::from(json::get(recorded.data, "_cut").is_some());
        let event = RawEvent::of(recorded.data);
        let known = Known::Line(&recorded);
        self.rows.push(recorded.data, &event, Flags::NONE, known);
    }

    fn posted(&mut self, object: &str) {
        self.seq = self.seq.saturating_add(1);
        let (clean, flags) = scrub(&self.redactor, object, &mut self.scrubbed);
        self.rows.push(&clean, &RawEvent::of(&clean), flags, Known::Seq(self.seq));
    }
}

/// The columns of a line that taillight wrote; they win over what its data would give today.
#[derive(Debug)]
pub(super) struct Recorded<'a> {
    /// 0 where the line has none.
    seq: u64,
    inst: Timestamp,
    recv: Timestamp,
    level: Option<Level>,
    /// Empty where the line has none.
    pub(super) id: Cow<'a, str>,
    msg: Cow<'a, str>,
    session: Cow<'a, str>,
    user: Cow<'a, str>,
    tab: Cow<'a, str>,
    endpoint: Cow<'a, str>,
    source: Cow<'a, str>,
    load: Option<i32>,
    duration: Option<Micros>,
    status: Option<u16>,
    group: u64,
    pub(super) data: &'a str,
}

impl<'a> Recorded<'a> {
    /// Reads `object`; `None` if it is not ours: without `inst` and `recv`, both times, and an object `data`.
    fn read(object: &'a str) -> Option<Self> {
        let mut found = [None; KEYS.len()];
        for member in json::members(object) {
            if let Some(key) = KEYS.iter().position(|key| *key == member.key) {
                found[key] = Some(member.value);
            }
        }
        let get = |key: &str| KEYS.iter().position(|known| *known == key).and_then(|at| found[at]);
        let text = |key| get(key).and_then(json::text).unwrap_or_default();
        let time = |key| get(key).and_then(json::text).and_then(|text| Timestamp::parse_rfc3339(&text));
        Some(Self {
            inst: time("inst")?,
            recv: time("recv")?,
            data: get("data").filter(|data| data.starts_with('{'))?,
            seq: get("seq").and_then(|seq| seq.parse().ok()).unwrap_or(0),
            level: Level::parse(&text("level")),
            id: text("id"),
            msg: text("msg"),
            session: text("session"),
            user: text("user"),
            tab: text("tab"),
            endpoint: text("endpoint"),
            source: text("source"),
            load: get("load").and_then(|load| load.parse().ok()).filter(|load| *load != i32::MIN),
            duration: get("duration").and_then(duration),
            status: get("status").and_then(|status| status.parse().ok()).filter(|status| *status != 0),
            group: u64::from_str_radix(&text("group"), 16).unwrap_or(0),
        })
    }

    /// Puts these columns into `row`, which was made from the data alone.
    pub(super) fn apply(&'a self, row: &mut RowOf<'a, Symbol>, builder: &mut ChunkBuilder) {
        row.seq = self.seq;
        row.inst = self.inst;
        row.recv = self.recv;
        row.level = self.level.unwrap_or(row.level);
        row.session = builder.symbol(&self.session);
        row.user = builder.symbol(&self.user);
        row.tab = builder.symbol(&self.tab);
        row.endpoint = builder.symbol(&self.endpoint);
        row.source = builder.symbol(&self.source);
        row.load = self.load;
        row.duration = self.duration;
        row.status = self.status;
        row.group = self.group;
        let made = match &row.msg {
            Msg::InJson(range) => &row.json[range.clone()],
            Msg::Text(text) => text,
        };
        if made != self.msg {
            row.msg = Msg::Text(&self.msg);
        }
        // The data is complete already: what the server adds was added when it was written.
        row.flags.set(Flags::HAS_SOURCE | Flags::HAS_USER | Flags::HAS_RECV | Flags::HAS_BROWSER_TIME);
        if json::get(self.data, "_cut").is_some() {
            row.flags.set(Flags::CUT);
        }
        if memmem::find(self.data.as_bytes(), MARK).is_some() {
            row.flags.set(Flags::REDACTED);
        }
        if self.source == "taillight" && self.id.starts_with("taillight/") {
            row.flags.set(Flags::OWN);
            (row.ns, row.kind, row.family) = (builder.symbol("taillight"), Symbol::NONE, Family::None);
        }
    }
}

/// The keys of a line that are columns (CONTRACT: the JSONL line).
const KEYS: [&str; 16] = [
    "inst", "level", "id", "msg", "session", "user", "tab", "load", "endpoint", "duration", "status",
    "group", "source", "seq", "recv", "data",
];

/// Reads milliseconds with up to three decimals exactly; other ways to write a number go through a float.
fn duration(number: &str) -> Option<Micros> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let is_plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if !whole.is_empty() && part.len() <= 3 && is_plain(whole) && is_plain(part) {
        let ms: u64 = whole.parse().ok()?;
        let us: u64 = format!("{part:0<3}").parse().ok()?;
        return ms.checked_mul(1000)?.checked_add(us).filter(|us| *us < u64::MAX).map(Micros);
    }
    json::number(number).and_then(Micros::from_ms)
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
