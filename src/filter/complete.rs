//! What may come next at a place in a filter's text: a field, an operator, a value, or nothing.
//!
//! Called at each key by whoever offers completions. It reads the text and the names of the built-in fields alone,
//! never fails and never changes the text; which values there are is for the caller to find out.

use std::ops::Range;

use super::ast::{Node, Op};
use super::display::{quoted, value_text};
use super::glob::Glob;
use super::lexer::{self, Kind, Style, Token};
use super::suggest::nearest;
use super::typed::Subject;
use super::{Filter, MAX_CHARS, check, kinds, numbers, parser, run};
use crate::event::{Column, FIELDS, Field, FieldKind, json};

/// What may come at the cursor.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The bytes of the text that a candidate replaces.
    pub span: Range<usize>,
    pub what: What,
    form: Form,
}

/// The kind of thing that may come.
#[derive(Clone, Debug)]
pub enum What {
    /// Nothing that can be known: inside a phrase or a regular expression, or after something finished.
    Nothing,
    /// The text is empty: a whole filter may come.
    Empty,
    /// A field's name or path.
    Field {
        /// What stands before the cursor of it.
        typed: String,
        /// False where a name stands for itself: after `has:` and where an operator follows already.
        takes_operator: bool,
    },
    /// An operator of this field; the span holds the field too.
    Operator { field: String },
    /// A value of this field.
    Value {
        field: String,
        /// The operator as it is written.
        op: String,
        /// What stands before the cursor of the value, without quotes.
        typed: String,
        /// What the filter asks of an event beside the term being typed.
        rest: Filter,
    },
}

/// How a value is written where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Right after its operator.
    Plain,
    /// In a list.
    Item,
    /// After `in`, where there is no list yet.
    WholeList,
    /// `:ns/name`, which has no field and no operator.
    Signal,
}

impl Expected {
    fn new(span: Range<usize>, what: What) -> Self {
        Self { span, what, form: Form::Plain }
    }

    fn nothing(at: usize) -> Self {
        Self::new(at..at, What::Nothing)
    }

    fn field(span: Range<usize>, typed: &str, takes_operator: bool) -> Self {
        Self::new(span, What::Field { typed: typed.to_owned(), takes_operator })
    }

    /// The text that asks for exactly `value` when it stands at the span, quoted where it must be; `None` where
    /// no value is expected.
    pub fn insertion(&self, value: &str) -> Option<String> {
        let What::Value { op, .. } = &self.what else { return None };
        let text = if op == "==" { value.to_owned() } else { Glob::literal(value).to_text() };
        self.written(&value_text(&text), &text)
    }

    /// As [`Expected::insertion`], for values of which only the beginning is known.
    pub fn insertion_of_start(&self, start: &str) -> Option<String> {
        let What::Value { field, op, .. } = &self.what else { return None };
        let contains = op == "contains" || op == ":" && has_means_contains(field);
        if contains {
            return self.insertion(start);
        }
        let text = Glob { pieces: vec![start.to_owned(), String::new()] }.to_text();
        if op == "==" { None } else { self.written(&value_text(&text), &text) }
    }

    /// `value` as it is, in brackets where a list must stand: for values that are words of the language.
    pub fn insertion_of_word(&self, value: &str) -> Option<String> {
        matches!(self.what, What::Value { .. }).then(|| self.framed(value))
    }

    fn framed(&self, value: &str) -> String {
        match self.form {
            Form::Plain | Form::Item => value.to_owned(),
            Form::WholeList => format!("({value})"),
            Form::Signal => format!("id:{value}"),
        }
    }

    /// `bare` if it is read back behind the field and operator, else `text` in quotes.
    fn written(&self, bare: &str, text: &str) -> Option<String> {
        let What::Value { field, op, .. } = &self.what else { return None };
        let term = format!("{field}{op}{bare}");
        let is_read_back = self.form != Form::Plain
            || op.starts_with(char::is_alphabetic)
            || matches!(lexer::tokens(&term).as_slice(), [_, _, value] if term[value.span.clone()] == *bare);
        Some(if is_read_back { self.framed(bare) } else { self.framed(&quoted(text)) })
    }
}

