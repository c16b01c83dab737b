//! A running ingestor: runtime, port, store, and their orderly end.
//!
//! Started by every command that listens. Time for the store comes from here.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::anyhow;
use thiserror::Error;
use tokio::runtime::Runtime;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{sleep, timeout};

use super::control::{self, Control};
use super::log::{Log, Out, undelivered};
use super::{Usage, memory, reading, state_folder};
use crate::alerts::Board;
use crate::config::{self, Settings};
use crate::counters::Counters;
use crate::event::{Chunk, gate};
use crate::ingest::admission::Policy;
use crate::ingest::key::{self, KeyError, PageKey};
use crate::ingest::{self, Asks, Door, Intake, Listeners, holder_of};
use crate::pipeline::{Redactor, Signals};
use crate::published::Published;
use crate::sinks::{self, Outlets};
use crate::store::{self, Mapping, Retention, Snapshot, StoreHandle, StoreMsg};

/// A frame: news reach the screen at most this often.
const PUBLISH_EVERY: Duration = Duration::from_millis(16);
/// Without news the store is asked again so that rates fall back to zero.
const IDLE_TICK: Duration = Duration::from_secs(1);
const STOP_WITHIN: Duration = Duration::from_secs(2);
const WORKERS: usize = 2;

/// Why the port could not be opened; the exit code is 3.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("port {port} is taken{by}: stop it, or start with `--port 0` for a free port", by = holder(*port))]
    Taken { port: u16 },
    // The reason is in the message, so it is no `source`, which would be told once more.
    #[error("cannot listen on {address}: {reason}")]
    Cannot { address: SocketAddr, reason: io::Error },
}

fn holder(port: u16) -> String {
    holder_of(port).map(|holder| format!(" by {} (pid {})", holder.name, holder.pid)).unwrap_or_default()
}

/// Which sinks run: what has a screen keeps the terminal for itself, and made-up events leave the machine nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Running {
    /// Without a dashboard: all.
    Headless,
    /// All but those that write to the terminal.
    Dashboard,
    /// Only the recording that was asked for.
    Demo,
}

/// The sink that `--record` asks for.
fn recorder(settings: &Settings) -> Option<sinks::Setting> {
    (!settings.record.is_empty()).then(|| sinks::recorder(settings.record.as_ref()))
}

impl Running {
    fn sinks(self, settings: &Settings) -> Vec<sinks::Setting> {
        let recorder = recorder(settings);
        let is_one = |sink: &sinks::Setting| match self {
            Self::Headless => true,
            Self::Dashboard => sink.kind.name != "console",
            Self::Demo => false,
        };
        let set = settings.sinks.iter().map(|(sink, _)| sink.clone()).filter(is_one);
        let set = set.filter(|sink| recorder.as_ref().is_none_or(|recorder| recorder.name != sink.name));
        set.chain(recorder.clone()).collect()
    }
}

/// A page waits for what a recording does not take, so one that cannot begin is told before any page comes.
fn try_recording(settings: &Settings) -> anyhow::Result<()> {
    let Some(recorder) = recorder(settings) else { return Ok(()) };
    let name = gate::plain(&settings.record);
    sinks::try_recorder(&recorder).map_err(|why| anyhow!("cannot record in `{name}`: {why}"))
}

/// The parts that stay until [`Listener::stop`].
pub struct Listener {
    runtime: Runtime,
    address: SocketAddr,
    key: Option<String>,
    stop: watch::Sender<bool>,
    door: Arc<Door>,
    serving: tokio::task::JoinHandle<()>,
    running: Running,
    pub sinks: Arc<Outlets>,
    sinking: Runtime,
    store: JoinHandle<()>,
    handle: StoreHandle,
    dirty: Arc<Notify>,
    pub snapshots: Arc<Published<Snapshot>>,
    pub counters: Arc<Counters>,
    pub asks: Asks,
    /// Gone before the runtime is.
    control: Option<Control>,
    log: Log,
}

