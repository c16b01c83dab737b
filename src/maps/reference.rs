//! Where a script says its map is: the last `//# sourceMappingURL=` of its text, and maps inside of such a line.
//!
//! Pure. ECMA-426 has the rules; of several references the last one counts.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::MAX_BYTES;

/// With or without the padding at the end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What the text of a script says of its map.
pub(super) fn in_script(script: &str) -> Option<&str> {
    let mut end = script.len();
    while let Some(at) = script[..end].rfind("sourceMappingURL=") {
        let before = script[..at].trim_end_matches([' ', '\t']);
        if ["//#", "//@", "/*#", "/*@"].iter().any(|start| before.ends_with(start)) {
            let rest = &script[at + "sourceMappingURL=".len()..];
            let url = rest.split(['\n', '\r', ' ', '\t', '\'', '"', '`']).next().unwrap_or("");
            let url = url.strip_suffix("*/").unwrap_or(url);
            if !url.is_empty() {
                return Some(url);
            }
        }
        end = at;
    }
    None
}

/// The bytes of a `data:` URL, at most 10 MiB of them; `None` for any other URL and for one that cannot be read.
pub(super) fn inline(url: &str) -> Option<Vec<u8>> {
    let rest = url.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("data:")).map(|_| &url[5..])?;
    let (kind, data) = rest.split_once(',')?;
    let bytes = if kind.trim_end().ends_with(";base64") {
        if data.len() / 4 * 3 > MAX_BYTES {
            return None;
        }
        let plain: std::borrow::Cow<'_, [u8]> = percent_encoding::percent_decode_str(data).into();
        BASE64.decode(&*plain).ok()?
    } else {
        percent_encoding::percent_decode_str(data).collect()
    };
    (bytes.len() <= MAX_BYTES).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_reference_counts() {
        for (script, expected) in [
            ("a();\n//# sourceMappingURL=app.js.map", Some("app.js.map")),
            ("a();\n//# sourceMappingURL=a.map\nb();\n//# sourceMappingURL=b.map\n", Some("b.map")),
            ("a();\n//@ sourceMappingURL=old.map\r\n", Some("old.map")),
            ("/*# sourceMappingURL=a.css.map */", Some("a.css.map")),
            ("/*# sourceMappingURL=a.css.map*/", Some("a.css.map")),
            ("a(\"sourceMappingURL=no\");", None),
            ("x='//# sourceMappingURL='; //# sourceMappingURL=", None),
            ("", None),
        ] {
            assert_eq!(in_script(script), expected, "{script}");
        }
    }

    #[test]
    fn maps_inside_a_url_are_read() {
        for (url, expected) in [
            ("data:application/json;charset=utf-8;base64,eyJhIjoxfQ==", Some("{\"a\":1}")),
            ("data:application/json;base64,eyJhIjoxfQ", Some("{\"a\":1}")),
            ("data:application/json,%7B%22a%22%3A1%7D", Some("{\"a\":1}")),
            ("DATA:,x", Some("x")),
            ("data:application/json;base64,***", None),
            ("data:nothing", None),
            ("app.js.map", None),
        ] {
            assert_eq!(inline(url).as_deref(), expected.map(str::as_bytes), "{url}");
        }
        assert_eq!(inline(&format!("data:;base64,{}", "A".repeat(15 * 1024 * 1024))), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_searched(text in "(//# |sourceMappingURL=|data:|;base64,|[a-z=\n é*/]){0,20}") {
            if let Some(url) = in_script(&text) {
                inline(url);
            }
        }
    }
}
