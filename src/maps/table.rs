//! A source map as a sorted table: from a line and column of the script to those of a source.
//!
//! Made by [`Table::read`] of bytes that anybody may have written, with the `sourcemap` crate; pure. What a map says that
//! cannot be (lines before the first, columns past every file, sections without end) is left out or refused, never
//! believed.

use std::ops::Range;

use rustc_hash::FxHashSet;
use sourcemap::{DecodedMap, SourceMap, SourceMapIndex};
use thiserror::Error;

use super::text::Text;
use super::{MAX_BYTES, weight};

/// Tokens that are kept: a map of 10 MiB that somebody needs has two million.
const MAX_TOKENS: usize = 4_000_000;
/// Lines and columns beyond are no places of a file: negative numbers wrap to there.
const MAX_PLACE: u32 = 1 << 30;
/// Bytes of a source's name that are kept: every frame has a copy of it.
const MAX_NAME: usize = 1_024;
/// Sections within sections; bundlers nest none.
const MAX_DEPTH: usize = 8;
const NONE: u32 = u32::MAX;

/// Why there is no map.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    #[error("only local pages and allowed origins are asked for maps")]
    NotAllowed,
    #[error("its map is on another origin")]
    Elsewhere,
    #[error("it is over 10 MiB")]
    TooBig,
    #[error("no whole answer within 5 s")]
    TooSlow,
    #[error("no answer: {0}")]
    NoAnswer(String),
    #[error("the answer was {0}")]
    Status(u16),
    #[error("it is not in the project")]
    NotInRoot,
    #[error("its map is none: {0}")]
    NoMap(String),
    #[error("its map has more than 4,000,000 places")]
    TooMany,
    #[error("its map lists more than a script can need")]
    TooMuch,
    #[error("it has no such module any more")]
    NoModule,
    #[error("webpack's eval devtools keep its map inside of the page")]
    InPage,
    #[error("too many scripts wait")]
    Busy,
    #[error("its code was replaced before its map was asked for")]
    Replaced,
}

/// A place in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// Its number in [`Table::sources`].
    pub source: usize,
    /// From 0.
    pub line: u32,
    /// From 0, in UTF-16 units.
    pub column: u32,
    /// What the sources call what stands there.
    pub name: Option<&'a str>,
}

/// One source of a map.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SourceText {
    /// As the map names it.
    pub name: Box<str>,
    pub content: Option<Text>,
    /// The map says that it is a library's.
    pub is_ignored: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    line: u32,
    column: u32,
    source: u32,
    source_line: u32,
    source_column: u32,
    name: u32,
}

/// A map that was read.
#[derive(Debug, Default)]
pub struct Table {
    /// By line and column of the script.
    entries: Vec<Entry>,
    sources: Vec<SourceText>,
    names: Vec<Box<str>>,
}

