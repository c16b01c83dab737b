//! What the settings say about alerts: `[[alerts]]`.

use std::ops::Range;

use toml_edit::Item;

use crate::options::{Check, Complain, Key, Kind, Values, key};

/// What a rule watches of the events that its filter lets through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// How many in the window.
    Count,
    /// How many a second, over the window.
    Rate,
    /// Their share among the events that `of` lets through.
    Share,
    /// A percentile of their durations, in milliseconds.
    Percentile(f64),
}

impl Measure {
    const WORDS: &'static [&'static str] = &["count", "rate", "share", "p50", "p90", "p95", "p99"];

    fn of(word: &str) -> Self {
        match word {
            "rate" => Self::Rate,
            "share" => Self::Share,
            "p50" => Self::Percentile(0.5),
            "p90" => Self::Percentile(0.9),
            "p95" => Self::Percentile(0.95),
            "p99" => Self::Percentile(0.99),
            _ => Self::Count,
        }
    }

    /// A value as people write it.
    pub fn written(self, value: f64) -> String {
        let rounded = |value: f64| (value * 10.0).round() / 10.0;
        match self {
            Self::Count => value.to_string(),
            Self::Rate => format!("{}/s", rounded(value)),
            Self::Share => format!("{} %", rounded(value * 100.0)),
            Self::Percentile(_) => format!("{} ms", value.round()),
        }
    }
}

/// What is counted apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// Nothing: all events together.
    #[default]
    All,
    Group,
    Endpoint,
    Session,
    Id,
}

impl By {
    const WORDS: &'static [&'static str] = &["all", "group", "endpoint", "session", "id"];

    fn of(word: &str) -> Self {
        match word {
            "group" => Self::Group,
            "endpoint" => Self::Endpoint,
            "session" => Self::Session,
            "id" => Self::Id,
            _ => Self::All,
        }
    }
}

/// Characters of a name.
const MAX_NAME: usize = 60;
const NAME: Check = Check {
    what: "a name of 1 to 60 characters",
    check: |text| Check::when(!text.trim().is_empty() && text.chars().count() <= MAX_NAME),
};

/// The keys of an alert.
pub const ALERT: &[Key] = &[
    key("name", Kind::Text(NAME), "", "its name; \"same error\" is the one that is there by default"),
    key("enabled", Kind::Flag, "true", "whether it is watched"),
    key("filter", Kind::Filter, "", "the events it is about"),
    key("by", Kind::Word(By::WORDS), "\"all\"", "what is counted apart"),
    key(
        "measure",
        Kind::Word(Measure::WORDS),
        "\"count\"",
        "what is measured: how many, how many a second, their share among `of`, a percentile of their durations in ms",
    ),
    key("of", Kind::Filter, "", "what a share is a share of; everything where it is not set"),
    key("window", Kind::Span, "\"5m\"", "the time that is looked at, up to a day"),
    key("at-least", Kind::Real, "", "it holds from here on"),
    key("until-below", Kind::Real, "", "and ends below this; at-least where it is not set"),
    key(
        "min-events",
        Kind::Count { from: 0, to: 1_000_000 },
        "1",
        "a share or percentile of fewer events says nothing",
    ),
    key("for", Kind::Span, "\"0s\"", "how long it must hold before it is told"),
    key("cool-down", Kind::Span, "\"5m\"", "after its end it is not told again for so long"),
    key(
        "sinks",
        Kind::List(Check::ANY),
        "",
        "the sinks it is sent to, whatever they select but for their limits; all where it is not set",
    ),
    key("bell", Kind::Flag, "false", "ring the terminal's bell"),
    key("notify", Kind::Flag, "false", "show a notification of the terminal (OSC 9 and 777)"),
];

/// Alerts that are read; those beyond are left out.
const MAX_RULES: usize = 50;
/// The shortest and the longest window, in milliseconds.
const WINDOW: (&str, u64, u64) = ("window", 1_000, 86_400_000);

/// One alert as set.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub name: String,
    pub(super) filter: String,
    pub(super) by: By,
    pub measure: Measure,
    pub(super) of: String,
    pub window_ms: u64,
    pub at_least: f64,
    pub(super) until_below: f64,
    pub(super) min_events: u64,
    pub(super) for_ms: u64,
    pub(super) cool_down_ms: u64,
    /// Where it goes; everywhere if empty.
    pub sinks: Vec<String>,
    pub rings_bell: bool,
    pub notifies: bool,
    /// As read, for whoever shows the settings.
    pub values: Values,
    /// Where it was set.
    pub origin: String,
}

impl Rule {
    fn of(values: Values, origin: String) -> Result<Self, String> {
        let name = values.text("name").to_owned();
        if name.is_empty() {
            return Err("an alert needs a name".to_owned());
        }
        let at_least = values.real("at-least").ok_or_else(|| format!("`{name}` needs at-least"))?;
        if at_least <= 0.0 {
            return Err(format!("`{name}`: at-least is more than 0"));
        }
        if Measure::of(values.text("measure")) == Measure::Share && at_least > 1.0 {
            return Err(format!("`{name}`: a share is at most 1: at-least = 0.05 is five in a hundred"));
        }
        let until_below = values.real("until-below").unwrap_or(at_least);
        if until_below > at_least {
            return Err(format!("`{name}`: until-below is at most at-least"));
        }
        Ok(Self {
            filter: values.text("filter").to_owned(),
            by: By::of(values.text("by")),
            measure: Measure::of(values.text("measure")),
            of: values.text("of").to_owned(),
            window_ms: values.number("window"),
            at_least,
            until_below,
            min_events: values.number("min-events"),
            for_ms: values.number("for"),
            cool_down_ms: values.number("cool-down"),
            sinks: values.list("sinks").to_vec(),
            rings_bell: values.flag("bell"),
            notifies: values.flag("notify"),
            name,
            values,
            origin,
        })
    }

