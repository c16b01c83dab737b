//! Payment card numbers in text: digit runs of a card's shape whose check digit is right.
//!
//! Called by the pre-check on raw bytes and by the scrubbing on unescaped text. It reads eight bytes at a time
//! so that text without long digit runs costs next to nothing.

use std::ops::{ControlFlow, Range};

/// Digits of the shortest and longest card number (ISO/IEC 7812-1 allows up to 19; issued ones start at 13).
const DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// Bytes of the longest card number with a separator after every digit.
const LONGEST: usize = 2 * 19;

/// Bytes from stop to stop, read as one word.
const STRIDE: usize = size_of::<u64>();

/// Of those, the first ones that are looked at: the shortest card number holds them all, wherever it begins.
const SEEN: usize = 13 + 1 - STRIDE;

/// Stops with one branch.
const STOPS: usize = 4;

/// Calls `found` with each range of `text` that is a card number until it breaks; ranges may overlap.
pub(super) fn scan(text: &[u8], mut found: impl FnMut(Range<usize>) -> ControlFlow<()>) -> ControlFlow<()> {
    runs(text, |run| in_run(text, run, &mut found))
}

/// Calls `found` with each stretch of digits, spaces and dashes that is long enough for a card number.
pub(super) fn runs(text: &[u8], mut found: impl FnMut(Range<usize>) -> ControlFlow<()>) -> ControlFlow<()> {
    let mut floor = 0;
    while let Some(sample) = next_sample(text, floor) {
        let run = sample - parts_before(&text[floor..sample])..sample + leading(&text[sample..], others);
        floor = run.end;
        if run.len() >= *DIGITS.start() {
            found(run)?;
        }
    }
    ControlFlow::Continue(())
}

/// The first stop at or after `from` where all bytes could belong to a card number.
fn next_sample(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    let (stretches, _) = text[from..].as_chunks::<{ STOPS * STRIDE }>();
    for stretch in stretches {
        let (samples, _) = stretch.as_chunks();
        // Not short-circuited: one branch for all stops is nearly always the same one.
        let is_near = samples.iter().fold(false, |seen, sample| seen | is_near(u64::from_le_bytes(*sample)));
        if is_near
            && let Some(stop) = samples.iter().position(|sample| is_inside(u64::from_le_bytes(*sample)))
        {
            return Some(at + stop * STRIDE);
        }
        at += STOPS * STRIDE;
    }
    let mut rest = (at..text.len().saturating_sub(SEEN - 1)).step_by(STRIDE);
    rest.find(|at| is_inside(word_at(text, *at)))
}

/// The eight bytes at `at`, zero where they are not there.
fn word_at(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at..).unwrap_or_default();
    let short = || {
        let mut bytes = [0; STRIDE];
        bytes[..rest.len()].copy_from_slice(rest);
        bytes
    };
    u64::from_le_bytes(rest.first_chunk().copied().unwrap_or_else(short))
}

/// The bits of the bytes that are looked at.
const SEEN_BITS: u64 = u64::MAX >> (8 * (STRIDE - SEEN));

/// Digits, space and dash are all 0x20 to 0x39; most other text fails this one comparison.
fn is_near(sample: u64) -> bool {
    // What is above 0x39 and below 0x40 passes that with six more.
    let more = (sample & !HIGH_BITS) + repeat(0x06);
    (more | sample) & (repeat(0xe0) & SEEN_BITS) == repeat(0x20) & SEEN_BITS
}

/// Whether all that is looked at could belong to a card number.
fn is_inside(sample: u64) -> bool {
    others(sample) & SEEN_BITS == 0
}

/// Whether `text` has as many digits as the shortest card number.
pub(super) fn has_enough_digits(text: &[u8]) -> bool {
    text.iter().filter(|byte| byte.is_ascii_digit()).count() >= *DIGITS.start()
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_digit() || is_separator(byte)
}

fn is_separator(byte: u8) -> bool {
    byte == b' ' || byte == b'-'
}

