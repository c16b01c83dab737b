//! The console as a whole: which screen, which filter, what a key does, and where everything is drawn.
//!
//! Messages go in, effects come out; no I/O, no clock, no threads. `ui::run` feeds it from the real terminal, tests
//! feed it keys and read the buffer.

use std::sync::Arc;

use crossterm::event::{KeyEvent, KeyEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::detail::Detail;
use super::export_bar::{Answer, ExportBar};
use super::filter_bar::{BarChange, FilterBar};
use super::keys::{self, Action};
use super::panels::{Errors, Health, Help, Latency, Panel, Sessions, Stream, Timeline, Vitals};
use super::theme::Theme;
use super::view::{Effect, Facts, Request, Screen, View};
use super::{format, screen};
use crate::counters::Counters;
use crate::event::Timestamp;
use crate::filter::Filter;
use crate::scan::Matches;

/// How long a note stays in the footer.
const NOTICE_MS: i64 = 5_000;

/// What happens to the console.
#[derive(Clone, Debug)]
pub enum Msg {
    Key(KeyEvent),
    Paste(String),
    /// The newest matches of the scan.
    Matches(Arc<Matches>),
    /// The wall clock.
    Tick(Timestamp),
    /// Something to say in the footer.
    Notice(String),
}

/// How much room the selected event takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum DetailMode {
    /// Beside or below the list where there is room.
    #[default]
    Beside,
    Full,
    Off,
}

/// The console.
pub struct App {
    pub(super) world: World,
    pub(super) panels: Panels,
    /// The newest matches while the screen is frozen.
    pub(super) frozen: Option<Arc<Matches>>,
    pub(super) screen: Screen,
    pub(super) detail: Detail,
    pub(super) detail_mode: DetailMode,
    pub(super) bar: FilterBar,
    filter_id: u64,
    /// Screens that were drilled from, with the filter they had.
    back: Vec<(Screen, String)>,
    pub(super) export: Option<ExportBar>,
    pub(super) notice: Option<(String, Timestamp)>,
    is_quit_armed: bool,
}

/// What panels see.
pub(super) struct World {
    pub(super) facts: Facts,
    pub(super) counters: Arc<Counters>,
    pub(super) theme: Theme,
    pub(super) zone: jiff::tz::TimeZone,
    pub(super) now: Timestamp,
    /// When the screen was frozen.
    pub(super) frozen_at: Option<Timestamp>,
    pub(super) matches: Arc<Matches>,
}

impl World {
    pub(super) fn view(&self, bar: &FilterBar) -> View<'_> {
        View {
            snapshot: &self.matches.snapshot,
            matches: &self.matches,
            tables: &self.matches.tables,
            is_filtered: !bar.in_force().is_all(),
            facts: &self.facts,
            counters: &self.counters,
            now: self.frozen_at.unwrap_or(self.now),
            zone: &self.zone,
            theme: &self.theme,
        }
    }
}

/// The screens, each with its own place.
#[derive(Default)]
pub(super) struct Panels {
    pub(super) stream: Stream,
    errors: Errors,
    latency: Latency,
    sessions: Sessions,
    vitals: Vitals,
    timeline: Timeline,
    health: Health,
    pub(super) help: Option<Help>,
}

impl Panels {
    /// What is on screen: the help over everything, else the screen's own panel.
    pub(super) fn current(&mut self, screen: Screen) -> &mut dyn Panel {
        match (&mut self.help, screen) {
            (Some(help), _) => help,
            (None, Screen::Stream) => &mut self.stream,
            (None, Screen::Errors) => &mut self.errors,
            (None, Screen::Latency) => &mut self.latency,
            (None, Screen::Sessions) => &mut self.sessions,
            (None, Screen::Vitals) => &mut self.vitals,
            (None, Screen::Timeline) => &mut self.timeline,
            (None, Screen::Health) => &mut self.health,
        }
    }
}

