//! Source maps: a map read, a frame mapped once it is, and keys painted while 500 maps are fetched and read.
//!
//! Run with `cargo bench --bench maps`. Maps come from a server in this process; store, scan, app and the threads that
//! load and map are those of the console. `tests/it/bench.rs` runs the bodies on a few.

use std::cell::Cell;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use taillight::counters::{Counter, Counters};
use taillight::event::Relation;
use taillight::maps::{self, Allowed, Loader, Lookup, Options, Rewrites, Root, Script, Table, Text, resolve};
use taillight::stack::{Spot, Told};
use taillight::store::StoreMsg;

#[path = "frame.rs"]
#[expect(dead_code, reason = "only its bodies are run here")]
pub(crate) mod frame;

/// Events that are searched meanwhile, and that arrive.
const EVENTS: usize = 100_000;
const PER_SECOND: usize = 1_000;
const MAPS: usize = 500;
/// How often keys are typed alone, and while maps load, in turns: what else this machine does meets both alike.
const ROUNDS: usize = 4;
/// Of each of the 500.
const MAP_BYTES: usize = 500_000;

/// A map of about `bytes`, as a bundler writes one: half of it sources, the rest places, a fifth of them with names.
pub(crate) fn map_of(bytes: usize) -> String {
    let mut mappings = String::with_capacity(bytes / 2);
    let mut number = 0;
    while mappings.len() < bytes / 2 {
        number += 1;
        mappings.push_str(match number % 5 {
            0 => "EAAEA,",
            1 => "MAAM,",
            2 => "GACJ,",
            3 => "IAAI,",
            _ => "KAEF;",
        });
    }
    let line = "  const total = items.reduce((sum, item) => sum + item.price, 0);\\n";
    let content = line.repeat(bytes / 2 / line.len() / 20);
    let sources: Vec<String> = (0..20).map(|number| format!("\"../src/part-{number}.ts\"")).collect();
    let contents = vec![format!("\"{content}\""); 20].join(",");
    let names = vec!["\"total\""; 1 + number / 5].join(",");
    format!(
        r#"{{"version":3,"sources":[{}],"names":[{names}],"mappings":"AAAAA,{mappings}","sourcesContent":[{contents}]}}"#,
        sources.join(",")
    )
}

/// How long a map of about `bytes` takes to be read, of several times the shortest.
pub(crate) fn read(bytes: usize, times: usize) -> (Table, Duration) {
    let map = map_of(bytes);
    let mut best = (Table::default(), Duration::MAX);
    for _ in 0..times {
        let begun = Instant::now();
        let table = Table::read(map.as_bytes()).expect("a map");
        best = (table, best.1.min(begun.elapsed()));
    }
    best
}

struct One(Arc<Script>);

impl Lookup for One {
    fn script(&self, _: &str) -> Option<&Script> {
        Some(&self.0)
    }
    fn refusal(&self, _: &str) -> Option<String> {
        None
    }
    fn path_of(&self, file: &str) -> String {
        file.to_owned()
    }
    fn local(&self, _: &str) -> Option<Arc<Path>> {
        None
    }
    fn text(&self, _: &str) -> Option<Arc<Text>> {
        None
    }
    fn is_own(&self, _: &str) -> bool {
        true
    }
}

/// Nanoseconds for a place to be looked up, and for a frame of a whole stack to be mapped, names and code included.
pub(crate) fn frames(bytes: usize, rounds: u32) -> (f64, f64) {
    let (table, _) = read(bytes, 1);
    let place = |round: u32, nth: u32| ((round * 7 + nth) % 1_000, nth * 3 % 17);
    let begun = Instant::now();
    for round in 0..rounds {
        for nth in 0..10 {
            let (line, column) = place(round, nth);
            black_box(table.lookup(line, column));
        }
    }
    let lookup = begun.elapsed();
    let server = serve(bytes);
    let script = loader().load(&format!("{server}/0.js"), None).expect("a script");
    let known = One(script);
    let spot = |round: u32, nth: u32| {
        let (line, column) = place(round, nth);
        Spot { file: "a.js".to_owned(), line: line + 1, column: column + 1, ..Spot::default() }
    };
    let told: Vec<_> = (0..rounds)
        .map(|round| Told {
            relation: Relation::Thrown,
            head: String::new(),
            spots: (0..10).map(|nth| spot(round, nth)).collect(),
        })
        .collect();
    let begun = Instant::now();
    for one in &told {
        black_box(resolve(std::slice::from_ref(one), &known));
    }
    let per_frame = |time: Duration| time.as_secs_f64() * 1e9 / f64::from(rounds) / 10.0;
    (per_frame(lookup), per_frame(begun.elapsed()))
}