pub(super) fn in_run(
    text: &[u8],
    run: Range<usize>,
    found: &mut impl FnMut(Range<usize>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut at = run.start;
    while at < run.end {
        if is_separator(text[at]) {
            at += 1;
            continue;
        }
        if (b'2'..=b'6').contains(&text[at]) && may_start(text, at) {
            from_group(text, at, run.end, found)?;
        }
        at += digits_at(text, at);
    }
    ControlFlow::Continue(())
}

/// A card number does not continue a word or a decimal fraction (`234.4000000059604` is a duration), but what has
/// a card's digits before the dot is no fraction.
fn may_start(text: &[u8], at: usize) -> bool {
    match &text[..at] {
        [lead @ .., b'.'] if lead.last().is_some_and(u8::is_ascii_digit) => {
            let before = lead.iter().rev().take(LONGEST).take_while(|byte| is_part(**byte)).count();
            has_enough_digits(&lead[lead.len() - before..])
        }
        [.., before] => !before.is_ascii_alphanumeric(),
        [] => true,
    }
}

/// Tries every number that begins with the digit group at `start` and ends with a group.
fn from_group(
    text: &[u8],
    start: usize,
    end: usize,
    found: &mut impl FnMut(Range<usize>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut digits = [0u8; 19];
    let mut count = 0;
    let mut at = start;
    loop {
        let group = digits_at(text, at);
        let is_first = count == 0;
        if count + group > digits.len() {
            break;
        }
        digits[count..count + group].copy_from_slice(&text[at..at + group]);
        count += group;
        at += group;
        let is_over = text.get(at).is_none_or(|next| !next.is_ascii_alphanumeric());
        if is_over && is_card(&digits[..count]) {
            found(start..at)?;
        }
        // Printed numbers come in a group of four and then groups of three to six: 4-4-4-4, 4-6-5, 4-6-4.
        let is_group = if is_first { group == 4 } else { (3..=6).contains(&group) };
        let goes_on = at + 1 < end && is_separator(text[at]) && text[at + 1].is_ascii_digit();
        if !(is_group && goes_on) {
            break;
        }
        at += 1;
    }
    ControlFlow::Continue(())
}

fn digits_at(text: &[u8], at: usize) -> usize {
    leading(&text[at..], non_digits)
}

/// How many bytes `text` begins with for which `refused` has no bit set.
fn leading(text: &[u8], refused: impl Fn(u64) -> u64) -> usize {
    let mut count = 0;
    for word in text.chunks(8) {
        // A short last word is filled with zeros, which are neither digits nor separators.
        let mut bytes = [0; 8];
        match word.first_chunk() {
            Some(whole) => bytes = *whole,
            None => bytes[..word.len()].copy_from_slice(word),
        }
        let found = refused(u64::from_le_bytes(bytes));
        if found != 0 {
            return count + found.trailing_zeros() as usize / 8;
        }
        count += 8;
    }
    count
}

/// How many digits, spaces and dashes `text` ends with.
fn parts_before(text: &[u8]) -> usize {
    let mut count = 0;
    while let Some(word) = text[..text.len() - count].last_chunk() {
        let found = others(u64::from_le_bytes(*word));
        if found != 0 {
            return count + found.leading_zeros() as usize / 8;
        }
        count += 8;
    }
    count + text[..text.len() - count].iter().rev().take_while(|byte| is_part(**byte)).count()
}

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The high bit of each byte that is not an ASCII digit.
fn non_digits(word: u64) -> u64 {
    // A digit's low seven bits give 0 to 9 here; from 10 on the sum reaches the high bit, and never the next byte.
    let value = (word ^ repeat(b'0')) & !HIGH_BITS;
    ((value + repeat(0x80 - 10)) | word) & HIGH_BITS
}

/// The high bit of each byte that is no digit, space or dash.
fn others(word: u64) -> u64 {
    let unlike = |byte| ((word ^ repeat(byte)) & !HIGH_BITS) + repeat(0x7f);
    non_digits(word) & ((unlike(b' ') & unlike(b'-')) | word)
}

const fn repeat(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

fn is_card(digits: &[u8]) -> bool {
    // Of the numbers that begin with 2 only 2221 to 2720 were given to cards, with 16 digits; the others are dates.
    let is_issued = digits.first() != Some(&b'2')
        || digits.len() == 16 && (&b"2221"[..]..=&b"2720"[..]).contains(&&digits[..4]);
    DIGITS.contains(&digits.len()) && is_issued && luhn(digits)
}

/// The check of ISO/IEC 7812-1 annex B: from the right every second digit doubled, sum divisible by ten.
fn luhn(digits: &[u8]) -> bool {
    let value = |(place, digit): (usize, &u8)| {
        let digit = u32::from(digit - b'0') << (place % 2);
        if digit > 9 { digit - 9 } else { digit }
    };
    digits.iter().rev().enumerate().map(value).sum::<u32>() % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut all = Vec::new();
        let _ = scan(text.as_bytes(), |range| {
            all.push(&text[range]);
            ControlFlow::Continue(())
        });
        all
    }

    #[test]
    fn card_numbers_are_found_as_people_write_them() {
        for (text, expected) in [
            ("4111111111111111", &["4111111111111111"][..]),
            ("pay 4111 1111 1111 1111 12/26", &["4111 1111 1111 1111"]),
            ("3782-822463-10005.", &["3782-822463-10005"]),
            ("n=5555555555554444&x", &["5555555555554444"]),
            ("2223003122003222", &["2223003122003222"]),
            ("4222222222222 4111111111111111", &["4222222222222", "4111111111111111"]),
            ("4111111111111112", &[]),
            ("1704067200000", &[]),
            ("2024-01-01-12-30-40", &[]),
            ("took 234.4111111111111111 ms", &[]),
            ("4111 1111 1111 1111.4111111111111111", &["4111 1111 1111 1111", "4111111111111111"]),
            ("id a4111111111111111", &[]),
            ("41111111111111111111111111", &[]),
            ("411111111111 1", &[]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn the_place_in_the_text_does_not_matter() {
        for lead in 0..40 {
            for tail in 0..14 {
                let text = format!("{}:4222222222222:{}", "x".repeat(lead), "y".repeat(tail));
                assert_eq!(found(&text), ["4222222222222"], "{text}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn words_are_classed_like_bytes(bytes in proptest::collection::vec(
            proptest::prop_oneof![5 => proptest::sample::select(&b"0159 -"[..]), 1 => proptest::num::u8::ANY],
            0..40,
        )) {
            let parts = |byte: &&u8| is_part(**byte);
            proptest::prop_assert_eq!(leading(&bytes, others), bytes.iter().take_while(parts).count());
            proptest::prop_assert_eq!(parts_before(&bytes), bytes.iter().rev().take_while(parts).count());
            proptest::prop_assert_eq!(
                digits_at(&bytes, 0),
                bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
            );
        }

        #[test]
        fn samples_miss_nothing_that_a_look_at_every_run_finds(text in "[0-9 \\-.a:]{0,80}") {
            let bytes = text.as_bytes();
            let mut slow = Vec::new();
            let mut start = 0;
            for at in 0..=bytes.len() {
                if at == bytes.len() || !is_part(bytes[at]) {
                    let _ = in_run(bytes, start..at, &mut |range| {
                        slow.push(&text[range]);
                        ControlFlow::Continue(())
                    });
                    start = at + 1;
                }
            }
            proptest::prop_assert_eq!(found(&text), slow);
        }
    }
}
