//! The rows of each piece as the data files have them, held against what the manifest counts.
//!
//! Every line of a piece is a row once or not at all, so a line that is met twice is as wrong as one that cannot be. What
//! remembers the lines is a bit for each, as long as those of a snapshot stay below [`MAX_BITS`] together.

use std::collections::HashMap;

use arrow::array::{Array as _, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;

use crate::PieceRecord;

/// 64 MiB of them. An export of more lines is not looked at for lines that are met twice.
const MAX_BITS: u64 = 1 << 29;

/// What was counted so far.
pub(super) struct Tally {
    /// Where each piece stands in `counts`.
    places: HashMap<String, usize>,
    counts: Vec<Count>,
    /// Whether the lines of each piece are remembered.
    remembers: bool,
    /// Rows of pieces that the manifest does not have.
    strangers: u64,
    /// Batches without the columns that say where a row came from.
    unplaced: u64,
}

struct Count {
    lines: u64,
    expected: u64,
    rows: u64,
    impossible: u64,
    twice: u64,
    seen: Vec<u64>,
}

impl Tally {
    /// Counts nothing yet, of these pieces.
    pub(super) fn new(pieces: &[PieceRecord]) -> Self {
        let count = |piece: &PieceRecord| Count {
            lines: piece.lines,
            expected: piece.rows,
            rows: 0,
            impossible: 0,
            twice: 0,
            seen: Vec::new(),
        };
        let all = pieces.iter().map(|piece| piece.lines).fold(0, u64::saturating_add);
        Self {
            places: pieces.iter().enumerate().map(|(at, piece)| (piece.piece.clone(), at)).collect(),
            counts: pieces.iter().map(count).collect(),
            remembers: all <= MAX_BITS,
            strangers: 0,
            unplaced: 0,
        }
    }

    /// Counts the rows of a batch, which has the table's columns.
    pub(super) fn add(&mut self, batch: &RecordBatch) {
        let piece = batch.column_by_name("piece").and_then(|it| it.as_any().downcast_ref::<StringArray>());
        let line = batch.column_by_name("line").and_then(|it| it.as_any().downcast_ref::<Int64Array>());
        let (Some(pieces), Some(lines)) = (piece, line) else {
            self.unplaced += 1;
            return;
        };
        // Neighbours are mostly of one piece.
        let mut last: Option<(&str, usize)> = None;
        for row in 0..batch.num_rows() {
            if pieces.is_null(row) || lines.is_null(row) {
                self.strangers += 1;
                continue;
            }
            let name = pieces.value(row);
            if last.is_none_or(|(known, _)| known != name) {
                last = self.places.get(name).map(|at| (name, *at));
            }
            match last {
                Some((_, at)) => self.counts[at].add(lines.value(row), self.remembers),
                None => self.strangers += 1,
            }
        }
    }

    /// What the files have that the manifest does not say, in words that follow the manifest's path. Too few rows say
    /// something only where all files could be read.
    pub(super) fn problems(&self, are_read: bool) -> Vec<String> {
        let mut problems = Vec::new();
        if self.unplaced > 0 {
            problems.push("cannot be held against rows that do not say where they came from".to_owned());
        }
        if self.strangers > 0 {
            problems.push(format!("does not have the pieces of {} rows in the data files", self.strangers));
        }
        let mut names: Vec<_> = self.places.iter().collect();
        names.sort_unstable();
        for (name, at) in names {
            let Count { lines, expected, rows, impossible, twice, .. } = &self.counts[*at];
            if are_read && self.unplaced == 0 && rows != expected {
                problems
                    .push(format!("counts {expected} rows of piece `{name}`; the data files have {rows}"));
            }
            if *impossible > 0 {
                problems.push(format!(
                    "counts {lines} lines of piece `{name}`; {impossible} rows say that they are of others"
                ));
            }
            if *twice > 0 {
                problems.push(format!(
                    "cannot be right: {twice} rows are of lines of piece `{name}` that other rows are of"
                ));
            }
        }
        problems
    }
}

impl Count {
    fn add(&mut self, line: i64, remembers: bool) {
        self.rows += 1;
        let Some(at) = u64::try_from(line).ok().filter(|line| (1..=self.lines).contains(line)) else {
            self.impossible += 1;
            return;
        };
        if !remembers {
            return;
        }
        if self.seen.is_empty() {
            let words = usize::try_from(self.lines / 64 + 1).unwrap_or_default();
            self.seen = vec![0; words];
        }
        let bit = 1 << (at % 64);
        let word = usize::try_from(at / 64).ok().and_then(|word| self.seen.get_mut(word));
        if let Some(word) = word {
            self.twice += u64::from(*word & bit != 0);
            *word |= bit;
        }
    }
}
