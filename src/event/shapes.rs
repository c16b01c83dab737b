//! Which members the events of a chunk have: few kinds of events, so few shapes.
//!
//! Asked for by filters on values in the data, which skip the rows that cannot have the value. Made at the first
//! question and kept by the chunk until it grows.

use rustc_hash::FxHashMap;

use super::json;

/// Shapes kept apart in a chunk, and bytes of their keys; rows of further shapes are of no known shape.
const MAX_SHAPES: usize = 64;
const MAX_KEY_BYTES: usize = 16 * 1024;
const UNKNOWN: u8 = u8::MAX;

/// The shape of each row.
#[derive(Clone, Debug, Default)]
pub struct Shapes {
    rows: Vec<u8>,
    all: Vec<Shape>,
}

/// The members of an event, in the order written: the key, still escaped, and whether the value is null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape(Box<[(Box<str>, bool)]>);

/// What a shape says of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurrence {
    /// There is none, or it is null.
    Absent,
    /// There is exactly one of that name.
    Once,
    /// There are several; the last one counts.
    Repeated,
}

impl Shapes {
    /// Reads `rows`, each a JSON object.
    pub fn of<'a>(rows: impl Iterator<Item = &'a str>) -> Self {
        let mut shapes = Self::default();
        let mut known: FxHashMap<Box<[u8]>, u8> = FxHashMap::default();
        let mut key_bytes = 0;
        let mut signature = Vec::new();
        for row in rows {
            signature.clear();
            for member in json::members(row) {
                signature.extend_from_slice(member.key.as_bytes());
                // A quote ends no key before its end, and 0 and 1 are in none.
                signature.push(b'"');
                signature.push(u8::from(json::shape(member.value) == json::Shape::Null));
            }
            let number = known.get(signature.as_slice()).copied().unwrap_or_else(|| {
                key_bytes += signature.len();
                if shapes.all.len() >= MAX_SHAPES || key_bytes > MAX_KEY_BYTES {
                    return UNKNOWN;
                }
                let number = u8::try_from(shapes.all.len()).unwrap_or(UNKNOWN);
                known.insert(signature.as_slice().into(), number);
                shapes.all.push(Shape::of(row));
                number
            });
            shapes.rows.push(number);
        }
        shapes
    }

    /// The number of the shape of each row in [`Shapes::all`]; numbers past its end are of no known shape.
    pub fn rows(&self) -> &[u8] {
        &self.rows
    }

    /// All shapes that are known.
    pub fn all(&self) -> &[Shape] {
        &self.all
    }
}

impl Shape {
    fn of(row: &str) -> Self {
        let is_null = |value| json::shape(value) == json::Shape::Null;
        Self(json::members(row).map(|member| (Box::from(member.key), is_null(member.value))).collect())
    }

    /// Whether there is a member `name`, in any case style.
    pub fn occurrence(&self, name: &str) -> Occurrence {
        let mut found = self.0.iter().filter(|(key, _)| json::same_name(&json::unescape(key), name));
        match (found.next_back(), found.next_back()) {
            (None | Some((_, true)), _) => Occurrence::Absent,
            (Some(_), None) => Occurrence::Once,
            (Some(_), Some(_)) => Occurrence::Repeated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_says_which_members_there_are() {
        let rows = [r#"{"a-b":1,"c":null}"#, r#"{"a-b":2,"c":null}"#, r#"{"aB":1,"A_B":2,"\u0063":0}"#, "{}"];
        let shapes = Shapes::of(rows.into_iter());
        assert_eq!(shapes.rows(), [0, 0, 1, 2]);
        let occurrence = |shape: usize, name| shapes.all()[shape].occurrence(name);
        assert_eq!(
            [occurrence(0, "aB"), occurrence(0, "c"), occurrence(0, "x")],
            [Occurrence::Once, Occurrence::Absent, Occurrence::Absent]
        );
        assert_eq!([occurrence(1, "ab"), occurrence(1, "c")], [Occurrence::Repeated, Occurrence::Once]);
    }

    #[test]
    fn what_does_not_fit_is_of_no_known_shape() {
        let rows: Vec<String> = (0..100).map(|number| format!("{{\"k{number}\":1}}")).collect();
        let shapes = Shapes::of(rows.iter().map(String::as_str));
        assert_eq!(shapes.all().len(), MAX_SHAPES);
        assert!(shapes.rows()[MAX_SHAPES..].iter().all(|number| usize::from(*number) >= MAX_SHAPES));
    }

    proptest::proptest! {
        #[test]
        fn a_shape_and_the_reader_agree(
            members in proptest::collection::vec(("[aAb_]{1,2}", "null|1|\"x\""), 0..5),
            name in "[aAb]{1,2}",
        ) {
            let members: Vec<String> = members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
            let row = format!("{{{}}}", members.join(","));
            let shapes = Shapes::of(std::iter::once(row.as_str()));
            let is_there = shapes.all()[0].occurrence(&name) != Occurrence::Absent;
            proptest::prop_assert_eq!(is_there, json::get(&row, &name).is_some());
        }
    }
}
