//! `taillight open`: the dashboard over recorded files, at once or at their own pace.
//!
//! A thread reads and feeds the store exactly as an ingestor would; the console cannot tell the difference, except
//! that its clock stands at the newest event.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use super::console::{self, Input, Source};
use super::kept::Kept;
use super::mapping::Files;
use super::{memory, reading, signals};
use crate::alerts::Board;
use crate::cli::{Open, Speed};
use crate::counters::Counters;
use crate::event::{Chunk, Timestamp};
use crate::ingest;
use crate::pipeline::Redactor;
use crate::published::Published;
use crate::recording::{Far, Recording};
use crate::store::{self, Retention, Snapshot, StoreHandle, StoreMsg, Tally};
use crate::ui::format::{count, counted};
use crate::ui::{Facts, Unit, Work};
use crate::wire::ScrubCount;

/// Events this close together in time are shown together.
const STEP_MS: i64 = 50;

pub(super) fn run(kept: Kept, open: &Open) -> anyhow::Result<u8> {
    console::check_terminal()?;
    let filter = super::filter::checked(open.filter.as_deref().unwrap_or_default(), &kept.settings.saved)?;
    let filter = kept.start_filter(filter.text(), false);
    let snapshots = Arc::new(Published::new(Snapshot::default()));
    let retention =
        Retention { events: kept.settings.retain, bytes: memory::of(&kept.settings), age_ms: None };
    let (store, storing) = store::spawn(retention, Arc::clone(&snapshots))?;
    let recording =
        Recording::new(open.files.clone(), ingest::now(), Redactor::new(&kept.settings.signal.0.rules()))
            .with_reading(reading::of(&kept.settings));
    let feed = Feed {
        store,
        snapshots: Arc::clone(&snapshots),
        retention,
        files: Files::of(&kept.settings),
        newest: Timestamp(0),
        speed: open.speed,
        stop: Arc::default(),
        told: Arc::default(),
        read: 0,
        scrubbed: ScrubCount::default(),
        far: Far::default(),
        began: Instant::now(),
    };
    let (stop, told) = (Arc::clone(&feed.stop), Arc::clone(&feed.told));
    // A file that cannot be read at all is better said before the screen is taken over.
    let mut feeding = feed.start(recording)?;
    let source = Source {
        snapshots,
        counters: Arc::new(Counters::default()),
        alerts: Arc::new(Published::new(Board::default())),
        facts: facts(&open.files),
        maps: None,
        asks: None,
        sinks: None,
        feeding: Some(Arc::clone(&stop)),
        demo: None,
    };
    let ended = console::show(&source, &filter, kept, |input| {
        // Nobody else sets it.
        let _ = told.set(input.clone());
        let input = input.clone();
        signals::watch(move |code| drop(input.send(console::Input::Signal(code))))
    });
    stop.store(true, Ordering::Relaxed);
    let said = feeding.take().map(thread::JoinHandle::join);
    let _ = storing.join();
    let ended = ended?;
    for line in said.and_then(Result::ok).unwrap_or_default() {
        // The screen is the user's again.
        let _ = writeln!(std::io::stderr(), "taillight: {line}");
    }
    Ok(ended)
}

fn facts(files: &[PathBuf]) -> Facts {
    let name = |path: &PathBuf| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let first = files.first().map(name).unwrap_or_default();
    let more = if files.len() > 1 { format!(" +{}", files.len() - 1) } else { String::new() };
    Facts { recording: Some(format!("{first}{more}")), ..Facts::default() }
}

struct Feed {
    store: StoreHandle,
    /// What the store keeps of what it was handed, and how much it may.
    snapshots: Arc<Published<Snapshot>>,
    retention: Retention,
    files: Files,
    newest: Timestamp,
    speed: Speed,
    stop: Arc<AtomicBool>,
    /// Where progress is told, once there is a console.
    told: Arc<OnceLock<SyncSender<Input>>>,
    /// Events read so far.
    read: u64,
    /// What was changed about those that the store has not been handed yet.
    scrubbed: ScrubCount,
    far: Far,
    began: Instant,
}

/// Memory that holds `all` events where `bytes` hold `kept`, as one would type it.
fn enough(bytes: u64, kept: u64, all: u64) -> String {
    let needed = u128::from(bytes) * u128::from(all) / u128::from(kept.max(1));
    // A quarter more: events of the other end may be longer.
    let mib = u64::try_from((needed + needed / 4) >> 20).unwrap_or(u64::MAX >> 1).max(1).next_power_of_two();
    if mib >= 1024 { format!("{}GiB", mib >> 10) } else { format!("{mib}MiB") }
}

/// How long the store may take for what it was handed last, and the console until it shows itself.
const SETTLED: Duration = Duration::from_secs(5);
/// Progress is told of what takes longer.
const SOON: Duration = Duration::from_millis(200);

impl Feed {
    /// Reads the first events here, the rest on a thread, which ends with what is to be said about the files.
    fn start(mut self, mut recording: Recording) -> anyhow::Result<Option<thread::JoinHandle<Vec<String>>>> {
        let first = recording.next_chunk()?;
        let read = move || {
            let mut said = Vec::new();
            let mut next = first;
            while let Some(chunk) = next.take() {
                self.far = recording.far();
                self.scrubbed = recording.scrubbed();
                if !self.take(chunk) {
                    self.end(true, &said);
                    return said;
                }
                match recording.next_chunk() {
                    Ok(chunk) => next = chunk,
                    Err(error) => said.push(error.to_string()),
                }
            }
            said.extend(super::recorded::complaints(recording.skipped()));
            self.end(false, &said);
            said
        };
        Ok(Some(thread::Builder::new().name("open".into()).spawn(read)?))
    }

