//! Notes on what is written in the way of other languages and of keyboards that mend: spoken operators, lists without a
//! field or with `and`, comparisons that begin with the value, patterns without `~`, curly quotes.
//!
//! Called by `check` and [`super::Reading`] as those in `notes` are, with which these share their form.

use super::ast::{Comparison, Op, Scalar, Span};
use super::check::is_read;
use super::display::value_text;
use super::error::{Fix, Note};
use super::lexer::{Kind, Token};
use super::notes::note;
use super::parser;
use super::run;
use super::typed::Subject;
use crate::event::{Field, FieldKind};

/// Words that stand for an operator where people speak, longer ones first, with what is written around the value.
const SPOKEN: [(&str, &str, &str); 9] = [
    ("is not", "!=", ""),
    ("is", ":", ""),
    ("are", ":", ""),
    ("equals", "=", ""),
    ("not", "!=", ""),
    ("starts with", ":", "*"),
    ("ends with", ":*", ""),
    ("greater than", ">", ""),
    ("less than", "<", ""),
];
/// Words that are operators after built-in names and words after others, with what is an operator after each.
const FOR_KNOWN: [(&str, &str); 2] = [("contains", ":"), ("matches", "~")];
/// Signs of comparisons, longer ones first, with what they are seen from the other side.
const TURNED: [(&str, &str); 4] = [("<=", ">="), (">=", "<="), ("<", ">"), (">", "<")];
/// What opens and closes quotes where an editor or a phone makes them nice.
const CURLY: [char; 6] = ['“', '”', '„', '‘', '’', '‚'];

/// What is said in words that a comparison says.
pub(super) fn sentence(text: &str, tokens: &[Token]) -> Option<Note> {
    spoken(text, tokens).or_else(|| spoken_of_data(text, tokens)).or_else(|| no_field(text, tokens))
}

/// N-IS: `level is error` are three words.
fn spoken(text: &str, tokens: &[Token]) -> Option<Note> {
    let words = |from: usize, count: usize| {
        let words = tokens.get(from..from + count)?;
        words.iter().all(|token| token.kind == Kind::Word).then(|| {
            let said: Vec<&str> = words.iter().map(|word| &text[word.span.clone()]).collect();
            said.join(" ")
        })
    };
    (0..tokens.len()).find_map(|at| {
        let name = words(at, 1)?;
        let field = Field::find(&name).filter(|field| field.kind != FieldKind::Is)?;
        SPOKEN.iter().find_map(|(spoken, before, after)| {
            let count = spoken.split(' ').count();
            words(at + 1, count).filter(|said| said.eq_ignore_ascii_case(spoken))?;
            let term = format!("{name}{before}{}{after}", words(at + 1 + count, 1)?);
            let span = tokens[at].span.start..tokens[at + 1 + count].span.end;
            let takes_words = matches!(
                field.kind,
                FieldKind::Text | FieldKind::Url | FieldKind::Name | FieldKind::Signal | FieldKind::Presence
            );
            let found = is_read(&term).then(|| for_the_field(span, term))?;
            // `user is undefined` is what a message may say.
            Some(Note { only_without_matches: takes_words, ..found })
        })
    })
}

/// N-IS: `cart contains shoes` are three words too, as `cart` is not built in.
fn spoken_of_data(text: &str, tokens: &[Token]) -> Option<Note> {
    let [name, operator, value] = tokens else { return None };
    if tokens.iter().any(|token| token.kind != Kind::Word) {
        return None;
    }
    let said = |token: &Token| &text[token.span.clone()];
    let (_, sign) = FOR_KNOWN.iter().find(|(word, _)| word.eq_ignore_ascii_case(said(operator)))?;
    let term = format!("{}{sign}{}", said(name), said(value));
    let is_right = run::is_plain_name(said(name)) && is_read(&term);
    is_right.then(|| for_the_field(name.span.start..value.span.end, term))
}

fn for_the_field(span: Span, term: String) -> Note {
    let message = format!("looking for the words. To ask for the field write  {term}");
    note("N-IS", span.clone(), message, Some(Fix::new(span, term)))
}

