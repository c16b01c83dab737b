//! What is set: every setting's value and where it came from, taken from files, the environment and options in turn.
//!
//! Made by `run` at the start. Unknown names are notes, a line that is no TOML is one too and names its place; nothing
//! here fails as a whole, and what cannot be used leaves the value before it.

use std::net::{IpAddr, Ipv4Addr};

use toml_edit::{Document, Item, TableLike};

use super::complaint::Complaint;
use super::kind::{Value, Word};
use super::looks::{Baseline, DetailMode, GroupBy, Landmarks, ThemeName, Times, Window};
use super::sections::{Reader, SECTIONS};
use super::table::{Flag, LATENCY_COLUMNS, SETTINGS, STREAM_COLUMNS, Setting, position, variable};
use crate::alerts;
use crate::filter::nearest;
use crate::ingest;
use crate::options::place_in;
use crate::pipeline::Signal;
use crate::sinks;

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody's: what is there without any file.
    BuiltIn,
    User,
    Project,
}

/// A filter with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    pub name: String,
    pub text: String,
    pub owner: Owner,
    /// File and line, for what is wrong with it.
    pub place: String,
}

/// Keys of the user's own for an action, as they are written; whoever knows the actions checks them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnKey {
    pub action: String,
    pub keys: String,
    /// File, line and column, and a drawing of them, for what is wrong with it.
    pub place: String,
    pub drawing: String,
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    Always,
    Never,
}

impl Word for Color {
    const ALL: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("always", Self::Always), ("never", Self::Never)];
}

/// Which characters the screen is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GlyphSet {
    /// ASCII where the locale is not UTF-8.
    Auto,
    Unicode,
    Ascii,
}

impl Word for GlyphSet {
    const ALL: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("unicode", Self::Unicode), ("ascii", Self::Ascii)];
}

/// What a page load does to the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnReload {
    Divider,
    /// `since:reload` is part of the filter from the start.
    Clear,
}

impl Word for OnReload {
    const ALL: &'static [(&'static str, Self)] = &[("divider", Self::Divider), ("clear", Self::Clear)];
}

/// Where source maps come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceMaps {
    /// From local pages and allowed origins, and from the project's folder.
    Auto,
    /// From the project's folder alone.
    Disk,
    Off,
}

impl Word for SourceMaps {
    const ALL: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("disk", Self::Disk), ("off", Self::Off)];
}

