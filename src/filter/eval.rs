//! The matcher: a filter applied to a chunk at a time.
//!
//! `scan`, sinks and exports hold one and go through chunks as they like, newest first or as they come, stopping
//! between any two. Cheap tests run first and leave fewer rows to the dear ones.

use std::ops::Range;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::Filter;
use super::bits::Bits;
use super::context::{EvalContext, LoadKey};
use super::plan::{self, Leaf, LoadLeaf, NameColumn, NameTest, NumberColumn, Plan};
use super::symbols::{self, SymbolTable};
use crate::event::{Chunk, EventRef, Names, Symbol, Timestamp};

/// A filter at work, with its caches.
#[derive(Clone, Debug)]
pub struct Matcher {
    filter: Arc<Filter>,
    context: Arc<EvalContext>,
    plan: Plan,
    loads: Loads,
}

impl Matcher {
    pub fn new(filter: Arc<Filter>, context: impl Into<Arc<EvalContext>>) -> Self {
        let context = context.into();
        let plan = plan::compile(filter.expr.as_ref(), &context);
        Self { filter, context, plan, loads: Loads::default() }
    }

    pub fn filter(&self) -> &Arc<Filter> {
        &self.filter
    }

    /// Whether it reads texts of events, which takes far longer than columns.
    pub fn reads_text(&self) -> bool {
        self.plan.reads_text()
    }

    /// Goes on with another moment; what was found before may no longer hold, see [`Filter::depends`].
    pub fn set_context(&mut self, context: impl Into<Arc<EvalContext>>) {
        *self = Self::new(Arc::clone(&self.filter), context);
    }

    /// Adds the rows of `chunk` that match to `rows`, in rising order, however many rows it has.
    pub fn pick(&mut self, chunk: &Chunk, rows: &mut Vec<usize>) {
        let mut found = Bits::new();
        let mut from = 0;
        while from < chunk.len() {
            let to = chunk.len().min(from + Bits::CAPACITY);
            if to <= Bits::CAPACITY {
                self.eval(chunk, from..to, &mut found);
            } else {
                let apart = chunk.retain(|row| (from..to).contains(&row));
                self.eval(&apart, 0..apart.len(), &mut found);
            }
            let start = if to <= Bits::CAPACITY { 0 } else { from };
            rows.extend(found.iter().map(|row| start + row));
            from = to;
        }
    }

    /// Whether this one event matches. Where there are many, [`Matcher::pick`] costs far less for each.
    pub fn matches(&mut self, event: EventRef<'_>) -> bool {
        let (chunk, row) = (event.chunk(), event.row());
        let mut found = Bits::new();
        if row < Bits::CAPACITY {
            self.eval(chunk, row..row + 1, &mut found);
        } else {
            self.eval(&chunk.retain(|other| other == row), 0..1, &mut found);
        }
        !found.is_empty()
    }

    /// Sets `out` to those of `rows` that match, by their row in `chunk`. Rows that `chunk` does not have, and
    /// those from [`Bits::CAPACITY`] on, never match.
    pub fn eval(&mut self, chunk: &Chunk, rows: Range<usize>, out: &mut Bits) {
        self.eval_within(chunk, &Bits::of(rows), out);
    }

    /// As [`Matcher::eval`], for the rows of a set.
    pub fn eval_within(&mut self, chunk: &Chunk, rows: &Bits, out: &mut Bits) {
        out.clear();
        let mut mask = rows.clone();
        mask.and(&Bits::of(0..chunk.len()));
        self.loads.keep_for(chunk.names());
        let scope = Scope { chunk, context: &self.context };
        run(&mut self.plan, &scope, &mut self.loads, &mask, out);
    }
}

struct Scope<'a> {
    chunk: &'a Chunk,
    context: &'a EvalContext,
}

