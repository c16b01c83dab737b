//! A checked filter compiled against a moment: columns and bounds instead of fields and values.
//!
//! Called by the matcher when it is made and when its context changes; `eval` runs what comes out. Everything
//! that is a number becomes a range of a column, everything that is a name a table by symbol.

use super::check::data_paths;
use super::context::EvalContext;
use super::data::{Clue, DataLeaf, DataTest, Part};
use super::everywhere::Everywhere;
use super::glob::Glob;
use super::messages::{Messages, Which};
use super::moment::Moment;
use super::numbers;
use super::places::{PlaceLeaf, PlacePart};
use super::symbols::SymbolTable;
use super::text::TextTest;
use super::typed::{Bounds, ClockTest, Compare, Expr, NumberTest, Pattern, Sign, Subject, Term, Test};
use super::words::Words;
use crate::event::{Column, Field, FieldKind, Flags, Level, Timestamp};

/// What to do with a chunk.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    /// Every row, or none.
    Const(bool),
    And(Vec<Plan>),
    Or(Vec<Plan>),
    Not(Box<Plan>),
    Leaf(Leaf),
}

/// Columns of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberColumn {
    /// Microseconds.
    Duration,
    /// Microseconds.
    Lag,
    Status,
    Level,
    Severity,
    /// Milliseconds since the epoch.
    Inst,
}

/// Columns of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameColumn {
    Id,
    Ns,
    Type,
    Subtype,
    Session,
    User,
    Tab,
    Endpoint,
    Source,
}

/// A test of a name.
#[derive(Clone, Debug)]
pub(super) enum NameTest {
    Present,
    Text(TextTest),
    /// What comes after the last `/`.
    Last(TextTest),
    /// The path part of an endpoint.
    Route(TextTest),
    HasRoute,
    Live,
}

#[derive(Clone, Debug)]
pub(super) enum Leaf {
    /// From and to, both included.
    Number(NumberColumn, i64, i64),
    Group(u64, u64),
    Flag(Flags),
    /// By family, see [`crate::event::Family`].
    Family([bool; 5]),
    Name(NameColumn, NameTest, SymbolTable),
    HasLoad,
    Load(LoadLeaf),
    Pinned,
    NewGroup,
    Message(Box<Messages>),
    HasMessage,
    Data(Box<DataLeaf>),
    Place(Box<PlaceLeaf>),
    Words(Box<Words>),
    Everywhere(Box<Everywhere>),
}

/// `load:`; numbers up to 0 count back from the newest load of the tab, others are as sent.
#[derive(Clone, Debug)]
pub(super) struct LoadLeaf {
    pub(super) low: i64,
    pub(super) high: i64,
    pub(super) is_relative: bool,
}

/// Compiles `expr`, or everything. Depth is bounded by the parser.
pub(super) fn compile(expr: Option<&Expr>, context: &EvalContext) -> Plan {
    let Some(expr) = expr else { return Plan::Const(true) };
    match expr {
        Expr::And(parts) => Plan::And(cheapest_first(parts, context)),
        Expr::Or(parts) => Plan::Or(cheapest_first(parts, context)),
        Expr::Not(inner) => Plan::Not(Box::new(compile(Some(inner), context))),
        Expr::Term(term) => compile_term(term, context),
    }
}

fn cheapest_first(parts: &[Expr], context: &EvalContext) -> Vec<Plan> {
    let mut plans: Vec<Plan> = parts.iter().map(|part| compile(Some(part), context)).collect();
    plans.sort_by_key(Plan::cost);
    plans
}

/// How long a row takes, roughly, the shortest first: columns, then names, then the text of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cost {
    Nothing,
    Column,
    Name,
    LookUp,
    Message,
    Words,
    Data,
    Everywhere,
}

