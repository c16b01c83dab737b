//! What page-load events say of their loads, noted when they are read so that nobody reads their text for it again.
//!
//! Filled by `wire`, asked by `stats` through [`EventRef::page_load`]. It knows places in the event's JSON, no values:
//! a row that was made in another way has no note and is read when somebody asks.

use super::chunk::EventRef;
use super::json;
use super::row::place_in;

/// What the data of an event says of its page load: the JSON of members, where they are there and not null.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PageLoad<'a> {
    pub page: Option<&'a str>,
    pub url: Option<&'a str>,
    pub build: Option<&'a str>,
    /// How long it took.
    pub took_ms: Option<f64>,
}

/// Where in the JSON of row `row` the members of a [`PageLoad`] are; empty for those that are not there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noted {
    pub(super) row: u32,
    page: (u32, u32),
    url: (u32, u32),
    build: (u32, u32),
    took_ms: Option<f64>,
}

impl<'a> PageLoad<'a> {
    /// Reads it from the event's text.
    pub fn read(event: &'a str) -> Self {
        let [page, url, build, timing] = json::get_all(event, ["page", "url", "build", "timing"]);
        Self { page, url, build, took_ms: Self::took_ms(timing) }
    }

    /// How long a load took whose `timing` is this JSON.
    pub fn took_ms(timing: Option<&str>) -> Option<f64> {
        json::get(timing?, "fully-loaded").and_then(json::number)
    }
}

impl Noted {
    /// `load` is made of parts of `event`, which is in row `row`.
    pub(super) fn of(row: u32, event: &str, load: &PageLoad<'_>) -> Self {
        let place = |part: Option<&str>| {
            let place = part.and_then(|part| place_in(event, part))?;
            Some((u32::try_from(place.start).ok()?, u32::try_from(place.end).ok()?))
        };
        let [page, url, build] =
            [load.page, load.url, load.build].map(|part| place(part).unwrap_or_default());
        Self { row, page, url, build, took_ms: load.took_ms }
    }

    /// The same, of an event that is now in row `row`.
    pub(super) fn at(self, row: u32) -> Self {
        Self { row, ..self }
    }

    fn read(self, event: &str) -> PageLoad<'_> {
        let part =
            |(start, end)| event.get(start as usize..end as usize).filter(|part: &&str| !part.is_empty());
        let [page, url, build] = [self.page, self.url, self.build].map(part);
        PageLoad { page, url, build, took_ms: self.took_ms }
    }
}

impl<'a> EventRef<'a> {
    /// What the data says of the event's page load.
    pub fn page_load(self) -> PageLoad<'a> {
        let noted = self.chunk().page_load_noted(self.row());
        noted.map_or_else(|| PageLoad::read(self.json()), |noted| noted.read(self.json()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{ChunkBuilder, Row};

    #[test]
    fn what_was_noted_is_what_the_text_says() {
        let texts = [
            r#"{"url":"http://h/a","page":"/b","build":"1c9","timing":{"fullyLoaded":12.5}}"#,
            r#"{"url":null,"page":7}"#,
            "{}",
        ];
        let mut builder = ChunkBuilder::new();
        for json in texts {
            builder.push(&Row { json, ..Row::default() });
            builder.note_page_load(json, &PageLoad::read(json));
            builder.push(&Row { json, ..Row::default() });
        }
        let chunk = builder.finish();
        let noted: Vec<_> = (0..chunk.len()).map(|row| chunk.page_load_noted(row).is_some()).collect();
        assert_eq!(noted, [true, false, true, false, true, false]);
        for event in chunk.events() {
            assert_eq!(event.page_load(), PageLoad::read(event.json()));
        }
        let first = chunk.event(0).page_load();
        assert_eq!((first.url, first.took_ms), (Some(r#""http://h/a""#), Some(12.5)));
    }
}
