//! What the user says of how events are read: what is slow, which paths are one route, what makes errors the same.
//!
//! Made from the settings at the start and handed to whoever decodes. Without it everything is as CONTRACT says.

use crate::event::Micros;

/// Templates that count; one more would be looked at for every request.
const MAX_ROUTES: usize = 100;

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub slow: Slow,
    pub routes: Routes,
    pub grouping: Grouping,
}

/// What takes longer is slow (CONTRACT: `is:slow`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slow {
    pub other: Micros,
    pub request: Micros,
    pub render: Micros,
    pub long_task: Micros,
}

impl Default for Slow {
    fn default() -> Self {
        Self {
            other: Micros(1_000_000),
            request: Micros(500_000),
            render: Micros(50_000),
            long_task: Micros(200_000),
        }
    }
}

impl Slow {
    /// The limit of events of this subtype.
    pub fn of(&self, subtype: &str) -> Micros {
        match subtype {
            "api-call" | "network" => self.request,
            "render" => self.render,
            "long-task" => self.long_task,
            _ => self.other,
        }
    }
}

/// What makes errors the same, beside their type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    /// The message without numbers and names, and the top frame that is the user's own.
    #[default]
    MessageAndFrame,
    Message,
    /// The frame alone, where there is one.
    Frame,
}

/// Templates of paths, such as `/api/users/:id/avatar`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes(Vec<String>);

impl Routes {
    /// The first `MAX_ROUTES` of `templates`.
    pub fn new<'a>(templates: impl IntoIterator<Item = &'a str>) -> Self {
        Self(templates.into_iter().take(MAX_ROUTES).map(str::to_owned).collect())
    }

    /// The first template that `path` fits, whatever stands behind its `?` or `#`.
    pub fn find(&self, path: &str) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        let path = path.split(['?', '#']).next().unwrap_or("");
        self.0.iter().map(String::as_str).find(|template| fits(template, path))
    }
}

/// Whether a template is one: a path, in which `:name` stands for one part and `*` at the end for all that follow.
pub fn is_route(template: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_graphic() && c != '?' && c != '#';
    let star = template.find('*').is_none_or(|at| at + 1 == template.len() && template.ends_with("/*"));
    template.starts_with('/') && template.len() <= 200 && star && template.chars().all(is_plain)
}

fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (Some("*"), Some(_)) | (None, None) => return true,
            (Some(name), Some(part)) if name.starts_with(':') && name.len() > 1 && !part.is_empty() => {}
            (Some(name), Some(part)) if name == part => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_template_that_fits_names_the_route() {
        let routes = Routes::new(["/u/me", "/u/:name", "/u/:name/avatar", "/files/*", "/"]);
        for (path, expected) in [
            ("/u/me", Some("/u/me")),
            ("/u/ada?x=/u/me", Some("/u/:name")),
            ("/u/ada/avatar#top", Some("/u/:name/avatar")),
            ("/u/", None),
            ("/u/ada/", None),
            ("/u/ada/posts", None),
            ("/files/a/b.txt", Some("/files/*")),
            ("/files", None),
            ("/", Some("/")),
            ("", None),
        ] {
            assert_eq!(routes.find(path), expected, "{path}");
        }
        assert_eq!(Routes::default().find("/u/me"), None);
    }

    #[test]
    fn a_template_is_a_path() {
        for (template, is_one) in [
            ("/api/users/:id/avatar", true),
            ("/files/*", true),
            ("/", true),
            ("api/users", false),
            ("/a*b", false),
            ("/*/b", false),
            ("/a?b", false),
            ("/a b", false),
            ("", false),
        ] {
            assert_eq!(is_route(template), is_one, "{template}");
        }
    }
}
