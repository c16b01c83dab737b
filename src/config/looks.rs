//! What settings choose of the screens, as words.
//!
//! Kept by `Settings`; the screens know what each of them means.

use super::kind::Word;

/// The colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThemeName {
    /// As the terminal's background and its number of colours suggest.
    #[default]
    Auto,
    Dark,
    Light,
    /// The terminal's own 16 colours.
    Ansi,
    Mono,
}

impl Word for ThemeName {
    const ALL: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("dark", Self::Dark),
        ("light", Self::Light),
        ("ansi", Self::Ansi),
        ("mono", Self::Mono),
    ];
}

/// What the stream's column of times shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    #[default]
    Clock,
    /// Since the page load of its tab.
    SinceLoad,
    /// Since the row above.
    Gap,
    Age,
}

impl Word for Times {
    const ALL: &'static [(&'static str, Self)] =
        &[("clock", Self::Clock), ("load", Self::SinceLoad), ("gap", Self::Gap), ("age", Self::Age)];
}

/// Which landmarks stand between the rows of the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Landmarks {
    /// Page loads and hot updates.
    #[default]
    Loads,
    /// Clicks and navigations too.
    Clicks,
    Off,
}

impl Word for Landmarks {
    const ALL: &'static [(&'static str, Self)] =
        &[("reload", Self::Loads), ("clicks", Self::Clicks), ("off", Self::Off)];
}

/// How much room the selected event takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DetailMode {
    /// Beside or below the list, as there is room.
    #[default]
    Beside,
    Below,
    Right,
    Full,
    Off,
}

impl Word for DetailMode {
    const ALL: &'static [(&'static str, Self)] = &[
        ("auto", Self::Beside),
        ("below", Self::Below),
        ("right", Self::Right),
        ("full", Self::Full),
        ("off", Self::Off),
    ];
}

/// What makes errors the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupBy {
    /// The message without numbers and names, and the top frame that is the user's own.
    #[default]
    MessageAndFrame,
    Message,
    Frame,
}

impl Word for GroupBy {
    const ALL: &'static [(&'static str, Self)] =
        &[("message-and-frame", Self::MessageAndFrame), ("message", Self::Message), ("frame", Self::Frame)];
}

/// Which requests the latency screen is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Window {
    /// Those of the newest page load of their tab.
    #[default]
    Load,
    Minute,
    Five,
    All,
}

impl Word for Window {
    const ALL: &'static [(&'static str, Self)] =
        &[("load", Self::Load), ("1m", Self::Minute), ("5m", Self::Five), ("all", Self::All)];
}

/// What they are compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Baseline {
    /// The load of their tab before the newest.
    #[default]
    Previous,
    /// What came before the mark.
    Mark,
    None,
}

impl Word for Baseline {
    const ALL: &'static [(&'static str, Self)] =
        &[("previous", Self::Previous), ("mark", Self::Mark), ("none", Self::None)];
}
