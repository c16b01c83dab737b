//! How the console is to look: its colours and characters, and where its clock stands.
//!
//! Made from the settings, the environment and what the terminal said of its background.

use std::io;

use jiff::tz::TimeZone;

use super::{is_ascii, use_color};
use crate::config::{Settings, ThemeName};
use crate::ui::theme::{Ground, Palette, Theme};

/// How everything is to look on a background that is like `ground`, if that is known.
pub(super) fn theme(settings: &Settings, ground: Option<Ground>) -> Theme {
    let palette = match use_color(settings.color, &io::stdout()) {
        true => palette(settings.theme, ground, |name| std::env::var(name).ok()),
        false => Palette::Mono,
    };
    Theme::new(palette, is_ascii(settings.glyphs))
}

fn palette(theme: ThemeName, ground: Option<Ground>, variable: impl Fn(&str) -> Option<String>) -> Palette {
    let ground = match theme {
        ThemeName::Mono => return Palette::Mono,
        ThemeName::Ansi if ground == Some(Ground::Light) => return Palette::AnsiLight,
        ThemeName::Ansi => return Palette::Ansi,
        ThemeName::Dark => Ground::Dark,
        ThemeName::Light => Ground::Light,
        ThemeName::Auto => match ground {
            Some(ground) => ground,
            None => return Palette::Ansi,
        },
    };
    let is_true = variable("COLORTERM").is_some_and(|depth| depth == "truecolor" || depth == "24bit");
    let term = variable("TERM").unwrap_or_default();
    match (is_true || term.ends_with("-direct"), term.contains("256color"), ground) {
        (true, ..) => Palette::True(ground),
        (false, true, _) => Palette::Indexed(ground),
        (false, false, Ground::Dark) => Palette::Ansi,
        (false, false, Ground::Light) => Palette::AnsiLight,
    }
}

/// Whether the colours depend on the terminal's background.
pub(super) fn asks_for_ground(settings: &Settings) -> bool {
    use_color(settings.color, &io::stdout()) && matches!(settings.theme, ThemeName::Auto | ThemeName::Ansi)
}

/// Where the clock on screen stands.
pub(super) fn zone(settings: &Settings) -> TimeZone {
    TimeZone::get(&settings.zone).unwrap_or_else(|_| TimeZone::system())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_what_is_set_and_what_the_terminal_can() {
        let (dark, light) = (Some(Ground::Dark), Some(Ground::Light));
        let (deep, usual, plain) = (("truecolor", "xterm-256color"), ("", "xterm-256color"), ("", "xterm"));
        for (theme, ground, (colorterm, term), expected) in [
            (ThemeName::Auto, None, deep, Palette::Ansi),
            (ThemeName::Auto, dark, deep, Palette::True(Ground::Dark)),
            (ThemeName::Auto, light, ("", "xterm-direct"), Palette::True(Ground::Light)),
            (ThemeName::Auto, light, usual, Palette::Indexed(Ground::Light)),
            (ThemeName::Auto, light, plain, Palette::AnsiLight),
            (ThemeName::Auto, dark, plain, Palette::Ansi),
            (ThemeName::Dark, light, deep, Palette::True(Ground::Dark)),
            (ThemeName::Light, None, usual, Palette::Indexed(Ground::Light)),
            (ThemeName::Light, None, plain, Palette::AnsiLight),
            (ThemeName::Ansi, dark, deep, Palette::Ansi),
            (ThemeName::Ansi, light, deep, Palette::AnsiLight),
            (ThemeName::Mono, dark, deep, Palette::Mono),
        ] {
            let variable = |name: &str| Some(if name == "TERM" { term } else { colorterm }.to_owned());
            assert_eq!(palette(theme, ground, variable), expected, "{theme:?} {ground:?} {colorterm} {term}");
        }
    }
}
