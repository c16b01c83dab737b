//! What a click, the wheel and a drag do, once the mouse is on: tabs, hints, columns, rows, and the detail's rule.
//!
//! Part of the app. Rows are reached by the keys that reach them, so a click can do nothing that a key cannot.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::app::App;
use super::keys::Action;
use super::view::{Effect, Screen};

/// Rows the wheel moves by.
const WHEEL: usize = 3;
/// Rows between the selected one and the one clicked: no terminal has more.
const MAX_ROWS: u16 = 1_000;

/// What can be clicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hit {
    Tab(Screen),
    Act(Action),
    Filter,
}

/// Where everything was when it was last drawn.
#[derive(Clone, Debug, Default)]
pub(super) struct Mouse {
    pub(super) hits: Vec<(Rect, Hit)>,
    pub(super) area: Rect,
    pub(super) body: Rect,
    /// The rows of the open palette.
    pub(super) list: Option<Rect>,
    /// What is between the list and its detail, and whether it is being dragged.
    pub(super) rule: Option<Rule>,
    is_dragging: bool,
    /// The share of the body that the detail was dragged to, in percent.
    pub(super) share: Option<u16>,
}

/// What is between a list and its detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// The first row of the detail.
    Row(Rect),
    /// The column before it.
    Column(Rect),
}

impl Rule {
    fn contains(self, at: Position) -> bool {
        let (Self::Row(area) | Self::Column(area)) = self;
        area.contains(at)
    }
}

/// Shares that a detail can be dragged to.
const SHARES: std::ops::RangeInclusive<u16> = 15..=85;

impl App {
    /// Takes a click or a turn of the wheel; everything else a mouse does is nothing.
    pub(super) fn on_mouse(&mut self, event: MouseEvent) -> Vec<Effect> {
        let at = Position { x: event.column, y: event.row };
        match event.kind {
            MouseEventKind::ScrollUp => self.wheel(Action::Up),
            MouseEventKind::ScrollDown => self.wheel(Action::Down),
            MouseEventKind::Down(MouseButton::Left) => {
                let is_free = !self.is_asked() && self.is_detail_in_sight();
                self.chrome.mouse.is_dragging =
                    is_free && self.chrome.mouse.rule.is_some_and(|rule| rule.contains(at));
                if self.chrome.mouse.is_dragging { Vec::new() } else { self.click(at) }
            }
            MouseEventKind::Drag(MouseButton::Left) => {
                self.drag(at);
                Vec::new()
            }
            MouseEventKind::Up(MouseButton::Left) => {
                self.chrome.mouse.is_dragging = false;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn is_detail_in_sight(&self) -> bool {
        self.screen == Screen::Stream && self.panels.help.is_none() && self.told.is_none()
    }

    /// Moves the rule between the list and its detail to where the mouse is.
    fn drag(&mut self, at: Position) {
        let mouse = &mut self.chrome.mouse;
        let body = mouse.body;
        let (rest, whole) = match mouse.rule.filter(|_| mouse.is_dragging) {
            Some(Rule::Row(_)) => (body.bottom().saturating_sub(at.y), body.height),
            Some(Rule::Column(_)) => (body.right().saturating_sub(at.x), body.width),
            None => return,
        };
        let share = rest.saturating_mul(100) / whole.max(1);
        mouse.share = Some(share.clamp(*SHARES.start(), *SHARES.end()));
    }

    fn wheel(&mut self, action: Action) -> Vec<Effect> {
        if self.is_asked() {
            return Vec::new();
        }
        (0..WHEEL).flat_map(|_| self.on_action(action)).collect()
    }

    /// Whether something is open that takes the keys.
    fn is_asked(&self) -> bool {
        let chrome = &self.chrome;
        chrome.palette.is_some()
            || chrome.export.is_some()
            || self.saved_list.is_some()
            || self.bar.is_editing()
    }

    fn click(&mut self, at: Position) -> Vec<Effect> {
        if let (Some(palette), Some(list)) = (&mut self.chrome.palette, self.chrome.mouse.list) {
            let is_inside = list.contains(at);
            if is_inside && palette.point(usize::from(at.y - list.y)) {
                let enter = crossterm::event::KeyCode::Enter.into();
                return self.on_chrome_key(enter).unwrap_or_default();
            }
            return Vec::new();
        }
        if self.is_asked() {
            return Vec::new();
        }
        let hit = self.chrome.mouse.hits.iter().find(|(area, _)| area.contains(at)).map(|(_, hit)| *hit);
        match hit {
            Some(Hit::Tab(screen)) => {
                self.panels.help = None;
                self.arrive(screen);
                Vec::new()
            }
            Some(Hit::Act(action)) => self.on_action(action),
            Some(Hit::Filter) => self.on_action(Action::EditFilter),
            None if self.chrome.mouse.body.contains(at) => self.click_row(at),
            None => Vec::new(),
        }
    }

    /// Selects the row that was clicked, opens it if it was selected; sorts by a column's title.
    fn click_row(&mut self, at: Position) -> Vec<Effect> {
        if self.panels.current(self.screen).on_click(at) {
            return Vec::new();
        }
        let mut marked = self.marked_row();
        if marked == Some(at.y) {
            return self.on_action(Action::Open);
        }
        let mut effects = Vec::new();
        if marked.is_none() {
            effects.extend(self.on_action(Action::Up));
            marked = self.marked_row();
        }
        let Some(from) = marked else { return effects };
        let action = if at.y > from { Action::Down } else { Action::Up };
        for _ in 0..at.y.abs_diff(from).min(MAX_ROWS) {
            effects.extend(self.on_action(action));
        }
        effects
    }

    /// The row on screen that has the mark of the selection.
    fn marked_row(&mut self) -> Option<u16> {
        let area = self.chrome.mouse.area;
        let mut buf = Buffer::empty(area);
        self.render(area, &mut buf);
        let body = self.chrome.mouse.body.intersection(area);
        let mark = self.world.theme.glyphs.selected;
        (body.y..body.bottom()).find(|y| buf.cell((body.x, *y)).is_some_and(|cell| cell.symbol() == mark))
    }
}
