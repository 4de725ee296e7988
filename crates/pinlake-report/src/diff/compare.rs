//! Whether two endpoints differ, and in which fields.
//!
//! Whole batches are brought into Arrow's row format, so that two equal endpoints are told by comparing bytes. Only those whose bytes
//! differ are taken apart column by column; maps with the same entries in another order turn out to be equal there.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};

use super::DiffError;
use super::side::Side;
use crate::render::{Format, RenderError};

/// Compares the rows of two sides.
pub(super) struct Comparer {
    /// The places of the columns that count.
    columns: Vec<usize>,
    converter: RowConverter,
}

impl Comparer {
    /// For batches of `schema`, in which the columns `counted` count.
    pub(super) fn new(schema: &Schema, counted: &[String]) -> Result<Self, DiffError> {
        let places = schema.fields().iter().enumerate();
        let columns: Vec<usize> = places
            .filter(|(_, field)| counted.iter().any(|name| name == field.name()))
            .map(|(place, _)| place)
            .collect();
        let fields = columns.iter().map(|place| SortField::new(schema.field(*place).data_type().clone()));
        let converter = RowConverter::new(fields.collect());
        let converter = converter.map_err(|error| RenderError::arrow(Format::Ndjson, error))?;
        Ok(Self { columns, converter })
    }

    /// The rows of a batch as bytes, in which the order of a map's entries counts.
    pub(super) fn rows(&self, batch: &RecordBatch) -> Result<Rows, ArrowError> {
        let columns: Vec<ArrayRef> =
            self.columns.iter().map(|place| Arc::clone(batch.column(*place))).collect();
        self.converter.convert_columns(&columns)
    }

    /// The fields in which the current endpoints of both sides differ, in the order of the columns.
    pub(super) fn fields(&self, before: &Side, after: &Side) -> Vec<String> {
        let (Some((before, row, old)), Some((after, at, new))) = (before.place(), after.place()) else {
            return Vec::new();
        };
        if old.row(row) == new.row(at) {
            return Vec::new();
        }
        let mut fields = Vec::new();
        for place in &self.columns {
            let name = before.schema_ref().field(*place).name();
            let (old, new) = (before.column(*place).slice(row, 1), after.column(*place).slice(at, 1));
            match (old.as_map_opt(), new.as_map_opt()) {
                (Some(old), Some(new)) if old.is_valid(0) && new.is_valid(0) => {
                    fields.extend(differing_entries(old, new).into_iter().map(|key| format!("{name}.{key}")));
                }
                _ if old.to_data() != new.to_data() => fields.push(name.clone()),
                _ => {}
            }
        }
        fields
    }
}

/// The keys whose values differ between two maps of one row each, in order.
fn differing_entries(old: &MapArray, new: &MapArray) -> Vec<String> {
    let (old, new) = (entries(old), entries(new));
    let mut keys: Vec<String> = old
        .iter()
        .filter(|(key, value)| new.get(*key).is_none_or(|other| other.to_data() != value.to_data()))
        .map(|(key, _)| key.clone())
        .collect();
    keys.extend(new.keys().filter(|key| !old.contains_key(*key)).cloned());
    keys.sort_unstable();
    keys
}

/// The entries of a map of one row, each value an array of one.
fn entries(map: &MapArray) -> BTreeMap<String, ArrayRef> {
    let entries = map.value(0);
    let (keys, values) = (entries.column(0), entries.column(1));
    (0..entries.len())
        .filter_map(|row| {
            let key = match keys.data_type() {
                DataType::Utf8View => keys.as_string_view().value(row),
                _ => keys.as_string_opt::<i32>()?.value(row),
            };
            Some((key.to_owned(), values.slice(row, 1)))
        })
        .collect()
}
