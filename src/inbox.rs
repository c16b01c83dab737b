//! What waits for a thread: the newest of each thing it is told, and whether it is to end.
//!
//! Shared by the scan, the adviser and the source maps with those who tell them. It is no queue: what is put in twice
//! is there once, and whoever puts it in never waits.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Both ends of it.
#[derive(Debug)]
pub(crate) struct Inbox<T>(Arc<(Mutex<Waiting<T>>, Condvar)>);

#[derive(Debug, Default)]
struct Waiting<T> {
    news: T,
    is_stopping: bool,
}

/// Until when the thread has nothing to do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wait {
    Not,
    AtMost(Duration),
    ForNews,
}

impl<T: Default> Inbox<T> {
    /// Puts something in.
    pub(crate) fn put(&self, put: impl FnOnce(&mut T)) {
        put(&mut self.lock().news);
        self.0.1.notify_one();
    }

    /// The thread is to end; what waits is not taken any more.
    pub(crate) fn stop(&self) {
        self.lock().is_stopping = true;
        self.0.1.notify_one();
    }

    /// Takes all there is, once there `is_news` or the wait is over. `None` at the end.
    pub(crate) fn take(&self, wait: Wait, is_news: impl Fn(&T) -> bool) -> Option<T> {
        let is_quiet = |waiting: &mut Waiting<T>| !waiting.is_stopping && !is_news(&waiting.news);
        let (waiting, told) = (self.lock(), &self.0.1);
        let mut waiting = match wait {
            Wait::Not => waiting,
            Wait::ForNews => told.wait_while(waiting, is_quiet).unwrap_or_else(PoisonError::into_inner),
            Wait::AtMost(time) => {
                told.wait_timeout_while(waiting, time, is_quiet).unwrap_or_else(PoisonError::into_inner).0
            }
        };
        (!waiting.is_stopping).then(|| std::mem::take(&mut waiting.news))
    }

    /// Whether there `is_news`, or the thread is to end.
    pub(crate) fn has(&self, is_news: impl Fn(&T) -> bool) -> bool {
        let waiting = self.lock();
        waiting.is_stopping || is_news(&waiting.news)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Inbox<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Default> Default for Inbox<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_taken_once_and_nothing_after_the_end() {
        let inbox = Inbox::<Vec<u8>>::default();
        assert_eq!(inbox.take(Wait::Not, |news| !news.is_empty()), Some(vec![]));
        inbox.put(|news| news.push(1));
        inbox.put(|news| news.push(2));
        assert!(inbox.has(|news| news.len() == 2) && !inbox.has(|news| news.len() == 3));
        let taken = inbox.clone().take(Wait::ForNews, |news| !news.is_empty());
        assert_eq!(taken, Some(vec![1, 2]));
        let waited = inbox.take(Wait::AtMost(Duration::from_millis(1)), |news| !news.is_empty());
        assert_eq!(waited, Some(vec![]), "nothing came");
        inbox.put(|news| news.push(3));
        inbox.stop();
        assert!(inbox.has(|_| false));
        assert_eq!(inbox.take(Wait::ForNews, |_| false), None);
    }
}
