//! Values that are numbers: plain, with units, classes, ranges, and those of fields nothing is known of.
//!
//! Called by `kinds`. A number without a unit is in the field's own.

use super::ast::Op;
use super::error::FilterError;
use super::kinds::{Read, Value};
use super::typed::{Bounds, NumberTest, Sign, Subject, Test};
use super::value::{self, BadQuantity, Measure, Number, Quantity};

type Result<T> = std::result::Result<T, FilterError>;

/// A number of `measure`, in `own_unit` if none is written.
pub(super) fn number(value: &Value<'_>, measure: Measure, own_unit: &str) -> Result<Read> {
    let typed = value.plain();
    let offset = value.scalar.text.len() - typed.len();
    let sign = value.sign();
    refuse_chain(value)?;
    refuse_range(value)?;
    refuse_dash(value, measure, own_unit)?;
    let one = |text: &str, at: usize| {
        value::quantity(text, measure, own_unit).map_err(|bad| explain(value, measure, text, at, &bad))
    };
    if let Some((low, high)) = value::range(typed) {
        let low = low.map(|low| one(low, offset)).transpose()?;
        let high = high.map(|high| one(high, value.scalar.text.len() - high.len())).transpose()?;
        return between(value, low, high).map(Read::from);
    }
    let quantity = one(typed, offset)?;
    let is_bare = typed.ends_with(|c: char| c.is_ascii_digit() || c == '.');
    let test = NumberTest {
        bounds: Bounds::by_sign(sign, quantity.value),
        measure,
        sign,
        text: quantity.text.clone(),
    };
    Ok(Read {
        test: Test::Number(test),
        unit_added: (is_bare && measure != Measure::Plain).then_some(quantity.text),
        // `200m` may become `200ms`; ages are rarely in milliseconds, so theirs are taken as meant.
        is_open: value.is_last && own_unit == "ms" && typed.ends_with('m'),
    })
}

/// A status: a number, a class or a range.
pub(super) fn status(value: &Value<'_>) -> Result<Read> {
    let typed = value.plain().to_ascii_lowercase();
    let class = match typed.as_bytes() {
        [digit @ b'1'..=b'5', b'x', b'x'] => Some(digit - b'0'),
        _ => None,
    };
    let Some(class) = class else {
        let mut read = number(value, Measure::Plain, "")?;
        read.is_open |= value.is_last && value.sign() == Sign::Is && typed.len() < 3;
        return Ok(read);
    };
    let field = &value.written.field;
    if value.sign() != Sign::Is {
        let first = u32::from(class) * 100;
        let op = &value.written.op_text;
        let message = format!("`{typed}` is a class, so use {field}:{typed}, or {field}{op}{first}");
        return Err(value.error("E-CLASS", message).with_fix(value.scalar.span.clone(), first.to_string()));
    }
    let first = f64::from(class) * 100.0;
    let bounds = Bounds::between(first, first + 99.0);
    Ok(Test::Number(NumberTest { bounds, measure: Measure::Plain, sign: Sign::Is, text: typed }).into())
}

/// A value of a path in the data: what it looks like decides.
pub(super) fn data(value: &Value<'_>) -> Result<Read> {
    let Subject::Data(path) = value.subject else { unreachable!("built-in fields have kinds") };
    let typed = value.plain();
    let own = own_unit(path);
    if value.sign() != Sign::Is {
        return match own {
            Some((measure, unit)) => number(value, measure, unit),
            None => any_number(value),
        };
    }
    if value.op == Op::Contains || value.op == Op::Same {
        return Ok(value.text(true, None).into());
    }
    if let Some((measure, unit)) = own {
        let is_number = value::quantity(typed, measure, unit).is_ok();
        if is_number || is_range(typed, |side| value::quantity(side, measure, unit).is_ok()) {
            return number(value, measure, unit);
        }
    } else if !value.scalar.is_quoted && is_range(typed, |side| value::any_quantity(side).is_some()) {
        return any_number(value);
    }
    let plain = value::quantity(typed, Measure::Plain, "").ok().map(|quantity| quantity.value);
    Ok(value.text(true, plain).into())
}

fn is_range(typed: &str, is_number: impl Fn(&str) -> bool) -> bool {
    value::range(typed).is_some_and(|(low, high)| low.is_none_or(&is_number) && high.is_none_or(&is_number))
}

/// A number that brings its own unit or has none.
fn any_number(value: &Value<'_>) -> Result<Read> {
    let measure = match value::range(value.plain()) {
        Some((Some(side), _) | (None, Some(side))) => value::any_quantity(side),
        _ => value::any_quantity(value.plain()),
    }
    .map_or(Measure::Plain, |quantity| quantity.measure);
    let unit = match measure {
        Measure::Plain => "",
        Measure::Duration => "ms",
        Measure::Size => "B",
    };
    let mut read = number(value, measure, unit)?;
    read.is_open = false;
    Ok(read)
}

