//! A mapped stack as rows: places of the user's own code with the lines around them, library frames folded.
//!
//! Drawn by the detail of an event and of a group. All of its texts come from outside and pass the gate.

use std::path::Path;
use std::sync::Arc;

use ratatui::style::Style;

use super::theme::Theme;
use crate::event::gate::Line;
use crate::event::{Code, Mapped, MappedFrame, MappedTrace, Relation};

/// Columns of a function's name before its place.
const NAME: usize = 16;
/// Columns of the line numbers, and of what stands before and after them.
const GUTTER: usize = 11;
/// Folders of a path that are left out where it has no room.
const FOLDERS: usize = 16;
/// Rows that a note of why nothing is mapped may take.
const NOTE_ROWS: usize = 4;
/// Libraries that are named where their frames are folded.
const NAMED: usize = 3;

/// A place that an editor can be opened at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The file on this machine, if it is one of the project's.
    pub(super) local: Option<Arc<Path>>,
    /// As it is shown.
    pub(super) file: Box<str>,
    pub(super) line: u32,
    pub(super) column: u32,
}

impl Target {
    pub(super) fn of(frame: &MappedFrame) -> Self {
        let MappedFrame { local, file, line, column, .. } = frame;
        Self { local: local.clone(), file: file.clone(), line: *line, column: *column }
    }
}

/// One row of the stack.
#[derive(Clone, Debug)]
pub(super) struct StackRow {
    pub(super) line: Line,
    pub(super) style: Style,
    /// On the row of a frame.
    pub(super) target: Option<Target>,
    /// Whether it is the frame that the event is placed at.
    pub(super) is_top: bool,
}

/// What the stack is called in the detail: whose frames there are, or why they are as the browser told them.
pub(super) fn title(mapped: &Mapped, theme: &Theme) -> String {
    let frames = || mapped.traces.iter().flat_map(|trace| &trace.frames);
    let (own, all) = (frames().filter(|frame| frame.is_own).count(), frames().count());
    let noun = if all == 1 { "frame" } else { "frames" };
    let yours = if own == 1 { "is yours" } else { "are yours" };
    let dot = theme.glyphs.dot;
    let opens = if mapped.place().is_some_and(|place| place.local.is_some()) {
        "   o opens it in your editor"
    } else {
        ""
    };
    if frames().any(|frame| frame.is_own && frame.is_mapped) {
        format!("stack   source-mapped {dot} {own} of {all} {noun} {yours}{opens}")
    } else {
        format!("stack   {own} of {all} {noun} {yours}{opens}")
    }
}

/// The rows of the whole stack; without `folds` library frames are shown one by one, with it they are one line that says
/// the key. Where `is_brief` the code of each is one line.
pub(super) fn rows(
    mapped: &Mapped,
    (folds, is_brief): (Option<&'static str>, bool),
    width: usize,
    theme: &Theme,
) -> Vec<StackRow> {
    let mut out = Rows { rows: Vec::new(), width, folds, is_brief, theme };
    for (number, trace) in mapped.traces.iter().enumerate() {
        let top = mapped.top.filter(|(trace, _)| *trace == number).map(|(_, frame)| frame);
        out.trace(trace, top);
    }
    if let Some(note) = &mapped.note {
        // Cut off, it would not say why.
        out.wrapped(&format!("  not mapped: {note}"), theme.dim);
    }
    out.rows
}

struct Rows<'a> {
    rows: Vec<StackRow>,
    width: usize,
    folds: Option<&'static str>,
    is_brief: bool,
    theme: &'a Theme,
}

/// `… 7 library frames (react-dom, scheduler)   z unfolds`: what stands for the frames of `files`; `key` may be empty.
pub(super) fn folded(files: &[&str], key: &str, theme: &Theme) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in files.iter().map(|file| library(file)) {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    let more = if names.len() > NAMED { ", …" } else { "" };
    names.truncate(NAMED);
    let named = if names.is_empty() { String::new() } else { format!(" ({}{more})", names.join(", ")) };
    let noun = if files.len() == 1 { "frame" } else { "frames" };
    let text = format!("{} {} library {noun}{named}   {key}", theme.glyphs.cut, files.len());
    text.trim_end().to_owned()
}

