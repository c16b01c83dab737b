//! `taillight man`: one page for all commands, made from the command line itself.

use clap::Command;
use clap_mangen::Man;

use super::print;
use crate::cli::command;

/// Prints the page.
pub(super) fn run() -> anyhow::Result<u8> {
    let whole = command();
    let page = Man::new(whole.clone());
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    text.extend_from_slice(b".SH COMMANDS\n");
    for own in whole.get_subcommands() {
        text.extend_from_slice(section(own)?.as_bytes());
    }
    page.render_options_section(&mut text)?;
    page.render_extra_section(&mut text)?;
    print(&text)
}

/// A command with its own options; those it shares with others come once, at the end.
fn section(own: &Command) -> anyhow::Result<String> {
    let name = format!("taillight {}", own.get_name());
    let page = Man::new(own.clone().bin_name(&name).disable_help_flag(true));
    let mut synopsis = Vec::new();
    page.render_synopsis_section(&mut synopsis)?;
    let mut options = Vec::new();
    page.render_options_section(&mut options)?;
    let about = own.get_about().map(ToString::to_string).unwrap_or_default();
    let [synopsis, options] = [synopsis, options].map(|part| without_title(&String::from_utf8_lossy(&part)));
    Ok(format!(".SS {name}\n{}\n.PP\n{synopsis}{options}", roff(&about)))
}

/// A section without the line that names it.
fn without_title(section: &str) -> String {
    section.split_inclusive('\n').filter(|line| !line.starts_with(".SH")).collect()
}

/// Text as the page's own: no line of it is a request.
fn roff(text: &str) -> String {
    text.replace('\\', "\\\\").replace('-', "\\-").replace("\n.", "\n\\&.")
}
