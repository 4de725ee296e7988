//! Maps: `Map<Utf8, List<Utf8>>` for attributes, `Map<Utf8, Float64>` for metrics.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, Float64Array, ListArray, MapArray, StringArray, StructArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;

use super::text::Texts;
use super::validity::Validity;
use crate::schema::{list_item, map_fields};

/// Which entries belong to which row, and their keys.
#[derive(Debug)]
struct Entries {
    /// Number of entries up to the end of each row, from a leading 0.
    row_ends: Vec<i32>,
    validity: Validity,
    keys: Texts,
    /// A short hash of each key of the open row, to meet repeated ones.
    open_keys: Vec<u32>,
}

impl Entries {
    fn new() -> Self {
        Self { row_ends: vec![0], validity: Validity::default(), keys: Texts::new(), open_keys: Vec::new() }
    }

    fn start_row(&mut self, row: usize) {
        while self.row_ends.len() <= row {
            self.row_ends.push(self.row_ends[self.row_ends.len() - 1]);
        }
        self.open_keys.clear();
    }

    fn finish_row(&mut self, row: usize) {
        self.row_ends.push(as_offset(self.keys.len()));
        self.validity.set(row);
    }

    /// Whether the key added last stands in the open row before.
    fn last_key_repeats(&mut self) -> bool {
        let last = self.keys.len() - 1;
        let first = last - self.open_keys.len();
        let key = self.keys.get(last);
        let short = short_hash(key);
        let repeats = self
            .open_keys
            .iter()
            .enumerate()
            .any(|(at, &other)| other == short && self.keys.get(first + at) == key);
        self.open_keys.push(short);
        repeats
    }

    /// Forgets the rows from `row` on, and entries of a row still open. Returns how many entries remain.
    #[expect(clippy::cast_sign_loss, reason = "offsets are lengths")]
    fn truncate(&mut self, row: usize) -> usize {
        if self.row_ends.len() > row + 1 {
            self.row_ends.truncate(row + 1);
            self.validity.truncate(row);
        }
        let entries = self.row_ends[self.row_ends.len() - 1] as usize;
        self.keys.truncate(entries);
        entries
    }

    fn finish(&mut self, rows: usize, values: ArrayRef) -> Result<MapArray, ArrowError> {
        self.start_row(rows);
        let row_ends = std::mem::replace(&mut self.row_ends, vec![0]);
        let fields = map_fields(values.data_type().clone());
        let entry = Arc::new(Field::new("key_value", DataType::Struct(fields.clone()), false));
        let keys = self.keys.finish(None)?;
        let entries = StructArray::try_new(fields, vec![Arc::new(keys), values], None)?;
        MapArray::try_new(entry, offsets(row_ends), entries, self.validity.finish(rows), false)
    }
}

fn offsets(ends: Vec<i32>) -> OffsetBuffer<i32> {
    OffsetBuffer::new(ScalarBuffer::from(ends))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a block's entries are bounded far below 2^31 by its bytes"
)]
fn as_offset(length: usize) -> i32 {
    length as i32
}

/// The key's length and its first and last bytes: enough to tell nearly all keys of one row apart, for next to nothing.
fn short_hash(key: &[u8]) -> u32 {
    let word = |bytes: Option<&[u8; 4]>| bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes));
    let ends = word(key.first_chunk()) ^ word(key.last_chunk()).rotate_left(13);
    let short = key.iter().take(4).fold(0, |word, &byte| word << 8 | u32::from(byte));
    (if key.len() < 4 { short } else { ends }) ^ as_offset(key.len()).unsigned_abs().rotate_left(24)
}

/// Lists of text by name.
#[derive(Debug)]
pub(crate) struct TextListsColumn {
    entries: Entries,
    list_ends: Vec<i32>,
    items: Texts,
    /// Positions of items that are null; they are rare.
    null_items: Vec<usize>,
}

impl TextListsColumn {
    pub(crate) fn new() -> Self {
        Self { entries: Entries::new(), list_ends: vec![0], items: Texts::new(), null_items: Vec::new() }
    }

    #[inline]
    pub(crate) fn start_row(&mut self, row: usize) {
        self.entries.start_row(row);
    }

    #[inline]
    pub(crate) fn finish_row(&mut self, row: usize) {
        self.entries.finish_row(row);
    }

    /// Begins an entry; `false` where the row has one of this name already.
    #[inline]
    pub(crate) fn push_key(&mut self, name: &[u8]) -> bool {
        self.entries.keys.push(name);
        !self.entries.last_key_repeats()
    }

    #[inline]
    pub(crate) fn push_item(&mut self, text: &[u8]) {
        self.items.push(text);
    }

    pub(crate) fn push_item_with<E>(
        &mut self,
        fill: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let filled = fill(self.items.open());
        self.items.close();
        filled
    }

    pub(crate) fn push_null_item(&mut self) {
        self.null_items.push(self.items.len());
        self.items.close();
    }

    /// Ends the entry's list.
    #[inline]
    pub(crate) fn finish_list(&mut self) {
        self.list_ends.push(as_offset(self.items.len()));
    }

    #[expect(clippy::cast_sign_loss, reason = "offsets are lengths")]
    pub(super) fn truncate(&mut self, row: usize) {
        let entries = self.entries.truncate(row);
        self.list_ends.truncate(entries + 1);
        let items = self.list_ends[entries] as usize;
        self.items.truncate(items);
        self.null_items.retain(|&item| item < items);
    }

    pub(super) fn finish(&mut self, rows: usize) -> Result<MapArray, ArrowError> {
        let items = finish_items(&mut self.items, &std::mem::take(&mut self.null_items))?;
        let list_ends = std::mem::replace(&mut self.list_ends, vec![0]);
        let lists = ListArray::try_new(list_item(), offsets(list_ends), Arc::new(items), None)?;
        self.entries.finish(rows, Arc::new(lists))
    }
}

fn finish_items(items: &mut Texts, null_items: &[usize]) -> Result<StringArray, ArrowError> {
    if null_items.is_empty() {
        return items.finish(None);
    }
    let mut validity = Validity::default();
    let mut nulls = null_items.iter().copied().peekable();
    for at in 0..items.len() {
        if nulls.next_if_eq(&at).is_none() {
            validity.set(at);
        }
    }
    let nulls = validity.finish(items.len());
    items.finish(nulls)
}

/// Doubles by name.
#[derive(Debug)]
pub(crate) struct NumbersColumn {
    entries: Entries,
    values: Vec<f64>,
}

impl NumbersColumn {
    pub(crate) fn new() -> Self {
        Self { entries: Entries::new(), values: Vec::new() }
    }

    #[inline]
    pub(crate) fn start_row(&mut self, row: usize) {
        self.entries.start_row(row);
    }

    #[inline]
    pub(crate) fn finish_row(&mut self, row: usize) {
        self.entries.finish_row(row);
    }

    /// Adds an entry; `false` where the row has one of this name already.
    #[inline]
    pub(crate) fn push(&mut self, name: &[u8], value: f64) -> bool {
        self.entries.keys.push(name);
        self.values.push(value);
        !self.entries.last_key_repeats()
    }

    pub(super) fn truncate(&mut self, row: usize) {
        let entries = self.entries.truncate(row);
        self.values.truncate(entries);
    }

    pub(super) fn finish(&mut self, rows: usize) -> Result<MapArray, ArrowError> {
        let values = Float64Array::from(std::mem::take(&mut self.values));
        self.entries.finish(rows, Arc::new(values))
    }
}
