//! Hits of a search over the JSON of a whole chunk: which row each is in, and whether a value holds it.
//!
//! Used by `words`, `everywhere` and `data`. A chunk's JSON is one text without separators; searched as one, it costs
//! what memory costs. Only what a search comes up with is looked at more closely.

use std::ops::Range;

use super::bits::Bits;
use crate::event::leaves::{ends_key, is_escaped, is_user_agent, string_end, string_start};
use crate::event::{BETWEEN, Chunk, Escapes, Run, Runs, Texts};

/// Sparse sets are searched row by row: below this part of the span, searching between the rows costs more.
pub(super) const SPARSE: usize = 4;

/// Calls `found` with each hit of `find` that begins in a `wanted` row: the row, its bytes and the place in them, which
/// ends past them if the hit reaches into the next row.
/// It says from where in the row to search on; `None` is done with the row.
pub(super) fn each_row_with(
    chunk: &Chunk,
    wanted: &Bits,
    find: impl Fn(&[u8], usize) -> Option<Range<usize>>,
    mut found: impl FnMut(usize, &[u8], Range<usize>) -> Option<usize>,
) {
    let (all, ends) = (chunk.json().as_bytes(), chunk.json_ends());
    let span = wanted.span();
    if span.is_empty() {
        return;
    }
    let start_of = |row: usize| if row == 0 { 0 } else { ends[row - 1] as usize };
    if wanted.count() * SPARSE < span.len() {
        for row in wanted {
            let bytes = &all[start_of(row)..ends[row] as usize];
            let mut from = 0;
            while from < bytes.len()
                && let Some(hit) = find(bytes, from).filter(|hit| hit.start < bytes.len())
            {
                let Some(next) = found(row, bytes, hit) else { break };
                from = next;
            }
        }
        return;
    }
    let text = &all[..ends[span.end - 1] as usize];
    let mut row = span.start;
    let mut from = start_of(row);
    while from < text.len()
        && let Some(hit) = find(text, from).filter(|hit| hit.start < text.len())
    {
        row = row_of(ends, row, hit.start);
        let (start, end) = (start_of(row), ends[row] as usize);
        let resume = if wanted.contains(row) {
            found(row, &text[start..end], hit.start - start..hit.end - start)
        } else {
            None
        };
        from = resume.map_or(end, |at| start + at);
    }
}

/// The row in which the byte at `at` lies, from `row` on: the next ones one by one, then by halves.
fn row_of(ends: &[u32], mut row: usize, at: usize) -> usize {
    const NEXT: usize = 4;
    let stop = row + NEXT;
    while row < stop && ends[row] as usize <= at {
        row += 1;
    }
    if ends[row] as usize > at { row } else { row + ends[row..].partition_point(|end| *end as usize <= at) }
}

/// Asked of a value, and of where in it the hit is, if that alone proves nothing.
pub(super) type Holds<'a> = &'a dyn Fn(&str, Range<usize>) -> bool;

/// Bytes searched before it is asked anew which rows are left.
const BLOCK: usize = 48 * 1024;
/// Looking at one row by itself costs about as much as searching so many bytes.
const ROW_COST: usize = 2_500;

/// As [`in_values`], over all values. Returns the rows that are left to be looked at one by one, which is quicker once
/// they are few.
#[must_use]
pub(super) fn in_runs(
    runs: &Runs,
    wanted: &Bits,
    find: impl Fn(&[u8], usize) -> Option<Range<usize>>,
    holds: Option<Holds<'_>>,
    out: &mut Bits,
) -> Bits {
    let mut rest = wanted.clone();
    rest.and_not(out);
    let len = runs.text.len();
    let mut from = 0;
    for run in &runs.all {
        if run.bytes.end - from < BLOCK && run.bytes.end < len {
            continue;
        }
        if rest.count() * ROW_COST < len - from {
            return rest;
        }
        in_values(runs, from..run.bytes.end, &rest, &find, holds, out);
        rest.and_not(out);
        from = run.bytes.end;
    }
    Bits::new()
}

/// Hits that are gathered before their rows are looked up: what one asks memory for does not wait for the others.
const GATHERED: usize = 256;

/// A hit, and what is known of where it is.
struct Hit {
    at: Range<usize>,
    value: usize,
    /// The row, if only one holds the value.
    row: Option<u16>,
}

