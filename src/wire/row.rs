//! From the fields an event came with to the columns it gets: the contract's table of the event, line by line.
//!
//! Called by `wire::decode` and `wire::lines` for each event; keeps scratch buffers between events and nothing else.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::batch::Sender;
use super::lines::Recorded;
use super::own;
use super::raw::{Fields, Raw, RawEvent, Slot};
use crate::event::{
    Chunk, ChunkBuilder, EventRef, Family, Flags, Level, Mapped, Micros, Msg, PageLoad, Row, RowOf, Severity,
    Symbol, Timestamp, json, place_in, problem_marks,
};
use crate::pipeline::{Reading, Redactor, endpoint, fingerprint, summary};
use crate::stack;

/// 2000-01-01: browser clocks before it are absurd (CONTRACT: `inst`).
const YEAR_2000_MS: i64 = 946_684_800_000;
const DAY_MS: i64 = 86_400_000;
/// Bytes of a message that are indexed and shown in rows; the rest is in the data (SECURITY: limits).
const MAX_MSG_BYTES: usize = 16 * 1024;

/// Types and subtypes that are found without looking their names up; pages send a handful.
const RECENT: usize = 8;

/// What is known of an event beside what it says itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known<'a> {
    /// Its arrival number; 0 while it has none.
    Seq(u64),
    /// What it is called unless it brings an id of its own.
    Named(&'a str),
    /// The line it was recorded as.
    Line(&'a Recorded<'a>),
    /// What it was before its text was changed, and whether its names are those still.
    Rewritten { was: EventRef<'a>, keeps_names: bool },
}

impl<'a> Known<'a> {
    /// The signal id, empty if it follows from the event.
    fn id(self) -> &'a str {
        match self {
            Self::Seq(_) | Self::Named(_) => "",
            Self::Line(recorded) => &recorded.id,
            Self::Rewritten { was, keeps_names } if keeps_names => was.id(),
            Self::Rewritten { .. } => "",
        }
    }

    /// The signal id of an event that brings none, empty if it follows from its type.
    fn usual_id(self) -> &'a str {
        match self {
            Self::Named(id) => id,
            Self::Seq(_) | Self::Line(_) | Self::Rewritten { .. } => "",
        }
    }

    fn apply(self, row: &mut RowOf<'a, Symbol>, builder: &mut ChunkBuilder) {
        match self {
            Self::Seq(seq) => row.seq = seq,
            Self::Named(_) => {}
            Self::Line(recorded) => recorded.apply(row, builder),
            Self::Rewritten { was, .. } => {
                (row.seq, row.inst) = (was.seq(), was.inst());
                if row.source == Symbol::NONE {
                    row.source = builder.symbol(was.source());
                }
            }
        }
    }
}

/// Makes a chunk of the events of one sender.
#[derive(Debug)]
pub(super) struct RowMaker<'s> {
    sender: Cow<'s, Sender>,
    builder: ChunkBuilder,
    usual: Usual,
    /// What the types and subtypes seen first in this chunk decide alone, at most [`RECENT`] of them.
    recent: Vec<(String, String, Signal)>,
    endpoint: String,
    msg: String,
    scratch: fingerprint::Scratch,
}

/// The sender's own names in the chunk that is being made.
#[derive(Debug)]
struct Usual {
    session: Symbol,
    user: Symbol,
    tab: Symbol,
    source: Symbol,
}

impl Usual {
    fn of(sender: &Sender, builder: &mut ChunkBuilder) -> Self {
        Self {
            session: builder.symbol(&sender.session),
            user: builder.symbol(&sender.user),
            tab: builder.symbol(&sender.tab),
            source: builder.symbol(sender.source),
        }
    }
}

/// What an event is, by name, and what follows from its type and subtype alone.
#[derive(Clone, Copy, Debug)]
struct Signal {
    kind: Symbol,
    subtype: Symbol,
    id: Symbol,
    ns: Symbol,
    family: Family,
    /// Where the type decides it, whatever the event says.
    level: Option<Level>,
    names_request: bool,
    /// More than this is slow (CONTRACT: the event, `is:slow`).
    slow: Micros,
}

/// What an event says, as far as more than one column follows from it.
struct Said<'e> {
    fields: &'e Fields<'e>,
    signal: Signal,
    kind: &'e str,
    subtype: &'e str,
    status: Option<u16>,
    duration: Option<Micros>,
}

