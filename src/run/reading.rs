//! How events are read, from the settings.
//!
//! Made once for whoever takes events: the listener, a recording, and the thread that places errors in the sources.

use std::sync::Arc;

use crate::config::{GroupBy, Settings};
use crate::event::Micros;
use crate::pipeline::{Grouping, Reading, Routes, Slow};

/// What the settings say of it.
pub(super) fn of(settings: &Settings) -> Arc<Reading> {
    let ms = |ms: u64| Micros(ms.saturating_mul(1_000));
    Arc::new(Reading {
        slow: Slow {
            other: ms(settings.slow),
            request: ms(settings.slow_requests),
            render: ms(settings.slow_renders),
            long_task: ms(settings.slow_tasks),
        },
        routes: Routes::new(settings.routes.iter().map(String::as_str)),
        grouping: grouping(settings),
    })
}

/// What makes errors the same.
pub(super) fn grouping(settings: &Settings) -> Grouping {
    match settings.group_by {
        GroupBy::MessageAndFrame => Grouping::MessageAndFrame,
        GroupBy::Message => Grouping::Message,
        GroupBy::Frame => Grouping::Frame,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_set_is_what_is_agreed() {
        assert_eq!(*of(&Settings::default()), Reading::default());
    }
}
