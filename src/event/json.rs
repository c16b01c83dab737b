//! A reader of JSON text that has already been checked: members, elements, paths and scalars, nothing copied.
//!
//! Called by everything that looks into an event's `data` (filter, detail, redaction). It never builds a tree,
//! never recurses (nesting is unbounded in what a page may send) and never fails: text that is not JSON just ends
//! the iteration.

use std::borrow::Cow;

/// One member of an object: its key as written (still escaped, without quotes) and its value's exact text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    pub key: &'a str,
    pub value: &'a str,
    /// Where `value` starts in the text given to [`members`].
    pub at: usize,
}

/// What a value is, read from its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Object,
    Array,
    Text,
    Number,
    Bool,
    Null,
}

/// The shape of a value's text.
pub fn shape(value: &str) -> Shape {
    match value.as_bytes().first() {
        Some(b'{') => Shape::Object,
        Some(b'[') => Shape::Array,
        Some(b'"') => Shape::Text,
        Some(b't' | b'f') => Shape::Bool,
        Some(b'n') | None => Shape::Null,
        Some(_) => Shape::Number,
    }
}

/// The members of an object's text, in the order written; empty for anything else.
pub fn members(object: &str) -> Members<'_> {
    let mut cursor = Cursor { text: object, at: 0 };
    cursor.skip_space();
    let done = !cursor.take(b'{');
    Members { cursor, done }
}

/// See [`members`].
#[derive(Clone, Debug)]
pub struct Members<'a> {
    cursor: Cursor<'a>,
    done: bool,
}

impl<'a> Members<'a> {
    /// The key of the next member and where its value starts, without reading past the value.
    pub fn peek(&self) -> Option<(&'a str, usize)> {
        let mut ahead = self.cursor.clone();
        (!self.done).then_some(())?;
        let key = ahead.key()?;
        Some((key, ahead.at))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Member<'a>;

    fn next(&mut self) -> Option<Member<'a>> {
        if self.done {
            return None;
        }
        self.done = true;
        let key = self.cursor.key()?;
        let at = self.cursor.at;
        let value = self.cursor.value()?;
        self.cursor.skip_space();
        self.done = !self.cursor.take(b',');
        Some(Member { key, value, at })
    }
}

/// The elements of an array's text with where each starts; empty for anything else.
pub fn elements(array: &str) -> Elements<'_> {
    let mut cursor = Cursor { text: array, at: 0 };
    cursor.skip_space();
    let done = !cursor.take(b'[');
    Elements { cursor, done }
}

/// See [`elements`].
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    cursor: Cursor<'a>,
    done: bool,
}

impl<'a> Iterator for Elements<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<(usize, &'a str)> {
        if self.done {
            return None;
        }
        self.done = true;
        self.cursor.skip_space();
        let at = self.cursor.at;
        let value = self.cursor.value()?;
        self.cursor.skip_space();
        self.done = !self.cursor.take(b',');
        Some((at, value))
    }
}

/// The text of a string value: unescaped, `None` if the value is not a string. A lone surrogate reads as U+FFFD.
pub fn text(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    Some(unescape(inner))
}

/// A number, also one written inside a string (`"42"`); `None` for anything else and for non-finite results.
pub fn number(value: &str) -> Option<f64> {
    if let Some(number) = short_number(value) {
        return Some(number);
    }
    let digits = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value).trim();
    let first = *digits.as_bytes().first()?;
    if !(first.is_ascii_digit() || first == b'-' || first == b'+' || first == b'.') {
        return None;
    }
    digits.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Powers of ten up to the most digits of which every whole number is exact as a float.
const TENS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Digits with at most one point between: the counts, statuses and times that nearly all numbers in events are.
///
/// Both parts of the division are exact, so its result is the nearest float, as a general reader gives.
fn short_number(text: &str) -> Option<f64> {
    // Fifteen digits and the point.
    if text.len() > TENS.len() {
        return None;
    }
    let (mut digits, mut point) = (0_u64, 0);
    for (at, byte) in text.bytes().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            digits = digits * 10 + u64::from(digit);
        } else if byte == b'.' && at > 0 && point == 0 {
            point = at;
        } else {
            return None;
        }
    }
    let decimals = if point == 0 { 0 } else { text.len() - point - 1 };
    let count = text.len() - usize::from(point > 0);
    #[expect(clippy::cast_precision_loss, reason = "15 digits are below 2^53")]
    (1..TENS.len()).contains(&count).then(|| digits as f64 / TENS[decimals])
}

