//! Text values of one page: indices into the chunk's dictionary, or lengths and bytes.
//!
//! Which of the two follows the array: whoever made a dictionary array knows that values repeat, and a `Utf8` array is
//! written as it is (`DELTA_LENGTH_BYTE_ARRAY`: the lengths packed, the bytes behind one another, as Arrow has them).
//! Where a dictionary outgrows its use, the rest of the chunk goes without.

use arrow::array::{Array, AsArray as _, DictionaryArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};
use parquet::basic::Encoding;
use parquet::errors::{ParquetError, Result};

use super::bits::width_of;
use super::chunk::ChunkPages;
use super::codec::Codec;
use super::dictionary::TextDictionary;
use super::limits::{Limits, empty};
use super::remap::Remaps;
use super::{delta, hybrid};

/// The text values of one column.
pub(super) struct TextValues {
    mode: Mode,
    /// Row groups yet to be written without a dictionary.
    plain_groups: usize,
    dictionary: TextDictionary,
    limits: Limits,
    remaps: Remaps,
    /// Values of this chunk that went by the dictionary, those of `indices` included.
    by_dictionary: usize,
    /// The chunk has pages of indices, if only such without a value.
    indexed_pages: bool,
    /// Of this page, with a dictionary.
    indices: Vec<u32>,
    /// Of this page, without.
    lengths: Vec<i64>,
    bytes: Vec<u8>,
}

/// How the rest of the chunk is encoded. Pages by dictionary come first in a chunk, as other writers have it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nothing was appended yet.
    Undecided,
    Dictionary,
    Plain,
}

impl TextValues {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            mode: Mode::Undecided,
            plain_groups: 0,
            dictionary: TextDictionary::new(),
            limits,
            remaps: Remaps::default(),
            by_dictionary: 0,
            indexed_pages: false,
            indices: Vec::new(),
            lengths: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// Appends the values of an array of text, plain or by dictionary, without its nulls.
    pub(super) fn append(&mut self, array: &dyn Array) -> Result<()> {
        match array.data_type() {
            DataType::Utf8 => {
                self.leave_dictionary();
                self.append_plain(array.as_string::<i32>());
            }
            DataType::Dictionary(key, value) if **key == DataType::Int32 && **value == DataType::Utf8 => {
                let array = array.as_dictionary::<Int32Type>();
                let values = array.values().as_string::<i32>();
                if values.null_count() > 0 {
                    // Nulls by way of the dictionary: Arrow allows them, and nobody makes them.
                    let plain = cast(array, &DataType::Utf8)?;
                    self.leave_dictionary();
                    self.append_plain(plain.as_string::<i32>());
                } else {
                    self.append_by_dictionary(array, values);
                }
            }
            other => return Err(ParquetError::NYI(format!("text in arrays of {other}"))),
        }
        Ok(())
    }

