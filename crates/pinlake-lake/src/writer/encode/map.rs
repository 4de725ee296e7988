//! Maps: which rows have entries, which entries have values, and the levels that say so.
//!
//! Levels are computed from the offsets of the arrays: a page's are first filled with what most of them are, then the
//! first of each row and entry and the absent ones are set. What lies behind a null is never looked at.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray as _, MapArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field};
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::chunk::Scratch;
use super::column::{is_text, leaf, no_encoder, null_in_required};
use super::leaf::Leaf;
use super::levels::Levels;
use super::limits::Limits;

/// A map of doubles, or of lists of text.
pub(super) struct MapColumn {
    nullable: bool,
    key: Leaf,
    value: Leaf,
    /// The definition level of a key: that of an empty map is one less, and of a null map two, where there is such.
    key_level: u8,
    /// That of a value, or of a list with at least one item, an item apart from being null.
    value_level: u8,
    value_nullable: bool,
    /// Whether an item may be null, where the values are lists.
    items: Option<bool>,
    /// Entries and items that rows of the batch have.
    entries: Vec<Range<usize>>,
    elements: Vec<Range<usize>>,
}

impl MapColumn {
    pub(super) fn new(
        field: &Field,
        entries: &Field,
        leaves: &mut impl Iterator<Item = ColumnDescPtr>,
        limits: Limits,
    ) -> Result<Self> {
        let DataType::Struct(members) = entries.data_type() else { return Err(no_encoder(field)) };
        let [key, value] = members.as_ref() else { return Err(no_encoder(field)) };
        if !is_text(key.data_type()) || key.is_nullable() {
            return Err(no_encoder(field));
        }
        let key_level = u8::from(field.is_nullable()) + 1;
        let value_nullable = value.is_nullable();
        let mut value_level = key_level + u8::from(value_nullable);
        let key = leaf(key, Levels::nested(1, key_level), leaves, limits)?;
        let (value, items) = match value.data_type() {
            DataType::Float64 => (leaf(value, Levels::nested(1, value_level), leaves, limits)?, None),
            DataType::List(item) if is_text(item.data_type()) => {
                value_level += 1 + u8::from(item.is_nullable());
                (leaf(item, Levels::nested(2, value_level), leaves, limits)?, Some(item.is_nullable()))
            }
            _ => return Err(no_encoder(field)),
        };
        Ok(Self {
            nullable: field.is_nullable(),
            key,
            value,
            key_level,
            value_level,
            value_nullable,
            items,
            entries: Vec::new(),
            elements: Vec::new(),
        })
    }

    /// Key and value, in the order of the schema.
    pub(super) fn leaves(&self) -> impl Iterator<Item = &Leaf> {
        [&self.key, &self.value].into_iter()
    }

    /// Key and value, in the order of the schema.
    pub(super) fn leaves_mut(&mut self) -> [&mut Leaf; 2] {
        [&mut self.key, &mut self.value]
    }

    /// Appends the rows of an array of maps.
    pub(super) fn append(&mut self, map: &MapArray, scratch: &mut Scratch) -> Result<()> {
        let (keys, values) = (map.keys(), map.values());
        let nulls = map.null_count() > 0 && !self.nullable;
        if nulls || map.entries().null_count() > 0 || keys.logical_null_count() > 0 {
            return Err(null_in_required());
        }
        self.entries.clear();
        self.append_key_levels(map);
        match self.items {
            None => {
                let nulls = value_nulls(values, self.value_nullable)?;
                self.append_value_levels(map, nulls.as_ref());
            }
            Some(item_nullable) => {
                let Some(lists) = values.as_list_opt::<i32>() else {
                    return Err(ParquetError::NYI(format!("lists in arrays of {}", values.data_type())));
                };
                let nulls = value_nulls(values, self.value_nullable)?;
                let item_nulls = value_nulls(lists.values(), item_nullable)?;
                self.elements.clear();
                let lists = Lists { offsets: lists.value_offsets(), nulls, item_nulls };
                self.append_list_levels(map, &lists);
            }
        }
        for range in &self.entries {
            append_range(&mut self.key, keys, range)?;
        }
        let (array, ranges) = match values.as_list_opt::<i32>() {
            Some(lists) => (lists.values(), &self.elements),
            None => (values, &self.entries),
        };
        for range in ranges {
            append_range(&mut self.value, array, range)?;
        }
        self.key.end_rows(map.len(), scratch)?;
        self.value.end_rows(map.len(), scratch)
    }

    /// Levels of the keys, and the ranges of entries that count.
    fn append_key_levels(&mut self, map: &MapArray) {
        let entries = &mut self.entries;
        append_entry_levels(&mut self.key.levels, map, (self.key_level, self.key_level), |_, range| {
            extend_ranges(entries, range);
        });
    }