/// Sets `out`, which is empty, to the rows of `mask` that pass. Depth is bounded by the parser.
fn run(plan: &mut Plan, scope: &Scope<'_>, loads: &mut Loads, mask: &Bits, out: &mut Bits) {
    match plan {
        Plan::Const(true) => out.or(mask),
        Plan::Const(false) => {}
        Plan::And(parts) => {
            out.or(mask);
            for part in parts {
                let mut passed = Bits::new();
                run(part, scope, loads, out, &mut passed);
                *out = passed;
                if out.is_empty() {
                    return;
                }
            }
        }
        Plan::Or(parts) => {
            let mut rest = mask.clone();
            for part in parts {
                let mut passed = Bits::new();
                run(part, scope, loads, &rest, &mut passed);
                out.or(&passed);
                rest.and_not(&passed);
                if rest.is_empty() {
                    return;
                }
            }
        }
        Plan::Not(inner) => {
            let mut passed = Bits::new();
            run(inner, scope, loads, mask, &mut passed);
            out.or(mask);
            out.and_not(&passed);
        }
        Plan::Leaf(leaf) => {
            run_leaf(leaf, scope, loads, mask, out);
            out.and(mask);
        }
    }
}

fn run_leaf(leaf: &mut Leaf, scope: &Scope<'_>, loads: &mut Loads, mask: &Bits, out: &mut Bits) {
    let (chunk, context) = (scope.chunk, scope.context);
    let span = mask.span();
    match leaf {
        Leaf::Number(column, low, high) => numbers(chunk, *column, *low..=*high, span, out),
        Leaf::Group(low, high) => {
            let (low, high) = (*low, *high);
            out.fill_from(span, chunk.groups(), |group| (group >= low) & (group <= high));
        }
        Leaf::Flag(flag) => {
            let flag = *flag;
            out.fill_from(span, chunk.flags(), |flags| flags.has(flag));
        }
        Leaf::Family(passes) => {
            let passes = *passes;
            out.fill_from(span, chunk.families(), |family| passes[family as usize]);
        }
        Leaf::HasLoad => {
            out.fill_from(span, chunk.loads(), |load| load != i32::MIN);
        }
        Leaf::Name(column, test, table) => names(scope, *column, test, table, mask, out),
        Leaf::Load(leaf) => {
            for row in mask {
                if loads.holds(leaf, chunk, context, row) {
                    out.insert(row);
                }
            }
        }
        Leaf::Pinned => out.fill(span, |row| context.pinned.contains(&chunk.seqs()[row])),
        Leaf::NewGroup => out.fill(span, |row| context.new_groups.contains(&chunk.groups()[row])),
        Leaf::HasMessage => out.fill(span, |row| !chunk.event(row).msg().is_empty()),
        Leaf::Message(messages) => messages.eval(chunk, mask, out),
        Leaf::Place(leaf) => leaf.eval(chunk, mask, out),
        Leaf::Data(leaf) => leaf.eval(chunk, mask, out),
        Leaf::Words(words) => words.eval(chunk, mask, out),
        Leaf::Everywhere(pattern) => pattern.eval(chunk, mask, out),
    }
}

/// Straight passes over a column; absent values are outside of every range.
fn numbers(
    chunk: &Chunk,
    column: NumberColumn,
    range: std::ops::RangeInclusive<i64>,
    span: Range<usize>,
    out: &mut Bits,
) {
    let (low, high) = (*range.start(), *range.end());
    // The column's own "absent" is above every span that can be sent, see `Micros::from_ms`.
    let unsigned = |bound: i64| u64::try_from(bound).unwrap_or(0);
    let below_zero = high < 0;
    match column {
        _ if low > high => {}
        NumberColumn::Duration if !below_zero => {
            let (low, high) = (unsigned(low), unsigned(high));
            out.fill_from(span, chunk.durations(), |span| (span >= low) & (span <= high));
        }
        NumberColumn::Status if !below_zero => {
            let low = u16::try_from(low.max(1)).unwrap_or(u16::MAX);
            let is_beyond = range.start() > &i64::from(u16::MAX);
            let high = if is_beyond { 0 } else { u16::try_from(high).unwrap_or(u16::MAX) };
            out.fill_from(span, chunk.statuses(), |status| (status >= low) & (status <= high));
        }
        NumberColumn::Level if !below_zero => {
            // A level is its place in the order, and there are far fewer than 255.
            let byte = |bound: i64| u8::try_from(bound.max(0)).unwrap_or(u8::MAX);
            let (low, high) = (byte(low), byte(high));
            out.fill_from(span, chunk.levels(), |level| (level as u8 >= low) & (level as u8 <= high));
        }
        NumberColumn::Severity => {
            out.fill_from(span, chunk.severities(), |severity| {
                severity != u8::MAX && (low..=high).contains(&i64::from(severity))
            });
        }
        NumberColumn::Inst => {
            out.fill_from(span, chunk.insts(), |inst| (inst.0 >= low) & (inst.0 <= high));
        }
        NumberColumn::Lag => {
            let (inst, recv) = (chunk.insts(), chunk.recvs());
            out.fill(span, |row| (low..=high).contains(&recv[row].since(inst[row]).saturating_mul(1000)));
        }
        NumberColumn::Duration | NumberColumn::Status | NumberColumn::Level => {}
    }
}

