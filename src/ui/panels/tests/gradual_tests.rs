//! What panels make of very many matches, over several frames and at a bound.

use super::*;
use crate::ui::gradual::{Gradual, Progress};

#[test]
fn what_is_made_of_very_many_goes_on_from_frame_to_frame() {
    let rows: Vec<_> = (0..40_000)
        .map(|nth| Row {
            endpoint: "GET /api/orders",
            duration: Micros::from_ms(if nth == 0 { 9_000.0 } else { 5.0 }),
            status: Some(500),
            group: 7,
            level: Level::Error,
            session: "s-1",
            load: Some(1),
            ..Row::default()
        })
        .collect();
    let mut fixture = Fixture::keeping(&rows, 40_000);
    let of_all = Arc::strong_count(&fixture.matches);
    for (panel, whole) in [
        (&mut Latency::default() as &mut dyn Panel, "40,000"),
        (&mut Errors::default(), "▁▁▁▁▁▁▁█"),
        (&mut Sessions::default(), "events           40k"),
    ] {
        let mut frames = Vec::new();
        for _ in 0..10 {
            let _under_way = fixture.under_way.take();
            frames.push(fixture.draw(panel, 160, 40).join("\n"));
            if fixture.under_way.borrow().is_empty() {
                break;
            }
        }
        assert_eq!(frames.len(), 3, "16,384 and some at a time");
        assert!(frames[2].contains(whole), "{}", frames[2]);
    }
    for panel in [&mut Latency::default() as &mut dyn Panel, &mut Errors::default(), &mut Sessions::default()]
    {
        fixture.draw(panel, 160, 40);
        assert!(Arc::strong_count(&fixture.matches) > of_all, "a pass is under way");
        // A frame without the panel.
        drop(fixture.under_way.take());
        assert_eq!(Arc::strong_count(&fixture.matches), of_all, "it holds nothing");
        fixture.matches = Arc::new(Matches::clone(&fixture.matches));
        let frames = std::iter::from_fn(|| {
            let _under_way = fixture.under_way.take();
            fixture.draw(panel, 160, 40);
            Some(fixture.under_way.borrow().is_empty())
        });
        assert_eq!(frames.take(10).position(|is_through| is_through), Some(2), "begun anew");
    }
}

#[test]
fn of_many_page_loads_the_newest_are_told_apart_and_every_session_has_its_percentile() {
    let names: Vec<_> = (0..60).map(|nth| format!("other-{nth:02}")).collect();
    let request = |session, load, ms| Row {
        inst: Timestamp(START + i64::from(load)),
        endpoint: "GET /api/orders",
        duration: Micros::from_ms(ms),
        session,
        load: Some(load),
        ..Row::default()
    };
    let others = names.iter().map(|name| request(name.as_str(), 1, 77.0));
    let rows: Vec<_> = others.chain((1..=20).map(|load| request("s-1", load, f64::from(load)))).collect();
    let fixture = Fixture::keeping(&rows, 100);
    let mut panel = Sessions::default();
    let screen = fixture.draw(&mut panel, 200, 40).join("\n");
    assert!(screen.contains("16 page loads"), "{screen}");
    assert!(screen.contains("20ms") && screen.contains("5ms") && !screen.contains(" 4ms"), "{screen}");
    fixture.press(&mut panel, &[Action::Bottom]);
    let screen = fixture.draw(&mut panel, 200, 40).join("\n");
    let rows: Vec<_> = screen.lines().filter(|line| line.contains("○ other-")).collect();
    assert!(rows.len() > 20 && rows.iter().all(|row| row.contains("77ms")), "{screen}");
}

#[test]
fn a_pass_for_something_else_is_given_up() {
    let fixture = Fixture::usual();
    fixture.with(|view| {
        let mut passes = Gradual::<&str, u8>::default();
        let way = passes.due("all", false, view, || 1).expect("nothing was made yet");
        passes.keep(way, Progress::Begun, view);
        let way = passes.due("errors", false, view, || 2).expect("something else");
        assert_eq!(way.pass, 2);
        passes.keep(way, Progress::Through, view);
        assert!(passes.due("errors", false, view, || 3).is_none(), "it is made");
    });
}
