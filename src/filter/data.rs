//! Tests of values in an event's JSON, found by path.
//!
//! Built by `plan`, run by `eval` for the rows that are left when the columns have had their say. Rows whose shape has no
//! such member are passed over, and a text is searched for in the JSON of a chunk as one before any path is followed.

use std::ops::Range;

use super::bits::Bits;
use super::by_path;
use super::hits::{Place, each_row_with, key_before, mark_escapes, place};
use super::needle::Needle;
use super::relaxed::{Keep, Relaxed};
use super::text::{TextTest, same_text};
use super::typed::{Bounds, Pattern};
use super::value::{Measure, Number};
use crate::event::leaves::{leaves, text_of};
use crate::event::{Chunk, Form, Occurrence, json};

/// Values at some paths, and what is asked of them.
#[derive(Clone, Debug)]
pub(super) struct DataLeaf {
    pub(super) paths: Vec<Vec<String>>,
    /// What the numbers at each path measure by its name.
    pub(super) units: Vec<Option<Measure>>,
    /// All paths count, not only the first that exists.
    pub(super) each: bool,
    pub(super) part: Part,
    pub(super) test: DataTest,
    /// `None` if every row must be looked at.
    pub(super) clue: Option<Clue>,
}

/// Which part of a text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    /// Host and port of a URL.
    Host,
    /// Path of a URL, without the query.
    Path,
    /// Path, query and fragment of a URL.
    AfterHost,
}

#[derive(Clone, Debug)]
pub(super) enum DataTest {
    Present,
    Text(TextTest),
    /// Values that are numbers equal this one, other values pass the test.
    TextOrNumber(TextTest, Number),
    Number(Bounds, Measure),
    Bool(bool),
}

/// What a text that passes must hold; found in the JSON of a chunk as one text.
#[derive(Clone, Debug)]
pub(super) enum Clue {
    Word(Needle),
    /// Through JSON, and through values that lie beside each other.
    Regexp(Relaxed, Option<Relaxed>),
}

/// Rows from which on the shapes of a chunk are worth knowing: a chunk that is filtered once is walked as quickly.
const MANY: usize = 2_048;
/// Rows of which it is quicker to look at each than to search the values of all.
const FEW: usize = 64;

impl DataLeaf {
    /// Adds to `out` the rows of `mask` that pass.
    pub(super) fn eval(&mut self, chunk: &Chunk, mask: &Bits, out: &mut Bits) {
        let is_part = matches!(self.test, DataTest::Present) && self.part != Part::Whole;
        if !is_part
            && let Some(texts) = chunk.texts().filter(|_| mask.count() >= FEW)
            && let Some(apart) = by_path::eval(self, texts, mask, out)
        {
            return self.one_by_one(chunk, &apart, out);
        }
        let once = if mask.count() >= MANY { Some(self.by_shape(chunk, mask, out)) } else { None };
        let (mut rest, once) = once.unwrap_or_else(|| (mask.clone(), Bits::new()));
        if rest.is_empty() {
            return;
        }
        if let Some(Clue::Word(needle)) = &mut self.clue {
            needle.tune(chunk.json().as_bytes());
        }
        if let Some(clue) = &self.clue {
            let mut by_path = Bits::new();
            let (mut escaped, mut needless) = (Bits::new(), Bits::new());
            mark_escapes(chunk, &rest, &mut escaped, &mut needless);
            let is_blind = matches!(clue, Clue::Regexp(lax, _) if lax.misses_escaped);
            by_path.or(if is_blind { &escaped } else { &needless });
            rest.and_not(&by_path);
            by_path.or(&self.follow(clue, chunk, &rest, &once, out));
            rest = by_path;
        }
        self.one_by_one(chunk, &rest, out);
    }

    fn one_by_one(&self, chunk: &Chunk, rows: &Bits, out: &mut Bits) {
        let paths: Vec<Vec<&str>> =
            self.paths.iter().map(|path| path.iter().map(String::as_str).collect()).collect();
        let passing = rows.iter().filter(|row| self.passes(chunk.event(*row).json(), &paths));
        passing.for_each(|row| out.insert(row));
    }