/// Drills that can be gone back through; beyond it the oldest is forgotten.
const MAX_BACK: usize = 16;

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
            world: World { facts, counters, theme, zone, now, frozen_at: None, matches },
            panels: Panels::default(),
            frozen: None,
            screen: Screen::Stream,
            detail: Detail::default(),
            detail_mode: DetailMode::Beside,
            bar: FilterBar::new(filter),
            filter_id: 0,
            back: Vec::new(),
            export: None,
            notice: None,
            is_quit_armed: false,
        }
    }

    /// The filter to start with.
    pub fn filter(&self) -> Arc<Filter> {
        self.bar.in_force()
    }

    /// The matches on screen, which is what an export writes.
    pub fn matches(&self) -> &Arc<Matches> {
        &self.world.matches
    }

    /// Takes one message and says what is to be done about it.
    pub fn update(&mut self, msg: Msg) -> Vec<Effect> {
        match msg {
            Msg::Key(key) if key.kind == KeyEventKind::Release => Vec::new(),
            Msg::Key(key) => self.on_key(key),
            Msg::Paste(text) => self.on_paste(&text),
            Msg::Matches(matches) => {
                self.on_matches(matches);
                Vec::new()
            }
            Msg::Tick(now) => {
                self.world.now = now;
                if self.notice.as_ref().is_some_and(|(_, at)| now.since(*at) > NOTICE_MS) {
                    self.notice = None;
                }
                Vec::new()
            }
            Msg::Notice(text) => {
                self.notice = Some((text, self.world.now));
                Vec::new()
            }
        }
    }

    fn on_matches(&mut self, matches: Arc<Matches>) {
        // Matches of the filter before would make the list jump twice.
        if matches.id != self.filter_id {
            return;
        }
        match &mut self.frozen {
            Some(newest) if self.world.matches.id == matches.id => *newest = matches,
            _ => self.world.matches = matches,
        }
    }

    fn on_paste(&mut self, text: &str) -> Vec<Effect> {
        if let Some(export) = &mut self.export {
            export.paste(text);
        } else if self.bar.is_editing() {
            let change = self.bar.paste(text);
            return self.narrowed(change);
        }
        Vec::new()
    }

    fn on_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let action = keys::action_of(key);
        if action == Some(Action::Interrupt) {
            return self.quit();
        }
        if let Some(export) = &mut self.export {
            return match export.on_key(key) {
                Answer::Nothing => Vec::new(),
                Answer::Cancel => {
                    self.export = None;
                    Vec::new()
                }
                Answer::Write(path) => {
                    self.export = None;
                    vec![Effect::Export { path }]
                }
            };
        }
        if self.bar.is_editing() {
            let change = self.bar.on_key(key);
            return self.narrowed(change);
        }
        // The hints come back as soon as one goes on.
        self.notice = None;
        let Some(action) = action else { return Vec::new() };
        if action != Action::Quit {
            self.is_quit_armed = false;
        }
        self.on_action(action)
    }

    fn on_action(&mut self, action: Action) -> Vec<Effect> {
        let action = match action {
            // Only where there is something on either side do the arrows mean more than open and back.
            Action::Right if !self.has_sides() => Action::Open,
            Action::Left if !self.has_sides() => Action::Back,
            action => action,
        };
        if self.panels.help.is_some() && action != Action::Redraw && action != Action::Suspend {
            return self.on_help(action);
        }
        match action {
            Action::Quit => return self.close_or_quit(),
            Action::Redraw => return vec![Effect::Redraw],
            Action::Suspend => return vec![Effect::Suspend],
            Action::Help => self.panels.help = Some(Help::default()),
            Action::EditFilter => self.bar.edit(),
            Action::Export => self.export = Some(ExportBar::new(self.world.now, &self.world.zone)),
            Action::Freeze => self.freeze(),
            Action::Screen(digit) => {
                if let Some((_, screen, _)) = Screen::ALL.into_iter().find(|(key, ..)| *key == digit) {
                    self.screen = screen;
                }
            }
            Action::BypassFilter => {
                let change = self.bar.bypass();
                return self.narrowed(change);
            }
            Action::ClearFilter => {
                self.panels.stream.count_from(None);
                let change = self.bar.replace("");
                return self.narrowed(change);
            }
            Action::Keep | Action::Leave => return self.by_value(action),
            _ => return self.on_panel(action),
        }
        Vec::new()
    }

    fn has_sides(&self) -> bool {
        self.screen == Screen::Timeline && self.panels.help.is_none()
    }

    fn on_help(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Quit | Action::Back | Action::Help => self.panels.help = None,
            _ => {
                let view = self.world.view(&self.bar);
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
        let view = self.world.view(&self.bar);
        match self.panels.current(self.screen).on_action(action, &view) {
            Request::Done => Vec::new(),
            Request::Ignored if action == Action::Back => self.go_back(),
            Request::Ignored => Vec::new(),
            Request::Show { ordinal } => {
                self.remember_place();
                self.screen = Screen::Stream;
                self.panels.stream.select(ordinal, &self.world.view(&self.bar));
                Vec::new()
            }
            Request::Timeline { session, ordinal } => {
                self.remember_place();
                self.screen = Screen::Timeline;
                self.panels.timeline.open(&session, ordinal, &self.world.view(&self.bar));
                Vec::new()
            }
            Request::Drill { term, origin } => {
                self.remember_place();
                self.panels.stream.count_from(origin);
                self.screen = Screen::Stream;
                self.panels.stream.release();
                let change = self.bar.toggle(&term);
                self.narrowed(change)
            }
        }
    }

    /// Keys that concern the selected event; `true` if it was one.
    fn on_detail(&mut self, action: Action) -> bool {
        let is_full = self.detail_mode == DetailMode::Full;
        match action {
            Action::Open if self.panels.stream.selected().is_some() => self.detail_mode = DetailMode::Full,
            Action::Open => {
                self.panels.stream.on_action(Action::Up, &self.world.view(&self.bar));
            }
            Action::Detail => {
                self.detail_mode = match self.detail_mode {
                    DetailMode::Beside => DetailMode::Full,
                    DetailMode::Full => DetailMode::Off,
                    DetailMode::Off => DetailMode::Beside,
                };
            }
            Action::Raw => self.detail.is_raw = !self.detail.is_raw,
            Action::Back if is_full => self.detail_mode = DetailMode::Beside,
            Action::Back => return self.panels.stream.release(),
            Action::Down if is_full => self.detail.scroll(1),
            Action::Up if is_full => self.detail.scroll(-1),
            Action::PageDown if is_full => self.detail.scroll(20),
            Action::PageUp if is_full => self.detail.scroll(-20),
            _ => return false,
        }
        true
    }

    fn remember_place(&mut self) {
        if self.back.len() >= MAX_BACK {
            self.back.remove(0);
        }
        self.back.push((self.screen, self.bar.text().to_owned()));
    }

    fn go_back(&mut self) -> Vec<Effect> {
        let Some((screen, filter)) = self.back.pop() else { return Vec::new() };
        self.panels.stream.count_from(None);
        self.screen = screen;
        if filter == self.bar.text() {
            return Vec::new();
        }
        let change = self.bar.replace(&filter);
        self.narrowed(change)
    }

    fn freeze(&mut self) {
        match self.frozen.take() {
            Some(newest) => {
                self.world.matches = newest;
                self.world.frozen_at = None;
            }
            None => {
                self.frozen = Some(Arc::clone(&self.world.matches));
                self.world.frozen_at = Some(self.world.now);
            }
        }
    }

    /// `+` and `-` write a term about the selected row into the filter.
    fn by_value(&mut self, action: Action) -> Vec<Effect> {
        let view = self.world.view(&self.bar);
        let Some(term) = self.panels.current(self.screen).term(&view) else {
            self.notice = Some(("select a row first: ↑ or k".to_owned(), self.world.now));
            return Vec::new();
        };
        let term = if action == Action::Leave { format!("-{term}") } else { term };
        let change = self.bar.toggle(&term);
        self.narrowed(change)
    }

    /// Another filter is in force: the scan is told, and its first answer will be shown.
    fn narrowed(&mut self, change: BarChange) -> Vec<Effect> {
        if change == BarChange::Nothing {
            return Vec::new();
        }
        self.filter_id += 1;
        vec![Effect::SetFilter { id: self.filter_id, filter: self.bar.in_force() }]
    }

    fn close_or_quit(&mut self) -> Vec<Effect> {
        if self.detail_mode == DetailMode::Full && self.screen == Screen::Stream {
            self.detail_mode = DetailMode::Beside;
            return Vec::new();
        }
        if !self.back.is_empty() {
            return self.go_back();
        }
        self.quit()
    }

    /// Quits at once where nothing would be lost, else on the second press.
    fn quit(&mut self) -> Vec<Effect> {
        let kept = self.world.matches.snapshot.len();
        if self.is_quit_armed || kept == 0 || self.world.facts.recording.is_some() {
            return vec![Effect::Quit];
        }
        self.is_quit_armed = true;
        let events = format::count(kept);
        self.notice =
            Some((format!("{events} events are only in memory. q again quits, e exports"), self.world.now));
        Vec::new()
    }

    /// Draws the whole console; gives the place of the cursor where there is one.
    pub fn render(&mut self, area: Rect, buf: &mut Buffer) -> Option<Position> {
        screen::render(self, area, buf)
    }
}