impl Listener {
    /// Opens the port and starts taking events. `follower` sees every chunk in order and is waited for.
    ///
    /// # Errors
    /// [`StartError`] when the port cannot be had, [`Usage`] when what was asked for is unsafe; another error when a
    /// file that was asked for cannot be written.
    pub fn start(
        settings: &Settings,
        follower: Option<mpsc::Sender<Arc<Chunk>>>,
        running: Running,
    ) -> anyhow::Result<Self> {
        let policy = policy(settings)?;
        let log = Out::open(&settings.log_file, running != Running::Headless)?;
        let key = policy.key.clone();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
        let listeners = runtime.block_on(async { bind(settings) })?;
        let address = listeners.address();
        try_recording(settings)?;
        let snapshots = Arc::new(Published::new(Snapshot::default()));
        let (handle, store) = store::spawn(retention(settings), Arc::clone(&snapshots))?;
        let counters = Arc::new(Counters::default());
        let dirty = Arc::new(Notify::new());
        let (stop, stopping) = watch::channel(false);
        runtime.spawn(tick(handle.clone(), Arc::clone(&dirty), stopping.clone()));
        let sinking = Outlets::runtime()?;
        let sinks = Arc::new(Outlets::new(Some(sinking.handle().clone())));
        let wanted = running.sinks(settings);
        let written: Vec<_> = wanted.iter().flat_map(sinks::numbers_of).collect();
        sinks.replace(wanted);
        let (news, books) = (|| Arc::clone(&dirty), || Arc::clone(&counters));
        let intake = Intake::new(handle.clone(), Arc::clone(&sinks), follower, news(), books());
        intake.remember(&written);
        let door = Door::new(policy, Redactor::default(), intake, books(), news());
        let door = door.with_connections(ingest::connections(settings.connections));
        let door = Arc::new(door.with_reading(reading::of(settings)));
        set_signal(&door, settings);
        runtime.spawn(look(Arc::clone(&door), stopping.clone()));
        let asks = door.asks.clone();
        let known = control::Known { door: Arc::clone(&door), dirty: Arc::clone(&dirty) };
        let control = answering(&runtime, known);
        let log = Log::start(log, Arc::clone(&counters), Arc::clone(&sinks))?;
        log.note(format!("taillight {} listens on http://{address}", env!("CARGO_PKG_VERSION")));
        let serving = runtime.spawn(ingest::serve(listeners, Arc::clone(&door), stopping));
        Ok(Self {
            runtime,
            address,
            key,
            stop,
            door,
            serving,
            running,
            sinks,
            sinking,
            store,
            handle,
            dirty,
            snapshots,
            counters,
            asks,
            control,
            log,
        })
    }

    /// The line that scripts wait for (CONTRACT: common options).
    pub fn announce(&self) {
        let _ = writeln!(io::stderr(), "listening on http://{}", self.address);
        if !self.address.ip().is_loopback() {
            let _ = writeln!(io::stderr(), "taillight: {UNENCRYPTED}");
        }
    }

    /// Takes note in the log file of what was told elsewhere.
    pub(super) fn note(&self, text: &str) {
        self.log.note(text.to_owned());
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The page key, for the tag that the console prints.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Runs `task` beside the ingestor until it ends or the listener stops.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }

    /// The way for what became known of events; to be dropped before the listener stops.
    pub(super) fn mapper(&self) -> impl Fn(Vec<Mapping>) -> bool + Send + 'static {
        let (handle, dirty) = (self.handle.clone(), Arc::clone(&self.dirty));
        move |mappings| {
            let is_taken = handle.send_blocking(StoreMsg::Map(mappings));
            dirty.notify_one();
            is_taken
        }
    }

    /// Turns true when the listener stops.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// The alerts that hold.
    pub fn alerts(&self) -> &Arc<Published<Board>> {
        self.door.intake.alerts()
    }

    /// Makes signal stages, alerts and sinks those of `settings`, without losing an event.
    pub fn reload(&self, settings: &Settings) {
        set_signal(&self.door, settings);
        self.sinks.replace(self.running.sinks(settings));
    }

    /// Lets connections say goodbye and sinks write out their queues, then stops the store.
    pub fn stop(self) {
        // Nobody listening any more is what this is for.
        let _ = self.stop.send(true);
        drop(self.control);
        let serving = self.serving;
        drop(self.handle);
        self.runtime.block_on(async { drop(timeout(STOP_WITHIN, serving).await) });
        self.door.intake.summarize(true);
        drop(self.door);
        let reports = self.runtime.block_on(self.sinks.stop());
        self.runtime.shutdown_timeout(STOP_WITHIN);
        self.sinking.shutdown_timeout(STOP_WITHIN);
        // A store that panicked has reported itself; there is nothing left to do for it here.
        let _ = self.store.join();
        for line in reports.iter().filter_map(undelivered) {
            self.log.note(line);
        }
        self.log.note("taillight ends".to_owned());
        self.log.stop();
        for line in reports.iter().filter_map(undelivered) {
            let _ = writeln!(io::stderr(), "taillight: {line}");
        }
    }
}

/// Said of a port that other machines reach.
pub(super) const UNENCRYPTED: &str =
    "what is sent to this address is not encrypted: whoever is on the way can read it";

/// What memory keeps.
fn retention(settings: &Settings) -> Retention {
    Retention { events: settings.retain, bytes: memory::of(settings), age_ms: settings.retain_age_ms() }
}

