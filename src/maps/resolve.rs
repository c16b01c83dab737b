//! The traces of an event with each place looked up in its script's map.
//!
//! Pure: scripts, files and texts come from a [`Lookup`]. What no map names stays as the browser told it.

use std::path::Path;
use std::sync::Arc;

use super::load::Script;
use super::text::Text;
use crate::event::{Code, Mapped, MappedFrame, MappedTrace};
use crate::stack::{Spot, Told, is_error_class, is_evaluated, plain_function};

/// Frames of one event that get the code around them; more is not read at once.
const CODES: usize = 12;
/// Lines before and after a place.
const AROUND: u32 = 2;
/// Characters of a line of code that are kept.
const LINE: usize = 200;
/// Names up to this length are what minifiers write.
const SHORT: usize = 2;
/// Characters of a name that are kept.
const NAME: usize = 120;

/// What is known beside the event.
pub trait Lookup {
    /// The script that frames call `file`, once it is loaded.
    fn script(&self, file: &str) -> Option<&Script>;
    /// Why there is none.
    fn refusal(&self, file: &str) -> Option<String>;
    /// The path below the project of a script without a map.
    fn path_of(&self, file: &str) -> String;
    /// The source at `path` on this machine.
    fn local(&self, path: &str) -> Option<Arc<Path>>;
    /// Its text.
    fn text(&self, path: &str) -> Option<Arc<Text>>;
    /// Whether `path` is the user's own code.
    fn is_own(&self, path: &str) -> bool;
}

/// Looks up every place of `told`.
pub fn resolve(told: &[Told], known: &impl Lookup) -> Mapped {
    let mut codes = CODES;
    let traces: Vec<_> = told.iter().map(|told| trace(told, known, &mut codes)).collect();
    let tops = traces.iter().zip(told).map(|(trace, told)| top_of(&trace.frames, &told.spots));
    let top = tops.enumerate().find_map(|(number, top)| Some((number, top?)));
    let is_left = |spot: &&Spot| {
        known.is_own(&spot.file) && known.script(&spot.file).is_none_or(|script| !script.has_map())
    };
    let left = told.iter().flat_map(|told| &told.spots).find(is_left);
    let note = left
        .and_then(|spot| Some(format!("{}: {}", short(&spot.file, NAME), known.refusal(&spot.file)?).into()));
    Mapped { traces, top, note }
}

/// The topmost own frame; not one that only makes the error, if what calls it is own too.
fn top_of(frames: &[MappedFrame], spots: &[Spot]) -> Option<usize> {
    let is_place = |at: &usize| frames[*at].line > 0 || is_evaluated(&spots[*at].file);
    let mut own = (0..frames.len()).filter(|at| frames[*at].is_own).filter(is_place);
    let top = own.next()?;
    if is_error_class(&frames[top].function) { own.next().or(Some(top)) } else { Some(top) }
}

fn trace(told: &Told, known: &impl Lookup, codes: &mut usize) -> MappedTrace {
    let called: Vec<Option<String>> = told.spots.iter().map(|spot| called_at(spot, known)).collect();
    let frames = told.spots.iter().enumerate().map(|(at, spot)| {
        // Whoever waited for a function did not call it where it says now.
        let caller =
            told.spots.get(at + 1).filter(|next| !next.is_async).and_then(|_| called[at + 1].as_deref());
        frame(spot, caller, known, codes)
    });
    MappedTrace {
        relation: told.relation,
        head: short(&told.head, 4 * NAME).into(),
        frames: frames.collect(),
    }
}

/// Line and column from 1 as the map wants them, for a place told in characters too.
fn place(spot: &Spot, script: &Script) -> Option<(u32, u32)> {
    match spot.offset {
        Some(offset) => script.place_of(offset),
        None => (spot.line > 0).then_some((spot.line, spot.column)),
    }
}