impl Table {
    /// Reads a map, of whatever kind.
    ///
    /// # Errors
    /// When it is none, too big, or has too many places.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > MAX_BYTES {
            return Err(Refusal::TooBig);
        }
        // A React Native bundle is no page's, and its map has a reader of its own that nobody needs here.
        if memchr::memmem::find(bytes, b"\"x_facebook_sources\"").is_some() {
            return Err(Refusal::NoMap("it is of React Native".to_owned()));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        weight::check(bytes)?;
        let map = sourcemap::decode_slice(bytes).map_err(|error| Refusal::NoMap(error.to_string()))?;
        let mut table = Self::default();
        match &map {
            DecodedMap::Regular(map) => table.add(map, (0, 0))?,
            DecodedMap::Index(index) => table.add_index(index, (0, 0), 0)?,
            DecodedMap::Hermes(_) => return Err(Refusal::NoMap("it is of React Native".to_owned())),
        }
        table.entries.shrink_to_fit();
        Ok(table)
    }

    fn add_index(&mut self, index: &SourceMapIndex, at: (u32, u32), depth: usize) -> Result<(), Refusal> {
        if depth > MAX_DEPTH {
            return Err(Refusal::NoMap("its sections hold sections without end".to_owned()));
        }
        for section in index.sections() {
            let (line, column) = section.get_offset();
            let (line, column) =
                (line.saturating_add(at.0), if line == 0 { column.saturating_add(at.1) } else { column });
            // Where a section begins the one before it ends, whatever that says.
            let first = self.entries.partition_point(|entry| (entry.line, entry.column) < (line, column));
            self.entries.truncate(first);
            match section.get_sourcemap() {
                Some(DecodedMap::Regular(map)) => self.add(map, (line, column))?,
                Some(DecodedMap::Index(inner)) => self.add_index(inner, (line, column), depth + 1)?,
                // A section elsewhere is not asked for.
                Some(DecodedMap::Hermes(_)) | None => {}
            }
        }
        Ok(())
    }

    fn add(&mut self, map: &SourceMap, at: (u32, u32)) -> Result<(), Refusal> {
        let count = map.get_token_count() as usize;
        if self.entries.len() + count > MAX_TOKENS {
            return Err(Refusal::TooMany);
        }
        let shift = |list: usize| u32::try_from(list).unwrap_or(NONE);
        let (first_source, first_name) = (shift(self.sources.len()), shift(self.names.len()));
        let ignored: FxHashSet<u32> = map.ignore_list().copied().collect();
        for number in 0..map.get_source_count() {
            self.sources.push(SourceText {
                name: short(map.get_source(number).unwrap_or("")).into(),
                content: map.get_source_contents(number).map(Text::new),
                is_ignored: ignored.contains(&number),
            });
        }
        self.names.extend(map.names().map(Box::from));
        let before = self.entries.len();
        self.entries.reserve(count);
        for token in map.tokens() {
            let raw = token.get_raw_token();
            let line = raw.dst_line.saturating_add(at.0);
            let column = if raw.dst_line == 0 { raw.dst_col.saturating_add(at.1) } else { raw.dst_col };
            let is_told =
                raw.src_id < map.get_source_count() && raw.src_line < MAX_PLACE && raw.src_col < MAX_PLACE;
            if line >= MAX_PLACE || column >= MAX_PLACE {
                continue;
            }
            self.entries.push(Entry {
                line,
                column,
                source: if is_told { first_source + raw.src_id } else { NONE },
                source_line: raw.src_line,
                source_column: raw.src_col,
                name: if raw.name_id == NONE { NONE } else { first_name.saturating_add(raw.name_id) },
            });
        }
        // Everything before is before where this begins. Of two tokens for one place the one that was written last counts, so
        // the order among them stays.
        let added = &mut self.entries[before..];
        if !added.is_sorted_by_key(|entry| (entry.line, entry.column)) {
            added.sort_by_key(|entry| (entry.line, entry.column));
        }
        Ok(())
    }

    /// What stands at `column` of `line` of the script, both from 0; `None` where the map says nothing about it.
    pub fn lookup(&self, line: u32, column: u32) -> Option<Token<'_>> {
        let after = self.entries.partition_point(|entry| (entry.line, entry.column) <= (line, column));
        self.token(self.entries[..after].last().filter(|entry| entry.line == line)?)
    }

    /// What is called at a place: the name there, or that of the class behind `new`.
    pub fn called(&self, line: u32, column: u32) -> Option<&str> {
        /// How far the class is from the `new` before it.
        const NEW: u32 = 4;
        let after = self.entries.partition_point(|entry| (entry.line, entry.column) <= (line, column));
        let here = self.entries[..after].last().filter(|entry| entry.line == line)?;
        let token = self.token(here)?;
        let is_class = |next: &&Entry| {
            (next.line, next.column, next.source) == (here.line, here.column + NEW, here.source)
                && (next.source_line, next.source_column)
                    == (here.source_line, here.source_column.saturating_add(NEW))
        };
        token.name.or_else(|| self.token(self.entries.get(after).filter(is_class)?)?.name)
    }

    /// The name of exactly what begins at a line and column.
    pub fn named_at(&self, line: u32, column: u32) -> Option<&str> {
        let at =
            self.entries.binary_search_by_key(&(line, column), |entry| (entry.line, entry.column)).ok()?;
        self.token(&self.entries[at])?.name
    }

    pub fn has_names(&self) -> bool {
        !self.names.is_empty()
    }

    /// The first thing that is told of `line`, from 0.
    pub fn first_of(&self, line: u32) -> Option<Token<'_>> {
        let first = self.entries.partition_point(|entry| entry.line < line);
        let on_line = self.entries[first..].iter().take_while(|entry| entry.line == line);
        on_line.take(8).find_map(|entry| self.token(entry))
    }

    /// The same for a script that is these lines of this one.
    #[must_use]
    pub(super) fn of_lines(mut self, lines: &Range<u32>) -> Self {
        self.entries.retain(|entry| lines.contains(&entry.line));
        self.entries.shrink_to_fit();
        self.entries.iter_mut().for_each(|entry| entry.line -= lines.start);
        let used: FxHashSet<u32> = self.entries.iter().map(|entry| entry.source).collect();
        for (source, number) in self.sources.iter_mut().zip(0..) {
            // Only for what is still asked of it a text is kept.
            source.content = source.content.take().filter(|_| used.contains(&number));
        }
        self
    }

    fn token(&self, entry: &Entry) -> Option<Token<'_>> {
        (entry.source != NONE).then(|| Token {
            source: entry.source as usize,
            line: entry.source_line,
            column: entry.source_column,
            name: self.names.get(entry.name as usize).map(|name| &**name).filter(|name| !name.is_empty()),
        })
    }

    pub fn sources(&self) -> &[SourceText] {
        &self.sources
    }

    pub(super) fn sources_mut(&mut self) -> &mut [SourceText] {
        &mut self.sources
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        let texts: usize = self
            .sources
            .iter()
            .map(|source| source.name.len() + source.content.as_ref().map_or(0, Text::bytes))
            .sum();
        self.entries.len() * size_of::<Entry>()
            + texts
            + self.names.iter().map(|name| name.len() + 16).sum::<usize>()
    }
}

