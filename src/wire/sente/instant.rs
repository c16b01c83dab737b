//! Times as Clojure writes them, in every year a date can have: text to milliseconds and back.
//!
//! Called by the readers of this folder for values that are times. `event::Timestamp` ends with the year 9999 one day
//! early, and what an app puts into its data need not be a time that an event could have happened at.

const DAY_MS: i64 = 86_400_000;

/// The milliseconds since 1970 of `2024-01-01T00:00:00.123-00:00`, cut to the millisecond; `None` for anything else.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (date, time) = text.split_once('T')?;
    let mut parts = date.splitn(3, '-').map(number);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.split(':').map(number);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    if hour > 24 || minute > 59 || second > 60 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ms = format!("{fraction:0<3}").get(..3).and_then(number)?;
    let of_day = ((hour * 60 + minute) * 60 + second) * 1000 + ms;
    Some(days(year, month, day) * DAY_MS + of_day - offset_ms(zone)?)
}

/// `+02:00` in milliseconds.
fn offset_ms(zone: &str) -> Option<i64> {
    if zone.is_empty() || zone == "Z" {
        return Some(0);
    }
    let (sign, rest) = (if zone.starts_with('-') { -1 } else { 1 }, zone.get(1..)?);
    let (hours, minutes) = rest.split_once(':').or_else(|| rest.split_at_checked(2))?;
    Some(sign * (number(hours)? * 60 + number(minutes)?) * 60_000)
}

fn number(digits: &str) -> Option<i64> {
    let is_plain = (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| digits.parse().ok())?
}

/// RFC 3339 with milliseconds; years outside 0 to 9999 with a sign and six digits, as ISO 8601 has it. `None` beyond
/// the dates of browsers.
pub(super) fn text(ms: i64) -> Option<String> {
    // ECMA-262, time values.
    const FURTHEST: u64 = 8_640_000_000_000_000;
    if ms.unsigned_abs() > FURTHEST {
        return None;
    }
    let (year, month, day) = date(ms.div_euclid(DAY_MS));
    let of_day = ms.rem_euclid(DAY_MS);
    let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (second, part) = (of_day / 1000 % 60, of_day % 1000);
    let year = if (0..10_000).contains(&year) { format!("{year:04}") } else { format!("{year:+07}") };
    Some(format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{part:03}Z"))
}

/// Days since 1970 of a date of the Gregorian calendar (https://howardhinnant.github.io/date_algorithms.html).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = (shifted + 2) % 12 + 1;
    (year + era * 400 + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_read_with_any_offset_and_precision() {
        for (written, expected) in [
            ("2024-01-01T00:00:00.000-00:00", Some("2024-01-01T00:00:00.000Z")),
            ("2024-01-01T00:00:00.123456789-00:00", Some("2024-01-01T00:00:00.123Z")),
            ("2024-02-29T23:59:59.5+02:00", Some("2024-02-29T21:59:59.500Z")),
            ("2024-01-01T00:00Z", Some("2024-01-01T00:00:00.000Z")),
            ("9999-12-31T23:59:59.999-00:00", Some("9999-12-31T23:59:59.999Z")),
            ("1969-12-31T23:59:59.999Z", Some("1969-12-31T23:59:59.999Z")),
            ("0NaN-NaN-NaNTNaN:NaN:NaN.NaN-00:00", None),
            ("2024-13-01T00:00:00Z", None),
            ("2024", None),
            ("", None),
        ] {
            assert_eq!(parse(written).and_then(text).as_deref(), expected, "{written}");
        }
    }

    #[test]
    fn the_ends_of_time_are_those_of_browsers() {
        assert_eq!(text(8_640_000_000_000_000).as_deref(), Some("+275760-09-13T00:00:00.000Z"));
        assert_eq!(text(-8_640_000_000_000_000).as_deref(), Some("-271821-04-20T00:00:00.000Z"));
        assert_eq!((text(i64::MIN), text(i64::MAX)), (None, None));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(ms in -62_167_219_200_000_i64..253_402_300_800_000) {
            prop_assert_eq!(text(ms).as_deref().and_then(parse), Some(ms));
        }

        #[test]
        fn nothing_makes_it_fall(written in "[0-9TZ:.+-]{0,32}|.{0,16}", ms: i64) {
            let _ = (parse(&written), text(ms));
        }
    }
}