/// What a path's name says its numbers measure (FILTER: fields).
pub(super) fn own_unit(path: &[impl AsRef<str>]) -> Option<(Measure, &'static str)> {
    let last = path.last()?.as_ref();
    let ends = |kebab: [&str; 3]| kebab.iter().any(|end| last.ends_with(end));
    if ends(["-kb", "_kb", "Kb"]) || last.ends_with("KB") {
        return Some((Measure::Size, "kB"));
    }
    let is_timing = path.len() > 1 && path[0].as_ref().trim_start_matches('@').eq_ignore_ascii_case("timing");
    (is_timing || ends(["-ms", "_ms", "Ms"])).then_some((Measure::Duration, "ms"))
}

/// `>=400..499`
pub(super) fn refuse_range(value: &Value<'_>) -> Result<()> {
    let typed = value.plain();
    if value.sign() == Sign::Is || value::range(typed).is_none() {
        return Ok(());
    }
    let range = format!("{}:{typed}", value.written.field);
    let message = format!("one comparison at a time: for a range write {range}");
    let whole = value.written.field_span.start..value.scalar.span.end;
    let error = value.error("E-CHAIN", message);
    Err(if value.scalar.is_quoted { error } else { error.with_fix(whole, range) })
}

/// `200-299`
fn refuse_dash(value: &Value<'_>, measure: Measure, own_unit: &str) -> Result<()> {
    let is_one = |text: &str| value::quantity(text, measure, own_unit).is_ok();
    let sides = value.plain().split_once('-').filter(|(low, high)| is_one(low) && is_one(high));
    let Some((low, high)) = sides.filter(|_| value.sign() == Sign::Is) else { return Ok(()) };
    let range = format!("{low}..{high}");
    let error = value.error("E-RANGE", format!("for a range write {range}"));
    Err(error.with_fix(value.scalar.span.clone(), range))
}

/// `100ms<500ms`
fn refuse_chain(value: &Value<'_>) -> Result<()> {
    let typed = &value.scalar.text;
    let Some(at) = typed.find(['<', '>', '=']).filter(|at| *at > 0 && !value.scalar.is_quoted) else {
        return Ok(());
    };
    let (left, right) = (&typed[..at], typed[at..].trim_start_matches(['<', '>', '=']));
    let is_rising = matches!(value.sign(), Sign::Gt | Sign::Ge);
    let (low, high) = if is_rising { (left, right) } else { (right, left) };
    let field = &value.written.field;
    let range = format!("{field}:{low}..{high}");
    let message = format!("one comparison at a time: for a range write {range}");
    let whole = value.written.field_span.start..value.scalar.span.end;
    Err(FilterError::new("E-CHAIN", value.place(at, 1), message).with_fix(whole, range))
}

fn between(value: &Value<'_>, low: Option<Quantity>, high: Option<Quantity>) -> Result<Test> {
    let measure = low.as_ref().or(high.as_ref()).map_or(Measure::Plain, |quantity| quantity.measure);
    let text =
        |side: &Option<Quantity>| side.as_ref().map_or(String::new(), |quantity| quantity.text.clone());
    let number = |side: &Option<Quantity>| side.as_ref().map(|quantity| quantity.value);
    let (bounds, text) = order(value, number(&low), number(&high), || (text(&low), text(&high)))
        .map_err(|error| error.unfinished_if(value.is_last && may_grow(value.plain(), measure)))?;
    Ok(Test::Number(NumberTest { bounds, measure, sign: Sign::Is, text }))
}

/// True if the end of a range is a number that more digits or a unit can make larger than its beginning. A status
/// has no more digits than its beginning, and other plain numbers rarely have.
fn may_grow(range: &str, measure: Measure) -> bool {
    let Some((Some(low), Some(high))) = value::range(range) else { return false };
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let is_bare = high.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_bare && (measure != Measure::Plain || digits(high) < digits(low))
}

/// The bounds of a range and its text.
///
/// # Errors
/// If the range is backwards.
pub(super) fn order(
    value: &Value<'_>,
    low: Option<Number>,
    high: Option<Number>,
    texts: impl Fn() -> (String, String),
) -> Result<(Bounds, String)> {
    let (from, to) = texts();
    let bounds =
        Bounds::between(low.unwrap_or(f64::NEG_INFINITY.into()), high.unwrap_or(f64::INFINITY.into()));
    if bounds.low > bounds.high {
        let right = format!("{to}..{from}");
        let message = format!("this range is backwards: write {right}");
        return Err(value.error("E-RANGE", message).with_fix(value.scalar.span.clone(), right));
    }
    Ok((bounds, format!("{from}..{to}")))
}

