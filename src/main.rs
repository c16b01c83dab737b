//! Parses arguments, runs, and maps the outcome to an exit code; nothing else.

use std::process::ExitCode;

use clap::Parser;
use taillight::{cli, run};

fn main() -> ExitCode {
    run::run(cli::Cli::parse())
}
