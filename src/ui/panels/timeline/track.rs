//! The events of one session among the matches, in the order of their time, each with its lane and its span.
//!
//! Made for each frame and each key of what is known of each chunk: how many of its matches are the session's, and of the
//! newest 5,000 what they are. Only chunks that are new or have changed are looked at.

use std::sync::{Arc, Weak};

use rustc_hash::FxHashMap;

use crate::event::{Chunk, EventRef, Family, Flags, Level, Micros, Names, Symbol, Timestamp, json};
use crate::scan::{MatchSegment, Matches};

/// Events of a session that are shown.
pub(super) const MAX_EVENTS: usize = 5_000;

/// Where an event is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Nav,
    Net,
    Err,
    Click,
    Console,
    Blocked,
    Other,
}

impl Lane {
    /// From top to bottom.
    pub(super) const ALL: [Self; 7] =
        [Self::Nav, Self::Net, Self::Err, Self::Click, Self::Console, Self::Blocked, Self::Other];

    pub(super) fn name(self) -> &'static str {
        ["nav", "net", "err", "click", "console", "blocked", "other"][self as usize]
    }

    fn of(event: EventRef<'_>) -> Self {
        match event.subtype() {
            "page-load" | "visibility" | "web-vital" | "navigation" | "hot-update" | "connectivity" => {
                Self::Nav
            }
            "scroll" => Self::Other,
            "long-task" => Self::Blocked,
            "console" => Self::Console,
            _ if event.flags().has(Flags::REQUEST) => Self::Net,
            _ => match event.family() {
                Family::Analytics => Self::Click,
                Family::Log => Self::Console,
                Family::Error => Self::Err,
                _ if event.level() >= Level::Error => Self::Err,
                _ => Self::Other,
            },
        }
    }
}

/// One event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) ordinal: u64,
    pub(super) event: EventRef<'a>,
    pub(super) lane: Lane,
    /// When what it tells of began: events are made when that has ended.
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
}

impl Entry<'_> {
    /// An error or a failed request.
    pub(super) fn is_error(&self) -> bool {
        self.event.level() >= Level::Error || self.event.flags().has(Flags::FAILED)
    }

    /// Whether the keys stop here in `lane`; errors are in the lane of errors too, wherever else they are.
    pub(super) fn is_in(&self, lane: Lane) -> bool {
        self.lane == lane || lane == Lane::Err && self.event.level() >= Level::Error
    }
}

/// The newest events of a session.
#[derive(Debug, Default)]
pub(super) struct Track<'a> {
    /// By time, then by place in the ring; at most [`MAX_EVENTS`].
    pub(super) entries: Vec<Entry<'a>>,
    /// How many there are among the matches.
    pub(super) total: u64,
}

/// One event of a chunk.
#[derive(Clone, Copy, Debug)]
struct Known {
    row: usize,
    lane: Lane,
    start: Timestamp,
}

fn is_of(chunk: &Chunk, row: usize, session: Symbol) -> bool {
    chunk.sessions()[row] == session && chunk.event(row).is_of_session()
}

/// What is known of one chunk, as long as neither it nor which of its rows match has changed.
#[derive(Debug)]
struct Part {
    chunk: Weak<Chunk>,
    matches: usize,
    /// How many of the matches are the session's, and what they are, newest first, where that was needed.
    total: u64,
    events: Option<Vec<Known>>,
}

impl Part {
    fn of(segment: &MatchSegment, session: Symbol) -> Self {
        let total = segment.rows().filter(|row| is_of(&segment.chunk, *row, session)).count() as u64;
        let chunk = Arc::downgrade(&segment.chunk);
        Self { chunk, matches: segment.len(), total, events: None }
    }

    fn is_of(&self, segment: &MatchSegment) -> bool {
        self.matches == segment.len() && std::ptr::eq(self.chunk.as_ptr(), Arc::as_ptr(&segment.chunk))
    }

    fn events(&mut self, segment: &MatchSegment, session: Symbol) -> &[Known] {
        self.events.get_or_insert_with(|| {
            let rows = segment.rows().rev().filter(|row| is_of(&segment.chunk, *row, session));
            rows.map(|row| known(row, segment.chunk.event(row))).collect()
        })
    }
}

/// What is known of the session's events from frame to frame.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    /// The session and the filter.
    of: Option<(Symbol, u64)>,
    /// By the place of the chunk in the ring.
    parts: FxHashMap<u64, Part>,
}

impl Tracker {
    /// The newest of the session's events among the matches.
    pub(super) fn track<'a>(&mut self, matches: &'a Matches, session: Symbol) -> Track<'a> {
        if self.of.replace((session, matches.id)) != Some((session, matches.id)) {
            self.parts.clear();
        }
        let mut before = std::mem::take(&mut self.parts);
        let mut track = Track::default();
        for segment in matches.segments.iter().rev() {
            let part = before.remove(&segment.base).filter(|part| part.is_of(segment));
            let mut part = part.unwrap_or_else(|| Part::of(segment, session));
            track.total += part.total;
            match MAX_EVENTS.saturating_sub(track.entries.len()) {
                0 => part.events = None,
                room => {
                    let known = part.events(segment, session).iter().take(room);
                    track.entries.extend(known.map(|known| known.entry(segment)));
                }
            }
            self.parts.insert(segment.base, part);
        }
        track.entries.sort_by_key(|entry| (entry.end, entry.ordinal));
        track
    }
}

impl Known {
    fn entry(self, segment: &MatchSegment) -> Entry<'_> {
        let event = segment.chunk.event(self.row);
        let (ordinal, end) = (segment.base + self.row as u64, event.inst());
        Entry { ordinal, event, lane: self.lane, start: self.start, end }
    }
}

impl Track<'_> {
    /// The first beginning and the last end.
    pub(super) fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let first = self.entries.iter().map(|entry| entry.start).min()?;
        let last = self.entries.last()?.end;
        Some((first.min(last), last))
    }
}

fn known(row: usize, event: EventRef<'_>) -> Known {
    let took = match event.subtype() {
        "page-load" => {
            event.get(&["timing", "fully-loaded"]).and_then(json::number).and_then(Micros::from_ms)
        }
        _ => event.duration(),
    };
    let ms = took.map_or(0, |span| i64::try_from(span.0 / 1_000).unwrap_or(i64::MAX));
    Known { row, lane: Lane::of(event), start: event.inst().plus_ms(-ms) }
}

/// The symbol of a session in the ring's names.
pub(super) fn symbol_of(names: &Names, session: &str) -> Option<Symbol> {
    if session.is_empty() {
        return Some(Symbol::NONE);
    }
    let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
    (0..count).map(Symbol).find(|symbol| names.get(*symbol) == session)
}
