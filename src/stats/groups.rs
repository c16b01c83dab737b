//! Errors that are the same, counted together by fingerprint.
//!
//! Filled by `Tables`, read by the errors panel and `stats`. Bounded: what comes after 5,000 groups is counted
//! together (SECURITY: limits).

use std::borrow::Cow;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::title::shared;
use super::trend::Trend;
use crate::event::{EventRef, Flags, Level, Symbol, Timestamp};

const MAX_GROUPS: usize = 5_000;
/// Sessions counted exactly for each group; beyond it the count stays here and says so.
const MAX_SESSIONS: usize = 1_024;
/// Stands for all groups that did not fit.
const OTHER: u64 = u64::MAX;

/// What the errors panel shows of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupRow {
    /// The fingerprint; `u64::MAX` for everything that did not fit.
    pub group: u64,
    pub level: Level,
    /// Method, route and status of failed requests; else what the messages of its events have in common.
    pub message: Arc<str>,
    pub subtype: Arc<str>,
    pub status: Option<u16>,
    /// How often it happened, see [`EventRef::times`].
    pub count: u64,
    /// Distinct sessions, at most 1,024.
    pub sessions: usize,
    pub first: Timestamp,
    pub last: Timestamp,
    /// The latest event's place in the ring.
    pub last_ordinal: u64,
    /// When its events happened.
    pub trend: Trend,
}

/// All groups.
#[derive(Debug, Default)]
pub(super) struct Groups {
    all: FxHashMap<u64, Group>,
}

/// What of a group's events is still kept.
struct Kept<'a> {
    count: u64,
    first: Timestamp,
    last: Timestamp,
    latest: (u64, EventRef<'a>),
}

#[derive(Debug)]
struct Group {
    row: GroupRow,
    /// How many of its events each session has.
    sessions: FxHashMap<Symbol, u64>,
    /// The failed request whose title was read last: that of its like is the same.
    titled: Option<(Symbol, Option<u16>)>,
}

impl Groups {
    pub(super) fn add(&mut self, event: EventRef<'_>, ordinal: u64) {
        let Some(group) = event.group() else { return };
        let has_room = self.all.len() < MAX_GROUPS || self.all.contains_key(&group);
        let key = if has_room { group } else { OTHER };
        self.all.entry(key).or_insert_with(|| Group::new(key, event, ordinal)).add(event, ordinal);
    }

    /// Events of all groups that did not fit.
    pub(super) fn other(&self) -> u64 {
        self.all.get(&OTHER).map_or(0, |group| group.row.count)
    }

    /// Whether there is a group `group`.
    pub(super) fn has(&self, group: u64) -> bool {
        self.all.contains_key(&group)
    }

    /// Takes `event` out of the group `from`, which it was added to before it had another; `true` if what is left of
    /// that group must be looked at again, see [`Groups::refit`].
    pub(super) fn remove(&mut self, event: EventRef<'_>, ordinal: u64, from: u64) -> bool {
        let key = if self.all.contains_key(&from) { from } else { OTHER };
        let Some(group) = self.all.get_mut(&key) else { return false };
        group.remove(event);
        if group.row.count == 0 {
            self.all.remove(&key);
            return false;
        }
        let row = &group.row;
        row.first == event.inst() || row.last == event.inst() || row.last_ordinal == ordinal
    }

    /// Sets when groups began and ended, and their latest events, to what `events` says, which are those of them that are
    /// still kept, oldest first.
    pub(super) fn refit<'a>(&mut self, events: impl Iterator<Item = (u64, EventRef<'a>)>) {
        let mut kept: FxHashMap<u64, Kept<'a>> = FxHashMap::default();
        for (ordinal, event) in events {
            let (Some(group), inst) = (event.group(), event.inst()) else { continue };
            let kept = kept.entry(group).or_insert(Kept {
                count: 0,
                first: inst,
                last: inst,
                latest: (ordinal, event),
            });
            kept.count += event.times();
            (kept.first, kept.last) = (kept.first.min(inst), kept.last.max(inst));
            kept.latest = (ordinal, event);
        }
        for (group, kept) in kept {
            let Some(row) = self.all.get_mut(&group).map(|group| &mut group.row) else { continue };
            let (ordinal, event) = kept.latest;
            (row.last_ordinal, row.level, row.status) = (ordinal, event.level(), event.status());
            row.last = kept.last;
            // What is no longer kept was earlier.
            if kept.count == row.count {
                row.first = kept.first;
            }
        }
    }

    /// Rows by count, largest first, then by fingerprint.
    pub(super) fn rows(&self) -> Arc<[GroupRow]> {
        let mut rows: Vec<_> = self.all.values().map(|group| group.row.clone()).collect();
        rows.sort_by(|a, b| b.count.cmp(&a.count).then(a.group.cmp(&b.group)));
        rows.into()
    }
}