    /// Hands a chunk to the store, in steps where it is to keep its pace; `false` once nobody wants more.
    fn take(&mut self, mut chunk: Chunk) -> bool {
        self.files.find(&mut chunk);
        let Some(factor) = self.speed.factor() else { return self.send(chunk) };
        let recvs = chunk.recvs().to_vec();
        let mut from = 0;
        while from < chunk.len() {
            let start = recvs[from];
            let upto =
                (from..chunk.len()).find(|row| recvs[*row].since(start) > STEP_MS).unwrap_or(chunk.len());
            if !self.wait(recvs.get(upto).map_or(0, |next| next.since(start)), factor) {
                return false;
            }
            if !self.send(chunk.retain(|row| (from..upto).contains(&row))) {
                return false;
            }
            from = upto;
        }
        true
    }

    /// Waits as long as the recording did, `factor` times as fast, but looks up now and then.
    fn wait(&self, ms: i64, factor: u32) -> bool {
        let wait = Duration::from_millis(u64::try_from(ms).unwrap_or(0)) / factor;
        let until = Instant::now() + wait;
        while Instant::now() < until && !self.stop.load(Ordering::Relaxed) {
            thread::park_timeout(
                until.saturating_duration_since(Instant::now()).min(Duration::from_millis(100)),
            );
        }
        !self.stop.load(Ordering::Relaxed)
    }

    /// Tells how far it is; in a recording at its own pace there is nothing to wait for.
    fn progress(&self) {
        let Some(console) = self.told.get().filter(|_| self.speed.factor().is_none()) else { return };
        if self.began.elapsed() > SOON {
            let Far { read, total } = self.far;
            let work = Work { what: console::READING, done: read, total, unit: Unit::Bytes };
            // A full queue has news in it already, and the next report comes soon.
            let _ = console.try_send(Input::Work(Some(work)));
        }
    }

    /// Tells that it is done, or was stopped, and what could not be read.
    fn end(&self, was_stopped: bool, complaints: &[String]) {
        // A short file may have been read before there is anybody to tell.
        self.wait_for(|| self.told.get().is_some());
        let Some(console) = self.told.get() else { return };
        // A console that has ended has nobody to tell.
        let _ = console.send(Input::Work(None));
        let said = if was_stopped {
            Some(format!("stopped reading after {}", counted(self.read, "event")))
        } else {
            self.kept()
        };
        let more = complaints.len().saturating_sub(1);
        let bad = complaints.first().map(|first| match more {
            0 => first.clone(),
            more => format!("{first}; {more} more are told at the end"),
        });
        let all: Vec<String> = bad.into_iter().chain(said).collect();
        if !all.is_empty() {
            let _ = console.send(Input::Notice(all.join("; ")));
        }
    }

    /// Waits until something `is_so`, or nobody wants more, or for [`SETTLED`].
    fn wait_for(&self, is_so: impl Fn() -> bool) {
        let began = Instant::now();
        while !is_so() && !self.stop.load(Ordering::Relaxed) && began.elapsed() < SETTLED {
            thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// What memory does not hold of the files, and which option would let it; `None` where it holds everything.
    fn kept(&self) -> Option<String> {
        self.wait_for(|| self.snapshots.get().end >= self.read);
        let snapshot = self.snapshots.get();
        let kept = snapshot.len();
        if kept == 0 || snapshot.first == 0 {
            return None;
        }
        let option = if kept >= self.retention.events {
            format!("--retain {}", self.read)
        } else {
            format!("--memory {}", enough(snapshot.bytes, kept, self.read))
        };
        let (kept, read) = (count(kept), counted(self.read, "event"));
        Some(format!("memory holds the newest {kept} of {read}: {option} holds all"))
    }

    fn send(&mut self, chunk: Chunk) -> bool {
        self.read += chunk.len() as u64;
        self.progress();
        self.newest = chunk.insts().iter().copied().max().unwrap_or(self.newest).max(self.newest);
        let ScrubCount { redacted, repaired, cut, flattened } = std::mem::take(&mut self.scrubbed);
        let accepted = chunk.len() as u64;
        let tally = Tally { accepted, redacted, repaired, cut, flattened, ..Tally::default() };
        !self.stop.load(Ordering::Relaxed)
            && self.store.send_blocking(StoreMsg::Append { chunk: Arc::new(chunk), tally, permit: None })
            && self.store.send_blocking(StoreMsg::Tick(self.newest))
    }
}

#[cfg(test)]
mod tests {
    use super::enough;

    #[test]
    fn the_memory_that_is_advised_holds_everything() {
        for (bytes, kept, all, expected) in [
            (256 << 20, 500_000, 1_500_000, "1GiB"),
            (256 << 20, 500_000, 500_001, "512MiB"),
            (1 << 20, 1_000, 1_001, "1MiB"),
            (256 << 20, 1_000, 1_000_000_000, "524288GiB"),
            (0, 0, 0, "1MiB"),
        ] {
            assert_eq!(enough(bytes, kept, all), expected);
        }
    }
}
