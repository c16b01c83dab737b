//! The command line: what can be typed, with its help. Nothing here acts.
//!
//! `main` parses it, `run` carries it out.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Shows, live in your terminal, what the browser is doing.
#[derive(Debug, Parser)]
#[command(
    name = "taillight",
    version,
    subcommand_precedence_over_arg = true,
    disable_help_subcommand = true,
    after_help = "Put <script src=\"http://127.0.0.1:8245/taillight.js\"></script> in your page, before your own scripts."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Show only what matches this filter at the start, such as "level>=warn url:/api"
    pub filter: Option<String>,
    #[command(flatten)]
    pub common: Common,
}

/// What to do; without one: the console.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Listen without a dashboard and print what arrives
    Tail(Tail),
    /// Listen without a dashboard and keep what arrives in memory
    Serve,
    /// The console, fed by built-in synthetic browsers through the real WebSocket
    Demo,
    /// The dashboard over recorded JSONL
    Open(Open),
    /// Say how a filter reads, or what is wrong with it and where
    Check(Check),
    /// Read recorded events and write them as JSONL, to standard output or a new file
    Export(Export),
    /// Sum up recorded events: levels, signals, endpoints, errors, sessions
    Stats(Stats),
    /// Send made-up events to a running taillight and report what it took
    Load(Load),
    /// Show or replace the page key
    Key {
        #[arg(value_enum, default_value = "show")]
        action: KeyAction,
    },
    /// Print the browser client, or write it to a file
    Client {
        /// Where to write it, which must not exist yet; the snippets that load it are printed
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Write over a file that exists
        #[arg(long, requires = "output")]
        force: bool,
    },
    /// Print shell completions
    Completions { shell: clap_complete::Shell },
    /// Print the manual page
    Man,
    /// Explain a command, or with `help filter` the filter language
    Help {
        /// A command, or `filter`
        topic: Option<String>,
    },
}

/// Options of every command that listens or keeps events.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Address to listen on; anything but loopback needs --token
    #[arg(long, global = true, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub bind: IpAddr,
    /// Port to listen on; 0 takes a free one
    #[arg(long, global = true, default_value_t = 8245, value_name = "N")]
    pub port: u16,
    /// Events to keep
    #[arg(long, global = true, default_value_t = 1_000_000, value_name = "EVENTS", value_parser = clap::value_parser!(u64).range(1..))]
    pub retain: u64,
    /// Memory for events, such as 64MiB or 1GiB; whichever of the two is met first
    #[arg(long, global = true, default_value = "256MiB", value_name = "SIZE", value_parser = size)]
    pub memory: u64,
    /// Let pages of this origin in, such as https://staging.example (may be repeated)
    #[arg(long, global = true, value_name = "ORIGIN", value_parser = origin)]
    pub allow_origin: Vec<String>,
    /// Answer to this host name too (may be repeated)
    #[arg(long, global = true, value_name = "HOST", value_parser = host)]
    pub allow_host: Vec<String>,
    /// Secret that every request must show when listening beyond loopback
    #[arg(long, global = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// Ask every sender for the page key
    #[arg(long, global = true)]
    pub require_key: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub color: Color,
    /// Draw with ASCII characters only
    #[arg(long, global = true)]
    pub ascii: bool,
}

/// Options of `tail`.
#[derive(Clone, Debug, Args)]
pub struct Tail {
    /// Print only what matches this filter
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// End with 0 once an event matches this filter; with 124 if --for runs out first
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true)]
    pub exit_on: Option<String>,
    /// How to print an event
    #[arg(long, value_enum, default_value = "pretty")]
    pub format: Format,
    /// End after this many events
    #[arg(short, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub number: Option<u64>,
    /// End after this long, such as 30s or 5m; with 1 if nothing matched
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    pub for_time: Option<Duration>,
}

