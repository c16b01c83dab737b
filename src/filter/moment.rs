//! Points in time as typed: clock times, dates, spans back from now, and named moments.
//!
//! Read by `check`, turned into timestamps by `plan` with the time and zone it is given. No clock is read here.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::event::Timestamp;

/// A clock time or date with how much of it was written, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// Of today.
    Time(Time, i64),
    Local(DateTime, i64),
    Instant(Timestamp),
}

/// What `since:` and `until:` take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// Microseconds back from now, and the text.
    Ago(u64, String),
    Clock(Clock, String),
    Reload,
    Hmr,
    Start,
    Today,
    /// `mark`, or `mark-a` with a name.
    Mark(Option<String>),
}

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

impl Clock {
    /// Reads `14:32`, `14:32:05.250`, `2026-01-31`, `2026-01-31T14:32` and RFC 3339.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some((time, precision)) = time_of_day(text) {
            return Some(Self::Time(time, precision));
        }
        if let Ok(date) = text.parse::<Date>()
            && text.len() == 10
        {
            return Some(Self::Local(date.at(0, 0, 0, 0), DAY_MS));
        }
        let (date, time) = text.split_once(['T', 't'])?;
        match time_of_day(time) {
            Some((time, precision)) => {
                Some(Self::Local(date.parse::<Date>().ok()?.to_datetime(time), precision))
            }
            None => Timestamp::parse_rfc3339(text).map(Self::Instant),
        }
    }

    /// The first and the last millisecond meant, in `zone`, on the day of `now` where no day was written.
    pub(super) fn resolve(self, now: Timestamp, zone: &TimeZone) -> (Timestamp, Timestamp) {
        let (local, precision) = match self {
            Self::Instant(time) => return (time, time),
            Self::Local(local, precision) => (local, precision),
            Self::Time(time, precision) => {
                (zone.to_datetime(now.to_jiff()).date().to_datetime(time), precision)
            }
        };
        // Only times at the very ends of the calendar have no timestamp.
        let start = zone.to_timestamp(local).map_or(now, |time| Timestamp(time.as_millisecond()));
        (start, start.plus_ms(precision - 1))
    }
}

/// `H:MM`, `H:MM:SS` or `H:MM:SS.fff` with how long the part written last takes.
fn time_of_day(text: &str) -> Option<(Time, i64)> {
    let mut parts = text.split(':');
    let hour = digits(parts.next()?, 1..=2)?;
    let minute = digits(parts.next()?, 2..=2)?;
    let (second, milli, precision) = match parts.next() {
        None => (0, 0, MINUTE_MS),
        Some(second) => match second.split_once('.') {
            None => (digits(second, 2..=2)?, 0, 1000),
            Some((second, fraction)) => {
                let scale = [100, 10, 1].get(fraction.len().checked_sub(1)?)?;
                (digits(second, 2..=2)?, digits(fraction, 1..=3)? * scale, i64::from(*scale))
            }
        },
    };
    if parts.next().is_some() {
        return None;
    }
    let nanos = i32::from(milli) * 1_000_000;
    let byte = |number: i16| i8::try_from(number).ok();
    let time = Time::new(byte(hour)?, byte(minute)?, byte(second)?, nanos).ok()?;
    Some((time, precision))
}

fn digits(text: &str, len: std::ops::RangeInclusive<usize>) -> Option<i16> {
    let is_number = len.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// True if `text` can become a clock time or a date by typing on.
pub(super) fn may_become_clock(text: &str) -> bool {
    const SHAPES: [&str; 3] = ["00:00:00.000", "0:00:00.000", "0000-00-00T00:00:00.000"];
    let fits = |shape: &str| {
        text.len() <= shape.len()
            && text.bytes().zip(shape.bytes()).all(|(typed, shape)| match shape {
                b'0' => typed.is_ascii_digit(),
                sign => typed.eq_ignore_ascii_case(&sign),
            })
    };
    SHAPES.into_iter().any(fits)
}

impl Moment {
    /// A moment by its name.
    pub(super) fn named(text: &str) -> Option<Self> {
        let name = text.to_ascii_lowercase();
        Some(match name.as_str() {
            "reload" => Self::Reload,
            "hmr" => Self::Hmr,
            "start" => Self::Start,
            "today" => Self::Today,
            "mark" => Self::Mark(None),
            _ => Self::Mark(Some(name.strip_prefix("mark-").filter(|name| !name.is_empty())?.to_owned())),
        })
    }

    /// As typed in a filter.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Ago(_, text) | Self::Clock(_, text) => text.clone(),
            Self::Reload => "reload".to_owned(),
            Self::Hmr => "hmr".to_owned(),
            Self::Start => "start".to_owned(),
            Self::Today => "today".to_owned(),
            Self::Mark(None) => "mark".to_owned(),
            Self::Mark(Some(name)) => format!("mark-{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_times_cover_what_was_not_written() {
        let now = Timestamp(1_704_067_275_000);
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        for (text, from, to) in [
            ("0:32", "2023-12-31T23:32:00.000Z", "2023-12-31T23:32:59.999Z"),
            ("14:32:05", "2024-01-01T13:32:05.000Z", "2024-01-01T13:32:05.999Z"),
            ("14:32:05.25", "2024-01-01T13:32:05.250Z", "2024-01-01T13:32:05.259Z"),
            ("2026-01-31", "2026-01-30T23:00:00.000Z", "2026-01-31T22:59:59.999Z"),
            ("2026-01-31T14:32", "2026-01-31T13:32:00.000Z", "2026-01-31T13:32:59.999Z"),
            ("2026-01-31T14:32:00Z", "2026-01-31T14:32:00.000Z", "2026-01-31T14:32:00.000Z"),
        ] {
            let (first, last) = Clock::parse(text).expect(text).resolve(now, &zone);
            assert_eq!((first.to_string().as_str(), last.to_string().as_str()), (from, to), "{text}");
        }
        for text in ["noon", "25:00", "14:3", "14:32:61", "14:32:05.", "2026-13-01", "5m", ""] {
            assert_eq!(Clock::parse(text), None, "{text}");
        }
    }

    #[test]
    fn beginnings_of_clock_times_are_known() {
        for text in ["1", "14:", "14:3", "9:30", "2026-0", "2026-01-31T1"] {
            assert!(may_become_clock(text), "{text}");
        }
        for text in ["noon", "14-", "14:32:05.2500"] {
            assert!(!may_become_clock(text), "{text}");
        }
    }
}
