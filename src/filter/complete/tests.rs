//! Every place of a text and what is expected there.

use proptest::prelude::*;

use super::*;
use crate::filter::{State, parse, while_typing};

/// What is expected at the `‸` of `text`: the kind, the bytes replaced, and what there is to say of it.
fn told(text: &str) -> String {
    let cursor = text.find('‸').expect("a cursor");
    let text = text.replacen('‸', "", 1);
    let found = expected(&text, cursor);
    let replaced = &text[found.span.clone()];
    match &found.what {
        What::Nothing => "nothing".to_owned(),
        What::Empty => "empty".to_owned(),
        What::Field { typed, takes_operator } => {
            format!("{} `{typed}` for `{replaced}`", if *takes_operator { "field" } else { "name" })
        }
        What::Operator { field } => format!("operator of {field} for `{replaced}`"),
        What::Value { field, op, typed, rest } => {
            format!("value {field} {op} `{typed}` for `{replaced}` under {}", rest.reads_as())
        }
    }
}

#[test]
fn each_place_of_a_text_expects_its_own_thing() {
    for (text, expected) in [
        ("‸", "empty"),
        ("  ‸", "empty"),
        ("sta‸", "field `sta` for `sta`"),
        ("sta‸bcd", "field `sta` for `stabcd`"),
        ("-sta‸", "field `sta` for `sta`"),
        ("(sta‸", "field `sta` for `sta`"),
        ("a or sta‸", "field `sta` for `sta`"),
        ("or sta‸", "nothing"),
        ("x in ( or ‸", "nothing"),
        ("a not and ‸b", "nothing"),
        ("(‸", "field `` for ``"),
        ("-‸", "field `` for ``"),
        ("(‸)", "field `` for ``"),
        ("a and ‸", "field `` for ``"),
        ("a ‸", "field `` for ``"),
        ("timing.‸", "field `timing.` for `timing.`"),
        ("timing.dns‸", "field `timing.dns` for `timing.dns`"),
        ("a ‸b", "nothing"),
        ("‸a", "nothing"),
        ("sta‸:500", "name `sta` for `sta`"),
        ("status‸", "operator of status for `status`"),
        ("status ‸", "operator of status for `status `"),
        ("Status  ‸", "operator of Status for `Status  `"),
        ("status! ‸", "field `` for ``"),
        ("status!‸", "operator of status for `status!`"),
        ("sta ‸", "field `` for ``"),
        ("status:‸", "value status : `` for `` under (everything)"),
        ("status: ‸", "value status : `` for `` under (everything)"),
        ("odd=‸", "value odd = `` for `` under (everything)"),
        ("odd= ‸", "nothing"),
        ("status:‸404", "value status : `` for `404` under (everything)"),
        ("status:4‸04", "value status : `4` for `404` under (everything)"),
        ("status >= 4‸", "value status >= `4` for `4` under (everything)"),
        ("method:P‸ level>=warn", "value method : `P` for `P` under level >= warn"),
        ("status>=400 method:‸", "value method : `` for `` under status >= 400"),
        ("url:/a or status>=400 method:‸", "value method : `` for `` under status >= 400"),
        ("level:error or method:‸", "value method : `` for `` under (everything)"),
        ("(a || b) -method:‸", "value method : `` for `` under \"a\" OR \"b\""),
        ("a -(b method:‸", "value method : `` for `` under \"b\" AND \"a\""),
        ("method in ‸", "value method in `` for `` under (everything)"),
        ("method in (‸", "value method in `` for `` under (everything)"),
        ("method in (GET, P‸", "value method in `P` for `P` under (everything)"),
        ("method in (GET, ‸) a", "value method in `` for `` under \"a\""),
        ("method not in (G‸ET, X)", "value method not in `G` for `GET` under (everything)"),
        ("status:{404 5‸", "value status : `5` for `5` under (everything)"),
        ("method in (GET)‸", "nothing"),
        ("method in G‸", "value method in `G` for `G` under (everything)"),
        ("message:\"Fail‸ed", "value message : `Fail` for `\"Failed` under (everything)"),
        ("message:\"Failed\"‸", "nothing"),
        ("saved:api‸", "value saved : `api` for `api` under (everything)"),
        ("timing.dns>5‸", "value timing.dns > `5` for `5` under (everything)"),
        ("has:st‸", "name `st` for `st`"),
        ("no:‸", "name `` for ``"),
        ("has:(stack, us‸", "name `us` for `us`"),
        (":browser/ap‸", "value id : `browser/ap` for `:browser/ap` under (everything)"),
        ("a :brow‸", "value id : `brow` for `:brow` under \"a\""),
        ("\"a sta‸", "nothing"),
        ("~/sta‸/", "nothing"),
        ("url~/sta‸/", "nothing"),
        ("url~‸", "nothing"),
        ("status=>4‸", "nothing"),
        ("a or‸", "nothing"),
        ("foo(bar)‸", "nothing"),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn values_are_written_so_that_they_are_read_back() {
    for (text, value, written) in [
        ("method:", "GET", "GET"),
        ("message:", "Failed to fetch", "\"Failed to fetch\""),
        ("message:", "a \"b\"\n", r#""a \"b\"\n""#),
        ("user:", "a*b", r"a\*b"),
        ("user==", "a*b", "a*b"),
        ("user:", ":x", "\":x\""),
        ("method in ", "GET", "(GET)"),
        ("method in (GET, ", "or", "\"or\""),
        ("method in (GET, ", "a,b", "\"a,b\""),
        (":brow", "browser/api-call", "id:browser/api-call"),
    ] {
        let found = expected(text, text.len());
        assert_eq!(found.insertion(value).as_deref(), Some(written), "{text}");
    }
    let start = |text: &str| expected(text, text.len()).insertion_of_start("abc");
    assert_eq!(start("message:").as_deref(), Some("abc"));
    assert_eq!(start("message=").as_deref(), Some("abc*"));
    assert_eq!(start("user:").as_deref(), Some("abc*"));
    assert_eq!(start("user=="), None);
}

#[test]
fn near_names_are_found_and_known_ones_are_not_mended() {
    for (name, near) in
        [("levle", Some("level")), ("stauts", Some("status")), ("level", None), ("my-own-thing", None)]
    {
        assert_eq!(near_field(name), near, "{name}");
    }
}

#[test]
fn paths_are_named_as_filters_name_them() {
    for (parts, expected) in [
        (&["timing", "dns-lookup"][..], Some("timing.dns-lookup")),
        (&["context", "user.name"], Some("context.\"user.name\"")),
        (&["0"], Some("\"0\"")),
        (&["a b", "c"], Some("\"a b\".c")),
        (&["user.name"], Some("\"user.name\"")),
        (&["a\\b"], None),
        (&["a", "b\"c"], None),
    ] {
        assert_eq!(path_text(parts).as_deref(), expected, "{parts:?}");
    }
}

/// Pieces that filters are made of, so that random texts get far.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("status"),
        Just("method"),
        Just("has:"),
        Just("timing.x"),
        Just(":"),
        Just(">="),
        Just("=>"),
        Just(" in ("),
        Just("("),
        Just(")"),
        Just(","),
        Just("\""),
        Just("~/"),
        Just("/"),
        Just(" "),
        Just("-"),
        Just(" or "),
        Just("é"),
        Just("{"),
        Just(":browser/x"),
        Just("5"),
        Just("!"),
        Just("|"),
    ];
    prop_oneof![proptest::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat()), ".{0,40}"]
}

proptest! {
    #[test]
    fn any_cursor_of_any_text_is_answered(text in texts(), cursor in 0usize..60) {
        let found = expected(&text, cursor);
        prop_assert!(found.span.start <= found.span.end && text.get(found.span.clone()).is_some());
        let _ = found.insertion("a b");
        let _ = found.insertion_of_start("a b");
    }

    #[test]
    fn a_value_of_any_text_makes_a_filter_of_a_term_that_lacked_one(
        head in "(level:error |-|)(message|user|url|foo|a\\.b|id)(:|=|==|!=)",
        value in ".{1,30}",
    ) {
        let found = expected(&head, head.len());
        let Some(written) = found.insertion(&value) else { panic!("a value is expected") };
        let text = [&head[..found.span.start], &written].concat();
        prop_assert!(parse(&text).errors.is_empty(), "{text}");
        prop_assert_ne!(while_typing(&text, true).state, State::Error);
    }
}
