//! The alerts that hold, on the health screen; nothing where none does.

use super::super::page::Row;
use super::super::table::clock;
use crate::alerts::Firing;
use crate::ui::view::View;

/// Alerts that are listed; how many more there are is said.
const MAX_LISTED: usize = 20;
/// Columns of what an alert is about.
const ABOUT: usize = 160;

/// Each with since when it holds, what was measured and what it is about.
pub(super) fn alerts(view: &View<'_>) -> Vec<Row> {
    let (theme, firing) = (view.theme, view.alerted.firing());
    if firing.is_empty() {
        return Vec::new();
    }
    let row = |firing: &Firing| {
        let about = match firing.group {
            // The example says more than a fingerprint.
            Some(_) => firing.example.clone(),
            None => [&*firing.key, &*firing.example].join(" ").trim().to_owned(),
        };
        Row::Text(vec![
            (format!("{} ", clock(firing.since, view.zone)), theme.dim),
            (format!("! {} ", theme.gate.plain(&firing.rule.name)), theme.worse),
            (format!("{} ", firing.measured()), theme.text),
            (theme.gate.plain_capped(&about, ABOUT), theme.text),
        ])
    };
    let more = firing.len().saturating_sub(MAX_LISTED);
    let mut rows = vec![Row::Rule("alerts".to_owned())];
    rows.extend(firing.iter().take(MAX_LISTED).map(row));
    if more > 0 {
        rows.push(Row::text(format!("and {more} more"), theme.dim));
    }
    rows
}
