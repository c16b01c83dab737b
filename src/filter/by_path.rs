//! Tests of values by path where the values of a chunk lie by path.
//!
//! Called by `data` for chunks whose texts have been made. A word or pattern is looked for in the values of its field
//! alone, a number is read from values that lie beside each other; no JSON is walked.

use super::bits::Bits;
use super::data::{Clue, DataLeaf, DataTest, Part, is_in_part};
use super::hits::{Holds, each_value, in_values};
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
    let is_presence = matches!(leaf.test, DataTest::Present);
    for (nth, nodes) in paths.iter().enumerate() {
        let is_here = |run: &&Run| run.path.is_some_and(|path| nodes.contains(&path));
        if is_presence {
            there(runs, nodes).filter(|row| wanted.contains(*row)).for_each(|row| out.insert(row));
            continue;
        }
        let unit = leaf.units[nth];
        for run in runs.all.iter().filter(is_here) {
            in_run(leaf, runs, run, unit, &wanted, out);
        }
        // Of several paths the first that exists counts.
        if !leaf.each && nth + 1 < paths.len() {
            there(runs, nodes).for_each(|row| wanted.remove(row));
        }
    }
    Some(apart)
}

/// The rows that have something at one of these paths, some of them more than once.
fn there(runs: &Runs, nodes: &[u16]) -> impl Iterator<Item = usize> {
    let is_here = |run: &&Run| run.path.is_some_and(|path| nodes.contains(&path));
    let said = runs.all.iter().filter(is_here).flat_map(|run| runs.rows_of(run.values.clone()));
    let hollow = nodes.iter().flat_map(|node| &runs.nodes[usize::from(*node)].hollow);
    said.chain(hollow).map(|row| usize::from(*row))
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
            // The word in the right part of a value is all that is asked; elsewhere it may be there once more.
            let is_proof = matches!(leaf.test, DataTest::Text(TextTest::Contains(..)));
            let holds = |value: &str, hit| is_proof && is_in_part(value, leaf.part, &hit) || holds(value);
            let holds = (!is_proof || !is_whole).then_some(&holds as Holds<'_>);
            in_values(runs, run.bytes.clone(), wanted, |text, from| needle.find_at(text, from), holds, out);
        }
        Some(Clue::Regexp(_, Some(lined))) if is_whole => {
            let holds = |value: &str, _| holds(value);
            let holds = (!lined.is_proof).then_some(&holds as Holds<'_>);
            in_values(runs, run.bytes.clone(), wanted, |text, from| lined.place_at(text, from), holds, out);
        }
        _ => each_value(runs, run, wanted, holds, out),
    }
}
