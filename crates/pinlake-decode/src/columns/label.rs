//! Text whose values repeat: dictionary-encoded.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::error::ArrowError;

use super::dictionary::Dictionary;
use super::text::as_offset;

/// A column of dictionary-encoded text.
#[derive(Debug)]
pub(crate) struct LabelColumn {
    /// The label's number in each row; 0 for rows without one.
    keys: Vec<i32>,
    dictionary: Dictionary,
}

impl LabelColumn {
    pub(crate) fn new() -> Self {
        Self { keys: Vec::new(), dictionary: Dictionary::new(false) }
    }

    /// Makes room for `rows` rows.
    pub(super) fn begin(&mut self, rows: usize) {
        self.keys.clear();
        self.keys.resize(rows, 0);
    }

    /// Gives `row` the text from `start` to `end` of `source`.
    #[inline]
    pub(crate) fn push(&mut self, row: usize, source: &[u8], start: usize, end: usize) {
        let number = self.dictionary.number(source, start, end);
        self.set(row, number);
    }

    /// Gives `row` what the text from `start` to `end` of `source` means once `unescape` has written it out.
    pub(crate) fn push_escaped<E>(
        &mut self,
        row: usize,
        (source, start, end): (&[u8], usize, usize),
        unescape: impl FnOnce(&[u8], &mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let number = self.dictionary.number_of_escaped(source, start, end, unescape)?;
        self.set(row, number);
        Ok(())
    }

    #[inline]
    fn set(&mut self, row: usize, number: usize) {
        if let Some(key) = self.keys.get_mut(row) {
            *key = as_offset(number);
        }
    }

    pub(super) fn finish(&mut self, rows: usize, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
        let mut keys = std::mem::take(&mut self.keys);
        keys.truncate(rows);
        let values = rows - nulls.as_ref().map_or(0, NullBuffer::null_count);
        encoded(keys, nulls, &mut self.dictionary, values)
    }
}

/// `keys` with the labels of `dictionary`, which was given `values` of them.
pub(super) fn encoded(
    keys: Vec<i32>,
    nulls: Option<NullBuffer>,
    dictionary: &mut Dictionary,
    values: usize,
) -> Result<ArrayRef, ArrowError> {
    let keys = Int32Array::new(ScalarBuffer::from(keys), nulls);
    Ok(Arc::new(DictionaryArray::try_new(keys, dictionary.finish(values)?)?))
}