fn column(chunk: &Chunk, column: NameColumn) -> &[Symbol] {
    match column {
        NameColumn::Id => chunk.ids(),
        NameColumn::Ns => chunk.nss(),
        NameColumn::Type => chunk.kinds(),
        NameColumn::Subtype => chunk.subtypes(),
        NameColumn::Session => chunk.sessions(),
        NameColumn::User => chunk.users(),
        NameColumn::Tab => chunk.tabs(),
        NameColumn::Endpoint => chunk.endpoints(),
        NameColumn::Source => chunk.sources(),
    }
}

fn names(
    scope: &Scope<'_>,
    name: NameColumn,
    test: &NameTest,
    table: &mut SymbolTable,
    mask: &Bits,
    out: &mut Bits,
) {
    let (chunk, context) = (scope.chunk, scope.context);
    let symbols = column(chunk, name);
    if matches!(test, NameTest::Present) {
        return out.fill_from(mask.span(), symbols, |symbol| !symbol.is_none());
    }
    table.update(chunk.names(), |name| match test {
        NameTest::Present => true,
        NameTest::Text(test) => test.holds(name),
        NameTest::Last(test) => test.holds(name.rsplit('/').next().unwrap_or(name)),
        NameTest::Route(test) => route(name).is_some_and(|route| test.holds(route)),
        NameTest::HasRoute => route(name).is_some(),
        NameTest::Live => context.live_sessions.contains(name),
    });
    symbols::fill(symbols, table, mask, out);
}

/// The path part of an endpoint: `/api/users/:id` of `GET example.com/api/users/:id`.
pub(super) fn route(endpoint: &str) -> Option<&str> {
    let (_, address) = endpoint.split_once(' ')?;
    address.find('/').map(|at| &address[at..])
}

/// The loads of each tab, looked up once for each pair of symbols.
#[derive(Clone, Debug, Default)]
struct Loads {
    names: Option<Arc<Names>>,
    newest: FxHashMap<(Symbol, Symbol), Option<i32>>,
    starts: FxHashMap<(Symbol, Symbol), Vec<Timestamp>>,
}

impl Loads {
    fn keep_for(&mut self, names: &Arc<Names>) {
        if !self.names.as_ref().is_some_and(|known| Arc::ptr_eq(known, names)) {
            self.names = Some(Arc::clone(names));
            self.newest.clear();
            self.starts.clear();
        }
    }

    fn holds(&mut self, leaf: &LoadLeaf, chunk: &Chunk, context: &EvalContext, row: usize) -> bool {
        let event = chunk.event(row);
        let sent = event.load();
        let number = match (sent, leaf.is_relative) {
            (Some(load), false) => i64::from(load),
            (None, false) => return false,
            (Some(load), true) => {
                let key = (chunk.tabs()[row], chunk.sessions()[row]);
                let newest = *self.newest.entry(key).or_insert_with(|| {
                    let key = LoadKey { tab: event.tab().into(), session: event.session().into() };
                    context.newest_loads.get(&key).copied()
                });
                // A load the store does not know of yet is the newest.
                newest.map_or(0, |newest| (i64::from(load) - i64::from(newest)).min(0))
            }
            (None, true) => {
                let key = (chunk.tabs()[row], chunk.sessions()[row]);
                let starts = self
                    .starts
                    .entry(key)
                    .or_insert_with(|| context.starts_of(event.session(), event.tab()).to_vec());
                -loads_after(starts, event.inst())
            }
        };
        (leaf.low..=leaf.high).contains(&number)
    }
}

/// How many loads started after `inst`; what came before the first belongs to the first.
fn loads_after(starts: &[Timestamp], inst: Timestamp) -> i64 {
    let later = starts.len() - starts.partition_point(|start| *start <= inst);
    i64::try_from(later.min(starts.len().saturating_sub(1))).unwrap_or(i64::MAX)
}
