//! Events in columns, with one text arena for their JSON and one for text made from it.
//!
//! `wire` builds a chunk for each batch, the store appends those into the ring's chunks, and the filter, panels,
//! exports and sinks read rows through [`EventRef`]. A row's JSON is the event exactly as it was sent (after
//! redaction); columns repeat what is looked at often. A chunk is append-only and knows nothing of eviction.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::escapes::Escapes;
use super::json;
use super::level::{Family, Level, Severity};
use super::mapped::{Mapped, MappedFrame};
use super::names::{Interner, Names, Symbol};
use super::order::Order;
use super::page_load::{Noted, PageLoad};
use super::row::{Flags, Msg, RowOf};
use super::shapes::Shapes;
use super::texts::Texts;
use super::time::{Micros, Timestamp};

mod room;

/// Bytes accounted for a row beside its text: its columns, rounded up (SECURITY: the ring's limit).
pub const ROW_OVERHEAD: usize = 96;

const NO_DURATION: u64 = u64::MAX;
const NO_LOAD: i32 = i32::MIN;
const NO_SEVERITY: u8 = u8::MAX;
/// Set in a message span's length when the message lies in `text` and not in `json`.
const IN_TEXT: u32 = 1 << 31;

/// A run of events in arrival order.
#[derive(Clone, Debug)]
pub struct Chunk {
    names: Arc<Names>,
    seq: Vec<u64>,
    inst: Vec<Timestamp>,
    recv: Vec<Timestamp>,
    duration: Vec<u64>,
    group: Vec<u64>,
    id: Vec<Symbol>,
    ns: Vec<Symbol>,
    kind: Vec<Symbol>,
    subtype: Vec<Symbol>,
    session: Vec<Symbol>,
    user: Vec<Symbol>,
    tab: Vec<Symbol>,
    endpoint: Vec<Symbol>,
    source: Vec<Symbol>,
    load: Vec<i32>,
    msg: Vec<(u32, u32)>,
    json_end: Vec<u32>,
    status: Vec<u16>,
    flags: Vec<Flags>,
    level: Vec<Level>,
    severity: Vec<u8>,
    family: Vec<Family>,
    /// Rows whose places were looked up, in rising order.
    mapped: Vec<(u32, Arc<Mapped>)>,
    /// What was noted of rows that tell of page loads, in rising order.
    page_loads: Vec<Noted>,
    json: String,
    text: String,
    made: Made,
}

/// What was made of the rows once somebody asked; forgotten when they change, shared by copies in which they have not.
#[derive(Clone, Debug, Default)]
struct Made {
    escapes: OnceLock<Arc<Escapes>>,
    shapes: OnceLock<Arc<Shapes>>,
    texts: OnceLock<Arc<Texts>>,
    order: OnceLock<Arc<Order>>,
}

impl Chunk {
    /// An empty chunk whose symbols are those of `names`.
    pub fn new(names: Arc<Names>) -> Self {
        Self {
            names,
            seq: Vec::new(),
            inst: Vec::new(),
            recv: Vec::new(),
            duration: Vec::new(),
            group: Vec::new(),
            id: Vec::new(),
            ns: Vec::new(),
            kind: Vec::new(),
            subtype: Vec::new(),
            session: Vec::new(),
            user: Vec::new(),
            tab: Vec::new(),
            endpoint: Vec::new(),
            source: Vec::new(),
            load: Vec::new(),
            msg: Vec::new(),
            json_end: Vec::new(),
            status: Vec::new(),
            flags: Vec::new(),
            level: Vec::new(),
            severity: Vec::new(),
            family: Vec::new(),
            mapped: Vec::new(),
            page_loads: Vec::new(),
            json: String::new(),
            text: String::new(),
            made: Made::default(),
        }
    }

    pub fn len(&self) -> usize {
        self.seq.len()
    }

    pub fn is_empty(&self) -> bool {
        self.seq.is_empty()
    }

    /// Bytes this chunk accounts for: its text, [`ROW_OVERHEAD`] a row and what was noted of page loads.
    pub fn bytes(&self) -> usize {
        self.json.len()
            + self.text.len()
            + self.len() * ROW_OVERHEAD
            + self.page_loads.len() * size_of::<Noted>()
    }

    /// Bytes row `row` accounts for.
    pub fn row_bytes(&self, row: usize) -> usize {
        self.rows_bytes(row..row + 1)
    }

