//! The console: the dashboard on the real terminal, fed by the scan, with its effects carried out.
//!
//! The main thread waits for keys and news, takes all that are there, and draws at most once a frame. Everything
//! that can take long happens on other threads.

use std::io::{self, IsTerminal, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode};
use tokio::sync::Notify;

use super::alarm::Alarm;
use super::background::{self, Late};
use super::editor;
use super::exporting::{self, Exporting};
use super::helpers::Helpers;
use super::kept::{Job, Kept};
use super::keys::Keys;
use super::listener::{Listener, Running};
use super::mapping::Mapping;
use super::pace::{Pace, Urgency};
use super::{Usage, clipboard, code, crash, looks, signals};
use crate::alerts::Board;
use crate::config::{Saved, Settings};
use crate::counters::{Counter, Counters};
use crate::ingest;
use crate::maps::MapsHandle;
use crate::published::Published;
use crate::scan::{Advice, Matches};
use crate::sinks::Outlets;
use crate::store::Snapshot;
use crate::ui::theme::Ground;
use crate::ui::{App, Effect, Facts, Msg, TerminalScreen, Work};

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
    Saved(Arc<[Saved]>),
    Counts(Arc<[(String, u64)]>),
    /// How far an export is.
    Work(Option<Work>),
    /// What was found out about why nothing arrives.
    Checks(Vec<String>),
    /// An export is done: the file, and what is to be said.
    Written {
        path: String,
        said: String,
    },
    /// What was copied, and how.
    Copied(clipboard::Done),
    Signal(u8),
    /// Makes the screen fail.
    #[cfg(test)]
    Fail,
}

/// What the dashboard shows.
pub(super) struct Source {
    pub(super) snapshots: Arc<Published<Snapshot>>,
    pub(super) counters: Arc<Counters>,
    /// The alerts that hold.
    pub(super) alerts: Arc<Published<Board>>,
    pub(super) facts: Facts,
    pub(super) maps: Option<MapsHandle>,
    /// The way to pages, where there are any.
    pub(super) asks: Option<ingest::Asks>,
    /// Where events go beside the ring, if anywhere.
    pub(super) sinks: Option<Arc<Outlets>>,
    /// Stops the reading of a recording.
    pub(super) feeding: Option<Arc<AtomicBool>>,
    /// Asks for made-up browsers, where there is somebody to bring them.
    pub(super) demo: Option<Arc<Notify>>,
}

/// What is said of a recording that is being read.
pub(super) const READING: &str = "reading";

/// Listens and shows what arrives until the user quits.
pub(super) fn run(kept: Kept, filter: &str) -> anyhow::Result<u8> {
    check_terminal()?;
    let filter = super::filter::checked(filter, &kept.settings.saved)?;
    let filter = kept.start_filter(filter.text(), true);
    let listener = Listener::start(&kept.settings, None, Running::Dashboard)?;
    let ended = listen(&filter, kept, &listener);
    listener.stop();
    ended
}

/// The same, with three synthetic browsers that send through the real WebSocket.
pub(super) fn demo(kept: Kept) -> anyhow::Result<u8> {
    check_terminal()?;
    let listener = Listener::start(&kept.settings, None, Running::Demo)?;
    let (url, stopping) = (format!("http://{}", listener.address()), listener.stopping());
    listener.spawn(async move {
        // The ingestor it sends to is this process; it only ends with it.
        let _ = crate::load::demo(&url, DEMO_SEED, ingest::now, stopping).await;
    });
    let filter = kept.start_filter("", true);
    let ended = listen(&filter, kept, &listener);
    listener.stop();
    ended
}

fn listen(filter: &str, kept: Kept, listener: &Listener) -> anyhow::Result<u8> {
    let mapping = Mapping::start(&kept.settings, listener, |_| true)?;
    let source = Source {
        snapshots: Arc::clone(&listener.snapshots),
        counters: Arc::clone(&listener.counters),
        alerts: Arc::clone(listener.alerts()),
        facts: Facts {
            address: listener.address().to_string(),
            key: listener.key().unwrap_or_default().to_owned(),
            recording: None,
            record: Some(kept.settings.record.clone()).filter(|file| !file.is_empty()),
        },
        maps: mapping.as_ref().map(Mapping::handle),
        asks: Some(listener.asks.clone()),
        sinks: Some(Arc::clone(&listener.sinks)),
        feeding: None,
        demo: Some(demo_on_demand(listener)),
    };
    show(&source, filter, kept, |input| {
        let input = input.clone();
        signals::watch(move |code| drop(input.send(Input::Signal(code))))
    })
}

