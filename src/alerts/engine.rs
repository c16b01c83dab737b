//! The alerts at work: windows by rule and key, and which of them hold.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::rule::{By, Measure, Rule};
use super::window::Window;
use crate::event::{Chunk, EventRef, Flags, Person, Timestamp};
use crate::filter::{Bits, Matcher};
use crate::options::span_text;
use crate::pipeline::matcher;

/// Keys watched for all rules together; those of a rule that come when it has its part are watched as one, `(other)`.
const MAX_KEYS: usize = 4_096;
/// However many rules there are, each has at least and at most so many.
const KEYS_OF_A_RULE: (usize, usize) = (64, 1_000);
const OTHER: &str = "(other)";
/// The group of no event.
const OTHER_GROUP: u64 = u64::MAX;
/// Characters of an example and of a key that are kept.
const MAX_TEXT: usize = 200;

/// An alert that holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Firing {
    pub rule: Arc<Rule>,
    /// What was counted apart: a group, an endpoint …; empty for everything together.
    pub key: String,
    /// The group it is about, where the rule counts by group, and the ordinal of its latest event in the ring: source
    /// maps may have given that another group since.
    pub group: Option<(u64, u64)>,
    pub since: Timestamp,
    pub value: f64,
    /// The message of the latest event, as sent.
    pub example: String,
    /// Whose that event is.
    pub user: String,
    pub session: String,
}

impl Firing {
    /// What was measured, as people write it: `7 in 5m`, `2.5/s in 1m`, `5 % in 5m`, `812 ms in 5m`.
    pub fn measured(&self) -> String {
        format!("{} in {}", self.rule.measure.written(self.value), span_text(self.rule.window_ms))
    }
}

/// An alert that began or ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub firing: Firing,
    pub has_ended: bool,
    /// It has ended because it is not watched any more, or otherwise.
    pub is_replaced: bool,
}

/// Everything that is watched.
#[derive(Debug, Default)]
pub struct Engine {
    watched: Vec<Watched>,
    max_keys: usize,
    /// What held under rules that are gone, until it is told; only what was told before can be in here, so it is as
    /// bounded as that.
    replaced: Vec<Change>,
}

#[derive(Debug)]
struct Watched {
    rule: Arc<Rule>,
    filter: Option<Matcher>,
    of: Option<Matcher>,
    /// By group, or all events at 0.
    groups: FxHashMap<u64, Kept>,
    /// By endpoint, session or id.
    names: FxHashMap<Box<str>, Kept>,
    /// The rows of a chunk by their keys, kept for its room.
    keyed: Vec<(u64, usize)>,
}

#[derive(Debug, Default)]
struct Kept {
    window: Window,
    /// Of the latest event in the ring.
    ordinal: u64,
    example: String,
    user: String,
    session: String,
    /// Since when it has held.
    holds_since: Option<Timestamp>,
    fired: Option<Timestamp>,
    ended: Option<Timestamp>,
}

/// What a key stands for.
#[derive(Clone, Copy)]
enum Key<'a> {
    All,
    Group(u64),
    Name(&'a str),
}

impl Engine {
    pub fn new(rules: &[Rule]) -> Self {
        let (least, most) = KEYS_OF_A_RULE;
        let max_keys = (MAX_KEYS / rules.len().max(1)).clamp(least, most);
        Self { watched: rules.iter().map(Watched::of).collect(), max_keys, replaced: Vec::new() }
    }

    /// Goes on with these rules: what is watched as before keeps what it has seen; what holds by a rule that is gone has
    /// ended.
    pub fn replace(&mut self, rules: &[Rule]) {
        let Self { watched: mut old, replaced, .. } = std::mem::take(self);
        *self = Self { replaced, ..Self::new(rules) };
        for watched in &mut self.watched {
            if let Some(at) = old.iter().position(|known| known.rule.values == watched.rule.values) {
                *watched = old.swap_remove(at);
            }
        }
        let ended = old.iter().flat_map(Watched::firing);
        self.replaced.extend(ended.map(|firing| Change { firing, has_ended: true, is_replaced: true }));
    }

    /// Takes note of the events of `chunk`, all but taillight's own; `first` is the ordinal of its first in the ring.
    pub fn observe(&mut self, chunk: &Chunk, first: u64, now: Timestamp) {
        if chunk.len() > Bits::CAPACITY {
            for from in (0..chunk.len()).step_by(Bits::CAPACITY) {
                let piece = from..from + Bits::CAPACITY;
                self.observe(&chunk.retain(|row| piece.contains(&row)), first + from as u64, now);
            }
            return;
        }
        let mut counted = Bits::new();
        counted.fill_from(0..chunk.len(), chunk.flags(), |flags| !flags.has(Flags::OWN));
        for watched in &mut self.watched {
            watched.observe(chunk, &counted, first, now, self.max_keys);
        }
    }

