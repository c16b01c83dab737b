//! The one table of settings: name, what is allowed, flag, who may set it, and a line of help.
//!
//! Reading files, the environment and the command line, `taillight config`, `:set`, the manual and `docs/settings.md` all
//! come from it. A row stands here only once something obeys it.

use super::command::is_command;
use super::kind::{Check, Field, Kind, Value};
use super::settings::Settings;
use crate::ingest::admission::{is_host, is_origin};
use crate::pipeline::is_route;

/// How a setting is written on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    None,
    /// `--NAME VALUE`, with what stands for the value in the help.
    Value(&'static str, &'static str),
    /// `--NAME`, which is this value.
    Switch(&'static str, &'static str),
}

/// Whether the settings file of a project may set it (SECURITY 2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Project {
    /// Looks and filters: harmless whoever wrote them.
    Free,
    /// What opens ports, names files or runs programs counts only after `taillight trust`.
    Trusted,
}

/// When `:set` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    Now,
    /// What is begun once: ports, memory, files.
    Start,
}

/// One setting.
#[derive(Debug)]
pub struct Setting {
    pub key: &'static str,
    pub kind: Kind,
    pub flag: Flag,
    pub project: Project,
    pub since: Since,
    pub help: &'static str,
    pub(super) at: fn(&mut Settings) -> &mut dyn Field,
}

impl Setting {
    /// The name of its variable: `TAILLIGHT_BUFFER_EVENTS` for `buffer.events`.
    pub fn variable(&self) -> String {
        variable(self.key)
    }

    /// Its value in `settings`.
    pub fn value(&self, settings: &Settings) -> Value {
        (self.at)(&mut settings.clone()).value()
    }

    /// Its value in `settings` as it would be written in a file; a secret is only shown where it is kept.
    pub fn written(&self, settings: &Settings) -> String {
        const MIB: u64 = 1 << 20;
        match (self.kind, self.value(settings)) {
            (Kind::Size, Value::Number(bytes)) if bytes % MIB == 0 => (bytes / MIB).to_string(),
            (Kind::Size, Value::Number(bytes)) => format!("\"{bytes}B\""),
            (Kind::Secret, Value::Text(text)) if !is_reference(&text) => "\"••••\"".to_owned(),
            (_, value) => value.to_toml().to_string(),
        }
    }

    /// Its value without any file, variable or option.
    pub fn default(&self) -> Value {
        self.value(&Settings::default())
    }
}

/// Where the setting called `key` is in the table.
pub fn position(key: &str) -> Option<usize> {
    SETTINGS.iter().position(|setting| setting.key == key)
}

/// Whether a secret is named and not written.
pub(super) fn is_reference(text: &str) -> bool {
    text.is_empty() || text.starts_with("env:") || text.starts_with("file:")
}

pub(super) fn variable(key: &str) -> String {
    format!("TAILLIGHT_{}", key.replace(['.', '-'], "_").to_uppercase())
}

const ANY_TEXT: Check = Check { what: "text in quotes", is_one: |_| true };
const SOME_TEXT: Check = Check { what: "text in quotes", is_one: |text| !text.trim().is_empty() };
const COMMAND: Check =
    Check { what: "a command in which {file}, {line} and {col} stand for the place", is_one: is_command };
const AGE: Check = Check {
    what: "a time such as \"30m\", \"8h\" or \"7d\", or empty for as long as there is room",
    is_one: |text| text.is_empty() || crate::options::span_ms(text).is_some_and(|ms| ms > 0),
};
const ADDRESS: Check =
    Check { what: "an address such as 127.0.0.1", is_one: |text| text.parse::<std::net::IpAddr>().is_ok() };
const ORIGIN: Check = Check { what: "an origin such as https://staging.example:8443", is_one: is_origin };
const HOST: Check = Check { what: "a host name such as dev.example or dev.example:8245", is_one: is_host };
const ZONE: Check = Check {
    what: "local, UTC or a zone such as Europe/Berlin",
    is_one: |text| text == "local" || jiff::tz::TimeZone::get(text).is_ok(),
};

const BEGINNINGS: Check = Check {
    what: "a table such as { \"webpack:///./\" = \"./\" }, typed as webpack:///./ => ./",
    is_one: |from| !from.trim().is_empty(),
};

