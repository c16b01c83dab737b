//! What lies around the panels: palette, export dialog, copying, the mouse, keys of one's own. Keys in, screen out.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use taillight::config::Settings;
use taillight::event::{Mapped, MappedFrame, MappedTrace, Relation};
use taillight::ui::keys::{KEYS, Keymap};
use taillight::ui::{Effect, Kept, Msg, Probe, Unit, Work};

use crate::ui::Console;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (200, 60)];

#[track_caller]
fn snapshot(name: &str, keys: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| {
        for (width, height) in SIZES {
            let mut console = Console::with_a_shop();
            console.screen(width, height);
            for effect in console.keys(keys) {
                answer(&mut console, &effect);
            }
            insta::assert_snapshot!(format!("{name}-{width}x{height}"), console.screen(width, height));
        }
    });
}

/// Answers like a folder that can be written to, with nothing in it.
fn answer(console: &mut Console, effect: &Effect) {
    if let Effect::Probe(path) = effect {
        console.app.update(Msg::Probe(Probe { path: path.clone(), ..Probe::default() }));
    }
}

#[track_caller]
fn shows(console: &mut Console, text: &str) {
    let screen = console.screen(120, 36);
    assert!(screen.contains(text), "{text} in\n{screen}");
}

#[test]
fn the_palette_and_the_dialogs_at_three_sizes() {
    snapshot("palette", ":expo");
    snapshot("palette-set", ":set gly<cr>");
    snapshot("export", "e");
    snapshot("export-csv", "e<tab><tab><tab><right><right>");
}

#[test]
fn every_key_can_be_reached_by_its_name() {
    for key in KEYS {
        let (mut by_key, mut by_name) = (Console::with_a_shop(), Console::with_a_shop());
        let name = key.name;
        let by_key_effects = by_key.send(Msg::Key(KeyEvent::from(key.codes[0])));
        let by_name_effects = by_name.keys(&format!(":{name}<cr>"));
        let told = |effects: &[Effect]| effects.iter().map(kind).collect::<Vec<_>>();
        assert_eq!(told(&by_key_effects), told(&by_name_effects), "{name}");
        assert_eq!(by_key.screen(120, 36), by_name.screen(120, 36), "{name}");
    }
}

fn kind(effect: &Effect) -> String {
    let text = format!("{effect:?}");
    text.split([' ', '(', '{']).next().unwrap_or("").to_owned()
}

#[test]
fn settings_are_changed_for_now_or_for_good() {
    let mut console = Console::with_a_shop();
    let effects = console.keys(":set fps 7<cr>");
    assert!(matches!(&effects[..], [Effect::Settings(settings)] if settings.fps == 7), "{effects:?}");
    shows(&mut console, "fps = 7");
    let effects = console.keys(":set! fps 9<cr>");
    assert!(
        matches!(&effects[..], [Effect::Keep { key, .. }, Effect::Settings(_)] if key == "fps"),
        "{effects:?}"
    );
    assert!(console.keys(":set fps 99<cr>").is_empty());
    shows(&mut console, "fps is a number from 1 to 30");
    assert!(console.keys(":set port 9000<cr>").is_empty());
    shows(&mut console, "port counts from the next start: `:set! port 9000` keeps it");
    console.keys(":set fps ");
    shows(&mut console, "fps is a number from 1 to 30; now 9");
}

#[test]
fn what_counts_is_in_sight_at_every_size() {
    let mut console = Console::with_a_shop();
    for (key, name) in
        [("1", "Stream"), ("2", "Errors"), ("3", "Latency"), ("4", "Sess"), ("5", "Vit"), ("6", "Health")]
    {
        console.keys(key);
        for width in [40, 60, 80, 120] {
            let screen = console.screen(width, 8);
            let header = screen.lines().next().unwrap_or("");
            assert!(header.contains(&format!("[{key} {name}")), "{width}: {header}");
        }
    }
    // Where there is no column for it, the status of a failed request is what the row begins with.
    // The palette is nothing without a command in sight.
    console.keys(":export-p");
    for (width, height) in [(40, 8), (60, 12), (80, 24)] {
        let screen = console.screen(width, height);
        assert!(screen.contains("export-pins"), "{width}x{height}\n{screen}");
    }
    console.keys("<esc>1");
    let screen = console.screen(60, 20);
    assert!(screen.contains(" 500 POST /api/orders"), "{screen}");
    console.keys("e");
    for (keys, expected) in [
        ("", "143215.jsonl"),
        ("<up>", "jsonl"),
        ("<up>", "shown"),
        ("<right><right><right><right>", "all 10"),
        ("<up><right><right><right>", "stacks"),
    ] {
        console.keys(keys);
        for (width, height) in [(40, 8), (60, 12), (80, 24), (120, 36)] {
            let screen = console.screen(width, height);
            let room = if width == 40 { 8 } else { 40 };
            let expected: String = expected.chars().take(room).collect();
            assert!(screen.contains(&expected), "{keys} at {width}x{height}: {expected} in\n{screen}");
        }
    }
}

