//! `stats --assert`: a line such as `p99(GET /api/users) < 300ms`, and which endpoints break it.
//!
//! Called by `stats`: all lines are read before the first file, and judged by the same rows the tables show.

use std::ops::Range;
use std::sync::Arc;

use thiserror::Error;
use unicode_width::UnicodeWidthStr;

use crate::event::{Micros, gate};
use crate::stats::{EndpointRow, Quantiles};

/// What is wrong with the text of an assertion, as the shell shows it: message, text, caret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("assert: {message}\n    {text}\n    {caret}")]
pub(super) struct Mistake {
    message: String,
    text: String,
    caret: String,
}

/// What is compared.
#[derive(Clone, Copy, Debug)]
enum Measure {
    /// A time, and how many requests it needs to mean much.
    Time(fn(&Quantiles) -> Micros, u64),
    Count,
    Errors,
}

const MEASURES: [(&str, Measure); 10] = [
    ("p50", Measure::Time(|of| of.p50, 0)),
    ("p90", Measure::Time(|of| of.p90, 0)),
    ("p95", Measure::Time(|of| of.p95, 0)),
    ("p99", Measure::Time(|of| of.p99, super::text::MIN_FOR_P99)),
    ("p99.9", Measure::Time(|of| of.p999, super::text::MIN_FOR_P999)),
    // As the JSON writes it.
    ("p999", Measure::Time(|of| of.p999, super::text::MIN_FOR_P999)),
    ("max", Measure::Time(|of| of.max, 0)),
    ("mean", Measure::Time(|of| of.mean, 0)),
    ("count", Measure::Count),
    ("errors", Measure::Errors),
];

type Holds = fn(&f64, &f64) -> bool;

const OPERATORS: [(&str, Holds); 7] = [
    ("<", |a, b| a < b),
    ("<=", |a, b| a <= b),
    (">", |a, b| a > b),
    (">=", |a, b| a >= b),
    ("=", |a, b| a == b),
    ("==", |a, b| a == b),
    ("!=", |a, b| a != b),
];

/// Microseconds of each unit; without one a time is in milliseconds, as in filters.
const UNITS: [(&str, f64); 7] =
    [("us", 1.0), ("µs", 1.0), ("ms", 1e3), ("", 1e3), ("s", 1e6), ("m", 6e7), ("h", 3.6e9)];

/// An assertion that can be judged.
#[derive(Clone, Debug)]
pub(super) struct Assertion {
    text: String,
    measure: Measure,
    endpoint: String,
    holds: Holds,
    /// Microseconds, a number, or percent.
    value: f64,
    is_share: bool,
}

/// Reads `MEASURE(ENDPOINT) OPERATOR VALUE`.
///
/// # Errors
/// [`Mistake`], which says what to write instead.
pub(super) fn parse(text: &str) -> Result<Assertion, Mistake> {
    let wrong = |span: Range<usize>, message: String| Mistake::new(text, span, message);
    let Some(open) = text.find('(') else {
        let message = "write a measure of an endpoint, like p99(GET /api/users) < 300ms";
        return Err(wrong(trimmed(text, 0..text.len()), message.to_owned()));
    };
    let head = trimmed(text, 0..open);
    let name = &text[head.clone()];
    let Some((_, measure)) = MEASURES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) else {
        let known = MEASURES.map(|(name, _)| name).join(" ");
        return Err(wrong(head, format!("unknown measure `{name}`: use one of {known}")));
    };
    let Some(close) = closing(text, open) else {
        return Err(wrong(open..open + 1, "this ( is never closed: add ) after the endpoint".to_owned()));
    };
    let place = trimmed(text, open + 1..close);
    if place.is_empty() {
        let message = "an endpoint is missing, like GET /api/users, or * for each of them".to_owned();
        return Err(wrong(place, message));
    }
    let rest = trimmed(text, close + 1..text.len());
    let length = text[rest.clone()].bytes().take_while(|byte| b"<>=!~".contains(byte)).count();
    let sign = rest.start..rest.start + length;
    let written = &text[sign.clone()];
    let Some((_, holds)) = OPERATORS.iter().find(|(known, _)| *known == written) else {
        let end = if written.is_empty() { rest.end } else { sign.end };
        let message = "compare with < <= > >= = or !=, like p99(GET /api/users) < 300ms".to_owned();
        return Err(wrong(sign.start..end, message));
    };
    let span = trimmed(text, sign.end..text.len());
    if text[span.clone()].contains('(') {
        let message = "this is more than one value: write each comparison with its own --assert".to_owned();
        return Err(wrong(span, message));
    }
    let (value, is_share) =
        value(&text[span.clone()], *measure).map_err(|message| wrong(span, message.to_owned()))?;
    let endpoint = text[place].to_owned();
    Ok(Assertion { text: text.to_owned(), measure: *measure, endpoint, holds: *holds, value, is_share })
}

