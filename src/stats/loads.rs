//! Page loads: which number each tab's newest one has, when those began that carry no number, and which errors were
//! first met in which.
//!
//! The store adds everything that arrives, commands that read recordings what they read; the scan makes of it what
//! `since:reload`, `session:latest` and `is:new` mean, and the screens call tabs by the letters given here. Bounded:
//! past 20,000 sessions those loaded longest ago leave, a tab keeps its last 64 loads and a session its last 32 tabs,
//! tabs after the 26th share a letter, and groups after the 5,000th are never new.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::breaks::{Break, BreakKind, Breaks};
use crate::event::{EventRef, Micros, PageLoad, Timestamp};

const MAX_SESSIONS: usize = 20_000;
const MAX_TABS: usize = 32;
const MAX_STARTS: usize = 64;
/// As many as the table of errors tells apart.
const MAX_GROUPS: usize = 5_000;
/// Tabs that get a letter of their own: the alphabet.
const MAX_LETTERS: usize = 26;
/// How development servers begin the line they write after a hot update (vite 7, webpack-dev-server 5, next 15).
const HOT_UPDATES: [&str; 3] = ["[vite] hot updated", "[HMR] Updated modules", "[Fast Refresh] done"];

/// The loads of all sessions and tabs.
#[derive(Clone, Debug, Default)]
pub struct Loads {
    sessions: FxHashMap<Arc<str>, Session>,
    /// Tabs in the order of their first events.
    letters: Vec<Arc<str>>,
    hot_update: Option<Timestamp>,
    /// Where each group was first met, and where last.
    groups: FxHashMap<u64, (Met, Met)>,
    breaks: Breaks,
}

/// Where a group was met.
#[derive(Clone, Debug)]
struct Met {
    session: Arc<str>,
    tab: Arc<str>,
    load: Option<i32>,
    at: Timestamp,
}

#[derive(Clone, Debug, Default)]
struct Session {
    /// The tab met first in front; empty for what names none.
    tabs: Vec<(Arc<str>, Tab)>,
    /// When its newest load began, as far as is known.
    loaded: Timestamp,
    /// Whether it did more than connect.
    has_events: bool,
}

#[derive(Clone, Debug, Default)]
struct Tab {
    /// The newest number.
    newest: Option<i32>,
    /// Whether it is known when that load began.
    is_dated: bool,
    /// When the loads of page-load events without a number began, oldest first.
    page_loads: Vec<Timestamp>,
    /// When connections opened, oldest first.
    connections: Vec<Timestamp>,
}

impl Met {
    fn of(event: EventRef<'_>, at: Timestamp) -> Self {
        let (session, tab) = (Arc::from(event.session()), Arc::from(event.tab()));
        Self { session, tab, load: event.load(), at }
    }

    /// Whether `event` is of the same page load, as far as numbers tell.
    fn is_of_load(&self, event: EventRef<'_>) -> bool {
        (self.load, &*self.tab, &*self.session) == (event.load(), event.tab(), event.session())
    }
}

impl Tab {
    /// When loads began; a connection is taken for one only where the page says nothing about its loads.
    fn starts(&self) -> &[Timestamp] {
        if self.page_loads.is_empty() { &self.connections } else { &self.page_loads }
    }
}

impl Session {
    fn get(&self, name: &str) -> Option<&Tab> {
        self.tabs.iter().find(|(known, _)| **known == *name).map(|(_, tab)| tab)
    }

    fn tab(&mut self, name: &str) -> &mut Tab {
        let place = self.tabs.iter().position(|(known, _)| **known == *name).unwrap_or_else(|| {
            if self.tabs.len() >= MAX_TABS {
                self.tabs.remove(0);
            }
            self.tabs.push((Arc::from(name), Tab::default()));
            self.tabs.len() - 1
        });
        &mut self.tabs[place].1
    }
}

impl Loads {
    /// Whether `event` says nothing new, so that [`Loads::add`] would change nothing.
    pub fn knows(&self, event: EventRef<'_>) -> bool {
        self.knows_place(event) && !self.is_news(event)
    }

