//! `taillight load`: options in, the generator run, its five lines out.
//!
//! Called by `run`. The lines are what scripts read; trouble goes to standard error.

use std::io::Write;
use std::net::SocketAddr;

use serde_json::json;
use tokio::sync::oneshot;

use super::{Usage, code, print, signals};
use crate::cli::Load;
use crate::config::Settings;
use crate::ingest;
use crate::load::{self, LoadError, Options, Report};
use crate::ui::format::counted;

/// Sends as `load` says, or until a signal, and reports; 1 if events were lost.
pub(super) fn run(settings: &Settings, load: &Load) -> anyhow::Result<u8> {
    let here = || format!("http://{}", SocketAddr::new(settings.bind, settings.port));
    let options = Options {
        url: load.url.clone().unwrap_or_else(here),
        connections: load.connections,
        rate: load.rate,
        time: load.for_time,
        batch: load.batch,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (signalled, signal) = oneshot::channel();
    // A load that has ended by itself has nobody waiting any more.
    signals::watch(move |code| _ = signalled.send(code))?;
    let mut ended_by = None;
    let stop = async { ended_by = Some(signal.await.unwrap_or(code::INTERRUPTED)) };
    let report = match runtime.block_on(load::run(&options, ingest::now, stop)) {
        Ok(report) => report,
        Err(error @ LoadError::Url(_)) => return Err(Usage(error.to_string()).into()),
        Err(error) => return Err(error.into()),
    };
    if let Some(trouble) = &report.trouble {
        let _ = writeln!(std::io::stderr(), "taillight: {trouble}");
    }
    if report.throttled > 0 {
        let times = counted(report.throttled, "time");
        let _ = writeln!(std::io::stderr(), "taillight: told to wait {times}, and sent again");
    }
    print(if load.json { as_json(&report) } else { as_lines(&report) }.as_bytes())?;
    let ended = if report.lost() > 0 { code::NOTHING } else { code::FINE };
    Ok(ended_by.unwrap_or(ended))
}

fn as_lines(report: &Report) -> String {
    format!(
        "sent {}\nacked {}\nlost {}\nrate {} events/s\nack p50 {} ms p99 {} ms\n",
        report.sent,
        report.acked,
        report.lost(),
        report.rate(),
        report.ack_ms(0.5),
        report.ack_ms(0.99)
    )
}

fn as_json(report: &Report) -> String {
    let object = json!({
        "sent": report.sent, "acked": report.acked, "lost": report.lost(), "rate": report.rate(),
        "ack_p50_ms": report.ack_ms(0.5), "ack_p99_ms": report.ack_ms(0.99),
    });
    format!("{object}\n")
}
