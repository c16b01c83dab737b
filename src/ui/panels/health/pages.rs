//! The connected pages in rows: how much each sends, how late it comes, how its clock stands, what it lost.
//!
//! Drawn by the health panel, those first that send most.

use crate::counters::Page;
use crate::ui::format::{self, counted};
use crate::ui::panels::page::Row;
use crate::ui::tabs;
use crate::ui::theme::Theme;
use crate::ui::view::View;

/// Pages that are listed; the rest is counted.
const MOST: usize = 12;
/// The narrowest screens that show what a page is, and its bytes.
const SESSION_FROM: u16 = 90;
const PAGE_FROM: u16 = 110;

pub(super) fn rows(view: &View<'_>, width: u16) -> Vec<Row> {
    let theme = view.theme;
    let (pages, all) = view.counters.pages().busiest(view.now, MOST);
    if pages.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![Row::text(line(width, theme, &TITLES.map(str::to_owned)), theme.dim)];
    for page in &pages {
        let letter = tabs::letter(&view.snapshot.loads, &page.tab).to_string();
        let cells = [
            format!("{letter} {}", page.connection),
            page.session.clone(),
            format::count_short(page.events_per_s(view.now)),
            format::count_short(page.events),
            format::bytes(page.bytes),
            page.ahead_ms.map_or_else(|| theme.glyphs.none.to_owned(), clock),
            page.lag_ms.map_or_else(|| theme.glyphs.none.to_owned(), span),
            page.buffered.map_or_else(|| theme.glyphs.none.to_owned(), format::count_short),
            format::count_short(page.missing),
            sampled(page),
            page.page.clone(),
        ];
        let style = if page.missing > 0 { theme.worse } else { theme.text };
        rows.push(Row::text(line(width, theme, &cells), style));
    }
    if all > pages.len() {
        let rest = counted((all - pages.len()) as u64, "more page");
        rows.push(Row::text(format!("and {rest} that send less"), theme.dim));
    }
    rows
}

const TITLES: [&str; 11] =
    ["tab", "session", "ev/s", "events", "bytes", "clock", "lag", "waiting", "missing", "sampled", "page"];

fn line(width: u16, theme: &Theme, cells: &[String; 11]) -> String {
    let [tab, session, rate, events, bytes, clock, lag, waiting, missing, sampled, page] = cells;
    let mut out = format!("  {}", format::left(tab, 12, theme.gate));
    if width >= SESSION_FROM {
        out.push_str(&format::left(session, 14, theme.gate));
    }
    let right = [(rate, 6), (events, 7), (bytes, 9), (clock, 8), (lag, 7), (waiting, 8), (missing, 8)];
    for (text, columns) in right {
        out.push_str(&format::right(text, columns, theme.gate));
    }
    out.push_str("  ");
    if width >= PAGE_FROM {
        out.push_str(&format::left(sampled, 12, theme.gate));
        out.push_str(page);
    } else {
        out.push_str(sampled);
    }
    out
}

/// How far a clock is ahead (`+`) or behind (`-`).
fn clock(ms: i64) -> String {
    let sign = if ms < 0 { '-' } else { '+' };
    format!("{sign}{}", span(ms.saturating_abs()))
}

fn span(ms: i64) -> String {
    if ms < 1_000 { format!("{ms}ms") } else { format::age(ms) }
}

fn sampled(page: &Page) -> String {
    match page.share {
        Some(share) if page.sampled > 0 => {
            format!("{} ~{:.0}%", format::count_short(page.sampled), share * 100.0)
        }
        _ => String::new(),
    }
}