#[test]
fn the_keys_for_what_was_written_outlast_a_long_path() {
    let mut console = Console::with_a_shop();
    console.screen(80, 24);
    let path = "/a/very/long/folder/of/mine/that/goes/on/and/on/events.jsonl".to_owned();
    let said = format!("wrote 3 events, 9 B, to {path}");
    console.app.update(Msg::Written { path, said });
    let screen = console.screen(80, 24);
    assert!(
        screen.contains("wrote 3 events, 9 B, to /a/very/long/folder/o…   o opens it  y copies the path"),
        "{screen}"
    );
}

#[test]
fn escape_and_a_letter_soon_after_it_are_two_keys() {
    let mut console = Console::with_a_shop();
    let alt = |letter| Msg::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::ALT));
    for (open, letter, expected) in
        [(":", '3', "[3 Latency]"), ("/", 'N', "held"), ("?", '2', "[2 Errors"), ("e", '4', "[4 Sess")]
    {
        console.keys(&format!("1{open}"));
        console.send(alt(letter));
        let screen = console.screen(80, 24);
        assert!(screen.contains(expected) && !screen.contains("─ commands ─"), "{open} {letter}\n{screen}");
    }
}

#[test]
fn a_screen_can_be_asked_for_from_help() {
    let mut console = Console::with_a_shop();
    console.keys("?5");
    let screen = console.screen(80, 24);
    assert!(screen.contains("[5 Vit") && screen.contains("web vitals"), "{screen}");
    // While something is looked for, digits are looked for.
    console.keys("?/5");
    shows(&mut console, "search: 5");
}

#[test]
fn the_end_of_a_long_path_is_in_sight_while_it_is_typed() {
    let mut console = Console::with_a_shop();
    console.keys("e<home>/a/very/long/folder/of/mine/that/goes/on/and/on/");
    for (width, height) in [(40, 8), (60, 12), (80, 24)] {
        let screen = console.screen(width, height);
        let typed = screen.lines().find(|line| line.contains("▸ to")).unwrap_or_else(|| panic!("{screen}"));
        assert!(typed.contains("…") && typed.contains("/and/on/"), "at the cursor, {width}: {typed}");
        assert!(!typed.contains(".jsonl") || width == 80, "{width}: {typed}");
    }
    console.keys("<home>");
    assert!(console.screen(60, 12).contains("/a/very/long"), "{}", console.screen(60, 12));
    // A command and the name of a filter are typed the same way.
    console.keys("<esc>:set export.dir /a/very/long/folder/of/mine/that/goes/on/and/on/to/the/end");
    assert!(console.screen(40, 12).contains("/to/the/end"), "{}", console.screen(40, 12));
}

