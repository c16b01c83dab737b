//! Every event as a log record (OpenTelemetry logs data model).

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::ids;
use super::spans::nanos;
use super::value::{add, any, attribute, members, string};
use crate::event::{EventRef, Level};

/// The records of `events`, `None` for no events.
pub(super) fn of<'a>(
    events: impl Iterator<Item = EventRef<'a>>,
    resource: Option<Resource>,
    scope: Option<InstrumentationScope>,
) -> Option<ResourceLogs> {
    let log_records: Vec<_> = events.map(record).collect();
    if log_records.is_empty() {
        return None;
    }
    let scope_logs = vec![ScopeLogs { scope, log_records, ..ScopeLogs::default() }];
    Some(ResourceLogs { resource, scope_logs, ..ResourceLogs::default() })
}

fn record(event: EventRef<'_>) -> LogRecord {
    let mut data = String::new();
    event.write_data(&mut data);
    let mut attributes = members(&data, 0);
    add(&mut attributes, "session.id", event.session());
    add(&mut attributes, "user.id", event.user());
    add(&mut attributes, "taillight.ns", event.ns());
    add(&mut attributes, "taillight.endpoint", event.endpoint());
    if let Some(group) = event.group() {
        attributes.push(attribute("taillight.group", string(&format!("{group:016x}"))));
    }
    exception(event, &mut attributes);
    let ids = ids::sent(event).unwrap_or_default();
    LogRecord {
        time_unix_nano: nanos(event.inst()),
        observed_time_unix_nano: nanos(event.recv()),
        severity_number: severity(event.level()).into(),
        severity_text: event.level().name().to_uppercase(),
        body: Some(any(string(event.msg()))),
        attributes,
        trace_id: ids.trace,
        span_id: ids.span,
        event_name: event.id().to_owned(),
        ..LogRecord::default()
    }
}

/// The semantic conventions' names for an error.
fn exception(event: EventRef<'_>, attributes: &mut Vec<opentelemetry_proto::tonic::common::v1::KeyValue>) {
    if event.kind() != "error" {
        return;
    }
    let text = |name: &str| event.get(&[name]).and_then(crate::event::json::text);
    add(attributes, "exception.message", event.msg());
    add(attributes, "exception.type", text("name").as_deref().unwrap_or_default());
    add(attributes, "exception.stacktrace", text("stack").as_deref().unwrap_or_default());
}

fn severity(level: Level) -> SeverityNumber {
    match level {
        Level::Trace => SeverityNumber::Trace,
        Level::Debug => SeverityNumber::Debug,
        Level::Info => SeverityNumber::Info,
        Level::Report => SeverityNumber::Info2,
        Level::Warn => SeverityNumber::Warn,
        Level::Error => SeverityNumber::Error,
        Level::Fatal => SeverityNumber::Fatal,
    }
}
