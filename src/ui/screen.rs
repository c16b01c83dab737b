//! The layout: header, filter bar, the panel with its detail, footer; down to terminals that are too small.
//!
//! Called by the app for every frame. Sizes are those of UX: under 40x8 one line, detail beside from 160 columns,
//! below from 100x30, over the list in smaller ones.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::app::App;
use super::format::counted;
use super::keys;
use super::mouse::{Hit, Rule};
use super::panels::{Panel as _, part};
use super::view::{Screen, View};
use super::{draw, empty, format, status};
use crate::config::DetailMode;

const MIN_WIDTH: u16 = 40;
const MIN_HEIGHT: u16 = 8;

pub(super) fn render(app: &mut App, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let area = area.intersection(buf.area);
    app.width = area.width;
    // Until the end of this frame: passes that go on take theirs over.
    let _under_way = app.world.under_way.take();
    if area.width < MIN_WIDTH || area.height < MIN_HEIGHT {
        small(app, area, buf);
        return None;
    }
    let row = |y: u16| Rect { y: area.y + y, height: 1, ..area };
    app.chrome.mouse.hits.clear();
    app.chrome.mouse.area = area;
    header(app, row(0), buf);
    // The header, a row of the list, the rule and the hints stay.
    let bar = Rect { height: app.bar.height(area.width, area.height - 4, &app.world.theme), ..row(1) };
    let mut cursor = app.bar.render(bar, buf, &app.world.matches, &app.world.theme);
    app.chrome.mouse.hits.push((bar, Hit::Filter));
    let top = 1 + bar.height;
    let body = Rect { y: area.y + top, height: area.height - top - 2, ..area };
    body_of(app, body, buf);
    app.bar.render_list(bar, body, buf, &app.world.theme);
    if let Some(list) = &mut app.saved_list {
        let place = list.render(body, buf, &app.saved, app.bar.text(), &app.world.theme);
        cursor = cursor.or(place);
    }
    let rule = row(area.height - 2);
    let frozen = app.frozen.as_ref().map(|newest| newest.total.saturating_sub(app.world.matches.total));
    let theme = &app.world.theme;
    let dot = theme.glyphs.dot;
    let at = app.world.frozen_at.map(|at| {
        let local = at.to_jiff().to_zoned_datetime(app.world.zone.clone());
        local.strftime("%H:%M:%S").to_string()
    });
    let note = frozen.zip(at).map(|(waiting, at)| {
        format!("frozen at {at} {dot} {} waiting {dot} Space goes on", format::count(waiting))
    });
    draw::rule(buf, rule, note.as_deref().unwrap_or(""), "", theme.rule, theme.glyphs);
    app.chrome.mouse.body = body;
    cursor = app.render_chrome(body, buf).or(cursor);
    hints(app, row(area.height - 1), buf);
    cursor
}

/// The panel on screen and, in the stream, the selected event.
fn body_of(app: &mut App, body: Rect, buf: &mut Buffer) {
    if app.render_told(body, buf) {
        return;
    }
    let view = app.world.view(&app.bar, &app.marks);
    let is_stream = app.screen == Screen::Stream && app.panels.help.is_none();
    if is_stream && view.snapshot.end == 0 {
        return empty::render(body, buf, &app.checks, &view);
    }
    if !is_stream {
        return app.panels.current(app.screen).render(body, buf, &view);
    }
    let share = app.chrome.mouse.share;
    let parts = split(body, app.detail_mode, share, app.panels.stream.selected().is_some());
    app.chrome.mouse.rule = parts.rule();
    if parts.list.height > 0 {
        app.panels.stream.render(parts.list, buf, &view);
    }
    let moment = app.panels.stream.moment();
    if let Some(event) = app.panels.stream.selected().filter(|_| parts.detail.height > 0) {
        let is_full = app.detail_mode == DetailMode::Full;
        app.detail.render(parts.detail, buf, event, is_full, &View { moment, ..view });
    }
    let [errors, endpoints] = parts.side;
    if errors.height > 0 {
        app.panels.errors.render_side(errors, buf, &view);
        app.panels.latency.render_side(endpoints, buf, &view);
    }
}

/// Where the list, the detail and the two side panels go; those without room have no height.
struct Parts {
    list: Rect,
    detail: Rect,
    side: [Rect; 2],
}

impl Parts {
    /// What is between the list and its detail, if both are in sight.
    fn rule(&self) -> Option<Rule> {
        let (list, detail) = (self.list, self.detail);
        match () {
            () if list.height == 0 || detail.height == 0 => None,
            () if detail.x > list.x => {
                Some(Rule::Column(Rect { x: detail.x - 1, width: 1, y: detail.y, height: detail.height }))
            }
            () => Some(Rule::Row(Rect { height: 1, ..detail })),
        }
    }
}

/// Rows of a side panel.
const SIDE: u16 = 12;

