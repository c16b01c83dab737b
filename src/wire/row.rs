//! From the fields an event came with to the columns it gets: the contract's table of the event, line by line.
//!
//! Called by `wire::decode` and `wire::lines` for each event; keeps scratch buffers between events and nothing else.

use std::borrow::Cow;
use std::ops::Range;

use super::batch::Sender;
use super::lines::Recorded;
use super::raw::{RawEvent, Scalar};
use crate::event::{ChunkBuilder, Family, Flags, Level, Micros, Msg, Row, Severity, Timestamp, json};
use crate::pipeline::{endpoint, fingerprint, summary};

/// 2000-01-01: browser clocks before it are absurd (CONTRACT: `inst`).
const YEAR_2000_MS: i64 = 946_684_800_000;
const DAY_MS: i64 = 86_400_000;
/// Bytes of a message that are indexed and shown in rows; the rest is in the data (SECURITY: limits).
const MAX_MSG_BYTES: usize = 16 * 1024;

/// What is known of an event beside what it says itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known<'a> {
    /// Its arrival number; 0 while it has none.
    Seq(u64),
    /// The line it was recorded as.
    Line(&'a Recorded<'a>),
}

impl<'a> Known<'a> {
    /// The signal id, empty if it follows from the event.
    fn id(self) -> &'a str {
        match self {
            Self::Seq(_) => "",
            Self::Line(recorded) => &recorded.id,
        }
    }

    fn apply(self, row: &mut Row<'a>) {
        match self {
            Self::Seq(seq) => row.seq = seq,
            Self::Line(recorded) => recorded.apply(row),
        }
    }
}

/// Makes rows for the events of one sender.
#[derive(Debug)]
pub(super) struct RowMaker<'s> {
    sender: Cow<'s, Sender>,
    endpoint: String,
    id: String,
    ns: String,
    msg: String,
}

impl<'s> RowMaker<'s> {
    pub(super) fn new(sender: Cow<'s, Sender>) -> Self {
        let empty = String::new;
        Self { sender, endpoint: empty(), id: empty(), ns: empty(), msg: empty() }
    }

    pub(super) fn sender(&self) -> &Sender {
        &self.sender
    }

    /// Adds the event whose text is `json` and whose fields are `event`; what is `known` of it wins over both.
    pub(super) fn push(
        &mut self,
        builder: &mut ChunkBuilder,
        json: &str,
        event: &RawEvent<'_>,
        flags: Flags,
        known: Known<'_>,
    ) {
        let kind = event.kind.text();
        let subtype = event.subtype.text();
        let level = level_of(kind, &event.level);
        let status = status_of(event);
        let duration = duration_of(event);
        let flags = self.mark(event, flags, status, duration);
        self.name_signal(event, known.id());
        let group = self.group_of(level, flags, status, event);
        let msg = self.msg_of(json, event, status, duration);
        let user = user_of(json, event, &self.sender.user);
        let mut row = Row {
            seq: 0,
            inst: inst_of(&event.timestamp, &self.sender),
            recv: self.sender.recv,
            level,
            severity: Severity::parse(event.severity.text()),
            family: Family::of_type(kind),
            flags,
            id: &self.id,
            ns: &self.ns,
            kind,
            subtype,
            session: &or(event.session.name(), &self.sender.session),
            user: &user,
            tab: &or(event.tab.name(), &self.sender.tab),
            load: load_of(&event.load).or(self.sender.load),
            endpoint: &self.endpoint,
            duration,
            status,
            group,
            source: &or(event.source.name(), self.sender.source),
            msg: match msg {
                Some(range) => Msg::InJson(range),
                None => Msg::Text(&self.msg),
            },
            json,
        };
        known.apply(&mut row);
        builder.push(&row);
    }

