//! What a connection notes of its page for the health screen: its clock, its pace, how late it is, what it samples.
//!
//! Called by the connection beside what it does with hellos and batches.

use tokio::io::{AsyncRead, AsyncWrite};

use super::Connection;
use crate::event::{Chunk, json};
use crate::wire::{Batch, Hello};

/// A clock that is off by more says nothing (ten years, in milliseconds).
const PLAUSIBLE: i64 = 10 * 365 * 86_400_000;

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<S> {
    pub(super) fn note_hello(&self, hello: &Hello<'_>) {
        let recv = self.sender.recv.0;
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and absurd clocks are left out")]
        let ahead = hello.now.filter(|now| now.is_finite()).map(|now| (now as i64).saturating_sub(recv));
        self.page.note(|page| {
            page.tab.clone_from(&self.sender.tab);
            page.page = hello.page.as_deref().unwrap_or_default().to_owned();
            page.ahead_ms = ahead.filter(|ahead| ahead.saturating_abs() < PLAUSIBLE);
        });
    }

    pub(super) fn note_batch(&self, batch: &Batch) {
        let recv = self.sender.recv;
        let newest = batch.chunk.insts().iter().max().copied();
        let (sampled, share) = sampled(&batch.chunk);
        self.page.note(|page| {
            page.arrived(recv, u64::from(batch.offered));
            page.lag_ms = newest.map(|newest| recv.since(newest).max(0));
            page.sampled += sampled;
            page.share = share.or(page.share);
        });
    }
}

/// How many events stand for more than themselves, and the share that the last of them says was sent.
fn sampled(chunk: &Chunk) -> (u64, Option<f64>) {
    // In nearly all batches there is none, which one look at the whole text tells.
    if memchr::memmem::find(chunk.json().as_bytes(), b"\"sampled\"").is_none() {
        return (0, None);
    }
    let share = |event: crate::event::EventRef<'_>| json::number(json::get(event.json(), "sampled")?);
    let shares = chunk.events().filter_map(share).filter(|share| *share > 0.0 && *share < 1.0);
    shares.fold((0, None), |(count, _), share| (count + 1, Some(share)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Redactor;
    use crate::wire::{Body, Sender, decode_body};

    #[test]
    fn only_events_that_stand_for_more_are_sampled() {
        for (events, expected) in [
            (r#"[{"type":"log","message":"a"}]"#, (0, None)),
            (
                r#"[{"sampled":0.1},{"sampled":1},{"sampled":0.25},{"message":"\"sampled\":0.5"}]"#,
                (2, Some(0.25)),
            ),
            (r#"[{"sampled":"yes"},{"deep":{"sampled":0.5}},{"sampled":-1}]"#, (0, None)),
        ] {
            let read = decode_body(events, &Sender::default(), &Redactor::default());
            let Ok(Body::Bare(batch)) = read else { panic!("{events}") };
            assert_eq!(sampled(&batch.chunk), expected, "{events}");
        }
    }
}
