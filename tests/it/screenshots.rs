//! The pictures in `screenshots/`: the real screens over a made-up shop, drawn as SVG.
//!
//! `TAILLIGHT_SCREENSHOTS=write cargo test --test it screenshots` writes them; without it the test compares what the
//! program draws with what the repository shows.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use taillight::counters::Counters;
use taillight::event::Timestamp;
use taillight::pipeline::{Redactor, Rules};
use taillight::scan::{Matches, Scan};
use taillight::store::{Presence, Retention, Store, Tally};
use taillight::ui::theme::{Palette, Theme};
use taillight::ui::{App, Facts, Msg};
use taillight::wire::{Frame, Sender, decode_frame};

const COLUMNS: u16 = 120;
const ROWS: u16 = 36;
/// A cell of a 14 px monospaced font, in tenths of a pixel.
const CELL: (u32, u32) = (84, 180);
const MARGIN: u32 = 140;
const BACKGROUND: &str = "#16181d";
const FOREGROUND: &str = "#d7dae0";
/// 2026-03-04T14:32:10Z.
const START: i64 = 1_772_634_730_000;
/// How long the shop has been watched, in milliseconds.
const SPAN: u64 = 95_000;
const ORIGIN: &str = "http://localhost:5173";

/// File name, and the keys that lead to the screen.
const PICTURES: [(&str, &str); 8] = [
    ("stream", "1N"),
    ("errors", "2"),
    ("latency", "3"),
    ("sessions", "4"),
    ("vitals", "5"),
    ("timeline", "NT"),
    ("palette", "N:expo"),
    ("export", "Ne"),
];

/// Session, user, tab, first millisecond.
const VISITORS: [(&str, &str, &str, u64); 4] = [
    ("sess-7f3a", "ada@shop", "A", 0),
    ("sess-91c2", "lin", "B", 9_000),
    ("sess-2b0e", "", "C", 31_000),
    ("sess-d4e8", "sam", "D", 52_000),
];

/// Method, path (`{}` is a number), typical milliseconds, one in how many fails, with which status.
const ROUTES: [(&str, &str, u64, u64, u16); 8] = [
    ("GET", "/api/products?page=2", 46, 90, 503),
    ("GET", "/api/products/{}", 31, 40, 404),
    ("GET", "/api/users/{}", 22, 60, 404),
    ("POST", "/api/cart", 64, 50, 422),
    ("DELETE", "/api/cart/{}", 58, 70, 409),
    ("POST", "/api/orders", 240, 9, 500),
    ("GET", "/api/search?q=lamp", 120, 120, 500),
    ("GET", "/api/recommendations", 310, 14, 504),
];

/// Message, function, file and line.
const FAULTS: [(&str, &str, &str); 4] = [
    ("Cannot read properties of undefined (reading 'name')", "UserCard", "src/cart/UserCard.tsx:42:15"),
    ("Failed to fetch", "placeOrder", "src/orders/api.ts:88:9"),
    ("Maximum update depth exceeded", "useTotals", "src/cart/useTotals.ts:17:5"),
    ("ResizeObserver loop completed with undelivered notifications", "Grid", "src/catalog/Grid.tsx:120:3"),
];

const LINES: [(&str, &str); 4] = [
    ("warn", "Each child in a list should have a unique key prop. Check ProductList"),
    ("info", "cart restored from localStorage: 3 items, 128,00 €"),
    ("warn", "image /hero@2x.webp took 3.1 s on a slow connection"),
    ("debug", "feature flag new-checkout: on"),
];

/// Numbers without a clock or a seed from outside: xorshift, so the pictures never change by themselves.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    /// Around `typical`, now and then several times it.
    fn duration(&mut self, typical: u64) -> u64 {
        let spread = typical / 2 + self.below(typical.max(2));
        if self.below(25) == 0 { spread * (3 + self.below(6)) } else { spread }
    }
}

