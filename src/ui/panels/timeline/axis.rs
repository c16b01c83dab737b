//! The part of a session's time that is on screen: where a moment stands, and the ticks with their labels.
//!
//! All times are milliseconds since the session began; labels count from a page load in it, its zero. Pure numbers;
//! nothing is drawn here.

/// Lengths that zooming goes through.
const SPANS: [i64; 17] = [
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000,
    3_600_000, 10_800_000, 43_200_000, 86_400_000,
];
/// What is shown at first, at the most.
const FIRST: i64 = 30_000;
/// Distances of ticks.
const STEPS: [i64; 20] = [
    10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000,
    1_800_000, 3_600_000, 10_800_000, 43_200_000, 86_400_000,
];
/// Columns from one tick to the next, at least.
const TICK: i64 = 10;

/// How much time is shown: a place among the lengths, or what suits the session until one is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Zoom(Option<usize>);

impl Zoom {
    /// A shorter or a longer time, if there is one for a session of `whole` ms.
    #[must_use]
    pub(super) fn step(self, by: isize, whole: i64) -> Self {
        let next = Self(Some(self.place(whole).saturating_add_signed(by)));
        if next.place(whole) == self.place(whole) { self } else { next }
    }

    /// Milliseconds shown of a session of `whole` ms.
    pub(super) fn span(self, whole: i64) -> i64 {
        SPANS.get(self.place(whole)).copied().unwrap_or(whole)
    }

    fn place(self, whole: i64) -> usize {
        // All of a session that is longer than the longest is one step beyond the table.
        let holding = |ms| SPANS.iter().position(|span| *span >= ms).unwrap_or(SPANS.len());
        self.0.unwrap_or_else(|| holding(FIRST)).min(holding(whole))
    }
}

/// A window of time over some columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) from: i64,
    pub(super) span: i64,
    pub(super) width: u16,
    /// What labels count from; a tick stands there.
    zero: i64,
    step: i64,
}

impl Axis {
    /// `span` must be above 0.
    fn new(from: i64, span: i64, width: u16, zero: i64) -> Self {
        let fits =
            |step: &&i64| i128::from(**step) * i128::from(width) >= i128::from(TICK) * i128::from(span);
        let step = STEPS.iter().find(fits).copied().unwrap_or_else(|| span.max(1));
        Self { from, span, width, zero, step }
    }

    /// By how much it moves: by whole ticks, where two of them fit in it.
    fn quantum(&self) -> i64 {
        if self.step <= self.span / 2 { self.step } else { 1 }
    }

    /// The first moment from `at` on where a window may begin.
    fn aligned(&self, at: i64) -> i64 {
        let quantum = self.quantum();
        let over = at.saturating_sub(self.zero).rem_euclid(quantum);
        if over == 0 { at } else { at.saturating_add(quantum - over) }
    }

    /// The window that ends with `last`, or soon after.
    pub(super) fn following(last: i64, span: i64, width: u16, zero: i64) -> Self {
        let axis = Self::new(0, span, width, zero);
        let over = last.saturating_sub(span);
        Self { from: if over > 0 { axis.aligned(over) } else { 0 }, ..axis }
    }

    /// The window around `at`: the one that began at `from` if it holds that, else another with it in the middle.
    pub(super) fn around(at: i64, from: i64, span: i64, width: u16, zero: i64) -> Self {
        let axis = Self::new(from, span, width, zero);
        let margin = span / 20;
        let is_inside = at.saturating_sub(from) >= margin.min(at) && from.saturating_add(span - margin) >= at;
        if is_inside {
            return axis;
        }
        let middle = at.saturating_sub(span / 2).max(0);
        let begin = axis.aligned(middle);
        Self { from: if begin > middle { (begin - axis.quantum()).max(0) } else { begin }, ..axis }
    }

    pub(super) fn end(&self) -> i64 {
        self.from.saturating_add(self.span)
    }

    /// The column of `at`; `None` outside.
    pub(super) fn column(&self, at: i64) -> Option<u16> {
        let is_inside = at >= self.from && at <= self.end();
        (is_inside && self.width > 0).then(|| self.clamped(at))
    }

    /// The column of `at`, or of the end it lies beyond.
    fn clamped(&self, at: i64) -> u16 {
        let into = i128::from(at) - i128::from(self.from);
        let column = into * i128::from(self.width) / i128::from(self.span.max(1));
        u16::try_from(column.clamp(0, i128::from(self.width.saturating_sub(1)))).unwrap_or(0)
    }

    /// First and last column of a span that is at least partly on screen.
    pub(super) fn columns(&self, start: i64, end: i64) -> Option<(u16, u16)> {
        let is_seen = self.width > 0 && end >= self.from && start <= self.end() && start <= end;
        is_seen.then(|| (self.clamped(start), self.clamped(end)))
    }

    /// The time at which a column begins.
    pub(super) fn begin(&self, column: u16) -> i64 {
        let into = i128::from(column) * i128::from(self.span) / i128::from(self.width.max(1));
        self.from.saturating_add(i64::try_from(into).unwrap_or(i64::MAX))
    }

    /// Columns and labels of the ticks, from left to right.
    pub(super) fn ticks(&self) -> Vec<(u16, String)> {
        let over = self.from.saturating_sub(self.zero).rem_euclid(self.step);
        let first = if over == 0 { self.from } else { self.from.saturating_add(self.step - over) };
        (0..i64::from(self.width))
            .map(|tick| first.saturating_add(tick.saturating_mul(self.step)))
            .map_while(|at| Some((self.column(at)?, label(at.saturating_sub(self.zero), self.step))))
            .collect()
    }
}

/// `200ms`, `30s`, `5m`: how long a window is.
pub(super) fn length(ms: i64) -> String {
    if ms < 1_000 { format!("{ms}ms") } else { crate::ui::format::age(ms) }
}

