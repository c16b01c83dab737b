//! The looks of everything: styles by role, and the marks for terminals with and without Unicode.
//!
//! Made once from the settings and handed to every panel. It asks neither the environment nor the terminal, and no
//! meaning hangs on colour alone (UX.md 2.2, Colour).

use ratatui::style::{Color, Modifier, Style};

use crate::event::gate::Gate;
use crate::event::{Level, Severity};

/// Which colours may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Palette {
    /// The terminal's own 16 colours, right on a dark background and on an unknown one.
    #[default]
    Ansi,
    /// The same for a light background, where yellow cannot be read.
    AnsiLight,
    /// Of the 256 that nearly every terminal has.
    Indexed(Ground),
    /// Of 16 million.
    True(Ground),
    /// No colour: bold, underline and reverse only (`NO_COLOR`, `TERM=dumb`, `--color never`).
    Mono,
}

/// What the terminal's background is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ground {
    Dark,
    Light,
}

/// The colours of a palette beyond the terminal's own 16, by role (UX.md 2.2, Colour).
struct Colors {
    error: Color,
    warn: Color,
    dim: Color,
    accent: Color,
    /// Backgrounds.
    selection: Color,
    matched: Color,
}

impl Colors {
    /// As the roles stand: error, warn, dim, accent, selection, match.
    const fn of([error, warn, dim, accent, selection, matched]: [Color; 6]) -> Self {
        Self { error, warn, dim, accent, selection, matched }
    }
}

const fn rgb(hex: u32) -> Color {
    let [_, red, green, blue] = hex.to_be_bytes();
    Color::Rgb(red, green, blue)
}

const TRUE_DARK: Colors = Colors::of([
    rgb(0xff_7a_59),
    rgb(0xe6_b4_50),
    rgb(0x8a_8f_98),
    rgb(0x5a_a9_e6),
    rgb(0x2b_36_48),
    rgb(0x5a_4a_00),
]);
const TRUE_LIGHT: Colors = Colors::of([
    rgb(0xb3_26_1e),
    rgb(0x8a_5a_00),
    rgb(0x6b_72_80),
    rgb(0x0b_63_b0),
    rgb(0xdc_e8_f7),
    rgb(0xff_e9_a8),
]);
const INDEXED_DARK: Colors = Colors::of([
    Color::Indexed(209),
    Color::Indexed(179),
    Color::Indexed(245),
    Color::Indexed(74),
    Color::Indexed(236),
    Color::Indexed(58),
]);
const INDEXED_LIGHT: Colors = Colors::of([
    Color::Indexed(124),
    Color::Indexed(94),
    Color::Indexed(243),
    Color::Indexed(25),
    Color::Indexed(189),
    Color::Indexed(229),
]);

/// Styles by role, with the marks and the gate that suit the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    pub text: Style,
    pub error: Style,
    pub warn: Style,
    /// Debug levels, landmarks, what is not counted.
    pub dim: Style,
    /// Keys, the active tab.
    pub accent: Style,
    pub good: Style,
    pub worse: Style,
    /// The selected row; it also carries [`Glyphs::selected`].
    pub selection: Style,
    /// The part of a text that a filter word found.
    pub matched: Style,
    pub title: Style,
    pub rule: Style,
    pub glyphs: &'static Glyphs,
    pub gate: Gate,
}