/// Resolves JSON's escapes in the text between a string's quotes.
pub fn unescape(inner: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'\\', inner.as_bytes()) else {
        return Cow::Borrowed(inner);
    };
    let mut out = String::with_capacity(inner.len());
    out.push_str(&inner[..first]);
    let mut rest = &inner[first..];
    while let Some(escape) = rest.strip_prefix('\\') {
        let (character, used) = read_escape(escape);
        out.push(character);
        rest = &escape[used..];
        let plain = memchr::memchr(b'\\', rest.as_bytes()).unwrap_or(rest.len());
        out.push_str(&rest[..plain]);
        rest = &rest[plain..];
    }
    Cow::Owned(out)
}

/// Reads what follows a backslash: the character and how many bytes it took.
fn read_escape(escape: &str) -> (char, usize) {
    let simple = match escape.as_bytes().first() {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => return read_unicode(escape),
        Some(_) => {
            let character = escape.chars().next().unwrap_or('\u{fffd}');
            return (character, character.len_utf8());
        }
        None => return ('\u{fffd}', 0),
    };
    (simple, 1)
}

fn read_unicode(escape: &str) -> (char, usize) {
    let Some(unit) = hex4(escape.get(1..5)) else {
        return ('\u{fffd}', 1);
    };
    if let Some(character) = char::from_u32(unit) {
        return (character, 5);
    }
    let low = escape.get(5..7).filter(|pair| *pair == "\\u").and_then(|_| hex4(escape.get(7..11)));
    match low {
        Some(low @ 0xDC00..=0xDFFF) if unit < 0xDC00 => {
            let scalar = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            (char::from_u32(scalar).unwrap_or('\u{fffd}'), 11)
        }
        _ => ('\u{fffd}', 5),
    }
}

fn hex4(digits: Option<&str>) -> Option<u32> {
    // `from_str_radix` alone would also take a sign.
    digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits?, 16).ok()
}

/// Folds a field name as the contract does: without case, `-`, `_` and a final `?`.
pub fn same_name(a: &str, b: &str) -> bool {
    let fold = |name| {
        let bytes: &str = name;
        bytes.strip_suffix('?').unwrap_or(bytes).bytes().filter(|byte| *byte != b'-' && *byte != b'_')
    };
    let mut left = fold(a).map(|byte| byte.to_ascii_lowercase());
    let mut right = fold(b).map(|byte| byte.to_ascii_lowercase());
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (x, y) if x == y => {}
            _ => return false,
        }
    }
}

/// The value of the last member whose name is `name` in any case style; null counts as absent.
pub fn get<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let bytes = object.as_bytes();
    let space = |at: usize| at + bytes.get(at..).map_or(0, leading_space);
    let is_at = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
    let letter = first_letter(name);
    let mut found = None;
    let mut at = space(0);
    let mut goes_on = is_at(at, b'{');
    // As `members`, which would take apart every key to compare one or two of them.
    while goes_on {
        let key = space(at + 1);
        let end = string_end(bytes, key + 1).filter(|_| is_at(key, b'"'));
        let Some(colon) = end.map(|end| space(end + 1)).filter(|colon| is_at(*colon, b':')) else { break };
        let value = space(colon + 1);
        let Some(value_end) = value_end(bytes, value) else { break };
        let is_letter = bytes.get(key + 1).is_some_and(|byte| first_letter_bits(*byte) & letter != 0);
        if is_letter && is_name(object.get(key + 1..end.unwrap_or(key)).unwrap_or_default(), name) {
            found = object.get(value..value_end);
        }
        at = space(value_end);
        goes_on = is_at(at, b',');
    }
    found.filter(|value| shape(value) != Shape::Null)
}

fn is_name(key: &str, name: &str) -> bool {
    key == name || may_be_name(key, name) && same_name(&unescape(key), name)
}

/// How many bytes of white space `text` begins with.
fn leading_space(text: &[u8]) -> usize {
    match text.first() {
        Some(byte) if *byte <= b' ' => text.iter().take_while(|byte| b" \n\t\r".contains(byte)).count(),
        _ => 0,
    }
}

/// As [`get`] for several names, in one walk over the object.
pub fn get_all<'a, const N: usize>(object: &'a str, names: [&str; N]) -> [Option<&'a str>; N] {
    pick(members(object).map(|member| (member.key, member.value)), names)
}

/// As [`get_all`], from members that have been found already: keys as written and values. No two of `names` may be
/// the same in different styles.
pub fn pick<'a, const N: usize>(
    members: impl Iterator<Item = (&'a str, &'a str)>,
    names: [&str; N],
) -> [Option<&'a str>; N] {
    let mut found = [None; N];
    let letters = names.into_iter().fold(0, |all, name| all | first_letter(name));
    for (key, value) in members {
        if first_letter(key) & letters == 0 {
            continue;
        }
        // Nearly all keys are written as the names are; the other styles are only looked for where that fails.
        let exact = names.into_iter().position(|name| key == name);
        let is_same = |name| may_be_name(key, name) && same_name(&unescape(key), name);
        if let Some(place) = exact.or_else(|| names.into_iter().position(is_same)) {
            found[place] = Some(value);
        }
    }
    found.map(|value| value.filter(|value| shape(value) != Shape::Null))
}