/// What is set, after all files, variables and options.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub bind: IpAddr,
    pub port: u16,
    pub allow_origins: Vec<String>,
    pub allow_hosts: Vec<String>,
    /// As it was written; [`Settings::token`] is the secret itself.
    pub(super) token: String,
    pub require_key: bool,
    /// WebSockets open at once.
    pub connections: u64,
    /// Events.
    pub retain: u64,
    /// Bytes.
    pub memory: u64,
    /// Empty for as long as there is room.
    pub(super) retain_age: String,
    /// The filter to start with.
    pub filter: String,
    /// Apply while typing, and not only on Enter.
    pub is_live: bool,
    pub on_reload: OnReload,
    pub theme: ThemeName,
    pub color: Color,
    pub glyphs: GlyphSet,
    pub mouse: bool,
    pub title: bool,
    pub bell: bool,
    pub fps: u64,
    pub times: Times,
    /// Columns that are shown.
    pub stream_columns: Vec<String>,
    pub latency_columns: Vec<String>,
    pub landmarks: Landmarks,
    /// Repeats are one row.
    pub is_folding: bool,
    pub detail: DetailMode,
    /// Milliseconds from which something is slow, and those of requests, renders and long tasks.
    pub slow: u64,
    pub slow_requests: u64,
    pub slow_renders: u64,
    pub slow_tasks: u64,
    /// Templates of paths.
    pub routes: Vec<String>,
    pub group_by: GroupBy,
    pub window: Window,
    pub baseline: Baseline,
    /// Failed requests count in percentiles.
    pub has_failures: bool,
    /// Folder that exports are proposed in.
    pub export_dir: String,
    /// Parts that exports leave out unless told otherwise.
    pub leave_out: Vec<String>,
    /// `local` or the name of a zone.
    pub zone: String,
    /// The project's folder.
    pub source_root: String,
    pub source_maps: SourceMaps,
    /// Beginnings of addresses and source names, and what stands for them in the project.
    pub source_map: Vec<(String, String)>,
    /// Parts of paths that are libraries' beside those that are known.
    pub source_libraries: Vec<String>,
    /// Empty where the environment decides.
    pub editor: String,
    pub saved: Vec<Saved>,
    /// A file that everything is recorded in; empty for none.
    pub record: String,
    /// A file for what taillight says of itself; empty for none.
    pub log_file: String,
    /// With where each was set.
    pub sinks: Vec<(sinks::Setting, String)>,
    /// With where it was set.
    pub signal: (Signal, String),
    pub alerts: Vec<alerts::Rule>,
    pub keys: Vec<OwnKey>,
    /// Where each value came from, in the order of the table.
    pub(super) origins: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8245,
            allow_origins: Vec::new(),
            allow_hosts: Vec::new(),
            token: String::new(),
            require_key: false,
            connections: ingest::CONNECTIONS,
            retain: 1_000_000,
            memory: 256 << 20,
            retain_age: String::new(),
            filter: String::new(),
            is_live: true,
            on_reload: OnReload::Divider,
            theme: ThemeName::Auto,
            color: Color::Auto,
            glyphs: GlyphSet::Auto,
            mouse: false,
            title: true,
            bell: false,
            fps: 30,
            times: Times::Clock,
            stream_columns: owned(STREAM_COLUMNS),
            latency_columns: owned(LATENCY_COLUMNS),
            landmarks: Landmarks::Loads,
            is_folding: true,
            detail: DetailMode::Beside,
            slow: 1_000,
            slow_requests: 500,
            slow_renders: 50,
            slow_tasks: 200,
            routes: Vec::new(),
            group_by: GroupBy::MessageAndFrame,
            window: Window::Load,
            baseline: Baseline::Previous,
            has_failures: true,
            export_dir: ".".to_owned(),
            leave_out: Vec::new(),
            zone: "local".to_owned(),
            source_root: ".".to_owned(),
            source_maps: SourceMaps::Auto,
            source_map: Vec::new(),
            source_libraries: Vec::new(),
            editor: String::new(),
            saved: vec![problems()],
            record: String::new(),
            log_file: String::new(),
            sinks: Vec::new(),
            signal: <(Signal, String)>::default(),
            alerts: alerts::usual(),
            keys: Vec::new(),
            origins: vec!["default".to_owned(); SETTINGS.len()],
        }
    }
}

impl Settings {
    /// Takes over what a file sets, and says what of it cannot be used. A project's file that is not trusted sets
    /// looks and filters only.
    pub fn take_file(&mut self, text: &str, path: &str, owner: Owner, is_trusted: bool) -> Vec<Complaint> {
        let document = match Document::parse(text) {
            Ok(document) => document,
            Err(error) => {
                let message = format!("{} (nothing of this file counts)", error.message().replace('\n', " "));
                return vec![Complaint::new(text, error.span(), message)];
            }
        };
        let is_trusted = is_trusted || owner != Owner::Project;
        let mut reader = Reader { text, path, owner, is_trusted, said: Vec::new() };
        self.take_table(document.as_table(), "", &mut reader);
        reader.said
    }

    fn take_table(&mut self, table: &dyn TableLike, prefix: &str, reader: &mut Reader<'_>) {
        for (name, item) in table.iter() {
            let key = format!("{prefix}{name}");
            let section = SECTIONS.iter().find(|section| section.name == key);
            let is_group = SETTINGS.iter().any(|setting| setting.key.starts_with(&format!("{key}.")));
            if let Some(setting) = position(&key).map(|at| &SETTINGS[at]) {
                self.take_item(setting, table, name, item, reader);
            } else if let Some(section) = section {
                if reader.may_set(section.project) {
                    (section.read)(self, item, reader);
                } else {
                    reader.complain_key(table, name, not_trusted(section.form));
                }
            } else if let (true, Some(group)) = (is_group, item.as_table_like()) {
                self.take_table(group, &format!("{key}."), reader);
            } else if is_group {
                reader.complain(item.span(), format!("{key} is a table: [{key}]"));
            } else {
                reader.complain_key(table, name, unknown(&key));
            }
        }
    }