    /// Finds the endpoint of a request and adds the marks that follow from the event's fields.
    fn mark(
        &mut self,
        event: &RawEvent<'_>,
        mut flags: Flags,
        status: Option<u16>,
        duration: Option<Micros>,
    ) -> Flags {
        let subtype = event.subtype.text();
        flags.set(presence(event));
        self.endpoint.clear();
        if is_request(event, subtype, status) {
            flags.set(Flags::REQUEST);
            let page = Some(&*self.sender.origin).filter(|origin| !origin.is_empty());
            endpoint::template(event.method.text(), event.url.text(), page, &mut self.endpoint);
        }
        if is_failed(event, subtype, flags, status) {
            flags.set(Flags::FAILED);
        }
        if duration.is_some_and(|span| span > slow_limit(subtype)) {
            flags.set(Flags::SLOW);
        }
        flags
    }

    /// The signal id and namespace: the known one, the event's own, else `browser/<subtype or type>` (CONTRACT:
    /// `id`, `ns`).
    fn name_signal(&mut self, event: &RawEvent<'_>, known: &str) {
        let (kind, subtype) = (event.kind.text(), event.subtype.text());
        let own = event.id.text();
        let own = own.strip_prefix(':').unwrap_or(own);
        self.id.clear();
        if !known.is_empty() {
            self.id.push_str(known);
        } else if own.contains('/') {
            self.id.push_str(own);
        } else {
            self.id.push_str("browser/");
            self.id.push_str(if !subtype.is_empty() {
                subtype
            } else if kind.is_empty() {
                "event"
            } else {
                kind
            });
        }
        self.ns.clear();
        match event.ns.text() {
            "" => {
                for (nth, part) in self.id.split('/').enumerate() {
                    if nth > 0 {
                        self.ns.push('.');
                    }
                    self.ns.push_str(part);
                }
            }
            own => self.ns.push_str(own),
        }
    }

    /// The fingerprint of what went wrong; 0 for what did not (CONTRACT: `group`).
    fn group_of(&mut self, level: Level, flags: Flags, status: Option<u16>, event: &RawEvent<'_>) -> u64 {
        if level < Level::Warn && !flags.has(Flags::FAILED) {
            return 0;
        }
        let evidence = fingerprint::Evidence {
            kind: event.kind.text(),
            subtype: event.subtype.text(),
            message: event.message.text(),
            stack: event.stack.text(),
            is_mapped: false,
            endpoint: &self.endpoint,
            status,
        };
        fingerprint::fingerprint(&evidence, &mut self.msg)
    }

    /// Where the message is in `json`; `None` if it was made or unescaped into `self.msg`.
    fn msg_of(
        &mut self,
        json: &str,
        event: &RawEvent<'_>,
        status: Option<u16>,
        duration: Option<Micros>,
    ) -> Option<Range<usize>> {
        self.msg.clear();
        match &event.message {
            Scalar::Text(Cow::Borrowed(text)) if !text.is_empty() => {
                // The text is a slice of `json`, so its place follows from the two addresses.
                let start = (text.as_ptr() as usize).wrapping_sub(json.as_ptr() as usize);
                if json.get(start..start.wrapping_add(text.len())).is_some_and(|there| there == *text) {
                    return Some(start..start + shown(text).len());
                }
                self.msg.push_str(shown(text));
            }
            Scalar::Text(text) if !text.is_empty() => self.msg.push_str(shown(text)),
            _ => {
                let (kind, subtype) = (event.kind.text(), event.subtype.text());
                let fields =
                    summary::Fields { kind, subtype, endpoint: &self.endpoint, status, duration, json };
                summary::write(&fields, &mut self.msg);
            }
        }
        None
    }
}

/// The part of a message that is indexed, cut at a character.
fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_MSG_BYTES)]
}

fn or<'a>(own: Cow<'a, str>, fallback: &'a str) -> Cow<'a, str> {
    if own.is_empty() { Cow::Borrowed(fallback) } else { own }
}

