//! Columns being filled, one file per kind, and the batch they become.
//!
//! Every column knows the row it is given a value for: rows that were passed over are null, so an absent member costs
//! nothing until the batch is finished. Every column can be cut back to a row, which is how the decoder takes a
//! half-filled row away when a line turns out to be odd.

mod label;
mod lists;
mod primitive;
mod text;
mod validity;

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Float64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;

pub(crate) use label::LabelColumn;
pub(crate) use lists::{NumbersColumn, TextListsColumn};
pub(crate) use primitive::PrimitiveColumn;
pub(crate) use text::TextColumn;

use crate::schema::{COLUMNS, ColumnKind, endpoint_schema};

/// A column of any kind that a member fills.
#[derive(Debug)]
pub(crate) enum ColumnBuilder {
    Text(TextColumn),
    Label(LabelColumn),
    Instant(PrimitiveColumn<TimestampMicrosecondType>),
    Number(PrimitiveColumn<Float64Type>),
    TextLists(TextListsColumn),
    Numbers(NumbersColumn),
}

impl ColumnBuilder {
    fn truncate(&mut self, row: usize) {
        match self {
            Self::Text(column) => column.truncate(row),
            Self::Label(column) => column.truncate(row),
            Self::Instant(column) => column.truncate(row),
            Self::Number(column) => column.truncate(row),
            Self::TextLists(column) => column.truncate(row),
            Self::Numbers(column) => column.truncate(row),
        }
    }

    fn finish(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Text(column) => Arc::new(column.finish(rows)?),
            Self::Label(column) => Arc::new(column.finish(rows)?),
            Self::Instant(column) => Arc::new(column.finish(rows).with_timezone("UTC")),
            Self::Number(column) => Arc::new(column.finish(rows)),
            Self::TextLists(column) => Arc::new(column.finish(rows)?),
            Self::Numbers(column) => Arc::new(column.finish(rows)?),
        })
    }
}

/// The columns of a batch being filled, row by row.
#[derive(Debug)]
pub(crate) struct Columns {
    /// Those that members fill, at their positions in [`COLUMNS`].
    members: Vec<ColumnBuilder>,
    pub(crate) extra: TextColumn,
    lines: Vec<i64>,
}

impl Columns {
    pub(crate) fn new() -> Self {
        let members = COLUMNS
            .iter()
            .filter_map(|column| {
                Some(match column.kind {
                    ColumnKind::Text => ColumnBuilder::Text(TextColumn::new()),
                    ColumnKind::Label => ColumnBuilder::Label(LabelColumn::new()),
                    ColumnKind::Instant => ColumnBuilder::Instant(PrimitiveColumn::new()),
                    ColumnKind::Number => ColumnBuilder::Number(PrimitiveColumn::new()),
                    ColumnKind::TextLists => ColumnBuilder::TextLists(TextListsColumn::new()),
                    ColumnKind::Numbers => ColumnBuilder::Numbers(NumbersColumn::new()),
                    ColumnKind::Derived => return None,
                })
            })
            .collect();
        Self { members, extra: TextColumn::new(), lines: Vec::new() }
    }

    /// The row being filled, from 0.
    #[inline]
    pub(crate) fn row(&self) -> usize {
        self.lines.len()
    }

    /// The column at a position of [`COLUMNS`] that a member leads to.
    #[inline]
    pub(crate) fn member(&mut self, position: usize) -> &mut ColumnBuilder {
        &mut self.members[position]
    }

    /// Closes the row being filled: what was given no value is null.
    #[inline]
    pub(crate) fn finish_row(&mut self, line: u64) {
        self.lines.push(i64::try_from(line).unwrap_or(i64::MAX));
    }

    /// Takes away what the row being filled holds so far.
    pub(crate) fn abandon_row(&mut self) {
        let row = self.row();
        for column in &mut self.members {
            column.truncate(row);
        }
        self.extra.truncate(row);
    }

    /// The finished rows as a batch of [`endpoint_schema`], all of `piece`; the columns are empty afterwards.
    pub(crate) fn finish(&mut self, piece: &str) -> Result<RecordBatch, ArrowError> {
        let rows = self.row();
        let mut arrays = Vec::with_capacity(COLUMNS.len());
        for column in &mut self.members {
            arrays.push(column.finish(rows)?);
        }
        arrays.push(Arc::new(self.extra.finish(rows)?));
        let pieces = StringArray::from(vec![piece]);
        arrays.push(Arc::new(DictionaryArray::new(Int32Array::from(vec![0; rows]), Arc::new(pieces))));
        arrays.push(Arc::new(Int64Array::from(std::mem::take(&mut self.lines))));
        RecordBatch::try_new(endpoint_schema(), arrays)
    }
}
