//! The signal stages: which events pass, and what is changed about them, before they go to ring and sinks.
//!
//! A [`Signal`] is what the section `[signal]` of the settings says, [`Signals`] is that at work. `ingest` holds it, asks
//! which rows of a batch pass, then for the new text of those that are to be changed. It counts nothing and reads no
//! clock; what it needs of the environment is read when the settings are.

use toml_edit::{Item, TableLike};

use super::edit::{Edit, MAX_PATH, edited, quoted};
use super::keys::{Rules, is_built_in, is_usable_key};
use super::selection::{SELECTION, Selected, Selection, Selector, matcher, matching};
use crate::event::{Chunk, EventRef, Flags, Timestamp, json};
use crate::filter::Matcher;
use crate::options::{Check, Complain, Key, Kind, Value, Values, key, span_of};

const PATH: Check = Check {
    what: "a path such as \"context.email\"",
    check: |text| {
        let parts = text.split('.').count();
        Check::when(parts <= MAX_PATH && text.split('.').all(|part| !part.trim().is_empty()))
    },
};
const NAME: Check = Check { what: "a name", check: |text| (Check::ANY.check)(text) };
const KEY_NAME: Check =
    Check { what: "a key's name: letters, digits, - and _", check: |text| Check::when(is_usable_key(text)) };

/// The keys of `[signal]` beside those of a selection.
pub const SIGNAL: &[Key] = &[
    key("ring", Kind::Word(&["all", "passing"]), "\"all\"", "whether screen and tail see what does not pass"),
    key(
        "enrich",
        Kind::Map { name: NAME, value: &Kind::Text(Check::ANY) },
        "",
        "added to every event that has no such key; \"env:NAME\" is a variable, \"host\" this machine's name",
    ),
    key(
        "summary-window",
        Kind::Span,
        "\"1m\"",
        "how long an endpoint is summed up, from a second to an hour",
    ),
    key(
        "summary-late",
        Kind::Span,
        "\"2m\"",
        "how long after that what is late is counted in, up to an hour",
    ),
    key(
        "summary-silence",
        Kind::Span,
        "\"30m\"",
        "a session is summed up after so long without an event, a second to a day",
    ),
    key(
        "secrets-on-screen",
        Kind::Flag,
        "false",
        "the screen shows secrets as they are sent; what leaves it has none",
    ),
    key(
        "secrets-outside",
        Kind::Flag,
        "false",
        "sinks, recordings, exports and tail have them too, with secrets-on-screen",
    ),
    key("redact", Kind::List(KEY_NAME), "", "further keys whose values are never kept"),
    key(REDACT_NOT, Kind::List(KEY_NAME), "", "keys of the built-in list that are let through"),
];

/// The keys of one `[[signal.transforms]]`, carried out in this order.
pub const TRANSFORM: &[Key] = &[
    key(WHEN, Kind::Filter, "", "only events that match this filter"),
    key("drop", Kind::List(PATH), "", "take these values out"),
    key("rename", Kind::Map { name: PATH, value: &Kind::Text(NAME) }, "", "give values another name"),
    key("set", Kind::Map { name: PATH, value: &Kind::Scalar }, "", "set values"),
    key("mask", Kind::List(PATH), "", "ann@example.com becomes ann@***, everything else ***"),
    key(
        "truncate",
        Kind::Map { name: PATH, value: &Kind::Count { from: 0, to: 1_000_000 } },
        "",
        "characters left of texts",
    ),
];

/// Transforms that are read; those beyond are left out.
const MAX_TRANSFORMS: usize = 50;

/// The keys of [`SummaryTimes`], each with the least and the most it may be, in milliseconds.
const TIMES: [(&str, u64, u64); 3] = [
    ("summary-window", 1_000, 3_600_000),
    ("summary-late", 0, 3_600_000),
    ("summary-silence", 1_000, 86_400_000),
];

/// The key of a transform that says which events it is for.
const WHEN: &str = "when";
const REDACT_NOT: &str = "redact-not";
const ON_SCREEN: &str = "secrets-on-screen";
const OUTSIDE: &str = "secrets-outside";

/// When summaries close, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SummaryTimes {
    /// How long an endpoint's requests are summed up.
    pub window_ms: u64,
    /// How long after that what is late is counted in.
    pub late_ms: u64,
    /// A session closes after so long without an event.
    pub silence_ms: u64,
}

impl Default for SummaryTimes {
    fn default() -> Self {
        Self { window_ms: 60_000, late_ms: 120_000, silence_ms: 1_800_000 }
    }
}