/// Options of `open`.
#[derive(Clone, Debug, Args)]
pub struct Open {
    /// Recorded JSONL, shown in this order; `-` is standard input, .gz and .zst are unpacked
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Show only what matches this filter at the start
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// How fast to play it
    #[arg(long, value_enum, default_value = "max")]
    pub speed: Speed,
}

/// How fast a recording plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Speed {
    /// As it was recorded
    #[value(name = "1")]
    Real,
    /// Ten times as fast
    #[value(name = "10")]
    Ten,
    /// All at once
    Max,
}

impl Speed {
    /// How many times faster than it was recorded; `None` for at once.
    pub fn factor(self) -> Option<u32> {
        match self {
            Self::Real => Some(1),
            Self::Ten => Some(10),
            Self::Max => None,
        }
    }
}

/// Options of `check`.
#[derive(Clone, Debug, Args)]
pub struct Check {
    /// The filter
    pub filter: String,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Judge it as half typed: cursor at the end, not accepted yet
    #[arg(long)]
    pub typing: bool,
}

/// What a command reads that needs no browser.
#[derive(Clone, Debug, Args)]
pub struct Recorded {
    /// Recorded JSONL, read in this order; `-` is standard input, .gz and .zst are unpacked
    #[arg(long = "from", required = true, num_args = 1.., value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Take only what matches this filter
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// The moment that since:mark counts from: 14:32, 2026-01-31T14:32:05 (local) or RFC 3339
    #[arg(long, value_name = "TIME", value_parser = Mark::parse)]
    pub mark: Option<Mark>,
}

/// A moment as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// On the day of the newest event.
    Clock(jiff::civil::Time),
    Local(jiff::civil::DateTime),
    Instant(jiff::Timestamp),
}

impl Mark {
    fn parse(text: &str) -> Result<Self, String> {
        if let Ok(instant) = text.parse() {
            return Ok(Self::Instant(instant));
        }
        let local = || text.parse().ok().map(Self::Local);
        let clock = || text.parse().ok().map(Self::Clock);
        // A date alone would read as its midnight, which nobody means by a mark.
        let found = if text.contains(['T', 't', ' ']) { local() } else { clock() };
        found.ok_or_else(|| "write a time such as 14:32:05 or 2026-01-31T14:32:05Z".to_owned())
    }

    /// The timestamp meant in `zone`, `newest` being the newest event; `None` only at the ends of the calendar.
    pub fn resolve(self, newest: jiff::Timestamp, zone: &jiff::tz::TimeZone) -> Option<jiff::Timestamp> {
        let local = match self {
            Self::Instant(instant) => return Some(instant),
            Self::Local(local) => local,
            Self::Clock(time) => zone.to_datetime(newest).date().to_datetime(time),
        };
        zone.to_timestamp(local).ok()
    }
}

/// Options of `export`.
#[derive(Clone, Debug, Args)]
pub struct Export {
    #[command(flatten)]
    pub from: Recorded,
    /// File to write, which must not exist yet
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write over a file that exists
    #[arg(long, requires = "output")]
    pub force: bool,
}

/// Options of `stats`.
#[derive(Clone, Debug, Args)]
pub struct Stats {
    #[command(flatten)]
    pub from: Recorded,
    /// Print one JSON object, durations in milliseconds
    #[arg(long)]
    pub json: bool,
    /// End with 1 unless this holds, such as 'p99(GET /api/users) < 300ms' (may be repeated)
    #[arg(
        long,
        value_name = "ASSERTION",
        long_help = "End with 1 unless this holds (may be repeated):\n\
            MEASURE(ENDPOINT) < VALUE, with < <= > >= = or !=\n\
            p50 p90 p95 p99 p99.9 max mean take a time: 300ms, 1.5s\n\
            count and errors take a number; errors also a share: 2%\n\
            ENDPOINT is as in the tables; * stands for anything: 'errors(GET /api/*) = 0'"
    )]
    pub assert: Vec<String>,
}

