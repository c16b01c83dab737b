//! The part of a Turbopack chunk that one module is: after a hot update the page evals it alone and counts its lines from there.
//!
//! Asked by `load` for scripts that frames name with a module; pure.

use std::ops::Range;

/// The lines of the module `id` in `chunk`, from 0, and their text. A module begins with its name and the function that it
/// is, and so does the next one; the name is all that the page leaves out, so line and line are the same.
pub(super) fn part_of<'c>(chunk: &'c str, id: &str) -> Option<(Range<u32>, &'c str)> {
    let name = serde_json::to_string(id).ok()?;
    let is_head = |line: &str| line.starts_with('"') && line.contains("((__turbopack_context__");
    let mut end = 0;
    let mut heads = chunk.split_inclusive('\n').zip(0_u32..).filter_map(|(line, number)| {
        let start = end;
        end += line.len();
        is_head(line).then_some((line, number, start))
    });
    let (_, first, start) = heads
        .find(|(line, ..)| line.strip_prefix(&*name).is_some_and(|rest| rest.starts_with([',', ':'])))?;
    let (last, end) = heads.next().map_or((u32::MAX, chunk.len()), |(_, number, start)| (number, start));
    Some((first..last, &chunk[start..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_reaches_from_its_name_to_the_next_one() {
        let chunk = "(globalThis[\"TURBOPACK\"] ||= []).push([\n\"[project]/a.ts (x)\", ((__turbopack_context__) => {\n\"use strict\";\n\na()\n}),\n\
                     \"[project]/\\\"b\\\".ts\", ((__turbopack_context__, module, exports) => {\n\nb()\n}),\n]);\n";
        for (id, lines, starts) in [
            ("[project]/a.ts (x)", Some(1..6), "\"[project]/a.ts (x)\", (("),
            ("[project]/\"b\".ts", Some(6..u32::MAX), "\"[project]/\\\"b\\\".ts\", (("),
            ("[project]/a.ts", None, ""),
            ("use strict", None, ""),
            ("", None, ""),
        ] {
            let part = part_of(chunk, id);
            assert_eq!(part.as_ref().map(|(lines, _)| lines.clone()), lines, "{id}");
            assert!(part.is_none_or(|(lines, text)| {
                text.starts_with(starts) && (lines.end == u32::MAX || text.lines().count() == lines.len())
            }));
        }
    }
}