/// A bit for the letter `name` begins with, all of them where it begins with something else that may be folded away.
fn first_letter(name: &str) -> u32 {
    name.as_bytes().first().map_or(u32::MAX, |letter| first_letter_bits(*letter))
}

fn first_letter_bits(letter: u8) -> u32 {
    if letter.is_ascii_alphabetic() { 1 << (letter & 31) } else { u32::MAX }
}

/// Whether the first and last letters leave it possible that `key`, as written, is `name`: nearly all keys end here.
fn may_be_name(key: &str, name: &str) -> bool {
    let may_be_same = |a: Option<&u8>, b: Option<&u8>| match (a, b) {
        (Some(a), Some(b)) if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => a.eq_ignore_ascii_case(b),
        _ => true,
    };
    let (key, name) = (key.as_bytes(), name.as_bytes());
    // The last letter of an escape is none of the key's own.
    may_be_same(key.first(), name.first())
        && (may_be_same(key.last(), name.last()) || key.iter().rev().take(6).any(|byte| *byte == b'\\'))
}

/// Follows `path` through objects by name and through arrays by index.
pub fn path<'a>(object: &'a str, path: &[&str]) -> Option<&'a str> {
    let mut value = object;
    for part in path {
        value = match shape(value) {
            Shape::Array => elements(value).nth(part.parse().ok()?)?.1,
            _ => get(value, part)?,
        };
    }
    (shape(value) != Shape::Null).then_some(value)
}

/// Whether any value at `path` holds, where a name is looked up in every object of an array, as filters do; `None` if
/// there is no value but null. Recurses once a name at most.
pub fn any_at<'a>(object: &'a str, path: &[&str], holds: &mut dyn FnMut(&'a str) -> bool) -> Option<bool> {
    let mut value = object;
    for (at, part) in path.iter().enumerate() {
        value = match (shape(value), part.parse()) {
            (Shape::Array, Ok(index)) => elements(value).nth(index)?.1,
            (Shape::Array, Err(_)) => {
                let objects = elements(value)
                    .map(|(_, element)| element)
                    .filter(|element| shape(element) == Shape::Object);
                let mut found = objects.filter_map(|object| any_at(object, &path[at..], holds));
                let first = found.next()?;
                return Some(first || found.any(|holds| holds));
            }
            _ => get(value, part)?,
        };
    }
    (shape(value) != Shape::Null).then(|| holds(value))
}

#[derive(Clone, Debug)]
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.bytes().get(self.at) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.bytes().get(self.at) == Some(&byte);
        self.at += usize::from(is_there);
        is_there
    }

    /// The key here, and moves to its value.
    fn key(&mut self) -> Option<&'a str> {
        self.skip_space();
        let key = self.string()?;
        self.skip_space();
        if !self.take(b':') {
            return None;
        }
        self.skip_space();
        Some(key)
    }

    /// The text between the quotes of the string here, and moves past it.
    fn string(&mut self) -> Option<&'a str> {
        if !self.take(b'"') {
            return None;
        }
        let start = self.at;
        let end = string_end(self.bytes(), start)?;
        self.at = end + 1;
        self.text.get(start..end)
    }

    /// The exact text of the value here, and moves past it.
    fn value(&mut self) -> Option<&'a str> {
        let start = self.at;
        let end = value_end(self.bytes(), start)?;
        self.at = end;
        self.text.get(start..end)
    }
}

/// Bytes of a string looked at eight at a time.
const SHORT_STRING: usize = 48;

/// The position of the quote that closes a string whose content starts at `start`.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    // Most strings are shorter than what the vectorised search needs to get going.
    let mut at = start;
    while at - start < SHORT_STRING
        && let Some(word) = bytes.get(at..)?.first_chunk()
    {
        let word = u64::from_le_bytes(*word);
        let found = equal(word, b'"') | equal(word, b'\\');
        if found == 0 {
            at += 8;
            continue;
        }
        at += found.trailing_zeros() as usize / 8;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
    loop {
        let found = at + memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[found] == b'"' {
            return Some(found);
        }
        at = found + 2;
    }
}

/// The position just past the value that starts at `start`. Depth is a counter, not a stack.
fn value_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = start;
    loop {
        match *bytes.get(at)? {
            b'"' => at = string_end(bytes, at + 1)? + 1,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            _ if depth > 0 => at += 1,
            byte if ends_word(byte) => return None,
            _ => {
                let more = bytes[at..].iter().position(|byte| ends_word(*byte));
                return Some(more.map_or(bytes.len(), |more| at + more));
            }
        }
        if depth == 0 {
            return Some(at);
        }
        at = next_mark(bytes, at);
    }
}