    /// Levels of doubles: those of the keys, but for values that are null.
    fn append_value_levels(&mut self, map: &MapArray, nulls: Option<&NullBuffer>) {
        let key_level = self.key_level;
        append_entry_levels(
            &mut self.value.levels,
            map,
            (key_level, self.value_level),
            |definition, range| {
                let Some(nulls) = nulls else { return };
                for (level, entry) in definition.iter_mut().zip(range) {
                    if nulls.is_null(entry) {
                        *level = key_level;
                    }
                }
            },
        );
    }

    /// Levels of the items of lists, and the ranges of items that count.
    fn append_list_levels(&mut self, map: &MapArray, lists: &Lists<'_>) {
        let Some((repetition, definition)) = self.value.levels.nested_mut() else { return };
        let mut at = definition.len();
        let entries = entries_of(map, 0..map.len());
        let elements = place(lists.offsets[entries.end]) - place(lists.offsets[entries.start]);
        let most = at + map.len() + entries.len() + elements;
        definition.resize(most, self.value_level);
        repetition.resize(most, 2);
        // A list that is empty has the level of one with an item, less the item and less its being there.
        let empty = self.key_level + u8::from(self.value_nullable);
        for row in 0..map.len() {
            let range = entries_of(map, row..row + 1);
            let first = at;
            if map.is_null(row) {
                definition[at] = 0;
                at += 1;
            } else if range.is_empty() {
                definition[at] = self.key_level - 1;
                at += 1;
            }
            let range = if map.is_null(row) { 0..0 } else { range };
            for entry in range {
                let items = place(lists.offsets[entry])..place(lists.offsets[entry + 1]);
                repetition[at] = 1;
                if lists.nulls.as_ref().is_some_and(|nulls| nulls.is_null(entry)) {
                    definition[at] = self.key_level;
                    at += 1;
                } else if items.is_empty() {
                    definition[at] = empty;
                    at += 1;
                } else {
                    if let Some(nulls) = &lists.item_nulls {
                        for (place, item) in (at..).zip(items.clone()) {
                            definition[place] -= u8::from(nulls.is_null(item));
                        }
                    }
                    at += items.len();
                    extend_ranges(&mut self.elements, items);
                }
            }
            repetition[first] = 0;
        }
        definition.truncate(at);
        repetition.truncate(at);
    }
}

/// What levels need to know of an array of lists.
struct Lists<'a> {
    offsets: &'a [i32],
    nulls: Option<NullBuffer>,
    item_nulls: Option<NullBuffer>,
}

/// The nulls of values or items, if there are any and may be.
fn value_nulls(array: &ArrayRef, nullable: bool) -> Result<Option<NullBuffer>> {
    let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
    if nulls.is_some() && !nullable {
        return Err(null_in_required());
    }
    Ok(nulls)
}

/// The entries of some neighbouring rows.
#[inline]
fn entries_of(map: &MapArray, rows: Range<usize>) -> Range<usize> {
    let offsets = map.value_offsets();
    place(offsets[rows.start])..place(offsets[rows.end])
}

fn place(offset: i32) -> usize {
    offset.cast_unsigned() as usize
}

/// Appends a range, to the last one where it goes on there.
#[inline]
fn extend_ranges(ranges: &mut Vec<Range<usize>>, range: Range<usize>) {
    match ranges.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ => ranges.push(range),
    }
}

fn append_range(leaf: &mut Leaf, array: &ArrayRef, range: &Range<usize>) -> Result<()> {
    if range.len() == array.len() {
        return leaf.append_values(array);
    }
    leaf.append_values(&array.slice(range.start, range.len()))
}

/// Levels of one value an entry: `entry_level` where there is one, less than `key_level` for a row without entries. `on_row`
/// is told the entries of each row that has some, with their definition levels.
fn append_entry_levels(
    levels: &mut Levels,
    map: &MapArray,
    (key_level, entry_level): (u8, u8),
    mut on_row: impl FnMut(&mut [u8], Range<usize>),
) {
    let Some((repetition, definition)) = levels.nested_mut() else { return };
    let mut at = definition.len();
    // One level for each entry and for each row that has none; set to their number once it is known.
    let most = at + entries_of(map, 0..map.len()).len() + map.len();
    definition.resize(most, entry_level);
    repetition.resize(most, 1);
    for row in 0..map.len() {
        let range = entries_of(map, row..row + 1);
        repetition[at] = 0;
        if map.is_null(row) {
            definition[at] = 0;
            at += 1;
        } else if range.is_empty() {
            definition[at] = key_level - 1;
            at += 1;
        } else {
            let end = at + range.len();
            on_row(&mut definition[at..end], range);
            at = end;
        }
    }
    definition.truncate(at);
    repetition.truncate(at);
}
