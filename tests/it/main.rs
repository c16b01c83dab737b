//! One integration binary; each module is one door of the program.

/// The program as a user starts it, and the raw clients that speak to it.
mod harness;
mod hostile;

/// Host, Origin and key: who is let in.
mod admission;
/// Alerts and summaries: what is told, and where it shows.
mod alerts;
/// The filter bar: keys in, screen out.
mod bar;
/// The benches, on a few events.
mod bench;
/// A real page in headless Chromium, and the client's own tests.
mod browser;
/// The client as a part of somebody's bundle.
mod bundle;
/// Palette, export dialog, copying, the mouse, keys of one's own.
mod chrome;
/// From a stack to code on the screen without a browser: folded, raw, in the editor, after hot updates, beside hostile maps.
mod code;
/// Settings from files, the environment and options; what a project may set.
mod config;
/// Where the platform is narrow: a strict policy, workers, no storage.
mod corners;
/// The network between pages and taillight, cut.
mod cut;
/// The filter at every door of the program, and all of its test data through the program itself.
mod doors;
/// The errors screen: groups, what is new, and one group in full.
mod errors;
/// Recorded files in and out: `export` and `stats`.
mod files;
/// The filter language from outside: what it reads, and how it is described.
mod filter;
/// `forget` and `export --user`: a person's events gone, or given out.
mod forget;
/// Frames of sente-lite and Sente with changes: the judge of the fuzzer reads them.
mod frames;
/// Events in over WebSocket and POST: acks, nacks, dedupe, the books.
mod ingest;
/// Bounds: what is done there, and how it is counted.
mod limits;
/// `load`: what it sends is all taken, and its report is true.
mod load;
/// What taillight says of itself: on standard error and in its log file.
mod log;
mod looks;
/// Stacks and source maps: recorded, hostile, and while the program runs.
mod maps;
/// `/metrics`: for Prometheus, and by its own measure.
mod metrics;
/// Stacks of frameworks: frames that name no script which a page could be asked for.
mod modules;
/// The console in a real pseudo-terminal.
mod pty;
/// What a page load is: `since:reload`, `load:` and `session:latest` over real connections.
mod reload;
/// Many pages while taillight is restarted, and what they recorded.
mod restarts;
/// `/taillight.cljs` in Scittle, on a real page.
mod scittle;
/// Vitals and timeline: one recorded visit.
mod screens;
/// The pictures of the README are those of the screens.
mod screenshots;
/// sente-lite and Sente clients: their recordings played again, and what they are answered.
mod sente;
/// Signal stages: what passes, what is changed, what is counted.
mod signals;
/// Sinks: each against the real thing, and what they promise.
mod sinks;
/// A thrown error of a Vite page and of a minified bundle, down to its line on the screen and in the editor.
mod sources;
/// Very many pages at once: bursts, and those who are turned away.
mod storm;
/// `tail`: what is printed, and how it ends.
mod tail;
/// What the code must never do, read off its own text.
mod tidy;

mod told;
/// The console: keys in, screen out.
mod ui;
/// The views: each question in as many keys as it should take.
mod views;
