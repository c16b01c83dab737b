//! Points in time and spans: UTC milliseconds and microseconds.
//!
//! Used everywhere; reads no clock. Milliseconds on screen become [`Micros`] only in `wire`.

use std::fmt;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads an RFC 3339 time; more precise times are cut to the millisecond.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|time| Self(time.as_millisecond()))
    }

    /// This moment as jiff's type, clamped to the range jiff can hold (years -9999 to 9999).
    pub fn to_jiff(self) -> jiff::Timestamp {
        let low = jiff::Timestamp::MIN.as_millisecond();
        let high = jiff::Timestamp::MAX.as_millisecond();
        jiff::Timestamp::from_millisecond(self.0.clamp(low, high)).unwrap_or_default()
    }

    /// Writes RFC 3339 in UTC with exactly three decimals: `2024-01-01T00:00:00.000Z`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_rfc3339(self, out: &mut impl fmt::Write) -> fmt::Result {
        let (day, ms) = (self.0.div_euclid(DAY_MS), self.0.rem_euclid(DAY_MS));
        let Some((year, month, date)) = civil(day) else { return write!(out, "{:.3}", self.to_jiff()) };
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let parts = [
            (0, 4, year),
            (5, 2, month),
            (8, 2, date),
            (11, 2, ms / 3_600_000),
            (14, 2, ms / 60_000 % 60),
            (17, 2, ms / 1_000 % 60),
            (20, 3, ms % 1_000),
        ];
        for (at, digits, number) in parts {
            let mut rest = number;
            for place in (at..at + digits).rev() {
                text[place] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
                rest /= 10;
            }
        }
        out.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }

    /// Milliseconds from `earlier` to here; negative if `earlier` is later.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This moment moved by `ms` milliseconds, saturating.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

impl fmt::Display for Timestamp {
    /// As [`Timestamp::write_rfc3339`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_rfc3339(f)
    }
}

const DAY_MS: i64 = 86_400_000;
/// Days from 0000-03-01, where years begin here so that a leap day is a year's last, to 1970-01-01.
const BEFORE_1970: i64 = 719_468;
const DAYS_OF_400_YEARS: i64 = 146_097;

/// Year, month and day of a number of days since 1970-01-01; `None` beyond the years 0 to 9999 (Hinnant,
/// chrono-compatible low-level date algorithms).
fn civil(day: i64) -> Option<(i64, i64, i64)> {
    let day = day.checked_add(BEFORE_1970)?;
    let (era, of_era) = (day.div_euclid(DAYS_OF_400_YEARS), day.rem_euclid(DAYS_OF_400_YEARS));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_based = (5 * of_year + 2) / 153;
    let date = of_year - (153 * march_based + 2) / 5 + 1;
    let month = if march_based < 10 { march_based + 3 } else { march_based - 9 };
    let year = era.checked_mul(400)? + year_of_era + i64::from(month <= 2);
    (0..=9_999).contains(&year).then_some((year, month, date))
}

/// A span of time in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub u64);

impl Micros {
    /// From milliseconds as a browser sends them, rounded to the microsecond; `None` if negative or not finite.
    pub fn from_ms(ms: f64) -> Option<Self> {
        if !ms.is_finite() || ms < 0.0 {
            return None;
        }
        // A JSON number may be as large as 1e308; half the range keeps the "absent" mark of the column free.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped just before")]
        Some(Self((ms * 1000.0).round().min(9.0e18) as u64))
    }

    /// In milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "exact below 285 years")]
    pub fn as_ms(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}

impl Micros {
    /// Writes milliseconds with up to three decimals and no trailing zeros: `234`, `0.5`, `12.345`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_ms(self, out: &mut impl fmt::Write) -> fmt::Result {
        let mut digits = itoa::Buffer::new();
        out.write_str(digits.format(self.0 / 1000))?;
        let rest = self.0 % 1000;
        if rest == 0 {
            return Ok(());
        }
        // A leading one keeps the zeros after the point.
        let decimals = digits.format(1000 + rest)[1..].trim_end_matches('0');
        out.write_char('.')?;
        out.write_str(decimals)
    }
}

impl fmt::Display for Micros {
    /// As [`Micros::write_ms`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_ms(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_print_as_rfc3339_and_read_back() {
        for (ms, text) in [
            (1_704_067_200_000, "2024-01-01T00:00:00.000Z"),
            (1_704_067_200_007, "2024-01-01T00:00:00.007Z"),
            (0, "1970-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(Timestamp(ms).to_string(), text);
            assert_eq!(Timestamp::parse_rfc3339(text), Some(Timestamp(ms)));
        }
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
    }

    proptest! {
        #[test]
        fn every_time_prints_as_the_calendar_has_it(
            ms in prop_oneof![any::<i64>(), -400_000_000_000_000..400_000_000_000_000_i64, 0..4_102_444_800_000_i64],
        ) {
            for ms in [ms, ms.saturating_sub(ms.rem_euclid(DAY_MS)), ms.saturating_sub(ms.rem_euclid(DAY_MS) + 1)] {
                let time = Timestamp(ms);
                prop_assert_eq!(time.to_string(), format!("{:.3}", time.to_jiff()));
            }
        }
    }

    #[test]
    fn spans_print_in_milliseconds_without_losing_microseconds() {
        for (ms, text) in
            [(234.0, "234"), (0.5, "0.5"), (12.345, "12.345"), (0.001, "0.001"), (3421.04, "3421.04")]
        {
            assert_eq!(Micros::from_ms(ms).map(|span| span.to_string()).as_deref(), Some(text));
        }
        for bad in [f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(Micros::from_ms(bad), None);
        }
    }
}
