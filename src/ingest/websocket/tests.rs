//! A connection over time: what it ends for, and what not, in a time that is short.

use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::Notify;

use super::*;
use crate::counters::Counters;
use crate::ingest::admission::Policy;
use crate::ingest::intake::Intake;
use crate::pipeline::Redactor;
use crate::published::Published;
use crate::sinks::Outlets;
use crate::store::{Retention, Snapshot, spawn};

const SHORT: Times = Times {
    check_every: Duration::from_millis(2),
    ping_every: Duration::from_millis(5),
    dead_after: Duration::from_secs(20),
    finish_within: Duration::from_millis(60),
    send_within: Duration::from_secs(10),
};

fn door(counters: &Arc<Counters>) -> Arc<Door> {
    let (store, _) =
        spawn(Retention::default(), Arc::new(Published::new(Snapshot::default()))).expect("a thread");
    let dirty = Arc::new(Notify::new());
    let sinks = Arc::new(Outlets::default());
    let intake = Intake::new(store, sinks, None, Arc::clone(&dirty), Arc::clone(counters));
    Arc::new(Door::new(Policy::default(), Redactor::default(), intake, Arc::clone(counters), dirty))
}

/// Reads on, which answers pings, until `is_enough` of what comes.
async fn read_until(
    client: &mut WebSocketStream<DuplexStream>,
    mut is_enough: impl FnMut(&Message) -> bool,
) -> Message {
    let reading = async {
        loop {
            let message = client.next().await.expect("it goes on").expect("a message");
            if is_enough(&message) {
                return message;
            }
        }
    };
    timeout(Duration::from_secs(20), reading).await.expect("it comes")
}

#[test]
fn a_silent_client_stays_while_it_answers_pings_and_one_within_a_message_does_not() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for (speech, first) in [
        (Speech::Native, r#"{"t":"hello","v":1,"client":"c-12345678","session":"s","next":1}"#),
        (Speech::of("/chsk", "", ""), "[:log/batch [{:message \"a\"}]]"),
        (Speech::of("/chsk", "client-id=a", ""), "[[:log/batch [{:message \"a\"}]] nil]"),
    ] {
        let counters = Arc::new(Counters::default());
        runtime.block_on(async {
            let (ours, theirs) = duplex(64 * 1024);
            let (_stop, stopping) = watch::channel(false);
            let door = door(&counters);
            let serving = tokio::spawn(serve_at(SHORT, ours, door, (speech, Arc::from("")), stopping));
            let mut client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
            client.send(Message::text(first)).await.expect("sent");
            let (begun, mut pings) = (Instant::now(), 0);
            // Several times as long as a message may take, and nothing but pongs goes that way.
            read_until(&mut client, |message| {
                assert!(!message.is_close(), "{message:?} after {pings} pings");
                pings += usize::from(message.is_ping());
                begun.elapsed() > SHORT.finish_within * 5
            })
            .await;
            assert!(pings > 5, "{pings}");
            // A text frame that is not the last of its message, masked with zeros (RFC 6455 §5.2).
            client.get_mut().write_all(&[0x01, 0x81, 0, 0, 0, 0, b'[']).await.expect("written");
            let end = read_until(&mut client, Message::is_close).await;
            let Message::Close(Some(frame)) = end else { panic!("{end:?}") };
            assert_eq!((frame.code, frame.reason.as_str()), (CloseCode::Policy, "message not finished"));
            drop(client);
            serving.await.expect("no panic");
        });
        assert_eq!(counters.get(Counter::ClosedNoProgress), 1);
    }
}

