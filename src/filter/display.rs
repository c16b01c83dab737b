//! A checked filter written out: as text that reads back the same, and as the prose under the bar.
//!
//! Called through [`super::Filter`]. Operators are always written firmly and words that could be read as something
//! else are quoted, so nothing depends on what stands beside it.

use std::fmt::{self, Write};

use super::ast::Op;
use super::lexer::{self, Kind};
use super::run;
use super::typed::{Compare, Expr, Pattern, Subject, Term, Test};
use crate::event::{FieldKind, IS, TYPES};

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `level>=warn -url:/health`
    Filter,
    /// `level >= warn AND NOT url contains /health`
    Prose,
}

/// Writes `expr`, to be put into brackets by whoever needs them. Depth is bounded by the parser.
pub(super) fn write(expr: &Expr, style: Style, out: &mut dyn Write) -> fmt::Result {
    match expr {
        Expr::And(parts) => joined(parts, if style == Style::Prose { " AND " } else { " " }, style, out),
        Expr::Or(parts) => joined(parts, " OR ", style, out),
        Expr::Not(inner) => {
            let mut text = String::new();
            grouped(inner, style, &mut text)?;
            let takes_minus = text.starts_with(|c: char| c.is_alphanumeric() || "\"(@_~".contains(c));
            out.write_str(if style == Style::Filter && takes_minus { "-" } else { "NOT " })?;
            out.write_str(&text)
        }
        Expr::Term(term) => write_term(term, style, out),
    }
}

fn joined(parts: &[Expr], with: &str, style: Style, out: &mut dyn Write) -> fmt::Result {
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            out.write_str(with)?;
        }
        grouped(part, style, out)?;
    }
    Ok(())
}

fn grouped(expr: &Expr, style: Style, out: &mut dyn Write) -> fmt::Result {
    if !matches!(expr, Expr::And(_) | Expr::Or(_)) {
        return write(expr, style, out);
    }
    out.write_char('(')?;
    write(expr, style, out)?;
    out.write_char(')')
}

fn write_term(term: &Term, style: Style, out: &mut dyn Write) -> fmt::Result {
    let is_prose = style == Style::Prose;
    match term {
        Term::Anywhere(glob) => {
            let text = glob.to_text();
            if !is_prose && is_plain_word(&text) {
                out.write_str(&text)
            } else {
                out.write_str(&quoted(&text))
            }
        }
        Term::AnywhereRegexp(pattern) => {
            out.write_char('~')?;
            write_pattern(pattern, out)
        }
        Term::Is(place) => write!(out, "is{}{}", if is_prose { " = " } else { ":" }, IS[*place].0),
        Term::Presence(subject, wanted) => {
            let name = if *wanted { "has" } else { "no" };
            let sign = if is_prose { " = " } else { ":" };
            write!(out, "{name}{sign}{}", presence_text(subject))
        }
        Term::Compare(compare) => write_compare(compare, style, out),
    }
}

fn write_pattern(pattern: &Pattern, out: &mut dyn Write) -> fmt::Result {
    write!(out, "/{}/{}", pattern.source, if pattern.match_case { "c" } else { "" })
}

/// A word that reads as a word wherever it stands.
fn is_plain_word(text: &str) -> bool {
    // What follows may close a quote, and make it the name of a field.
    let is_simple =
        text.starts_with(char::is_alphanumeric) && !text.contains(['(', ')']) && !text.contains(".\"");
    // After the name of a field, the next word might become an operator.
    let may_be_field = run::field(text).is_some_and(|(path, len)| {
        len == text.len() && (path.len() > 1 || crate::event::Field::find(&path[0]).is_some())
    });
    let tokens = lexer::tokens(text);
    let is_word =
        matches!(tokens.as_slice(), [token] if token.kind == Kind::Word && token.span == (0..text.len()));
    is_simple && is_word && !may_be_field
}

/// `text` between double quotes, escaped so that it is read back.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// What `has:` asks for; a name that only quotes can write stands between them.
pub(super) fn presence_text(subject: &Subject) -> String {
    match subject {
        Subject::Data(path) if !run::is_plain_name(&path[0]) => {
            let is_path = run::field(&path[0]).is_some_and(|(_, len)| len == path[0].len());
            // Quotes inside quotes tell a name with a dot from a path.
            if path.len() == 1 && !is_path { quoted(&path[0]) } else { quoted(&subject_text(subject)) }
        }
        _ => subject_text(subject),
    }
}

fn subject_text(subject: &Subject) -> String {
    match subject {
        Subject::Field(field) => field.name.to_owned(),
        Subject::Data(path) => run::path_text(path.iter().map(String::as_str)),
    }
}