impl Plan {
    fn cost(&self) -> Cost {
        match self {
            Self::Const(_) => Cost::Nothing,
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::cost).max().unwrap_or(Cost::Nothing),
            Self::Not(inner) => inner.cost(),
            Self::Leaf(leaf) => match leaf {
                Leaf::Number(..) | Leaf::Group(..) | Leaf::Flag(_) | Leaf::Family(_) | Leaf::HasLoad => {
                    Cost::Column
                }
                Leaf::Name(..) | Leaf::HasMessage => Cost::Name,
                Leaf::Load(_) | Leaf::Pinned | Leaf::NewGroup | Leaf::Place(_) => Cost::LookUp,
                Leaf::Message(_) => Cost::Message,
                Leaf::Words(_) => Cost::Words,
                Leaf::Data(_) => Cost::Data,
                Leaf::Everywhere(_) => Cost::Everywhere,
            },
        }
    }

    /// Whether it reads texts of events.
    pub(super) fn reads_text(&self) -> bool {
        self.cost() >= Cost::Message
    }

    fn name(column: NameColumn, test: NameTest) -> Self {
        Self::Leaf(Leaf::Name(column, test, SymbolTable::default()))
    }

    fn number(column: NumberColumn, bounds: Bounds) -> Self {
        let (low, high) = bounds.to_integers();
        Self::Leaf(Leaf::Number(column, low, high))
    }

    /// Any of `plans`; those that never hold are left out.
    fn any(mut plans: Vec<Self>) -> Self {
        plans.retain(|plan| !matches!(plan, Self::Const(false)));
        match plans.len() {
            0 => Self::Const(false),
            1 => plans.remove(0),
            _ => Self::Or(plans),
        }
    }
}

fn compile_term(term: &Term, context: &EvalContext) -> Plan {
    match term {
        Term::Anywhere(glob) => {
            let words = Plan::Leaf(Leaf::Words(Box::new(Words::new(glob))));
            let place =
                glob.as_literal().map(|word| Plan::Leaf(Leaf::Place(Box::new(PlaceLeaf::file_with(word)))));
            Plan::any(place.into_iter().chain([words]).collect())
        }
        Term::AnywhereRegexp(pattern) => Plan::Leaf(Leaf::Everywhere(Box::new(Everywhere::new(pattern)))),
        Term::Is(place) => compile_is(crate::event::IS[*place].0),
        Term::Presence(subject, true) => present(subject),
        Term::Presence(subject, false) => Plan::Not(Box::new(present(subject))),
        Term::Compare(compare) => compile_compare(compare, context),
    }
}

fn compile_is(name: &str) -> Plan {
    match name {
        "error" => Plan::Leaf(Leaf::Number(NumberColumn::Level, Level::Error as i64, Level::Report as i64)),
        "failed" => Plan::Leaf(Leaf::Flag(Flags::FAILED)),
        "slow" => Plan::Leaf(Leaf::Flag(Flags::SLOW)),
        "cached" => Plan::Leaf(Leaf::Flag(Flags::CACHED)),
        "live" => Plan::name(NameColumn::Session, NameTest::Live),
        "marked" => Plan::Leaf(Leaf::Pinned),
        "new" => Plan::Leaf(Leaf::NewGroup),
        "mapped" => Plan::Leaf(Leaf::Flag(Flags::MAPPED)),
        _ => Plan::Const(false),
    }
}

fn compile_compare(compare: &Compare, context: &EvalContext) -> Plan {
    let tests = compare.tests.iter().map(|test| compile_test(&compare.subject, test, context)).collect();
    let any = Plan::any(tests);
    if compare.is_negated {
        Plan::And(vec![present(&compare.subject), Plan::Not(Box::new(any))])
    } else {
        any
    }
}

fn name_column(column: Column) -> Option<NameColumn> {
    Some(match column {
        Column::Id => NameColumn::Id,
        Column::Ns => NameColumn::Ns,
        Column::Type => NameColumn::Type,
        Column::Subtype => NameColumn::Subtype,
        Column::Session => NameColumn::Session,
        Column::User => NameColumn::User,
        Column::Tab => NameColumn::Tab,
        Column::Endpoint | Column::Route => NameColumn::Endpoint,
        Column::Source => NameColumn::Source,
        _ => return None,
    })
}

