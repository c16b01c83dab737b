//! What the gate promises, tried on the hostile strings and on random text.

use proptest::prelude::*;
use ratatui::text::Span;

use super::cutter::Cutter;
use super::*;

const GATES: [Gate; 3] = [
    Gate { ascii: false, strict_cells: false },
    Gate { ascii: false, strict_cells: true },
    Gate { ascii: true, strict_cells: false },
];

fn hostile() -> Vec<String> {
    let vectors = include_str!("../../../tests/it/fixtures/hostile-strings.json");
    let rows: Vec<serde_json::Value> = serde_json::from_str(vectors).unwrap();
    assert!(rows.len() > 50);
    rows.iter()
        .map(|row| {
            let times = usize::try_from(row["times"].as_u64().unwrap_or(0)).unwrap();
            let unit = row["unit"].as_str().unwrap_or("").repeat(times);
            format!("{}{unit}{}", row["text"].as_str().unwrap(), row["tail"].as_str().unwrap_or(""))
        })
        .collect()
}

/// The forbidden set, written independently of the class table.
fn is_forbidden(c: char) -> bool {
    let code = u32::from(c);
    c.is_control()
        || matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' | '\u{13430}'..='\u{13455}'
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
            | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}' | '\u{FDD0}'..='\u{FDEF}')
        || code & 0xFFFE == 0xFFFE
}

fn check_text(gate: Gate, text: &str) {
    assert!(!text.chars().any(is_forbidden), "{text:?}");
    assert!(!gate.ascii || text.is_ascii(), "{text:?}");
    gate.cells(text, |cell, columns, _| {
        let is_small = cell.chars().count() <= 8 && cell.len() <= 32 && (1..=2).contains(&columns);
        assert!(is_small || cell.is_ascii(), "{cell:?} takes {columns}");
        ControlFlow::Continue(())
    });
}

fn check_line(gate: Gate, line: &Line, max: usize) {
    let parts: usize = line.parts.iter().map(|part| gate.columns(&part.text)).sum();
    assert_eq!(parts, line.columns, "{line:?}");
    assert!(line.columns <= max, "{line:?} over {max}");
    check_text(gate, &line.text());
}

fn check(gate: Gate, text: &str, max: usize) {
    let line = gate.line(text, max);
    check_line(gate, &line, max);
    let again = gate.line(&line.text(), max);
    assert_eq!(again.text(), line.text(), "{text:?} at {max}");
    let rows = gate.lines(text, max, 50);
    assert!(rows.len() <= 50);
    for row in &rows {
        check_line(gate, row, max);
    }
    let is_whole = rows.last().is_none_or(|row| !row.is_cut);
    if is_whole && max >= 2 {
        let wrapped: String = rows.iter().map(Line::text).collect();
        assert_eq!(essence(gate, &wrapped), essence(gate, text), "{text:?} at {max}");
    }
}

/// Text without what may vanish where a row turns.
fn essence(gate: Gate, text: &str) -> String {
    let break_mark = if gate.ascii { "^J" } else { "\u{2424}" };
    let plain = gate.plain(text);
    // Wrapped rows carry no break marks; marks that were sent as such are dropped on both sides.
    plain.replace(break_mark, "").chars().filter(|&c| c != ' ' && c != class::ZWNJ).collect()
}