const ROUTE: Check = Check { what: "a path such as /api/users/:id/avatar or /files/*", is_one: is_route };

/// Words of a choice, in the order of its enum.
pub(super) const WHEN: &[&str] = &["auto", "always", "never"];
pub(super) const GLYPHS: &[&str] = &["auto", "unicode", "ascii"];
pub(super) const MAPS: &[&str] = &["auto", "disk", "off"];
pub(super) const PARTS: &[&str] = &["user-id", "session-id", "query-strings", "stacks"];
pub(super) const ON_RELOAD: &[&str] = &["divider", "clear"];
pub(super) const THEMES: &[&str] = &["auto", "dark", "light", "ansi", "mono"];
pub(super) const TIMES: &[&str] = &["clock", "load", "gap", "age"];
pub(super) const LANDMARKS: &[&str] = &["reload", "clicks", "off"];
pub(super) const DETAIL: &[&str] = &["auto", "below", "right", "full", "off"];
pub(super) const WINDOWS: &[&str] = &["load", "1m", "5m", "all"];
pub(super) const GROUPING: &[&str] = &["message-and-frame", "message", "frame"];
pub(super) const BASELINES: &[&str] = &["previous", "mark", "none"];
/// Columns that may be left out, all of which are shown where nothing is set.
pub(super) const STREAM_COLUMNS: &[&str] = &["time", "kind", "tab", "status", "bar", "where"];
pub(super) const LATENCY_COLUMNS: &[&str] =
    &["count", "/min", "err%", "p50", "p90", "p99", "p99.9", "max", "change", "last 60s"];

