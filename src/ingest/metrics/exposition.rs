//! The text formats of Prometheus and OpenMetrics: families, samples, labels.
//!
//! Filled by the other files of `metrics`. Two samples of a family never have the same labels: those that are the same
//! once cleaned are added up, for a page with a series twice is refused as a whole.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::event::gate;

/// Bytes of a label's value (SECURITY: limits).
const MAX_LABEL: usize = 128;

/// How the page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ingest) enum Form {
    Prometheus,
    OpenMetrics,
}

impl Form {
    /// The form that an Accept header asks for.
    pub(in crate::ingest) fn wanted(accept: &str) -> Self {
        let has_other = accept.contains("application/openmetrics-text");
        if has_other { Self::OpenMetrics } else { Self::Prometheus }
    }

    pub(in crate::ingest) fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// What kind of numbers a family holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
}

impl Kind {
    fn name(self) -> &'static str {
        ["counter", "gauge", "histogram", "summary"][self as usize]
    }
}

/// Names of labels, each with its value.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

/// A page in the making.
pub(super) struct Exposition {
    form: Form,
    text: String,
}

impl Exposition {
    pub(super) fn new(form: Form) -> Self {
        Self { form, text: String::with_capacity(16 * 1024) }
    }

    /// Begins a family. The name of a counter ends with `_total`, which OpenMetrics leaves out here.
    fn begin(&mut self, name: &str, kind: Kind, help: &str) {
        let is_short = self.form == Form::OpenMetrics && kind == Kind::Counter;
        let family = if is_short { name.strip_suffix("_total").unwrap_or(name) } else { name };
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "# HELP {family} {help}");
        let _ = writeln!(self.text, "# TYPE {family} {}", kind.name());
    }

    fn sample(&mut self, name: &str, labels: &str, value: &str) {
        let _ = match labels {
            "" => writeln!(self.text, "{name} {value}"),
            labels => writeln!(self.text, "{name}{{{labels}}} {value}"),
        };
    }

    /// A family of one number.
    pub(super) fn one(&mut self, name: &str, kind: Kind, help: &str, value: u64) {
        self.begin(name, kind, help);
        self.sample(name, "", &value.to_string());
    }

    /// A family of numbers by labels; nothing at all where there are none.
    pub(super) fn by(&mut self, name: &str, kind: Kind, help: &str, samples: &Sums) {
        if samples.0.is_empty() {
            return;
        }
        self.begin(name, kind, help);
        for (labels, value) in &samples.0 {
            self.sample(name, labels, &value.to_string());
        }
    }

    /// A family of measured values by labels; `None` is left out.
    pub(super) fn measured<'a>(
        &mut self,
        name: &str,
        kind: Kind,
        help: &str,
        samples: impl IntoIterator<Item = (Vec<(&'static str, &'a str)>, Option<f64>)>,
    ) {
        let mut is_open = false;
        for (labels, value) in samples {
            let Some(value) = value else { continue };
            if !is_open {
                self.begin(name, kind, help);
                is_open = true;
            }
            self.sample(name, &written(&labels), &format!("{value:?}"));
        }
    }

    /// A family of histograms by labels: counts up to each bound in seconds, the count and the sum of all.
    pub(super) fn histogram(&mut self, name: &str, help: &str, bounds: &[f64], all: &Histograms) {
        if all.0.is_empty() {
            return;
        }
        self.begin(name, Kind::Histogram, help);
        for (labels, histogram) in &all.0 {
            let bucket = format!("{name}_bucket");
            for (bound, count) in bounds.iter().zip(&histogram.upto) {
                self.sample(&bucket, &format!("{labels},le=\"{bound:?}\""), &count.to_string());
            }
            self.sample(&bucket, &format!("{labels},le=\"+Inf\""), &histogram.count.to_string());
            self.sample(&format!("{name}_count"), labels, &histogram.count.to_string());
            self.sample(&format!("{name}_sum"), labels, &format!("{:?}", histogram.seconds));
        }
    }

    pub(super) fn finish(mut self) -> String {
        if self.form == Form::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

/// Counts by labels, in the order of the labels.
#[derive(Debug, Default)]
pub(super) struct Sums(BTreeMap<String, u64>);

impl Sums {
    pub(super) fn add(&mut self, labels: Labels<'_>, count: u64) {
        *self.0.entry(written(labels)).or_default() += count;
    }
}

/// A histogram as it is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Histogram {
    pub(super) upto: Vec<u64>,
    pub(super) count: u64,
    pub(super) seconds: f64,
}

/// Histograms by labels, in the order of the labels.
#[derive(Debug, Default)]
pub(super) struct Histograms(BTreeMap<String, Histogram>);

impl Histograms {
    pub(super) fn add(&mut self, labels: Labels<'_>, more: &Histogram) {
        let sum = self.0.entry(written(labels)).or_default();
        sum.upto.resize(more.upto.len(), 0);
        sum.upto.iter_mut().zip(&more.upto).for_each(|(sum, more)| *sum += more);
        sum.count += more.count;
        sum.seconds += more.seconds;
    }
}

/// `name="value",other="…"`, cleaned, cut and escaped.
fn written(labels: Labels<'_>) -> String {
    let mut out = String::new();
    for (name, value) in labels {
        let separator = if out.is_empty() { "" } else { "," };
        let _ = write!(out, "{separator}{name}=\"");
        push_value(value, &mut out);
        out.push('"');
    }
    out
}

fn push_value(value: &str, out: &mut String) {
    let clean = gate::plain(value);
    let end = if clean.len() <= MAX_LABEL { clean.len() } else { clean.floor_char_boundary(MAX_LABEL - 3) };
    for c in clean[..end].chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    if end < clean.len() {
        out.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_end_its_line_or_grow_and_keeps_its_meaning() {
        let long = "é".repeat(100);
        for (value, expected) in [
            ("GET", r#"a="GET""#),
            ("x\"} 1\nforged_total 9", "a=\"x\\\"} 1␤forged_total 9\""),
            ("back\\slash\u{1b}[2J", "a=\"back\\\\slash␛[2J\""),
            ("\u{202e}abc", "a=\"<U+202E>abc\""),
            (long.as_str(), &format!("a=\"{}…\"", "é".repeat(62))),
        ] {
            assert_eq!(written(&[("a", value)]), expected, "{value}");
        }
    }

    #[test]
    fn labels_that_look_the_same_are_one_series() {
        let mut sums = Sums::default();
        let long = "x".repeat(200);
        for value in [long.as_str(), &format!("{long}y"), "short"] {
            sums.add(&[("a", value)], 2);
        }
        let mut out = Exposition::new(Form::OpenMetrics);
        out.by("app_errors_total", Kind::Counter, "Errors.", &sums);
        let text = out.finish();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0..2], ["# HELP app_errors Errors.", "# TYPE app_errors counter"]);
        assert_eq!(lines[2], "app_errors_total{a=\"short\"} 2");
        assert!(lines[3].ends_with("x…\"} 4") && lines[4] == "# EOF", "{text}");
    }
}
