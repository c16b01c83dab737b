//! How many events each saved filter lets through, counted beside everything else.
//!
//! Asked by the console once a second while the list of saved filters is open; the newest question wins, and one that
//! is counted already is finished first.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::console::Input;
use crate::filter::{Bits, Matcher, parse};
use crate::published::Published;
use crate::scan::{Clock, context_of};
use crate::store::Snapshot;

/// Names and texts.
pub(super) type Filters = Arc<[(String, String)]>;

/// Starts the thread that counts; it ends once its sender is gone.
///
/// # Errors
/// When the operating system gives no thread.
pub(super) fn spawn(
    clock: Clock,
    snapshots: Arc<Published<Snapshot>>,
    answers: SyncSender<Input>,
) -> io::Result<(SyncSender<Filters>, JoinHandle<()>)> {
    let (sender, asked) = sync_channel::<Filters>(1);
    let work = move || {
        while let Some(filters) = newest(&asked) {
            let snapshot = snapshots.get();
            for (name, text) in filters.iter() {
                let Some(count) = count(text, &snapshot, &clock) else { continue };
                // A full queue has news in it, and another question comes in a second.
                let _ = answers.try_send(Input::Counts(Arc::from([(name.clone(), count)])));
            }
        }
    };
    let thread = thread::Builder::new().name("counts".into()).spawn(work)?;
    Ok((sender, thread))
}

fn newest(asked: &Receiver<Filters>) -> Option<Filters> {
    let first = asked.recv().ok()?;
    Some(asked.try_iter().last().unwrap_or(first))
}

/// The events of `snapshot` that the filter `text` lets through; `None` if it is mistaken.
fn count(text: &str, snapshot: &Snapshot, clock: &Clock) -> Option<u64> {
    let filter = parse(text).filter?;
    if filter.is_all() {
        return Some(snapshot.len());
    }
    let mut matcher = Matcher::new(Arc::new(filter), context_of(snapshot, clock));
    let mut bits = Bits::default();
    let counted = snapshot.segments.iter().map(|segment| {
        let evicted = usize::try_from(snapshot.first.saturating_sub(segment.base)).unwrap_or(usize::MAX);
        bits.clear();
        matcher.eval(&segment.chunk, evicted.min(segment.chunk.len())..segment.chunk.len(), &mut bits);
        bits.iter().count() as u64
    });
    Some(counted.sum())
}
