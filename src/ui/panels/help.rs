//! Every key, and the filter language in ten lines.
//!
//! Shown by the app over any screen. The keys come from the one table of keys, so help cannot be out of date.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Panel;
use super::page::{Page, Row};
use super::table::WIDE;
use crate::ui::format;
use crate::ui::keys::{self, Action, Group, KEYS};
use crate::ui::theme::Theme;
use crate::ui::view::{Request, View};

/// Columns for keys and for what is written in a filter.
const SHOWN: usize = 8;
const SYNTAX: usize = 22;

/// What the groups of keys are called, in the columns they stand in.
const SIDES: [&[(Group, &str)]; 2] =
    [&[(Group::Move, "MOVE")], &[(Group::Filter, "FILTER"), (Group::Look, "LOOK"), (Group::Do, "DO")]];

/// What can be written in a filter (FILTER 1.3 to 1.5).
const FILTER: [(&str, &str); 10] = [
    ("timeout users", "words: all must be in the event, in any case"),
    ("\"exact text\"", "this text, with its blanks"),
    ("-word  -field:value", "leave out"),
    ("field:value", "text contains it, names equal it; * stands for anything"),
    ("=  ==  !=  ~", "whole value, same case, differs, regular expression"),
    ("<  <=  >  >=  a..b", "numbers, 200ms, 4kb, level>=warn; duration:100ms..1s"),
    ("status in (404, 500)", "any of these; status:5xx is a class"),
    ("and  or  not  ( )", "next to a field; between plain words they are words"),
    ("since:5m", "not older than that"),
    ("is:failed is:slow", "kinds of events; has:stack  no:user  a field is there, is not"),
];

/// The help screen.
#[derive(Debug, Default)]
pub(in crate::ui) struct Help {
    page: Page,
}

impl Panel for Help {
    fn on_action(&mut self, action: Action, _: &View<'_>) -> Request {
        if self.page.on_action(action) { Request::Done } else { Request::Ignored }
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) {
        let theme = view.theme;
        let mut rows = vec![Row::Rule("keys".to_owned())];
        let [left, right] = SIDES.map(|side| side_rows(side, theme));
        if area.width >= WIDE {
            rows.extend(beside(left, right, usize::from(area.width / 2), theme));
        } else {
            rows.extend(left);
            rows.push(Row::empty());
            rows.extend(right);
        }
        rows.push(Row::Rule("filter in ten lines".to_owned()));
        rows.extend(FILTER.map(|(syntax, meaning)| {
            Row::Text(vec![
                ("  ".to_owned(), theme.text),
                (format::left(syntax, SYNTAX, theme.gate) + " ", theme.accent),
                (meaning.to_owned(), theme.text),
            ])
        }));
        self.page.render(area, buf, &rows, theme);
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[("↓ ↑", "scroll"), ("Esc", "close")]
    }

    fn term(&self, _: &View<'_>) -> Option<String> {
        None
    }
}

fn side_rows(groups: &[(Group, &str)], theme: &Theme) -> Vec<Row> {
    let mut rows = Vec::new();
    for (group, title) in groups {
        if !rows.is_empty() {
            rows.push(Row::empty());
        }
        rows.push(Row::text(format!("  {title}"), theme.title));
        for key in KEYS.iter().filter(|key| key.group == *group) {
            let shown = keys::on_terminal(key.shown, theme.gate.ascii);
            rows.push(Row::Text(vec![
                ("  ".to_owned(), theme.text),
                (format::left(&shown, SHOWN, theme.gate) + " ", theme.accent),
                (key.help.to_owned(), theme.text),
            ]));
        }
    }
    rows
}

/// Two columns of rows as one, the right one starting after `width`.
fn beside(left: Vec<Row>, right: Vec<Row>, width: usize, theme: &Theme) -> Vec<Row> {
    let parts = |row: Option<&Row>| match row {
        Some(Row::Text(parts)) => parts.clone(),
        _ => Vec::new(),
    };
    (0..left.len().max(right.len()))
        .map(|at| {
            let mut line = parts(left.get(at));
            let taken: usize = line.iter().map(|(text, _)| theme.gate.columns(text)).sum();
            line.push((" ".repeat(width.saturating_sub(taken)), theme.text));
            line.extend(parts(right.get(at)));
            Row::Text(line)
        })
        .collect()
}
