//! The command line: what can be typed, with its help. Nothing here acts.
//!
//! `main` parses it, `run` carries it out.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, FromArgMatches, Parser, Subcommand, ValueEnum};

pub use common::{Common, command};

use crate::event::form;

mod common;

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

impl Cli {
    /// What was typed, or what is to be said instead.
    pub fn read() -> Result<Self, clap::Error> {
        let mut matches = command().try_get_matches()?;
        Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command()))
    }
}

/// What to do; without one: the console.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Listen without a screen and print what arrives
    Tail(Tail),
    /// Listen without a screen and keep what arrives in memory
    Serve,
    /// The console, fed by built-in synthetic browsers through the real WebSocket
    Demo,
    /// The console over recorded JSONL
    Open(Open),
    /// Say how a filter reads, or what is wrong with it and where
    Check(Check),
    /// Read recorded events and write them as JSONL, JSON, CSV or HAR, to standard output or a new file
    Export(Export),
    /// Remove a person's events from the running taillight, its recorded files and PostgreSQL
    Forget(Forget),
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
    /// Print every setting with its value, and where that came from
    Config,
    /// Say what stands between a page and the console, and what to do about it
    Doctor,
    /// Let all of this project's .taillight.toml count, as it is now
    Trust {
        /// Let only its looks and filters count again
        #[arg(long)]
        withdraw: bool,
    },
    /// Explain a command, or with `help filter` the filter language
    Help {
        /// A command, or `filter`
        topic: Option<String>,
    },
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
    #[arg(long = "from", num_args = 1.., value_name = "FILE")]
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
    #[command(flatten)]
    pub who: Who,
    /// File to write, which must not exist yet
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write over a file that exists
    #[arg(long, requires = "output")]
    pub force: bool,
    /// What to write
    #[arg(long, value_enum, default_value = "jsonl")]
    pub format: ExportFormat,
    /// Leave this out of every event, in place of what the setting export.leave-out says (may be repeated). A person's
    /// own events, `--user` or `--session`, are given out whole, whatever the setting says
    #[arg(long, value_enum, value_name = "PART")]
    pub leave_out: Vec<LeaveOut>,
}

/// Whose events are meant.
#[derive(Clone, Debug, Args)]
#[group(required = false, multiple = false)]
pub struct Who {
    /// The events of this user, exactly as named; without --from those of the running taillight and its files
    #[arg(long, value_name = "ID")]
    pub user: Option<String>,
    /// The same for a session
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
}

impl Who {
    pub fn is_anybody(&self) -> bool {
        self.user.is_some() || self.session.is_some()
    }
}

/// Options of `forget`.
#[derive(Clone, Debug, Args)]
pub struct Forget {
    #[command(flatten)]
    pub who: Who,
    /// Only in these recorded files and their rotated parts, which nobody may be writing to
    #[arg(long = "from", num_args = 1.., value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// The forms of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// One event a line, lossless
    Jsonl,
    /// The same objects as one array
    Json,
    /// The columns without the data
    Csv,
    /// Requests only, as an HTTP archive
    Har,
}

impl ExportFormat {
    /// The form itself.
    pub fn format(self) -> form::Format {
        match self {
            Self::Jsonl => form::Format::Jsonl,
            Self::Json => form::Format::Json,
            Self::Csv => form::Format::Csv,
            Self::Har => form::Format::Har,
        }
    }
}

/// What an export can leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LeaveOut {
    /// Who it was
    UserId,
    /// Which session it was
    SessionId,
    /// What stands behind `?` in addresses
    QueryStrings,
    /// Stacks of errors
    Stacks,
    /// Nothing, whatever the setting says
    Nothing,
}

impl LeaveOut {
    /// The part itself, if it is one.
    pub fn part(self) -> Option<form::Part> {
        match self {
            Self::UserId => Some(form::Part::User),
            Self::SessionId => Some(form::Part::Session),
            Self::QueryStrings => Some(form::Part::Query),
            Self::Stacks => Some(form::Part::Stack),
            Self::Nothing => None,
        }
    }
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
            of an endpoint without requests both are 0, and there is no time\n\
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Value;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn a_command_lists_the_options_that_mean_something_to_it() {
        let mut all = command();
        all.build();
        let mut help = |name: &str| {
            let found = all.find_subcommand_mut(name).expect("a command");
            found.render_help().to_string()
        };
        for (name, has, has_not) in [
            ("check", "--config", "--port"),
            ("export", "--record", "--port"),
            ("open", "--mouse", "--port"),
            ("serve", "--record", "--editor"),
            ("tail", "--color", "--mouse"),
            ("demo", "--mouse", "--nothing"),
            ("config", "--editor", "--nothing"),
        ] {
            let text = help(name);
            assert!(text.contains(has) && !text.contains(has_not), "{name}\n{text}");
        }
        // What is not listed is taken all the same: whoever has it in an alias need not think of the command.
        for line in ["taillight check x --port 0", "taillight --port 0 check x"] {
            let matches = command().try_get_matches_from(line.split(' ')).expect(line);
            let cli = Cli::from_arg_matches(&matches).expect(line);
            assert_eq!(cli.common.flags.len(), 1, "{line}");
        }
    }

    #[test]
    fn options_stand_before_or_after_the_command() {
        for line in ["taillight --port 0 tail -n 3", "taillight tail -n 3 --port 0"] {
            let cli = Cli::try_parse_from(line.split(' ')).expect(line);
            let given: Vec<_> =
                cli.common.flags.iter().map(|(setting, values)| (setting.key, values)).collect();
            assert_eq!(given, [("port", &vec![Value::Number(0)])]);
            assert!(matches!(cli.command, Some(Command::Tail(Tail { number: Some(3), .. }))));
        }
    }

    #[test]
    fn options_of_settings_are_checked_as_settings_are() {
        let ended = |line: &str| match Cli::try_parse_from(line.split(' ')) {
            Ok(cli) => format!("{:?}", cli.common.flags.iter().map(|(_, values)| values).collect::<Vec<_>>()),
            Err(error) => error.to_string().lines().next().unwrap_or("").to_owned(),
        };
        for (line, expected) in [
            ("taillight --ascii", r#"[[Text("ascii")]]"#),
            ("taillight --memory 256", "[[Number(268435456)]]"),
            ("taillight --memory 1000b", "[[Number(1000)]]"),
            ("taillight", "[]"),
            ("taillight --allow-host a.test tail --allow-host b.test", r#"[[List(["b.test"])]]"#),
            (
                "taillight --allow-host a.test --allow-host b.test",
                r#"[[List(["a.test"]), List(["b.test"])]]"#,
            ),
            (
                "taillight --port 70000",
                "error: invalid value '70000' for '--port <N>': write a number from 0 to 65535",
            ),
            (
                "taillight --color blue",
                "error: invalid value 'blue' for '--color <WHEN>': write auto, always or never",
            ),
        ] {
            assert_eq!(ended(line), expected, "{line}");
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
    fn spans_read_their_units() {
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
