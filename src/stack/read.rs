//! One line of a stack, in each engine's way.
//!
//! Called by the module above for each line. A line that is no frame gives nothing; none is ever an error.

use super::plain::{replayed, split_once};
use super::{Frame, Relation};

/// What begins another trace in the text of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opening<'a> {
    pub(super) relation: Relation,
    /// Empty where the traces follow on lines of their own.
    pub(super) head: &'a str,
}

/// How Node (`util.inspect`) and libraries begin the trace of a cause or of a part.
const OPENINGS: [(&str, Relation); 5] = [
    ("[cause]: ", Relation::Cause),
    ("Caused by: ", Relation::Cause),
    ("caused by: ", Relation::Cause),
    ("[errors]: [", Relation::Part),
    ("[error]: ", Relation::Part),
];

/// Whether a line of the stack is a frame as Chrome and Node write them; if so, only such lines are.
pub(super) fn is_chrome(stack: &str) -> bool {
    super::lines(stack).any(|line| line.trim_start().starts_with("at ") && frame(line, true).is_some())
}

/// What trace `line` begins, if it does.
pub(super) fn opens(line: &str) -> Option<Opening<'_>> {
    let line = line.trim();
    // As the openings do; nearly every line is none.
    if !line.starts_with(['[', 'C', 'c']) {
        return None;
    }
    OPENINGS.iter().find_map(|(word, relation)| {
        Some(Opening { relation: *relation, head: line.strip_prefix(word)?.trim() })
    })
}

/// Whether `line` can begin the trace of a part: `TypeError: x is not a function`.
pub(super) fn is_head(line: &str) -> bool {
    let name = line.trim().split([':', ' ']).next().unwrap_or("");
    super::is_error_class(name)
}

/// The frame that `line` is.
pub(super) fn frame(line: &str, is_chrome: bool) -> Option<Frame<'_>> {
    // Node goes on after the last line of a trace: with what else the error has, or with the next part.
    let line = line.trim().trim_end_matches([',', '{', ' ']);
    match line.strip_prefix("at ") {
        Some(rest) => chrome(rest),
        None if is_chrome => None,
        None => gecko(line),
    }
}

/// `save (URL:1:2)`, `URL:1:2`, `new Cart (URL:1:2)`, `eval (eval at save (URL:1:2), <anonymous>:1:1)`.
fn chrome(rest: &str) -> Option<Frame<'_>> {
    let (rest, is_async) = match rest.strip_prefix("async ") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let Some((function, place)) = rest.strip_suffix(')').and_then(|rest| split_once(rest, " (")) else {
        // Some tools join the browsers' ways: `at save @ URL:1:2`.
        let (function, place) = split_once(rest, " @ ").unwrap_or(("", rest));
        return Some(Frame { function: function.trim(), is_async, ..place_of(place)? });
    };
    let function = split_once(function, " [as ").map_or(function, |(name, _)| name).trim();
    let is_waiting = place.starts_with("index ");
    let place = if is_waiting { "<anonymous>" } else { made_by_eval(place) };
    Some(Frame { function, is_async, ..place_of(place)? })
}

/// Code made by eval is named by the place that made it, which is a line of a file: the innermost of `eval at a (eval
/// at b (URL:1:2), <anonymous>:3:4), <anonymous>:5:6`.
fn made_by_eval(place: &str) -> &str {
    if !place.starts_with("eval at ") {
        return place;
    }
    let inner = place.rsplit(" (").next().unwrap_or(place);
    let inner = inner.split(')').next().unwrap_or(inner);
    // A debugger's own evaluation has no file.
    if inner.starts_with(':') { place.rsplit(", ").next().unwrap_or(inner) } else { inner }
}

/// `save@URL:1:2`, `@URL:1:2`, `async*save@URL:1:2`, `run/<@URL line 3 > eval:1:1`, `map@[native code]`.
fn gecko(line: &str) -> Option<Frame<'_>> {
    let (function, place) = line.split_once('@')?;
    let (function, is_async) = match function.rsplit_once('*') {
        Some((_, name)) => (name, true),
        None => (function, false),
    };
    if !is_gecko_name(function) || !is_address(place) {
        return None;
    }
    Some(Frame { function: function.trim(), is_async, ..place_of(place)? })
}

/// Names have no spaces, but for those of code that is no function.
fn is_gecko_name(function: &str) -> bool {
    !function.contains(' ')
        || ["global code", "module code", "eval code", "async function", "anonymous"].contains(&function)
        || function.starts_with("get ")
        || function.starts_with("set ")
}

/// Whether `place` begins as a URL, a path or a name in brackets does; an e-mail address in a message does not.
fn is_address(place: &str) -> bool {
    place.starts_with(['/', '[', '<'])
        || place.contains("://")
        || [
            "blob:",
            "data:",
            "webpack-internal:",
            "file:",
            "node:",
            "self-hosted",
            "javascript:",
            "debugger eval code",
        ]
        .iter()
        .any(|scheme| place.starts_with(scheme))
}

/// One place and nothing else: `URL:1:2`.
pub(super) fn bare(text: &str) -> Option<Frame<'_>> {
    let text = text.trim();
    // Firefox's way of writing has the function before the address.
    let begins = split_once(text, "://").map_or(text, |(scheme, _)| scheme);
    let is_one = text.len() <= super::LINE_MAX
        && is_address(text)
        && !text.contains(char::is_whitespace)
        && !begins.contains('@');
    place_of(text).filter(|frame| is_one && frame.line > 0 && frame.column > 0)
}

/// Splits `file:line:column`; a place without a line is a frame only if it says what it is instead.
fn place_of(place: &str) -> Option<Frame<'_>> {
    let at = |file, line, column| Frame { function: "", file, line, column, is_async: false };
    let Some((rest, last)) = numbered(place) else {
        if let Some((file, _)) = split_once(place, ":wasm-function[") {
            return (!file.is_empty()).then_some(at(file, 0, 0));
        }
        let is_named = ["<anonymous>", "native", "[native code]", "[wasm code]"].contains(&place);
        return is_named.then_some(at(place, 0, 0));
    };
    let (file, line, column) = match numbered(rest) {
        Some((file, line)) => (file, line, last),
        None => (rest, last, 0),
    };
    let file = replayed(file);
    // Firefox names the line that made the code: `URL line 3 > eval`.
    if let Some((file, made)) = split_once(file, " line ") {
        let digits = made.split(' ').next().unwrap_or("");
        return Some(at(file, digits.parse().unwrap_or(0), 0)).filter(|_| !file.is_empty());
    }
    (!file.is_empty()).then_some(at(file, line, column))
}

/// The number behind the last colon, and what is before that.
fn numbered(text: &str) -> Option<(&str, u32)> {
    let (before, digits) = text.rsplit_once(':')?;
    Some((before, digits.parse().ok()?))
}
