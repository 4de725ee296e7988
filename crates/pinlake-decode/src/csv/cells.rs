//! The cells of a record, read by csv-core.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

/// Reads one record after the other; keeps its buffers.
#[derive(Debug)]
pub(crate) struct CellReader {
    reader: Box<Reader>,
    text: Vec<u8>,
    ends: Vec<usize>,
    cells: usize,
}

impl CellReader {
    pub(crate) fn new() -> Self {
        // Where records end was found before, and a CR within one is a character of its cell.
        let mut reader = Box::new(ReaderBuilder::new().terminator(Terminator::Any(b'\n')).build());
        // What the reader is fed first may begin with a byte order mark that it takes away; that is not a record's beginning.
        let _ = reader.read_record(b"\n", &mut [0], &mut [0]);
        Self { reader, text: Vec::new(), ends: Vec::new(), cells: 0 }
    }

    /// Takes a record whose quotes are sound, without its line end; whether it has `columns` cells.
    pub(crate) fn read(&mut self, record: &[u8], columns: usize) -> bool {
        self.text.resize(self.text.len().max(record.len() + 1), 0);
        // One more, so that a record of too many cells is seen to have them.
        self.ends.resize(columns + 1, 0);
        let (mut written, mut cells) = (0, 0);
        for part in [record, b"\n"] {
            let text = &mut self.text[written..];
            let ends = &mut self.ends[cells..];
            let (result, _, text_bytes, ended) = self.reader.read_record(part, text, ends);
            written += text_bytes;
            cells += ended;
            if matches!(result, ReadRecordResult::OutputEndsFull | ReadRecordResult::OutputFull) {
                // In the middle of a record that nobody wants: the next one begins anew.
                *self = Self::new();
                return false;
            }
        }
        self.cells = cells;
        cells == columns
    }

    /// The text of a cell, without quotes; empty beyond the last.
    pub(crate) fn cell(&self, number: usize) -> &[u8] {
        if number >= self.cells {
            return &[];
        }
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[number]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_one_record_after_the_other() {
        let mut reader = CellReader::new();
        let mut cells = |record: &str, columns| {
            let fits = reader.read(record.as_bytes(), columns);
            fits.then(|| {
                let cell = |number| String::from_utf8_lossy(reader.cell(number)).into_owned();
                (0..columns).map(cell).collect::<Vec<_>>()
            })
        };
        for (record, expected) in [
            ("\u{feff}a,b", Some(["\u{feff}a", "b"])),
            ("\"a,\"\"\n\",", Some(["a,\"\n", ""])),
            ("a,b,c", None),
            ("a,b,c,d,e,f", None),
            ("a", None),
            (",", Some(["", ""])),
            ("a\rb,\"\"", Some(["a\rb", ""])),
            ("a\"b,\"c\"", Some(["a\"b", "c"])),
        ] {
            let expected = expected.map(|cells| cells.map(str::to_owned).to_vec());
            assert_eq!(cells(record, 2), expected, "{record:?}");
        }
        assert_eq!(cells("x", 1), Some(vec!["x".to_owned()]));
    }
}