    /// Bytes the rows `rows` account for.
    pub fn rows_bytes(&self, rows: Range<usize>) -> usize {
        if rows.is_empty() {
            return 0;
        }
        let start = self.json_range(rows.start).start;
        let json = self.json_range(rows.end - 1).end - start;
        let made = |(_, len): &(u32, u32)| if len & IN_TEXT == 0 { 0 } else { (len & !IN_TEXT) as usize };
        let noted = self.noted_in(&rows).len() * size_of::<Noted>();
        json + self.msg[rows.clone()].iter().map(made).sum::<usize>() + rows.len() * ROW_OVERHEAD + noted
    }

    /// The event in row `row`, which must be below [`Chunk::len`].
    pub fn event(&self, row: usize) -> EventRef<'_> {
        debug_assert!(row < self.len());
        EventRef { chunk: self, row }
    }

    /// All events, oldest arrival first.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = EventRef<'_>> + ExactSizeIterator {
        (0..self.len()).map(|row| EventRef { chunk: self, row })
    }

    pub fn names(&self) -> &Arc<Names> {
        &self.names
    }

    // Columns, for whoever passes over many rows. See the accessors of `EventRef`.
    pub fn seqs(&self) -> &[u64] {
        &self.seq
    }
    pub fn insts(&self) -> &[Timestamp] {
        &self.inst
    }
    pub fn recvs(&self) -> &[Timestamp] {
        &self.recv
    }
    /// Microseconds; `u64::MAX` where there is none.
    pub fn durations(&self) -> &[u64] {
        &self.duration
    }
    /// 0 where there is none.
    pub fn groups(&self) -> &[u64] {
        &self.group
    }
    pub fn ids(&self) -> &[Symbol] {
        &self.id
    }
    pub fn nss(&self) -> &[Symbol] {
        &self.ns
    }
    pub fn kinds(&self) -> &[Symbol] {
        &self.kind
    }
    pub fn subtypes(&self) -> &[Symbol] {
        &self.subtype
    }
    pub fn sessions(&self) -> &[Symbol] {
        &self.session
    }
    pub fn users(&self) -> &[Symbol] {
        &self.user
    }
    pub fn tabs(&self) -> &[Symbol] {
        &self.tab
    }
    pub fn endpoints(&self) -> &[Symbol] {
        &self.endpoint
    }
    pub fn sources(&self) -> &[Symbol] {
        &self.source
    }
    /// `i32::MIN` where there is none.
    pub fn loads(&self) -> &[i32] {
        &self.load
    }
    /// 0 where there is none.
    pub fn statuses(&self) -> &[u16] {
        &self.status
    }
    pub fn flags(&self) -> &[Flags] {
        &self.flags
    }
    pub fn levels(&self) -> &[Level] {
        &self.level
    }
    /// `Severity as u8`; `u8::MAX` where there is none.
    pub fn severities(&self) -> &[u8] {
        &self.severity
    }
    pub fn families(&self) -> &[Family] {
        &self.family
    }
    /// The JSON of all rows, one after the other, without separators.
    pub fn json(&self) -> &str {
        &self.json
    }
    /// Where each row's JSON ends in [`Chunk::json`].
    pub fn json_ends(&self) -> &[u32] {
        &self.json_end
    }
    /// The messages that were made, one after the other, without separators; rows in order, see
    /// [`Chunk::made_span`].
    pub fn made_text(&self) -> &str {
        &self.text
    }
    /// Where the message of `row` lies in [`Chunk::made_text`]; `None` if it is a part of the row's JSON.
    pub fn made_span(&self, row: usize) -> Option<Range<usize>> {
        let (start, len) = self.msg[row];
        (len & IN_TEXT != 0).then(|| start as usize..start as usize + (len & !IN_TEXT) as usize)
    }
    /// The rows whose JSON has escapes.
    pub fn escapes(&self) -> &Escapes {
        self.made.escapes.get_or_init(|| Arc::new(Escapes::of(&self.json, &self.json_end, 0..self.len())))
    }

    /// Which members the rows' JSON objects have.
    pub fn shapes(&self) -> &Shapes {
        self.made.shapes.get_or_init(|| Arc::new(Shapes::of(self.events().map(EventRef::json))))
    }

    /// The rows whose places were looked up, in rising order.
    pub fn mapped(&self) -> impl DoubleEndedIterator<Item = (usize, &Arc<Mapped>)> + ExactSizeIterator {
        self.mapped.iter().map(|(row, mapped)| (*row as usize, mapped))
    }

    /// Places the event in `row` by what source maps made of it; `group` is its fingerprint from now on, 0 leaves it.
    pub fn set_mapped(&mut self, row: usize, mapped: Arc<Mapped>, group: u64) {
        if group != 0 {
            self.group[row] = group;
        }
        if mapped.place().is_some_and(|place| place.is_mapped) {
            self.flags[row].set(Flags::MAPPED);
        }
        let number = offset(row);
        match self.mapped.binary_search_by_key(&number, |(row, _)| *row) {
            Ok(at) => self.mapped[at].1 = mapped,
            Err(at) => self.mapped.insert(at, (number, mapped)),
        }
    }

    fn mapped_of(&self, row: usize) -> Option<&Arc<Mapped>> {
        let at = self.mapped.binary_search_by_key(&offset(row), |(row, _)| *row).ok()?;
        Some(&self.mapped[at].1)
    }

    /// Notes what the row added last, whose text is `json`, says of its page load.
    pub(super) fn note_page_load(&mut self, json: &str, load: &PageLoad<'_>) {
        if let Some(last) = self.len().checked_sub(1) {
            self.page_loads.push(Noted::of(offset(last), json, load));
        }
    }

    pub(super) fn page_load_noted(&self, row: usize) -> Option<Noted> {
        let at = self.page_loads.binary_search_by_key(&offset(row), |noted| noted.row).ok()?;
        Some(self.page_loads[at])
    }

    /// Which notes are of `rows`.
    fn noted_in(&self, rows: &Range<usize>) -> Range<usize> {
        let before = |row: usize| self.page_loads.partition_point(|noted| (noted.row as usize) < row);
        before(rows.start)..before(rows.end)
    }

    /// The rows by the time of their events.
    pub fn order(&self) -> &Order {
        self.made.order.get_or_init(|| Arc::new(Order::of(&self.inst)))
    }

    /// What the rows say, once somebody had it made.
    pub fn texts(&self) -> Option<&Texts> {
        self.made.texts.get().map(|texts| &**texts)
    }

    /// Makes [`Chunk::texts`] of a chunk of at most 65,535 rows; their bytes are beyond [`Chunk::bytes`]. That takes
    /// milliseconds, so `goes_on` is asked now and then: without it nothing is made.
    pub fn make_texts(&self, goes_on: &dyn Fn() -> bool) {
        let is_wanted = self.texts().is_none() && self.len() <= usize::from(u16::MAX);
        if is_wanted && let Some(texts) = Texts::of(self, goes_on) {
            self.made.texts.get_or_init(|| Arc::new(texts));
        }
    }

    fn json_range(&self, row: usize) -> Range<usize> {
        let start = if row == 0 { 0 } else { self.json_end[row - 1] as usize };
        start..self.json_end[row] as usize
    }

    /// Adds `row`, whose names are of this chunk's table.
    pub fn push(&mut self, row: &RowOf<'_, Symbol>) {
        let json_start = self.json.len();
        self.made = Made::default();
        self.seq.push(row.seq);
        self.inst.push(row.inst);
        self.recv.push(row.recv);
        self.duration.push(row.duration.map_or(NO_DURATION, |span| span.0));
        self.group.push(row.group);
        self.id.push(row.id);
        self.ns.push(row.ns);
        self.kind.push(row.kind);
        self.subtype.push(row.subtype);
        self.session.push(row.session);
        self.user.push(row.user);
        self.tab.push(row.tab);
        self.endpoint.push(row.endpoint);
        self.source.push(row.source);
        self.load.push(row.load.unwrap_or(NO_LOAD));
        self.status.push(row.status.unwrap_or(0));
        self.flags.push(row.flags);
        self.level.push(row.level);
        self.severity.push(row.severity.map_or(NO_SEVERITY, |severity| severity as u8));
        self.family.push(row.family);
        self.json.push_str(row.json);
        self.json_end.push(offset(self.json.len()));
        let span = match &row.msg {
            Msg::InJson(range) => (offset(json_start + range.start), offset(range.len())),
            Msg::Text(made) => {
                let start = self.text.len();
                self.text.push_str(made);
                (offset(start), offset(made.len()) | IN_TEXT)
            }
        };
        self.msg.push(span);
    }

    /// Adds the rows `rows` of `other`, whose symbols `remap` (see [`Chunk::remap_into`]) turns into this chunk's.
    pub fn extend(&mut self, other: &Self, rows: Range<usize>, remap: &[Symbol]) {
        if rows.is_empty() {
            return;
        }
        self.made = Made::default();
        let to_here = |symbol: &Symbol| remap[symbol.0 as usize];
        let json_from = other.json_range(rows.start).start;
        let json_to = other.json_end[rows.end - 1] as usize;
        let json_shift = self.json.len();
        self.json.push_str(&other.json[json_from..json_to]);
        // Made messages lie one after the other, in the order of their rows.
        let made = |row| other.made_span(row);
        let text_from = rows.clone().find_map(made).map_or(0, |first| first.start);
        let text_to = rows.clone().rev().find_map(made).map_or(0, |last| last.end);
        let text_shift = self.text.len();
        self.text.push_str(&other.text[text_from..text_to]);
        let moved = |at: u32, from: usize, shift: usize| offset(at as usize - from + shift);
        self.json_end
            .extend(other.json_end[rows.clone()].iter().map(|end| moved(*end, json_from, json_shift)));
        self.msg.extend(other.msg[rows.clone()].iter().map(|(start, len)| {
            let is_made = len & IN_TEXT != 0;
            let (from, shift) = if is_made { (text_from, text_shift) } else { (json_from, json_shift) };
            (moved(*start, from, shift), *len)
        }));
        let shift = self.len();
        let first = other.mapped.partition_point(|(row, _)| (*row as usize) < rows.start);
        let inside = other.mapped[first..].iter().take_while(|(row, _)| (*row as usize) < rows.end);
        let moved = |row: u32| offset(row as usize - rows.start + shift);
        self.mapped.extend(inside.map(|(row, mapped)| (moved(*row), Arc::clone(mapped))));
        let noted = &other.page_loads[other.noted_in(&rows)];
        self.page_loads.extend(noted.iter().map(|noted| noted.at(moved(noted.row))));
        self.seq.extend_from_slice(&other.seq[rows.clone()]);
        self.inst.extend_from_slice(&other.inst[rows.clone()]);
        self.recv.extend_from_slice(&other.recv[rows.clone()]);
        self.duration.extend_from_slice(&other.duration[rows.clone()]);
        self.group.extend_from_slice(&other.group[rows.clone()]);
        self.id.extend(other.id[rows.clone()].iter().map(to_here));
        self.ns.extend(other.ns[rows.clone()].iter().map(to_here));
        self.kind.extend(other.kind[rows.clone()].iter().map(to_here));
        self.subtype.extend(other.subtype[rows.clone()].iter().map(to_here));
        self.session.extend(other.session[rows.clone()].iter().map(to_here));
        self.user.extend(other.user[rows.clone()].iter().map(to_here));
        self.tab.extend(other.tab[rows.clone()].iter().map(to_here));
        self.endpoint.extend(other.endpoint[rows.clone()].iter().map(to_here));
        self.source.extend(other.source[rows.clone()].iter().map(to_here));
        self.load.extend_from_slice(&other.load[rows.clone()]);
        self.status.extend_from_slice(&other.status[rows.clone()]);
        self.flags.extend_from_slice(&other.flags[rows.clone()]);
        self.level.extend_from_slice(&other.level[rows.clone()]);
        self.severity.extend_from_slice(&other.severity[rows.clone()]);
        self.family.extend_from_slice(&other.family[rows]);
    }

    /// For each symbol of this chunk's names, the symbol of the same name in `interner`.
    pub fn remap_into(&self, interner: &mut Interner) -> Vec<Symbol> {
        let count = u32::try_from(self.names.len()).expect("tables hold far fewer than 2^32 names");
        (0..count)
            .map(|number| match Symbol(number) {
                reserved @ (Symbol::NONE | Symbol::OTHER) => reserved,
                symbol => interner.intern(self.names.get(symbol)),
            })
            .collect()
    }

    /// Gives the rows consecutive arrival numbers from `first` on.
    pub fn number_from(&mut self, first: u64) {
        for (seq, number) in self.seq.iter_mut().zip(first..) {
            *seq = number;
        }
    }

    /// A chunk of only those rows for which `keep` holds.
    #[must_use]
    pub fn retain(&self, keep: impl Fn(usize) -> bool) -> Self {
        let count = u32::try_from(self.names.len()).expect("tables hold far fewer than 2^32 names");
        let same: Vec<Symbol> = (0..count).map(Symbol).collect();
        let mut kept = Self::new(Arc::clone(&self.names));
        let rows: Vec<usize> = (0..self.len()).filter(|row| keep(*row)).collect();
        kept.reserve(rows.len(), rows.iter().map(|row| self.json_range(*row).len()).sum(), 0);
        let runs = rows.chunk_by(|a, b| a + 1 == *b);
        runs.for_each(|run| kept.extend(self, run[0]..run[0] + run.len(), &same));
        kept
    }
}