fn level_of(kind: &str, sent: &Scalar<'_>) -> Level {
    match kind {
        "error" => Level::Error,
        "metric" => Level::Info,
        "analytics" => Level::Debug,
        _ => Level::parse(sent.text()).unwrap_or(Level::Info),
    }
}

fn status_of(event: &RawEvent<'_>) -> Option<u16> {
    let sent = event.status.number().or_else(|| event.status_code.number())?;
    // Browsers report 0 for a request that got no answer.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked by the filter")]
    Some(sent).filter(|status| (1.0..65_536.0).contains(status)).map(|status| status as u16)
}

fn duration_of(event: &RawEvent<'_>) -> Option<Micros> {
    [&event.duration_ms, &event.response_time_ms, &event.render_time_ms]
        .into_iter()
        .find_map(|field| field.number().and_then(Micros::from_ms))
}

fn load_of(sent: &Scalar<'_>) -> Option<i32> {
    #[expect(clippy::cast_possible_truncation, reason = "checked by the filter")]
    sent.number().filter(|load| load.abs() < 1e9).map(|load| load as i32)
}

fn inst_of(sent: &Scalar<'_>, sender: &Sender) -> Timestamp {
    let Some(ms) = sent.number() else { return sender.recv };
    #[expect(clippy::cast_possible_truncation, reason = "saturates; absurd times are refused below")]
    let inst = Timestamp((ms as i64).saturating_add(sender.offset_ms));
    let is_absurd = inst.0 < YEAR_2000_MS || inst.since(sender.recv) > DAY_MS;
    if is_absurd { sender.recv } else { inst }
}

/// A request has a URL and a method, a status, or one of the request subtypes (CONTRACT: `endpoint`).
fn is_request(event: &RawEvent<'_>, subtype: &str, status: Option<u16>) -> bool {
    let has_url = !event.url.text().is_empty();
    let names_one = matches!(subtype, "api-call" | "network");
    has_url && (names_one || status.is_some() || !event.method.text().is_empty())
}

fn is_failed(event: &RawEvent<'_>, subtype: &str, flags: Flags, status: Option<u16>) -> bool {
    match status {
        Some(status) => status >= 400,
        // Without a status a request that names itself one was never answered, unless the page gave it up.
        None => {
            flags.has(Flags::REQUEST) && matches!(subtype, "api-call" | "network") && !event.aborted.is_true()
        }
    }
}

/// `is:slow` (CONTRACT: the event).
fn slow_limit(subtype: &str) -> Micros {
    Micros(match subtype {
        "api-call" | "network" => 500_000,
        "render" => 50_000,
        "long-task" => 200_000,
        _ => 1_000_000,
    })
}

fn user_of<'a>(json: &'a str, event: &'a RawEvent<'_>, known: &'a str) -> Cow<'a, str> {
    let own = event.user.name();
    if !own.is_empty() {
        return own;
    }
    let nested = |parent: &str| {
        let found = json::path(json, &[parent, "user-id"])?;
        Some(match Scalar::of(found) {
            Scalar::Text(text) => text,
            Scalar::Number(_) => Cow::Borrowed(found),
            _ => return None,
        })
    };
    let inside = if event.has_data { nested("data") } else { None };
    let inside = inside.or_else(|| if event.has_context { nested("context") } else { None });
    inside.unwrap_or(Cow::Borrowed(known))
}

/// What the event already has, so that nothing is added twice when its data is written out.
fn presence(event: &RawEvent<'_>) -> Flags {
    let mut flags = Flags::NONE;
    for (there, flag) in [
        (event.source.is_present(), Flags::HAS_SOURCE),
        (event.user.is_present(), Flags::HAS_USER),
        (event.recv_time.is_present(), Flags::HAS_RECV),
        (event.browser_time.is_present(), Flags::HAS_BROWSER_TIME),
        (event.cached.is_true(), Flags::CACHED),
    ] {
        if there {
            flags.set(flag);
        }
    }
    flags
}
