//! The console as a whole: which screen, which filter, what a key does, and where everything is drawn.
//!
//! Messages go in, effects come out; no I/O, no clock, no threads. `ui::run` feeds it from the real terminal, tests
//! feed it keys and read the buffer.

use std::cell::RefCell;
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use rustc_hash::FxHashSet;

use super::alerted::Alerted;
use super::asking::{Asked, Told};
use super::chrome::{Chrome, Work};
use super::detail::Detail;
use super::export_dialog::Probe;
use super::filter_bar::FilterBar;
use super::fresh::Fresh;
use super::keys::{Action, Keymap};
use super::narrowing::Around;
use super::panels::{Panel, Panels};
use super::saved::SavedList;
use super::screen;
use super::theme::Theme;
use super::view::{Effect, Facts, Request, Screen, View};
use crate::alerts::Board;
use crate::config::{DetailMode, Saved, Settings};
use crate::counters::Counters;
use crate::event::Timestamp;
use crate::filter::Filter;
use crate::scan::{Advice, Marks, Matches};
use crate::sinks::Report;
use crate::store::Snapshot;

/// How long a note stays in the footer.
const NOTICE_MS: i64 = 5_000;
/// Columns of what is said before the keys that follow it, at the least.
const LEAST_SAID: usize = 40;

/// What happens to the console.
#[derive(Clone, Debug)]
pub enum Msg {
    Key(KeyEvent),
    Paste(String),
    Mouse(MouseEvent),
    /// The terminal has got the focus, or lost it.
    Focus(bool),
    /// How everything looks from now on.
    Theme(Theme),
    /// How far something is that takes its time; `None` once it is done.
    Work(Option<Work>),
    /// An answer to [`Effect::Probe`].
    Probe(Probe),
    /// An export has been written to this path; what is to be said of it.
    Written {
        path: String,
        said: String,
    },
    /// The newest matches of the scan.
    Matches(Arc<Matches>),
    /// How the sinks are doing.
    Sinks(Arc<[Report]>),
    /// The alerts that hold.
    Alerts(Arc<Board>),
    /// The wall clock.
    Tick(Timestamp),
    /// Something to say in the footer.
    Notice(String),
    /// Something wrong, to stand in the footer until a key is pressed.
    Warning(String),
    /// An answer to [`Effect::Ask`].
    Advice(Arc<Advice>),
    /// An answer to [`Effect::Count`]: names and numbers.
    Counts(Arc<[(String, u64)]>),
    /// The saved filters there are now.
    Saved(Arc<[Saved]>),
    /// An answer to [`Effect::Why`], line by line.
    Checks(Vec<String>),
}

/// What a console takes over from the runs before.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Filters typed, oldest first.
    pub history: Vec<String>,
    pub saved: Arc<[Saved]>,
    /// A settings file of the project is there to save to.
    pub has_project: bool,
    pub settings: Settings,
    pub keys: Keymap,
}

/// The console.
pub struct App {
    pub(super) world: World,
    pub(super) panels: Panels,
    /// The newest matches while the screen is frozen.
    pub(super) frozen: Option<Arc<Matches>>,
    /// Of a frozen screen with another filter: the events it is looked for in, until all of them were.
    pub(super) held: Option<Arc<Snapshot>>,
    /// The scan was told of it.
    pub(super) is_holding: bool,
    pub(super) screen: Screen,
    pub(super) detail: Detail,
    pub(super) detail_mode: DetailMode,
    pub(super) bar: FilterBar,
    pub(super) filter_id: u64,
    /// The filter that the matches were last asked for, in its plainest spelling.
    sent: String,
    /// A mark or a pin has changed, and the filter in force may mean them.
    pub(super) has_marked: bool,
    pub(super) marks: Marks,
    pub(super) around: Option<Around>,
    /// The groups that were new when the terminal lost the focus.
    pub(super) left: Option<FxHashSet<u64>>,
    pub(super) saved: Arc<[Saved]>,
    pub(super) saved_list: Option<SavedList>,
    /// When saved filters were last counted.
    pub(super) counted: Timestamp,
    pub(super) has_project: bool,
    /// Screens that were drilled from, with the filter they had.
    pub(super) back: Vec<(Screen, String)>,
    pub(super) chrome: Chrome,
    /// With when it was said; without, it stays until a key is pressed.
    pub(super) notice: Option<(String, Option<Timestamp>)>,
    pub(super) is_quit_armed: bool,
    /// The page that was asked how it is, and what one has answered.
    pub(super) asked: Option<Asked>,
    pub(super) told: Option<Told>,
    /// What was found out about why nothing arrives, while that is shown.
    pub(super) checks: Vec<String>,
    /// Columns of the screen when it was last drawn.
    pub(super) width: u16,
}