fn request(random: &mut Random, load: i32) -> String {
    let (method, path, typical, one_in, status) = ROUTES[random.below(8) as usize];
    let path = path.replace("{}", &(1_000 + random.below(9_000)).to_string());
    let status = if random.below(one_in) == 0 { status } else { 200 };
    // The newest build of the shop made orders slower.
    let typical = if load > 2 && path == "/api/orders" { typical * 4 } else { typical };
    let (took, size) = (random.duration(typical), 400 + random.below(40_000));
    let (waiting, answer) = (took * 8 / 10, took - took / 12);
    format!(
        r#""type":"metric","subtype":"api-call","url":"{ORIGIN}{path}","method":"{method}","status":{status},"duration-ms":{took},"size":{size},"timing":{{"tcp-connect":{},"waiting":{waiting},"server-response":{answer}}}"#,
        took / 12
    )
}

fn fault(random: &mut Random) -> String {
    let (message, function, place) = FAULTS[[0, 0, 0, 1, 1, 2, 3][random.below(7) as usize]];
    format!(
        r#""type":"error","subtype":"javascript","severity":"high","message":"{message}","stack":"TypeError: {message}\n    at {function} ({ORIGIN}/{place})\n    at renderWithHooks ({ORIGIN}/node_modules/react-dom/index.js:1533:18)""#
    )
}

