//! The errors screen over two loads of a shop's page: what is new, what there is to see of it, where keys lead.

use crate::ui::Console;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (200, 60)];

/// A shop whose page failed in its first load, and failed otherwise in its second, with another tab beside it.
fn reloaded() -> Console {
    let mut console = Console::new(1_000_000);
    console.post_from(("sess-456", "tab-a", 6), include_str!("fixtures/before.json"));
    console.post_from(("sess-789", "tab-b", 2), include_str!("fixtures/before.json"));
    console.post_from(("sess-456", "tab-a", 7), include_str!("fixtures/after.json"));
    console
}

#[track_caller]
fn snapshot(name: &str, keys: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| {
        for (width, height) in SIZES {
            let mut console = reloaded();
            console.screen(width, height);
            console.keys(keys);
            insta::assert_snapshot!(format!("{name}-{width}x{height}"), console.screen(width, height));
        }
    });
}

/// The groups listed, as they stand: `N` or a blank, and the message.
fn groups(console: &mut Console) -> Vec<(bool, String)> {
    let screen = console.screen(120, 36);
    let rows = screen.lines().skip(4).take_while(|line| !line.trim().is_empty());
    rows.map(|line| (line.chars().nth(12) == Some('N'), line.chars().skip(58).collect())).collect()
}

#[test]
fn new_groups_stand_first() {
    snapshot("errors-new", "2");
}

#[test]
fn a_filter_does_not_make_an_old_error_new() {
    let mut console = reloaded();
    console.keys("2");
    let all = groups(&mut console);
    let marks: Vec<bool> = all.iter().map(|(is_new, _)| *is_new).collect();
    assert!(marks.contains(&true) && marks.contains(&false) && marks.is_sorted_by(|a, b| a >= b), "{all:?}");
    // Leaves out what the old groups were first met in.
    console.keys("/load:7<cr>");
    assert_eq!(groups(&mut console), all);
    console.keys("X/is:new<cr>");
    let new: Vec<_> = all.into_iter().filter(|(is_new, _)| *is_new).collect();
    assert_eq!(groups(&mut console), new);
}

#[test]
fn the_header_counts_what_is_new_until_the_next_load() {
    let mut console = reloaded();
    let header = |console: &mut Console| console.screen(80, 24).lines().next().expect("a row").to_owned();
    let new = groups_marked(&mut console);
    assert!(header(&mut console).contains(&format!(" 2 Errors +{new} ")), "{}", header(&mut console));
    // Where titles have no room a number alone would say nothing.
    for width in [40, 60] {
        let narrow = console.screen(width, 12);
        assert!(
            narrow.lines().next().is_some_and(|line| line.contains(&format!(" 2 Err +{new} "))),
            "{narrow}"
        );
    }
    console.keys("/url:nowhere<cr>");
    assert!(header(&mut console).contains(&format!(" 2 Errors +{new} ")));
    console.keys("X");
    console.post(r#"[{"type":"log","level":"warn","message":"unheard of"}]"#);
    assert_eq!(groups_marked(&mut console), new + 1);
    assert!(header(&mut console).contains(&format!(" 2 Errors +{new} ")), "a warning is no error");
    console.post_from(("sess-456", "tab-a", 8), r#"[{"type":"log","message":"up again"}]"#);
    assert!(header(&mut console).contains(" 2 Errors  3"), "{}", header(&mut console));
}

fn groups_marked(console: &mut Console) -> usize {
    console.keys("2");
    let new = groups(console).iter().filter(|(is_new, _)| *is_new).count();
    console.keys("1");
    new
}

#[test]
fn n_goes_round_the_new_groups() {
    let mut console = reloaded();
    let new = groups_marked(&mut console);
    assert!(new > 1);
    console.keys("2");
    let selected = |console: &mut Console| {
        let screen = console.screen(120, 36);
        screen.lines().skip(4).position(|line| line.starts_with('▌'))
    };
    let mut seen = Vec::new();
    for _ in 0..=new {
        console.keys("n");
        seen.push(selected(&mut console).expect("one is selected"));
    }
    let expected: Vec<usize> = (0..new).chain([0]).collect();
    assert_eq!(seen, expected);
    console.keys("N");
    assert_eq!(selected(&mut console), Some(new - 1));
}
