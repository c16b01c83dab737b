//! The first screen: what to paste into a page, and what has been seen of it so far.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::draw;
use super::view::View;

pub(super) fn render(area: Rect, buf: &mut Buffer, view: &View<'_>) {
    let theme = view.theme;
    let marks = theme.glyphs;
    let is_connected = view.counters.connections() > 0;
    let mark = |is_done: bool| if is_done { marks.ok } else { marks.unknown };
    let key = if view.facts.key.is_empty() { String::new() } else { format!("?k={}", view.facts.key) };
    let address = &view.facts.address;
    let lines = [
        (String::new(), theme.text),
        ("Waiting for a page.".to_owned(), theme.title),
        (String::new(), theme.text),
        (format!("{}  listening on http://{address}   (this machine only)", mark(true)), theme.text),
        (format!("{}  a page connects", mark(is_connected)), theme.text),
        (format!("{}  the first event arrives", mark(false)), theme.text),
        (String::new(), theme.text),
        ("Put this one line in your page, before your own scripts:".to_owned(), theme.text),
        (String::new(), theme.text),
        (
            format!("  <script src=\"http://{address}/taillight.js{key}\"></script>   yt copies it"),
            theme.accent,
        ),
        (String::new(), theme.text),
        ("or, with a bundler, in your entry file:".to_owned(), theme.text),
        (String::new(), theme.text),
        (
            format!("  if (import.meta.env.DEV) import(\"http://{address}/taillight.mjs\")   yI copies it"),
            theme.accent,
        ),
        (String::new(), theme.text),
        ("It records uncaught errors and rejections, console.warn and console.error,".to_owned(), theme.dim),
        (
            "fetch timings, page loads and clicks. It never sends bodies, cookies or typed text.".to_owned(),
            theme.dim,
        ),
        (String::new(), theme.text),
        (format!("No page at hand? Open http://{address}/demo in a browser."), theme.text),
        ("No events in memory. Nothing is written to disk unless you export (e).".to_owned(), theme.dim),
    ];
    let indent = if area.width >= 100 { 6 } else { 2 };
    for ((text, style), y) in lines.iter().zip(area.y..area.bottom()) {
        draw::text(buf, area, area.x + indent, y, text, *style);
    }
}
