//! The smallest pieces of a filter's text: spaces, bare runs, quotes, field names and operators.
//!
//! Called by the lexer. Each function looks at the beginning of what it is given and says how long the piece is.

use super::ast::Op;
use crate::event::Field;

/// What ends a bare run besides a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// An unbalanced `)`.
    Space,
    /// That or a comma.
    List,
    /// A comma or an unbalanced `}`.
    Brace,
}

/// Spaces, and the invisible characters that come along when text is pasted from a web page.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// Bytes of space at the beginning of `text`.
pub(super) fn spaces(text: &str) -> usize {
    text.len() - text.trim_start_matches(is_space).len()
}

/// The run at the beginning of `text`; brackets that balance inside belong to it.
pub(super) fn bare(text: &str, ends: Ends) -> &str {
    let (open, close) = if ends == Ends::Brace { ('{', '}') } else { ('(', ')') };
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        if is_space(c) || (c == ',' && ends != Ends::Space && depth == 0) {
            return &text[..at];
        }
        if c == open {
            depth += 1;
        } else if c == close {
            let Some(less) = depth.checked_sub(1) else { return &text[..at] };
            depth = less;
        }
    }
    text
}

/// The quoted text at the beginning: its meaning, its bytes with quotes, and whether it is closed.
///
/// Between double quotes `\"`, `\\`, `\n` and `\t` are escapes and other backslashes are plain.
pub(super) fn quoted(text: &str) -> (String, usize, bool) {
    let mut out = String::new();
    let mut chars = text.char_indices();
    let Some((_, quote)) = chars.next() else { return (out, 0, false) };
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return (out, at + 1, true);
        }
        if c != '\\' || quote == '\'' {
            out.push(c);
            continue;
        }
        match chars.clone().next() {
            Some((_, escaped @ ('"' | '\\' | 'n' | 't'))) => {
                chars.next();
                out.push(match escaped {
                    'n' => '\n',
                    't' => '\t',
                    other => other,
                });
            }
            _ => out.push('\\'),
        }
    }
    (out, text.len(), false)
}

/// Bytes up to an `end` that no backslash escapes, and whether there is one.
pub(super) fn delimited(text: &str, end: char) -> (usize, bool) {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        if c == end && !is_escaped {
            return (at, true);
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    (text.len(), false)
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '@' | '$')
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '@')
}

/// A part of a path that needs no quotes.
pub(super) fn is_plain_part(part: &str) -> bool {
    let is_index = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    is_index || part.starts_with(starts_name) && part.chars().all(in_name)
}

/// A first part of a path that needs no quotes.
pub(super) fn is_plain_name(name: &str) -> bool {
    field(name).is_some_and(|(path, len)| len == name.len() && path == [name])
}

/// What stands between the quotes at the beginning, in which there are no escapes, and its bytes with them.
fn quoted_part(text: &str) -> Option<(&str, usize)> {
    let inside = text.strip_prefix('"')?;
    let end = inside.find('"').filter(|end| *end > 0)?;
    Some((&inside[..end], end + 2))
}

/// A path as it is written, with quotes around the parts that need them; a quote in a part has no way to be written.
pub(super) fn path_text<'p>(parts: impl Iterator<Item = &'p str>) -> String {
    let written = |(number, part): (usize, &str)| {
        let is_plain = match number {
            0 => is_plain_name(part),
            _ => is_plain_part(part) && !part.ends_with('-'),
        };
        if is_plain { part.to_owned() } else { format!("\"{part}\"") }
    };
    parts.enumerate().map(written).collect::<Vec<_>>().join(".")
}

/// The field at the beginning: the parts of its path, and its bytes with a final `?`.
pub(super) fn field(text: &str) -> Option<(Vec<String>, usize)> {
    let name_len = |text: &str| text.find(|c| !in_name(c)).unwrap_or(text.len());
    let (first, mut at) = match quoted_part(text) {
        // In a phrase a quote may be escaped, which is none of its ends.
        Some((part, _)) if part.contains('\\') => return None,
        Some(quoted) => quoted,
        None if text.starts_with(starts_name) => (&text[..name_len(text)], name_len(text)),
        None => return None,
    };
    let mut path = vec![first.to_owned()];
    while let Some(part) = text[at..].strip_prefix('.') {
        if part.starts_with('"') {
            let Some((inside, len)) = quoted_part(part) else { break };
            path.push(inside.to_owned());
            at += len + 1;
            continue;
        }
        let end = name_len(part);
        if !is_plain_part(&part[..end]) {
            break;
        }
        path.push(part[..end].to_owned());
        at += end + 1;
    }
    at += usize::from(text[at..].starts_with('?'));
    Some((path, at))
}

/// An operator and its bytes; no kind if it does not exist.
pub(super) struct Operator {
    pub(super) kind: Option<Op>,
    pub(super) len: usize,
}

/// Signs of mathematics, as documents have them; what is meant is written with two of the language's.
const MATHEMATICAL: [char; 3] = ['≥', '≤', '≠'];