/// What the settings say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signal {
    values: Values,
    transforms: Vec<Values>,
}

impl Signal {
    /// Reads the table `signal`.
    pub fn read(table: &dyn TableLike, complain: &mut Complain<'_>) -> Self {
        let say =
            |complain: &mut Complain<'_>, span, message: String| complain(span, format!("signal: {message}"));
        let mut values = Values::read(&[SELECTION, SIGNAL], table, &["transforms"], &mut |span, message| {
            say(complain, span, message);
        });
        for time in TIMES {
            values.keep_within(table, time, &mut |span, message| say(complain, span, message));
        }
        if let (true, false, Some(item)) = (values.flag(OUTSIDE), values.flag(ON_SCREEN), table.get(OUTSIDE))
        {
            let message = format!("{OUTSIDE} wants {ON_SCREEN} too: what is not in memory cannot leave it");
            say(complain, span_of(table, OUTSIDE, item), message);
        }
        for key in values.list(REDACT_NOT).iter().filter(|key| !is_built_in(key)) {
            let span = table.get(REDACT_NOT).and_then(|item| span_of(table, REDACT_NOT, item));
            say(
                complain,
                span,
                format!("{REDACT_NOT}: {key} is no key of the built-in list, and changes nothing"),
            );
        }
        let mut transforms = Vec::new();
        match table.get("transforms") {
            None => {}
            Some(Item::ArrayOfTables(tables)) => {
                for (number, table) in tables.iter().enumerate() {
                    if number >= MAX_TRANSFORMS {
                        say(
                            complain,
                            table.span(),
                            format!("only the first {MAX_TRANSFORMS} transforms count"),
                        );
                        break;
                    }
                    transforms.push(Values::read(&[TRANSFORM], table, &[], &mut |span, message| {
                        // What is to be masked is masked rather too often than not at all.
                        let so = if message.starts_with(WHEN) { "; it changes every event now" } else { "" };
                        say(complain, span, format!("transforms: {message}{so}"));
                    }));
                }
            }
            Some(other) => {
                say(complain, other.span(), "transforms are tables: [[signal.transforms]]".to_owned())
            }
        }
        Self { values, transforms }
    }

    /// As read, for whoever shows the settings.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// As read, in the order in which they are carried out.
    pub fn transforms(&self) -> &[Values] {
        &self.transforms
    }

    /// When summaries close.
    pub fn times(&self) -> SummaryTimes {
        if self.values == Values::default() {
            return SummaryTimes::default();
        }
        let [window_ms, late_ms, silence_ms] = TIMES.map(|(name, ..)| self.values.number(name));
        SummaryTimes { window_ms, late_ms, silence_ms }
    }

    /// What is changed about redaction of what is kept in memory.
    pub fn rules(&self) -> Rules {
        Rules {
            is_off: self.values.flag(ON_SCREEN),
            extra_keys: self.values.list("redact").to_vec(),
            allowed_keys: self.values.list(REDACT_NOT).to_vec(),
        }
    }

    /// The same for what leaves memory, and for what is read to leave it.
    pub fn rules_outside(&self) -> Rules {
        let rules = self.rules();
        Rules { is_off: rules.is_off && self.values.flag(OUTSIDE), ..rules }
    }

    /// Whether memory has secrets that must not leave it.
    pub fn hides_outside(&self) -> bool {
        self.rules().is_off && !self.rules_outside().is_off
    }
}

/// An event's new text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    pub row: usize,
    pub json: String,
    /// Members were added at its end, from this byte on, and that is all.
    pub added_from: Option<usize>,
    /// Its user, or session, was named by a transform: what the connection knows of it does not count any more.
    pub forgets_user: bool,
    pub forgets_session: bool,
}

/// The stages at work.
#[derive(Debug)]
pub struct Signals {
    signal: Signal,
    selector: Selector,
    ring_sees_all: bool,
    transforms: Vec<Transform>,
    enrich: Vec<Added>,
}

/// A member that is added to events without one of its name.
#[derive(Debug)]
struct Added {
    name: String,
    /// `"name":"value"`.
    member: String,
}

#[derive(Debug)]
struct Transform {
    when: Option<Matcher>,
    edits: Vec<(Vec<String>, Edit)>,
}

impl Default for Signals {
    /// Everything passes as it is.
    fn default() -> Self {
        Self::new(&Signal::default(), 1, "", |_| None)
    }
}

