//! JSON text laid out over lines, for the detail pane.
//!
//! Called with text that is known to be JSON; it never builds a tree and never recurses. The lines are as untrusted
//! as the text and pass the gate like everything else.

/// Columns of indentation for each level, and the level from which it stays the same.
const INDENT: usize = 2;
const MAX_INDENT_LEVELS: usize = 16;

/// At most `max_lines` lines of `json`; the rest is left out, and said so in the last line.
pub(super) fn lines(json: &str, max_lines: usize) -> Vec<String> {
    let mut layout = Layout { lines: Vec::new(), line: String::new(), depth: 0, max_lines };
    let bytes = json.as_bytes();
    let mut at = 0;
    while at < bytes.len() && layout.lines.len() < max_lines {
        let byte = bytes[at];
        let end = match byte {
            b'"' => string_end(bytes, at),
            b'{' | b'[' => open(&mut layout, json, at),
            b'}' | b']' => {
                layout.depth = layout.depth.saturating_sub(1);
                layout.break_line();
                at + 1
            }
            b' ' | b'\n' | b'\r' | b'\t' => {
                at += 1;
                continue;
            }
            _ => {
                at + 1 + bytes[at + 1..].iter().take_while(|next| !b",:{}[]\" \n\r\t".contains(next)).count()
            }
        };
        let end = if b",:".contains(&byte) { at + 1 } else { end };
        layout.line.push_str(json.get(at..end).unwrap_or(""));
        match byte {
            b',' => layout.break_line(),
            b':' => layout.line.push(' '),
            b'{' | b'[' if end == at + 1 => {
                layout.depth += 1;
                layout.break_line();
            }
            _ => {}
        }
        at = end;
    }
    layout.finish(at < bytes.len())
}

struct Layout {
    lines: Vec<String>,
    line: String,
    depth: usize,
    max_lines: usize,
}

impl Layout {
    fn break_line(&mut self) {
        let indent = " ".repeat(INDENT * self.depth.min(MAX_INDENT_LEVELS));
        let line = std::mem::replace(&mut self.line, indent);
        if !line.trim().is_empty() {
            self.lines.push(line);
        }
    }

    fn finish(mut self, is_cut: bool) -> Vec<String> {
        self.depth = 0;
        self.break_line();
        self.lines.truncate(self.max_lines);
        if is_cut && let Some(last) = self.lines.last_mut() {
            "... more: v shows it raw".clone_into(last);
        }
        self.lines
    }
}

/// An empty object or array stays on its line.
fn open(_: &mut Layout, json: &str, at: usize) -> usize {
    let rest = json[at + 1..].trim_start();
    let closes = if json.as_bytes()[at] == b'{' { rest.starts_with('}') } else { rest.starts_with(']') };
    if closes { json.len() - rest.len() + 1 } else { at + 1 }
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        if bytes[at + found] == b'"' {
            return at + found + 1;
        }
        at += found + 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_elements_get_a_line_each() {
        let json = r#"{"a":1,"b":{"c":[true,"x,{y}"],"d":{}},"e":[]}"#;
        let expected = [
            "{",
            "  \"a\": 1,",
            "  \"b\": {",
            "    \"c\": [",
            "      true,",
            "      \"x,{y}\"",
            "    ],",
            "    \"d\": {}",
            "  },",
            "  \"e\": []",
            "}",
        ];
        assert_eq!(lines(json, 100), expected);
    }

    #[test]
    fn long_texts_are_cut_and_say_so() {
        let json = format!("[{}1]", "1,".repeat(1000));
        let lines = lines(&json, 10);
        assert_eq!(lines.len(), 10);
        assert!(lines[9].contains("more"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_laid_out_without_a_panic(text in "[\\[\\]{},:\" a1é\\\\]{0,60}") {
            proptest::prop_assert!(lines(&text, 20).len() <= 20);
        }
    }
}