impl Group {
    fn new(group: u64, event: EventRef<'_>, ordinal: u64) -> Self {
        let row = GroupRow {
            group,
            level: event.level(),
            message: Arc::from(title_of(event)),
            subtype: Arc::from(event.subtype()),
            status: event.status(),
            count: 0,
            sessions: 0,
            first: event.inst(),
            last: event.inst(),
            last_ordinal: ordinal,
            trend: Trend::new(event.inst()),
        };
        Self { row, sessions: FxHashMap::default(), titled: None }
    }

    fn add(&mut self, event: EventRef<'_>, ordinal: u64) {
        let (row, times) = (&mut self.row, event.times());
        row.count += times;
        row.first = row.first.min(event.inst());
        row.last = row.last.max(event.inst());
        row.trend.add(event.inst(), times);
        let session = event.chunk().sessions()[event.row()];
        if !session.is_none() && (self.sessions.len() < MAX_SESSIONS || self.sessions.contains_key(&session))
        {
            *self.sessions.entry(session).or_default() += 1;
            row.sessions = self.sessions.len();
        }
        if ordinal >= row.last_ordinal {
            row.last_ordinal = ordinal;
            row.level = event.level();
            row.status = event.status();
        }
        let request = event.chunk().endpoints()[event.row()];
        if !request.is_none() && event.flags().has(Flags::FAILED) {
            let titled = Some((request, event.status()));
            if self.titled == titled {
                return;
            }
            self.titled = titled;
        }
        if let Some(title) = shared(&row.message, &title_of(event)) {
            row.message = Arc::from(title);
        }
    }
}

impl Group {
    fn remove(&mut self, event: EventRef<'_>) {
        let (row, times) = (&mut self.row, event.times());
        row.count = row.count.saturating_sub(times);
        row.trend.remove(event.inst(), times);
        let session = event.chunk().sessions()[event.row()];
        if let Some(count) = self.sessions.get_mut(&session) {
            *count -= 1;
            if *count == 0 {
                self.sessions.remove(&session);
            }
            row.sessions = self.sessions.len();
        }
    }
}

/// What an event says of its group: a failed request is known by its endpoint and status alone.
fn title_of(event: EventRef<'_>) -> Cow<'_, str> {
    if event.endpoint().is_empty() || !event.flags().has(Flags::FAILED) {
        return event.headline();
    }
    let endpoint = event.shown_endpoint();
    Cow::Owned(match event.status() {
        Some(status) => format!("{endpoint} {status}"),
        None => format!("{endpoint} no answer"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{ChunkBuilder, Family, Msg, Row};

    fn row(msg: &'static str, endpoint: &'static str, status: Option<u16>) -> Row<'static> {
        let mut flags = Flags::NONE;
        if !endpoint.is_empty() {
            flags.set(Flags::FAILED);
        }
        Row {
            seq: 0,
            inst: Timestamp(0),
            recv: Timestamp(0),
            level: Level::Error,
            severity: None,
            family: Family::None,
            flags,
            id: "a/b",
            ns: "a.b",
            kind: "error",
            subtype: "",
            session: "s",
            user: "",
            tab: "",
            load: None,
            endpoint,
            duration: None,
            status,
            group: 7,
            source: "browser",
            msg: Msg::Text(msg),
            json: "{}",
        }
    }

    #[test]
    fn a_group_is_titled_by_what_its_events_share_in_whatever_order_they_come() {
        let reading = |name| row(name, "", None);
        let request = |msg, status| row(msg, "POST /api/orders", status);
        for (rows, title) in [
            (vec![reading("no 'a' here"), reading("no 'b' here"), reading("no 'a' here")], "no '…' here"),
            (vec![request("POST /api/orders 500 in 3 ms", Some(500))], "POST /api/orders 500"),
            (
                vec![request("Failed to fetch", None), request("NetworkError", None)],
                "POST /api/orders no answer",
            ),
        ] {
            for reversed in [false, true] {
                let mut builder = ChunkBuilder::new();
                rows.iter().for_each(|row| builder.push(row));
                let chunk = builder.finish();
                let mut events: Vec<_> = (0..).zip(chunk.events()).collect();
                if reversed {
                    events.reverse();
                }
                let mut groups = Groups::default();
                events.iter().for_each(|(ordinal, event)| groups.add(*event, *ordinal));
                assert_eq!(&*groups.rows()[0].message, title);
            }
        }
    }
}
