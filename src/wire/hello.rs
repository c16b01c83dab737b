//! A client introducing itself, and the numbers it says will never come.
//!
//! Read by `wire::frame`. A member of another type than is expected says nothing and costs nothing else: who sends a
//! number for a user must not lose its events for it.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::frame::FrameError;
use crate::event::json::{self, Shape};

/// A client introducing itself.
#[derive(Debug, Default)]
pub struct Hello<'a> {
    pub client: Cow<'a, str>,
    pub session: Option<Cow<'a, str>>,
    pub user: Option<Cow<'a, str>>,
    pub tab: Option<Cow<'a, str>>,
    pub load: Option<i32>,
    pub page: Option<Cow<'a, str>>,
    pub now: Option<f64>,
    pub next: Option<u64>,
}

impl<'a> Hello<'a> {
    /// Reads a hello, or what an envelope says of its sender.
    ///
    /// # Errors
    /// When the text is no JSON.
    pub(super) fn read(text: &'a str) -> Result<Self, FrameError> {
        check(text)?;
        let mut hello = Self::default();
        for member in json::members(text) {
            let value = member.value;
            match member.key {
                "client" => hello.client = name(value).unwrap_or_default(),
                "session" => hello.session = name(value),
                "user" => hello.user = name(value),
                "tab" => hello.tab = name(value),
                "load" => hello.load = number(value).and_then(|load| i32::try_from(load).ok()),
                "page" => hello.page = json::text(value),
                "now" => hello.now = json::number(value),
                "next" => hello.next = number(value),
                _ => {}
            }
        }
        Ok(hello)
    }
}

/// Numbers that will never come.
#[derive(Debug)]
pub struct Gap<'a> {
    pub from: u64,
    pub to: u64,
    pub count: u64,
    pub reason: Cow<'a, str>,
}

impl<'a> Gap<'a> {
    /// Reads a gap; one that does not say how many events it stands for stands for as many as its numbers.
    ///
    /// # Errors
    /// When the text is no JSON, or says no numbers that rise.
    pub(super) fn read(text: &'a str) -> Result<Self, FrameError> {
        check(text)?;
        let [from, to, count, reason] = json::get_all(text, ["from", "to", "count", "reason"]);
        let needed = |value: Option<&str>, field| {
            value.and_then(number).ok_or(FrameError::NoNumber { message: "gap", field })
        };
        let (from, to) = (needed(from, "from")?, needed(to, "to")?);
        if from == 0 || to < from {
            return Err(FrameError::NoNumber {
                message: "gap",
                field: if from == 0 { "from" } else { "to" },
            });
        }
        let count = count.and_then(number).unwrap_or_else(|| (to - from).saturating_add(1));
        Ok(Self { from, to, count, reason: reason.and_then(json::text).unwrap_or_default() })
    }
}

fn check(text: &str) -> Result<(), FrameError> {
    let read = serde_json::from_str::<&RawValue>(text);
    read.map(drop).map_err(|error| FrameError::syntax(text, error.column().saturating_sub(1)))
}

/// The text, or a number just as it was written: senders use numbers as ids.
fn name(value: &str) -> Option<Cow<'_, str>> {
    if json::shape(value) == Shape::Number { Some(Cow::Borrowed(value)) } else { json::text(value) }
}

/// A whole number from 0, also one written with a point or in a text.
pub(super) fn number(value: &str) -> Option<u64> {
    if let Ok(number) = value.parse() {
        return Some(number);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
    json::number(value).filter(|n| n.fract() == 0.0 && (0.0..9e15).contains(n)).map(|n| n as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_of_another_type_costs_only_itself() {
        let odd = r#"{"t":"hello","client":5,"session":[],"user":42,"tab":{},"load":"x","page":7,"now":"z","next":true}"#;
        let hello = Hello::read(odd).expect("read");
        assert_eq!((&*hello.client, hello.user.as_deref()), ("5", Some("42")));
        assert!(hello.session.is_none() && hello.tab.is_none() && hello.load.is_none());
        assert!(hello.page.is_none() && hello.now.is_none() && hello.next.is_none());
        let usual = r#"{"client":"c","session":"s","user":null,"load":3.0,"now":1e3,"next":"7","events":[{"user":"no"}]}"#;
        let hello = Hello::read(usual).expect("read");
        assert_eq!((&*hello.client, hello.session.as_deref(), hello.user), ("c", Some("s"), None));
        assert_eq!((hello.load, hello.now, hello.next), (Some(3), Some(1_000.0), Some(7)));
        assert!(Hello::read(r#"{"client":"c","#).is_err());
        assert_eq!(
            Hello::read(r#"{"load":99999999999,"next":18446744073709551615}"#).map(|h| (h.load, h.next)).ok(),
            Some((None, Some(u64::MAX)))
        );
    }

    #[test]
    fn a_gap_needs_numbers_that_rise_and_counts_them_itself() {
        let count = |text: &str| Gap::read(text).map(|gap| gap.count).map_err(|error| error.to_string());
        assert_eq!(count(r#"{"t":"gap","from":3,"to":7,"count":9,"reason":"full"}"#), Ok(9));
        assert_eq!(count(r#"{"t":"gap","from":3,"to":7,"reason":5}"#), Ok(5));
        assert_eq!(count(r#"{"t":"gap","from":1,"to":18446744073709551615,"count":1e300}"#), Ok(u64::MAX));
        for (text, field) in [
            (r#"{"t":"gap"}"#, "from"),
            (r#"{"t":"gap","from":0,"to":7}"#, "from"),
            (r#"{"t":"gap","from":1}"#, "to"),
            (r#"{"t":"gap","from":5,"to":1}"#, "to"),
            (r#"{"t":"gap","from":5,"to":"soon"}"#, "to"),
        ] {
            let said = count(text).expect_err("refused");
            assert!(said.starts_with(&format!("`gap` needs `{field}`, a whole number")), "{text}: {said}");
        }
    }
}
