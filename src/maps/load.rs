//! One script with its map: found, fetched or read from the project, and made ready to be asked.
//!
//! Called on the loading threads; what comes out is immutable and shared.

use std::sync::Arc;

use url::Url;

use super::MAX_BYTES;
use super::address::{Allowed, beside, of_script};
use super::disk::Root;
use super::fetch::{Answer, Body, Fetcher};
use super::module;
use super::reference;
use super::sources::{self, Rewrites};
use super::table::{Refusal, Table, Token};
use super::text::Text;
use crate::stack;

/// Lines of a script whose beginnings are kept, for places told in characters.
const MAX_LINES: usize = 1_000_000;
/// Bytes of a script without a map that are kept as its own source.
const MAX_PLAIN: usize = 2 * 1024 * 1024;

/// A script that was loaded.
#[derive(Debug, Default)]
pub struct Script {
    /// Without a map the script is its own source.
    table: Option<Table>,
    text: Option<Text>,
    /// The script itself, where its map renames things: to find what a function is declared as.
    code: Option<Arc<str>>,
    etag: Option<String>,
    /// In UTF-16 units from the beginning.
    line_starts: Vec<u32>,
    path: String,
}

impl Script {
    /// What the map says of a line and column, both from 1; a column of 0 stands for the first one that is told.
    pub fn lookup(&self, line: u32, column: u32) -> Option<Token<'_>> {
        let table = self.table.as_ref()?;
        let line = line.checked_sub(1)?;
        match column.checked_sub(1) {
            Some(column) => table.lookup(line, column),
            None => table.first_of(line),
        }
    }

    /// What the sources call what is called at a line and column, both from 1.
    pub fn called(&self, line: u32, column: u32) -> Option<&str> {
        self.table.as_ref()?.called(line.checked_sub(1)?, column.checked_sub(1)?)
    }

    /// What the sources call the function that the script calls `raw` and that stands around a line and column, both
    /// from 1: by its declaration, the nearest one before the place.
    pub fn declared(&self, raw: &str, line: u32, column: u32) -> Option<&str> {
        /// Bytes looked through before the place.
        const BEFORE: usize = 64 * 1024;
        let (table, code) = (self.table.as_ref()?, self.code.as_ref()?);
        let start = *self.line_starts.get(line.checked_sub(1)? as usize)? as usize;
        let end = (start + column as usize).min(code.len());
        let before = code.get(end.saturating_sub(BEFORE)..end)?;
        let shift = end - before.len();
        let at = ["function ", "function*", ""].iter().filter(|_| !raw.is_empty()).find_map(|word| {
            // Without the word it is a name that a function is given: `w=()=>`, `w=async`.
            let found = before.rfind(&format!("{word}{raw}{}", if word.is_empty() { "=" } else { "(" }))?;
            let is_apart =
                !before[..found].ends_with(|c: char| c.is_ascii_alphanumeric() || "_$.".contains(c));
            is_apart.then_some(shift + found + word.len())
        })?;
        let offset = u32::try_from(at).ok()?;
        let line = self.line_starts.partition_point(|start| *start <= offset).checked_sub(1)?;
        table.named_at(u32::try_from(line).ok()?, offset - self.line_starts[line])
    }

    /// Line and column, both from 1, of the character at `offset`.
    pub fn place_of(&self, offset: u32) -> Option<(u32, u32)> {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = *self.line_starts.get(line.checked_sub(1)?)?;
        Some((u32::try_from(line).ok()?, offset - start + 1))
    }

    /// The path of source number `source`, its text if the map has it, and whether the map calls it a library's.
    pub fn source(&self, source: usize) -> Option<(&str, Option<&Text>, bool)> {
        let source = self.table.as_ref()?.sources().get(source)?;
        Some((&source.name, source.content.as_ref(), source.is_ignored))
    }

    /// The script's own text, where it has no map.
    pub fn text(&self) -> Option<&Text> {
        self.text.as_ref()
    }

    pub fn has_map(&self) -> bool {
        self.table.is_some()
    }

    /// Its own path below the project.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        let code = self.code.as_ref().map_or(0, |code| code.len());
        let text = self.text.as_ref().map_or(0, Text::bytes) + code;
        self.table.as_ref().map_or(0, Table::bytes) + text + self.line_starts.len() * 4 + 256
    }
}

/// Finds and reads scripts and their maps.
#[derive(Debug)]
pub struct Loader {
    /// None where nothing may be asked for.
    fetcher: Option<Fetcher>,
    root: Root,
    rewrites: Rewrites,
}

impl Loader {
    /// `allowed` is `None` where maps are read from the project alone.
    pub fn new(allowed: Option<Allowed>, root: Root, rewrites: Rewrites) -> Self {
        Self { fetcher: allowed.map(Fetcher::new), root, rewrites }
    }

