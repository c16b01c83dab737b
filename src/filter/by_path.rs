//! Tests of values by path where the values of a chunk lie by path.
//!
//! Called by `data` for chunks whose texts have been made. A word or pattern is looked for in the values of its field
//! alone, a number is read from values that lie beside each other; no JSON is walked.

use super::bits::Bits;
use super::data::{Clue, DataLeaf, DataTest, Part};
use super::hits::in_values;
use super::text::TextTest;
use super::value::Measure;
use crate::event::{Run, Runs, Texts};

/// Adds to `out` the rows of `mask` that pass. Returns those that must be looked at in another way, which are few;
/// `None` if all of them must, as values of these paths were left out.
pub(super) fn eval(leaf: &mut DataLeaf, texts: &Texts, mask: &Bits, out: &mut Bits) -> Option<Bits> {
    let runs = &texts.values;
    let paths: Vec<Vec<u16>> = leaf.paths.iter().map(|path| runs.under(path)).collect();
    if paths.iter().flatten().any(|path| runs.nodes[usize::from(*path)].has_left_out) {
        return None;
    }
    let mut apart: Bits = texts.odd.iter().chain(&runs.unplaced).map(|row| usize::from(*row)).collect();
    apart.and(mask);
    let mut wanted = mask.clone();
    wanted.and_not(&apart);
    for (nth, nodes) in paths.iter().enumerate() {
        let is_here = |run: &&Run| run.path.is_some_and(|path| nodes.contains(&path));
        let unit = leaf.units[nth];
        for run in runs.all.iter().filter(is_here) {
            in_run(leaf, runs, run, unit, &wanted, out);
        }
        // Of several paths the first that exists counts.
        if !leaf.each && nth + 1 < paths.len() {
            let said = runs.all.iter().filter(is_here).flat_map(|run| &runs.rows[run.values.clone()]);
            let hollow = nodes.iter().flat_map(|node| &runs.nodes[usize::from(*node)].hollow);
            said.chain(hollow).for_each(|row| wanted.remove(usize::from(*row)));
        }
    }
    Some(apart)
}

fn in_run(leaf: &mut DataLeaf, runs: &Runs, run: &Run, unit: Option<Measure>, wanted: &Bits, out: &mut Bits) {
    if let Some(Clue::Word(needle)) = &mut leaf.clue {
        needle.tune(runs.text[run.bytes.clone()].as_bytes());
    }
    let leaf = &*leaf;
    let holds = |value: &str| leaf.value_holds(value, run.form, unit);
    let is_whole = leaf.part == Part::Whole;
    match &leaf.clue {
        Some(Clue::Word(needle)) => {
            let is_proof = is_whole && matches!(leaf.test, DataTest::Text(TextTest::Contains(..)));
            let holds = (!is_proof).then_some(&holds as &dyn Fn(&str) -> bool);
            in_values(runs, run.bytes.clone(), wanted, |text, from| needle.find_at(text, from), holds, out);
        }
        Some(Clue::Regexp(_, Some(lined))) if is_whole => {
            let holds = (!lined.is_proof).then_some(&holds as &dyn Fn(&str) -> bool);
            in_values(runs, run.bytes.clone(), wanted, |text, from| lined.place_at(text, from), holds, out);
        }
        _ => {
            let passing = runs.values_of(run).filter(|(row, value)| wanted.contains(*row) && holds(value));
            passing.for_each(|(row, _)| out.insert(row));
        }
    }
}
