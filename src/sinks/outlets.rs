//! All sinks of a running taillight: started, offered to, reported on, replaced and stopped.
//!
//! Held by `ingest`, which offers, and by `run`, which starts and stops. They run in a runtime of their own whose
//! threads give way to all others: however much a sink has to write, the ingest comes first.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::AckLevel;
use super::dispatch::{Dispatch, Mode};
use super::outlet::{Manner, Outlet};
use super::piece::Packet;
use super::report::Report;
use super::settings::Setting;
use super::turn::Turn;
use crate::event::{Person, Timestamp};
use crate::priority;

/// What sinks that never drop may hold beyond their queues before the ingest itself waits, in KiB.
const HELD_KIB: u32 = 64 * 1024;
/// One thread for so many cores, at most [`WORKERS`]: sinks that cannot keep up would be busy on all of them. What blocks
/// one lets another take its place.
const CORES_EACH: usize = 4;
const WORKERS: usize = 2;
/// How much the sinks' threads give way: to a seventieth of the time where all cores are busy.
const NICENESS: i32 = 19;

/// The sinks.
pub struct Outlets {
    set: RwLock<Vec<Entry>>,
    /// Those that were taken out of the settings and whose end nobody was told of yet.
    leaving: Mutex<Vec<Arc<Outlet>>>,
    held: Arc<Semaphore>,
    has_blocking: AtomicBool,
    takes_summaries: AtomicBool,
    handle: Option<Handle>,
}

struct Entry {
    setting: Setting,
    outlet: Arc<Outlet>,
}

impl std::fmt::Debug for Outlets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlets").field("reports", &self.reports()).finish_non_exhaustive()
    }
}

impl Default for Outlets {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Outlets {
    /// No sinks yet; they will run in the runtime of `handle`, without one none can be started.
    pub fn new(handle: Option<Handle>) -> Self {
        let held = Arc::new(Semaphore::new(HELD_KIB as usize));
        Self {
            set: RwLock::default(),
            leaving: Mutex::default(),
            held,
            has_blocking: AtomicBool::new(false),
            takes_summaries: AtomicBool::new(false),
            handle,
        }
    }

    /// A runtime for sinks.
    ///
    /// # Errors
    /// When the operating system gives no threads.
    pub fn runtime() -> std::io::Result<Runtime> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(cores.div_ceil(CORES_EACH).min(WORKERS))
            .thread_name("sinks")
            .on_thread_start(|| priority::give_way(NICENESS))
            .enable_all()
            .build()
    }

    /// Makes the sinks those of `settings`: what is set as before goes on, what is new is started, what is set otherwise
    /// goes on with its queue once a write under way is over, and what is gone writes out its queue and ends. Every event
    /// goes to the old or to the new ones, none to neither; what a sink that may drop nothing has not written is not
    /// acked, unless the sink is gone.
    pub fn replace(&self, settings: Vec<Setting>) {
        let Some(handle) = &self.handle else { return };
        let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
        let mut old: Vec<Entry> = std::mem::take(&mut *set);
        for setting in settings {
            let known = old.iter().position(|entry| entry.setting.name == setting.name);
            match known.map(|at| old.remove(at)) {
                Some(entry) if entry.setting == setting => set.push(entry),
                known => set.extend(start(handle, setting, known.map(|entry| entry.outlet))),
            }
        }
        for gone in old {
            gone.outlet.withdraw();
            self.leaving().push(gone.outlet);
        }
        let manners: Vec<_> = set.iter().map(|entry| entry.outlet.manner()).collect();
        let takes_summaries = manners.iter().any(|manner| manner.dispatch.takes_summaries);
        self.takes_summaries.store(takes_summaries, Ordering::Relaxed);
        let has_blocking = manners.iter().any(|manner| manner.dispatch.mode == Mode::Blocking);
        self.has_blocking.store(has_blocking, Ordering::Relaxed);
    }

    fn leaving(&self) -> MutexGuard<'_, Vec<Arc<Outlet>>> {
        self.leaving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last reports of sinks that were taken out of the settings and have ended, each once.
    pub fn left(&self) -> Vec<Report> {
        let ended: Vec<_> = self.leaving().extract_if(.., |outlet| outlet.has_ended()).collect();
        ended.iter().map(|outlet| outlet.report()).collect()
    }

