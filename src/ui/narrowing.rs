//! Keys that narrow: by a value, by session, by page load, by time, by what is saved or pinned, and back again.
//!
//! Part of the app. Every one of them writes into the line of the filter, which stays the whole truth.

use std::sync::Arc;

use crossterm::event::KeyEvent;

use super::app::App;
use super::keys::Action;
use super::named;
use super::saved::{Choice, SavedList};
use super::view::{Effect, Screen, View};
use crate::config::{DetailMode, Saved};
use crate::event::{Chunk, EventRef, Timestamp};
use crate::filter::{Bits, EvalContext, Matcher, drop_last, exact_term_for, has, negate, parse, term_for};
use crate::scan::{Moment, Pin};
use crate::store::Snapshot;
use crate::ui::format;

/// Before and after an event, in milliseconds (UX 3.1: around).
const AROUND_MS: i64 = 5_000;
/// How often saved filters are counted while their list is open, in milliseconds.
const RECOUNT_MS: i64 = 1_000;
/// Columns of a term in the footer.
const MAX_TERM: usize = 60;

/// What `a` goes back to.
#[derive(Debug)]
pub(super) struct Around {
    /// The filter that shows what is around.
    text: String,
    before: String,
    was_bypassed: bool,
    moment: Moment,
}

impl App {
    /// Takes a key that narrows; `false` if it does not.
    pub(super) fn narrow(&mut self, action: Action) -> bool {
        match action {
            Action::Keep | Action::Leave => self.by_value(action),
            Action::BypassFilter => self.bar.bypass(),
            Action::ClearFilter => {
                self.panels.stream.count_from(None);
                self.bar.replace("");
            }
            Action::DropLast => {
                let text = drop_last(self.bar.text());
                self.bar.replace(&text);
            }
            Action::Undo | Action::Redo => {
                if !self.bar.walk(action == Action::Undo) {
                    let end = if action == Action::Undo {
                        "no filter before this one"
                    } else {
                        "no filter after this one"
                    };
                    self.say(end);
                }
            }
            Action::ThisLoad => self.toggle_said("since:reload"),
            Action::LatestSession => self.switch_session("session:latest"),
            Action::Pins => self.toggle_said("is:marked"),
            Action::Problems => {
                let problems = self.saved.iter().find(|saved| saved.name == "problems");
                let text = problems.map_or("(level>=warn or is:failed or is:slow)", |saved| &saved.text);
                let text = self.bar.expanded(text);
                self.toggle_said(&text);
            }
            Action::Clear => self.clear(),
            Action::ThisSession => self.this_session(),
            Action::Around => self.around(),
            Action::Pin => self.pin(),
            Action::Saved => {
                self.saved_list = Some(SavedList::new());
                self.counted = Timestamp(0);
            }
            _ => return false,
        }
        true
    }

    fn toggle_said(&mut self, term: &str) {
        let was_there = has(self.bar.text(), term);
        self.bar.toggle(term);
        self.say_toggled(term, was_there);
    }

    /// An event is of one session: another one takes the place of that which is there.
    fn switch_session(&mut self, term: &str) {
        let was_there = has(self.bar.text(), term);
        self.bar.switch(term, "session");
        self.say_toggled(term, was_there);
    }

    fn say_toggled(&mut self, term: &str, was_there: bool) {
        let gate = self.world.theme.gate;
        let mut groups = named::groups(term, &self.world.matches.snapshot.tables.groups);
        // Tables lag behind what has just arrived.
        let selected = self.panels.stream.selected().filter(|_| groups.is_empty());
        groups.extend(selected.and_then(|event| Some((event.group()?, event.msg().into()))));
        let spelled = named::spelled(term, &groups, gate);
        let shown = if spelled == term { gate.plain_capped(term, MAX_TERM) } else { spelled };
        let what = if was_there { "taken out" } else { "added" };
        self.say(format!("{what}: {shown}   u undoes"));
    }