/// What panels see.
pub(super) struct World {
    pub(super) facts: Facts,
    pub(super) counters: Arc<Counters>,
    pub(super) sinks: Arc<[Report]>,
    pub(super) theme: Theme,
    pub(super) keys: Keymap,
    pub(super) zone: jiff::tz::TimeZone,
    pub(super) now: Timestamp,
    /// When the screen was frozen.
    pub(super) frozen_at: Option<Timestamp>,
    pub(super) matches: Arc<Matches>,
    pub(super) fresh: Fresh,
    pub(super) alerted: Alerted,
    /// What passes of the last frame go over that go on in the next one.
    pub(super) under_way: RefCell<Vec<Arc<Matches>>>,
}

impl World {
    pub(super) fn view<'a>(&'a self, bar: &'a FilterBar, marks: &'a Marks) -> View<'a> {
        View {
            snapshot: &self.matches.snapshot,
            matches: &self.matches,
            tables: &self.matches.tables,
            is_filtered: !bar.in_force().is_all(),
            is_typing: bar.is_editing(),
            facts: &self.facts,
            counters: &self.counters,
            sinks: &self.sinks,
            is_frozen: self.frozen_at.is_some(),
            now: self.frozen_at.unwrap_or(self.moment()),
            zone: &self.zone,
            theme: &self.theme,
            keys: &self.keys,
            highlighter: bar.highlighter(),
            fresh: self.fresh.groups(),
            alerted: &self.alerted,
            marks,
            filter: &bar.applied,
            moment: None,
            under_way: &self.under_way,
        }
    }

    pub(super) fn show(&mut self, matches: Arc<Matches>) {
        self.fresh.see(&matches.snapshot);
        self.alerted.see(&matches.snapshot);
        self.matches = matches;
    }

    /// What ages count from: in a recording the newest event is now.
    pub(super) fn moment(&self) -> Timestamp {
        if self.facts.recording.is_some() { self.matches.snapshot.at } else { self.now }
    }
}

impl App {
    /// A console that has seen nothing yet, narrowed to the filter text `filter`.
    pub fn new(
        facts: Facts,
        counters: Arc<Counters>,
        theme: Theme,
        zone: jiff::tz::TimeZone,
        filter: &str,
    ) -> Self {
        let (now, matches) = (Timestamp(0), Arc::default());
        Self {
            world: World {
                facts,
                counters,
                sinks: Arc::default(),
                theme,
                keys: Keymap::default(),
                zone,
                now,
                frozen_at: None,
                matches,
                fresh: Fresh::default(),
                under_way: RefCell::default(),
                alerted: Alerted::default(),
            },
            panels: Panels::default(),
            frozen: None,
            held: None,
            is_holding: false,
            screen: Screen::Stream,
            detail: Detail::default(),
            detail_mode: DetailMode::Beside,
            bar: FilterBar::new(filter),
            filter_id: 0,
            sent: String::new(),
            has_marked: false,
            marks: Marks::default(),
            around: None,
            left: None,
            saved: Arc::from([]),
            saved_list: None,
            counted: Timestamp(0),
            has_project: false,
            back: Vec::new(),
            chrome: Chrome::default(),
            notice: None,
            is_quit_armed: false,
            asked: None,
            told: None,
            checks: Vec::new(),
            width: 0,
        }
    }

