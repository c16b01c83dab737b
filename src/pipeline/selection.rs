//! Which events pass: by level, id, namespace, filter, sample and rate, in this order.
//!
//! The signal stages and every sink have one of their own. A [`Selection`] is what the settings say, a [`Selector`] is
//! one at work; what it stops is counted by stage. Times are passed in.

use std::sync::Arc;

use super::limit::{Limit, Limiter};
use super::pattern::{Allow, Column, Pattern, answers, judge};
use crate::event::{Chunk, Level, Timestamp};
use crate::filter::{Bits, EvalContext, Matcher, read_of_event};
use crate::options::{Check, Key, Kind, Value, Values, key};

/// What can stop an event, in the order it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    MinLevel,
    Id,
    Namespace,
    Filter,
    Sample,
    Limit,
}

impl Stage {
    /// Every stage with its name in counters and settings.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::MinLevel, "min-level"),
        (Self::Id, "id"),
        (Self::Namespace, "namespace"),
        (Self::Filter, "filter"),
        (Self::Sample, "sample"),
        (Self::Limit, "limit"),
    ];
}

const PATTERN: Check = Check {
    what: "a pattern such as \"browser/perf*\" or \"browser.*\"",
    check: |text| Pattern::parse(text).map(drop),
};
const ALLOW: Check =
    Check { what: "`allow` and `disallow`", check: |text| Check::when(matches!(text, "allow" | "disallow")) };
const LIMIT: Check = Check {
    what: "a limit such as \"100 per minute\"",
    check: |text| Check::when(Limit::parse(text).is_some()),
};
/// What `limits` may be.
pub const LIMITS: Kind = Kind::List(LIMIT);
const PATTERNS: Kind = Kind::Map { name: ALLOW, value: &Kind::List(PATTERN) };

/// The keys of a selection.
pub const SELECTION: &[Key] = &[
    key("filter", Kind::Filter, "", "only what matches this filter"),
    key("min-level", Kind::Level, "\"trace\"", "nothing below this level"),
    key(
        "min-levels",
        Kind::Map { name: PATTERN, value: &Kind::Level },
        "",
        "another least level by id or namespace",
    ),
    key("ids", PATTERNS, "", "signal ids to allow and disallow, with wildcards; families too"),
    key("namespaces", PATTERNS, "", "namespaces to allow and disallow, with wildcards"),
    key("sample", Kind::Share, "1", "the share that passes"),
    key("samples", Kind::Map { name: PATTERN, value: &Kind::Share }, "", "another share by id or namespace"),
    key(
        "sample-by",
        Kind::Word(&["event", "session"]),
        "\"event\"",
        "draw for each event, or once for a session",
    ),
    key("limits", LIMITS, "", "no more than this in any such time; several may hold at once"),
];

/// Looks for what the filter `text` says where nothing is known but the event; `None` where it says nothing. One that
/// does not read was refused with the settings, and says nothing.
pub fn matcher(text: &str) -> Option<Matcher> {
    let filter = read_of_event(text).unwrap_or_default();
    let context = || EvalContext { zone: jiff::tz::TimeZone::system(), ..EvalContext::default() };
    (!filter.is_all()).then(|| Matcher::new(Arc::new(filter), context()))
}

/// A value for all, and others for what a pattern names; the first that fits counts.
#[derive(Clone, Debug, PartialEq)]
struct Ruled<T> {
    usual: T,
    rules: Vec<(Column, Pattern, T)>,
}

impl<T: Copy + PartialEq> Ruled<T> {
    fn of(usual: T, map: &[(String, Value)], read: impl Fn(&Value) -> Option<T>) -> Self {
        let rule = |(name, value): &(String, Value)| {
            Some((Column::of(name), Pattern::parse(name).ok()?, read(value)?))
        };
        Self { usual, rules: map.iter().filter_map(rule).collect() }
    }

    fn is_always(&self, value: T) -> bool {
        self.usual == value && self.rules.iter().all(|(.., one)| *one == value)
    }

