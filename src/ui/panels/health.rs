//! How taillight itself is: where every event went, what is kept, what was refused, what was broken.
//!
//! Shown by the app as screen 6. Its sums add up on screen (SECURITY: the ledger); the filter does not touch them.

mod alerts;
mod pages;
mod signals;
mod sinks;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Panel;
use super::page::{Page, Row};
use super::table::clock;
use crate::counters::Counter;
use crate::sinks::State;
use crate::store::Ledger;
use crate::ui::format::{self, counted};
use crate::ui::keys::Action;
use crate::ui::theme::Theme;
use crate::ui::view::{Request, View};

/// Columns of a sum: sign and name, then the number.
const NAME: usize = 20;
const NUMBER: usize = 13;
const SIGN: usize = 2;
/// What a reason stands behind, under what it is a reason for.
const REASON: &str = "  ";
/// Columns at the sides of the page.
const MARGINS: usize = 2;
/// Columns between the two sums.
const BETWEEN: usize = 5;
/// The width from which the two sums stand beside each other.
const BESIDE_FROM: u16 = 76;
/// Rows of one refusal, and of one reason.
const MAX_FOLDED_LINES: usize = 3;

/// The health screen.
#[derive(Debug, Default)]
pub(in crate::ui) struct Health {
    page: Page,
    /// The sink that a key pauses.
    marked: Option<String>,
    has_moved: bool,
}

impl Health {
    /// Marks the next sink, or the one before; the first or the last where none is marked.
    fn step(&mut self, is_forward: bool, view: &View<'_>) -> Request {
        let names: Vec<_> = view.sinks.iter().map(|report| report.name.as_str()).collect();
        let at = names.iter().position(|name| self.marked.as_deref() == Some(*name));
        let next = match at {
            None if is_forward => Some(0),
            None | Some(0) if !is_forward => names.len().checked_sub(1),
            Some(at) if is_forward => Some((at + 1) % names.len()),
            Some(at) => Some(at - 1),
            None => None,
        };
        let Some(name) = next.and_then(|next| names.get(next)) else {
            return Request::Said("no sinks are set: [sinks.NAME] in the settings");
        };
        self.marked = Some((*name).to_owned());
        self.has_moved = true;
        Request::Done
    }

    fn pause(&self, view: &View<'_>) -> Request {
        let report = view.sinks.iter().find(|report| self.marked.as_ref() == Some(&report.name));
        match report {
            Some(report) => {
                let is_paused = report.state != State::Paused;
                Request::Pause { sink: report.name.clone(), is_paused }
            }
            None if view.sinks.is_empty() => Request::Said("no sinks are set: [sinks.NAME] in the settings"),
            None => Request::Said("Tab marks the sink that is to rest"),
        }
    }
}

impl Panel for Health {
    fn on_action(&mut self, action: Action, view: &View<'_>) -> Request {
        match action {
            Action::NextPane => self.step(true, view),
            Action::PreviousPane => self.step(false, view),
            Action::PauseSink => self.pause(view),
            action if self.page.on_action(action) => Request::Done,
            _ => Request::Ignored,
        }
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) {
        let theme = view.theme;
        let mut rows = alerts::alerts(view);
        rows.push(Row::Rule("every event offered, and where it went".to_owned()));
        rows.extend(sums(&view.snapshot.ledger, area.width, theme));
        if !view.sinks.is_empty() {
            rows.push(Row::Rule("sinks".to_owned()));
            let (sinks, marked) = sinks::rows(view, area.width, self.marked.as_deref());
            if std::mem::take(&mut self.has_moved) {
                self.page.reveal(rows.len() + marked);
            }
            rows.extend(sinks);
        }
        let pages = pages::rows(view, area.width);
        if !pages.is_empty() {
            rows.push(Row::Rule("pages".to_owned()));
            rows.extend(pages);
        }
        rows.push(Row::Rule("kept in memory".to_owned()));
        rows.extend(ring(view));
        rows.extend(signals::signals(view));
        rows.push(Row::Rule("doors".to_owned()));
        rows.extend(doors(view));
        rows.push(Row::Rule("latest refusals".to_owned()));
        rows.extend(refused(view, area.width));
        rows.push(Row::Rule("latest broken frames".to_owned()));
        rows.extend(broken(view, area.width));
        rows.extend(unknown(view));
        self.page.render(area, buf, &rows, theme);
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[("↓ ↑", "scroll"), ("Tab", "mark a sink"), ("H", "it rests, or goes on")]
    }

    fn term(&self, _: &View<'_>) -> Option<String> {
        None
    }
}