    /// The document's: the same error five times in five minutes.
    pub fn usual() -> Self {
        let text =
            "name = \"same error\"\nfilter = \"level>=error\"\nby = \"group\"\nat-least = 5\nuntil-below = 1";
        let document: toml_edit::DocumentMut = text.parse().expect("TOML");
        let values = Values::read(&[ALERT], document.as_table(), &[], &mut |_, _| {});
        Self::of(values, "default".to_owned()).expect("a rule")
    }
}

/// The rules that are there without any settings.
pub fn usual() -> Vec<Rule> {
    vec![Rule::usual()]
}

/// Reads the array `alerts` into `rules`: one of the same name takes the place of the one before, one that is not
/// enabled takes it away. `place` says where the bytes of the text are that a rule stands at.
pub fn read(
    rules: &mut Vec<Rule>,
    item: &Item,
    place: &dyn Fn(Option<Range<usize>>) -> String,
    complain: &mut Complain<'_>,
) {
    let Some(tables) = item.as_array_of_tables() else {
        return complain(item.span(), "alerts are tables: [[alerts]]".to_owned());
    };
    let mut names: Vec<String> = Vec::new();
    for table in tables {
        let mut is_fine = true;
        let mut values = Values::read(&[ALERT], table, &[], &mut |span, message| {
            is_fine = false;
            complain(span, format!("alerts: {message}"));
        });
        values.keep_within(table, WINDOW, &mut |span, message| complain(span, format!("alerts: {message}")));
        let name = values.text("name").to_owned();
        if values.is_written("of") && values.text("measure") != "share" {
            complain(
                table.span(),
                format!("alerts: `{name}`: of changes nothing unless measure is \"share\""),
            );
        }
        if names.contains(&name) {
            complain(table.span(), format!("alerts: `{name}` stands here twice, and the later one counts"));
        }
        names.push(name);
        if !is_fine {
            continue;
        }
        if !values.flag("enabled") {
            rules.retain(|known| known.name != values.text("name"));
            continue;
        }
        match Rule::of(values, place(table.span())) {
            Err(why) => complain(table.span(), format!("alerts: {why}")),
            Ok(rule) => match rules.iter().position(|known| known.name == rule.name) {
                Some(known) => rules[known] = rule,
                None if rules.len() >= MAX_RULES => {
                    complain(table.span(), format!("only the first {MAX_RULES} alerts count"));
                }
                None => rules.push(rule),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_replaced_and_taken_away() {
        for (text, names, said) in [
            ("", vec!["same error"], vec![]),
            (
                "[[alerts]]\nname = \"slow\"\nmeasure = \"p95\"\nat-least = 500",
                vec!["same error", "slow"],
                vec![],
            ),
            ("[[alerts]]\nname = \"same error\"\nenabled = false", vec![], vec![]),
            ("[[alerts]]\nname = \"x\"", vec!["same error"], vec!["alerts: `x` needs at-least"]),
            (
                "[[alerts]]\nname = \"x\"\nat-least = 0",
                vec!["same error"],
                vec!["alerts: `x`: at-least is more"],
            ),
            ("[[alerts]]\nat-least = 1", vec!["same error"], vec!["alerts: an alert needs a name"]),
            (
                "[[alerts]]\nname = \"x\"\nat-least = 1\nuntil-below = 2",
                vec!["same error"],
                vec!["alerts: `x`: until-below is at most at-least"],
            ),
            (
                "[[alerts]]\nname = \"x\"\nat-least = 1\nfilter = \"since:5m\"",
                vec!["same error"],
                vec!["alerts: filter: here a filter can only ask about the event itself"],
            ),
            (
                "[[alerts]]\nname = \"x\"\nat-least = 1\nfilter = \"level:wran\"",
                vec!["same error"],
                vec!["alerts: filter: unknown level `wran`. Did you mean warn?"],
            ),
            (
                "[[alerts]]\nname = \"x\"\nat-least = 5\nmeasure = \"share\"",
                vec!["same error"],
                vec!["alerts: `x`: a share is at most 1"],
            ),
            (
                "[[alerts]]\nname = \"x\"\nat-least = 1\nof = \"level:error\"\n[[alerts]]\nname = \"x\"\nat-least = 2",
                vec!["same error", "x"],
                vec![
                    "alerts: `x`: of changes nothing unless measure is \"share\"",
                    "alerts: `x` stands here twice, and the later one counts",
                ],
            ),
            (
                "[[alerts]]\nname = \"x\"\nat-least = 1\nwindow = \"3d\"",
                vec!["same error", "x"],
                vec!["alerts: window is a time from 1s to 1d: 1d counts"],
            ),
            ("alerts = 3", vec!["same error"], vec!["alerts are tables: [[alerts]]"]),
        ] {
            let document = toml_edit::Document::parse(text.to_owned()).expect("toml");
            let (mut rules, mut complaints) = (usual(), Vec::new());
            if let Some(item) = document.get("alerts") {
                read(&mut rules, item, &|_| String::new(), &mut |_, message| complaints.push(message));
            }
            assert_eq!(rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), names, "{text}");
            assert_eq!(complaints.len(), said.len(), "{complaints:?}");
            assert!(complaints.iter().zip(said).all(|(one, start)| one.starts_with(start)), "{complaints:?}");
        }
    }
}