fn has_means_contains(field: &str) -> bool {
    Field::find(field).is_none_or(|field| matches!(field.kind, FieldKind::Text | FieldKind::Url))
}

/// What may come at byte `cursor` of `text`.
pub fn expected(text: &str, cursor: usize) -> Expected {
    let cursor = text.floor_char_boundary(cursor);
    if run::spaces(text) == text.len() {
        return Expected::new(0..text.len(), What::Empty);
    }
    if text.chars().nth(MAX_CHARS).is_some() {
        return Expected::nothing(cursor);
    }
    let place = Place { text, cursor, tokens: lexer::tokens(text) };
    let touched = place.tokens.iter().position(|token| token.span.start < cursor && cursor <= token.span.end);
    match touched {
        Some(at) => place.in_token(at),
        None => place.in_gap(),
    }
}

struct Place<'t> {
    text: &'t str,
    cursor: usize,
    tokens: Vec<Token>,
}

impl Place<'_> {
    /// The cursor is in a token or at its end.
    fn in_token(&self, at: usize) -> Expected {
        let Token { kind, span } = &self.tokens[at];
        let typed = &self.text[span.start..self.cursor];
        let is_behind = self.cursor == span.end;
        match kind {
            Kind::Word if self.lacks_left(at) => Expected::nothing(self.cursor),
            Kind::Word => self.word(span, typed),
            Kind::Field(_) => Expected::field(span.clone(), typed, false),
            Kind::Op(_) if is_behind => self.value(at),
            Kind::Value | Kind::Quoted(..) | Kind::List(..) | Kind::NoList => self.value(at - 1),
            Kind::Open | Kind::LoneSign | Kind::Not(Style::Sign) if is_behind => self.new_term(),
            Kind::Signal | Kind::Keyword => Expected {
                span: span.clone(),
                what: What::Value {
                    field: "id".to_owned(),
                    op: ":".to_owned(),
                    typed: typed.trim_start_matches(':').to_owned(),
                    rest: rest(self.text, span),
                },
                form: Form::Signal,
            },
            _ => Expected::nothing(self.cursor),
        }
    }

    /// The cursor is between tokens and touches none that is before it.
    fn in_gap(&self) -> Expected {
        let next = self.tokens.iter().position(|token| token.span.start >= self.cursor);
        let before = next.unwrap_or(self.tokens.len()).checked_sub(1);
        match before.map(|before| &self.tokens[before]) {
            Some(Token { kind: Kind::Op(_), .. }) if self.is_ended_by_blank(before.unwrap_or_default()) => {
                Expected::nothing(self.cursor)
            }
            Some(Token { kind: Kind::Op(_), .. }) => self.value(before.unwrap_or_default()),
            Some(Token { kind: Kind::BadOp | Kind::NoField, .. }) => Expected::nothing(self.cursor),
            Some(Token { kind: Kind::Word, span })
                if Field::find(&self.text[span.clone()]).is_some() && !self.is_glued(next) =>
            {
                let field = self.text[span.clone()].to_owned();
                Expected::new(span.start..self.cursor, What::Operator { field })
            }
            _ => self.new_term(),
        }
    }

    /// True if no value may come after a blank behind the sign at `op_at`: after a name of one part that is no field.
    fn is_ended_by_blank(&self, op_at: usize) -> bool {
        let name = op_at.checked_sub(1).map(|at| &self.tokens[at].kind);
        let is_free =
            matches!(name, Some(Kind::Field(path)) if path.len() == 1 && Field::find(&path[0]).is_none());
        let is_sign = !self.text[self.tokens[op_at].span.clone()].ends_with(char::is_alphabetic);
        is_free && is_sign
    }

    /// True if the next token begins right at the cursor and would run into what is put there.
    fn is_glued(&self, next: Option<usize>) -> bool {
        next.is_some_and(|next| {
            let Token { kind, span } = &self.tokens[next];
            span.start == self.cursor && *kind != Kind::Close
        })
    }

    fn new_term(&self) -> Expected {
        let next = self.tokens.iter().position(|token| token.span.start >= self.cursor);
        if self.is_glued(next) || self.lacks_left(next.unwrap_or(self.tokens.len())) {
            return Expected::nothing(self.cursor);
        }
        Expected::field(self.cursor..self.cursor, "", true)
    }

    /// True if before the token at `at` stands an operator with nothing on its left: a word so far, and a mistake once
    /// there is a field on its right.
    fn lacks_left(&self, at: usize) -> bool {
        let is_operator = |kind: &Kind| matches!(kind, Kind::And(_) | Kind::Or(_));
        match self.tokens[..at] {
            [Token { kind: ref first, .. }] => is_operator(first),
            [.., Token { kind: ref left, .. }, Token { kind: ref last, .. }] => {
                is_operator(last) && (is_operator(left) || matches!(left, Kind::Open | Kind::Not(_)))
            }
            [] => false,
        }
    }

    /// A word, which may become the name of a field.
    fn word(&self, span: &Range<usize>, typed: &str) -> Expected {
        let is_name = |name: &str| run::field(name).is_some_and(|(_, len)| len == name.len());
        let name = typed.strip_suffix('!').unwrap_or(typed);
        if self.cursor == span.end && Field::find(name).is_some() && is_name(name) {
            return Expected::new(span.clone(), What::Operator { field: name.to_owned() });
        }
        if is_name(typed) || typed.strip_suffix('.').is_some_and(is_name) {
            return Expected::field(span.clone(), typed, true);
        }
        Expected::nothing(self.cursor)
    }

    /// The value that belongs to the operator at `op_at`, there or not.
    fn value(&self, op_at: usize) -> Expected {
        let nothing = Expected::nothing(self.cursor);
        let (Some(Token { kind: Kind::Op(op), span: op_span }), Some(name)) =
            (self.tokens.get(op_at), op_at.checked_sub(1).map(|at| &self.tokens[at]))
        else {
            return nothing;
        };
        let takes = |path: &[String]| match check::subject(path) {
            Subject::Field(Field { column: Column::Predicate, .. }) => {
                matches!(op, Op::Has | Op::Eq | Op::Same | Op::In | Op::NotIn)
            }
            subject => kinds::operators(&subject).2(*op),
        };
        let is_taken = matches!(&name.kind, Kind::Field(path) if takes(path));
        if !is_taken || op.takes_regex() {
            return nothing;
        }
        let is_list_op = matches!(op, Op::In | Op::NotIn);
        let missing = (self.cursor..self.cursor, String::new(), Form::Plain, op_span.end);
        let (span, typed, form, term_end) = match self.tokens.get(op_at + 1) {
            Some(Token { kind: Kind::Value | Kind::NoList, span }) => {
                let typed = self.text.get(span.start..self.cursor).unwrap_or("").to_owned();
                (span.clone(), typed, Form::Plain, span.end)
            }
            Some(Token { kind: Kind::Quoted(_, is_closed), span }) => {
                if *is_closed && self.cursor == span.end {
                    return nothing;
                }
                let typed =
                    self.text.get(span.start..self.cursor).map_or(String::new(), |it| run::quoted(it).0);
                (span.clone(), typed, Form::Plain, span.end)
            }
            Some(Token { kind: Kind::List(items, is_closed), span }) => {
                if *is_closed && self.cursor == span.end || self.cursor <= span.start {
                    return nothing;
                }
                let here = |item: &&super::ast::Scalar| {
                    item.span.start <= self.cursor && self.cursor <= item.span.end
                };
                match items.iter().find(here) {
                    Some(item) => {
                        let typed = &self.text[item.span.start..self.cursor];
                        let typed = if item.is_quoted { run::quoted(typed).0 } else { typed.to_owned() };
                        (item.span.clone(), typed, Form::Item, span.end)
                    }
                    None => (self.cursor..self.cursor, String::new(), Form::Item, span.end),
                }
            }
            _ => missing,
        };
        let form = if is_list_op && form == Form::Plain { Form::WholeList } else { form };
        let field = self.text[name.span.clone()].to_owned();
        if Field::find(&field).is_some_and(|field| field.kind == FieldKind::Presence) {
            // A name cannot bring the brackets of its list along.
            return if form == Form::WholeList { nothing } else { Expected::field(span, &typed, false) };
        }
        let rest = rest(self.text, &(name.span.start..term_end));
        let op = self.text[op_span.clone()].to_lowercase();
        Expected { span, what: What::Value { field, op, typed, rest }, form }
    }
}

