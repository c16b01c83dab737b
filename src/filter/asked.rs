//! The comparisons of a filter, each by itself: what it asks, of which field, and where it stands.
//!
//! Read by whoever tells what the events say of a filter. It never fails; terms that are mistaken are left out.

use std::ops::Range;

use super::ast::{Comparison, Node, Op, Operand, Scalar, Term};
use super::check::subject;
use super::complete::{filter_of, rest};
use super::display::{presence_text, value_text};
use super::error::{Fix, Note};
use super::glob::Glob;
use super::typed::Subject;
use super::{Filter, MAX_CHARS, State, near_field, parser, path_text, run, while_typing};
use crate::event::{Field, FieldKind};

/// Comparisons told apart; a filter with more has the others left out.
const MAX_TERMS: usize = 16;

/// A comparison of a filter.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Field, operator and value, without a sign before them.
    pub span: Range<usize>,
    /// As typed.
    pub field: String,
    /// As typed, in lower case.
    pub op: String,
    /// The value, where it is one.
    pub value: Option<AskedValue>,
    /// Fields that are not built in, and where their names stand.
    pub unknown: Vec<(Range<usize>, String)>,
    /// `!=` or `!~`
    pub is_excluding: bool,
    /// What is asked for is left out, by `-` or `not`.
    pub is_negated: bool,
    /// The comparison alone.
    pub filter: Filter,
    /// What the filter asks beside it.
    pub rest: Filter,
}

/// The single value of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedValue {
    pub span: Range<usize>,
    /// Without quotes.
    pub text: String,
    pub has_star: bool,
}

impl Asked {
    /// The value, if the comparison asks for one whole value by name, so that another spelling may be meant.
    pub fn whole_value(&self) -> Option<&AskedValue> {
        let kind = Field::find(&self.field).map(|field| field.kind);
        let is_whole = match kind {
            Some(FieldKind::Name | FieldKind::Signal) => matches!(self.op.as_str(), ":" | "=" | "=="),
            Some(FieldKind::Text | FieldKind::Url | FieldKind::Type) | None => {
                matches!(self.op.as_str(), "=" | "==")
            }
            _ => false,
        };
        self.value.as_ref().filter(|value| is_whole && !value.has_star && !self.is_negated)
    }

    /// `value` as it is written in the place of the comparison's own.
    pub fn written(&self, value: &str) -> String {
        let text = if self.op == "==" { value.to_owned() } else { Glob::literal(value).to_text() };
        value_text(&text)
    }

    /// What is written to ask for all values that begin with the comparison's own.
    pub fn starred(&self) -> Option<String> {
        let value = self.whole_value().filter(|_| self.op != "==")?;
        let Glob { mut pieces } = Glob::parse(&value.text);
        pieces.push(String::new());
        Some(value_text(&Glob { pieces }.to_text()))
    }

    /// The comparison in `text`, the filter it was read from, turned into one that leaves out instead: `-user:x`
    /// for `user!=x`.
    pub fn left_out(&self, text: &str) -> Option<String> {
        let term = text.get(self.span.clone())?;
        let contains = Field::find(&self.field)
            .is_none_or(|field| matches!(field.kind, FieldKind::Text | FieldKind::Url));
        let (sign, plain) = match self.op.as_str() {
            "!=" => ("!=", if contains { "=" } else { ":" }),
            "!~" => ("!~", "~"),
            _ => return None,
        };
        Some(format!("-{}", term.replacen(sign, plain, 1)))
    }

    /// A filter for the events that lack the field and have all the rest.
    pub fn lacking(&self) -> Option<Filter> {
        let rest = &self.rest;
        let rest = if rest.is_all() { String::new() } else { format!("({rest}) ") };
        super::parse(&format!("{rest}no:{}", in_has(&self.field))).filter
    }
}

/// How `has:` and `no:` ask for the field that is written `path` before an operator.
pub fn in_has(path: &str) -> String {
    run::field(path).map_or_else(|| path.to_owned(), |(parts, _)| presence_text(&subject(&parts)))
}

/// The comparisons of `text`, from the left, at most 16.
pub fn terms(text: &str) -> Vec<Asked> {
    if text.chars().nth(MAX_CHARS).is_some() {
        return Vec::new();
    }
    let mut found = Vec::new();
    if let Some(root) = parser::parse(text).root {
        collect(&root, false, text, &mut found);
    }
    found
}

/// Depth is bounded by the parser.
fn collect(node: &Node, is_negated: bool, text: &str, out: &mut Vec<Asked>) {
    match node {
        Node::And(parts) | Node::Or(parts) => {
            for part in parts {
                collect(part, is_negated, text, out);
            }
        }
        Node::Not(inner) => collect(inner, !is_negated, text, out),
        Node::Term(Term::Comparison(comparison), span) if out.len() < MAX_TERMS => {
            out.extend(asked(node, comparison, span, is_negated, text));
        }
        Node::Term(..) => {}
    }
}