/// Where they go (UX: layout).
fn split(body: Rect, mode: DetailMode, share: Option<u16>, is_selected: bool) -> Parts {
    let nothing = Rect { height: 0, ..body };
    let both = |(list, detail)| Parts { list, detail, side: [nothing; 2] };
    let is_large = body.width >= 200 && body.height >= 50;
    match mode {
        DetailMode::Full if is_selected => both((nothing, body)),
        DetailMode::Beside | DetailMode::Right if is_large => {
            let (list, right) = beside(body, share);
            let detail = if is_selected { right.height - 2 * SIDE } else { 0 };
            let errors = if is_selected { SIDE } else { right.height / 2 };
            let (detail, rest) = (Rect { height: detail, ..right }, below_rows(right, detail));
            Parts { list, detail, side: [Rect { height: errors, ..rest }, below_rows(rest, errors)] }
        }
        _ if !is_selected => both((body, nothing)),
        DetailMode::Beside if body.width >= 160 => both(beside(body, share)),
        DetailMode::Right if body.width >= 110 => both(beside(body, share)),
        DetailMode::Beside | DetailMode::Below | DetailMode::Right => {
            // Few rows: the list keeps its place and shows a third of itself.
            let is_small = body.width < 100 || body.height < 24;
            let own = if is_small { body.height - body.height.div_ceil(3) } else { part(body.height, 40) };
            both(below(body, share.map_or(own, |share| part(body.height, share))))
        }
        DetailMode::Full | DetailMode::Off => both((body, nothing)),
    }
}

fn beside(body: Rect, share: Option<u16>) -> (Rect, Rect) {
    let own = part(body.width, 58).min(body.width.saturating_sub(50));
    let list = share.map_or(own, |share| (body.width - part(body.width, share)).saturating_sub(1));
    let detail = Rect { x: body.x + list + 1, width: body.width - list - 1, ..body };
    (Rect { width: list, ..body }, detail)
}

fn below_rows(area: Rect, rows: u16) -> Rect {
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}

fn below(body: Rect, height: u16) -> (Rect, Rect) {
    let list = body.height - height;
    (Rect { height: list, ..body }, Rect { y: body.y + list, height, ..body })
}

fn header(app: &mut App, area: Rect, buf: &mut Buffer) {
    let theme = app.world.theme;
    let mut x = area.x;
    if area.width >= 100 {
        x = draw::text(buf, area, x, area.y, " taillight ", theme.title);
    }
    let fresh = app.fresh_errors();
    let states = status::parts(&app.world.view(&app.bar, &app.marks), &app.chrome.settings, area.width);
    let room = usize::from(area.right().saturating_sub(x));
    let rooms = status::least(&states, &theme).map(|least| room.saturating_sub(least + 1));
    let tabs = tabs(app.screen, fresh, rooms);
    let taken: usize = tabs.iter().map(|(_, tab)| tab.len()).sum();
    let chosen = status::fitting(states, room.saturating_sub(taken + 1), &theme);
    let width = u16::try_from(status::width(&chosen, &theme)).unwrap_or(0);
    let right = area.right().saturating_sub(width.saturating_add(1));
    let left = Rect { width: right.saturating_sub(area.x), ..area };
    for ((is_here, tab), (_, screen, _)) in tabs.into_iter().zip(Screen::ALL) {
        let from = x;
        x = draw::text(buf, left, x, area.y, &tab, if is_here { theme.accent } else { theme.text });
        app.chrome.mouse.hits.push((Rect { x: from, width: x - from, ..area }, Hit::Tab(screen)));
    }
    let mut x = right;
    for state in chosen {
        let style = if state.is_bad { theme.worse } else { theme.text };
        x = draw::text(buf, area, x, area.y, &state.text, style).saturating_add(2);
    }
}

/// How much of the tabs' titles is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Titles {
    Whole,
    Short,
    /// That of the screen that is shown alone.
    Here,
}

/// The screens' tabs and which of them is lit, with the number of new groups of errors. Titles give way where there is
/// little room, that of the screen that is shown last; `rooms` are those for whole titles and for short ones.
fn tabs(here: Screen, fresh: usize, rooms: [usize; 2]) -> Vec<(bool, String)> {
    let made = |titles: Titles| -> Vec<(bool, String)> {
        let tab = |(key, screen, name): (char, Screen, &str)| {
            let is_here = screen == here.tab();
            let name = match screen {
                // A number alone says nothing.
                Screen::Errors if titles == Titles::Here && !is_here && fresh > 0 => "Err",
                _ if titles == Titles::Here && !is_here => "",
                Screen::Sessions if titles != Titles::Whole => "Sess",
                Screen::Vitals if titles != Titles::Whole => "Vit",
                _ => name,
            };
            let mut text = format!("{key} {name}").trim_end().to_owned();
            if screen == Screen::Errors && fresh > 0 {
                text.push_str(&format!(" +{}", format::count_short(fresh as u64)));
            }
            (is_here, if is_here { format!("[{text}]") } else { format!(" {text} ") })
        };
        Screen::ALL.into_iter().map(tab).collect()
    };
    let width = |tabs: &[(bool, String)]| tabs.iter().map(|(_, text)| text.len()).sum::<usize>();
    let all = [Titles::Whole, Titles::Short].map(made).into_iter().zip(rooms);
    let mut fitting = all.filter(|(tabs, room)| width(tabs) <= *room).map(|(tabs, _)| tabs);
    fitting.next().unwrap_or_else(|| made(Titles::Here))
}