    /// The value of each row.
    fn each(&self, chunk: &Chunk, mut each: impl FnMut(usize, T)) {
        if self.rules.is_empty() {
            return (0..chunk.len()).for_each(|row| each(row, self.usual));
        }
        let first = |column, name: &str, family: &str| {
            self.rules.iter().position(|(of, pattern, _)| *of == column && answers(pattern, name, family))
        };
        let mut rules: Vec<Option<usize>> = vec![None; chunk.len()];
        judge(
            chunk,
            Column::Id,
            |name, family| first(Column::Id, name, family),
            |row, rule| rules[row] = rule,
        );
        judge(
            chunk,
            Column::Ns,
            |name, family| first(Column::Ns, name, family),
            |row, rule| {
                let earlier = [rules[row], rule].into_iter().flatten().min();
                each(row, earlier.map_or(self.usual, |rule| self.rules[rule].2));
            },
        );
    }
}

/// What the settings say about what passes.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    filter: String,
    levels: Ruled<Level>,
    ids: Allow,
    namespaces: Allow,
    samples: Ruled<f64>,
    is_by_session: bool,
    limits: Vec<Limit>,
}

impl Default for Selection {
    /// Everything passes.
    fn default() -> Self {
        Self::of(&Values::defaults(&[SELECTION]))
    }
}

impl Selection {
    /// What `values`, read with [`SELECTION`], say.
    pub fn of(values: &Values) -> Self {
        let level = |value: &Value| match value {
            Value::Text(text) => Level::parse(text),
            _ => None,
        };
        let share = |value: &Value| match value {
            Value::Real(share) => Some(*share),
            _ => None,
        };
        Self {
            filter: values.text("filter").to_owned(),
            levels: Ruled::of(
                Level::parse(values.text("min-level")).unwrap_or(Level::Trace),
                values.map("min-levels"),
                level,
            ),
            ids: allow(values.map("ids")),
            namespaces: allow(values.map("namespaces")),
            samples: Ruled::of(values.real("sample").unwrap_or(1.0), values.map("samples"), share),
            is_by_session: values.text("sample-by") == "session",
            limits: values.list("limits").iter().filter_map(|text| Limit::parse(text)).collect(),
        }
    }
}

fn allow(map: &[(String, Value)]) -> Allow {
    let patterns = |name: &str| {
        let texts = map.iter().filter(|(key, _)| key == name).filter_map(|(_, value)| match value {
            Value::List(texts) => Some(texts),
            _ => None,
        });
        texts.flatten().filter_map(|text| Pattern::parse(text).ok()).collect()
    };
    Allow { allow: patterns("allow"), disallow: patterns("disallow") }
}

/// Rows of a chunk, in rising order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rows {
    All,
    These(Vec<u32>),
}

/// What came of a chunk: the rows that passed, and how many each stage stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    pub rows: Rows,
    /// By [`Stage::ALL`].
    pub stopped: [u64; Stage::ALL.len()],
}

/// A selection at work.
#[derive(Debug)]
pub struct Selector {
    selection: Selection,
    matcher: Option<Matcher>,
    limiter: Limiter,
    random: u64,
    is_all: bool,
}

impl Selector {
    /// `seed` is for drawing samples.
    pub fn new(selection: Selection, seed: u64) -> Self {
        let matcher = matcher(&selection.filter);
        let is_all = matcher.is_none()
            && selection.levels.is_always(Level::Trace)
            && selection.ids.is_all()
            && selection.namespaces.is_all()
            && selection.samples.is_always(1.0)
            && selection.limits.is_empty();
        Self { matcher, limiter: Limiter::new(&selection.limits), selection, random: seed | 1, is_all }
    }

    /// Whether nothing is ever stopped.
    pub fn is_all(&self) -> bool {
        self.is_all
    }

    /// The rows of `chunk` that pass at `now`.
    pub fn select(&mut self, chunk: &Chunk, now: Timestamp) -> Selected {
        self.select_but(chunk, now, |_| false)
    }