    /// Adds rows of which the shape alone says that they pass. What is left: rows that may pass, and those of them
    /// whose value can only be under one key of the event itself.
    fn by_shape(&self, chunk: &Chunk, mask: &Bits, out: &mut Bits) -> (Bits, Bits) {
        let is_flat = self.paths.iter().all(|path| path.len() == 1);
        let is_presence = matches!(self.test, DataTest::Present) && self.part == Part::Whole && is_flat;
        let shapes = chunk.shapes();
        // By number of the shape; numbers without a known shape stay as they are.
        let (mut passes, mut may_pass, mut is_once) = ([false; 256], [true; 256], [false; 256]);
        for (number, shape) in shapes.all().iter().enumerate() {
            let mut present = self
                .paths
                .iter()
                .map(|path| shape.occurrence(&path[0]))
                .filter(|found| *found != Occurrence::Absent);
            let first = present.next();
            passes[number] = is_presence && first.is_some();
            may_pass[number] = !is_presence && first.is_some();
            is_once[number] = is_flat && first == Some(Occurrence::Once) && present.next().is_none();
        }
        let [mut passed, mut rest, mut once] = [Bits::new(), Bits::new(), Bits::new()];
        for (bits, table) in [(&mut passed, passes), (&mut rest, may_pass), (&mut once, is_once)] {
            bits.fill_from(mask.span(), shapes.rows(), |number| table[usize::from(number)]);
            bits.and(mask);
        }
        out.or(&passed);
        (rest, once)
    }

    /// Follows the clue through the JSON of `rows`: what it comes up with passes, or is among the rows to look
    /// at. Of the rows in `once` a value that is under the right key tells all.
    fn follow(&self, clue: &Clue, chunk: &Chunk, rows: &Bits, once: &Bits, out: &mut Bits) -> Bits {
        let mut by_path = Bits::new();
        let find = |json: &[u8], from: usize| match clue {
            Clue::Word(needle) => needle.find_at(json, from),
            Clue::Regexp(lax, _) => lax.find_at(json, from),
        };
        each_row_with(chunk, rows, find, |row, bytes, hit| {
            if hit.end <= bytes.len()
                && once.contains(row)
                && let Place::Value(value) = place(bytes, &hit, false)
                && let Some(key) = key_before(bytes, value.start)
                && memchr::memchr2(b'{', b'[', &bytes[1..value.start]).is_none()
            {
                if !self.paths.iter().any(|path| is_name(key, &path[0])) {
                    return Some(value.end);
                }
                let text = std::str::from_utf8(&bytes[value]).unwrap_or_default();
                if self.leaf_holds(text, None) {
                    out.insert(row);
                }
            } else {
                by_path.insert(row);
            }
            None
        });
        by_path
    }

    fn passes(&self, event: &str, paths: &[Vec<&str>]) -> bool {
        let mut found = paths
            .iter()
            .zip(&self.units)
            .filter_map(|(path, unit)| json::any_at(event, path, &mut |value| self.holds(value, *unit)));
        if self.each { found.any(|holds| holds) } else { found.next() == Some(true) }
    }

    /// True if the value passes, or any value in it.
    fn holds(&self, value: &str, unit: Option<Measure>) -> bool {
        if matches!(self.test, DataTest::Present) {
            return self.part == Part::Whole || part_of(&text_of(value), self.part).is_some();
        }
        leaves(value).any(|leaf| self.leaf_holds(leaf.value, unit))
    }

    fn leaf_holds(&self, value: &str, unit: Option<Measure>) -> bool {
        let form = match value.as_bytes() {
            [b'"', ..] if memchr::memchr(b'\\', value.as_bytes()).is_some() => Form::Escaped,
            [b'"', ..] => Form::Text,
            _ => Form::Bare,
        };
        self.value_holds(&text_of(value), form, unit)
    }

