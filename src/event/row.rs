//! One event on its way into a chunk: every field of the contract's table, borrowed.
//!
//! Made by `wire` and `recording`, copied into columns by [`super::Chunk::push`].

use std::ops::{BitOr, Range};

use super::level::{Family, Level, Severity};
use super::time::{Micros, Timestamp};

/// Marks of one event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u16);

impl Flags {
    pub const NONE: Self = Self(0);
    /// A lone surrogate was replaced by U+FFFD.
    pub const REPAIRED: Self = Self(1);
    /// Something was redacted.
    pub const REDACTED: Self = Self(1 << 1);
    /// Long strings were cut, see `_cut`.
    pub const CUT: Self = Self(1 << 2);
    /// taillight made this event itself.
    pub const OWN: Self = Self(1 << 3);
    /// A request answered with 400 or more, or not answered.
    pub const FAILED: Self = Self(1 << 4);
    /// Slower than the limit of its kind.
    pub const SLOW: Self = Self(1 << 5);
    /// `cached` was sent and is true.
    pub const CACHED: Self = Self(1 << 6);
    /// The data has a `source` key of its own.
    pub const HAS_SOURCE: Self = Self(1 << 7);
    /// The data has a `user-id` key of its own.
    pub const HAS_USER: Self = Self(1 << 8);
    /// The data has a `server-recv-time` key of its own.
    pub const HAS_RECV: Self = Self(1 << 9);
    /// The data has a `browser-timestamp` key of its own.
    pub const HAS_BROWSER_TIME: Self = Self(1 << 10);
    /// A request: it has a URL and a method, a status, or is an api-call or network event.
    pub const REQUEST: Self = Self(1 << 11);
    /// A source map named its place, see [`super::Mapped`].
    pub const MAPPED: Self = Self(1 << 12);
    /// A page folded a burst into it, see [`super::EventRef::times`].
    pub const FOLDED: Self = Self(1 << 13);
    /// It is told in other words than its message, see [`super::EventRef::headline`].
    pub const RETOLD: Self = Self(1 << 14);

    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub fn set(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Where a row's message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Msg<'a> {
    /// At these bytes of the row's own JSON, which need no unescaping.
    InJson(Range<usize>),
    Text(&'a str),
}

/// Where in `text` its slice `part` is; `None` if it is a slice of something else.
pub fn place_in(text: &str, part: &str) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
    let place = start..start.wrapping_add(part.len());
    text.get(place.clone()).is_some_and(|there| there.as_ptr() == part.as_ptr()).then_some(place)
}

/// One event on its way into a chunk. Empty texts mean "not sent".
pub type Row<'a> = RowOf<'a, &'a str>;

/// A [`Row`] whose names are given as `N`: as text, or as symbols of the chunk's own table.
#[derive(Clone, Debug)]
pub struct RowOf<'a, N> {
    pub seq: u64,
    pub inst: Timestamp,
    pub recv: Timestamp,
    pub level: Level,
    pub severity: Option<Severity>,
    pub family: Family,
    pub flags: Flags,
    pub id: N,
    pub ns: N,
    pub kind: N,
    pub subtype: N,
    pub session: N,
    pub user: N,
    pub tab: N,
    pub load: Option<i32>,
    pub endpoint: N,
    pub duration: Option<Micros>,
    pub status: Option<u16>,
    /// Fingerprint; 0 for events that are in no group.
    pub group: u64,
    pub source: N,
    pub msg: Msg<'a>,
    /// The event's complete JSON object.
    pub json: &'a str,
}

impl<'a, N: Default> Default for RowOf<'a, N> {
    /// An event at the epoch that says nothing.
    fn default() -> Self {
        Self {
            seq: 0,
            inst: Timestamp(0),
            recv: Timestamp(0),
            level: Level::Info,
            severity: None,
            family: Family::None,
            flags: Flags::NONE,
            id: N::default(),
            ns: N::default(),
            kind: N::default(),
            subtype: N::default(),
            session: N::default(),
            user: N::default(),
            tab: N::default(),
            load: None,
            endpoint: N::default(),
            duration: None,
            status: None,
            group: 0,
            source: N::default(),
            msg: Msg::Text(""),
            json: "{}",
        }
    }
}

impl<'a, N> RowOf<'a, N> {
    /// The same row with its names given as `name` says.
    pub(super) fn named<M>(self, mut name: impl FnMut(N) -> M) -> RowOf<'a, M> {
        RowOf {
            seq: self.seq,
            inst: self.inst,
            recv: self.recv,
            level: self.level,
            severity: self.severity,
            family: self.family,
            flags: self.flags,
            id: name(self.id),
            ns: name(self.ns),
            kind: name(self.kind),
            subtype: name(self.subtype),
            session: name(self.session),
            user: name(self.user),
            tab: name(self.tab),
            load: self.load,
            endpoint: name(self.endpoint),
            duration: self.duration,
            status: self.status,
            group: self.group,
            source: name(self.source),
            msg: self.msg,
            json: self.json,
        }
    }
}
