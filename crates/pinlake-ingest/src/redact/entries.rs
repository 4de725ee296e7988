//! Single entries of maps: some go, the texts of others are treated, and all keep their order.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, AsArray as _, BooleanArray, DictionaryArray, Int32Array, ListArray, MapArray,
    StringBuilder, StructArray,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::compute::filter;
use arrow::datatypes::{DataType, Int32Type};
use arrow::error::ArrowError;

use super::values::{Treatment, no_text, texts_of};

/// What becomes of the entries of a map.
#[derive(Debug)]
pub(super) struct EntryRules {
    /// By name; `None` takes the entry away.
    pub(super) named: BTreeMap<String, Option<Treatment>>,
    /// What becomes of all others.
    pub(super) others: Option<Treatment>,
}

/// What becomes of an entry, by the number of its name in the dictionary.
#[derive(Clone, Copy)]
enum Fate<'r> {
    Stays,
    Goes,
    /// With a number that tells one treatment from another.
    Treated(usize, &'r Treatment),
}

impl EntryRules {
    /// The map with its entries as the rules have them.
    pub(super) fn applied_to(&self, column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        let map = column.as_map_opt().ok_or_else(|| no_text(column.data_type()))?;
        let names =
            map.keys().as_dictionary_opt::<Int32Type>().ok_or_else(|| no_text(map.keys().data_type()))?;
        let fates: Vec<Fate<'_>> =
            texts_of(names)?.iter().map(|name| self.fate(name.unwrap_or_default())).collect();
        let fates_of = |names: &Int32Array| -> Vec<Fate<'_>> {
            names.values().iter().map(|name| fates[name.cast_unsigned() as usize]).collect()
        };
        let of_entries = fates_of(names.keys());
        let map = without_those_that_go(map, &of_entries)?;
        if !fates.iter().any(|fate| matches!(fate, Fate::Treated(..))) {
            return Ok(Arc::new(map));
        }
        let stayed: Vec<Fate<'_>> =
            of_entries.into_iter().filter(|fate| !matches!(fate, Fate::Goes)).collect();
        Ok(Arc::new(with_treated_lists(&map, &stayed)?))
    }

    fn fate(&self, name: &str) -> Fate<'_> {
        let number = self.named.keys().position(|known| known == name);
        match (number.zip(self.named.get(name)), &self.others) {
            (Some((_, None)), _) => Fate::Goes,
            (Some((number, Some(treatment))), _) => Fate::Treated(number + 1, treatment),
            (None, Some(treatment)) => Fate::Treated(0, treatment),
            (None, None) => Fate::Stays,
        }
    }
}

fn without_those_that_go(map: &MapArray, fates: &[Fate<'_>]) -> Result<MapArray, ArrowError> {
    if !fates.iter().any(|fate| matches!(fate, Fate::Goes)) {
        return Ok(map.clone());
    }
    let stays: BooleanArray = fates.iter().map(|fate| Some(!matches!(fate, Fate::Goes))).collect();
    let mut stayed = 0;
    let mut stayed_before = vec![0];
    for stays in stays.values() {
        stayed += i32::from(stays);
        stayed_before.push(stayed);
    }
    let offsets: Vec<i32> =
        map.value_offsets().iter().map(|offset| stayed_before[offset.cast_unsigned() as usize]).collect();
    let entries = filter(map.entries(), &stays)?;
    map_of(map, offsets, entries.as_struct().clone())
}

/// `map` with other entries.
fn map_of(map: &MapArray, offsets: Vec<i32>, entries: StructArray) -> Result<MapArray, ArrowError> {
    let DataType::Map(field, is_sorted) = map.data_type() else { return Err(no_text(map.data_type())) };
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    MapArray::try_new(Arc::clone(field), offsets, entries, map.nulls().cloned(), *is_sorted)
}

/// The map with the items of some lists treated. They get labels of their own behind those of the dictionary, of which only the
/// ones that a row uses come into a file.
fn with_treated_lists(map: &MapArray, fates: &[Fate<'_>]) -> Result<MapArray, ArrowError> {
    let lists = map.values().as_list_opt::<i32>().ok_or_else(|| no_text(map.values().data_type()))?;
    let items =
        lists.values().as_dictionary_opt::<Int32Type>().ok_or_else(|| no_text(lists.values().data_type()))?;
    let texts = texts_of(items)?;
    let mut labels = StringBuilder::new();
    texts.iter().for_each(|text| labels.append_option(text));
    let mut count = texts.len();
    let mut treated: HashMap<(usize, i32), i32> = HashMap::new();
    let mut keys: Vec<i32> = items.keys().values().to_vec();
    for (fate, ends) in fates.iter().zip(lists.value_offsets().windows(2)) {
        let Fate::Treated(number, treatment) = fate else { continue };
        let (start, end) = (ends[0].cast_unsigned() as usize, ends[1].cast_unsigned() as usize);
        for (at, key) in (start..).zip(&mut keys[start..end]) {
            if items.keys().is_null(at) {
                continue;
            }
            let old = *key;
            *key = *treated.entry((*number, old)).or_insert_with(|| {
                labels.append_value(treatment.of(texts.value(old.cast_unsigned() as usize)));
                count += 1;
                i32::try_from(count - 1).unwrap_or(i32::MAX)
            });
        }
    }
    let keys = Int32Array::new(ScalarBuffer::from(keys), items.keys().nulls().cloned());
    let items: ArrayRef = Arc::new(DictionaryArray::try_new(keys, Arc::new(labels.finish()))?);
    let entries = StructArray::try_new(
        map.entries().fields().clone(),
        vec![Arc::clone(map.keys()), with_items(lists, items)?],
        map.entries().nulls().cloned(),
    )?;
    map_of(map, map.value_offsets().to_vec(), entries)
}

/// The lists with other items, one for each that they have.
pub(super) fn with_items(lists: &ListArray, items: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let DataType::List(item) = lists.data_type() else { return Err(no_text(lists.data_type())) };
    let offsets = lists.offsets().clone();
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, items, lists.nulls().cloned())?))
}

/// The map with other values, one for each entry.
pub(super) fn with_values(map: &MapArray, values: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let nulls = map.entries().nulls().cloned();
    let entries =
        StructArray::try_new(map.entries().fields().clone(), vec![Arc::clone(map.keys()), values], nulls)?;
    Ok(Arc::new(map_of(map, map.value_offsets().to_vec(), entries)?))
}