/// There is a value.
fn present(subject: &Subject) -> Plan {
    let Subject::Field(field) = subject else { return data(subject, DataTest::Present) };
    let everything = Bounds::between(f64::NEG_INFINITY, f64::INFINITY);
    match field.column {
        Column::Route => Plan::name(NameColumn::Endpoint, NameTest::HasRoute),
        Column::Duration => Plan::number(NumberColumn::Duration, everything),
        Column::Status => Plan::number(NumberColumn::Status, everything),
        Column::Severity => Plan::number(NumberColumn::Severity, everything),
        Column::Group => Plan::Leaf(Leaf::Group(1, u64::MAX)),
        Column::Load => Plan::Leaf(Leaf::HasLoad),
        Column::Message => Plan::Leaf(Leaf::HasMessage),
        Column::Level | Column::Inst | Column::Lag => Plan::Const(true),
        column => match name_column(column) {
            Some(column) => Plan::name(column, NameTest::Present),
            None => data(subject, DataTest::Present),
        },
    }
}

fn compile_test(subject: &Subject, test: &Test, context: &EvalContext) -> Plan {
    let Subject::Field(field) = subject else { return data_of(subject, test) };
    match test {
        Test::Number(number) => compile_number(subject, field, number, context),
        Test::Bool(truth) => data(subject, DataTest::Bool(*truth)),
        Test::Group(low, high, _) => Plan::Leaf(Leaf::Group((*low).max(1), *high)),
        Test::LatestSession => match &context.latest_session {
            Some(latest) => {
                Plan::name(NameColumn::Session, NameTest::Text(TextTest::Same(latest.to_string())))
            }
            None => Plan::Const(false),
        },
        Test::TypePair(kind, subtype) => Plan::And(vec![
            Plan::name(NameColumn::Type, NameTest::Text(whole(kind))),
            Plan::name(NameColumn::Subtype, NameTest::Text(whole(subtype))),
        ]),
        Test::Clock(clock) => compile_clock(clock, context),
        Test::Moment(moment) => compile_moment(field.name == "until", moment, context),
        text => compile_text(subject, field, text),
    }
}

fn whole(glob: &Glob) -> TextTest {
    match glob.as_literal() {
        Some(text) => TextTest::Is(text.to_owned()),
        None => TextTest::like(glob),
    }
}

/// A test of text and what the user wrote of it; `None` for tests that are not of text.
fn text_test(test: &Test) -> Option<(TextTest, &str)> {
    Some(match test {
        Test::Contains(text, _) => (TextTest::contains(text), text),
        Test::Is(text, _) => (TextTest::Is(text.clone()), text),
        Test::Same(text) => (TextTest::Same(text.clone()), text),
        Test::Like(glob) => (TextTest::like(glob), &glob.pieces[0]),
        Test::Regexp(pattern) => (TextTest::Regexp(pattern.regex.clone()), ""),
        _ => return None,
    })
}

fn compile_text(subject: &Subject, field: &Field, test: &Test) -> Plan {
    let Some((text, typed)) = text_test(test) else { return Plan::Const(false) };
    match field.column {
        Column::Id => {
            let family = family(&text, typed.contains('/'), |family| family.id());
            let is_regexp = matches!(test, Test::Regexp(_) | Test::Contains(..));
            let has_namespace =
                is_regexp || matches!(test, Test::Like(glob) if has_slash(glob)) || typed.contains('/');
            let own = if has_namespace { NameTest::Text(text) } else { NameTest::Last(text) };
            Plan::any(vec![family, Plan::name(NameColumn::Id, own)])
        }
        Column::Ns => {
            let family = family(&text, true, |family| family.ns());
            Plan::any(vec![family, Plan::name(NameColumn::Ns, NameTest::Text(text))])
        }
        Column::Route => Plan::name(NameColumn::Endpoint, NameTest::Route(text)),
        Column::Message => Plan::Leaf(Leaf::Message(Box::new(match test {
            Test::Contains(word, _) => Messages::contain(word),
            Test::Regexp(pattern) => Messages::regexp(pattern, Which::All),
            _ => Messages::pass(text),
        }))),
        column => match name_column(column) {
            Some(column) => Plan::name(column, NameTest::Text(text)),
            None => data_of(subject, test),
        },
    }
}