    /// Whether a single value passes, its escapes resolved. A number is never written with escapes.
    pub(super) fn value_holds(&self, value: &str, form: Form, unit: Option<Measure>) -> bool {
        let near = || json::number(value).filter(|_| form != Form::Escaped);
        let number = || near().map(|near| Number::written(value.trim(), near));
        let text_holds = |test: &TextTest| part_of(value, self.part).is_some_and(|text| test.holds(text));
        match &self.test {
            DataTest::Present => true,
            DataTest::Text(test) => text_holds(test),
            DataTest::TextOrNumber(test, wanted) => {
                number().is_some_and(|number| number == *wanted) || form != Form::Bare && text_holds(test)
            }
            DataTest::Number(bounds, measure) => {
                number().is_some_and(|number| bounds.hold(number.times(scale(*measure, unit))))
            }
            DataTest::Bool(truth) => same_text(value, if *truth { "true" } else { "false" }),
        }
    }
}

/// Whether a key, as written, is `name`.
fn is_name(key: &[u8], name: &str) -> bool {
    key == name.as_bytes()
        || std::str::from_utf8(key).is_ok_and(|key| json::same_name(&json::unescape(key), name))
}

impl Clue {
    /// The clue to a text that passes `test`; `typed` is the pattern if that is one.
    pub(super) fn of(test: &DataTest, typed: Option<&Pattern>) -> Option<Self> {
        let DataTest::Text(test) = test else { return None };
        let word = match (test, typed) {
            (TextTest::Regexp(_), Some(pattern)) => {
                let lax = Relaxed::new(pattern, Keep::InsideStrings)?;
                let lined = Relaxed::new(pattern, Keep::Lines);
                return Some(Self::Regexp(lax, lined));
            }
            (TextTest::Contains(word, ..) | TextTest::Is(word) | TextTest::Same(word), _) => word,
            _ => return None,
        };
        let is_kept_as_is = |c: char| c.is_ascii() && !c.is_ascii_control() && !matches!(c, '"' | '\\');
        (!word.is_empty() && word.chars().all(is_kept_as_is)).then(|| Self::Word(Needle::new(word)))
    }
}

/// What a number in the data is multiplied with to be in the base unit: durations are sent in milliseconds, sizes
/// in bytes unless the name says kilobytes.
fn scale(measure: Measure, unit: Option<Measure>) -> f64 {
    match (measure, unit) {
        (Measure::Duration, _) | (Measure::Size, Some(Measure::Size)) => 1000.0,
        _ => 1.0,
    }
}

/// A part of a text; `None` if there is none.
pub(super) fn part_of(text: &str, part: Part) -> Option<&str> {
    if part == Part::Whole {
        return Some(text);
    }
    let scheme_end = memchr::memchr_iter(b':', text.as_bytes()).find(|at| text[at + 1..].starts_with("//"));
    let after_scheme = match scheme_end {
        Some(at) if !text[..at].contains(['/', '?', '#']) => Some(&text[at + 3..]),
        _ => text.strip_prefix("//"),
    };
    let (host, after_host) = match after_scheme {
        Some(rest) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
        None => ("", text),
    };
    let found = match part {
        Part::Host => host.rsplit('@').next().unwrap_or(host),
        Part::Path => &after_host[..after_host.find(['?', '#']).unwrap_or(after_host.len())],
        Part::Whole | Part::AfterHost => return Some(after_host),
    };
    (!found.is_empty()).then_some(found)
}