    /// Whether the session, tab and load of `event` are nothing new: the first half of [`Loads::knows`].
    pub fn knows_place(&self, event: EventRef<'_>) -> bool {
        let session = self.sessions.get(event.session()).filter(|session| session.has_events);
        let Some(session) = session else { return false };
        let has_letter = self.letters.len() >= MAX_LETTERS || event.tab().is_empty();
        let is_known_load = |load| session.get(event.tab()).is_some_and(|tab: &Tab| tab.newest >= Some(load));
        event.load().is_none_or(is_known_load) && (has_letter || self.letter(event.tab()).is_some())
    }

    /// Whether `event` tells of a load, of new code or of a group for the first time, or in another load: the
    /// other half of [`Loads::knows`].
    pub fn is_news(&self, event: EventRef<'_>) -> bool {
        let is_new_group = |group| match self.groups.get(&group) {
            Some((_, last)) => !last.is_of_load(event),
            None => self.groups.len() < MAX_GROUPS,
        };
        let subtype = event.subtype();
        self.tells_when(event, subtype)
            || event.group().is_some_and(is_new_group)
            || is_hot_update(event, subtype)
    }

    /// Whether `event` is one of those that say when their load began, which is not known yet.
    fn tells_when(&self, event: EventRef<'_>, subtype: &str) -> bool {
        let is_undated = |load| {
            let tab = self.sessions.get(event.session()).and_then(|session| session.get(event.tab()));
            tab.is_none_or(|tab| tab.newest < Some(load) || tab.newest == Some(load) && !tab.is_dated)
        };
        subtype == "page-load" && event.load().is_none_or(is_undated)
    }

    /// Takes note of the session, tab, load and group of `event`. Letters and groups are those of the first event.
    pub fn add(&mut self, event: EventRef<'_>) {
        // A clock that is ahead must not make a load the newest for good.
        let at = event.inst().min(event.recv());
        let subtype = event.subtype();
        if is_hot_update(event, subtype) {
            self.hot_update = self.hot_update.max(Some(at));
            self.breaks.add(BreakKind::HotUpdate, event, event.page_load(), at);
        }
        if !event.tab().is_empty() && self.letter(event.tab()).is_none() && self.letters.len() < MAX_LETTERS {
            self.letters.push(Arc::from(event.tab()));
        }
        if let Some(group) = event.group() {
            let (met, has_room) = (|| Met::of(event, at), self.groups.len() < MAX_GROUPS);
            match self.groups.get_mut(&group) {
                Some((_, last)) if last.at <= at => *last = met(),
                None if has_room => drop(self.groups.insert(group, (met(), met()))),
                _ => {}
            }
        }
        let (is_first, tells_when) =
            (!self.sessions.contains_key(event.session()), self.tells_when(event, subtype));
        let session = self.session(event.session());
        session.has_events = true;
        match event.load() {
            Some(load) => {
                let tab = session.tab(event.tab());
                let (is_first, is_newer) = (tab.newest.is_none(), tab.newest < Some(load));
                if is_newer {
                    (tab.newest, tab.is_dated) = (Some(load), false);
                }
                // A tab that was not known may have been loaded long ago: only its page-load event knows.
                let is_reload = is_newer && !is_first;
                tab.is_dated |= is_reload || tells_when;
                if is_newer {
                    session.loaded = session.loaded.max(at);
                }
                if is_reload || tells_when {
                    let kind = if is_reload { BreakKind::Reload } else { BreakKind::Load };
                    let said = event.page_load();
                    self.breaks.add(kind, event, said, began(event, said, at));
                }
            }
            None if event.subtype() == "page-load" => {
                let said = event.page_load();
                let start = began(event, said, at);
                let page_loads = &mut session.tab(event.tab()).page_loads;
                let is_known = page_loads.binary_search(&start).is_ok();
                let kind = if page_loads.is_empty() { BreakKind::Load } else { BreakKind::Reload };
                insert(page_loads, start);
                session.loaded = session.loaded.max(start);
                if !is_known {
                    self.breaks.add(kind, event, said, start);
                }
            }
            None if is_first => session.loaded = at,
            None => {}
        }
    }

