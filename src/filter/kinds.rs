//! What each kind of field takes: its operators, the values it reads, and what is said if it cannot.
//!
//! Called by `check` for every value of a comparison. One function a kind; the kind alone decides.

use super::ast::{Comparison, Op, Regexp, Scalar, Span};
use super::error::FilterError;
use super::glob::Glob;
use super::numbers;
use super::regexp;
use super::suggest::nearest;
use super::times;
use super::typed::{Bounds, NumberTest, Sign, Subject, Test};
use super::value::{self, Measure, Number};
use crate::event::{Field, FieldKind, Level, SUBTYPES, Severity, TYPES};

/// One value of a comparison on its way to a test.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    pub(super) written: &'a Comparison,
    pub(super) subject: &'a Subject,
    /// [`Op::Has`] for the items of a list.
    pub(super) op: Op,
    pub(super) scalar: &'a Scalar,
    pub(super) budget: &'a regexp::Budget,
    /// The value touches the end of the text.
    pub(super) is_last: bool,
}

/// A test with what the bar should know about it.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) test: Test,
    /// The reading of a number that came without its unit.
    pub(super) unit_added: Option<String>,
    /// Typing on would change the meaning.
    pub(super) is_open: bool,
}

impl From<Test> for Read {
    fn from(test: Test) -> Self {
        Self { test, unit_added: None, is_open: false }
    }
}

type Result<T> = std::result::Result<T, FilterError>;

