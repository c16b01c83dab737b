//! What an editor's command may be: words with quotes that are closed, and no names but those of a place.
//!
//! Called by the table of settings; `run::editor` takes the words apart. Whether there is such a program is not asked:
//! settings go along from one machine to another.

/// What stands in a command for the place that is to be opened.
const NAMES: [&str; 3] = ["file", "line", "col"];

/// Whether an editor can be told a place with `text`; empty where the environment decides.
pub(super) fn is_command(text: &str) -> bool {
    let is_word = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase());
    let mut names = text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
    has_closed_quotes(text) && names.all(|name| !is_word(name) || NAMES.contains(&name))
}

fn has_closed_quotes(text: &str) -> bool {
    let mut open = None;
    for c in text.chars() {
        match open {
            Some(quote) if quote == c => open = None,
            None if matches!(c, '"' | '\'') => open = Some(c),
            _ => {}
        }
    }
    open.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_nothing_but_the_place() {
        for text in
            ["", "code -g {file}:{line}:{col}", "'my editor' \"{file}\"", "x {} {A} {1}", "vim \"it's\""]
        {
            assert!(is_command(text), "{text}");
        }
        for text in ["code {path}", "vim +{row} {file}", "code \"-g", "it's"] {
            assert!(!is_command(text), "{text}");
        }
    }
}