fn has_slash(glob: &Glob) -> bool {
    glob.pieces.iter().any(|piece| piece.contains('/'))
}

/// The families whose id or namespace passes.
fn family(test: &TextTest, is_whole: bool, name: fn(crate::event::Family) -> &'static str) -> Plan {
    use crate::event::Family;
    let mut passes = [false; 5];
    for family in [Family::Error, Family::Performance, Family::Analytics, Family::Log] {
        let name = name(family);
        let last = name.rsplit('/').next().unwrap_or(name);
        passes[family as usize] = test.holds(name) || !is_whole && test.holds(last);
    }
    if passes.contains(&true) { Plan::Leaf(Leaf::Family(passes)) } else { Plan::Const(false) }
}

fn compile_number(subject: &Subject, field: &Field, number: &NumberTest, context: &EvalContext) -> Plan {
    let bounds = number.bounds;
    match field.column {
        Column::Duration => Plan::number(NumberColumn::Duration, bounds),
        Column::Lag => Plan::number(NumberColumn::Lag, bounds),
        Column::Status => Plan::number(NumberColumn::Status, bounds),
        Column::Level => Plan::number(NumberColumn::Level, bounds),
        Column::Severity => Plan::number(NumberColumn::Severity, bounds),
        Column::Load => {
            let (low, high) = bounds.to_integers();
            let edge = if bounds.low.near.is_finite() { bounds.low.near } else { bounds.high.near };
            Plan::Leaf(Leaf::Load(LoadLeaf { low, high, is_relative: edge <= 0.0 }))
        }
        Column::Inst => {
            // An age counts back, so its bounds change sides; it is in microseconds and `inst` in milliseconds.
            #[expect(clippy::cast_precision_loss, reason = "exact to the year 287,000")]
            let now = context.now.0 as f64;
            let inst = Bounds {
                low: (now - bounds.high.near / 1000.0).into(),
                low_open: bounds.high_open,
                high: (now - bounds.low.near / 1000.0).into(),
                high_open: bounds.low_open,
            };
            Plan::number(NumberColumn::Inst, inst)
        }
        _ => data(subject, DataTest::Number(bounds, number.measure)),
    }
}

fn inst(low: i64, high: i64) -> Plan {
    Plan::Leaf(Leaf::Number(NumberColumn::Inst, low, high))
}

fn compile_clock(clock: &ClockTest, context: &EvalContext) -> Plan {
    let resolve = |clock: super::moment::Clock| clock.resolve(context.now, &context.zone);
    let from = clock.from.map(resolve);
    let to = clock.to.map(resolve);
    let low =
        from.map_or(i64::MIN, |(first, last)| if clock.sign == Sign::Gt { last.0 + 1 } else { first.0 });
    let high = to.map_or(i64::MAX, |(first, last)| if clock.sign == Sign::Lt { first.0 - 1 } else { last.0 });
    inst(low, high)
}

