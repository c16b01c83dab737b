//! A value that is replaced as a whole: the newest wins, readers take a pointer.
//!
//! Written by the store and the scan, read by the scan and the console. The lock is held for one pointer clone.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

type Waker = Box<dyn Fn() + Send + Sync>;

/// The newest value of something, with a callback that runs after each replacement.
pub struct Published<T> {
    newest: Mutex<Arc<T>>,
    waker: Mutex<Option<Waker>>,
}

impl<T> Published<T> {
    pub fn new(first: T) -> Self {
        Self { newest: Mutex::new(Arc::new(first)), waker: Mutex::new(None) }
    }

    /// Calls `wake` after every [`Published::set`] from now on; it must not block.
    pub fn on_change(&self, wake: impl Fn() + Send + Sync + 'static) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(wake));
    }

    pub fn set(&self, value: Arc<T>) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = value;
        if let Some(wake) = &*self.waker.lock().unwrap_or_else(PoisonError::into_inner) {
            wake();
        }
    }

    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.newest.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T: fmt::Debug> fmt::Debug for Published<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published").field("newest", &self.get()).finish_non_exhaustive()
    }
}
