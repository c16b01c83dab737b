//! What people do with the product: features they use, and how far they come in a funnel.
//!
//! Filled by `Vitals` from analytics events, read by the vitals panel. Bounded: features and funnels by name, 16 steps
//! of a funnel, and 1,024 sessions of each, beyond which the count stays and rows say so.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::loads::Fields;
use super::named::Named;
use crate::event::{EventRef, Symbol, Timestamp};

/// Sessions told apart for each feature and each step.
pub const MAX_SESSIONS: usize = 1_024;
const MAX_STEPS: usize = 16;

/// What the vitals panel shows of a feature.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureRow {
    /// `(other)` for all that did not fit.
    pub name: Arc<str>,
    pub count: u64,
    /// At most [`MAX_SESSIONS`].
    pub sessions: usize,
    pub last: Timestamp,
    pub fields: Fields,
}

/// What the vitals panel shows of a funnel.
#[derive(Clone, Debug, PartialEq)]
pub struct FunnelRow {
    /// `(other)` for all that did not fit.
    pub name: Arc<str>,
    /// The step that most sessions reached first.
    pub steps: Arc<[StepRow]>,
}

/// One step of a funnel.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRow {
    /// `(other)` for all that did not fit.
    pub name: Arc<str>,
    pub count: u64,
    /// At most [`MAX_SESSIONS`].
    pub sessions: usize,
    /// Of the sessions of the step before: how many are in this one too. `None` for the first step.
    pub went_on: Option<usize>,
}

/// Things that sessions do.
#[derive(Debug, Default)]
struct Use {
    count: u64,
    sessions: FxHashSet<Symbol>,
    span: Option<(Timestamp, Timestamp)>,
    fields: Fields,
}

impl Use {
    fn add(&mut self, event: EventRef<'_>) {
        self.count += 1;
        let inst = event.inst();
        self.span = Some(self.span.map_or((inst, inst), |(first, last)| (first.min(inst), last.max(inst))));
        let session = event.chunk().sessions()[event.row()];
        if !session.is_none() && self.sessions.len() < MAX_SESSIONS {
            self.sessions.insert(session);
        }
    }

    fn first(&self) -> Timestamp {
        self.span.map_or(Timestamp::default(), |(first, _)| first)
    }
}

/// All features.
#[derive(Debug, Default)]
pub(super) struct Features(Named<Use, 256>);

impl Features {
    pub(super) fn add(&mut self, name: &str, field: Fields, event: EventRef<'_>) {
        let feature = self.0.of(name);
        feature.fields = feature.fields.with(field);
        feature.add(event);
    }

    /// Rows by count, largest first, then by name.
    pub(super) fn rows(&self) -> Arc<[FeatureRow]> {
        let mut rows: Vec<_> = self
            .0
            .iter()
            .map(|(name, used)| FeatureRow {
                name,
                count: used.count,
                sessions: used.sessions.len(),
                last: used.span.map_or(Timestamp::default(), |(_, last)| last),
                fields: used.fields,
            })
            .collect();
        rows.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        rows.into()
    }
}

/// All funnels.
#[derive(Debug, Default)]
pub(super) struct Funnels(Named<Named<Use, MAX_STEPS>, 64>);

impl Funnels {
    pub(super) fn add(&mut self, funnel: &str, step: &str, event: EventRef<'_>) {
        self.0.of(funnel).of(step).add(event);
    }

    /// Rows by name.
    pub(super) fn rows(&self) -> Arc<[FunnelRow]> {
        let mut rows: Vec<_> =
            self.0.iter().map(|(name, steps)| FunnelRow { name, steps: steps_of(steps) }).collect();
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        rows.into()
    }
}

/// A funnel narrows: its steps stand by the sessions that reached them, and where those are equal by time.
fn steps_of(steps: &Named<Use, MAX_STEPS>) -> Arc<[StepRow]> {
    let mut steps: Vec<_> = steps.iter().collect();
    steps.sort_by(|(a_name, a), (b_name, b)| {
        let narrower = b.sessions.len().cmp(&a.sessions.len());
        narrower.then_with(|| a.first().cmp(&b.first())).then_with(|| a_name.cmp(b_name))
    });
    let mut before: Option<&FxHashSet<Symbol>> = None;
    let rows = steps.iter().map(|(name, step)| {
        let went_on = before.map(|before| step.sessions.intersection(before).count());
        before = Some(&step.sessions);
        StepRow { name: Arc::clone(name), count: step.count, sessions: step.sessions.len(), went_on }
    });
    rows.collect()
}
