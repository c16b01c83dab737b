//! The term that selects the events whose field has a given value.
//!
//! Called by the keys that filter by the value under the cursor. Several spellings are read back, and the plainest
//! that means exactly this value is taken.

use super::display::{quoted, value_text};
use super::glob::Glob;
use super::run;
use super::typed::{Compare, Expr, Subject, Term, Test};
use super::value::{self, Measure};
use super::{check, parse};
use crate::event::{Column, Micros};

/// A value over this many characters is looked for by its beginning, so that the term stays readable.
const MAX_VALUE_CHARS: usize = 500;

/// As [`exact_term_for`]; where the language has no way to say it the value is looked for as a phrase.
pub fn term_for(field_path: &str, value: &str) -> String {
    exact_term_for(field_path, value).unwrap_or_else(|| phrase(value))
}

/// This writes the term that selects the events whose field at `field_path` has `value`, and no others.
///
/// `field_path` is written as in a filter: `status`, `context.user-id`, `args.0`, `context."user.name"`. `value` is
/// what the event has, as text; a very long one is looked for by how it begins. `None` where the language has no way to
/// say it: a path whose first part is no name, a number field with text in it.
pub fn exact_term_for(field_path: &str, value: &str) -> Option<String> {
    let field_path = field_path.trim();
    let (path, _) = run::field(field_path).filter(|(_, len)| *len == field_path.len())?;
    let subject = check::subject(&path);
    if value.is_empty() && is_absent_if_empty(&subject) {
        return Some(format!("no:{field_path}"));
    }
    if value.chars().nth(MAX_VALUE_CHARS).is_some() {
        return beginning(field_path, &subject, value);
    }
    let value = match &subject {
        Subject::Field(field) if field.column == Column::Duration || field.column == Column::Lag => {
            in_microseconds(value).unwrap_or_else(|| value.to_owned())
        }
        _ => value.to_owned(),
    };
    let glob = value_text(&Glob::literal(value.as_str()).to_text());
    [
        format!("{field_path}:{glob}"),
        format!("{field_path}={glob}"),
        format!("{field_path}=={}", value_text(&value)),
        format!("{field_path}=={}", quoted(&value)),
    ]
    .into_iter()
    .find(|term| means(term, &subject, &value))
}

/// The whole of `value` as text to look for anywhere.
fn phrase(value: &str) -> String {
    let start: String = value.chars().take(MAX_VALUE_CHARS).collect();
    quoted(&Glob::literal(start).to_text())
}

/// Names and messages that are empty were not sent.
fn is_absent_if_empty(subject: &Subject) -> bool {
    let Subject::Field(field) = subject else { return false };
    !matches!(field.column, Column::First(_) | Column::Each(_) | Column::Predicate)
}

/// The term for the values that begin as `value` does; stacks and bodies may be very long.
fn beginning(field_path: &str, subject: &Subject, value: &str) -> Option<String> {
    let mut start: String = value.chars().take(MAX_VALUE_CHARS).collect();
    // A backslash before the star would make it plain.
    start.truncate(start.trim_end_matches('\\').len());
    let glob = Glob { pieces: vec![start, String::new()] };
    let term = format!("{field_path}={}", quoted(&glob.to_text()));
    let is_like = single(&term).is_some_and(|compare| {
        matches!(&compare.tests[..], [Test::Like(_)]) && is_same(&compare.subject, subject)
    });
    is_like.then_some(term)
}

/// A span of milliseconds as the column holds it, rounded to the microsecond.
fn in_microseconds(value: &str) -> Option<String> {
    let quantity = value::quantity(value, Measure::Duration, "ms").ok()?;
    let ms = Micros::from_ms(quantity.value.near / 1000.0)?.as_ms();
    Some(format!("{ms}ms"))
}

