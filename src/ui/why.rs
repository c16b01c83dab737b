//! Where in an event the filter's text is, when no column of its row shows it.
//!
//! Called by the stream for such rows only; it reads the event's values as the detail pane would show them.

use rustc_hash::FxHashMap;

use super::pretty;
use super::view::View;
use crate::event::EventRef;
use crate::filter::Highlighter;

/// Lines of data looked through, and characters on either side of the hit that are shown.
const MAX_LINES: usize = 500;
const AROUND: usize = 8;
/// Characters of the hit itself, of a name, and bytes of a value looked at.
const MAX_HIT: usize = 24;
const MAX_NAME: usize = 16;
const MAX_VALUE: usize = 64 * 1024;

/// The name of the value that was hit, and the hit with a little of what is around it, neither safe to print yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Why {
    pub(super) name: String,
    pub(super) excerpt: String,
}

/// Events whose answers are kept from frame to frame; beyond it they are found anew.
const MAX_KNOWN: usize = 2_048;

/// The answers of one filter: to find one the whole event is read, which is too much for each row of each frame.
#[derive(Debug, Default)]
pub(super) struct Known {
    filter: u64,
    /// By number of arrival.
    whys: FxHashMap<u64, Option<Why>>,
}

impl Known {
    /// As [`of`] says, for the filter on screen; nothing where that looks for no text.
    pub(super) fn of(&mut self, event: EventRef<'_>, view: &View<'_>) -> Option<&Why> {
        if view.highlighter.is_empty() {
            return None;
        }
        if self.filter != view.matches.id || self.whys.len() >= MAX_KNOWN {
            *self = Self { filter: view.matches.id, ..Self::default() };
        }
        let find = || of(event, view.highlighter, view.theme.glyphs.cut);
        self.whys.entry(event.seq()).or_insert_with(find).as_ref()
    }
}

/// The first value of `event` that the filter looks for; `cut` stands where more of it is.
fn of(event: EventRef<'_>, highlighter: &Highlighter, cut: &str) -> Option<Why> {
    let own = [
        ("message", event.msg()),
        ("endpoint", event.endpoint()),
        ("session", event.session()),
        ("user", event.user()),
        ("tab", event.tab()),
        ("id", event.id()),
        ("subtype", event.subtype()),
    ];
    let found = own.iter().find_map(|(name, value)| hit(name, value, highlighter, cut));
    found.or_else(|| {
        let lines = pretty::lines(event.json(), MAX_LINES);
        lines
            .iter()
            .filter_map(|line| line.field.as_ref())
            .find_map(|(path, value)| hit(path, value, highlighter, cut))
    })
}

fn hit(name: &str, value: &str, highlighter: &Highlighter, cut: &str) -> Option<Why> {
    let value = value.get(..value.floor_char_boundary(MAX_VALUE))?;
    let span = highlighter.spans(value).into_iter().next()?;
    let before: Vec<char> = value[..span.start].chars().rev().take(AROUND + 1).collect();
    let after: Vec<char> = value[span.end..].chars().take(AROUND + 1).collect();
    let cut = |is_cut: bool| if is_cut { cut } else { "" };
    let excerpt = format!(
        "{}{}{}{}{}",
        cut(before.len() > AROUND),
        before.iter().take(AROUND).rev().collect::<String>(),
        value[span].chars().take(MAX_HIT).collect::<String>(),
        after.iter().take(AROUND).collect::<String>(),
        cut(after.len() > AROUND),
    );
    // The end of a path says most.
    let skip = name.chars().count().saturating_sub(MAX_NAME);
    Some(Why { name: name.chars().skip(skip).collect(), excerpt })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hit_is_shown_with_its_neighbours() {
        let highlighter = crate::filter::parse("react-dom").filter.expect("a word").highlighter();
        let why =
            |name: &str, value: &str| hit(name, value, &highlighter, "…").map(|why| (why.name, why.excerpt));
        let some = |name: &str, excerpt: &str| Some((name.to_owned(), excerpt.to_owned()));
        assert_eq!(
            why("stack", "at x (node_modules/React-Dom/index.js)"),
            some("stack", "…modules/React-Dom/index.j…")
        );
        assert_eq!(why("a", "react-dom"), some("a", "react-dom"));
        assert_eq!(why("context.very.deep.path.name", "xreact-dom"), some("y.deep.path.name", "xreact-dom"));
        assert_eq!(why("a", "preact"), None);
    }
}
