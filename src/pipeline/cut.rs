//! Events that are too long: their longest strings are cut, and what was cut is written down in `_cut`.
//!
//! Called by the scrubbing, after secrets are out. Strings are the only thing cut: an event that is long without
//! long strings stays as it is, up to the size the protocols admit.

use std::fmt::Write as _;
use std::ops::Range;

use unicode_segmentation::GraphemeCursor;

use super::escape::{self, Plain};
use super::keys::Keys;
use super::shapes::{self, MARK};
use super::tokens::{Kind, Tokens};

/// This many bytes of JSON text an event keeps exactly (64 KiB); above, its longest strings are cut.
pub const LIMIT: usize = 64 * 1024;

/// Strings up to this long are never cut: naming them in `_cut` would cost as much as it saves.
const MIN_LONG: usize = 128;

/// A string that is cut keeps at least about this much, so that one can see what it was.
const MIN_KEEP: usize = 64;

/// How many strings `_cut` names, the longest first; the bytes of the others are summed under [`OTHERS`].
const NAMED: usize = 64;

/// Stands in `_cut` for all strings that are not named.
const OTHERS: &str = "*";

/// The longest path in `_cut`, in bytes; a longer one ends with `…`.
const PATH: usize = 128;

/// Levels that a path names; what lies deeper is told by `…` alone.
const DEPTH: usize = 16;

/// The most that one entry of `_cut` takes: the path, `…`, quotes, colon, comma and a length of up to 20 digits.
const ENTRY: usize = PATH + "…".len() + 4 + 20;

/// The most that `_cut` takes besides: its own name and the sum of the others.
const FRAME: usize = ",\"_cut\":{}".len() + OTHERS.len() + 4 + 20;

/// A long string: what stands between its quotes.
#[derive(Clone, Debug)]
struct Long {
    at: Range<usize>,
    is_named: bool,
}

/// `text`, a JSON object over [`LIMIT`], with its longest strings cut; `None` if it has no long strings.
pub(super) fn cut(text: &str, keys: &Keys) -> Option<String> {
    let end = text.rfind('}')?;
    let mut long: Vec<Long> = Tokens::new(text)
        .filter(|token| token.kind == Kind::Text && token.at.len() > MIN_LONG)
        .map(|token| Long { at: token.at, is_named: false })
        .collect();
    long.sort_unstable_by_key(|long| (std::cmp::Reverse(long.at.len()), long.at.start));
    let (count, level) = plan(&long, text.len() + FRAME - LIMIT)?;
    long.truncate(count);
    for named in long.iter_mut().take(NAMED) {
        named.is_named = true;
    }
    long.sort_unstable_by_key(|long| long.at.start);

    let mut out = String::with_capacity(LIMIT);
    let mut copied = 0;
    for long in &long {
        let inner = &text[long.at.clone()];
        out.push_str(&text[copied..long.at.start]);
        out.push_str(&inner[..kept(inner, level, keys)]);
        copied = long.at.end;
    }
    out.push_str(&text[copied..end]);
    out.push_str(",\"_cut\":{");
    list(text, &long, keys, &mut out);
    out.push('}');
    out.push_str(&text[end..]);
    Some(out)
}

/// How many of the strings, longest first, are cut, and to how many bytes each, to save `excess` bytes.
fn plan(long: &[Long], excess: usize) -> Option<(usize, usize)> {
    let mut sum = 0;
    for (index, string) in long.iter().enumerate() {
        let count = index + 1;
        sum += string.at.len();
        let needed = excess + ENTRY * count.min(NAMED);
        let level = sum.saturating_sub(needed) / count;
        let next = long.get(count).map_or(0, |next| next.at.len());
        if level >= next.max(MIN_KEEP) {
            return Some((count, level));
        }
    }
    (!long.is_empty()).then_some((long.len(), MIN_KEEP))
}

/// How much of a string stays: at most `level` raw bytes, whole graphemes, and nothing that reads as a secret only
/// because the rest is gone (so that scrubbing again changes nothing).
fn kept(inner: &str, level: usize, keys: &Keys) -> usize {
    let mut end = grapheme_floor(inner, escape::floor(inner, level));
    let mut plain = Plain::default();
    let mut found = Vec::new();
    // Each round ends before a shape that the cut made; a text has few ways to make a new one again.
    for _ in 0..4 {
        plain.read(&inner[..end]);
        shapes::find(&plain.text, keys, &mut found);
        let Some(last) = found.pop() else { return end };
        end = plain.raw(last.start);
        found.clear();
    }
    0
}

