//! What the signal stages stopped and changed, on the health screen; nothing where they are not set.

use super::super::page::Row;
use super::fact;
use crate::counters::Counter;
use crate::ui::format::{self, counted};
use crate::ui::view::View;

/// Every event went on or was stopped by one stage, so the numbers of the first row add up to all that came.
pub(super) fn signals(view: &View<'_>) -> Vec<Row> {
    let (theme, counters) = (view.theme, view.counters);
    let stopped = Counter::STAGES.map(|stage| (name_of(stage), counters.get(stage)));
    let changed = counters.get(Counter::SignalChanged);
    let sum: u64 = stopped.iter().map(|(_, events)| events).sum();
    if sum == 0 && changed == 0 {
        return Vec::new();
    }
    let passed = counters.get(Counter::SignalPassed);
    let all = format!(
        "{} = {} passed + {} stopped",
        counted(passed + sum, "event"),
        format::count(passed),
        format::count(sum)
    );
    let mut rows = vec![Row::Rule("signal stages".to_owned()), fact("stages", all, theme)];
    let stopped: Vec<String> = stopped
        .into_iter()
        .filter(|(_, events)| *events > 0)
        .map(|(name, events)| format!("{name} {}", format::count(events)))
        .collect();
    if !stopped.is_empty() {
        rows.push(fact("stopped by", stopped.join(&format!(" {} ", theme.glyphs.dot)), theme));
    }
    if changed > 0 {
        rows.push(fact("changed", counted(changed, "event"), theme));
    }
    rows
}

fn name_of(stage: Counter) -> String {
    let (.., name) = Counter::ALL[stage as usize];
    name.replace('_', " ")
}
