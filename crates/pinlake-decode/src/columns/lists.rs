//! Maps: `Map<text, List<text>>` for attributes, `Map<text, Float64>` for metrics; names and items are dictionary-encoded.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, ListArray, MapArray, StructArray};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;

use super::dictionary::Dictionary;
use super::label::encoded;
use super::text::{as_offset, run_on};
use crate::schema::{list_item, map_fields};

/// A new name is compared with so many others of its row. A row with more of them is left to the slow path, whose time does not grow with
/// the square of their number: a line of 16 MiB can hold a million.
const MOST_COMPARED: usize = 1_024;

/// Which entries belong to which row, and their names.
#[derive(Debug)]
struct Entries {
    /// Number of entries up to the end of each row, from a leading 0; 0 for rows without a map.
    row_ends: Vec<i32>,
    /// The number of each entry's name in the dictionary.
    names: Vec<i32>,
    dictionary: Dictionary,
    /// The row begun last, and its first entry.
    open_row: usize,
    open_entry: usize,
}

impl Entries {
    fn new() -> Self {
        Self {
            row_ends: Vec::new(),
            names: Vec::new(),
            dictionary: Dictionary::new(true),
            open_row: usize::MAX,
            open_entry: 0,
        }
    }

    fn begin(&mut self, rows: usize) {
        self.row_ends.clear();
        self.row_ends.resize(rows + 1, 0);
        self.names.clear();
        self.open_row = usize::MAX;
    }

    #[inline]
    fn start_row(&mut self, row: usize) {
        self.open_row = row;
        self.open_entry = self.names.len();
    }

    #[inline]
    fn finish_row(&mut self, row: usize) {
        if let Some(end) = self.row_ends.get_mut(row + 1) {
            *end = as_offset(self.names.len());
        }
    }

    /// Adds an entry; `false` where the open row may have one of this name already.
    #[inline]
    fn push(&mut self, source: &[u8], start: usize, end: usize) -> bool {
        let name = as_offset(self.dictionary.number(source, start, end));
        let before = &self.names[self.open_entry..];
        let is_new = before.len() < MOST_COMPARED && !before.contains(&name);
        self.names.push(name);
        is_new
    }

    /// Forgets the entries of `row` if it is the open one; how many entries remain.
    fn abandon(&mut self, row: usize) -> usize {
        if self.open_row == row {
            self.names.truncate(self.open_entry);
            self.row_ends[row + 1] = 0;
        }
        self.names.len()
    }

    fn finish(
        &mut self,
        rows: usize,
        nulls: Option<NullBuffer>,
        values: ArrayRef,
    ) -> Result<MapArray, ArrowError> {
        let mut row_ends = std::mem::take(&mut self.row_ends);
        row_ends.truncate(rows + 1);
        run_on(&mut row_ends);
        let fields = map_fields(values.data_type().clone());
        let entry = Arc::new(Field::new("key_value", DataType::Struct(fields.clone()), false));
        let count = self.names.len();
        let names = encoded(std::mem::take(&mut self.names), None, &mut self.dictionary, count)?;
        self.names.reserve(count);
        let entries = StructArray::try_new(fields, vec![names, values], None)?;
        MapArray::try_new(entry, offsets(row_ends), entries, nulls, false)
    }
}

fn offsets(ends: Vec<i32>) -> OffsetBuffer<i32> {
    OffsetBuffer::new(ScalarBuffer::from(ends))
}

/// Lists of text by name.
#[derive(Debug)]
pub(crate) struct TextListsColumn {
    entries: Entries,
    /// Number of items up to the end of each entry's list, from a leading 0.
    list_ends: Vec<i32>,
    /// The number of each item in the dictionary.
    items: Vec<i32>,
    dictionary: Dictionary,
    /// Positions of items that are null; they are rare.
    null_items: Vec<usize>,
}

