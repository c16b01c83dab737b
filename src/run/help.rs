//! `taillight help`: of a command, or of the filter language.

use super::{Usage, print};
use crate::cli::command;
use crate::filter;

const FILTER: &str = include_str!("../../assets/filter.md");

/// Prints the help of `topic`, or of the whole program.
pub(super) fn run(topic: Option<&str>) -> anyhow::Result<u8> {
    if topic == Some("filter") {
        // Its comments are for those who edit it.
        let text: String = FILTER.split_inclusive('\n').filter(|line| !line.starts_with("<!--")).collect();
        return print(text.as_bytes());
    }
    let mut command = command();
    // Only then do the commands know the common options.
    command.build();
    let help = match topic {
        None => command.render_long_help(),
        Some(name) => match command.find_subcommand_mut(name) {
            Some(found) => found.render_long_help(),
            None => {
                let message = format!("help: no command `{name}`; `taillight help` lists them");
                return Err(Usage(message).into());
            }
        },
    };
    print(help.to_string().as_bytes())
}

/// What is said of a filter that looks like the name of a command; `None` for any other.
pub(super) fn misspelt(text: &str) -> Option<String> {
    let is_word = text.len() >= 4 && text.bytes().all(|byte| byte.is_ascii_lowercase());
    let whole = command();
    let names = whole.get_subcommands().map(clap::Command::get_name);
    let meant = if is_word { filter::nearest(text, names) } else { None }?;
    Some(format!("`{text}` is read as a filter; for the command: taillight {meant}"))
}

#[cfg(test)]
mod tests {
    use super::misspelt;

    #[test]
    fn a_filter_that_is_nearly_a_command_is_doubted() {
        for (text, meant) in [
            ("chekc", Some("check")),
            ("exprot", Some("export")),
            ("demos", Some("demo")),
            ("timeout", None),
            ("level:error", None),
            ("GET", None),
            ("", None),
        ] {
            let said = misspelt(text);
            assert_eq!(said.is_some(), meant.is_some(), "{text}: {said:?}");
            assert!(meant.is_none_or(|meant| said.is_some_and(|said| said.ends_with(&format!(" {meant}")))));
        }
    }
}
