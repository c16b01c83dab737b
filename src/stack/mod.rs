//! A JavaScript stack as text: its traces and frames, as Chrome, Firefox, Safari and Node write them.
//!
//! `pipeline` looks for the first frame of the user's own code, `maps` for every place to map, the screen for what to
//! show. Nothing here resolves a place or reads a file; a stack is text from outside and is read within bounds.

mod evaluated;
mod library;
mod plain;
mod read;
mod told;

pub use crate::event::Relation;
pub use evaluated::{is_evaluated, module_id};
pub use library::{Libraries, is_own};
pub use plain::{is_error_class, plain_function, push_plain_file};
pub use told::{Spot, Told, beside, first_part, head, told, whole};

/// Lines looked at; engines write 10 to 50 unless told otherwise.
const LINES: usize = 128;
/// Of one line, in bytes; a `data:` URL as a file name can be a megabyte.
const LINE_MAX: usize = 2_048;
/// Traces of one stack: an error, its causes and parts.
const TRACES: usize = 16;

/// One line of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// As the engine names it, `""` for code without a name.
    pub function: &'a str,
    /// URL or path, with query, without position.
    pub file: &'a str,
    /// From 1; 0 where it is not said.
    pub line: u32,
    /// From 1; 0 where it is not said.
    pub column: u32,
    /// Whether the frame was reached by waiting: the one before it was not called by it.
    pub is_async: bool,
}

/// The frames of one error of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace<'a> {
    pub relation: Relation,
    /// The name and message as the stack tells them; empty where it has none, as in Firefox and Safari.
    pub head: &'a str,
    /// From the top.
    pub frames: Vec<Frame<'a>>,
}

/// The frames of the error itself from the top; lines that are none (the message) are passed over.
pub fn frames(stack: &str) -> impl Iterator<Item = Frame<'_>> {
    let is_chrome = read::is_chrome(stack);
    lines(stack)
        .take_while(|line| read::opens(line).is_none())
        .filter_map(move |line| read::frame(line, is_chrome))
}

/// All traces of a stack, the error's own first, at most 16: Node writes causes and parts below it.
pub fn traces(stack: &str) -> Vec<Trace<'_>> {
    let is_chrome = read::is_chrome(stack);
    let mut found = vec![Trace { relation: Relation::Thrown, head: "", frames: Vec::new() }];
    let mut in_parts = false;
    for line in lines(stack) {
        let frame = read::frame(line, is_chrome);
        let has_room = found.len() < TRACES;
        let last = found.last_mut().expect("one from the beginning on");
        match (frame, read::opens(line)) {
            (Some(frame), _) => last.frames.push(frame),
            (None, Some(opening)) => {
                in_parts = opening.relation == Relation::Part;
                if !opening.head.is_empty() && has_room {
                    found.push(Trace { relation: opening.relation, head: opening.head, frames: Vec::new() });
                }
            }
            (None, None) if in_parts && is_chrome && has_room && read::is_head(line) => {
                found.push(Trace { relation: Relation::Part, head: line.trim(), frames: Vec::new() });
            }
            (None, None) if last.head.is_empty() && last.frames.is_empty() => last.head = line.trim(),
            (None, None) => {}
        }
    }
    found
}

/// The topmost frame of the user's own code; a constructor of an error class is passed over where what called it is
/// the user's own too: only Firefox and Safari have such frames.
pub fn top_own(stack: &str) -> Option<Frame<'_>> {
    let mut own = frames(stack).filter(|frame| is_own(frame.file));
    let top = own.next()?;
    if is_error_class(plain_function(top.function)) { own.next().or(Some(top)) } else { Some(top) }
}

/// As [`top_own`], where that names a line.
pub fn top_own_line(stack: &str) -> Option<Frame<'_>> {
    top_own(stack).filter(|top| top.line > 0)
}

/// The lines of `stack` that are the page's: without the bare head of an error made for it, and the client's frames.
pub fn of_the_page(stack: &str) -> String {
    let is_client = |line: &str| frames(line).next().is_some_and(|frame| library::is_client(frame.file));
    let lines = stack.lines().filter(|line| *line != "Error" && !is_client(line));
    lines.collect::<Vec<_>>().join("\n")
}

fn lines(stack: &str) -> impl Iterator<Item = &str> {
    stack.lines().take(LINES).map(|line| &line[..line.floor_char_boundary(LINE_MAX)])
}

#[cfg(test)]
mod tests;
