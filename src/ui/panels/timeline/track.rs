//! The events of one session among the matches, in the order of their time, each with its lane and its span.
//!
//! Made anew for each frame and each key: a look at a column for all matches, and at the newest 5,000 of them closely.

use crate::event::{EventRef, Family, Flags, Level, Micros, Names, Symbol, Timestamp, json};
use crate::scan::Matches;

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

impl<'a> Track<'a> {
    pub(super) fn of(matches: &'a Matches, session: Symbol) -> Self {
        let mut track = Self::default();
        for segment in matches.segments.iter().rev() {
            let sessions = segment.chunk.sessions();
            let mut take = |row: usize| {
                if sessions[row] != session {
                    return;
                }
                track.total += 1;
                if track.entries.len() < MAX_EVENTS {
                    track.entries.push(entry(segment.base + row as u64, segment.chunk.event(row)));
                }
            };
            segment.rows().rev().for_each(&mut take);
        }
        track.entries.sort_by_key(|entry| (entry.end, entry.ordinal));
        track
    }

    /// The first beginning and the last end.
    pub(super) fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let first = self.entries.iter().map(|entry| entry.start).min()?;
        let last = self.entries.last()?.end;
        Some((first.min(last), last))
    }
}

fn entry(ordinal: u64, event: EventRef<'_>) -> Entry<'_> {
    let lane = Lane::of(event);
    let end = event.inst();
    let took = match event.subtype() {
        "page-load" => {
            event.get(&["timing", "fully-loaded"]).and_then(json::number).and_then(Micros::from_ms)
        }
        _ => event.duration(),
    };
    let ms = took.map_or(0, |span| i64::try_from(span.0 / 1_000).unwrap_or(i64::MAX));
    Entry { ordinal, event, lane, start: end.plus_ms(-ms), end }
}

/// The symbol of a session in the ring's names.
pub(super) fn symbol_of(names: &Names, session: &str) -> Option<Symbol> {
    if session.is_empty() {
        return Some(Symbol::NONE);
    }
    let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
    (0..count).map(Symbol).find(|symbol| names.get(*symbol) == session)
}
