//! Whose code a frame is: the user's own, or that of a library, an engine, an extension or a bundler.
//!
//! Asked for raw frames and for mapped ones: a source below `node_modules` is a library's wherever it was bundled to.

/// Parts of paths that hold other people's code.
const FOREIGN_PARTS: [&str; 17] = [
    "node_modules/",
    "/.vite/deps/",
    "/@vite/",
    "/@react-refresh",
    "/@id/__x00__",
    "/vite/client",
    "/bower_components/",
    "/jspm_packages/",
    "webpack/runtime/",
    "webpack/bootstrap",
    "webpack/buildin",
    "/(webpack)/",
    "[turbopack]",
    "-extension://",
    "node:",
    "//unpkg.com/",
    "//cdn.jsdelivr.net/",
];

/// Beginnings of file names of libraries that people load without a package manager, and of bundles of them.
const LIBRARIES: [&str; 18] = [
    "angular.",
    "backbone.",
    "bootstrap.",
    "d3.",
    "htmx.",
    "jquery.",
    "jquery-",
    "lodash.",
    "polyfills",
    "preact.",
    "react-dom.",
    "react.",
    "scittle.",
    "underscore.",
    "vendor",
    "vue.",
    "zone.",
    "chunk-vendors",
];

/// How the files of taillight's own browser client begin.
const CLIENT: &str = "taillight.";

/// What the settings name as library code beside what is known: parts of paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Libraries(pub Vec<String>);

impl Libraries {
    /// As [`is_own`], with the user's own list.
    pub fn is_own(&self, file: &str) -> bool {
        is_own(file) && !self.0.iter().any(|part| !part.is_empty() && file.contains(part.as_str()))
    }
}

/// Whether a file is the user's own: no library, no engine, no browser extension.
pub fn is_own(file: &str) -> bool {
    if file.starts_with(['<', '[']) || ["native", "self-hosted", "debugger eval code"].contains(&file) {
        return false;
    }
    let file = super::plain::without_query(file);
    let name = name_of(file);
    !is_foreign(file.as_bytes())
        && !name.starts_with(CLIENT)
        && !LIBRARIES.iter().any(|library| name.starts_with(library))
}

/// Whether a file is taillight's own browser client, which is in the stack of whatever it reports.
pub(super) fn is_client(file: &str) -> bool {
    name_of(super::plain::without_query(file)).starts_with(CLIENT)
}

fn name_of(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

/// The bytes that parts begin with.
const BEGINNINGS: [bool; 256] = {
    let mut table = [false; 256];
    let mut part = 0;
    while part < FOREIGN_PARTS.len() {
        table[FOREIGN_PARTS[part].as_bytes()[0] as usize] = true;
        part += 1;
    }
    table
};

/// Whether one of the parts stands in `file`: a dozen searches, each with its preparations, would take longer.
fn is_foreign(file: &[u8]) -> bool {
    let begins = |at: &usize| BEGINNINGS[usize::from(file[*at])];
    (0..file.len())
        .filter(begins)
        .any(|at| FOREIGN_PARTS.iter().any(|part| file[at..].starts_with(part.as_bytes())))
}