impl<'s> RowMaker<'s> {
    pub(super) fn new(sender: Cow<'s, Sender>) -> Self {
        let mut builder = ChunkBuilder::new();
        let usual = Usual::of(&sender, &mut builder);
        let (endpoint, msg, scratch) = (String::new(), String::new(), fingerprint::Scratch::default());
        Self { sender, builder, usual, recent: Vec::new(), endpoint, msg, scratch }
    }

    /// Who sent what is added from now on.
    pub(super) fn set_sender(&mut self, sender: Sender) {
        self.usual = Usual::of(&sender, &mut self.builder);
        self.sender = Cow::Owned(sender);
    }

    /// Adds a row as it is.
    pub(super) fn copy(&mut self, row: &Row<'_>) {
        self.builder.push(row);
    }

    /// Events are read as `reading` says from now on.
    pub(super) fn with_reading(mut self, reading: Arc<Reading>) -> Self {
        self.sender.to_mut().reading = reading;
        self
    }

    /// Makes room for `rows` events whose JSON takes `bytes`.
    pub(super) fn reserve(&mut self, rows: usize, bytes: usize) {
        // What is made for an event without a message is about a tenth of its JSON.
        self.builder.reserve(rows, bytes, bytes / 8);
    }

    /// How many rows wait to be taken.
    pub(super) fn len(&self) -> usize {
        self.builder.len()
    }

    /// When rows arrive.
    pub(super) fn recv(&self) -> Timestamp {
        self.sender.recv
    }

    /// When `event` happened, as its row will have it.
    pub(super) fn inst_of(&self, event: &RawEvent<'_>) -> Timestamp {
        inst_of(event.fields[Slot::Timestamp], &self.sender)
    }

