//! Whether one filter lets through nothing that another did not.
//!
//! Asked by the scan when a filter replaces another: then only what the other let through must be looked at. It may
//! say no too often, never yes.

use super::typed::{Compare, Expr, Subject, Term, Test};
use super::{Filter, prose};
use crate::event::Column;

impl Filter {
    /// True if this lets through nothing that `wider` did not let through, at whatever time that was: a term more, or
    /// more letters of a word.
    pub fn narrows(&self, wider: &Self) -> bool {
        let (Some(narrow), Some(wide)) = (&self.expr, &wider.expr) else { return false };
        if wider.depends().any() {
            return false;
        }
        let narrow = conjuncts(narrow);
        conjuncts(wide).iter().all(|wide| narrow.iter().any(|narrow| implies(narrow, wide)))
    }
}

/// What all must hold for `expr` to hold.
pub(super) fn conjuncts(expr: &Expr) -> &[Expr] {
    match expr {
        Expr::And(parts) => parts,
        other => std::slice::from_ref(other),
    }
}

fn implies(narrow: &Expr, wide: &Expr) -> bool {
    let is_longer = match (narrow, wide) {
        (Expr::Term(Term::Anywhere(narrow)), Expr::Term(Term::Anywhere(wide))) => {
            matches!((narrow.as_literal(), wide.as_literal()), (Some(narrow), Some(wide)) if holds(narrow, wide))
        }
        (Expr::Term(Term::Compare(narrow)), Expr::Term(Term::Compare(wide))) => {
            matches!((part(narrow), part(wide)), (Some((a, narrow)), Some((b, wide)))
                if same(a, b) && holds(narrow, wide) && narrow.starts_with('/') == wide.starts_with('/'))
        }
        _ => false,
    };
    is_longer || prose(narrow) == prose(wide)
}

/// Whether `narrow` holds `wide` but for case. Other letters than ASCII's fold in other ways beside their like.
fn holds(narrow: &str, wide: &str) -> bool {
    narrow.is_ascii() && wide.is_ascii() && narrow.to_ascii_lowercase().contains(&wide.to_ascii_lowercase())
}

/// The subject and the text of a test of a part of a text in the data.
fn part(compare: &Compare) -> Option<(&Subject, &str)> {
    let is_in_data = match &compare.subject {
        Subject::Data(_) => true,
        Subject::Field(field) => {
            matches!(field.column, Column::Message | Column::First(_) | Column::Each(_))
        }
    };
    match compare.tests.as_slice() {
        [Test::Contains(text, None)] if is_in_data && !compare.is_negated => Some((&compare.subject, text)),
        _ => None,
    }
}

fn same(a: &Subject, b: &Subject) -> bool {
    match (a, b) {
        (Subject::Field(a), Subject::Field(b)) => a.name == b.name,
        (Subject::Data(a), Subject::Data(b)) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::filter::parse;

    #[test]
    fn more_letters_and_more_terms_narrow() {
        for (narrow, wide, expected) in [
            ("quot", "quo", true),
            ("xQUOta", "quo", true),
            ("quo", "quot", false),
            ("quota level:error", "quot", true),
            ("level:error quota", "level:error", true),
            ("level:error", "level:warn", false),
            ("quota OR x", "quo", false),
            ("-quota", "-quo", false),
            ("-quo level:error", "-quo", true),
            ("quo*a", "quo", false),
            ("\u{e9}k", "k", false),
            ("url:/inv", "url:/i", true),
            ("url:x/inv", "url:/i", false),
            ("url:/inv", "path:/i", false),
            ("foo.bar:ab", "foo.bar:a", true),
            ("foo.bar:12", "foo.bar:1", false),
            ("user:ab", "user:a", false),
            ("message:ab", "message:a", true),
            ("quota since:5m", "quota", true),
            ("quota since:5m", "since:5m", false),
            ("quota", "", false),
        ] {
            let filter = |text| parse(text).filter.expect("valid");
            assert_eq!(filter(narrow).narrows(&filter(wide)), expected, "{narrow} / {wide}");
        }
    }
}
