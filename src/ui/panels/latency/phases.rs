//! What requests' time went into, as the latency screen writes it.

use crate::event::Phases;
use crate::ui::format;
use crate::ui::theme::Theme;

fn parts(phases: &Phases) -> [(&'static str, f64); 5] {
    [
        ("dns", phases.dns),
        ("connect", phases.connect),
        ("tls", phases.tls),
        ("wait", phases.wait),
        ("download", phases.download),
    ]
}

/// `wait 3,402 · download 19`: what took any time, in milliseconds.
pub(super) fn said(phases: &Phases, theme: &Theme) -> String {
    let parts = parts(phases).into_iter().filter(|(name, ms)| *ms >= 0.5 || *name == "wait");
    let said = parts.map(|(name, ms)| format!("{name} {}", format::count(whole(ms))));
    said.collect::<Vec<_>>().join(&format!(" {} ", theme.glyphs.dot))
}

/// `wait 92% · download 6%`: the shares of all the time of `all`.
pub(super) fn shares(all: &[Phases], theme: &Theme) -> Option<String> {
    let mut sums = [0.0; 5];
    for phases in all {
        sums.iter_mut().zip(parts(phases)).for_each(|(sum, (_, ms))| *sum += ms);
    }
    let total: f64 = sums.iter().sum();
    if total <= 0.0 {
        return None;
    }
    let named = parts(&Phases::default()).into_iter().zip(sums);
    let said = named.filter(|(_, sum)| *sum * 200.0 >= total).map(|((name, _), sum)| {
        format!("{name} {}", format::percent(whole(sum * 1_000.0), whole(total * 1_000.0)))
    });
    Some(said.collect::<Vec<_>>().join(&format!(" {} ", theme.glyphs.dot)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates; phases are not negative"
)]
fn whole(ms: f64) -> u64 {
    ms.round() as u64
}
