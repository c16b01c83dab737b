//! What scrubbing takes, what it leaves, and the properties that hold for any JSON.

use proptest::prelude::*;
use serde_json::value::RawValue;

use super::*;

const CARD: &str = "4111 1111 1111 1111";
const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";

fn scrub(raw: &str) -> (String, Scrubbed) {
    let mut out = String::new();
    let what = Redactor::default().scrub(raw, &mut out);
    (out, what)
}

#[test]
fn secrets_go_and_the_rest_stays_byte_for_byte() {
    for (raw, expected, redacted) in [
        (r#"{"password":"x"}"#, r#"{"password":"[redacted]"}"#, 1),
        (r#"{ "API_KEY" : 12.50 , "b":1.0 }"#, r#"{ "API_KEY" : "[redacted]" , "b":1.0 }"#, 1),
        (r#"{"a":[{"setCookie":["x",{"y":"}"}]},2]}"#, r#"{"a":[{"setCookie":"[redacted]"},2]}"#, 1),
        (r#"{"token":{"token":"x"},"secret":true}"#, r#"{"token":"[redacted]","secret":"[redacted]"}"#, 2),
        (r#"{"token":null,"pwd":"[redacted]"}"#, r#"{"token":null,"pwd":"[redacted]"}"#, 0),
        (r#"{"p\u0061ssword":"x"}"#, r#"{"p\u0061ssword":"[redacted]"}"#, 1),
        (
            r#"{"tokens":"x","password-hint":"y","type":"token"}"#,
            r#"{"tokens":"x","password-hint":"y","type":"token"}"#,
            0,
        ),
        (r#"{"phone":"1","context":{"phone":"2"}}"#, r#"{"phone":"1","context":{"phone":"[redacted]"}}"#, 1),
        (
            r#"{"Context":[{"a":{}},{"address":{"street":"x"}}],"address":"y"}"#,
            r#"{"Context":[{"a":{}},{"address":"[redacted]"}],"address":"y"}"#,
            1,
        ),
        (
            r#"{"context":{"context":{}, "phone":1},"phone":2}"#,
            r#"{"context":{"context":{}, "phone":"[redacted]"},"phone":2}"#,
            1,
        ),
        (r#"{"context":"x","phone":1}"#, r#"{"context":"x","phone":1}"#, 0),
        (r#"{"m":"a \"Bearer abcd1234\" b"}"#, r#"{"m":"a \"Bearer [redacted]\" b"}"#, 1),
        (
            r#"{"u":"https:\/\/a:b@h\/x?token=1\u0026y=\ud83d\ude00"}"#,
            r#"{"u":"https:\/\/[redacted]@h\/x?token=[redacted]\u0026y=\ud83d\ude00"}"#,
            2,
        ),
        (
            r#"{"args":["n\n4111111111111111"],"n":4111111111111111}"#,
            r#"{"args":["n\n[redacted]"],"n":4111111111111111}"#,
            1,
        ),
        (r#"{"https://a:b@h":1}"#, r#"{"https://[redacted]@h":1}"#, 1),
        ("{}", "{}", 0),
        ("", "", 0),
        (r#"{"password":"#, r#"{"password":"#, 0),
        (r#"{"password":[1"#, r#"{"password":"[redacted]""#, 1),
    ] {
        let (out, what) = scrub(raw);
        assert_eq!(out, expected);
        assert_eq!(what, Scrubbed { redacted, ..Scrubbed::default() }, "{raw}");
    }
}

#[test]
fn lone_surrogates_are_repaired_in_keys_and_values() {
    for (raw, expected, repaired) in [
        (r#"{"a":"\ud800"}"#, r#"{"a":"\ufffd"}"#, true),
        (r#"{"\uDC00x":"\ud83d\ude00"}"#, r#"{"\ufffdx":"\ud83d\ude00"}"#, true),
        (r#"{"a":"\ud800 Bearer abcdef \ud800"}"#, r#"{"a":"\ufffd Bearer [redacted] \ufffd"}"#, true),
        (r#"{"a":"\\ud800"}"#, r#"{"a":"\\ud800"}"#, false),
        (r#"{"token":"\ud800"}"#, r#"{"token":"[redacted]"}"#, false),
    ] {
        let (out, what) = scrub(raw);
        assert_eq!(out, expected);
        assert_eq!(what.repaired, repaired, "{raw}");
    }
}

#[test]
fn rules_add_names_and_let_names_through() {
    let redactor = Redactor::new(&Rules {
        extra_keys: vec!["iban".into()],
        allowed_keys: vec!["token".into()],
        ..Rules::default()
    });
    let raw = r#"{"IBAN":"x","token":"y","url":"/?iban=1&token=2"}"#;
    let expected = r#"{"IBAN":"[redacted]","token":"y","url":"/?iban=[redacted]&token=2"}"#;
    let what = Scrubbed { redacted: 2, ..Scrubbed::default() };
    assert_eq!(redactor.check(raw), Scrub::Changed { text: expected.into(), what });
    assert_eq!(redactor.check(r#"{"token":"y"}"#), Scrub::Clean(r#"{"token":"y"}"#));
}

#[test]
fn urls_within_urls_are_looked_at_as_deep_as_is_said() {
    for (levels, is_left) in
        [(0, false), (super::super::percent::LEVELS, false), (super::super::percent::LEVELS + 1, true)]
    {
        let url =
            (0..levels).fold("/x?token=s3cr3t".to_owned(), |url, _| format!("/x?next={}", parameter(&url)));
        let (out, _) = scrub(&format!(r#"{{"url":"{url}"}}"#));
        assert_eq!(out.contains("s3cr3t"), is_left, "{levels}: {out}");
    }
}

#[test]
fn text_is_appended_to_what_is_there() {
    let mut out = String::from("[");
    Redactor::default().scrub(r#"{"pwd":1}"#, &mut out);
    assert_eq!(out, r#"[{"pwd":"[redacted]"}"#);
}

#[test]
fn nesting_has_no_bound() {
    let depth = 200_000;
    let raw = format!(r#"{{"context":{}{{"phone":1}}{}}}"#, r#"[{"a":"#.repeat(depth), "}]".repeat(depth));
    let (out, what) = scrub(&raw);
    assert_eq!(what.redacted, 1);
    assert!(out.contains("\"phone\":\"[redacted]\"}"));
}

/// Pieces of which strings are made: secrets, what nearly is one, and what may stand around them.
fn piece() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "Bearer ",
        "bearer",
        "token",
        "abcd",
        "eyJ",
        "eyJhbGciOiJkaXIifQ",
        ".",
        "://",
        "@",
        "/",
        "?",
        "&",
        "#",
        "=",
        "?token=",
        "&Api_Key=",
        "password=",
        " ",
        "-",
        "4111",
        "1111",
        "4111111111111111",
        "378282246310005",
        "2",
        "\n",
        "\"",
        "\\",
        "é",
        "😀",
        "[redacted]",
        "_",
        "中",
        "5555-5555-5555-4444",
        "context",
        "%20",
        "%25",
        "%3F",
        "%26",
        "%3D",
        "%253D",
        "%2C",
        "%3A%2F%2F",
        "%40",
        "%2540",
        "%74",
        "%2574",
        "oken",
        "data:,",
    ]);
    prop_oneof![4 => fixed.prop_map(String::from), 1 => "[ -~]{0,6}"]
}

fn string() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..9).prop_map(|pieces| pieces.concat())
}

fn styled(name: &'static str, style: u8) -> String {
    let words: Vec<&str> = name.split('-').collect();
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    match style {
        0 => name.to_owned(),
        1 => words.join("_"),
        2 => words.concat(),
        3 => words[0].to_owned() + &words[1..].iter().map(|word| capital(word)).collect::<String>(),
        4 => name.to_uppercase(),
        5 => format!("_{}?", words.join("_")),
        _ => words.iter().map(|word| capital(word)).collect::<Vec<_>>().join("-"),
    }
}

fn secret_key() -> impl Strategy<Value = String> {
    let names = vec![
        "password",
        "passwd",
        "pwd",
        "secret",
        "client-secret",
        "token",
        "access-token",
        "refresh-token",
        "id-token",
        "api-key",
        "authorization",
        "cookie",
        "set-cookie",
        "credit-card",
        "card-number",
        "cvv",
        "cvc",
        "private-key",
        "ssn",
    ];
    (prop::sample::select(names), 0..7u8).prop_map(|(name, style)| styled(name, style))
}

/// A value of a parameter, as `encodeURIComponent` writes it.
fn parameter(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A name some of whose letters are escaped, those whose bit is set; once more where `is_twice`.
fn letters_escaped(name: &str, which: u32, is_twice: bool) -> String {
    let letter = |(nth, letter): (usize, char)| match which >> (nth % 32) & 1 {
        0 => letter.to_string(),
        _ if is_twice => format!("%25{:02x}", u32::from(letter)),
        _ => format!("%{:02X}", u32::from(letter)),
    };
    name.chars().enumerate().map(letter).collect()
}

/// A secret in a URL, within as many other URLs, each escaped in the next or written as it is.
fn url_with_a_secret() -> impl Strategy<Value = String> {
    let plain_name = secret_key().prop_filter("a name in a URL", |name| !name.ends_with('?'));
    let name = (plain_name, any::<u32>(), any::<bool>());
    let lead = prop::sample::select(vec!["/x?a=1&", "/x?", "/cb#", "", "data:text/plain,"]);
    let parameter_of = (lead, name).prop_map(|(lead, (name, which, is_twice))| {
        format!("{lead}{}=s3cr3t-value&b=1", letters_escaped(&name, which, is_twice))
    });
    let user_info = Just("https://bob:s3cr3t-value@host/x".to_owned());
    let outer = prop::collection::vec(any::<bool>(), 0..4);
    (prop_oneof![3 => parameter_of, 1 => user_info], outer).prop_map(|(url, outer)| {
        outer.iter().fold(url, |url, is_escaped| {
            let inner = if *is_escaped { parameter(&url) } else { url };
            format!("https://host/x?a=1&next={inner}")
        })
    })
}

/// JSON text whose strings hold anything, written with or without needless escapes.
fn json_text(key: BoxedStrategy<String>, leaf: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let object = move |inner: BoxedStrategy<String>| {
        prop::collection::vec((key.clone(), inner), 0..4)
            .prop_map(|members| {
                let members: Vec<_> =
                    members.iter().map(|(key, value)| format!("{}: {value}", quoted(key))).collect();
                format!("{{{}}}", members.join(","))
            })
            .boxed()
    };
    let nested = leaf.prop_recursive(4, 24, 4, {
        let object = object.clone();
        move |inner| {
            let list =
                prop::collection::vec(inner.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(" ,")));
            prop_oneof![list, object(inner.boxed())]
        }
    });
    object(nested.boxed())
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string can be written")
}

/// As another encoder might write it: `/` escaped, letters and all beyond ASCII as `\u`.
fn requoted(text: &str, style: u8) -> String {
    let plain = quoted(text);
    match style {
        0 => plain,
        1 => plain.replace('/', "\\/"),
        2 => plain.replace('e', "\\u0065").replace('&', "\\u0026"),
        _ => {
            let mut units = [0; 2];
            let escaped = |character: char| -> String {
                if character.is_ascii() {
                    return character.into();
                }
                character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
            };
            plain.chars().map(escaped).collect()
        }
    }
}

fn any_leaf() -> BoxedStrategy<String> {
    let text = (string(), 0..4u8).prop_map(|(text, style)| requoted(&text, style));
    let other =
        prop::sample::select(vec!["1.50", "-0", "1e400", "null", "true", r#""\ud800x""#, "4111111111111111"]);
    prop_oneof![4 => text, 1 => other.prop_map(String::from)].boxed()
}

fn any_key() -> BoxedStrategy<String> {
    let common = prop::sample::select(vec!["a", "context", "phone", "address", "url", "tokens"]);
    prop_oneof![2 => secret_key(), 3 => common.prop_map(String::from), 1 => string()].boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn scrubbing_keeps_json_json_and_twice_is_once(raw in json_text(any_key(), any_leaf())) {
        let redactor = Redactor::default();
        let mut once = String::new();
        let what = redactor.scrub(&raw, &mut once);
        prop_assert!(serde_json::from_str::<&RawValue>(&once).is_ok(), "{}", once);
        prop_assert!(!once.contains(r"\ud800x"));
        prop_assert_eq!(what == Scrubbed::default(), once == raw);
        let (twice, again) = scrub(&once);
        prop_assert_eq!(&twice, &once);
        prop_assert_eq!(again, Scrubbed::default());
        if what != Scrubbed::default() {
            let batch = format!("[{{\"a\":1}},{raw}]");
            prop_assert!(redactor.is_suspicious(raw.as_bytes()), "{}", raw);
            prop_assert!(redactor.is_suspicious(batch.as_bytes()), "{}", raw);
        }
    }

    #[test]
    fn seeded_secrets_never_come_through(
        event in json_text(
            prop_oneof![3 => secret_key(), 1 => Just("a".to_owned())].boxed(),
            prop::sample::select(vec![
                quoted(&format!("pay {CARD} now")),
                quoted(&format!("authorization: bearer {JWT}")),
                quoted(&format!("GET /x?a=1&{}=s3cr3t-value", "access_token")),
                quoted("wss://s3cr3t-value@host/x"),
                quoted(JWT),
            ]).boxed(),
        ),
        hidden in secret_key(),
    ) {
        let raw = format!("{{{}:[\"s3cr3t-value\"],\"rest\":{event}}}", quoted(&hidden));
        let (out, _) = scrub(&raw);
        for secret in ["s3cr3t", "eyJ", "4111 1111"] {
            prop_assert!(!out.contains(secret), "{}", out);
        }
    }

    #[test]
    fn secrets_in_urls_never_come_through(url in url_with_a_secret(), style in 0..4u8) {
        let raw = format!("{{\"url\":{}}}", requoted(&url, style));
        let redactor = Redactor::default();
        prop_assert!(redactor.is_suspicious(raw.as_bytes()), "{}", raw);
        let Scrub::Changed { text, .. } = redactor.check(&raw) else { panic!("{raw}") };
        prop_assert!(!text.contains("s3cr3t"), "{}", text);
        prop_assert!(text.contains("host") || !url.contains("host"), "{}", text);
    }

    #[test]
    fn any_text_is_taken_without_a_panic(raw in r#"["\\{}\[\],:a 1é中u0d8]{0,60}"#) {
        let _ = Redactor::default().check(&raw);
        let _ = scrub(&raw);
    }
}

#[test]
fn redaction_that_is_off_leaves_events_and_nothing_else() {
    let redactor = Redactor::new(&Rules { is_off: true, ..Rules::default() });
    let event = r#"{"password":"hunter2","h":"Bearer abcdef123456","odd":"\ud800"}"#;
    let Scrub::Changed { text, what } = redactor.check(event) else { panic!("repaired") };
    assert_eq!(text, r#"{"password":"hunter2","h":"Bearer abcdef123456","odd":"\ufffd"}"#);
    assert_eq!((what.redacted, what.repaired), (0, true));
    let Scrub::Changed { text, what } = redactor.hide(event) else { panic!("hidden") };
    assert_eq!((text.contains("hunter2"), text.contains("abcdef"), what.redacted), (false, false, 2));
    assert_eq!(redactor.excerpt(r#"{"password":"hunter2" oops"#, 100).1, 1);
}