    /// The row added last.
    pub(super) fn last(&self) -> Option<EventRef<'_>> {
        self.builder.last()
    }

    /// The rows added since the last call.
    pub(super) fn take(&mut self) -> Chunk {
        let chunk = std::mem::take(&mut self.builder).finish();
        self.usual = Usual::of(&self.sender, &mut self.builder);
        self.recent.clear();
        chunk
    }

    /// Adds the event about `raw`, refused for `reason`; gives how many secrets were taken out of it.
    pub(super) fn push_bad(&mut self, redactor: &Redactor, reason: &str, raw: &str) -> u32 {
        own::push_bad(&mut self.builder, &self.sender, redactor, reason, raw)
    }

    /// Adds the event whose text is `json` and whose members are those of `event`; what is `known` of it wins over
    /// both.
    pub(super) fn push(&mut self, json: &str, event: &RawEvent<'_>, flags: Flags, known: Known<'_>) {
        let fields = &event.fields;
        let (kind, subtype) = (&*fields[Slot::Kind].text(), &*fields[Slot::Subtype].text());
        let (status, duration) = (status_of(fields), duration_of(fields));
        let signal = self.signal_of(fields, kind, subtype, known);
        let said = Said { fields, signal, kind, subtype, status, duration };
        let level = signal.level.unwrap_or_else(|| own_level(fields[Slot::Level]));
        let mut flags = self.mark(&said, event, flags);
        let group = self.group_of(level, flags, &said, event);
        let load = (subtype == "page-load").then(|| page_load_of(json, event));
        let msg = self.msg_of(json, event, &said, load);
        if group != 0 {
            let msg = msg.clone().map_or(&*self.msg, |place| &json[place]);
            flags.set(problem_marks(signal.family, subtype, msg, event.members.iter().copied()));
        }
        let mut row = RowOf {
            seq: 0,
            inst: inst_of(fields[Slot::Timestamp], &self.sender),
            recv: self.sender.recv,
            level,
            severity: Severity::parse(&fields[Slot::Severity].text()),
            family: signal.family,
            flags,
            id: signal.id,
            ns: signal.ns,
            kind: signal.kind,
            subtype: signal.subtype,
            session: symbol_or(&fields[Slot::Session].name(), self.usual.session, &mut self.builder),
            user: symbol_or(&user_of(fields), self.usual.user, &mut self.builder),
            tab: symbol_or(&fields[Slot::Tab].name(), self.usual.tab, &mut self.builder),
            load: load_of(fields[Slot::Load]).or(self.sender.load),
            endpoint: self.builder.symbol(&self.endpoint),
            duration,
            status,
            group,
            source: symbol_or(&fields[Slot::Source].name(), self.usual.source, &mut self.builder),
            msg: match msg {
                Some(range) => Msg::InJson(range),
                None => Msg::Text(&self.msg),
            },
            json,
        };
        known.apply(&mut row, &mut self.builder);
        self.builder.push_named(&row);
        if let Some(load) = load {
            self.builder.note_page_load(json, &load);
        }
        if let Known::Line(recorded) = known
            && let Some(mapped) = Mapped::read(recorded.data)
        {
            self.builder.map_last(Arc::new(mapped));
        }
    }

    /// Finds the endpoint of a request and adds the marks that follow from the event's fields.
    fn mark(&mut self, said: &Said<'_>, event: &RawEvent<'_>, mut flags: Flags) -> Flags {
        flags.set(presence(said.fields));
        self.endpoint.clear();
        let url = said.fields[Slot::Url].text();
        let method = said.fields[Slot::Method].text();
        // A request has a URL and a method, a status, or one of the request subtypes (CONTRACT: `endpoint`).
        if !url.is_empty() && (said.signal.names_request || said.status.is_some() || !method.is_empty()) {
            flags.set(Flags::REQUEST);
            let page = Some(&*self.sender.origin).filter(|origin| !origin.is_empty());
            endpoint::template_of(&method, &url, page, &self.sender.reading.routes, &mut self.endpoint);
        }
        if is_failed(said, flags) {
            flags.set(Flags::FAILED);
        }
        if said.duration.is_some_and(|span| span > said.signal.slow) && !is_lifetime(said.subtype, event) {
            flags.set(Flags::SLOW);
        }
        flags
    }

    /// The type, and signal id and namespace: the known one, the event's own, else `browser/<subtype or type>` (CONTRACT:
    /// `id`, `ns`).
    fn signal_of(&mut self, fields: &Fields<'_>, kind: &str, subtype: &str, known: Known<'_>) -> Signal {
        let (known, usual) = (known.id(), known.usual_id());
        let own = fields[Slot::Id].text();
        let own = own.strip_prefix(':').unwrap_or(&own);
        let own_ns = fields[Slot::Ns].text();
        let is_own = !known.is_empty() || !usual.is_empty() || own.contains('/') || !own_ns.is_empty();
        let is_same = |recent: &&(String, String, _)| recent.1 == subtype && recent.0 == kind;
        if !is_own && let Some((.., signal)) = self.recent.iter().find(is_same) {
            return *signal;
        }
        let id: Cow<'_, str> = if !known.is_empty() {
            known.into()
        } else if own.contains('/') {
            own.into()
        } else if !usual.is_empty() {
            usual.into()
        } else {
            let name = [subtype, kind].into_iter().find(|name| !name.is_empty());
            format!("browser/{}", name.unwrap_or("event")).into()
        };
        let ns = if own_ns.is_empty() { id.replace('/', ".").into() } else { own_ns };
        let signal = Signal {
            kind: self.builder.symbol(kind),
            subtype: self.builder.symbol(subtype),
            id: self.builder.symbol(&id),
            ns: self.builder.symbol(&ns),
            family: Family::of_type(kind),
            level: level_of_type(kind),
            names_request: matches!(subtype, "api-call" | "network"),
            slow: self.sender.reading.slow.of(subtype),
        };
        if !is_own && self.recent.len() < RECENT {
            self.recent.push((kind.to_owned(), subtype.to_owned(), signal));
        }
        signal
    }

    /// The fingerprint of what went wrong; 0 for what did not (CONTRACT: `group`).
    fn group_of(&mut self, level: Level, flags: Flags, said: &Said<'_>, event: &RawEvent<'_>) -> u64 {
        if level < Level::Warn && !flags.has(Flags::FAILED) {
            return 0;
        }
        let mut stack = said.fields[Slot::Stack].text();
        // An error that stands for others has no frames in any engine.
        if let Some((_, parts)) = event.members.iter().find(|(key, _)| *key == "errors")
            && stack::frames(&stack).next().is_none()
        {
            stack = stack::first_part(parts).unwrap_or(stack);
        }
        let evidence = fingerprint::Evidence {
            kind: said.kind,
            subtype: said.subtype,
            message: &said.fields[Slot::Message].text(),
            stack: &stack,
            mapped: None,
            endpoint: &self.endpoint,
            status: said.status,
        };
        fingerprint::fingerprint_by(self.sender.reading.grouping, &evidence, &mut self.scratch)
    }

    /// Where the message is in `json`; `None` if it was made or unescaped into `self.msg`.
    fn msg_of(
        &mut self,
        json: &str,
        event: &RawEvent<'_>,
        said: &Said<'_>,
        load: Option<PageLoad<'_>>,
    ) -> Option<Range<usize>> {
        self.msg.clear();
        match said.fields[Slot::Message].text() {
            text if text.is_empty() => {
                let Said { kind, subtype, status, duration, .. } = *said;
                let (endpoint, members) = (&*self.endpoint, &*event.members);
                let is_aborted = said.fields[Slot::Aborted].is_true();
                let url = &*said.fields[Slot::Url].text();
                let load_ms = load.and_then(|load| load.took_ms);
                let fields = summary::Fields {
                    kind,
                    subtype,
                    endpoint,
                    status,
                    duration,
                    url,
                    is_aborted,
                    load_ms,
                    members,
                };
                summary::write(&fields, &mut self.msg);
            }
            Cow::Borrowed(text) => match place_in(json, shown(text)) {
                Some(place) => return Some(place),
                None => self.msg.push_str(shown(text)),
            },
            Cow::Owned(text) => self.msg.push_str(shown(&text)),
        }
        None
    }
}