/// Makes signal stages, redaction and alerts those of `settings`.
fn set_signal(door: &Door, settings: &Settings) {
    door.intake.set_alerts(&settings.alerts);
    let signal = &settings.signal.0;
    door.intake.set_times(signal.times());
    door.set_redactor(Redactor::new(&signal.rules()));
    door.intake.set_hiding(signal.hides_outside().then(|| door.redactor()));
    door.intake.set_signal(signal, |signal| {
        // Without randomness samples are drawn alike in each run, which is no less fair.
        let seed = getrandom::u64().unwrap_or(1);
        Signals::new(signal, seed, &sinks::host(), |name| std::env::var(name).ok())
    });
}

/// Opens the socket for questions; without one taillight runs all the same.
fn answering(runtime: &Runtime, known: control::Known) -> Option<Control> {
    let _inside = runtime.enter();
    let opened = state_folder().and_then(|state| Ok(control::open(&control::folder(&state), known)?));
    match opened {
        Ok((control, answers)) => {
            runtime.spawn(answers);
            Some(control)
        }
        Err(error) => {
            let _ = writeln!(
                io::stderr(),
                "taillight: `forget` and `export --user` do not reach this one: {error:#}"
            );
            None
        }
    }
}

/// Once a second: what has closed, and which alerts begin and end.
async fn look(door: Arc<Door>, mut stopping: watch::Receiver<bool>) {
    let mut stopped = std::pin::pin!(async move { drop(stopping.wait_for(|stop| *stop).await) });
    loop {
        tokio::select! {
            () = sleep(IDLE_TICK) => {}
            () = &mut stopped => return,
        }
        door.intake.summarize(false);
        tokio::select! {
            () = door.intake.watch() => {}
            () = &mut stopped => return,
        }
    }
}

/// Publishes as soon as there is news, then at most once a frame.
async fn tick(store: StoreHandle, dirty: Arc<Notify>, mut stopping: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = timeout(IDLE_TICK, dirty.notified()) => {}
            _ = async { drop(stopping.wait_for(|stop| *stop).await) } => return,
        }
        if !store.send(StoreMsg::Tick(ingest::now())).await {
            return;
        }
        sleep(PUBLISH_EVERY).await;
    }
}

fn bind(settings: &Settings) -> Result<Listeners, StartError> {
    let address = SocketAddr::new(settings.bind, settings.port);
    Listeners::bind(settings.bind, settings.port).map_err(|reason| match reason.kind() {
        io::ErrorKind::AddrInUse => StartError::Taken { port: settings.port },
        _ => StartError::Cannot { address, reason },
    })
}

fn policy(settings: &Settings) -> anyhow::Result<Policy> {
    let bound_wider = !settings.bind.is_loopback();
    let token = settings.token().map(config::reveal).transpose().map_err(Usage)?;
    if bound_wider && token.as_deref().is_none_or(|token| token.len() < MIN_TOKEN) {
        return Err(Usage(without_token(settings, token.as_deref())?).into());
    }
    Ok(Policy {
        key: Some(page_key()?.as_str().to_owned()),
        allow_origins: settings.allow_origins.clone(),
        allow_hosts: settings.allow_hosts.clone(),
        require_key: settings.require_key,
        token,
        bound_wider,
    })
}

/// The key that is kept, or one for this run alone where none can be: pages that carry the printed tag still come in.
fn page_key() -> anyhow::Result<PageKey> {
    let kept = state_folder().and_then(|folder| Ok(key::read_or_make(&folder)?));
    match kept {
        Err(error) if !matches!(error.downcast_ref(), Some(KeyError::Damaged { .. })) => {
            let _ = writeln!(io::stderr(), "taillight: the page key holds for this run alone: {error:#}");
            Ok(PageKey::random()?)
        }
        kept => kept,
    }
}

/// Why the port is not opened, with a token that may be used. It is shown when it is made and never again.
fn without_token(settings: &Settings, given: Option<&str>) -> anyhow::Result<String> {
    let opens = format!("--bind {} opens the port to other machines", settings.bind);
    if let Some(given) = given {
        let length = given.chars().count();
        return Ok(format!("{opens}: a token of {length} characters can be guessed, {MIN_TOKEN} are needed"));
    }
    let (path, new) = key::token(&state_folder()?)?;
    let start = format!("start with `--token file:{}`", gate::plain(&path.to_string_lossy()));
    Ok(match new {
        Some(token) => format!("{opens} and needs a token: {start}, where one was made for you: {token}"),
        None => format!("{opens} and needs a token: {start}, where one is kept for you"),
    })
}

/// 128 bits written as 26 letters of base32 or 32 of hex; shorter ones can be guessed (SECURITY: binding).
const MIN_TOKEN: usize = 26;
