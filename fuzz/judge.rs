//! What must hold of the filter language for every text.
//!
//! Called by the fuzz target with made-up texts and by `tests/it/filter.rs` with the seeds. It panics where
//! something does not hold.

use taillight::filter::{append, drop_last, negate, parse, pasted, term_for, toggle, while_typing};

/// Reads `text` in every way there is.
pub(crate) fn filter(text: &str) {
    let parsed = parse(text);
    assert_eq!(parsed.filter.is_some(), parsed.errors.is_empty());
    for error in &parsed.errors {
        assert!(text.get(error.span.clone()).is_some() && error.column >= 1 && error.len >= 1);
    }
    if let Some(error) = parsed.errors.first() {
        assert!(!error.with_caret(text).contains('\u{1b}'));
    }
    let fixes = parsed.errors.iter().map(|error| &error.fix).chain(parsed.notes.iter().map(|note| &note.fix));
    for fix in fixes.flatten().take(8) {
        assert!(text.get(fix.span.clone()).is_some(), "{fix:?}");
        parse(&fix.apply(text));
    }
    if let Some(filter) = &parsed.filter {
        let written = filter.to_string();
        // What is written out may be longer than what was typed, and so over the limit.
        if written.len() < taillight::filter::MAX_CHARS {
            let again = parse(&written);
            let reading = again.filter.as_ref().map(taillight::filter::Filter::reads_as);
            assert_eq!(reading, Some(filter.reads_as()), "{written}: {:?}", again.errors);
        }
        filter.highlighter().spans(text);
    }
    while_typing(text, true);
    while_typing(text, false);
    append(text, "since:reload");
    toggle(text, "since:reload");
    negate(text);
    assert!(drop_last(text).len() <= text.len());
    parse(pasted(text).text());
    let term = term_for("message", text);
    assert!(parse(&term).errors.is_empty(), "{term}");
}