    /// Forgets a group that no event is in any more.
    pub fn forget(&mut self, group: u64) {
        self.groups.remove(&group);
    }

    /// Takes note of a connection of a tab of `session`.
    pub fn opened(&mut self, session: &str, tab: &str, at: Timestamp) {
        let session = self.session(session);
        let tab = session.tab(tab);
        insert(&mut tab.connections, at);
        // A page that numbers its loads, or tells of them, may connect again without having been loaded again.
        if tab.newest.is_none() && tab.page_loads.is_empty() {
            session.loaded = session.loaded.max(at);
        }
    }

    /// The newest load number of each tab: session, tab, number.
    pub fn numbered(&self) -> impl Iterator<Item = (&str, &str, i32)> {
        self.tabs().filter_map(|(session, name, tab)| Some((session, name, tab.newest?)))
    }

    /// When the loads of each tab began that have no numbers, oldest first: session, tab, times. Tabs without any
    /// are left out.
    pub fn starts(&self) -> impl Iterator<Item = (&str, &str, &[Timestamp])> {
        let starts = self.tabs().map(|(session, name, tab)| (session, name, tab.starts()));
        starts.filter(|(.., starts)| !starts.is_empty())
    }

    fn tabs(&self) -> impl Iterator<Item = (&str, &str, &Tab)> {
        self.sessions
            .iter()
            .flat_map(|(name, session)| session.tabs.iter().map(move |(tab, loads)| (&**name, &**tab, loads)))
    }

    /// The groups that were first met in what is still the newest load of its tab.
    pub fn new_groups(&self) -> impl Iterator<Item = u64> {
        self.groups.iter().filter(|(_, (first, _))| self.back_of(first) == Some(0)).map(|(group, _)| *group)
    }