impl Value<'_> {
    /// Reads the value as its field's kind says.
    ///
    /// # Errors
    /// If the operator does not fit the kind or the value cannot be read.
    pub(super) fn read(&self) -> Result<Read> {
        self.read_one().map_err(|error| {
            let is_listed = |part: &str| {
                let scalar = Scalar { text: part.to_owned(), ..self.scalar.clone() };
                Value { scalar: &scalar, ..*self }.read_one().is_ok()
            };
            let takes_lists = matches!(
                self.subject,
                Subject::Field(Field {
                    kind: FieldKind::Level
                        | FieldKind::Severity
                        | FieldKind::Status
                        | FieldKind::Number
                        | FieldKind::Load
                        | FieldKind::Type
                        | FieldKind::Group,
                    ..
                })
            );
            let several = if takes_lists { several(self.written, self.scalar, is_listed) } else { None };
            several.or_else(|| self.bracket().filter(|_| takes_lists)).unwrap_or(error)
        })
    }

    fn read_one(&self) -> Result<Read> {
        refuse_operator(self.written, self.subject)?;
        if self.op.takes_regex() {
            let pattern = self.scalar.text.clone();
            let regexp = Regexp { pattern, match_case: false, span: self.scalar.span.clone() };
            let pattern = regexp::compile(&regexp, self.budget);
            return pattern.map(|pattern| Test::Regexp(pattern).into()).map_err(|error| {
                let may_be_closed =
                    error.message.starts_with("unclosed") || error.message.contains("incomplete");
                error.unfinished_if(self.is_last && may_be_closed)
            });
        }
        let Subject::Field(field) = self.subject else { return numbers::data(self) };
        match field.kind {
            FieldKind::Text | FieldKind::Url => Ok(self.text(true, None).into()),
            FieldKind::Name | FieldKind::Signal => Ok(self.name(field).into()),
            FieldKind::Type => self.event_type().map(Read::from),
            FieldKind::Number | FieldKind::Load => numbers::number(self, Measure::Plain, ""),
            FieldKind::Status => numbers::status(self),
            FieldKind::Duration => numbers::number(self, Measure::Duration, "ms"),
            FieldKind::Size => numbers::number(self, Measure::Size, "B"),
            FieldKind::Age => numbers::number(self, Measure::Duration, "s"),
            FieldKind::Bool => self.bool().map(Read::from),
            FieldKind::Level => self.ranked("level", Level::ALL.map(Level::name), |text| {
                Level::parse(text).map(|level| (level as u8, level.name()))
            }),
            FieldKind::Severity => self.ranked("severity", Severity::ALL.map(Severity::name), |text| {
                Severity::parse(text).map(|severity| (severity as u8, severity.name()))
            }),
            FieldKind::Group => self.group().map(Read::from),
            FieldKind::Time => times::time(self).map(Read::from),
            FieldKind::Moment => times::moment(self).map(Read::from),
            FieldKind::Is | FieldKind::Presence => unreachable!("checked as predicates"),
        }
    }

    /// `[warn, error]`, of which the space ends the value.
    fn bracket(&self) -> Option<FilterError> {
        let Subject::Field(field) = self.subject else { return None };
        let [first, second] = field.examples;
        let message = format!("a list stands in ( ): write {}:({first}, {second})", self.written.field);
        (self.scalar.text.starts_with('[') && !self.scalar.is_quoted).then(|| self.error("E-LIST", message))
    }

    /// The value without the colon of a pasted keyword.
    pub(super) fn plain(&self) -> &str {
        let text = self.scalar.text.as_str();
        match text.strip_prefix(':') {
            Some(rest) if !self.scalar.is_quoted && !rest.is_empty() => rest,
            _ => text,
        }
    }

    /// A mistake in the value as a whole.
    pub(super) fn error(&self, code: &'static str, message: impl Into<String>) -> FilterError {
        FilterError::new(code, self.scalar.span.clone(), message)
    }

    /// The place of bytes `at..at + len` of the value.
    pub(super) fn place(&self, at: usize, len: usize) -> Span {
        let span = &self.scalar.span;
        if self.scalar.is_quoted { span.clone() } else { span.start + at..span.start + at + len }
    }

    /// The sign of a number or time; the operators that have none were refused before.
    pub(super) fn sign(&self) -> Sign {
        match self.op {
            Op::Lt => Sign::Lt,
            Op::Le => Sign::Le,
            Op::Gt => Sign::Gt,
            Op::Ge => Sign::Ge,
            _ => Sign::Is,
        }
    }

    /// A test of text; `:` means contains or is. `number` lets it equal values that are numbers.
    pub(super) fn text(&self, has_means_contains: bool, number: Option<Number>) -> Test {
        if self.op == Op::Same {
            return Test::Same(self.scalar.text.clone());
        }
        let glob = Glob::parse(self.plain());
        let contains = self.op == Op::Contains || self.op == Op::Has && has_means_contains;
        match glob.as_literal() {
            Some(text) if contains => Test::Contains(text.to_owned(), number),
            _ if self.op == Op::Contains => {
                let mut pieces = glob.pieces;
                pieces.insert(0, String::new());
                pieces.push(String::new());
                Test::Like(Glob { pieces })
            }
            _ => whole(glob, number),
        }
    }

    fn name(&self, field: &Field) -> Test {
        let is_latest =
            field.name == "session" && self.op == Op::Has && self.plain().eq_ignore_ascii_case("latest");
        if is_latest { Test::LatestSession } else { self.text(false, None) }
    }

    /// `type:`; with `=` any type can be asked for.
    fn event_type(&self) -> Result<Test> {
        if self.op != Op::Has {
            return Ok(self.text(false, None));
        }
        let typed = self.plain();
        let (kind, subtype) = typed.split_once('/').map_or((typed, None), |(kind, sub)| (kind, Some(sub)));
        let kind_glob = Glob::parse(kind);
        let is_known = TYPES.iter().any(|known| known.eq_ignore_ascii_case(kind));
        if !kind_glob.has_star() && !is_known {
            return Err(self.unknown_type(kind, subtype.is_some()));
        }
        match subtype {
            None => Ok(whole(kind_glob, None)),
            Some("") => {
                let message = format!("{typed} needs a subtype, like metric/api-call");
                Err(self.error("E-NOVAL", message).unfinished_if(self.is_last))
            }
            Some(subtype) => Ok(Test::TypePair(kind_glob, Glob::parse(subtype))),
        }
    }

    fn unknown_type(&self, typed: &str, has_subtype: bool) -> FilterError {
        let lower = typed.to_ascii_lowercase();
        let all = TYPES.join(" ");
        let other_field = [
            ("level", Level::parse(&lower).is_some()),
            ("subtype", SUBTYPES.contains(&lower.as_str())),
            ("severity", Severity::parse(&lower).is_some()),
        ]
        .into_iter()
        .find(|(_, takes)| *takes);
        let message = format!("`{typed}` is not a type ({all})");
        let may_become = !has_subtype && TYPES.iter().any(|known| known.starts_with(&lower));
        if let Some((field, _)) = other_field {
            let meant = format!("{field}:{lower}");
            let whole = self.written.field_span.start..self.scalar.span.end;
            return self.error("E-ENUM", format!("{message}. Did you mean {meant}?")).with_fix(whole, meant);
        }
        match nearest(typed, TYPES) {
            Some(meant) => self
                .error("E-ENUM", format!("{message}. Did you mean {meant}?"))
                .with_fix(self.place(0, typed.len()), meant),
            None => {
                let meant = format!("{}={}", self.written.field, self.scalar.text);
                let whole = self.written.field_span.start..self.scalar.span.end;
                let message = format!("{message}. For a type of your own write type={typed}");
                let error = self.error("E-ENUM", message);
                if self.scalar.is_quoted { error } else { error.with_fix(whole, meant) }
            }
        }
        .unfinished_if(self.is_last && may_become)
    }

    fn bool(&self) -> Result<Test> {
        let typed = self.plain().to_ascii_lowercase();
        match typed.as_str() {
            "true" => Ok(Test::Bool(true)),
            "false" => Ok(Test::Bool(false)),
            _ => {
                let may_become = ["true", "false"].iter().any(|word| word.starts_with(&typed));
                let message = format!("{} takes true or false", self.written.field);
                Err(self.error("E-BOOL", message).unfinished_if(self.is_last && may_become))
            }
        }
    }

    /// Levels and severities, which have an order.
    fn ranked<const N: usize>(
        &self,
        what: &str,
        names: [&'static str; N],
        parse: fn(&str) -> Option<(u8, &'static str)>,
    ) -> Result<Read> {
        let one = |text: &str, at: usize| {
            parse(text).ok_or_else(|| {
                let lower = text.to_ascii_lowercase();
                let meant = nearest(text, names);
                let hint = meant.map_or(String::new(), |meant| format!(". Did you mean {meant}?"));
                let message = format!("unknown {what} `{text}`{hint} ({})", names.join(" "));
                let span = self.place(at, text.len());
                let may_become =
                    [".", ".."].contains(&text) || names.iter().any(|name| name.starts_with(&lower));
                let error = FilterError::new("E-ENUM", span.clone(), message)
                    .unfinished_if(self.is_last && may_become);
                meant.map_or(error.clone(), |meant| error.with_fix(span, meant))
            })
        };
        let typed = self.plain();
        let offset = self.scalar.text.len() - typed.len();
        let sign = self.sign();
        numbers::refuse_range(self)?;
        let (bounds, text) = match value::range(typed).filter(|_| sign == Sign::Is) {
            Some((low, high)) => {
                let low = low.map(|low| one(low, offset)).transpose()?;
                let high = high.map(|high| one(high, self.scalar.text.len() - high.len())).transpose()?;
                let rank = |end: (u8, &str)| f64::from(end.0).into();
                numbers::order(self, low.map(rank), high.map(rank), || {
                    (low.map_or("", |low| low.1).to_owned(), high.map_or("", |high| high.1).to_owned())
                })?
            }
            None => {
                let (rank, name) = one(typed, offset)?;
                (Bounds::by_sign(sign, f64::from(rank)), name.to_owned())
            }
        };
        Ok(Test::Number(NumberTest { bounds, measure: Measure::Plain, sign, text }).into())
    }

    fn group(&self) -> Result<Test> {
        let digits = self.plain().trim_end_matches('*').to_ascii_lowercase();
        let value =
            u64::from_str_radix(&digits, 16).ok().filter(|_| digits.len() <= 16 && !digits.starts_with('+'));
        let Some(value) = value else {
            let message = format!(
                "`{}` is not a group: write its hex digits or the first of them, like e7f3",
                self.plain()
            );
            return Err(self.error("E-GROUP", message));
        };
        let open_bits = 64 - 4 * digits.len();
        let low = value << open_bits;
        let high =
            low | 1u64.checked_shl(u32::try_from(open_bits).unwrap_or(0)).map_or(u64::MAX, |bit| bit - 1);
        Ok(Test::Group(low, high, digits))
    }
}

/// `404,500`, `404|500` or `[404,500]`, which elsewhere are lists: each part alone could be read.
pub(super) fn several(
    written: &Comparison,
    scalar: &Scalar,
    is_readable: impl Fn(&str) -> bool,
) -> Option<FilterError> {
    let inside = scalar.text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let sign = [',', '|'].into_iter().find(|sign| scalar.text.contains(*sign)).or(inside.map(|_| ','))?;
    if scalar.is_quoted || !matches!(written.op, Op::Has | Op::Eq) {
        return None;
    }
    let parts: Vec<&str> = inside.unwrap_or(&scalar.text).split(sign).collect();
    if !parts.iter().all(|part| !part.is_empty() && is_readable(part)) {
        return None;
    }
    let list = format!(":({})", parts.join(", "));
    let message = format!("`{}` is several values: write {}{list}", scalar.text, written.field);
    let error = FilterError::new("E-LIST", scalar.span.clone(), message);
    Some(error.with_fix(written.op_span.start..scalar.span.end, list))
}

/// A test for the whole value.
pub(super) fn whole(glob: Glob, number: Option<Number>) -> Test {
    match glob.as_literal() {
        Some(text) => Test::Is(text.to_owned(), number),
        None => Test::Like(glob),
    }
}

/// What a kind's values are called, and the operators it takes.
pub(super) fn operators(subject: &Subject) -> (&'static str, &'static str, fn(Op) -> bool) {
    let kind = match subject {
        Subject::Field(field) => field.kind,
        Subject::Data(_) => return ("a value", ": = != < <= > >= or ~", |_| true),
    };
    match kind {
        FieldKind::Text | FieldKind::Url => ("text", ": = != or ~", |op| !op.is_order()),
        FieldKind::Name | FieldKind::Type | FieldKind::Signal => {
            ("a name", ": = != or ~", |op| !op.is_order())
        }
        FieldKind::Bool => ("true or false", ": = or !=", |op| !op.is_order() && !op.is_for_text()),
        FieldKind::Group => ("a name", ": = or !=", |op| !op.is_order() && !op.is_for_text()),
        FieldKind::Moment => ("a time", ":", |op| {
            !op.is_order() && !op.is_for_text() && op != Op::Ne && !matches!(op, Op::In | Op::NotIn)
        }),
        FieldKind::Level | FieldKind::Severity => ("ordered", ": = != < <= > or >=", |op| !op.is_for_text()),
        FieldKind::Time => ("a time", ": = < <= > or >=", |op| !op.is_for_text() && op != Op::Ne),
        _ => ("a number", ": = != < <= > or >=", |op| !op.is_for_text()),
    }
}

/// Refuses an operator that means nothing for the kind of field.
pub(super) fn refuse_operator(written: &Comparison, subject: &Subject) -> Result<()> {
    let (what, operators, takes) = operators(subject);
    if takes(written.op) {
        return Ok(());
    }
    let message =
        format!("`{}` does not work on {}: it is {what}. Use {operators}", written.op_text, written.field);
    let code = if what == "text" { "E-TEXTOP" } else { "E-KINDOP" };
    Err(FilterError::new(code, written.op_span.clone(), message))
}