/// Options of `load`.
#[derive(Clone, Debug, Args)]
pub struct Load {
    /// Connections to send over
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub connections: u32,
    /// Events a second, all connections together; 0 is as fast as acks allow
    #[arg(long, default_value_t = 1_000, value_name = "EVENTS/S")]
    pub rate: u64,
    /// How long to send, such as 30s or 5m
    #[arg(long = "for", default_value = "10s", value_name = "TIME", value_parser = span)]
    pub for_time: Duration,
    /// Events of a batch
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=2_000))]
    pub batch: u32,
    /// Where to send, if not to --bind and --port of this machine
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Report as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

/// How `tail` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Time, level, id and message, for people
    Pretty,
    /// The export's line
    Jsonl,
    /// key=value pairs
    Logfmt,
}

/// What to do with the page key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeyAction {
    /// Print it
    Show,
    /// Replace it and print the new one
    Rotate,
}

/// Reads `64MiB`, `1gb`, `500000`.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        _ => return Err("write a size such as 64MiB, 500MB or 1GiB".to_owned()),
    };
    let number: u64 = digits.trim().parse().map_err(|_| "write a size such as 64MiB or 1GiB".to_owned())?;
    number.checked_mul(unit).filter(|bytes| *bytes > 0).ok_or_else(|| "that size cannot be".to_owned())
}

/// Reads `500ms`, `30s`, `5m`, `1h`; a bare number is seconds.
fn span(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds = match &text[digits.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err("write a time such as 500ms, 30s, 5m or 1h".to_owned()),
    };
    let number: f64 = digits.parse().map_err(|_| "write a time such as 30s or 5m".to_owned())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| "that time cannot be".to_owned())
}

fn origin(text: &str) -> Result<String, String> {
    let is_one = crate::ingest::admission::is_origin(text);
    is_one
        .then(|| text.to_owned())
        .ok_or_else(|| "write an origin such as https://staging.example:8443".to_owned())
}

fn host(text: &str) -> Result<String, String> {
    let is_one = crate::ingest::admission::is_host(text);
    is_one
        .then(|| text.to_owned())
        .ok_or_else(|| "write a host name such as dev.example or dev.example:8245".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_stand_before_or_after_the_command() {
        for line in ["taillight --port 0 tail -n 3", "taillight tail -n 3 --port 0"] {
            let cli = Cli::try_parse_from(line.split(' ')).expect(line);
            assert_eq!(cli.common.port, 0);
            assert!(matches!(cli.command, Some(Command::Tail(Tail { number: Some(3), .. }))));
        }
    }

    #[test]
    fn marks_are_times_of_the_newest_day_or_of_their_own() {
        let newest = "2026-03-04T23:30:00Z".parse().expect("a time");
        let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(1));
        for (text, expected) in [
            ("14:32", Some("2026-03-05T13:32:00Z")),
            ("2026-01-31T14:32:05.250", Some("2026-01-31T13:32:05.25Z")),
            ("2026-01-31T14:32:05Z", Some("2026-01-31T14:32:05Z")),
            ("2026-01-31", None),
            ("5m", None),
            ("", None),
        ] {
            let found = Mark::parse(text).ok().and_then(|mark| mark.resolve(newest, &zone));
            assert_eq!(found.map(|time| time.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn sizes_and_spans_read_their_units() {
        for (text, bytes) in [
            ("256MiB", Some(268_435_456)),
            ("1gb", Some(1_000_000_000)),
            ("7", Some(7)),
            ("0", None),
            ("1x", None),
        ] {
            assert_eq!(size(text).ok(), bytes, "{text}");
        }
        for (text, ms) in [
            ("500ms", Some(500)),
            ("30s", Some(30_000)),
            ("5m", Some(300_000)),
            ("2", Some(2_000)),
            ("s", None),
            ("-1s", None),
        ] {
            assert_eq!(span(text).ok().map(|span| span.as_millis()), ms, "{text}");
        }
    }
}
