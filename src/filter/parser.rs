//! Tokens to a tree; it goes on after a mistake and returns what it has with a list of mistakes.
//!
//! Called by [`super::parse`]. Binding, weakest first: or, and (written or not), not. Only brackets recurse, at
//! most [`MAX_DEPTH`] deep.

use super::ast::{Comparison, Node, Op, Operand, Regexp, Scalar, Span, Term};
use super::error::FilterError;
use super::lexer::{self, Kind, Style, Token};
use super::lexical;
use crate::event::Field;

/// FILTER: grammar.
pub(super) const MAX_DEPTH: usize = 64;

/// What was read.
#[derive(Debug)]
pub(super) struct Syntax {
    /// `None` if nothing is left.
    pub(super) root: Option<Node>,
    pub(super) errors: Vec<FilterError>,
    /// Where or stands beside and without brackets: the or with the whole of its sides.
    pub(super) mixed: Option<Span>,
    /// Soft operators that were read as words, by their place in `tokens`.
    pub(super) soft_words: Vec<usize>,
    /// The settled tokens of the text.
    pub(super) tokens: Vec<Token>,
}

/// Parses `text`, which the caller has bounded.
pub(super) fn parse(text: &str) -> Syntax {
    let mut tokens = lexer::tokens(text);
    let soft_words = settle_soft_words(&mut tokens);
    let syntax = Syntax { root: None, errors: Vec::new(), mixed: None, soft_words, tokens: Vec::new() };
    let mut parser = Parser { text, tokens, at: 0, depth: 0, is_cut: false, syntax };
    let mut parts = Vec::new();
    while let Some(token) = parser.peek() {
        let span = token.span.clone();
        if token.kind == Kind::Close {
            parser.at += 1;
            let message = "this ) has no ( before it. To search for ) put the text in quotes";
            let error = FilterError::new("E-RP", span.clone(), message).with_fix(span, "");
            parser.syntax.errors.push(error);
        } else {
            parts.extend(parser.or());
        }
    }
    parser.syntax.root = join(parts, Node::And);
    parser.syntax.tokens = parser.tokens;
    parser.syntax
}

/// The tokens of `text`, of which none is a soft operator any more.
pub(super) fn settled_tokens(text: &str) -> Vec<Token> {
    let mut tokens = lexer::tokens(text);
    settle_soft_words(&mut tokens);
    tokens
}

/// Makes words of the soft operators that stand beside no structure; these are returned, by their place.
fn settle_soft_words(tokens: &mut [Token]) -> Vec<usize> {
    // Whether the term after each token is structured, from the right: nots before a term are part of it.
    let mut is_structured_after = vec![false; tokens.len()];
    for at in (1..tokens.len()).rev() {
        is_structured_after[at - 1] = match tokens[at].kind {
            Kind::Not(Style::Firm | Style::Soft) => is_structured_after[at],
            Kind::Word | Kind::And(_) | Kind::Or(_) | Kind::Close => false,
            _ => true,
        };
    }
    let is_structured_before = |to: usize| match tokens[..to] {
        [.., Token { kind: Kind::Not(Style::Sign), .. }, _] => true,
        [.., Token { kind: Kind::Word | Kind::Open | Kind::Not(_), .. }] | [] => false,
        [.., Token { kind: Kind::And(_) | Kind::Or(_), .. }] => false,
        _ => true,
    };
    let is_word = |at: usize| match tokens[at].kind {
        Kind::And(Style::Soft) | Kind::Or(Style::Soft) => {
            !is_structured_before(at) && !is_structured_after[at]
        }
        Kind::Not(Style::Soft) => !is_structured_after[at],
        _ => false,
    };
    let words: Vec<usize> = (0..tokens.len()).filter(|at| is_word(*at)).collect();
    for word in &words {
        tokens[*word].kind = Kind::Word;
    }
    words
}