/// Where the endpoint ends that `open` begins: addresses may have parentheses, but no space or comparison after one.
fn closing(text: &str, open: usize) -> Option<usize> {
    let is_end = |at: usize| {
        let next = text[at + 1..].chars().next();
        next.is_none_or(|next| next.is_whitespace() || "<>=!~".contains(next))
    };
    let mut all = text.match_indices(')').map(|(at, _)| at).filter(|at| *at > open);
    all.clone().find(|at| is_end(*at)).or_else(|| all.next_back())
}

/// The value in the measure's own unit, and whether it is a share.
fn value(text: &str, measure: Measure) -> Result<(f64, bool), &'static str> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (digits, unit) = (number(&text[..end]), text[end..].trim());
    match (measure, digits, unit) {
        (Measure::Time(..), Some(digits), _) => {
            let found = UNITS.iter().find(|(known, _)| *known == unit);
            found.map(|(_, size)| (digits * size, false)).ok_or("this takes a time: write 300ms, 1.5s or 2m")
        }
        (Measure::Time(..), ..) => Err("this takes a time: write 300ms, 1.5s or 2m"),
        (_, Some(digits), "") => Ok((digits, false)),
        (Measure::Errors, Some(digits), "%") => Ok((digits, true)),
        (Measure::Errors, ..) => Err("errors takes a number or a share: write 0, 5 or 2%"),
        (Measure::Count, ..) => Err("count takes a number, like 100"),
    }
}

impl Assertion {
    /// Why it does not hold, a line for each endpoint; empty if it holds.
    pub(super) fn broken(&self, rows: &[Arc<EndpointRow>]) -> Vec<String> {
        let named: Vec<_> = rows.iter().filter(|row| is_named(&row.name, &self.endpoint)).collect();
        if named.is_empty() {
            // Of no requests there is a number, and no time.
            let is_told = matches!(self.measure, Measure::Time(..)) || !(self.holds)(&0.0, &self.value);
            let why = || self.told(&format!("no request to {} is among the events", self.endpoint));
            return is_told.then(why).into_iter().collect();
        }
        named.into_iter().filter_map(|row| self.why(row)).map(|why| self.told(&why)).collect()
    }

    fn told(&self, why: &str) -> String {
        gate::plain(&format!("assertion failed: {}: {why}", self.text)).into_owned()
    }

    fn why(&self, row: &EndpointRow) -> Option<String> {
        let (name, latency) = (&row.name, &row.latency);
        #[expect(clippy::cast_precision_loss, reason = "counts and microseconds far below 2^53")]
        let float = |number: u64| number as f64;
        let (found, told) = match self.measure {
            Measure::Time(..) if latency.count == 0 => {
                return Some(format!("{name} has no duration in any of its requests"));
            }
            Measure::Time(of, needed) => {
                let found = of(latency);
                let few = if latency.count < needed { ", of too few to mean much" } else { "" };
                (float(found.0), format!("{found} ms over {} requests{few}", latency.count))
            }
            Measure::Count => (float(row.count), row.count.to_string()),
            Measure::Errors if self.is_share => {
                let share = float(row.errors) * 100.0 / float(row.count.max(1));
                (share, format!("{share:.2}%, {} of {}", row.errors, row.count))
            }
            Measure::Errors => (float(row.errors), format!("{} of {}", row.errors, row.count)),
        };
        (!(self.holds)(&found, &self.value)).then(|| format!("{name} has {told}"))
    }
}

/// Whether `name` is the endpoint meant: its whole name or that without the host, `*` for anything.
fn is_named(name: &str, wanted: &str) -> bool {
    let without_host = name
        .split_once(' ')
        .and_then(|(method, address)| Some(format!("{method} {}", &address[address.find('/')?..])));
    is_like(name, wanted) || without_host.is_some_and(|name| is_like(&name, wanted))
}

