//! What the pretended shop's pages measure of themselves: loads with their web vitals, renders, metrics, use, funnel.
//!
//! Called by the synthetic browsers; it makes events and the milliseconds after which they happen, and keeps nothing.

use serde_json::{Value, json};

use super::places::{BUTTONS, COMPONENTS, FEATURES, METRICS, ORIGIN};
use super::random::Random;

/// Share of the people at each step of the checkout who leave instead of going on.
const GIVES_UP: f64 = 0.3;
/// The steps of the checkout, in order.
const STEPS: [&str; 4] = ["cart", "address", "payment", "confirmed"];

/// Something that happens so many milliseconds after what caused it.
pub(super) type Later = (i64, Value);

/// How far someone is in the checkout: the next step; at the end of the steps they are done with it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Checkout(usize);

impl Checkout {
    /// The next step, unless they have left or bought something.
    pub(super) fn go_on(&mut self, random: &mut Random) -> Option<Value> {
        let step = *STEPS.get(self.0)?;
        self.0 = if random.chance(GIVES_UP) { STEPS.len() } else { self.0 + 1 };
        Some(json!({ "type": "analytics", "subtype": "conversion", "funnel": "checkout", "step": step }))
    }
}

/// The events of one navigation to `page`: the load with its phases, then the vitals known by then.
pub(super) fn page_load(page: &str, is_first: bool, is_broken: bool, random: &mut Random) -> Vec<Later> {
    let loaded = random.duration_ms(if is_broken { 2_900.0 } else { 1_300.0 });
    let part = |share: f64| tenths(loaded * share);
    // Only the first document of a visit needs a connection.
    let once = |share: f64| if is_first { part(share) } else { 0.0 };
    let (dns, connect, tls, response) = (once(0.02), once(0.05), once(0.07), part(0.22));
    let timing = json!({
        "dns-lookup": dns, "tcp-connect": connect, "tls-handshake": tls, "server-response": response,
        "dom-content-loaded": part(0.62), "fully-loaded": loaded,
    });
    let resources = json!({ "count": 24 + random.below(40), "total-size-kb": 480 + random.below(1_900) });
    let load = json!({
        "type": "metric", "subtype": "page-load", "url": format!("{ORIGIN}{page}"), "timing": timing,
        "resources": resources,
    });
    let shift = f64::from(u32::try_from(random.below(60)).unwrap_or(0)) / 1_000.0;
    let ttfb = tenths(dns + connect + tls + response * 0.8);
    let hero = if page.starts_with("/products") { "img.product-photo" } else { "img.hero" };
    #[expect(clippy::cast_possible_truncation, reason = "a few seconds")]
    let at = loaded as i64;
    vec![
        (at, load),
        (at + 2, vital("TTFB", ttfb, json!({ "waiting-duration": tenths(response * 0.7) }))),
        (at + 2, vital("FCP", part(0.55), json!({ "time-to-first-byte": ttfb }))),
        (
            at + 4,
            vital(
                "LCP",
                part(0.92),
                json!({
                    "element": hero, "time-to-first-byte": ttfb, "resource-load-delay": part(0.1),
                    "resource-load-duration": part(0.4), "element-render-delay": part(0.05),
                }),
            ),
        ),
        (
            at + 400,
            vital(
                "CLS",
                shift + if is_broken { 0.14 } else { 0.0 },
                json!({ "element": "div.promo-banner" }),
            ),
        ),
    ]
}

/// The wait after a click or a key, and what the page did meanwhile.
pub(super) fn interaction(is_broken: bool, random: &mut Random) -> Value {
    let took = random.duration_ms(if is_broken { 260.0 } else { 80.0 });
    let (id, _) = *random.pick(&BUTTONS);
    vital(
        "INP",
        took,
        json!({
            "element": format!("button#{id}"), "interaction-type": *random.pick(&["pointer", "keyboard"]),
            "input-delay": tenths(took * 0.1), "processing-duration": tenths(took * 0.7),
            "presentation-delay": tenths(took * 0.2),
        }),
    )
}

fn vital(name: &str, value: f64, about: Value) -> Value {
    let (good, fair) = match name {
        "LCP" => (2_500.0, 4_000.0),
        "INP" => (200.0, 500.0),
        "CLS" => (0.1, 0.25),
        "FCP" => (1_800.0, 3_000.0),
        _ => (800.0, 1_800.0),
    };
    let rating = match value {
        value if value <= good => "good",
        value if value <= fair => "needs-improvement",
        _ => "poor",
    };
    let unit = if name == "CLS" { "" } else { "ms" };
    let mut event = json!({
        "type": "metric", "subtype": "web-vital", "vital": name, "value": value, "unit": unit, "rating": rating,
    });
    if let (Some(event), Value::Object(about)) = (event.as_object_mut(), about) {
        event.extend(about);
    }
    event
}

/// A component drawn, and the long task that comes of it where it took long.
pub(super) fn render(random: &mut Random) -> Vec<Later> {
    let (component, median) = *random.pick(&COMPONENTS);
    let took = random.duration_ms(median);
    let items = 1 + random.below(120);
    let event = json!({
        "type": "metric", "subtype": "render", "component": component, "render-time-ms": took, "items-count": items,
    });
    let mut events = vec![(1, event)];
    if took > 50.0 {
        events.push((2, long_task(took + 6.0)));
    }
    events
}

pub(super) fn long_task(took: f64) -> Value {
    json!({ "type": "metric", "subtype": "long-task", "duration-ms": tenths(took) })
}

/// A number the shop's own code reports.
pub(super) fn metric(random: &mut Random) -> Value {
    let (name, median, unit) = *random.pick(&METRICS);
    let spread = random.duration_ms(median);
    #[expect(clippy::cast_possible_truncation, reason = "a few hundred")]
    let value = if unit == "ms" { Value::from(spread) } else { Value::from(spread.round() as i64) };
    json!({ "type": "metric", "subtype": "custom", "metric-name": name, "value": value, "unit": unit })
}

/// Something of the shop that was used; what stands first is used most.
pub(super) fn feature(random: &mut Random) -> Value {
    let at = random.below(FEATURES.len() as u64).min(random.below(FEATURES.len() as u64));
    let feature = FEATURES[usize::try_from(at).unwrap_or(0)];
    json!({ "type": "analytics", "subtype": "feature-usage", "feature": feature })
}

fn tenths(ms: f64) -> f64 {
    (ms * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_has_its_vitals_in_a_believable_order() {
        let mut random = Random::new(1);
        for nth in 0..200 {
            let events = page_load("/cart", nth == 0, nth % 2 == 0, &mut random);
            let value = |name: &str| {
                let found = events.iter().find(|(_, event)| event["vital"] == name);
                found.and_then(|(_, event)| event["value"].as_f64()).expect("every vital but INP")
            };
            assert!(value("TTFB") <= value("FCP") && value("FCP") <= value("LCP"), "{events:?}");
            assert!((0.0..0.3).contains(&value("CLS")));
        }
    }

    #[test]
    fn fewer_people_reach_each_step_of_the_checkout() {
        let mut random = Random::new(2);
        let mut reached = [0; STEPS.len()];
        for _ in 0..300 {
            let mut checkout = Checkout::default();
            while let Some(event) = checkout.go_on(&mut random) {
                let step = STEPS.iter().position(|step| event["step"] == *step).expect("a step");
                reached[step] += 1;
            }
        }
        assert_eq!(reached[0], 300);
        assert!(reached.windows(2).all(|pair| pair[0] > pair[1]) && reached[3] > 50, "{reached:?}");
    }
}