    /// What the sinks that run now are set to.
    pub fn settings(&self) -> Vec<Setting> {
        self.read().iter().map(|entry| entry.setting.clone()).collect()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Vec<Entry>> {
        self.set.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_empty(&self) -> bool {
        self.read().is_empty()
    }

    /// What an ack of this taillight means.
    pub fn level(&self) -> AckLevel {
        let set = self.read();
        let manners = set.iter().map(|entry| entry.outlet.manner());
        let blocking = manners.filter(|manner| manner.dispatch.mode == Mode::Blocking);
        blocking.map(|manner| manner.ack).max().unwrap_or_default()
    }

    /// Waits for room for `bytes` that sinks which never drop may have to hold; `None` where there are none.
    pub async fn hold(&self, bytes: usize) -> Option<Arc<OwnedSemaphorePermit>> {
        if !self.has_blocking.load(Ordering::Relaxed) {
            return None;
        }
        let kib = u32::try_from(bytes / 1024).unwrap_or(HELD_KIB).clamp(1, HELD_KIB);
        Arc::clone(&self.held).acquire_many_owned(kib).await.ok().map(Arc::new)
    }

    /// Offers `packet` to every sink, at once. Call it in the order in which events are numbered.
    pub fn offer(&self, packet: &Packet, now: Timestamp) -> Tickets {
        self.offer_where(packet, now, |_| true, false)
    }

    /// Whether any sink takes summaries.
    pub fn takes_summaries(&self) -> bool {
        self.takes_summaries.load(Ordering::Relaxed)
    }

    /// Offers summaries to the sinks that take them.
    pub fn offer_summaries(&self, packet: &Packet, now: Timestamp) -> Tickets {
        self.offer_where(packet, now, |outlet| outlet.manner().dispatch.takes_summaries, false)
    }

    /// Offers `packet` to the sinks of these names, whatever they select, within their limits.
    pub fn offer_to(&self, packet: &Packet, names: &[String], now: Timestamp) -> Tickets {
        self.offer_where(packet, now, |outlet| names.contains(&outlet.name), true)
    }

    fn offer_where(
        &self,
        packet: &Packet,
        now: Timestamp,
        is_one: impl Fn(&Outlet) -> bool,
        is_chosen: bool,
    ) -> Tickets {
        if packet.chunk.is_empty() {
            return self.due();
        }
        let at = Instant::now();
        self.tickets(|outlet| if is_one(outlet) { outlet.offer(packet, now, at, is_chosen) } else { None })
    }

    /// What the ack of something has to wait for that needs no sink itself: a repeat of what is still being written.
    pub fn due(&self) -> Tickets {
        self.tickets(Outlet::due)
    }

    fn tickets(&self, due: impl Fn(&Outlet) -> Option<u64>) -> Tickets {
        let set = self.read();
        let all = set.iter().map(|entry| &entry.outlet);
        Tickets(all.filter_map(|outlet| Some((Arc::clone(outlet), due(outlet)?))).collect())
    }

    /// How each sink is doing, in the order of the settings.
    pub fn reports(&self) -> Vec<Report> {
        self.read().iter().map(|entry| entry.outlet.report()).collect()
    }

    /// Whether events of the sink of this name are in its queue, beside those being written.
    #[cfg(test)]
    pub(super) fn has_waiting(&self, name: &str) -> bool {
        self.read().iter().any(|entry| entry.outlet.name == name && entry.outlet.has_waiting())
    }

    /// Pauses or resumes the sink of this name; `false` if there is none.
    pub fn set_paused(&self, name: &str, is_paused: bool) -> bool {
        let set = self.read();
        let found = set.iter().find(|entry| entry.outlet.name == name);
        found.is_some_and(|entry| {
            entry.outlet.set_paused(is_paused);
            true
        })
    }

    /// Takes the events of `who` out of the queue of the sink of this name and lets it rest until the answer is dropped.
    ///
    /// # Errors
    /// When there is no such sink, or it did not come to rest in time.
    pub async fn alone(&self, name: &str, who: &Person, within: Duration) -> Result<Alone, String> {
        let outlet = {
            let set = self.read();
            let found = set.iter().find(|entry| entry.outlet.name == name);
            found.map(|entry| Arc::clone(&entry.outlet)).ok_or("it is not there any more")?
        };
        let (begins, end) = outlet.visit(who);
        // One that has ended writes nothing either.
        let is_in_time = tokio::time::timeout(within, begins).await.is_ok();
        let why = "it is in the middle of a write that does not end: what waited is removed, and what is there already is not: \
                   run this again in a while";
        if is_in_time { Ok(Alone { _end: end }) } else { Err(why.to_owned()) }
    }

    /// Lets every sink write out its queue within its time and gives their last reports.
    pub async fn stop(&self) -> Vec<Report> {
        let mut outlets: Vec<_> = self.read().iter().map(|entry| Arc::clone(&entry.outlet)).collect();
        outlets.iter().for_each(|outlet| outlet.close());
        outlets.extend(std::mem::take(&mut *self.leaving()));
        for outlet in &outlets {
            // A sink that does not even notice its deadline is not waited for much longer.
            let grace = outlet.manner().dispatch.drain + Duration::from_secs(1);
            drop(tokio::time::timeout(grace, outlet.ended()).await);
        }
        outlets.iter().map(|outlet| outlet.report()).collect()
    }
}

/// Starts one sink, or `before` under other settings.
fn start(handle: &Handle, setting: Setting, before: Option<Arc<Outlet>>) -> Option<Entry> {
    // Checked when the settings were read.
    let build = (setting.kind.build)(&setting.values).ok()?;
    let dispatch = Dispatch::of(&setting.values);
    let manner = Manner { kind: setting.kind.name, dispatch, ack: build.ack };
    let seed = getrandom::u64().unwrap_or(0x9e37_79b9_7f4a_7c15);
    let outlet = match before {
        Some(before) => {
            before.set(manner, seed);
            before
        }
        None => Arc::new(Outlet::new(setting.name.clone(), manner, seed)),
    };
    handle.spawn((build.start)(Turn::of(&outlet)));
    Some(Entry { setting, outlet })
}

/// A sink rests as long as this is there.
#[derive(Debug)]
pub struct Alone {
    _end: oneshot::Sender<()>,
}

/// What the ack of a packet has to wait for.
#[must_use]
pub struct Tickets(Vec<(Arc<Outlet>, u64)>);

impl Tickets {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[cfg(test)]
    pub(super) fn waits_for(&self, name: &str) -> bool {
        self.0.iter().any(|(outlet, _)| outlet.name == name)
    }

    /// Waits until every sink that never drops has the packet; `false` if one ends without.
    pub async fn settled(self) -> bool {
        for (outlet, upto) in self.0 {
            if !outlet.settled(upto).await {
                return false;
            }
        }
        true
    }
}
