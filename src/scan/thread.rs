//! The scan's thread: the newest filter and the newest snapshot win, a slice of work, then what was found so far.
//!
//! `run` spawns it; the console holds a [`ScanHandle`] and hands it filters.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::context::{Clock, context_of};
use super::matches::Matches;
use super::{Scan, Selection};
use crate::filter::{Filter, Matcher};
use crate::inbox::{Inbox, Wait};
use crate::published::Published;
use crate::store::Snapshot;

/// How long a pass goes on before it shows what it has (SECURITY: filter scan).
const SLICE: Duration = Duration::from_millis(8);
/// How long a new filter's pass goes on before it shows the newest matches: with what the console needs to draw
/// them, well inside of 16 ms.
const FIRST_SLICE: Duration = Duration::from_millis(2);
/// Tables are made anew at most this often; their first rows come as soon as everything is counted.
const TABLES_EVERY: Duration = Duration::from_millis(100);
/// How long matches may be without places that source maps have told of since: while hundreds of maps load, nearly every
/// chunk has new ones.
const PLACES_EVERY: Duration = Duration::from_millis(250);
/// How often a filter that depends on the clock or on page loads starts over.
const MOVING: Duration = Duration::from_secs(1);

/// What the thread is told.
#[derive(Default)]
struct News {
    filter: Option<(u64, Arc<Filter>)>,
    snapshot: Option<Arc<Snapshot>>,
    held: Option<Option<Arc<Snapshot>>>,
}

/// The way to a running scan.
#[derive(Clone, Default)]
pub struct ScanHandle(Inbox<News>);

impl ScanHandle {
    /// From now on only this filter matters; its matches carry `id`.
    pub fn select(&self, id: u64, filter: Arc<Filter>) {
        self.0.put(|news| news.filter = Some((id, filter)));
    }

    /// From now on only this snapshot matters.
    pub fn see(&self, snapshot: Arc<Snapshot>) {
        self.0.put(|news| news.snapshot = Some(snapshot));
    }

    /// The next filter is for this snapshot, whatever comes meanwhile; `None` goes on with the newest.
    pub fn hold(&self, snapshot: Option<Arc<Snapshot>>) {
        self.0.put(|news| news.held = Some(snapshot));
    }

    pub fn stop(&self) {
        self.0.stop();
    }

    /// What is new; waits for something as long as `wait` says. `None` at the end.
    fn take(&self, wait: Wait) -> Option<News> {
        self.0.take(wait, |news| news.filter.is_some() || news.snapshot.is_some() || news.held.is_some())
    }

    /// Whether what is being done has become pointless.
    fn is_overtaken(&self) -> bool {
        self.0.has(|news| news.filter.is_some())
    }
}

/// Starts the scan; it ends with [`ScanHandle::stop`].
///
/// # Errors
/// When the operating system gives no thread.
pub fn spawn(
    clock: Clock,
    published: Arc<Published<Matches>>,
) -> std::io::Result<(ScanHandle, JoinHandle<()>)> {
    let handle = ScanHandle::default();
    let inside = handle.clone();
    let work = move || {
        let mut worker = Worker {
            clock,
            scan: Scan::new(),
            snapshot: Arc::default(),
            held: None,
            is_held: false,
            filter: (0, Arc::default()),
            begun_with: Arc::default(),
            begun: Instant::now(),
            remapped: 0,
            placed: Instant::now(),
            tables_made: None,
            threads: Selection::threads(),
        };
        worker.work(&inside, &published);
    };
    let thread = thread::Builder::new().name("scan".into()).spawn(work)?;
    Ok((handle, thread))
}

struct Worker {
    clock: Clock,
    scan: Scan,
    /// The newest.
    snapshot: Arc<Snapshot>,
    /// What filters look at instead, and whether the present one does.
    held: Option<Arc<Snapshot>>,
    is_held: bool,
    filter: (u64, Arc<Filter>),
    /// What the pass is for; differs from `filter` only until that starts.
    begun_with: Arc<Filter>,
    /// When the filter last started over.
    begun: Instant,
    /// What of places told was last looked for, and when.
    remapped: u64,
    placed: Instant,
    /// When tables were last made for this filter.
    tables_made: Option<Instant>,
    /// How many may look at chunks at once.
    threads: usize,
}

