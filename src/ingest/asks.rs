//! Questions to pages: which session is asked how it is, and whose answer that is.
//!
//! The console asks, connections of that session pass it on (CONTRACT: native protocol). A page answers or does not;
//! nobody waits for it here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::broadcast;

/// Questions that connections may be behind; older ones are not asked any more.
const QUEUE: usize = 16;
/// Questions of one connection that may be without an answer.
const MAX_OPEN: usize = 8;

/// A question.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) session: Arc<str>,
    pub(super) id: Arc<str>,
}

/// The way to ask.
#[derive(Clone, Debug)]
pub struct Asks {
    sender: broadcast::Sender<Ask>,
    next: Arc<AtomicU64>,
}

impl Default for Asks {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(QUEUE), next: Arc::default() }
    }
}

impl Asks {
    /// Asks every open page of `session` for its diagnostics; `false` if nothing is connected at all.
    pub fn diagnostics(&self, session: &str) -> bool {
        let id = format!("r{}", self.next.fetch_add(1, Ordering::Relaxed) + 1);
        self.sender.send(Ask { session: Arc::from(session), id: Arc::from(id) }).is_ok()
    }

    pub(super) fn listen(&self) -> Listening {
        Listening { asks: self.sender.subscribe(), open: Vec::new() }
    }
}

/// A connection's side.
#[derive(Debug)]
pub(super) struct Listening {
    asks: broadcast::Receiver<Ask>,
    open: Vec<Arc<str>>,
}

impl Listening {
    /// The next question to anybody; may be cancelled.
    pub(super) async fn next(&mut self) -> Ask {
        loop {
            match self.asks.recv().await {
                Ok(ask) => return ask,
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                // The way to ask is gone with the ingestor, which ends this connection too.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    /// The question was passed on.
    pub(super) fn passed_on(&mut self, ask: &Ask) {
        if self.open.len() >= MAX_OPEN {
            self.open.remove(0);
        }
        self.open.push(Arc::clone(&ask.id));
    }

    /// Whether `id` answers an open question, which it closes.
    pub(super) fn is_answered_by(&mut self, id: &str) -> bool {
        let at = self.open.iter().position(|open| **open == *id);
        at.map(|at| self.open.remove(at)).is_some()
    }
}