impl Theme {
    /// This palette's theme; `ascii` where the terminal or its locale has no Unicode.
    pub fn new(palette: Palette, ascii: bool) -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let reversed = plain.add_modifier(Modifier::REVERSED);
        let underlined = plain.add_modifier(Modifier::UNDERLINED);
        let mono = Self {
            text: plain,
            error: bold,
            warn: plain,
            dim: plain,
            accent: bold,
            good: plain,
            worse: bold,
            selection: reversed,
            matched: underlined,
            title: bold,
            rule: plain,
            glyphs: if ascii { &ASCII } else { &UNICODE },
            gate: Gate { ascii, ..Gate::default() },
        };
        let warn = match palette {
            Palette::Mono => return mono,
            Palette::Ansi => Color::Yellow,
            Palette::AnsiLight => Color::Magenta,
            Palette::Indexed(Ground::Dark) => return mono.colored(&INDEXED_DARK),
            Palette::Indexed(Ground::Light) => return mono.colored(&INDEXED_LIGHT),
            Palette::True(Ground::Dark) => return mono.colored(&TRUE_DARK),
            Palette::True(Ground::Light) => return mono.colored(&TRUE_LIGHT),
        };
        // The dim attribute and not bright black, which Solarized makes invisible (UX.md 2.2).
        let dim = plain.add_modifier(Modifier::DIM);
        Self {
            error: bold.fg(Color::Red),
            warn: plain.fg(warn),
            dim,
            accent: plain.fg(Color::Cyan),
            good: plain.fg(Color::Cyan),
            worse: plain.fg(Color::Red),
            rule: dim,
            ..mono
        }
    }

    /// This in colours that know the background. Text keeps the terminal's own colour, and nothing but the selection
    /// and what was found has a background of its own.
    fn colored(self, colors: &Colors) -> Self {
        let plain = Style::new();
        let accent = plain.fg(colors.accent);
        Self {
            error: plain.fg(colors.error).add_modifier(Modifier::BOLD),
            warn: plain.fg(colors.warn),
            dim: plain.fg(colors.dim),
            accent,
            good: accent,
            worse: plain.fg(colors.error),
            selection: plain.bg(colors.selection),
            matched: plain.bg(colors.matched).add_modifier(Modifier::UNDERLINED),
            rule: plain.fg(colors.dim),
            ..self
        }
    }

    /// How what has the style `own` looks in the selected row: in its own colours where the row has a background, and
    /// reversed like all of it where it has none, as patches of several colours could not be read.
    pub fn selected(&self, own: Style) -> Style {
        if self.selection.add_modifier.contains(Modifier::REVERSED) {
            self.selection
        } else {
            own.patch(self.selection)
        }
    }

    /// How a short sign of trouble looks in the selected row, as a level's word: it keeps its colour where all else is
    /// reversed.
    pub fn selected_sign(&self, own: Style) -> Style {
        let is_trouble = [self.error, self.warn, self.worse].contains(&own);
        if is_trouble { own.patch(self.selection) } else { self.selected(own) }
    }

    /// The style of a level's word.
    pub fn level(&self, level: Level) -> Style {
        match level {
            Level::Trace | Level::Debug => self.dim,
            Level::Info => self.text,
            Level::Report => self.accent,
            Level::Warn => self.warn,
            Level::Error | Level::Fatal => self.error,
        }
    }

    /// The style of a severity's word.
    pub fn severity(&self, severity: Severity) -> Style {
        match severity {
            Severity::Low => self.dim,
            Severity::Medium => self.text,
            Severity::High => self.warn,
            Severity::Critical => self.error,
        }
    }
}

/// A level's word in lists, always three letters.
pub fn level_word(level: Level) -> &'static str {
    match level {
        Level::Trace => "TRC",
        Level::Debug => "DBG",
        Level::Info => "INF",
        Level::Warn => "WRN",
        Level::Error => "ERR",
        Level::Fatal => "FTL",
        Level::Report => "RPT",
    }
}