/// What a page tells once it is loaded.
fn loaded(random: &mut Random) -> Vec<String> {
    let base = 700 + random.below(900);
    let mut told = vec![format!(
        r#""type":"metric","subtype":"page-load","timing":{{"dns-lookup":1,"tcp-connect":4,"tls-handshake":0,"server-response":{},"dom-content-loaded":{},"fully-loaded":{}}},"resources":{{"count":45,"total-size-kb":1234}}"#,
        base / 4,
        base / 4 * 3,
        base * 3 / 2
    )];
    for (vital, value) in
        [("TTFB", base / 5), ("FCP", base * 2 / 3), ("LCP", base * 5 / 3), ("INP", base / 6)]
    {
        told.push(format!(r#""type":"metric","subtype":"web-vital","vital":"{vital}","value":{value}"#));
    }
    told.push(r#""type":"metric","subtype":"web-vital","vital":"CLS","value":0.03"#.to_owned());
    told
}

fn event(random: &mut Random, load: i32) -> String {
    match random.below(100) {
        0..62 => request(random, load),
        62..74 => {
            let button = ["add-to-cart", "checkout", "open-filters", "next-page"][random.below(4) as usize];
            format!(r#""type":"analytics","subtype":"user-action","action":"click","element-id":"{button}""#)
        }
        74..86 => {
            let (level, text) = LINES[random.below(4) as usize];
            format!(r#""type":"log","subtype":"console","level":"{level}","message":"{text}""#)
        }
        86..94 => {
            let took = random.duration(14);
            format!(
                r#""type":"metric","subtype":"render","component":"{}","render-time-ms":{took}"#,
                ["ProductList", "Cart", "Header"][random.below(3) as usize]
            )
        }
        94..98 => fault(random),
        _ => r#""type":"log","subtype":"console","level":"warn","message":"Each child in a list should have a unique key prop. Check ProductList""#.to_owned(),
    }
}

/// The number of the page load that a visitor is in: the shop is built anew, and pages are loaded again.
fn load_at(at: u64, visitor: u64) -> i32 {
    1 + i32::from(at > 24_000 + visitor * 2_000) + i32::from(at > 58_000 + visitor * 1_500)
}

/// Every event of the visit, each in a batch of its own, at the time it happened.
fn shop() -> Matches {
    let mut store = Store::new(Retention::default());
    let (redactor, mut random) = (Redactor::new(&Rules::default()), Random(0x7a11_1196));
    let (mut at, mut seq, mut seen) = (0, 1, std::collections::BTreeSet::new());
    loop {
        at += 8 + random.below(104);
        if at > SPAN {
            break;
        }
        let here = VISITORS.iter().filter(|visitor| visitor.3 <= at).count() as u64;
        let visitor = random.below(here);
        let (session, user, tab, _) = VISITORS[visitor as usize];
        let load = load_at(at, visitor);
        let time = START + i64::try_from(at).expect("a minute or two");
        let sender = Sender {
            session: session.to_owned(),
            user: user.to_owned(),
            tab: tab.to_owned(),
            load: Some(load),
            origin: ORIGIN.to_owned(),
            source: "browser",
            recv: Timestamp(time + 4),
            offset_ms: 0,
            ..Sender::default()
        };
        let build = ["0aa1e2", "1c94d0", "3f2a91c"][usize::try_from(load - 1).expect("three builds")];
        let mut told = vec![event(&mut random, load)];
        if seen.insert((visitor, load)) {
            told = loaded(&mut random);
        }
        let count = told.len() as u64;
        let page = ["/cart", "/products", "/checkout", "/products/7"][visitor as usize];
        let told: Vec<_> = told
            .into_iter()
            .map(|own| format!(r#"{{"timestamp":{time},"page":"{page}","build":"{build}",{own}}}"#))
            .collect();
        let text = format!(r#"{{"t":"batch","seq":{seq},"events":[{}]}}"#, told.join(","));
        let frame = decode_frame(&text, &sender, &redactor).expect("a frame");
        let Frame::Batch { mut batch, .. } = frame else { panic!("a batch") };
        assert!(batch.rejected.is_empty(), "{text}");
        batch.chunk.number_from(seq);
        seq += count;
        store.append(&batch.chunk, &Tally { accepted: count, ..Tally::default() });
    }
    for (session, ..) in &VISITORS[..3] {
        store.note_session(session, Presence::Here, Timestamp(START));
    }
    let mut scan = Scan::new();
    scan.set_snapshot(Arc::new(store.snapshot(now())));
    scan.matches()
}

fn now() -> Timestamp {
    Timestamp(START + 95_200)
}

fn picture(matches: &Arc<Matches>, keys: &str) -> String {
    let counters = Arc::new(Counters::default());
    (0..3).for_each(|_| counters.connected());
    let facts = Facts { address: "127.0.0.1:8245".to_owned(), ..Facts::default() };
    let theme = Theme::new(Palette::Ansi, false);
    let mut app = App::new(facts, counters, theme, jiff::tz::TimeZone::UTC, "");
    app.update(Msg::Tick(now()));
    app.update(Msg::Matches(Arc::clone(matches)));
    let area = Rect::new(0, 0, COLUMNS, ROWS);
    let mut buf = Buffer::empty(area);
    for key in keys.chars() {
        // Panels learn their height when drawn, and keys move by what is on screen.
        app.render(area, &mut buf);
        app.update(Msg::Key(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE)));
    }
    buf.reset();
    app.render(area, &mut buf);
    svg(&buf)
}

/// What makes neighbouring cells one run.
#[derive(Clone, PartialEq, Eq)]
struct Look {
    fg: &'static str,
    bg: &'static str,
    modifier: Modifier,
}

impl Look {
    fn of(cell: &Cell) -> Self {
        let (fg, bg) = (color(cell.fg, FOREGROUND), color(cell.bg, BACKGROUND));
        let is_reversed = cell.modifier.contains(Modifier::REVERSED);
        let (fg, bg) = if is_reversed { (bg, fg) } else { (fg, bg) };
        Self { fg, bg, modifier: cell.modifier }
    }
}

/// The 16 colours as a dark terminal shows them; the rest does not occur.
fn color(color: Color, otherwise: &'static str) -> &'static str {
    match color {
        Color::Black => "#16181d",
        Color::Red => "#ff6b6b",
        Color::Green => "#8fd67f",
        Color::Yellow => "#f0c15d",
        Color::Blue => "#6ea8fe",
        Color::Magenta => "#d391f0",
        Color::Cyan => "#5fd3d8",
        Color::Gray => "#d7dae0",
        Color::DarkGray => "#6b7280",
        Color::LightRed => "#ff8f8f",
        Color::LightGreen => "#a8e89a",
        Color::LightYellow => "#ffd987",
        Color::LightBlue => "#93c0ff",
        Color::LightMagenta => "#e3b3f7",
        Color::LightCyan => "#8be6ea",
        Color::White => "#ffffff",
        _ => otherwise,
    }
}

fn svg(buf: &Buffer) -> String {
    let width = u32::from(COLUMNS) * CELL.0 + 2 * MARGIN;
    let height = u32::from(ROWS) * CELL.1 + 2 * MARGIN;
    let (width, height) = (pixels(width), pixels(height));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <style>text{{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Noto Sans Mono CJK SC',monospace;white-space:pre}}</style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"10\" fill=\"{BACKGROUND}\"/>\n"
    );
    for y in 0..buf.area.height {
        let mut x = 0;
        while x < buf.area.width {
            x = run(buf, x, y, &mut out);
        }
    }
    out.push_str("</svg>\n");
    out
}

/// Draws the run of cells that look alike from `x` on; gives the column past it.
fn run(buf: &Buffer, x: u16, y: u16, out: &mut String) -> u16 {
    let look = Look::of(&buf[(x, y)]);
    let (mut end, mut text) = (x, String::new());
    // A character of two columns ends its run, so that a font that draws it wider or narrower shifts nothing.
    while end < buf.area.width && Look::of(&buf[(end, y)]) == look {
        let cell = &buf[(end, y)];
        let columns = cell.cell_width().max(1);
        if columns > 1 && !text.is_empty() {
            break;
        }
        text.push_str(cell.symbol());
        end += columns;
        if columns > 1 {
            break;
        }
    }
    let left = MARGIN + u32::from(x) * CELL.0;
    let top = MARGIN + u32::from(y) * CELL.1;
    let wide = pixels(u32::from(end - x) * CELL.0);
    if look.bg != BACKGROUND {
        let (left, top, high) = (pixels(left), pixels(top), pixels(CELL.1));
        let _ = writeln!(
            out,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{wide}\" height=\"{high}\" fill=\"{}\"/>",
            look.bg
        );
    }
    if !text.trim().is_empty() {
        let (left, base) = (pixels(left), pixels(top + 135));
        let style = style(look.modifier);
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(
            out,
            "<text x=\"{left}\" y=\"{base}\" textLength=\"{wide}\" fill=\"{}\"{style}>{text}</text>",
            look.fg
        );
    }
    end
}

fn style(modifier: Modifier) -> String {
    let marks = [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::DIM, " fill-opacity=\".6\""),
        (Modifier::UNDERLINED, " text-decoration=\"underline\""),
    ];
    marks.iter().filter(|(mark, _)| modifier.contains(*mark)).map(|(_, text)| *text).collect()
}

fn pixels(tenths: u32) -> String {
    if tenths.is_multiple_of(10) {
        (tenths / 10).to_string()
    } else {
        format!("{}.{}", tenths / 10, tenths % 10)
    }
}

#[test]
fn a_character_of_two_columns_shifts_nothing() {
    let mut buf = Buffer::empty(Rect::new(0, 0, 6, 1));
    buf.set_string(0, 0, "a价<b", ratatui::style::Style::new());
    let drawn = svg(&buf);
    for text in [
        "<text x=\"14\" y=\"27.5\" textLength=\"8.4\" fill=\"#d7dae0\">a</text>",
        "<text x=\"22.4\" y=\"27.5\" textLength=\"16.8\" fill=\"#d7dae0\">价</text>",
        "<text x=\"39.2\" y=\"27.5\" textLength=\"25.2\" fill=\"#d7dae0\">&lt;b </text>",
    ] {
        assert!(drawn.contains(text), "{text} in {drawn}");
    }
}

#[test]
fn the_pictures_show_what_the_program_draws() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots");
    let is_writing = std::env::var_os("TAILLIGHT_SCREENSHOTS").is_some_and(|value| value == "write");
    let matches = Arc::new(shop());
    let mut stale = Vec::new();
    for (name, keys) in PICTURES {
        let (path, drawn) = (folder.join(format!("{name}.svg")), picture(&matches, keys));
        if is_writing {
            std::fs::write(&path, drawn).expect("the folder can be written");
        } else if std::fs::read_to_string(&path).unwrap_or_default() != drawn {
            stale.push(name);
        }
    }
    let again = "TAILLIGHT_SCREENSHOTS=write cargo test --test it screenshots";
    assert!(stale.is_empty(), "screenshots/ is out of date: {stale:?}; run {again}");
}
