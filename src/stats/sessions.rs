//! One line for each session: who, where, how much, how bad.
//!
//! Filled by `Tables`, read by the sessions panel and `stats`. Bounded: past 20,000 sessions the one that was
//! quiet longest leaves, and is counted (SECURITY: limits).

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::event::{EventRef, Flags, Level, Names, Symbol, Timestamp};

const MAX_SESSIONS: usize = 20_000;

/// What the sessions panel shows of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRow {
    /// Empty for all events without a session id, shown as `?`.
    pub session: Arc<str>,
    pub user: Arc<str>,
    pub tab: Arc<str>,
    /// The newest page load.
    pub load: Option<i32>,
    /// Time of the first event of that load.
    pub loaded: Timestamp,
    pub events: u64,
    /// Events of level error and above, and failed requests.
    pub errors: u64,
    pub slow: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    pub last_ordinal: u64,
    /// How its latest event is told in a line.
    pub last_msg: Arc<str>,
}

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    all: FxHashMap<Symbol, Session>,
    /// Those of all events.
    names: Option<Arc<Names>>,
    evicted: u64,
}

#[derive(Debug)]
struct Session {
    row: SessionRow,
    user: Symbol,
    tab: Symbol,
    /// Texts are made when a row is asked for: most sessions have had many messages by then.
    is_msg_stale: bool,
    are_names_stale: bool,
    /// Whether its latest event is taillight's own, which is of no page.
    is_latest_own: bool,
}

impl Sessions {
    pub(super) fn add(&mut self, event: EventRef<'_>, ordinal: u64) {
        if !event.is_of_session() {
            return;
        }
        let symbol = event.chunk().sessions()[event.row()];
        if let Some(session) = self.all.get_mut(&symbol) {
            return session.add(event, ordinal);
        }
        if self.all.len() >= MAX_SESSIONS {
            self.evict();
        }
        self.names.get_or_insert_with(|| Arc::clone(event.chunk().names()));
        self.all.entry(symbol).or_insert_with(|| Session::new(event, ordinal)).add(event, ordinal);
    }

    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Rows by events, largest first, then by name.
    pub(super) fn rows(&mut self, message: impl Fn(u64) -> Option<Arc<str>>) -> Arc<[SessionRow]> {
        let name = |symbol| Arc::from(self.names.as_ref().map_or("", |names| names.get(symbol)));
        let mut rows: Vec<_> = self.all.values_mut().map(|session| session.row(name, &message)).collect();
        rows.sort_by(|a, b| b.events.cmp(&a.events).then_with(|| a.session.cmp(&b.session)));
        rows.into()
    }

    /// Drops the tenth that was quiet longest, so that the search is paid for once in 2,000 new sessions.
    fn evict(&mut self) {
        let mut ages: Vec<_> = self.all.iter().map(|(symbol, session)| (session.row.last, *symbol)).collect();
        let (oldest, ..) = ages.select_nth_unstable(MAX_SESSIONS / 10);
        for (_, symbol) in oldest {
            self.all.remove(symbol);
            self.evicted += 1;
        }
    }
}

impl Session {
    fn new(event: EventRef<'_>, ordinal: u64) -> Self {
        let row = SessionRow {
            session: Arc::from(event.session()),
            user: Arc::from(event.user()),
            tab: Arc::from(event.tab()),
            load: event.load(),
            loaded: event.inst(),
            events: 0,
            errors: 0,
            slow: 0,
            first: event.inst(),
            last: event.inst(),
            last_ordinal: ordinal,
            last_msg: Arc::from(&*event.said()),
        };
        let (chunk, at) = (event.chunk(), event.row());
        Self {
            row,
            user: chunk.users()[at],
            tab: chunk.tabs()[at],
            is_msg_stale: false,
            are_names_stale: false,
            is_latest_own: event.flags().has(Flags::OWN),
        }
    }

    fn add(&mut self, event: EventRef<'_>, ordinal: u64) {
        let row = &mut self.row;
        row.events += 1;
        // An alert about what went wrong is not one thing more that did.
        let is_bad = event.level() >= Level::Error && !event.flags().has(Flags::OWN);
        row.errors += u64::from(is_bad || event.flags().has(Flags::FAILED));
        row.slow += u64::from(event.flags().has(Flags::SLOW));
        row.first = row.first.min(event.inst());
        row.last = row.last.max(event.inst());
        let (chunk, at) = (event.chunk(), event.row());
        let is_own = event.flags().has(Flags::OWN);
        let is_latest =
            is_own == self.is_latest_own && ordinal >= row.last_ordinal || self.is_latest_own && !is_own;
        if is_latest {
            self.is_msg_stale |= ordinal != row.last_ordinal;
            (row.last_ordinal, self.is_latest_own) = (ordinal, is_own);
        }
        for (known, said) in [(&mut self.user, chunk.users()[at]), (&mut self.tab, chunk.tabs()[at])] {
            if (is_latest || known.is_none()) && *known != said && !said.is_none() {
                *known = said;
                self.are_names_stale = true;
            }
        }
        if let Some(load) = event.load() {
            match row.load {
                Some(newest) if load < newest => {}
                Some(newest) if load == newest => row.loaded = row.loaded.min(event.inst()),
                _ => (row.load, row.loaded) = (Some(load), event.inst()),
            }
        }
    }

    fn row(
        &mut self,
        name: impl Fn(Symbol) -> Arc<str>,
        message: impl Fn(u64) -> Option<Arc<str>>,
    ) -> SessionRow {
        if self.are_names_stale {
            (self.row.user, self.row.tab) = (name(self.user), name(self.tab));
            self.are_names_stale = false;
        }
        if self.is_msg_stale
            && let Some(latest) = message(self.row.last_ordinal)
        {
            self.row.last_msg = latest;
            self.is_msg_stale = false;
        }
        self.row.clone()
    }
}