#[test]
fn an_export_asks_before_it_writes_over_a_file() {
    let mut console = Console::with_a_shop();
    console.keys("/level:error<cr>e");
    let path = "taillight-2026-01-31T143215-level-error.jsonl".to_owned();
    shows(&mut console, &path);
    console.app.update(Msg::Probe(Probe { path: path.clone(), exists: true, trouble: None }));
    assert!(console.keys("<cr>").is_empty());
    shows(&mut console, "Enter again writes over it");
    let effects = console.keys("<cr>");
    let [Effect::Export { chosen, path: written, is_forced: true, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(*written, path);
    assert_eq!(chosen.events().count() as u64, console.app.matches().total);
    let mut console = Console::with_a_shop();
    console.keys("e");
    let trouble = Some("there is no such folder".to_owned());
    let path = "taillight-2026-01-31T143215.jsonl".to_owned();
    console.app.update(Msg::Probe(Probe { path, exists: false, trouble }));
    shows(&mut console, "there is no such folder");
    assert!(console.keys("<cr>").is_empty(), "nothing is written where nothing can be");
}

#[test]
fn each_choice_exports_what_it_says() {
    for (command, filter) in
        [("export-all", "level:error"), ("export-selected", ""), ("export-pins", ""), ("export-session", "")]
    {
        let mut console = Console::with_a_shop();
        console.keys(&format!("/{filter}<cr>kmkm"));
        console.keys(&format!(":{command}<cr>"));
        let effects = console.keys("<cr>");
        let [Effect::Export { chosen, .. }] = &effects[..] else { panic!("{command}: {effects:?}") };
        let all = console.app.matches().snapshot.len();
        let count = chosen.events().count() as u64;
        let sessions = &console.app.matches().snapshot.tables.sessions;
        let expected = match command {
            "export-all" => count == all,
            "export-selected" => count == 1,
            "export-pins" => count == 2,
            _ => sessions.iter().any(|row| row.events == count),
        };
        assert!(expected, "{command}: {count} of {all}");
        // How far it is counts what is looked at: a few of very many take their time too.
        assert_eq!(chosen.looked_at().count() as u64, chosen.total(), "{command}");
    }
}

#[test]
fn what_takes_its_time_is_shown_and_can_be_cancelled() {
    let mut console = Console::with_a_shop();
    for (what, done, total, unit, expected) in [
        ("reading", 1_234_567, 0, Unit::Bytes, "reading 1.2 MB so far   Esc cancels"),
        ("reading", 1_234_567, 4_000_000, Unit::Bytes, "reading  30 %  ██████··············  1.2 MB of 4 MB"),
        ("exporting", 430, 1_000, Unit::Events, "exporting  43 %  ████████············  430 of 1,000 events"),
    ] {
        console.app.update(Msg::Work(Some(Work { what, done, total, unit })));
        shows(&mut console, expected);
        shows(&mut console, "Esc cancels");
    }
    let effects = console.keys("<esc>");
    assert!(matches!(effects[..], [Effect::CancelWork]), "{effects:?}");
    console.app.update(Msg::Work(None));
    shows(&mut console, "? keys");
}

/// What was copied, if anything was.
fn copied(console: &mut Console, keys: &str) -> Option<String> {
    console.keys(keys).into_iter().find_map(|effect| match effect {
        Effect::Copy { text, .. } => Some(text),
        _ => None,
    })
}

#[test]
fn a_stack_is_copied_as_source_maps_tell_it() {
    let mut console = Console::new(100);
    console.post(r#"[{"type":"error","message":"x","stack":"E: x\n    at q (http://h/app.js:1:2)"}]"#);
    let frame = |function: &str, file: &str, line: u32| MappedFrame {
        function: function.into(),
        file: file.into(),
        line,
        column: 2,
        is_own: true,
        is_mapped: true,
        local: None,
        code: None,
    };
    let trace = |relation, head: &str, frames| MappedTrace { relation, head: head.into(), frames };
    let traces = vec![
        trace(Relation::Thrown, "E: x", vec![frame("buy", "src/shop.ts", 4), frame("", "src/main.ts", 9)]),
        trace(Relation::Cause, "F: y", vec![frame("read", "src/io.ts", 7)]),
    ];
    console.map(0, Mapped { traces, top: Some((0, 0)), note: None });
    console.keys("k");
    let expected = "E: x\n    at buy (src/shop.ts:4:2)\n    at src/main.ts:9:2\nCaused by: F: y\n    at read (src/io.ts:7:2)";
    assert_eq!(copied(&mut console, "ys").as_deref(), Some(expected));
}

#[test]
fn y_and_a_letter_copy() {
    let mut console = Console::new(100);
    console.post(
        r#"[{"type":"error","message":"two\nlines\u001b[31m","stack":"E: x\n    at a (http://h/node_modules/r.js:1:2)\n    at b (http://h/src/A.tsx:42:15)",
            "url":"/api/it's?a=1","method":"POST","page":"http://localhost:5173/cart"}]"#,
    );
    console.keys("k");
    for (letter, expected) in [
        ('m', "two\nlines␛[31m"),
        ('s', "E: x\n    at a (http://h/node_modules/r.js:1:2)\n    at b (http://h/src/A.tsx:42:15)"),
        ('p', "http://h/src/A.tsx:42:15"),
        ('u', "/api/it's?a=1"),
        ('c', "curl -X POST 'http://localhost:5173/api/it'\\''s?a=1'"),
        ('t', "<script src=\"http://127.0.0.1:8245/taillight.js?k=ABCDEFGHIJKLMNOP\"></script>"),
    ] {
        assert_eq!(copied(&mut console, &format!("y{letter}")).as_deref(), Some(expected), "{letter}");
    }
    let json = copied(&mut console, "yy").expect("json");
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok() && !json.contains('\u{1b}'));
    console.keys("/level>=warn<cr>");
    assert_eq!(copied(&mut console, "yf").as_deref(), Some("taillight 'level>=warn'"));
    assert_eq!(copied(&mut console, "y<esc>"), None);
    console.keys("G");
    assert_eq!(copied(&mut console, "ym"), None);
    shows(&mut console, "select an event first");
}

