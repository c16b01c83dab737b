//! The first screen: what to paste into a page, what has been seen of it so far, and what to do without one.
//!
//! Drawn by the app while nothing has arrived; some letters mean something else on it. Where rows are few, what matters less
//! is left out.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::app::App;
use super::copying::What as Copied;
use super::draw;
use super::view::{Effect, Facts, Screen, View};
use crate::event::gate::{Gate, Line};

/// What the keys are called below the screen.
pub(super) const HINTS: [(&str, &str); 4] =
    [("y", "copy the tag"), ("Y", "the import"), ("d", "demo"), ("w", "why is nothing arriving")];
/// Rows that a text is wrapped to.
const MOST_ROWS: usize = 6;
/// Columns of the mark and the name of a check.
const CHECK: usize = 14;
/// From this width on there is room at the left.
const WIDE: u16 = 100;

impl App {
    /// Whether the first screen is shown.
    pub(super) fn is_waiting(&self) -> bool {
        self.screen == Screen::Stream
            && self.panels.help.is_none()
            && self.world.facts.recording.is_none()
            && self.world.matches.snapshot.end == 0
    }

    /// Takes a key of the first screen; `None` if it is none.
    pub(super) fn on_first_key(&mut self, key: KeyEvent) -> Option<Vec<Effect>> {
        if !self.is_waiting() {
            return None;
        }
        Some(match key.code {
            KeyCode::Char('y') => self.copy(Copied::Tag),
            KeyCode::Char('Y') => self.copy(Copied::Import),
            KeyCode::Char('d') => {
                self.say("made-up browsers are on their way, for a minute");
                vec![Effect::Demo]
            }
            KeyCode::Char('w') => {
                self.say("looking");
                vec![Effect::Why { tag: self.tag().unwrap_or_default() }]
            }
            KeyCode::Esc if !self.checks.is_empty() => {
                self.checks.clear();
                Vec::new()
            }
            _ => return None,
        })
    }
}

/// A line of the screen, with the key that is for it.
struct Said {
    text: String,
    style: Style,
    key: &'static str,
    /// Columns that further lines begin later.
    hang: usize,
    /// Those of the highest rank are left out first.
    rank: u8,
}

impl Said {
    fn wrapped(&self, width: usize, gate: Gate) -> Vec<Line> {
        let lead = self.text.char_indices().nth(self.hang).map_or(0, |(at, _)| at);
        if lead == 0 || width < 3 * self.hang {
            return gate.lines(&self.text, width, MOST_ROWS);
        }
        let (lead, rest) = self.text.split_at(lead);
        let lines = gate.lines(rest, width - self.hang, MOST_ROWS);
        let blank = " ".repeat(self.hang);
        let leads = std::iter::once(lead).chain(std::iter::repeat(&*blank));
        leads.zip(&lines).map(|(lead, line)| gate.line(&format!("{lead}{}", line.text()), width)).collect()
    }
}

/// Draws it; `checks` are what was found out about why nothing arrives.
pub(super) fn render(area: Rect, buf: &mut Buffer, checks: &[String], view: &View<'_>) {
    let indent = if area.width >= WIDE { 6 } else { 2 };
    let width = usize::from(area.width.saturating_sub(indent + 1));
    let mut all = match &view.facts.recording {
        Some(file) => of_recording(file, view),
        None if checks.is_empty() => lines(view),
        None => found(checks, view),
    };
    let rows_of = |said: &Said| said.wrapped(width, view.theme.gate).len();
    while all.iter().map(rows_of).sum::<usize>() > usize::from(area.height)
        && let Some(rank) = all.iter().map(|said| said.rank).max().filter(|rank| *rank > 0)
    {
        all.retain(|said| said.rank < rank);
    }
    let mut y = area.y;
    for said in all {
        for (nth, line) in said.wrapped(width, view.theme.gate).iter().enumerate() {
            if y >= area.bottom() {
                return;
            }
            let mut x = area.x + indent;
            x = draw::line(buf, area, x, y, line, said.style);
            if nth == 0 && !said.key.is_empty() {
                let x = draw::text(buf, area, x, y, "   ", view.theme.text);
                let x = draw::text(buf, area, x, y, said.key, view.theme.accent);
                draw::text(buf, area, x, y, " copies it", view.theme.text);
            }
            y += 1;
        }
    }
}