/// The operator that touches a field.
pub(super) fn operator(text: &str) -> Option<Operator> {
    let signs = |text: &str, set: &[u8]| text.bytes().take_while(|byte| set.contains(byte)).count();
    let len = match text.as_bytes() {
        [b':', ..] => 1 + signs(&text[1..], b"<=>~"),
        [b'=' | b'<' | b'>' | b'~', ..] | [b'!', b'=' | b'~', ..] => signs(text, b"=<>!~"),
        _ => {
            let sign = text.chars().next().filter(|sign| MATHEMATICAL.contains(sign))?;
            return Some(Operator { kind: None, len: sign.len_utf8() });
        }
    };
    // A negated value reads on: `a=!b` is `a` `=` `!b`.
    let sign = if text.starts_with('!') { &text[..len] } else { text[..len].trim_end_matches('!') };
    let kind = Op::SIGNS.iter().find(|(known, _)| *known == sign).map(|(_, op)| *op);
    Some(Operator { kind, len: sign.len() })
}

/// The operator after a built-in field and a space: a sign that stands alone, or a word.
pub(super) fn spaced_operator(text: &str) -> Option<Operator> {
    if let Some(found) = operator(text) {
        let after = &text[found.len..];
        // `<Tag` and `:browser/x` after a space are terms of their own; no other sign begins one.
        let stands_alone = after.is_empty() || after.starts_with(is_space);
        let is_tag = &text[..found.len] == "<" && !after.starts_with(|c: char| c.is_ascii_digit());
        return (stands_alone || !text.starts_with(':') && !is_tag).then_some(found);
    }
    let word = |text: &str| text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let ends = |text: &str| text.is_empty() || text.starts_with(|c| is_space(c) || "({\"'/".contains(c));
    let len = word(text);
    let found = |kind, len: usize| ends(&text[len..]).then_some(Operator { kind: Some(kind), len });
    match text[..len].to_ascii_lowercase().as_str() {
        "in" => found(Op::In, len),
        "contains" => found(Op::Contains, len),
        "matches" => found(Op::Match, len),
        "not" => {
            let gap = len + spaces(&text[len..]);
            let end = gap + word(&text[gap..]);
            if gap > len && text[gap..end].eq_ignore_ascii_case("in") { found(Op::NotIn, end) } else { None }
        }
        _ => None,
    }
}

/// Extensions of the files that stack lines name.
const SOURCE_EXTENSIONS: [&str; 22] = [
    "js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "vue", "svelte", "html", "htm", "css", "scss",
    "json", "cljs", "cljc", "clj", "php", "py", "rb", "wasm",
];

impl Operator {
    /// True if `name` and what follows are text all the same: an address, a stack line, `a::b`, `word: `.
    pub(super) fn is_sign_of_text(&self, name: &str, after: &str, is_known: bool) -> bool {
        let Some(value) = after.strip_prefix(':') else {
            // `foo->bar` is no comparison of `foo-`.
            return name.ends_with('-');
        };
        let starts_with_digit = value.starts_with(|c: char| c.is_ascii_digit());
        let is_place = starts_with_digit
            && bare(value, Ends::Space).bytes().all(|byte| byte.is_ascii_digit() || b":),;".contains(&byte));
        let is_source =
            name.rsplit_once('.').is_some_and(|(_, extension)| SOURCE_EXTENSIONS.contains(&extension));
        value.starts_with("//")
            || value.starts_with(':') && Field::find(name).is_none()
            || !is_known && value.starts_with(is_space)
            || is_place && is_source
            || starts_with_digit && name.eq_ignore_ascii_case("localhost")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_keep_brackets_that_balance() {
        for (text, ends, expected) in [
            ("foo(bar) x", Ends::Space, "foo(bar)"),
            ("error)", Ends::Space, "error"),
            ("a,b", Ends::Space, "a,b"),
            ("a,b", Ends::List, "a"),
            ("f(a,b),c", Ends::List, "f(a,b)"),
            ("a}b", Ends::Brace, "a"),
        ] {
            assert_eq!(bare(text, ends), expected);
        }
    }

    #[test]
    fn fields_are_paths_with_quoted_and_numbered_parts() {
        let parts = |text: &str| field(text).map(|(path, len)| (path.join("|"), len));
        for (text, path, len) in [
            ("timing.dns-lookup>5", "timing|dns-lookup", 17),
            ("context.\"user.name\":x", "context|user.name", 19),
            ("args.0:x", "args|0", 6),
            ("cached?:false", "cached", 7),
            ("a. b", "a", 1),
            ("\"user.name\".\"a b\".0:x", "user.name|a b|0", 19),
            ("\"a\"\"", "a", 3),
        ] {
            assert_eq!(parts(text), Some((path.to_owned(), len)), "{text}");
        }
        for text in ["/api", "\"\":x", "\"a", "\"a\\\":x"] {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    #[test]
    fn quotes_know_four_escapes() {
        assert_eq!(quoted(r#""a\"\\\n\d" x"#), ("a\"\\\n\\d".to_owned(), 11, true));
        assert_eq!(quoted(r"'a\n' x"), (r"a\n".to_owned(), 5, true));
        assert_eq!(quoted("\"abc"), ("abc".to_owned(), 4, false));
    }
}
