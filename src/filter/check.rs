//! The tree as written against the one table of fields: names looked up, values read by kind.
//!
//! Called by [`super::parse`]. A mistaken term is reported and left out, the rest stays. What each kind of field
//! takes is in `kinds`.

use rustc_hash::FxHashMap;

use super::ast::{Comparison, Node, Op, Operand, Scalar, Term as Written};
use super::error::{FilterError, Note};
use super::foreign;
use super::glob::Glob;
use super::kinds;
use super::lexer::Kind;
use super::notes::{self, MAX_NOTES, OnlyValue};
use super::parser::{self, Syntax};
use super::regexp::{self, Budget};
use super::run;
use super::saved;
use super::suggest::nearest;
use super::typed::{Compare, Expr, Subject, Term, Test};
use crate::event::{Column, FIELDS, Field, FieldKind, IS};

/// What came of a tree.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) expr: Option<Expr>,
    pub(super) errors: Vec<FilterError>,
    pub(super) notes: Vec<Note>,
    /// The term that ends at the end of the text means something else if typed on: `status:4`, `200m`.
    pub(super) is_open: bool,
}

/// Checks what was parsed from `text`. A term that ends at `leave_out` is dropped unread.
pub(super) fn check(syntax: &Syntax, text: &str, leave_out: Option<usize>) -> Checked {
    checked(syntax, text, leave_out, true)
}

/// Whether `text` is a filter. Notes ask that of what they would advise, so none is made of it.
pub(super) fn is_read(text: &str) -> bool {
    let syntax = parser::parse(text);
    syntax.errors.is_empty() && checked(&syntax, text, None, false).errors.is_empty()
}

fn checked(syntax: &Syntax, text: &str, leave_out: Option<usize>, is_noted: bool) -> Checked {
    let takes_pattern = |kind: &Kind| match kind {
        Kind::AnyRegexp(..) => true,
        Kind::Op(op) => op.takes_regex(),
        _ => false,
    };
    let patterns = syntax.tokens.iter().filter(|token| takes_pattern(&token.kind)).count();
    let mut check =
        Check { text, leave_out, is_noted, budget: Budget::of(patterns), checked: Checked::default() };
    check.checked.expr = syntax.root.as_ref().and_then(|root| check.node(root));
    check.checked
}

struct Check<'t> {
    text: &'t str,
    leave_out: Option<usize>,
    is_noted: bool,
    budget: Budget,
    checked: Checked,
}

