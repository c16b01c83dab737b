//! The synthetic browsers of `taillight demo`: two people and a kiosk, and a deploy that breaks the shop's orders.
//!
//! Called by `run` with the console's own address: what they do arrives through the real WebSocket. [`Script`]
//! decides what happens and is pure; [`demo`] gives it time and a connection.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::client::{Client, Hello, LoadError, Target};
use super::measures::{self, Checkout, Later};
use super::places::{BUTTONS, FAULTS, LOGS, ORIGIN, PAGES, PEOPLE, ROUTES, Route, VISITORS};
use super::random::Random;
use crate::event::Timestamp;

/// What a page collects before it sends.
const TICK: Duration = Duration::from_millis(100);
/// Between two things that happen in one tab; with their consequences three tabs make 38 events a second.
const MEAN_GAP_MS: f64 = 132.0;
/// The tab that is used by one visitor after the other, and how long each stays.
const KIOSK: usize = 2;
const VISIT_MS: i64 = 20_000;
/// After this long orders break, for this long, and again in each cycle.
const DEPLOY_AT_MS: i64 = 40_000;
const BROKEN_FOR_MS: i64 = 60_000;
const CYCLE_MS: i64 = 180_000;
/// Share of orders that fail while the deploy is bad.
const BROKEN_SHARE: f64 = 0.7;
/// Of the time of a request, until the first byte.
const WAITING: f64 = 0.9;
/// Of all other requests.
const FAILED_SHARE: f64 = 0.03;
/// Waits between tries to reach the ingestor.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
const ORDERS: &str = "/api/orders";

/// Sends what three browsers do to the ingestor at `url` until `stop` turns true or its sender is gone.
///
/// The same `seed` gives the same browsers. `now` is the wall clock.
///
/// # Errors
/// When `url` is none. An ingestor that cannot be reached, or no longer, is tried again and again, less and less
/// often; the page tells in an event how long it was alone.
pub async fn demo(
    url: &str,
    seed: u64,
    now: fn() -> Timestamp,
    stop: watch::Receiver<bool>,
) -> Result<(), LoadError> {
    let target = Target::parse(url)?;
    let mut stopping = stop;
    let start = now().0;
    let tabs = async {
        let [ada, grace, kiosk] = [0, 1, KIOSK].map(|tab| browse(&target, tab, seed, start, now));
        tokio::try_join!(ada, grace, kiosk).map(|_| ())
    };
    tokio::select! {
        ended = tabs => ended,
        _ = stopping.wait_for(|stop| *stop) => Ok(()),
    }
}

/// The wait before the next try, after so many that failed.
fn wait_after(failures: u32) -> Duration {
    FIRST_WAIT.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX)).min(LONGEST_WAIT)
}

/// One tab, until it is dropped.
async fn browse(
    target: &Target,
    tab: usize,
    seed: u64,
    start_ms: i64,
    now: fn() -> Timestamp,
) -> Result<(), LoadError> {
    let mut random = Random::new(seed.wrapping_add(tab as u64));
    let mut script = Script::new(tab, start_ms);
    let (name, session, user, agent) = PEOPLE[tab % PEOPLE.len()];
    let mut failures = 0;
    let mut lost_ms = None;
    loop {
        let page = format!("{ORIGIN}/");
        let hello = Hello { session, user: Some(user), tab: name, page: &page, now_ms: now().0, agent };
        let mut client = match Client::connect(target, &hello).await {
            Ok(client) => client,
            Err(error @ (LoadError::Url(_) | LoadError::Random(_))) => return Err(error),
            Err(LoadError::Connect { .. } | LoadError::Refused { .. }) => {
                sleep(wait_after(failures)).await;
                failures += 1;
                continue;
            }
        };
        if let Some(since) = lost_ms {
            script.reconnected(since, now().0);
        }
        failures = 0;
        let mut next = 1;
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let sent = tokio::select! {
                answer = client.receive() => answer.map(drop),
                _ = ticks.tick() => {
                    let events = script.next(now().0, &mut random);
                    let seq = next;
                    next += events.len() as u64;
                    send(&mut client, seq, &events).await
                }
            };
            if sent.is_err() {
                lost_ms = Some(now().0);
                sleep(wait_after(failures)).await;
                break;
            }
        }
    }
}