    fn take_item(
        &mut self,
        setting: &Setting,
        table: &dyn TableLike,
        name: &str,
        item: &Item,
        reader: &mut Reader<'_>,
    ) {
        if !reader.may_set(setting.project) {
            return reader.complain_key(table, name, not_trusted(setting.key));
        }
        match setting.kind.of_item(item) {
            Some(value) => {
                let place = reader.place(table.key(name).and_then(toml_edit::Key::span));
                self.put(setting, value, place);
            }
            None => {
                let (message, at) = setting.kind.refusal(setting.key, item.as_str());
                reader.complain(at.map_or(item.span(), |at| place_in(item, at)), message);
            }
        }
    }

    /// How long events are kept in memory, in milliseconds; `None` for as long as there is room.
    pub fn retain_age_ms(&self) -> Option<i64> {
        crate::options::span_ms(&self.retain_age).and_then(|ms| i64::try_from(ms).ok())
    }

    /// Takes over the variables `TAILLIGHT_…`, and says which cannot be used.
    pub fn take_variables(&mut self, variables: impl IntoIterator<Item = (String, String)>) -> Vec<String> {
        let mut said = Vec::new();
        for (name, text) in variables {
            if !name.starts_with("TAILLIGHT_") || OTHER_VARIABLES.contains(&name.as_str()) {
                continue;
            }
            let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == name) else {
                let known: Vec<String> =
                    SETTINGS.iter().map(|setting| variable(setting.key).to_lowercase()).collect();
                let meant = nearest(&name, known.iter().map(String::as_str));
                let meant =
                    meant.map(|meant| format!(" Did you mean {}?", meant.to_uppercase())).unwrap_or_default();
                said.push(format!("{name}: unknown setting in the environment.{meant}"));
                continue;
            };
            match setting.kind.of_text(&text) {
                Some(value) => self.put(setting, value, name),
                None => said.push(format!("{name}: {}", setting.kind.refusal(setting.key, Some(&text)).0)),
            }
        }
        said
    }

    /// Takes over options, which have been checked; lists are added to, all else is replaced.
    pub fn take_flags(&mut self, flags: impl IntoIterator<Item = (&'static Setting, Vec<Value>)>) {
        for (setting, values) in flags {
            let origin = match setting.flag {
                Flag::Value(name, _) | Flag::Switch(name, _) => format!("--{name}"),
                Flag::None => continue,
            };
            for value in values {
                let value = match (setting.value(self), value) {
                    (Value::List(before), Value::List(more)) => Value::List([before, more].concat()),
                    (_, value) => value,
                };
                self.put(setting, value, origin.clone());
            }
        }
    }

    /// Sets `key` to what a person typed; gives the setting.
    ///
    /// # Errors
    /// With what is allowed, if it is no setting or no value of it.
    pub fn set(&mut self, key: &str, text: &str) -> Result<&'static Setting, String> {
        let setting = position(key).map(|at| &SETTINGS[at]).ok_or_else(|| unknown(key))?;
        let refused = || setting.kind.refusal(key, Some(text)).0;
        let value = setting.kind.of_text(text).ok_or_else(refused)?;
        self.put(setting, value, ":set".to_owned());
        Ok(setting)
    }

    /// Where the value of `setting` came from: `default`, a file with its line, a variable, an option.
    pub fn origin(&self, setting: &Setting) -> &str {
        position(setting.key).and_then(|at| self.origins.get(at)).map_or("default", String::as_str)
    }

    /// Alerts that are sent to a sink which is not set.
    pub fn stray_alerts(&self) -> Vec<String> {
        let is_sink = |name: &String| {
            let is_recorder = name == "record" && !self.record.is_empty();
            is_recorder || self.sinks.iter().any(|(sink, _)| sink.name == *name)
        };
        let stray = |rule: &alerts::Rule| {
            let sink = rule.sinks.iter().find(|name| !is_sink(name))?;
            let name = &rule.name;
            Some(format!("{}: alerts: `{name}` is sent to the sink `{sink}`, which is not set", rule.origin))
        };
        self.alerts.iter().filter_map(stray).collect()
    }

    /// The token as it was written: itself, `env:NAME` or `file:PATH`; `None` where there is none.
    pub fn token(&self) -> Option<&str> {
        Some(self.token.as_str()).filter(|token| !token.is_empty())
    }

    pub(super) fn put(&mut self, setting: &Setting, value: Value, origin: String) {
        (setting.at)(self).put(value);
        if let Some(known) = position(setting.key).and_then(|at| self.origins.get_mut(at)) {
            *known = origin;
        }
    }
}