impl Signals {
    /// `seed` is for drawing samples, `host` this machine's name, `variable` looks into the environment.
    pub fn new(signal: &Signal, seed: u64, host: &str, variable: impl Fn(&str) -> Option<String>) -> Self {
        let mut enrich = Vec::new();
        for (name, value) in signal.values.map("enrich") {
            let Value::Text(text) = value else { continue };
            let text = match text.strip_prefix("env:") {
                Some(name) => variable(name).unwrap_or_default(),
                None if text == "host" => host.to_owned(),
                None => text.clone(),
            };
            if !text.is_empty() {
                let member = format!("{}:{}", quoted(name), quoted(&text));
                enrich.push(Added { name: name.clone(), member });
            }
        }
        let is_set = signal.values != Values::default();
        let selection = if is_set { Selection::of(&signal.values) } else { Selection::default() };
        Self {
            selector: Selector::new(selection, seed),
            ring_sees_all: signal.values.text("ring") != "passing",
            transforms: signal.transforms.iter().map(Transform::of).collect(),
            enrich,
            signal: signal.clone(),
        }
    }

    /// The settings it was made of.
    pub fn signal(&self) -> &Signal {
        &self.signal
    }

    /// Whether the ring has what does not pass, too.
    pub fn ring_sees_all(&self) -> bool {
        self.ring_sees_all
    }

    /// Whether nothing is ever stopped or changed.
    pub fn is_idle(&self) -> bool {
        self.selector.is_all() && self.transforms.is_empty() && self.enrich.is_empty()
    }

    /// The rows that pass at `now`. What taillight made itself always does.
    pub fn select(&mut self, chunk: &Chunk, now: Timestamp) -> Selected {
        self.selector.select_but(chunk, now, |row| chunk.flags()[row].has(Flags::OWN))
    }

    /// The rows whose text is to be another, in rising order. What taillight made itself stays as it is.
    pub fn rewrite(&mut self, chunk: &Chunk) -> Vec<Rewritten> {
        if self.transforms.is_empty() && self.enrich.is_empty() {
            return Vec::new();
        }
        let meant: Vec<Vec<bool>> =
            self.transforms.iter_mut().map(|transform| transform.meant(chunk)).collect();
        let rewrite = |(row, event): (usize, EventRef<'_>)| {
            if event.flags().has(Flags::OWN) { None } else { self.rewritten(row, event, &meant) }
        };
        chunk.events().enumerate().filter_map(rewrite).collect()
    }

    fn rewritten(&self, row: usize, event: EventRef<'_>, meant: &[Vec<bool>]) -> Option<Rewritten> {
        let mut changed = Changed { event, json: None, forgets_user: false, forgets_session: false };
        for (transform, meant) in self.transforms.iter().zip(meant) {
            if meant.get(row) == Some(&true) {
                transform.edits.iter().for_each(|(path, edit)| changed.apply(path, edit));
            }
        }
        let Changed { json, forgets_user, forgets_session, .. } = changed;
        let is_same = json.is_none();
        let added = self.added(json.as_deref().unwrap_or(event.json()));
        let added_from = added.as_ref().filter(|_| is_same).map(|(_, from)| *from);
        let json = added.map(|(json, _)| json).or(json)?;
        Some(Rewritten { row, json, added_from, forgets_user, forgets_session })
    }

    /// `object` with what it has not, and where that begins.
    fn added(&self, object: &str) -> Option<(String, usize)> {
        let missing = |added: &&Added| json::get(object, &added.name).is_none();
        let mut missing = self.enrich.iter().filter(missing).peekable();
        missing.peek()?;
        let end = object.trim_end().strip_suffix('}')?.trim_end().len();
        let mut json = object[..end].to_owned();
        for added in missing {
            if !json.ends_with('{') {
                json.push(',');
            }
            json.push_str(&added.member);
        }
        json.push('}');
        Some((json, end))
    }
}

/// An event whose text is being changed.
struct Changed<'a> {
    event: EventRef<'a>,
    json: Option<String>,
    forgets_user: bool,
    forgets_session: bool,
}

