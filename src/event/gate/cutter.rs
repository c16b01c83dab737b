//! Cuts hostile text into cells: the smallest pieces a terminal shows as one, each with its columns.
//!
//! The only reader of raw text in the gate; rows, wrapping and plain output are made of its cells. It keeps no
//! more than one cell and never looks further ahead than one word or one run of marks, however long the text is.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::class::{self, Class};
use super::script::Word;
use super::{Gate, PartStyle};

/// Code points and bytes of one cell (SECURITY.md section 0, finding 5); what exceeds them starts a new cell.
const CELL_SCALARS: usize = 8;
const CELL_BYTES: usize = 32;
/// Marks shown on one base; further ones are counted.
const MARKS: usize = 4;
/// Marks counted on one base; the next one starts a cell of its own.
const COUNTED: usize = 99;

/// What a cell is to the one who lays cells out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// A line break: one cell in one-line forms, the end of a row when wrapped.
    Break,
    /// A tab: one column in one-line forms, up to the next stop when wrapped.
    Tab,
}

/// One cell, or a few columns of ASCII notation (`<U+202E>`) that may be broken anywhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<'a> {
    pub text: &'a str,
    pub columns: usize,
    pub style: PartStyle,
    pub kind: Kind,
}

impl Cell<'_> {
    /// Whether each byte of the text is a column of its own.
    pub(super) fn is_breakable(&self) -> bool {
        self.columns > 1 && self.columns == self.text.len() && self.text.is_ascii()
    }
}

/// A reader over one text. Not an `Iterator`: a cell borrows the cutter's scratch text.
pub(super) struct Cutter<'a> {
    gate: Gate,
    text: &'a str,
    at: usize,
    scratch: String,
    /// Marks and selectors of the last cell that are not shown, to be reported as `+N`.
    counted: usize,
    word: Word,
    word_end: usize,
}

impl<'a> Cutter<'a> {
    pub(super) fn new(gate: Gate, text: &'a str) -> Self {
        Self { gate, text, at: 0, scratch: String::new(), counted: 0, word: Word::default(), word_end: 0 }
    }

