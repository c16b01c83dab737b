//! Rate limits such as `100 per minute`: never more than that in any window of that length.
//!
//! Times are passed in and need not rise; a clock that goes back frees nothing early.

use std::collections::VecDeque;

/// A limit as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub count: u64,
    pub window_ms: u64,
}

/// Parts a window is counted in: what passed is forgotten at most one part late.
const PARTS: u64 = 64;
/// Words of windows with their milliseconds.
const WINDOWS: [(&[&str], u64); 5] = [
    (&["ms", "millisecond", "milliseconds"], 1),
    (&["s", "sec", "secs", "second", "seconds"], 1_000),
    (&["m", "min", "mins", "minute", "minutes"], 60_000),
    (&["h", "hour", "hours"], 3_600_000),
    (&["d", "day", "days"], 86_400_000),
];

impl Limit {
    /// Reads `100 per minute`, `5 per 15 minutes`, `10/s`.
    pub fn parse(text: &str) -> Option<Self> {
        let (count, window) = text.split_once(" per ").or_else(|| text.split_once('/'))?;
        let window = window.trim();
        let digits = window.find(|c: char| !c.is_ascii_digit()).unwrap_or(window.len());
        let times: u64 = if digits == 0 { 1 } else { window[..digits].parse().ok()? };
        let word = window[digits..].trim();
        let unit = WINDOWS.iter().find(|(words, _)| words.contains(&word))?.1;
        let window_ms = times.checked_mul(unit).filter(|ms| *ms > 0)?;
        Some(Self { count: count.trim().replace('_', "").parse().ok()?, window_ms })
    }
}

/// Several limits at work together: what one of them stops counts against none.
#[derive(Clone, Debug, Default)]
pub struct Limiter {
    windows: Vec<Window>,
}

#[derive(Clone, Debug)]
struct Window {
    limit: Limit,
    /// Parts of time by number, with what passed in them; oldest first.
    parts: VecDeque<(i64, u64)>,
    passed: u64,
}

impl Limiter {
    pub fn new(limits: &[Limit]) -> Self {
        let windows = limits.iter().map(|limit| Window { limit: *limit, parts: VecDeque::new(), passed: 0 });
        Self { windows: windows.collect() }
    }

    pub fn is_none(&self) -> bool {
        self.windows.is_empty()
    }

    /// Whether one more may pass at `now`, in milliseconds; it counts if so.
    pub fn passes(&mut self, now: i64) -> bool {
        let may = self.windows.iter_mut().all(|window| window.has_room(now));
        if may {
            self.windows.iter_mut().for_each(|window| window.count(now));
        }
        may
    }
}

impl Window {
    fn part_ms(&self) -> i64 {
        i64::try_from(self.limit.window_ms.div_ceil(PARTS)).unwrap_or(i64::MAX).max(1)
    }

    fn has_room(&mut self, now: i64) -> bool {
        let part = self.part_ms();
        let window = i64::try_from(self.limit.window_ms).unwrap_or(i64::MAX);
        while let Some((number, count)) = self.parts.front()
            && number.saturating_add(1).saturating_mul(part).saturating_add(window) <= now
        {
            self.passed -= count;
            self.parts.pop_front();
        }
        self.passed < self.limit.count
    }

    fn count(&mut self, now: i64) {
        let number = now.div_euclid(self.part_ms());
        self.passed += 1;
        match self.parts.back_mut() {
            Some((last, count)) if *last >= number => *count += 1,
            _ => self.parts.push_back((number, 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn limits_are_read_in_words() {
        for (text, expected) in [
            ("100 per minute", Some((100, 60_000))),
            ("100 per min", Some((100, 60_000))),
            ("5 per 15 minutes", Some((5, 900_000))),
            ("10/s", Some((10, 1_000))),
            ("1_000 per 6 hours", Some((1_000, 21_600_000))),
            ("0 per day", Some((0, 86_400_000))),
            ("5", None),
            ("many per minute", None),
            ("5 per fortnight", None),
            ("5 per 0 s", None),
        ] {
            let read = Limit::parse(text).map(|limit| (limit.count, limit.window_ms));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn several_windows_hold_at_once_and_open_again() {
        let mut limiter =
            Limiter::new(&["2 per second", "3 per minute"].map(|text| Limit::parse(text).expect("one")));
        let passed = |limiter: &mut Limiter, now| (0..5).filter(|_| limiter.passes(now)).count();
        assert_eq!(passed(&mut limiter, 0), 2);
        assert_eq!(passed(&mut limiter, 1_100), 1, "the minute has three");
        assert_eq!(passed(&mut limiter, 2_200), 0);
        assert_eq!(passed(&mut limiter, 63_000), 2);
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more_and_none_starves(
            count in 1u64..6, window in 1u64..500, steps in proptest::collection::vec(0i64..200, 1..80),
        ) {
            let mut limiter = Limiter::new(&[Limit { count, window_ms: window }]);
            let (mut now, mut passed, mut refused_since) = (0, Vec::new(), 0);
            for step in steps {
                now += step;
                if limiter.passes(now) {
                    passed.push(now);
                    refused_since = now;
                }
                let within = passed.iter().filter(|at| now - **at < window as i64).count() as u64;
                prop_assert!(within <= count);
                let slack = window.div_ceil(PARTS) as i64;
                prop_assert!(now - refused_since <= window as i64 + slack + 200);
            }
        }
    }
}