fn asked(
    node: &Node,
    comparison: &Comparison,
    span: &Range<usize>,
    is_negated: bool,
    text: &str,
) -> Option<Asked> {
    let filter = filter_of(node, text);
    if filter.is_all() {
        return None;
    }
    let value = match &comparison.operand {
        Operand::Scalar(scalar) => Some(AskedValue {
            span: scalar.span.clone(),
            text: scalar.text.clone(),
            has_star: Glob::parse(&scalar.text).has_star(),
        }),
        Operand::List(_) | Operand::Regexp(_) => None,
    };
    Some(Asked {
        span: span.clone(),
        field: comparison.field.clone(),
        op: comparison.op_text.to_lowercase(),
        value,
        unknown: unknown(comparison),
        is_excluding: matches!(comparison.op, Op::Ne | Op::NoMatch),
        is_negated,
        filter,
        rest: rest(text, span),
    })
}

/// Paths that name no built-in field: the comparison's own, or those that `has:` and `no:` ask for.
fn unknown(comparison: &Comparison) -> Vec<(Range<usize>, String)> {
    let text_of = |path: &[String]| {
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        path_text(&parts)
    };
    let named = |item: &Scalar| {
        let (path, len) = run::field(&item.text)?;
        let is_whole = len == item.text.len() && !item.is_quoted;
        (is_whole && matches!(subject(&path), Subject::Data(_)))
            .then(|| text_of(&path))?
            .map(|path| (item.span.clone(), path))
    };
    match (subject(&comparison.path), &comparison.operand) {
        // Stands for a filter, which is put in its place before anything is evaluated.
        (Subject::Data(path), _) if is_saved(&path) => Vec::new(),
        (Subject::Data(_), _) => {
            text_of(&comparison.path).map(|path| (comparison.field_span.clone(), path)).into_iter().collect()
        }
        (Subject::Field(Field { kind: FieldKind::Presence, .. }), Operand::Scalar(item)) => {
            named(item).into_iter().collect()
        }
        (Subject::Field(Field { kind: FieldKind::Presence, .. }), Operand::List(items)) => {
            items.iter().filter_map(named).collect()
        }
        _ => Vec::new(),
    }
}

/// True if `text` with the fix made is a filter, or was none before; what is only unfinished counts as one.
pub fn is_sound(text: &str, fix: &Fix) -> bool {
    let is_wrong = |text: &str| while_typing(text, true).state == State::Error;
    !is_wrong(&fix.apply(text)) || is_wrong(text)
}

fn is_saved(path: &[String]) -> bool {
    matches!(path, [only] if only.eq_ignore_ascii_case("saved"))
}

/// A note for each field that is none and whose name is a small slip away from a built-in one: all that can be
/// said without events.
pub fn near_field_notes(text: &str) -> Vec<Note> {
    let note = |(span, name): (Range<usize>, String)| {
        let near = near_field(&name)?;
        Some(Note {
            code: "N-FIELD",
            message: format!("no built-in field is called {name}. Did you mean {near}?"),
            fix: Some(Fix::new(span.clone(), near)).filter(|fix| is_sound(text, fix)),
            span,
            only_without_matches: false,
        })
    };
    terms(text).into_iter().flat_map(|term| term.unknown).filter_map(note).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_stand_alone_with_what_is_asked_beside_them() {
        let text = "level>=warn -(user:\"a b\" or status!=404) x has:(stack, foo.bar)";
        let told: Vec<String> = terms(text)
            .iter()
            .map(|term| {
                let value = term.value.as_ref().map(|value| value.text.as_str());
                let (alone, rest) = (term.filter.reads_as(), term.rest.reads_as());
                format!("{} {value:?} {} | {alone} | {rest}", term.field, term.is_negated)
            })
            .collect();
        assert_eq!(
            told,
            [
                "level Some(\"warn\") false | level >= warn | NOT (user = \"a b\" OR status != 404) AND \"x\" AND (has = stack OR has = foo.bar)",
                "user Some(\"a b\") true | user = \"a b\" | level >= warn AND \"x\" AND (has = stack OR has = foo.bar)",
                "status Some(\"404\") true | status != 404 | level >= warn AND \"x\" AND (has = stack OR has = foo.bar)",
                "has None false | has = stack OR has = foo.bar | level >= warn AND NOT (user = \"a b\" OR status != 404) AND \"x\"",
            ]
        );
        assert_eq!(terms(text)[3].unknown, [(55..62, "foo.bar".to_owned())]);
    }

    #[test]
    fn slips_in_field_names_are_told_without_events() {
        for (text, expected) in [
            ("levle:er", Some("level:er")),
            ("-(a:1 stauts:500)", Some("-(a:1 status:500)")),
            ("has:stakc", Some("has:stack")),
            ("stauts=a", None),
            ("level:error", None),
            ("my-own:5", None),
            ("before:5m", Some("until:5m")),
            ("after:5m", Some("since:5m")),
            ("app=shop", None),
        ] {
            let notes = near_field_notes(text);
            let mended = notes.first().and_then(|note| note.fix.as_ref()).map(|fix| fix.apply(text));
            assert_eq!(mended.as_deref(), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_terms_that_lie_in_it(text in "[a-c:=!<~\" ()*/.,é-]{0,30}") {
            for term in terms(&text) {
                proptest::prop_assert!(text.get(term.span).is_some());
            }
        }
    }
}