fn explain(value: &Value<'_>, measure: Measure, text: &str, at: usize, bad: &BadQuantity) -> FilterError {
    let span = value.place(at, text.len());
    // `100,200` may be a list.
    let may_be_list = value.sign() == Sign::Is && text.ends_with(|c: char| c.is_ascii_digit());
    if let Some(meant) = with_point(text, measure).filter(|_| !value.scalar.is_quoted && !may_be_list) {
        let message = format!("a fraction is written with a point. Did you mean {meant}?");
        return FilterError::new("E-COMMA", span.clone(), message).with_fix(span, meant);
    }
    if let BadQuantity::Unit(unit_at) = *bad {
        return unknown_unit(value, measure, &text[unit_at..], at + unit_at);
    }
    match measure {
        Measure::Duration => {
            FilterError::new("E-DUR", span, format!("`{text}` is not a duration: write 200ms, 1.5s or 2m"))
                .unfinished_if(value.is_last && may_become_number(text))
        }
        Measure::Size => {
            FilterError::new("E-SIZE", span, format!("`{text}` is not a size: write 4kb, 1mb or 500"))
                .unfinished_if(value.is_last && may_become_number(text))
        }
        Measure::Plain => not_a_number(value, text, at),
    }
}

/// `1,5s` as it is written here.
fn with_point(text: &str, measure: Measure) -> Option<String> {
    let (whole, fraction) = text.split_once(',')?;
    let is_number = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    let meant = format!("{whole}.{fraction}");
    let unit = measure.units().first().map_or("", |(unit, _)| unit);
    let is_right = is_number(whole) && is_number(fraction) && value::quantity(&meant, measure, unit).is_ok();
    is_right.then_some(meant)
}

/// A sign or nothing yet, or a range of which one dot or both ends are missing.
fn may_become_number(text: &str) -> bool {
    matches!(text, "-" | "+" | "." | "..")
        || text.strip_suffix('.').is_some_and(|number| number.parse::<f64>().is_ok())
}

fn not_a_number(value: &Value<'_>, text: &str, at: usize) -> FilterError {
    let field = &value.written.field;
    let is_status = matches!(value.subject, Subject::Field(field) if field.name == "status");
    let takes = match value.subject {
        Subject::Field(_) if is_status => "404, 5xx or 400..499".to_owned(),
        Subject::Field(known) => format!("{} or {}", known.examples[0], known.examples[1]),
        Subject::Data(_) => "5, 200ms or 4kb".to_owned(),
    };
    let digits: String = text
        .chars()
        .map(|c| match c {
            'o' | 'O' => '0',
            'l' | 'I' => '1',
            other => other,
        })
        .collect();
    let meant = (digits != text && digits.parse::<f64>().is_ok()).then_some(digits);
    let hint = meant.as_ref().map_or(String::new(), |meant| format!(". Did you mean {meant}?"));
    let is_class = is_status && matches!(text.as_bytes(), [b'1'..=b'5', b'x' | b'X']);
    let span = value.place(at, text.len());
    let message = format!("`{text}` is not a number: {field} takes {takes}{hint}");
    let error = FilterError::new("E-NUM", span.clone(), message)
        .unfinished_if(value.is_last && (is_class || may_become_number(text)));
    match meant {
        Some(meant) => error.with_fix(span, meant),
        None => error,
    }
}

/// Units written out whose first letter is another unit's.
const WORDS: [(&str, &str); 2] = [("mil", "ms"), ("mic", "us")];

pub(super) fn unknown_unit(value: &Value<'_>, measure: Measure, unit: &str, at: usize) -> FilterError {
    let (known, code) = match measure {
        Measure::Size => ("b, kb, mb (or kib, mib)", "E-UNIT"),
        _ => ("us, ms, s, m (minutes) or h", "E-UNIT"),
    };
    let lower = unit.to_ascii_lowercase();
    let names = || measure.units().iter().map(|(name, _)| name.to_ascii_lowercase());
    let may_become = names().any(|name| name.starts_with(&lower))
        // Half of a range.
        || lower.strip_suffix('.').is_some_and(|unit| unit.is_empty() || names().any(|name| name == unit));
    let by_beginning = || names().filter(|name| lower.starts_with(name.as_str())).max_by_key(String::len);
    let by_letter = || names().find(|name| name.chars().next() == lower.chars().next());
    let spelled_out = WORDS.iter().find(|(word, _)| measure == Measure::Duration && lower.starts_with(word));
    let spelled_out = spelled_out.map(|(_, unit)| (*unit).to_owned());
    let meant = spelled_out.or_else(by_beginning).or_else(by_letter);
    let span = value.place(at, unit.len());
    let error = FilterError::new(code, span.clone(), format!("unknown unit `{unit}`: use {known}"))
        .unfinished_if(value.is_last && may_become);
    match meant {
        Some(meant) => error.with_fix(span, meant),
        None => error,
    }
}