/// N-IN: `in (500, 404)` with no field before it is a word and a group of words.
fn no_field(text: &str, tokens: &[Token]) -> Option<Note> {
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
    let before = at.checked_sub(1).map(|at| &tokens[at]).filter(|before| before.kind == Kind::Word);
    let name = before.map_or("", |before| &text[before.span.clone()]);
    let is_not = name.eq_ignore_ascii_case("not");
    if let Some(before) = before.filter(|_| !is_not && run::is_plain_name(name)) {
        let list = format!("{name}:({})", items.join(", "));
        let span = before.span.start..close.span.end;
        return is_read(&list).then(|| for_the_field(span, list));
    }
    let is_status = |item: &&str| item.len() == 3 && item.bytes().all(|byte| byte.is_ascii_digit());
    let (name, fix) = match items.iter().all(is_status) {
        true => ("status", Some(Fix::new(word.span.start..word.span.start, "status "))),
        false => ("method", None),
    };
    let message = format!("`in` is a word here: write which field, like {name} in ({})", items.join(", "));
    Some(note("N-IN", word.span.clone(), message, fix))
}

/// N-AND: the `and` of `method:(GET and POST)` is a value like the two others.
pub(super) fn both(written: &Comparison, subject: &Subject, items: &[Scalar]) -> Option<Note> {
    let is_and = |item: &&Scalar| !item.is_quoted && item.text.eq_ignore_ascii_case("and");
    let and = items.iter().find(is_and).filter(|_| items.len() > 2)?;
    let may_be_both = match subject {
        Subject::Field(field) => matches!(field.kind, FieldKind::Text | FieldKind::Url),
        Subject::Data(_) => true,
    };
    if may_be_both && written.op == Op::Has {
        let term = |item: &Scalar| format!("{}:{}", written.field, value_text(&item.text));
        let terms: Vec<String> = items.iter().filter(|item| !is_and(item)).map(term).collect();
        let terms = format!("({})", terms.join(" "));
        let span = written.field_span.start..written.operand_span.end;
        let message = format!("any of these counts, the word \"and\" too. For all at once write  {terms}");
        return Some(note("N-AND", and.span.clone(), message, Some(Fix::new(span, terms))));
    }
    let message = "\"and\" is one of the values here. Any of them counts: write  or".to_owned();
    Some(note("N-AND", and.span.clone(), message, Some(Fix::new(and.span.clone(), "or"))))
}

/// N-EITHER: in `status:500 or 404` what follows `or` is text.
pub(super) fn either(text: &str, tokens: &[Token]) -> Option<Note> {
    let said = |token: &Token| &text[token.span.clone()];
    // Between words an `or` is one itself.
    let is_or = |token: &Token| matches!(token.kind, Kind::Or(_)) || said(token).eq_ignore_ascii_case("or");
    (0..tokens.len()).find_map(|at| {
        let [field, op, value, rest @ ..] = &tokens[at..] else { return None };
        let Kind::Field(path) = &field.kind else { return None };
        let [name] = path.as_slice() else { return None };
        let is_so = matches!(op.kind, Kind::Op(Op::Has | Op::Eq)) && value.kind == Kind::Value;
        let known = Field::find(name).filter(|_| is_so)?;
        let others = rest.chunks_exact(2).take_while(|two| is_or(&two[0]) && two[1].kind == Kind::Word);
        let others: Vec<&Token> = others.map(|two| &two[1]).collect();
        let (word, last) = (others.first()?, others.last()?);
        let words: Vec<&str> = others.iter().map(|word| said(word)).collect();
        let list = format!(":({}, {})", said(value), words.join(", "));
        let takes_words = match known.kind {
            FieldKind::Level | FieldKind::Severity | FieldKind::Status | FieldKind::Type => false,
            FieldKind::Name if op.kind == Kind::Op(Op::Has) => true,
            _ => return None,
        };
        if !is_read(&format!("{name}{list}")) {
            return None;
        }
        let message = format!("looking for {} as text. For either write  {name}{list}", words.join(" or "));
        let fix = Fix::new(op.span.start..last.span.end, list);
        let found = note("N-EITHER", word.span.clone(), message, Some(fix));
        Some(Note { only_without_matches: takes_words, ..found })
    })
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
