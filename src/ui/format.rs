//! Numbers as text: durations, counts, ages, bytes, shares, and the small charts made of characters.
//!
//! Used by every panel and by plain output. Whole numbers in, text out; it knows no locale and no clock.

use crate::event::Micros;
use crate::event::gate::Gate;
use crate::ui::theme::Glyphs;

/// `4,310`: a whole number with its thousands set apart.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 event`, `4,310 events`.
pub fn counted(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(number))
}

/// `9,999`, `12.3k`, `1.2M`: a count in at most six columns (below 10^15).
pub fn count_short(number: u64) -> String {
    if number < 10_000 {
        return count(number);
    }
    scaled(number, &["", "k", "M", "G", "T", "P", "E"])
}

/// `9,204 B`, `41 kB`, `1.2 MB`: a size in decimal units.
pub fn bytes(number: u64) -> String {
    if number < 10_000 {
        return format!("{} B", count(number));
    }
    scaled(number, &[" B", " kB", " MB", " GB", " TB", " PB", " EB"])
}

/// Three digits at most and a unit, each step a thousand; one decimal below 100 where it is not zero.
fn scaled(number: u64, units: &[&str]) -> String {
    let number = u128::from(number);
    let mut size = 1;
    let mut units = units.iter().copied();
    let mut unit = units.next().unwrap_or("");
    while (number + size / 2) / size >= 1_000
        && let Some(next) = units.next()
    {
        unit = next;
        size *= 1_000;
    }
    let tenths = (number * 10 + size / 2) / size;
    if tenths >= 1_000 || tenths.is_multiple_of(10) {
        return format!("{}{unit}", (number + size / 2) / size);
    }
    format!("{}.{}{unit}", tenths / 10, tenths % 10)
}

/// `1,500ms`, `12.5ms`: a duration as it was sent.
pub fn exact(span: Micros) -> String {
    let ms = span.to_string();
    let fraction = ms.find('.').map_or("", |point| &ms[point..]);
    format!("{}{fraction}ms", count(span.0 / 1_000))
}

/// `812µs`, `61ms`, `1,204ms`: a duration to the millisecond, however long.
pub fn millis(span: Micros, glyphs: &Glyphs) -> String {
    if span.0 < 1_000 {
        return format!("{}{}s", span.0, glyphs.micro);
    }
    format!("{}ms", count(rounded(span.0, 1_000)))
}

/// `812µs`, `61ms`, `3.4s`, `34s`, `12m`, `2h`: a duration in at most five columns (below 1,000 days).
pub fn duration(span: Micros, glyphs: &Glyphs) -> String {
    let ms = rounded(span.0, 1_000);
    let tenths = rounded(span.0, 100_000);
    if ms < 1_000 {
        return millis(span, glyphs);
    }
    if tenths < 100 {
        return format!("{}.{}s", tenths / 10, tenths % 10);
    }
    in_largest_unit(rounded(span.0, 1_000_000))
}

/// `+2.9s`, `-4ms`, `=`: how a duration has changed; `=` is less than one percent or less than a millisecond.
pub fn change(before: Micros, now: Micros, glyphs: &Glyphs) -> String {
    let by = before.0.abs_diff(now.0);
    if by < 1_000 || by < before.0 / 100 {
        return "=".to_owned();
    }
    let sign = if now.0 > before.0 { '+' } else { '-' };
    format!("{sign}{}", duration(Micros(by), glyphs))
}

/// `8s`, `38m`, `2h`, `5d`: an age given in milliseconds; `0s` for one that is negative.
pub fn age(ms: i64) -> String {
    in_largest_unit(u64::try_from(ms).unwrap_or(0) / 1_000)
}

/// Whole units, cut and not rounded, as an age of 119 minutes is not yet two hours.
fn in_largest_unit(seconds: u64) -> String {
    let (size, unit) = match seconds {
        0..60 => (1, 's'),
        60..3_600 => (60, 'm'),
        3_600..86_400 => (3_600, 'h'),
        _ => (86_400, 'd'),
    };
    format!("{}{unit}", seconds / size)
}

/// `33%`: a share, at most four columns; `<1%` is more than nothing and `99%` less than all, of nothing it is `0%`.
pub fn percent(part: u64, whole: u64) -> String {
    let (part, whole) = (u128::from(part.min(whole)), u128::from(whole));
    if part == 0 {
        return "0%".to_owned();
    }
    match (part * 100 + whole / 2) / whole {
        0 => "<1%".to_owned(),
        100 if part < whole => "99%".to_owned(),
        rounded => format!("{rounded}%"),
    }
}

/// One character of eight heights for each value, the largest being full; zero alone is the lowest.
pub fn sparkline(values: &[u64], glyphs: &Glyphs) -> String {
    let top = u128::from(values.iter().copied().max().unwrap_or(0).max(1));
    values.iter().map(|&value| glyphs.spark[eighths(u128::from(value) * 7, top)]).collect()
}

/// A bar of `width` columns at most, as long as `value` is of `top`; anything over zero shows at least an eighth.
pub fn bar(value: u64, top: u64, width: u16, glyphs: &Glyphs) -> String {
    let top = top.max(1);
    let filled = eighths(u128::from(value.min(top)) * u128::from(width) * 8, u128::from(top));
    let mut out = glyphs.bar[7].repeat(filled / 8);
    if !filled.is_multiple_of(8) {
        out.push_str(glyphs.bar[filled % 8 - 1]);
    }
    out
}

