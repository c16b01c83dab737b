//! `taillight help`: of a command, or of the filter language.

use super::{Usage, print};
use crate::cli::command;

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
