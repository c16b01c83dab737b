//! What a panel may see and what it may ask for.
//!
//! Made anew for every frame and every key by the app; panels keep nothing of it.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::config::{Owner, Settings, Value};
use crate::event::Timestamp;
use crate::event::form::Form;
use crate::filter::{Filter, Highlighter};
use crate::scan::{AdviceRequest, Marks, Matches, Moment};
use crate::stats::TableRows;
use crate::store::Snapshot;

use super::alerted::Alerted;
use super::chrome::Chosen;
use super::keys::Keymap;
use super::theme::Theme;

/// The screens, by the key that shows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Screen {
    #[default]
    Stream,
    Errors,
    Latency,
    Sessions,
    Vitals,
    Health,
    /// One session over time; reached from the others, not by a key of its own.
    Timeline,
}

impl Screen {
    /// Key, screen and title, in the order of the tabs.
    pub const ALL: [(char, Self, &'static str); 6] = [
        ('1', Self::Stream, "Stream"),
        ('2', Self::Errors, "Errors"),
        ('3', Self::Latency, "Latency"),
        ('4', Self::Sessions, "Sessions"),
        ('5', Self::Vitals, "Vitals"),
        ('6', Self::Health, "Health"),
    ];

    /// The screen whose tab is lit while this one is shown.
    pub fn tab(self) -> Self {
        if self == Self::Timeline { Self::Sessions } else { self }
    }
}

/// What does not change while the console runs.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// `127.0.0.1:8245`; empty when a recording is shown.
    pub address: String,
    /// The page key for the tag of the first screen.
    pub key: String,
    /// The recording that is shown, if any.
    pub recording: Option<String>,
    /// The file that everything is written to as it comes, if any.
    pub record: Option<String>,
}

impl Facts {
    /// Whether other machines reach the address.
    pub(super) fn is_open(&self) -> bool {
        self.address.parse::<SocketAddr>().is_ok_and(|address| !address.ip().is_loopback())
    }
}

/// Everything a panel draws from: one moment.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    /// Of the same moment as `matches`.
    pub(super) snapshot: &'a Snapshot,
    /// The events the filter lets through.
    pub(super) matches: &'a Arc<Matches>,
    /// Tables over the matches.
    pub(super) tables: &'a TableRows,
    pub(super) is_filtered: bool,
    /// The filter is being typed, and keys are its letters.
    pub(super) is_typing: bool,
    pub(super) facts: &'a Facts,
    pub(super) counters: &'a crate::counters::Counters,
    /// How each sink is doing, in the order of the settings.
    pub(super) sinks: &'a [crate::sinks::Report],
    /// The screen stands still, whatever arrives.
    pub(super) is_frozen: bool,
    /// The wall clock; that of the frozen moment while frozen.
    pub(super) now: Timestamp,
    pub(super) zone: &'a jiff::tz::TimeZone,
    pub(super) theme: &'a Theme,
    /// The keys in force.
    pub(super) keys: &'a Keymap,
    /// What to underline.
    pub(super) highlighter: &'a Highlighter,
    /// Groups that are new in the newest load of their tab.
    pub(super) fresh: &'a FxHashSet<u64>,
    /// The alerts that hold.
    pub(super) alerted: &'a Alerted,
    /// What the user marked.
    pub(super) marks: &'a Marks,
    /// The filter of the matches, where they are filtered.
    pub(super) filter: &'a Filter,
    /// Where the event stands that a detail is drawn of.
    pub(super) moment: Option<Moment>,
    /// What passes go over that panels have begun and not ended: kept for the next frame, which is wanted soon.
    pub(super) under_way: &'a RefCell<Vec<Arc<Matches>>>,
}

impl View<'_> {
    /// What an empty list of `what` says under a filter, with the key that helps where it is one.
    pub(super) fn no_match(&self, what: &str) -> String {
        let key = if self.is_typing { "" } else { ": f shows all" };
        format!("no {what} match{key}")
    }
}

/// What the app does for a panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// The key meant nothing here.
    Ignored,
    /// The panel took the key.
    Done,
    /// The same, and this is to be said of it.
    Said(&'static str),
    /// Let the sink of this name rest, or go on.
    Pause { sink: String, is_paused: bool },
    /// Show the stream narrowed by this filter term as well; Back returns here. With `origin` times count from it.
    Drill { term: String, origin: Option<Timestamp> },
    /// Show this event of the ring in the stream, selected.
    Show { ordinal: u64 },
    /// Show this session over time, from its end or at this event of the ring; Back returns here.
    Timeline { session: Arc<str>, ordinal: Option<u64> },
}

/// What the console asks of the program around it.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Narrow everything to this filter.
    SetFilter {
        id: u64,
        filter: Arc<Filter>,
    },
    /// The next filter is for these events, until it is said that it goes on with what came since.
    Hold(Option<Arc<Snapshot>>),
    /// Filters that say `since:mark` or `is:marked` mean these from now on.
    Mark(Marks),
    /// Say what may come next in the filter, and what the events say of it.
    Ask(AdviceRequest),
    /// Count the events that each of these saved filters would show, by name and text.
    Count(Arc<[(String, String)]>),
    /// Keep this filter for the next runs.
    Remember(String),
    /// Save the filter of that text under this name, or delete what is there; say what is saved afterwards.
    Save {
        name: String,
        text: Option<String>,
        owner: Owner,
    },
    /// Write these events to this file.
    Export {
        chosen: Chosen,
        form: Form,
        path: String,
        /// Over a file that is there.
        is_forced: bool,
    },
    /// Look whether a file can be written there.
    Probe(String),
    /// Stop what takes its time.
    CancelWork,
    /// Put this on the clipboard, and say what was done.
    Copy {
        what: &'static str,
        text: String,
    },
    /// These settings count from now on.
    Settings(Box<Settings>),
    /// Write a setting into the user's file.
    Keep {
        key: String,
        value: Value,
    },
    /// Open this file of the project in the editor. Line and column from 1; a column of 0 is not known.
    Edit {
        path: Arc<Path>,
        line: u32,
        column: u32,
    },
    /// Ask the pages of this session how they are; the answer is an event.
    Diagnose(Arc<str>),
    /// Let the sink of this name rest, or go on.
    PauseSink {
        name: String,
        is_paused: bool,
    },
    /// Let made-up browsers send for a minute.
    Demo,
    /// Look why nothing arrives from pages with this tag.
    Why {
        tag: String,
    },
    Suspend,
    Redraw,
    Quit,
}