/// The synthetic browsers are the same in every demo.
const DEMO_SEED: u64 = 7;
/// How long those of the first screen stay.
const DEMO_FOR: Duration = Duration::from_secs(60);

/// Brings synthetic browsers for a minute whenever it is notified; asked again while they are there, they stay longer.
fn demo_on_demand(listener: &Listener) -> Arc<Notify> {
    let asked = Arc::new(Notify::new());
    let (url, stopping) = (format!("http://{}", listener.address()), listener.stopping());
    let wanted = Arc::clone(&asked);
    listener.spawn(async move {
        loop {
            wanted.notified().await;
            let browsers = crate::load::demo(&url, DEMO_SEED, ingest::now, stopping.clone());
            // They end with the time or with the listener, whose address cannot be wrong.
            let _ = tokio::time::timeout(DEMO_FOR, browsers).await;
            if *stopping.borrow() {
                return;
            }
        }
    });
    asked
}

/// The dashboard needs a terminal to draw on and to read keys from.
pub(super) fn check_terminal() -> anyhow::Result<()> {
    if io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Usage("the console needs a terminal: for pipes and scripts use `taillight tail`".to_owned()).into())
}

/// Shows `source` until the user quits or a signal ends it.
pub(super) fn show(
    source: &Source,
    filter: &str,
    kept: Kept,
    signals: impl FnOnce(&SyncSender<Input>) -> io::Result<()>,
) -> anyhow::Result<u8> {
    let (sender, inputs) = sync_channel(QUEUE);
    signals(&sender)?;
    let (settings, looked) = (kept.settings.clone(), kept.for_console());
    let warning = kept.warning();
    let helpers = Helpers::spawn(source, kept, &sender)?;
    let mut screen = TerminalScreen::enter()?;
    screen.set_mouse(settings.mouse)?;
    let heard = background::ask_if(looks::asks_for_ground(&settings));
    let theme = looks::theme(&settings, heard.ground);
    let fresh = || {
        let (facts, counters) = (source.facts.clone(), Arc::clone(&source.counters));
        App::new(facts, counters, theme, looks::zone(&settings), filter).with_kept(looked.clone())
    };
    let late = Late::after(&heard, Instant::now());
    let (pace, seen, keys) = (Pace::new(settings.fps), Default::default(), Keys::read(sender.clone(), late)?);
    let mut console = Console {
        app: fresh(),
        screen,
        counters: Arc::clone(&source.counters),
        helpers,
        sender: sender.clone(),
        exporting: Exporting::of(&settings, &source.counters),
        pace,
        seen,
        chrome: Chrome::of(&settings),
        keys,
        editor: settings.editor.clone(),
        ground: heard.ground,
        asks: source.asks.clone(),
        sinks: source.sinks.clone(),
        alerts: Arc::clone(&source.alerts),
        alarm: Alarm::default(),
        working: "",
        feeding: source.feeding.clone(),
        demo: source.demo.clone(),
        address: source.facts.address.clone(),
    };
    console.select(0);
    console.tick()?;
    for letter in heard.typed {
        console.take(Input::Terminal(Event::Key(KeyCode::Char(letter).into())))?;
    }
    if let Some(warning) = warning {
        console.update(Msg::Warning(warning))?;
    }
    let ended = console.survive(&inputs, fresh, &source.snapshots);
    // Whoever still answers must not wait for a place in the queue.
    drop(inputs);
    drop(console);
    ended
}

struct Console {
    app: App,
    screen: TerminalScreen,
    counters: Arc<Counters>,
    helpers: Helpers,
    sender: SyncSender<Input>,
    exporting: Exporting,
    pace: Pace,
    keys: Keys,
    /// As it is set.
    editor: String,
    /// What the terminal's background is like, as far as it has said.
    ground: Option<Ground>,
    chrome: Chrome,
    /// What the dashboard has been given.
    seen: (Arc<Matches>, Arc<Advice>),
    asks: Option<ingest::Asks>,
    sinks: Option<Arc<Outlets>>,
    alerts: Arc<Published<Board>>,
    alarm: Alarm,
    /// What takes its time at the moment.
    working: &'static str,
    /// Stops what is read, where something is.
    feeding: Option<Arc<AtomicBool>>,
    demo: Option<Arc<Notify>>,
    /// Where the listener is, if there is one.
    address: String,
}