/// The saved filter that is there without any file.
fn problems() -> Saved {
    Saved {
        name: "problems".to_owned(),
        text: "(level>=warn or is:failed or is:slow)".to_owned(),
        owner: Owner::BuiltIn,
        place: String::new(),
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Variables of that form that are no settings.
const OTHER_VARIABLES: [&str; 1] = ["TAILLIGHT_CONFIG"];

fn not_trusted(what: &str) -> String {
    format!("{what} does not count: this file comes with the repository (`taillight trust` lets it)")
}

fn unknown(key: &str) -> String {
    let known = SETTINGS.iter().map(|setting| setting.key).chain(SECTIONS.iter().map(|section| section.name));
    let meant = match nearest(key, known) {
        Some(meant) => format!("Did you mean {meant}?"),
        None => "`taillight config` lists all there are".to_owned(),
    };
    format!("unknown setting {key}. {meant}")
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_of(text: &str, owner: Owner) -> (Settings, Vec<String>) {
        let mut settings = Settings::default();
        let said =
            settings.take_file(text, "c.toml", owner, false).iter().map(Complaint::to_string).collect();
        (settings, said)
    }

    pub(in crate::config) fn read(text: &str) -> (Settings, Vec<String>) {
        read_of(text, Owner::User)
    }

    #[test]
    fn what_is_set_counts_and_the_rest_is_told_where_it_is() {
        let text = "filter = \"level>=warn\"\nlive = false\non-reload = \"clear\"\nbuffer.events = 5\n[filters]\nslow = \"is:slow\"\n";
        let (settings, said) = read(text);
        assert!(said.is_empty(), "{said:?}");
        assert_eq!(
            (settings.filter.as_str(), settings.is_live, settings.on_reload, settings.retain),
            ("level>=warn", false, OnReload::Clear, 5)
        );
        let names: Vec<_> = settings.saved.iter().map(|saved| (saved.name.as_str(), saved.owner)).collect();
        assert_eq!(names, [("problems", Owner::BuiltIn), ("slow", Owner::User)]);
        let origin = |key: &str| settings.origin(&SETTINGS[position(key).expect("a key")]).to_owned();
        assert_eq!((origin("port"), origin("buffer.events")), ("default".into(), "c.toml, line 4".into()));
    }

    #[test]
    fn every_mistake_names_line_key_and_what_is_allowed() {
        for (text, owner, expected) in [
            ("filtr = \"x\"", Owner::User, "line 1, column 1: unknown setting filtr. Did you mean filter?"),
            (
                "zzzz = 1",
                Owner::User,
                "line 1, column 1: unknown setting zzzz. `taillight config` lists all there are",
            ),
            (
                "[buffer]\nevnts = 1",
                Owner::User,
                "line 2, column 1: unknown setting buffer.evnts. Did you mean buffer.events?",
            ),
            ("buffer = 1", Owner::User, "line 1, column 10: buffer is a table: [buffer]"),
            ("live = 1", Owner::User, "line 1, column 8: live is true or false"),
            ("\nport = 70000", Owner::User, "line 2, column 8: port is a number from 0 to 65535"),
            ("on-reload = \"wipe\"", Owner::User, "line 1, column 13: on-reload is divider or clear"),
            (
                "token = \"hush\"",
                Owner::User,
                "line 1, column 9: token is \"env:NAME\" or \"file:PATH\", where the secret itself is",
            ),
            (
                "allow-origins = [\"*\"]",
                Owner::User,
                "line 1, column 17: allow-origins is a list, each an origin such as https://staging.example:8443",
            ),
            ("filters = 3", Owner::User, "line 1, column 11: filters is a table: [filters]"),
            (
                "[filters]\nok = \"a\"\n\"a b\" = \"x\"",
                Owner::User,
                "line 3, column 1: `a b` is no name for a filter: letters, digits, - and _",
            ),
            (
                "[filters]\nn = 5",
                Owner::User,
                "line 2, column 5: n is a filter in quotes, as in n = \"status>=500\"",
            ),
            (
                "live = true\nbind = \"0.0.0.0\"",
                Owner::Project,
                "line 2, column 1: bind does not count: this file comes with the repository (`taillight trust` lets it)",
            ),
        ] {
            let (settings, said) = read_of(text, owner);
            assert_eq!(said, [expected], "{text}");
            let defaults = Settings::default();
            assert_eq!((settings.bind, settings.port), (defaults.bind, defaults.port), "{text}");
        }
    }

    #[test]
    fn a_project_may_set_looks_and_filters_and_the_rest_once_it_is_trusted() {
        for setting in &SETTINGS {
            let text = format!("{} = {}", setting.key, setting.written(&Settings::default()));
            for (is_trusted, counts) in
                [(false, setting.project == super::super::table::Project::Free), (true, true)]
            {
                let mut settings = Settings::default();
                let said = settings.take_file(&text, "p", Owner::Project, is_trusted);
                assert_eq!(said.is_empty(), counts, "{text}: {said:?}");
                assert_eq!(settings.origin(setting) == "p, line 1", counts, "{text}");
            }
        }
    }

    #[test]
    fn variables_and_options_come_after_files() {
        let (mut settings, _) = read("port = 1\nallow-hosts = [\"a.test\"]");
        let variables = [
            ("TAILLIGHT_PORT", "2"),
            ("TAILLIGHT_BUFFER_MB", "64"),
            ("TAILLIGHT_LIVE", "perhaps"),
            ("TAILLIGHT_PROT", "3"),
            ("TAILLIGHT_CONFIG", "x"),
            ("HOME", "/"),
        ];
        let said = settings.take_variables(variables.map(|(name, text)| (name.to_owned(), text.to_owned())));
        assert_eq!(
            said,
            [
                "TAILLIGHT_LIVE: live is true or false",
                "TAILLIGHT_PROT: unknown setting in the environment. Did you mean TAILLIGHT_PORT?"
            ]
        );
        assert_eq!((settings.port, settings.memory), (2, 64 << 20));
        let setting = |key| &SETTINGS[position(key).expect("a key")];
        let host = Value::List(vec!["b.test".to_owned()]);
        settings
            .take_flags([(setting("port"), vec![Value::Number(4)]), (setting("allow-hosts"), vec![host])]);
        assert_eq!((settings.port, settings.allow_hosts.join(" ").as_str()), (4, "a.test b.test"));
        assert_eq!(settings.origin(setting("port")), "--port");
    }

    #[test]
    fn what_is_typed_is_checked_as_in_a_file() {
        let mut settings = Settings::default();
        assert_eq!(settings.set("fps", "10").expect("a setting").key, "fps");
        assert_eq!((settings.fps, settings.origin(&SETTINGS[position("fps").expect("there")])), (10, ":set"));
        assert_eq!(settings.set("fps", "99").expect_err("too many"), "fps is a number from 1 to 30");
        assert_eq!(settings.set("fpz", "9").expect_err("unknown"), "unknown setting fpz. Did you mean fps?");
    }

    #[test]
    fn a_broken_line_is_shown_with_a_caret_and_nothing_of_its_file_counts() {
        let mut settings = Settings::default();
        let said = settings.take_file("live = false\nfilter \"x\"\n", "c", Owner::User, false);
        assert!(settings.is_live && said.len() == 1);
        assert_eq!(said[0].place, "line 2, column 8");
        assert_eq!(said[0].drawing, "    filter \"x\"\n           ^");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(filters|live|buffer|port|events|[0-9]|\\.|\\[|\\]|=|\"|\n|é|a|-){0,20}") {
            read_of(&text, Owner::Project);
        }

        #[test]
        fn any_word_is_a_value_or_refused(key in 0..SETTINGS.len(), text in "\\PC{0,12}") {
            let mut settings = Settings::default();
            let setting = &SETTINGS[key];
            if settings.set(setting.key, &text).is_err() {
                prop_assert_eq!(settings, Settings::default());
            }
        }
    }
}
