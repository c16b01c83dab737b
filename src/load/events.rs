//! A pool of ready-made events: sending one costs two copies and a time stamp.
//!
//! Used by the generator, whose own work must stay small beside the ingestor's: both share the machine. The mix is
//! that of a busy shop; an event is about 260 bytes.

use super::places::{BUTTONS, FAULTS, LOGS, ORIGIN, PAGES, ROUTES};
use super::random::Random;

/// Distinct events: about 1 MiB, enough that no cache of the ingestor sees a short cycle.
const POOL: usize = 4_096;

/// The events, the same for every connection.
#[derive(Debug)]
pub struct Pool(Vec<Template>);

/// An event's JSON before and after its time.
#[derive(Debug)]
struct Template {
    head: String,
    tail: String,
}

impl Pool {
    /// The same `seed` gives the same events.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        Self((0..POOL).map(|_| template(&mut random)).collect())
    }

    /// Writes a batch frame of `count` events to `out`: the ones after `at` in the pool, stamped with `now_ms`.
    pub fn batch(&self, seq: u64, at: usize, count: usize, now_ms: i64, out: &mut String) {
        let now = now_ms.to_string();
        out.push_str(r#"{"t":"batch","seq":"#);
        out.push_str(&seq.to_string());
        out.push_str(r#","events":["#);
        for (nth, event) in self.0.iter().cycle().skip(at % self.0.len()).take(count).enumerate() {
            if nth > 0 {
                out.push(',');
            }
            out.push_str(&event.head);
            out.push_str(&now);
            out.push_str(&event.tail);
        }
        out.push_str("]}");
    }
}

fn template(random: &mut Random) -> Template {
    let page = *random.pick(&PAGES);
    let user = random.below(40);
    let (kind, fields) = match random.below(100) {
        0..45 => (r#""type":"metric","subtype":"api-call""#, api_call(random)),
        45..65 => (r#""type":"log","subtype":"console""#, console(random)),
        65..82 => (r#""type":"analytics","subtype":"user-action""#, user_action(random)),
        82..95 => (r#""type":"metric","subtype":"page-load""#, page_load(random)),
        _ => (r#""type":"error","subtype":"javascript""#, fault(random)),
    };
    Template {
        head: format!(r#"{{{kind},"timestamp":"#),
        tail: format!(r#",{fields},"page":"{ORIGIN}{page}","user-id":"user-{user}"}}"#),
    }
}

fn api_call(random: &mut Random) -> String {
    let route = random.pick(&ROUTES);
    let path = route.path.replace("{}", &(1_000 + random.below(90_000)).to_string());
    let took = random.duration_ms(route.median_ms);
    let status = match random.below(200) {
        0..180 => r#""status":200,"#,
        180..186 => r#""status":404,"#,
        186..190 => r#""status":401,"#,
        190..193 => r#""status":422,"#,
        193..196 => r#""status":500,"#,
        196..198 => r#""status":503,"#,
        _ => "",
    };
    let (method, size, cached) = (route.method, random.below(60_000), random.chance(0.2));
    format!(
        r#""url":"{ORIGIN}{path}?page=2","method":"{method}",{status}"duration-ms":{took},"size":{size},"cached":{cached}"#
    )
}

fn console(random: &mut Random) -> String {
    let (level, message) = random.pick(&LOGS);
    let n = random.below(1_000);
    format!(r#""level":"{level}","message":"{message} (turn {n})","args":[{{"turn":{n},"items":[1,2,3]}}]"#)
}

fn user_action(random: &mut Random) -> String {
    let (id, text) = random.pick(&BUTTONS);
    let (x, y) = (random.below(1_920), random.below(1_080));
    format!(
        r#""action":"click","element-id":"{id}","element":"button#{id}.primary","element-text":"{text}","x":{x},"y":{y}"#
    )
}

fn page_load(random: &mut Random) -> String {
    let loaded = random.duration_ms(1_400.0);
    let part = |share: f64| (loaded * share).round();
    format!(
        r#""url":"{ORIGIN}/","timing":{{"dns-lookup":{},"tcp-connect":{},"ttfb":{},"dom-interactive":{},"fully-loaded":{loaded}}}"#,
        part(0.02),
        part(0.05),
        part(0.2),
        part(0.7)
    )
}

fn fault(random: &mut Random) -> String {
    let (message, function, file) = random.pick(&FAULTS);
    let line = 1 + random.below(400);
    format!(
        r#""message":"{message}","severity":"high","stack":"TypeError: {message}\n    at {function} ({ORIGIN}/{file}:{line}:15)\n    at renderWithHooks ({ORIGIN}/node_modules/react-dom/index.js:1533:18)""#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_json_of_the_promised_size() {
        let pool = Pool::new(1);
        let mut out = String::new();
        pool.batch(101, POOL - 10, 1_000, 1_704_067_200_000, &mut out);
        let frame: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        let events = frame["events"].as_array().expect("an array");
        assert_eq!((&frame["seq"], events.len()), (&101.into(), 1_000));
        assert!(events.iter().all(|event| event["timestamp"] == 1_704_067_200_000_i64));
        assert!((240..280).contains(&(out.len() / 1_000)), "{} bytes an event", out.len() / 1_000);
        let failed = events.iter().filter(|event| event["status"].as_u64() >= Some(400)).count();
        assert!((15..90).contains(&failed), "{failed} failed requests");
    }
}