    /// This takes over what was kept of the runs before.
    #[must_use]
    pub fn with_kept(mut self, kept: Kept) -> Self {
        self.bar.restore(kept.history, kept.settings.is_live);
        self.obey(None, &kept.settings);
        self.chrome.settings = kept.settings;
        self.world.keys = kept.keys;
        self.has_project = kept.has_project;
        self.take_saved(kept.saved);
        self
    }

    /// The filter to start with.
    pub fn filter(&self) -> Arc<Filter> {
        self.bar.in_force()
    }

    /// The matches on screen, which is what an export writes.
    pub fn matches(&self) -> &Arc<Matches> {
        &self.world.matches
    }

    /// Whether news of the sinks would be seen: on the health screen, and once so that their keys find them.
    pub fn wants_sinks(&self) -> bool {
        self.screen == Screen::Health || self.world.sinks.is_empty()
    }

    /// Takes one message and says what is to be done about it.
    pub fn update(&mut self, msg: Msg) -> Vec<Effect> {
        let mut effects = match msg {
            Msg::Key(key) if key.kind == KeyEventKind::Release => Vec::new(),
            Msg::Key(key) => self.on_keys(key),
            Msg::Paste(text) => {
                self.on_paste(&text);
                Vec::new()
            }
            Msg::Mouse(event) => self.on_mouse(event),
            Msg::Tick(now) => self.on_tick(now),
            news => {
                self.on_news(news);
                Vec::new()
            }
        };
        self.sync(&mut effects);
        effects
    }

    fn on_news(&mut self, news: Msg) {
        match news {
            Msg::Matches(matches) => self.on_matches(matches),
            Msg::Focus(is_here) => self.on_focus(is_here),
            Msg::Notice(text) => self.say(text),
            Msg::Warning(text) => self.notice = Some((text, None)),
            Msg::Advice(advice) => self.bar.advise(advice, self.world.now),
            Msg::Saved(saved) => self.take_saved(saved),
            Msg::Sinks(sinks) => self.world.sinks = sinks,
            Msg::Counts(counts) => {
                if let Some(list) = &mut self.saved_list {
                    list.count(&counts);
                }
            }
            Msg::Alerts(board) => self.world.alerted.take(board, &self.world.matches.snapshot),
            Msg::Checks(lines) => (self.checks, self.notice) = (lines, None),
            Msg::Theme(theme) => self.world.theme = theme,
            Msg::Written { path, said } => {
                // Where the path is too long for the footer its end leaves, not the keys.
                let keys = "   o opens it  y copies the path";
                let room = usize::from(self.width).saturating_sub(keys.len() + 2).max(LEAST_SAID);
                let said = self.world.theme.gate.plain_capped(&said, room);
                self.say(format!("{said}{keys}"));
                self.chrome.written = Some(path);
            }
            Msg::Work(work) => self.chrome.work = work,
            Msg::Probe(probe) => {
                if let Some(export) = &mut self.chrome.export {
                    export.probed(probe);
                }
            }
            Msg::Key(_) | Msg::Paste(_) | Msg::Mouse(_) | Msg::Tick(_) => {}
        }
    }

    fn on_tick(&mut self, now: Timestamp) -> Vec<Effect> {
        self.world.now = now;
        self.bar.tick(now);
        if self.notice.as_ref().and_then(|(_, at)| *at).is_some_and(|at| now.since(at) > NOTICE_MS) {
            self.notice = None;
            self.chrome.written = None;
        }
        self.hear_page();
        self.recount()
    }

    /// In how many milliseconds a tick has something to do, if there is anything it waits for.
    pub fn due_in(&self) -> Option<i64> {
        let is_under_way = !self.world.under_way.borrow().is_empty();
        if is_under_way { Some(0) } else { self.bar.due_in(self.world.now) }
    }