/// `+10.841`, `-0.300`, `+1:05.200`: milliseconds from zero, to the millisecond.
pub(super) fn offset(ms: i64) -> String {
    let sign = if ms < 0 { '-' } else { '+' };
    let ms = ms.unsigned_abs();
    let (minutes, seconds, rest) = (ms / 60_000, ms / 1_000 % 60, ms % 1_000);
    match minutes {
        0 => format!("{sign}{seconds}.{rest:03}"),
        1..60 => format!("{sign}{minutes}:{seconds:02}.{rest:03}"),
        _ => format!("{sign}{}:{:02}:{seconds:02}.{rest:03}", minutes / 60, minutes % 60),
    }
}

/// `0.2s`, `14s`, `1m05s`, `-2h10m`: a time from zero, as precise as the ticks are apart.
fn label(ms: i64, step: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    let seconds = ms / 1_000;
    let fraction = match step {
        ..100 => format!(".{:02}", ms % 1_000 / 10),
        100..1_000 => format!(".{}", ms % 1_000 / 100),
        _ => String::new(),
    };
    match seconds {
        ..60 => format!("{sign}{seconds}{fraction}s"),
        60..3_600 if step >= 60_000 => format!("{sign}{}m", seconds / 60),
        60..3_600 => format!("{sign}{}m{:02}{fraction}s", seconds / 60, seconds % 60),
        _ if step >= 3_600_000 => format!("{sign}{}h", seconds / 3_600),
        _ if step >= 60_000 => format!("{sign}{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{sign}{}h{:02}m{:02}s", seconds / 3_600, seconds / 60 % 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn zooming_stops_at_either_end() {
        let spans = |whole: i64, by: isize| {
            let mut zoom = Zoom::default();
            let mut spans = vec![zoom.span(whole)];
            for _ in 0..30 {
                zoom = zoom.step(by, whole);
                spans.push(zoom.span(whole));
            }
            spans.dedup();
            spans
        };
        assert_eq!(spans(17_000, 1), [30_000], "all of a short session is shown at first");
        assert_eq!(spans(17_000, -1), [30_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100]);
        assert_eq!(spans(200_000, 1), [30_000, 60_000, 120_000, 300_000]);
        assert_eq!(spans(200_000_000, 1).last(), Some(&200_000_000));
        let all = spans(200_000, 1).len();
        let mut zoom = Zoom::default();
        (0..30).for_each(|_| zoom = zoom.step(1, 200_000));
        (0..all).for_each(|_| zoom = zoom.step(-1, 200_000));
        assert_eq!(zoom.span(200_000), 10_000, "no press is lost at the end");
        let near = Zoom::default().step(-1, 9_000).step(-1, 9_000);
        assert_eq!(
            (near.span(9_000), near.span(10_200)),
            (2_000, 2_000),
            "a session that grows changes nothing"
        );
    }

    #[test]
    fn the_window_moves_on_by_whole_ticks() {
        let axis = |last| Axis::following(last, 30_000, 90, 0);
        assert_eq!(
            (axis(17_000).from, axis(30_000).from, axis(30_001).from, axis(34_900).from),
            (0, 0, 5_000, 5_000)
        );
        assert_eq!(axis(35_001).from, 10_000);
        let counted = Axis::following(35_001, 30_000, 90, 6_700);
        assert_eq!((counted.from, counted.ticks()[0].1.as_str()), (6_700, "0s"), "ticks count from zero");
        let ticks = axis(61_000).ticks();
        assert_eq!((ticks[0].clone(), ticks[1].clone()), ((0, "35s".to_owned()), (15, "40s".to_owned())));
    }

    #[test]
    fn the_window_stays_while_it_holds_the_cursor() {
        let held = Axis::around(50_000, 40_000, 30_000, 90, 0);
        assert_eq!(held.from, 40_000);
        assert_eq!(Axis::around(69_900, 40_000, 30_000, 90, 0).from, 50_000);
        assert_eq!(Axis::around(0, 40_000, 30_000, 90, 0).from, 0);
        assert_eq!(Axis::around(0, 0, 30_000, 90, 0).from, 0);
    }

    #[test]
    fn labels_say_what_the_ticks_need() {
        for (ms, step, expected) in [
            (0, 2_000, "0s"),
            (14_000, 2_000, "14s"),
            (1_250, 10, "1.25s"),
            (65_000, 5_000, "1m05s"),
            (120_000, 60_000, "2m"),
            (7_800_000, 600_000, "2h10m"),
            (7_200_000, 3_600_000, "2h"),
            (-65_000, 5_000, "-1m05s"),
        ] {
            assert_eq!(label(ms, step), expected);
        }
        for (ms, expected) in
            [(10_841, "+10.841"), (-300, "-0.300"), (65_200, "+1:05.200"), (7_265_200, "+2:01:05.200")]
        {
            assert_eq!(offset(ms), expected);
        }
    }

    proptest! {
        #[test]
        fn everything_stays_inside(
            from in 0_i64..i64::MAX / 4, span in 1_i64..i64::MAX / 4, width in 0_u16..400, at in any::<i64>(), other in any::<i64>(),
            zero in any::<i64>(),
        ) {
            for axis in [Axis::following(from, span, width, zero), Axis::around(from, from / 2, span, width, zero)] {
                prop_assert!(axis.column(at).is_none_or(|column| column < width));
                if let Some((start, end)) = axis.columns(at.min(other), at.max(other)) {
                    prop_assert!(start <= end && end < width);
                }
                prop_assert!(axis.ticks().iter().all(|(column, _)| *column < width));
                prop_assert!(width == 0 || axis.column(from).is_some(), "{:?} holds {}", axis, from);
            }
        }
    }
}
