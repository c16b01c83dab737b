//! Rows of a person, given out as the lines of an export.
//!
//! Called by `postgres` when somebody asks for their data. Keys come in the order of a line (CONTRACT: the JSONL line).

use std::fmt::Write as _;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use serde_json::Value;
use tokio::time::timeout;
use tokio_postgres::{Client, Row};

use super::super::Visit;
use super::message;
use crate::event::{Micros, Timestamp, gate};

/// Longest wait for the next row.
const WITHIN: Duration = Duration::from_secs(30);

/// Members of a line that are text, with their columns; between them stand numbers.
const FIRST: [(&str, &str); 6] = [
    ("level", "level"),
    ("id", "signal_id"),
    ("msg", "message"),
    ("session", "session_id"),
    ("user", "user_id"),
    ("tab", "tab"),
];
const SECOND: [(&str, &str); 1] = [("endpoint", "endpoint")];
const THIRD: [(&str, &str); 2] = [("group", "error_group"), ("source", "source")];

/// Gives `visit` a line for each row whose `column` is `name`.
pub(super) async fn read(
    client: &Client,
    table: &str,
    column: &str,
    name: &str,
    visit: &mut Visit<'_>,
) -> Result<(), String> {
    let texts: Vec<_> = FIRST.iter().chain(&SECOND).chain(&THIRD).map(|(_, column)| *column).collect();
    // Data that was no JSON for PostgreSQL is kept as a text.
    let text = format!(
        "SELECT round(extract(epoch FROM inst) * 1000)::bigint AS inst, round(extract(epoch FROM recv) * 1000)::bigint AS recv, \
         seq, load, status, duration_ms, CASE jsonb_typeof(data) WHEN 'string' THEN data #>> '{{}}' ELSE data::text END AS data, \
         {} FROM {table} WHERE {column} = $1",
        texts.join(", ")
    );
    let late = |_| format!("{table}: no answer within {} s", WITHIN.as_secs());
    let rows = timeout(WITHIN, client.query_raw(&text, [name])).await.map_err(late)?;
    let mut rows = std::pin::pin!(rows.map_err(|error| message(&error))?);
    while let Some(row) =
        timeout(WITHIN, rows.try_next()).await.map_err(late)?.map_err(|error| message(&error))?
    {
        let line = line(&row).map_err(|error| message(&error))?;
        visit(&line).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn line(row: &Row) -> Result<String, tokio_postgres::Error> {
    let time = |column| -> Result<Timestamp, tokio_postgres::Error> {
        Ok(Timestamp(row.try_get::<_, Option<i64>>(column)?.unwrap_or_default()))
    };
    let mut out = format!("{{\"inst\":\"{}\"", time("inst")?);
    texts(row, &FIRST, &mut out)?;
    number(row, "load", &mut out)?;
    texts(row, &SECOND, &mut out)?;
    if let Some(duration) = row.try_get::<_, Option<f64>>("duration_ms")?.and_then(Micros::from_ms) {
        let _ = write!(out, ",\"duration\":{duration}");
    }
    number(row, "status", &mut out)?;
    texts(row, &THIRD, &mut out)?;
    number(row, "seq", &mut out)?;
    let _ = write!(out, ",\"recv\":\"{}\",\"data\":", time("recv")?);
    let data: Option<String> = row.try_get("data")?;
    gate::push_json_escaped(&mut out, data.as_deref().filter(|data| data.starts_with('{')).unwrap_or("{}"));
    out.push('}');
    Ok(out)
}

fn texts(row: &Row, members: &[(&str, &str)], out: &mut String) -> Result<(), tokio_postgres::Error> {
    for (member, column) in members {
        if let Some(text) = row.try_get::<_, Option<String>>(*column)? {
            let _ = write!(out, ",\"{member}\":");
            gate::push_json_escaped(out, &Value::from(text).to_string());
        }
    }
    Ok(())
}

fn number(row: &Row, name: &str, out: &mut String) -> Result<(), tokio_postgres::Error> {
    if let Some(number) = row.try_get::<_, Option<i64>>(name)? {
        let _ = write!(out, ",\"{name}\":{number}");
    }
    Ok(())
}