/// Every setting, in the order of `docs/settings.md`.
pub static SETTINGS: [Setting; 45] = [
    Setting {
        key: "bind",
        kind: Kind::Text(ADDRESS),
        flag: Flag::Value("bind", "ADDRESS"),
        project: Project::Trusted,
        since: Since::Start,
        help: "Address to listen on; anything but loopback needs a token",
        at: |settings| &mut settings.bind,
    },
    Setting {
        key: "port",
        kind: Kind::Number { from: 0, to: 65_535 },
        flag: Flag::Value("port", "N"),
        project: Project::Trusted,
        since: Since::Start,
        help: "Port to listen on; 0 takes a free one",
        at: |settings| &mut settings.port,
    },
    Setting {
        key: "allow-origins",
        kind: Kind::List(ORIGIN),
        flag: Flag::Value("allow-origin", "ORIGIN"),
        project: Project::Trusted,
        since: Since::Start,
        help: "Let pages of this origin in, such as https://staging.example",
        at: |settings| &mut settings.allow_origins,
    },
    Setting {
        key: "allow-hosts",
        kind: Kind::List(HOST),
        flag: Flag::Value("allow-host", "HOST"),
        project: Project::Trusted,
        since: Since::Start,
        help: "Answer to this host name too",
        at: |settings| &mut settings.allow_hosts,
    },
    Setting {
        key: "token",
        kind: Kind::Secret,
        flag: Flag::Value("token", "TOKEN"),
        project: Project::Trusted,
        since: Since::Start,
        help: "Secret that every request must show when listening beyond loopback",
        at: |settings| &mut settings.token,
    },
    Setting {
        key: "require-key",
        kind: Kind::Flag,
        flag: Flag::Switch("require-key", "true"),
        project: Project::Trusted,
        since: Since::Start,
        help: "Ask every sender for the page key",
        at: |settings| &mut settings.require_key,
    },
    Setting {
        key: "max-connections",
        kind: Kind::Number { from: 1, to: 60_000 },
        flag: Flag::None,
        project: Project::Trusted,
        since: Since::Start,
        help: "WebSockets open at once, less where fewer files may be; the last tenth is for origins that have none yet",
        at: |settings| &mut settings.connections,
    },
    Setting {
        key: "buffer.events",
        kind: Kind::Number { from: 1, to: u64::MAX },
        flag: Flag::Value("retain", "EVENTS"),
        project: Project::Trusted,
        since: Since::Start,
        help: "Events to keep",
        at: |settings| &mut settings.retain,
    },
    Setting {
        key: "buffer.mb",
        kind: Kind::Size,
        flag: Flag::Value("memory", "SIZE"),
        project: Project::Trusted,
        since: Since::Start,
        help: "Memory for events, such as 64MiB or 1GiB; whichever of the two is met first",
        at: |settings| &mut settings.memory,
    },
    Setting {
        key: "buffer.age",
        kind: Kind::Text(AGE),
        flag: Flag::Value("retain-for", "TIME"),
        project: Project::Trusted,
        since: Since::Start,
        help: "How long to keep events in memory, such as 30m, 8h or 7d; empty: as long as there is room",
        at: |settings| &mut settings.retain_age,
    },
    Setting {
        key: "record",
        kind: Kind::Text(ANY_TEXT),
        flag: Flag::Value("record", "FILE"),
        project: Project::Trusted,
        since: Since::Start,
        help: "Record all events in this file, which is rotated; pages keep what it does not have yet",
        at: |settings| &mut settings.record,
    },
    Setting {
        key: "log-file",
        kind: Kind::Text(ANY_TEXT),
        flag: Flag::Value("log-file", "FILE"),
        project: Project::Trusted,
        since: Since::Start,
        help: "What taillight says of itself goes here too: who was refused, what was not understood, how sinks are",
        at: |settings| &mut settings.log_file,
    },
    Setting {
        key: "filter",
        kind: Kind::Filter,
        flag: Flag::None,
        project: Project::Free,
        since: Since::Start,
        help: "Filter to start with, where none is given",
        at: |settings| &mut settings.filter,
    },
    Setting {
        key: "live",
        kind: Kind::Flag,
        flag: Flag::None,
        project: Project::Free,
        since: Since::Now,
        help: "Apply the filter while it is typed, and not only on Enter",
        at: |settings| &mut settings.is_live,
    },
    Setting {
        key: "on-reload",
        kind: Kind::Choice(ON_RELOAD),
        flag: Flag::None,
        project: Project::Free,
        since: Since::Start,
        help: "clear: only what came since the newest page load, from the start",
        at: |settings| &mut settings.on_reload,
    },
    Setting {
        key: "theme",
        kind: Kind::Choice(THEMES),
        flag: Flag::Value("theme", "THEME"),
        project: Project::Free,
        since: Since::Now,
        help: "Colours; auto: by the background of the terminal, whose own 16 colours count where it does not tell",
        at: |settings| &mut settings.theme,
    },
    Setting {
        key: "color",
        kind: Kind::Choice(WHEN),
        flag: Flag::Value("color", "WHEN"),
        project: Project::Free,
        since: Since::Now,
        help: "When to use colour; auto: on a terminal, unless NO_COLOR is set",
        at: |settings| &mut settings.color,
    },
    Setting {
        key: "glyphs",
        kind: Kind::Choice(GLYPHS),
        flag: Flag::Switch("ascii", "ascii"),
        project: Project::Free,
        since: Since::Now,
        help: "Draw with ASCII characters only; auto: where the locale is not UTF-8",
        at: |settings| &mut settings.glyphs,
    },
    Setting {
        key: "mouse",
        kind: Kind::Flag,
        flag: Flag::Switch("mouse", "true"),
        project: Project::Free,
        since: Since::Now,
        help: "Clicks and the wheel from the start; M turns it on and off",
        at: |settings| &mut settings.mouse,
    },
    Setting {
        key: "title",
        kind: Kind::Flag,
        flag: Flag::None,
        project: Project::Free,
        since: Since::Now,
        help: "Tell new errors in the title of the terminal",
        at: |settings| &mut settings.title,
    },
    Setting {
        key: "bell",
        kind: Kind::Flag,
        flag: Flag::None,
        project: Project::Free,
        since: Since::Now,
        help: "Ring the bell of the terminal at new errors",
        at: |settings| &mut settings.bell,
    },
    Setting {
        key: "fps",
        kind: Kind::Number { from: 1, to: 30 },
        flag: Flag::None,
        project: Project::Free,
        since: Since::Now,
        help: "Frames a second for new events; keys are drawn at once",
        at: |settings| &mut settings.fps,
    },
    Setting {
        key: "time",
        kind: Kind::Choice(TIMES),
        flag: Flag::None,
        project: Project::Free,
        since: Since::Now,
        help: "What times of the stream are: the clock, since the page load, since the row above, or ages",
        at: |settings| &mut settings.times,
    },
    Setting {
        key: "zone",
        kind: Kind::Text(ZONE),
        flag: Flag::None,
        project: Project::Free,
        since: Since::Now,
        help: "Time zone of the clock on screen",
        at: |settings| &mut settings.zone,
    },
    Setting {
        key: "columns.stream",
        kind: Kind::Choices(STREAM_COLUMNS),
        flag: Flag::None,
        project: Project::Free,
        since: Since::Now,
        help: "Columns of the stream, beside the level and the text",
        at: |settings| &mut settings.stream_columns,
    },
    Setting {
        key: "columns.latency",
        kind: Kind::Choices(LATENCY_COLUMNS),
        flag: Flag::None,
        project: Project::Free,
        since: Since::Now,
        help: "Columns of the latency screen, beside the endpoint; change is that of p99",
        at: |settings| &mut settings.latency_columns,
    },
    Setting {
        key: "landmarks",
        kind: Kind::Choice(LANDMARKS),
        flag: Flag::None,
        project: Project::Free,
        since: Since::Now,
        help: "What stands between rows of the stream: page loads, clicks and navigations too, or nothing",
        at: |settings| &mut settings.landmarks,
    },
    Setting {
        key: "fold",
        kind: Kind::Flag,
        flag: Flag::None,
        project: Project::Free,
        since: Since::Now,
        help: "Show repeats as one row",
        at: |settings| &mut settings.is_folding,
    },
    Setting {
        key: "detail",
        kind: Kind::Choice(DETAIL),
        flag: Flag::None,
        project: Project::Free,
        since: Since::Now,
        help: "Where the selected event is shown; auto: beside or below the list, as there is room",
        at: |settings| &mut settings.detail,
    },
    Setting {
        key: "slow.ms",
        kind: Kind::Number { from: 1, to: 3_600_000 },
        flag: Flag::None,
        project: Project::Free,
        since: Since::Start,
        help: "Milliseconds from which what is none of the following is slow",
        at: |settings| &mut settings.slow,
    },
    Setting {
        key: "slow.request",
        kind: Kind::Number { from: 1, to: 3_600_000 },
        flag: Flag::None,
        project: Project::Free,
        since: Since::Start,
        help: "The same of requests",
        at: |settings| &mut settings.slow_requests,
    },
    Setting {
        key: "slow.render",
        kind: Kind::Number { from: 1, to: 3_600_000 },
        flag: Flag::None,
        project: Project::Free,
        since: Since::Start,
        help: "The same of renders",
        at: |settings| &mut settings.slow_renders,
    },
    Setting {
        key: "slow.long-task",
        kind: Kind::Number { from: 1, to: 3_600_000 },
        flag: Flag::None,
        project: Project::Free,
        since: Since::Start,
        help: "The same of long tasks",
        at: |settings| &mut settings.slow_tasks,
    },
    Setting {
        key: "routes",
        kind: Kind::List(ROUTE),
        flag: Flag::None,
        project: Project::Free,
        since: Since::Start,
        help: "Paths that are one endpoint, beside those that differ in numbers and ids alone; the first 100 count",
        at: |settings| &mut settings.routes,
    },
    Setting {
        key: "errors.group-by",
        kind: Kind::Choice(GROUPING),
        flag: Flag::None,
        project: Project::Free,
        since: Since::Start,
        help: "What makes errors the same: message and top frame that is yours, or one of them",
        at: |settings| &mut settings.group_by,
    },
    Setting {
        key: "latency.window",
        kind: Kind::Choice(WINDOWS),
        flag: Flag::None,
        project: Project::Free,
        since: Since::Now,
        help: "Requests that the latency screen starts with",
        at: |settings| &mut settings.window,
    },
    Setting {
        key: "latency.baseline",
        kind: Kind::Choice(BASELINES),
        flag: Flag::None,
        project: Project::Free,
        since: Since::Now,
        help: "What they are compared with: the load before, what came before the mark, or nothing",
        at: |settings| &mut settings.baseline,
    },
    Setting {
        key: "latency.failures",
        kind: Kind::Flag,
        flag: Flag::None,
        project: Project::Free,
        since: Since::Now,
        help: "Let failed requests count in the percentiles of the latency screen",
        at: |settings| &mut settings.has_failures,
    },
    Setting {
        key: "source.root",
        kind: Kind::Text(ANY_TEXT),
        flag: Flag::Value("root", "FOLDER"),
        project: Project::Trusted,
        since: Since::Start,
        help: "The project's folder: sources are read from and opened in it alone",
        at: |settings| &mut settings.source_root,
    },
    Setting {
        key: "source.maps",
        kind: Kind::Choice(MAPS),
        flag: Flag::None,
        project: Project::Trusted,
        since: Since::Start,
        help: "Source maps; auto: asked for at local pages and allowed origins, and read from the project",
        at: |settings| &mut settings.source_maps,
    },
    Setting {
        key: "source.map",
        kind: Kind::Map(BEGINNINGS),
        flag: Flag::None,
        project: Project::Trusted,
        since: Since::Start,
        help: "What stands in the project for the beginning of an address or of a source's name",
        at: |settings| &mut settings.source_map,
    },
    Setting {
        key: "source.libraries",
        kind: Kind::List(SOME_TEXT),
        flag: Flag::None,
        project: Project::Free,
        since: Since::Start,
        help: "Parts of paths whose code is a library's, beside node_modules and known bundles",
        at: |settings| &mut settings.source_libraries,
    },
    Setting {
        key: "editor",
        kind: Kind::Text(COMMAND),
        flag: Flag::Value("editor", "COMMAND"),
        project: Project::Trusted,
        since: Since::Start,
        help: "Editor to open a place in, such as code -g {file}:{line}:{col}; else $VISUAL, then $EDITOR",
        at: |settings| &mut settings.editor,
    },
    Setting {
        key: "export.dir",
        kind: Kind::Text(ANY_TEXT),
        flag: Flag::None,
        project: Project::Trusted,
        since: Since::Now,
        help: "Folder that exports are proposed in",
        at: |settings| &mut settings.export_dir,
    },
    Setting {
        key: "export.leave-out",
        kind: Kind::Choices(PARTS),
        flag: Flag::None,
        project: Project::Free,
        since: Since::Now,
        help: "What exports leave out unless told otherwise",
        at: |settings| &mut settings.leave_out,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_whole_and_its_own() {
        for (at, setting) in SETTINGS.iter().enumerate() {
            let key = setting.key;
            assert_eq!(position(key), Some(at), "{key} stands there twice");
            assert!(key.chars().all(|c| c.is_ascii_lowercase() || "-.".contains(c)), "{key}");
            assert!(!setting.help.is_empty() && !setting.help.ends_with('.'), "{key}");
            // Every value a row may have is kept by the field behind it.
            let mut settings = Settings::default();
            for value in samples(setting) {
                (setting.at)(&mut settings).put(value.clone());
                assert_eq!(setting.value(&settings), value, "{key}");
            }
        }
    }

    /// Values of its kind, the default among them.
    fn samples(setting: &Setting) -> Vec<Value> {
        let mut values = match setting.kind {
            Kind::Flag => vec![Value::Flag(true), Value::Flag(false)],
            Kind::Number { from, to } => vec![Value::Number(from), Value::Number(to)],
            Kind::Size => vec![Value::Number(7)],
            Kind::Choice(words) => words.iter().map(|word| Value::Text((*word).to_owned())).collect(),
            Kind::Choices(words) => vec![Value::List(words.iter().map(|word| (*word).to_owned()).collect())],
            _ => Vec::new(),
        };
        values.push(setting.default());
        values
    }

    #[test]
    fn defaults_are_allowed() {
        for setting in &SETTINGS {
            let toml = format!("k = {}", setting.written(&Settings::default()));
            let document: toml_edit::DocumentMut = toml.parse().expect("toml");
            assert!(setting.kind.of_item(&document["k"]).is_some(), "{toml}");
        }
    }
}
