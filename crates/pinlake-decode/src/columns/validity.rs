//! Which rows hold a value.

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};

/// A bit per row, set where there is a value; rows never mentioned have none.
#[derive(Debug, Default)]
pub(super) struct Validity {
    words: Vec<u64>,
}

impl Validity {
    #[inline]
    pub(super) fn set(&mut self, row: usize) {
        let word = row / 64;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (row % 64);
    }

    /// Forgets the rows from `row` on.
    pub(super) fn truncate(&mut self, row: usize) {
        self.words.truncate(row.div_ceil(64));
        if let Some(last) = self.words.get_mut(row / 64) {
            *last &= (1 << (row % 64)) - 1;
        }
    }

    /// The mask of `rows` rows; `None` where every row holds a value. Empty afterwards.
    pub(super) fn finish(&mut self, rows: usize) -> Option<NullBuffer> {
        let mut words = std::mem::take(&mut self.words);
        words.resize(rows.div_ceil(64), 0);
        let nulls = NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(words), 0, rows));
        (nulls.null_count() > 0).then_some(nulls)
    }
}
