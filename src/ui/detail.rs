//! One event in full: message, where and who, stack, and its data as JSON.
//!
//! Drawn by the app beside, below or over a list. All of it is text from outside and passes the gate; wrapping is
//! the gate's own.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::theme::{Theme, level_word};
use super::view::View;
use super::{draw, format, pretty};
use crate::event::gate::Line;
use crate::event::{EventRef, Flags, json};

/// Lines made of one event at the most; what is longer is in the export.
const MAX_LINES: usize = 2_000;
const LABEL: usize = 11;

/// How far down the event one has read.
#[derive(Debug, Default)]
pub(super) struct Detail {
    top: usize,
    /// The event and the width the lines were made for, so that an idle frame makes none.
    made: Option<(u64, u16, bool)>,
    lines: Vec<(Line, Style)>,
    /// The data on one line, as it would be exported.
    pub(super) is_raw: bool,
}

impl Detail {
    pub(super) fn scroll(&mut self, step: isize) {
        self.top = self.top.saturating_add_signed(step).min(self.lines.len().saturating_sub(1));
    }

    /// Draws `event` under a divider.
    pub(super) fn render(&mut self, area: Rect, buf: &mut Buffer, event: EventRef<'_>, view: &View<'_>) {
        let theme = view.theme;
        let made_for = (event.seq(), area.width, self.is_raw);
        if self.made != Some(made_for) {
            if self.made.is_none_or(|(seq, ..)| seq != event.seq()) {
                self.top = 0;
            }
            self.lines = lines(event, usize::from(area.width.saturating_sub(2)), self.is_raw, view);
            self.made = Some(made_for);
        }
        let level = level_word(event.level());
        let title = theme.gate.plain_capped(event.id(), 60);
        let group = event.group().map(|group| format!(" {} group {:04x}", theme.glyphs.dot, group >> 48));
        let group = group.unwrap_or_default();
        let age = format::age(view.now.since(event.inst()));
        draw::rule(
            buf,
            area,
            &format!("{level} {title}{group}"),
            &format!("{age} ago"),
            theme.rule,
            theme.glyphs,
        );
        let body = Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(1), ..area };
        for (line, y) in self.lines.iter().skip(self.top).zip(body.y..body.bottom()) {
            draw::line(buf, body, body.x + 1, y, &line.0, line.1);
        }
    }
}

/// All lines of the event, wrapped to `width`.
fn lines(event: EventRef<'_>, width: usize, is_raw: bool, view: &View<'_>) -> Vec<(Line, Style)> {
    let theme = view.theme;
    let mut out = Out { lines: Vec::new(), width, theme };
    out.wrapped(event.msg(), theme.level(event.level()));
    out.wrapped("", theme.text);
    fields(event, view, &mut out);
    if let Some(stack) = event.get(&["stack"]).and_then(json::text).filter(|stack| !stack.is_empty()) {
        out.wrapped("", theme.text);
        out.wrapped("stack", theme.title);
        for (index, line) in stack.lines().enumerate() {
            let is_library = line.contains("/node_modules/") || line.contains("/.vite/deps/");
            let style = if index == 0 || is_library { theme.dim } else { theme.text };
            out.wrapped(&format!("  {}", line.trim()), style);
        }
    }
    out.wrapped("", theme.text);
    out.wrapped("data", theme.title);
    let mut data = String::new();
    event.write_data(&mut data);
    if is_raw {
        out.wrapped(&data, theme.text);
    } else {
        for line in pretty::lines(&data, MAX_LINES) {
            out.wrapped(&line, theme.text);
        }
    }
    out.lines
}

fn fields(event: EventRef<'_>, view: &View<'_>, out: &mut Out<'_>) {
    let local = event.inst().to_jiff().to_zoned_datetime(view.zone.clone());
    let late = event.recv().since(event.inst());
    let lag = if late > 1_000 { format!("   arrived {} later", format::age(late)) } else { String::new() };
    out.field("time", &format!("{}{lag}", local.strftime("%Y-%m-%d %H:%M:%S%.3f %Z")));
    out.field("endpoint", event.endpoint());
    out.field("status", &event.status().map(|status| status.to_string()).unwrap_or_default());
    let slow = if event.flags().has(Flags::SLOW) { "   slow" } else { "" };
    let duration = event.duration().map(|span| format!("{span} ms{slow}"));
    out.field("duration", &duration.unwrap_or_default());
    out.field("severity", event.severity().map_or("", |severity| severity.name()));
    let load = event.load().map(|load| format!("   load {load}")).unwrap_or_default();
    let user = if event.user().is_empty() { String::new() } else { format!("   user {}", event.user()) };
    out.field("session", &format!("{}{user}{load}", event.session()));
    out.field("group", &event.group().map(|group| format!("{group:016x}")).unwrap_or_default());
    for (flag, text) in [
        (Flags::REDACTED, "values were redacted before this event was kept"),
        (Flags::CUT, "long strings were cut, see _cut"),
        (Flags::REPAIRED, "a broken character was replaced"),
    ] {
        if event.flags().has(flag) {
            out.field("note", text);
        }
    }
}

struct Out<'a> {
    lines: Vec<(Line, Style)>,
    width: usize,
    theme: &'a Theme,
}

impl Out<'_> {
    fn wrapped(&mut self, text: &str, style: Style) {
        let room = MAX_LINES.saturating_sub(self.lines.len());
        if text.is_empty() && room > 0 {
            self.lines.push((self.theme.gate.line("", self.width), style));
            return;
        }
        let lines = self.theme.gate.lines(text, self.width.max(1), room);
        self.lines.extend(lines.into_iter().map(|line| (line, style)));
    }

    fn field(&mut self, label: &str, value: &str) {
        if !value.trim().is_empty() {
            self.wrapped(&format!("{label:<LABEL$}{value}"), self.theme.text);
        }
    }
}