    /// Bytes read so far.
    #[cfg(test)]
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The next cell; `None` at the end.
    pub(super) fn next(&mut self) -> Option<Cell<'_>> {
        self.scratch.clear();
        if self.counted > 0 {
            self.scratch = format!("+{}", std::mem::take(&mut self.counted));
            return Some(self.notation(PartStyle::Dim));
        }
        let first = self.peek()?;
        let class = class::of(first);
        match class {
            Class::Break => return Some(self.line_break(first)),
            Class::Tab => {
                self.at += 1;
                return Some(self.cell(" ", 1, PartStyle::Plain, Kind::Tab));
            }
            Class::Control => return Some(self.control(first)),
            Class::C1 => {
                self.at += first.len_utf8();
                self.scratch = format!("<{:02X}>", u32::from(first));
                return Some(self.notation(PartStyle::Dim));
            }
            Class::Hidden | Class::Zwj | Class::Zwnj => return Some(self.escape(first, PartStyle::Reversed)),
            Class::Text | Class::Mark | Class::Selector => {}
        }
        if self.gate.ascii && !first.is_ascii() {
            return Some(self.escape(first, PartStyle::Dim));
        }
        if self.gate.strict_cells && (class::is_flag_half(first) || class::is_tone(first)) {
            return Some(self.escape(first, PartStyle::Reversed));
        }
        Some(if class == Class::Text { self.grapheme(first) } else { self.orphan() })
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn cell<'b>(&self, text: &'b str, columns: usize, style: PartStyle, kind: Kind) -> Cell<'b> {
        Cell { text, columns, style, kind }
    }

    /// The scratch text, which is ASCII, as a cell.
    fn notation(&self, style: PartStyle) -> Cell<'_> {
        self.cell(&self.scratch, self.scratch.len(), style, Kind::Text)
    }

    fn escape(&mut self, c: char, style: PartStyle) -> Cell<'_> {
        self.at += c.len_utf8();
        self.scratch = format!("<U+{:04X}>", u32::from(c));
        self.notation(style)
    }

    fn line_break(&mut self, first: char) -> Cell<'_> {
        self.at += first.len_utf8();
        if first == '\r' && self.peek() == Some('\n') {
            self.at += 1;
        }
        if self.gate.ascii {
            self.cell("^J", 2, PartStyle::Dim, Kind::Break)
        } else {
            self.cell("\u{2424}", 1, PartStyle::Dim, Kind::Break)
        }
    }

    fn control(&mut self, c: char) -> Cell<'_> {
        self.at += 1;
        let code = u32::from(c);
        if self.gate.ascii {
            self.scratch.push('^');
            self.scratch.extend(char::from_u32(code ^ 0x40));
            return self.notation(PartStyle::Dim);
        }
        let picture = if c == '\x7F' { 0x2421 } else { 0x2400 + code };
        self.scratch.extend(char::from_u32(picture));
        self.cell(&self.scratch, 1, PartStyle::Dim, Kind::Text)
    }

    /// Marks without a base, on a dotted circle.
    fn orphan(&mut self) -> Cell<'_> {
        let mut cluster = Cluster::new(std::mem::take(&mut self.scratch), '\u{25CC}');
        self.absorb(&mut cluster);
        self.finish(cluster, PartStyle::Dim)
    }

    fn grapheme(&mut self, first: char) -> Cell<'_> {
        if self.at >= self.word_end {
            self.word = Word::at(&self.text[self.at..]);
            self.word_end = self.at + self.word.len.max(first.len_utf8());
        }
        let style = if self.word.is_foreign(first) { PartStyle::Reversed } else { PartStyle::Plain };
        let after_first = self.at + first.len_utf8();
        self.at = after_first;
        let is_alone = self.gate.ascii || self.text.as_bytes().get(self.at).is_none_or(u8::is_ascii);
        if first.is_ascii() && is_alone {
            self.scratch.push(first);
            return self.cell(&self.scratch, 1, style, Kind::Text);
        }
        let mut cluster = Cluster::new(std::mem::take(&mut self.scratch), first);
        self.absorb(&mut cluster);
        if !(1..=2).contains(&cluster.columns()) {
            self.counted = 0;
            self.at = after_first - first.len_utf8();
            return self.escape(first, PartStyle::Reversed);
        }
        self.finish(cluster, style)
    }

    fn finish(&mut self, cluster: Cluster, style: PartStyle) -> Cell<'_> {
        let columns = cluster.columns();
        self.scratch = cluster.text;
        self.cell(&self.scratch, columns, style, Kind::Text)
    }

    /// Adds to a cluster what belongs to it, and moves behind that.
    fn absorb(&mut self, cluster: &mut Cluster) {
        while let Some(c) = self.peek() {
            if c.is_ascii() {
                return;
            }
            let rest = &self.text[self.at + c.len_utf8()..];
            let is_intact = self.counted == 0;
            let taken = match class::of(c) {
                Class::Selector
                    if is_intact && !self.gate.strict_cells && cluster.takes_selector(c, rest) =>
                {
                    cluster.push_extender(c)
                }
                Class::Mark if cluster.takes_mark(c) => cluster.push_mark(c),
                Class::Mark | Class::Selector if self.counted < COUNTED => {
                    self.counted += 1;
                    c.len_utf8()
                }
                Class::Zwnj if is_intact && cluster.takes_non_joiner(rest) => cluster.push_extender(c),
                Class::Zwj if is_intact && !self.gate.strict_cells => cluster.join(rest),
                Class::Text if is_intact && !self.is_kept_apart(c) => cluster.merge(c),
                _ => 0,
            };
            if taken == 0 {
                return;
            }
            self.at += taken;
        }
    }

    fn is_kept_apart(&self, c: char) -> bool {
        self.gate.strict_cells && (class::is_flag_half(c) || class::is_tone(c))
    }
}