/// Safe text in exactly `width` columns, at their left end; cut where it is longer.
pub fn left(text: &str, width: usize, gate: Gate) -> String {
    let line = gate.line(text, width);
    format!("{}{}", line.text(), " ".repeat(width - line.columns))
}

/// Safe text in exactly `width` columns, at their right end; cut where it is longer.
pub fn right(text: &str, width: usize, gate: Gate) -> String {
    let line = gate.line(text, width);
    format!("{}{}", " ".repeat(width - line.columns), line.text())
}

fn rounded(number: u64, unit: u64) -> u64 {
    number / unit + u64::from(number % unit >= unit / 2)
}

/// A quotient rounded up, which callers keep within a row's size.
fn eighths(part: u128, whole: u128) -> usize {
    usize::try_from(part.div_ceil(whole)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::theme::{ASCII, UNICODE};

    #[test]
    fn counts_and_sizes() {
        for (number, long, short, size) in [
            (0, "0", "0", "0 B"),
            (999, "999", "999", "999 B"),
            (4_310, "4,310", "4,310", "4,310 B"),
            (9_204, "9,204", "9,204", "9,204 B"),
            (12_345, "12,345", "12.3k", "12.3 kB"),
            (41_000_000, "41,000,000", "41M", "41 MB"),
            (999_499, "999,499", "999k", "999 kB"),
            (999_999, "999,999", "1M", "1 MB"),
            (1_234_567, "1,234,567", "1.2M", "1.2 MB"),
            (u64::MAX, "18,446,744,073,709,551,615", "18.4E", "18.4 EB"),
        ] {
            assert_eq!((count(number).as_str(), count_short(number).as_str()), (long, short));
            assert_eq!(bytes(number), size);
        }
    }

    #[test]
    fn durations() {
        for (us, long, short) in [
            (0, "0µs", "0µs"),
            (812, "812µs", "812µs"),
            (61_000, "61ms", "61ms"),
            (999_600, "1,000ms", "1.0s"),
            (1_204_000, "1,204ms", "1.2s"),
            (3_421_040, "3,421ms", "3.4s"),
            (9_960_000, "9,960ms", "10s"),
            (59_600_000, "59,600ms", "1m"),
            (7_300_000_000, "7,300,000ms", "2h"),
        ] {
            assert_eq!(
                (millis(Micros(us), &UNICODE).as_str(), duration(Micros(us), &UNICODE).as_str()),
                (long, short)
            );
        }
        assert_eq!(millis(Micros(812), &ASCII), "812us");
        assert_eq!([1_500_000, 12_500, 250].map(|us| exact(Micros(us))), ["1,500ms", "12.5ms", "0.25ms"]);
        for (before, now, expected) in [
            (500_000, 3_400_000, "+2.9s"),
            (92_000, 88_000, "-4ms"),
            (88_000, 88_400, "="),
            (1_000_000, 1_009_000, "="),
            (0, 0, "="),
        ] {
            assert_eq!(change(Micros(before), Micros(now), &UNICODE), expected);
        }
    }

    #[test]
    fn ages_and_shares() {
        for (ms, expected) in [
            (-5, "0s"),
            (8_200, "8s"),
            (59_999, "59s"),
            (60_000, "1m"),
            (7_199_000, "1h"),
            (5 * 86_400_000, "5d"),
        ] {
            assert_eq!(age(ms), expected);
        }
        for (part, whole, expected) in [
            (2, 6, "33%"),
            (0, 5, "0%"),
            (1, 1_000, "<1%"),
            (999, 1_000, "99%"),
            (5, 5, "100%"),
            (0, 0, "0%"),
            (9, 4, "100%"),
        ] {
            assert_eq!(percent(part, whole), expected, "{part} of {whole}");
        }
    }

    #[test]
    fn charts() {
        assert_eq!(sparkline(&[0, 1, 4, 7, u64::MAX], &UNICODE), "▁▂▂▂█");
        assert_eq!(sparkline(&[0, 1, 4, 7], &ASCII), "_.=#");
        assert_eq!(sparkline(&[0, 0], &UNICODE), "▁▁");
        for (value, top, width, expected) in [
            (0, 8, 4, ""),
            (1, 1000, 4, "▏"),
            (4, 8, 4, "██"),
            (5, 16, 4, "█▎"),
            (9, 8, 4, "████"),
            (1, 0, 2, "██"),
        ] {
            assert_eq!(bar(value, top, width, &UNICODE), expected, "{value} of {top}");
        }
        assert_eq!(bar(5, 8, 4, &ASCII), "##=");
    }

    #[test]
    fn padding_measures_columns() {
        let gate = Gate::default();
        assert_eq!(left("漢", 4, gate), "漢  ");
        assert_eq!(right("61ms", 7, gate), "   61ms");
        assert_eq!(left("abcdef", 4, gate), "abc…");
        assert_eq!(right("漢字", 3, gate), "漢…");
        assert_eq!(left("x", 0, gate), "");
    }

    proptest! {
        #[test]
        fn columns_are_kept(number in any::<u64>(), top in any::<u64>(), width in 0_u16..300) {
            prop_assert!(count_short(number % 1_000_000_000_000_000).chars().count() <= 6);
            prop_assert!(duration(Micros(number % 86_400_000_000_000), &UNICODE).chars().count() <= 5);
            prop_assert!(percent(number, top).len() <= 4);
            prop_assert!(bar(number, top, width, &UNICODE).chars().count() <= usize::from(width));
            prop_assert_eq!(sparkline(&[number, top], &ASCII).len(), 2);
        }
    }
}