    /// Whether keys act on the values of the selected event, which has the whole screen.
    pub(super) fn is_on_values(&self) -> bool {
        let is_full = self.screen == Screen::Stream && self.detail_mode == DetailMode::Full;
        is_full && self.panels.help.is_none() && self.panels.stream.selected().is_some()
    }

    /// `+` and `-` write a term about the value under the cursor into the filter.
    fn by_value(&mut self, action: Action) {
        let field = self.detail.field().filter(|_| self.is_on_values());
        let term = match field {
            Some((path, value)) => match exact_term_for(path, value) {
                Some(term) => Some(term),
                // The value alone would be looked for in every other field too.
                None => return self.say("no filter can ask for this field alone"),
            },
            None => {
                let view = self.world.view(&self.bar, &self.marks);
                self.panels.current(self.screen).term(&view)
            }
        };
        let Some(term) = term else {
            let is_list = self.screen != Screen::Health;
            self.say(if is_list { "select a row first (k)" } else { "nothing here to filter by" });
            return;
        };
        // Words of the page in a term: nothing is written that would not hold for the event it was taken from.
        let place = self.panels.stream.place().filter(|_| self.screen == Screen::Stream);
        if let Some((chunk, row)) = place
            && !holds(&term, chunk, row)
        {
            self.say("no filter can ask for exactly this value");
            return;
        }
        let term = if action == Action::Leave { negate(&term) } else { term };
        self.toggle_said(&term);
    }

    /// Nothing is thrown away: from now on only what comes is shown.
    fn clear(&mut self) {
        self.marks.mark = Some(self.world.moment());
        self.has_marked = true;
        let text = crate::filter::append(self.bar.text(), "since:mark");
        self.bar.replace(&text);
        self.say("from now on only: c moves the mark to now, u shows all again");
    }

    fn this_session(&mut self) {
        let view = self.world.view(&self.bar, &self.marks);
        let term = match self.screen {
            Screen::Stream => self.panels.stream.selected().map(session_of),
            Screen::Sessions => self.panels.current(self.screen).term(&view),
            _ => None,
        };
        match term {
            Some(term) => self.switch_session(&term),
            None => self.say("select an event or a session first (k)"),
        }
    }

    /// All that happened in this tab just before and after, and back to where one was.
    fn around(&mut self) {
        if let Some(around) = self.around.take_if(|around| around.text == self.bar.text()) {
            self.bar.replace(&around.before);
            if around.was_bypassed {
                self.bar.bypass();
            }
            self.panels.stream.choose(around.moment);
            return;
        }
        let moment = self.panels.stream.moment().filter(|_| self.screen == Screen::Stream);
        let (Some(event), Some(moment)) = (self.panels.stream.selected(), moment) else {
            self.say("select an event first (k)");
            return;
        };
        let clock = |at: Timestamp| {
            at.to_jiff()
                .to_zoned_datetime(self.world.zone.clone())
                .strftime("%Y-%m-%dT%H:%M:%S%.3f")
                .to_string()
        };
        let (from, to) = (event.inst().plus_ms(-AROUND_MS), event.inst().plus_ms(AROUND_MS));
        let time = format!("time:{}..{}", clock(from), clock(to));
        let whose = match (event.tab(), event.session()) {
            ("", "") => String::new(),
            ("", session) => term_for("session", session),
            (tab, _) => term_for("tab", tab),
        };
        let text = format!("{whose} {time}").trim().to_owned();
        let before = self.bar.text().to_owned();
        self.around = Some(Around { text: text.clone(), before, was_bypassed: self.bar.is_bypassed, moment });
        self.bar.replace(&text);
        self.say("everything of this tab within 5 s, whatever the filter: a goes back");
    }

