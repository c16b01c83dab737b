//! When the console draws: at once for what a user waits for, at most once a frame for what just goes on, else not.
//!
//! Asked by the console around its wait for inputs. It is given the time and reads no clock.

use std::time::{Duration, Instant};

/// How soon something is to be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// Nothing has changed.
    #[default]
    Never,
    /// With the next frame.
    Frame,
    /// A key was pressed, or this is what it asked for.
    Now,
}

/// When the last frame was drawn, and how soon the next is wanted.
#[derive(Debug)]
pub(super) struct Pace {
    /// Shortest time between two frames that only show new events.
    frame: Duration,
    drawn: Option<Instant>,
    wanted: Urgency,
}

impl Pace {
    /// At most `fps` frames a second for new events, at least one.
    pub(super) fn new(fps: u64) -> Self {
        Self { frame: Duration::from_millis(1_000 / fps.max(1)), drawn: None, wanted: Urgency::Never }
    }

    /// At most so many frames a second from now on.
    pub(super) fn set_fps(&mut self, fps: u64) {
        self.frame = Duration::from_millis(1_000 / fps.max(1));
    }

    /// Asks for a frame; the most urgent wish counts.
    pub(super) fn ask(&mut self, urgency: Urgency) {
        self.wanted = self.wanted.max(urgency);
    }

    /// How long inputs may be waited for; `idle` where nothing is to be drawn.
    pub(super) fn wait(&self, now: Instant, idle: Duration) -> Duration {
        match (self.wanted, self.drawn) {
            (Urgency::Never, _) => idle,
            (Urgency::Frame, Some(drawn)) => self.frame.saturating_sub(now.saturating_duration_since(drawn)),
            (Urgency::Frame, None) | (Urgency::Now, _) => Duration::ZERO,
        }
    }

    /// Whether a frame is to be drawn now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.wanted != Urgency::Never && self.wait(now, Duration::ZERO).is_zero()
    }

    /// A frame has been drawn; it shows all there was.
    pub(super) fn drew(&mut self, now: Instant) {
        (self.drawn, self.wanted) = (Some(now), Urgency::Never);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(1);

    #[test]
    fn keys_are_drawn_at_once_news_once_a_frame_and_nothing_is_not_drawn() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        for (wishes, ms, is_due, wait) in [
            (vec![], 500, false, 1_000),
            (vec![Urgency::Frame], 1, false, 32),
            (vec![Urgency::Frame], 33, true, 0),
            (vec![Urgency::Frame], 900, true, 0),
            (vec![Urgency::Now], 0, true, 0),
            (vec![Urgency::Now, Urgency::Frame, Urgency::Never], 1, true, 0),
        ] {
            let mut pace = Pace::new(30);
            pace.drew(start);
            wishes.iter().for_each(|wish| pace.ask(*wish));
            assert_eq!(pace.is_due(at(ms)), is_due, "{wishes:?} after {ms} ms");
            assert_eq!(pace.wait(at(ms), IDLE), Duration::from_millis(wait), "{wishes:?} after {ms} ms");
        }
    }

    #[test]
    fn a_flood_of_news_is_drawn_thirty_times_a_second() {
        let (start, mut pace, mut frames) = (Instant::now(), Pace::new(30), 0);
        for ms in 0..1_000 {
            let now = start + Duration::from_millis(ms);
            pace.ask(Urgency::Frame);
            if pace.is_due(now) {
                pace.drew(now);
                frames += 1;
            }
        }
        assert_eq!(frames, 31, "one at the start and one every 33 ms");
    }
}
