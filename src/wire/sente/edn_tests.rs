//! What the vectors leave out: the doubtful places of printed EDN, and what a guess may never cost.

use super::super::{Packer, value};
use super::*;

fn read(text: &str) -> Result<String, &'static str> {
    value(text.as_bytes(), Packer::Edn)
}

#[test]
fn printed_values_read_as_they_were_meant() {
    for (edn, json) in [
        ("1", "1"),
        ("+5", "5"),
        ("-0.5e-3", "-0.5e-3"),
        ("1.", "1.0"),
        ("1.E3", "1.0E3"),
        ("007", "\"007\""),
        ("12N", "\"12\""),
        ("-", "\"-\""),
        ("->x", "\"->x\""),
        ("\"a\\u00e9\\101\\q\"", "\"a\\u00e9A\\\\q\""),
        ("\"\u{1b}[31m\u{7f}\"", "\"\\u001b[31m\u{7f}\""),
        ("[\\( \\) \\\\ \\o]", r#"["(",")","\\","o"]"#),
        ("^{:line 1} [1]", "[1]"),
        ("#{1 #{}}", "[1,[]]"),
        ("#:a{:b 1 :_/c 2 :d/e 3}", r#"{"a/b":1,"c":2,"d/e":3}"#),
        ("#inst \"2024-01-01T01:00:00+01:00\"", "\"2024-01-01T00:00:00.000Z\""),
        ("#inst 5", "null"),
        ("#my.tag/x {:a #my/y 1}", r#"{"tag":"my.tag/x","value":{"a":{"tag":"my/y","value":1}}}"#),
        ("{#{1} 1 {:a nil} 2 nil 3}", r#"{"[1]":1,"{\"a\": null}":2,"nil":3}"#),
        ("[:a\\b :it's :a/b/c : ::x]", r#"["a\\b","it's","a/b/c","",":x"]"#),
        ("[1 #_2 #_[3 #_4] 5 #_6]", "[1,5]"),
    ] {
        assert_eq!(read(edn).as_deref(), Ok(json), "{edn}");
    }
}

#[test]
fn keywords_with_blanks_are_keys_where_the_commas_say_so() {
    for (edn, json) in [
        ("{:has space 1}", r#"{"has space":1}"#),
        ("{:a b 1, :c d e 2, :f 3}", r#"{"a b":1,"c d e":2,"f":3}"#),
        ("{:a {:b c 1}, :d 2}", r#"{"a":{"b c":1},"d":2}"#),
        // Without commas, and with a comma where none belongs, pairs are pairs.
        ("{:a b :c d}", r#"{"a":"b","c":"d"}"#),
        ("{:a,1,:b,2}", r#"{"a":1,"b":2}"#),
    ] {
        assert_eq!(read(edn).as_deref(), Ok(json), "{edn}");
    }
    assert!(read("{:a}").is_err() && read("{:a 1 :b}").is_err());
}

#[test]
fn host_objects_end_where_the_rest_reads() {
    for (edn, last) in [
        ("{:e #object[Error Error: bad \" quote], :msg \"x], y\"}", r#""msg":"x], y"}"#),
        ("{:e #object[URL http://a.b/c?d=[e]&f={g}#h], :m 1}", r#""m":1}"#),
        ("{:e #object[Error a ] } )], :m 1}", r#""m":1}"#),
        ("{:e #object[\"[I\" 0x1 \"[I@1\"], :m 1}", r#""m":1}"#),
        ("{:e #object[A {:v #object[B b]}], :m 1}", r#""m":1}"#),
    ] {
        let json = read(edn).unwrap_or_else(|what| panic!("{edn}: {what}"));
        assert!(json.ends_with(last), "{json}");
    }
}

/// The events of a batch as JSON, and how many could not be read.
fn batch(frame: &str) -> (Vec<String>, usize) {
    let transcript = super::super::envelope::read(&mut Edn::new(frame), frame.len()).expect("a frame");
    let (read, broken): (Vec<_>, Vec<_>) =
        transcript.pieces.into_iter().partition(|piece| piece.fault.is_none());
    let json = read.into_iter().map(|piece| transcript.out.slice(piece.json).to_owned());
    (json.collect(), broken.len())
}

#[test]
fn what_cannot_be_read_costs_its_own_event() {
    for (frame, events, broken) in [
        ("[:log/batch [{:a 1} {:b} {:c 3}]]", vec![r#"{"a":1}"#, r#"{"c":3}"#], 1),
        ("[:log/batch [{:a 1} {:b \"x] {:c 3}]]", vec![r#"{"a":1}"#, r#"{"c":3}"#], 1),
        ("[:log/batch [{:b #foo} {:c 3}]]", vec![r#"{"c":3}"#], 1),
        ("[:log/batch [{:b [1} 2] {:c 3}]]", vec![r#"{"c":3}"#], 1),
        ("[[:log/batch [{:b [1} 2} {:c 3}]] nil]", vec![r#"{"c":3}"#], 1),
        ("[:log/batch ({:a 1} {:b 2})]", vec![r#"{"a":1}"#, r#"{"b":2}"#], 0),
        ("[:log/batch #{{:a 1}}]", vec![r#"{"a":1}"#], 0),
        ("[:log/batch {:a 1}]", vec![r#"{"a":1}"#], 0),
        ("[:log/batch nil]", vec![], 0),
        ("[:log/batch [{:a 1}]] more", vec![r#"{"a":1}"#], 1),
        (
            "[:log/batch [{:a #object[E a\"b], :m 1} {:k \"c\"} {:e #object[E d\"e], :m 2}]]",
            vec![r##"{"a":"#object[E a\"b]","m":1}"##, r#"{"k":"c"}"#, r##"{"e":"#object[E d\"e]","m":2}"##],
            0,
        ),
    ] {
        assert_eq!(batch(frame), (events.into_iter().map(str::to_owned).collect(), broken), "{frame}");
    }
}

#[test]
fn depth_and_doubt_have_an_end() {
    for open in ["[", "{:a ", "#a ", "^", "#{", "(", "#object[", "#_", "{:a b :c #object[X ", "{:a :b ,{"] {
        let text = open.repeat(300_000 / open.len());
        assert!(read(&text).is_err(), "{open}");
        assert!(read(&format!("[:log/batch [{text}]]")).is_err(), "{open}");
        let _ = batch(&format!("[:log/batch [{{:a 1}} {text}"));
    }
    let odd = "{:a ".repeat(150) + &"}".repeat(150);
    assert!(read(&odd).is_err());
    assert!(read(&("[".repeat(199) + &"]".repeat(199))).is_ok());
}