impl Rows<'_> {
    fn push(&mut self, text: &str, style: Style) {
        let line = self.theme.gate.line(text, self.width);
        self.rows.push(StackRow { line, style, target: None, is_top: false });
    }

    fn wrapped(&mut self, text: &str, style: Style) {
        for line in self.theme.gate.lines(text, self.width.max(1), NOTE_ROWS) {
            self.rows.push(StackRow { line, style, target: None, is_top: false });
        }
    }

    fn trace(&mut self, trace: &MappedTrace, top: Option<usize>) {
        let word = match trace.relation {
            Relation::Thrown => "",
            Relation::Cause => "caused by ",
            Relation::Part => "one of them: ",
        };
        if !word.is_empty() {
            self.push(&format!("  {word}{}", trace.head), self.theme.text);
        }
        let mut libraries: Vec<&str> = Vec::new();
        for (number, frame) in trace.frames.iter().enumerate() {
            if !frame.is_own && self.folds.is_some() {
                libraries.push(&frame.file);
                continue;
            }
            self.fold(&mut libraries);
            self.frame(frame, top == Some(number));
        }
        self.fold(&mut libraries);
    }

    fn fold(&mut self, libraries: &mut Vec<&str>) {
        if !libraries.is_empty() {
            let text = folded(libraries, self.folds.unwrap_or_default(), self.theme);
            self.push(&format!("    {text}"), self.theme.dim);
            libraries.clear();
        }
    }

    fn frame(&mut self, frame: &MappedFrame, is_top: bool) {
        let theme = self.theme;
        let mark = if is_top { theme.glyphs.folded } else { " " };
        let name = if frame.function.is_empty() { "(no name)" } else { &frame.function };
        let at = match (frame.line, frame.column) {
            (0, _) => String::new(),
            (line, 0) => format!(":{line}"),
            (line, column) => format!(":{line}:{column}"),
        };
        let style = if frame.is_own { theme.text } else { theme.dim };
        let style = if is_top { theme.title } else { style };
        let line = self.fitting(&format!("  {mark} {name:<NAME$} "), &frame.file, &at);
        self.rows.push(StackRow { line, style, target: Some(Target::of(frame)), is_top });
        if let Some(code) = frame.code.as_deref() {
            if is_top && !self.is_brief { self.code(code, frame) } else { self.one_line(code, frame) }
        }
    }

    /// A frame's row. Where it has no room, blanks go first and then folders: the line's number says where to look.
    fn fitting(&self, lead: &str, file: &str, at: &str) -> Line {
        let (gate, cut) = (self.theme.gate, self.theme.glyphs.cut);
        let shorter = lead.trim_end();
        let folders = file
            .match_indices('/')
            .take(FOLDERS)
            .map(|(end, _)| format!("{shorter} {cut}{}{at}", &file[end..]));
        let whole = [format!("{lead}{file}{at}"), format!("{shorter} {file}{at}")];
        let mut all = whole.into_iter().chain(folders).map(|text| gate.line(&text, self.width)).peekable();
        let first = all.peek().cloned();
        all.find(|line| !line.is_cut).or(first).unwrap_or_default()
    }

    /// The five lines, with the place under its character.
    fn code(&mut self, code: &Code, frame: &MappedFrame) {
        let (theme, bar) = (self.theme, self.theme.glyphs.vertical);
        let lines: Vec<String> = code.lines.iter().map(|line| line.replace('\t', "  ")).collect();
        let indent = common_indent(&lines);
        let at = (frame.line.saturating_sub(code.first)) as usize;
        let caret = caret(code, at, frame.column).saturating_sub(indent);
        // Where the place is past the edge the lines begin later.
        let room = self.width.saturating_sub(GUTTER + 4);
        let shift = if caret > room { caret - room / 2 } else { 0 };
        for (number, line) in lines.iter().enumerate() {
            let shown: String = line.chars().skip(indent + shift).collect();
            let (mark, style) =
                if number == at { (theme.glyphs.folded, theme.text) } else { (" ", theme.dim) };
            let label = code.first + u32::try_from(number).unwrap_or(0);
            self.push(&format!("    {mark} {label:>4} {bar} {shown}"), style);
            if number == at && frame.column > 0 {
                let before: String = line.chars().skip(indent + shift).take(caret - shift).collect();
                let blank = " ".repeat(theme.gate.columns(&before));
                self.push(&format!("      {:>4} {bar} {blank}^", ""), theme.error);
            }
        }
    }

    fn one_line(&mut self, code: &Code, frame: &MappedFrame) {
        let at = (frame.line.saturating_sub(code.first)) as usize;
        if let Some(line) = code.lines.get(at) {
            let bar = self.theme.glyphs.vertical;
            self.push(&format!("      {:>4} {bar} {}", frame.line, line.trim()), self.theme.dim);
        }
    }
}

/// Characters before the place in its line, as it is shown: a tab is two.
fn caret(code: &Code, at: usize, column: u32) -> usize {
    // Columns count UTF-16 units from 1.
    let units = column.saturating_sub(1).saturating_sub(code.skipped) as usize;
    let Some(line) = code.lines.get(at) else { return 0 };
    let mut left = units;
    let mut shown = 0;
    for c in line.chars() {
        if left < c.len_utf16() {
            break;
        }
        left -= c.len_utf16();
        shown += if c == '\t' { 2 } else { 1 };
    }
    shown
}

fn common_indent(lines: &[String]) -> usize {
    let indents = lines.iter().filter(|line| !line.trim().is_empty());
    indents.map(|line| line.chars().take_while(|c| *c == ' ').count()).min().unwrap_or(0)
}

/// The library that a file belongs to: `react-dom` of `node_modules/react-dom/cjs/…` or of `.vite/deps/react-dom.js`.
fn library(file: &str) -> &str {
    let file = file.split('?').next().unwrap_or(file);
    if let Some((_, rest)) = file.rsplit_once("node_modules/").filter(|(_, rest)| !rest.starts_with(".vite/"))
    {
        let parts = if rest.starts_with('@') { 2 } else { 1 };
        let end = rest.match_indices('/').nth(parts - 1).map_or(rest.len(), |(at, _)| at);
        return &rest[..end];
    }
    let name = file.rsplit('/').next().unwrap_or(file);
    if name.starts_with(['<', '[']) { "" } else { name.split('.').next().unwrap_or(name) }
}
