//! What kind of character one is to a terminal: the table behind the gate.
//!
//! Asked by the cutter and the JSON escaper, one character at a time. It never looks at neighbours.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

pub(super) const ZWJ: char = '\u{200D}';
pub(super) const ZWNJ: char = '\u{200C}';
/// The enclosing keycap, the only reason a digit may carry a variation selector.
pub(super) const KEYCAP: char = '\u{20E3}';

/// How a character is treated (SECURITY.md section 6, one variant for each row of its table).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Printed as it is, one or two columns.
    Text,
    /// Takes no column and sits on the character before it.
    Mark,
    /// VS1 to VS16.
    Selector,
    Zwj,
    Zwnj,
    Break,
    Tab,
    /// C0 and DEL.
    Control,
    C1,
    /// Invisible, reordering, private or unassigned: shown by its number.
    Hidden,
}

/// Inclusive ranges that show nothing or move what is shown: bidi controls, joiners, fillers, tags, format
/// controls. Sorted.
const HIDDEN: [(u32, u32); 18] = [
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200B),
    (0x200E, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0x13430, 0x13455),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
];

/// Whether a character is a cell of one column whatever stands beside it, marks aside: printable ASCII, and the lines and
/// blocks that screens are drawn with.
pub(super) fn is_simple(c: char, is_ascii: bool) -> bool {
    matches!(c, ' '..='~') || !is_ascii && matches!(c, '\u{2500}'..='\u{259F}')
}

/// The class of a character.
pub(super) fn of(c: char) -> Class {
    match c {
        ' '..='\x7E' => Class::Text,
        '\t' => Class::Tab,
        '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Class::Break,
        '\0'..='\x1F' | '\x7F' => Class::Control,
        '\u{80}'..='\u{9F}' => Class::C1,
        ZWNJ => Class::Zwnj,
        ZWJ => Class::Zwj,
        '\u{FE00}'..='\u{FE0F}' => Class::Selector,
        _ if is_hidden(c) => Class::Hidden,
        _ if !is_assigned(c) => Class::Hidden,
        _ => match width(c) {
            0 => Class::Mark,
            1 | 2 => Class::Text,
            _ => Class::Hidden,
        },
    }
}

/// Whether JSON text must carry this character as an escape to be harmless when printed.
pub(super) fn is_unsafe_in_json(c: char) -> bool {
    matches!(c, '\x7F'..='\u{9F}' | '\u{2028}' | '\u{2029}' | ZWNJ | ZWJ) || is_hidden(c) || is_nonchar(c)
}

/// The columns of one character, counting the half-width sound marks as ratatui does.
pub(super) fn width(c: char) -> usize {
    if is_sound_mark(c) { 1 } else { c.width().unwrap_or(0) }
}

/// Half-width (han)dakuten: combining by Unicode, one column of their own in terminals.
pub(super) fn is_sound_mark(c: char) -> bool {
    matches!(c, '\u{FF9E}' | '\u{FF9F}')
}

/// Skin tones: they colour the pictograph before them.
pub(super) fn is_tone(c: char) -> bool {
    matches!(c, '\u{1F3FB}'..='\u{1F3FF}')
}

/// Half of a flag.
pub(super) fn is_flag_half(c: char) -> bool {
    matches!(c, '\u{1F1E6}'..='\u{1F1FF}')
}

/// Whether emoji sequences may be built on this character (Extended_Pictographic).
pub(super) fn is_pictograph(c: char) -> bool {
    if c < '\u{A9}' {
        return false;
    }
    // Two of them around a joiner are one grapheme (UAX 29, rule GB11). Characters that attach to anything would
    // pass that too and are told apart by attaching to a letter.
    let joined = String::from_iter([c, ZWJ, c]);
    let attached = String::from_iter(['a', c]);
    joined.graphemes(true).count() == 1 && attached.graphemes(true).count() == 2
}

/// Letters whose shape depends on their neighbours, between which ZWNJ has a meaning.
pub(super) fn is_joining_letter(c: char) -> bool {
    matches!(c,
        '\u{0620}'..='\u{08FF}' | '\u{1820}'..='\u{18AA}' | '\u{A840}'..='\u{A873}'
        | '\u{FB50}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'
        | '\u{10AC0}'..='\u{10AE4}' | '\u{10D00}'..='\u{10D23}' | '\u{1E900}'..='\u{1E943}')
        && c.is_alphabetic()
}

fn is_hidden(c: char) -> bool {
    let code = u32::from(c);
    let next = HIDDEN.partition_point(|&(first, _)| first <= code);
    next > 0 && code <= HIDDEN[next - 1].1
}

fn is_nonchar(c: char) -> bool {
    let code = u32::from(c);
    code & 0xFFFE == 0xFFFE || (0xFDD0..=0xFDEF).contains(&code)
}

/// Whether Unicode gives the character a public meaning: the standard library's escaper leaves those as they are.
fn is_assigned(c: char) -> bool {
    if c.is_alphanumeric() || is_space(c) {
        return true;
    }
    // The letter in front matters: at the start of a string combining marks are escaped too.
    let mut bytes = [b'a'; 5];
    let len = 1 + c.encode_utf8(&mut bytes[1..]).len();
    str::from_utf8(&bytes[..len]).is_ok_and(|text| text.escape_debug().nth(1) != Some('\\'))
}

/// Spaces with a width, which the standard library's escaper counts as unprintable.
fn is_space(c: char) -> bool {
    matches!(c, '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_of_the_table_has_its_class() {
        assert!(HIDDEN.is_sorted_by(|a, b| a.1 < b.0));
        for (class, chars) in [
            (Class::Text, "a~éЖ漢👩❤©\u{A0}\u{3000}\u{FFFC}\u{FF9E}क\u{93F}\u{12D9}🇩"),
            (Class::Mark, "\u{301}\u{20E3}\u{94D}\u{1161}"),
            (Class::Selector, "\u{FE00}\u{FE0E}\u{FE0F}"),
            (Class::Break, "\n\r\u{B}\u{C}\u{85}\u{2028}\u{2029}"),
            (Class::Control, "\0\u{1B}\x7F"),
            (Class::C1, "\u{80}\u{9B}\u{9F}"),
            (Class::Hidden, "\u{202E}\u{2066}\u{200B}\u{2060}\u{FEFF}\u{AD}\u{34F}\u{3164}\u{FFA0}\u{115F}"),
            (Class::Hidden, "\u{180E}\u{206A}\u{FFF9}\u{1D173}\u{1BCA0}\u{13430}\u{E0001}\u{E0100}\u{600}"),
            (Class::Hidden, "\u{FFFF}\u{FDD0}\u{10FFFF}\u{E000}\u{F0000}\u{378}\u{E05F0}"),
        ] {
            for c in chars.chars() {
                assert_eq!(of(c), class, "U+{:04X}", u32::from(c));
            }
        }
    }

    #[test]
    fn pictographs_are_told_from_what_merely_attaches() {
        for c in ['👩', '❤', '©', '🏳', '☝'] {
            assert!(is_pictograph(c), "{c}");
        }
        for c in ['a', '1', '漢', 'क', '\u{93F}', '\u{301}', '\u{1F3FB}', '🇩', '\u{1100}', '\u{D4E}'] {
            assert!(!is_pictograph(c), "U+{:04X}", u32::from(c));
        }
    }
}
