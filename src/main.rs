//! Parses arguments, runs, and maps the outcome to an exit code; nothing else.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use taillight::{cli, run};

/// Events come and go by megabytes, on several threads, for as long as a day lasts. glibc's allocator keeps the holes that
/// leaves: with a full ring of 256 MiB the process went from 335 to 440 MiB within a quarter of an hour and on, while with this
/// one it stays at 340 (`benches/soak.py`). Without huge pages, which would hold on to a third more in a flood of events.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match cli::Cli::read() {
        Ok(cli) => run::run(cli),
        Err(told) => run::tell(&told),
    }
}
