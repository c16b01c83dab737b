//! Values that are known before any event is looked at: levels, moments, round numbers, names of saved filters.
//!
//! Called by the advice for a field and operator; each is counted as the term it would make.

use super::AdviceRequest;
use crate::event::{Family, Field, FieldKind, IS, Level, MOMENTS, SUBTYPES, Severity, TYPES};
use crate::filter::{EvalContext, unit_of};

/// A value that is a word of the language, with what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) detail: String,
    /// Listed even if no event has it.
    pub(super) is_always: bool,
}

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const VITALS: &[&str] = &["LCP", "INP", "CLS", "FCP", "TTFB"];
const RATINGS: &[&str] = &["good", "needs-improvement", "poor"];
/// The ids that events answer to by their type.
const FAMILIES: [Family; 4] = [Family::Error, Family::Performance, Family::Analytics, Family::Log];
const CLASSES: &[&str] = &["2xx", "3xx", "4xx", "5xx"];
const SPANS: &[&str] = &["1m", "5m", "15m", "1h"];
const AGES: &[&str] = &["10s", "30s", "1m", "5m", "15m", "1h"];
const LOADS: &[&str] = &["0", "-1", "-2"];
const DURATIONS: &[&str] = &["10ms", "50ms", "100ms", "200ms", "500ms", "1s", "2s", "5s"];
const DURATION_RANGES: &[&str] =
    &["..50ms", "50ms..100ms", "100ms..200ms", "200ms..500ms", "500ms..1s", "1s..5s", "5s.."];
const SIZES: &[&str] = &["1kb", "10kb", "100kb", "1mb", "10mb"];
const SIZE_RANGES: &[&str] = &["..1kb", "1kb..10kb", "10kb..100kb", "100kb..1mb", "1mb.."];

/// The words that may stand after `field` and `op`.
pub(super) fn words(field: &str, op: &str, request: &AdviceRequest, context: &EvalContext) -> Vec<Word> {
    let plain = |texts: &[&str], is_always: bool| -> Vec<Word> {
        let word = |text: &&str| Word { text: (*text).to_owned(), detail: String::new(), is_always };
        texts.iter().map(word).collect()
    };
    let is_order = op.starts_with(['<', '>']);
    let by_order = |singles, ranges| plain(if is_order { singles } else { ranges }, false);
    let Some(field) = Field::find(field) else {
        return match unit_of(field) {
            _ if field.eq_ignore_ascii_case("saved") => saved(request),
            Some("kB") => by_order(SIZES, SIZE_RANGES),
            Some(_) => by_order(DURATIONS, DURATION_RANGES),
            None => Vec::new(),
        };
    };
    match field.kind {
        FieldKind::Level => plain(&Level::ALL.map(Level::name), true),
        FieldKind::Severity => plain(&Severity::ALL.map(Severity::name), true),
        FieldKind::Type if op == ":" => plain(&TYPES, true),
        FieldKind::Bool => plain(&["true", "false"], true),
        FieldKind::Load => plain(LOADS, false),
        FieldKind::Age => plain(AGES, true),
        FieldKind::Moment => moments(context),
        FieldKind::Duration => by_order(DURATIONS, DURATION_RANGES),
        FieldKind::Size => by_order(SIZES, SIZE_RANGES),
        FieldKind::Signal if field.name == "id" => plain(&FAMILIES.map(Family::id), false),
        FieldKind::Status if !is_order => plain(CLASSES, false),
        FieldKind::Is => {
            let word = |(text, doc): &(&str, &str)| Word {
                text: (*text).to_owned(),
                detail: (*doc).to_owned(),
                is_always: true,
            };
            IS.iter().map(word).collect()
        }
        FieldKind::Name => match field.name {
            "subtype" => plain(&SUBTYPES, false),
            "method" => plain(METHODS, false),
            "vital" => plain(VITALS, false),
            "rating" => plain(RATINGS, false),
            "session" if op == ":" => {
                let detail = "whose page was loaded last".to_owned();
                vec![Word { text: "latest".to_owned(), detail, is_always: false }]
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Named moments, marks by their names, and spans.
fn moments(context: &EvalContext) -> Vec<Word> {
    let mut marks: Vec<String> = context.marks.keys().map(|name| format!("mark-{name}")).collect();
    marks.sort();
    let texts = MOMENTS.iter().chain(SPANS).map(|text| (*text).to_owned()).chain(marks);
    texts.map(|text| Word { text, detail: String::new(), is_always: true }).collect()
}

fn saved(request: &AdviceRequest) -> Vec<Word> {
    let word =
        |(name, text): &(String, String)| Word { text: name.clone(), detail: text.clone(), is_always: true };
    request.saved.iter().map(word).collect()
}