#[test]
fn a_stack_is_copied_with_what_caused_it() {
    let mut console = Console::new(100);
    console.post(
        r#"[{"type":"error","message":"outer","stack":"Error: outer\n    at a (http://h/a.js:1:2)",
            "errors":["no"],"cause":{"name":"TypeError","message":"inner","stack":"g@http://h/b.js:3:4","cause":{"code":7}}}]"#,
    );
    console.keys("k");
    assert_eq!(
        copied(&mut console, "ys").as_deref(),
        Some(
            "Error: outer\n    at a (http://h/a.js:1:2)\nOne of them: no\nCaused by: TypeError: inner\ng@http://h/b.js:3:4\n\
             Caused by: {\"code\":7}"
        )
    );
}

#[test]
fn every_list_has_something_to_copy() {
    for (keys, expected) in
        [("2jym", ""), ("3jyu", "http"), ("4jyi", "sess-"), ("4j<cr>ym", ""), ("5jym", "")]
    {
        let mut console = Console::with_a_shop();
        console.screen(120, 36);
        let text =
            copied(&mut console, keys).unwrap_or_else(|| panic!("{keys}\n{}", console.screen(120, 36)));
        assert!(!text.is_empty() && text.contains(expected), "{keys}: {text}");
    }
    let mut console = Console::with_a_shop();
    assert_eq!(
        copied(&mut console, "yI").as_deref(),
        Some("if (import.meta.env.DEV) import(\"http://127.0.0.1:8245/taillight.mjs\").catch(() => {})")
    );
}

#[test]
fn what_was_exported_is_a_key_away() {
    for (key, expected) in [("o", "Edit"), ("y", "Copy")] {
        let mut console = Console::with_a_shop();
        let (path, said) = ("a/b.jsonl".to_owned(), "wrote 3 events, 9 B, to a/b.jsonl".to_owned());
        console.app.update(Msg::Written { path, said });
        shows(&mut console, "wrote 3 events, 9 B, to a/b.jsonl   o opens it  y copies the path");
        let effects = console.keys(key);
        let [effect] = &effects[..] else { panic!("{effects:?}") };
        assert!(kind(effect) == expected && format!("{effect:?}").contains("a/b.jsonl"), "{effect:?}");
    }
    let mut console = Console::with_a_shop();
    console.app.update(Msg::Written { path: "x".to_owned(), said: "wrote x".to_owned() });
    console.wait(6_000);
    let effects = console.keys("o");
    assert!(effects.is_empty(), "once it has gone the keys are what they were: {effects:?}");
}

#[test]
fn an_export_can_go_to_the_clipboard_instead() {
    let mut console = Console::with_a_shop();
    console.keys("/level:error<cr>e<tab>");
    shows(&mut console, "copy instead");
    let text = copied(&mut console, "y").expect("the events");
    assert_eq!(text.lines().count() as u64, console.app.matches().total);
    console.keys("e<tab>");
    let command = copied(&mut console, "p").expect("the command");
    assert!(command.starts_with("taillight export") && command.contains("level:error"), "{command}");
}

#[test]
fn a_click_on_a_title_sorts_and_the_wheel_scrolls() {
    for (screen, title, sorted) in
        [("2", "count", "sort: count"), ("3", "p50", "sort: p50"), ("4", "events", "sort: events")]
    {
        let mut console = Console::with_a_shop();
        console.keys(screen);
        let (x, y) = find(&mut console, "sort:");
        let heads = console.screen(120, 36).lines().nth(usize::from(y) + 1).expect("titles").to_owned();
        let column = heads.split(title).next().expect("before").chars().count();
        click(&mut console, u16::try_from(column).expect("small"), y + 1);
        shows(&mut console, sorted);
        assert!(!console.screen(120, 36).contains("reversed"), "{x}");
        click(&mut console, u16::try_from(column).expect("small"), y + 1);
        shows(&mut console, &format!("{sorted} reversed"));
    }
    let mut console = Console::with_a_shop();
    console.keys("3");
    let mark = |console: &mut Console| find(console, "▌").1;
    let wheel = |console: &mut Console, kind| {
        console.app.update(Msg::Mouse(MouseEvent { kind, column: 9, row: 9, modifiers: KeyModifiers::NONE }));
    };
    console.keys("j");
    let first = mark(&mut console);
    wheel(&mut console, MouseEventKind::ScrollDown);
    assert_eq!(mark(&mut console), first + 3);
    wheel(&mut console, MouseEventKind::ScrollUp);
    assert_eq!(mark(&mut console), first);
}