    /// In which tab and load of a session groups were first met, one for each group.
    pub fn first_met<'a>(&'a self, session: &'a str) -> impl Iterator<Item = (&'a str, Option<i32>)> {
        let own = self.groups.values().filter(move |(first, _)| *first.session == *session);
        own.map(|(first, _)| (&*first.tab, first.load))
    }

    /// The sessions that new groups were first met in, one for each group.
    pub fn new_in(&self) -> impl Iterator<Item = &Arc<str>> {
        let firsts = self.groups.values().map(|(first, _)| first);
        firsts.filter(|first| self.back_of(first) == Some(0)).map(|first| &first.session)
    }

    /// The groups that were last met in the load before the newest one of its tab, which began at least `quiet_ms`
    /// before `now`.
    pub fn gone_groups(&self, now: Timestamp, quiet_ms: i64) -> impl Iterator<Item = u64> {
        let is_gone = move |met: &Met| {
            let is_newest = |found: &&Arc<Break>| {
                found.kind == BreakKind::Reload && *found.tab == *met.tab && *found.session == *met.session
            };
            let newest = self.breaks().iter().rfind(is_newest);
            self.back_of(met) == Some(1) && newest.is_some_and(|newest| now.since(newest.at) >= quiet_ms)
        };
        self.groups.iter().filter(move |(_, (_, last))| is_gone(last)).map(|(group, _)| *group)
    }

    fn back_of(&self, met: &Met) -> Option<u32> {
        self.loads_back(&met.session, &met.tab, met.load, met.at)
    }

    /// How many loads of its tab came after that of an event: 0 for one of the newest; `None` for unknown sessions.
    pub fn loads_back(&self, session: &str, tab: &str, load: Option<i32>, at: Timestamp) -> Option<u32> {
        let session = self.sessions.get(session)?;
        let tab = session.get(tab);
        if let Some(load) = load {
            let newest = tab.and_then(|tab| tab.newest).unwrap_or(load);
            return Some(u32::try_from(i64::from(newest) - i64::from(load)).unwrap_or(0));
        }
        let starts = |tab: &'_ Tab| !tab.starts().is_empty();
        let starts = tab.filter(|tab| starts(tab)).or_else(|| session.get("").filter(|tab| starts(tab)));
        let starts = starts.map(Tab::starts).unwrap_or_default();
        // What came before the first load that is known belongs to it.
        let own = starts.partition_point(|start| *start <= at).max(1);
        Some(u32::try_from(starts.len().saturating_sub(own)).unwrap_or(u32::MAX))
    }

    /// The session whose page was loaded most recently, of those that anything was heard of: a worker that is silent
    /// says nothing about its page.
    pub fn latest_session(&self) -> Option<&str> {
        let named = self.sessions.iter().filter(|(name, session)| session.has_events && !name.is_empty());
        named.max_by_key(|(name, session)| (session.loaded, *name)).map(|(name, _)| &**name)
    }

    /// Sessions and groups that are remembered.
    pub fn len(&self) -> usize {
        self.sessions.len() + self.groups.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The newest page loads and hot updates, earliest first.
    pub fn breaks(&self) -> &[Arc<Break>] {
        self.breaks.all()
    }

    /// When code was last replaced in a running page.
    pub fn hot_update(&self) -> Option<Timestamp> {
        self.hot_update
    }

    /// The letter of a tab: `A` for the first one an event came from; `None` for tabs after the 26th.
    pub fn letter(&self, tab: &str) -> Option<char> {
        let place = self.letters.iter().position(|known| **known == *tab)?;
        Some(char::from(b'A' + u8::try_from(place).ok()?))
    }

    fn session(&mut self, name: &str) -> &mut Session {
        if !self.sessions.contains_key(name) {
            if self.sessions.len() >= MAX_SESSIONS {
                self.evict();
            }
            self.sessions.insert(Arc::from(name), Session::default());
        }
        self.sessions.get_mut(name).expect("put there above")
    }

    /// Drops the tenth that was loaded longest ago, so that the search is paid for once in 2,000 new sessions.
    fn evict(&mut self) {
        let mut ages: Vec<_> =
            self.sessions.iter().map(|(name, session)| (session.loaded, Arc::clone(name))).collect();
        let (oldest, ..) = ages.select_nth_unstable(MAX_SESSIONS / 10);
        for (_, name) in oldest {
            self.sessions.remove(name);
        }
    }
}

/// Puts `start` in its place; where there are too many the oldest leaves.
fn insert(starts: &mut Vec<Timestamp>, start: Timestamp) {
    let place = starts.partition_point(|known| *known < start);
    if starts.get(place) == Some(&start) {
        return;
    }
    starts.insert(place, start);
    if starts.len() > MAX_STARTS {
        starts.remove(0);
    }
}

/// When what an event of time `at` tells of began: events are made when it has ended.
fn began(event: EventRef<'_>, said: PageLoad<'_>, at: Timestamp) -> Timestamp {
    let took = match event.subtype() {
        "page-load" => said.took_ms.unwrap_or(0.0),
        _ => event.duration().map_or(0.0, Micros::as_ms),
    };
    #[expect(clippy::cast_possible_truncation, reason = "saturates; no load takes a day")]
    at.plus_ms(-(took.clamp(0.0, 86_400_000.0) as i64))
}

