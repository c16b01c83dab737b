//! Whose code a frame is: the user's own, or that of a library, an engine, an extension or a bundler.
//!
//! Asked for raw frames and for mapped ones: a source below `node_modules` is a library's wherever it was bundled to.

/// Parts of paths that hold other people's code.
static FOREIGN_PARTS: Words<17> = Words::new([
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
]);

/// Beginnings of file names of libraries that people load without a package manager, and of bundles of them.
static LIBRARIES: Words<18> = Words::new([
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
]);

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
    !name.starts_with(CLIENT) && !FOREIGN_PARTS.stand_in(file.as_bytes()) && !LIBRARIES.begin(name.as_bytes())
}

/// Whether a file is taillight's own browser client, which is in the stack of whatever it reports.
pub(super) fn is_client(file: &str) -> bool {
    name_of(super::plain::without_query(file)).starts_with(CLIENT)
}

fn name_of(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

/// Words of two bytes and more, at most 32. Which of them may begin at a place is told by the two bytes there: a search
/// for each, with its preparations, would take longer than all of a stack.
struct Words<const N: usize> {
    all: [&'static str; N],
    /// For each byte the words, a bit each, whose first one it is; and whose second one.
    having: [[u32; 256]; 2],
}

impl<const N: usize> Words<N> {
    const fn new(all: [&'static str; N]) -> Self {
        let mut having = [[0; 256]; 2];
        let mut word = 0;
        while word < N {
            let bytes = all[word].as_bytes();
            having[0][bytes[0] as usize] |= 1 << word;
            having[1][bytes[1] as usize] |= 1 << word;
            word += 1;
        }
        Self { all, having }
    }

    /// Whether `text` begins with one of the words.
    fn begin(&self, text: &[u8]) -> bool {
        let [first, second, ..] = text else { return false };
        let mut left = self.having[0][usize::from(*first)] & self.having[1][usize::from(*second)];
        while left != 0 {
            if text.starts_with(self.all[left.trailing_zeros() as usize].as_bytes()) {
                return true;
            }
            left &= left - 1;
        }
        false
    }

    /// Whether one of the words stands in `text`.
    fn stand_in(&self, text: &[u8]) -> bool {
        (0..text.len()).any(|at| self.begin(&text[at..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn words_are_found_where_a_plain_search_finds_them(
            text in "([/nwj.:-]{0,3}|node|_modules/|/@?vite/|client|react|-dom|\\.|jquery|-extension://|vendor|web|pack/|build|in){0,6}",
        ) {
            let stands = FOREIGN_PARTS.all.iter().any(|part| text.contains(part));
            proptest::prop_assert_eq!(FOREIGN_PARTS.stand_in(text.as_bytes()), stands);
            let begins = LIBRARIES.all.iter().any(|library| text.starts_with(library));
            proptest::prop_assert_eq!(LIBRARIES.begin(text.as_bytes()), begins);
        }
    }
}
