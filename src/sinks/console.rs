//! The console sink: a line for people for each event, on standard output or standard error.
//!
//! `2024-01-01 00:00:01 ERROR [browser.error] Browser javascript error`, then the data in a line of its own. All text
//! passes the gate. It is not started beside the dashboard, which has the terminal.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use jiff::tz::TimeZone;

use super::encode::unhurried;
use super::piece::{Batch, Item};
use super::{Build, Sink, SinkError, Written};
use crate::event::{gate, json};
use crate::options::{Key, Kind, Values, key};

pub(super) const KEYS: &[Key] = &[
    key("stream", Kind::Word(&["stderr", "stdout"]), "\"stdout\"", "where the lines go"),
    key("data", Kind::Flag, "true", "a second line with the event's data"),
    key("color", Kind::Word(&["auto", "always", "never"]), "\"auto\"", "when levels are coloured"),
    key(
        "summaries",
        Kind::Flag,
        "false",
        "endpoints' minutes and sessions that have closed, as lines of their own",
    ),
    key("retry-longest", Kind::Span, "\"1s\"", "the longest wait before any retry"),
];

pub(super) fn build(values: &Values) -> Result<Build, String> {
    Ok(Build::of::<Console>(Options {
        is_stderr: values.text("stream") == "stderr",
        has_data: values.flag("data"),
        color: match values.text("color") {
            "always" => Some(true),
            "never" => Some(false),
            _ => None,
        },
    }))
}

#[derive(Clone, Debug)]
pub(super) struct Options {
    is_stderr: bool,
    has_data: bool,
    /// `None`: on a terminal.
    color: Option<bool>,
}

pub(super) struct Console {
    options: Options,
    is_colored: bool,
    zone: TimeZone,
    text: String,
}

/// Columns of a message, and of the line of data.
const MAX_MESSAGE: usize = 2_000;
const MAX_DATA: usize = 500;
/// What the first line or the head says already.
const NOT_IN_DATA: [&str; 4] = ["type", "subtype", "message", "timestamp"];

impl Sink for Console {
    type Options = Options;

    async fn open(options: &Options) -> Result<Self, SinkError> {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_terminal =
            if options.is_stderr { io::stderr().is_terminal() } else { io::stdout().is_terminal() };
        let is_colored = options.color.unwrap_or(is_terminal && !is_set("NO_COLOR"));
        Ok(Self { options: options.clone(), is_colored, zone: TimeZone::system(), text: String::new() })
    }

    async fn write(&mut self, batch: &Batch) -> Result<Written, SinkError> {
        self.text.clear();
        for item in unhurried(batch.items()) {
            self.line(item);
        }
        let (text, is_stderr) = (&self.text, self.options.is_stderr);
        let written = tokio::task::block_in_place(|| {
            if is_stderr {
                io::stderr().lock().write_all(text.as_bytes())
            } else {
                let mut out = io::stdout().lock();
                out.write_all(text.as_bytes()).and_then(|()| out.flush())
            }
        });
        match written {
            Ok(()) => Ok(Written::default()),
            // Nobody reads any more, and nobody will.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                Err(SinkError::fatal("its reader has gone"))
            }
            Err(error) => Err(SinkError::retry(error.to_string())),
        }
    }
}

impl Console {
    fn line(&mut self, item: Item<'_>) {
        let event = item.event;
        let time = event.inst().to_jiff().to_zoned_datetime(self.zone.clone());
        let (on, off) = if self.is_colored { (event.level().sgr(), "\u{1b}[0m") } else { ("", "") };
        let level = event.level().name().to_uppercase();
        // Writing to a String cannot fail.
        let _ = writeln!(
            self.text,
            "{} {on}{level}{off} [{}] {}",
            time.strftime("%Y-%m-%d %H:%M:%S"),
            gate::plain_capped(event.ns(), 60),
            gate::plain_capped(event.msg(), MAX_MESSAGE)
        );
        if self.options.has_data {
            self.data(item);
        }
    }

    /// `  {:user-id "user-123", :severity "high"}`, cut where it is long.
    fn data(&mut self, item: Item<'_>) {
        let mut data = String::new();
        item.event.write_data(&mut data);
        let mut shown = String::new();
        for member in json::members(&data) {
            if NOT_IN_DATA.contains(&member.key) || shown.len() > MAX_DATA {
                continue;
            }
            let separator = if shown.is_empty() { "" } else { ", " };
            let _ = write!(shown, "{separator}:{} {}", member.key, member.value);
        }
        if !shown.is_empty() {
            let _ = writeln!(self.text, "  {{{}}}", gate::plain_capped(&shown, MAX_DATA));
        }
    }
}
