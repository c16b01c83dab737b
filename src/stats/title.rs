//! One title for messages that differ in their values: what they have in common, `…` for the rest.
//!
//! Used for groups of errors, whose events may say different things of the same fault.

/// Of each message, in bytes: what a group is about is said before that.
const READ_MAX: usize = 1_024;
const GAP: &str = "…";

/// Of rounds until what is shared with a message no longer changes; signs beside a gap may take two.
const ROUNDS: usize = 4;

/// This gives the words that `title` and `message` share, or `None` where `title` fits the message as it is.
pub(super) fn shared(title: &str, message: &str) -> Option<String> {
    if fits(title, message) {
        return None;
    }
    let cut = |text: &str| text[..text.floor_char_boundary(READ_MAX)].to_owned();
    let message = cut(message);
    let mut found: Option<String> = None;
    for _ in 0..ROUNDS {
        match narrowed(found.as_deref().unwrap_or(&cut(title)), &message) {
            None => return found,
            narrower => found = narrower,
        }
    }
    Some(GAP.to_owned())
}

/// Whether `title` is `message`, or that with one gap within a word: nearly every message fits like that, and is told
/// without taking the words apart. `false` says nothing.
fn fits(title: &str, message: &str) -> bool {
    if title == message {
        return true;
    }
    if title.len().max(message.len()) > READ_MAX {
        return false;
    }
    let Some((head, tail)) = title.split_once(GAP) else { return false };
    let middle = message.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail)).unwrap_or_default();
    let ends_word =
        |letter: Option<char>| letter.is_none_or(|letter| letter != '…' && !letter.is_alphanumeric());
    !middle.is_empty()
        && !tail.contains(GAP)
        && !middle.contains(|letter: char| letter == '…' || letter.is_whitespace())
        && ends_word(head.chars().next_back())
        && ends_word(tail.chars().next())
}

/// One round of it: `None` where there is nothing to leave out.
fn narrowed(title: &str, message: &str) -> Option<String> {
    let (ours, theirs): (Vec<_>, Vec<_>) =
        (title.split_whitespace().collect(), message.split_whitespace().collect());
    let words = if ours.len() == theirs.len() {
        ours.iter().zip(&theirs).map(|(a, b)| shared_word(a, b)).collect()
    } else {
        ends(&ours, &theirs)
    };
    Some(words).filter(|words| *words != ours).map(|words| words.join(" "))
}

/// The words before and after what differs.
fn ends(ours: &[&str], theirs: &[&str]) -> Vec<String> {
    let same = |(a, b): &(&&str, &&str)| a == b;
    let before = ours.iter().zip(theirs).take_while(same).count();
    let room = ours.len().min(theirs.len()) - before;
    let after = ours.iter().rev().zip(theirs.iter().rev()).take_while(same).count().min(room);
    let kept = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    // A gap that is there already stands for this one too.
    let has_gap = before > 0 && ours[before - 1] == GAP || after > 0 && ours[ours.len() - after] == GAP;
    let gap = if has_gap { Vec::new() } else { vec![GAP.to_owned()] };
    [kept(&ours[..before]), gap, kept(&ours[ours.len() - after..])].concat()
}

/// `'…')` for `'price')` and `'total')`: the signs around what differs stay.
fn shared_word(ours: &str, theirs: &str) -> String {
    if ours == theirs {
        return ours.to_owned();
    }
    let is_sign = |letter: char| !letter.is_alphanumeric() && letter != '…';
    let before: usize =
        ours.chars().zip(theirs.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let before = ours[..before]
        .rfind(is_sign)
        .map_or(0, |at| ours[at..].chars().next().map_or(0, |sign| at + sign.len_utf8()));
    let (ours_left, theirs_left) = (&ours[before..], &theirs[before..]);
    let pairs = ours_left.chars().rev().zip(theirs_left.chars().rev());
    let after: usize = pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let tail = &ours_left[ours_left.len() - after..];
    let tail = tail.find(is_sign).map_or("", |at| &tail[at..]);
    let (head, tail) = (ours[..before].trim_end_matches('…'), tail.trim_start_matches('…'));
    format!("{head}{GAP}{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_left_out() {
        for (title, message, expected) in [
            ("same", "same", None),
            (
                "Cannot read properties of undefined (reading 'price')",
                "Cannot read properties of undefined (reading 'prime')",
                Some("Cannot read properties of undefined (reading '…')"),
            ),
            ("user 42 is missing", "user 7 is missing", Some("user … is missing")),
            ("user … is missing", "user 9 is missing", None),
            ("order x=42, y=1", "order x=43, y=1", Some("order x=…, y=1")),
            ("no", "no luck today", Some("no …")),
            ("no luck today", "no", Some("no …")),
            ("no …", "no luck at all", None),
            ("a b c z", "a z", Some("a … z")),
            ("a … z", "a b c d z", None),
            ("one", "another thing", Some("…")),
            ("", "x", Some("…")),
            ("größe 'ä' €", "größe 'ö' €", Some("größe '…' €")),
        ] {
            assert_eq!(shared(title, message).as_deref(), expected, "{title:?} {message:?}");
        }
    }

    #[test]
    fn what_fits_at_a_glance_fits_word_by_word() {
        for (title, message, expected) in [
            ("same", "same", true),
            ("user … is missing", "user 9 is missing", true),
            ("took …", "took 5", true),
            ("(turn …)", "(turn 12)", true),
            ("(turn …)", "(turn )", false),
            ("user … is missing", "user a b is missing", false),
            ("a…", "ab", false),
            ("…b", "ab", false),
            ("x …", "x …", true),
            ("x … …", "x 1 2", false),
            ("no", "no luck", false),
        ] {
            assert_eq!(fits(title, message), expected, "{title:?} {message:?}");
            assert!(!expected || narrowed(title, message).is_none(), "{title:?} {message:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_glance_never_takes_what_word_by_word_does_not_fit(
            title in "[a-b'( ]{0,4}…?[a-b') ]{0,4}",
            message in "[a-b'() 1…]{0,12}",
        ) {
            proptest::prop_assert!(!fits(&title, &message) || narrowed(&title, &message).is_none());
        }

        #[test]
        fn a_shared_title_fits_both(a in "[a-c'(… ]{0,20}|.{0,40}", b in "[a-c'(… ]{0,20}|.{0,40}") {
            let title = shared(&a, &b).unwrap_or(a);
            proptest::prop_assert_eq!(shared(&title, &b), None);
        }
    }
}