/// What `text` asks of an event beside the term at `term`: of alternatives, only the one that holds the term.
pub(super) fn rest(text: &str, term: &Range<usize>) -> Filter {
    let marked = [&text[..term.start], "\"\"", &text[term.end..]].concat();
    let root = parser::parse(&marked).root;
    let beside = root.as_ref().and_then(|root| beside(root, term.start)).unwrap_or_default();
    filter_of(&Node::And(beside), &marked)
}

/// The filter of a part of what `text` was parsed to, with its own text; mistakes are left out of it.
pub(super) fn filter_of(node: &Node, text: &str) -> Filter {
    let syntax = parser::Syntax { root: Some(node.clone()), ..parser::parse(text) };
    let expr = check::check(&syntax, text, None).expr;
    let mut filter = Filter { text: String::new(), expr };
    filter.text = filter.to_string();
    filter
}

/// What must hold beside the term that begins at `at`; `None` if it is not in `node`. Depth is bounded by the parser.
fn beside(node: &Node, at: usize) -> Option<Vec<Node>> {
    match node {
        Node::Term(_, span) => (span.start == at).then(Vec::new),
        Node::Not(inner) => beside(inner, at),
        Node::Or(parts) => parts.iter().find_map(|part| beside(part, at)),
        Node::And(parts) => {
            let (here, mut found) =
                parts.iter().enumerate().find_map(|(here, part)| Some((here, beside(part, at)?)))?;
            found.extend(
                parts.iter().enumerate().filter(|(other, _)| *other != here).map(|(_, it)| it.clone()),
            );
            Some(found)
        }
    }
}