    /// The rows that pass where nothing but the limits counts.
    pub fn select_within_limits(&mut self, chunk: &Chunk, now: Timestamp) -> Selected {
        let mut stopped = [0; Stage::ALL.len()];
        if self.limiter.is_none() {
            return Selected { rows: Rows::All, stopped };
        }
        let rows: Vec<u32> =
            (0..).zip(chunk.ids()).filter(|_| self.limiter.passes(now.0)).map(|(row, _)| row).collect();
        stopped[Stage::Limit as usize] = (chunk.len() - rows.len()) as u64;
        Selected { rows: Rows::These(rows), stopped }
    }

    /// As [`Selector::select`], but the rows for which `is_exempt` holds always pass, and count against nothing.
    pub(super) fn select_but(
        &mut self,
        chunk: &Chunk,
        now: Timestamp,
        is_exempt: impl Fn(usize) -> bool,
    ) -> Selected {
        let mut stopped = [0; Stage::ALL.len()];
        if self.is_all {
            return Selected { rows: Rows::All, stopped };
        }
        let mut keep = vec![true; chunk.len()];
        let mut stop = |keep: &mut [bool], row: usize, stage: Stage, passes: bool| {
            if keep[row] && !passes && !is_exempt(row) {
                keep[row] = false;
                stopped[stage as usize] += 1;
            }
        };
        let Selection { levels, ids, namespaces, samples, .. } = &self.selection;
        if !levels.is_always(Level::Trace) {
            levels.each(chunk, |row, least| {
                stop(&mut keep, row, Stage::MinLevel, chunk.levels()[row] >= least)
            });
        }
        for (allow, column, stage) in
            [(ids, Column::Id, Stage::Id), (namespaces, Column::Ns, Stage::Namespace)]
        {
            if !allow.is_all() {
                judge(
                    chunk,
                    column,
                    |name, family| allow.passes(name, family),
                    |row, passes| stop(&mut keep, row, stage, passes),
                );
            }
        }
        if let Some(matcher) = &mut self.matcher {
            let matching = matching(matcher, chunk);
            (0..chunk.len()).for_each(|row| stop(&mut keep, row, Stage::Filter, matching[row]));
        }
        if !samples.is_always(1.0) {
            let (random, by_session) = (&mut self.random, self.selection.is_by_session);
            samples.each(chunk, |row, share| {
                let draw = if by_session { draw_of(chunk.event(row).session()) } else { draw(random) };
                stop(&mut keep, row, Stage::Sample, draw < share);
            });
        }
        if !self.limiter.is_none() {
            for row in 0..chunk.len() {
                let passes = keep[row] && !is_exempt(row) && self.limiter.passes(now.0);
                stop(&mut keep, row, Stage::Limit, passes);
            }
        }
        if stopped.iter().all(|count| *count == 0) {
            return Selected { rows: Rows::All, stopped };
        }
        let rows = (0..).zip(&keep).filter(|(_, keep)| **keep).map(|(row, _)| row);
        Selected { rows: Rows::These(rows.collect()), stopped }
    }
}

/// Whether each row matches. A batch may have more rows than a set of bits.
pub fn matching(matcher: &mut Matcher, chunk: &Chunk) -> Vec<bool> {
    let mut matching = vec![false; chunk.len()];
    let mut bits = Bits::new();
    for from in (0..chunk.len()).step_by(Bits::CAPACITY) {
        let piece = from..chunk.len().min(from + Bits::CAPACITY);
        if from == 0 {
            matcher.eval(chunk, piece, &mut bits);
        } else {
            let apart = chunk.retain(|row| piece.contains(&row));
            matcher.eval(&apart, 0..apart.len(), &mut bits);
        }
        bits.iter().for_each(|row| matching[from + row] = true);
    }
    matching
}

/// A number from 0 to below 1 (xorshift64*, Vigna 2016).
fn draw(state: &mut u64) -> f64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    unit(state.wrapping_mul(0x2545_f491_4f6c_dd1d))
}

/// The same number for the same session in every run and every sink: FNV-1a, its bits mixed (MurmurHash3's end).
fn draw_of(session: &str) -> f64 {
    let hash = session.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    unit(hash ^ (hash >> 33))
}

#[expect(clippy::cast_precision_loss, reason = "53 bits are what a double holds")]
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
#[path = "selection_tests.rs"]
mod tests;