/// The comparison that `term` is, with its one test.
fn single(term: &str) -> Option<Compare> {
    match parse(term).filter?.expr? {
        Expr::Term(Term::Compare(compare)) if compare.tests.len() == 1 && !compare.is_negated => {
            Some(compare)
        }
        _ => None,
    }
}

fn is_same(a: &Subject, b: &Subject) -> bool {
    match (a, b) {
        (Subject::Field(a), Subject::Field(b)) => a.name == b.name,
        (Subject::Data(a), Subject::Data(b)) => a == b,
        _ => false,
    }
}

/// True if `term` asks for exactly `value` of `subject`.
fn means(term: &str, subject: &Subject, value: &str) -> bool {
    if let Subject::Field(field) = subject
        && field.column == Column::Predicate
    {
        return matches!(
            parse(term).filter.and_then(|filter| filter.expr),
            Some(Expr::Term(Term::Is(_) | Term::Presence(..)))
        );
    }
    let Some(compare) = single(term).filter(|compare| is_same(&compare.subject, subject)) else {
        return false;
    };
    match &compare.tests[0] {
        Test::Is(text, _) | Test::Same(text) => *text == value,
        Test::Number(number) => {
            let is_one = number.bounds.low == number.bounds.high;
            // A text like `5s` in the data is no number there.
            let is_text =
                matches!(subject, Subject::Data(_)) && value::quantity(value, Measure::Plain, "").is_err();
            is_one && !is_text
        }
        Test::Bool(_) | Test::Group(..) | Test::Clock(_) | Test::Moment(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::samples::{self, sample_context};
    use super::super::{Bits, Matcher, negate};
    use super::*;

    #[test]
    fn the_plainest_spelling_is_taken() {
        for (field, value, expected) in [
            ("user", "user-12", "user:user-12"),
            ("session", "latest", "session=latest"),
            ("status", "404", "status:404"),
            ("level", "warn", "level:warn"),
            ("type", "error", "type:error"),
            ("type", "custom", "type=custom"),
            ("type", "metric/x", "type=metric/x"),
            ("url", "/api/users?page=2", "url=/api/users?page=2"),
            ("message", "Failed to fetch", "message=\"Failed to fetch\""),
            ("message", "", "no:message"),
            ("stack", "", "stack=\"\""),
            ("duration", "231.4567", "duration:231.457ms"),
            ("duration", "1.005ms", "duration:1.005ms"),
            ("cached?", "true", "cached?:true"),
            ("group", "e7f3000000000001", "group:e7f3000000000001"),
            ("time", "14:32:05.250", "time:14:32:05.250"),
            ("is", "slow", "is:slow"),
            ("context.user-id", "u-1", "context.user-id=u-1"),
            ("context.\"user.name\"", "Ann", "context.\"user.name\"=Ann"),
            ("\"user.name\"", "Ann", "\"user.name\"=Ann"),
            ("\"status\"", "404", "\"status\":404"),
            ("args.0", "a*b", r"args.0=a\*b"),
            ("x-ms", "5", "x-ms:5"),
            ("x-ms", "5s", "x-ms==5s"),
            ("x-ms", "1..5", "x-ms==\"1..5\""),
            ("status", "teapot", "\"teapot\""),
            ("my key", "a", "\"a\""),
        ] {
            assert_eq!(term_for(field, value), expected, "{field} {value}");
        }
        for (field, value) in [("status", "teapot"), ("my key", "a"), ("\"a\"b\"", "a"), ("", "a")] {
            assert_eq!(exact_term_for(field, value), None, "{field} {value}");
        }
        assert_eq!(term_for("stack", &"x".repeat(501)), format!("stack=\"{}*\"", "x".repeat(500)));
        assert_eq!(term_for("foo", &"*".repeat(9000)), format!("foo=\"{}*\"", r"\\*".repeat(500)));
    }

    /// Rows of two events with these members that `filter` selects.
    fn selected(filter: &str, events: &[String]) -> Result<Vec<usize>, TestCaseError> {
        let parsed = parse(filter);
        prop_assert!(parsed.errors.is_empty(), "{}: {:?}", filter, parsed.errors);
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        let chunk = samples::chunk(&events);
        let mut out = Bits::new();
        Matcher::new(Arc::new(parsed.filter.expect("no errors")), sample_context()).eval(
            &chunk,
            0..chunk.len(),
            &mut out,
        );
        Ok(out.iter().collect())
    }

    /// A value, with the JSON that sends it.
    fn values() -> impl Strategy<Value = (String, String)> {
        let text = prop_oneof![
            r#"[ab "'*()\\/:.,<>=~!|&?-]{0,8}"#,
            ".{0,8}",
            "[a-z ]{495,505}",
            prop::sample::select(vec![
                "",
                "--",
                "..",
                "1..5",
                "..5",
                "5xx",
                ":error",
                "/api",
                "/a|b/",
                "a,b",
                "(a",
                "a)",
                "or",
                "not",
                "latest",
                "x\n y",
                "\t",
                "5m",
                "404",
                "-1",
                "1e3",
                "true",
                "null",
                "=a",
                "!a",
                "a\\",
                "~/x/",
                "é ſ",
                "//x",
                "http://a/b?c#d",
                "saved:x",
                "*",
                "\\*",
            ])
            .prop_map(str::to_owned),
        ]
        .prop_map(|text| (text.clone(), serde_json::Value::from(text).to_string()));
        let number = prop_oneof![
            any::<i32>().prop_map(|number| number.to_string()),
            (-1e6..1e6).prop_map(|number: f64| number.to_string()),
            prop::sample::select(vec!["1e3", "-1.5E-2", "0", "true", "false"]).prop_map(str::to_owned),
        ]
        .prop_map(|number| (number.clone(), number));
        prop_oneof![3 => text, 1 => number]
    }

    fn is_other(a: &str, b: &str) -> bool {
        let is_same_number = matches!((a.parse::<f64>(), b.parse::<f64>()), (Ok(a), Ok(b)) if a == b);
        let begin = |text: &str| text.chars().take(400).collect::<String>();
        begin(&a.to_lowercase()) != begin(&b.to_lowercase()) && !is_same_number
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn the_term_selects_its_value_alone(
            (field, key) in prop::sample::select(vec![
                ("message", "message"), ("stack", "stack"), ("user", "user-id"), ("session", "session-id"),
                ("subtype", "subtype"), ("tab", "tab"), ("build", "build"), ("foo", "foo"), ("x-ms", "x-ms"),
                ("fooKb", "fooKb"), ("saved", "saved"), ("unit", "unit"), ("method", "method"), ("page", "page"),
                ("\"user.name\"", "user.name"), ("\"cart size\"", "cart size"), ("\"-x\"", "-x"), ("\"1\"", "1"),
            ]),
            (one, one_json) in values(),
            (two, two_json) in values(),
        ) {
            prop_assume!(is_other(&one, &two));
            let is_column = ["message", "user", "session", "subtype", "tab"].contains(&field);
            let is_text = |json: &str| json.starts_with('"');
            // Columns hold texts; a number there is not the field's.
            prop_assume!(!is_column || is_text(&one_json) && is_text(&two_json));
            let events = [format!("{{\"{key}\":{one_json}}}"), format!("{{\"{key}\":{two_json}}}")];
            let term = term_for(field, &one);
            prop_assert_eq!(selected(&term, &events)?, vec![0], "{} in {:?}", term, events);
            prop_assert_eq!(selected(&negate(&term), &events)?, vec![1], "not {} in {:?}", term, events);
            prop_assert_eq!(negate(&negate(&term)), term);
        }

        #[test]
        fn any_field_and_value_make_a_filter(field in r#"[a-z."?* ]{0,8}"#, value in ".{0,12}") {
            let term = term_for(&field, &value);
            prop_assert!(parse(&term).errors.is_empty(), "{}", term);
        }
    }
}
