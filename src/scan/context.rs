//! What a filter needs to know beyond the event: the clock, page loads, live sessions, marks.
//!
//! Made by the scan from a snapshot each time a filter starts over, and by the commands from what they have read.

use std::sync::Arc;

use super::marks::Marks;
use crate::event::Timestamp;
use crate::filter::{EvalContext, LoadKey};
use crate::published::Published;
use crate::stats::{BreakKind, Loads};
use crate::store::Snapshot;

/// The parts that the snapshot does not know.
#[derive(Clone, Debug)]
pub struct Clock {
    /// When the console started: `since:start`.
    pub start: Timestamp,
    /// In which clock times are meant.
    pub zone: jiff::tz::TimeZone,
    /// What the user marked so far.
    pub marks: Arc<Published<Marks>>,
}

/// The context of `snapshot`.
pub fn context_of(snapshot: &Snapshot, clock: &Clock) -> EvalContext {
    let mut context = context_with(snapshot, &clock.marks.get(), &clock.zone);
    context.start = clock.start;
    context
}

/// The same of a console that started with the first event.
pub fn context_with(snapshot: &Snapshot, marks: &Marks, zone: &jiff::tz::TimeZone) -> EvalContext {
    let mut context = EvalContext {
        mark: marks.mark,
        pinned: marks.pinned.clone(),
        now: snapshot.at,
        zone: zone.clone(),
        live_sessions: snapshot.live.keys().map(|session| Box::from(&**session)).collect(),
        ..EvalContext::default()
    };
    learn_loads(&mut context, &snapshot.loads);
    context
}

/// Sets what `context` says of page loads and hot updates to what is known of them.
pub fn learn_loads(context: &mut EvalContext, loads: &Loads) {
    let key = |session: &str, tab: &str| LoadKey { tab: tab.into(), session: session.into() };
    context.newest_loads = loads.numbered().map(|(session, tab, load)| (key(session, tab), load)).collect();
    context.load_starts =
        loads.starts().map(|(session, tab, starts)| (key(session, tab), starts.to_vec())).collect();
    // What is of no tab, as an alert, came in the load that any tab was last loaded in.
    let of_any = || {
        let mut began: Vec<_> =
            loads.breaks().iter().filter(|one| one.kind != BreakKind::HotUpdate).map(|one| one.at).collect();
        began.sort_unstable();
        began
    };
    context.load_starts.entry(LoadKey::default()).or_insert_with(of_any);
    context.latest_session = loads.latest_session().map(Box::from);
    context.new_groups = loads.new_groups().collect();
    context.hmr = loads.hot_update();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{ChunkBuilder, Row};

    #[test]
    fn what_is_of_no_tab_came_in_the_load_that_any_tab_was_last_loaded_in() {
        let at = |ms, tab, subtype| Row {
            inst: Timestamp(ms),
            recv: Timestamp(ms),
            session: "s",
            tab,
            subtype,
            ..Row::default()
        };
        let mut builder = ChunkBuilder::new();
        for row in [at(60_000, "b", "page-load"), at(10_000, "a", "page-load"), at(70_000, "a", "hot-update")]
        {
            builder.push(&row);
        }
        let (mut loads, mut context) = (Loads::default(), EvalContext::default());
        builder.finish().events().for_each(|event| loads.add(event));
        learn_loads(&mut context, &loads);
        assert_eq!(context.load_starts[&LoadKey::default()], [Timestamp(10_000), Timestamp(60_000)]);
    }
}