/// A chunk has at most a few MiB of text, so offsets fit.
fn offset(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("a chunk's text is far below 4 GiB")
}

/// One event of a chunk.
#[derive(Clone, Copy, Debug)]
pub struct EventRef<'a> {
    chunk: &'a Chunk,
    row: usize,
}

impl<'a> EventRef<'a> {
    pub fn seq(self) -> u64 {
        self.chunk.seq[self.row]
    }
    pub fn inst(self) -> Timestamp {
        self.chunk.inst[self.row]
    }
    pub fn recv(self) -> Timestamp {
        self.chunk.recv[self.row]
    }
    pub fn level(self) -> Level {
        self.chunk.level[self.row]
    }
    pub fn severity(self) -> Option<Severity> {
        Severity::ALL.get(usize::from(self.chunk.severity[self.row])).copied()
    }
    pub fn family(self) -> Family {
        self.chunk.family[self.row]
    }
    pub fn flags(self) -> Flags {
        self.chunk.flags[self.row]
    }
    /// The signal id, `ns/name`.
    pub fn id(self) -> &'a str {
        self.name(&self.chunk.id)
    }
    pub fn ns(self) -> &'a str {
        self.name(&self.chunk.ns)
    }
    /// The `type` as sent.
    pub fn kind(self) -> &'a str {
        self.name(&self.chunk.kind)
    }
    pub fn subtype(self) -> &'a str {
        self.name(&self.chunk.subtype)
    }
    pub fn session(self) -> &'a str {
        self.name(&self.chunk.session)
    }
    pub fn user(self) -> &'a str {
        self.name(&self.chunk.user)
    }
    pub fn tab(self) -> &'a str {
        self.name(&self.chunk.tab)
    }
    /// `METHOD [host]/route`, empty for events that are no requests.
    pub fn endpoint(self) -> &'a str {
        self.name(&self.chunk.endpoint)
    }
    pub fn source(self) -> &'a str {
        self.name(&self.chunk.source)
    }
    pub fn load(self) -> Option<i32> {
        Some(self.chunk.load[self.row]).filter(|load| *load != NO_LOAD)
    }
    pub fn duration(self) -> Option<Micros> {
        Some(self.chunk.duration[self.row]).filter(|micros| *micros != NO_DURATION).map(Micros)
    }
    pub fn status(self) -> Option<u16> {
        Some(self.chunk.status[self.row]).filter(|status| *status != 0)
    }
    /// The fingerprint, `None` for events that are in no group.
    pub fn group(self) -> Option<u64> {
        Some(self.chunk.group[self.row]).filter(|group| *group != 0)
    }
    pub fn msg(self) -> &'a str {
        let (start, len) = self.chunk.msg[self.row];
        let arena = if len & IN_TEXT == 0 { &self.chunk.json } else { &self.chunk.text };
        &arena[start as usize..][..(len & !IN_TEXT) as usize]
    }
    /// The event's JSON object, exactly as sent, after redaction.
    pub fn json(self) -> &'a str {
        &self.chunk.json[self.chunk.json_range(self.row)]
    }
    /// What source maps made of the places it tells of, once that was looked up.
    pub fn mapped(self) -> Option<&'a Arc<Mapped>> {
        self.chunk.mapped_of(self.row)
    }

    /// The source place a map named for it.
    pub fn place(self) -> Option<&'a MappedFrame> {
        if !self.flags().has(Flags::MAPPED) {
            return None;
        }
        self.mapped()?.place()
    }

    pub fn chunk(self) -> &'a Chunk {
        self.chunk
    }
    pub fn row(self) -> usize {
        self.row
    }

    /// A value of the event's data by path, in any case style.
    pub fn get(self, path: &[&str]) -> Option<&'a str> {
        json::path(self.json(), path)
    }

    fn name(self, column: &'a [Symbol]) -> &'a str {
        self.chunk.names.get(column[self.row])
    }
}

#[cfg(test)]
#[path = "chunk_tests.rs"]
mod tests;
