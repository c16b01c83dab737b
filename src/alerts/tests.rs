//! When alerts begin and end, and what never makes one.

use super::*;
use crate::alerts::{read, usual};
use crate::event::{ChunkBuilder, Level, Micros, Msg, Row};

struct One {
    level: Level,
    group: u64,
    ms: u64,
    flags: Flags,
    json: &'static str,
}

const ERROR: One = One { level: Level::Error, group: 0xab, ms: 0, flags: Flags::NONE, json: "{}" };

fn chunk(events: &[&One]) -> Chunk {
    let mut builder = ChunkBuilder::new();
    for one in events {
        builder.push(&Row {
            level: one.level,
            flags: one.flags,
            id: "browser/x",
            ns: "browser.x",
            session: "s",
            endpoint: "GET /a",
            duration: (one.ms > 0).then_some(Micros(one.ms * 1000)),
            group: one.group,
            source: "browser",
            msg: Msg::Text("it broke"),
            json: one.json,
            ..Row::default()
        });
    }
    builder.finish()
}

fn engine(text: &str) -> Engine {
    let document = toml_edit::Document::parse(text.to_owned()).expect("toml");
    let mut rules = usual();
    if let Some(item) = document.get("alerts") {
        read(&mut rules, item, &|_| String::new(), &mut |_, said| panic!("{said}"));
    }
    Engine::new(&rules)
}

/// Shows the events at these seconds, evaluating each second up to the last of `until`; when alerts began and ended.
fn run(engine: &mut Engine, events: &[(i64, &[&One])], until: i64) -> Vec<(i64, String, bool)> {
    let mut changes = Vec::new();
    for second in 0..=until {
        let now = Timestamp(second * 1000);
        for (_, events) in events.iter().filter(|(at, _)| *at == second) {
            engine.observe(&chunk(events), 70, now);
        }
        let told = engine.evaluate(now).into_iter();
        changes.extend(told.map(|change| (second, change.firing.rule.name.clone(), change.has_ended)));
    }
    changes
}

fn told(second: i64, name: &str, has_ended: bool) -> (i64, String, bool) {
    (second, name.to_owned(), has_ended)
}

#[test]
fn the_same_error_five_times_in_five_minutes_is_told_and_nothing_less() {
    let other = One { group: 0xcd, ..ERROR };
    let own = One { flags: Flags::OWN, ..ERROR };
    let mut engine = engine("");
    let four: &[&One] = &[&ERROR, &ERROR, &ERROR, &ERROR, &other, &other, &own, &own];
    assert_eq!(run(&mut engine, &[(0, four)], 100), []);
    let mut later = self::engine("");
    let changes = run(&mut later, &[(0, four), (200, &[&ERROR])], 299);
    assert_eq!(changes, [told(200, "same error", false)]);
    let firing = later.firing();
    assert_eq!(
        (firing[0].group, firing[0].example.as_str(), firing[0].value),
        (Some((0xab, 70)), "it broke", 5.0)
    );
    // Four of five have left after five minutes and a part; it ends once the last one has.
    let mut slow = self::engine("");
    assert_eq!(run(&mut slow, &[(0, four), (301 + 5, &[&ERROR])], 400), []);
}