/// Whether a number, truth or null is over.
fn ends_word(byte: u8) -> bool {
    matches!(byte, b',' | b':' | b']' | b'}' | b' ' | b'\n' | b'\t' | b'\r')
}

/// The first position at or after `at` of a quote, brace or bracket, or one before it.
fn next_mark(bytes: &[u8], mut at: usize) -> usize {
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*word);
        // With bit 0x20 set brackets are braces.
        let folded = word | (ONES * 0x20);
        let found = equal(word, b'"') | equal(folded, b'{') | equal(folded, b'}');
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = ONES << 7;

/// The high bit of the first byte that is `byte` is set and none before it; later bits say nothing.
fn equal(word: u64, byte: u8) -> u64 {
    let left = word ^ (ONES * u64::from(byte));
    left.wrapping_sub(ONES) & !left & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_with_their_exact_text() {
        let object = r#" { "a" : 1.50 , "b\"c":[1,{"x":"}"}], "d": {"e":null} }"#;
        let found: Vec<_> = members(object).map(|member| (member.key, member.value)).collect();
        assert_eq!(found, [("a", "1.50"), (r#"b\"c"#, r#"[1,{"x":"}"}]"#), ("d", r#"{"e":null}"#)]);
        for member in members(object) {
            assert!(object[member.at..].starts_with(member.value));
        }
    }

    #[test]
    fn names_match_in_every_case_style() {
        for (a, b, same) in [
            ("duration-ms", "durationMs", true),
            ("duration_ms", "DURATION-MS", true),
            ("cached?", "cached", true),
            ("cached?", "cach", false),
            ("", "-", true),
            ("user-id", "user-idx", false),
        ] {
            assert_eq!(same_name(a, b), same, "{a} {b}");
        }
    }

    #[test]
    fn paths_walk_objects_and_arrays_and_null_is_absent() {
        let object = r#"{"timing":{"dnsLookup":45},"args":["a",{"b":2}],"none":null,"x":1,"x":2}"#;
        assert_eq!(path(object, &["timing", "dns-lookup"]), Some("45"));
        assert_eq!(path(object, &["args", "1", "b"]), Some("2"));
        assert_eq!(path(object, &["args", "7"]), None);
        assert_eq!(path(object, &["none"]), None);
        assert_eq!(get_all(object, ["x", "none", "TIMING"]), [Some("2"), None, Some(r#"{"dnsLookup":45}"#)]);
        assert_eq!(get(object, "x"), Some("2"), "the last of two equal keys counts, as in JSON.parse");
    }

    #[test]
    fn strings_are_unescaped() {
        for (raw, expected) in [
            (r#""plain""#, "plain"),
            (r#""a\n\t\"\\\/b""#, "a\n\t\"\\/b"),
            (r#""\u00e9\ud83d\ude00""#, "é😀"),
            (r#""\ud800x""#, "\u{fffd}x"),
            (r#""\ud800\u0041""#, "\u{fffd}A"),
        ] {
            assert_eq!(text(raw).as_deref(), Some(expected), "{raw}");
        }
        assert_eq!(text("12"), None);
    }

    #[test]
    fn numbers_are_read_from_numbers_and_from_strings() {
        for (raw, expected) in
            [("12", Some(12.0)), (r#""42""#, Some(42.0)), ("1e400", None), (r#""x""#, None), ("true", None)]
        {
            assert_eq!(number(raw), expected, "{raw}");
        }
    }

    proptest::proptest! {
        #[test]
        fn short_numbers_are_what_the_general_reader_gives(text in "[0-9]{0,9}[.e-]?[0-9]{0,9}") {
            let general = text.parse().ok().filter(|number: &f64| number.is_finite());
            if let Some(number) = short_number(&text) {
                proptest::prop_assert_eq!(Some(number), general);
            }
        }

        #[test]
        fn one_name_is_looked_for_as_several_are(
            text in r#" ?\{( ?"(a|A|_a|a-b|aB|ab\?|\\u0061|é)" ?: ?([0-9.]{1,12}|"[a\\"]{0,20}"|nul{0,2}|[\[{][a":,{\[\]}]{0,12}[\]}]) ?,?){0,4}\}?|.{0,40}"#,
        ) {
            for name in ["a", "a-b", "é"] {
                let [found] = get_all(&text, [name]);
                proptest::prop_assert_eq!(get(&text, name), found, "{} in {}", name, text);
            }
        }

        #[test]
        fn any_text_ends_the_walk_without_a_panic(input in ".{0,200}") {
            for member in members(&input) {
                proptest::prop_assert!(input.contains(member.value));
                let _ = unescape(member.key);
            }
            for (at, value) in elements(&input) {
                proptest::prop_assert!(input[at..].starts_with(value));
            }
            let _ = path(&input, &["a", "0"]);
            let _ = number(&input);
            let _ = text(&input);
        }
    }
}
