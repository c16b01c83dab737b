//! Notes on what is written in the way of other languages and of keyboards that mend: spoken operators, lists without a
//! field, comparisons that begin with the value, patterns without `~`, curly quotes.
//!
//! Called by `check` and [`super::Reading`] as those in `notes` are, with which these share their form.

use super::ast::{Comparison, Op, Scalar};
use super::check::is_read;
use super::error::{Fix, Note};
use super::lexer::{Kind, Token};
use super::notes::note;
use super::parser;
use super::typed::Subject;
use crate::event::{Field, FieldKind};

/// Words that stand for an operator where people speak.
const SPOKEN: [(&str, &str); 3] = [("is", ":"), ("equals", "="), ("are", ":")];
/// Signs of comparisons, longer ones first, with what they are seen from the other side.
const TURNED: [(&str, &str); 4] = [("<=", ">="), (">=", "<="), ("<", ">"), (">", "<")];
/// What opens and closes quotes where an editor or a phone makes them nice.
const CURLY: [char; 6] = ['“', '”', '„', '‘', '’', '‚'];

/// N-IS: `level is error` are three words.
pub(super) fn spoken(text: &str, tokens: &[Token]) -> Option<Note> {
    tokens.windows(3).find_map(|three| {
        let [name, operator, value] = three else { return None };
        if three.iter().any(|token| token.kind != Kind::Word) {
            return None;
        }
        let said = |token: &Token| &text[token.span.clone()];
        let field = Field::find(said(name))?;
        let (_, sign) = SPOKEN.iter().find(|(word, _)| word.eq_ignore_ascii_case(said(operator)))?;
        let term = format!("{}{sign}{}", said(name), said(value));
        let takes_words = matches!(
            field.kind,
            FieldKind::Text | FieldKind::Url | FieldKind::Name | FieldKind::Signal | FieldKind::Presence
        );
        if field.kind == FieldKind::Is || !is_read(&term) {
            return None;
        }
        let span = name.span.start..value.span.end;
        let message = format!("looking for three words. To ask for the field write  {term}");
        let found = note("N-IS", span.clone(), message, Some(Fix::new(span, term)));
        // `user is undefined` is what a message may say.
        Some(Note { only_without_matches: takes_words, ..found })
    })
}

/// N-IN: `in (500, 404)` with no field before it is a word and a group of words.
pub(super) fn no_field(text: &str, tokens: &[Token]) -> Option<Note> {
    let at = tokens.windows(2).position(|two| {
        let [word, open] = two else { return false };
        let is_in = word.kind == Kind::Word && text[word.span.clone()].eq_ignore_ascii_case("in");
        is_in && open.kind == Kind::Open
    })?;
    let (word, open) = (&tokens[at], &tokens[at + 1]);
    let close = tokens[at + 2..].iter().find(|token| token.kind != Kind::Word)?;
    let inside = &text[open.span.end..close.span.start];
    if close.kind != Kind::Close || !inside.contains(',') {
        return None;
    }
    let items: Vec<&str> = inside.split(',').map(str::trim).collect();
    let is_status = |item: &&str| item.len() == 3 && item.bytes().all(|byte| byte.is_ascii_digit());
    let (name, fix) = match items.iter().all(is_status) {
        true => ("status", Some(Fix::new(word.span.start..word.span.start, "status "))),
        false => ("method", None),
    };
    let message = format!("`in` is a word here: write which field, like {name} in ({})", items.join(", "));
    Some(note("N-IN", word.span.clone(), message, fix))
}

/// N-TURN: `100<status` and `500<=status<=599` are words.
pub(super) fn turned(text: &str, scalar: &Scalar) -> Option<Note> {
    let (left, (sign, turned), rest) = split_at_sign(&scalar.text).filter(|_| !scalar.is_quoted)?;
    let (name, term) = match split_at_sign(rest) {
        None => (rest, format!("{rest}{turned}{left}")),
        Some((name, (second, _), right)) if second[..1] == sign[..1] && split_at_sign(right).is_none() => {
            let (low, high) = if sign.starts_with('<') { (left, right) } else { (right, left) };
            (name, format!("{name}:{low}..{high}"))
        }
        Some(_) => return None,
    };
    Field::find(name).filter(|_| is_read(&term))?;
    let message = format!("looking for the text. To compare the field write  {term}");
    let fix = Fix::new(scalar.span.clone(), term);
    let is_right = parser::parse(&fix.apply(text)).errors.is_empty();
    is_right.then(|| note("N-TURN", scalar.span.clone(), message, Some(fix)))
}

/// What stands before the first sign of [`TURNED`], the sign, and what stands after it.
fn split_at_sign(text: &str) -> Option<(&str, (&str, &str), &str)> {
    let (before, from) = text.split_at(text.find(['<', '>'])?);
    let sign = TURNED.into_iter().find(|(sign, _)| from.starts_with(sign))?;
    Some((before, sign, &from[sign.0.len()..]))
}

/// N-SLASH: `message:/re/` looks for the slashes too.
pub(super) fn pattern(written: &Comparison, subject: &Subject, scalar: &Scalar) -> Option<Note> {
    let inside = scalar.text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'))?;
    let may_be_path = !matches!(
        subject,
        Subject::Field(Field { kind: FieldKind::Text, name: "message" | "stack" | "name", .. })
    );
    let is_meant = !may_be_path || super::notes::is_like_regexp(inside);
    if scalar.is_quoted || inside.is_empty() || !is_meant || !matches!(written.op, Op::Has | Op::Eq) {
        return None;
    }
    let message = format!("this is text. For a regular expression write {}~{}", written.field, scalar.text);
    Some(note("N-SLASH", scalar.span.clone(), message, Some(Fix::new(written.op_span.clone(), "~"))))
}

/// N-QUOTE: curly quotes are letters like others.
pub(super) fn curly(text: &str, scalar: &Scalar) -> Option<Note> {
    let start = scalar.span.start;
    let inside = text[start..].strip_prefix(CURLY).filter(|_| !scalar.is_quoted)?;
    let len = inside.find(CURLY)?;
    let end = text.len() - inside.len() + len + inside[len..].chars().next().map_or(0, char::len_utf8);
    let phrase = format!("\"{}\"", &inside[..len]);
    let message = format!("curly quotes are letters here: write {phrase}");
    let fix = Fix::new(start..end, phrase);
    let is_right = parser::parse(&fix.apply(text)).errors.is_empty();
    is_right.then(|| note("N-QUOTE", start..end, message, Some(fix)))
}