#[test]
fn a_burst_that_a_page_folded_counts_as_often_as_it_happened() {
    let folded = One { flags: Flags::FOLDED, json: r#"{"count":4,"first":1}"#, ..ERROR };
    let mut engine = engine("");
    assert_eq!(run(&mut engine, &[(0, &[&folded])], 10), []);
    assert_eq!(run(&mut engine, &[(0, &[&ERROR])], 10), [told(0, "same error", false)]);
    assert_eq!(engine.firing()[0].value, 5.0);
}

#[test]
fn an_alert_ends_below_its_lower_bound_and_cools_down() {
    let text = "[[alerts]]\nname = \"many\"\nwindow = \"60s\"\nat-least = 4\nuntil-below = 2\ncool-down = \"100s\"\nfilter = \"level:warn\"";
    let warn = One { level: Level::Warn, group: 0, ..ERROR };
    let mut engine = engine(text);
    let four: &[&One] = &[&warn, &warn, &warn, &warn];
    // Those of second 30 keep it until they leave; those of second 100 come while it cools down.
    let events: &[(i64, &[&One])] = &[(0, four), (30, &[&warn, &warn]), (100, four), (230, four)];
    let changes = run(&mut engine, events, 240);
    assert_eq!(changes, [told(0, "many", false), told(91, "many", true), told(230, "many", false)]);
}

#[test]
fn what_holds_too_short_is_not_told() {
    let text = "[[alerts]]\nname = \"lasting\"\nwindow = \"10s\"\nat-least = 1\nfor = \"15s\"\nfilter = \"level:warn\"";
    let warn = One { level: Level::Warn, group: 0, ..ERROR };
    let mut engine = engine(text);
    let once: &[&One] = &[&warn];
    assert_eq!(
        run(&mut engine, &[(0, once), (30, once), (38, once)], 60),
        [told(45, "lasting", false), told(49, "lasting", true)]
    );
}

#[test]
fn rates_shares_and_percentiles_are_measured_by_endpoint() {
    let text = "[[alerts]]\nname = \"slow\"\nby = \"endpoint\"\nmeasure = \"p90\"\nwindow = \"60s\"\nat-least = 500\nmin-events = 10\n\
        [[alerts]]\nname = \"failing\"\nby = \"endpoint\"\nmeasure = \"share\"\nfilter = \"level>=error\"\nwindow = \"60s\"\nat-least = 0.5\nmin-events = 4\n\
        [[alerts]]\nname = \"busy\"\nmeasure = \"rate\"\nwindow = \"10s\"\nat-least = 2";
    let quick = One { level: Level::Info, group: 0, ms: 20, ..ERROR };
    let slow = One { ms: 900, ..quick };
    let failed = One { group: 0, ms: 20, ..ERROR };
    let mut engine = engine(text);
    let nine: Vec<&One> = std::iter::repeat_n(&quick, 8).chain([&slow]).collect();
    let changes = run(&mut engine, &[(0, &nine), (1, &[&slow]), (2, &[&failed; 10])], 3);
    let expected = [(1, "slow", false), (2, "slow", true), (2, "failing", false), (2, "busy", false)];
    assert_eq!(changes, expected.map(|(second, name, has_ended)| told(second, name, has_ended)));
}

#[test]
fn new_rules_keep_what_the_old_ones_have_seen() {
    let mut engine = engine("");
    engine.observe(&chunk(&[&ERROR; 4]), 70, Timestamp(0));
    engine.replace(&usual());
    engine.observe(&chunk(&[&ERROR]), 70, Timestamp(1));
    assert_eq!(engine.evaluate(Timestamp(2)).len(), 1);
    engine.replace(&[]);
    assert!(engine.firing().is_empty());
}

#[test]
fn keys_that_do_not_fit_are_watched_together() {
    let mut engine = engine("");
    for number in 1..=1_000 {
        engine.observe(&chunk(&[&One { group: number, ..ERROR }]), 70, Timestamp(0));
    }
    assert!(engine.evaluate(Timestamp(1)).is_empty());
    for number in 2_000..2_005 {
        engine.observe(&chunk(&[&One { group: number, ..ERROR }]), 70, Timestamp(2));
    }
    let changes = engine.evaluate(Timestamp(3));
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(
        (change.firing.key.as_str(), change.firing.group, change.firing.value),
        ("(other)", None, 5.0)
    );
    // Once the window has passed there is room again.
    let end = Timestamp(400_000);
    assert!(engine.evaluate(end).iter().all(|change| change.has_ended));
    engine.observe(&chunk(&[&ERROR; 5]), 70, end);
    assert_eq!(engine.evaluate(end)[0].firing.key, format!("{:016x}", 0xab));
}

#[test]
fn an_alert_that_holds_when_its_rule_goes_ends_and_is_told_once() {
    let mut engine = engine("[[alerts]]\nname = \"low\"\nat-least = 2\nby = \"session\"");
    assert_eq!(run(&mut engine, &[(0, &[&ERROR, &ERROR])], 0), [told(0, "low", false)]);
    engine.replace(&usual());
    engine.replace(&usual());
    assert!(engine.firing().is_empty());
    let changes = engine.evaluate(Timestamp(1_000));
    let [gone] = changes.as_slice() else { panic!("{changes:?}") };
    assert!(gone.has_ended && gone.is_replaced);
    assert_eq!(
        (gone.firing.rule.name.as_str(), gone.firing.key.as_str(), gone.firing.value),
        ("low", "s", 2.0)
    );
    assert!(engine.evaluate(Timestamp(2_000)).is_empty());
}

/// An event of a user's session, over a second and for a group if that is set.
fn of(session: &str, user: &str, ms: u64, group: u64, builder: &mut ChunkBuilder) {
    builder.push(&Row {
        level: if group > 0 { Level::Error } else { Level::Info },
        id: if ms > 0 { "browser/api-call" } else { "browser/x" },
        session,
        user,
        endpoint: if ms > 0 { "GET /a" } else { "" },
        duration: (ms > 0).then_some(Micros(ms * 1000)),
        group,
        source: "browser",
        msg: Msg::Text(session),
        ..Row::default()
    });
}

const EVERY_KIND: &str = "[[alerts]]\nname = \"slow\"\nby = \"endpoint\"\nmeasure = \"p90\"\nat-least = 1\nfilter = \"has:endpoint\"\n\
    [[alerts]]\nname = \"failing\"\nmeasure = \"share\"\nfilter = \"level>=error\"\nof = \"has:session\"\nat-least = 0.01\n\
    [[alerts]]\nname = \"loud\"\nby = \"session\"\nat-least = 1\n\
    [[alerts]]\nname = \"ids\"\nby = \"id\"\nmeasure = \"rate\"\nat-least = 0.001\n\
    [[alerts]]\nname = \"groups\"\nby = \"group\"\nat-least = 1\n";

proptest::proptest! {
    #[test]
    fn a_chunk_counts_as_its_events_one_after_the_other(
        events in proptest::collection::vec((0..3_usize, 0..40_u64, 0..3_u64), 1..60)
    ) {
        let names = ["", "s", "t"];
        let (mut whole, mut single) = (engine(EVERY_KIND), engine(EVERY_KIND));
        let mut builder = ChunkBuilder::new();
        for (row, (session, ms, group)) in events.iter().enumerate() {
            of(names[*session], "u", *ms, *group, &mut builder);
            let mut one = ChunkBuilder::new();
            of(names[*session], "u", *ms, *group, &mut one);
            single.observe(&one.finish(), 70 + row as u64, Timestamp(0));
        }
        whole.observe(&builder.finish(), 70, Timestamp(0));
        whole.evaluate(Timestamp(1));
        single.evaluate(Timestamp(1));
        proptest::prop_assert_eq!(whole.firing(), single.firing());
    }
}

#[test]
fn a_batch_of_more_rows_than_a_set_of_bits_is_counted_whole() {
    let mut engine = engine("[[alerts]]\nname = \"all\"\nat-least = 5000");
    let many: Vec<&One> = std::iter::repeat_n(&ERROR, 5_000).collect();
    engine.observe(&chunk(&many), 10, Timestamp(0));
    engine.evaluate(Timestamp(1));
    let firing = engine.firing();
    assert_eq!((firing[0].value, firing[0].group), (5_000.0, Some((0xab, 5_009))));
    assert_eq!(firing[1].value, 5_000.0);
}

#[test]
fn who_is_forgotten_is_quoted_and_named_no_more_and_still_counts_among_others() {
    for who in [Person::User("u-2".to_owned()), Person::Session("theirs".to_owned())] {
        let mut engine = engine(
            "[[alerts]]\nname = \"loud\"\nby = \"session\"\nat-least = 1\n[[alerts]]\nname = \"all\"\nat-least = 1",
        );
        let mut builder = ChunkBuilder::new();
        for (session, user) in
            [("s", "u-1"), ("s", "u-1"), ("theirs", "u-2"), ("theirs", "u-2"), ("theirs", "u-2")]
        {
            of(session, user, 0, 0xab, &mut builder);
        }
        engine.observe(&builder.finish(), 0, Timestamp(0));
        engine.evaluate(Timestamp(1));
        let told = |engine: &Engine| -> Vec<(String, String, f64, String)> {
            let one = |firing: Firing| {
                (firing.rule.name.clone(), firing.key, firing.value, firing.example + &firing.user)
            };
            engine.firing().into_iter().map(one).collect()
        };
        assert!(format!("{:?}", told(&engine)).contains("theirs"));
        engine.forget(&who);
        let group = format!("{:016x}", 0xab);
        let expected =
            [("same error", group.as_str(), 5.0, ""), ("loud", "s", 2.0, "su-1"), ("all", "", 5.0, "")];
        let expected = expected
            .map(|(name, key, value, quoted)| (name.to_owned(), key.to_owned(), value, quoted.to_owned()));
        assert_eq!(told(&engine), expected, "{who:?}");
        engine.replace(&[]);
        assert!(!format!("{:?}", engine.evaluate(Timestamp(2))).contains("theirs"));
    }
}
