//! The threads beside the console: the scan, advice, counts of saved filters, and what is kept in files.
//!
//! Started by the console and ended with it. They wake it by its queue and never wait for it.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread;

use super::console::{Input, Source};
use super::counts::{self, Filters};
use super::kept::{Job, Kept};
use super::looks;
use crate::ingest;
use crate::published::Published;
use crate::scan::{self, Advice, AdviceHandle, Clock, Marks, Matches, ScanHandle};

/// The threads beside the console, and the ways to them.
pub(super) struct Helpers {
    pub(super) scan: ScanHandle,
    pub(super) matches: Arc<Published<Matches>>,
    pub(super) advice: AdviceHandle,
    pub(super) advised: Arc<Published<Advice>>,
    pub(super) marks: Arc<Published<Marks>>,
    /// Gone once they are to end.
    pub(super) kept: Option<SyncSender<Job>>,
    pub(super) counts: Option<SyncSender<Filters>>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Helpers {
    /// Starts them all; each snapshot is shown to those that look at events.
    pub(super) fn spawn(source: &Source, kept: Kept, sender: &SyncSender<Input>) -> io::Result<Self> {
        let marks = Arc::new(Published::new(Marks::default()));
        let clock =
            Clock { start: ingest::now(), zone: looks::zone(&kept.settings), marks: Arc::clone(&marks) };
        let matches = Arc::new(Published::new(Matches::default()));
        let (scan, scanning) = scan::spawn(clock.clone(), Arc::clone(&matches))?;
        let advised = Arc::new(Published::new(Advice::default()));
        let (advice, advising) = scan::spawn_advice(clock.clone(), Arc::clone(&advised))?;
        let (counts, counting) = counts::spawn(clock, Arc::clone(&source.snapshots), sender.clone())?;
        let (kept, keeping) = kept.spawn(sender.clone())?;
        let maps = source.maps.clone();
        let (eyes, adviser, snapshots) = (scan.clone(), advice.clone(), Arc::downgrade(&source.snapshots));
        source.snapshots.on_change(move || {
            if let Some(snapshots) = snapshots.upgrade() {
                eyes.see(snapshots.get());
                adviser.see(snapshots.get());
                if let Some(maps) = &maps {
                    maps.see(snapshots.get());
                }
            }
        });
        // A full queue has a waker in it already.
        let news = sender.clone();
        matches.on_change(move || drop(news.try_send(Input::News)));
        let news = sender.clone();
        advised.on_change(move || drop(news.try_send(Input::News)));
        scan.see(source.snapshots.get());
        advice.see(source.snapshots.get());
        let threads = vec![scanning, advising, counting, keeping];
        Ok(Self { scan, matches, advice, advised, marks, kept: Some(kept), counts: Some(counts), threads })
    }
}

impl Drop for Helpers {
    /// What was to be written is written even when the user quits at once.
    fn drop(&mut self) {
        self.scan.stop();
        self.advice.stop();
        self.kept = None;
        self.counts = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
