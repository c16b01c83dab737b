//! Parses arguments, runs, and maps the outcome to an exit code; nothing else.

use std::process::ExitCode;

use taillight::{cli, run};

fn main() -> ExitCode {
    match cli::Cli::read() {
        Ok(cli) => run::run(cli),
        Err(told) => run::tell(&told),
    }
}
