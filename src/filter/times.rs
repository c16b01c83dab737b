//! Values that are times: `time:`, `since:` and `until:`.
//!
//! Called by `kinds`. Which side of a span is meant is never guessed.

use super::error::FilterError;
use super::kinds::Value;
use super::moment::{Clock, Moment, may_become_clock};
use super::numbers;
use super::typed::{ClockTest, Sign, Test};
use super::value::{self, Measure};
use crate::event::MOMENTS;

type Result<T> = std::result::Result<T, FilterError>;

/// `time:14:32..14:35`, `time>=14:32`
pub(super) fn time(value: &Value<'_>) -> Result<Test> {
    let typed = value.scalar.text.as_str();
    let sign = value.sign();
    super::numbers::refuse_range(value)?;
    let one = |text: &str, at: usize| Clock::parse(text).ok_or_else(|| not_a_time(value, text, at));
    if let Some((low, high)) = value::range(typed).filter(|_| sign == Sign::Is) {
        let from = low.map(|low| one(low, 0)).transpose()?;
        let to = high.map(|high| one(high, typed.len() - high.len())).transpose()?;
        if let (Some(Clock::Time(first, _)), Some(Clock::Time(last, _))) = (from, to)
            && first > last
            && let (Some(low), Some(high)) = (low, high)
        {
            let right = format!("{high}..{low}");
            let message = format!("this range is backwards: write {right}");
            return Err(value.error("E-RANGE", message).with_fix(value.scalar.span.clone(), right));
        }
        return Ok(Test::Clock(ClockTest { from, to, sign, text: typed.to_owned() }));
    }
    let clock = one(typed, 0)?;
    let (from, to) = match sign {
        Sign::Is => (Some(clock), Some(clock)),
        Sign::Lt | Sign::Le => (None, Some(clock)),
        Sign::Gt | Sign::Ge => (Some(clock), None),
    };
    Ok(Test::Clock(ClockTest { from, to, sign, text: typed.to_owned() }))
}

fn not_a_time(value: &Value<'_>, text: &str, at: usize) -> FilterError {
    let span = value.place(at, text.len());
    let is_span = value::quantity(text, Measure::Duration, "").is_ok();
    if is_span {
        let message =
            format!("is {text} an age or a clock time? Write since:{text} (newer) or until:{text} (older)");
        let whole = value.written.field_span.start..value.scalar.span.end;
        return FilterError::new("E-AGE", span, message).with_fix(whole, format!("since:{text}"));
    }
    let message = format!("`{text}` is not a time: write 14:32, 14:32:05.250 or 2026-01-31T14:32");
    let may_become = value.is_last && (may_become_clock(text) || text.ends_with('.'));
    FilterError::new("E-TIME", span, message).unfinished_if(may_become)
}

/// `since:5m`, `until:14:32`, `since:reload`
pub(super) fn moment(value: &Value<'_>) -> Result<Test> {
    let typed = value.plain();
    if let Some(named) = Moment::named(typed) {
        return Ok(Test::Moment(named));
    }
    if let Some(clock) = Clock::parse(typed) {
        return Ok(Test::Moment(Moment::Clock(clock, typed.to_owned())));
    }
    if let Ok(span) = value::quantity(typed, Measure::Duration, "")
        && span.value.near >= 0.0
    {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative, and saturates"
        )]
        return Ok(Test::Moment(Moment::Ago(span.value.near as u64, span.text)));
    }
    if let Some(span) =
        typed.strip_prefix('-').filter(|span| value::quantity(span, Measure::Duration, "").is_ok())
    {
        let message = format!("`{typed}` is not a time: {span} is an age already. Did you mean {span}?");
        return Err(value.error("E-SINCE", message).with_fix(value.scalar.span.clone(), span));
    }
    let unit = typed.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if unit.len() < typed.len() && !unit.is_empty() && unit.chars().all(char::is_alphabetic) {
        return Err(numbers::unknown_unit(value, Measure::Duration, unit, typed.len() - unit.len()));
    }
    let lower = typed.to_ascii_lowercase();
    let is_number = typed.starts_with(|c: char| c.is_ascii_digit()) && typed.parse::<f64>().is_ok();
    let may_become = is_number
        || may_become_clock(typed)
        || "mark-".starts_with(&lower)
        || MOMENTS.iter().any(|name| name.starts_with(&lower));
    let meant = super::suggest::nearest(typed, MOMENTS);
    let hint = meant.map_or(String::new(), |meant| format!(". Did you mean {meant}?"));
    let all = MOMENTS.join(" ");
    let message = format!("`{typed}` is not a time: write 5m, 14:32:05, or one of {all}{hint}");
    let error = value.error("E-SINCE", message).unfinished_if(value.is_last && may_become);
    Err(match meant {
        Some(meant) => error.with_fix(value.scalar.span.clone(), meant),
        None => error,
    })
}
