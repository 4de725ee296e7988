//! From the indices of a batch's dictionary to those of the row group's.
//!
//! A decoder's dictionary lives on from batch to batch and grows at its end, so most batches meet the table of the batch
//! before. Several decoders may feed one file in turn; the tables of the last few are kept.

use arrow::array::{Array as _, StringArray};

use super::dictionary::TextDictionary;

/// Dictionaries remembered for a column: that of each thread that decodes for this file, up to four.
const REMEMBERED: usize = 4;
/// An entry that no row of this row group has used so far.
const UNSEEN: u32 = u32::MAX;

/// The tables of one column.
#[derive(Default)]
pub(super) struct Remaps {
    tables: Vec<Remap>,
    /// The one to be replaced next.
    oldest: usize,
}

/// The table of one batch dictionary. It holds the dictionary, whose buffers cannot change that way.
pub(super) struct Remap {
    values: StringArray,
    indices: Vec<u32>,
}

impl Remaps {
    /// The table for `values`.
    pub(super) fn table(&mut self, values: &StringArray) -> &mut Remap {
        if let Some(at) = self.tables.iter().position(|table| same(&table.values, values)) {
            return &mut self.tables[at];
        }
        let grown = self.tables.iter().position(|table| begins_with(values, &table.values));
        let at = grown.unwrap_or_else(|| self.replaced(values));
        let table = &mut self.tables[at];
        table.values = values.clone();
        table.indices.resize(values.len(), UNSEEN);
        table
    }

    /// A table without indices, in place of the oldest where there are enough.
    fn replaced(&mut self, values: &StringArray) -> usize {
        if self.tables.len() < REMEMBERED {
            self.tables.push(Remap { values: values.clone(), indices: Vec::new() });
            return self.tables.len() - 1;
        }
        let at = self.oldest;
        self.oldest = (at + 1) % REMEMBERED;
        self.tables[at].indices.clear();
        at
    }

    /// Forgets the indices: the row group's dictionary is another now.
    pub(super) fn reset(&mut self) {
        for table in &mut self.tables {
            table.indices.fill(UNSEEN);
        }
    }
}

impl Remap {
    /// The row group's index for entry `key`. Only entries that are asked for get one, so that what no row uses does
    /// not come into the file.
    #[inline]
    pub(super) fn index(&mut self, key: i32, dictionary: &mut TextDictionary) -> u32 {
        let key = key.cast_unsigned() as usize;
        let index = self.indices[key];
        if index == UNSEEN { self.first_seen(key, dictionary) } else { index }
    }

    #[cold]
    fn first_seen(&mut self, key: usize, dictionary: &mut TextDictionary) -> u32 {
        let index = dictionary.index_of(self.values.value(key).as_bytes());
        self.indices[key] = index;
        index
    }
}

/// Whether both are the same memory.
fn same(left: &StringArray, right: &StringArray) -> bool {
    left.len() == right.len()
        && std::ptr::eq(left.value_offsets().as_ptr(), right.value_offsets().as_ptr())
        && std::ptr::eq(left.value_data().as_ptr(), right.value_data().as_ptr())
}

/// Whether the first entries of `longer` are those of `shorter`.
fn begins_with(longer: &StringArray, shorter: &StringArray) -> bool {
    let (long, short) = (longer.value_offsets(), shorter.value_offsets());
    let end = short[short.len() - 1].cast_unsigned() as usize;
    long.len() >= short.len()
        && long[0] == 0
        && long[..short.len()] == *short
        && longer.value_data()[..end] == shorter.value_data()[..end]
}
