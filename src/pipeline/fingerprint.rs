//! Which errors are the same: a number made of what stays equal when a problem happens again.
//!
//! Decoding calls [`fingerprint`] for events of level warn and above and for failed requests. The number is the
//! `group` of an event and is written to recordings, so it is the same in every run and on every machine.

use super::reading::Grouping;
use crate::stack;

mod message;

use message::is_url;
pub use message::normalise_message;

/// What is known of a problem; leave empty what is not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence<'a> {
    /// The event's `type` and `subtype`, as sent.
    pub kind: &'a str,
    pub subtype: &'a str,
    /// The message that the event brought, not one made from its fields.
    pub message: &'a str,
    /// The stack as the engine wrote it.
    pub stack: &'a str,
    /// File and function of the top own frame where source maps resolved it: a function with a name of its own then says
    /// more than the message.
    pub mapped: Option<(&'a str, &'a str)>,
    pub endpoint: &'a str,
    pub status: Option<u16>,
}

/// Room for what is put together on the way to a fingerprint; what is in it means nothing.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    text: String,
    path: String,
}

/// This gives the group of a problem, never 0: for a failed request its endpoint and status, whatever it is called
/// and says; else its type and
/// - the top own frame alone where that is source-mapped and its function has a name of its own: a file has many without
///   one, and many named after what they are handed to, as `onClick`
///   or `useEffect`;
/// - else the normalised message and the top own frame; of what could not be loaded, or was not let, its address.
///
/// `scratch` is overwritten; it is here to be reused.
pub fn fingerprint(evidence: &Evidence<'_>, scratch: &mut Scratch) -> u64 {
    fingerprint_by(Grouping::default(), evidence, scratch)
}

/// As [`fingerprint`], where the user says what makes errors the same.
pub fn fingerprint_by(grouping: Grouping, evidence: &Evidence<'_>, scratch: &mut Scratch) -> u64 {
    let Scratch { text, path } = scratch;
    let mut hash = Fnv::default();
    if evidence.is_failed_request() {
        // The status first: what comes last hardly reaches the first digits, which screens show.
        hash.bytes(&evidence.status.unwrap_or(0).to_be_bytes());
        hash.part(evidence.endpoint);
        return hash.finish();
    }
    // Not the subtype: the same fault is `javascript` when thrown and `promise` when awaited.
    hash.part(evidence.kind);
    let has_frame = grouping != Grouping::Message;
    let mapped = evidence.mapped.filter(|_| has_frame);
    let is_named = mapped.is_some_and(|(_, function)| tells_one(stack::plain_function(function)));
    let raw = || stack::top_own(evidence.stack).map(|frame| (frame.file, frame.function));
    let frame = mapped.or_else(|| if has_frame { raw() } else { None });
    if let Some((file, function)) = frame.filter(|_| is_named || grouping == Grouping::Frame) {
        hash.place(file, function, path);
        return hash.finish();
    }
    normalise_message(evidence.message, text);
    hash.part(text);
    if let Some(address) = evidence.loaded() {
        path.clear();
        stack::push_plain_file(address, path);
        normalise_message(path, text);
        hash.part(host_of(address));
        hash.part(text);
    } else if let Some((file, function)) = frame {
        hash.place(file, function, path);
    } else if text.is_empty() {
        hash.part(evidence.subtype);
        hash.part(evidence.endpoint);
    }
    hash.finish()
}

/// Whether a function's plain name says which of its file it is.
fn tells_one(name: &str) -> bool {
    let is_handed_to = |prefix| {
        let rest = name.strip_prefix(prefix);
        rest.is_some_and(|rest: &str| rest.starts_with(|first: char| first.is_ascii_uppercase()))
    };
    !name.is_empty() && !["on", "use"].into_iter().any(is_handed_to)
}

impl Evidence<'_> {
    fn is_failed_request(&self) -> bool {
        let names_one = matches!(self.subtype, "api-call" | "network");
        !self.endpoint.is_empty() && self.status.map_or(names_one, |status| status >= 400)
    }

    /// The address of what was not loaded: no line of code says which it was.
    fn loaded(&self) -> Option<&str> {
        let is_loaded = matches!(self.subtype, "resource" | "csp");
        is_loaded.then(|| self.message.split_whitespace().find(|word| is_url(word)))?
    }
}

fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

/// FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/); written out because it must never change.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0 =
            bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    }

    /// One text, closed with a byte that stands in no UTF-8, so that `ab` + `c` is not `a` + `bc`.
    fn part(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        self.bytes(&[0xff]);
    }

    /// A function and its file, as every browser and build would name them.
    fn place(&mut self, file: &str, function: &str, path: &mut String) {
        self.part(stack::plain_function(function));
        path.clear();
        stack::push_plain_file(file, path);
        self.part(path);
    }

    fn finish(self) -> u64 {
        self.0.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHROME: &str = "TypeError: x is not a function\n    at save (http://localhost:5173/src/cart.js?t=1:10:5)\n    \
                          at http://localhost:5173/src/main.js:3:1";
    const FIREFOX: &str =
        "save@http://localhost:5173/src/cart.js?t=2:11:9\n@http://localhost:5173/src/main.js:3:1";

    fn error() -> Evidence<'static> {
        Evidence {
            kind: "error",
            subtype: "javascript",
            message: "Uncaught TypeError: user 42 is missing",
            stack: CHROME,
            ..Evidence::default()
        }
    }

    fn of(evidence: Evidence<'_>) -> u64 {
        let left_over = || String::from("left over");
        fingerprint(&evidence, &mut Scratch { text: left_over(), path: left_over() })
    }

    #[test]
    fn the_same_problem_is_one_group() {
        for (what, again) in [
            ("another id", Evidence { message: "user 7 is missing", ..error() }),
            ("another browser, line and query", Evidence { stack: FIREFOX, ..error() }),
            ("awaited instead of thrown", Evidence { subtype: "promise", ..error() }),
        ] {
            assert_eq!(of(again), of(error()), "{what}");
        }
        let mapped = Evidence { mapped: Some(("src/cart.ts", "save")), ..error() };
        assert_eq!(of(mapped), of(Evidence { message: "other words", stack: FIREFOX, ..mapped }));
        assert_ne!(of(mapped), of(Evidence { mapped: Some(("src/cart.ts", "load")), ..mapped }));
        // A file has many functions without a name.
        let nameless = Evidence { mapped: Some(("src/cart.ts", "HTMLButtonElement.<anonymous>")), ..error() };
        assert_ne!(of(nameless), of(Evidence { message: "other words", ..nameless }));
        assert_eq!(of(nameless), of(Evidence { message: "user 7 is missing", stack: FIREFOX, ..nameless }));
        for name in ["onClick", "Cart.useEffect"] {
            let handed = Evidence { mapped: Some(("src/cart.ts", name)), ..error() };
            assert_ne!(of(handed), of(Evidence { message: "other words", ..handed }), "{name}");
        }
        for name in ["once", "user", "on", "use"] {
            let own = Evidence { mapped: Some(("src/cart.ts", name)), ..error() };
            assert_eq!(of(own), of(Evidence { message: "other words", ..own }), "{name}");
        }
    }

    #[test]
    fn what_was_not_loaded_is_known_by_its_address() {
        let failed = |address: &str| {
            let message = format!("Failed to load script {address}");
            of(Evidence { kind: "error", subtype: "resource", message: &message, ..Evidence::default() })
        };
        let own = failed("http://localhost:5173/assets/index-B3f9xQ1z.js");
        assert_eq!(own, failed("http://localhost:5173/assets/index-Zq81mPa0.js?v=2"), "another build");
        assert_ne!(own, failed("http://localhost:5173/assets/vendor-B3f9xQ1z.js"));
        assert_ne!(own, failed("https://cdn.example/assets/index-B3f9xQ1z.js"));
        assert_eq!(failed("https://cdn.example/avatars/42.png"), failed("https://cdn.example/avatars/7.png"));
        // A message of one's own is told by its words.
        let said = |address: &str| {
            let message = format!("no answer of {address}");
            of(Evidence { kind: "error", subtype: "console", message: &message, ..Evidence::default() })
        };
        assert_eq!(said("https://a.example/x"), said("https://b.example/y"));
    }

    #[test]
    fn the_user_says_what_makes_errors_the_same() {
        let by =
            |grouping, evidence: Evidence<'_>| fingerprint_by(grouping, &evidence, &mut Scratch::default());
        let elsewhere = Evidence { stack: "load@http://localhost:5173/src/cart.js:1:1", ..error() };
        let otherwise = Evidence { message: "cart is missing", ..error() };
        let mapped = Evidence { mapped: Some(("src/cart.ts", "save")), ..error() };
        for (grouping, by_place, by_message) in [
            (Grouping::MessageAndFrame, true, true),
            (Grouping::Message, false, true),
            (Grouping::Frame, true, false),
        ] {
            let own = by(grouping, error());
            assert_eq!(own != by(grouping, elsewhere), by_place, "{grouping:?}");
            assert_eq!(own != by(grouping, otherwise), by_message, "{grouping:?}");
        }
        assert_eq!(by(Grouping::Message, mapped), by(Grouping::Message, error()));
        let nowhere = Evidence { stack: "", ..error() };
        assert_ne!(
            by(Grouping::Frame, nowhere),
            by(Grouping::Frame, Evidence { message: "other", ..nowhere })
        );
        assert_eq!(by(Grouping::default(), error()), of(error()));
    }

    #[test]
    fn other_problems_are_other_groups() {
        let request =
            Evidence { kind: "metric", endpoint: "GET /a", status: Some(500), ..Evidence::default() };
        let told = Evidence { kind: "error", subtype: "network", message: "Request failed", ..request };
        assert_eq!(of(told), of(request), "a failed request is one, whoever tells of it");
        let all = [
            error(),
            Evidence { message: "cart is missing", ..error() },
            Evidence { kind: "log", ..error() },
            Evidence { stack: "", ..error() },
            Evidence { stack: "load@http://localhost:5173/src/cart.js:1:1", ..error() },
            Evidence { stack: "save@http://localhost:5173/src/user.js:1:1", ..error() },
            request,
            Evidence { status: Some(404), ..request },
            Evidence { status: None, ..told },
            Evidence { endpoint: "GET /b", ..request },
        ];
        // By the digits that are shown, too.
        let groups: std::collections::BTreeSet<u64> = all.into_iter().map(|one| of(one) >> 48).collect();
        assert_eq!(groups.len(), all.len());
    }

    #[test]
    fn groups_are_the_same_in_every_run() {
        let mut known = Fnv::default();
        known.bytes(b"foobar");
        assert_eq!(known.finish(), 0x8594_4171_f739_67e8, "the published test value");
        assert_eq!(Fnv(0).finish(), 1);
    }

    proptest::proptest! {
        #[test]
        fn any_evidence_has_a_group(message in "(.|\n|['\"`@0-9-]){0,200}", stack in "(at |@|:[0-9]|\\(|\\)|\n|.){0,200}") {
            let evidence = Evidence { message: &message, stack: &stack, ..Evidence::default() };
            proptest::prop_assert_ne!(of(evidence), 0);
            proptest::prop_assert_eq!(of(evidence), of(evidence));
        }
    }
}
