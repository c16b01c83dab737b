//! The JSON object of `stats --json` (CONTRACT: command line): a form that scripts rely on.
//!
//! Called by `stats`. Durations are milliseconds, times RFC 3339; what there is none of is null.

use serde::{Serialize, Serializer};

use crate::event::{Level, Micros, Timestamp, gate};
use crate::stats::{EndpointRow, GroupRow, SessionRow, TableRows};

/// The group that stands for all that did not fit into the table.
const OTHER_GROUP: u64 = u64::MAX;

#[derive(Serialize)]
struct Report<'a> {
    events: u64,
    levels: Counts<'a>,
    ids: Counts<'a>,
    endpoints: Vec<Endpoint<'a>>,
    groups: Vec<Group<'a>>,
    sessions: Vec<Session<'a>>,
    time: Span,
}

/// An object of numbers in an order that means something.
struct Counts<'a>(Vec<(&'a str, u64)>);

impl Serialize for Counts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// Milliseconds, without `.0` where they are whole.
struct Ms(Micros);

impl Serialize for Ms {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.0 {
            micros if micros.is_multiple_of(1000) => serializer.serialize_u64(micros / 1000),
            _ => serializer.serialize_f64(self.0.as_ms()),
        }
    }
}

#[derive(Serialize)]
struct Endpoint<'a> {
    endpoint: &'a str,
    count: u64,
    errors: u64,
    p50: Option<Ms>,
    p90: Option<Ms>,
    p95: Option<Ms>,
    p99: Option<Ms>,
    p999: Option<Ms>,
    max: Option<Ms>,
    mean: Option<Ms>,
}

#[derive(Serialize)]
struct Group<'a> {
    group: String,
    message: &'a str,
    count: u64,
    sessions: usize,
    first: String,
    last: String,
}

#[derive(Serialize)]
struct Session<'a> {
    session: Option<&'a str>,
    user: Option<&'a str>,
    events: u64,
    errors: u64,
    first: String,
    last: String,
}

#[derive(Serialize)]
struct Span {
    first: Option<String>,
    last: Option<String>,
}

/// The object on one line, with its line break.
pub(super) fn json(tables: &TableRows) -> serde_json::Result<String> {
    let report = Report {
        events: tables.events,
        levels: Counts(levels(tables)),
        ids: Counts(tables.ids.iter().map(|(id, count)| (&**id, *count)).collect()),
        endpoints: tables.endpoints.iter().map(|row| endpoint(row)).collect(),
        groups: tables.groups.iter().map(group).collect(),
        sessions: tables.sessions.iter().map(session).collect(),
        time: span(tables.span),
    };
    let text = serde_json::to_string(&report)?;
    let mut out = String::with_capacity(text.len() + 1);
    gate::push_json_escaped(&mut out, &text);
    out.push('\n');
    Ok(out)
}

/// The levels that occurred, by count, largest first, then by name.
pub(super) fn levels(tables: &TableRows) -> Vec<(&'static str, u64)> {
    let all = Level::ALL.iter().map(|level| (level.name(), tables.levels[*level as usize]));
    let mut levels: Vec<_> = all.filter(|(_, count)| *count > 0).collect();
    levels.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    levels
}

/// The group's name: its fingerprint in 16 digits of hex.
pub(super) fn group_name(row: &GroupRow) -> String {
    if row.group == OTHER_GROUP { "(other)".to_owned() } else { format!("{:016x}", row.group) }
}

fn endpoint(row: &EndpointRow) -> Endpoint<'_> {
    let latency = &row.latency;
    let ms = |span| (latency.count > 0).then_some(Ms(span));
    Endpoint {
        endpoint: &row.name,
        count: row.count,
        errors: row.errors,
        p50: ms(latency.p50),
        p90: ms(latency.p90),
        p95: ms(latency.p95),
        p99: ms(latency.p99),
        p999: ms(latency.p999),
        max: ms(latency.max),
        mean: ms(latency.mean),
    }
}

fn group(row: &GroupRow) -> Group<'_> {
    Group {
        group: group_name(row),
        message: &row.message,
        count: row.count,
        sessions: row.sessions,
        first: row.first.to_string(),
        last: row.last.to_string(),
    }
}

fn session(row: &SessionRow) -> Session<'_> {
    Session {
        session: Some(&*row.session).filter(|session| !session.is_empty()),
        user: Some(&*row.user).filter(|user| !user.is_empty()),
        events: row.events,
        errors: row.errors,
        first: row.first.to_string(),
        last: row.last.to_string(),
    }
}

fn span(span: Option<(Timestamp, Timestamp)>) -> Span {
    Span { first: span.map(|(first, _)| first.to_string()), last: span.map(|(_, last)| last.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_still_an_object_with_every_key() {
        let empty = json(&TableRows::default()).expect("encodes");
        assert_eq!(
            empty,
            "{\"events\":0,\"levels\":{},\"ids\":{},\"endpoints\":[],\"groups\":[],\"sessions\":[],\
             \"time\":{\"first\":null,\"last\":null}}\n"
        );
    }

    #[test]
    fn durations_are_milliseconds_without_needless_decimals() {
        for (micros, text) in [(0, "0"), (234_000, "234"), (61_500, "61.5"), (1, "0.001")] {
            assert_eq!(serde_json::to_string(&Ms(Micros(micros))).expect("encodes"), text);
        }
    }

    #[test]
    fn levels_come_by_count_and_absent_ones_not_at_all() {
        let mut tables = TableRows::default();
        for (level, count) in [(Level::Info, 2), (Level::Error, 5), (Level::Debug, 2)] {
            tables.levels[level as usize] = count;
        }
        assert_eq!(levels(&tables), [("error", 5), ("debug", 2), ("info", 2)]);
    }
}
