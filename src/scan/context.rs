//! What a filter needs to know beyond the event: the clock, page loads, live sessions, marks.
//!
//! Made by the scan from a snapshot each time a filter starts over. Page loads come from the sessions' table: the
//! client's hello numbers them.

use crate::event::Timestamp;
use crate::filter::{EvalContext, LoadKey};
use crate::store::Snapshot;

/// The parts that the snapshot does not know.
#[derive(Clone, Debug)]
pub struct Clock {
    /// When the console started: `since:start`.
    pub start: Timestamp,
    /// In which clock times are meant.
    pub zone: jiff::tz::TimeZone,
}

/// The context of `snapshot`.
pub fn context_of(snapshot: &Snapshot, clock: &Clock) -> EvalContext {
    let mut context = EvalContext {
        now: snapshot.at,
        start: clock.start,
        zone: clock.zone.clone(),
        live_sessions: snapshot.live.keys().map(|session| Box::from(&**session)).collect(),
        ..EvalContext::default()
    };
    for row in snapshot.tables.sessions.iter() {
        if let Some(load) = row.load {
            let key = LoadKey { tab: Box::from(&*row.tab), session: Box::from(&*row.session) };
            let newest = context.newest_loads.entry(key).or_insert(load);
            *newest = load.max(*newest);
        }
    }
    let latest = snapshot.tables.sessions.iter().filter(|row| !row.session.is_empty());
    context.latest_session =
        latest.max_by_key(|row| (row.loaded, row.first)).map(|row| Box::from(&*row.session));
    context
}
