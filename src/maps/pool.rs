//! The threads that load: jobs in over a bounded queue, results out by a callback.
//!
//! Two of them, so that one slow server leaves the other; what does not fit in the queue is asked for again later.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::load::{Loader, Script};
use super::table::Refusal;
use crate::priority;

const THREADS: usize = 2;
/// How much they give way, to a tenth of the time where all cores are busy: reading maps is no reason for a key to wait.
pub(super) const NICENESS: i32 = 10;
/// Jobs that wait.
const QUEUE: usize = 64;

/// A script to be loaded.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) file: Arc<str>,
    pub(super) before: Option<Arc<Script>>,
}

/// What became of a job.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) file: Arc<str>,
    pub(super) result: Result<Arc<Script>, Refusal>,
}

#[derive(Debug)]
pub(super) struct Pool {
    jobs: SyncSender<Job>,
    /// Threads that end when the last sender does; one may be waiting for a server, so nobody waits for them.
    _threads: Vec<JoinHandle<()>>,
}

impl Pool {
    pub(super) fn spawn(
        loader: Loader,
        deliver: impl Fn(Done) + Clone + Send + 'static,
    ) -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel(QUEUE);
        let (loader, queue) = (Arc::new(loader), Arc::new(Mutex::new(queue)));
        let spawn = |number: usize| {
            let (loader, queue, deliver) = (Arc::clone(&loader), Arc::clone(&queue), deliver.clone());
            thread::Builder::new()
                .name(format!("maps-{number}"))
                .spawn(move || work(&loader, &queue, &deliver))
        };
        let threads = (0..THREADS).map(spawn).collect::<Result<_, _>>()?;
        Ok(Self { jobs, _threads: threads })
    }

    /// Takes the job on; gives it back where there is no room for it.
    pub(super) fn take(&self, job: Job) -> Result<(), Job> {
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(job) | TrySendError::Disconnected(job) => job,
        })
    }
}

fn work(loader: &Loader, queue: &Mutex<Receiver<Job>>, deliver: &impl Fn(Done)) {
    priority::give_way(NICENESS);
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { file, before }) = job else { return };
        let result = loader.load(&file, before.as_ref());
        deliver(Done { file, result });
    }
}