fn nasty() -> impl Strategy<Value = String> {
    let special = "\u{1B}\r\n\t\u{9B}\u{7F}\u{202E}\u{200D}\u{200C}\u{FE0F}\u{FE0E}\u{FE01}\u{301}\u{20E3}\u{1F3FF}\
        \u{1F1E9}\u{1F1EA}👩❤漢あｶ\u{FF9E}कष\u{94D}\u{93F}\u{1100}\u{1161}\u{11A8}\u{AC00}\u{E33}กбaA1# -é\u{6CC}\u{645}\
        \u{D4E}\u{E000}\u{FFFF}\u{E0001}\u{AD}";
    let special: Vec<char> = special.chars().collect();
    let one = prop_oneof![6 => proptest::sample::select(special), 1 => any::<char>()];
    proptest::collection::vec(one, 0..80).prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_becomes_safe_rows(text in nasty(), max in 0_usize..=200, narrow in 0_usize..6) {
        for gate in GATES {
            check(gate, &text, max);
            check(gate, &text, narrow);
        }
    }

    #[test]
    fn simple_text_is_cut_as_any_text(
        text in proptest::collection::vec(
            proptest::sample::select(vec!["a", " ", "~", "\u{2500}", "\u{2588}", "\u{438}", "\u{301}", "\u{1F600}", "\n"]),
            0..12,
        ),
        times in 1_usize..4,
        max in 0_usize..40,
        ascii in any::<bool>(),
    ) {
        let text = text.concat().repeat(times);
        let gate = Gate { ascii, ..Gate::default() };
        prop_assert_eq!(gate.line(&text, max), gate.fill(&mut Cutter::new(gate, &text), max));
        let (mut cells, mut cut) = (Vec::new(), Vec::new());
        gate.cells(&text, |cell, columns, style| {
            cells.push((cell.to_owned(), columns, style));
            ControlFlow::Continue(())
        });
        let mut cutter = Cutter::new(gate, &text);
        while let Some(cell) = cutter.next() {
            cut.push((cell.text.to_owned(), cell.columns, cell.style));
        }
        prop_assert_eq!(gate.columns(&text), cut.iter().map(|(_, columns, _)| columns).sum::<usize>());
        prop_assert_eq!(cells, cut);
    }

    #[test]
    fn the_plain_form_is_safe_and_settles_at_once(text in nasty()) {
        for gate in GATES {
            let once = gate.plain(&text);
            check_text(gate, &once);
            prop_assert_eq!(gate.plain(&once), once.clone());
            prop_assert_eq!(gate.columns(&text), gate.columns(&once));
            prop_assert_eq!(gate.line(&text, usize::MAX).text(), once);
        }
    }
}

#[test]
fn hostile_strings_fit_every_width() {
    for text in hostile() {
        for width in [1, 2, 3, 10, 40, 80, 200] {
            for gate in GATES {
                check(gate, &text, width);
            }
        }
    }
}

#[test]
fn the_table_of_forms() {
    for (text, unicode, ascii) in [
        ("a\u{1B}[31mred", "a␛[31mred", "a^[[31mred"),
        ("\0\x7F", "␀␡", "^@^?"),
        ("a\r\nb\rc\n\u{2028}", "a␤b␤c␤␤", "a^Jb^Jc^J^J"),
        ("a\tb", "a b", "a b"),
        ("\u{9B}6n", "<9B>6n", "<9B>6n"),
        ("\u{202E}x", "<U+202E>x", "<U+202E>x"),
        ("ad\u{200D}min", "ad<U+200D>min", "ad<U+200D>min"),
        ("👩\u{200D}👩", "👩\u{200D}👩", "<U+1F469><U+200D><U+1F469>"),
        (
            "\u{645}\u{6CC}\u{200C}\u{62E}",
            "\u{645}\u{6CC}\u{200C}\u{62E}",
            "<U+0645><U+06CC><U+200C><U+062E>",
        ),
        ("\u{645}\u{200C}a", "\u{645}<U+200C>a", "<U+0645><U+200C>a"),
        ("❤\u{FE0F}a\u{FE0F}b", "❤\u{FE0F}a+1b", "<U+2764><U+FE0F>a<U+FE0F>b"),
        ("1\u{FE0F}\u{20E3}1\u{FE0F}", "1\u{FE0F}\u{20E3}1+1", "1<U+FE0F><U+20E3>1<U+FE0F>"),
        ("\u{301}a", "◌\u{301}a", "<U+0301>a"),
        (
            "e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}.",
            "e\u{301}\u{302}\u{303}\u{304}+2.",
            "e<U+0301><U+0302><U+0303><U+0304><U+0305><U+0306>.",
        ),
        ("\u{FFFF}\u{E000}\u{378}", "<U+FFFF><U+E000><U+0378>", "<U+FFFF><U+E000><U+0378>"),
        ("é漢", "é漢", "<U+00E9><U+6F22>"),
    ] {
        assert_eq!(plain(text), unicode, "{text:?}");
        assert_eq!(GATES[2].plain(text), ascii, "{text:?}");
    }
}

#[test]
fn strict_cells_take_emoji_sequences_apart() {
    for (text, expected) in [
        ("👩\u{200D}👩", "👩<U+200D>👩"),
        ("❤\u{FE0F}", "❤+1"),
        ("👋\u{1F3FF}", "👋<U+1F3FF>"),
        ("\u{1F1E9}\u{1F1EA}", "<U+1F1E9><U+1F1EA>"),
    ] {
        assert_eq!(GATES[1].plain(text), expected);
    }
}

