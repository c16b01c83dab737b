//! The console: the dashboard on the real terminal, fed by the scan, with its effects carried out.
//!
//! The main thread waits for keys and news, takes all that are there, and draws at most once a frame. Everything
//! that can take long happens on other threads.

use std::io::{self, IsTerminal};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::Event;
use jiff::tz::TimeZone;

use super::listener::Listener;
use super::{Usage, code, signals, use_color};
use crate::cli::Common;
use crate::counters::Counters;
use crate::ingest;
use crate::published::Published;
use crate::recording;
use crate::scan::{self, Clock, Matches, ScanHandle};
use crate::store::Snapshot;
use crate::ui::theme::{Palette, Theme};
use crate::ui::{App, Effect, Facts, Msg, TerminalScreen};

/// Shortest time between two frames (SECURITY: 30 frames a second, and the terminal is not the only reader).
const FRAME: Duration = Duration::from_millis(33);
/// Ages and rates move this often when nothing else does.
const CLOCK: Duration = Duration::from_secs(1);
/// Keys and news that may wait; news are only pointers to the newest state, so what does not fit is not lost.
const QUEUE: usize = 256;

/// What wakes the main thread.
pub(super) enum Input {
    Terminal(Event),
    /// The scan has published.
    News,
    Notice(String),
    Signal(u8),
}

/// What the dashboard shows.
pub(super) struct Source {
    pub(super) snapshots: Arc<Published<Snapshot>>,
    pub(super) counters: Arc<Counters>,
    pub(super) facts: Facts,
}

/// Listens and shows what arrives until the user quits.
pub(super) fn run(common: &Common, filter: &str) -> anyhow::Result<u8> {
    check_terminal()?;
    let filter = super::filter::checked(filter)?;
    let listener = Listener::start(common, None)?;
    let ended = listen(common, filter.text(), &listener);
    listener.stop();
    ended
}

/// The same, with three synthetic browsers that send through the real WebSocket.
pub(super) fn demo(common: &Common) -> anyhow::Result<u8> {
    check_terminal()?;
    let listener = Listener::start(common, None)?;
    let (url, stopping) = (format!("http://{}", listener.address()), listener.stopping());
    listener.spawn(async move {
        // The ingestor it sends to is this process; it only ends with it.
        let _ = crate::load::demo(&url, DEMO_SEED, ingest::now, stopping).await;
    });
    let ended = listen(common, "", &listener);
    listener.stop();
    ended
}

fn listen(common: &Common, filter: &str, listener: &Listener) -> anyhow::Result<u8> {
    let source = Source {
        snapshots: Arc::clone(&listener.snapshots),
        counters: Arc::clone(&listener.counters),
        facts: Facts {
            address: listener.address().to_string(),
            key: listener.key().unwrap_or_default().to_owned(),
            recording: None,
        },
    };
    show(common, &source, filter, |input| {
        let input = input.clone();
        signals::watch(move |code| drop(input.send(Input::Signal(code))))
    })
}

/// The synthetic browsers are the same in every demo.
const DEMO_SEED: u64 = 7;

/// The dashboard needs a terminal to draw on and to read keys from.
pub(super) fn check_terminal() -> anyhow::Result<()> {
    if io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Usage("the console needs a terminal: for pipes and scripts use `taillight tail`".to_owned()).into())
}

/// Shows `source` until the user quits or a signal ends it.
pub(super) fn show(
    common: &Common,
    source: &Source,
    filter: &str,
    signals: impl FnOnce(&SyncSender<Input>) -> io::Result<()>,
) -> anyhow::Result<u8> {
    let (sender, inputs) = sync_channel(QUEUE);
    signals(&sender)?;
    let matches = Arc::new(Published::new(Matches::default()));
    let clock = Clock { start: ingest::now(), zone: TimeZone::system() };
    let (scan, scanning) = scan::spawn(clock, Arc::clone(&matches))?;
    let (eyes, snapshots) = (scan.clone(), Arc::downgrade(&source.snapshots));
    source.snapshots.on_change(move || {
        if let Some(snapshots) = snapshots.upgrade() {
            eyes.see(snapshots.get());
        }
    });
    let news = sender.clone();
    // A full queue has a waker in it already.
    matches.on_change(move || drop(news.try_send(Input::News)));
    let palette = if use_color(common.color, &io::stdout()) { Palette::Ansi } else { Palette::Mono };
    let theme = Theme::new(palette, common.ascii || !is_utf8_locale());
    let app = App::new(source.facts.clone(), Arc::clone(&source.counters), theme, TimeZone::system(), filter);
    scan.see(source.snapshots.get());
    let screen = TerminalScreen::enter()?;
    let mut console = Console {
        app,
        screen,
        scan: scan.clone(),
        matches,
        sender: sender.clone(),
        exports: Vec::new(),
        is_recording: source.facts.recording.is_some(),
    };
    console.select(0);
    read_keys(sender)?;
    let ended = console.run(&inputs);
    drop(console);
    scan.stop();
    let _ = scanning.join();
    ended
}

