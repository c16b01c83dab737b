//! Text to tokens, each with its place; it never fails.
//!
//! Called by the parser alone. What is a word and what is a comparison is decided here, from the text and the
//! names of the built-in fields only (FILTER: grammar). Mistakes become tokens the parser reports.

use super::ast::{Op, Regexp, Scalar, Span};
use super::run::{self, Ends};
use crate::event::{Field, FieldKind};

/// How an operator was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `AND`, `&&`: an operator whatever stands beside it.
    Firm,
    /// `and`: an operator only beside structure.
    Soft,
    /// `-`, `!`
    Sign,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Close,
    And(Style),
    Or(Style),
    Not(Style),
    Word,
    /// A quoted text; `false` if the quote is not closed.
    Phrase(String, bool),
    /// `~/re/`; `false` if it is not closed.
    AnyRegexp(Regexp, bool),
    Signal,
    /// A field, always followed by `Op` or `BadOp`.
    Field(Vec<String>),
    Op(Op),
    /// An operator that does not exist; the comparison's value has been skipped.
    BadOp,
    /// After an `Op`: one of these, or nothing if the value is missing.
    Value,
    Quoted(String, bool),
    Pattern(Regexp, bool),
    List(Vec<Scalar>, bool),
    /// What stands after `in` and is no list.
    NoList,
    /// A lone `-` or `!` at the end.
    LoneSign,
    Pipe,
    /// A comparison sign without a field.
    NoField,
    /// `:word`
    Keyword,
    /// `p99(x)>5`
    Aggregate,
    /// Letters after a closing `/` that are no flags.
    BadFlags,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

/// Splits `text`.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new() };
    while lexer.skip_space() {
        let before = lexer.at;
        lexer.term();
        debug_assert!(lexer.at > before, "the lexer moves on");
    }
    lexer.tokens
}

/// What the values of a field look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Run,
    /// The names of fields, parts of which may stand in quotes: `has:context."cart size"`.
    Name,
}

impl Form {
    fn of(path: &[String]) -> Self {
        let field = if let [name] = path { Field::find(name) } else { None };
        match field {
            Some(Field { kind: FieldKind::Presence, .. }) => Self::Name,
            _ => Self::Run,
        }
    }

    /// The unquoted value at the beginning of `text`; a part whose quote is never closed takes all of it.
    fn item(self, text: &str, ends: Ends) -> &str {
        let run = run::bare(text, ends);
        let len = if self == Self::Name { run::field(text).map_or(0, |(_, len)| len) } else { 0 };
        if self == Self::Name && text[len..].starts_with(".\"") && ends == Ends::Space {
            return text;
        }
        if len <= run.len() { run } else { &text[..len + run::bare(&text[len..], ends).len()] }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token>,
}

const AGGREGATES: [&str; 11] =
    ["count", "rate", "avg", "mean", "median", "sum", "min", "max", "stddev", "percentile", "quantile"];

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Moves to the next term; false at the end.
    fn skip_space(&mut self) -> bool {
        self.at += run::spaces(self.rest());
        self.at < self.text.len()
    }

    fn push(&mut self, kind: Kind, len: usize) {
        let span = self.at..self.at + len;
        self.at = span.end;
        self.tokens.push(Token { kind, span });
    }