fn lines(view: &View<'_>) -> Vec<Said> {
    let theme = view.theme;
    let is_connected = view.counters.connections() > 0;
    let mark = |is_done: bool| if is_done { theme.glyphs.ok } else { theme.glyphs.unknown };
    let address = &view.facts.address;
    let key = if view.facts.key.is_empty() { String::new() } else { format!("?k={}", view.facts.key) };
    let said = |rank, style, text: String| Said { text, style, key: "", hang: 0, rank };
    let copied = |key, text: &str| Said { text: text.to_owned(), style: theme.text, key, hang: 0, rank: 0 };
    let blank = |rank| said(rank, theme.text, String::new());
    let refused = view.counters.refusals().pop().map(|last| {
        let text = format!("{}  a page was refused: {}", theme.glyphs.failed, last.message);
        Said { hang: 3, ..said(0, theme.error, text) }
    });
    let written = match &view.facts.record {
        Some(file) => format!("No events in memory. Each is written to {} as it comes.", theme.gate.plain_capped(file, 60)),
        None => "No events in memory. Nothing is written to disk unless you export (e) or start with --record FILE.".to_owned(),
    };
    let mut all = vec![
        blank(3),
        said(0, theme.title, "Waiting for a page.".to_owned()),
        blank(4),
        said(
            0,
            theme.text,
            format!("{}  listening on http://{address}   ({})", mark(true), heard_by(view.facts)),
        ),
        said(0, theme.text, format!("{}  a page connects", mark(is_connected))),
        said(0, theme.text, format!("{}  the first event arrives", mark(false))),
    ];
    all.extend(refused);
    all.extend([
        blank(2),
        copied("y", "Put this one line in your page, before your own scripts:"),
        said(0, theme.accent, format!("  <script src=\"http://{address}/taillight.js{key}\"></script>")),
        blank(4),
        copied("Y", "or, with a bundler, in your entry file:"),
        said(0, theme.accent, format!("  if (import.meta.env.DEV) import(\"http://{address}/taillight.mjs\")")),
        blank(4),
        said(2, theme.text, format!("Already sending with sente-lite or Sente?  Point it at  ws://{address}/chsk")),
        blank(5),
        said(
            3,
            theme.dim,
            "It records uncaught errors and rejections, console lines, fetch and XHR timings, page loads, long tasks, web \
             vitals and clicks. It never sends bodies, cookies or what is typed."
                .to_owned(),
        ),
        blank(2),
        said(1, theme.title, "No page yet?".to_owned()),
        said(1, theme.text, "d  a minute of made-up traffic, to learn the keys".to_owned()),
        said(1, theme.text, "w  why is nothing arriving?  (port, client, page, proxy, clock)".to_owned()),
        said(4, theme.text, format!("   http://{address}/demo  is a page to click around in")),
        blank(6),
        said(5, theme.dim, written),
    ]);
    all
}

/// Of a recording, which nothing arrives in.
fn of_recording(file: &str, view: &View<'_>) -> Vec<Said> {
    let theme = view.theme;
    let said = |style, text: String| Said { text, style, key: "", hang: 0, rank: 0 };
    let title = format!("No events in {}.", theme.gate.plain_capped(file, 60));
    let text = "Nothing was recorded there, or nothing of it could be read.".to_owned();
    vec![said(theme.text, String::new()), said(theme.title, title), said(theme.text, text)]
}

/// What was found out about why nothing arrives.
fn found(checks: &[String], view: &View<'_>) -> Vec<Said> {
    let theme = view.theme;
    let said = |style, text: &str| Said { text: text.to_owned(), style, key: "", hang: 0, rank: 0 };
    let mut lines = vec![
        Said { rank: 1, ..said(theme.text, "") },
        said(theme.title, "Why is nothing arriving?"),
        Said { rank: 1, ..said(theme.text, "") },
    ];
    lines.extend(checks.iter().map(|check| Said { hang: CHECK, ..said(theme.text, check) }));
    lines.push(Said { rank: 1, ..said(theme.text, "") });
    lines.push(said(theme.dim, "w looks again   Esc goes back   6 lists who was refused, and why"));
    lines
}

/// Who can reach it.
fn heard_by(facts: &Facts) -> &'static str {
    if facts.is_open() {
        "other machines can reach it with the token; nothing is encrypted"
    } else {
        "this machine only; pages from localhost are let in"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_heard_is_told_by_the_address() {
        for (address, is_here) in
            [("127.0.0.1:8245", true), ("[::1]:80", true), ("0.0.0.0:8245", false), ("192.168.0.7:1", false)]
        {
            let facts = Facts { address: address.to_owned(), ..Facts::default() };
            assert_eq!(heard_by(&facts).starts_with("this machine only"), is_here, "{address}");
        }
    }
}
