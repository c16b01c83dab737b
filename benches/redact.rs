//! How fast redaction lets clean batches pass, and what it costs where something is found.

use divan::counter::BytesCount;
use taillight::pipeline::Redactor;

/// A hundred events as browsers send them, about 31 KB.
fn batch() -> String {
    let events: Vec<String> = (0..100u64).map(event).collect();
    format!("[{}]", events.join(","))
}

fn event(n: u64) -> String {
    let time = 1_704_067_200_000 + n * 37;
    // A spread of digits and letters as in real ids; the factor is odd, so all are different.
    let id = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let who = format!(
        r#""timestamp":{time},"session-id":"{:08x}-91b4-4c1d-8e3a-{:012x}","user-id":"user-{n}","page":"https://app.example.com/orders/{n}""#,
        id >> 32,
        id & 0xffff_ffff_ffff
    );
    match n % 5 {
        0 => format!(
            r#"{{"type":"metric","subtype":"api-call","url":"https://api.example.com/users/{n}?page=2&sort=name","method":"GET","status":200,"duration-ms":234.40000000596046,"cached?":false,{who}}}"#
        ),
        1 => format!(
            r##"{{"type":"analytics","subtype":"click","element":"button#save-button.primary","text":"Save changes","position":{{"x":412,"y":{n}}},{who}}}"##
        ),
        2 => format!(
            r#"{{"type":"error","subtype":"javascript","message":"Cannot read property 'x' of undefined","stack":"TypeError: Cannot read\n    at render (https://app.example.com/app.js:{n}:15)\n    at f (https://app.example.com/app.js:9:1)","severity":"high",{who}}}"#
        ),
        3 => format!(
            r#"{{"type":"log","level":"info","message":"cart updated: 3 items, 2 changed","args":[{{"items":[1,2,3],"total":59.97,"currency":"EUR"}}],{who}}}"#
        ),
        _ => format!(
            r#"{{"type":"metric","subtype":"page-load","url":"https://app.example.com/dashboard","timing":{{"dns-lookup":45,"tcp-connect":120,"tls-handshake":230,"fully-loaded":2340}},{who}}}"#
        ),
    }
}

#[divan::bench]
fn clean_batch(bencher: divan::Bencher<'_, '_>) {
    let (redactor, batch) = (Redactor::default(), batch());
    assert!(!redactor.is_suspicious(batch.as_bytes()), "the batch is meant to be clean");
    bencher.counter(BytesCount::of_str(&batch)).bench(|| redactor.is_suspicious(batch.as_bytes()));
}

#[divan::bench]
fn every_event_scrubbed(bencher: divan::Bencher<'_, '_>) {
    let (redactor, batch) = (Redactor::default(), batch());
    let mut out = String::new();
    bencher.counter(BytesCount::of_str(&batch)).bench_local(|| {
        out.clear();
        redactor.scrub(&batch, &mut out)
    });
}

#[divan::bench]
fn a_mebibyte_of_short_strings_cut(bencher: divan::Bencher<'_, '_>) {
    let redactor = Redactor::default();
    let event = format!(r#"{{"long":"{}","a":[{}0]}}"#, "x".repeat(200), r#""short","#.repeat(130_000));
    let mut out = String::new();
    bencher.counter(BytesCount::of_str(&event)).bench_local(|| {
        out.clear();
        redactor.scrub(&event, &mut out)
    });
}

fn main() {
    divan::main();
}