#[test]
fn batches_that_are_there_already_share_an_ack_and_nobody_waits_for_one_more() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (ours, theirs) = duplex(64 * 1024);
        let (_stop, stopping) = watch::channel(false);
        let door = door(&Arc::new(Counters::default()));
        let serving = tokio::spawn(serve_at(TIMES, ours, door, (Speech::Native, Arc::from("")), stopping));
        let mut client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
        client
            .feed(Message::text(r#"{"t":"hello","v":1,"client":"c-12345678","next":1}"#))
            .await
            .expect("fed");
        for seq in 1..=6 {
            let events = if seq == 6 { "0" } else { r#"{"type":"log"}"# };
            let batch = format!(r#"{{"t":"batch","seq":{seq},"events":[{events}]}}"#);
            client.feed(Message::text(batch)).await.expect("fed");
        }
        client.flush().await.expect("sent");
        let mut answers = Vec::new();
        read_until(&mut client, |message| {
            let answer: serde_json::Value =
                serde_json::from_str(message.to_text().expect("text")).expect("JSON");
            if answer["t"] != "welcome" {
                answers.push(format!("{} {}", answer["t"], answer["seq"]));
            }
            answer["seq"] == 6 && answer["t"] == "ack"
        })
        .await;
        assert_eq!(answers, [r#""ack" 4"#, r#""ack" 5"#, r#""nack" 6"#, r#""ack" 6"#]);
        drop(client);
        serving.await.expect("no panic");
    });
}

/// One that does not even answer pings, and one that sends and never reads what it is answered.
#[test]
fn who_says_nothing_and_who_does_not_listen_is_let_go_and_counted() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let short = Duration::from_millis(50);
    for (times, counter, is_talking) in [
        (Times { dead_after: short, ..SHORT }, Counter::ClosedIdle, false),
        (Times { send_within: short, ..SHORT }, Counter::ClosedSlowReader, true),
    ] {
        let counters = Arc::new(Counters::default());
        runtime.block_on(async {
            let (ours, mut theirs) = duplex(256);
            let (_stop, stopping) = watch::channel(false);
            let (door, who) = (door(&counters), (Speech::Native, Arc::from("")));
            let serving = tokio::spawn(serve_at(times, ours, Arc::clone(&door), who, stopping));
            let hello = br#"{"t":"hello","v":1,"client":"c","session":"s","next":1}"#;
            theirs.write_all(&[0x81, 0x80 | hello.len() as u8, 0, 0, 0, 0]).await.expect("written");
            theirs.write_all(hello).await.expect("written");
            // A text frame that nobody understands, masked with zeros, which is answered.
            while is_talking && theirs.write_all(&[0x81, 0x81, 0, 0, 0, 0, b'x']).await.is_ok() {}
            timeout(Duration::from_secs(20), serving).await.expect("it ends").expect("no panic");
            let seen = door.intake.store().look(crate::ingest::now()).await.expect("it runs");
            assert!(seen.live.is_empty() && seen.lost.contains("s") != is_talking, "{:?}", seen.lost);
        });
        assert_eq!(counters.get(counter), 1, "{counter:?}");
        assert_eq!(counters.connections(), 0);
    }
}

#[test]
fn of_many_large_messages_on_their_way_the_one_that_stands_still_is_asked_to_come_again() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let counters = Arc::new(Counters::default());
    runtime.block_on(async {
        let mut door = door(&counters);
        let small = crate::ingest::receiving::Receiving::up_to(500_000);
        Arc::get_mut(&mut door).expect("nobody else has it").receiving = Arc::new(small);
        let (_stop, stopping) = watch::channel(false);
        let connect = || {
            let (ours, theirs) = duplex(64 * 1024);
            let who = (Speech::Native, Arc::from(""));
            (tokio::spawn(serve_at(TIMES, ours, Arc::clone(&door), who, stopping.clone())), theirs)
        };
        let ((still, mut first), (_going, mut second)) = (connect(), connect());
        // The header of a text frame of 400,000 bytes, masked with zeros, and most of it.
        let mut part = vec![0x81, 0xff, 0, 0, 0, 0, 0, 6, 0x1a, 0x80, 0, 0, 0, 0];
        part.resize(300_000, b' ');
        first.write_all(&part).await.expect("written");
        while door.receiving.all() < 300_000 {
            tokio::task::yield_now().await;
        }
        second.write_all(&part).await.expect("written");
        let mut told = [0; 4];
        timeout(Duration::from_secs(20), first.read_exact(&mut told))
            .await
            .expect("in time")
            .expect("a close");
        assert_eq!((told[0], u16::from_be_bytes([told[2], told[3]])), (0x88, CloseCode::Restart.into()));
        drop(first);
        still.await.expect("no panic");
        // Nobody else is in the way of the other one.
        second.write_all(&vec![b' '; 100_014]).await.expect("written");
        while counters.get(Counter::FramesReceived) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(door.receiving.all(), 0);
    });
    assert_eq!(counters.get(Counter::ClosedRecycled), 1);
}

#[test]
fn a_page_that_floods_is_read_at_its_rate_and_that_is_counted() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build().expect("a runtime");
    let counters = Arc::new(Counters::default());
    runtime.block_on(async {
        let (ours, theirs) = duplex(64 * 1024);
        let (_stop, stopping) = watch::channel(false);
        let who = (Speech::Native, Arc::from(""));
        tokio::spawn(serve_at(TIMES, ours, door(&counters), who, stopping));
        let mut client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
        client.send(Message::text(r#"{"t":"hello","v":1,"client":"c","next":1}"#)).await.expect("sent");
        let (begun, events) = (Instant::now(), vec!["{}"; 10_000].join(","));
        for batch in 0..50 {
            let frame = format!(r#"{{"t":"batch","seq":{},"events":[{events}]}}"#, batch * 10_000 + 1);
            client.send(Message::text(frame)).await.expect("sent");
        }
        let is_last = |message: &Message| message.to_text().is_ok_and(|text| text.contains("500000"));
        read_until(&mut client, is_last).await;
        // Half a million events at 200,000 a second; the last batch and a little more may be ahead.
        let took = begun.elapsed();
        assert!((Duration::from_millis(2_400)..Duration::from_millis(2_600)).contains(&took), "{took:?}");
    });
    assert!((40..=50).contains(&counters.get(Counter::Throttled)), "{}", counters.get(Counter::Throttled));
}