/// What an event says of its page load.
fn page_load_of<'e>(json: &'e str, event: &RawEvent<'e>) -> PageLoad<'e> {
    let members = || event.members.iter().copied();
    let [other_style] = json::pick(members().map(|(key, _)| (key, "true")), ["url"]);
    if other_style.is_some() {
        // The later one counts, and only the text knows which that is.
        return PageLoad::read(json);
    }
    let [page, build, timing] = json::pick(members(), ["page", "build", "timing"]);
    let url = event.fields[Slot::Url].json_in(json);
    PageLoad { page, url, build, took_ms: PageLoad::took_ms(timing) }
}

fn symbol_or(own: &str, usual: Symbol, builder: &mut ChunkBuilder) -> Symbol {
    if own.is_empty() { usual } else { builder.symbol(own) }
}

/// The part of a message that is indexed, cut at a character.
fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_MSG_BYTES)]
}

fn level_of_type(kind: &str) -> Option<Level> {
    match kind {
        "error" => Some(Level::Error),
        "metric" => Some(Level::Info),
        "analytics" => Some(Level::Debug),
        _ => None,
    }
}

fn own_level(sent: Raw<'_>) -> Level {
    Level::parse(&sent.text()).unwrap_or(Level::Info)
}

fn status_of(fields: &Fields<'_>) -> Option<u16> {
    let sent = fields[Slot::Status].number().or_else(|| fields[Slot::StatusCode].number())?;
    // Browsers report 0 for a request that got no answer.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked by the filter")]
    Some(sent).filter(|status| (1.0..65_536.0).contains(status)).map(|status| status as u16)
}

fn duration_of(fields: &Fields<'_>) -> Option<Micros> {
    [fields[Slot::DurationMs], fields[Slot::ResponseTimeMs], fields[Slot::RenderTimeMs]]
        .into_iter()
        .find_map(|field| field.number().and_then(Micros::from_ms))
}

fn load_of(sent: Raw<'_>) -> Option<i32> {
    #[expect(clippy::cast_possible_truncation, reason = "checked by the filter")]
    sent.number().filter(|load| load.abs() < 1e9).map(|load| load as i32)
}

fn inst_of(sent: Raw<'_>, sender: &Sender) -> Timestamp {
    let Some(ms) = sent.number() else { return sender.recv };
    #[expect(clippy::cast_possible_truncation, reason = "saturates; absurd times are refused below")]
    let inst = Timestamp((ms as i64).saturating_add(sender.offset_ms));
    let is_absurd = inst.0 < YEAR_2000_MS || inst.since(sender.recv) > DAY_MS;
    if is_absurd { sender.recv } else { inst }
}

fn is_failed(said: &Said<'_>, flags: Flags) -> bool {
    match said.status {
        Some(status) => status >= 400,
        // Without a status a request that names itself one was never answered, unless the page gave it up.
        None => {
            flags.has(Flags::REQUEST) && said.signal.names_request && !said.fields[Slot::Aborted].is_true()
        }
    }
}