/// The marks on screen. Those of one column in Unicode may take more in ASCII, so they are measured where drawn.
#[derive(Debug, PartialEq, Eq)]
pub struct Glyphs {
    pub live: &'static str,
    pub gone: &'static str,
    pub unknown: &'static str,
    pub pinned: &'static str,
    pub selected: &'static str,
    pub folded: &'static str,
    pub unfolded: &'static str,
    pub reload: &'static str,
    pub newer: &'static str,
    pub ok: &'static str,
    pub failed: &'static str,
    pub cut: &'static str,
    pub dot: &'static str,
    pub times: &'static str,
    pub none: &'static str,
    pub arrow: &'static str,
    pub delta: &'static str,
    pub micro: &'static str,
    pub at_most: &'static str,
    pub horizontal: &'static str,
    pub vertical: &'static str,
    /// Upper left, upper right, lower left, lower right; one column each.
    pub corners: [&'static str; 4],
    /// Around the name of where a hit is that no column shows.
    pub aside: [&'static str; 2],
    /// Eight heights, lowest first; one column each.
    pub spark: [&'static str; 8],
    /// Eight fillings of a bar's column, from an eighth to full; one column each.
    pub bar: [&'static str; 8],
}

/// Box drawing, eighth blocks and a few symbols that every monospaced font has; no emoji, no private use.
pub const UNICODE: Glyphs = Glyphs {
    live: "●",
    gone: "○",
    unknown: "◌",
    pinned: "◆",
    selected: "▌",
    folded: "▸",
    unfolded: "▾",
    reload: "↻",
    newer: "↓",
    ok: "✓",
    failed: "✗",
    cut: "…",
    dot: "·",
    times: "×",
    none: "–",
    arrow: "→",
    delta: "Δ",
    micro: "µ",
    at_most: "≤",
    horizontal: "─",
    vertical: "│",
    corners: ["┌", "┐", "└", "┘"],
    aside: ["⟨", "⟩"],
    spark: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    bar: ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
};

/// The same in ASCII (UX.md 2.2 and M14).
pub const ASCII: Glyphs = Glyphs {
    live: "*",
    gone: "o",
    unknown: "?",
    pinned: "+",
    selected: ">",
    folded: ">",
    unfolded: "v",
    reload: "(reload)",
    newer: "v",
    ok: "ok",
    failed: "x",
    cut: "...",
    dot: ".",
    times: "x",
    none: "-",
    arrow: "->",
    delta: "d",
    micro: "u",
    at_most: "<=",
    horizontal: "-",
    vertical: "|",
    corners: ["+", "+", "+", "+"],
    aside: ["<", ">"],
    spark: ["_", ".", ":", "-", "=", "+", "*", "#"],
    bar: ["-", "-", "-", "=", "=", "=", "=", "#"],
};

#[cfg(test)]
mod tests {
    use super::*;

    fn styles(theme: &Theme) -> [Style; 11] {
        let Theme { text, error, warn, dim, accent, good, worse, selection, matched, title, rule, .. } =
            *theme;
        [text, error, warn, dim, accent, good, worse, selection, matched, title, rule]
    }

    #[test]
    fn without_colour_only_bold_underline_and_reverse_are_used() {
        let allowed = Modifier::BOLD | Modifier::UNDERLINED | Modifier::REVERSED;
        for style in styles(&Theme::new(Palette::Mono, false)) {
            assert_eq!((style.fg, style.bg), (None, None));
            assert!(allowed.contains(style.add_modifier), "{style:?}");
        }
    }

    #[test]
    fn signs_of_trouble_keep_their_colour_in_a_selected_row() {
        let all = [Palette::Ansi, Palette::AnsiLight, Palette::Indexed(Ground::Dark)];
        for theme in all.map(|palette| Theme::new(palette, false)) {
            for own in [theme.error, theme.warn] {
                let sign = theme.selected_sign(own);
                assert_eq!((sign.fg, sign.bg), (own.fg, theme.selection.bg));
                assert!(sign.add_modifier.contains(theme.selection.add_modifier), "{sign:?}");
            }
            for own in [theme.text, theme.dim, theme.accent, theme.title] {
                assert_eq!(theme.selected_sign(own), theme.selected(own), "all else is as the row is");
            }
        }
    }

    #[test]
    fn colours_are_the_terminals_own_and_never_red_against_green() {
        for palette in [Palette::Ansi, Palette::AnsiLight] {
            for style in styles(&Theme::new(palette, false)) {
                let color = style.fg.unwrap_or(Color::Reset);
                let is_allowed =
                    matches!(color, Color::Reset | Color::Red | Color::Yellow | Color::Magenta | Color::Cyan);
                assert!(is_allowed, "{color}");
            }
        }
        assert_ne!(Theme::new(Palette::Ansi, false).warn, Theme::new(Palette::AnsiLight, false).warn);
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(color: Color) -> f64 {
        let Color::Rgb(red, green, blue) = color else { panic!("{color} has no numbers") };
        let linear = |part: u8| match f64::from(part) / 255.0 {
            low @ ..=0.040_45 => low / 12.92,
            high => ((high + 0.055) / 1.055).powf(2.4),
        };
        0.212_6 * linear(red) + 0.715_2 * linear(green) + 0.072_2 * linear(blue)
    }

    fn contrast(a: Color, b: Color) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn what_is_coloured_can_be_read_on_usual_backgrounds_and_on_the_selection() {
        for (ground, backgrounds) in [
            (Ground::Dark, [0x00_00_00, 0x1e_1e_1e, 0x28_2c_34]),
            (Ground::Light, [0xff_ff_ff, 0xfd_f6_e3, 0xf6_f8_fa]),
        ] {
            let theme = Theme::new(Palette::True(ground), false);
            let selection = theme.selection.bg.expect("a background");
            for style in styles(&theme) {
                let Some(color) = style.fg else { continue };
                for background in backgrounds.map(rgb) {
                    let found = contrast(color, background);
                    assert!(found >= 4.3, "{color} on {background}: {found:.2}");
                }
                let found = contrast(color, selection);
                assert!(found >= 3.0, "{color} on the selection: {found:.2}");
            }
        }
    }

    #[test]
    fn ascii_is_ascii_and_blocks_take_one_column() {
        let texts = |glyphs: &Glyphs| format!("{glyphs:?}");
        assert!(texts(&ASCII).is_ascii());
        for glyphs in [&UNICODE, &ASCII] {
            for block in glyphs.spark.iter().chain(&glyphs.bar).chain([&glyphs.horizontal, &glyphs.vertical])
            {
                assert_eq!(Gate::default().columns(block), 1, "{block}");
            }
        }
        assert!(Theme::new(Palette::Mono, true).gate.ascii);
    }
}
