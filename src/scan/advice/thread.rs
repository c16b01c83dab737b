//! The thread that answers: the newest question and the newest snapshot win.
//!
//! `run` spawns it; the console holds an [`AdviceHandle`] and asks at each key, which never waits.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Advice, AdviceRequest, Advisor};
use crate::inbox::{Inbox, Wait};
use crate::published::Published;
use crate::scan::{Clock, context_of};
use crate::store::Snapshot;

/// How long counting goes on before it shows what it has, as long as a slice of the scan.
const SLICE: Duration = Duration::from_millis(8);
/// How often an answer is made anew while events come in.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a text stands before it is commented on: whoever types on needs no notes and no second busy thread.
const QUIET: Duration = Duration::from_millis(200);
/// An answer that takes long is made anew less often, so that this thread is idle all but one part in so many.
const SHARE: u32 = 20;

/// What the thread is told.
#[derive(Default)]
struct News {
    request: Option<AdviceRequest>,
    snapshot: Option<Arc<Snapshot>>,
}

/// The way to the running adviser.
#[derive(Clone, Default)]
pub struct AdviceHandle(Inbox<News>);

impl AdviceHandle {
    /// From now on only this question matters; its answers carry its id. It is answered anew about once a second
    /// as events come in, so a bar that is closed asks about nothing: the empty text, accepted.
    pub fn ask(&self, request: AdviceRequest) {
        self.0.put(|news| news.request = Some(request));
    }

    /// The newest events: the next question is about them, and now and then the last one is answered anew.
    pub fn see(&self, snapshot: Arc<Snapshot>) {
        self.0.put(|news| news.snapshot = Some(snapshot));
    }

    pub fn stop(&self) {
        self.0.stop();
    }

    /// What is new; waits for something, or for a question as long as `wait` says. `None` at the end.
    fn take(&self, wait: Wait) -> Option<News> {
        let is_idle = matches!(wait, Wait::ForNews);
        self.0.take(wait, |news| news.request.is_some() || is_idle && news.snapshot.is_some())
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
    let handle = AdviceHandle::default();
    let inside = handle.clone();
    let work = move || {
        let mut worker = Worker {
            clock,
            snapshot: Arc::default(),
            advisor: Advisor::new(),
            request: None,
            begun: Instant::now(),
            took: Duration::ZERO,
        };
        worker.work(&inside, &published);
    };
    let thread = thread::Builder::new().name("advice".into()).spawn(work)?;
    Ok((handle, thread))
}

struct Worker {
    clock: Clock,
    snapshot: Arc<Snapshot>,
    advisor: Advisor,
    /// The last question.
    request: Option<AdviceRequest>,
    /// When it was last begun with.
    begun: Instant,
    /// How long the last complete answer took.
    took: Duration,
}

impl Worker {
    fn work(&mut self, handle: &AdviceHandle, published: &Published<Advice>) {
        let mut has_work = false;
        let mut is_again = false;
        while let Some(news) = handle.take(self.pause(has_work)) {
            if let Some(snapshot) = news.snapshot {
                self.snapshot = snapshot;
            }
            let is_new = news.request.is_some();
            has_work &= !is_new;
            if is_new {
                self.request = news.request;
            }
            let pause = AGAIN.max(self.took.saturating_mul(SHARE));
            let is_due = !has_work && self.request.is_some() && self.begun.elapsed() >= pause;
            if is_new || is_due {
                is_again = !is_new;
                self.begin();
            } else if !has_work {
                continue;
            }
            let until = Instant::now() + SLICE;
            has_work = true;
            while has_work && Instant::now() < until {
                let was_counted = self.advisor.is_counted();
                has_work = self.advisor.advance();
                if !was_counted && self.advisor.is_counted() {
                    break;
                }
            }
            if !has_work {
                self.took = self.begun.elapsed();
            }
            // A question asked again shows nothing half done: the answer was whole a moment ago.
            if !has_work || !is_again {
                published.set(Arc::new(self.advisor.advice()));
            }
        }
    }

    /// How long to wait for something new: for ever without work, and before the notes until typing has paused.
    fn pause(&self, has_work: bool) -> Wait {
        let is_typing = self.request.as_ref().is_some_and(|request| !request.is_accepted);
        if !has_work {
            Wait::ForNews
        } else if is_typing && self.advisor.is_counted() {
            Wait::AtMost(QUIET.saturating_sub(self.begun.elapsed()))
        } else {
            Wait::Not
        }
    }

    fn begin(&mut self) {
        self.begun = Instant::now();
        let context = context_of(&self.snapshot, &self.clock);
        self.advisor.see(Arc::clone(&self.snapshot), context);
        self.advisor.ask(self.request.clone().unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::event::Timestamp;

    #[test]
    fn the_newest_question_is_answered_to_the_end() {
        let published = Arc::new(Published::new(Advice::default()));
        let (answers, answered) = mpsc::channel();
        published.on_change(move || {
            let _ = answers.send(());
        });
        let marks = Arc::new(Published::new(crate::scan::Marks::default()));
        let clock = Clock { start: Timestamp(0), zone: jiff::tz::TimeZone::UTC, marks };
        let (handle, thread) = spawn_advice(clock, Arc::clone(&published)).expect("a thread");
        handle.see(Arc::default());
        for (id, text) in [(1, "sta"), (2, "levle:error")] {
            handle.ask(AdviceRequest {
                id,
                text: text.to_owned(),
                cursor: text.len(),
                ..AdviceRequest::default()
            });
        }
        let advice = loop {
            answered.recv().expect("the thread answers");
            let advice = published.get();
            if advice.id == 2 && advice.is_done {
                break advice;
            }
        };
        assert_eq!(advice.notes.first().map(|note| note.code), Some("N-FIELD"));
        handle.stop();
        thread.join().expect("it ends");
    }
}