/// A term of a sum: its sign, its name, its number.
type Term = (&'static str, String, u64);

/// Both sums of the ledger, beside each other where there is room.
fn sums(ledger: &Ledger, width: u16, theme: &Theme) -> Vec<Row> {
    let rejected: u64 = ledger.rejected.values().sum();
    let reasons = ledger.rejected.iter().map(|(reason, count)| ("", format!("{REASON}{reason}"), *count));
    let plain = |sign, name: &str, number| (sign, name.to_owned(), number);
    let mut offered: Vec<Term> = vec![
        plain("", "accepted", ledger.accepted),
        plain("+", "duplicate", ledger.duplicate),
        plain("+", "rejected", rejected),
    ];
    offered.extend(reasons);
    let taken: Vec<Term> = vec![plain("", "live", ledger.live), plain("+", "evicted", ledger.evicted)];
    let own: Vec<Term> = vec![plain("", "accepted", ledger.accepted), plain("+", "own events", ledger.own)];
    let is_beside = width >= BESIDE_FROM;
    let others = NUMBER + if is_beside { BETWEEN + NAME + NUMBER } else { 0 };
    let longest = offered.iter().map(|(_, name, _)| theme.gate.columns(name) + SIGN).max().unwrap_or(NAME);
    let name = longest.min(usize::from(width).saturating_sub(others + MARGINS)).max(NAME);
    let line = |term: &Term, name| {
        let style = if term.1.starts_with(REASON) { theme.dim } else { theme.text };
        sum_lines(term, name, theme).into_iter().map(move |text| (text, style))
    };
    let total = |term, number, name| {
        sum_lines(&plain("=", term, number), name, theme).into_iter().map(|text| (text, theme.title))
    };
    let mut left: Vec<_> = offered.iter().flat_map(|term| line(term, name)).collect();
    left.push((theme.glyphs.horizontal.repeat(name + NUMBER), theme.rule));
    left.extend(total("received", ledger.received(), name));
    let mut right: Vec<_> = own.iter().flat_map(|term| line(term, NAME)).collect();
    right.extend(total("to be kept", ledger.accepted + ledger.own, NAME));
    right.push((String::new(), theme.text));
    right.extend(taken.iter().flat_map(|term| line(term, NAME)));
    right.extend(total("live + evicted", ledger.live + ledger.evicted, NAME));
    if !is_beside {
        left.push((String::new(), theme.text));
        left.extend(right);
        return left.into_iter().map(|(text, style)| Row::text(text, style)).collect();
    }
    let at = |side: &[(String, Style)], row| side.get(row).cloned().unwrap_or_default();
    (0..left.len().max(right.len()))
        .map(|row| {
            let (text, style) = at(&left, row);
            let padded = format::left(&text, name + NUMBER + BETWEEN, theme.gate);
            Row::Text(vec![(padded, style), at(&right, row)])
        })
        .collect()
}

/// A term with its name in `room` columns. A reason that is longer is folded, with the number behind its end.
fn sum_lines((sign, name, number): &Term, room: usize, theme: &Theme) -> Vec<String> {
    let number = format::right(&format::count(*number), NUMBER, theme.gate);
    let Some(reason) = name.strip_prefix(REASON) else {
        return vec![format!("{}{number}", format::left(&format!("{sign:1} {name}"), room, theme.gate))];
    };
    let indent = SIGN + REASON.len();
    let lines = theme.gate.lines(reason, room.saturating_sub(indent), MAX_FOLDED_LINES);
    let last = lines.len().saturating_sub(1);
    let text = |(nth, line): (usize, &crate::event::gate::Line)| {
        let named = format!("{}{}", " ".repeat(indent), line.text());
        if nth == last { format!("{}{number}", format::left(&named, room, theme.gate)) } else { named }
    };
    lines.iter().enumerate().map(text).collect()
}

/// `name   text`: a fact with its name in a column of its own.
fn fact(name: &str, text: String, theme: &Theme) -> Row {
    Row::Text(vec![(format::left(name, 13, theme.gate), theme.dim), (text, theme.text)])
}

fn ring(view: &View<'_>) -> Vec<Row> {
    let (theme, snapshot, ledger) = (view.theme, view.snapshot, &view.snapshot.ledger);
    let first = snapshot.event(snapshot.first);
    let last = snapshot.end.checked_sub(1).and_then(|last| snapshot.event(last));
    let span = match (first, last) {
        (Some(first), Some(last)) => format!(
            "{} to {} ({})",
            clock(first.inst(), view.zone),
            clock(last.inst(), view.zone),
            format::age(last.inst().since(first.inst()))
        ),
        _ => "nothing yet".to_owned(),
    };
    let dot = theme.glyphs.dot;
    let mut scrubbed = format!(
        "{} redacted {dot} {} repaired {dot} {} cut",
        format::count(ledger.redacted),
        format::count(ledger.repaired),
        format::count(ledger.cut)
    );
    if ledger.flattened > 0 {
        scrubbed.push_str(&format!(" {dot} {} flattened", format::count(ledger.flattened)));
    }
    let size = format!("{} {dot} {}", counted(snapshot.len(), "event"), format::bytes(snapshot.bytes));
    let beyond = ledger.beyond.all().into_iter().filter(|(_, count, _)| *count > 0);
    let beyond: Vec<_> = beyond
        .map(|(name, count, _)| format!("{} {}", name.replace('_', " "), format::count(count)))
        .collect();
    let mut rows = vec![
        fact("ring", size, theme),
        fact("holds", span, theme),
        fact("arriving", format!("{} events/s", format::count(snapshot.events_per_s)), theme),
        fact("scrubbed", scrubbed, theme),
    ];
    if !beyond.is_empty() {
        rows.push(fact("tables", beyond.join(&format!(" {dot} ")), theme));
    }
    rows
}

/// The counters that are not zero, a row for each of their groups.
fn doors(view: &View<'_>) -> Vec<Row> {
    let theme = view.theme;
    let live = counted(view.snapshot.live.len() as u64, "live session");
    let open = format!("{} open {} {live}", format::count(view.counters.connections()), theme.glyphs.dot);
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for (counter, group, name) in Counter::ALL {
        let number = view.counters.get(counter);
        // The signal stages have rows of their own.
        if number == 0 || group == "signal" {
            continue;
        }
        let text = format!("{} {}", name.replace('_', " "), format::count(number));
        match groups.last_mut() {
            Some((last, texts)) if *last == group => texts.push(text),
            _ => groups.push((group, vec![text])),
        }
    }
    let separator = format!(" {} ", theme.glyphs.dot);
    let mut rows = vec![fact("connections", open, theme)];
    if view.facts.is_open() {
        let said = "none: whoever is on the way to this address can read what is sent to it";
        rows.push(fact("encryption", said.to_owned(), theme));
    }
    rows.extend(groups.into_iter().map(|(group, texts)| fact(group, texts.join(&separator), theme)));
    rows
}

/// Who was not let in and what would let them in, latest first.
fn refused(view: &View<'_>, width: u16) -> Vec<Row> {
    let theme = view.theme;
    let refusals = view.counters.refusals();
    if refusals.is_empty() {
        return vec![Row::text("none", theme.dim)];
    }
    let mut rows = Vec::new();
    for refusal in refusals.iter().rev() {
        let times = if refusal.times > 1 {
            format!("{} times ", format::count(refusal.times))
        } else {
            String::new()
        };
        let at = format!("{} ", clock(refusal.at, view.zone));
        let room = usize::from(width).saturating_sub(theme.gate.columns(&at) + MARGINS);
        // What to do stands at the end, so the line is folded and not cut.
        let lines = theme.gate.lines(&format!("{times}{}", refusal.message), room.max(20), MAX_FOLDED_LINES);
        for (nth, line) in lines.iter().enumerate() {
            let first = if nth == 0 { at.clone() } else { " ".repeat(theme.gate.columns(&at)) };
            rows.push(Row::Text(vec![(first, theme.dim), (line.text(), theme.warn)]));
        }
    }
    rows
}

/// Messages whose id means nothing here, latest first; nothing at all where there are none.
fn unknown(view: &View<'_>) -> Vec<Row> {
    let theme = view.theme;
    let messages = view.counters.unknown_messages();
    if messages.is_empty() {
        return Vec::new();
    }
    let row = |message: &crate::counters::UnknownMessage| {
        Row::Text(vec![
            (format!("{} ", clock(message.at, view.zone)), theme.dim),
            (format::left(&message.from, 10, theme.gate) + " ", theme.text),
            (format!("{} ", message.id), theme.warn),
            (format!("×{} ", format::count(message.times)), theme.text),
            (message.start.clone(), theme.dim),
        ])
    };
    let title = Row::Rule("messages of ids that mean nothing here".to_owned());
    std::iter::once(title).chain(messages.iter().rev().map(row)).collect()
}

/// Broken frames, latest first: why, in full, and behind that how each began, as far as there is room.
fn broken(view: &View<'_>, width: u16) -> Vec<Row> {
    let theme = view.theme;
    let frames = view.counters.broken_frames();
    if frames.is_empty() {
        return vec![Row::text("none", theme.dim)];
    }
    let mut rows = Vec::new();
    for frame in frames.iter().rev() {
        let at = format!("{} ", clock(frame.at, view.zone));
        let from = format::left(&frame.from, 10, theme.gate) + " ";
        let indent = theme.gate.columns(&at) + theme.gate.columns(&from);
        let room = usize::from(width).saturating_sub(indent + MARGINS).max(10);
        let lines = theme.gate.lines(&frame.reason, room, MAX_FOLDED_LINES);
        for (nth, line) in lines.iter().enumerate() {
            let mut row = match nth {
                0 => vec![(at.clone(), theme.dim), (from.clone(), theme.text)],
                _ => vec![(" ".repeat(indent), theme.dim)],
            };
            row.push((line.text(), theme.warn));
            if nth + 1 == lines.len() {
                row.push((format!("  {}", frame.start), theme.dim));
            }
            rows.push(Row::Text(row));
        }
    }
    rows
}
