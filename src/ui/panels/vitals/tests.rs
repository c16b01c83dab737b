//! What is read from events that no table holds: the phases of a page load, and what a vital was about.

use super::*;
use crate::event::{Chunk, ChunkBuilder, Family, Micros, Row};
use crate::stats::Vital;
use crate::ui::theme::Palette;

fn chunk(json: &str) -> Chunk {
    let mut builder = ChunkBuilder::new();
    builder.push(&Row {
        family: Family::Performance,
        id: "browser/x",
        ns: "browser",
        kind: "metric",
        subtype: "page-load",
        source: "browser",
        json,
        ..Row::default()
    });
    builder.finish()
}

#[test]
fn phases_stand_one_after_the_other() {
    let theme = Theme::new(Palette::Mono, true);
    let chunk = chunk(
        r#"{"timing":{"dnsLookup":100,"waiting":150,"server-response":200,"fully-loaded":400,"own step":1,"odd":"x"},
            "resources":{"count":1,"total-size-kb":12}}"#,
    );
    let phases = phases::of(chunk.event(0), &theme);
    let shown: Vec<_> =
        phases.iter().map(|phase| (phase.name.as_str(), phase.took.0, phase.bar.as_str())).collect();
    assert_eq!(
        shown,
        [
            ("dns", 100_000, "##########"),
            ("waiting", 150_000, "          ###############"),
            ("response", 200_000, "          ####################"),
            ("loaded", 400_000, "                              ##########"),
            ("own step", 1_000, "                                        "),
        ]
    );
    assert_eq!(phases::resources(chunk.event(0), &theme), "1 resource . 12 kB");
}

#[test]
fn many_phases_and_absurd_times_are_held_in_bounds() {
    let theme = Theme::new(Palette::Mono, false);
    let many: Vec<String> = (0..500).map(|nth| format!("\"p{nth}\":1e30{nth}")).collect();
    let chunk =
        chunk(&format!("{{\"timing\":{{\"fully-loaded\":1e300,\"dns-lookup\":-4,{}}}}}", many.join(",")));
    let phases = phases::of(chunk.event(0), &theme);
    assert!(phases.len() <= 12, "{}", phases.len());
    assert!(phases.iter().all(|phase| phase.bar.chars().count() <= 80 && phase.took <= Micros(u64::MAX)));
}

#[test]
fn a_vital_tells_what_it_was_about() {
    let theme = Theme::new(Palette::Mono, false);
    for (vital, json, expected) in [
        (
            Vital::Inp,
            r##"{"action":"click","element":"#save","page":"/a","timing":{"input-delay":9,"processing":280}}"##,
            "click #save, 280ms in handlers",
        ),
        (
            Vital::Inp,
            r##"{"attribution":{"interactionTarget":"#save","interactionType":"keyboard","inputDelay":70}}"##,
            "keyboard #save, 70ms before handlers",
        ),
        (
            Vital::Lcp,
            r#"{"element":"img.hero","page":"http://x:1/a","resource-load-delay":1100}"#,
            "img.hero on /a, 1.1s until it was asked for",
        ),
        (Vital::Ttfb, r#"{"url":"https://x"}"#, "document of /"),
        (Vital::Cls, r#"{"page":"/a"}"#, "/a"),
        (Vital::Cls, r#"{"element":7,"timing":"late"}"#, ""),
    ] {
        assert_eq!(what::of(vital, chunk(json).event(0), &theme), expected, "{json}");
    }
}