/// The last grapheme boundary up to `at`; `at` itself where a grapheme is longer than anything real.
fn grapheme_floor(inner: &str, at: usize) -> usize {
    let start = escape::floor(inner, at.saturating_sub(256));
    let end = escape::floor(inner, (at + 64).min(inner.len())).max(at);
    let mut left = Plain::default();
    left.read(&inner[start..at]);
    let mut whole = Plain::default();
    whole.read(&inner[start..end]);
    let mut cursor = GraphemeCursor::new(left.text.len(), whole.text.len(), true);
    if !matches!(cursor.is_boundary(&whole.text, 0), Ok(false)) {
        return at;
    }
    match cursor.prev_boundary(&whole.text, 0) {
        Ok(Some(boundary)) if boundary > 0 || start == 0 => start + left.raw(boundary),
        _ => at,
    }
}

/// One open object or array on the way to a string.
#[derive(Clone, Debug)]
enum Level {
    Object(Range<usize>),
    Array(usize),
}

/// Writes the entries of `_cut`.
fn list(text: &str, long: &[Long], keys: &Keys, out: &mut String) {
    let mut others = 0usize;
    let mut separator = "";
    let mut rest = long.iter().peekable();
    let mut levels: Vec<Level> = Vec::with_capacity(DEPTH);
    let mut depth = 0usize;
    for token in Tokens::new(text) {
        match token.kind {
            Kind::Key => {
                if let Some(level) = current(&mut levels, depth) {
                    *level = Level::Object(token.at);
                }
                continue;
            }
            Kind::Close => {
                depth = depth.saturating_sub(1);
                levels.truncate(depth);
            }
            Kind::Open => {
                if depth < DEPTH {
                    let is_array = text.as_bytes()[token.at.start] == b'[';
                    levels.push(if is_array { Level::Array(0) } else { Level::Object(0..0) });
                }
                depth += 1;
                continue;
            }
            Kind::Text | Kind::Scalar | Kind::Null => {}
        }
        if let Some(string) = rest.next_if(|string| string.at == token.at) {
            if string.is_named {
                let path = path(text, &levels, depth > DEPTH, keys);
                write!(out, "{separator}\"{path}\":{}", string.at.len()).expect("a String takes everything");
                separator = ",";
            } else {
                others += string.at.len();
            }
            if rest.peek().is_none() {
                break;
            }
        }
        if let Some(Level::Array(index)) = current(&mut levels, depth) {
            *index += 1;
        }
    }
    if others > 0 {
        write!(out, "{separator}\"{OTHERS}\":{others}").expect("a String takes everything");
    }
}

/// The innermost level, unless it lies too deep to be named.
fn current(levels: &mut [Level], depth: usize) -> Option<&mut Level> {
    levels.get_mut(depth.checked_sub(1)?)
}

/// `args.0.body`, still escaped as its keys were.
fn path(text: &str, levels: &[Level], is_deeper: bool, keys: &Keys) -> String {
    let mut path = String::new();
    for level in levels {
        if !path.is_empty() {
            path.push('.');
        }
        match level {
            Level::Object(key) if key.len() <= PATH => path.push_str(&text[key.clone()]),
            Level::Object(key) => {
                path.push_str(&text[key.start..key.start + escape::floor(&text[key.clone()], PATH)])
            }
            Level::Array(index) => write!(path, "{index}").expect("a String takes everything"),
        }
    }
    let is_long = path.len() > PATH;
    path.truncate(escape::floor(&path, PATH.min(path.len())));
    if is_long || is_deeper {
        path.push('…');
    }
    let mut plain = Plain::default();
    plain.read(&path);
    let mut found = Vec::new();
    shapes::find(&plain.text, keys, &mut found);
    if found.is_empty() { path } else { MARK.to_owned() }
}

#[cfg(test)]
#[path = "cut_tests.rs"]
mod tests;