impl Check<'_> {
    /// `None` if nothing of the node is left. Depth is bounded by the parser.
    fn node(&mut self, node: &Node) -> Option<Expr> {
        match node {
            Node::And(parts) => join(self.all_of(parts), Expr::And),
            Node::Or(parts) => {
                let flatten = |part| match part {
                    Expr::Or(inner) => inner,
                    other => vec![other],
                };
                let parts = parts.iter().filter_map(|part| self.node(part)).flat_map(flatten).collect();
                join(parts, Expr::Or)
            }
            Node::Not(inner) => match self.node(inner)? {
                Expr::Not(twice) => Some(*twice),
                once => Some(Expr::Not(Box::new(once))),
            },
            Node::Term(_, span) if self.leave_out == Some(span.end) => None,
            Node::Term(term, _) => match self.term(term) {
                Ok(expr) => Some(expr),
                Err(error) => {
                    self.checked.errors.push(error);
                    None
                }
            },
        }
    }

    /// What must hold together. Brackets of the same kind change nothing, so they are taken apart.
    fn all_of(&mut self, parts: &[Node]) -> Vec<Expr> {
        let mut exprs = Vec::new();
        let mut seen: FxHashMap<&'static str, OnlyValue> = FxHashMap::default();
        // One is enough to say, and finding the edit for it takes a walk over the text.
        let mut is_never = false;
        for part in parts {
            let span = if let Node::Term(_, span) = part { Some(span.clone()) } else { None };
            let inner = match self.node(part) {
                None => continue,
                Some(Expr::And(inner)) => inner,
                Some(other) => vec![other],
            };
            for (field, value) in inner.iter().filter_map(only_value) {
                let only = OnlyValue { field, value, span: span.clone() };
                match seen.get(field) {
                    None => drop(seen.insert(field, only)),
                    Some(first) if first.value.eq_ignore_ascii_case(&only.value) => {}
                    Some(_) if is_never => {}
                    Some(first) => {
                        is_never = true;
                        self.note(|text| Some(notes::never(text, first, &only)));
                    }
                }
            }
            exprs.extend(inner);
        }
        exprs
    }

    fn term(&mut self, term: &Written) -> Result<Expr, FilterError> {
        let term = match term {
            Written::Text(scalar) => {
                self.note(|_| notes::slash(scalar));
                self.note(|text| notes::glued(text, scalar));
                self.note(|text| foreign::curly(text, scalar));
                self.note(|text| foreign::turned(text, scalar));
                self.note(|text| notes::field_name(text, scalar));
                Term::Anywhere(Glob::parse(&scalar.text))
            }
            Written::AnyRegexp(regexp) => Term::AnywhereRegexp(regexp::compile(regexp, &self.budget)?),
            Written::Signal(id) => {
                let id = Glob::parse(id);
                let test = kinds::whole(id, None);
                let subject = Subject::Field(Field::find("id").expect("the table has id"));
                Term::Compare(Compare { subject, is_negated: false, tests: vec![test], is_list: false })
            }
            Written::Comparison(comparison) => return self.comparison(comparison),
        };
        Ok(Expr::Term(term))
    }

    fn comparison(&mut self, written: &Comparison) -> Result<Expr, FilterError> {
        if written.op == Op::Has && saved::is_saved(&written.path) {
            return Err(saved::not_replaced(written));
        }
        let subject = of_route(subject(&written.path), &written.operand);
        let kind = match &subject {
            Subject::Field(field) => Some(field.kind),
            Subject::Data(_) => None,
        };
        if matches!(kind, Some(FieldKind::Is | FieldKind::Presence)) {
            return self.predicate(written, &subject);
        }
        let mut tests = Vec::new();
        let is_list = matches!(written.operand, Operand::List(_));
        match &written.operand {
            Operand::Regexp(regexp) => {
                kinds::refuse_operator(written, &subject)?;
                tests.push(Test::Regexp(regexp::compile(regexp, &self.budget)?));
            }
            Operand::Scalar(scalar) => tests.push(self.test(written, &subject, written.op, scalar)?),
            Operand::List(items) => {
                self.note(|_| foreign::both(written, &subject, items));
                for item in items {
                    tests.push(self.test(written, &subject, Op::Has, item)?);
                }
            }
        }
        let is_negated = matches!(written.op, Op::Ne | Op::NoMatch);
        let compare = Expr::Term(Term::Compare(Compare { subject, is_negated, tests, is_list }));
        Ok(if written.op == Op::NotIn { Expr::Not(Box::new(compare)) } else { compare })
    }

    fn test(
        &mut self,
        written: &Comparison,
        subject: &Subject,
        op: Op,
        scalar: &Scalar,
    ) -> Result<Test, FilterError> {
        let is_last = scalar.span.end == self.text.len() && !scalar.is_quoted;
        let value = kinds::Value { written, subject, op, scalar, budget: &self.budget, is_last };
        let read = value.read()?;
        if let Some(reading) = read.unit_added {
            self.note(|text| Some(notes::unit(text, scalar, reading)));
        }
        if matches!(&read.test, Test::Is(..)) && written.op == Op::Has {
            self.note(|_| notes::several(written, scalar));
        }
        self.note(|text| foreign::curly(text, scalar));
        self.note(|_| foreign::pattern(written, subject, scalar));
        if matches!(subject, Subject::Field(field) if field.name == "file")
            && matches!(written.operand, Operand::Scalar(_))
        {
            self.note(|_| notes::place(written, scalar));
        }
        if let (Subject::Field(Field { name: "status", .. }), Test::Number(number)) = (subject, &read.test) {
            self.note(|_| notes::status(written, scalar, number));
        }
        self.checked.is_open |= read.is_open;
        Ok(read.test)
    }

    /// `is:`, `has:` and `no:`; a list means any of them.
    fn predicate(&mut self, written: &Comparison, subject: &Subject) -> Result<Expr, FilterError> {
        let Subject::Field(field) = subject else { unreachable!("predicates are built in") };
        let is_plain = matches!(written.op, Op::Has | Op::Eq | Op::Same | Op::In | Op::NotIn);
        let items = match &written.operand {
            Operand::Scalar(scalar) if is_plain => std::slice::from_ref(scalar),
            Operand::List(items) => items.as_slice(),
            _ => {
                let [example, _] = field.examples;
                let (op, name) = (&written.op_text, field.name);
                let message =
                    format!("`{op}` does not work on {name}: write {name}:{example} or -{name}:{example}");
                let span = written.op_span.clone();
                return Err(FilterError::new("E-KINDOP", span.clone(), message).with_fix(span, ":"));
            }
        };
        let mut terms = Vec::new();
        for item in items {
            let is_known = |part: &str| {
                let mut path = run::field(part).into_iter().filter(|(_, len)| *len == part.len());
                if field.kind == FieldKind::Is { is_place(part).is_some() } else { path.next().is_some() }
            };
            if let Some(error) = kinds::several(written, item, is_known) {
                return Err(error);
            }
            let term = if field.kind == FieldKind::Is {
                self.is(written, item)?
            } else {
                self.presence(field, item)?
            };
            terms.push(Expr::Term(term));
        }
        let any = join(terms, Expr::Or).expect("the parser refuses empty lists");
        Ok(if written.op == Op::NotIn { Expr::Not(Box::new(any)) } else { any })
    }

    fn is(&self, written: &Comparison, item: &Scalar) -> Result<Term, FilterError> {
        let typed = item.text.strip_prefix(':').unwrap_or(&item.text).to_ascii_lowercase();
        if let Some(place) = is_place(&typed) {
            return Ok(Term::Is(place));
        }
        if let Some(error) = compared(&typed, written, item) {
            return Err(error);
        }
        let names = || IS.iter().map(|(name, _)| *name);
        let meant = nearest(&typed, names());
        let hint = meant.map_or(String::new(), |name| format!(". Did you mean is:{name}?"));
        let all = names().collect::<Vec<_>>().join(" ");
        let message = format!("unknown is:{}{hint} ({all})", item.text);
        let error = FilterError::new("E-IS", item.span.clone(), message)
            .unfinished_if(item.span.end == self.text.len() && names().any(|name| name.starts_with(&typed)));
        Err(match meant {
            Some(name) => error.with_fix(item.span.clone(), name),
            None => error,
        })
    }

    fn presence(&mut self, field: &Field, item: &Scalar) -> Result<Term, FilterError> {
        let path = match run::field(&item.text) {
            Some((path, len)) if len == item.text.len() => path,
            _ if item.is_quoted && !item.text.is_empty() && !item.text.contains('"') => {
                vec![item.text.clone()]
            }
            _ => vec![],
        };
        let found = subject(&path);
        let is_predicate = matches!(&found, Subject::Field(field) if field.column == Column::Predicate);
        if path.is_empty() || is_predicate {
            let (name, [example, _]) = (field.name, field.examples);
            let message =
                format!("`{}` is not a field: write {name}:{example} or {name}:context.user-id", item.text);
            let is_last = item.span.end == self.text.len();
            let error = FilterError::new("E-PATH", item.span.clone(), message);
            return Err(error.unfinished_if(is_last && run::field(&item.text).is_some()));
        }
        // `has:st` is on its way to `has:stack`.
        let is_beginning = matches!(&found, Subject::Data(path) if path.len() == 1)
            && FIELDS.iter().flat_map(Field::names).any(|name| name.starts_with(&item.text.to_lowercase()));
        self.checked.is_open |= is_beginning && item.span.end == self.text.len() && !item.is_quoted;
        Ok(Term::Presence(found, field.name == "has"))
    }

    fn note(&mut self, note: impl FnOnce(&str) -> Option<Note>) {
        if self.is_noted && self.checked.notes.len() < MAX_NOTES {
            self.checked.notes.extend(note(self.text));
        }
    }
}

