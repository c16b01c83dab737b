//! The program at its bounds: what it does there, and that it counts it.
//!
//! Bounds of connections and messages are in `ingest` and `storm`, those of sinks in `sinks`.

use serde_json::Value;

use crate::harness::{Program, command, get_from, post_to};
use crate::pty::Terminal;
use crate::sinks::Disk;

fn health(port: u16) -> Value {
    serde_json::from_str(&get_from(port, "/healthz")).expect("one line of JSON")
}

#[test]
fn a_frame_too_large_for_one_write_is_shown_in_parts_and_counted() {
    // More than 256 KiB of letters, once the details are below the list, which has the whole width then.
    let (width, height) = (1_400, 200);
    let (mut terminal, port) = Terminal::console_with(&[], width, height);
    let long = "x".repeat(usize::from(width));
    let events: Vec<String> = (0..height)
        .map(|number| format!(r#"{{"type":"log","level":"info","message":"row {number} {long}"}}"#))
        .collect();
    post_to(port, &format!("[{}]", events.join(",")));
    terminal.wait("rows", |screen| screen.contains(" row "));
    terminal.press("d");
    terminal.wait("every row", |screen| (190..=200).contains(&screen.matches(" row ").count()));
    terminal.press("6");
    terminal.wait("the count", |screen| screen.contains("frames skipped "));
    assert!(health(port)["screen"]["frames_skipped"].as_u64() > Some(0));
    let metrics = get_from(port, "/metrics");
    let skipped =
        metrics.lines().find_map(|line| line.strip_prefix("taillight_screen_frames_skipped_total "));
    assert!(skipped.and_then(|count| count.parse::<u64>().ok()) > Some(0), "{metrics}");
    terminal.press("qq");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn what_is_too_deep_is_kept_to_the_byte_shown_as_text_found_and_counted() {
    let (mut terminal, port) = Terminal::console_with(&[], 140, 120);
    let deep = format!("{}{{\"x\" : [1,\"needle\"]}}{}", "{\"in\":".repeat(20), "}".repeat(20));
    let event = format!(r#"{{"type":"log","level":"warn","message":"deep one","deep":{deep}}}"#);
    post_to(port, &event);
    post_to(port, r#"{"type":"log","level":"info","message":"a flat one","list":[{"a":[1,2,3]}]}"#);
    terminal.wait("both", |screen| screen.contains("deep one") && screen.contains("a flat one"));
    terminal.press("/needle\r");
    terminal.wait("the deep one alone", |screen| screen.contains("1 of 2") && !screen.contains("a flat one"));
    terminal.press("k");
    // The sixteenth level holds the rest as it was written.
    let rest = format!("\"in\": {}", &deep[6 * 15..deep.len() - 15]);
    terminal.wait("the rest on one line", |screen| screen.contains(&rest));
    terminal.press("\u{1b}6");
    terminal.wait("the count", |screen| screen.contains("1 flattened"));
    assert_eq!(health(port)["scrubbed"]["flattened"], 1);
    assert!(get_from(port, "/metrics").contains("taillight_events_flattened_total 1\n"));
    terminal.press("1e");
    terminal.wait("the question", |screen| screen.contains("the 1 event shown"));
    terminal.press("\u{15}out.jsonl\r");
    terminal.wait("the answer", |screen| screen.contains("wrote 1 event"));
    let written = std::fs::read_to_string(terminal.path("out.jsonl")).expect("written");
    assert!(written.contains(&deep), "{written}");
    terminal.press("qq");
    assert_eq!(terminal.end().0, 0);
}

/// Events as lines, each a little over a kilobyte.
fn lines(count: usize) -> String {
    let long = "x".repeat(1_024);
    (0..count).map(|number| format!("{{\"type\":\"log\",\"message\":\"m{number} {long}\"}}\n")).collect()
}

#[test]
fn an_export_stops_before_its_disk_is_full_and_what_there_is_can_be_read() {
    let (home, small) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let Some(_disk) = Disk::of(small.path(), "size=1m") else { return };
    let (from, to) = (home.path().join("all.jsonl"), small.path().join("out.jsonl"));
    std::fs::write(&from, lines(2_000)).expect("written");
    let export = |to: &std::path::Path| {
        command(home.path()).args(["export", "--from"]).arg(&from).arg("-o").arg(to).output().expect("runs")
    };
    let stopped = export(&to);
    let said = String::from_utf8_lossy(&stopped.stderr).into_owned();
    assert_eq!(stopped.status.code(), Some(4), "{said}");
    assert!(said.contains("export stopped at nine tenths of what is free on its disk: "), "{said}");
    let part = small.path().join("out.jsonl.partial");
    let size = std::fs::metadata(&part).expect("kept").len();
    assert!((700 << 10..950 << 10).contains(&size), "{size}");
    let kept = command(home.path()).args(["stats", "--json", "--from"]).arg(&part).output().expect("runs");
    let kept: Value = serde_json::from_slice(&kept.stdout).expect("JSON");
    assert!(said.contains(&format!("the first {} events are in", kept["events"])), "{said}");
    assert!(!to.exists() && std::fs::read_dir(small.path()).expect("readable").count() == 1);
    std::fs::remove_file(part).expect("removed");

    let (mut terminal, port) = Terminal::console_with(&[], 160, 24);
    post_to(port, &lines(500));
    post_to(port, &lines(700));
    terminal.wait("all", |screen| screen.contains("1,200 events"));
    terminal.press("e");
    terminal.wait("the question", |screen| screen.contains("the 1,200 events shown"));
    terminal.press(&format!("\u{15}{}", to.display()));
    terminal.wait("the path is looked at", |screen| screen.contains("new file, folder writable"));
    terminal.press("\r");
    terminal.wait("the answer", |screen| screen.contains("export stopped at nine tenths"));
    assert!(small.path().join("out.jsonl.partial").exists());
    assert_eq!(health(port)["export"]["stopped"], 1);
    assert!(get_from(port, "/metrics").contains("taillight_export_stopped_total 1\n"));
    terminal.press("qq");
    assert_eq!(terminal.end().0, 0);
}

/// Letters that stand for a number: numbers themselves are taken out of messages and addresses.
fn word(number: u32) -> String {
    let letter = |part: u32| char::from(b'a' + (part % 26) as u8);
    [number / 676, number / 26, number].map(letter).iter().collect()
}

fn post_all(program: &Program, events: impl Iterator<Item = String>) {
    let events: Vec<String> = events.collect();
    for part in events.chunks(5_000) {
        assert_eq!(program.post(&format!("[{}]", part.join(","))).status, 202);
    }
}

/// `/metrics`, whose parts are of moments a little before, once all is there that is waited for.
fn page_with(program: &Program, is_there: impl Fn(&str) -> bool) -> String {
    let start = std::time::Instant::now();
    loop {
        let page = program.request("GET", "/metrics", &[], "").body;
        if is_there(&page) {
            return page;
        }
        assert!(start.elapsed() < std::time::Duration::from_secs(30), "it never came: {page}");
    }
}

fn sum(page: &str, family: &str) -> u64 {
    let own = page.lines().filter(|line| line.starts_with(family));
    own.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

#[test]
fn what_tables_and_series_have_no_room_for_is_counted_and_no_total_is_wrong() {
    let program = Program::start(&["serve"]);
    post_all(&program, (0..20_001).map(|number| format!("{{\"session-id\":\"s{number}\"}}")));
    post_all(
        &program,
        (0..5_100).map(|number| format!("{{\"type\":\"error\",\"message\":\"{} is gone\"}}", word(number))),
    );
    let request = |number| {
        format!(
            "{{\"url\":\"http://h/{}\",\"method\":\"GET\",\"status\":200,\"duration-ms\":1}}",
            word(number)
        )
    };
    post_all(&program, (0..1_100).map(request));
    let tables = &program.health()["tables"];
    let count = |name: &str| tables[name].as_u64().expect("a number");
    assert_eq!(count("sessions_evicted"), 2_000, "a tenth at once");
    assert_eq!(count("endpoints_other"), 100);
    assert_eq!(count("groups_other"), 100);
    let page = page_with(&program, |page| {
        (sum(page, "app_api_duration_seconds_count{"), sum(page, "app_errors_total{")) == (1_100, 5_100)
    });
    for (name, most) in [("sessions_evicted", 2_000), ("endpoints_other", 100), ("groups_other", 100)] {
        assert!(page.contains(&format!("taillight_{name}_total {most}\n")), "{name}: {page}");
    }
    assert_eq!(
        sum(&page, "taillight_series_other_total"),
        1_100 - 64,
        "of endpoints; errors are of one type"
    );
}

#[test]
fn a_batch_that_is_too_long_and_an_event_that_is_too_large_lose_what_is_beyond_and_it_is_counted() {
    let program = Program::start(&["serve"]);
    let answers = program.client("c-too-much").batch(1, &format!("[{}]", vec!["{}"; 10_002].join(",")));
    let refused = &answers[0]["rejected"];
    assert_eq!((answers[0]["t"].as_str(), refused.as_array().map(Vec::len)), (Some("nack"), Some(2)));
    assert_eq!((&refused[0]["index"], &refused[1]["index"]), (&10_000.into(), &10_001.into()));
    assert_eq!(answers[1]["seq"], 10_002, "they will not come again");
    let mut long = "e\u{301}".repeat(30_000);
    long.push('!');
    program.post(&format!("{{\"message\":\"large\",\"text\":\"{long}\"}}"));
    let health = program.health();
    assert_eq!(health["ingest"]["rejected"]["batch is longer than 10,000 events"], 2);
    assert_eq!(
        (&health["ingest"]["accepted"], &health["scrubbed"]["truncated"]),
        (&10_001.into(), &1.into())
    );
    page_with(&program, |page| page.contains("taillight_events_cut_total 1\n"));
}

/// Each bound of `docs/limits.md` with the tests that reach it.
const TRACE: [(&str, &[&str]); 37] = [
    ("head of a request", &["a_head_that_is_too_large_is_told_so_and_counted"]),
    ("time for a head", &["whoever_is_closed_before_it_asked_for_anything_is_told_why"]),
    (
        "connections that have asked for nothing yet",
        &["a_burst_of_handshakes_is_let_in", "the_oldest_goes_once_it_has_had_its_time"],
    ),
    (
        "connected pages",
        &[
            "the_last_tenth_of_the_connections_is_for_origins_that_have_none",
            "a_process_that_may_open_few_files_lets_few_pages_in",
        ],
    ),
    (
        "a message",
        &[
            "a_message_over_a_mebibyte_is_closed_with_its_code_and_costs_nothing_else",
            "three_megabytes_are_taken_whole_and_seventeen_are_not",
        ],
    ),
    (
        "answers that a page does not read",
        &["who_says_nothing_and_who_does_not_listen_is_let_go_and_counted"],
    ),
    (
        "large messages on their way, together",
        &["of_many_large_messages_on_their_way_the_one_that_stands_still_is_asked_to_come_again"],
    ),
    (
        "a message that is not finished",
        &[
            "endless_empty_frames_and_floods_of_pings_are_cut_off",
            "a_silent_client_stays_while_it_answers_pings_and_one_within_a_message_does_not",
        ],
    ),
    ("pings and pongs", &["endless_empty_frames_and_floods_of_pings_are_cut_off"]),
    ("silence of a page", &["who_says_nothing_and_who_does_not_listen_is_let_go_and_counted"]),
    ("bytes of a connection", &["what_comes_faster_than_may_be_is_read_more_slowly_and_whole"]),
    (
        "events of a connection",
        &[
            "a_connection_brings_in_so_many_events_a_second_and_less_without_a_pause",
            "while_there_is_little_room_large_batches_bring_in_as_much_as_small_ones",
            "a_page_that_floods_is_read_at_its_rate_and_that_is_counted",
        ],
    ),
    (
        "events of a batch",
        &["a_batch_that_is_too_long_and_an_event_that_is_too_large_lose_what_is_beyond_and_it_is_counted"],
    ),
    (
        "an event kept to the byte",
        &[
            "a_batch_that_is_too_long_and_an_event_that_is_too_large_lose_what_is_beyond_and_it_is_counted",
            "the_longest_strings_are_cut_and_named",
        ],
    ),
    ("URLs within URLs, each escaped in the next", &["urls_within_urls_are_looked_at_as_deep_as_is_said"]),
    ("a message in rows and tables", &["long_messages_are_indexed_only_at_their_beginning"]),
    (
        "data laid out in the detail",
        &[
            "what_is_too_deep_is_kept_to_the_byte_shown_as_text_found_and_counted",
            "each_bound_holds_to_the_last_one_that_fits",
            "what_is_too_deep_or_too_wide_stands_on_one_line_as_it_was_written",
        ],
    ),
    (
        "events that wait to be kept",
        &["so_many_events_wait_for_the_store_however_small_and_whoever_waits_is_counted"],
    ),
    (
        "events in memory",
        &[
            "the_ring_evicts_and_the_books_still_balance",
            "the_oldest_leave_when_there_are_too_many",
            "three_quarters_of_the_machine_are_the_most_and_less_than_asked_for_is_told",
        ],
    ),
    ("sessions in tables", &["what_tables_and_series_have_no_room_for_is_counted_and_no_total_is_wrong"]),
    ("groups of errors", &["what_tables_and_series_have_no_room_for_is_counted_and_no_total_is_wrong"]),
    ("endpoints", &["what_tables_and_series_have_no_room_for_is_counted_and_no_total_is_wrong"]),
    (
        "series for Prometheus",
        &[
            "what_tables_and_series_have_no_room_for_is_counted_and_no_total_is_wrong",
            "as_many_endpoints_and_errors_as_a_page_invents_stay_within_bounds",
            "a_label_cannot_end_its_line_or_grow_and_keeps_its_meaning",
        ],
    ),
    (
        "numbers of a page that are told apart",
        &[
            "a_full_window_refuses_what_would_begin_a_run_and_takes_the_rest",
            "the_client_unheard_for_longest_is_forgotten",
        ],
    ),
    ("a filter", &["limits_are_mistakes", "mistakes_are_placed_and_named"]),
    ("a filter's work at once", &["any_order_of_steps_finds_the_same"]),
    (
        "an export",
        &[
            "an_export_stops_before_its_disk_is_full_and_what_there_is_can_be_read",
            "it_is_two_gib_or_nine_tenths_of_what_is_free",
        ],
    ),
    (
        "a frame on the terminal",
        &[
            "a_frame_too_large_for_one_write_is_shown_in_parts_and_counted",
            "what_a_frame_has_no_room_for_comes_with_the_next_and_every_row_has_its_turn",
            "a_flood_of_news_is_drawn_thirty_times_a_second",
        ],
    ),
    (
        "files of a sink",
        &[
            "a_full_file_is_put_aside_and_packed_and_no_line_is_lost_or_repeated",
            "a_day_has_its_file_and_a_line_says_where_its_event_came_from",
            "what_is_too_much_or_too_old_goes_and_what_is_not_ours_stays",
            "a_disk_that_is_low_is_not_filled_up",
        ],
    ),
    ("queue of a sink", &["a_stalled_sink_keeps_what_its_mode_says_and_others_get_everything"]),
    ("a sink's connection and write", &["waits_double_up_to_the_longest_and_are_drawn_below"]),
    (
        "a sink at the end",
        &[
            "what_a_sink_still_has_at_the_end_is_tried_for_a_while_and_then_told",
            "the_defaults_are_those_of_the_document",
        ],
    ),
    (
        "Slack",
        &[
            "slack_gets_few_escaped_messages_and_repeats_are_told_by_the_next",
            "a_group_is_posted_once_in_a_while_and_tells_what_was_not",
            "a_message_for_slack_has_an_end_and_its_block_too",
        ],
    ),
    ("a datagram", &["syslog_messages_are_counted_over_tcp_and_one_a_datagram_over_udp"]),
    (
        "a recorded line",
        &[
            "a_line_over_the_limit_is_passed_over_and_the_next_one_read",
            "more_than_the_limit_is_an_error_and_exactly_the_limit_is_not",
            "broken_lines_are_skipped_and_named",
        ],
    ),
    ("what a page says of itself", &["a_live_page_is_asked_how_it_is_and_its_answer_is_shown"]),
    ("a character on screen", &["any_text_becomes_safe_rows", "hostile_strings_fit_every_width"]),
];

/// The rows of the document: what, at most, beyond it, in `/healthz`, in `/metrics`.
fn document() -> Vec<[&'static str; 5]> {
    let rows = include_str!("../../docs/limits.md").lines().filter(|line| line.starts_with("| ")).skip(2);
    let cells = |line: &'static str| {
        let cells: Vec<&str> =
            line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        cells.try_into().expect("five cells")
    };
    rows.map(cells).collect()
}

fn sources(folder: &std::path::Path, all: &mut String) {
    for entry in std::fs::read_dir(folder).expect("readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&std::fs::read_to_string(path).expect("readable"));
        }
    }
}

#[test]
fn every_bound_of_the_document_is_reached_by_a_test_and_counted_where_it_says() {
    let rows = document();
    let named: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(named, TRACE.map(|(name, _)| name));
    let (root, mut text) = (std::path::Path::new(env!("CARGO_MANIFEST_DIR")), String::new());
    ["src", "tests/it"].iter().for_each(|folder| sources(&root.join(folder), &mut text));
    for (name, tests) in TRACE {
        assert!(!tests.is_empty(), "{name}");
        for test in tests {
            assert!(text.contains(&format!("fn {test}(")), "{name}: there is no test {test}");
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let settings = format!("[sinks.NAME]\ntype = \"file\"\nfolder = \"{}\"\n", folder.path().display());
    let program = Program::with_settings(&settings, &["serve"]);
    // A reason that nothing was refused for has no series.
    program.post("[1]");
    let (health, page) =
        (program.health(), page_with(&program, |page| page.contains("taillight_events_rejected_total{")));
    for [name, _, _, place, family] in rows {
        let mut at = &health;
        for part in place.split('.').filter(|part| !part.is_empty()) {
            at = &at[part];
        }
        assert!(!at.is_null(), "{name}: {place} is not in {health}");
        let label = place.split_once('.').filter(|(group, _)| ["refused", "closed"].contains(group));
        let line = match label {
            Some((_, reason)) => format!("{family}{{reason=\"{reason}\"}} "),
            None => family.to_owned(),
        };
        assert!(page.contains(&line), "{name}: {line} is not in {page}");
    }
}