impl Changed<'_> {
    fn apply(&mut self, path: &[String], edit: &Edit) {
        let is_named = |name| path.last().is_some_and(|last| json::same_name(last, name));
        let (is_user, is_session) = (is_named("user-id"), is_named("session-id"));
        // What only the connection knows is changed as if the event had said it.
        let known = match path {
            [_] if is_user && !self.forgets_user => self.event.user(),
            [_] if is_session && !self.forgets_session => self.event.session(),
            _ => "",
        };
        let old = self.json.as_deref().unwrap_or(self.event.json());
        let said = path.first().filter(|name| !known.is_empty() && json::get(old, name).is_none());
        let said = said.and_then(|_| edited(old, path, &Edit::Set(quoted(known))));
        if let Some(json) = edited(said.as_deref().unwrap_or(old), path, edit) {
            self.json = Some(json);
            self.forgets_user |= is_user;
            self.forgets_session |= is_session;
        }
    }
}

impl Transform {
    fn of(values: &Values) -> Self {
        let path = |text: &str| text.split('.').map(|part| part.trim().to_owned()).collect::<Vec<_>>();
        let mut edits: Vec<(Vec<String>, Edit)> = Vec::new();
        edits.extend(values.list("drop").iter().map(|text| (path(text), Edit::Drop)));
        for (text, value) in values.map("rename") {
            if let Value::Text(name) = value {
                edits.push((path(text), Edit::Rename(name.clone())));
            }
        }
        for (text, value) in values.map("set") {
            let json = match value {
                Value::Text(text) => quoted(text),
                other => other.to_string(),
            };
            edits.push((path(text), Edit::Set(json)));
        }
        edits.extend(values.list("mask").iter().map(|text| (path(text), Edit::Mask)));
        for (text, value) in values.map("truncate") {
            if let Value::Number(length) = value {
                edits.push((path(text), Edit::Truncate(*length)));
            }
        }
        Self { when: matcher(values.text(WHEN)), edits }
    }