/// The place in [`IS`] of what `is:` is asked.
fn is_place(typed: &str) -> Option<usize> {
    IS.iter().position(|(name, _)| name.eq_ignore_ascii_case(typed))
}

/// `is:slow>2s`, which is either so or not.
fn compared(typed: &str, written: &Comparison, item: &Scalar) -> Option<FilterError> {
    let (name, limit) = typed.split_at(typed.find(['<', '>', '='])?);
    is_place(name)?;
    let (why, meant) = match name {
        "slow" => ("has its limit in the settings: for one of your own", format!("duration{limit}")),
        _ => ("is so or not:", format!("is:{name}")),
    };
    let error = FilterError::new("E-IS", item.span.clone(), format!("is:{name} {why} write {meant}"));
    let is_alone = matches!(written.operand, Operand::Scalar(_)) && !item.is_quoted;
    Some(if is_alone { error.with_fix(written.field_span.start..item.span.end, meant) } else { error })
}

/// The one value a term asks of a field that has at most one.
fn only_value(part: &Expr) -> Option<(&'static str, String)> {
    let Expr::Term(Term::Compare(Compare {
        subject: Subject::Field(field), is_negated: false, tests, ..
    })) = part
    else {
        return None;
    };
    let has_one = !matches!(field.column, Column::Each(_)) && field.kind != FieldKind::Signal;
    match tests.as_slice() {
        [Test::Is(text, _)] if has_one => Some((field.name, text.clone())),
        [Test::Number(number)] if has_one && number.bounds.low == number.bounds.high => {
            Some((field.name, number.text.clone()))
        }
        _ => None,
    }
}