impl Console {
    /// Runs until the end. Should the screen fail, what is known of it and the events in memory are saved, and a fresh
    /// one goes on, once: events are taken all the while.
    fn survive(
        &mut self,
        inputs: &Receiver<Input>,
        fresh: impl Fn() -> App,
        snapshots: &Published<Snapshot>,
    ) -> anyhow::Result<u8> {
        let mut has_failed = false;
        loop {
            // Nothing of the screen's state is used after a failure but the terminal and the ways to other threads.
            let ended = catch_unwind(AssertUnwindSafe(|| self.run(inputs)));
            let Err(failure) = ended else { return ended.unwrap_or(Ok(code::FINE)) };
            let report = self.screen.failure().unwrap_or_else(|| "nothing is known of why".to_owned());
            let folder = super::state_folder().unwrap_or_else(|_| std::env::temp_dir());
            let time = ingest::now().to_jiff().strftime("%Y-%m-%dT%H%M%S").to_string();
            let saved = crash::save(&folder, &time, &report, &snapshots.get());
            self.screen.suspend();
            // The terminal may be what failed.
            let _ = writeln!(io::stderr(), "taillight: the screen failed: {saved}");
            if has_failed {
                resume_unwind(failure);
            }
            has_failed = true;
            (self.app, self.seen) = (fresh(), Default::default());
            self.helpers.scan.hold(None);
            self.select(0);
            self.screen.resume()?;
            self.update(Msg::Warning(format!("the screen failed and was begun anew: {saved}")))?;
        }
    }

