//! A stack as the browser told it, line by line, while no map has said more: library frames folded.
//!
//! Drawn by the detail of an event and of a group. Its lines are text from outside and pass the gate there.

use super::code_frame::folded;
use super::theme::Theme;
use crate::stack;

/// One line of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StackLine {
    pub(super) text: String,
    /// No frame of the user's own code.
    pub(super) is_dim: bool,
}

/// The lines of `stack`; without `folds` each frame of a library stands for itself, with it they are one line that says
/// the key.
pub(super) fn lines(stack: &str, folds: Option<&str>, theme: &Theme) -> Vec<StackLine> {
    let mut out = Vec::new();
    let mut libraries: Vec<&str> = Vec::new();
    let fold = |libraries: &mut Vec<&str>, out: &mut Vec<StackLine>| {
        if !libraries.is_empty() {
            let text = format!("  {}", folded(libraries, folds.unwrap_or_default(), theme));
            out.push(StackLine { text, is_dim: true });
            libraries.clear();
        }
    };
    for (at, line) in stack.lines().enumerate() {
        let file = stack::frames(line).next().map(|frame| frame.file);
        let library = file.filter(|file| !stack::is_own(file));
        match library.filter(|_| folds.is_some()) {
            Some(file) => libraries.push(file),
            None => {
                fold(&mut libraries, &mut out);
                // Chrome begins with the message, which stands above already.
                let is_dim = library.is_some() || at == 0 && file.is_none();
                out.push(StackLine { text: format!("  {}", line.trim()), is_dim });
            }
        }
    }
    fold(&mut libraries, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::Palette;

    const CHROME: &str = "Error: no\n    at a (http://x/src/a.js:1:2)\n    at b (http://x/node_modules/react-dom/b.js:1:2)\n    \
                          at c (http://x/node_modules/scheduler/c.js:1:2)\n    at Array.map (<anonymous>)\n    at d (http://x/src/d.js:1:2)";

    #[test]
    fn frames_of_libraries_are_one_line_until_they_are_unfolded() {
        let theme = Theme::new(Palette::Mono, false);
        let shown = |stack: &str, folds: Option<&str>| -> Vec<(String, bool)> {
            lines(stack, folds, &theme).into_iter().map(|line| (line.text, line.is_dim)).collect()
        };
        let own = |text: &str| (format!("  {text}"), false);
        let dim = |text: &str| (format!("  {text}"), true);
        assert_eq!(
            shown(CHROME, Some("z unfolds")),
            [
                dim("Error: no"),
                own("at a (http://x/src/a.js:1:2)"),
                dim("… 3 library frames (react-dom, scheduler)   z unfolds"),
                own("at d (http://x/src/d.js:1:2)"),
            ]
        );
        let whole = shown(CHROME, None);
        assert_eq!(whole.len(), 6);
        assert_eq!(whole[2], dim("at b (http://x/node_modules/react-dom/b.js:1:2)"));
        let gecko = "a@http://x/src/a.js:1:2\nb@http://x/.vite/deps/react-dom_client.js?v=1:1:2\n";
        assert_eq!(
            shown(gecko, Some("")),
            [own("a@http://x/src/a.js:1:2"), dim("… 1 library frame (react-dom_client)")]
        );
        assert_eq!(shown("", Some("")), []);
    }
}
