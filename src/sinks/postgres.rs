//! The PostgreSQL sink: a row for each event.
//!
//! The table is made, or given the columns it lacks, when a connection opens. A batch is one statement, so that all of
//! it is stored or none; `(run, seq)` is unique, so that a batch sent again after a broken connection is stored once.
//! Text from events is only ever a parameter.

mod columns;
mod lines;
mod tls;

use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::piece::{Batch, Item};
use super::{Build, Removed, Sink, SinkError, Visit, Written};
use crate::event::Person;
use crate::options::{Check, Key, Kind, Secret, Values, key};
use columns::{COLUMNS, Cells, Column, clean_json};

const TABLE: Check = Check {
    what: "the name of a table such as \"taillight_events\" or \"logs.events\"",
    check: |text| {
        let is_name = |name: &str| {
            let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            starts && name.len() <= 63 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let parts: Vec<_> = text.split('.').collect();
        Check::when(parts.len() <= 2 && parts.iter().all(|part| is_name(part)))
    },
};

pub(super) const KEYS: &[Key] = &[
    key(
        "url",
        Kind::Secret,
        "",
        "where the address is, such as postgres://user@localhost/logs?sslmode=require",
    ),
    key(
        "root-certificate",
        Kind::Text(Check::ANY),
        "",
        "a PEM file with the authorities that may vouch for the database; where it is not set that of sslrootcert in the address, \
         else the public ones",
    ),
    key("table", Kind::Text(TABLE), "\"taillight_events\"", "the table, which is made if it is not there"),
    key("batch-age", Kind::Span, "\"500ms\"", "how long the first of a batch waits for more"),
];

#[derive(Clone, Debug)]
pub(super) struct Options {
    url: Secret,
    table: String,
    root_certificate: String,
}

pub(super) fn build(values: &Values) -> Result<Build, String> {
    let url = values.secret("url").cloned();
    let url = url.ok_or("url is missing, such as url = \"env:DATABASE_URL\"")?;
    Ok(Build::of::<Postgres>(Options {
        url,
        table: values.text("table").to_owned(),
        root_certificate: values.text("root-certificate").to_owned(),
    }))
}

pub(super) struct Postgres {
    options: Options,
    /// Which run of taillight numbered the events.
    run: i64,
    /// Gone once it broke.
    client: Option<Client>,
}

impl Sink for Postgres {
    type Options = Options;

    async fn open(options: &Options) -> Result<Self, SinkError> {
        let run = getrandom::u64().map_err(|error| SinkError::retry(error.to_string()))?;
        let client = connect(options).await?;
        Ok(Self {
            options: options.clone(),
            run: i64::from_ne_bytes(run.to_ne_bytes()),
            client: Some(client),
        })
    }

    async fn write(&mut self, batch: &Batch) -> Result<Written, SinkError> {
        let client = match self.client.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => connect(&self.options).await?,
        };
        let items: Vec<_> = batch.items().collect();
        let written = match self.insert(&client, &items).await {
            Ok(()) => Ok(Written::default()),
            Err(error) if is_about_data(&error) => self.one_by_one(&client, &items).await,
            Err(error) => Err(SinkError::retry(message(&error))),
        };
        if !client.is_closed() {
            self.client = Some(client);
        }
        written
    }

    async fn forget(options: &Options, who: &Person) -> Result<Option<Removed>, String> {
        let client = connect(options).await.map_err(|error| error.to_string())?;
        let (column, name) = place_of(who);
        let text = format!("DELETE FROM {} WHERE {column} = $1", options.table);
        let rows = client.execute(&text, &[&name]).await.map_err(|error| message(&error))?;
        Ok(Some(vec![(options.table.clone(), rows)]))
    }

    async fn lines(options: &Options, who: &Person, visit: &mut Visit<'_>) -> Result<(), String> {
        let client = connect(options).await.map_err(|error| error.to_string())?;
        let (column, name) = place_of(who);
        lines::read(&client, &options.table, column, &name, visit).await
    }
}

