//! Modules that a bundler's runtime evals one by one: frames name them, with lines of what was made of their source.
//!
//! `maps` looks for the part of a script that such a module is; screens show no such line as one of a source.

use percent_encoding::percent_decode_str;

/// Whether the lines that frames tell of `file` are those of a module that was evaled: by webpack, which calls it
/// `webpack://shop/./a.ts?` where it makes no map, or by Turbopack after a hot update.
pub fn is_evaluated(file: &str) -> bool {
    let is_webpack =
        file.starts_with("webpack-internal:") || file.starts_with("webpack://") && file.contains('?');
    is_webpack || module_id(file).is_some()
}

/// What Turbopack calls the module that it evals as a file of its own: `[project]/src/a.ts [app-client] (ecmascript)` of
/// `http://x/chunk.js?id=%255Bproject%255D/src/a.ts+%255Bapp-client%255D+(ecmascript)`.
pub fn module_id(file: &str) -> Option<String> {
    let (_, query) = file.split_once("?id=")?;
    // It is encoded as a parameter first, and then with all of the address.
    let parameter = percent_decode_str(query).decode_utf8_lossy().replace('+', " ");
    let id = percent_decode_str(&parameter).decode_utf8_lossy().into_owned();
    // Other tools put a version there.
    id.starts_with('[').then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_that_are_evaled_are_told_from_scripts_with_a_version() {
        let total = "http://x/_next/static/chunks/_03w._.js?id=%255Bproject%255D/components/total.ts+%255Bapp-client%255D+(ecmascript)";
        for (file, is, id) in [
            (total, true, Some("[project]/components/total.ts [app-client] (ecmascript)")),
            ("http://x/a.js?id=%255Bproject%255D/a%252Bb%2525.ts", true, Some("[project]/a+b%.ts")),
            ("webpack-internal:///(app-pages-browser)/./a.tsx", true, None),
            ("http://x/app.js?id=68c7a1d9f0", false, None),
            ("http://x/app.js?id=", false, None),
            ("webpack://shop/./a.ts?", true, None),
            ("webpack://shop/./a.ts?1f3c", true, None),
            ("webpack://shop/./a.ts", false, None),
        ] {
            assert_eq!((is_evaluated(file), module_id(file).as_deref()), (is, id), "{file}");
        }
    }
}
