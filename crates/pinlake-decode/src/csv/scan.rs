//! Where a record ends, and whether its quotes are sound.

use crate::reject::Reason;

/// What follows from the beginning of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// A sound record.
    Record {
        /// Where its text ends.
        end: usize,
        /// Where the next one begins.
        next: usize,
        /// Number of its lines.
        lines: u64,
        /// Number of its cells.
        cells: usize,
    },
    /// The text ends within quotes, which were opened at this byte.
    Open(usize),
    /// No sound record.
    Bad(Reason),
}

/// What is wrong with a quote that nothing closes, for [`Reason::NotCsv`]. A record of several lines may be as long as a line.
pub(crate) const UNCLOSED: &str = "a quote that nothing closes within the limit for a line";

/// Reads the record at the beginning of `text`, which holds whole lines.
///
/// A cell that begins with a quote ends with one, and a doubled quote within it is a quote; in other cells a quote is a
/// character like any other. A CR before a line feed belongs to the line's end.
pub(crate) fn scan(text: &[u8]) -> Scan {
    let (mut at, mut lines, mut cells) = (0, 1, 1);
    loop {
        let end = if text.get(at) == Some(&b'"') {
            let Some(end) = quoted_end(text, at + 1) else { return Scan::Open(at) };
            lines += memchr::memchr_iter(b'\n', &text[at..end]).count() as u64;
            end
        } else {
            let rest = &text[at..];
            let end = at + memchr::memchr2(b',', b'\n', rest).unwrap_or(rest.len());
            if text.get(end) == Some(&b',') {
                end
            } else {
                at + without_carriage_return(&text[at..end]).len()
            }
        };
        let next = match text[end..] {
            [] => end,
            [b'\r'] | [b'\n', ..] => end + 1,
            [b'\r', b'\n', ..] => end + 2,
            [b',', ..] => {
                cells += 1;
                at = end + 1;
                continue;
            }
            _ => return Scan::Bad(Reason::NotCsv { problem: "text behind a closing quote", byte: end }),
        };
        return Scan::Record { end, next, lines, cells };
    }
}

/// Number of cells of a record whose quotes are sound.
pub(crate) fn cell_count(record: &[u8]) -> usize {
    match scan(record) {
        Scan::Record { cells, .. } => cells,
        Scan::Open(_) | Scan::Bad(_) => 0,
    }
}

/// Where a cell ends whose opening quote is just before `from`: behind its closing quote.
fn quoted_end(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr::memchr(b'"', text.get(at..)?)? + 1;
        if text.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
    }
}

/// A line without the CR of its end.
pub(crate) fn without_carriage_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_end_where_their_quotes_let_them() {
        let record = |end, next, lines, cells| Scan::Record { end, next, lines, cells };
        let behind = |byte| Scan::Bad(Reason::NotCsv { problem: "text behind a closing quote", byte });
        for (text, expected) in [
            ("", record(0, 0, 1, 1)),
            ("a", record(1, 1, 1, 1)),
            ("a,b\nc", record(3, 4, 1, 2)),
            ("a,b\r\nc", record(3, 5, 1, 2)),
            ("a,b\r", record(3, 4, 1, 2)),
            (",\n", record(1, 2, 1, 2)),
            ("a\rb,c\n", record(5, 6, 1, 2)),
            ("\"a,b\",c\n", record(7, 8, 1, 2)),
            ("\"a\nb\",c\n", record(7, 8, 2, 2)),
            ("\"a\r\n\r\nb\"\r\nc", record(8, 10, 3, 1)),
            ("\"a\"\"b\"\n", record(6, 7, 1, 1)),
            ("\"\"", record(2, 2, 1, 1)),
            ("a\"b,c\n", record(5, 6, 1, 2)),
            ("x,\"a\nb", Scan::Open(2)),
            ("\"a\"\"", Scan::Open(0)),
            ("\"a\"b\n", behind(3)),
            ("x,\"a\" ,b\n", behind(5)),
            ("\"a\"\rb\n", behind(3)),
        ] {
            assert_eq!(scan(text.as_bytes()), expected, "{text:?}");
        }
    }
}