/// What a path names: a built-in field, or a place in the data.
pub(super) fn subject(path: &[String]) -> Subject {
    let known = if let [name] = path { Field::find(name) } else { None };
    match known {
        Some(field) => Subject::Field(field),
        None => {
            Subject::Data(path.iter().map(|part| part.strip_suffix('?').unwrap_or(part).to_owned()).collect())
        }
    }
}

/// An endpoint begins with its method: who asks `endpoint` for a path means its route.
fn of_route(subject: Subject, operand: &Operand) -> Subject {
    let is_path = |scalar: &Scalar| scalar.text.starts_with('/');
    let asks_for_path = match operand {
        Operand::Scalar(scalar) => is_path(scalar),
        Operand::List(items) => items.iter().all(is_path),
        Operand::Regexp(_) => false,
    };
    match &subject {
        Subject::Field(field) if field.name == "endpoint" && asks_for_path => {
            Subject::Field(Field::find("route").expect("the table has route"))
        }
        _ => subject,
    }
}

/// The places a path in the data stands for: a leading `@` is a part of the name, or else nothing; what caused an error
/// was sent as a list of `causes` once, and stands so in recordings.
pub(super) fn data_paths(path: Vec<String>) -> Vec<Vec<String>> {
    let plain = path[0].strip_prefix('@').filter(|rest| !rest.is_empty()).map(str::to_owned);
    let plain = plain.map(|first| std::iter::once(first).chain(path[1..].iter().cloned()).collect());
    let is_cause = path.len() > 1 && path[0].eq_ignore_ascii_case("cause");
    let once = is_cause.then(|| [&["causes".to_owned()], &path[1..]].concat());
    std::iter::once(path).chain(plain).chain(once).collect()
}

/// One part as it is, several as `group`.
fn join(mut parts: Vec<Expr>, group: impl FnOnce(Vec<Expr>) -> Expr) -> Option<Expr> {
    if parts.len() > 1 { Some(group(parts)) } else { parts.pop() }
}

#[cfg(test)]
mod tests {
    use super::data_paths;

    #[test]
    fn a_path_stands_for_the_places_where_it_may_have_been_sent() {
        let path = |dotted: &str| dotted.split('.').map(str::to_owned).collect::<Vec<_>>();
        for (asked, expected) in [
            ("a.b", vec!["a.b"]),
            ("@a.b", vec!["@a.b", "a.b"]),
            ("cause", vec!["cause"]),
            ("cause.message", vec!["cause.message", "causes.message"]),
        ] {
            assert_eq!(
                data_paths(path(asked)),
                expected.into_iter().map(path).collect::<Vec<_>>(),
                "{asked}"
            );
        }
    }
}
