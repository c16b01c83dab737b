//! The tables over made-up events: what counts where, in any order of arrival, and within its bounds.

use proptest::prelude::*;

use super::*;
use crate::event::{Chunk, ChunkBuilder, Micros, Row};

#[derive(Clone, Debug, Default)]
struct Sent {
    ms: i64,
    family: &'static str,
    subtype: &'static str,
    session: &'static str,
    load: Option<i32>,
    took_ms: Option<u64>,
    json: String,
}

fn metric(ms: i64, subtype: &'static str, json: &str) -> Sent {
    Sent {
        ms,
        family: "metric",
        subtype,
        session: "s1",
        load: Some(1),
        json: json.to_owned(),
        ..Sent::default()
    }
}

fn analytics(ms: i64, session: &'static str, json: &str) -> Sent {
    Sent { family: "analytics", session, ..metric(ms, "custom", json) }
}

fn chunk(sent: &[Sent]) -> Chunk {
    let mut builder = ChunkBuilder::new();
    for one in sent {
        builder.push(&Row {
            inst: Timestamp(one.ms),
            recv: Timestamp(one.ms),
            family: Family::of_type(one.family),
            id: "browser/x",
            ns: "browser",
            kind: one.family,
            subtype: one.subtype,
            session: one.session,
            load: one.load,
            duration: one.took_ms.map(|ms| Micros(ms * 1_000)),
            source: "browser",
            json: &one.json,
            ..Row::default()
        });
    }
    builder.finish()
}

fn rows_in(chunk: &Chunk, order: impl Iterator<Item = usize>) -> Arc<VitalRows> {
    let mut vitals = Vitals::default();
    order.for_each(|row| vitals.add(chunk.event(row), row as u64));
    vitals.rows()
}

fn rows(sent: &[Sent]) -> Arc<VitalRows> {
    let chunk = chunk(sent);
    rows_in(&chunk, 0..chunk.len())
}

