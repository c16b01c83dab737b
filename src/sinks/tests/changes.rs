//! Sinks that are set otherwise, taken out or asked to forget: nothing is lost, doubled or acked too early.

use super::*;

#[test]
fn a_sink_set_otherwise_takes_over_without_losing_or_repeating_an_event() {
    let runtime = runtime();
    runtime.block_on(async {
        let outlets = Outlets::new(Some(runtime.handle().clone()));
        let drain = ("drain", Value::Span(20_000));
        let (mut far, setting) = probe("changing", MANY, std::slice::from_ref(&drain));
        let (mut kept_far, kept) = probe("staying", MANY, &[]);
        outlets.replace(vec![setting.clone(), kept.clone()]);
        let mut next = 1;
        for size in [3_u64, 50, 7] {
            let _ = outlets.offer(&chunk(next, size), Timestamp(0));
            next += size;
            let mut changed = setting.clone();
            changed.values.put("buffer", Value::Number(20_000 + size));
            outlets.replace(vec![changed, kept.clone()]);
        }
        let _ = outlets.offer(&chunk(next, 5), Timestamp(0));
        let all: Vec<u64> = (1..next + 5).collect();
        assert_eq!(far.take(all.len()).await, all);
        assert_eq!(kept_far.take(all.len()).await, all);
        outlets.stop().await;
        assert_eq!(report(&outlets, "changing").counts.delivered, all.len() as u64);
        assert_eq!(report(&outlets, "staying").counts.delivered, all.len() as u64);
    });
}

/// `setting` with another buffer, which is another setting.
fn otherwise(setting: &Setting, buffer: u64) -> Setting {
    let mut changed = setting.clone();
    changed.values.put("buffer", Value::Number(buffer));
    changed
}

/// One that may drop nothing, whose acks lag behind by its buffer of one event.
fn promising(more: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    let promise =
        [("mode", text("blocking")), ("buffer", Value::Number(1)), ("batch-events", Value::Number(4))];
    [promise.as_slice(), more].concat()
}

/// It fails for longer than this lasts, waits in its first write, or holds its thread in the midst of one.
#[test]
fn what_a_sink_cannot_write_is_written_once_it_is_set_otherwise_and_acked_only_then() {
    let runtime = runtime();
    runtime.block_on(async {
        for (does, batches, before) in [("fail", MANY / 2, 2), ("", 0, 0), ("block", 1, 3)] {
            let outlets = Outlets::new(Some(runtime.handle().clone()));
            let name = format!("changed-{does}");
            let (mut far, setting) =
                probe(&name, batches, &promising(&[("does", text(does)), ("at", Value::Number(3))]));
            let mut mended = otherwise(&setting, 3);
            mended.values.put("does", text(""));
            outlets.replace(vec![setting]);
            let first = outlets.offer(&chunk(1, 10), Timestamp(0));
            assert_eq!(far.take(before).await, (1..=before as u64).collect::<Vec<_>>(), "{does}");
            if does == "fail" {
                until(&outlets, &name, |report| report.state == State::Retrying).await;
            }
            // Twice at once: the one between never gets to write.
            outlets.replace(vec![otherwise(&mended, 2)]);
            outlets.replace(vec![mended]);
            let second = outlets.offer(&chunk(11, 5), Timestamp(0));
            if does != "fail" {
                let repeat = outlets.due();
                assert!(first.waits_for(&name) && second.waits_for(&name) && repeat.waits_for(&name));
                assert_eq!(report(&outlets, &name).queued, 15, "{does}");
                assert!(far.written.try_recv().is_err(), "the next begins after it: {does}");
                far.may.add_permits(MANY / 2);
            }
            // What was seen of a write that was given up comes again.
            let from = if does == "fail" { 3 } else { before.min(2) as u64 + 1 };
            let rest: Vec<u64> = (from..=15).collect();
            assert_eq!(far.take(rest.len()).await, rest, "{does}");
            assert!(first.settled().await && second.settled().await);
            outlets.stop().await;
            let stands = report(&outlets, &name).counts;
            assert_eq!((stands.offered, stands.delivered, stands.dropped_in_all()), (15, 15, 0), "{does}");
        }
    });
}

#[test]
fn a_sink_that_is_taken_out_is_told_with_what_it_left_and_nobody_waits_for_it() {
    let runtime = runtime();
    runtime.block_on(async {
        let outlets = Outlets::new(Some(runtime.handle().clone()));
        let (mut far, setting) =
            probe("gone", MANY, &promising(&[("does", text("fail")), ("at", Value::Number(3))]));
        outlets.replace(vec![setting]);
        let tickets = outlets.offer(&chunk(1, 10), Timestamp(0));
        until(&outlets, "gone", |report| report.state == State::Retrying).await;
        outlets.replace(Vec::new());
        assert!(outlets.due().is_empty() && outlets.offer(&chunk(11, 1), Timestamp(0)).is_empty());
        assert!(tickets.settled().await, "its promise is withdrawn");
        assert_eq!(far.take(2).await, [1, 2]);
        let told = outlets.left();
        assert!(told.len() == 1 && outlets.left().is_empty() && outlets.stop().await.is_empty());
        let counts = &told[0].counts;
        assert_eq!((counts.delivered, counts.dropped[Dropped::Undelivered as usize]), (2, 8));
        assert!(told[0].is_balanced() && told[0].last_error.as_deref() == Some("down"));
    });
}

#[test]
fn what_is_forgotten_lets_nothing_before_it_count_as_written() {
    let runtime = runtime();
    runtime.block_on(async {
        let outlets = Outlets::new(Some(runtime.handle().clone()));
        let (mut far, setting) = probe("remembers", 0, &promising(&[]));
        outlets.replace(vec![setting]);
        let ours = outlets.offer(&chunk(1, 4), Timestamp(0));
        while outlets.has_waiting("remembers") {
            tokio::task::yield_now().await;
        }
        let _ = outlets.offer(&chunk_of(5, 4, |_| "theirs"), Timestamp(0));
        let who = Person::Session("theirs".to_owned());
        assert!(outlets.alone("remembers", &who, Duration::ZERO).await.is_err(), "it is writing");
        let left = report(&outlets, "remembers");
        assert_eq!((left.queued, left.counts.dropped[Dropped::Forgotten as usize]), (4, 4));
        let mut settled = std::pin::pin!(ours.settled());
        assert!(futures_util::poll!(&mut settled).is_pending(), "nothing is written yet");
        far.may.add_permits(MANY / 2);
        assert!(settled.await);
        assert_eq!(far.take(4).await, [1, 2, 3, 4]);
        until(&outlets, "remembers", |report| report.queued == 0).await;
        assert!(outlets.due().is_empty());
        outlets.stop().await;
    });
}