#[test]
fn what_the_gate_put_in_stands_out() {
    let styles = |text: &str| -> Vec<(String, PartStyle)> {
        Gate::default().line(text, 80).parts.into_iter().map(|part| (part.text, part.style)).collect()
    };
    let (plain, dim, reversed) = (PartStyle::Plain, PartStyle::Dim, PartStyle::Reversed);
    for (text, expected) in [
        ("a\u{1B}[0m", vec![("a", plain), ("␛", dim), ("[0m", plain)]),
        ("a\nb", vec![("a", plain), ("␤", dim), ("b", plain)]),
        ("x\u{2066}", vec![("x", plain), ("<U+2066>", reversed)]),
        ("p\u{430}ypal", vec![("p", plain), ("\u{430}", reversed), ("ypal", plain)]),
        ("<U+2066>", vec![("<U+2066>", plain)]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|(text, style)| (text.to_owned(), style)).collect();
        assert_eq!(styles(text), expected, "{text:?}");
    }
}

#[test]
fn rows_are_cut_with_a_mark_only_when_something_is_missing() {
    let ascii = GATES[2];
    for (gate, text, max, expected, is_cut) in [
        (Gate::default(), "abcde", 5, "abcde", false),
        (Gate::default(), "abcdef", 5, "abcd…", true),
        (Gate::default(), "漢字漢", 5, "漢字…", true),
        (Gate::default(), "漢字漢", 4, "漢…", true),
        (Gate::default(), "漢", 1, "…", true),
        (Gate::default(), "a", 0, "", true),
        (Gate::default(), "", 0, "", false),
        (ascii, "abcdef", 5, "ab...", true),
        (ascii, "abcdef", 2, "..", true),
        (Gate::default(), "a\u{202E}b", 6, "a<U+2…", true),
    ] {
        let line = gate.line(text, max);
        assert_eq!((line.text().as_str(), line.is_cut), (expected, is_cut), "{text:?} at {max}");
    }
}

#[test]
fn wrapping_keeps_words_indents_and_breaks() {
    let rows = |text: &str, width, max| -> Vec<String> {
        Gate::default().lines(text, width, max).iter().map(Line::text).collect()
    };
    for (text, width, expected) in [
        ("the quick brown fox", 10, vec!["the quick ", "brown fox"]),
        ("abcdefghij", 4, vec!["abcd", "efgh", "ij"]),
        ("abc def", 3, vec!["abc", "def"]),
        ("abc ", 3, vec!["abc"]),
        ("a\nb\r\n\nc", 9, vec!["a", "b", "", "c"]),
        ("    at f (x.js:1)", 12, vec!["    at f ", "(x.js:1)"]),
        ("    abcdefgh", 6, vec!["    ab", "cdefgh"]),
        ("\ta\tb", 20, vec!["    a   b"]),
        ("\ta", 2, vec!["  ", "a"]),
        ("a漢字b", 4, vec!["a漢", "字b"]),
        ("漢a", 1, vec!["…", "a"]),
        ("", 5, vec![""]),
        ("x", 0, vec![]),
    ] {
        assert_eq!(rows(text, width, 9), expected, "{text:?} at {width}");
    }
    assert_eq!(rows("one two three", 5, 2), ["one ", "two …"]);
    assert_eq!(rows("aaaaa bbbbb", 5, 1), ["aaaa…"]);
    assert_eq!(rows("aaaaa  ", 5, 1), ["aaaaa"]);
}

#[test]
fn only_the_visible_part_is_read() {
    for unit in
        ["x", "x ", "漢", "👩\u{200D}", "\u{1100}", "\u{301}", "\u{202E}", "\n", "e\u{301}", "\u{FE0F}"]
    {
        let text = unit.repeat(1_000_000);
        let mut cutter = Cutter::new(Gate::default(), &text);
        let line = Gate::default().fill(&mut cutter, 200);
        assert!(line.is_cut);
        // The worst text carries 99 counted marks of three bytes for each four columns shown (`◌+99`).
        assert!(cutter.position() <= 16 * 1024, "{unit:?} read {}", cutter.position());
    }
}

#[test]
fn ordinary_text_measures_as_ratatui_measures_it() {
    for text in [
        "hello",
        "é漢字あ",
        "👩\u{200D}👩 ❤\u{FE0F} 👋\u{1F3FF}",
        "\u{1F1E9}\u{1F1EA}",
        "กำ",
        "क\u{94D}ष",
        "ｶ\u{FF9E}",
    ] {
        let ratatui: usize = Span::raw(text)
            .styled_graphemes(ratatui::style::Style::new())
            .map(|grapheme| usize::from(ratatui::buffer::CellWidth::cell_width(grapheme.symbol)))
            .sum();
        assert_eq!(Gate::default().columns(text), ratatui, "{text}");
    }
}