fn hints(app: &mut App, area: Rect, buf: &mut Buffer) {
    let theme = app.world.theme;
    let notice = app.notice.as_ref().map(|(notice, _)| notice.clone());
    // A question is answered before anything else is read.
    // What can be cancelled does not wait for a note to go.
    let notice = app.work_line().or(notice).filter(|_| app.chrome_hints().is_none());
    if let Some(notice) = notice {
        let line = theme.gate.line(&notice, usize::from(area.width).saturating_sub(2));
        draw::line(buf, area, area.x + 1, area.y, &line, theme.title);
        return;
    }
    let mut pairs = vec![("?", "keys")];
    if let Some(open) = app.chrome_hints() {
        pairs = open;
    } else if app.bar.is_editing() {
        pairs = editing_hints(app);
    } else if let Some(list) = &app.saved_list {
        pairs = list.hints(app.bar.text());
    } else if app.told.is_some() {
        pairs.extend([("↓ ↑", "scroll"), ("v", "raw"), ("Esc", "close")]);
    } else if app.is_waiting() {
        pairs.extend(empty::HINTS);
        pairs.extend([("/", "filter"), (":", "commands"), ("q", "quit")]);
    } else if app.is_on_values() {
        pairs.extend([("↓ ↑", "value"), ("+ -", "by it"), ("Esc", "back"), ("n N", "errors"), ("v", "raw")]);
        pairs.extend([("a", "around"), ("s", "session"), ("m", "pin")]);
    } else {
        pairs.extend(app.panels.current(app.screen).hints());
        pairs.extend([(":", "commands"), ("q", "quit")]);
    }
    let is_plain = app.chrome_hints().is_none() && !app.bar.is_editing();
    let mut x = area.x + 1;
    for (key, what) in pairs {
        let key = if is_plain { app.world.keys.translated(key) } else { key.to_owned() };
        let shown = keys::on_terminal(&key, theme.gate.ascii);
        if usize::from(x) + theme.gate.columns(&shown) + what.len() + 1 > usize::from(area.right()) {
            return;
        }
        let from = x;
        x = draw::text(buf, area, x, area.y, &shown, theme.accent);
        x = draw::text(buf, area, x + 1, area.y, what, theme.text) + 2;
        if let Some(action) = app.world.keys.action_named(&key).filter(|_| is_plain) {
            app.chrome.mouse.hits.push((Rect { x: from, width: x - from - 2, ..area }, Hit::Act(action)));
        }
    }
}

/// What the keys do while the filter is typed.
fn editing_hints(app: &App) -> Vec<(&'static str, &'static str)> {
    let mut pairs = vec![("↵", "accept")];
    if app.bar.is_listing() {
        pairs.extend([
            ("Tab", "complete"),
            ("↓ ↑", "choose"),
            ("→", "one letter"),
            ("Esc", "close the list"),
        ]);
        return pairs;
    }
    if app.bar.fix().is_some() {
        pairs.push(("Tab", "fix"));
    }
    pairs.extend([("Esc", "give up"), ("↑", "history")]);
    pairs
}

/// What a terminal too small for anything still says: as much as there are columns for, most useful first.
fn small(app: &App, area: Rect, buf: &mut Buffer) {
    let view = app.world.view(&app.bar, &app.marks);
    let levels = &view.snapshot.tables.levels;
    let errors: u64 = levels[crate::event::Level::Error as usize..].iter().sum();
    let place = view.facts.recording.as_deref().unwrap_or(&view.facts.address);
    let parts = [
        "taillight".to_owned(),
        place.to_owned(),
        format!("{} connected", view.counters.connections()),
        format!("{}/s", format::count_short(view.snapshot.events_per_s)),
        counted(errors, "error"),
        "- make me larger".to_owned(),
    ];
    let line = view.theme.gate.line(&parts.join(" "), usize::from(area.width));
    draw::line(buf, area, area.x, area.y, &line, app.world.theme.text);
    if area.height > 1 {
        let needed = format!("too small: needs {MIN_WIDTH}x{MIN_HEIGHT}");
        let needed = view.theme.gate.line(&needed, usize::from(area.width));
        draw::line(buf, area, area.x, area.y + 1, &needed, app.world.theme.text);
    }
}