    /// Says in the footer what was done.
    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.notice = Some((text.into(), Some(self.world.now)));
    }

    /// What the bar has become: another filter to narrow to, a question, a text to keep.
    fn sync(&mut self, effects: &mut Vec<Effect>) {
        let filter = self.bar.in_force();
        let wanted = filter.to_string();
        let has_marked = std::mem::take(&mut self.has_marked);
        if has_marked {
            effects.push(Effect::Mark(self.marks.clone()));
        }
        if wanted != self.sent || has_marked && filter.depends().context {
            self.filter_id += 1;
            self.sent = wanted;
            effects.extend(self.hold_still());
            effects.push(Effect::SetFilter { id: self.filter_id, filter });
        }
        effects.extend(self.let_go());
        self.bar.name_groups(&self.world.matches.snapshot.tables.groups);
        effects.extend(self.bar.question().map(Effect::Ask));
        effects.extend(self.bar.take_accepted().map(Effect::Remember));
    }

    fn on_paste(&mut self, text: &str) {
        if self.paste_into_chrome(text) {
        } else if let Some(list) = &mut self.saved_list {
            list.paste(text);
        } else if self.bar.is_editing() {
            self.bar.paste(text, self.world.now);
        }
    }

    /// Escape and a letter that is typed soon after it arrive as one key with Alt, which means nothing by itself.
    fn on_keys(&mut self, key: KeyEvent) -> Vec<Effect> {
        if key.modifiers != KeyModifiers::ALT || !matches!(key.code, KeyCode::Char(_)) {
            return self.on_key(key);
        }
        let mut effects = self.on_key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE));
        effects.extend(self.on_key(KeyEvent::new(key.code, KeyModifiers::NONE)));
        effects
    }

    fn on_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let action = self.world.keys.action_of(key);
        if action == Some(Action::Interrupt) {
            return self.quit();
        }
        if let Some(effects) = self.on_chrome_key(key) {
            return effects;
        }
        if self.bar.is_editing() {
            self.bar.on_key(key, self.world.now);
            return Vec::new();
        }
        if self.saved_list.is_some() {
            return self.on_saved_key(key);
        }
        // The hints come back as soon as one goes on.
        self.notice = None;
        if let Some(effects) = self.on_first_key(key) {
            return effects;
        }
        let Some(action) = action else { return Vec::new() };
        if action != Action::Quit {
            self.is_quit_armed = false;
        }
        self.on_action(action)
    }

    pub(super) fn on_action(&mut self, action: Action) -> Vec<Effect> {
        let action = match action {
            // Only where there is something on either side do the arrows mean more than open and back.
            Action::Right if !self.has_sides() => Action::Open,
            Action::Left if !self.has_sides() => Action::Back,
            action => action,
        };
        if let Action::Screen(_) = action {
            // A screen that is asked for by its key is what is wanted, whatever is open above the one before.
            (self.told, self.panels.help) = (None, None);
        }
        if self.told.is_some() && action != Action::Redraw && action != Action::Suspend {
            self.on_told(action);
            return Vec::new();
        }
        if let Some(effects) = self.on_chrome_action(action) {
            return effects;
        }
        if self.panels.help.is_some() && action != Action::Redraw && action != Action::Suspend {
            return self.on_help(action);
        }
        match action {
            Action::Quit => return self.close_or_quit(),
            Action::Redraw => return vec![Effect::Redraw],
            Action::Suspend => return vec![Effect::Suspend],
            Action::Help => self.open_help(false),
            Action::EditFilter => self.bar.edit(self.world.now),
            _ if self.narrow(action) => return self.recount(),
            Action::Source => return self.open_source(),
            Action::Freeze => self.freeze(),
            Action::Diagnostics => return self.ask_page(),
            Action::Screen(digit) => {
                if let Some((_, screen, _)) = Screen::ALL.into_iter().find(|(key, ..)| *key == digit) {
                    self.arrive(screen);
                }
            }
            _ => return self.on_panel(action),
        }
        Vec::new()
    }

    /// Shows the screen that was asked for.
    pub(super) fn arrive(&mut self, screen: Screen) {
        self.screen = screen;
        self.panels.current(screen).arrive();
    }

    fn has_sides(&self) -> bool {
        self.screen == Screen::Timeline && self.panels.help.is_none()
    }

    fn on_help(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Quit | Action::Back | Action::Help => self.panels.help = None,
            Action::EditFilter => {
                if let Some(help) = &mut self.panels.help {
                    help.start_search();
                }
            }
            Action::NextPane => {
                if let Some(help) = &mut self.panels.help {
                    help.turn();
                }
            }
            _ => {
                let view = self.world.view(&self.bar, &self.marks);
                self.panels.current(self.screen).on_action(action, &view);
            }
        }
        Vec::new()
    }

    /// Keys of the stream's detail first, then those of the panel on screen.
    fn on_panel(&mut self, action: Action) -> Vec<Effect> {
        if self.screen == Screen::Stream && self.on_detail(action) {
            return Vec::new();
        }
        let view = self.world.view(&self.bar, &self.marks);
        match self.panels.current(self.screen).on_action(action, &view) {
            Request::Done => Vec::new(),
            Request::Ignored if action == Action::Back => self.go_back(),
            Request::Ignored => Vec::new(),
            Request::Said(text) => {
                self.say(text);
                Vec::new()
            }
            Request::Pause { sink: name, is_paused } => {
                let what =
                    if is_paused { "rests: what it is offered is dropped and counted" } else { "goes on" };
                self.say(format!("sink {name} {what}"));
                vec![Effect::PauseSink { name, is_paused }]
            }
            Request::Show { ordinal } => {
                self.remember_place();
                self.screen = Screen::Stream;
                self.panels.stream.select(ordinal, &self.world.view(&self.bar, &self.marks));
                Vec::new()
            }
            Request::Timeline { session, ordinal } => {
                self.remember_place();
                self.screen = Screen::Timeline;
                let view = self.world.view(&self.bar, &self.marks);
                self.panels.timeline.open(&session, ordinal, &view);
                Vec::new()
            }
            Request::Drill { term, origin } => {
                self.remember_place();
                self.panels.stream.count_from(origin);
                self.screen = Screen::Stream;
                self.panels.stream.release();
                self.bar.toggle(&term);
                Vec::new()
            }
        }
    }

    /// Keys that concern the selected event; `true` if it was one.
    fn on_detail(&mut self, action: Action) -> bool {
        let is_full = self.detail_mode == DetailMode::Full;
        match action {
            Action::Open if self.panels.stream.selected().is_some() => self.detail_mode = DetailMode::Full,
            Action::Open => {
                self.panels.stream.on_action(Action::Up, &self.world.view(&self.bar, &self.marks));
            }
            Action::Detail => {
                self.detail_mode = match (self.detail_mode, self.width) {
                    (DetailMode::Beside, 160..) => DetailMode::Below,
                    (DetailMode::Beside, 120..) => DetailMode::Right,
                    (DetailMode::Beside | DetailMode::Below | DetailMode::Right, _) => DetailMode::Full,
                    (DetailMode::Full, _) => DetailMode::Off,
                    (DetailMode::Off, _) => DetailMode::Beside,
                };
            }
            Action::Raw => self.detail.is_raw = !self.detail.is_raw,
            Action::Fold if is_full => self.detail.is_open = !self.detail.is_open,
            Action::Back if is_full => self.detail_mode = DetailMode::Beside,
            Action::Back => return self.panels.stream.release(),
            Action::Down if is_full => self.detail.step(true),
            Action::Up if is_full => self.detail.step(false),
            Action::PageDown if is_full => self.detail.scroll(20),
            Action::PageUp if is_full => self.detail.scroll(-20),
            _ => return false,
        }
        true
    }

    /// Draws the whole console; gives the place of the cursor where there is one.
    pub fn render(&mut self, area: Rect, buf: &mut Buffer) -> Option<Position> {
        screen::render(self, area, buf)
    }
}
