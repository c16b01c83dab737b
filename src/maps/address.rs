//! Addresses of scripts and maps, and which of them may be asked for anything.
//!
//! The addresses come from pages, so they decide nothing: an origin is asked only where its name can belong to nobody
//! else on the network, or where the user has allowed it by name.

use url::{Origin, Url};

use crate::reach;

/// The origins that may be asked beside local names.
#[derive(Clone, Debug, Default)]
pub struct Allowed(Vec<Origin>);

impl Allowed {
    /// Reads origins as they stand in the settings: `https://staging.example.com`. What is none is left out.
    pub fn of<'a>(origins: impl IntoIterator<Item = &'a str>) -> Self {
        Self(origins.into_iter().filter_map(|text| Some(Url::parse(text).ok()?.origin())).collect())
    }

    /// Whether `url` may be asked for: http or https, without a user's name in it, and either local or allowed.
    pub fn has(&self, url: &Url) -> bool {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && (is_local(url) || self.0.contains(&url.origin()))
    }
}

/// Whether the host of `url` is a local name.
pub fn is_local(url: &Url) -> bool {
    url.host_str().is_some_and(reach::is_local)
}

/// The address of a script as a frame names it, without what only the page sees.
pub(super) fn of_script(file: &str) -> Option<Url> {
    let mut url = Url::parse(file).ok()?;
    url.set_fragment(None);
    Some(url)
}

/// What `reference` means in the file at `base`; `None` unless it is on the same origin.
pub(super) fn beside(base: &Url, reference: &str) -> Option<Url> {
    let mut url = base.join(reference).ok()?;
    url.set_fragment(None);
    (url.origin() == base.origin() && url.username().is_empty() && url.password().is_none()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_local_and_allowed_origins_may_be_asked() {
        let allowed = Allowed::of(["https://staging.example.com", "no origin", "http://10.0.0.7:3000"]);
        for (address, expected) in [
            ("http://localhost:5173/src/a.ts?t=1", true),
            ("http://shop.localhost/a.js", true),
            ("https://shop.test/a.js", true),
            ("http://127.0.0.1:8000/a.js", true),
            ("http://127.9.9.9/a.js", true),
            ("http://[::1]:8000/a.js", true),
            ("https://staging.example.com/a.js", true),
            ("http://10.0.0.7:3000/a.js", true),
            ("http://10.0.0.7/a.js", false),
            ("http://staging.example.com/a.js", false),
            ("https://example.com/a.js", false),
            ("http://localhost.example.com/a.js", false),
            ("http://127.0.0.1.nip.io/a.js", false),
            ("http://user:secret@localhost/a.js", false),
            ("http://localhost@example.com/a.js", false),
            ("http://[::ffff:8.8.8.8]/a.js", false),
            ("http://192.168.1.1/a.js", false),
            ("http://169.254.169.254/latest", false),
            ("file:///etc/passwd", false),
            ("ftp://localhost/a.js", false),
            ("blob:http://localhost/6f1c", false),
        ] {
            assert_eq!(allowed.has(&Url::parse(address).expect(address)), expected, "{address}");
        }
    }

    #[test]
    fn a_map_is_looked_for_on_the_origin_of_its_script_alone() {
        let base = Url::parse("http://localhost:8000/dist/app.js?v=1").expect("a URL");
        for (reference, expected) in [
            ("app.js.map", Some("http://localhost:8000/dist/app.js.map")),
            ("/maps/app.map#x", Some("http://localhost:8000/maps/app.map")),
            ("http://localhost:8000/a.map", Some("http://localhost:8000/a.map")),
            ("../../../../etc/passwd", Some("http://localhost:8000/etc/passwd")),
            ("http://localhost:8001/a.map", None),
            ("//example.com/a.map", None),
            ("http://x@localhost:8000/a.map", None),
            ("file:///etc/passwd", None),
        ] {
            assert_eq!(beside(&base, reference).as_ref().map(Url::as_str), expected, "{reference}");
        }
    }
}
