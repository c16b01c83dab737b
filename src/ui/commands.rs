//! The one table of commands that have no key of their own, and carrying out what was typed behind `:`.
//!
//! Part of the app; the palette offers these beside every key, saved filter and setting.

use super::app::App;
use super::copying::What as Copied;
use super::export_dialog::What;
use super::view::Effect;
use crate::config::{Owner, Since};

/// A command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Command {
    pub(super) name: &'static str,
    /// What stands behind the name; empty where nothing does.
    pub(super) takes: &'static str,
    pub(super) help: &'static str,
    pub(super) does: Does,
}

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    Set,
    Keep,
    Save,
    Export(What),
    Copy(Copied),
    Keys,
    Language,
}

const fn command(name: &'static str, takes: &'static str, help: &'static str, does: Does) -> Command {
    Command { name, takes, help, does }
}

/// Every command without a key.
pub(super) const COMMANDS: [Command; 19] = [
    command("set", "SETTING VALUE", "change a setting for now", Does::Set),
    command("set!", "SETTING VALUE", "change a setting and keep it in your file", Does::Keep),
    command("save", "NAME", "save the filter in force under a name", Does::Save),
    command("export-selected", "", "the selected event, to a file", Does::Export(What::Selected)),
    command("export-session", "", "every event of the selected session", Does::Export(What::Session)),
    command("export-pins", "", "the events you pinned", Does::Export(What::Pinned)),
    command("export-all", "", "everything in memory", Does::Export(What::All)),
    command("copy-json", "", "the selected event as one line of JSON", Does::Copy(Copied::Json)),
    command("copy-message", "", "its message", Does::Copy(Copied::Message)),
    command("copy-stack", "", "its stack", Does::Copy(Copied::Stack)),
    command("copy-curl", "", "its request as a curl command", Does::Copy(Copied::Curl)),
    command("copy-path", "", "its place in the source", Does::Copy(Copied::Path)),
    command("copy-url", "", "its URL", Does::Copy(Copied::Url)),
    command("copy-filter", "", "the filter in force as a shell command", Does::Copy(Copied::Filter)),
    command("copy-tag", "", "the script tag for your page", Does::Copy(Copied::Tag)),
    command("copy-import", "", "the import line for your entry file", Does::Copy(Copied::Import)),
    command("copy-session", "", "the id of its session", Does::Copy(Copied::Session)),
    command("keys", "", "every key", Does::Keys),
    command("filter-language", "", "the filter language on a page", Does::Language),
];

impl App {
    /// Carries out a command with what was typed behind it.
    pub(super) fn on_command(&mut self, does: Does, rest: &str) -> Vec<Effect> {
        match does {
            Does::Set | Does::Keep => return self.set(rest, does == Does::Keep),
            Does::Save => return self.save(rest.trim()),
            Does::Export(what) => return self.open_export(what),
            Does::Copy(what) => return self.copy(what),
            Does::Keys => self.open_help(false),
            Does::Language => self.open_help(true),
        }
        Vec::new()
    }

    /// `KEY VALUE`, for now or for good.
    fn set(&mut self, rest: &str, is_kept: bool) -> Vec<Effect> {
        let (key, text) = rest.trim().split_once(char::is_whitespace).unwrap_or((rest.trim(), ""));
        let mut settings = self.chrome.settings.clone();
        let setting = match settings.set(key, text.trim()) {
            Ok(setting) => setting,
            Err(message) => {
                self.say(message);
                return Vec::new();
            }
        };
        let written = format!("{key} = {}", setting.written(&settings));
        let mut effects = Vec::new();
        if is_kept {
            effects.push(Effect::Keep { key: key.to_owned(), value: setting.value(&settings) });
        }
        match setting.since {
            Since::Start if is_kept => self.say(format!("{written}   from the next start on")),
            Since::Start => {
                self.say(format!("{key} counts from the next start: `:set! {key} {}` keeps it", text.trim()));
            }
            Since::Now => {
                self.say(written);
                effects.extend(self.take_settings(settings));
            }
        }
        effects
    }

    /// Settings that count at once: the console does the rest.
    pub(super) fn take_settings(&mut self, settings: crate::config::Settings) -> Vec<Effect> {
        self.bar.set_live(settings.is_live);
        let before = std::mem::replace(&mut self.chrome.settings, settings.clone());
        self.obey(Some(&before), &settings);
        vec![Effect::Settings(Box::new(settings))]
    }

    /// What is set counts on the screens, as far as it is another than `before`: keys may have changed the rest.
    pub(super) fn obey(&mut self, before: Option<&crate::config::Settings>, now: &crate::config::Settings) {
        if before.is_none_or(|before| before.detail != now.detail) {
            self.detail_mode = now.detail;
        }
        self.panels.stream.obey(before, now);
        self.panels.latency.obey(before, now);
    }

    /// Changes one setting for now, as a key does.
    pub(super) fn change(&mut self, key: &str, to: &str) -> Vec<Effect> {
        let mut settings = self.chrome.settings.clone();
        if settings.set(key, to).is_err() {
            return Vec::new();
        }
        self.take_settings(settings)
    }

    fn save(&mut self, name: &str) -> Vec<Effect> {
        let text = self.bar.text().trim().to_owned();
        if name.is_empty() || text.is_empty() {
            let said = if name.is_empty() { "write a name: save NAME" } else { "no filter is in force" };
            self.say(said);
            return Vec::new();
        }
        let owner = if self.has_project { Owner::Project } else { Owner::User };
        vec![Effect::Save { name: name.to_owned(), text: Some(text), owner }]
    }

    pub(super) fn open_help(&mut self, is_language: bool) {
        let mut help = super::panels::Help::default();
        if is_language {
            help.turn();
        }
        self.panels.help = Some(help);
    }
}
