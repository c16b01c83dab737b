//! The filter bar through its doors: keys and time in, screens and effects out.

use std::sync::Arc;

use ratatui::style::{Color, Modifier};
use taillight::config::{Owner, Saved};
use taillight::filter::{Fix, Note};
use taillight::scan::{Advice, Candidate};
use taillight::ui::{Effect, Kept, Msg};

use crate::harness::post_to;
use crate::pty::Terminal;
use crate::ui::{Console, snapshot_of};

impl Console {
    /// Answers what was asked last as the adviser would.
    fn advise(&mut self, advice: Advice) {
        let advice = Advice { id: self.asked.id, is_done: true, ..advice };
        self.send(Msg::Advice(Arc::new(advice)));
    }

    fn methods(&mut self, text: &str) {
        let from = text.rfind(':').map_or(0, |at| at + 1);
        let typed = text.len();
        let candidate = |(name, count): (&str, u64)| Candidate {
            insert: name.to_owned(),
            label: name.to_owned(),
            detail: String::new(),
            count: Some(count),
        };
        let candidates = [("GET", 22), ("POST", 7), ("DELETE", 2)].map(candidate).to_vec();
        self.advise(Advice {
            candidates,
            hidden: 214,
            span: from..typed,
            title: "method".to_owned(),
            ..Advice::default()
        });
    }

    fn status(&mut self) -> String {
        self.screen(120, 36).lines().nth(1).expect("a bar").to_owned()
    }

    fn note(&mut self, span: std::ops::Range<usize>, message: &str, fix: Option<Fix>) {
        let note =
            Note { code: "N-FIELD", span, message: message.to_owned(), fix, only_without_matches: false };
        self.advise(Advice { notes: vec![note], ..Advice::default() });
    }
}

#[test]
fn the_bar_says_in_every_state_what_it_does() {
    snapshot_of("bar-valid", |console| drop(console.keys("/status>=400 method:POST")));
    let typed = |name: &str, keys: &str| {
        snapshot_of(name, |console| {
            console.keys(keys);
            console.advised();
        });
    };
    snapshot_of("bar-unfinished", |console| {
        console.keys("/status>=200 method:");
        console.advised();
    });
    snapshot_of("bar-chosen", |console| {
        console.keys("/status>=400 method:");
        console.methods("status>=400 method:");
        console.keys("<down><down>");
    });
    typed("bar-ghost", "/method:po");
    typed("bar-empty", "/level:error<cr>X/");
    typed("bar-note", "/stauts:500");
    typed("bar-words", "/timeout or refused");
    typed("bar-no-such-id", "/id:browser/apicall");
    typed("bar-moments", "/level:error since:");
    typed("bar-mixed", "/level>=warn or is:failed since:reload");
    snapshot_of("bar-mistake", |console| drop(console.keys("/method:POST status=>400")));
    snapshot_of("bar-long-mistake", |console| drop(console.keys("/p99(duration)>200ms")));
    snapshot_of("bar-held", |console| drop(console.keys("/level:error st")));
    snapshot_of("bar-off", |console| drop(console.keys("/level>=warn<cr>f")));
    snapshot_of("bar-why", |console| drop(console.keys("/5173<cr>")));
    snapshot_of("bar-saved", |console| {
        let one = |name: &str, text: &str, owner| Saved {
            name: name.into(),
            text: text.into(),
            owner,
            place: String::new(),
        };
        let saved = [
            one("problems", "(level>=warn or is:failed or is:slow)", Owner::BuiltIn),
            one("checkout", "url:/api/orders method:POST", Owner::Project),
            one("api-trouble", "status>=500 or is:slow", Owner::User),
        ];
        console.send(Msg::Saved(Arc::new(saved)));
        console.keys("/status>=400<cr>F<down>");
        console.send(Msg::Counts(Arc::new([("problems".to_owned(), 6), ("checkout".to_owned(), 1)])));
    });
}