#[test]
fn help_is_searched_by_key_and_by_word() {
    let mut console = Console::with_a_shop();
    console.keys("?/freeze");
    shows(&mut console, "freeze the screen");
    assert!(!console.screen(120, 36).contains("edit the filter"));
    console.keys("<esc>");
    shows(&mut console, "edit the filter");
    console.keys("/qqq");
    shows(&mut console, "nothing has that");
    console.keys("<bs><bs><bs>matches");
    shows(&mut console, "matches");
    console.keys("<cr><esc><esc>");
    shows(&mut console, "[1 Stream]");
}

#[test]
fn hostile_text_is_harmless_wherever_it_may_end_up() {
    let vectors: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("fixtures/hostile-strings.json")).expect("json");
    for vector in vectors.iter().filter(|vector| vector["times"].as_u64().unwrap_or(0) < 5_000) {
        let text = vector["text"].as_str().expect("text");
        let mut console = Console::new(100);
        let event = serde_json::json!([{ "type": "error", "message": text, "stack": text, "url": text, "method": text, "filename": text, "lineno": 1 }]);
        console.post(&event.to_string());
        console.keys("k");
        for letter in ['y', 'm', 's', 'c', 'p', 'u'] {
            let copied = copied(&mut console, &format!("y{letter}")).unwrap_or_default();
            let bad = copied.chars().find(|c| {
                c.is_control() && *c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            });
            assert_eq!(bad, None, "{letter}: {copied:?}");
        }
        console.app.update(Msg::Notice(text.to_owned()));
        console.app.update(Msg::Paste(text.to_owned()));
        assert!(!console.app.title().contains(char::is_control));
        console.keys("e");
        console.app.update(Msg::Paste(text.to_owned()));
        console.keys("<esc>:");
        console.app.update(Msg::Paste(text.to_owned()));
        for width in [1, 2, 3, 10, 40, 80, 200] {
            let drawn = console.screen(width, 24);
            assert!(!drawn.chars().any(|c| c.is_control() && c != '\n'), "{drawn:?}");
        }
    }
}

#[test]
fn keys_of_ones_own_count_everywhere() {
    let mut console = Console::with_a_shop();
    let (keys, said) = Keymap::new([("export", "E"), ("freeze", "e")]);
    assert!(said.iter().all(Option::is_none));
    console.app = console.app.with_kept(Kept { keys, settings: Settings::default(), ..Kept::default() });
    console.keys("e");
    shows(&mut console, "frozen");
    console.keys("eE");
    shows(&mut console, "same from the shell");
    console.keys("<esc>:export");
    shows(&mut console, " E ");
}

fn click(console: &mut Console, x: u16, y: u16) -> Vec<Effect> {
    let kind = MouseEventKind::Down(MouseButton::Left);
    console.app.update(Msg::Mouse(MouseEvent { kind, column: x, row: y, modifiers: KeyModifiers::NONE }))
}

/// Where `text` stands on screen.
fn find(console: &mut Console, text: &str) -> (u16, u16) {
    let screen = console.screen(120, 36);
    let row =
        screen.lines().position(|line| line.contains(text)).unwrap_or_else(|| panic!("{text} in\n{screen}"));
    let line = screen.lines().nth(row).expect("there");
    let column = line.split(text).next().expect("before").chars().count();
    (u16::try_from(column).expect("small"), u16::try_from(row).expect("small"))
}

#[test]
fn a_click_selects_a_second_one_opens_and_tabs_and_hints_are_buttons() {
    let mut console = Console::with_a_shop();
    console.screen(120, 36);
    let (x, y) = find(&mut console, "Latency");
    click(&mut console, x, y);
    shows(&mut console, "[3 Latency]");
    let (x, y) = find(&mut console, "1 Stream");
    click(&mut console, x, y);
    let rows = console.screen(120, 36);
    let line = rows
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains("WRN"))
        .map(|(at, _)| at)
        .next()
        .expect("a row");
    let row = u16::try_from(line).expect("small");
    click(&mut console, 50, row);
    let marked = |console: &mut Console| {
        let screen = console.screen(120, 36);
        screen.lines().find(|line| line.starts_with('▌')).map(str::to_owned)
    };
    let selected = marked(&mut console).expect("a selection");
    assert!(selected.contains("WRN"), "{selected}");
    let (x, y) = find(&mut console, "▌");
    click(&mut console, x + 20, y);
    shows(&mut console, "Esc back");
    console.keys("<esc><esc>");
    let (x, y) = find(&mut console, "? keys");
    click(&mut console, x, y);
    shows(&mut console, "MOVE");
}
