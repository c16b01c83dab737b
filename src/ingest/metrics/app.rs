//! What the pages did: errors, requests, page loads, web vitals, levels.
//!
//! Called by `metrics` with the tables over everything that arrived. Each family has its share of the series that
//! there may be (SECURITY: limits); what is met after them is counted as `(other)`.

use super::OTHER;
use super::exposition::{Exposition, Histogram, Histograms, Kind, Sums};
use crate::event::{Level, Micros};
use crate::stats::{EndpointRow, STEPS, TableRows, Vital};

/// Endpoints with series of their own: sixteen each.
const MAX_ENDPOINTS: usize = 64;

/// Writes all families; gives how many events are in series called `(other)`.
pub(super) fn write(tables: &TableRows, out: &mut Exposition) -> u64 {
    let mut levels = Sums::default();
    for (level, count) in Level::ALL.iter().zip(tables.levels) {
        levels.add(&[("level", level.name())], count);
    }
    out.by("app_events_total", Kind::Counter, "Events by level.", &levels);
    let other = errors(tables, out) + requests(tables, out) + page_loads(tables, out);
    vitals(tables, out);
    other
}

fn errors(tables: &TableRows, out: &mut Exposition) -> u64 {
    let (mut sums, mut other) = (Sums::default(), 0);
    for row in &tables.totals.errors {
        let kind = if row.kind.is_empty() { "none" } else { &row.kind };
        let severity = row.severity.map_or("none", |severity| severity.name());
        sums.add(&[("type", kind), ("severity", severity)], row.count);
        other += if kind == OTHER { row.count } else { 0 };
    }
    out.by("app_errors_total", Kind::Counter, "Errors of the pages by subtype and severity.", &sums);
    other
}

fn requests(tables: &TableRows, out: &mut Exposition) -> u64 {
    let (mut durations, mut failed, mut other) = (Histograms::default(), Sums::default(), 0);
    for row in tables.endpoints.iter() {
        let is_other = row.nth >= MAX_ENDPOINTS || &*row.name == OTHER;
        let (method, endpoint) = row.name.split_once(' ').filter(|_| !is_other).unwrap_or((OTHER, OTHER));
        let labels = [("endpoint", endpoint), ("method", method)];
        durations.add(&labels, &histogram(row));
        failed.add(&labels, row.errors);
        other += if is_other { row.count } else { 0 };
    }
    let bounds = STEPS.map(seconds);
    let help = "Durations of requests by host and route, and method; those without a duration are not in it.";
    out.histogram("app_api_duration_seconds", help, &bounds, &durations);
    let help = "Answers with status 400 or more, and requests without an answer.";
    out.by("app_api_errors_total", Kind::Counter, help, &failed);
    other
}

fn histogram(row: &EndpointRow) -> Histogram {
    Histogram { upto: row.spread.steps.to_vec(), count: row.latency.count, seconds: seconds(row.latency.sum) }
}

fn page_loads(tables: &TableRows, out: &mut Exposition) -> u64 {
    let (mut sums, mut other) = (Sums::default(), 0);
    for (route, count) in &tables.totals.page_loads {
        sums.add(&[("url", route)], *count);
        other += if &**route == OTHER { *count } else { 0 };
    }
    out.by("app_page_loads_total", Kind::Counter, "Page loads by route.", &sums);
    other
}

fn vitals(tables: &TableRows, out: &mut Exposition) {
    let rows = || tables.vitals.vitals.iter().filter(|row| row.loads > 0);
    let labels = |vital: Vital| vec![("vital", vital.name())];
    let timed = rows().filter(|row| row.vital != Vital::Cls);
    let timed = timed.map(|row| (labels(row.vital), Some(row.p75 / 1_000.0)));
    let help = "Three in four of the newest page loads were not slower.";
    out.measured("app_web_vital_p75_seconds", Kind::Gauge, help, timed);
    let shifts = rows().filter(|row| row.vital == Vital::Cls);
    let shifts = shifts.map(|row| (labels(row.vital), Some(row.p75)));
    let help = "Three in four of the newest page loads did not shift more.";
    out.measured("app_web_vital_p75_score", Kind::Gauge, help, shifts);
    let mut loads = Sums::default();
    rows().for_each(|row| loads.add(&labels(row.vital), row.loads as u64));
    out.by("app_web_vital_loads", Kind::Gauge, "Newest page loads that percentiles are taken over.", &loads);
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 285 years")]
fn seconds(span: Micros) -> f64 {
    span.0 as f64 / 1e6
}