/// Whether the place `hit` in `text` lies in this part of it.
pub(super) fn is_in_part(text: &str, part: Part, hit: &Range<usize>) -> bool {
    part_of(text, part).is_some_and(|found| {
        // A part is a slice of the text, so its place follows from the two addresses.
        let start = found.as_ptr() as usize - text.as_ptr() as usize;
        start <= hit.start && hit.end <= start + found.len()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::samples::{self, sample_context};
    use super::super::{Bits, Matcher, parse};
    use super::*;

    #[test]
    fn ids_of_64_bits_are_compared_to_their_last_digit() {
        let ids = [
            "9007199254740992",
            "9007199254740993",
            "\"9007199254740993\"",
            "18446744073709551615",
            "9007199254740992.0",
            "-9007199254740993",
        ];
        // Enough that values are read where they lie by path, too.
        let events: Vec<String> = ids
            .iter()
            .cycle()
            .take(FEW * 2 / ids.len() * ids.len())
            .map(|id| format!("{{\"id-field\":{id}}}"))
            .collect();
        let texts: Vec<&str> = events.iter().map(String::as_str).collect();
        let (few, many) = (samples::chunk(&texts[..ids.len()]), samples::chunk(&texts));
        many.make_texts(&|| true);
        for (text, expected) in [
            ("id-field:9007199254740993", &[1, 2][..]),
            ("id-field=9007199254740992", &[0, 4]),
            ("id-field>9007199254740992", &[1, 2, 3]),
            ("id-field<=9007199254740992", &[0, 4, 5]),
            ("id-field:9007199254740993..18446744073709551614", &[1, 2]),
            ("id-field:18446744073709551614", &[]),
            ("id-field:(18446744073709551615 -9007199254740993)", &[3, 5]),
            ("id-field!=9007199254740993", &[0, 3, 4, 5]),
            ("id-field<-9007199254740992", &[5]),
        ] {
            let filter = Arc::new(parse(text).filter.expect(text));
            for chunk in [&few, &many] {
                let mut found = Bits::new();
                Matcher::new(Arc::clone(&filter), sample_context()).eval(chunk, 0..chunk.len(), &mut found);
                let wanted = (0..chunk.len()).filter(|row| expected.contains(&(row % ids.len())));
                assert_eq!(found.iter().collect::<Vec<_>>(), wanted.collect::<Vec<_>>(), "{text}");
            }
            assert_eq!(
                filter.reads_as().matches("900719925474099").count(),
                text.matches("900719925474099").count()
            );
        }
    }

    #[test]
    fn a_name_in_quotes_is_one_name_at_the_top_too() {
        let chunk = samples::chunk(&[
            r#"{"user.name":"Ann","cart size":3,"a b":{"c.d":1}}"#,
            r#"{"user":{"name":"Ann"},"message":"user.name is Ann","cart size":2}"#,
        ]);
        for (text, canonical, expected) in [
            (r#""user.name":ann"#, r#""user.name":ann"#, &[0][..]),
            (r#"-"user.name":ann"#, r#"-"user.name":ann"#, &[1]),
            (r#""cart size">2 or user.name=Ann"#, r#""cart size">2 OR user.name=Ann"#, &[0, 1]),
            (r#""cart size":(2, 4)"#, r#""cart size":(2, 4)"#, &[1]),
            (r#""a b"."c.d":1"#, r#""a b"."c.d":1"#, &[0]),
            (r#"has:'"user.name"'"#, r#"has:"\"user.name\"""#, &[0]),
            (r#"has:"user.name""#, "has:user.name", &[1]),
            (r#"has:'"a b"."c.d"'"#, r#"has:"\"a b\".\"c.d\"""#, &[0]),
            (r#"has:"cart size""#, r#"has:"cart size""#, &[0, 1]),
            (r#""user.name is" ann"#, r#""user.name is" ann"#, &[1]),
            (r#""user.name""#, r#""user.name""#, &[1]),
        ] {
            let filter = parse(text).filter.expect(text);
            assert_eq!(filter.to_string(), canonical, "{text}");
            let again = parse(&filter.to_string()).filter.expect(text);
            assert_eq!(again.reads_as(), filter.reads_as(), "{text}");
            let mut found = Bits::new();
            Matcher::new(Arc::new(filter), sample_context()).eval(&chunk, 0..chunk.len(), &mut found);
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn urls_have_parts() {
        for (url, host, path, after_host) in [
            (
                "https://u:p@api.example.com:8080/api/x?q=1#f",
                Some("api.example.com:8080"),
                Some("/api/x"),
                "/api/x?q=1#f",
            ),
            ("//cdn.example.com", Some("cdn.example.com"), None, ""),
            ("/api?next=http://x/y", None, Some("/api"), "/api?next=http://x/y"),
            ("", None, None, ""),
        ] {
            assert_eq!(part_of(url, Part::Host), host, "{url}");
            let (len, tail) = (url.len(), after_host.len());
            assert!(is_in_part(url, Part::AfterHost, &(len - tail..len)), "{url}");
            assert_eq!(is_in_part(url, Part::AfterHost, &(0..len)), len == tail, "{url}");
            assert_eq!(part_of(url, Part::Path), path, "{url}");
            assert_eq!(part_of(url, Part::AfterHost), Some(after_host), "{url}");
        }
    }
}