    /// Lets go of what is kept of `who`: what they were quoted with, and what is counted for them alone, of which no end
    /// is told, for that would name them. They still count among others.
    pub fn forget(&mut self, who: &Person) {
        for watched in &mut self.watched {
            watched.forget(who);
        }
        let of_session = |change: &Change| change.firing.rule.by == By::Session;
        self.replaced
            .retain(|change| !(of_session(change) && who.is(&change.firing.user, &change.firing.key)));
        for Change { firing, .. } in &mut self.replaced {
            if who.is(&firing.user, &firing.session) {
                (firing.example, firing.user, firing.session) = Default::default();
            }
        }
    }

    /// What has begun or ended by `now`.
    pub fn evaluate(&mut self, now: Timestamp) -> Vec<Change> {
        let mut changes = std::mem::take(&mut self.replaced);
        changes.extend(self.watched.iter_mut().flat_map(|watched| watched.evaluate(now)));
        changes
    }

    /// The names of the rules.
    pub fn names(&self) -> Vec<String> {
        self.watched.iter().map(|watched| watched.rule.name.clone()).collect()
    }

    /// The alerts that hold, in the order of the rules, the oldest first.
    pub fn firing(&self) -> Vec<Firing> {
        self.watched.iter().flat_map(Watched::firing).collect()
    }
}

impl Watched {
    fn of(rule: &Rule) -> Self {
        Self {
            filter: matcher(&rule.filter),
            of: matcher(&rule.of),
            rule: Arc::new(rule.clone()),
            groups: FxHashMap::default(),
            names: FxHashMap::default(),
            keyed: Vec::new(),
        }
    }

    /// What holds, the oldest first.
    fn firing(&self) -> Vec<Firing> {
        let fired = |(key, kept): (Key<'_>, &Kept)| {
            let since = kept.fired?;
            Some(kept.firing(&self.rule, key, since, kept.value(&self.rule).unwrap_or(0.0)))
        };
        let mut firing: Vec<Firing> = self.keys().filter_map(fired).collect();
        firing.sort_by(|a, b| (a.since, &a.key).cmp(&(b.since, &b.key)));
        firing
    }

    fn keys(&self) -> impl Iterator<Item = (Key<'_>, &Kept)> {
        let is_all = self.rule.by == By::All;
        let group = move |group: u64| if is_all { Key::All } else { Key::Group(group) };
        let groups = self.groups.iter().map(move |(key, kept)| (group(*key), kept));
        groups.chain(self.names.iter().map(|(key, kept)| (Key::Name(key), kept)))
    }

    fn observe(&mut self, chunk: &Chunk, counted: &Bits, first: u64, now: Timestamp, max_keys: usize) {
        let is_share = self.rule.measure == Measure::Share;
        let of = is_share.then(|| passing(&mut self.of, chunk, counted));
        let meant = passing(&mut self.filter, chunk, of.as_ref().unwrap_or(counted));
        let seen = of.as_ref().unwrap_or(&meant);
        if seen.is_empty() {
            return;
        }
        let (rule, mut keyed) = (Arc::clone(&self.rule), std::mem::take(&mut self.keyed));
        keyed.clear();
        match rule.by {
            By::All => keyed.extend(seen.iter().map(|row| (0, row))),
            by => keyed.extend(
                seen.iter().map(|row| (by.number(chunk, row), row)).filter(|(number, _)| *number > 0),
            ),
        }
        keyed.sort_unstable();
        // Each key is looked for once, however many of the events have it.
        for run in keyed.chunk_by(|a, b| a.0 == b.0) {
            if let Some(kept) = self.kept(chunk.event(run[0].1), max_keys) {
                kept.count(&rule, chunk, (run, &meant), first, now);
            }
        }
        self.keyed = keyed;
    }

    fn forget(&mut self, who: &Person) {
        if self.rule.by == By::Session {
            self.names.retain(|name, kept| !who.is(&kept.user, name));
        }
        for kept in self.groups.values_mut().chain(self.names.values_mut()) {
            if who.is(&kept.user, &kept.session) {
                kept.quote("", "", "");
            }
        }
    }

    /// What is kept of the key of `event`; `None` if it has none.
    fn kept(&mut self, event: EventRef<'_>, max_keys: usize) -> Option<&mut Kept> {
        let name = match self.rule.by {
            By::All => return Some(self.groups.entry(0).or_default()),
            By::Group => {
                let group = event.group()?;
                let is_full = self.groups.len() >= max_keys && !self.groups.contains_key(&group);
                return Some(self.groups.entry(if is_full { OTHER_GROUP } else { group }).or_default());
            }
            By::Endpoint => event.endpoint(),
            By::Session => event.session(),
            By::Id => event.id(),
        };
        if name.is_empty() {
            return None;
        }
        let name = &name[..name.floor_char_boundary(MAX_TEXT)];
        let is_known = self.names.contains_key(name);
        let name = if is_known || self.names.len() < max_keys { name } else { OTHER };
        if !self.names.contains_key(name) {
            self.names.insert(name.into(), Kept::default());
        }
        self.names.get_mut(name)
    }