fn compile_moment(is_until: bool, moment: &Moment, context: &EvalContext) -> Plan {
    const DAY_MS: i64 = 86_400_000;
    let start_of_day = || {
        let date = context.zone.to_datetime(context.now.to_jiff()).date();
        let midnight = context.zone.to_timestamp(date.at(0, 0, 0, 0));
        midnight.ok().map(|time| Timestamp(time.as_millisecond()))
    };
    let time = match moment {
        Moment::Reload => {
            let newest = Plan::Leaf(Leaf::Load(LoadLeaf { low: 0, high: i64::MAX, is_relative: true }));
            return if is_until { Plan::Not(Box::new(newest)) } else { newest };
        }
        Moment::Ago(us, _) => {
            let ms = i64::try_from(us / 1000).unwrap_or(i64::MAX);
            Some(Timestamp(context.now.0.saturating_sub(ms)))
        }
        Moment::Clock(clock, _) => {
            let (first, _) = clock.resolve(context.now, &context.zone);
            // A clock time that is still to come is yesterday's.
            let is_to_come = matches!(clock, super::moment::Clock::Time(..)) && first > context.now;
            Some(if is_to_come { first.plus_ms(-DAY_MS) } else { first })
        }
        Moment::Hmr => context.hmr,
        Moment::Start => Some(context.start),
        Moment::Today => start_of_day(),
        Moment::Mark(None) => context.mark,
        Moment::Mark(Some(name)) => context.marks.get(name.as_str()).copied(),
    };
    match time {
        None => Plan::Const(false),
        Some(time) if is_until => inst(i64::MIN, time.0.saturating_sub(1)),
        Some(time) => inst(time.0, i64::MAX),
    }
}

fn data_test(test: &Test) -> DataTest {
    match test {
        Test::Number(number) => DataTest::Number(number.bounds, number.measure),
        Test::Bool(truth) => DataTest::Bool(*truth),
        Test::Contains(_, Some(number)) | Test::Is(_, Some(number)) => {
            let (text, _) = text_test(test).expect("a test of text");
            DataTest::TextOrNumber(text, *number)
        }
        text => text_test(text).map_or(DataTest::Present, |(text, _)| DataTest::Text(text)),
    }
}

/// A test of values in the data, as typed.
fn data_of(subject: &Subject, test: &Test) -> Plan {
    let typed = if let Test::Regexp(pattern) = test { Some(pattern) } else { None };
    data_with(subject, data_test(test), typed)
}

/// A test of values in the data that is not of text.
fn data(subject: &Subject, test: DataTest) -> Plan {
    data_with(subject, test, None)
}

fn data_with(subject: &Subject, test: DataTest, typed: Option<&Pattern>) -> Plan {
    let owned = |path: &[&str]| path.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
    let (paths, each, part) = match subject {
        Subject::Data(path) => (data_paths(path.clone()), false, Part::Whole),
        Subject::Field(field) => match field.column {
            Column::First(paths) => {
                (paths.iter().map(|path| owned(path)).collect(), false, url_part(field, &test))
            }
            Column::Each(paths) => (paths.iter().map(|path| owned(path)).collect(), true, Part::Whole),
            Column::Host => (vec![owned(&["url"])], false, Part::Host),
            Column::Path => (vec![owned(&["url"])], false, Part::Path),
            _ => return Plan::Const(false),
        },
    };
    let units = paths.iter().map(|path| numbers::own_unit(path).map(|(measure, _)| measure)).collect();
    let clue = Clue::of(&test, typed);
    let place = match subject {
        Subject::Field(field) => PlacePart::of(field.name).map(|part| PlaceLeaf { part, test: test.clone() }),
        Subject::Data(_) => None,
    };
    let said = Plan::Leaf(Leaf::Data(Box::new(DataLeaf { paths, units, each, part, test, clue })));
    // What a map says of the place is nearer to the truth than what the event says.
    match place {
        Some(place) => Plan::Or(vec![
            Plan::Leaf(Leaf::Place(Box::new(place))),
            Plan::And(vec![Plan::Not(Box::new(Plan::Leaf(Leaf::Flag(Flags::MAPPED)))), said]),
        ]),
        None => said,
    }
}

/// A value that begins as a path does is compared with what comes after the host.
fn url_part(field: &Field, test: &DataTest) -> Part {
    let is_path = match test {
        DataTest::Text(text) => text.is_path(),
        _ => false,
    };
    if field.kind == FieldKind::Url && is_path { Part::AfterHost } else { Part::Whole }
}
