//! Names of functions and files without what differs between browsers and between builds.
//!
//! Fingerprints are made of them, so what is written here decides which errors are the same.

/// A function's name as every browser would write it: no `async`, `new`, class or alias. Code without a name of its
/// own is named by what it is in by Firefox alone (`onClick/<`), so it has none here.
pub fn plain_function(function: &str) -> &str {
    let name = function.rsplit_once('*').map_or(function, |(_, name)| name);
    let name = ["async ", "new ", "get ", "set "]
        .iter()
        .fold(name, |name, prefix| name.strip_prefix(prefix).unwrap_or(name));
    // `<` alone is code without a name, `save<` was given one by what it is assigned to.
    let name = name.rsplit('/').next().unwrap_or(name);
    let name = if name.starts_with('<') { "" } else { name.trim_end_matches('<') };
    let name = name.rsplit('.').next().unwrap_or(name);
    match name {
        "anonymous" | "<anonymous>" | "{anonymous}" | "global code" | "module code" | "eval code"
        | "eval" => "",
        name => name,
    }
}

/// Whether a function of this plain name makes errors: `PaymentError`, `DOMException`.
pub fn is_error_class(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && (name.ends_with("Error") || name.ends_with("Exception"))
}

/// As [`str::split_once`]. A line is gone through sooner than the general search has got ready.
pub(super) fn split_once<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    let bytes = text.as_bytes();
    let mut places = memchr::memchr_iter(*mark.as_bytes().first()?, bytes);
    let at = places.find(|at| bytes[*at..].starts_with(mark.as_bytes()))?;
    Some((&text[..at], &text[at + mark.len()..]))
}

/// Pushes the path of a file: no scheme, host, query, and `#` for the build hash in its name.
pub fn push_plain_file(file: &str, out: &mut String) {
    let file = without_query(file);
    let path = match split_once(file, "://") {
        Some((_, rest)) => rest.find('/').map_or("", |slash| &rest[slash..]),
        None => file,
    };
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    out.push_str(folder);
    out.push('/');
    for part in name.split_inclusive(['.', '-']) {
        let word = part.trim_end_matches(['.', '-']);
        let has = |is: fn(&u8) -> bool| word.as_bytes().iter().any(is);
        // Bundlers put 8 characters or more of a hash there.
        if word.len() >= 8 && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) {
            out.push('#');
            out.push_str(&part[word.len()..]);
        } else {
            out.push_str(part);
        }
    }
}

/// The script that a file is, without what React adds where it replays in the page what was called on the server:
/// `file:///shop/page.js` of `about://React/Server/file:///shop/page.js?14`.
pub(super) fn replayed(file: &str) -> &str {
    let replay = ["about://React/", "rsc://React/"].iter().find_map(|scheme| file.strip_prefix(scheme));
    let Some((_environment, script)) = replay.and_then(|replay| replay.split_once('/')) else { return file };
    // The number of the replay; that of a server function has a letter before it.
    let is_number = |text: &str| {
        let digits = text.strip_prefix('s').unwrap_or(text);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    script.rsplit_once('?').filter(|(_, number)| is_number(number)).map_or(script, |(script, _)| script)
}

pub(super) fn without_query(file: &str) -> &str {
    memchr::memchr2(b'?', b'#', file.as_bytes()).map_or(file, |end| &file[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_files_are_the_same_in_every_browser_and_build() {
        for (function, expected) in [
            ("Object.save", "save"),
            ("new Cart", "Cart"),
            ("onClick/<", ""),
            ("onClick/save<", "save"),
            ("promise callback*load", "load"),
            ("async*load", "load"),
            ("<anonymous>", ""),
            ("HTMLButtonElement.<anonymous>", ""),
            ("module code", ""),
        ] {
            assert_eq!(plain_function(function), expected, "{function}");
        }
        for (file, expected) in [
            ("http://localhost:5173/src/cart.js?t=1#x", "/src/cart.js"),
            ("https://x/assets/index-DkX9a1b2.js", "/assets/index-#.js"),
            ("https://x/app.9f8b2c4d5e.js", "/app.#.js"),
            ("webpack-internal:///./src/a.js", "/./src/a.js"),
            ("src/a.ts", "src/a.ts"),
            ("https://x", "/"),
        ] {
            let mut out = String::new();
            push_plain_file(file, &mut out);
            assert_eq!(out, expected, "{file}");
        }
    }
}
