//! The scan's thread: the newest filter and the newest snapshot win, a slice of work, then what was found so far.
//!
//! `run` spawns it; the console holds a [`ScanHandle`] and hands it filters.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::context::{Clock, context_of};
use super::matches::Matches;
use super::{Scan, Select, Selection};
use crate::filter::{Bits, Filter, Matcher};
use crate::published::Published;
use crate::store::Snapshot;

/// How long a pass goes on before it shows what it has (SECURITY: filter scan).
const SLICE: Duration = Duration::from_millis(8);
/// How often a filter that depends on the clock or on page loads starts over.
const MOVING: Duration = Duration::from_secs(1);

/// What waits for the thread: only the newest of each.
#[derive(Default)]
struct Inbox {
    filter: Option<(u64, Arc<Filter>)>,
    snapshot: Option<Arc<Snapshot>>,
    is_stopping: bool,
}

/// The way to a running scan.
#[derive(Clone)]
pub struct ScanHandle {
    inbox: Arc<(Mutex<Inbox>, Condvar)>,
}

impl ScanHandle {
    /// From now on only this filter matters; its matches carry `id`.
    pub fn select(&self, id: u64, filter: Arc<Filter>) {
        self.lock().filter = Some((id, filter));
        self.inbox.1.notify_one();
    }

    /// From now on only this snapshot matters.
    pub fn see(&self, snapshot: Arc<Snapshot>) {
        self.lock().snapshot = Some(snapshot);
        self.inbox.1.notify_one();
    }

    pub fn stop(&self) {
        self.lock().is_stopping = true;
        self.inbox.1.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is new; waits for something unless there is work left. `None` at the end.
    fn take(&self, has_work: bool) -> Option<Inbox> {
        let inbox = self.lock();
        let is_quiet = |inbox: &mut Inbox| {
            !has_work && !inbox.is_stopping && inbox.filter.is_none() && inbox.snapshot.is_none()
        };
        let mut inbox = self.inbox.1.wait_while(inbox, is_quiet).unwrap_or_else(PoisonError::into_inner);
        (!inbox.is_stopping).then(|| std::mem::take(&mut *inbox))
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
    let handle = ScanHandle { inbox: Arc::default() };
    let inside = handle.clone();
    let work = move || {
        let mut worker = Worker {
            clock,
            scan: Scan::new(),
            snapshot: Arc::default(),
            filter: (0, Arc::default()),
            begun: Instant::now(),
        };
        worker.work(&inside, &published);
    };
    let thread = thread::Builder::new().name("scan".into()).spawn(work)?;
    Ok((handle, thread))
}

struct Worker {
    clock: Clock,
    scan: Scan,
    snapshot: Arc<Snapshot>,
    filter: (u64, Arc<Filter>),
    /// When the filter last started over.
    begun: Instant,
}

impl Worker {
    fn work(&mut self, handle: &ScanHandle, published: &Published<Matches>) {
        let mut has_work = false;
        while let Some(news) = handle.take(has_work) {
            let is_new = news.filter.is_some();
            if let Some(filter) = news.filter {
                self.filter = filter;
            }
            if let Some(snapshot) = news.snapshot {
                self.snapshot = snapshot;
            }
            let is_due = self.filter.1.depends().any() && self.begun.elapsed() >= MOVING;
            if is_new || is_due {
                self.start_over();
            }
            self.scan.set_snapshot(Arc::clone(&self.snapshot));
            let until = Instant::now() + SLICE;
            has_work = true;
            // A pass that starts over shows nothing half done: the list was whole a moment ago.
            while has_work && (is_due && !is_new || Instant::now() < until) {
                has_work = self.scan.advance();
            }
            published.set(Arc::new(self.scan.matches()));
        }
    }

    fn start_over(&mut self) {
        self.begun = Instant::now();
        let (id, filter) = &self.filter;
        let select = (!filter.is_all()).then(|| {
            let context = context_of(&self.snapshot, &self.clock);
            select(Matcher::new(Arc::clone(filter), context))
        });
        self.scan.set_selection(Selection { id: *id, select });
    }
}

/// A matcher as the pass uses it.
pub fn select(mut matcher: Matcher) -> Select {
    let mut bits = Bits::default();
    Box::new(move |chunk, rows, out| {
        bits.clear();
        matcher.eval(chunk, rows, &mut bits);
        out.extend(bits.iter().filter_map(|row| u16::try_from(row).ok()));
    })
}
