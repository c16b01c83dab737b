//! The one line of `/healthz`: the books of the ingestor, which always balance.
//!
//! Called by `ingest::http`. The store answers through the same queue the events take, so the numbers are of one
//! moment: received = accepted + duplicate + rejected, accepted + own = live + evicted.

use serde_json::{Map, Value, json};

use super::door::Door;
use crate::alerts::Firing;
use crate::counters::Counter;
use crate::sinks::{DROPPED, Report};

/// The alerts that hold.
fn alerts(door: &Door) -> Value {
    let one = |firing: &Firing| {
        json!({
            "name": firing.rule.name,
            "key": firing.key,
            "since": firing.since.to_string(),
            "value": firing.value,
        })
    };
    door.intake.alerts().get().iter().map(one).collect()
}

/// Every sink by name: its events, which add up, and how it is doing.
fn sinks(door: &Door) -> Value {
    let one = |report: Report| {
        let dropped: Map<_, _> = DROPPED
            .iter()
            .zip(report.counts.dropped)
            .map(|((_, name), events)| ((*name).to_owned(), events.into()))
            .collect();
        let said = json!({
            "type": report.kind,
            "mode": report.mode,
            "state": report.state.name(),
            "offered": report.counts.offered,
            "delivered": report.counts.delivered,
            "queued": report.queued,
            "filtered": report.counts.filtered,
            "sampled": report.counts.sampled,
            "limited": report.counts.limited,
            "dropped": dropped,
            "errors": report.counts.errors,
            "p50_ms": report.p50,
            "p99_ms": report.p99,
            "last_error": report.last_error,
        });
        (report.name, said)
    };
    Value::Object(door.intake.sinks().reports().into_iter().map(one).collect())
}

/// The line, or `None` when the store has stopped.
pub(super) async fn line(door: &Door) -> Option<String> {
    let ledger = door.intake.store().ledger().await?;
    let mut line = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_s": door.uptime_s(),
        "connections": door.counters.connections(),
        "ingest": {
            "received": ledger.received(),
            "accepted": ledger.accepted,
            "duplicate": ledger.duplicate,
            "rejected": ledger.rejected,
        },
        "ring": { "live": ledger.live, "evicted": ledger.evicted, "own": ledger.own, "evicted_for": { "age": ledger.aged, "request": ledger.forgotten } },
        "sinks": sinks(door),
        "alerts": alerts(door),
        "scrubbed": { "redacted": ledger.redacted, "repaired": ledger.repaired, "truncated": ledger.cut },
    });
    for (counter, group, name) in Counter::ALL {
        let groups = line.as_object_mut().expect("made as an object just above");
        let group = groups.entry(group).or_insert_with(|| Value::Object(Map::new()));
        group[name] = door.counters.get(counter).into();
    }
    Some(line.to_string())
}
