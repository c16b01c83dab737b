//! The tree as written against the one table of fields: names looked up, values read by kind.
//!
//! Called by [`super::parse`]. A mistaken term is reported and left out, the rest stays. What each kind of field
//! takes is in `kinds`.

use super::ast::{Comparison, Node, Op, Operand, Scalar, Term as Written};
use super::error::{FilterError, Fix, Note};
use super::glob::Glob;
use super::kinds;
use super::regexp;
use super::run;
use super::suggest::nearest;
use super::typed::{Compare, Expr, Subject, Term, Test};
use crate::event::{Column, Field, FieldKind, IS};

/// What came of a tree.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) expr: Option<Expr>,
    pub(super) errors: Vec<FilterError>,
    pub(super) notes: Vec<Note>,
    /// The term that ends at the end of the text means something else if typed on: `status:4`, `200m`.
    pub(super) is_open: bool,
}

/// Checks `root`, which was parsed from `text`. A term that ends at `leave_out` is dropped unread.
pub(super) fn check(root: Option<&Node>, text: &str, leave_out: Option<usize>) -> Checked {
    let mut check = Check { text, leave_out, checked: Checked::default() };
    check.checked.expr = root.and_then(|root| check.node(root));
    check.checked
}

struct Check<'t> {
    text: &'t str,
    leave_out: Option<usize>,
    checked: Checked,
}

impl Check<'_> {
    /// `None` if nothing of the node is left. Depth is bounded by the parser.
    fn node(&mut self, node: &Node) -> Option<Expr> {
        match node {
            Node::And(parts) => {
                let parts = self.parts(parts, |part| match part {
                    Expr::And(inner) => inner,
                    other => vec![other],
                });
                self.note_never(&parts);
                join(parts, Expr::And)
            }
            Node::Or(parts) => {
                let parts = self.parts(parts, |part| match part {
                    Expr::Or(inner) => inner,
                    other => vec![other],
                });
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

    /// The parts; `flatten` takes apart those of the same kind, whose brackets change nothing.
    fn parts(&mut self, parts: &[Node], flatten: fn(Expr) -> Vec<Expr>) -> Vec<Expr> {
        parts.iter().filter_map(|part| self.node(part)).flat_map(flatten).collect()
    }

    fn term(&mut self, term: &Written) -> Result<Expr, FilterError> {
        let term = match term {
            Written::Text(scalar) => {
                self.note_slash(scalar);
                Term::Anywhere(Glob::parse(&scalar.text))
            }
            Written::AnyRegexp(regexp) => Term::AnywhereRegexp(regexp::compile(regexp)?),
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
        let subject = subject(&written.path);
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
                tests.push(Test::Regexp(regexp::compile(regexp)?));
            }
            Operand::Scalar(scalar) => tests.push(self.test(written, &subject, written.op, scalar)?),
            Operand::List(items) => {
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
        let value = kinds::Value { written, subject, op, scalar, is_last };
        let read = value.read()?;
        if let Some(reading) = read.unit_added {
            let message = format!("{} is read as {reading}", scalar.text);
            self.note("N-UNIT", scalar, message, Some(Fix::new(scalar.span.clone(), reading)));
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
                return Err(FilterError::new("E-KINDOP", written.op_span.clone(), message));
            }
        };
        let mut terms = Vec::new();
        for item in items {
            let term = if field.kind == FieldKind::Is { self.is(item)? } else { self.presence(field, item)? };
            terms.push(Expr::Term(term));
        }
        let any = join(terms, Expr::Or).expect("the parser refuses empty lists");
        Ok(if written.op == Op::NotIn { Expr::Not(Box::new(any)) } else { any })
    }

    fn is(&self, item: &Scalar) -> Result<Term, FilterError> {
        let typed = item.text.strip_prefix(':').unwrap_or(&item.text).to_ascii_lowercase();
        if let Some(place) = IS.iter().position(|(name, _)| *name == typed) {
            return Ok(Term::Is(place));
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

    fn presence(&self, field: &Field, item: &Scalar) -> Result<Term, FilterError> {
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
            return Err(error.unfinished_if(is_last && !path.is_empty() || item.text.ends_with('.')));
        }
        Ok(Term::Presence(found, field.name == "has"))
    }

    fn note(&mut self, code: &'static str, scalar: &Scalar, message: String, fix: Option<Fix>) {
        let span = scalar.span.clone();
        self.checked.notes.push(Note { code, span, message, fix, only_without_matches: false });
    }

    /// A word like `/a|b/` is no regular expression here.
    fn note_slash(&mut self, scalar: &Scalar) {
        let text = &scalar.text;
        let inside = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let Some(inside) = inside.filter(|inside| !scalar.is_quoted && !inside.is_empty()) else { return };
        if inside.contains(['|', '\\', '[', '(', '^', '$', '+']) || inside.contains(".*") {
            let message = format!("this is text. For a regular expression write ~{text}");
            let start = scalar.span.start;
            self.note("N-SLASH", scalar, message, Some(Fix::new(start..start, "~")));
        }
    }

    /// Two values for a field that has one.
    fn note_never(&mut self, parts: &[Expr]) {
        let mut seen: Vec<(&'static str, String)> = Vec::new();
        for part in parts {
            let Some((name, value)) = only_value(part) else { continue };
            if let Some((_, other)) = seen.iter().find(|(known, other)| *known == name && *other != value) {
                let message = format!("no event can be both; write {name} in ({other}, {value})");
                let span = 0..self.text.len();
                let note = Note { code: "N-NEVER", span, message, fix: None, only_without_matches: false };
                self.checked.notes.push(note);
                return;
            }
            seen.push((name, value));
        }
    }
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

/// One part as it is, several as `group`.
fn join(mut parts: Vec<Expr>, group: impl FnOnce(Vec<Expr>) -> Expr) -> Option<Expr> {
    if parts.len() > 1 { Some(group(parts)) } else { parts.pop() }
}