    fn evaluate(&mut self, now: Timestamp) -> Vec<Change> {
        let (rule, mut changes) = (Arc::clone(&self.rule), Vec::new());
        let is_all = rule.by == By::All;
        self.groups.retain(|group, kept| {
            let key = if is_all { Key::All } else { Key::Group(*group) };
            kept.evaluate(&rule, key, now, &mut changes)
        });
        self.names.retain(|name, kept| kept.evaluate(&rule, Key::Name(name), now, &mut changes));
        changes.sort_by(|a, b| a.firing.key.cmp(&b.firing.key));
        changes
    }
}

/// Those of `rows` that the filter lets through.
fn passing(filter: &mut Option<Matcher>, chunk: &Chunk, rows: &Bits) -> Bits {
    let Some(filter) = filter else { return rows.clone() };
    let mut passing = Bits::new();
    filter.eval_within(chunk, rows, &mut passing);
    passing
}

impl By {
    /// What tells the keys of a chunk's rows apart within it; 0 where there is none.
    fn number(self, chunk: &Chunk, row: usize) -> u64 {
        let names = match self {
            Self::All => return 0,
            Self::Group => return chunk.groups()[row],
            Self::Endpoint => chunk.endpoints(),
            Self::Session => chunk.sessions(),
            Self::Id => chunk.ids(),
        };
        u64::from(names[row].0)
    }
}

impl Kept {
    /// Takes note of events of this key: those that are meant, and for a share those it is of.
    fn count(
        &mut self,
        rule: &Rule,
        chunk: &Chunk,
        (rows, meant): (&[(u64, usize)], &Bits),
        first: u64,
        now: Timestamp,
    ) {
        let is_percentile = matches!(rule.measure, Measure::Percentile(_));
        let (mut count, mut latest) = (0, None);
        for (_, row) in rows.iter().filter(|(_, row)| meant.contains(*row)) {
            let event = chunk.event(*row);
            (count, latest) = (count + event.times(), Some(*row));
            if is_percentile && let Some(duration) = event.duration() {
                self.window.add_duration(now.0, duration.0);
            }
        }
        let of = if rule.measure == Measure::Share {
            rows.iter().map(|(_, row)| chunk.event(*row).times()).sum()
        } else {
            0
        };
        self.window.add(now.0, rule.window_ms, count, of);
        if let Some(row) = latest {
            let event = chunk.event(row);
            self.ordinal = first + row as u64;
            self.quote(event.msg(), event.user(), event.session());
        }
    }

    fn quote(&mut self, msg: &str, user: &str, session: &str) {
        let end = msg.char_indices().nth(MAX_TEXT).map_or(msg.len(), |(end, _)| end);
        for (kept, text) in
            [(&mut self.example, &msg[..end]), (&mut self.user, user), (&mut self.session, session)]
        {
            kept.clear();
            kept.push_str(text);
        }
    }

    /// `None` where there are too few events to say anything.
    fn value(&self, rule: &Rule) -> Option<f64> {
        let (value, events) = self.window.value(rule.measure, rule.window_ms);
        value.filter(|_| events >= rule.min_events)
    }

    /// Begins or ends; `false` if nothing need be kept any more.
    fn evaluate(
        &mut self,
        rule: &Arc<Rule>,
        key: Key<'_>,
        now: Timestamp,
        changes: &mut Vec<Change>,
    ) -> bool {
        let over =
            |since: Timestamp, ms: u64| u64::try_from(now.since(since)).is_ok_and(|passed| passed >= ms);
        let is_empty = self.window.forget(now.0, rule.window_ms);
        let value = self.value(rule).unwrap_or(0.0);
        let is_cooling = self.ended.is_some_and(|ended| !over(ended, rule.cool_down_ms));
        match self.fired {
            Some(fired) if value < rule.until_below => {
                (self.fired, self.holds_since, self.ended) = (None, None, Some(now));
                let firing = self.firing(rule, key, fired, value);
                changes.push(Change { firing, has_ended: true, is_replaced: false });
                return true;
            }
            Some(_) => return true,
            None if value >= rule.at_least && !is_cooling => {
                let since = *self.holds_since.get_or_insert(now);
                if over(since, rule.for_ms) {
                    self.fired = Some(now);
                    let firing = self.firing(rule, key, now, value);
                    changes.push(Change { firing, has_ended: false, is_replaced: false });
                }
            }
            None => self.holds_since = None,
        }
        !is_empty || is_cooling
    }

    fn firing(&self, rule: &Arc<Rule>, key: Key<'_>, since: Timestamp, value: f64) -> Firing {
        let (key, group) = match key {
            Key::All => (String::new(), None),
            Key::Group(OTHER_GROUP) => (OTHER.to_owned(), None),
            Key::Group(group) => (format!("{group:016x}"), Some((group, self.ordinal))),
            Key::Name(name) => (name.to_owned(), None),
        };
        let (example, user, session) = (self.example.clone(), self.user.clone(), self.session.clone());
        Firing { rule: Arc::clone(rule), key, group, since, value, example, user, session }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