impl Postgres {
    async fn insert(&self, client: &Client, items: &[Item<'_>]) -> Result<(), tokio_postgres::Error> {
        let cells: Vec<Cells> = COLUMNS.iter().map(|column| (column.cells)(items)).collect();
        let runs = vec![self.run; items.len()];
        let mut parameters: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = vec![&runs];
        parameters.extend(cells.iter().map(Cells::parameter));
        client.execute(&insert_text(&self.options.table), &parameters).await.map(drop)
    }

    /// Something in the batch is not liked: each event by itself, so that it costs nobody else, and its data as the
    /// text that it is.
    async fn one_by_one(&self, client: &Client, items: &[Item<'_>]) -> Result<Written, SinkError> {
        let mut trouble = None;
        for (done, item) in items.iter().enumerate() {
            let one = std::slice::from_ref(item);
            match self.insert(client, one).await {
                Ok(()) => continue,
                Err(error) if is_about_data(&error) => trouble = Some(message(&error)),
                Err(error) => {
                    return Err(SinkError::Retry { why: message(&error), after: None, done, too_large: 0 });
                }
            }
            let text = insert_as_text(&self.options.table);
            let mut data = String::new();
            item.event.write_data(&mut data);
            let seq = i64::try_from(item.event.seq()).unwrap_or(i64::MAX);
            let data = clean_json(&data);
            let at = item.event.inst().0;
            if let Err(error) =
                client.execute(&text, &[&self.run, &seq, &at, &item.event.level().name(), &data]).await
                && !is_about_data(&error)
            {
                return Err(SinkError::Retry { why: message(&error), after: None, done, too_large: 0 });
            }
        }
        Ok(Written { too_large: 0, trouble })
    }
}

/// The column with the names of people such as this one, and the name as it stands there.
fn place_of(who: &Person) -> (&'static str, String) {
    let column = match who {
        Person::User(_) => "user_id",
        Person::Session(_) => "session_id",
    };
    // Stored as it was cleaned.
    (column, who.name().replace('\0', "\u{fffd}"))
}

/// Connects and sees to the table.
async fn connect(options: &Options) -> Result<Client, SinkError> {
    let url = options.url.reveal().map_err(SinkError::retry)?;
    let tls::Address { mut config, root } = tls::read(&url).map_err(SinkError::retry)?;
    let root = if options.root_certificate.is_empty() {
        root.unwrap_or_default()
    } else {
        options.root_certificate.clone()
    };
    let connector = tls::connector(&root).map_err(SinkError::retry)?;
    config.application_name("taillight").connect_timeout(Duration::from_secs(5));
    let (client, connection) = config.connect(connector).await.map_err(|error| {
        let advice = tls::advice(&error).map(|advice| format!("; {advice}")).unwrap_or_default();
        SinkError::retry(format!("cannot connect: {}{advice}", message(&error)))
    })?;
    // Ends with the client.
    tokio::spawn(connection);
    let made = client.batch_execute(&table_text(&options.table)).await;
    made.map_err(|error| SinkError::retry(format!("table {}: {}", options.table, message(&error))))?;
    Ok(client)
}

/// Makes the table, or adds what an older one lacks; nothing is ever taken away.
fn table_text(table: &str) -> String {
    let mut text = format!(
        "SET client_min_messages = warning;\n\
         CREATE TABLE IF NOT EXISTS {table} (run bigint NOT NULL, seq bigint NOT NULL, UNIQUE (run, seq));\n"
    );
    for Column { name, kind, .. } in COLUMNS.iter().filter(|column| column.name != "seq") {
        text.push_str(&format!("ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {name} {kind};\n"));
    }
    let index = table.replace('.', "_");
    text.push_str(&format!("CREATE INDEX IF NOT EXISTS {index}_inst ON {table} (inst);\n"));
    text
}

fn insert_text(table: &str) -> String {
    let names: Vec<_> = COLUMNS.iter().map(|column| column.name).collect();
    let reads: Vec<_> =
        COLUMNS.iter().map(|column| column.read.replace('$', &format!("c_{}", column.name))).collect();
    let arrays: Vec<_> =
        COLUMNS.iter().enumerate().map(|(at, column)| format!("${}::{}[]", at + 2, column.sent)).collect();
    let aliases: Vec<_> = COLUMNS.iter().map(|column| format!("c_{}", column.name)).collect();
    format!(
        "INSERT INTO {table} (run, {}) SELECT c_run, {} FROM UNNEST($1::bigint[], {}) AS t(c_run, {}) \
         ON CONFLICT (run, seq) DO NOTHING",
        names.join(", "),
        reads.join(", "),
        arrays.join(", "),
        aliases.join(", ")
    )
}

fn insert_as_text(table: &str) -> String {
    format!(
        "INSERT INTO {table} (run, seq, inst, level, data) \
         VALUES ($1, $2, to_timestamp($3::bigint / 1000.0), $4, to_jsonb($5::text)) ON CONFLICT (run, seq) DO NOTHING"
    )
}

/// Class 22, data exception, or a program limit such as a number of too many digits.
fn is_about_data(error: &tokio_postgres::Error) -> bool {
    error.code().map(SqlState::code).is_some_and(|code| code.starts_with("22") || code.starts_with("54"))
}

/// What the server says, without what it quotes of the data.
fn message(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{} ({})", error.message(), error.code().code()),
        None => {
            let source = std::error::Error::source(error).map(|source| format!(": {source}"));
            format!("{error}{}", source.unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_plain_name() {
        for (name, expected) in [
            ("taillight_events", true),
            ("logs.events", true),
            ("a.b.c", false),
            ("1st", false),
            ("events; DROP TABLE x", false),
            ("\"quoted\"", false),
            ("", false),
        ] {
            assert_eq!((TABLE.check)(name).is_ok(), expected, "{name}");
        }
    }
}