fn loader() -> Loader {
    Loader::new(Some(Allowed::default()), Root::default(), Rewrites::default())
}

/// A server whose every script has a map of about `bytes`.
fn serve(bytes: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    let map: Arc<str> = map_of(bytes).into();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let map = Arc::clone(&map);
            thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().expect("cloned"));
                let mut head = String::new();
                while reader.read_line(&mut head).unwrap_or(0) > 0 {
                    if !head.ends_with("\r\n\r\n") {
                        continue;
                    }
                    let is_map = head.starts_with("GET /map");
                    let body = if is_map { &*map } else { "x()\n//# sourceMappingURL=map" };
                    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                    if stream
                        .write_all(answer.as_bytes())
                        .and_then(|()| stream.write_all(body.as_bytes()))
                        .is_err()
                    {
                        return;
                    }
                    head.clear();
                }
            });
        }
    });
    address
}

/// Types while the maps of `count` errors, of about `bytes` each, are loaded by the program's own threads; how many were,
/// and how long that took.
pub(crate) fn type_while_loading(
    events: usize,
    count: usize,
    bytes: usize,
    texts: &[&str],
) -> (Vec<frame::Typed>, usize, Duration) {
    let server = serve(bytes);
    let mut source = frame::Source::new(events);
    let (store, counters) = (source.store.clone(), Arc::new(Counters::default()));
    let options = Options { allowed: Some(Allowed::default()), ..Options::default() };
    let (handle, thread) =
        maps::spawn(options, Arc::clone(&counters), move |found| store.send_blocking(StoreMsg::Map(found)))
            .expect("a thread");
    let errors: Vec<String> = (0..count)
        .map(|number| {
            format!(
                r#"{{"type":"error","subtype":"javascript","message":"no {number}","stack":"Error: no\n    at f ({server}/{number}.js:9:3)"}}"#
            )
        })
        .collect();
    let frame = format!(r#"{{"t":"batch","seq":1,"events":[{}]}}"#, errors.join(","));
    source.take(&frame, count);
    let loaded = || usize::try_from(counters.get(Counter::MapsLoaded)).expect("few");
    let eyes = handle.clone();
    let (begun, whole) = (Instant::now(), Cell::new(None));
    // Over and over, until all are loaded; a key after that would say nothing.
    let goes_on = || {
        let is_over = loaded() >= count;
        if is_over {
            whole.set(whole.get().or(Some(begun.elapsed())));
        }
        !is_over
    };
    let typed = frame::type_beside(
        source,
        PER_SECOND,
        texts.iter().copied().cycle(),
        move |snapshot| eyes.see(snapshot),
        goes_on,
    );
    handle.stop();
    thread.join().expect("no panic");
    (typed, loaded(), whole.get().unwrap_or_else(|| begun.elapsed()))
}

const TYPED: [&str; 3] = ["quota", "level>=warn", "duration>1s"];

#[expect(clippy::print_stdout, reason = "a bench reports")]
fn main() {
    let (table, time) = read(5_000_000, 5);
    println!(
        "a map of 5 MB read   {:6.1} ms   {} MB kept",
        time.as_secs_f64() * 1e3,
        table.bytes() / 1_000_000
    );
    let (lookup, frame) = frames(5_000_000, 20_000);
    println!("a place looked up {lookup:6.0} ns   a frame mapped, with name and code {frame:6.0} ns");
    let (mut alone, mut beside, mut loads) = (Vec::new(), Vec::new(), 0);
    for round in 1..=ROUNDS {
        let (typed, loaded, took) = type_while_loading(EVENTS, MAPS, MAP_BYTES, &TYPED);
        println!(
            "round {round}: {loaded} maps of {} kB loaded in {:.1} s",
            MAP_BYTES / 1_000,
            took.as_secs_f64()
        );
        loads += loaded;
        let count = typed.len();
        beside.extend(typed);
        // As many keys without them.
        let enough = Cell::new(0);
        let goes_on = || enough.replace(enough.get() + 1) < count;
        let texts = TYPED.iter().copied().cycle();
        alone.extend(frame::type_beside(frame::Source::new(EVENTS), PER_SECOND, texts, |_| (), goes_on));
    }
    println!("key press to a painted frame over {EVENTS} events, {PER_SECOND} events/s arriving");
    frame::report(&alone, "with no map to load");
    frame::report(&beside, &format!("while {loads} maps load"));
}