/// Searches the values of `runs` that lie in `bytes` for what can only be within one value. Adds to `out` the rows of
/// `wanted` with a hit, or with one in a value that `holds` where the hit alone proves nothing.
pub(super) fn in_values(
    runs: &Runs,
    bytes: Range<usize>,
    wanted: &Bits,
    find: impl Fn(&[u8], usize) -> Option<Range<usize>>,
    asked: Option<Holds<'_>>,
    out: &mut Bits,
) {
    let text = &runs.text.as_bytes()[..bytes.end];
    let mut hits: Vec<Hit> = Vec::with_capacity(GATHERED);
    let mut from = bytes.start;
    while from < text.len() {
        hits.clear();
        while hits.len() < GATHERED
            && from < text.len()
            && let Some(at) = find(text, from).filter(|at| at.start < text.len())
        {
            let rest = memchr::memchr(BETWEEN, &text[at.start..]);
            from = rest.map_or(text.len(), |rest| at.start + rest + 1);
            hits.push(Hit { at, value: 0, row: None });
        }
        look_up(runs, &mut hits);
        for hit in &hits {
            let several = if hit.row.is_none() { runs.rows_of(hit.value..hit.value + 1) } else { &[] };
            let rows = || hit.row.iter().chain(several).map(|row| usize::from(*row));
            let holds = |holds: Holds<'_>| {
                let value = runs.text_at(hit.at.start);
                rows().any(|row| wanted.contains(row) && !out.contains(row))
                    && holds(&runs.text[value.clone()], hit.at.start - value.start..hit.at.end - value.start)
            };
            if asked.is_none_or(holds) {
                rows().filter(|row| wanted.contains(*row)).for_each(|row| out.insert(row));
            }
        }
        if hits.len() < GATHERED {
            return;
        }
    }
}

/// Finds the values of `hits` and the rows of those. Each step is a loop of its own that branches on nothing it reads,
/// so that the processor waits for the memory of all hits at once.
fn look_up(runs: &Runs, hits: &mut [Hit]) {
    for hit in &mut *hits {
        hit.value = runs.marked_before(hit.at.start);
    }
    for hit in &mut *hits {
        hit.value += runs.since_mark(hit.at.start);
    }
    for hit in &mut *hits {
        hit.row = runs.only_row(hit.value);
    }
}

/// Adds to `out` the rows of `wanted` with a value of `run` that `holds`, each different value looked at once.
pub(super) fn each_value(
    runs: &Runs,
    run: &Run,
    wanted: &Bits,
    holds: impl Fn(&str) -> bool,
    out: &mut Bits,
) {
    for (value, text) in runs.values_of(run) {
        let rows = runs.rows_with(value).iter().map(|row| usize::from(*row));
        let mut wanted = rows.filter(|row| wanted.contains(*row)).peekable();
        if wanted.peek().is_some() && holds(text) {
            wanted.for_each(|row| out.insert(row));
        }
    }
}

/// Takes the rows out of `wanted` that [`Texts`] cannot tell of, and returns them.
pub(super) fn take_odd(texts: &Texts, wanted: &mut Bits) -> Bits {
    let mut odd: Bits = texts.odd.iter().map(|row| *row as usize).collect();
    odd.and(wanted);
    wanted.and_not(&odd);
    odd
}

/// Searches the messages that are no part of their JSON, of the `wanted` rows, as one text. Adds to `out` the rows
/// whose message `holds`, which is told whether the hit that made it ask lies within the message.
pub(super) fn in_made(
    chunk: &Chunk,
    wanted: &Bits,
    find: impl Fn(&[u8], usize) -> Option<Range<usize>>,
    holds: impl Fn(&str, bool) -> bool,
    out: &mut Bits,
) {
    let text = chunk.made_text();
    let mut made = wanted.iter().filter_map(|row| Some((row, chunk.made_span(row)?)));
    if wanted.count() * SPARSE < wanted.span().len() {
        made.filter(|(_, span)| !span.is_empty() && holds(&text[span.clone()], false))
            .for_each(|(row, _)| out.insert(row));
        return;
    }
    let Some((mut row, mut span)) = made.next() else { return };
    let mut from = span.start;
    while let Some(hit) = find(text.as_bytes(), from) {
        while span.end <= hit.start {
            let Some(next) = made.next() else { return };
            (row, span) = next;
        }
        if hit.start < span.start {
            // In a message that is not wanted.
            from = span.start;
            continue;
        }
        // What reaches past the message may hide a hit that does not.
        if holds(&text[span.clone()], hit.end <= span.end) {
            out.insert(row);
        }
        from = span.end;
    }
}

/// Adds to `any` the `wanted` rows that have an escape, to `needless` those where a character that needs none may have
/// one.
pub(super) fn mark_escapes(chunk: &Chunk, wanted: &Bits, any: &mut Bits, needless: &mut Bits) {
    let span = wanted.span();
    // What the chunk keeps is of all of its rows; for a few new ones that would be too much to read.
    let own;
    let escapes = if span.len() * SPARSE < chunk.len() {
        own = Escapes::of(chunk.json(), chunk.json_ends(), span);
        &own
    } else {
        chunk.escapes()
    };
    for (rows, out) in [(&escapes.any, any), (&escapes.needless, needless)] {
        rows.iter().for_each(|row| out.insert(*row as usize));
        out.and(wanted);
    }
}

