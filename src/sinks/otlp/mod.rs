//! The OpenTelemetry sink: OTLP over HTTP, as protobuf or JSON.
//!
//! A batch becomes up to three requests: every event a log record, requests and page loads spans, and the durations
//! of requests a histogram a route. What was taken by the other end is not sent again when another of the three must be.

mod answer;
mod ids;
mod logs;
mod metrics;
mod request;
mod spans;
mod value;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use serde::Serialize;

use self::metrics::Interval;
use self::spans::nanos;
use super::encode::unhurried;
use super::http::{Client, URL, host_of};
use super::piece::Batch;
use super::webhook::{HEADERS, reveal, secrets};
use super::{Build, Sink, SinkError, Written};
use crate::options::{Check, Key, Kind, Secret, Value, Values, key};
use crate::reach::Reach;

/// What may be sent, with the path of each (OTLP specification, OTLP/HTTP request).
const SIGNALS: [(&str, &str); 3] =
    [("logs", "/v1/logs"), ("traces", "/v1/traces"), ("metrics", "/v1/metrics")];
const SIGNAL: Check = Check {
    what: "\"logs\", \"traces\" or \"metrics\"",
    check: |text| Check::when(SIGNALS.iter().any(|(name, _)| *name == text)),
};

pub(super) const KEYS: &[Key] = &[
    key("endpoint", Kind::Text(URL), "\"http://127.0.0.1:4318\"", "where the collector is, without a path"),
    key("protocol", Kind::Word(&["protobuf", "json"]), "\"protobuf\"", "how it is written"),
    key("signals", Kind::List(SIGNAL), "[\"logs\", \"traces\", \"metrics\"]", "what is sent"),
    HEADERS,
    key(
        "resource",
        Kind::Map { name: Check::ANY, value: &Kind::Text(Check::ANY) },
        "{ \"service.name\" = \"browser\" }",
        "attributes of everything that is sent",
    ),
    key("batch-age", Kind::Span, "\"1s\"", "how long the first of a batch waits for more"),
];

#[derive(Clone, Debug)]
pub(super) struct Options {
    endpoint: String,
    is_json: bool,
    signals: [bool; 3],
    headers: Vec<(String, Secret)>,
    resource: Resource,
}

pub(super) fn build(values: &Values) -> Result<Build, String> {
    let signals = SIGNALS.map(|(name, _)| values.list("signals").iter().any(|signal| signal == name));
    if signals == [false; 3] {
        return Err("signals is empty: it names what is sent".to_owned());
    }
    let text = |(name, text): &(String, Value)| match text {
        Value::Text(text) => Some(value::text(name, text)),
        _ => None,
    };
    Ok(Build::of::<Otlp>(Options {
        endpoint: values.text("endpoint").trim_end_matches('/').to_owned(),
        is_json: values.text("protocol") == "json",
        signals,
        headers: secrets(values),
        resource: Resource {
            attributes: values.map("resource").iter().filter_map(text).collect(),
            ..Resource::default()
        },
    }))
}

pub(super) struct Otlp {
    client: Client,
    options: Options,
    headers: Vec<(String, String)>,
    /// Of the batch that begins with this event: which of the three were taken already.
    taken: (u64, [bool; 3]),
    /// Where the last histograms ended, in nanoseconds since the epoch; 0 before the first.
    until: u64,
}

impl Sink for Otlp {
    type Options = Options;

    async fn open(options: &Options) -> Result<Self, SinkError> {
        let headers = reveal(&options.headers)?;
        let client = Client::new(Reach::Anywhere);
        Ok(Self { client, options: options.clone(), headers, taken: (0, [false; 3]), until: 0 })
    }

    async fn write(&mut self, batch: &Batch) -> Result<Written, SinkError> {
        let first = batch.items().next().map_or(0, |item| item.event.seq());
        if self.taken.0 != first {
            self.taken = (first, [false; 3]);
        }
        let interval = self.interval(batch);
        let (mut trouble, mut is_taken) = (None, self.taken.1 != [false; 3]);
        for (signal, (name, _)) in SIGNALS.iter().enumerate() {
            if !self.options.signals[signal] || self.taken.1[signal] {
                continue;
            }
            let Some(body) = self.body(signal, batch, interval) else { continue };
            match self.send(signal, &body) {
                Ok(said) => {
                    is_taken = true;
                    trouble = said.or(trouble);
                }
                // Refused for good: the other two are sent all the same.
                Err(SinkError::Fatal { why }) => trouble = Some(why),
                Err(error) => return Err(error),
            }
            self.taken.1[signal] = true;
            if *name == "metrics" {
                self.until = interval.to;
            }
        }
        self.taken = (0, [false; 3]);
        match trouble {
            // Nothing of it was taken in any form.
            Some(why) if !is_taken => Err(SinkError::fatal(why)),
            trouble => Ok(Written { too_large: 0, trouble }),
        }
    }
}

impl Otlp {
    /// When the events of `batch` arrived, from the end of the interval before.
    fn interval(&self, batch: &Batch) -> Interval {
        let arrivals = || batch.items().map(|item| nanos(item.event.recv()));
        let first = arrivals().min().unwrap_or(0).saturating_sub(1);
        let from = if self.until == 0 { first } else { self.until };
        Interval { from, to: arrivals().max().unwrap_or(0).max(from + 1) }
    }

    /// What is sent of `batch` for a signal, `None` for nothing.
    fn body(&self, signal: usize, batch: &Batch, interval: Interval) -> Option<Vec<u8>> {
        let events = || unhurried(batch.items()).map(|item| item.event);
        let resource = Some(self.options.resource.clone());
        let scope = Some(InstrumentationScope {
            name: "taillight".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..InstrumentationScope::default()
        });
        match signal {
            0 => {
                let resource_logs = logs::of(events(), resource, scope)?;
                Some(self.encode(&ExportLogsServiceRequest { resource_logs: vec![resource_logs] }))
            }
            1 => {
                let resource_spans = spans::of(events(), resource, scope)?;
                Some(self.encode(&ExportTraceServiceRequest { resource_spans: vec![resource_spans] }))
            }
            _ => {
                let resource_metrics = metrics::of(events(), interval, resource, scope)?;
                Some(self.encode(&ExportMetricsServiceRequest { resource_metrics: vec![resource_metrics] }))
            }
        }
    }

    fn encode(&self, message: &(impl prost::Message + Serialize)) -> Vec<u8> {
        if self.options.is_json {
            serde_json::to_vec(message).expect("messages hold nothing that JSON has no word for")
        } else {
            message.encode_to_vec()
        }
    }

    /// Gives what the other end has to say of what it took.
    fn send(&self, signal: usize, body: &[u8]) -> Result<Option<String>, SinkError> {
        let (name, path) = SIGNALS[signal];
        let url = format!("{}{path}", self.options.endpoint);
        let content_type = if self.options.is_json { "application/json" } else { "application/x-protobuf" };
        let post = || self.client.post(&url, content_type, &self.headers, body);
        let answer = tokio::task::block_in_place(post)?;
        Ok(answer::complaint(&answer, self.options.is_json)
            .map(|said| format!("{} {said} ({name})", host_of(&url))))
    }
}