    fn term(&mut self) {
        let rest = self.rest();
        let mut chars = rest.chars();
        let (Some(first), second) = (chars.next(), chars.next()) else { return };
        match (first, second) {
            ('(', _) => self.push(Kind::Open, 1),
            (')', _) => self.push(Kind::Close, 1),
            ('"', _) if self.quoted_field() => {}
            ('"' | '\'', _) => self.quoted(Kind::Phrase),
            ('~', Some('/')) => {
                self.at += 1;
                let place = self.tokens.len();
                self.regexp(Kind::AnyRegexp);
                self.tokens[place].span.start -= 1;
            }
            ('&', Some('&')) => self.push(Kind::And(Style::Firm), 2),
            ('|', Some('|')) => self.push(Kind::Or(Style::Firm), 2),
            ('|', next) if next.is_none_or(|c| run::is_space(c) || matches!(c, '=' | '~')) => {
                self.push(Kind::Pipe, 1);
            }
            ('!', Some('=')) | ('=' | '>' | '~', _) => self.stray_sign(),
            ('<', next) if !next.is_some_and(|c| c.is_alphabetic() || matches!(c, '/' | '!' | '>')) => {
                self.stray_sign();
            }
            ('-' | '!', Some(next)) if may_be_negated(next) => {
                self.push(Kind::Not(Style::Sign), 1);
                self.term();
            }
            ('-' | '!', _) if run::spaces(&rest[1..]) == rest.len() - 1 => self.push(Kind::LoneSign, 1),
            (':', _) => self.colon(),
            _ => self.run(),
        }
    }

    /// A comparison whose field begins with a quote; its operator touches it, or it is a phrase.
    fn quoted_field(&mut self) -> bool {
        let rest = self.rest();
        let found = run::field(rest).filter(|(_, len)| run::operator(&rest[*len..]).is_some());
        found.is_some_and(|(path, len)| self.comparison(&path, len))
    }

    /// A run that begins with a letter or anything else that is no sign.
    fn run(&mut self) {
        let rest = self.rest();
        if let Some((path, len)) = run::field(rest)
            && self.comparison(&path, len)
        {
            return;
        }
        let word = run::bare(rest, Ends::Space);
        if is_aggregate(word) {
            return self.push(Kind::Aggregate, word.len());
        }
        let style = if word.chars().all(char::is_uppercase) { Style::Firm } else { Style::Soft };
        let kind = match word.to_ascii_lowercase().as_str() {
            "and" => Kind::And(style),
            "or" => Kind::Or(style),
            "not" => Kind::Not(style),
            _ => Kind::Word,
        };
        self.push(kind, word.len());
    }

