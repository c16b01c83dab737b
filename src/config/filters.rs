//! Filters of the settings: the one to start with and the saved ones, which may name each other from file to file.
//!
//! Called by `settings` and `sections` for each filter as it is read, and once more when everything has been: whether a
//! saved filter exists is only known then. What cannot be used is left out and told; nothing is filtered here.

use super::settings::{Saved, Settings};
use super::table::{SETTINGS, Setting, position};
use crate::filter::{expand_saved, own_mistake, parse};

/// What is wrong with the filter `text` of `key` in itself, and at which byte of it.
pub(super) fn mistake(key: &str, text: &str) -> Option<(String, usize)> {
    own_mistake(text).map(|error| (format!("{key}: {}", error.message), error.span.start))
}

impl Settings {
    /// The start filter with the saved ones it names in their place.
    pub fn start_filter(&self) -> String {
        self.whole(&self.filter).unwrap_or_default()
    }

    /// Takes out filters that name what is not saved, and says which.
    pub fn drop_lost_filters(&mut self) -> Vec<String> {
        let lost = |saved: &Saved| {
            let why = self.whole(&saved.text).err()?;
            Some((saved.name.clone(), format!("{}: filters.{}: {why}", saved.place, saved.name)))
        };
        let (names, mut said): (Vec<String>, Vec<String>) = self.saved.iter().filter_map(lost).unzip();
        if let Err(why) = self.whole(&self.filter)
            && let Some(setting) = start_setting()
        {
            said.push(format!("{}: {}: {why}", self.origin(setting), setting.key));
            self.put(setting, setting.default(), "default".to_owned());
        }
        self.saved.retain(|saved| !names.contains(&saved.name));
        said
    }

    /// `text` with saved filters in the place of their names.
    fn whole(&self, text: &str) -> Result<String, String> {
        let find = |name: &str| self.saved.iter().find(|one| one.name == name).map(|one| one.text.clone());
        let whole = expand_saved(text, &find).map_err(|error| error.message)?;
        match parse(&whole).errors.into_iter().next() {
            Some(error) => Err(error.message),
            None => Ok(whole),
        }
    }
}

fn start_setting() -> Option<&'static Setting> {
    position("filter").map(|at| &SETTINGS[at])
}

#[cfg(test)]
mod tests {
    use super::super::settings::tests::read;

    #[test]
    fn a_mistaken_filter_leaves_what_was_before_and_its_place_is_told() {
        for (text, said) in [
            (
                "filter = \"level:wran\"",
                "line 1, column 17: filter: unknown level `wran`. Did you mean warn? (trace debug info warn error fatal report)",
            ),
            (
                "filter = \"message:\\\"x\\\" status>=\"",
                "line 1, column 10: filter: status>= needs a value, like status>=400",
            ),
            ("filter = 5", "line 1, column 10: filter is a filter such as \"level>=warn\""),
            (
                "[filters]\nproblems = 'is:slwo'",
                "line 2, column 16: filters.problems: unknown is:slwo. Did you mean is:slow? (error failed slow cached live marked new mapped)",
            ),
            (
                "[filters]\nslow = 'saved:a duration>'",
                "line 2, column 26: filters.slow: duration> needs a value, like duration>200ms",
            ),
        ] {
            let (settings, complaints) = read(text);
            assert_eq!(complaints, [said], "{text}");
            assert_eq!(settings, crate::config::Settings::default(), "{text}");
        }
    }

    #[test]
    fn filters_that_name_what_is_not_saved_are_left_out_once_all_are_known() {
        for (text, names, start, said) in [
            (
                "filter = \"saved:a\"\n[filters]\na = \"saved:b x\"\nb = \"y\"",
                "problems a b",
                "((y) x)",
                vec![],
            ),
            (
                "filter = \"saved:a\"\n[filters]\na = \"saved:other\"",
                "problems",
                "",
                vec![
                    "c.toml, line 3: filters.a: no filter is saved as `other`. F lists them",
                    "c.toml, line 1: filter: the saved filter `a` is mistaken: no filter is saved as `other`. F lists them",
                ],
            ),
            (
                "[filters]\na = \"saved:a\"\nb = \"saved:problems\"",
                "problems b",
                "",
                vec![
                    "c.toml, line 2: filters.a: the saved filter `a` is mistaken: the saved filter `a` names itself, or others more than 8 deep",
                ],
            ),
        ] {
            let (mut settings, complaints) = read(text);
            assert_eq!(complaints, <[String; 0]>::default(), "{text}");
            assert_eq!(settings.drop_lost_filters(), said, "{text}");
            let saved: Vec<_> = settings.saved.iter().map(|saved| saved.name.as_str()).collect();
            assert_eq!(
                (saved.join(" ").as_str(), settings.start_filter().as_str()),
                (names, start),
                "{text}"
            );
            assert!(settings.drop_lost_filters().is_empty(), "{text}");
        }
    }
}
