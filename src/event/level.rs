//! The ordered words of an event: level, severity, and the family its id also answers to.
//!
//! Parsed by `wire`, compared by `filter`, shown by `ui`. Unknown words never fail: the caller decides.

/// Telemere's levels, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
    Report,
}

impl Level {
    pub const ALL: [Self; 7] =
        [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Fatal, Self::Report];

    /// The level's full name, as exported and as typed in filters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
            Self::Report => "report",
        }
    }

    /// What colours a line of this level on a terminal; `"\u{1b}[0m"` ends it.
    pub fn sgr(self) -> &'static str {
        match self {
            Self::Error | Self::Fatal | Self::Report => "\u{1b}[1;31m",
            Self::Warn => "\u{1b}[33m",
            Self::Info => "",
            Self::Trace | Self::Debug => "\u{1b}[2m",
        }
    }

    /// Reads a level without regard to case; `log` is info and `warning` is warn (CONTRACT: the event).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(':').unwrap_or(text);
        if text.eq_ignore_ascii_case("log") {
            return Some(Self::Info);
        }
        if text.eq_ignore_ascii_case("warning") {
            return Some(Self::Warn);
        }
        Self::ALL.into_iter().find(|level| level.name().eq_ignore_ascii_case(text))
    }
}

/// How bad the sender says an error is, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Reads a severity without regard to case.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(':').unwrap_or(text);
        Self::ALL.into_iter().find(|severity| severity.name().eq_ignore_ascii_case(text))
    }
}

/// The signal id an event answers to beside its own, from its `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Family {
    None,
    Error,
    Performance,
    Analytics,
    Log,
}

impl Family {
    /// The family of a `type` as sent.
    pub fn of_type(kind: &str) -> Self {
        match kind {
            "error" => Self::Error,
            "metric" => Self::Performance,
            "analytics" => Self::Analytics,
            "log" => Self::Log,
            _ => Self::None,
        }
    }

    /// The family's signal id, `""` for none.
    pub fn id(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Error => "browser/error",
            Self::Performance => "browser/performance",
            Self::Analytics => "browser/analytics",
            Self::Log => "browser/log",
        }
    }

    /// The family's namespace, `""` for none.
    pub fn ns(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Error => "browser.error",
            Self::Performance => "browser.performance",
            Self::Analytics => "browser.analytics",
            Self::Log => "browser.log",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_read_their_synonyms_and_keep_their_order() {
        for (text, expected) in [
            ("warn", Some(Level::Warn)),
            ("WARNING", Some(Level::Warn)),
            ("log", Some(Level::Info)),
            (":error", Some(Level::Error)),
            ("loud", None),
            ("", None),
        ] {
            assert_eq!(Level::parse(text), expected, "{text}");
        }
        assert!(Level::ALL.is_sorted());
        assert!(Severity::ALL.is_sorted());
    }
}
