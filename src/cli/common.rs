//! The options of every command, which come from the table of settings, and which commands list them.
//!
//! Part of each command that `cli` declares; `run` hands what was given to `config`. Nothing is read from a file here.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches};

use super::Cli;
use crate::config::{Flag, Kind, SETTINGS, Setting, Value};

/// Options of every command: where the settings are, and settings themselves.
///
/// Those come from the table of settings, with its defaults and its help.
#[derive(Clone, Debug, Default)]
pub struct Common {
    /// In the place of the user's own settings file.
    pub config: Option<PathBuf>,
    /// The settings that were given, with their values in the order given.
    pub flags: Vec<(&'static Setting, Vec<Value>)>,
}

const HEADING: &str = "Common options";

const LISTENS: &[&str] = &[
    "bind",
    "port",
    "allow-origin",
    "allow-host",
    "token",
    "require-key",
    "retain-for",
    "record",
    "log-file",
];
const KEEPS: &[&str] = &["retain", "memory"];
const READS: &[&str] = &["config"];

/// What commands list that do not both listen and draw; the others list everything.
const LISTED: [(&str, &[&[&str]]); 13] = [
    ("tail", &[LISTENS, KEEPS, READS, &["theme", "color", "ascii", "root"]]),
    ("serve", &[LISTENS, KEEPS, READS, &["color", "root"]]),
    ("open", &[KEEPS, READS, &["theme", "color", "ascii", "mouse", "root", "editor"]]),
    ("check", &[READS]),
    ("export", &[READS, &["record"]]),
    ("forget", &[READS, &["record"]]),
    ("stats", &[READS]),
    ("load", &[READS, &["bind", "port", "token"]]),
    ("key", &[]),
    ("client", &[READS, &["port"]]),
    ("completions", &[]),
    ("man", &[]),
    ("help", &[]),
];

impl Args for Common {
    fn augment_args(command: clap::Command) -> clap::Command {
        options().fold(command, clap::Command::arg)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

/// The whole command line. Every command takes every option, so that one may stand before or after it; its help lists
/// those that mean something to it.
pub fn command() -> clap::Command {
    let whole = Cli::command();
    let names: Vec<String> = whole.get_subcommands().map(|own| own.get_name().to_owned()).collect();
    // A command that is changed becomes the last one, so all of them are, in their order.
    names.iter().fold(whole, |whole, name| whole.mut_subcommand(name, |own| own.args(hidden_from(name))))
}

/// The options that a command takes and does not list.
fn hidden_from(name: &str) -> impl Iterator<Item = Arg> {
    let listed = LISTED.iter().find(|(listing, _)| *listing == name).map(|(_, groups)| *groups);
    let is_listed = move |option: &Arg| {
        listed.is_none_or(|groups| groups.iter().any(|group| group.contains(&option.get_id().as_str())))
    };
    options().filter(move |option| !is_listed(option)).map(|option| option.hide(true))
}

fn options() -> impl Iterator<Item = Arg> {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help("Settings file to use in the place of your own [env: TAILLIGHT_CONFIG]");
    let all = SETTINGS.iter().filter_map(option).chain([config]);
    all.map(|option| option.global(true).help_heading(HEADING))
}

/// The option of a setting, if it has one.
fn option(setting: &'static Setting) -> Option<Arg> {
    let is_list = matches!(setting.kind, Kind::List(_) | Kind::Choices(_));
    Some(match setting.flag {
        Flag::None => return None,
        Flag::Switch(name, _) => {
            let help = setting.help.split("; auto:").next().unwrap_or(setting.help);
            Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
        }
        Flag::Value(name, value) => {
            let read = move |text: &str| -> Result<Value, String> {
                setting.kind.of_text(text).ok_or_else(|| format!("write {}", setting.kind.allowed()))
            };
            let more = if is_list { " (may be repeated)" } else { "" };
            let option = Arg::new(name).long(name).value_name(value);
            let option = option.help(format!("{}{more}{}", setting.help, default_of(setting)));
            option.value_parser(read).action(if is_list { ArgAction::Append } else { ArgAction::Set })
        }
    })
}

/// ` [default: 8245]`, where there is one.
fn default_of(setting: &Setting) -> String {
    let words = match setting.kind {
        Kind::Choice(words) => format!(" [{}]", words.join(", ")),
        _ => String::new(),
    };
    match setting.default() {
        Value::Number(bytes) if matches!(setting.kind, Kind::Size) => {
            format!(" [default: {}MiB]", bytes >> 20)
        }
        Value::Number(number) => format!(" [default: {number}]"),
        Value::Text(text) if !text.is_empty() => format!("{words} [default: {text}]"),
        _ => words,
    }
}

impl FromArgMatches for Common {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut common = Self { config: matches.get_one::<PathBuf>("config").cloned(), flags: Vec::new() };
        for setting in &SETTINGS {
            let values: Vec<Value> = match setting.flag {
                Flag::None => continue,
                Flag::Switch(name, value) => {
                    let is_given = matches.get_flag(name);
                    setting.kind.of_text(value).filter(|_| is_given).into_iter().collect()
                }
                Flag::Value(name, _) => matches.get_many(name).into_iter().flatten().cloned().collect(),
            };
            if !values.is_empty() {
                common.flags.push((setting, values));
            }
        }
        Ok(common)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