/// Keys are read on a thread of their own, which ends with the process: a read cannot be interrupted.
fn read_keys(sender: SyncSender<Input>) -> io::Result<()> {
    let read = move || {
        while let Ok(event) = crossterm::event::read() {
            if sender.send(Input::Terminal(event)).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("keys".into()).spawn(read).map(drop)
}

/// Unicode marks need a locale that has them (POSIX: LC_ALL, then LC_CTYPE, then LANG).
fn is_utf8_locale() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
    // Containers often have no locale at all on terminals that are all UTF-8.
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

struct Console {
    app: App,
    screen: TerminalScreen,
    scan: ScanHandle,
    matches: Arc<Published<Matches>>,
    sender: SyncSender<Input>,
    exports: Vec<thread::JoinHandle<()>>,
    is_recording: bool,
}

impl Console {
    fn run(&mut self, inputs: &Receiver<Input>) -> anyhow::Result<u8> {
        let mut drawn = Instant::now().checked_sub(FRAME).unwrap_or_else(Instant::now);
        let mut is_stale = true;
        loop {
            let wait = if is_stale { FRAME.saturating_sub(drawn.elapsed()) } else { CLOCK };
            match inputs.recv_timeout(wait) {
                Ok(input) => {
                    is_stale = true;
                    if let Some(code) = self.take(input)? {
                        return Ok(code);
                    }
                }
                Err(RecvTimeoutError::Timeout) => is_stale = true,
                Err(RecvTimeoutError::Disconnected) => return Ok(code::FINE),
            }
            for input in inputs.try_iter() {
                if let Some(code) = self.take(input)? {
                    return Ok(code);
                }
            }
            if is_stale && drawn.elapsed() >= FRAME {
                let matches = self.matches.get();
                // In a recording the newest event is now.
                let now = if self.is_recording { matches.snapshot.at } else { ingest::now() };
                self.app.update(Msg::Tick(now));
                self.app.update(Msg::Matches(matches));
                self.screen.draw(&mut self.app)?;
                drawn = Instant::now();
                is_stale = false;
            }
        }
    }

    /// Takes one input; the exit code when it ends the console.
    fn take(&mut self, input: Input) -> anyhow::Result<Option<u8>> {
        let effects = match input {
            Input::Terminal(Event::Key(key)) => self.app.update(Msg::Key(key)),
            Input::Terminal(Event::Paste(text)) => self.app.update(Msg::Paste(text)),
            Input::Terminal(_) | Input::News => Vec::new(),
            Input::Notice(text) => self.app.update(Msg::Notice(text)),
            Input::Signal(code) => return Ok(Some(code)),
        };
        for effect in effects {
            match effect {
                Effect::SetFilter { id, .. } => self.select(id),
                Effect::Export { path } => self.export(&path),
                Effect::Redraw => self.screen.redraw()?,
                Effect::Suspend => self.suspend()?,
                Effect::Quit => return Ok(Some(code::FINE)),
            }
        }
        Ok(None)
    }

    fn select(&self, id: u64) {
        self.scan.select(id, self.app.filter());
    }

    /// Writes what is on screen, on a thread of its own: ingest and the dashboard go on.
    fn export(&mut self, path: &str) {
        let (matches, sender, path) = (Arc::clone(self.app.matches()), self.sender.clone(), path.to_owned());
        let write = move || {
            let events = matches.iter().map(|(_, event)| event);
            let said = match recording::export(events, Path::new(&path), |_| ControlFlow::Continue(())) {
                Ok(done) => format!("wrote {} events, {} bytes, to {path}", done.events, done.bytes),
                Err(error) => format!("export failed: {error}"),
            };
            // A console that has ended in the meantime has nobody to tell.
            let _ = sender.send(Input::Notice(said));
        };
        match thread::Builder::new().name("export".into()).spawn(write) {
            Ok(export) => self.exports.push(export),
            Err(error) => drop(self.app.update(Msg::Notice(format!("export failed: {error}")))),
        }
    }

    /// Gives the terminal back until the shell brings this job to the foreground again.
    fn suspend(&mut self) -> io::Result<()> {
        self.screen.suspend();
        signal_hook::low_level::raise(signal_hook::consts::SIGTSTP)?;
        self.screen.resume()
    }
}

impl Drop for Console {
    /// An export that was asked for is finished even when the user quits at once.
    fn drop(&mut self) {
        for export in self.exports.drain(..) {
            let _ = export.join();
        }
    }
}
