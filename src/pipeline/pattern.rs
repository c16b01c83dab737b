//! Patterns for signal ids and namespaces, with Telemere's wildcards.
//!
//! `*` stands for any characters, a final `(.*)` for nothing or anything below: `foo(.*)` is `foo` and `foo.bar`. All
//! else stands for itself; a leading colon is left out, so that ids may be written as Clojure keywords. A pattern with
//! a slash is about ids, one without about namespaces. Events answer to their family's id and namespace too.

use crate::event::{Chunk, Family, Symbol};

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<String>,
    /// Ends in `(.*)`.
    takes_children: bool,
}

/// Longest pattern, in bytes: the matching below goes back at most once for each star.
const MAX_BYTES: usize = 256;

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// If it is empty or longer than 256 bytes.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let text = text.strip_prefix(':').unwrap_or(text);
        if text.is_empty() || text.len() > MAX_BYTES {
            return Err(format!("a pattern has 1 to {MAX_BYTES} characters"));
        }
        let (text, takes_children) = text.strip_suffix("(.*)").map_or((text, false), |text| (text, true));
        let pieces: Vec<String> = text.split('*').map(str::to_owned).collect();
        Ok(Self { pieces, takes_children })
    }

    /// Whether `name` is one of those meant.
    pub fn matches(&self, name: &str) -> bool {
        if self.matches_whole(name) {
            return true;
        }
        // Below is after a dot, or after the slash of an id.
        let cuts = name.match_indices(['.', '/']).map(|(at, _)| at);
        self.takes_children && cuts.into_iter().any(|at| self.matches_whole(&name[..at]))
    }

    fn matches_whole(&self, name: &str) -> bool {
        let [first, rest @ ..] = self.pieces.as_slice() else { return name.is_empty() };
        let Some(name) = name.strip_prefix(first.as_str()) else { return false };
        let [middle @ .., last] = rest else { return name.is_empty() };
        let Some(mut name) = name.strip_suffix(last.as_str()) else { return false };
        middle.iter().all(|piece| match name.find(piece.as_str()) {
            Some(at) => {
                name = &name[at + piece.len()..];
                true
            }
            None => false,
        })
    }
}

/// Which column of an event a pattern looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Id,
    Ns,
}

impl Column {
    /// Which one a pattern is about where both are possible.
    pub fn of(pattern: &str) -> Self {
        if pattern.contains('/') { Self::Id } else { Self::Ns }
    }

    fn symbols(self, chunk: &Chunk) -> &[Symbol] {
        match self {
            Self::Id => chunk.ids(),
            Self::Ns => chunk.nss(),
        }
    }

    fn family(self, family: Family) -> &'static str {
        match self {
            Self::Id => family.id(),
            Self::Ns => family.ns(),
        }
    }
}

/// What is let through: with `allow` only what it names, never what `disallow` names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    pub allow: Vec<Pattern>,
    pub disallow: Vec<Pattern>,
}

impl Allow {
    /// Whether it lets everything through.
    pub fn is_all(&self) -> bool {
        self.allow.is_empty() && self.disallow.is_empty()
    }

    /// Whether an event of this name and family's name passes.
    pub fn passes(&self, name: &str, family: &str) -> bool {
        let is_one = |patterns: &[Pattern]| patterns.iter().any(|pattern| answers(pattern, name, family));
        (self.allow.is_empty() || is_one(&self.allow)) && !is_one(&self.disallow)
    }
}

/// Whether an event of this name and family's name answers to `pattern`.
pub(super) fn answers(pattern: &Pattern, name: &str, family: &str) -> bool {
    pattern.matches(name) || (!family.is_empty() && pattern.matches(family))
}

/// Judges each name of a chunk once, however many rows have it, and calls `each` with every row's verdict.
pub(super) fn judge<V: Copy>(
    chunk: &Chunk,
    column: Column,
    mut verdict: impl FnMut(&str, &'static str) -> V,
    mut each: impl FnMut(usize, V),
) {
    const FAMILIES: usize = 5;
    let mut known: Vec<Option<V>> = vec![None; chunk.names().len() * FAMILIES];
    for (row, (symbol, family)) in column.symbols(chunk).iter().zip(chunk.families()).enumerate() {
        let slot = symbol.0 as usize * FAMILIES + *family as usize;
        let judged = match known.get(slot).copied().flatten() {
            Some(judged) => judged,
            None => {
                let judged = verdict(chunk.names().get(*symbol), column.family(*family));
                if let Some(slot) = known.get_mut(slot) {
                    *slot = Some(judged);
                }
                judged
            }
        };
        each(row, judged);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_read_as_telemere_reads_them() {
        for (pattern, matching, other) in [
            ("browser/perf*", vec!["browser/performance", "browser/perf"], vec!["browser/error", "x/perf"]),
            ("browser.*", vec!["browser.error", "browser."], vec!["browser", "browserx"]),
            ("foo(.*)", vec!["foo", "foo.bar", "foo.bar.baz", "foo/x"], vec!["foobar", "fo", "xfoo"]),
            (":browser/error", vec!["browser/error"], vec!["browser/errors"]),
            ("*", vec!["", "anything"], vec![]),
            ("*/login", vec!["app/login"], vec!["app/logins"]),
            ("a*b*c", vec!["abc", "axxbyyc", "abcbc"], vec!["ab", "acb"]),
            ("taoensso.*(.*)", vec!["taoensso.x", "taoensso.x.y"], vec!["taoensso"]),
            ("a.b", vec!["a.b"], vec!["axb"]),
        ] {
            let read = Pattern::parse(pattern).expect("a pattern");
            for name in matching {
                assert!(read.matches(name), "{pattern} {name}");
            }
            for name in other {
                assert!(!read.matches(name), "{pattern} {name}");
            }
        }
        assert!(Pattern::parse(" ").is_err() && Pattern::parse(&"x".repeat(300)).is_err());
    }

    #[test]
    fn families_answer_and_disallow_wins() {
        let patterns = |texts: &[&str]| texts.iter().map(|text| Pattern::parse(text).expect("one")).collect();
        let allow =
            Allow { allow: patterns(&["browser/error", "app/*"]), disallow: patterns(&["app/noise"]) };
        for (name, family, passes) in [
            ("browser/javascript", "browser/error", true),
            ("browser/click", "browser/analytics", false),
            ("app/login", "", true),
            ("app/noise", "", false),
        ] {
            assert_eq!(allow.passes(name, family), passes, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_pattern_matches_what_its_regex_matches(pattern in "[ab.*/]{1,8}", name in "[ab./]{0,10}") {
            let read = Pattern::parse(&pattern).expect("a pattern");
            let regex = format!("^{}$", regex::escape(&pattern).replace("\\*", ".*"));
            prop_assert_eq!(read.matches(&name), regex::Regex::new(&regex).expect("one").is_match(&name));
        }
    }
}
