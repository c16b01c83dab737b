//! The wiring: channels made, threads spawned and joined, signals awaited. One place where all parts meet.
//!
//! Called by `main` with the parsed command line. Nothing here looks into an event.

mod alarm;
mod background;
mod check;
mod clipboard;
mod config;
mod console;
#[cfg(test)]
mod console_tests;
mod control;
mod counts;
mod crash;
mod doctor;
mod editor;
mod export;
mod exporting;
mod filter;
mod help;
mod helpers;
mod kept;
mod keys;
mod listener;
mod load;
mod log;
mod looks;
mod man;
mod mapping;
mod memory;
mod open;
mod pace;
mod person;
mod placing;
mod reading;
mod recorded;
mod serve;
mod signals;
mod stats;
mod tail;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use thiserror::Error;

use kept::Kept;
pub use listener::{Listener, StartError};

use crate::cli::{Cli, Command, KeyAction, command};
use crate::config::{Color, GlyphSet};
use crate::ingest::{self, key};
use crate::load::LoadError;
use crate::recording;

/// Exit codes (CONTRACT: command line).
pub mod code {
    pub const FINE: u8 = 0;
    pub const NOTHING: u8 = 1;
    pub const USAGE: u8 = 2;
    pub const CANNOT_LISTEN: u8 = 3;
    pub const FILE: u8 = 4;
    pub const TIMED_OUT: u8 = 124;
    pub const INTERRUPTED: u8 = 130;
    pub const HUNG_UP: u8 = 129;
    pub const TERMINATED: u8 = 143;
}

/// A wrong use that the command line's own check cannot see.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Usage(String);

/// Carries out `cli` and says how it ended.
pub fn run(cli: Cli) -> ExitCode {
    match carry_out(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) if is_closed_pipe(&error) => ExitCode::from(code::FINE),
        Err(error) => {
            let _ = writeln!(io::stderr(), "taillight: {error:#}");
            ExitCode::from(code_of(&error))
        }
    }
}

/// Says what the command line itself has to say: its help, its version, or what is wrong with it.
pub fn tell(told: &clap::Error) -> ExitCode {
    let ended = ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(code::USAGE));
    match told.print() {
        Ok(()) => ended,
        // Who closed the pipe has read enough; what was wrong stays wrong.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ended,
        Err(error) => {
            let _ = writeln!(io::stderr(), "taillight: {TO_STDOUT}: {error}");
            ExitCode::from(code::FILE)
        }
    }
}

fn carry_out(cli: Cli) -> anyhow::Result<u8> {
    match &cli.command {
        Some(Command::Key { action }) => return page_key(*action),
        Some(Command::Completions { .. } | Command::Man | Command::Help { .. }) => return explain(&cli),
        _ => {}
    }
    let kept = Kept::read(&cli.common)?;
    // Whoever trusts a file does not want to hear first that it is not trusted.
    if !matches!(cli.command, Some(Command::Trust { .. })) {
        kept.complain();
    }
    let settings = &kept.settings;
    match cli.command {
        None => {
            let text = cli.filter.unwrap_or_default();
            // A mistake is worth more than the advice to use a terminal.
            filter::checked(&text, &settings.saved)?;
            let doubt = help::misspelt(&text);
            console::run(kept.doubting(doubt), &text)
        }
        Some(Command::Open(open)) => {
            filter::checked(open.filter.as_deref().unwrap_or_default(), &settings.saved)?;
            open::run(kept, &open)
        }
        Some(Command::Demo) => console::demo(kept),
        Some(Command::Tail(tail)) => tail::run(settings, &tail),
        Some(Command::Serve) => serve::run(&kept, &cli.common),
        Some(Command::Check(check)) => check::run(&settings.saved, &check),
        Some(Command::Export(export)) => export::run(settings, export),
        Some(Command::Forget(forget)) => person::forget(settings, &forget),
        Some(Command::Stats(stats)) => stats::run(settings, &stats),
        Some(Command::Load(options)) => load::run(settings, &options),
        Some(Command::Client { output, force }) => client(output.as_deref(), force, settings.port),
        Some(Command::Doctor) => doctor::run(&kept),
        Some(Command::Config) => config::run(&kept),
        Some(Command::Trust { withdraw }) => config::trust(&kept, withdraw),
        Some(_) => Ok(code::FINE),
    }
}