/// A value, in quotes unless it reads back as the same value without.
pub(super) fn value_text(text: &str) -> String {
    let starts_well = text.starts_with(|c: char| c.is_alphanumeric() || "/._*@#".contains(c));
    let is_safe = |c: char| c.is_alphanumeric() || "/._*@#+-%&=?:\\$~".contains(c);
    let is_or = text.eq_ignore_ascii_case("or");
    let is_bare = starts_well && text.chars().all(is_safe) && !text.contains("..") && !is_or;
    if is_bare { text.to_owned() } else { quoted(text) }
}

fn write_compare(compare: &Compare, style: Style, out: &mut dyn Write) -> fmt::Result {
    let subject = subject_text(&compare.subject);
    if compare.is_list {
        let items: Vec<String> = compare.tests.iter().map(|test| operand(test, style)).collect();
        let sign = if style == Style::Prose { " in " } else { ":" };
        return write!(out, "{subject}{sign}({})", items.join(", "));
    }
    let [test] = compare.tests.as_slice() else { return Ok(()) };
    let value = operand(test, style);
    if let Test::Regexp(pattern) = test {
        let sign = if compare.is_negated { "!~" } else { "~" };
        let space = if style == Style::Prose { " " } else { "" };
        write!(out, "{subject}{space}{sign}{space}")?;
        return write_pattern(pattern, out);
    }
    if style == Style::Prose {
        let sign = if compare.is_negated { "!=" } else { prose_sign(test) };
        return write!(out, "{subject} {sign} {value}");
    }
    let sign = if compare.is_negated { "!=" } else { filter_sign(test, &compare.subject) };
    let text = format!("{subject}{sign}{value}");
    out.write_str(&if reads_as_comparison(&text, &value) {
        text
    } else {
        format!("{subject}{sign}{}", quoted(&value))
    })
}

/// True if the value is read back; `file.ts:12` and the like would be read as text.
fn reads_as_comparison(text: &str, value: &str) -> bool {
    let tokens = lexer::tokens(text);
    let is_operator = |kind: &Kind| matches!(kind, Kind::Op(op) if *op != Op::In);
    match tokens.as_slice() {
        [field, op, last] => {
            matches!(field.kind, Kind::Field(_))
                && is_operator(&op.kind)
                && (matches!(last.kind, Kind::Quoted(..)) || &text[last.span.clone()] == value)
        }
        _ => false,
    }
}

fn prose_sign(test: &Test) -> &'static str {
    match test {
        Test::Contains(..) => "contains",
        Test::Like(_) => "like",
        Test::Same(_) => "==",
        Test::Number(number) => number.sign.as_str(),
        Test::Clock(clock) => clock.sign.as_str(),
        _ => "=",
    }
}

fn filter_sign(test: &Test, subject: &Subject) -> &'static str {
    let kind = match subject {
        Subject::Field(field) => Some(field.kind),
        Subject::Data(_) => None,
    };
    let has_means_contains = matches!(kind, None | Some(FieldKind::Text | FieldKind::Url));
    match test {
        Test::Contains(..) if !has_means_contains => " contains ",
        Test::Is(..) if has_means_contains => "=",
        // These would be read as the named session, or refused as types nobody knows.
        Test::Is(text, _) if text.eq_ignore_ascii_case("latest") => "=",
        Test::Is(text, _)
            if kind == Some(FieldKind::Type) && !TYPES.contains(&text.to_ascii_lowercase().as_str()) =>
        {
            "="
        }
        Test::Like(_) if kind == Some(FieldKind::Type) => "=",
        Test::Same(_) => "==",
        Test::Number(number) if number.sign.as_str() != "=" => number.sign.as_str(),
        Test::Clock(clock) if clock.sign.as_str() != "=" => clock.sign.as_str(),
        _ => ":",
    }
}

fn operand(test: &Test, style: Style) -> String {
    let is_prose = style == Style::Prose;
    match test {
        Test::Contains(text, _) | Test::Is(text, _) => {
            value_text(&super::glob::Glob::literal(text).to_text())
        }
        Test::Same(text) => value_text(text),
        Test::Like(glob) => value_text(&glob.to_text()),
        Test::TypePair(kind, subtype) => value_text(&format!("{}/{}", kind.to_text(), subtype.to_text())),
        Test::Number(number) => number.text.clone(),
        Test::Bool(truth) if is_prose => if *truth { "True" } else { "False" }.to_owned(),
        Test::Bool(truth) => truth.to_string(),
        Test::Group(_, _, digits) => digits.clone(),
        Test::LatestSession => "latest".to_owned(),
        Test::Clock(clock) => clock.text.clone(),
        Test::Moment(moment) => match moment {
            super::moment::Moment::Ago(_, text) if is_prose => format!("{text} ago"),
            other => value_text(&other.text()),
        },
        Test::Regexp(_) => String::new(),
    }
}