/// What is called at a place, as the sources name it: a frame's function is best named by the frame that called it.
fn called_at(spot: &Spot, known: &impl Lookup) -> Option<String> {
    let script = known.script(&spot.file)?;
    let (line, column) = place(spot, script)?;
    let name = script.called(line, column)?;
    Some(plain_function(short(name, NAME)).to_owned()).filter(|name| !name.is_empty())
}

fn frame(spot: &Spot, caller: Option<&str>, known: &impl Lookup, codes: &mut usize) -> MappedFrame {
    let raw = plain_function(short(&spot.function, NAME));
    let script = known.script(&spot.file);
    let at = script.and_then(|script| place(spot, script));
    let found = script.zip(at).and_then(|(script, (line, column))| {
        let token = script.lookup(line, column)?;
        Some((token, script.source(token.source)?))
    });
    let Some((token, (path, content, is_ignored))) = found else {
        return unmapped(spot, raw, script, at, known, codes);
    };
    // Names of two letters are a minifier's; what the caller's source calls it is better, and better than nothing.
    let declared = || script?.declared(raw, at?.0, at?.1);
    let function = if raw.chars().count() <= SHORT { caller.or_else(declared).unwrap_or(raw) } else { raw };
    let is_own = !is_ignored && known.is_own(path);
    let (line, column) = (token.line + 1, token.column + 1);
    let local = known.local(path).filter(|_| is_own);
    let mut code = |text: &Text| code_at(text, line, column, codes);
    let code = match content {
        _ if !is_own => None,
        Some(text) => code(text),
        None => known.text(path).and_then(|text| code(&text)),
    };
    MappedFrame {
        function: function.into(),
        file: path.into(),
        line,
        column,
        is_own,
        is_mapped: true,
        local,
        code,
    }
}

/// A place as the browser told it: with the code around it where the script is its own source, and without a line where
/// it would be taken for one of the source.
fn unmapped(
    spot: &Spot,
    raw: &str,
    script: Option<&Script>,
    at: Option<(u32, u32)>,
    known: &impl Lookup,
    codes: &mut usize,
) -> MappedFrame {
    let path = known.path_of(&spot.file);
    let is_own = known.is_own(&spot.file) && known.is_own(&path);
    let is_evaluated = is_evaluated(&spot.file);
    let (line, column) = if is_evaluated { (0, 0) } else { at.unwrap_or((spot.line, spot.column)) };
    // Where there is a map that says nothing of it, or one that could not be had, this is no line of a source.
    let is_source = is_own && !is_evaluated && script.is_some_and(|script| !script.has_map());
    let text = script.filter(|_| is_source).and_then(|script| script.text());
    MappedFrame {
        function: raw.into(),
        line,
        column,
        is_own,
        is_mapped: false,
        local: known.local(&path).filter(|_| is_source || is_own && is_evaluated),
        code: text.and_then(|text| code_at(text, line, column, codes)),
        file: path.into(),
    }
}

/// The line with two before and two after it.
fn code_at(text: &Text, line: u32, column: u32, codes: &mut usize) -> Option<Arc<Code>> {
    *codes = codes.checked_sub(1)?;
    let first = line.saturating_sub(AROUND).max(1);
    let count = usize::try_from(line + AROUND - first + 1).ok()?;
    // A place far along a line is shown with what stands around it.
    let skipped = if column as usize > LINE * 3 / 5 { column - 60 } else { 0 };
    let mut lines: Vec<Box<str>> = Vec::with_capacity(count);
    lines.extend(text.lines_from(first).take(count).map(|line| cut(line, skipped as usize)));
    (lines.len() > (line - first) as usize).then(|| Arc::new(Code { first, lines, skipped }))
}

/// What is kept of a line, without its first `skipped` characters.
fn cut(line: &str, skipped: usize) -> Box<str> {
    if line.is_ascii() {
        let start = skipped.min(line.len());
        return line[start..line.len().min(start + LINE)].into();
    }
    line.chars().skip(skipped).take(LINE).collect::<String>().into()
}

fn short(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}