fn is_hot_update(event: EventRef<'_>, subtype: &str) -> bool {
    matches!(subtype, "hot-update" | "hmr")
        || event.msg().starts_with('[') && HOT_UPDATES.iter().any(|start| event.msg().starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Chunk, ChunkBuilder, Msg, Row};

    fn event(inst: i64, session: &'static str, tab: &'static str, load: Option<i32>) -> Row<'static> {
        Row {
            inst: Timestamp(inst),
            recv: Timestamp(inst + 5),
            id: "a/b",
            ns: "a.b",
            kind: "log",
            session,
            tab,
            load,
            source: "browser",
            ..Row::default()
        }
    }

    fn page_load(inst: i64, session: &'static str) -> Row<'static> {
        let json = r#"{"timing":{"fullyLoaded":1000}}"#;
        Row { subtype: "page-load", json, ..event(inst, session, "", None) }
    }

    fn chunk(rows: &[Row<'_>]) -> Chunk {
        let mut builder = ChunkBuilder::new();
        rows.iter().for_each(|row| builder.push(row));
        builder.finish()
    }

    fn loads(rows: &[Row<'_>]) -> Loads {
        let mut loads = Loads::default();
        chunk(rows).events().for_each(|event| loads.add(event));
        loads
    }

    fn starts<'a>(loads: &'a Loads, session: &str) -> &'a [Timestamp] {
        loads.starts().find(|(name, ..)| *name == session).map_or(&[], |(.., starts)| starts)
    }

    #[test]
    fn each_tab_of_a_session_has_its_own_newest_load() {
        let rows = [event(1, "s", "t1", Some(2)), event(2, "s", "t2", Some(7)), event(3, "s", "t1", Some(1))];
        let loads = loads(&rows);
        let mut numbered: Vec<_> = loads.numbered().collect();
        numbered.sort_unstable();
        assert_eq!(numbered, [("s", "t1", 2), ("s", "t2", 7)]);
        assert!(chunk(&rows).events().all(|event| loads.knows(event)));
        let news = [event(4, "s", "t1", Some(3)), event(4, "s", "t3", None), page_load(4, "s")];
        assert!(chunk(&news).events().all(|event| !loads.knows(event)));
    }

    #[test]
    fn without_numbers_page_loads_count_and_without_those_connections() {
        let mut found = loads(&[event(500, "s", "", None)]);
        found.opened("s", "", Timestamp(400));
        found.opened("s", "", Timestamp(9_000));
        found.opened("s", "other tab", Timestamp(9_100));
        assert_eq!(starts(&found, "s"), [Timestamp(400), Timestamp(9_000)]);
        let rows = [page_load(9_500, "s"), page_load(1_500, "s"), page_load(1_500, "s")];
        chunk(&rows).events().for_each(|event| found.add(event));
        assert_eq!(starts(&found, "s"), [Timestamp(500), Timestamp(8_500)]);
        assert_eq!(starts(&found, "nobody"), []);
    }

    #[test]
    fn the_latest_session_is_the_one_loaded_last_and_not_the_one_heard_last() {
        let rows = [event(1_000, "a", "t", Some(1)), event(2_000, "b", "t", Some(1))];
        let mut found = loads(&rows);
        assert_eq!(found.latest_session(), Some("b"));
        // A tab that only connects again has not been loaded.
        found.opened("a", "t", Timestamp(3_000));
        chunk(&[event(4_000, "a", "t", Some(1)), event(4_000, "", "", None)])
            .events()
            .for_each(|event| found.add(event));
        assert_eq!(found.latest_session(), Some("b"));
        chunk(&[event(5_000, "a", "t", Some(2))]).events().for_each(|event| found.add(event));
        assert_eq!(found.latest_session(), Some("a"));
        found.opened("c", "", Timestamp(6_000));
        assert_eq!(found.latest_session(), Some("a"), "nothing was heard of it");
        let first = chunk(&[event(7_000, "c", "", None)]);
        assert!(!found.knows(first.event(0)));
        found.add(first.event(0));
        assert_eq!(found.latest_session(), Some("c"));
    }

    #[test]
    fn only_a_page_load_event_says_when_a_tab_that_was_not_known_was_loaded() {
        let loaded = |inst, load| {
            let json = r#"{"timing":{"fully-loaded":1000}}"#;
            Row { subtype: "page-load", json, ..event(inst, "s", "t", Some(load)) }
        };
        let mut found = loads(&[event(50_000, "s", "t", Some(3)), event(51_000, "s", "t", Some(3))]);
        assert_eq!(found.breaks(), []);
        let mut hear = |row: Row<'_>| {
            let chunk = chunk(&[row]);
            let event = chunk.events().next().expect("one row");
            let is_news = !found.knows(event);
            found.add(event);
            let breaks = found.breaks().iter().map(|found| (found.kind, found.load, found.at.0)).collect();
            (is_news, breaks)
        };
        let first = (BreakKind::Load, Some(3), 49_000);
        let second = (BreakKind::Reload, Some(4), 60_000);
        let all: [(Row<'_>, (bool, Vec<_>)); 4] = [
            (loaded(50_000, 3), (true, vec![first])),
            (loaded(50_000, 3), (false, vec![first])),
            (event(60_000, "s", "t", Some(4)), (true, vec![first, second])),
            (loaded(61_500, 4), (false, vec![first, second])),
        ];
        for (row, expected) in all {
            assert_eq!(hear(row), expected);
        }
    }

    #[test]
    fn a_group_is_new_until_the_tab_it_was_first_met_in_is_loaded_again() {
        let failed = |group, row| Row { group, ..row };
        let rows = [
            failed(1, event(1_000, "s", "t", Some(1))),
            failed(2, event(2_000, "s", "other", Some(1))),
            failed(3, event(3_000, "plain", "", None)),
            failed(4, event(4_000, "", "", None)),
        ];
        let mut loads = loads(&rows);
        let found = |loads: &Loads| {
            let mut groups: Vec<u64> = loads.new_groups().collect();
            groups.sort_unstable();
            groups
        };
        loads.opened("plain", "", Timestamp(2_900));
        assert_eq!(found(&loads), [1, 2, 3, 4]);
        loads.opened("plain", "", Timestamp(5_000));
        let later = [
            failed(5, event(6_000, "s", "t", Some(2))),
            failed(1, event(6_100, "s", "t", Some(2))),
            failed(6, event(6_200, "plain", "", None)),
        ];
        chunk(&later).events().for_each(|event| loads.add(event));
        assert_eq!(found(&loads), [2, 4, 5, 6]);
        assert!(chunk(&later).events().all(|event| loads.knows(event)));
    }

    #[test]
    fn hot_updates_are_events_of_their_own_or_lines_of_known_servers() {
        let line = |inst, text| Row { msg: Msg::Text(text), ..event(inst, "s", "", None) };
        let own = Row { subtype: "hot-update", ..event(3, "s", "", None) };
        for (row, expected) in [
            (line(1, "[vite] hot updated: /src/App.tsx"), Some(Timestamp(1))),
            (line(2, "[vite] connected."), None),
            (own, Some(Timestamp(3))),
        ] {
            assert_eq!(loads(&[row]).hot_update(), expected);
        }
    }

    #[test]
    fn tabs_get_letters_in_the_order_they_are_met() {
        let names: Vec<String> = (0..30).map(|at| format!("tab-{at}")).collect();
        let mut loads = Loads::default();
        for name in &names {
            chunk(&[Row { tab: name, ..event(1, "s", "", None) }])
                .events()
                .for_each(|event| loads.add(event));
        }
        let letters = ["tab-0", "tab-25", "tab-26", ""].map(|tab| loads.letter(tab));
        assert_eq!(letters, [Some('A'), Some('Z'), None, None]);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut loads = Loads::default();
        for at in 0..200 {
            loads.opened("s", "", Timestamp(at));
            loads.opened("tabs", &at.to_string(), Timestamp(at));
        }
        let kept = starts(&loads, "s");
        assert_eq!((kept.len(), kept[0]), (MAX_STARTS, Timestamp(136)));
        let tabs: Vec<_> =
            loads.starts().filter(|(name, ..)| *name == "tabs").map(|(_, tab, _)| tab).collect();
        assert_eq!((tabs.len(), tabs[0]), (MAX_TABS, "168"));
        for at in 0..MAX_SESSIONS + 1 {
            loads.opened(&format!("s{at}"), "", Timestamp(1_000 + i64::try_from(at).expect("small")));
        }
        assert!(loads.sessions.len() <= MAX_SESSIONS && !loads.sessions.contains_key("s"));
        assert!(loads.sessions.contains_key("s20000"));
    }
}
