//! How taillight itself is: the ledger, the ring, the doors and the sinks.
//!
//! Called by `metrics`. The sums of the ledger and of each sink hold between the numbers of one page.

use super::exposition::{Exposition, Kind, Sums};
use crate::alerts::Firing;
use crate::counters::{Counter, Counters};
use crate::sinks::{DROPPED, LATENCY, Measure, Report, STATISTICS, Statistic};
use crate::store::Snapshot;

/// Groups of counters that are one family by reason; others are a family each.
const BY_REASON: [(&str, &str, &str); 2] = [
    ("refused", "taillight_refused_total", "Requests and connections that were not let in."),
    ("closed", "taillight_closed_total", "Connections and requests that were ended."),
];

pub(super) fn write_program(uptime_s: u64, out: &mut Exposition) {
    let mut build = Sums::default();
    build.add(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    out.by("taillight_build_info", Kind::Gauge, "The version that runs.", &build);
    out.one("taillight_uptime_seconds", Kind::Gauge, "Since the start.", uptime_s);
}

/// received = accepted + duplicate + rejected, and accepted + own = live + evicted.
pub(super) fn write_ledger(snapshot: &Snapshot, out: &mut Exposition) {
    let ledger = &snapshot.ledger;
    let counts = [
        ("taillight_events_received_total", "Events that were offered.", ledger.received()),
        ("taillight_events_accepted_total", "Events that were taken.", ledger.accepted),
        ("taillight_events_duplicate_total", "Events that had come before.", ledger.duplicate),
        ("taillight_events_own_total", "Events that taillight made itself.", ledger.own),
        ("taillight_events_evicted_total", "Events that made room for newer ones.", ledger.evicted),
        ("taillight_events_aged_total", "Evicted events that were too old.", ledger.aged),
        ("taillight_events_forgotten_total", "Evicted events that were to be forgotten.", ledger.forgotten),
        ("taillight_values_redacted_total", "Values that were made unreadable.", ledger.redacted),
        ("taillight_events_repaired_total", "Events with broken text that was mended.", ledger.repaired),
        ("taillight_events_cut_total", "Events whose longest texts were cut.", ledger.cut),
        (
            "taillight_events_flattened_total",
            "Events kept whole of which a part is too deep or too wide to be laid out.",
            ledger.flattened,
        ),
    ];
    for (name, help, count) in counts {
        out.one(name, Kind::Counter, help, count);
    }
    for (name, count, help) in ledger.beyond.all() {
        out.one(&format!("taillight_{name}_total"), Kind::Counter, help, count);
    }
    let mut rejected = Sums::default();
    for (reason, count) in &ledger.rejected {
        rejected.add(&[("reason", reason)], *count);
    }
    out.by("taillight_events_rejected_total", Kind::Counter, "Events that could not be read.", &rejected);
    out.one("taillight_ring_events", Kind::Gauge, "Events in memory.", ledger.live);
    out.one("taillight_ring_bytes", Kind::Gauge, "Accounted bytes of the events in memory.", snapshot.bytes);
}

pub(super) fn write_doors(counters: &Counters, out: &mut Exposition) {
    out.one("taillight_connections", Kind::Gauge, "Open WebSockets.", counters.connections());
    for (group, family, help) in BY_REASON {
        let mut sums = Sums::default();
        for (counter, _, name) in Counter::ALL.into_iter().filter(|(_, own, _)| *own == group) {
            sums.add(&[("reason", name)], counters.get(counter));
        }
        out.by(family, Kind::Counter, help, &sums);
    }
    for (counter, group, name) in Counter::ALL {
        if BY_REASON.iter().all(|(known, ..)| *known != group) {
            let help = format!("{group}: {}.", name.replace('_', " "));
            out.one(&format!("taillight_{group}_{name}_total"), Kind::Counter, &help, counters.get(counter));
        }
    }
}

/// offered = delivered + queued + filtered + sampled + limited + dropped, for each sink.
pub(super) fn write_sinks(reports: &[Report], out: &mut Exposition) {
    for Statistic { name, help, measure } in STATISTICS {
        let (mut sums, total) = (Sums::default(), format!("taillight_sink_{name}_total"));
        match measure {
            Measure::Total(of) => {
                reports.iter().for_each(|report| sums.add(&[("sink", &report.name)], of(&report.counts)));
                out.by(&total, Kind::Counter, help, &sums);
            }
            Measure::ByReason(of) => {
                for report in reports {
                    for ((_, reason), events) in DROPPED.iter().zip(of(&report.counts)) {
                        sums.add(&[("sink", &report.name), ("reason", reason)], *events);
                    }
                }
                out.by(&total, Kind::Counter, help, &sums);
            }
            Measure::Now(of) => {
                reports.iter().for_each(|report| sums.add(&[("sink", &report.name)], of(report)));
                out.by(&format!("taillight_sink_{name}_events"), Kind::Gauge, help, &sums);
            }
            // Of one family, which is below.
            Measure::Latency(..) => {}
        }
    }
    let mut states = Sums::default();
    for report in reports {
        let labels = [
            ("sink", report.name.as_str()),
            ("type", report.kind),
            ("mode", report.mode),
            ("state", report.state.name()),
        ];
        states.add(&labels, 1);
    }
    out.by("taillight_sink_state", Kind::Gauge, "1 for the state the sink is in.", &states);
    let quantiles = STATISTICS.map(|statistic| match statistic.measure {
        Measure::Latency(quantile, of) => Some((quantile.to_string(), of)),
        _ => None,
    });
    let measured = reports.iter().flat_map(|report| {
        quantiles.iter().flatten().map(|(quantile, of)| {
            let labels = vec![("sink", report.name.as_str()), ("quantile", quantile.as_str())];
            (labels, of(report).map(|ms| ms / 1_000.0))
        })
    });
    out.measured("taillight_sink_latency_seconds", Kind::Summary, LATENCY, measured);
}

/// How often each alert holds now: once for each key it is counted apart by.
pub(super) fn write_alerts(names: &[String], board: &[Firing], out: &mut Exposition) {
    let mut sums = Sums::default();
    names.iter().for_each(|name| sums.add(&[("alert", name)], 0));
    board.iter().for_each(|firing| sums.add(&[("alert", &firing.rule.name)], 1));
    let help = "What holds of the alert now: everything together, or each group, endpoint, session or id.";
    out.by("taillight_alerts_firing", Kind::Gauge, help, &sums);
}

pub(super) fn write_other(events: u64, out: &mut Exposition) {
    let help = "Events counted in series called (other), for the number of series is bounded.";
    out.one("taillight_series_other_total", Kind::Counter, help, events);
}
