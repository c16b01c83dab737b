//! The alerts that hold, on the health screen; nothing where none does.

use super::super::page::Row;
use super::super::table::clock;
use crate::alerts::Firing;
use crate::ui::format;
use crate::ui::view::View;

/// Alerts that are listed; how many more there are is said.
const MAX_LISTED: usize = 20;
/// Columns of the name of a rule.
const NAME: usize = 24;
/// Columns of what an alert is about.
const ABOUT: usize = 160;

/// Each with since when it holds, what was measured and what it is about.
pub(super) fn alerts(view: &View<'_>) -> Vec<Row> {
    let (theme, firing) = (view.theme, view.alerted.firing());
    if firing.is_empty() {
        return Vec::new();
    }
    let listed = || firing.iter().take(MAX_LISTED);
    let named = |firing: &Firing| theme.gate.plain_capped(&firing.rule.name, NAME);
    let widest = |texts: &mut dyn Iterator<Item = String>| {
        texts.map(|text| theme.gate.columns(&text)).max().unwrap_or(0)
    };
    let name_width = widest(&mut listed().map(named));
    let measured_width = widest(&mut listed().map(Firing::measured));
    let row = |firing: &Firing| {
        let about = match firing.group {
            // The example says more than a fingerprint.
            Some(_) => firing.example.clone(),
            None => [&*firing.key, &*firing.example].join(" ").trim().to_owned(),
        };
        Row::Text(vec![
            (format!("{}  ", clock(firing.since, view.zone)), theme.dim),
            (format!("! {}  ", format::left(&named(firing), name_width, theme.gate)), theme.worse),
            (format!("{}  ", format::right(&firing.measured(), measured_width, theme.gate)), theme.text),
            (theme.gate.plain_capped(&about, ABOUT), theme.text),
        ])
    };
    let more = firing.len().saturating_sub(MAX_LISTED);
    let mut rows = vec![Row::Rule("alerts: since when, which rule, what was measured, of what".to_owned())];
    rows.extend(listed().map(row));
    if more > 0 {
        rows.push(Row::text(format!("and {more} more"), theme.dim));
    }
    rows
}