/// One node as it is, several as `group`.
fn join(mut nodes: Vec<Node>, group: impl FnOnce(Vec<Node>) -> Node) -> Option<Node> {
    if nodes.len() > 1 { Some(group(nodes)) } else { nodes.pop() }
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    /// The rest was not read, so what is open stays open.
    is_cut: bool,
    syntax: Syntax,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += usize::from(token.is_some());
        token
    }

    fn next_if(&mut self, wanted: impl Fn(&Kind) -> bool) -> Option<Token> {
        self.peek().filter(|token| wanted(&token.kind))?;
        self.next()
    }

    fn at_end(&self) -> bool {
        self.at == self.tokens.len()
    }

    /// Reports a mistake that typing on cannot mend.
    fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.syntax.errors.push(FilterError::new(code, span, message));
    }

    fn needs(&mut self, code: &'static str, sign: &Token, what: &str) {
        let message = format!("`{}` needs something {what}", &self.text[sign.span.clone()]);
        // `OR` may become `ORDER` as long as the cursor is behind it.
        let may_become_word = |token: &Token| {
            let touches_end = token.span.end == self.text.len();
            touches_end && self.text[token.span.clone()].starts_with(char::is_alphabetic)
        };
        let unfinished = match &self.tokens[self.at..] {
            _ if code == "E-BINBEG" => may_become_word(sign),
            [] => true,
            [last] => matches!(last.kind, Kind::And(_) | Kind::Or(_)) && may_become_word(last),
            _ => false,
        };
        self.syntax.errors.push(FilterError::new(code, sign.span.clone(), message).unfinished_if(unfinished));
    }

    /// Alternatives, up to a `)` or the end.
    fn or(&mut self) -> Option<Node> {
        let start = self.peek().map_or(self.text.len(), |token| token.span.start);
        let mut alternatives = Vec::new();
        let mut has_and = false;
        let mut sides = 0;
        let mut pending: Option<Token> = None;
        loop {
            let (node, count) = self.and();
            let next = self.peek().filter(|token| matches!(token.kind, Kind::Or(_))).cloned();
            match (count, pending.take(), next) {
                (0, Some(or), _) => self.needs("E-BINEND", &or, "after it"),
                (0, None, Some(or)) if sides == 0 => self.needs("E-BINBEG", &or, "before it"),
                _ => {}
            }
            sides += usize::from(count > 0);
            has_and |= count > 1;
            alternatives.extend(node);
            match self.next_if(|kind| matches!(kind, Kind::Or(_))) {
                Some(or) => pending = Some(or).filter(|_| count > 0),
                None => break,
            }
        }
        if has_and && sides > 1 && self.syntax.mixed.is_none() {
            let end = self.at.checked_sub(1).map_or(0, |last| self.tokens[last].span.end);
            self.syntax.mixed = Some(start..end);
        }
        join(alternatives, Node::Or)
    }

    /// Terms side by side or joined by and, with how many there were (mistaken ones too).
    fn and(&mut self) -> (Option<Node>, usize) {
        let mut nodes = Vec::new();
        let mut count = 0;
        let mut pending: Option<Token> = None;
        loop {
            let before = self.at;
            let node = self.unary();
            let is_there = self.at > before;
            if let Some(and) = pending.take()
                && !is_there
            {
                self.needs("E-BINEND", &and, "after it");
            }
            count += usize::from(is_there);
            nodes.extend(node);
            if let Some(and) = self.next_if(|kind| matches!(kind, Kind::And(_))) {
                if count == 0 {
                    self.needs("E-BINBEG", &and, "before it");
                } else if is_there {
                    pending = Some(and);
                }
            } else if !is_there {
                break;
            }
        }
        (join(nodes, Node::And), count)
    }

    /// A term with its nots; `None` without moving if there is none, `None` after moving if it is mistaken.
    fn unary(&mut self) -> Option<Node> {
        let mut nots = 0;
        let mut last = None;
        while let Some(not) = self.next_if(|kind| matches!(kind, Kind::Not(_))) {
            nots += 1;
            last = Some(not);
        }
        let before = self.at;
        let node = self.primary();
        if let Some(not) = last
            && self.at == before
        {
            self.needs("E-NOTEND", &not, "to leave out");
        }
        let node = node?;
        Some(if nots % 2 == 1 { Node::Not(Box::new(node)) } else { node })
    }

    fn primary(&mut self) -> Option<Node> {
        if matches!(self.peek()?.kind, Kind::Close | Kind::And(_) | Kind::Or(_)) {
            return None;
        }
        let Token { kind, span } = self.next()?;
        let term = match kind {
            Kind::Open => return self.group(span),
            Kind::Field(path) => return self.comparison(path, span),
            Kind::Word => Term::Text(Scalar {
                text: self.text[span.clone()].to_owned(),
                is_quoted: false,
                span: span.clone(),
            }),
            Kind::Phrase(_, false) => return self.report(lexical::open_quote(self.text, &span)),
            Kind::Phrase(text, true) => Term::Text(Scalar { text, is_quoted: true, span: span.clone() }),
            Kind::AnyRegexp(_, false) => return self.report(lexical::open_regexp(self.text, span.start)),
            Kind::AnyRegexp(regexp, true) => Term::AnyRegexp(self.regexp(regexp)?),
            Kind::Signal => Term::Signal(self.text[span.start + 1..span.end].to_owned()),
            other => return self.report(lexical::mistake(&other, self.text, span)),
        };
        Some(Node::Term(term, span))
    }

    fn report(&mut self, error: FilterError) -> Option<Node> {
        self.syntax.errors.push(error);
        None
    }

    /// `None` if letters follow the regular expression.
    fn regexp(&mut self, regexp: Regexp) -> Option<Regexp> {
        let Some(flags) = self.next_if(|kind| *kind == Kind::BadFlags) else { return Some(regexp) };
        self.report(lexical::mistake(&flags.kind, self.text, flags.span));
        None
    }

    /// What is inside a `(` that was at `open`. An open one is closed at the end.
    fn group(&mut self, open: Span) -> Option<Node> {
        if self.depth == MAX_DEPTH {
            self.error("E-DEPTH", open, format!("more than {MAX_DEPTH} parentheses inside each other"));
            self.at = self.tokens.len();
            self.is_cut = true;
            return None;
        }
        self.depth += 1;
        let node = self.or();
        self.depth -= 1;
        match self.next_if(|kind| *kind == Kind::Close) {
            Some(close) if node.is_none() && self.tokens[self.at - 2].kind == Kind::Open => {
                let span = open.start..close.span.end;
                self.error(
                    "E-EMPTY",
                    span,
                    "these parentheses are empty: put a term in them, like (status:404)",
                );
            }
            None if !self.is_cut => {
                let message = "this ( is never closed: add ) at the end";
                let error = FilterError::new("E-LP", open, message).unfinished_if(true);
                let end = self.text.len();
                self.syntax.errors.push(error.with_fix(end..end, ")"));
            }
            _ => {}
        }
        node
    }

    fn comparison(&mut self, path: Vec<String>, field_span: Span) -> Option<Node> {
        let sign = self.next()?;
        let field = self.text[field_span.clone()].to_owned();
        let op_text = self.text[sign.span.clone()].to_owned();
        let Kind::Op(op) = sign.kind else {
            return self.report(lexical::bad_operator(&op_text, sign.span));
        };
        let is_value = |kind: &Kind| {
            matches!(kind, Kind::Value | Kind::Quoted(..) | Kind::Pattern(..) | Kind::List(..) | Kind::NoList)
        };
        let Some(value) = self.next_if(is_value) else {
            return self.report(self.no_value(&path, &field, op, &op_text, sign.span.end));
        };
        let span = value.span.clone();
        let operand = match value.kind {
            Kind::Value => {
                let text = self.text[span.clone()].to_owned();
                Operand::Scalar(Scalar { text, is_quoted: false, span: span.clone() })
            }
            Kind::Quoted(_, false) => return self.report(lexical::open_quote(self.text, &span)),
            Kind::Quoted(text, true) => Operand::Scalar(Scalar { text, is_quoted: true, span: span.clone() }),
            Kind::Pattern(_, false) => return self.report(lexical::open_regexp(self.text, span.start)),
            Kind::Pattern(regexp, true) => Operand::Regexp(self.regexp(regexp)?),
            Kind::List(_, false) => {
                let open = span.start..span.start + 1;
                let (sign, close) = if self.text[open.clone()] == *"{" { ("{", "}") } else { ("(", ")") };
                let message = format!("this {sign} is never closed: add {close} at the end");
                let end = self.text.len();
                let error = FilterError::new("E-LP", open, message).with_fix(end..end, close);
                return self.report(error.unfinished_if(true));
            }
            Kind::List(items, true) if items.is_empty() => {
                return self.report(lexical::empty_list(span));
            }
            Kind::List(items, true) => Operand::List(items),
            _ => {
                let items = lexical::loose_items(self.text, span.start);
                let list = format!("({})", &self.text[items.clone()]);
                return self.report(no_list(&path, &field, &op_text, span).with_fix(items, list));
            }
        };
        let whole = field_span.start..span.end;
        let comparison = Comparison {
            path,
            field,
            field_span,
            op,
            op_text,
            op_span: sign.span,
            operand,
            operand_span: span,
        };
        Some(Node::Term(Term::Comparison(comparison), whole))
    }

    fn no_value(&self, path: &[String], field: &str, op: Op, op_text: &str, at: usize) -> FilterError {
        let unfinished = self.at_end();
        if matches!(op, Op::In | Op::NotIn) {
            return no_list(path, field, op_text, at - op_text.len()..at).unfinished_if(unfinished);
        }
        let gap = if op_text.starts_with(char::is_alphabetic) { " " } else { "" };
        let example = if op.takes_regex() { "/text/" } else { examples(path)[0] };
        let message =
            format!("{field}{gap}{op_text} needs a value, like {field}{gap}{op_text}{gap}{example}");
        // Past the spaces at the end of the text there is nothing to mark, so the mark touches the operator.
        FilterError::new("E-NOVAL", at..at, message).unfinished_if(unfinished)
    }
}

fn examples(path: &[String]) -> [&'static str; 2] {
    let field = if let [name] = path { Field::find(name) } else { None };
    field.map_or(["text", "other"], |field| field.examples)
}

fn no_list(path: &[String], field: &str, op_text: &str, span: Span) -> FilterError {
    let [first, second] = examples(path);
    let message =
        format!("`{op_text}` needs a list in parentheses, like {field} {op_text} ({first}, {second})");
    FilterError::new("E-INLIST", span, message)
}