    fn append_plain(&mut self, array: &StringArray) {
        let offsets = array.value_offsets();
        let length = |ends: &[i32; 2]| i64::from(ends[1] - ends[0]);
        match array.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => self.lengths.extend(offsets.array_windows().map(length)),
            Some(nulls) => {
                let lengths = nulls.valid_indices().map(|at| i64::from(offsets[at + 1] - offsets[at]));
                let before = self.lengths.len();
                self.lengths.extend(lengths);
                let valid_bytes: i64 = self.lengths[before..].iter().sum();
                // Nulls take no bytes, as a rule; where one does, the others are picked out.
                if valid_bytes != i64::from(offsets[array.len()] - offsets[0]) {
                    for text in array.iter().flatten() {
                        self.bytes.extend_from_slice(text.as_bytes());
                    }
                    return;
                }
            }
        }
        let place = |offset: i32| offset.cast_unsigned() as usize;
        let bytes = &array.value_data()[place(offsets[0])..place(offsets[array.len()])];
        self.bytes.extend_from_slice(bytes);
    }

    fn append_by_dictionary(&mut self, array: &DictionaryArray<Int32Type>, values: &StringArray) {
        if self.mode == Mode::Undecided {
            self.mode = if self.plain_groups > 0 { Mode::Plain } else { Mode::Dictionary };
        }
        if values.value_data().len() > self.limits.dictionary_bytes * 2 {
            // One line's: its texts are so many or so long that copying them would be for nothing.
            self.give_up_dictionary();
        }
        let keys = array.keys();
        let valid = keys.nulls().filter(|nulls| nulls.null_count() > 0);
        if self.mode == Mode::Plain {
            let mut push = |key: i32| {
                let text = values.value(key.cast_unsigned() as usize).as_bytes();
                self.lengths.push(length_of(text));
                self.bytes.extend_from_slice(text);
            };
            match valid {
                None => keys.values().iter().for_each(|key| push(*key)),
                Some(valid) => valid.valid_indices().for_each(|at| push(keys.value(at))),
            }
            return;
        }
        let table = self.remaps.table(values);
        let dictionary = &mut self.dictionary;
        let before = self.indices.len();
        match valid {
            None => self.indices.extend(keys.values().iter().map(|key| table.index(*key, dictionary))),
            Some(valid) => {
                self.indices.extend(valid.valid_indices().map(|at| table.index(keys.value(at), dictionary)));
            }
        }
        self.by_dictionary += self.indices.len() - before;
        let unique =
            self.by_dictionary >= self.limits.judged_after && self.dictionary.len() * 2 > self.by_dictionary;
        if unique || self.dictionary.plain().len() > self.limits.dictionary_bytes {
            self.give_up_dictionary();
        }
    }

    /// No dictionary from here to the end of the chunk, nor in some chunks to come.
    fn give_up_dictionary(&mut self) {
        self.plain_groups = self.limits.plain_groups + 1;
        self.leave_dictionary();
    }

    /// From here to the end of the chunk, values are plain; those of the page in progress too.
    fn leave_dictionary(&mut self) {
        if self.mode == Mode::Plain {
            return;
        }
        self.by_dictionary -= self.indices.len();
        for index in self.indices.drain(..) {
            let text = self.dictionary.get(index);
            self.lengths.push(length_of(text));
            self.bytes.extend_from_slice(text);
        }
        self.mode = Mode::Plain;
        // Nobody asks for them before the next chunk, and one long text makes both large.
        self.remaps = Remaps::default();
        if !self.indexed_pages {
            self.dictionary.clear();
        }
    }

    /// Bytes held for the page in progress.
    pub(super) fn buffered_bytes(&self) -> usize {
        self.indices.len() * size_of::<u32>() + self.lengths.len() * size_of::<i64>() + self.bytes.len()
    }

    /// Bytes by which the chunk's dictionary is larger than it is meant to be.
    pub(super) fn dictionary_excess_bytes(&self) -> usize {
        self.dictionary.plain().len().saturating_sub(self.limits.dictionary_bytes)
    }

    /// Appends the values as a data page has them, and begins anew.
    pub(super) fn drain(&mut self, page: &mut Vec<u8>) -> Encoding {
        if self.mode == Mode::Dictionary {
            encode_indices(&self.indices, self.dictionary.len(), page);
            self.indices.clear();
            self.indexed_pages = true;
            return Encoding::RLE_DICTIONARY;
        }
        delta::encode(&self.lengths, page);
        page.extend_from_slice(&self.bytes);
        self.lengths.clear();
        empty(&mut self.bytes);
        Encoding::DELTA_LENGTH_BYTE_ARRAY
    }

    /// Ends the chunk, whose last data page was drained.
    pub(super) fn finish(&mut self, chunk: &mut ChunkPages, codec: &mut Codec) -> Result<()> {
        if self.indexed_pages {
            chunk.set_dictionary(self.dictionary.plain(), self.dictionary.len(), codec)?;
        }
        self.dictionary.clear();
        self.remaps.reset();
        (self.by_dictionary, self.indexed_pages) = (0, false);
        self.plain_groups = self.plain_groups.saturating_sub(1);
        self.mode = Mode::Undecided;
        Ok(())
    }
}

/// Appends indices into a dictionary of so many entries as a data page has them.
pub(super) fn encode_indices(indices: &[u32], entries: usize, page: &mut Vec<u8>) {
    // Not 0 bits where there is one entry: some readers take the width for a divisor.
    let width = width_of(entries.saturating_sub(1) as u64).max(1);
    page.push(u8::try_from(width).unwrap_or_default());
    hybrid::encode(indices, width, page);
}

fn length_of(text: &[u8]) -> i64 {
    text.len().cast_signed() as i64
}