impl TextListsColumn {
    pub(crate) fn new() -> Self {
        Self {
            entries: Entries::new(),
            list_ends: vec![0],
            items: Vec::new(),
            dictionary: Dictionary::new(false),
            null_items: Vec::new(),
        }
    }

    pub(super) fn begin(&mut self, rows: usize) {
        self.entries.begin(rows);
    }

    #[inline]
    pub(crate) fn start_row(&mut self, row: usize) {
        self.entries.start_row(row);
    }

    #[inline]
    pub(crate) fn finish_row(&mut self, row: usize) {
        self.entries.finish_row(row);
    }

    /// Begins an entry of this name; `false` where the row has one already.
    #[inline]
    pub(crate) fn push_name(&mut self, source: &[u8], start: usize, end: usize) -> bool {
        self.entries.push(source, start, end)
    }

    #[inline]
    pub(crate) fn push_item(&mut self, source: &[u8], start: usize, end: usize) {
        self.items.push(as_offset(self.dictionary.number(source, start, end)));
    }

    /// Adds what the text from `start` to `end` of `source` means once `unescape` has written it out.
    pub(crate) fn push_escaped_item<E>(
        &mut self,
        (source, start, end): (&[u8], usize, usize),
        unescape: impl FnOnce(&[u8], &mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let number = self.dictionary.number_of_escaped(source, start, end, unescape)?;
        self.items.push(as_offset(number));
        Ok(())
    }

    pub(crate) fn push_null_item(&mut self) {
        self.null_items.push(self.items.len());
        self.items.push(0);
    }

    /// Ends the entry's list.
    #[inline]
    pub(crate) fn finish_list(&mut self) {
        self.list_ends.push(as_offset(self.items.len()));
    }

    #[expect(clippy::cast_sign_loss, reason = "offsets are lengths")]
    pub(super) fn abandon(&mut self, row: usize) {
        let entries = self.entries.abandon(row);
        self.list_ends.truncate(entries + 1);
        let items = self.list_ends[self.list_ends.len() - 1] as usize;
        self.items.truncate(items);
        self.null_items.retain(|&item| item < items);
    }

    pub(super) fn finish(&mut self, rows: usize, nulls: Option<NullBuffer>) -> Result<MapArray, ArrowError> {
        let count = self.items.len();
        let values = count - self.null_items.len();
        let item_nulls = null_mask(count, &std::mem::take(&mut self.null_items));
        let items = encoded(std::mem::take(&mut self.items), item_nulls, &mut self.dictionary, values)?;
        self.items.reserve(count);
        let mut room = Vec::with_capacity(self.list_ends.len());
        room.push(0);
        let list_ends = std::mem::replace(&mut self.list_ends, room);
        let lists = ListArray::try_new(list_item(), offsets(list_ends), items, None)?;
        self.entries.finish(rows, nulls, Arc::new(lists))
    }
}

/// The mask of `count` items of which those at `null_items` are null.
fn null_mask(count: usize, null_items: &[usize]) -> Option<NullBuffer> {
    if null_items.is_empty() {
        return None;
    }
    let mut nulls = null_items.iter().copied().peekable();
    let is_valid = |item| nulls.next_if_eq(&item).is_none();
    Some(NullBuffer::new((0..count).map(is_valid).collect::<BooleanBuffer>()))
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

    pub(super) fn begin(&mut self, rows: usize) {
        self.entries.begin(rows);
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
    pub(crate) fn push(&mut self, (source, start, end): (&[u8], usize, usize), value: f64) -> bool {
        self.values.push(value);
        self.entries.push(source, start, end)
    }

    pub(super) fn abandon(&mut self, row: usize) {
        let entries = self.entries.abandon(row);
        self.values.truncate(entries);
    }

    pub(super) fn finish(&mut self, rows: usize, nulls: Option<NullBuffer>) -> Result<MapArray, ArrowError> {
        let room = Vec::with_capacity(self.values.len());
        let values = Float64Array::from(std::mem::replace(&mut self.values, room));
        self.entries.finish(rows, nulls, Arc::new(values))
    }
}