    /// The script that frames call `file`; `before` is what was known of it, which may be so still.
    ///
    /// # Errors
    /// When it cannot be had, or its map cannot be read.
    pub fn load(&self, file: &str, before: Option<&Arc<Script>>) -> Result<Arc<Script>, Refusal> {
        let url = of_script(file).ok_or(Refusal::NotAllowed)?;
        let local = self.rewrites.apply(file).or_else(|| {
            (url.scheme() == "file")
                .then(|| sources::path_of_script(file, self.root.text(), &Rewrites::default()))
        });
        if let Some(path) = local {
            return self.on_disk(&path);
        }
        let fetcher = self.fetcher.as_ref().ok_or(Refusal::NotAllowed)?;
        let etag = before.and_then(|before| before.etag.as_deref());
        let body = match (fetcher.get(&url, etag)?, before) {
            (Answer::Body(body), _) => body,
            (Answer::Same, Some(before)) => return Ok(Arc::clone(before)),
            (Answer::Same, None) => return Err(Refusal::Status(304)),
        };
        let Body { bytes, etag, source_map } = body;
        let text = String::from_utf8_lossy(&bytes);
        let reference = reference::in_script(&text).or(source_map.as_deref());
        let (table, base) = match reference {
            None => (None, url.clone()),
            Some(reference) => match reference::inline(reference) {
                Some(map) => (Some(Table::read(&map)?), url.clone()),
                None if reference.starts_with("data:") => {
                    return Err(Refusal::NoMap("it cannot be decoded".to_owned()));
                }
                None => {
                    let base = beside(&url, reference).ok_or(Refusal::Elsewhere)?;
                    let Answer::Body(map) = fetcher.get(&base, None)? else {
                        return Err(Refusal::Status(304));
                    };
                    (Some(Table::read(&map.bytes)?), base)
                }
            },
        };
        let path = sources::path_of_script(file, self.root.text(), &self.rewrites);
        let Some(id) = stack::module_id(file) else {
            return Ok(Arc::new(self.script(&text, table, &base, path, etag)));
        };
        let (lines, text) = module::part_of(&text, &id).ok_or(Refusal::NoModule)?;
        let table = table.map(|table| table.of_lines(&lines));
        Ok(Arc::new(self.script(text, table, &base, path, etag)))
    }

    /// The script at `path` of the project, with the map that it names or that lies beside it.
    fn on_disk(&self, path: &str) -> Result<Arc<Script>, Refusal> {
        let limit = MAX_BYTES as u64;
        let bytes = self.root.read(path, limit).ok_or(Refusal::NotInRoot)?;
        let text = String::from_utf8_lossy(&bytes);
        let base =
            Url::from_file_path(format!("{}/{path}", self.root.text())).map_err(|()| Refusal::NotInRoot)?;
        let reference = reference::in_script(&text);
        let (table, base) = match reference.and_then(reference::inline) {
            Some(map) => (Some(Table::read(&map)?), base),
            None => {
                let beside = match reference {
                    Some(reference) => base.join(reference).ok().map(|url| (url.path().to_owned(), url)),
                    None => Some((format!("{}.map", base.path()), base.clone())),
                };
                let found = beside.and_then(|(address, base)| {
                    let path = sources::path_of(&address, &base, self.root.text(), &Rewrites::default());
                    Some((self.root.read(&path, limit)?, base))
                });
                match found {
                    Some((map, base)) => (Some(Table::read(&map)?), base),
                    None if reference.is_some() => return Err(Refusal::NotInRoot),
                    None => (None, base),
                }
            }
        };
        Ok(Arc::new(self.script(&text, table, &base, path.to_owned(), None)))
    }

    fn script(
        &self,
        text: &str,
        table: Option<Table>,
        base: &Url,
        path: String,
        etag: Option<String>,
    ) -> Script {
        let table = table.map(|mut table| {
            for source in table.sources_mut() {
                source.name = sources::path_of(&source.name, base, self.root.text(), &self.rewrites).into();
            }
            table
        });
        let own = (table.is_none() && text.len() <= MAX_PLAIN).then(|| Text::new(text));
        // Columns are bytes only where every character is one.
        let is_kept =
            table.as_ref().is_some_and(Table::has_names) && text.len() <= MAX_PLAIN && text.is_ascii();
        let code = is_kept.then(|| Arc::from(text));
        Script { table, text: own, code, etag, line_starts: line_starts(text), path }
    }
}

/// Where lines begin, in UTF-16 units.
fn line_starts(text: &str) -> Vec<u32> {
    let mut starts = vec![0];
    let mut units: u32 = 0;
    for line in text.split_inclusive('\n').take(MAX_LINES) {
        let length = if line.is_ascii() { line.len() } else { line.encode_utf16().count() };
        units = units.saturating_add(u32::try_from(length).unwrap_or(u32::MAX));
        starts.push(units);
    }
    starts
}