/// What is around a hit that has neither quotes nor backslashes in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// One value, whose exact text is here.
    Value(Range<usize>),
    /// No value that counts; the search goes on from here.
    Nothing(usize),
    /// It takes a walk over the row to tell.
    Unclear,
}

/// Looks at what is around `hit` in a row's `bytes`. `in_string` says that the hit can be nowhere else.
pub(super) fn place(bytes: &[u8], hit: &Range<usize>, in_string: bool) -> Place {
    if is_escaped(bytes, hit.start) {
        return Place::Nothing(hit.start + 1);
    }
    let Some(quote) = string_start(bytes, hit.start) else { return Place::Nothing(hit.start + 1) };
    match if in_string { Some(true) } else { opens(bytes, quote) } {
        Some(true) => in_text(bytes, quote, hit.end),
        Some(false) => between(bytes, hit),
        None => Place::Unclear,
    }
}

/// Whether the quote at `quote` opens a string or closes one, by what is beside it; `None` if that may mislead.
fn opens(bytes: &[u8], quote: usize) -> Option<bool> {
    let before = bytes[..quote].trim_ascii_end().last();
    let after = bytes[quote + 1..].trim_ascii_start().first();
    let may_open = matches!(before, Some(b'{' | b'[' | b',' | b':'));
    let may_close = matches!(after, Some(b'}' | b']' | b',' | b':') | None);
    (may_open != may_close).then_some(may_open)
}

/// In the string that opens at `quote` and does not close before `end`.
fn in_text(bytes: &[u8], quote: usize, end: usize) -> Place {
    let Some(close) = string_end(bytes, end) else { return Place::Nothing(bytes.len()) };
    if ends_key(bytes, close) {
        return Place::Nothing(close + 1);
    }
    of_key(bytes, quote, quote..close + 1)
}

/// Between two strings, where numbers, booleans and null are.
fn between(bytes: &[u8], hit: &Range<usize>) -> Place {
    let is_sign = |byte: &u8| b"{}[],: \n\t\r\"".contains(byte);
    let start = bytes[..hit.start].iter().rposition(is_sign).map_or(0, |sign| sign + 1);
    let len = bytes[hit.start..].iter().position(is_sign).unwrap_or(bytes.len() - hit.start);
    let end = hit.start + len;
    if hit.end > end || start == end {
        return Place::Unclear;
    }
    if &bytes[start..end] == b"null" {
        return Place::Nothing(end);
    }
    of_key(bytes, start, start..end)
}

/// `value`, unless it belongs to the user-agent; which key an element of an array belongs to takes a walk to tell.
fn of_key(bytes: &[u8], start: usize, value: Range<usize>) -> Place {
    match key_before(bytes, start) {
        None => Place::Unclear,
        Some(key) if is_user_agent_key(key) => Place::Nothing(value.end),
        Some(_) => Place::Value(value),
    }
}

/// The key of the value that begins at `at`, as written; elements of arrays have none here.
pub(super) fn key_before(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let before = bytes[..at].trim_ascii_end().strip_suffix(b":")?.trim_ascii_end().strip_suffix(b"\"")?;
    let start = string_start(bytes, before.len())?;
    Some(&before[start + 1..])
}

fn is_user_agent_key(key: &[u8]) -> bool {
    // Nearly all keys end here: the name may end with its last letter, or with what names may have at their end.
    key.last().is_some_and(|last| matches!(last, b't' | b'T' | b'-' | b'_' | b'?'))
        && std::str::from_utf8(key).is_ok_and(is_user_agent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_is_in_a_value_or_it_is_not() {
        let row = br#"{"ab":"x ab","n":12,"userAgent":"ab 12","l":["ab"],"e":"\nab","z":null,"t":true, "q":",","ab":1}"#;
        let text = |place| match place {
            Place::Value(range) => String::from_utf8_lossy(&row[range]).into_owned(),
            Place::Nothing(_) => "-".to_owned(),
            Place::Unclear => "?".to_owned(),
        };
        let found = |word: &str| -> Vec<String> {
            let find = |from: usize| memchr::memmem::find(&row[from..], word.as_bytes()).map(|at| from + at);
            std::iter::successors(find(0), |at| find(at + 1))
                .map(|at| text(place(row, &(at..at + word.len()), false)))
                .collect()
        };
        assert_eq!(found("ab"), ["-", r#""x ab""#, "-", "?", r#""\nab""#, "-"]);
        assert_eq!(found("12"), ["12", "-"]);
        assert_eq!(found("nab"), ["-"], "in the middle of an escape");
        assert_eq!(found("null"), ["-"]);
        assert_eq!(found("rue"), ["true"]);
        assert_eq!(found("2,"), ["?"]);
    }
}