/// What only tells about the program itself, and reads nothing.
fn explain(cli: &Cli) -> anyhow::Result<u8> {
    match &cli.command {
        Some(Command::Completions { shell }) => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut command(), "taillight", &mut text);
            print(&text)
        }
        Some(Command::Help { topic }) => help::run(topic.as_deref()),
        Some(Command::Man) => man::run(),
        _ => Ok(code::FINE),
    }
}

fn code_of(error: &anyhow::Error) -> u8 {
    if error.is::<Usage>() {
        code::USAGE
    } else if error.is::<StartError>() || error.is::<LoadError>() {
        code::CANNOT_LISTEN
    } else {
        code::FILE
    }
}

/// `| head -1` closes the pipe once it has enough; that is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// What could not be done where standard output takes no more.
const TO_STDOUT: &str = "cannot write to standard output";

fn print(text: &[u8]) -> anyhow::Result<u8> {
    let mut out = io::stdout().lock();
    out.write_all(text).and_then(|()| out.flush()).context(TO_STDOUT)?;
    Ok(code::FINE)
}

fn page_key(action: KeyAction) -> anyhow::Result<u8> {
    let folder = state_folder()?;
    let key = match action {
        KeyAction::Show => key::read_or_make(&folder)?,
        KeyAction::Rotate => key::rotate(&folder)?,
    };
    print(format!("{}\n", key.as_str()).as_bytes())
}

fn client(output: Option<&Path>, is_forced: bool, port: u16) -> anyhow::Result<u8> {
    let Some(path) = output else {
        return print(ingest::client("").as_bytes());
    };
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    recording::write_new(path, ingest::client(&name).as_bytes(), is_forced).map_err(export::not_over)?;
    if ingest::is_types(&name) {
        return print(
            format!("wrote {}: types of the .mjs that it lies beside\n", path.display()).as_bytes(),
        );
    }
    let own = if path.extension().is_some_and(|kind| kind == "mjs") {
        format!("import {{ init }} from \"./{name}\"; init({{ url: \"http://127.0.0.1:{port}/\" }});")
    } else {
        format!("<script src=\"/{name}\" data-url=\"http://127.0.0.1:{port}\"></script>")
    };
    let snippets = format!(
        "wrote {}\n\nserved by your own pages:\n  {own}\n\
         loaded from the console:\n  <script src=\"http://127.0.0.1:{port}/taillight.js\"></script>\n",
        path.display()
    );
    print(snippets.as_bytes())
}

/// Where the page key lives: the platform's folder for state.
fn state_folder() -> anyhow::Result<PathBuf> {
    let dirs = directories::ProjectDirs::from("", "", "taillight")
        .context("there is no home folder to keep the page key in: set HOME")?;
    let folder = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned();
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    Ok(folder)
}

/// Whether to colour what goes to `stream` (https://no-color.org).
fn use_color(wish: Color, stream: &impl IsTerminal) -> bool {
    match wish {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
            let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            stream.is_terminal() && !is_set("NO_COLOR") && !is_dumb
        }
    }
}

/// Whether to print ASCII characters only.
fn is_ascii(glyphs: GlyphSet) -> bool {
    match glyphs {
        GlyphSet::Ascii => true,
        GlyphSet::Unicode => false,
        GlyphSet::Auto => !is_utf8_locale(),
    }
}

/// Unicode marks need a locale that has them (POSIX: LC_ALL, then LC_CTYPE, then LANG).
fn is_utf8_locale() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
    // Containers often have no locale at all on terminals that are all UTF-8.
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