    fn pin(&mut self) {
        let stream = &self.panels.stream;
        let place = stream.place().zip(stream.moment()).filter(|_| self.screen == Screen::Stream);
        let Some(((chunk, row), moment)) = place else {
            self.say("select an event first (k)");
            return;
        };
        match self.marks.toggle((chunk, row), moment.ordinal) {
            Pin::TooMany => return self.say("1,000 events are pinned: unpin one first (m)"),
            Pin::TooLarge => return self.say("pinned events hold 16 MB: unpin one first (m)"),
            Pin::Pinned | Pin::Unpinned => {}
        }
        self.has_marked = true;
        let count = format::count(self.marks.pinned.len() as u64);
        self.say(format!("{count} pinned and kept   P shows them, m lets go of one"));
    }

    /// Pins go along with what becomes of the ring.
    pub(super) fn follow_pins(&mut self, snapshot: &Snapshot) {
        let gone = self.marks.follow(snapshot);
        if gone > 0 {
            self.has_marked = true;
            let events = format::counted(gone as u64, "pinned event");
            self.say(format!("let go of {events}: a person was forgotten"));
        }
    }

    pub(super) fn take_saved(&mut self, saved: Arc<[Saved]>) {
        self.bar.set_saved(saved.iter().map(|one| (one.name.clone(), one.text.clone())).collect());
        self.saved = saved;
        self.counted = Timestamp(0);
    }

    /// Asks for the counts of saved filters while their list is open, once a second.
    pub(super) fn recount(&mut self) -> Vec<Effect> {
        let is_due = self.counted == Timestamp(0) || self.world.now.since(self.counted) >= RECOUNT_MS;
        if self.saved_list.is_none() || !is_due {
            return Vec::new();
        }
        self.counted = self.world.now;
        let whole = |one: &Saved| (one.name.clone(), self.bar.expanded(&one.text));
        vec![Effect::Count(self.saved.iter().map(whole).collect())]
    }

    pub(super) fn on_saved_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let Some(list) = &mut self.saved_list else { return Vec::new() };
        let has_filter = !self.bar.text().trim().is_empty();
        match list.on_key(key, &self.saved, (has_filter, self.has_project)) {
            Choice::Nothing => {}
            Choice::Close => self.saved_list = None,
            Choice::Apply(text) => {
                self.saved_list = None;
                let text = self.bar.expanded(&text);
                self.bar.replace(&text);
            }
            Choice::Save { name, owner } => {
                let text = Some(self.bar.text().trim().to_owned());
                return vec![Effect::Save { name, text, owner }];
            }
            Choice::Delete { name, owner } => return vec![Effect::Save { name, text: None, owner }],
        }
        Vec::new()
    }
}

/// The term that keeps only the session of an event.
fn session_of(event: EventRef<'_>) -> String {
    match event.session() {
        "" => "no:session".to_owned(),
        session => term_for("session", session),
    }
}

/// The newest event that `term` lets through, among the newest that are kept.
pub(super) fn latest_of<'v>(term: &str, view: &View<'v>) -> Option<EventRef<'v>> {
    /// Chunks that are looked through.
    const MAX_CHUNKS: usize = 64;
    let filter = parse(term).filter.filter(|filter| !filter.depends().any())?;
    let mut matcher = Matcher::new(Arc::new(filter), EvalContext::default());
    view.snapshot.segments.iter().rev().take(MAX_CHUNKS).find_map(|segment| {
        let mut found = Bits::new();
        matcher.eval(&segment.chunk, 0..segment.chunk.len(), &mut found);
        let row = found.iter().next_back()?;
        view.snapshot.event(segment.base + row as u64)
    })
}

/// Whether `term` lets this event through; what depends on the moment is taken as it is.
fn holds(term: &str, chunk: &Chunk, row: usize) -> bool {
    let Some(filter) = parse(term).filter else { return false };
    if filter.depends().any() {
        return true;
    }
    let mut found = Bits::new();
    let one = chunk.retain(|other| other == row);
    Matcher::new(Arc::new(filter), EvalContext::default()).eval(&one, 0..one.len(), &mut found);
    found.iter().next().is_some()
}