    /// Which rows it is about.
    fn meant(&mut self, chunk: &Chunk) -> Vec<bool> {
        match &mut self.when {
            None => vec![true; chunk.len()],
            Some(matcher) => matching(matcher, chunk),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{ChunkBuilder, Msg, Row};

    fn read(text: &str) -> (Signal, Vec<String>) {
        let document = toml_edit::Document::parse(text.to_owned()).expect("toml");
        let mut said = Vec::new();
        let signal = Signal::read(document.as_table(), &mut |span, message| {
            assert!(span.is_some(), "{message}");
            said.push(message);
        });
        (signal, said)
    }

    fn chunk(json: &str, flags: Flags) -> Chunk {
        chunk_of(json, flags, "")
    }

    fn chunk_of(json: &str, flags: Flags, user: &str) -> Chunk {
        let mut builder = ChunkBuilder::new();
        builder.push(&Row {
            flags,
            id: "app/login",
            ns: "app.login",
            user,
            source: "browser",
            msg: Msg::Text("m"),
            json,
            ..Row::default()
        });
        builder.finish()
    }

    #[test]
    fn transforms_follow_each_other_where_their_filter_holds_and_enrichment_adds_what_is_missing() {
        let text = r#"
            enrich = { server-id = "env:SERVER_ID", region = "eu", machine = "host", gone = "env:NONE" }
            [[transforms]]
            when = "id:app/login"
            rename = { "who.mail" = "e-mail" }
            drop = "secret-ish"
            set = { "plan.tier" = 2, "ok" = true }
            [[transforms]]
            mask = ["who.e-mail"]
            truncate = { "text" = 3 }
            [[transforms]]
            when = "id:other"
            drop = ["who"]
        "#;
        let (signal, said) = read(text);
        assert_eq!(said, [""; 0]);
        let variable = |name: &str| (name == "SERVER_ID").then(|| "prod-01".to_owned());
        let mut signals = Signals::new(&signal, 1, "box", variable);
        let json = r#"{"who":{"mail":"a@b.c"},"secretIsh":1,"text":"abcdef","region":"us"}"#;
        let rewritten = signals.rewrite(&chunk(json, Flags::NONE));
        let expected = r#"{"who":{"e-mail":"a@***"},"text":"abc…","region":"us","plan":{"tier":2},"ok":true,"server-id":"prod-01","machine":"box"}"#;
        assert_eq!(rewritten[0].json, expected);
        assert!(!rewritten[0].forgets_user && rewritten[0].added_from.is_none());
        assert!(signals.rewrite(&chunk(json, Flags::OWN)).is_empty());
        assert!(!signals.is_idle() && Signals::default().is_idle());
    }

    #[test]
    fn what_is_only_added_is_told_apart() {
        let (signal, _) = read("enrich = { region = \"eu\" }");
        let mut signals = Signals::new(&signal, 1, "", |_| None);
        for (json, expected) in [
            (r#"{"a":1 } "#, Some((r#"{"a":1,"region":"eu"}"#, 6))),
            ("{}", Some((r#"{"region":"eu"}"#, 1))),
            (r#"{"Region":"us"}"#, None),
        ] {
            let rewritten = signals.rewrite(&chunk(json, Flags::NONE));
            let told = rewritten.first().map(|new| (new.json.as_str(), new.added_from.expect("only added")));
            assert_eq!(told, expected, "{json}");
        }
    }

    #[test]
    fn what_only_the_connection_knows_of_a_user_is_changed_too() {
        for (transform, expected) in [
            ("mask = \"user-id\"", r#"{"a":1,"user-id":"ann@***"}"#),
            ("drop = \"user-id\"", r#"{"a":1}"#),
            ("rename = { user-id = \"who\" }", r#"{"a":1,"who":"ann@example.com"}"#),
        ] {
            let (signal, _) = read(&format!("[[transforms]]\n{transform}"));
            let mut signals = Signals::new(&signal, 1, "", |_| None);
            let chunk = chunk_of(r#"{"a":1}"#, Flags::NONE, "ann@example.com");
            let rewritten = signals.rewrite(&chunk);
            assert_eq!((rewritten[0].json.as_str(), rewritten[0].forgets_user), (expected, true));
        }
    }

    #[test]
    fn who_names_a_user_or_session_forgets_what_the_connection_knows_of_it() {
        let (signal, _) = read("[[transforms]]\ndrop = [\"user_id\", \"context.session-id\"]");
        let mut signals = Signals::new(&signal, 1, "", |_| None);
        let rewritten =
            signals.rewrite(&chunk(r#"{"user-id":"u","context":{"sessionId":"s","x":1}}"#, Flags::NONE));
        assert_eq!(rewritten[0].json, r#"{"context":{"x":1}}"#);
        assert!(rewritten[0].forgets_user && rewritten[0].forgets_session);
    }

    #[test]
    fn mistakes_are_told() {
        for (text, expected) in [
            ("min-level = \"loud\"", "signal: min-level is \"trace\""),
            ("transforms = 3", "signal: transforms are tables"),
            (
                "[[transforms]]\nwhen = \"level>=\"",
                "signal: transforms: when: level>= needs a value, like level>=warn; it changes every event now",
            ),
            ("[[transforms]]\ndrop = \"a..b\"", "signal: transforms: drop is a list, each a path"),
            ("[[transforms]]\ndelete = \"a\"", "signal: transforms: unknown key delete"),
            ("ring = \"some\"", "signal: ring is \"all\" or \"passing\""),
            (
                "redact-not = [\"accessToken\", \"phone\", \"tokn\"]",
                "signal: redact-not: tokn is no key of the built-in",
            ),
            ("redact = \"a b\"", "signal: redact is a list, each a key's name"),
        ] {
            let (_, said) = read(text);
            assert!(said.len() == 1 && said[0].starts_with(expected), "{text}: {said:?}");
        }
    }

    #[test]
    fn secrets_leave_memory_only_where_both_switches_say_so() {
        for (text, on_screen, outside, complaints) in [
            ("", false, false, 0),
            ("secrets-on-screen = true", true, false, 0),
            ("secrets-on-screen = true\nsecrets-outside = true", true, true, 0),
            ("secrets-outside = true", false, false, 1),
        ] {
            let (signal, said) = read(text);
            let rules = (signal.rules().is_off, signal.rules_outside().is_off);
            assert_eq!((rules, said.len()), ((on_screen, outside), complaints), "{text}: {said:?}");
            assert_eq!(signal.hides_outside(), on_screen && !outside, "{text}");
        }
    }

    #[test]
    fn summaries_close_in_a_time_that_is_allowed() {
        assert_eq!(Signal::default().times(), SummaryTimes::default());
        assert_eq!(read("min-level = \"info\"").0.times(), SummaryTimes::default());
        let (signal, said) =
            read("summary-window = \"0s\"\nsummary-late = \"10s\"\nsummary-silence = \"2d\"");
        let expected = SummaryTimes { window_ms: 1_000, late_ms: 10_000, silence_ms: 86_400_000 };
        assert_eq!(signal.times(), expected);
        assert_eq!(
            said,
            [
                "signal: summary-window is a time from 1s to 1h: 1s counts",
                "signal: summary-silence is a time from 1s to 1d: 1d counts"
            ]
        );
    }
}
