//! Events as text for sinks: JSON lines with their origin, syslog messages.
//!
//! What is written is data for programs: control and invisible characters are escaped, line breaks cannot occur inside.

use std::fmt::Write as _;

use super::piece::Item;
use crate::event::{Level, gate, line};
use crate::priority;

/// Events that are written without a look at who else waits for the processor: a microsecond or two of work.
const GIVE_WAY_EVERY: usize = 2;

/// `items` for whoever makes text of each: every few of them, others have the processor first.
pub(super) fn unhurried<T>(items: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    items.enumerate().map(|(at, item)| {
        if at % GIVE_WAY_EVERY == GIVE_WAY_EVERY - 1 {
            priority::let_others();
        }
        item
    })
}

/// Appends the JSON line of a recording, with `cid` and `cseq` (CONTRACT: the JSONL line), and a line break.
pub(super) fn recorded(item: Item<'_>, out: &mut String) {
    line::write_from(item.event, item.origin, out);
    out.push('\n');
}

/// How messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// The export's line.
    Jsonl,
    /// RFC 5424.
    Syslog { facility: u8 },
}

/// The facilities of RFC 5424 §6.2.1 by their usual names, as numbered there.
pub(super) const FACILITIES: &[&str] = &[
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7",
];

/// What every syslog message says of its sender.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) host: String,
    pub(super) pid: u32,
}

impl Sender {
    /// This process on this machine.
    pub(super) fn here() -> Self {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Self { host: printable(&host, 255), pid: std::process::id() }
    }
}

/// The message of an event, without framing.
pub(super) fn message(item: Item<'_>, format: Format, sender: &Sender, out: &mut String) {
    match format {
        Format::Jsonl => line::write(item.event, out),
        Format::Syslog { facility } => {
            let event = item.event;
            let priority = u32::from(facility) * 8 + severity(event.level());
            let id = printable(event.id(), 32);
            // Writing to a String cannot fail.
            let _ = write!(
                out,
                "<{priority}>1 {} {} taillight {} {id} - ",
                event.inst(),
                sender.host,
                sender.pid
            );
            // No byte order mark: what follows is ASCII but for letters, and syslogd's print the mark.
            out.push_str(&gate::plain(event.msg()));
            out.push(' ');
            line::write(event, out);
        }
    }
}

/// RFC 5424 §6.2.1.
fn severity(level: Level) -> u32 {
    match level {
        Level::Report => 5,
        Level::Fatal => 2,
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Trace | Level::Debug => 7,
    }
}

/// PRINTUSASCII of at most `max` characters, `-` for nothing (RFC 5424 §6).
fn printable(text: &str, max: usize) -> String {
    let text: String = text.chars().take(max).map(|c| if c.is_ascii_graphic() { c } else { '_' }).collect();
    if text.is_empty() { "-".to_owned() } else { text }
}