async fn send(
    client: &mut Client,
    seq: u64,
    events: &[String],
) -> Result<(), tokio_tungstenite::tungstenite::Error> {
    if events.is_empty() {
        return Ok(());
    }
    client.send(format!(r#"{{"t":"batch","seq":{seq},"events":[{}]}}"#, events.join(","))).await
}

/// What one tab does.
#[derive(Debug)]
pub(super) struct Script {
    tab: usize,
    start_ms: i64,
    /// When the next thing happens.
    next_ms: i64,
    load: u64,
    page: &'static str,
    has_told_of_deploy: bool,
    /// How many visitors came before.
    visit: i64,
    checkout: Checkout,
    /// Consequences that lie ahead, by time; a few dozen at most, for each action has few and all come soon.
    ahead: Vec<(i64, Value)>,
}

impl Script {
    pub(super) fn new(tab: usize, start_ms: i64) -> Self {
        Self {
            tab,
            start_ms,
            next_ms: start_ms,
            load: 0,
            page: PAGES[0],
            has_told_of_deploy: false,
            visit: 0,
            checkout: Checkout::default(),
            ahead: Vec::new(),
        }
    }

    /// The JSON of everything that has happened by `now_ms` and was not given before, oldest first.
    pub(super) fn next(&mut self, now_ms: i64, random: &mut Random) -> Vec<String> {
        while self.next_ms <= now_ms {
            let at = self.next_ms;
            self.act(at, random);
            self.next_ms = at + random.gap_ms(MEAN_GAP_MS);
        }
        self.ahead.sort_by_key(|(at, _)| *at);
        let due = self.ahead.partition_point(|(at, _)| *at <= now_ms);
        self.ahead.drain(..due).map(|(_, event)| event.to_string()).collect()
    }

    /// The page was without its ingestor from `since_ms` to `now_ms`.
    fn reconnected(&mut self, since_ms: i64, now_ms: i64) {
        let seconds = now_ms.saturating_sub(since_ms) / 1000;
        let message = format!("no connection to taillight for {seconds} s; connected again");
        self.add(
            now_ms,
            json!({ "type": "log", "level": "warn", "id": "app/reconnected", "message": message }),
        );
    }

    /// Whether orders fail at `at`.
    fn is_broken(&self, at: i64) -> bool {
        let into = at.saturating_sub(self.start_ms).rem_euclid(CYCLE_MS);
        (DEPLOY_AT_MS..DEPLOY_AT_MS + BROKEN_FOR_MS).contains(&into)
    }

    fn act(&mut self, at: i64, random: &mut Random) {
        let is_broken = self.is_broken(at);
        if self.tab == 0 && is_broken != self.has_told_of_deploy {
            self.has_told_of_deploy = is_broken;
            let words = if is_broken { "deployed build 214" } else { "rolled back to build 213" };
            self.add(at, json!({ "type": "log", "level": "info", "id": "app/deploy", "message": words }));
        }
        let visit = at.saturating_sub(self.start_ms) / VISIT_MS;
        let is_next = self.tab == KIOSK && visit != self.visit;
        if self.load == 0 || is_next {
            (self.visit, self.checkout) = (visit, Checkout::default());
            return self.navigate(at, random);
        }
        match random.below(100) {
            0..38 => self.click(at, random),
            38..60 => {
                self.request(at, random.pick(&ROUTES), random);
            }
            60..78 => self.console(at, random),
            78..81 => {
                let took = random.duration_ms(120.0);
                self.add(at, measures::long_task(took));
            }
            81..89 => self.later(at, measures::render(random)),
            89..92 => self.add(at, measures::metric(random)),
            92..94 => self.add(at, measures::feature(random)),
            94..96 => {
                let step = self.checkout.go_on(random);
                self.later(at, step.map(|step| (0, step)));
            }
            96..98 => self.fault(at, random.pick(&FAULTS), "javascript"),
            _ => self.navigate(at, random),
        }
    }

    fn add(&mut self, at: i64, mut event: Value) {
        event["timestamp"] = at.into();
        event["load"] = self.load.into();
        event["page"] = format!("{ORIGIN}{}", self.page).into();
        if self.tab == KIOSK {
            let name = VISITORS[usize::try_from(self.visit).unwrap_or(0) % VISITORS.len()];
            event["session-id"] = format!("s-kiosk-{}", self.visit + 1).into();
            event["user-id"] = format!("{name}@mail.example").into();
            // One connection for all of them, so it is the events that tell.
            event["user-agent"] = PEOPLE[KIOSK].3.into();
        }
        self.ahead.push((at, event));
    }

    fn later(&mut self, at: i64, events: impl IntoIterator<Item = Later>) {
        events.into_iter().for_each(|(after, event)| self.add(at + after, event));
    }

    /// A click, the request it causes, and what comes of one that fails.
    fn click(&mut self, at: i64, random: &mut Random) {
        let (id, text) = *random.pick(&BUTTONS);
        let event = json!({
            "type": "analytics", "subtype": "user-action", "action": "click", "element-id": id,
            "element": format!("button#{id}"), "element-text": text,
        });
        self.add(at, event);
        if random.chance(0.35) {
            self.later(at + 6, measures::render(random));
        }
        if random.chance(0.12) {
            self.add(at + 30, measures::interaction(self.is_broken(at), random));
        }
        let orders = Route { method: "POST", path: ORDERS, median_ms: 320.0 };
        let route = if id == "place-order" { orders } else { *random.pick(&ROUTES) };
        let begun = at + 4 + random.gap_ms(8.0);
        let (ended, has_failed) = self.request(begun, &route, random);
        if has_failed && random.chance(0.6) {
            let fault = if route.path == ORDERS {
                (
                    "Cannot read properties of undefined (reading 'total')",
                    "OrderSummary",
                    "src/orders/Summary.tsx",
                )
            } else {
                *random.pick(&FAULTS)
            };
            self.fault(ended + 3, &fault, "promise");
        }
    }

    /// Adds a request begun at `at`; when it ended and whether it failed.
    fn request(&mut self, at: i64, route: &Route, random: &mut Random) -> (i64, bool) {
        let is_broken = route.path == ORDERS && self.is_broken(at) && random.chance(BROKEN_SHARE);
        let has_failed = is_broken || random.chance(FAILED_SHARE);
        let status = match (is_broken, has_failed) {
            (true, _) => 500,
            (_, true) => *random.pick(&[404, 401, 422, 500, 503]),
            _ if route.method == "POST" => 201,
            _ => 200,
        };
        let took = random.duration_ms(if is_broken { route.median_ms * 3.0 } else { route.median_ms });
        #[expect(clippy::cast_possible_truncation, reason = "a few seconds")]
        let ended = at + took as i64;
        let path = route.path.replace("{}", &(1_000 + random.below(9_000)).to_string());
        let event = json!({
            "type": "metric", "subtype": "api-call", "url": format!("{ORIGIN}{path}"), "method": route.method,
            "status": status, "duration-ms": took, "size": random.below(40_000), "cached": random.chance(0.15),
            "timing": { "tcp-connect": 0, "waiting": took * WAITING, "server-response": took },
        });
        self.add(ended, event);
        (ended, has_failed)
    }

    fn console(&mut self, at: i64, random: &mut Random) {
        let (level, message) = *random.pick(&LOGS);
        self.add(at, json!({ "type": "log", "subtype": "console", "level": level, "message": message }));
    }

    fn fault(&mut self, at: i64, fault: &(&str, &str, &str), subtype: &str) {
        let (message, function, file) = *fault;
        let event = json!({
            "type": "error", "subtype": subtype, "message": message, "severity": "high",
            "stack": format!(
                "TypeError: {message}\n    at {function} ({ORIGIN}/{file}:42:17)\n    at commit ({ORIGIN}/node_modules/react-dom/index.js:1533:18)"
            ),
        });
        self.add(at, event);
    }

    /// A new page, and what it asks for at once.
    fn navigate(&mut self, at: i64, random: &mut Random) {
        self.load += 1;
        self.page = *random.pick(&PAGES[..]);
        let events = measures::page_load(self.page, self.load == 1, self.is_broken(at), random);
        let build = if self.is_broken(at) { "3f2a91c" } else { "1c94d0e" };
        let built = events.into_iter().map(|(after, mut event)| {
            if event["subtype"] == "page-load" {
                event["build"] = build.into();
            }
            (after, event)
        });
        self.later(at, built);
        for nth in 0..3 {
            let route = *random.pick(&ROUTES);
            self.request(at + nth * 5, &route, random);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_704_067_200_000;

    fn play(tab: usize, seed: u64, seconds: i64) -> Vec<Value> {
        let mut random = Random::new(seed);
        let mut script = Script::new(tab, START);
        let ticks = (0..=seconds * 10).map(|tick| START + tick * 100);
        let events = ticks.flat_map(|now| script.next(now, &mut random)).collect::<Vec<_>>();
        events.iter().map(|event| serde_json::from_str(event).expect("JSON")).collect()
    }

    #[test]
    fn a_seed_repeats_itself_and_three_tabs_make_about_38_events_a_second() {
        assert_eq!(play(0, 5, 10), play(0, 5, 10));
        assert_ne!(play(0, 5, 10), play(0, 6, 10));
        let events: usize = (0..3).map(|tab| play(tab, tab as u64, 180).len()).sum();
        assert!((34..=42).contains(&(events / 180)), "{} events a second", events / 180);
    }

    #[test]
    fn an_ingestor_that_is_not_there_is_tried_again_and_again() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runs");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let url = format!("http://{}", listener.local_addr().expect("bound"));
            let (stop, stopping) = watch::channel(false);
            let pages = tokio::spawn(async move { demo(&url, 7, || Timestamp(START), stopping).await });
            // Three tabs, each of which is let down three times.
            for _ in 0..9 {
                drop(listener.accept().await.expect("another try"));
            }
            stop.send(true).expect("they are still trying");
            assert!(pages.await.expect("no panic").is_ok());
        });
        assert_eq!([0, 1, 3, 40].map(wait_after).map(|wait| wait.as_millis()), [100, 200, 800, 5_000]);
        let mut script = Script::new(0, START);
        script.reconnected(START, START + 2_400);
        let told = script.next(START + 2_400, &mut Random::new(1)).join("");
        assert!(told.contains("no connection to taillight for 2 s; connected again"), "{told}");
    }

    #[test]
    fn events_come_in_time_and_none_before_its_time() {
        let mut random = Random::new(3);
        let mut script = Script::new(1, START);
        let mut last = 0;
        for now in (0..600).map(|tick| START + tick * 100) {
            for event in script.next(now, &mut random) {
                let at = serde_json::from_str::<Value>(&event).expect("JSON")["timestamp"].as_i64();
                let at = at.expect("a time");
                assert!(at <= now && at >= last, "{event}");
                last = at;
            }
        }
        assert!(script.next(START, &mut random).is_empty(), "time that goes back gives nothing twice");
    }

    #[test]
    fn orders_fail_after_the_deploy_and_recover() {
        let events = play(0, 11, 120);
        let failed_orders = |from: i64, to: i64| {
            let is_order = |event: &&Value| {
                event["method"] == "POST" && event["url"] == format!("{ORIGIN}{ORDERS}") && {
                    let at = event["timestamp"].as_i64().unwrap_or(0) - START;
                    (from..to).contains(&at)
                }
            };
            let orders: Vec<_> = events.iter().filter(is_order).collect();
            let failed = orders.iter().filter(|event| event["status"] == 500).count();
            (orders.len(), failed)
        };
        let ((before, failed_before), (during, failed_during)) =
            (failed_orders(0, DEPLOY_AT_MS), failed_orders(DEPLOY_AT_MS, DEPLOY_AT_MS + BROKEN_FOR_MS));
        assert!(before > 5 && failed_before * 4 < before, "{failed_before} of {before}");
        assert!(during > 5 && failed_during * 2 > during, "{failed_during} of {during}");
        let told: Vec<_> = events.iter().filter(|event| event["id"] == "app/deploy").collect();
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn a_click_is_followed_by_its_request() {
        let events = play(2, 9, 60);
        let clicks = events.iter().filter(|event| event["action"] == "click");
        for click in clicks.filter(|click| click["timestamp"].as_i64() < Some(START + 50_000)) {
            let at = click["timestamp"].as_i64().expect("a time");
            let follows = events.iter().any(|event| {
                let ended = event["timestamp"].as_i64().expect("a time");
                #[expect(clippy::cast_possible_truncation, reason = "a few seconds")]
                let begun = ended - event["duration-ms"].as_f64().unwrap_or(0.0) as i64;
                event["subtype"] == "api-call" && (at..at + 500).contains(&begun)
            });
            assert!(follows, "{click}");
        }
    }
}