impl Worker {
    fn work(&mut self, handle: &ScanHandle, published: &Published<Matches>) {
        let mut wait = Wait::ForNews;
        while let Some(news) = handle.take(wait) {
            let is_new = news.filter.is_some();
            let mut is_changed = self.learn(news);
            let is_due = self.filter.1.depends().any() && self.begun.elapsed() >= MOVING;
            if is_new || is_due {
                self.start_over();
            }
            self.scan.set_snapshot(Arc::clone(self.looked_at()));
            if self.is_remapped() && self.placed.elapsed() >= PLACES_EVERY {
                self.scan.see_places();
                (self.remapped, self.placed) = (self.snapshot.remapped, Instant::now());
            }
            let until = Instant::now() + if is_new { FIRST_SLICE } else { SLICE };
            let goes_on = || Instant::now() < until && !handle.is_overtaken();
            if is_new {
                // Whoever has pressed a key waits for rows; what else is to be said of them comes after.
                while goes_on() && self.scan.look_on(&goes_on) {}
                published.set(Arc::new(self.scan.glance()));
                wait = Wait::Not;
                continue;
            }
            // A pass that starts over shows nothing half done: the list was whole a moment ago.
            let is_hidden = is_due;
            let looks_on = || if is_hidden { !handle.is_overtaken() } else { goes_on() };
            let mut has_work = true;
            while has_work && looks_on() {
                has_work = self.scan.advance_on(&looks_on);
                is_changed |= has_work;
            }
            if is_hidden && has_work {
                wait = Wait::Not;
                continue;
            }
            let has_old_tables = self.scan.has_old_tables();
            let tables_due = self.make_tables(has_work);
            if is_changed || has_old_tables && tables_due.is_none() {
                published.set(Arc::new(self.scan.glance()));
            }
            let mut is_unready = true;
            while is_unready && !has_work && goes_on() {
                is_unready = self.scan.prepare(&|| !handle.is_overtaken());
            }
            wait = if has_work || is_unready {
                Wait::Not
            } else {
                tables_due.map_or(Wait::ForNews, Wait::AtMost)
            };
            if self.is_remapped() && matches!(wait, Wait::ForNews) {
                wait = Wait::AtMost(PLACES_EVERY.saturating_sub(self.placed.elapsed()));
            }
        }
    }

    /// Takes over what is new; gives whether there may be other matches by that.
    fn learn(&mut self, news: News) -> bool {
        let is_changed = news.snapshot.is_some() || news.held.is_some();
        self.filter = news.filter.unwrap_or_else(|| std::mem::take(&mut self.filter));
        if let Some(snapshot) = news.snapshot {
            self.snapshot = snapshot;
        }
        if let Some(held) = news.held {
            self.held = held;
            self.is_held &= self.held.is_some();
        }
        is_changed
    }

    fn looked_at(&self) -> &Arc<Snapshot> {
        self.held.as_ref().filter(|_| self.is_held).unwrap_or(&self.snapshot)
    }

    /// Makes the tables if it is time; else says how long to wait for it.
    fn make_tables(&mut self, has_work: bool) -> Option<Duration> {
        if !self.scan.has_old_tables() {
            return None;
        }
        let left = match self.tables_made {
            Some(made) => TABLES_EVERY.saturating_sub(made.elapsed()),
            None if has_work => TABLES_EVERY.saturating_sub(self.begun.elapsed()),
            None => Duration::ZERO,
        };
        if left.is_zero() {
            self.scan.make_tables();
            self.tables_made = Some(Instant::now());
            return None;
        }
        Some(left)
    }

    /// Whether places became known that were not looked for.
    fn is_remapped(&self) -> bool {
        !self.filter.1.is_all() && self.snapshot.remapped != self.remapped
    }

    fn start_over(&mut self) {
        self.begun = Instant::now();
        self.tables_made = None;
        self.is_held = self.held.is_some();
        let (id, filter) = &self.filter;
        // What was found among newer events is not of those that are held.
        let is_narrower = !self.is_held && filter.narrows(&self.begun_with);
        let selection = if filter.is_all() {
            Selection::everything(*id)
        } else {
            let context = context_of(self.looked_at(), &self.clock);
            Selection::matching(*id, Matcher::new(Arc::clone(filter), context), self.threads)
        };
        let marks = self.clock.marks.get();
        self.scan.keep(marks.kept_for(filter));
        if is_narrower {
            self.scan.narrow(selection);
        } else {
            self.scan.set_selection(selection);
        }
        self.begun_with = Arc::clone(filter);
    }
}
