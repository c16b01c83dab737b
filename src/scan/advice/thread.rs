//! The thread that answers: the newest question and the newest snapshot win.
//!
//! `run` spawns it; the console holds an [`AdviceHandle`] and asks at each key, which never waits.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::{Advice, AdviceRequest, MAX_CANDIDATES, fields};
use crate::filter::{What, expected};
use crate::published::Published;
use crate::scan::Clock;
use crate::store::Snapshot;

/// What waits for the thread: only the newest of each.
#[derive(Default)]
struct Inbox {
    request: Option<AdviceRequest>,
    snapshot: Option<Arc<Snapshot>>,
    is_stopping: bool,
}

/// The way to the running adviser.
#[derive(Clone)]
pub struct AdviceHandle {
    inbox: Arc<(Mutex<Inbox>, Condvar)>,
}

impl AdviceHandle {
    /// From now on only this question matters; its answers carry its id.
    pub fn ask(&self, request: AdviceRequest) {
        self.lock().request = Some(request);
        self.inbox.1.notify_one();
    }

    /// The events that the next question is about.
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
            !has_work && !inbox.is_stopping && inbox.request.is_none() && inbox.snapshot.is_none()
        };
        let mut inbox = self.inbox.1.wait_while(inbox, is_quiet).unwrap_or_else(PoisonError::into_inner);
        (!inbox.is_stopping).then(|| std::mem::take(&mut *inbox))
    }
}

/// Starts the adviser; it ends with [`AdviceHandle::stop`].
///
/// # Errors
/// When the operating system gives no thread.
pub fn spawn_advice(
    clock: Clock,
    published: Arc<Published<Advice>>,
) -> std::io::Result<(AdviceHandle, JoinHandle<()>)> {
    let handle = AdviceHandle { inbox: Arc::default() };
    let inside = handle.clone();
    let work = move || {
        let _ = &clock;
        while let Some(news) = inside.take(false) {
            let Some(request) = news.request else { continue };
            let expected = expected(&request.text, request.cursor);
            let mut advice =
                Advice { id: request.id, span: expected.span, is_done: true, ..Advice::default() };
            if let What::Field { typed, takes_operator } = expected.what {
                let mut candidates = fields::built_in(&typed, takes_operator);
                advice.hidden = candidates.len().saturating_sub(MAX_CANDIDATES);
                candidates.truncate(MAX_CANDIDATES);
                advice.candidates = candidates;
                advice.title = "field".to_owned();
            }
            published.set(Arc::new(advice));
        }
    };
    let thread = thread::Builder::new().name("advice".into()).spawn(work)?;
    Ok((handle, thread))
}