#[test]
fn a_load_counts_with_what_it_said_last() {
    let lcp = |ms, load, value| Sent {
        load,
        ..metric(ms, "web-vital", &format!(r#"{{"vital":"LCP","value":{value},"page":"http://x/cart?a=1"}}"#))
    };
    let rows = rows(&[
        lcp(10, Some(1), 900),
        lcp(30, Some(2), 2_600),
        lcp(20, Some(2), 9_000),
        lcp(40, None, 100),
        lcp(40, None, 200),
        metric(5, "custom", r#"{"metric-name":"lcp","value":"1.2","unit":"s","url":"/home"}"#),
    ]);
    let row = &rows.vitals[Vital::Lcp as usize];
    assert_eq!((row.loads, row.p75, row.now), (4, 900.0, Some((200.0, Timestamp(40), 4))));
    assert_eq!(*row.history, [900.0, 2_600.0, 100.0, 200.0], "the older word of load 1 does not count");
    assert_eq!(row.fields, Fields::VITAL.with(Fields::NAME));
    let pages: Vec<_> = rows.pages.iter().map(|page| (&*page.page, page.loads, page.p75[0])).collect();
    assert_eq!(pages, [("/cart", 4, Some(900.0))]);
    assert_eq!(rows.pages[0].fields, Fields::PAGE.with(Fields::TAIL));
}

#[test]
fn each_kind_of_event_finds_its_table() {
    let took = |ms, sent| Sent { took_ms: Some(ms), ..sent };
    let rows = rows(&[
        metric(1, "page-load", r#"{"url":"/"}"#),
        metric(9, "page-load", r#"{"url":"/"}"#),
        metric(5, "page-load", r#"{"url":"/"}"#),
        took(12, metric(1, "render", r#"{"component":"List"}"#)),
        took(40, metric(2, "component-render", r#"{"component":"List"}"#)),
        took(80, metric(2, "long-task", "{}")),
        took(90, metric(3, "long-task", "{}")),
        metric(4, "long-task", "{}"),
        metric(1, "custom", r#"{"metric-name":"cart","value":-1.5,"unit":"items"}"#),
        metric(2, "custom", r#"{"metric-name":"cart","value":"4","unit":"things"}"#),
        metric(1, "custom", r#"{"metric-name":"cart","value":null}"#),
        analytics(1, "s1", r#"{"feature":"export","event-name":"x"}"#),
        analytics(2, "s2", r#"{"event-name":"share"}"#),
        analytics(3, "s2", r#"{"feature":"export"}"#),
        Sent { subtype: "user-action", ..analytics(4, "s1", r#"{"name":"click"}"#) },
        Sent { family: "log", ..metric(5, "custom", r#"{"metric-name":"cart","value":9}"#) },
    ]);
    assert_eq!(rows.page_load, Some((Timestamp(9), 1)));
    let list = &rows.components[0];
    assert_eq!(
        (rows.components.len(), &*list.name, list.latency.count, list.total),
        (1, "List", 2, Micros(52_000))
    );
    let tasks = rows.long_tasks.as_ref().expect("there were some");
    assert_eq!((tasks.latency.count, tasks.latency.max, tasks.total), (2, Micros(90_000), Micros(170_000)));
    let cart = &rows.metrics[0];
    assert_eq!(
        (cart.count, cart.last, cart.min, cart.p50, cart.max, &*cart.unit),
        (2, 4.0, -1.5, -1.5, 4.0, "things")
    );
    let features: Vec<_> =
        rows.features.iter().map(|row| (&*row.name, row.count, row.sessions, row.fields)).collect();
    assert_eq!(features, [("export", 2, 2, Fields::FEATURE), ("share", 1, 1, Fields::NAME)]);
}

#[test]
fn a_funnel_narrows_step_by_step() {
    let step = |ms, session, step| analytics(ms, session, &format!(r#"{{"funnel":"buy","step":"{step}"}}"#));
    let rows = rows(&[
        step(9, "s1", "cart"),
        step(8, "s2", "cart"),
        step(7, "s3", "cart"),
        step(7, "s3", "cart"),
        step(6, "s3", "paid"),
        step(5, "s4", "paid"),
        step(4, "s1", "thanked"),
        step(3, "s4", "thanked"),
    ]);
    let funnel = &rows.funnels[0];
    let steps: Vec<_> =
        funnel.steps.iter().map(|step| (&*step.name, step.count, step.sessions, step.went_on)).collect();
    // Of two steps that as many reached the one that was first reached earlier stands first.
    assert_eq!(
        (&*funnel.name, steps),
        ("buy", vec![("cart", 4, 3, None), ("thanked", 2, 2, Some(1)), ("paid", 2, 2, Some(1)),])
    );
}

#[test]
fn bounds_hold_and_say_so() {
    let lcp = |load: i32| Sent {
        load: Some(load),
        ..metric(load.into(), "web-vital", &format!(r#"{{"vital":"LCP","value":{load},"page":"/p{load}"}}"#))
    };
    let chunk = chunk(&(0..3_000).map(lcp).collect::<Vec<_>>());
    let forward = rows_in(&chunk, 0..3_000);
    assert_eq!(forward, rows_in(&chunk, (0..3_000).rev()), "the newest loads stay, whichever came first");
    assert_eq!((forward.vitals[0].loads, forward.vitals[0].p75), (MAX_LOADS, 2_743.0));
    let others = forward.pages.last().expect("pages");
    assert_eq!((forward.pages.len(), &*others.page, others.loads), (257, OTHER, MAX_LOADS - 256));
    let many = (0..600).map(|nth| metric(nth, "custom", &format!(r#"{{"name":"m{nth}","value":1}}"#)));
    let rows = rows(&many.collect::<Vec<_>>());
    assert_eq!((rows.metrics.len(), &*rows.metrics[0].name, rows.metrics[0].count), (513, OTHER, 88));
}

fn any_sent() -> impl Strategy<Value = Sent> {
    let jsons = [
        r#"{"vital":"LCP","value":1200,"page":"/a"}"#,
        r#"{"vital":"INP","value":90,"page":"/b?c"}"#,
        r#"{"metric-name":"CLS","value":0.1}"#,
        r#"{"metric-name":"cart","value":3}"#,
        r#"{"metric-name":"cart","value":7,"unit":"items"}"#,
        r#"{"component":"List"}"#,
        r#"{"feature":"export"}"#,
        r#"{"funnel":"buy","step":"cart"}"#,
        r#"{"funnel":"buy","step":"paid"}"#,
        "{}",
        "not json",
    ];
    let subtypes = ["page-load", "long-task", "render", "custom", ""];
    (
        0..200_000_i64,
        proptest::sample::select(vec!["metric", "analytics", "error"]),
        proptest::sample::select(subtypes.to_vec()),
        proptest::sample::select(vec!["", "s1", "s2"]),
        proptest::option::of(0..4),
        proptest::option::of(0..2_000_u64),
        proptest::sample::select(jsons.to_vec()),
    )
        .prop_map(|(ms, family, subtype, session, load, took_ms, json)| Sent {
            ms,
            family,
            subtype,
            session,
            load,
            took_ms,
            json: json.to_owned(),
        })
}

proptest! {
    #[test]
    fn the_order_of_arrival_makes_no_difference(
        (sent, order) in prop::collection::vec(any_sent(), 1..60)
            .prop_flat_map(|sent| { let order: Vec<_> = (0..sent.len()).collect(); (Just(sent), Just(order).prop_shuffle()) })
    ) {
        let chunk = chunk(&sent);
        prop_assert_eq!(rows_in(&chunk, 0..sent.len()), rows_in(&chunk, order.into_iter()));
    }
}
