//! Events from JSON for the tests of the filter, with the columns the contract says, and a context that fits.

use std::sync::Arc;

use super::{EvalContext, LoadKey};
use crate::event::{
    Chunk, ChunkBuilder, Family, Flags, Level, Mapped, Micros, Msg, Row, Severity, Timestamp, json,
};

/// The time of the sample's first event, 2024-01-01.
pub(super) const START_MS: i64 = 1_704_067_200_000;

/// The sample's last event is six seconds old, and the mark was set between its seventh and eighth.
pub(super) fn sample_context() -> EvalContext {
    let newest =
        ["", "sess-456", "sess-789"].map(|session| (LoadKey { tab: "".into(), session: session.into() }, 0));
    EvalContext {
        now: Timestamp(START_MS + 75_000),
        start: Timestamp(START_MS),
        mark: Some(Timestamp(START_MS + 60_500)),
        newest_loads: newest.into_iter().collect(),
        latest_session: Some("sess-789".into()),
        ..EvalContext::default()
    }
}

/// One row for each JSON object.
pub(super) fn chunk(events: &[&str]) -> Chunk {
    let mut builder = ChunkBuilder::new();
    for (seq, event) in (1..).zip(events) {
        push(&mut builder, seq, event);
    }
    builder.finish()
}

fn push(builder: &mut ChunkBuilder, seq: u64, event: &str) {
    let text = |path: &[&str]| json::path(event, path).and_then(json::text).unwrap_or_default().into_owned();
    let number = |key: &str| json::get(event, key).and_then(json::number);
    let (kind, subtype, url) = (text(&["type"]), text(&["subtype"]), text(&["url"]));
    let level = match kind.as_str() {
        "error" => Level::Error,
        "metric" => Level::Info,
        "analytics" => Level::Debug,
        _ => Level::parse(&text(&["level"])).unwrap_or(Level::Info),
    };
    let status = number("status").or_else(|| number("status-code"));
    let duration = ["duration-ms", "response-time-ms", "render-time-ms"].into_iter().find_map(number);
    let slow_ms = match subtype.as_str() {
        "api-call" | "network" => 500.0,
        "render" => 50.0,
        "long-task" => 200.0,
        _ => 1000.0,
    };
    let mut flags = Flags::NONE;
    for (holds, flag) in [
        (status.is_some_and(|status| status >= 400.0), Flags::FAILED),
        (duration.is_some_and(|ms| ms > slow_ms), Flags::SLOW),
        (json::get(event, "cached") == Some("true"), Flags::CACHED),
    ] {
        if holds {
            flags.set(flag);
        }
    }
    let user = [text(&["user-id"]), text(&["context", "user-id"])].into_iter().find(|user| !user.is_empty());
    let name = if subtype.is_empty() { &kind } else { &subtype };
    let inst = Timestamp(number("timestamp").map_or(START_MS, |ms| ms as i64));
    builder.push(&Row {
        seq,
        inst,
        recv: inst.plus_ms(20),
        level,
        severity: Severity::parse(&text(&["severity"])),
        family: Family::of_type(&kind),
        flags,
        id: &format!("browser/{name}"),
        ns: &format!("browser.{name}"),
        kind: &kind,
        subtype: &subtype,
        session: &text(&["session-id"]),
        user: &user.unwrap_or_default(),
        tab: &text(&["tab"]),
        load: number("load").map(|load| load as i32),
        endpoint: &endpoint(&text(&["method"]), &url),
        duration: duration.and_then(Micros::from_ms),
        status: status.map(|status| status as u16),
        group: number("group").map_or(0, |group| group as u64),
        source: "browser",
        msg: Msg::Text(&text(&["message"])),
        json: event,
    });
    if let Some(mapped) = Mapped::read(event) {
        builder.map_last(Arc::new(mapped));
    }
}

/// `GET host/route` with numbers as `:id`; nothing without a method.
fn endpoint(method: &str, url: &str) -> String {
    let Some(address) = url.split("://").nth(1).filter(|_| !method.is_empty()) else { return String::new() };
    let path = address.split('?').next().unwrap_or(address);
    let is_number = |segment: &&str| !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    let segments: Vec<&str> =
        path.split('/').map(|part| if is_number(&part) { ":id" } else { part }).collect();
    format!("{method} {}", segments.join("/"))
}
