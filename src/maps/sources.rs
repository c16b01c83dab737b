//! What a source is called on screen: its path below the project, whatever the bundler called it.
//!
//! Pure. The names come from maps, so a path here proves nothing; `disk` decides what may be read.

use url::Url;

use crate::stack::{is_own, module_id};

/// Beginnings of names and what stands for them, as the settings say (`source.map`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewrites(pub Vec<(String, String)>);

impl Rewrites {
    /// `name` with the longest known beginning replaced, if it has one.
    pub fn apply(&self, name: &str) -> Option<String> {
        let fits = self.0.iter().filter(|(from, _)| !from.is_empty() && name.starts_with(from.as_str()));
        let (from, to) = fits.max_by_key(|(from, _)| from.len())?;
        Some(format!("{to}{}", &name[from.len()..]))
    }
}

/// Schemes that bundlers put before a path below the project, the name of the bundle after them included.
const SCHEMES: [&str; 7] =
    ["webpack-internal://", "webpack://", "turbopack://", "rollup://", "parcel://", "vite://", "ng://"];

/// The path of the source that a map at `base` calls `source`.
pub(super) fn path_of(source: &str, base: &Url, root: &str, rewrites: &Rewrites) -> String {
    if let Some(path) = rewrites.apply(source) {
        return tidy(&path);
    }
    if let Some(path) = bundled(source) {
        return tidy(path);
    }
    let path = match base.join(source) {
        Ok(url) if url.origin() == base.origin() || url.scheme() == "file" => decoded(url.path()),
        _ => source.to_owned(),
    };
    below(&path, root)
}

/// The path of a script, by its own address.
pub(super) fn path_of_script(file: &str, root: &str, rewrites: &Rewrites) -> String {
    if let Some(path) = rewrites.apply(file) {
        return tidy(&path);
    }
    if let Some(path) = bundled(file) {
        return tidy(path);
    }
    if let Some(id) = module_id(file) {
        return tidy(path_of_module(&id));
    }
    let Ok(url) = Url::parse(file) else { return file.to_owned() };
    match url.scheme() {
        "http" | "https" if is_own(file) || super::is_local(&url) => below(&decoded(url.path()), root),
        "file" => below(&decoded(url.path()), root),
        _ => file.to_owned(),
    }
}

/// What comes after a bundler's scheme: `./src/a.ts` of `webpack://shop/./src/a.ts?1f2e`.
fn bundled(source: &str) -> Option<&str> {
    let rest = SCHEMES.iter().find_map(|scheme| source.strip_prefix(scheme))?;
    let path = rest.split_once('/').map_or(rest, |(_, path)| path);
    let path = path.strip_prefix("[project]/").unwrap_or(path);
    let path = without_layer(path);
    Some(path.split('?').next().unwrap_or(path))
}

/// A path without what webpack says of who the module is for: `./a.tsx` of `(app-pages-browser)/./a.tsx`. What no path
/// from `.` follows is a folder.
fn without_layer(path: &str) -> &str {
    let rest = path.strip_prefix('(').and_then(|rest| rest.split_once(")/"));
    rest.filter(|(layer, rest)| !layer.contains('/') && rest.starts_with('.')).map_or(path, |(_, rest)| rest)
}

/// The path in what Turbopack calls a module: `src/a.ts` of `[project]/src/a.ts [app-client] (ecmascript)`.
fn path_of_module(id: &str) -> &str {
    let path = id.split(" [").next().unwrap_or(id);
    path.strip_prefix("[project]/").unwrap_or(path)
}

fn decoded(path: &str) -> String {
    percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// A path of the server as one below the project: `/@fs/` and the project's own folder are taken off.
fn below(path: &str, root: &str) -> String {
    let path = path.strip_prefix("/@fs").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    let inside = path.strip_prefix(root).and_then(|rest| rest.strip_prefix('/'));
    match inside.filter(|_| !root.is_empty()) {
        Some(inside) => tidy(inside),
        None => tidy(path),
    }
}

/// Without `.`, `..`, doubled and leading slashes.
fn tidy(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundlers_names_become_paths_of_the_project() {
        let rewrites = Rewrites(vec![
            ("webpack:///./".to_owned(), "./".to_owned()),
            ("webpack:///./shop/".to_owned(), "packages/shop/".to_owned()),
        ]);
        let base = Url::parse("http://localhost:8000/dist/app.js.map").expect("a URL");
        for (source, expected) in [
            ("../src/app/checkout.ts", "src/app/checkout.ts"),
            ("../../../../../etc/passwd", "etc/passwd"),
            ("webpack:///./src/a.ts", "src/a.ts"),
            ("webpack:///./shop/a.ts", "packages/shop/a.ts"),
            ("webpack://shop/./src/a.ts?1f2e", "src/a.ts"),
            ("webpack-internal:///./src/a.js", "src/a.js"),
            ("webpack://shop/../../../etc/passwd", "etc/passwd"),
            ("turbopack:///[project]/src/a.ts", "src/a.ts"),
            ("file:///home/me/shop/src/a.ts", "src/a.ts"),
            ("/home/me/shop/src/a.ts", "src/a.ts"),
            ("/@fs/home/me/shop/src/a.ts", "src/a.ts"),
            ("/@fs/home/me/other/b.ts", "home/me/other/b.ts"),
            ("a%20b.ts", "dist/a b.ts"),
            ("..\\src\\a.ts", "src/a.ts"),
            ("", "dist/app.js.map"),
        ] {
            assert_eq!(path_of(source, &base, "/home/me/shop", &rewrites), expected, "{source}");
        }
        for (file, expected) in [
            ("http://localhost:5173/src/a.ts?t=1", "src/a.ts"),
            ("http://localhost:5173/@fs/home/me/shop/src/a.ts?t=1", "src/a.ts"),
            ("webpack-internal:///./src/a.js", "src/a.js"),
            ("webpack-internal:///(app-pages-browser)/./components/Cart.tsx", "components/Cart.tsx"),
            ("webpack-internal:///(rsc)/./app/(shop)/page.tsx", "app/(shop)/page.tsx"),
            ("webpack-internal:///(shop)/page.tsx", "(shop)/page.tsx"),
            ("http://localhost/a.js?id=%255Bproject%255D/src/a.ts+%255Bapp-client%255D+(x)", "src/a.ts"),
            ("http://localhost/a.js?id=%255Bproject%255D/../../etc/passwd", "etc/passwd"),
            ("http://localhost/a.js?id=%255B..%252F..%252Fetc", "etc"),
            ("blob:http://localhost/6f1c", "blob:http://localhost/6f1c"),
            ("<anonymous>", "<anonymous>"),
        ] {
            assert_eq!(path_of_script(file, "/home/me/shop", &Rewrites::default()), expected, "{file}");
        }
    }
}
