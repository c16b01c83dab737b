//! What is left of long events.

use serde_json::value::RawValue;

use super::super::keys::Rules;
use super::*;
use crate::event::json;

fn shortened(text: &str) -> Option<String> {
    let out = cut(text, &Keys::new(&Rules::default()))?;
    assert!(serde_json::from_str::<&RawValue>(&out).is_ok(), "still JSON: {}", &out[..200]);
    Some(out)
}

fn entry<'a>(out: &'a str, path: &str) -> Option<&'a str> {
    json::get(json::get(out, "_cut")?, path)
}

#[test]
fn the_longest_strings_are_cut_and_named() {
    let stack = "s".repeat(90_000);
    let body = "é".repeat(30_000);
    let text =
        format!(r#"{{"message":"short","stack":"{stack}","a":[{{}},1,{{"body":"{body}"}}],"n":1.50}}"#);
    let out = shortened(&text).expect("long strings");
    assert!((LIMIT - 400..=LIMIT).contains(&out.len()), "{}", out.len());
    assert!(out.starts_with(r#"{"message":"short","stack":"sss"#) && out.contains(r#""n":1.50,"_cut":{"#));
    assert_eq!(entry(&out, "stack"), Some("90000"));
    assert_eq!(entry(&out, "a.2.body"), Some("60000"));
}

#[test]
fn only_as_many_strings_are_cut_as_needed() {
    let text = format!(r#"{{"a":"{}","b":"{}"}}"#, "x".repeat(60_000), "y".repeat(9_000));
    let out = shortened(&text).expect("long strings");
    assert!(out.contains(&format!(r#""b":"{}""#, "y".repeat(9_000))));
    assert_eq!((entry(&out, "a"), entry(&out, "b")), (Some("60000"), None));
}

#[test]
fn cuts_fall_between_graphemes_and_escapes() {
    for unit in ["e\u{301}", "👩‍👩‍👧", r"\n", r"\ud83d\ude00", r"\\", "é"] {
        for lead in 0..14 {
            let text = format!(r#"{{"a":"{}{}"}}"#, "x".repeat(lead), unit.repeat(70_000));
            let out = shortened(&text).expect("a long string");
            let kept = &json::get(&out, "a").expect("still there")[1 + lead..];
            assert_eq!(kept[..kept.len() - 1].len() % unit.len(), 0, "{unit} {lead}");
        }
    }
}

#[test]
fn a_cut_makes_no_new_secret() {
    let keys = Keys::new(&Rules::default());
    for (inner, level, expected) in [
        ("pay 4111111111111111abc", 20, "pay "),
        ("Bearer authentication", 17, "Bearer "),
        ("plain text", 5, "plain"),
        (r"\n\n4111111111111111abc", 20, r"\n\n"),
    ] {
        assert_eq!(&inner[..kept(inner, level, &keys)], expected);
    }
}

#[test]
fn many_strings_are_summed_and_deep_paths_end() {
    let many: Vec<_> = (0..300).map(|n| format!(r#""k{n}":"{}""#, "x".repeat(1_000))).collect();
    let out = shortened(&format!("{{{}}}", many.join(","))).expect("long strings");
    assert!(out.len() <= LIMIT, "{}", out.len());
    assert_eq!(entry(&out, "k0"), Some("1000"));
    assert_eq!(entry(&out, OTHERS), Some("236000"));

    let text = format!(r#"{}"{}"{}"#, r#"{"key":"#.repeat(50), "x".repeat(LIMIT), "}".repeat(50));
    let out = shortened(&text).expect("a long string");
    let path = format!("{}…", ["key"; DEPTH].join("."));
    assert_eq!(entry(&out, &path), Some("65536"));
}

#[test]
fn what_has_no_long_strings_stays() {
    let numbers = format!(r#"{{"a":[{}0]}}"#, "0,".repeat(LIMIT));
    assert_eq!(shortened(&numbers), None);
    let short = format!(r#"{{"a":[{}0]}}"#, r#""short string","#.repeat(100_000));
    assert_eq!(shortened(&short), None);
    let mixed = format!(r#"{{"b":"{}","a":[{}0]}}"#, "x".repeat(200), "0,".repeat(LIMIT));
    let once = shortened(&mixed).expect("one long string");
    assert_eq!(shortened(&once), None, "the same again");
}

proptest::proptest! {
    // Each case is an event of a megabyte.
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(16))]

    #[test]
    fn cut_events_fit_and_stay(
        strings in proptest::collection::vec(("[a-z?=4 é\\\\n\u{301}]{0,40}", 1..2_000usize), 30..60),
    ) {
        let members: Vec<_> = strings
            .iter()
            .enumerate()
            .map(|(at, (unit, times))| format!("{}:{}", at % 7, unit.repeat(*times)))
            .map(|text| serde_json::to_string(&text).expect("a string can be written"))
            .collect();
        let text = format!(r#"{{"list":[{}]}}"#, members.join(","));
        let redactor = super::super::Redactor::default();
        let mut once = String::new();
        let what = redactor.scrub(&text, &mut once);
        proptest::prop_assert!(once.len() <= LIMIT);
        proptest::prop_assert!(serde_json::from_str::<&RawValue>(&once).is_ok());
        proptest::prop_assert!(what.cut || text.len() > LIMIT - 1_000 || once == text || what.redacted > 0);
        let mut twice = String::new();
        let again = redactor.scrub(&once, &mut twice);
        proptest::prop_assert_eq!(again, super::super::Scrubbed::default());
        proptest::prop_assert!(twice == once);
    }
}