/// What other tools call fields.
const ELSEWHERE: [(&str, &str); 6] = [
    ("after", "since"),
    ("newer", "since"),
    ("newer-than", "since"),
    ("before", "until"),
    ("older", "until"),
    ("older-than", "until"),
];

/// The built-in field whose name is nearest to `name`, if it is none itself and a small slip away from one. Names
/// of one or two letters are near to everything, so they are no slips.
pub fn near_field(name: &str) -> Option<&'static str> {
    if Field::find(name).is_some() || name.chars().nth(2).is_none() {
        return None;
    }
    if let Some((_, field)) = ELSEWHERE.iter().find(|(known, _)| json::same_name(known, name)) {
        return Some(field);
    }
    let near = nearest(name, FIELDS.iter().flat_map(Field::names))?;
    // With two of three letters changed it is another word.
    let is_as_long = |word: &str| name.chars().count() == 3 && word.len() == 3;
    let shared = name.chars().zip(near.chars()).filter(|(a, b)| a.eq_ignore_ascii_case(b)).count();
    (!is_as_long(near) || shared > 1).then_some(near)
}

/// A path in the data as a filter names it, with quotes where a part needs them; `None` if it cannot be named.
pub fn path_text(parts: &[&str]) -> Option<String> {
    let out = run::path_text(parts.iter().copied());
    let reads_back = run::field(&out).is_some_and(|(path, len)| len == out.len() && path == parts);
    reads_back.then_some(out)
}

/// The unit that the numbers at a path have by its name: `ms`, `kB`, or none known.
pub fn unit_of(path: &str) -> Option<&'static str> {
    let (parts, _) = run::field(path)?;
    numbers::own_unit(&parts).map(|(_, unit)| unit)
}

#[cfg(test)]
mod tests;
