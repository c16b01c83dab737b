//! The durations of requests as a histogram a route and server, each of the events since the one before (delta
//! temporality).

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Histogram, HistogramDataPoint, Metric, ResourceMetrics, ScopeMetrics, metric,
};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::request::{self, Server};
use crate::event::EventRef;

/// Seconds (semantic conventions, `http.client.request.duration`).
const BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// From when to when the events of a point arrived, in nanoseconds since the epoch; no two points of a series share any of
/// it, and the next begins where this one ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// The histograms of `events`, `None` if no request with a duration is among them.
pub(super) fn of<'a>(
    events: impl Iterator<Item = EventRef<'a>>,
    interval: Interval,
    resource: Option<Resource>,
    scope: Option<InstrumentationScope>,
) -> Option<ResourceMetrics> {
    let mut points: BTreeMap<(&str, Option<u16>, bool, Server), HistogramDataPoint> = BTreeMap::new();
    for event in events.filter(|event| !event.endpoint().is_empty()) {
        let Some(duration) = event.duration() else { continue };
        let server = request::server(event);
        let key = (event.endpoint(), event.status(), request::is_failed(event), server.clone());
        let point = points.entry(key).or_insert_with(|| empty(event, &server, interval));
        record(point, duration.as_ms() / 1_000.0);
    }
    if points.is_empty() {
        return None;
    }
    let data = Histogram {
        data_points: points.into_values().collect(),
        aggregation_temporality: AggregationTemporality::Delta.into(),
    };
    let metric = Metric {
        name: "http.client.request.duration".to_owned(),
        description: "Duration of requests as the page saw it.".to_owned(),
        unit: "s".to_owned(),
        data: Some(metric::Data::Histogram(data)),
        ..Metric::default()
    };
    let scope_metrics = vec![ScopeMetrics { scope, metrics: vec![metric], ..ScopeMetrics::default() }];
    Some(ResourceMetrics { resource, scope_metrics, ..ResourceMetrics::default() })
}

fn empty(event: EventRef<'_>, server: &Server, interval: Interval) -> HistogramDataPoint {
    HistogramDataPoint {
        attributes: request::attributes(event, server),
        start_time_unix_nano: interval.from,
        time_unix_nano: interval.to,
        sum: Some(0.0),
        bucket_counts: vec![0; BOUNDS.len() + 1],
        explicit_bounds: BOUNDS.to_vec(),
        ..HistogramDataPoint::default()
    }
}

/// An upper bound is of its bucket.
fn record(point: &mut HistogramDataPoint, seconds: f64) {
    let bucket = BOUNDS.partition_point(|bound| *bound < seconds);
    point.bucket_counts[bucket] += 1;
    point.count += 1;
    point.sum = point.sum.map(|sum| sum + seconds);
    point.min = Some(point.min.map_or(seconds, |min| min.min(seconds)));
    point.max = Some(point.max.map_or(seconds, |max| max.max(seconds)));
}