/// A grapheme being built. The methods that add answer how many bytes they took, 0 for none.
struct Cluster {
    text: String,
    /// The last character that takes columns, skin tones aside.
    base: char,
    last: char,
    scalars: usize,
    /// Marks since `base`.
    marks: usize,
}

impl Cluster {
    fn new(mut text: String, base: char) -> Self {
        text.push(base);
        Self { text, base, last: base, scalars: 1, marks: 0 }
    }

    fn columns(&self) -> usize {
        columns_of(&self.text)
    }

    fn has_room(&self, scalars: usize, bytes: usize) -> bool {
        self.scalars + scalars <= CELL_SCALARS && self.text.len() + bytes <= CELL_BYTES
    }

    fn takes_mark(&self, c: char) -> bool {
        self.marks < MARKS && self.has_room(1, c.len_utf8())
    }

    /// VS15 and VS16 mean something straight after an emoji base, or between a digit and its keycap.
    fn takes_selector(&self, c: char, rest: &str) -> bool {
        let is_base = if self.base.is_ascii() {
            matches!(self.base, '0'..='9' | '#' | '*') && rest.starts_with(class::KEYCAP)
        } else {
            class::is_pictograph(self.base)
        };
        matches!(c, '\u{FE0E}' | '\u{FE0F}') && self.last == self.base && is_base && self.has_room(1, 3)
    }

    fn takes_non_joiner(&self, rest: &str) -> bool {
        class::is_joining_letter(self.base)
            && rest.chars().next().is_some_and(class::is_joining_letter)
            && self.has_room(1, class::ZWNJ.len_utf8())
            && self.last != class::ZWNJ
    }

    /// Adds a character that takes no column and is no mark.
    fn push_extender(&mut self, c: char) -> usize {
        self.text.push(c);
        self.scalars += 1;
        self.last = c;
        c.len_utf8()
    }

    fn push_mark(&mut self, c: char) -> usize {
        self.marks += 1;
        self.push_extender(c)
    }

    /// Adds a joiner and the pictograph after it, if both sides are pictographs.
    fn join(&mut self, rest: &str) -> usize {
        let Some(next) = rest.chars().next() else { return 0 };
        let bytes = class::ZWJ.len_utf8() + next.len_utf8();
        let is_fit = self.has_room(2, bytes)
            && class::of(next) == Class::Text
            && class::is_pictograph(next)
            && class::is_pictograph(self.base);
        if !is_fit {
            return 0;
        }
        self.push_extender(class::ZWJ);
        let len = self.text.len();
        self.push_base(next);
        if self.columns() > 2 {
            self.text.truncate(len - class::ZWJ.len_utf8());
            return 0;
        }
        bytes
    }

    /// Adds a character with columns of its own, if Unicode makes it one grapheme with this and two columns hold it.
    fn merge(&mut self, c: char) -> usize {
        // Below U+0900 nothing that takes a column attaches; above two columns only a skin tone may still fit.
        let is_candidate = c >= '\u{900}'
            && self.has_room(1, c.len_utf8())
            && (class::is_tone(c) || self.columns() + class::width(c) <= 2);
        if !is_candidate {
            return 0;
        }
        let len = self.text.len();
        self.text.push(c);
        if self.columns() > 2 || self.text.graphemes(true).nth(1).is_some() {
            self.text.truncate(len);
            return 0;
        }
        self.text.truncate(len);
        if class::is_tone(c) { self.push_extender(c) } else { self.push_base(c) }
    }

    fn push_base(&mut self, c: char) -> usize {
        self.push_extender(c);
        self.base = c;
        self.marks = 0;
        c.len_utf8()
    }
}

/// The columns of one grapheme, counting the half-width sound marks as ratatui does.
fn columns_of(grapheme: &str) -> usize {
    grapheme.width() + grapheme.chars().filter(|&c| class::is_sound_mark(c)).count()
}
