//! The thread that goes through what arrives, asks for maps, and tells the store where in the sources it happened.
//!
//! `run` spawns it beside the store and hands it snapshots; `tell` takes its results. It waits for no server: an event
//! whose scripts are being loaded waits in a bounded list.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::address::Allowed;
use super::disk::Root;
use super::load::Loader;
use super::pool::{self, Done, Pool};
use super::sources::Rewrites;
use crate::counters::Counters;
use crate::inbox::{Inbox, Wait};
use crate::pipeline::Grouping;
use crate::priority;
use crate::stack::Libraries;
use crate::store::{Mapping, Snapshot};

mod builds;
mod known;
mod walk;

use known::Known;
use walk::Walk;
pub use walk::tells;

/// What is set about maps.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Origins beside local names that are asked; `None` where nothing is asked for and maps come from the project alone.
    pub allowed: Option<Allowed>,
    pub root: Root,
    pub rewrites: Rewrites,
    pub libraries: Libraries,
    pub grouping: Grouping,
}

/// What the thread is told: the newest snapshot, and what was loaded, which is at most what was asked for.
#[derive(Debug, Default)]
struct News {
    snapshot: Option<Arc<Snapshot>>,
    done: Vec<Done>,
}

/// The way to the running thread.
#[derive(Clone, Debug, Default)]
pub struct MapsHandle(Inbox<News>);

impl MapsHandle {
    /// From now on only this snapshot matters.
    pub fn see(&self, snapshot: Arc<Snapshot>) {
        self.0.put(|news| news.snapshot = Some(snapshot));
    }

    pub fn stop(&self) {
        self.0.stop();
    }

    fn deliver(&self, done: Done) {
        self.0.put(|news| news.done.push(done));
    }

    /// What is new, once something is; `None` at the end.
    fn take(&self) -> Option<News> {
        self.0.take(Wait::ForNews, |news| news.snapshot.is_some() || !news.done.is_empty())
    }
}

/// Starts the thread; it ends with [`MapsHandle::stop`], or when `tell` says that nobody listens any more.
///
/// # Errors
/// When the operating system gives no thread.
pub fn spawn(
    options: Options,
    counters: Arc<Counters>,
    tell: impl Fn(Vec<Mapping>) -> bool + Send + 'static,
) -> io::Result<(MapsHandle, JoinHandle<()>)> {
    let handle = MapsHandle::default();
    let (inside, back) = (handle.clone(), handle.clone());
    let Options { allowed, root, rewrites, libraries, grouping } = options;
    let loader = Loader::new(allowed, root.clone(), rewrites.clone());
    let pool = Pool::spawn(loader, move |done| back.deliver(done))?;
    let work = move || {
        priority::give_way(pool::NICENESS);
        let mut known = Known::new(pool, root, rewrites, libraries, counters);
        let mut walk = Walk::by(grouping);
        while let Some(news) = inside.take() {
            known.learn(news.done);
            if let Some(snapshot) = news.snapshot {
                known.now = snapshot.at;
                walk.see(snapshot, &mut known);
            }
            known.ask();
            loop {
                let found = walk.settle(&mut known);
                if found.is_empty() {
                    break;
                }
                if !tell(found) {
                    return;
                }
            }
        }
    };
    let thread = thread::Builder::new().name("maps".into()).spawn(work)?;
    Ok((handle, thread))
}