/// Whether the event's duration is how long a connection was open, which nobody waited for.
fn is_lifetime(subtype: &str, event: &RawEvent<'_>) -> bool {
    subtype == "websocket" && event.members.contains(&("action", "\"close\""))
}

fn user_of<'a>(fields: &Fields<'a>) -> Cow<'a, str> {
    let own = fields[Slot::User].name();
    if !own.is_empty() {
        return own;
    }
    let nested = [fields[Slot::Data], fields[Slot::Context]].map(|parent| parent.get("user-id").written());
    nested.into_iter().find(|name| !name.is_empty()).unwrap_or_default()
}

/// What the event already has, so that nothing is added twice when its data is written out.
fn presence(fields: &Fields<'_>) -> Flags {
    let mut flags = Flags::NONE;
    for (there, flag) in [
        (fields[Slot::Source].is_present(), Flags::HAS_SOURCE),
        (fields[Slot::User].is_present(), Flags::HAS_USER),
        (fields[Slot::RecvTime].is_present(), Flags::HAS_RECV),
        (fields[Slot::BrowserTime].is_present(), Flags::HAS_BROWSER_TIME),
        (fields[Slot::Cached].is_true(), Flags::CACHED),
    ] {
        if there {
            flags.set(flag);
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Body, decode_body};

    #[test]
    fn long_messages_are_indexed_only_at_their_beginning() {
        let long = format!("{}é{}", "a".repeat(MAX_MSG_BYTES - 1), "b".repeat(5_000));
        for text in [long.clone(), format!("\\n{long}")] {
            let event = format!("{{\"message\":\"{text}\"}}");
            let read = decode_body(&event, &Sender::default(), &Redactor::default());
            let Ok(Body::Bare(batch)) = read else { panic!("an event") };
            let event = batch.chunk.event(0);
            assert_eq!(
                event.msg().len(),
                MAX_MSG_BYTES - usize::from(!text.starts_with('\\')),
                "at a character"
            );
            assert!(event.json().contains(&text), "the data has all of it");
        }
    }

    #[test]
    fn how_a_problem_is_told_and_how_often_it_happened_is_known_when_it_is_read() {
        for (event, said, times) in [
            (
                r#"{"type":"error","name":"TypeError","message":"x","count":995,"first":1}"#,
                "TypeError: x",
                995,
            ),
            (r#"{"type":"log","level":"warn","message":"x","count":20,"first":1}"#, "x", 20),
            (
                r#"{"type":"error","subtype":"promise","message":"undefined"}"#,
                "Promise rejected with undefined",
                1,
            ),
            (r#"{"type":"error","message":"x","count":7}"#, "x", 1),
            (r#"{"type":"log","name":"TypeError","message":"x","count":20,"first":1}"#, "x", 1),
        ] {
            let read = decode_body(&format!("[{event}]"), &Sender::default(), &Redactor::default());
            let Ok(Body::Bare(batch)) = read else { panic!("an event") };
            let read = batch.chunk.event(0);
            assert_eq!((&*read.headline(), read.times()), (said, times), "{event}");
        }
    }

    #[test]
    fn what_is_noted_of_a_page_load_is_what_its_text_says() {
        for event in [
            r#"{"subtype":"page-load","url":"http://h/a","page":"http://h/b","build":"1c9","timing":{"fully-loaded":1.5}}"#,
            r#"{"subtype":"page-load","timing":{"fullyLoaded":"7"},"page":"\u002fb","url":""}"#,
            r#"{"subtype":"page-load","url":null,"page":7,"build":null,"timing":[]}"#,
            r#"{"subtype":"page-load","url":"http://h/a","URL":"http://h/b"}"#,
            r#"{"subtype":"page-load","url":"http://h/a","Url":null}"#,
            r#"{"subtype":"page-load","Build":"a","url":"http://h/a","url":"http://h/b","build":"b"}"#,
            r#"{"subtype":"page-load"}"#,
        ] {
            let read = decode_body(&format!("[{event}]"), &Sender::default(), &Redactor::default());
            let Ok(Body::Bare(batch)) = read else { panic!("an event") };
            let read = batch.chunk.event(0);
            assert_eq!(read.page_load(), PageLoad::read(event), "{event}");
        }
    }
}
