//! The word that was probably meant.
//!
//! Called by the check for unknown names and values. Only small slips count: a far-fetched suggestion is worse
//! than none.

/// The nearest of `known` to `typed`, at most 2 edits away (FILTER: mistakes). In words under five letters the
/// first letter must be right if there are 2. Swapped neighbours are one edit.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed: Vec<char> = typed.to_lowercase().chars().take(MAX_CHARS + 1).collect();
    known
        .into_iter()
        .map(|word| (distance(&typed, &word.chars().collect::<Vec<_>>()), word))
        .filter(|(edits, word)| {
            let is_safe = typed.len() >= 5 || word.chars().next() == typed.first().copied();
            *edits <= if is_safe { 2 } else { 1 }
        })
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, word)| word)
}

/// No name in the language and hardly a signal id is longer, so what is longer is no slip of one.
const MAX_CHARS: usize = 96;

/// Insertions, deletions, replacements and swaps of neighbours between two words; as far apart as can be if one is
/// over 96 letters.
pub fn distance(a: &[char], b: &[char]) -> usize {
    if a.len() > MAX_CHARS || b.len() > MAX_CHARS {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut here = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut edits = (above[j] + usize::from(x != y)).min(above[j + 1] + 1).min(here[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                edits = edits.min(before[j - 1] + 1);
            }
            here.push(edits);
        }
        before = std::mem::replace(&mut above, here);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_small_slips_are_mended() {
        let levels = ["trace", "debug", "info", "warn", "error", "fatal", "report"];
        for (typed, expected) in [
            ("wran", Some("warn")),
            ("WARN", Some("warn")),
            ("eror", Some("error")),
            ("wr", Some("warn")),
            ("xarm", None),
            ("network", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, levels), expected, "{typed}");
        }
    }
}