    fn run(&mut self, inputs: &Receiver<Input>) -> anyhow::Result<u8> {
        self.pace.ask(Urgency::Now);
        loop {
            match inputs.recv_timeout(self.pace.wait(Instant::now(), self.due_in())) {
                Ok(input) => {
                    if let Some(code) = self.take(input)? {
                        return Ok(code);
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.pace.ask(Urgency::Frame),
                Err(RecvTimeoutError::Disconnected) => return Ok(code::FINE),
            }
            // As many as there may be: whoever sends without end must not keep the screen from being drawn.
            for input in inputs.try_iter().take(QUEUE) {
                if let Some(code) = self.take(input)? {
                    return Ok(code);
                }
            }
            if self.pace.is_due(Instant::now()) {
                self.draw()?;
            }
        }
    }

    fn draw(&mut self) -> anyhow::Result<()> {
        self.tick()?;
        self.seen = (self.helpers.matches.get(), self.helpers.advised.get());
        let (matches, advice) = self.seen.clone();
        self.tell_alerts()?;
        self.update(Msg::Matches(matches))?;
        self.update(Msg::Advice(advice))?;
        if let Some(sinks) = self.sinks.as_ref().filter(|_| self.app.wants_sinks()) {
            let reports = sinks.reports().into();
            self.update(Msg::Sinks(reports))?;
        }
        let is_whole = self.screen.draw(&mut self.app)?;
        self.tell()?;
        self.pace.drew(Instant::now());
        if !is_whole {
            self.counters.add(Counter::FramesSkipped, 1);
            self.pace.ask(Urgency::Frame);
        }
        Ok(())
    }

    /// How soon the newest matches and advice are to be seen: answers to what was typed at once.
    fn urgency_of_news(&self) -> Urgency {
        let (matches, advice) = (self.helpers.matches.get(), self.helpers.advised.get());
        of_matches(&self.seen.0, &matches).max(of_advice(&self.seen.1, &advice))
    }

    /// When the next frame is due that nothing but the clock asks for.
    fn due_in(&self) -> Duration {
        let due = self.app.due_in().and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
        due.map_or(CLOCK, |due| due.min(CLOCK))
    }

    /// Takes one input; the exit code when it ends the console.
    fn take(&mut self, input: Input) -> anyhow::Result<Option<u8>> {
        let urgency = match input {
            Input::News => self.urgency_of_news(),
            Input::Saved(_) | Input::Counts(_) | Input::Work(_) | Input::Checks(_) => Urgency::Frame,
            Input::Terminal(_)
            | Input::Notice(_)
            | Input::Written { .. }
            | Input::Copied(_)
            | Input::Signal(_) => Urgency::Now,
            #[cfg(test)]
            Input::Fail => panic!("the screen is mine"),
        };
        self.pace.ask(urgency);
        let msg = match input {
            Input::Terminal(Event::Key(key)) => Msg::Key(key),
            Input::Terminal(Event::Paste(text)) => Msg::Paste(text),
            Input::Terminal(Event::Mouse(event)) => Msg::Mouse(event),
            Input::Terminal(Event::FocusGained) => Msg::Focus(true),
            Input::Terminal(Event::FocusLost) => Msg::Focus(false),
            Input::Terminal(_) | Input::News => return Ok(None),
            Input::Notice(text) => Msg::Notice(text),
            Input::Work(work) => {
                self.working = work.as_ref().map_or("", |work| work.what);
                Msg::Work(work)
            }
            Input::Written { path, said } => Msg::Written { path, said },
            Input::Copied(done) => {
                if let Some(sequence) = done.sequence {
                    self.screen.write(&sequence)?;
                }
                Msg::Notice(done.said)
            }
            Input::Checks(lines) => Msg::Checks(lines),
            Input::Saved(saved) => Msg::Saved(saved),
            Input::Counts(counts) => Msg::Counts(counts),
            Input::Signal(code) => return Ok(Some(code)),
            #[cfg(test)]
            Input::Fail => return Ok(None),
        };
        if matches!(msg, Msg::Key(_) | Msg::Paste(_) | Msg::Mouse(_)) {
            self.tick()?;
        }
        self.update(msg)
    }

    fn tick(&mut self) -> anyhow::Result<()> {
        self.update(Msg::Tick(ingest::now())).map(drop)
    }

    /// Hands a message to the dashboard and does what it asks for; the exit code when that ends the console.
    fn update(&mut self, msg: Msg) -> anyhow::Result<Option<u8>> {
        for effect in self.app.update(msg) {
            match effect {
                Effect::SetFilter { id, .. } => self.select(id),
                Effect::Hold(snapshot) => self.helpers.scan.hold(snapshot),
                Effect::Mark(marks) => self.helpers.marks.set(Arc::new(marks)),
                Effect::Ask(question) => self.helpers.advice.ask(question),
                // Another question comes in a second.
                Effect::Count(filters) => {
                    self.helpers.counts.as_ref().map(|counts| counts.try_send(filters).ok());
                }
                Effect::Remember(text) => self.keep(Job::Remember(text)),
                Effect::Save { name, text, owner } => self.keep(Job::Save { name, text, owner }),
                Effect::Edit { path, line, column } => self.edit(&path, line, column)?,
                // No answer is told by the console itself.
                Effect::Diagnose(session) => drop(self.asks.as_ref().map(|asks| asks.diagnostics(&session))),
                Effect::PauseSink { name, is_paused } => {
                    self.sinks.as_ref().map(|sinks| sinks.set_paused(&name, is_paused));
                }
                Effect::Keep { key, value } => self.keep(Job::Set { key, value }),
                Effect::Settings(settings) => self.take_settings(&settings)?,
                Effect::Copy { what, text } => self.copy(what, text),
                Effect::Probe(path) => drop(self.app.update(Msg::Probe(exporting::probe(&path)))),
                Effect::Export { chosen, form, path, is_forced } => {
                    if let Err(error) = self.exporting.start(chosen, form, path, is_forced, &self.sender) {
                        self.app.update(Msg::Notice(format!("export failed: {error}")));
                    }
                }
                Effect::CancelWork => match &self.feeding {
                    Some(feeding) if self.working == READING => feeding.store(true, Ordering::Relaxed),
                    _ => self.exporting.cancel(),
                },
                Effect::Demo => drop(self.demo.as_ref().map(|demo| demo.notify_one())),
                Effect::Why { tag } => self.look_why(tag),
                Effect::Redraw => self.screen.redraw(),
                Effect::Suspend => self.suspend()?,
                Effect::Quit => return Ok(Some(code::FINE)),
            }
        }
        Ok(None)
    }

    fn keep(&mut self, job: Job) {
        if self.helpers.kept.as_ref().is_some_and(|kept| kept.try_send(job).is_err()) {
            self.app.update(Msg::Notice("the disk is too slow to keep this".to_owned()));
        }
    }

    fn select(&self, id: u64) {
        self.helpers.scan.select(id, self.app.filter());
    }

    /// On a thread of its own: a program that takes the clipboard may take its time.
    fn copy(&mut self, what: &'static str, text: String) {
        let (sender, around) = (self.sender.clone(), clipboard::Around::of_environment());
        let copy = move || {
            let done = clipboard::copy(what, &text, around, &std::env::temp_dir());
            // A console that has ended in the meantime has nobody to tell.
            let _ = sender.send(Input::Copied(done));
        };
        if let Err(error) = thread::Builder::new().name("copy".into()).spawn(copy) {
            self.app.update(Msg::Notice(format!("nothing was copied: {error}")));
        }
    }

    /// On a thread of its own: it asks the listener over its port.
    fn look_why(&mut self, tag: String) {
        let Ok(address) = self.address.parse() else { return };
        let sender = self.sender.clone();
        let look = move || drop(sender.send(Input::Checks(super::doctor::why(address, &tag))));
        if let Err(error) = thread::Builder::new().name("why".into()).spawn(look) {
            self.app.update(Msg::Notice(format!("nothing was looked at: {error}")));
        }
    }

    /// Opens the editor; one that needs the terminal gets it until it ends.
    fn edit(&mut self, path: &Path, line: u32, column: u32) -> anyhow::Result<()> {
        let said = match editor::opening(&self.editor, |name| std::env::var(name).ok(), path, line, column) {
            Ok(opening) if opening.needs_terminal => {
                self.keys.close();
                self.screen.suspend();
                let said = editor::run_here(&opening);
                self.screen.resume()?;
                self.keys.open();
                said
            }
            Ok(opening) => editor::start(&opening, self.sender.clone()),
            Err(said) => Some(said),
        };
        if let Some(said) = said {
            self.update(Msg::Notice(said))?;
        }
        Ok(())
    }

    fn take_settings(&mut self, settings: &Settings) -> io::Result<()> {
        self.screen.set_mouse(settings.mouse)?;
        self.pace.set_fps(settings.fps);
        self.chrome.take(settings);
        self.app.update(Msg::Theme(looks::theme(settings, self.ground)));
        self.screen.redraw();
        Ok(())
    }

    /// The title of the terminal and, where it is asked for, its bell at new errors.
    fn tell(&mut self) -> io::Result<()> {
        let (title, fresh) = (self.app.title(), self.app.fresh_errors());
        if self.chrome.has_title && self.chrome.title != title {
            self.screen.set_title(&title)?;
            self.chrome.title = title;
        }
        if self.chrome.has_bell && fresh > self.chrome.fresh {
            self.screen.write("\u{7}")?;
        }
        self.chrome.fresh = fresh;
        Ok(())
    }

    /// Shows the alerts that hold, and rings and notifies for those that are new and ask for it.
    fn tell_alerts(&mut self) -> anyhow::Result<()> {
        let board = self.alerts.get();
        if let Some(sequence) = self.alarm.take(&board) {
            self.screen.write(&sequence)?;
            self.update(Msg::Alerts(board))?;
        }
        Ok(())
    }

    /// Gives the terminal back until the shell brings this job to the foreground again.
    fn suspend(&mut self) -> io::Result<()> {
        self.screen.suspend();
        signal_hook::low_level::raise(signal_hook::consts::SIGTSTP)?;
        self.screen.resume()
    }
}

/// The first matches of another filter are what the user waits for; more of the same can wait for the next frame.
pub(super) fn of_matches(seen: &Arc<Matches>, newest: &Arc<Matches>) -> Urgency {
    let was_nothing = seen.total == 0 && !seen.is_done();
    match Arc::ptr_eq(seen, newest) {
        true => Urgency::Never,
        false if seen.id != newest.id => Urgency::Now,
        false if was_nothing && (newest.total > 0 || newest.is_done()) => Urgency::Now,
        false => Urgency::Frame,
    }
}

/// The first answer to a question at once, better ones with the next frame.
pub(super) fn of_advice(seen: &Arc<Advice>, newest: &Arc<Advice>) -> Urgency {
    match Arc::ptr_eq(seen, newest) {
        true => Urgency::Never,
        false if seen.id != newest.id => Urgency::Now,
        false => Urgency::Frame,
    }
}

/// What the terminal was told last.
struct Chrome {
    has_title: bool,
    has_bell: bool,
    title: String,
    fresh: usize,
}

impl Chrome {
    fn of(settings: &Settings) -> Self {
        Self { has_title: settings.title, has_bell: settings.bell, title: String::new(), fresh: 0 }
    }

    fn take(&mut self, settings: &Settings) {
        (self.has_title, self.has_bell) = (settings.title, settings.bell);
    }
}