    fn colon(&mut self) {
        let word = run::bare(self.rest(), Ends::Space);
        let name = &word[1..];
        let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '*')
            && name.chars().all(|c| c.is_alphanumeric() || "-_.?!*/+$".contains(c));
        let kind = match name.split_once('/') {
            Some((ns, name)) if is_name && !ns.is_empty() && !name.is_empty() => Kind::Signal,
            None if is_name => Kind::Keyword,
            _ => Kind::Word,
        };
        self.push(kind, word.len());
    }

    fn stray_sign(&mut self) {
        let len = self.rest().bytes().take_while(|byte| b"=<>!~".contains(byte)).count();
        self.push(Kind::NoField, len.max(1));
        // What follows belongs to the mistake.
        self.at += run::bare(self.rest(), Ends::Space).len();
    }

    /// Lexes `field op value` where the field's name takes `len` bytes; false if this is no comparison.
    fn comparison(&mut self, path: &[String], len: usize) -> bool {
        let after = &self.rest()[len..];
        let spaces = run::spaces(after);
        let touching = run::operator(after);
        let gap = if touching.is_some() { 0 } else { spaces };
        let spaced = || if spaces > 0 { run::spaced_operator(&after[spaces..]) } else { None };
        let is_touching = touching.is_some();
        let Some(found) = touching.or_else(spaced) else { return false };
        let is_known = path.len() > 1 || Field::find(&path[0]).is_some();
        let is_text = is_touching && found.is_sign_of_text(&self.rest()[..len], after, is_known);
        if is_text || !is_touching && !is_known {
            return false;
        }
        let (kind, op_len) = (found.kind, found.len);
        self.push(Kind::Field(path.to_vec()), len);
        self.at += gap;
        self.push(kind.map_or(Kind::BadOp, Kind::Op), op_len);
        let space = run::spaces(self.rest());
        // After a name that is not built in, a value must touch its operator.
        if space == 0 || is_known {
            self.at += space;
            match kind {
                Some(op) => self.value(op, Form::of(path)),
                None => self.at += run::bare(self.rest(), Ends::Space).len(),
            }
        }
        true
    }

    fn value(&mut self, op: Op, form: Form) {
        let rest = self.rest();
        let is_list = matches!(op, Op::In | Op::NotIn);
        match rest.chars().next() {
            None | Some(')') => {}
            Some('(' | '{') if is_list || op == Op::Has => self.list(form),
            Some(_) if is_list => {
                let len = run::bare(rest, Ends::Space).len();
                self.push(Kind::NoList, len);
            }
            Some('/') if op.takes_regex() => self.regexp(Kind::Pattern),
            Some('"' | '\'') => self.quoted(Kind::Quoted),
            Some(_) => self.push(Kind::Value, form.item(rest, Ends::Space).len()),
        }
    }

    fn quoted(&mut self, kind: impl Fn(String, bool) -> Kind) {
        let (text, len, is_closed) = run::quoted(self.rest());
        self.push(kind(text, is_closed), len);
    }

    /// `/pattern/flags`, which may hold spaces; a `/` inside is written `\/`.
    fn regexp(&mut self, kind: impl Fn(Regexp, bool) -> Kind) {
        let start = self.at + 1;
        let (len, is_closed) = run::delimited(&self.text[start..], '/');
        let after = &self.text[start + len + usize::from(is_closed)..];
        let flags = if is_closed { run::bare(after, Ends::Space) } else { "" };
        let regexp = Regexp {
            pattern: self.text[start..start + len].to_owned(),
            match_case: flags.contains('c'),
            span: start..start + len,
        };
        self.push(kind(regexp, is_closed), start + len + usize::from(is_closed) + flags.len() - self.at);
        if !flags.chars().all(|flag| matches!(flag, 'c' | 'i')) {
            let end = self.at;
            self.tokens.push(Token { kind: Kind::BadFlags, span: end - flags.len()..end });
        }
    }

    /// `(a, b or c)` or `{a b}`, the brackets included.
    fn list(&mut self, form: Form) {
        let start = self.at;
        let is_brace = self.rest().starts_with('{');
        let (close, ends) = if is_brace { ('}', Ends::Brace) } else { (')', Ends::List) };
        let mut items = Vec::new();
        let mut is_closed = false;
        self.at += 1;
        while self.skip_space() {
            let rest = self.rest();
            let item_at = self.at;
            let (text, is_quoted) = match rest.chars().next() {
                Some(c) if c == close => {
                    is_closed = true;
                    self.at += 1;
                    break;
                }
                Some(',') => {
                    self.at += 1;
                    continue;
                }
                Some('"' | '\'') => {
                    let (text, len, _) = run::quoted(rest);
                    self.at += len;
                    (text, true)
                }
                _ => {
                    let text = form.item(rest, ends);
                    // A stray closing bracket of the other kind is no end and no item.
                    self.at += text.len().max(rest.chars().next().map_or(1, char::len_utf8));
                    (text.to_owned(), false)
                }
            };
            let is_or = !is_quoted && matches!(text.to_ascii_lowercase().as_str(), "or" | "||");
            if !is_or && (is_quoted || !text.is_empty()) {
                items.push(Scalar { text, is_quoted, span: item_at..self.at });
            }
        }
        let len = self.at - start;
        self.at = start;
        self.push(Kind::List(items, is_closed), len);
    }
}

/// True for what a `-` or `!` right before it negates.
pub(super) fn may_be_negated(next: char) -> bool {
    next.is_alphanumeric() || "\"'(/*:@#_.~".contains(next)
}

/// `p99(duration)`, and `count(x)>5` where the name alone might be text.
fn is_aggregate(word: &str) -> bool {
    let Some((name, rest)) = word.split_once('(') else { return false };
    let Some((inside, after)) = rest.split_once(')') else { return false };
    let name = name.to_ascii_lowercase();
    let is_percentile = name.strip_prefix('p').is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    });
    (is_percentile || AGGREGATES.contains(&name.as_str()))
        && (after.starts_with(['<', '>', '=', '!']) || after.is_empty() && Field::find(inside).is_some())
}
