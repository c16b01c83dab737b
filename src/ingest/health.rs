//! The one line of `/healthz`: the books of the ingestor, which always balance.
//!
//! Called by `ingest::http`. The store answers through the same queue the events take, so the numbers are of one
//! moment: received = accepted + duplicate + rejected, accepted + own = live + evicted.

use serde_json::{Map, Value, json};

use super::door::Door;
use crate::alerts::Firing;
use crate::counters::Counter;
use crate::sinks::{DROPPED, Measure, Report, STATISTICS, Statistic};

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
    let one = |report: Report| (report.name.clone(), Value::Object(sink(&report)));
    Value::Object(door.intake.sinks().reports().into_iter().map(one).collect())
}

fn sink(report: &Report) -> Map<String, Value> {
    let facts = [("type", report.kind), ("mode", report.mode), ("state", report.state.name())];
    let mut said: Map<_, _> = facts.into_iter().map(|(name, fact)| (name.to_owned(), fact.into())).collect();
    for Statistic { name, measure, .. } in STATISTICS {
        let (name, value) = match measure {
            Measure::Total(of) => (name.to_owned(), of(&report.counts).into()),
            Measure::Now(of) => (name.to_owned(), of(report).into()),
            Measure::Latency(_, of) => (format!("{name}_ms"), of(report).into()),
            Measure::ByReason(of) => {
                let reasons = DROPPED.iter().zip(of(&report.counts));
                let reasons = reasons.map(|((_, reason), events)| ((*reason).to_owned(), (*events).into()));
                (name.to_owned(), Value::Object(reasons.collect()))
            }
        };
        said.insert(name, value);
    }
    said.insert("last_error".to_owned(), report.last_error.as_deref().into());
    said
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
        "scrubbed": { "redacted": ledger.redacted, "repaired": ledger.repaired, "truncated": ledger.cut, "flattened": ledger.flattened },
    });
    let beyond = ledger.beyond.all().map(|(name, count, _)| (name.to_owned(), Value::from(count)));
    line["tables"] = Value::Object(beyond.into_iter().collect());
    for (counter, group, name) in Counter::ALL {
        let groups = line.as_object_mut().expect("made as an object just above");
        let group = groups.entry(group).or_insert_with(|| Value::Object(Map::new()));
        group[name] = door.counters.get(counter).into();
    }
    Some(line.to_string())
}