fn short(name: &str) -> &str {
    &name[..name.floor_char_boundary(MAX_NAME)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(map: &str) -> Result<Table, Refusal> {
        Table::read(map.as_bytes())
    }

    fn at(table: &Table, line: u32, column: u32) -> Option<(usize, u32, u32)> {
        table.lookup(line, column).map(|token| (token.source, token.line, token.column))
    }

    #[test]
    fn sections_stand_where_they_say() {
        let map = r#"{"version":3,"sources":["a.ts"],"names":["f"],"mappings":"AAAAA,IAAI;AACA"}"#;
        let plain = read(map).expect("a map");
        assert_eq!(
            (at(&plain, 0, 0), at(&plain, 0, 5), at(&plain, 1, 9)),
            (Some((0, 0, 0)), Some((0, 0, 4)), Some((0, 1, 4)))
        );
        assert_eq!((plain.lookup(0, 1).and_then(|token| token.name), at(&plain, 2, 0)), (Some("f"), None));
        let index = format!(
            r#"{{"version":3,"sections":[{{"offset":{{"line":0,"column":10}},"map":{map}}},{{"offset":{{"line":1,"column":0}},"map":{map}}},
               {{"offset":{{"line":9,"column":0}},"url":"http://example.com/secret.map"}}]}}"#
        );
        let table = read(&index).expect("an index map");
        assert_eq!(
            (at(&table, 0, 9), at(&table, 0, 12), at(&table, 0, 15)),
            (None, Some((0, 0, 0)), Some((0, 0, 4)))
        );
        assert_eq!(
            (at(&table, 1, 0), at(&table, 2, 0), at(&table, 9, 0)),
            (Some((1, 0, 0)), Some((1, 1, 4)), None)
        );
        assert_eq!(table.sources().len(), 2);
    }

    #[test]
    fn hostile_maps_are_refused_or_read_within_bounds() {
        let deep = (0..200).fold("{}".to_owned(), |map, _| {
            format!(r#"{{"version":3,"sections":[{{"offset":{{"line":0,"column":0}},"map":{map}}}]}}"#)
        });
        for (what, map) in [
            ("no JSON", "<!doctype html>".to_owned()),
            ("no object", "[1]".to_owned()),
            ("deep sections", deep),
            ("a source that is not there", r#"{"version":3,"sources":[],"mappings":"AAAA"}"#.to_owned()),
            (
                "a name that is not there",
                r#"{"version":3,"sources":["a"],"names":[],"mappings":"AAAAA"}"#.to_owned(),
            ),
            ("six numbers", r#"{"version":3,"sources":["a"],"mappings":"AAAAAA"}"#.to_owned()),
            (
                "React Native",
                r#"{"version":3,"sources":["a"],"mappings":"AAAA","x_facebook_sources":[]}"#.to_owned(),
            ),
        ] {
            assert!(matches!(read(&map), Err(Refusal::NoMap(_))), "{what}: {:?}", read(&map));
        }
        assert_eq!(read(&" ".repeat(MAX_BYTES + 1)).err(), Some(Refusal::TooBig));
        let many = format!(r#"{{"version":3,"sources":["a"],"mappings":"{}"}}"#, "A,".repeat(MAX_TOKENS + 1));
        assert_eq!(read(&many).err(), Some(Refusal::TooMany));
        // Lines before the first wrap around; they are no places.
        let negative = read(
            r#"{"version":3,"sources":["a"],"mappings":"AADA,CAAAA;AAAD"}"#.replace("CAAAA", "CAAA").as_str(),
        );
        assert_eq!(negative.map(|table| at(&table, 0, 0)), Ok(None));
        let far = read(
            r#"{"version":3,"sections":[{"offset":{"line":4294967295,"column":4294967295},"map":{"version":3,"sources":["a"],"mappings":"CAAA;CAAA"}}]}"#,
        );
        assert_eq!(far.map(|table| table.entries.len()), Ok(0));
        let long =
            format!(r#"{{"version":3,"sources":["{}"],"mappings":"AAAA"}}"#, "é".repeat(MAX_BYTES / 3));
        assert_eq!(read(&long).map(|table| table.sources()[0].name.len()), Ok(MAX_NAME));
        let line =
            format!(r#"{{"version":3,"sources":["a"],"mappings":"AAAA{}"}}"#, ",CAAC".repeat(1_000_000));
        assert_eq!(read(&line).map(|table| at(&table, 0, 999_999)), Ok(Some((0, 0, 999_999))));
    }

    #[test]
    fn many_sections_and_long_lists_take_no_longer_than_their_size() {
        // Each of these was a look at all that was read before, for every section and every source.
        let first =
            format!(r#"{{"version":3,"sources":["a"],"mappings":"AAAA{}"}}"#, ",CAAC".repeat(500_000));
        let empty = r#"{"version":3,"mappings":""}"#;
        let section =
            |line: usize, map: &str| format!(r#"{{"offset":{{"line":{line},"column":0}},"map":{map}}}"#);
        let sections: Vec<String> = (1..40_000).map(|line| section(line, empty)).collect();
        let index = format!(r#"{{"version":3,"sections":[{},{}]}}"#, section(0, &first), sections.join(","));
        let ignored: Vec<String> = (0..400_000).rev().map(|number| number.to_string()).collect();
        let listed = format!(
            r#"{{"version":3,"sources":[{}],"mappings":"AAAA","ignoreList":[{}]}}"#,
            vec!["\"\""; 400_000].join(","),
            ignored.join(",")
        );
        let begun = std::time::Instant::now();
        let (index, listed) = (read(&index).expect("an index"), read(&listed).expect("a map"));
        assert_eq!((index.entries.len(), at(&index, 0, 9)), (500_001, Some((0, 0, 9))));
        assert!(listed.sources().len() == 400_000 && listed.sources().iter().all(|source| source.is_ignored));
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "{:?}", begun.elapsed());
    }

    proptest::proptest! {
        #[test]
        fn any_map_is_read(
            mappings in "[A-Za-z0-9+/,;]{0,80}",
            offset in (0..u32::MAX, 0..u32::MAX),
            at in (0..u32::MAX, 0..u32::MAX),
        ) {
            let map = serde_json::json!({"version": 3, "sources": ["a", null, "../../b"], "names": ["x", 3], "mappings": mappings,
                "sourcesContent": ["let a", null], "ignoreList": [1, 99]});
            let index = serde_json::json!({"version": 3, "sections": [
                {"offset": {"line": 0, "column": 0}, "map": map}, {"offset": {"line": offset.0, "column": offset.1}, "map": map}]});
            for text in [map.to_string(), index.to_string(), mappings] {
                if let Ok(table) = Table::read(text.as_bytes()) {
                    for place in [(0, 0), (0, 7), at] {
                        if let Some(token) = table.lookup(place.0, place.1) {
                            proptest::prop_assert!(token.source < table.sources().len());
                        }
                    }
                }
            }
        }
    }
}