#[test]
fn nothing_essential_is_cut_where_it_is_narrow() {
    let mut console = Console::with_a_shop();
    console.keys("/level>=warn method:POST is:fai");
    for (width, height) in [(40, 8), (40, 24), (80, 24), (200, 60)] {
        let screen = console.screen(width, height);
        let bar = screen.lines().nth(1).expect("a bar");
        assert!(bar.contains("level>=warn method:POST is:fai") && bar.contains('…'), "{width}\n{screen}");
    }
    console.keys("led<cr>");
    let screen = console.screen(40, 8);
    assert!(screen.contains("✓ 0 of 10") && screen.contains("level>=warn"), "{screen}");
    console.keys("X/status=>400");
    let screen = console.screen(40, 8);
    for part in ["status=>400", "✗", "^~", "`=>` is not an operator", ">= ?"] {
        assert!(screen.contains(part), "{part}\n{screen}");
    }
}

#[test]
fn a_word_that_may_become_a_name_counts_after_a_moment_a_space_or_enter() {
    for (more, expected) in [("", "12 of 12"), ("<wait>", "3 of 12"), (" ", "3 of 12"), ("<cr>", "3 of 12")] {
        let mut console = Console::with_a_shop();
        console.post(r#"[{"type":"log","message":"the status page"},{"type":"log","message":"status"}]"#);
        console.keys("/status");
        if more == "<wait>" {
            console.wait(249);
            assert!(console.status().contains("12 of 12"), "not yet");
            console.wait(1);
        } else {
            console.keys(more);
        }
        let status = console.status();
        assert!(status.contains(expected), "{more}: {status}");
    }
}

#[test]
fn the_list_of_candidates_is_taken_chosen_closed_and_spelled() {
    for (keys, expected) in [
        ("<tab>", "method:GET"),
        ("<down><down><tab>", "method:POST"),
        ("<down><down><cr>", "method:POST"),
        ("<up><tab>", "method:DELETE"),
        ("<right><right>", "method:GE"),
        ("<esc>x", "method:x"),
    ] {
        let mut console = Console::with_a_shop();
        console.keys("/method:");
        console.methods("method:");
        console.keys(keys);
        let status = console.status();
        assert!(status.contains(&format!(" / {expected}")), "{keys}: {status}");
    }
    let mut console = Console::with_a_shop();
    console.keys("/method:");
    console.methods("method:");
    console.keys("<esc>");
    assert!(!console.screen(120, 36).contains("DELETE"), "closed");
    console.keys("<esc>");
    assert!(console.status().contains("type to filter"), "given up");
}

#[test]
fn the_key_that_takes_a_candidate_may_come_before_the_candidates() {
    let mut console = Console::with_a_shop();
    console.keys("/method:<tab>");
    console.methods("method:");
    assert!(console.status().contains("/ method:GET"));
}

#[test]
fn a_note_from_the_events_is_shown_and_taken_with_tab() {
    let mut console = Console::with_a_shop();
    console.keys("/stauts:500");
    console.note(
        0..6,
        "no event has a field `stauts`. Did you mean status? (38 events)",
        Some(Fix::new(0..6, "status")),
    );
    assert!(console.status().contains("! 0 of 10"), "{}", console.status());
    console.keys("<tab>");
    let status = console.status();
    assert!(status.contains("status:500") && status.contains("1 of 10"), "{status}");
}

#[test]
fn enter_on_something_unfinished_goes_to_the_mistake_and_stays() {
    let mut console = Console::with_a_shop();
    console.keys("/url:/api status>=<cr>");
    let screen = console.screen(120, 36);
    assert!(screen.contains("✗ still showing") && screen.contains("needs a value"), "{screen}");
    console.keys("400<cr>");
    assert!(console.status().contains("2 of 10"), "{}", console.status());
}

#[test]
fn keys_write_terms_and_take_them_back() {
    for (keys, text) in [
        ("r", "since:reload"),
        ("rr", "type to filter"),
        ("S", "session:latest"),
        ("p", "(level>=warn or is:failed or is:slow)"),
        ("pr", "(level>=warn or is:failed or is:slow) since:reload"),
        ("prp", "since:reload"),
        ("c", "since:mark"),
        ("cc", "since:mark"),
        ("P", "is:marked"),
        ("Ns", "session:sess-456"),
        ("Nss", "type to filter"),
        ("/a b<cr>x", "/ a "),
        ("/a or level:error<cr>r", "(a or level:error) since:reload"),
        ("prX", "type to filter"),
        ("pru", "(level>=warn or is:failed or is:slow) "),
        ("pruu", "type to filter"),
        ("pruuUU", "(level>=warn or is:failed or is:slow) since:reload"),
        ("pruuS", "session:latest"),
        ("4js", "session=\"sess-"),
        ("2j+", "group:"),
        ("3j-", "-endpoint="),
    ] {
        let mut console = Console::with_a_shop();
        console.screen(120, 36);
        console.keys(keys);
        let status = console.status();
        assert!(status.contains(text), "{keys}: {status}");
    }
}

#[test]
fn clearing_shows_what_comes_from_now_on() {
    let mut console = Console::with_a_shop();
    console.keys("c");
    assert!(console.status().contains("0 of 10"), "{}", console.status());
    console.wait(1_000);
    console.post(r#"[{"type":"log","message":"after","timestamp":1769869936000}]"#);
    assert!(console.screen(120, 36).contains("after") && console.status().contains("1 of 11"));
    console.wait(1_000);
    console.keys("c");
    assert!(console.status().contains("0 of 11"), "the mark has moved: {}", console.status());
    console.keys("u");
    assert!(console.status().contains("11 events"), "{}", console.status());
}

#[test]
fn pins_are_marked_and_shown_alone() {
    let mut console = Console::with_a_shop();
    console.screen(120, 36);
    console.keys("NmNmP");
    assert!(console.status().contains("2 of 10"), "{}", console.status());
    let screen = console.screen(120, 36);
    assert_eq!(screen.lines().filter(|line| line.starts_with('◆')).count(), 2, "{screen}");
    console.keys("m");
    assert!(console.status().contains("1 of 10"), "{}", console.status());
}

/// So many log lines of this session.
fn lines_of(session: &str, count: usize) -> String {
    let line = |at| format!(r#"{{"type":"log","message":"line {at}","session-id":"{session}"}}"#);
    format!("[{}]", (0..count).map(line).collect::<Vec<_>>().join(","))
}

#[test]
fn pins_outlive_the_ring_on_the_screen_and_in_exports() {
    let mut console = Console::new(10);
    console.post(include_str!("fixtures/shop.json"));
    console.screen(120, 36);
    console.keys("NmNm<esc>");
    console.post(&lines_of("sess-1", 30));
    console.keys("P");
    let screen = console.screen(120, 36);
    assert_eq!(screen.lines().filter(|line| line.starts_with('◆')).count(), 2, "{screen}");
    assert!(screen.contains("Request failed with status") && screen.contains("Failed to fetch"), "{screen}");
    assert!(console.status().contains("2 of 10"), "{}", console.status());
    // Together with another term, in the timeline of the list, and let go of.
    console.keys("/fetch<cr>");
    assert!(console.status().contains("1 of 10"), "{}", console.status());
    console.keys("u");
    let exported = |console: &mut Console, keys: &str| -> Vec<String> {
        console.keys(keys);
        let effects = console.keys("<cr>");
        let [Effect::Export { chosen, .. }] = &effects[..] else { panic!("{keys}: {effects:?}") };
        assert_eq!(chosen.looked_at().count() as u64, chosen.total(), "{keys}");
        chosen.events().map(|event| event.msg().to_owned()).collect()
    };
    for keys in ["e", ":export-pins<cr>"] {
        let events = exported(&mut console, keys);
        assert_eq!(events, ["Failed to fetch", "Unhandled rejection: Request failed with status code 500"]);
    }
    console.keys("km");
    assert!(console.status().contains("1 of 10"), "{}", console.status());
    console.keys("Pe");
    assert_eq!(exported(&mut console, "").len(), 10, "without the filter nothing is shown beside the ring");
    assert_eq!(exported(&mut console, ":export-pins<cr>"), ["Failed to fetch"]);
}

#[test]
fn pins_go_with_a_person_that_is_forgotten_and_that_is_said() {
    let mut console = Console::new(20);
    console.post(include_str!("fixtures/shop.json"));
    console.post(&lines_of("sess-1", 5));
    console.screen(120, 36);
    console.keys("kmNm<esc>P");
    assert!(console.status().contains("2 of 15"), "{}", console.status());
    console.forget("sess-456");
    let screen = console.screen(120, 36);
    assert!(screen.contains("let go of 1 pinned event: a person was forgotten"), "{screen}");
    console.keys("u:export-pins<cr>");
    let effects = console.keys("<cr>");
    let [Effect::Export { chosen, .. }] = &effects[..] else { panic!("{effects:?}") };
    let left: Vec<_> = chosen.events().map(|event| event.msg().to_owned()).collect();
    assert_eq!(left, ["line 4"]);
}

#[test]
fn the_group_in_a_filter_is_spelled_out_where_it_is_read() {
    let mut console = Console::with_a_shop();
    console.screen(80, 24);
    console.keys("2j-");
    let message = "Unhandled rejection: Request failed wit…";
    let screen = console.screen(80, 24);
    let footer = screen.lines().last().unwrap_or("").to_owned();
    let reading =
        screen.lines().find(|line| line.contains("reads as  NOT group = ")).unwrap_or("").to_owned();
    assert!(
        footer.contains("added: -group:") && footer.contains(message) && footer.ends_with("u undoes"),
        "{screen}"
    );
    assert!(reading.contains(message), "{screen}");
    console.keys("/");
    assert!(console.screen(120, 36).contains(&format!("({message})")), "while it is edited, too");
    console.keys("<esc>f");
    assert!(!console.screen(80, 24).contains("reads as"), "it hides nothing now");
    console.keys("x");
    assert!(!console.screen(80, 24).contains("reads as"));
}

#[test]
fn another_session_takes_the_place_of_the_one_before() {
    let mut console = Console::with_a_shop();
    console.screen(120, 36);
    for (keys, filter, said) in [
        ("Ns", "session:sess-456", "added: session:sess-456"),
        ("S", "session:latest", "added: session:latest"),
        // Of the event that is selected now.
        ("s", "session:sess-789", "added: session:sess-789"),
        ("p", "session:sess-789 (level>=warn or is:failed or is:slow)", "added: (level>=warn"),
        ("S", "(level>=warn or is:failed or is:slow) session:latest", "added: session:latest"),
        ("S", "(level>=warn or is:failed or is:slow)", "taken out: session:latest"),
        ("X+", "group:829b770c195db761", "added: group:829b"),
        ("-", "-group:829b770c195db761", "added: -group:829b"),
    ] {
        console.keys(keys);
        let screen = console.screen(120, 36);
        let bar = screen.lines().nth(1).unwrap_or("");
        assert!(bar.contains(&format!(" / {filter} ")) && screen.contains(said), "{keys}: {screen}");
    }
}

#[test]
fn around_an_event_everything_is_shown_and_the_place_is_kept() {
    let mut console = Console::with_a_shop();
    console.screen(120, 36);
    console.keys("/level:error<cr>N");
    let selected = |screen: &str| screen.lines().find(|line| line.starts_with('▌')).map(str::to_owned);
    let before = selected(&console.screen(120, 36));
    console.keys("a");
    let around = console.screen(120, 36);
    assert!(around.contains("time:2026-01-31T14:32:07.410..2026-01-31T14:32:17.410"), "{around}");
    assert!(around.contains("POST /api/orders") && !around.contains("page-load"), "{around}");
    assert_eq!(selected(&around), before);
    console.keys("ka");
    let after = console.screen(120, 36);
    assert!(after.contains("level:error") && !after.contains("INF api"), "{after}");
    assert_eq!(selected(&after), before);
}

#[test]
fn every_value_of_an_event_can_be_kept_and_left_out() {
    let events = 10;
    // Below the bar, which spells a group out in a row of its own.
    let message_of = |screen: &str| {
        let message = screen.lines().skip_while(|line| !line.starts_with("──")).nth(1).expect("a message");
        message.trim_matches([' ', '▌']).to_owned()
    };
    for event in 0..events {
        let mut values = 0;
        let mut last = String::new();
        for down in 1.. {
            let mut console = Console::with_a_shop();
            console.screen(120, 60);
            console.keys(&"k".repeat(event + 1));
            console.keys("<cr>");
            console.screen(120, 60);
            let selected = message_of(&console.screen(120, 60));
            console.keys(&"<down>".repeat(down));
            let cursor = console.screen(120, 60);
            let Some(line) = cursor.lines().skip(2).find(|line| line.starts_with('▌')).map(str::to_owned)
            else {
                break;
            };
            if line == last {
                break;
            }
            (last, values) = (line.clone(), down);
            console.keys("+");
            let screen = console.screen(120, 60);
            let refused = screen.contains("no filter can ask");
            let status = screen.lines().nth(1).expect("a bar").to_owned();
            assert!(!refused && !status.contains(" 0 of"), "{line}\n{screen}");
            assert_eq!(message_of(&screen), selected, "the event is still there: {status}");
            let kept = count(&status).unwrap_or(events);
            console.keys("u-");
            let left = count(&console.status()).unwrap_or(events);
            assert_eq!(kept + left, events, "{line}: {status}");
        }
        assert!(values > 5, "event {event}: {values} values");
    }
}

#[test]
fn a_value_under_a_name_of_any_kind_is_left_out_there_alone_or_not_at_all() {
    let mut console = Console::new(100);
    console.post(
        r#"[{"type":"log","message":"blue","user.name":"Ann","a\"b":"Ann","context":{"user.name":"Ann"}},
        {"type":"log","message":"Ann is red"}]"#,
    );
    console.keys("k<up><cr>");
    console.screen(120, 60);
    let is_ann = |line: &&str| line.starts_with('▌') && line.contains("\"Ann\"");
    let mut seen = Vec::new();
    for _ in 0..30 {
        console.keys("<down>");
        let screen = console.screen(120, 60);
        let Some(line) = screen.lines().find(is_ann).map(str::to_owned) else { continue };
        if seen.contains(&line) {
            continue;
        }
        console.keys("-");
        let screen = console.screen(120, 60);
        let left = console.app.matches().total;
        let bar = screen.lines().nth(1).unwrap_or("").to_owned();
        if line.contains("a\\\"b") {
            assert!(left == 2 && screen.contains("no filter can ask for this field alone"), "{screen}");
            continue;
        }
        let is_named =
            ["/ -\"user.name\"=Ann", "/ -context.\"user.name\"=Ann"].iter().any(|term| bar.contains(term));
        assert!(left == 1 && is_named, "{screen}");
        console.keys("u");
        console.screen(120, 60);
        seen.push(line);
    }
    assert_eq!(seen.len(), 2, "{seen:#?}");
}

/// `7` of `✓ 7 of 10`.
fn count(status: &str) -> Option<usize> {
    let (before, _) = status.split_once(" of 10")?;
    before.rsplit(' ').next()?.parse().ok()
}

#[test]
fn what_was_typed_before_is_met_again_this_project_first() {
    let mut console = Console::with_a_shop();
    let history = ["level:error", "url:/api", "level>=warn"].map(str::to_owned).to_vec();
    console.app = std::mem::replace(&mut console.app, Console::with_a_shop().app)
        .with_kept(Kept { history, ..Kept::default() });
    console.keys("/<up>");
    assert!(console.status().contains("/ level>=warn"), "{}", console.status());
    console.keys("<up><up><down>");
    assert!(console.status().contains("/ url:/api"), "{}", console.status());
    let effects = console.keys("<cr>");
    assert!(matches!(&effects[..], [Effect::Remember(text)] if text == "url:/api"), "{effects:?}");
    assert!(console.keys("rpSX").is_empty(), "what keys write is for u, not for ↑");
    console.keys("/lev<home><up><up>");
    assert!(console.status().contains("/ level:error"), "what begins as typed: {}", console.status());
}

#[test]
fn a_paste_goes_in_as_it_is_meant_and_tab_undoes_it() {
    let mut console = Console::with_a_shop();
    console.keys("/");
    console.send(Msg::Paste("TypeError: x is not a function\n  at y".to_owned()));
    let screen = console.screen(120, 36);
    assert!(screen.contains("/ \"TypeError: x is not a function\""), "{screen}");
    assert!(screen.contains("pasted as text · Tab undoes"), "{screen}");
    console.keys("<tab>");
    assert!(console.status().contains("/ TypeError: x is not a function"), "{}", console.status());
    console.keys("<esc>/");
    console.send(Msg::Paste("level:error since:5m".to_owned()));
    let screen = console.screen(120, 36);
    assert!(screen.contains("/ level:error since:5m") && !screen.contains("pasted"), "{screen}");
}

#[test]
fn hits_are_underlined_in_rows_and_detail_and_what_is_left_out_is_not() {
    let underlined = |console: &mut Console| -> Vec<String> {
        let buffer = console.draw(120, 36);
        let mut found = Vec::new();
        for y in 0..36 {
            let mut word = String::new();
            for x in 0..120 {
                let cell = &buffer[(x, y)];
                if cell.modifier.contains(Modifier::UNDERLINED) {
                    word.push_str(cell.symbol());
                } else if !word.is_empty() {
                    found.push(std::mem::take(&mut word));
                }
            }
        }
        found
    };
    let mut console = Console::with_a_shop();
    console.keys("/failed -promise<cr>");
    assert_eq!(underlined(&mut console), ["Failed"], "{}", console.screen(120, 36));
    console.keys("N<cr>");
    assert_eq!(underlined(&mut console), ["Failed"; 2], "message and data: {}", console.screen(120, 36));
    console.keys("<esc>f");
    assert!(underlined(&mut console).is_empty(), "nothing is looked for while the filter is off");
}

#[test]
fn the_selection_stays_or_goes_to_the_nearest_older_event_and_comes_back() {
    let mut console = Console::with_a_shop();
    console.screen(120, 36);
    console.keys("N");
    let selected = |console: &mut Console| {
        let screen = console.screen(120, 36);
        screen.lines().find(|line| line.starts_with('▌')).map(|line| line[..30].to_owned())
    };
    let chosen = selected(&mut console);
    assert!(chosen.as_ref().is_some_and(|line| line.contains("promise")));
    console.keys("/level:error<cr>");
    assert_eq!(selected(&mut console), chosen, "it still matches");
    console.keys("X/method:GET<cr>");
    let older = selected(&mut console);
    let is_older = older.as_ref().is_some_and(|line| line.contains("14:32:11.120"));
    assert!(is_older, "the nearest older one: {older:?}\n{}", console.screen(120, 36));
    console.keys("X/nothing-has-this<cr>");
    assert_eq!(selected(&mut console), None);
    console.keys("X");
    assert_eq!(selected(&mut console), chosen, "and back");
    console.keys("G/level:error<cr>");
    assert!(console.screen(120, 36).contains("following"), "following goes on");
}

#[test]
fn saved_filters_are_applied_saved_deleted_and_meant_by_name() {
    let mut console = Console::with_a_shop();
    let one = |name: &str, text: &str| Saved {
        name: name.into(),
        text: text.into(),
        owner: Owner::User,
        place: String::new(),
    };
    console.send(Msg::Saved(Arc::new([one("posts", "method:POST"), one("bad", "status>=500 or is:failed")])));
    assert!(matches!(&console.keys("F")[..], [Effect::Count(filters)] if filters.len() == 2));
    assert!(console.wait(400).is_empty(), "counted once a second");
    assert!(matches!(&console.wait(600)[..], [Effect::Count(_)]));
    console.keys("<cr>");
    assert!(console.status().contains("/ method:POST "), "{}", console.status());
    let effects = console.keys("Fnmine<cr>");
    let saves = |effect: &Effect| matches!(effect, Effect::Save { name, text: Some(text), owner: Owner::User } if name == "mine" && text == "method:POST");
    assert!(effects.iter().any(saves), "{effects:?}");
    let effects = console.keys("<down>dd");
    assert!(
        effects.iter().any(|effect| matches!(effect, Effect::Save { name, text: None, .. } if name == "bad"))
    );
    console.keys("<esc>X/saved:bad method:GET<cr>");
    assert!(console.status().contains("/ (status>=500 or is:failed) method:GET"), "{}", console.status());
    console.keys("X/saved:bda<cr>");
    assert!(console.screen(120, 36).contains("bad"), "a suggestion");
}

#[test]
fn filters_can_wait_for_enter() {
    let mut console = Console::with_a_shop();
    console.app = std::mem::replace(&mut console.app, Console::with_a_shop().app)
        .with_kept(Kept { settings: waiting(), ..Kept::default() });
    console.keys("/status>=500");
    assert!(console.status().contains("↵ applies it"), "{}", console.status());
    assert!(console.screen(120, 36).contains("has no avatar"));
    console.keys("<cr>");
    assert!(console.status().contains("1 of 10"), "{}", console.status());
}

#[test]
fn what_is_wrong_in_the_settings_stands_until_a_key() {
    let mut console = Console::with_a_shop();
    console.send(Msg::Warning("config.toml: line 3, column 8: expected `=`".to_owned()));
    console.wait(60_000);
    assert!(console.screen(120, 36).contains("line 3, column 8"));
    console.keys("k");
    assert!(!console.screen(120, 36).contains("line 3, column 8"));
}

#[test]
fn operators_are_drawn_apart_from_words() {
    let mut console = Console::with_a_shop();
    console.keys("/not found or so<cr>");
    let accents = |console: &mut Console| -> String {
        let buffer = console.draw(120, 36);
        let cells = (3..60).map(|x| &buffer[(x, 1)]);
        cells.filter(|cell| cell.fg == Color::Cyan).map(|cell| cell.symbol().to_owned()).collect()
    };
    assert_eq!(accents(&mut console), "", "words");
    console.keys("X/level:error or -found<cr>");
    assert_eq!(accents(&mut console), "or-");
}

/// Settings with which a filter applies on Enter.
fn waiting() -> taillight::config::Settings {
    let mut settings = taillight::config::Settings::default();
    settings.set("live", "false").expect("a setting");
    settings
}

#[test]
fn a_filter_on_a_frozen_screen_finds_nothing_that_came_since() {
    let (mut terminal, port) = Terminal::console_with(&[], 120, 24);
    post_to(port, r#"[{"type":"log","message":"first one"},{"type":"log","message":"other"}]"#);
    terminal.wait("the events", |screen| screen.contains("first one"));
    terminal.press(" ");
    terminal.wait("that it is frozen", |screen| screen.contains("frozen at"));
    post_to(port, r#"[{"type":"log","message":"second one"},{"type":"log","message":"third one"}]"#);
    terminal.press("/one\r");
    let screen =
        terminal.wait("what waits", |screen| screen.contains("1 of 2") && screen.contains("2 waiting"));
    assert!(!screen.contains("second one"), "{screen}");
    terminal.press(" ");
    let screen = terminal.wait("what came since", |screen| screen.contains("third one"));
    assert!(screen.contains("3 of 4") && !screen.contains("frozen"), "{screen}");
    terminal.press("qq");
    assert_eq!(terminal.end().0, 0);
}
