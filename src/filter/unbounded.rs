//! A filter without its bounds in time: what came before is compared with what it lets through.
//!
//! Asked by the latency screen. It looks at what all must hold and leaves everything else as it is.

use super::Filter;
use super::narrower::conjuncts;
use super::typed::{Expr, Subject, Term};
use crate::event::FieldKind;

impl Filter {
    /// This without `since:reload`, `load:0`, `time:14:32..14:35` and the like; `None` where nothing bounds it so.
    pub fn unbounded(&self) -> Option<Self> {
        let parts = conjuncts(self.expr.as_ref()?);
        let mut kept: Vec<Expr> = parts.iter().filter(|part| !is_bound(part)).cloned().collect();
        if kept.len() == parts.len() {
            return None;
        }
        let expr = if kept.len() > 1 { Some(Expr::And(kept)) } else { kept.pop() };
        let mut wider = Self { text: String::new(), expr };
        wider.text = wider.to_string();
        Some(wider)
    }
}

fn is_bound(part: &Expr) -> bool {
    match part {
        Expr::Not(part) => is_bound(part),
        Expr::Term(Term::Compare(compare)) => match compare.subject {
            Subject::Field(field) => {
                matches!(field.kind, FieldKind::Moment | FieldKind::Time | FieldKind::Age | FieldKind::Load)
            }
            Subject::Data(_) => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn bounds_in_time_leave_and_nothing_else_does() {
        let unbounded = |text: &str| {
            let filter = crate::filter::parse(text).filter.expect("a filter");
            filter.unbounded().map(|wider| wider.to_string())
        };
        for (text, expected) in [
            ("since:reload", Some("")),
            ("session:latest since:reload", Some("session:latest")),
            ("load:0 url:/api -status:404", Some("url:/api -status:404")),
            ("time:14:32..14:35 age<5m -until:mark timeout", Some("timeout")),
            ("(is:failed or is:slow) since:mark", Some("is:failed OR is:slow")),
            ("is:failed or since:reload", None),
            ("url:/api", None),
            ("", None),
        ] {
            assert_eq!(unbounded(text).as_deref(), expected, "{text}");
        }
    }
}