/// Compares without case; the parts between stars stand in this order, the first and last at the ends.
fn is_like(name: &str, wanted: &str) -> bool {
    let (name, wanted) = (name.to_lowercase(), wanted.to_lowercase());
    let Some((first, rest)) = wanted.split_once('*') else { return name == wanted };
    let Some(mut left) = name.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*').filter(|part| !part.is_empty()) {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}

/// The part of `span` without white space at its ends.
fn trimmed(text: &str, span: Range<usize>) -> Range<usize> {
    let part = &text[span.clone()];
    let start = span.start + (part.len() - part.trim_start().len());
    start..(start + part.trim().len()).max(start)
}

impl Mistake {
    fn new(text: &str, span: Range<usize>, message: String) -> Self {
        let printable: fn(&str) -> String =
            |text| text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        let cells = |span: Range<usize>| printable(&text[span]).width();
        let (before, marked) = (cells(0..span.start), cells(span.clone()).max(1));
        let caret = format!("{}^{}", " ".repeat(before), "~".repeat(marked - 1));
        Self { message: printable(&message), text: printable(text), caret }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Latency;

    fn row(name: &str, errors: u64, spans_ms: &[u64]) -> Arc<EndpointRow> {
        let mut latency = Latency::default();
        spans_ms.iter().for_each(|ms| latency.record(Micros(ms * 1000)));
        let (count, spread, latency) = (spans_ms.len() as u64 + 1, latency.spread(), latency.quantiles());
        let slowest = Arc::default();
        Arc::new(EndpointRow {
            name: name.into(),
            is_socket: false,
            count,
            errors,
            latency,
            spread,
            nth: 0,
            aborted: 0,
            slowest,
        })
    }

    fn rows() -> Vec<Arc<EndpointRow>> {
        vec![
            row("GET /api/users", 1, &[100, 200, 300]),
            row("POST api.example.com/api/orders", 0, &[3_000]),
            row("GET /none", 0, &[]),
        ]
    }

    #[test]
    fn assertions_hold_or_say_for_which_endpoint_they_do_not() {
        for (text, broken) in [
            ("p99(GET /api/users) < 301ms", &[][..]),
            (
                "p99(GET /api/users)<0.2s",
                &["GET /api/users has 300 ms over 3 requests, of too few to mean much"],
            ),
            ("max( get /API/users ) = 300", &[]),
            ("mean(GET /api/users) != 200ms", &["GET /api/users has 200 ms over 3 requests"]),
            ("p50(POST /api/orders) <= 3s", &[]),
            ("p50(POST api.example.com/api/orders) >= 3s", &[]),
            ("count(GET /api/*) > 10", &["GET /api/users has 4"]),
            ("errors(GET /api/users) = 0", &["GET /api/users has 1 of 4"]),
            ("errors(GET /api/users) < 25%", &["GET /api/users has 25.00%, 1 of 4"]),
            ("errors(*) <= 25%", &[]),
            ("p99.9(GET /none) < 1m", &["GET /none has no duration in any of its requests"]),
            ("p999(GET /none) < 1m", &["GET /none has no duration in any of its requests"]),
            ("max(PUT /api/users) < 1s", &["no request to PUT /api/users is among the events"]),
            ("count(PUT /api/users) = 0", &[]),
            ("count(*nope*) = 0", &[]),
            ("errors(PUT /api/users) < 2%", &[]),
            ("count(PUT /api/users) > 0", &["no request to PUT /api/users is among the events"]),
            ("count(GET /api/users(1))=0", &[]),
            ("count(GET /api/a)b) = 0", &[]),
        ] {
            let found = parse(text).unwrap_or_else(|mistake| panic!("{mistake}")).broken(&rows());
            let expected: Vec<_> =
                broken.iter().map(|why| format!("assertion failed: {text}: {why}")).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn mistakes_say_where_and_what_to_write() {
        for (text, caret, message) in [
            ("p99 < 3ms", "^~~~~~~~~", "write a measure of an endpoint"),
            ("p98(GET /a) < 3ms", "^~~", "unknown measure `p98`: use one of p50 p90"),
            ("p99(GET /a < 3ms", "   ^", "never closed"),
            ("p99() < 3ms", "    ^", "an endpoint is missing"),
            ("p99(GET /a) => 3ms", "            ^~", "compare with"),
            ("p99(GET /a) 3ms", "            ^~~", "compare with"),
            ("p99(GET /日本) <", "                ^", "this takes a time"),
            ("p99(GET /a) < fast", "              ^~~~", "this takes a time"),
            ("p99(GET /a) < 3kg", "              ^~~", "this takes a time"),
            ("p99(A) < 3s and p50(B) < 1s", "         ^~~~~~~~~~~~~~~~~~", "its own --assert"),
            ("p99(A) and p50(B) < 1s", "       ^~~~~~~~~~~~~~~", "compare with"),
            ("p99(GET /a)3ms", "           ^~~", "compare with"),
            ("count(GET /a) < 3%", "                ^~", "count takes a number"),
            ("errors(GET /a) < 3s", "                 ^~", "errors takes a number or a share"),
        ] {
            let mistake = parse(text).expect_err(text);
            assert_eq!(mistake.caret, caret, "{mistake}");
            assert!(mistake.message.contains(message), "{mistake}");
            assert!(mistake.to_string().starts_with("assert: "));
        }
    }

    #[test]
    fn stars_stand_for_anything() {
        for (name, wanted, expected) in [
            ("GET /a/b/c", "*", true),
            ("GET /a/b/c", "GET /a/*/c", true),
            ("GET /a/b/c", "GET *b*", true),
            ("GET /a/b/c", "*/b", false),
            ("GET /a", "GET /a*/a", false),
            ("GET /a", "POST *", false),
        ] {
            assert_eq!(is_named(name, wanted), expected, "{name} {wanted}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "(p99|errors|[()<>=! 0-9msü%*]|.){0,40}") {
            match parse(&text) {
                Ok(assertion) => drop(assertion.broken(&rows())),
                Err(mistake) => {
                    let is_harmless = !mistake.to_string().contains(char::from(27));
                    proptest::prop_assert!(is_harmless);
                },
            }
        }
    }
}
